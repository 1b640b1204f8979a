/* arima_ops: install script, concatenated from sql/install by the Makefile */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION arima_ops" to load this file. \quit

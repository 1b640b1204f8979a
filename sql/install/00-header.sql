/* arima_ops: install script, concatenated from sql/install by the Makefile */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION arima_ops" to load this file. \quit

/*
 * Operators and functions are looked up in pg_catalog alone.  CREATE EXTENSION puts
 * the target schema on the path, where whoever may create objects could have an
 * operator that suits an expression here better than the built-in one, and would
 * have it run by everyone who uses the extension.  Objects are made by their whole names.
 * For the same reason the functions in that schema are called with arguments of exactly
 * their types: another function of that name and schema may suit a NULL or 0 better.
 */
SET LOCAL search_path = pg_catalog, pg_temp;

--
-- databases of other encodings than UTF-8: what providers and MLflow answer is in UTF-8
--
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\set home :DBNAME
DROP DATABASE IF EXISTS arima_ops_latin1;
DROP DATABASE IF EXISTS arima_ops_ascii;
CREATE DATABASE arima_ops_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE arima_ops_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;

\c arima_ops_latin1
\i test/sql/include/answers.sql
-- an e with an acute accent is the letter, a euro sign, which LATIN1 has not, its three bytes
SELECT encode(convert_to(arima_ops.answer_text('\xefbbbfc3a9'), 'LATIN1'), 'hex'), encode(convert_to(arima_ops.answer_text('\xe282ac'), 'LATIN1'), 'hex');
\c arima_ops_ascii
\i test/sql/include/answers.sql
\c :home
\i test/sql/include/answers.sql

\c :home
SET client_min_messages = warning;
DROP DATABASE arima_ops_latin1;
DROP DATABASE arima_ops_ascii;

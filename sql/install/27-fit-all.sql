/* ---- many series ---- */

/* The query is the caller's, so it is the caller's search_path that it sees. */
CREATE FUNCTION @extschema@.arima_fit_all(
	query text,
	spec text DEFAULT 'auto',
	workers int DEFAULT NULL,
	report_seconds float8 DEFAULT 10)
RETURNS TABLE (key text, model @extschema@.arima_model, error text)
AS 'MODULE_PATHNAME', 'arima_ops_fit_all'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1000;

COMMENT ON FUNCTION @extschema@.arima_fit_all(text, text, int, float8) IS
'A model for each row of a query that gives a key and a series, an array of numbers, and writes nothing, fitted by parallel workers (by default max_parallel_workers_per_gather; 0 is none) whatever the plan of the query; in the order in which they are ready. A series that cannot be fitted gives a row with the error in place of the model. A notice tells every report_seconds how far it has come; NULL for none';

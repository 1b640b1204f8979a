-- The first value of a statement as text, or its error: state, message, detail, hint.
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	-- of errors that others report, and whose words their tests check, only the state
	IF SQLERRM ~ 'regressors|non-missing|infinite value|one-dimensional|wrong number of rows|out of scale' AND hint <> '' THEN
		RETURN SQLSTATE || ' with hint';
	END IF;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

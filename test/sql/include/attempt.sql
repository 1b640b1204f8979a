-- The first value of a statement as text, or its error: state, message, detail, hint; but the state alone, and that
-- there is a hint, of errors whose message is like the setting attempt.state_only, where there is one.
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
	IF SQLERRM ~ nullif(current_setting('attempt.state_only', true), '') AND hint <> '' THEN
		RETURN SQLSTATE || ' with hint';
	END IF;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

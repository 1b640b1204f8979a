--
-- what others may have put into the database, or into an argument, to have it run or to
-- break what runs: a database of its own, which is gone in the end
--
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\set home :DBNAME
DROP DATABASE IF EXISTS arima_ops_security;
DROP ROLE IF EXISTS security_mallory;
DROP ROLE IF EXISTS security_reader;
CREATE DATABASE arima_ops_security;
\c arima_ops_security
SET client_min_messages = warning;
CREATE ROLE security_mallory;
CREATE ROLE security_reader;
GRANT CREATE ON SCHEMA public TO security_mallory;
GRANT CREATE ON DATABASE arima_ops_security TO security_mallory;

-- operators that suit comparisons of a number with 0 or 1 better than those of pg_catalog
SET ROLE security_mallory;
CREATE FUNCTION public.trap(float8, int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING 'code of security_mallory runs as %', current_user;
	RETURN true;
END $$;
CREATE OPERATOR public.> (LEFTARG = float8, RIGHTARG = int, FUNCTION = public.trap);
CREATE OPERATOR public.>= (LEFTARG = float8, RIGHTARG = int, FUNCTION = public.trap);
CREATE OPERATOR public.< (LEFTARG = float8, RIGHTARG = int, FUNCTION = public.trap);
-- they do work
SELECT 1::float8 > 0;
RESET ROLE;
SET standard_conforming_strings = off;
CREATE EXTENSION arima_ops;
RESET standard_conforming_strings;
SELECT arima_ops.create_series('s', '(1,0,0)', policy => '{"backtest_length": 20, "drift_multiplier": 1.4}');
-- nothing but these operators rests on the function
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend WHERE refobjid = 'public.trap'::regproc ORDER BY 1;
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend AS d JOIN pg_operator AS o ON o.oid = d.refobjid
WHERE d.refclassid = 'pg_operator'::regclass AND o.oprcode = 'public.trap'::regproc ORDER BY 1;

-- functions that suit a NULL, or a whole number, better than those of the extension, beside these
SET ROLE security_mallory;
CREATE FUNCTION public.arima_fit(float8[], text, text, jsonb) RETURNS arima_model LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.trap(1, 1);
	RETURN NULL;
END $$;
CREATE FUNCTION public.rolling_rmse(float8, int) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.trap(1, 1);
	RETURN 0;
END $$;
CREATE FUNCTION public.arima_diebold_mariano_test(float8[], float8[], int, int, text, OUT statistic float8, OUT p_value float8) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.trap(1, 1);
END $$;
-- they do work
SELECT arima_fit('{1,2}', 'auto', NULL, '{}') IS NULL, rolling_rmse(1::float8, 0), (arima_diebold_mariano_test('{1}', '{1}', 1, 2, 'less')).p_value IS NULL;
-- a session that has not looked up any yet
\c -
SET client_min_messages = warning;
SELECT arima_ops.create_series('t', '(0,1,0)');
SELECT round(gain::numeric, 6) FROM arima_ops.judge('significant', 0.01, 0.05, '{1,-1,1,-1}', '{2,-2,2,-3}', 2);

-- a schema that has the name of pg_cron's
SET ROLE security_mallory;
CREATE SCHEMA cron;
CREATE FUNCTION cron.trap() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING 'code of security_mallory runs as %', current_user;
	RETURN true;
END $$;
CREATE VIEW cron.job AS SELECT cron.trap() AS active, 1::bigint AS jobid, 'j'::text AS jobname, 'CALL arima_ops.run_etl()'::text AS command,
	current_database()::text AS database, 'u'::text AS username;
CREATE VIEW cron.job_run_details AS SELECT 1::bigint AS runid, 1::bigint AS jobid, 'failed'::text AS status, ''::text AS return_message,
	now() AS end_time, current_user::text AS username, 'CALL arima_ops.run_etl()'::text AS command WHERE cron.trap();
CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS 'SELECT cron.trap()::int::bigint';
RESET ROLE;
\set VERBOSITY sqlstate
SELECT count(*) FROM arima_ops.schedule();
\set VERBOSITY default
SELECT status FROM arima_ops.doctor() WHERE check_name = 'schedule';
SELECT arima_ops.remove_old_cron_log();

-- the trigger functions with their owner's rights, on a table whose column has a cast of its own
SELECT rolname FROM pg_roles AS r, pg_proc AS p WHERE p.prorettype = 'trigger'::regtype AND p.pronamespace = 'arima_ops'::regnamespace
	AND rolname LIKE 'arima\_ops\_%' AND has_function_privilege(r.oid, p.oid, 'EXECUTE');
GRANT arima_ops_admin TO security_mallory;
SET ROLE security_mallory;
CREATE TYPE public.bait AS ENUM ('s');
CREATE FUNCTION public.bait_text(public.bait) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.trap(1, 1);
	RETURN 's';
END $$;
CREATE CAST (public.bait AS text) WITH FUNCTION public.bait_text(public.bait) AS IMPLICIT;
CREATE TABLE public.bait_table (series public.bait, ts timestamptz, value float8);
CREATE TRIGGER bait AFTER INSERT ON public.bait_table REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION arima_ops.actuals_changed();
INSERT INTO public.bait_table VALUES ('s', '2024-01-01', 1);
-- on the tables that they are for they do their work
SELECT inserted FROM arima_ops.record_actuals('s', ARRAY['2024-01-01'::timestamptz], '{1}');
UPDATE arima_ops.actuals SET value = 2 WHERE series = 's';
SELECT count(*) FROM arima_ops.actual_revisions WHERE series = 's';
RESET ROLE;

-- a backslash in a string is an escape where that is the setting: in the functions none is but in E''
SELECT p.proname FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'arima_ops' JOIN pg_language AS l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND regexp_replace(p.prosrc, $$\mE'([^']|'')*'$$, '', 'g') ~ '\\';
\c arima_ops_security
SET standard_conforming_strings = off;
SELECT arima_ops.hides_credentials('https://h/?token=t', '{}') AS token, arima_ops.hides_credentials('https://h/?token={secret:t}', '{"x-api-key : {secret:k}"}') AS secret,
	arima_ops.csv_fields('a|"b|c""d"|', '|') AS fields, arima_ops.complaint(E' <html><title> So\n sorry </title>') AS complaint,
	(SELECT status FROM arima_ops.doctor() WHERE check_name = 'schedule') AS schedule;
RESET standard_conforming_strings;

-- rows that no table has let in, by who may only read
GRANT arima_ops_reader TO security_reader;
SET ROLE security_reader;
SELECT arima_ops.drift_steps(jsonb_populate_record(s, '{"drift_window": -5}'), NULL, 1, '{1,1}', '{1}', '{1,1}') FROM arima_ops.series AS s;
SELECT arima_ops.drift_steps(jsonb_populate_record(s, '{"drift_window": 2147483647}'), NULL, 1, '{1,1}', '{1}', '{1,1}') FROM arima_ops.series AS s;
SELECT arima_ops.drift_trial(jsonb_populate_record(s, '{"drift_consecutive": 0}'), 1, 5, 5, 5, 1) FROM arima_ops.series AS s;
SELECT arima_ops.drift_trial(jsonb_populate_record(s, '{"drift_min_labels": -2147483648}'), 1, 5, 5, 5, 1) FROM arima_ops.series AS s;
-- bounds and searches without end
SELECT arima_ops.read_request('{"recent_prices": [1, 2]}', 1, 2147483647);
SELECT (arima_ops.count_newer(array_fill(1::float8, ARRAY[100000]), '{2,1}')).newer;
SELECT (arima_ops.count_newer('{2}' || array_fill(3::float8, ARRAY[1000]) || '{1,7}', '{2,1}')).newer, (arima_ops.count_newer('{2}' || array_fill(3::float8, ARRAY[1001]) || '{1,7}', '{2,1}')).newer;
RESET ROLE;

\c :home
SET client_min_messages = warning;
DROP DATABASE arima_ops_security;
DROP ROLE security_mallory;
DROP ROLE security_reader;

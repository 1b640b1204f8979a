--
-- who may do what in the schemas of operations: function by function, table by table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned

CREATE TEMP VIEW routines AS
SELECT p.oid, p.pronamespace::regnamespace::text AS schema, p.oid::regprocedure::text AS name, p.prosecdef, p.proconfig, p.prokind
FROM pg_proc AS p WHERE p.pronamespace IN ('arima_ops'::regnamespace, 'arima_api'::regnamespace);
SELECT count(*) > 100 AS many FROM routines;
-- PUBLIC: nothing at all
SELECT name FROM routines WHERE EXISTS (SELECT FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE p.oid = routines.oid AND a.grantee = 0);
SELECT oid::regclass FROM pg_class AS c WHERE relnamespace IN ('arima_ops'::regnamespace, 'arima_api'::regnamespace) AND relkind IN ('r', 'v', 'S', 'p')
	AND EXISTS (SELECT FROM aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))) AS a WHERE a.grantee = 0);
SELECT nspname FROM pg_namespace AS n WHERE nspname IN ('arima_ops', 'arima_api') AND EXISTS (SELECT FROM aclexplode(n.nspacl) AS a WHERE a.grantee = 0);
-- user: to ask, and no more
SELECT name FROM routines WHERE has_function_privilege('arima_ops_user', oid, 'EXECUTE') ORDER BY name COLLATE "C";
SELECT c.oid::regclass FROM pg_class AS c WHERE relnamespace IN ('arima_ops'::regnamespace, 'arima_api'::regnamespace) AND relkind IN ('r', 'v', 'p')
	AND has_table_privilege('arima_ops_user', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
-- reader: functions that read, each table and view, nothing that writes
SELECT name FROM routines JOIN pg_proc AS p USING (oid)
WHERE has_function_privilege('arima_ops_reader', oid, 'EXECUTE') <> (p.prokind = 'f' AND p.provolatile <> 'v' AND NOT p.prosecdef AND schema = 'arima_ops') ORDER BY name COLLATE "C";
SELECT c.oid::regclass FROM pg_class AS c WHERE relnamespace IN ('arima_ops'::regnamespace, 'arima_api'::regnamespace) AND relkind IN ('r', 'v', 'p')
	AND (NOT has_table_privilege('arima_ops_reader', oid, 'SELECT') OR has_table_privilege('arima_ops_reader', oid, 'INSERT, UPDATE, DELETE, TRUNCATE'));
-- admin: everything but this and the trigger functions, and no table to truncate or to hang triggers on
SELECT name FROM routines WHERE NOT has_function_privilege('arima_ops_admin', oid, 'EXECUTE') ORDER BY name COLLATE "C";
SELECT c.oid::regclass FROM pg_class AS c WHERE relnamespace = 'arima_ops'::regnamespace AND relkind IN ('r', 'p')
	AND (NOT (has_table_privilege('arima_ops_admin', oid, 'SELECT') AND has_table_privilege('arima_ops_admin', oid, 'INSERT')) OR has_table_privilege('arima_ops_admin', oid, 'TRUNCATE, TRIGGER, REFERENCES'));
-- what runs with the owner's rights
SELECT name FROM routines WHERE prosecdef ORDER BY name COLLATE "C";
-- and everything but procedures that commit, and C, says where it looks for names
SELECT name FROM routines JOIN pg_proc AS p USING (oid) JOIN pg_language AS l ON l.oid = p.prolang
WHERE NOT coalesce(array_to_string(p.proconfig, ' '), '') LIKE '%search_path=pg_catalog, pg_temp%' AND l.lanname <> 'c' ORDER BY name COLLATE "C";

-- as they are: three people
CREATE ROLE privileges_reader;
CREATE ROLE privileges_user;
CREATE ROLE privileges_admin;
CREATE ROLE privileges_nobody;
GRANT arima_ops_reader TO privileges_reader;
GRANT arima_ops_user TO privileges_user;
GRANT arima_ops_admin TO privileges_admin;
SET ROLE privileges_admin;
SELECT arima_ops.create_series('privileges', '(0,1,1)', policy => '{"backtest_length": 30}');
SELECT arima_ops.record_actuals('privileges', array_agg('2024-01-01'::timestamptz + i * interval '1 day'), array_agg(100 + sin(i))) FROM generate_series(1, 90) AS i;
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('privileges', '2024-06-01', 101);
SELECT arima_ops.train('privileges');
CALL arima_ops.run_etl();
CALL arima_ops.run_monitoring();
CALL arima_ops.run_retraining();
CALL arima_ops.run_tracking();
CALL arima_ops.run_retention();
SELECT count(*) > 10 FROM arima_ops.doctor();
SELECT count(*) FROM arima_ops.predict('privileges');
SELECT arima_ops.http_prepare('{}');
TRUNCATE arima_ops.predictions;
SET ROLE privileges_user;
SELECT count(*) FROM arima_ops.predict('privileges', request_id => 'mine');
SELECT arima_api.predict('{"recent_prices": []}') ->> 'detail' IS NOT NULL;
SELECT count(*) FROM arima_ops.predictions;
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast) VALUES ('privileges', now(), 0, 1);
SELECT arima_ops.train('privileges');
SELECT arima_ops.record_actuals('privileges', '{}', '{}');
CALL arima_ops.run_etl();
SET ROLE privileges_reader;
SELECT count(*) FROM arima_ops.predictions WHERE series = 'privileges';
SELECT series, champion FROM arima_ops.monitoring WHERE series = 'privileges';
SELECT count(*) > 0 FROM arima_ops.timeline WHERE series = 'privileges';
SELECT count(*) FROM arima_ops.leaderboard WHERE series = 'privileges';
SELECT count(*) > 10 FROM arima_ops.doctor();
SELECT count(*) FROM arima_ops.predict('privileges');
DELETE FROM arima_ops.predictions;
UPDATE arima_ops.models SET status = 'champion';
SET ROLE privileges_nobody;
SELECT count(*) FROM arima_ops.predict('privileges');
SELECT * FROM arima_ops.monitoring;
SELECT arima_api.predict('{}');
RESET ROLE;
UPDATE arima_ops.series SET active = false WHERE name = 'privileges';
DROP ROLE privileges_reader, privileges_user, privileges_admin, privileges_nobody;

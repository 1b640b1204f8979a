/* ---- who may do what, after everything is there ---- */

/*
 * PUBLIC nothing; reader SELECT; user predict(); admin all else.  New functions
 * of the schema are executable by PUBLIC until they are revoked here, so this is
 * the last part that makes objects of it.
 */
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA arima_ops FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA arima_ops FROM PUBLIC;

GRANT SELECT ON ALL TABLES IN SCHEMA arima_ops TO arima_ops_reader;
GRANT EXECUTE ON FUNCTION arima_ops.predict(text, float8[], int, float8, timestamptz, text), arima_ops.answer_requests(text[], text[], boolean) TO arima_ops_user;
-- what only reads, for readers: views call functions with the rights of who reads them
DO $$
DECLARE
	routine regprocedure;
BEGIN
	FOR routine IN SELECT p.oid FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace = 'arima_ops'::pg_catalog.regnamespace AND p.prokind = 'f' AND p.provolatile <> 'v' AND NOT p.prosecdef LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO arima_ops_reader', routine);
	END LOOP;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA arima_ops TO arima_ops_admin;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA arima_ops TO arima_ops_admin;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA arima_ops TO arima_ops_admin;

-- a trigger function that has its owner's rights would have them on a table of anybody's, whose columns may have types with casts of their own
DO $$
DECLARE
	routine regprocedure;
BEGIN
	FOR routine IN SELECT p.oid FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace = 'arima_ops'::pg_catalog.regnamespace AND p.prorettype = 'trigger'::pg_catalog.regtype LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM arima_ops_reader, arima_ops_admin', routine);
	END LOOP;
END $$;
-- what may be sent is up to the functions that prepare it from the tables
REVOKE ALL ON FUNCTION arima_ops.http_prepare(arima_ops.http_request[]) FROM arima_ops_admin;

/*
 * The operations call the numeric functions with the rights of who runs them, who
 * could not where the extension is in a schema that not everyone may use.
 */
DO $$
BEGIN
	IF NOT (pg_catalog.has_schema_privilege('arima_ops_admin', '@extschema@'::pg_catalog.regnamespace, 'USAGE')
		AND pg_catalog.has_schema_privilege('arima_ops_reader', '@extschema@'::pg_catalog.regnamespace, 'USAGE')) THEN
		GRANT USAGE ON SCHEMA @extschema@ TO arima_ops_reader, arima_ops_admin;
	END IF;
END $$;

-- over REST
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA arima_api FROM PUBLIC;
GRANT USAGE ON SCHEMA arima_api TO arima_ops_reader, arima_ops_user, arima_ops_admin;
GRANT SELECT ON ALL TABLES IN SCHEMA arima_api TO arima_ops_reader;
GRANT EXECUTE ON FUNCTION arima_api.predict(json) TO arima_ops_user;
GRANT EXECUTE ON FUNCTION arima_api.forecast(text, int, float8), arima_api.ready() TO arima_ops_reader, arima_ops_user;
GRANT EXECUTE ON FUNCTION arima_api.overview(), arima_api.series_detail(text, int, int), arima_api.events(bigint, text, text, int), arima_api.jobs() TO arima_ops_reader, arima_ops_admin;

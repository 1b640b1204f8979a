/* ---- who may do what, after everything is there ---- */

/*
 * PUBLIC nothing; reader SELECT; user predict(); admin all else.  New functions
 * of the schema are executable by PUBLIC until they are revoked here, so this is
 * the last part that makes objects of it.
 */
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA arima_ops FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA arima_ops FROM PUBLIC;

GRANT SELECT ON ALL TABLES IN SCHEMA arima_ops TO arima_ops_reader;
-- what views call is called as who reads them
GRANT EXECUTE ON FUNCTION arima_ops.missing_days(text, timestamptz, timestamptz) TO arima_ops_reader;
GRANT EXECUTE ON FUNCTION arima_ops.predict(text, float8[], int, float8, timestamptz, text) TO arima_ops_user;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA arima_ops TO arima_ops_admin;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA arima_ops TO arima_ops_admin;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA arima_ops TO arima_ops_admin;

-- what may be sent is up to the functions that prepare it from the tables
REVOKE ALL ON FUNCTION arima_ops.http_prepare(arima_ops.http_request[]) FROM arima_ops_admin;

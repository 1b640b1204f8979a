-- Once, in the transaction that makes the database what it is: extensions, roles, jobs.
CREATE EXTENSION pg_cron;
CREATE EXTENSION arima_ops;
CREATE ROLE arima_restd LOGIN;
GRANT arima_ops_user, arima_ops_reader TO arima_restd;
SELECT arima_ops.schedule();

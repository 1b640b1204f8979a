-- The roles of PostgREST: psql -v password=… -d DATABASE -f postgrest-roles.sql, as a superuser.
--
--   authenticator  what PostgREST logs in as; may do nothing by itself
--   anon           requests without a token: they may ask for predictions and forecasts
--   and with a token (JWT) whose claim "role" says so
--   arima_ops_user, arima_ops_reader   the extension's own: to ask; to read the views
--
-- Roles are the server's, not the database's.  Those that are there stay as they are but
-- for what is granted here; it may be run again, with another password for instance.
-- Without -v password=… the password of authenticator is left as it is.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT format('CREATE ROLE %I %s', r.name, r.options)
FROM (VALUES ('authenticator', 'LOGIN NOINHERIT'), ('anon', 'NOLOGIN')) AS r (name, options)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS p WHERE p.rolname = r.name) \gexec
\if :{?password}
SET log_statement = 'none';
SET log_min_duration_statement = -1;
ALTER ROLE authenticator PASSWORD :'password';
\endif

GRANT arima_ops_user TO anon;
GRANT anon, arima_ops_user, arima_ops_reader TO authenticator;

-- PostgREST applies these for the role that a request has.
ALTER ROLE anon SET statement_timeout = '5s';
ALTER ROLE arima_ops_user SET statement_timeout = '5s';
ALTER ROLE arima_ops_reader SET statement_timeout = '30s';

-- A PostgREST that is running reads roles and functions anew.
NOTIFY pgrst, 'reload config';
NOTIFY pgrst, 'reload schema';

-- On every start: the extension of this image, the passwords that the environment gives.
SET client_min_messages = warning;
ALTER EXTENSION arima_ops UPDATE;
SET log_statement = 'none';
SET log_min_duration_statement = -1;
\getenv password POSTGRES_PASSWORD
\if :{?password}
ALTER ROLE postgres PASSWORD :'password';
\unset password
\endif
\getenv password POSTGREST_PASSWORD
\if :{?password}
\ir postgrest-roles.sql
\unset password
\endif

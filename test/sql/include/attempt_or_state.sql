-- of errors that others report, and whose words their tests check, only the state
SET attempt.state_only = 'regressors|non-missing|infinite value|one-dimensional|wrong number of rows|out of scale';
\i test/sql/include/attempt.sql

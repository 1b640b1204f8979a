--
-- arima_forecast in both forms and arima_predict
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt.sql

-- R's dataset lh
CREATE TABLE forecast_lh AS SELECT y, arima_fit(y, '(3,0,0)') AS model
FROM (VALUES (ARRAY[2.4,2.4,2.4,2.2,2.1,1.5,2.3,2.3,2.5,2,1.9,1.7,2.2,1.8,3.2,3.2,2.7,2.2,2.2,1.9,1.9,1.8,2.7,3,
	2.3,2,2,2.9,2.9,2.7,2.7,2.3,2.6,2.4,1.8,1.7,1.5,1.4,2.1,3.3,3.5,3.5,3.1,2.6,2.1,3.4,3,2.9]::float8[])) v (y);

-- a published forecast: R's predict(arima(lh, order = c(3,0,0)), n.ahead = 12)
SELECT step, round(forecast::numeric, 3) AS forecast, round(std_error::numeric, 3) AS std_error,
	round(lower::numeric, 3) AS lower, round(upper::numeric, 3) AS upper
FROM forecast_lh, arima_forecast(model, 12);

-- the interval is forecast -+ z * std_error
SELECT level, bool_and(abs((upper - forecast) / std_error - z) < 1e-4 AND abs((forecast - lower) / std_error - z) < 1e-4) AS normal
FROM forecast_lh, (VALUES (0.5, 0.67449), (0.8, 1.28155), (0.95, 1.95996), (0.999, 3.29053)) v (level, z), arima_forecast(model, 3, level)
GROUP BY level ORDER BY level;

-- which form a call means
SELECT * FROM (SELECT 'm' AS call, count(*), round(sum(forecast)::numeric, 3) AS sum FROM forecast_lh, arima_forecast(model)
UNION ALL SELECT 'm, 5', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, 5)
UNION ALL SELECT 'm, h => 3', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, h => 3)
UNION ALL SELECT 'm, 3, 0.8', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, 3, 0.8)
UNION ALL SELECT 'm, level => 0.8', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, level => 0.8)
UNION ALL SELECT 'm, y', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, y)
UNION ALL SELECT 'm, numeric[]', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, ARRAY[2, 3, 3.5, 3, 2.9])
UNION ALL SELECT 'm, int[]', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, ARRAY[2, 3, 3, 3, 2])
UNION ALL SELECT 'm, text::float8[]', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, '{2,3,3.5,3,2.9}'::float8[])
UNION ALL SELECT 'm, recent => text', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, recent => '{2,3,3.5,3,2.9}')
UNION ALL SELECT 'm, y, 5', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, y, 5)
UNION ALL SELECT 'm, y, 5, 0.8', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, y, 5, 0.8)
UNION ALL SELECT 'm, recent => y, h => 5', count(*), round(sum(forecast)::numeric, 3) FROM forecast_lh, arima_forecast(model, recent => y, h => 5)) calls
ORDER BY call COLLATE "C";

-- from the series itself both forms are the same
SELECT bool_and(abs(a.forecast - b.forecast) < 1e-12 AND abs(a.std_error - b.std_error) < 1e-12
	AND abs(a.lower - b.lower) < 1e-12 AND abs(a.upper - b.upper) < 1e-12) AS same
FROM forecast_lh, arima_forecast(model, 8, 0.9) a JOIN arima_forecast(model, y, 8, 0.9) b USING (step);
-- arima_predict is the first step of the second form; missing values are allowed there too
SELECT recent, abs(arima_predict(model, recent) - forecast) <= 1e-12 * abs(forecast) AS same
FROM forecast_lh, unnest(ARRAY['{2.1}', '{2,3,3.5,3,2.9}', '{2,3,NULL,3,2.9}', '{2,3,NaN,3,NULL}']) r, LATERAL (SELECT r::float8[]) x (recent),
	arima_forecast(model, recent);
-- more history than the model needs changes little, and in the end nothing
SELECT abs(arima_predict(model, y[40:]) - arima_predict(model, y)) < 1e-9 AS the_last_three_decide FROM forecast_lh;
-- differenced: the forecast follows the level of the recent values
SELECT spec, abs(arima_predict(m, ARRAY(SELECT v + 1000 FROM unnest(y) v)) - arima_predict(m, y) - 1000) < 1e-6 AS shift
FROM forecast_lh, unnest(ARRAY['(0,1,0)', '(1,1,1)', '(0,2,1)', '(1,1,0)(0,1,1)[4]']) spec, LATERAL (SELECT arima_fit(y, spec)) f (m);

-- of a trend in levels it has to be known when: append says so
CREATE TEMP TABLE trend AS SELECT y, arima_fit(y[:30], '(0,0,0) with drift') AS model FROM (SELECT array_agg(i + 0.1 * sin(i * i) ORDER BY i) AS y FROM generate_series(1, 40) AS i) AS v;
SELECT pg_temp.attempt('SELECT arima_predict(model, y) FROM trend');
SELECT call, left(pg_temp.attempt('SELECT f.step FROM trend, ' || call || ' AS f'), 5) AS refused FROM unnest(ARRAY['arima_forecast(model, y[:30])', 'arima_forecast(model, y, 2, ''{0.5,0.8}''::float8[])']) AS call;
SELECT round(f.forecast::numeric, 2) AS forecast, g.forecast IS NOT DISTINCT FROM f.forecast AS same
FROM trend, arima_forecast(arima_append(model, y[31:40])) AS f, arima_ops.forecast_at(model, y, 1, 0.95, 40) AS g;
-- that of differences is the same step at any time
SELECT abs(arima_predict(arima_fit(y[:30], '(0,1,0) with drift'), y) - 41) < 0.2 AS near FROM trend;
SELECT count(*) AS no_rows FROM trend, unnest(ARRAY[NULL, model]) AS m, unnest(ARRAY[NULL, 1]) AS h, arima_ops.forecast_at(m, y, h, CASE WHEN m IS NULL OR h IS NULL THEN 0.95 END, 40);

-- long horizons: the mean of a stationary model, a growing error of an integrated one
SELECT count(*), abs(max(forecast) FILTER (WHERE step = 1000) - (SELECT estimate FROM arima_coefficients(max(model::text)::arima_model) WHERE term = 'mean')) < 1e-9 AS ends_at_mean
FROM forecast_lh, arima_forecast(model, 1000);
SELECT spec, bool_and(std_error > before) AS grows
FROM (SELECT spec, std_error, lag(std_error, 1, 0::float8) OVER (PARTITION BY spec ORDER BY step) AS before
	FROM forecast_lh, unnest(ARRAY['(0,1,1)', '(1,1,0) with drift', '(0,2,2)']) spec, arima_forecast(arima_fit(y, spec), 500)) x
GROUP BY spec ORDER BY spec COLLATE "C";
SELECT count(*), min(step), max(step), bool_and(forecast < 'infinity' AND std_error < 'infinity') AS finite
FROM forecast_lh, arima_forecast(model, 100000);

-- with regressors: a row for each step
CREATE TABLE forecast_xreg AS
SELECT arima_fit(array_agg(3 + 2 * i + 0.5 * (i % 7) + hashint4(i) / 2147483648.0 ORDER BY i), '(1,0,0)', array_agg(ARRAY[i, i % 7] ORDER BY i)) AS model
FROM generate_series(1, 100) i;
SELECT step, abs(forecast - (3 + 2 * (100 + step) + 0.5 * ((100 + step) % 7))) < 0.5 AS near
FROM forecast_xreg, arima_forecast(model, 3, xreg => ARRAY[[101, 101 % 7], [102, 102 % 7], [103, 103 % 7]]);
SELECT call, pg_temp.attempt(format('SELECT f.step FROM forecast_xreg, arima_forecast(%s) f', call))
FROM unnest(ARRAY[
	'model',
	'model, 2, 0.95, ''{{1,2}}''',
	'model, 2, 0.95, ''{1,2}''',
	'model, 1, 0.95, ''{{1,2,3}}''',
	'model, 1, 0.95, ''{{1,NULL}}''',
	'model, 1, 0.95, ''{{1,Infinity}}''',
	'model, recent => ''{1,2,3,4,5}''']) call;
SELECT pg_temp.attempt('SELECT arima_predict(model, ''{1,2,3,4,5}'') FROM forecast_xreg');
SELECT pg_temp.attempt('SELECT f.step FROM forecast_lh, arima_forecast(model, 1, 0.95, ''{{1}}'') f');

-- bad arguments
\pset format unaligned
SELECT call, pg_temp.attempt(format('SELECT f.step FROM forecast_lh, arima_forecast(%s) f', call))
FROM unnest(ARRAY['model, 0', 'model, -1', 'model, 100001', 'model, 1, 0', 'model, 1, 1', 'model, 1, ''NaN''', 'model, 1, 95',
	'model, y, 0', 'model, y, 1, 1.5', 'model, 1, ''Infinity''', 'model, ''{{1,2},{3,4}}''::float8[]', 'model, ''{}''::float8[]', 'model, ''{NULL,NaN}''::float8[]',
	'model, ''{1,2,-Infinity}''::float8[]']) call;
-- a literal could be a number or an array, so its type must be said
SELECT left(pg_temp.attempt('SELECT f.step FROM forecast_lh, arima_forecast(model, ''{1,2}'') f'), 5);
SELECT recent, pg_temp.attempt(format('SELECT arima_predict(model, %L) FROM forecast_lh', recent))
FROM unnest(ARRAY['{}', '{NULL}', '{1,Infinity}', '{{1,2},{3,4}}']) recent;
SELECT recent, pg_temp.attempt(format('SELECT arima_predict(arima_fit(y, ''(1,1,1)(0,1,1)[4]''), %L) FROM forecast_lh', recent))
FROM unnest(ARRAY['{1,2,3,4,5}', '{1,2,3,4,NULL,5,6}', '{1,NULL,3,4,2,NULL,5,4,3,NULL}']) recent;
-- answers that a double cannot hold
SELECT call, pg_temp.attempt('SELECT ' || call)
FROM unnest(ARRAY[
	$$f.step FROM arima_forecast(arima_fit('{1,1e30,1e61,1e90,1e122}'::float8[], '(0,1,0) with drift', options => '{"lambda": 0}'), 10) f$$,
	$$arima_predict(arima_fit('{1,3,2,5,4,7,9,8,7}'::float8[], '(0,3,0)', options => '{"lambda": 0}'), '{1,1e-100,1,1e150}')$$,
	$$arima_append(arima_fit('{1e-7,3e-7,2e-7,5e-7,1e-7,3e-7}'::float8[], '(0,1,0)'), '{1e149}')$$]) call;

-- with a negative lambda an upper bound may be beyond all numbers, the forecast itself not
CREATE TEMP TABLE beyond AS SELECT arima_fit(y, '(0,1,0)', options => '{"lambda": -1}') AS model,
	arima_fit(up, '(0,1,0) with drift', options => '{"lambda": -1}') AS up, y
FROM (SELECT array_agg(100 + 20 * sin(i * i) ORDER BY i) AS y, array_agg(100 + i ORDER BY i) AS up FROM generate_series(1, 40) i) AS v;
SELECT level, max(f.step) AS steps, max(f.step) FILTER (WHERE f.upper < 'Infinity') AS bounded, max(f.upper) = 'Infinity' AS infinite, bool_and(f.forecast < 150 AND f.std_error < 150 AND f.lower < f.forecast) AS rest
FROM beyond, unnest(ARRAY[0.5, 0.95]) AS level, arima_forecast(model, 12, level) AS f GROUP BY level ORDER BY level;
SELECT count(*) FILTER (WHERE b.upper = 'Infinity') > 0 AS backtest FROM beyond, arima_backtest(y, '(0,1,0)', 20, 10, options => '{"lambda": -1}') AS b;
SELECT pg_temp.attempt('SELECT max(f.forecast) < ''Infinity'' FROM beyond, arima_forecast(up, 1000) f');

\pset format aligned
-- NULL gives no rows, or NULL
SELECT (SELECT count(*) FROM arima_forecast(NULL)) AS model, (SELECT count(*) FROM arima_forecast(model, NULL::int)) AS h,
	(SELECT count(*) FROM arima_forecast(model, 1, NULL)) AS level, (SELECT count(*) FROM arima_forecast(model, NULL::float8[])) AS recent,
	(SELECT count(*) FROM arima_forecast(NULL, ARRAY[1.0])) AS recent_model, arima_predict(model, NULL) IS NULL AS predict
FROM forecast_lh;

-- as part of a select list, row by row
SELECT (f).step, round((f).forecast::numeric, 3) AS forecast FROM (SELECT arima_forecast(model, 2) AS f FROM forecast_lh) x;

-- what the planner expects, and may do with the functions
SELECT oid::regprocedure, provolatile, proisstrict, proparallel, procost, prorows
FROM pg_proc WHERE proname IN ('arima_fit', 'arima_refit', 'arima_append', 'arima_residuals', 'arima_forecast', 'arima_predict') AND prokind = 'f'
ORDER BY oid::regprocedure::text COLLATE "C";
SELECT oid::regprocedure FROM pg_proc WHERE proname ~ '^arima_(fit|try|refit|append|residuals|forecast|predict)' AND obj_description(oid, 'pg_proc') IS NULL;

DROP TABLE forecast_lh, forecast_xreg;

--
-- arima_simulate and arima_anomalies
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt_or_state.sql

-- R's dataset lh, and a walk with a gap at its end
CREATE TEMP TABLE diag_lh AS SELECT y, arima_fit(y, '(1,0,0)') AS model
FROM (VALUES (ARRAY[2.4,2.4,2.4,2.2,2.1,1.5,2.3,2.3,2.5,2,1.9,1.7,2.2,1.8,3.2,3.2,2.7,2.2,2.2,1.9,1.9,1.8,2.7,3,
	2.3,2,2,2.9,2.9,2.7,2.7,2.3,2.6,2.4,1.8,1.7,1.5,1.4,2.1,3.3,3.5,3.5,3.1,2.6,2.1,3.4,3,2.9]::float8[])) v (y);
CREATE TEMP TABLE diag_walk AS SELECT y || NULL::float8 AS y, arima_fit(y || NULL::float8, '(0,1,1)') AS model
FROM (SELECT array_agg(50 + walk ORDER BY i) AS y
	FROM (SELECT i, sum(hashint4(i) / 2147483648.0::float8) OVER (ORDER BY i) AS walk FROM generate_series(1, 80) i) x) s;

-- ---- simulation ----

-- the numbers themselves: the same on every machine
SELECT path, step, round(value::numeric, 9) AS value FROM diag_lh, arima_simulate(model, 3, 2) ORDER BY path, step;
SELECT path, step, round(value::numeric, 9) AS value FROM diag_walk, arima_simulate(model, 2, 2, -5) ORDER BY path, step;
-- one path by default; more paths and steps leave the first ones as they are; another seed does not
SELECT count(*) AS rows, max(path) AS paths, bool_and(a.value = b.value) AS same, bool_or(a.value = c.value) AS other_seed
FROM diag_lh, arima_simulate(model, 5) a JOIN arima_simulate(model, 9, 4, 1) b USING (path, step)
	JOIN arima_simulate(model, 5, 1, 2) c USING (path, step);
-- mean and spread of many paths are the forecast's, in standard errors of their own
SELECT 'lh' AS model, step, abs(avg(value) - f.forecast) / (f.std_error / 100) < 4 AS mean,
	abs(variance(value) / f.std_error ^ 2 - 1) * sqrt(5000) < 4 AS variance
FROM diag_lh, arima_forecast(model, 4) f JOIN arima_simulate(model, 4, 10000, 11) s USING (step)
GROUP BY step, f.forecast, f.std_error
UNION ALL
SELECT 'walk', step, abs(avg(value) - f.forecast) / (f.std_error / 100) < 4,
	abs(variance(value) / f.std_error ^ 2 - 1) * sqrt(5000) < 4
FROM diag_walk, arima_forecast(model, 4) f JOIN arima_simulate(model, 4, 10000, 11) s USING (step)
GROUP BY step, f.forecast, f.std_error
ORDER BY model, step;
-- the interval that Box-Cox gives holds as many of the paths, and none is negative
SELECT round(avg((value BETWEEN lower AND upper)::int), 2) AS held, min(value) > 0 AS positive
FROM (SELECT arima_fit(array_agg(exp(i / 20.0 + hashint4(i) / 2147483648.0) ORDER BY i), '(0,1,1)', options => '{"lambda": 0}') AS model
	FROM generate_series(1, 60) i) m, arima_forecast(model, 3, 0.8) f JOIN arima_simulate(model, 3, 10000) s USING (step);
-- beyond the end of the scale of a negative lambda a value is Infinity, where the upper bound is: quantiles of the paths are those of the forecast; paths come back
SELECT step, count(*) FILTER (WHERE value = 'Infinity') BETWEEN 1 AND 5000 AS some_infinite, bool_or(value < 'Infinity' AND before = 'Infinity') AS back,
	upper, percentile_disc(0.975) WITHIN GROUP (ORDER BY value) AS quantile, abs(percentile_disc(0.5) WITHIN GROUP (ORDER BY value) / f.forecast - 1) < 0.05 AS median
FROM (SELECT arima_fit(array_agg(exp(1 + hashint4(i) / 2147483648.0) ORDER BY i), '(1,0,0)', options => '{"lambda": -1}') AS model FROM generate_series(1, 60) i) m,
	LATERAL (SELECT *, lag(value) OVER (PARTITION BY path ORDER BY step) AS before FROM arima_simulate(model, 3, 10000)) s JOIN LATERAL arima_forecast(model, 3) f USING (step)
GROUP BY step, upper, f.forecast ORDER BY step;
-- regressors of the future
CREATE TEMP TABLE diag_xreg AS
SELECT arima_fit(array_agg(3 * i % 7 + hashint4(i) / 1e10 ORDER BY i), '(0,0,0)', array_agg(ARRAY[3 * i % 7] ORDER BY i)) AS model
FROM generate_series(1, 60) i;
SELECT step, round(value) AS value FROM diag_xreg, arima_simulate(model, 3, 1, 1, ARRAY[[10], [20], [30]]);
-- a series without noise has one future
SELECT array_agg(DISTINCT value) AS future FROM arima_simulate(arima_fit('{7,7,7,7,7}'::float8[], '(0,1,0)'), 5, 3);
-- NULL: no rows
SELECT (SELECT count(*) FROM arima_simulate(NULL, 1)) AS model, (SELECT count(*) FROM arima_simulate(model, NULL)) AS h,
	(SELECT count(*) FROM arima_simulate(model, 1, NULL)) AS paths, (SELECT count(*) FROM arima_simulate(model, 1, 1, NULL)) AS seed
FROM diag_lh;

\pset format unaligned
SELECT call, pg_temp.attempt(format('SELECT s.step FROM diag_lh, arima_simulate(%s) s', call))
FROM unnest(ARRAY['model, 0', 'model, -1', 'model, 100001', 'model, 1, 0', 'model, 1, 1000001', 'model, 100000, 1001', 'model, 2, xreg => ''{1,2}''']) call;
SELECT call, pg_temp.attempt(format('SELECT s.step FROM diag_xreg, arima_simulate(%s) s', call))
FROM unnest(ARRAY['model, 2', 'model, 2, xreg => ''{1}''', 'model, 2, xreg => ''{1,NULL}''', 'model, 1, xreg => ''{{1,2}}''']) call;
-- paths that leave the range of numbers
SELECT pg_temp.attempt('SELECT count(*) FROM arima_simulate(arima_fit(''{1,1e3,1e6,1e9,1e3,1e7,2}''::float8[], ''(0,2,0)'', options => ''{"lambda": 0}''), 1000)');
\pset format aligned

-- ---- anomalies ----

-- a walk that jumps for good at 40 and has a spike at 60
CREATE TEMP TABLE diag_jump AS
SELECT arima_fit(y, '(0,1,0)') AS model, y FROM (
	SELECT array_agg(100 + walk + CASE WHEN i >= 40 THEN 20 ELSE 0 END + CASE WHEN i = 60 THEN 15 ELSE 0 END ORDER BY i) AS y
	FROM (SELECT i, sum(hashint4(i) / 2147483648.0::float8) OVER (ORDER BY i) AS walk FROM generate_series(1, 80) i) x) s;
SELECT step, round(value::numeric, 3) AS value, round(lower_bound::numeric, 3) AS lower_bound, round(upper_bound::numeric, 3) AS upper_bound,
	is_anomaly, round(anomaly_probability::numeric, 6) AS anomaly_probability
FROM diag_jump, arima_anomalies(model, y, 0.999) WHERE step IN (1, 2, 39, 40, 41, 59, 60, 61, 62) ORDER BY step;
-- which are flagged, by level
SELECT level, array_agg(step ORDER BY step) AS anomalies
FROM diag_jump, unnest(ARRAY[0.9, 0.99, 0.999999]) level, arima_anomalies(model, y, level) WHERE is_anomaly GROUP BY level ORDER BY level;
-- verdict, interval and probability say the same; bounds are those of the one-step forecast
SELECT count(*), bool_and(is_anomaly = (value NOT BETWEEN lower_bound AND upper_bound)) AS interval,
	bool_and(is_anomaly = (anomaly_probability > 0.8)) AS probability,
	bool_and(abs(lower_bound - f.lower) < 1e-9 AND abs(upper_bound - f.upper) < 1e-9) AS forecast
FROM diag_lh, arima_anomalies(model, y, 0.8) a, LATERAL arima_forecast(model, y[1:a.step - 1], 1, 0.8) f WHERE a.step > 1;
-- missing values and those that the differences use up have none; what follows a gap is less certain
SELECT step, value, round(lower_bound::numeric, 6) AS lower_bound, round(upper_bound::numeric, 6) AS upper_bound, is_anomaly,
	round(anomaly_probability::numeric, 6) AS anomaly_probability, round((upper_bound - lower_bound)::numeric / 3.919928, 3) AS std_error
FROM arima_anomalies(arima_fit('{1,2,NULL,NaN,2,3,1,2,3,2}'::float8[], '(0,1,0)'), '{NULL,5,NULL,NaN,5,6}');
-- Box-Cox: intervals on the scale of the series; regressors
SELECT bool_and(lower_bound > 0 AND upper_bound - value > value - lower_bound) AS skewed
FROM (SELECT array_agg(exp((i % 5)::float8) ORDER BY i) AS y FROM generate_series(1, 40) i) s,
	arima_anomalies(arima_fit(y, '(0,0,0)', options => '{"lambda": 0}'), y) WHERE abs(ln(value) - 2) < 0.5;
SELECT count(*) FILTER (WHERE is_anomaly) AS anomalies, count(anomaly_probability) AS known
FROM diag_xreg, arima_anomalies(model, ARRAY[1, 2, 9], xreg => ARRAY[[1], [2], [3]]);
-- without noise: rounding is no anomaly, everything else is
SELECT array_agg(is_anomaly ORDER BY step) AS flagged, array_agg(DISTINCT anomaly_probability) AS probabilities
FROM arima_anomalies(arima_fit(array_fill(0.1::float8, '{30}'), '(0,1,0)'), '{0.1,0.1,0.3,0.3}');
-- NULL: no rows
SELECT (SELECT count(*) FROM arima_anomalies(NULL, y)) AS model, (SELECT count(*) FROM arima_anomalies(model, NULL)) AS y,
	(SELECT count(*) FROM arima_anomalies(model, y, NULL)) AS level FROM diag_lh;

\pset format unaligned
SELECT call, pg_temp.attempt(format('SELECT a.step FROM diag_lh, arima_anomalies(%s) a', call))
FROM unnest(ARRAY['model, y, 0', 'model, y, 1', 'model, y, 95', 'model, y, ''NaN''', 'model, ''{}''', 'model, ''{NULL,NaN}''', 'model, ''{1,Infinity}''',
	'model, ''{{1,2},{3,4}}''', 'model, y, 0.9, ''{1,2}''', 'model, ''{1,2}'', 0.9, ''{1,2}''']) call;
SELECT call, pg_temp.attempt(format('SELECT a.step FROM diag_xreg, arima_anomalies(%s) a', call))
FROM unnest(ARRAY['model, ''{1,2}''', 'model, ''{1,2}'', xreg => ''{1}''']) call;
\pset format aligned

SELECT oid::regprocedure, provolatile, proisstrict, proparallel, procost, prorows, obj_description(oid, 'pg_proc') IS NOT NULL AS described
FROM pg_proc WHERE proname IN ('arima_simulate', 'arima_anomalies') ORDER BY oid::regprocedure::text COLLATE "C";

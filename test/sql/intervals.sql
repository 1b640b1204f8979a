--
-- Intervals of forecasts: several levels in one call, options interval and bias_adjust
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt.sql

-- a monthly series with trend and season
CREATE TABLE interval_series AS
SELECT array_agg(exp(4 + level + season) ORDER BY i) AS y
FROM (SELECT i, sum(0.01 + 0.03 * hashint4(i) / 2147483648.0) OVER (ORDER BY i) AS level,
		0.2 * sin(i * pi() / 6) * (1 + 0.4 * hashint4(1000 + i / 12) / 2147483648.0) AS season
	FROM generate_series(1, 120) AS i) AS parts;
CREATE TABLE interval_models AS
SELECT kind, bias, arima_fit(y, '(0,1,1)(0,1,1)[12]', options => jsonb_build_object('lambda', 0, 'interval', kind, 'bias_adjust', bias)) AS model
FROM interval_series, unnest(ARRAY['normal', 'student', 'conformal']) AS kind, unnest(ARRAY[false, true]) AS bias;

-- ---- several levels ----

-- a row for each step and level, the levels as given
SELECT step, level, round(forecast::numeric, 2) AS forecast, round(lower::numeric, 2) AS lower, round(upper::numeric, 2) AS upper
FROM interval_models, arima_forecast(model, 2, ARRAY[0.95, 0.5, 0.8]) WHERE kind = 'normal' AND NOT bias;

-- what one level at a time gives, in both forms
SELECT kind, count(*), bool_and((a.forecast, a.std_error, a.lower, a.upper) = (b.forecast, b.std_error, b.lower, b.upper)) AS same
FROM interval_models, unnest(ARRAY[0.5, 0.8, 0.999]) AS one,
	arima_forecast(model, 30, levels => '{0.999,0.8,0.5}') AS a JOIN LATERAL arima_forecast(model, 30, one) AS b USING (step)
WHERE a.level = one GROUP BY kind ORDER BY kind;
SELECT kind, count(*), bool_and((a.forecast, a.std_error, a.lower, a.upper) = (b.forecast, b.std_error, b.lower, b.upper)) AS same
FROM interval_series, interval_models, unnest(ARRAY[0.5, 0.8, 0.999]) AS one,
	arima_forecast(model, y, 30, levels => '{0.999,0.8,0.5}') AS a JOIN LATERAL arima_forecast(model, y, 30, one) AS b USING (step)
WHERE a.level = one GROUP BY kind ORDER BY kind;

-- which form a call means: the columns tell; an argument of unknown type is a level, not levels
CREATE VIEW interval_model AS SELECT model, y FROM interval_models, interval_series WHERE kind = 'student' AND NOT bias;
SELECT call, pg_temp.attempt(format('SELECT (SELECT string_agg(key, '','') FROM json_object_keys(to_json(f)) AS key) FROM interval_model, arima_forecast(%s) AS f LIMIT 1', call)) AS columns
FROM (VALUES (1, 'model'), (2, 'model, 5'), (3, 'model, 5, 0.9'), (4, 'model, 5, ''0.9'''), (5, 'model, 5, ''0.9'', NULL'),
	(6, 'model, h => 5, level => ''0.9'''), (7, 'model, h => 5, level => 0.9, xreg => NULL'), (8, 'model, h => 5'), (9, 'model, level => 0.8'),
	(10, 'model, 5, ARRAY[0.8,0.9]'), (11, 'model, 5, ''{0.8,0.9}''::float8[]'), (12, 'model, 5, levels => ''{0.8,0.9}'''),
	(13, 'model, h => 5, levels => ARRAY[0.8,0.9]'), (14, 'model, 5, ARRAY[0.8,0.9], NULL'), (15, 'model => model, levels => ARRAY[0.8], h => 5'),
	(16, 'model, y'), (17, 'model, y, 5'), (18, 'model, y, 5, 0.9'), (19, 'model, y, 5, ''0.9'''), (20, 'model, recent => y, level => 0.9'),
	(21, 'model, y, 5, ARRAY[0.8,0.9]'), (22, 'model, y, 5, levels => ''{0.8,0.9}'''), (23, 'model, recent => y, h => 5, levels => ARRAY[0.8]'),
	(24, 'model, ''{1,2,3,4,5,6,7,8,9,10,11,12,13,14}'', 3'), (25, 'model, ''{1,2,3,4,5,6,7,8,9,10,11,12,13,14}'', 3, 0.9'),
	(26, 'model, ''{1,2,3,4,5,6,7,8,9,10,11,12,13,14}'', 3, ''0.9'''), (27, 'model, ARRAY[1,2,3,4,5,6,7,8,9,10,11,12,13,14], 5'),
	(28, 'model, ARRAY[1,2,3,4,5,6,7,8,9,10,11,12,13,14], 5, ARRAY[0.8,0.9]'), (29, 'model, 5, ''{0.8,0.9}'''), (30, 'model, levels => ARRAY[0.8]')) AS v(i, call)
ORDER BY i;
PREPARE by_parameters AS SELECT step, round(lower::numeric, 2) AS lower FROM interval_model, arima_forecast(model, 1, $1);
EXECUTE by_parameters(0.8);
DEALLOCATE by_parameters;

-- NULL gives no rows, as it does with one level
SELECT (SELECT count(*) FROM arima_forecast(NULL, 5, ARRAY[0.8])) AS model, (SELECT count(*) FROM arima_forecast(model, NULL, ARRAY[0.8])) AS h,
	(SELECT count(*) FROM arima_forecast(model, 5, NULL::float8[])) AS levels, (SELECT count(*) FROM arima_forecast(model, y, 5, NULL::float8[])) AS recent,
	(SELECT count(*) FROM arima_forecast(model, 5, NULL)) AS unknown
FROM interval_model;

-- what is refused
SELECT levels, pg_temp.attempt(format('SELECT lower FROM interval_model, arima_forecast(model, 5, %L::float8[])', levels)) AS answer
FROM unnest(ARRAY['{}', '{0.8,NULL}', '{0.8,NaN}', '{0,0.8}', '{1}', '{95}', '{{0.8},{0.9}}', (SELECT array_agg(0.04 * i)::text FROM generate_series(1, 21) AS i)]) AS levels;
SELECT h, pg_temp.attempt(format('SELECT count(*) FROM interval_model, arima_forecast(model, %s, ARRAY[0.8, 0.9])', h)) AS answer
FROM unnest(ARRAY[0, -1, 1000, 100001, 5000000000]) AS h;

-- ---- kinds ----

-- of given orders the default is normal, of a chosen model student; the aggregates and arima_fit_all likewise
SELECT (arima_stats(arima_fit(y, '(0,1,1)'))).intervals AS given, (arima_stats(arima_fit(y, 'auto'))).intervals AS chosen,
	(arima_stats(arima_fit(y, 'auto', options => '{"interval": "normal"}'))).intervals AS asked,
	(SELECT (arima_stats(arima_fit(v, 'auto' ORDER BY i))).intervals FROM unnest(y) WITH ORDINALITY AS u(v, i)) AS aggregate,
	(SELECT (arima_stats(model)).intervals FROM arima_fit_all('SELECT 1, y FROM interval_series', 'auto', workers => 0)) AS all_at_once
FROM interval_series;

-- half widths in standard errors of the transformed scale: normal 1.96; student 2.0202, which is
-- 1.9828 of 105 degrees of freedom times sqrt(109/105)
SELECT kind, step, round((ln(upper / forecast) / (std_error / forecast))::numeric, 4) AS above, round((ln(forecast / lower) / (std_error / forecast))::numeric, 4) AS below
FROM interval_models, arima_forecast(model, 30) WHERE NOT bias AND step IN (1, 12, 24, 30) ORDER BY kind DESC, step;
SELECT kind, s.spec, s.n_used, s.lambda, s.intervals, s.bias_adjust, m.model::jsonb->'df' AS df, jsonb_array_length(nullif(m.model::jsonb->'calibration', 'null')) AS calibration
FROM interval_models AS m, arima_stats(model) AS s ORDER BY kind, bias;
\pset format unaligned
\pset tuples_only
SELECT split_part(arima_summary(model), E'\n\n', 1) FROM interval_models WHERE bias ORDER BY kind;
\pset tuples_only off
\pset format aligned

-- the calibration covers its own series about as often as it says: no more, no less than few of 107 errors can
SELECT level, round(avg((y[step] BETWEEN lower_bound AND upper_bound)::int), 2) AS inside
FROM interval_series, interval_models, unnest(ARRAY[0.5, 0.8, 0.95]) AS level, arima_anomalies(model, y, level)
WHERE kind = 'conformal' AND NOT bias AND lower_bound IS NOT NULL GROUP BY level ORDER BY level;

-- every function that shows intervals shows the same
SELECT kind, bool_and(abs(b.lower - f.lower) < 1e-9 AND abs(b.upper - f.upper) < 1e-9 AND abs(b.forecast - f.forecast) < 1e-9) AS backtest
FROM interval_series, interval_models, arima_backtest(model, y, 119, level => 0.9) AS b, arima_forecast(model, y[1:119], 1, 0.9) AS f
GROUP BY kind ORDER BY kind;
-- (the degrees of freedom are those of the parameters, however short the series that they are put on)
SELECT kind, count(*), round(min((b.upper - b.forecast) / b.std_error)::numeric, 2) >= 1.28 AS wide
FROM interval_series, interval_models, arima_backtest(model, y, 50, horizon => 2, level => 0.8) AS b GROUP BY kind ORDER BY kind;
SELECT kind, bool_and(abs(a.lower_bound / f.lower - 1) < 1e-9 AND abs(a.upper_bound / f.upper - 1) < 1e-9) AS anomalies
FROM interval_series, interval_models, arima_anomalies(model, y, 0.9) AS a, arima_forecast(model, y[1:a.step - 1], 1, 0.9) AS f
WHERE a.step IN (118, 119, 120) GROUP BY kind ORDER BY kind;
SELECT kind, bool_and(is_anomaly = (value NOT BETWEEN lower_bound AND upper_bound)) AS consistent, count(*) FILTER (WHERE is_anomaly) AS anomalies
FROM interval_series, interval_models, arima_anomalies(model, y, 0.8) WHERE NOT bias AND lower_bound IS NOT NULL GROUP BY kind ORDER BY kind;
SELECT kind, (regexp_match(arima_explain(model), '95 % interval is (from [0-9.]+ to [0-9.]+) one step ahead'))[1] AS explained, round(f.lower::numeric, 2) AS lower, round(f.upper::numeric, 2) AS upper
FROM interval_models, arima_forecast(model) AS f WHERE NOT bias ORDER BY kind;

-- kept by arima_append and arima_refit; new values leave the degrees of freedom, another estimate does not
SELECT kind, bias, (a.s).intervals = kind AND (a.s).bias_adjust = bias AS appended, (r.s).intervals = kind AND (r.s).bias_adjust = bias AS refitted,
	appended::jsonb->'df' AS df, refitted::jsonb->'df' AS refitted_df, appended::jsonb->'calibration' = model::jsonb->'calibration' AS calibration
FROM interval_series, interval_models, arima_append(model, y[1:24]) AS appended, arima_refit(model, y[1:100]) AS refitted,
	LATERAL (SELECT arima_stats(appended)) AS a(s), LATERAL (SELECT arima_stats(refitted)) AS r(s)
ORDER BY kind, bias;

-- a walk-forward of a specification: Student's bounds once the order is chosen, as asked else
SELECT options, count(*), round(avg((upper - forecast) / std_error)::numeric, 2) AS width
FROM interval_series, unnest(ARRAY['{}', '{"interval": "student"}', '{"interval": "conformal"}']::jsonb[]) AS options,
	arima_backtest(y, '(0,1,1)(0,1,1)[12]', 100, horizon => 2, step => 3, options => options) GROUP BY options ORDER BY options;
SELECT round(min((upper - forecast) / std_error)::numeric, 2) > 1.96 AS student FROM interval_series, arima_backtest(y, 'auto', 110, refit_every => 0);

-- gaps and regressors do not stand in the way of a calibration; too short a series has none
SELECT (arima_stats(model)).n_missing, jsonb_array_length(model::jsonb->'calibration') AS calibration, round(f.upper::numeric, 1) > round(f.forecast::numeric, 1) AS upper
FROM interval_series, LATERAL (SELECT array_agg(CASE WHEN i % 13 = 5 THEN NULL ELSE v END ORDER BY i) AS z, array_agg(i % 5 ORDER BY i)::float8[] AS x FROM unnest(y) WITH ORDINALITY AS u(v, i)) AS gaps,
	arima_fit(z, '(1,1,1)', xreg => x, options => '{"interval": "conformal"}') AS model, arima_forecast(model, 1, xreg => ARRAY[1]) AS f;
SELECT model::jsonb->'calibration' AS calibration, (regexp_match(arima_summary(model), 'conformal[^\n]*'))[1] AS summary
FROM arima_fit(ARRAY[1,3,2,4,3,5,4], '(0,1,0)', options => '{"interval": "conformal"}') AS model;
SELECT kind, round(lower::numeric, 3) AS lower, round(upper::numeric, 3) AS upper
FROM unnest(ARRAY['normal', 'student', 'conformal']) AS kind, arima_fit(array_fill(7.0::float8, ARRAY[40]), '(0,1,1)', options => jsonb_build_object('interval', kind)) AS model, arima_forecast(model);
-- what is missing at the end are steps, too: after five such the first step has the interval of the sixth, of recent values as well and after text and binary form
CREATE TEMP TABLE gap_models AS
SELECT spec, kind, arima_fit(z, spec, options => jsonb_build_object('interval', kind)) AS model, z
FROM (SELECT array_agg(ln(v) ORDER BY i) AS z FROM interval_series, unnest(y) WITH ORDINALITY AS u(v, i)) s,
	unnest(ARRAY['(1,0,0)', '(1,0,0) with drift', '(0,1,1) with drift', '(1,1,0)', '(0,2,2)', '(0,1,1)(0,1,1)[12]', '(2,0,0)(1,0,0)[12]']) AS spec, unnest(ARRAY['normal', 'student', 'conformal']) AS kind;
CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql AS 'SELECT abs(a - b) <= 1e-9 * abs(b)';
SELECT kind, count(*), bool_and(pg_temp.near(g.forecast, f.forecast) AND pg_temp.near(g.std_error, f.std_error)) AS forecast,
	bool_and(pg_temp.near(g.upper - g.lower, f.upper - f.lower)) AS width, bool_and(r.upper IS NULL OR pg_temp.near(r.upper - r.lower, s.upper - s.lower)) AS recent
FROM gap_models CROSS JOIN LATERAL arima_append(model, array_fill(NULL::float8, '{3}')) AS first CROSS JOIN LATERAL arima_append(first::text::arima_model, '{NULL,NULL}') AS gap
	CROSS JOIN LATERAL arima_forecast(gap, 20) AS g JOIN LATERAL arima_forecast(model, 25) AS f ON f.step = g.step + 5
	-- of a trend in levels recent values have no time
	CROSS JOIN LATERAL (SELECT CASE WHEN spec !~ '^\(.,0,.\) with drift' THEN z END AS timeless) AS t
	LEFT JOIN LATERAL arima_forecast(model, timeless, 25) AS s ON s.step = f.step
	LEFT JOIN LATERAL arima_forecast(model, CASE WHEN timeless IS NOT NULL THEN z || array_fill(NULL::float8, '{5}') END, 20) AS r ON r.step = g.step
GROUP BY kind ORDER BY kind;
-- a value after them ends that; a fit, and a model taken over to other values, know it
SELECT g.model::jsonb->'n_gap' AS gap, arima_append(g.model, '{NULL,7}')::jsonb->'n_gap' AS ended, f.m::jsonb->'n_gap' AS fitted, abs((h.upper - h.lower) / (i.upper - i.lower) - 1) < 1e-4 AS same
FROM (SELECT model, z, arima_fit(z || '{NULL,NULL,NULL}', spec, options => '{"interval": "conformal"}') AS m FROM gap_models WHERE (spec, kind) = ('(1,1,0)', 'conformal')) AS f,
	LATERAL (SELECT arima_append(model, '{1,NULL,NULL}')) AS g (model), arima_forecast(f.m, 1) AS h, arima_forecast(f.model, 4) AS i WHERE i.step = 4;
-- an estimate of which no filter has errors is not calibrated
SELECT kind, s.intervals, model::jsonb->'calibration' AS calibration
FROM unnest(ARRAY['normal', 'conformal']) AS kind,
	arima_fit(ARRAY[0, 0.1, 0.8, 2.7, 6.4, 12.5], '(2,1,0)', options => jsonb_build_object('method', 'css', 'interval', kind)) AS model, arima_stats(model) AS s;

-- ---- bias adjustment ----

-- the mean of a lognormal to the second order: median * (1 + s^2/2), s = std_error / median
SELECT m.kind, bool_and(abs(a.forecast / (m.forecast * (1 + (m.std_error / m.forecast) ^ 2 / 2)) - 1) < 1e-12) AS mean,
	bool_and((a.std_error, a.lower, a.upper) = (m.std_error, m.lower, m.upper)) AS bounds
FROM (SELECT kind, f.* FROM interval_models, arima_forecast(model, 36) AS f WHERE NOT bias) AS m
	JOIN (SELECT kind, f.* FROM interval_models, arima_forecast(model, 36) AS f WHERE bias) AS a USING (kind, step)
GROUP BY m.kind ORDER BY m.kind;
-- near the mean of the paths that arima_simulate draws, where the median is not
SELECT step, abs(simulated / f.forecast - 1) < 0.003 AS mean, round((f.forecast / median - 1)::numeric, 3) AS adjustment
FROM interval_series, arima_fit(y, '(0,1,0)', options => '{"lambda": 0, "bias_adjust": true}') AS model, arima_forecast(model, 8) AS f,
	LATERAL (SELECT avg(value) AS simulated, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median FROM arima_simulate(model, 8, 20000) AS s WHERE s.step = f.step) AS paths
WHERE step IN (1, 8) ORDER BY step;
-- in arima_predict, arima_backtest and from recent values too
SELECT bool_and(abs(arima_predict(model, y) / f.forecast - 1) < 1e-9 AND abs(r.forecast / f.forecast - 1) < 1e-9) AS predict, bool_and(abs(b.forecast / arima_predict(model, y[1:119]) - 1) < 1e-9) AS backtest
FROM interval_series, interval_models, arima_forecast(model) AS f, arima_forecast(model, y) AS r, arima_backtest(model, y, 119) AS b WHERE bias;

-- what is refused
SELECT options, pg_temp.attempt(format('SELECT arima_stats(arima_fit(y, ''(0,1,1)'', options => %L)) FROM interval_series', options)) AS answer
FROM unnest(ARRAY['{"bias_adjust": true}', '{"bias_adjust": 1, "lambda": 0}', '{"interval": "Normal"}', '{"interval": true}', '{"interval": null}', '{"intervals": "normal"}']) AS options;
SELECT pg_temp.attempt('SELECT arima_fit(y, ''auto'', options => ''{"bias_adjust": true}'') FROM interval_series') AS answer;
SELECT (arima_stats(arima_fit(y, '(0,1,1)', options => '{"bias_adjust": false}'))).bias_adjust FROM interval_series;

DROP VIEW interval_model;
DROP TABLE interval_series, interval_models;

-- values that a model is rolled over teach it nothing: its intervals are as wide as after the estimate. Of a trend they are wider, being farther from it
SELECT spec, count(*), min(round((w.after / w.before)::numeric, 4)) AS least, max(round((w.after / w.before)::numeric, 4)) AS most
FROM unnest(ARRAY['(1,0,0)', '(1,0,0) without constant', '(0,1,1) with drift', '(0,0,0) with drift']) AS spec,
	LATERAL (SELECT array_agg(x ORDER BY i) AS y FROM (SELECT i, sum(hashint4(i) / 2147483648.0) OVER (ORDER BY i ROWS 8 PRECEDING)::float8 AS x FROM generate_series(1, 400) AS i) AS sums) AS s,
	LATERAL (SELECT arima_fit(y[:40], spec, options => '{"interval": "student"}') AS model) AS m,
	LATERAL (SELECT f.upper - f.lower AS before, g.upper - g.lower AS after
		FROM arima_forecast(model, 12) AS f JOIN LATERAL arima_forecast(arima_append(model, y[41:]), 12) AS g USING (step)) AS w
GROUP BY spec ORDER BY spec;

-- the first value after a gap is judged by the interval that a forecast over the gap has
SELECT spec, kind, abs((a.upper_bound - a.lower_bound) / (f.upper - f.lower) - 1) < 1e-9 AS as_forecast
FROM unnest(ARRAY['(0,1,0) with drift', '(1,1,0)', '(1,0,0)', '(1,0,0) with drift', '(0,1,1)(0,1,1)[4]']) AS spec, unnest(ARRAY['normal', 'student', 'conformal']) AS kind,
	LATERAL (SELECT array_agg(0.2 * i + 10 * sin(i * i) ORDER BY i) AS y FROM generate_series(1, 100) AS i) AS s,
	LATERAL (SELECT arima_fit(y, spec, options => jsonb_build_object('interval', kind)) AS model) AS m,
	LATERAL (SELECT y || array_fill(NULL::float8, '{20}') || 30::float8 AS gappy) AS g,
	LATERAL arima_forecast(arima_append(model, array_fill(NULL::float8, '{20}')), 1) AS f,
	LATERAL (SELECT * FROM arima_anomalies(model, gappy) WITH ORDINALITY AS r WHERE r.ordinality = 121) AS a
ORDER BY spec, kind;
-- a trend, from recent values at a time: as rolled to there
SELECT f.step, abs((f.upper - f.lower) / (g.upper - g.lower) - 1) < 1e-9 AS as_rolled
FROM (SELECT array_agg(0.05 * i + sin(1.7 * i) + hashint4(i) / 2147483648.0 ORDER BY i) AS y FROM generate_series(1, 600) AS i) AS s,
	LATERAL (SELECT arima_fit(y[:100], '(1,0,0) with drift', options => '{"interval": "student"}') AS model) AS m,
	LATERAL arima_ops.forecast_at(model, y[101:], 2, 0.95, 600) AS f JOIN LATERAL arima_forecast(arima_append(model, y[101:]), 2) AS g USING (step);
-- a trend is as far from the values of its estimate after a gap and a value as over the gap, in text too, and what comes then is judged by that
SELECT f.step, abs((g.upper - g.lower) / (f.upper - f.lower) - 1) < 1e-9 AS as_over_gap, a.lower_bound IS NULL OR abs((a.upper_bound - a.lower_bound) / (g.upper - g.lower) - 1) < 1e-9 AS judged
FROM (SELECT array_agg(0.05 * i + sin(1.7 * i) + hashint4(i) / 2147483648.0 ORDER BY i) AS y FROM generate_series(1, 60) AS i) AS s,
	LATERAL (SELECT arima_fit(y, '(0,0,0) with drift', options => '{"interval": "student"}') AS model) AS m,
	LATERAL (SELECT array_fill(NULL::float8, '{60}') || 6::float8 AS gap) AS n,
	LATERAL (SELECT arima_append(model, gap)::text::arima_model AS rolled) AS r,
	LATERAL arima_forecast(model, 64) AS f JOIN LATERAL arima_forecast(rolled, 3) AS g ON f.step = g.step + 61
	LEFT JOIN LATERAL (SELECT * FROM arima_anomalies(model, y || gap || 7::float8) WITH ORDINALITY) AS a ON a.ordinality = 60 + f.step
ORDER BY f.step;

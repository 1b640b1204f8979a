--
-- Fourier terms of a season as regressors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
SET extra_float_digits = 0;

\i test/sql/include/attempt.sql

-- R: fourier(ts(1:5, frequency = 12), K = 6), columns S1-12, C1-12 .. S5-12, C5-12, C6-12
SELECT t, array_agg(round(v::numeric, 6) ORDER BY c) AS terms
FROM arima_fourier(5, 12, 6) AS f, generate_series(1, 5) AS t, generate_series(1, 11) AS c, LATERAL (SELECT f[t][c]) AS x (v)
GROUP BY t ORDER BY t;
-- R: fourier(ts(1:3, frequency = 365.25), K = 2)
SELECT arima_fourier(3, 365.25, 2);
-- times of its own, of any number type, and a range of times, are the same
SELECT arima_fourier(array[10, 11, 12], 7, 3) = arima_fourier(3, 7, 3, 10) AS int4,
	arima_fourier(array[10, 11, 12]::int8[], 7, 3) = arima_fourier(3, 7, 3, start => 10) AS int8,
	arima_fourier(array[10, 11, 12.0], 7, 3) = arima_fourier(n => 3, m => 7, k => 3, start => 10) AS numeric,
	arima_fourier(array[10, 11, 12]::float8[], 7, 3) = arima_fourier(3, 7.0, 3, 10) AS float8;
-- a season later they are again the same, whole or not
SELECT arima_fourier(50, 12, 6) = arima_fourier(50, 12, 6, 12001) AS whole,
	(SELECT max(abs(a - b)) < 1e-12 FROM unnest(arima_fourier(50, 365.25, 3), arima_fourier(50, 365.25, 3, 4 * 365 + 2)) u (a, b)) AS quarter;
SELECT arima_fourier('{}'::float8[], 12, 1) AS empty, arima_fourier(0, 12, 1) AS none, arima_fourier(NULL::int, 12, 1) IS NULL AS nothing,
	array_dims(arima_fourier(9, 2, 1)) AS two, array_dims(arima_fourier(9, 12, 6)) AS even, array_dims(arima_fourier(9, 7, 3)) AS odd;

-- a season with two harmonics in a fit, and forecasts of it
CREATE TEMP TABLE made AS
SELECT array_agg(20 + 5 * sin(2 * pi() * t / 52.18) + 3 * cos(4 * pi() * t / 52.18) + hashint4(t) / 4e9 ORDER BY t) AS y
FROM generate_series(1, 160) AS t;
SELECT term, round(estimate::numeric, 1) AS estimate
FROM made, arima_fit(y, '(0,0,0)', arima_fourier(160, 52.18, 2)) AS model, arima_coefficients(model);
SELECT count(*), round(max(abs(forecast - (20 + 5 * sin(2 * pi() * t / 52.18) + 3 * cos(4 * pi() * t / 52.18))))::numeric, 1) AS error
FROM made, arima_forecast(arima_fit(y, '(1,0,0)', arima_fourier(160, 52.18, 2)), 52, xreg => arima_fourier(52, 52.18, 2, 161)),
	LATERAL (SELECT 160 + step) AS s (t);

-- errors
SELECT pg_temp.attempt(statement)
FROM (VALUES (1, 'SELECT arima_fourier(5, 12, 7)'), (2, 'SELECT arima_fourier(5, 12, 0)'), (3, 'SELECT arima_fourier(5, 365, 33)'),
	(4, 'SELECT arima_fourier(5, 1.5, 1)'), (5, 'SELECT arima_fourier(5, ''Infinity'', 1)'), (6, 'SELECT arima_fourier(5, ''NaN'', 1)'),
	(7, 'SELECT arima_fourier(-1, 12, 1)'), (8, 'SELECT arima_fourier(array[1, NULL, 3], 12, 1)'),
	(9, 'SELECT arima_fourier(array[1, 1e13], 12, 1)'), (10, 'SELECT arima_fourier(array[[1, 2], [3, 4]], 12, 1)'),
	(11, 'SELECT arima_fourier(10000000, 365, 32)'), (12, 'SELECT arima_fourier(5, 7, 4)')) v (i, statement)
ORDER BY i;

-- ---- Fourier terms that are part of the model ----

-- the same fit as with the terms as regressors
SELECT round((a.loglik - b.loglik)::numeric, 6) AS difference, a.spec, a.aicc = b.aicc AS same_aicc
FROM made, arima_stats(arima_fit(y, '(1,0,0)[52] with fourier(2)')) AS a,
	arima_stats(arima_fit(y, '(1,0,0)', arima_fourier(160, 52, 2))) AS b;
SELECT term, round(estimate::numeric, 2) AS estimate FROM made, arima_coefficients(arima_fit(y, '(0,0,0)[52] with drift and fourier(2)'));
SELECT string_agg(term, ' ') FROM arima_coefficients(arima_fit((SELECT array_agg(sin(i) + i % 7 ORDER BY i) FROM generate_series(1, 60) i),
	'(0,1,1)[4] with fourier(2)', (SELECT array_agg(hashint4(i)::float8 ORDER BY i) FROM generate_series(1, 60) i)));
-- the model knows its season: no regressors for the forecast, also after values that followed, and as text and back
CREATE TEMP TABLE kept AS SELECT arima_fit(y[:120], '(1,0,0)[52] with fourier(2)') AS model, y FROM made;
SELECT max(abs(f.forecast - g.forecast)) < 1e-9 AS as_with_xreg, max(abs(f.std_error - g.std_error)) < 1e-9 AS errors
FROM kept, arima_forecast(model, 60) AS f
	JOIN LATERAL arima_forecast(arima_fit(y[:120], '(1,0,0)', arima_fourier(120, 52, 2)), 60, xreg => arima_fourier(60, 52, 2, 121)) AS g USING (step);
SELECT max(abs(f.forecast - g.forecast)) < 1e-9 AS as_with_xreg
FROM kept, arima_forecast(arima_append(model, y[121:150]), 60) AS f
	JOIN LATERAL arima_forecast(arima_append(arima_fit(y[:120], '(1,0,0)', arima_fourier(120, 52, 2)), y[121:150], arima_fourier(30, 52, 2, 121)),
		60, xreg => arima_fourier(60, 52, 2, 151)) AS g USING (step);
SELECT model::text::arima_model::text = model::text AS json, (arima_stats(arima_refit(model, y))).spec AS refitted,
	array_length(arima_residuals(model, y), 1) AS residuals FROM kept;
SELECT pg_temp.attempt(format('SELECT arima_predict(%L::arima_model, ''{1,2,3}'')', model)) FROM kept;
-- a backtest, and a simulation whose mean is the forecast
SELECT count(*), round(sqrt(avg((forecast - actual) ^ 2))::numeric, 2) AS rmse FROM made, arima_backtest(y, '(1,0,0)[52] with fourier(2)', 120, 4);
SELECT max(abs(mean - forecast)) < 0.1 AS near
FROM kept, LATERAL (SELECT step, avg(value) AS mean FROM arima_simulate(model, 20, 1000) GROUP BY step) AS s JOIN LATERAL arima_forecast(model, 20) USING (step);
\pset format unaligned
\pset tuples_only
SELECT arima_explain(model) FROM kept;
\pset format aligned
\pset tuples_only off
SELECT pg_temp.attempt('SELECT arima_fit(y, ' || quote_literal(spec) || ') FROM made')
FROM (VALUES (1, '(1,0,0) with fourier(2)'), (2, '(1,0,0)[12] with fourier(7)'), (3, '(1,0,0)(0,1,0)[12] with fourier(2)'),
	(4, '(1,0,0)[366] with fourier(33)'), (5, '(1,0,0)[12] with fourier'), (6, '(1,0,0)[12] with fourier(2) with fourier(2)')) v (i, spec) ORDER BY i;
SELECT pg_temp.attempt('SELECT arima_fit(y, ''(1,0,0)[66] with fourier(32)'', (SELECT array_agg(i) FROM generate_series(1, 160) i)::float8[]) FROM made');

-- ---- what the automatic choice makes of long seasons ----

-- smooth: two waves; sharp: a pattern of 52 values; short: less than two seasons
CREATE TEMP TABLE long AS
SELECT array_agg(40 + 6 * sin(2 * pi() * t / 52) + 3 * cos(4 * pi() * t / 52) + e ORDER BY t) AS smooth,
	array_agg(40 + hashint4(t % 52) / 4e8 + e ORDER BY t) AS sharp,
	array_agg(40 + 6 * sin(2 * pi() * t / 52) + e ORDER BY t) FILTER (WHERE t <= 100) AS short
FROM generate_series(1, 260) AS t, LATERAL (SELECT (hashint4(7 * t) + hashint4(7 * t + 1)::float8 + hashint4(7 * t + 2)) / 2e9) AS n (e);
SELECT name, s.spec ~ 'fourier' AS fourier, s.spec ~ '\)\(.,1,' AS seasonal_difference, s.status
FROM long, LATERAL (VALUES ('smooth', smooth), ('sharp', sharp), ('short', short)) v (name, y), arima_stats(arima_fit(y, 'auto[52]')) s
ORDER BY name;
-- the criterion finds the two waves
SELECT substring((arima_stats(arima_fit(smooth, 'auto[52]'))).spec FROM 'fourier.*') AS waves FROM long;
-- a season of 24 and less has no Fourier terms, nor with 0; a number of pairs is kept
SELECT option, (arima_stats(arima_fit(smooth, spec, options => option::jsonb))).spec ~ wanted AS kept
FROM long, (VALUES (1, 'auto[52]', '{"fourier": 0}', '^((?!fourier).)*$'), (2, 'auto[52]', '{"fourier": 4}', 'fourier\(4\)'),
	(3, 'auto[52]', '{"fourier": "auto"}', 'fourier\(2\)'), (4, 'auto[24]', '{}', '^((?!fourier).)*$'),
	(5, 'auto[4]', '{"fourier": 2}', 'fourier\(2\)')) v (i, spec, option, wanted) ORDER BY i;
-- both searches are shown, one model is the choice
SELECT count(*) FILTER (WHERE spec ~ 'fourier') > 5 AS fourier, count(*) FILTER (WHERE spec !~ 'fourier') > 5 AS seasonal,
	count(*) FILTER (WHERE chosen) AS chosen, string_agg(spec, ' ') FILTER (WHERE chosen) ~ 'fourier' AS chosen_fourier,
	max(spec) FILTER (WHERE chosen) = (arima_stats(arima_fit(max(smooth), 'auto[52]'))).spec AS the_same
FROM long, arima_candidates(smooth, 'auto[52]');
-- chosen anew along the way, and forecasts over two seasons
SELECT count(*) AS forecasts, round(sqrt(avg((forecast - actual) ^ 2))::numeric, 1) AS rmse
FROM long, arima_backtest(smooth, 'auto[52]', 200, 1, 5, refit_every => 6, reselect => true);
SELECT round(max(abs(forecast - (40 + 6 * sin(2 * pi() * t / 52) + 3 * cos(4 * pi() * t / 52))))::numeric, 1) AS error
FROM long, arima_forecast(arima_fit(smooth, 'auto[52]'), 104), LATERAL (SELECT 260 + step) AS s (t);
SELECT pg_temp.attempt(format('SELECT arima_fit(smooth, %L, options => %L) FROM long', spec, option))
FROM (VALUES (1, 'auto', '{"fourier": 2}'), (2, 'auto[12]', '{"fourier": 7}'), (3, 'auto[12]', '{"fourier": 33}'), (4, 'auto[12]', '{"fourier": "2"}'),
	(5, 'auto[12]', '{"fourier": true}'), (6, 'auto[12]', '{"fourier": 1.5}'), (7, '(1,0,0)[12]', '{"fourier": 2}')) v (i, spec, option) ORDER BY i;

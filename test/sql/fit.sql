--
-- arima_fit, arima_refit, arima_append and arima_residuals of arrays
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt.sql

-- R's datasets lh (luteinizing hormone), Nile (flow at Aswan), presidents (approval; 6 values
-- are missing) and LakeHuron (level)
CREATE TEMP TABLE series (name text COLLATE "C", y float8[]);
INSERT INTO series VALUES
('lh', '{2.4,2.4,2.4,2.2,2.1,1.5,2.3,2.3,2.5,2,1.9,1.7,2.2,1.8,3.2,3.2,2.7,2.2,2.2,1.9,1.9,1.8,2.7,3,2.3,2,2,
2.9,2.9,2.7,2.7,2.3,2.6,2.4,1.8,1.7,1.5,1.4,2.1,3.3,3.5,3.5,3.1,2.6,2.1,3.4,3,2.9}'),
('Nile', '{1120,1160,963,1210,1160,1160,813,1230,1370,1140,995,935,1110,994,1020,960,1180,799,958,1140,1100,
1210,1150,1250,1260,1220,1030,1100,774,840,874,694,940,833,701,916,692,1020,1050,969,831,726,456,
824,702,1120,1100,832,764,821,768,845,864,862,698,845,744,796,1040,759,781,865,845,944,984,897,822,
1010,771,676,649,846,812,742,801,1040,860,874,848,890,744,749,838,1050,918,986,797,923,975,815,1020,
906,901,1170,912,746,919,718,714,740}'),
('presidents', '{NULL,87,82,75,63,50,43,32,35,60,54,55,36,39,NULL,NULL,69,57,57,51,45,37,46,39,36,24,32,23,25,32,
NULL,32,59,74,75,60,71,61,71,57,71,68,79,73,76,71,67,75,79,62,63,57,60,49,48,52,57,62,61,66,71,62,
61,57,72,83,71,78,79,71,62,74,76,64,62,57,80,73,69,69,71,64,69,62,63,46,56,44,44,52,38,46,36,49,35,
44,59,65,65,56,66,53,61,52,51,48,54,49,49,61,NULL,NULL,68,44,40,27,28,25,24,24}'),
('LakeHuron', '{580.38,581.86,580.97,580.8,579.79,580.39,580.42,580.82,581.4,581.32,581.44,581.68,581.17,580.53,
580.01,579.91,579.14,579.16,579.55,579.67,578.44,578.24,579.1,579.09,579.35,578.82,579.32,579.01,
579,579.8,579.83,579.72,579.89,580.01,579.37,578.69,578.19,578.67,579.55,578.92,578.09,579.37,
580.13,580.14,579.51,579.24,578.66,578.86,578.05,577.79,576.75,576.75,577.82,578.64,580.58,579.48,
577.38,576.9,576.94,576.24,576.84,576.85,576.9,577.79,578.18,577.51,577.23,578.42,579.61,579.05,
579.26,579.22,579.38,579.1,577.95,578.12,579.75,580.85,580.41,579.96,579.61,578.76,578.18,577.21,
577.13,579.1,578.25,577.91,576.89,575.96,576.8,577.68,578.38,578.52,579.74,579.31,579.89,579.96}');
SELECT name, cardinality(y), array_position(y, NULL) AS first_missing FROM series;

-- known fits: exact maximum likelihood, as published with R's documentation of arima
CREATE TEMP TABLE models AS
SELECT name, spec, arima_fit(y, spec) AS model
FROM series JOIN (VALUES
	('lh', '(1,0,0)' COLLATE "C"),
	('lh', '(3,0,0)'),
	('Nile', '(0,1,1)'),
	('Nile', '(1,1,1)'),
	('presidents', '(3,0,0)')) wanted (name, spec) USING (name);
SELECT name, m.spec, c.term, round(c.estimate::numeric, 3) AS estimate, round(c.std_error::numeric, 3) AS std_error
FROM models m, arima_coefficients(model) WITH ORDINALITY AS c (term, estimate, std_error, z, p_value, i)
ORDER BY name, m.spec, i;
SELECT name, s.spec, s.n, s.n_missing, round(s.loglik::numeric, 2) AS loglik, s.sigma2::numeric(12,4), round(s.aic::numeric, 2) AS aic
FROM models m, arima_stats(model) s
ORDER BY name, m.spec;

-- regressors: a time trend in one column, as a matrix and as a plain array
WITH lake AS (
	SELECT y, array_agg(i - 46.0 ORDER BY i) AS flat, array_agg(ARRAY[i - 46.0] ORDER BY i) AS matrix
	FROM series, generate_series(1, cardinality(y)) i WHERE name = 'LakeHuron' GROUP BY y
)
SELECT c.term, round(c.estimate::numeric, 3) AS estimate, round(c.std_error::numeric, 3) AS std_error,
	arima_fit(y, '(2,0,0)', flat)::text = arima_fit(y, '(2,0,0)', matrix)::text AS same
FROM lake, arima_coefficients(arima_fit(y, '(2,0,0)', matrix)) c;

-- NaN is missing as NULL is; missing values at the ends do not disturb
SELECT arima_fit(y, '(0,1,1)')::text = arima_fit(array_replace(y, NULL, 'NaN'), '(0,1,1)')::text AS same
FROM series WHERE name = 'presidents';
SELECT s.n, s.n_missing, round(s.loglik::numeric, 3) AS loglik
FROM series, LATERAL (VALUES (y), (ARRAY[NULL, NULL]::float8[] || y || ARRAY['NaN'::float8])) v (y), arima_stats(arima_fit(v.y, '(1,0,0)')) s
WHERE name = 'lh';

-- arrays of other bounds and element types
SELECT arima_fit('[5:12]={3,1,4,1,5,9,2,6}'::float8[], '(1,0,0)')::text = arima_fit(ARRAY[3,1,4,1,5,9,2,6], '(1,0,0)')::text AS bounds,
	arima_fit(ARRAY[3,1,4,1,5,9,2,6]::numeric[], '(1,0,0)')::text = arima_fit(ARRAY[3,1,4,1,5,9,2,6]::real[], '(1,0,0)')::text AS types;

-- nothing in, nothing out
SELECT arima_fit(NULL::float8[], '(1,0,0)') IS NULL AS fit,
	arima_refit(NULL, ARRAY[1.0]) IS NULL AND arima_refit(model, NULL) IS NULL AS refit,
	arima_append(NULL, ARRAY[1.0]) IS NULL AND arima_append(model, NULL) IS NULL AS append,
	arima_residuals(NULL, ARRAY[1.0]) IS NULL AND arima_residuals(model, NULL) IS NULL AS residuals
FROM models WHERE name = 'lh' AND spec = '(1,0,0)';

-- methods: CSS differs from ML by its treatment of the start; CSS-ML ends at the ML optimum
SELECT method, round((arima_stats(arima_fit(y, '(1,0,0)', options => jsonb_build_object('method', method)))).sigma2::numeric, 4) AS sigma2
FROM series, unnest(ARRAY['ml', 'css', 'css-ml']) method WHERE name = 'lh';
-- Box-Cox with lambda 0 is the model of the logarithms
SELECT round(c.estimate::numeric, 4) AS estimate, round(l.estimate::numeric, 4) AS of_logarithms
FROM (SELECT array_agg(v ORDER BY i) AS y, array_agg(ln(v) ORDER BY i) AS l
	FROM series, unnest(y) WITH ORDINALITY u (v, i) WHERE name = 'Nile') nile,
	arima_coefficients(arima_fit(y, '(0,1,1)', options => '{"lambda": 0}')) c,
	arima_coefficients(arima_fit(l, '(0,1,1)')) l;

-- errors of the specification and the options, each with its state and a hint
\pset format unaligned
SELECT spec, pg_temp.attempt(format('SELECT arima_fit(ARRAY[3,1,4,1,5,9,2,6], %L)', spec))
FROM unnest(ARRAY['', '(1,0', '(1,0,0)x', '(-1,0,0)', '(101,0,0)', '(0,5,0)', '(0,0,0)(1,0,0)[400]', '(1,1,0) with mean',
	'(99999999999999999999,0,0)', NULL]) spec;
SELECT options, pg_temp.attempt(format('SELECT arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''(1,0,0)'', options => %L) IS NOT NULL', options))
FROM unnest(ARRAY['{}', '{"method": "ml", "lambda": 0.5}', '{"method": "ols"}', '{"method": "CSS"}', '{"method": "css-"}',
	'{"method": 1}', '{"Method": "ml"}', '{"method": {"a": "ml"}}', '{"lambda": "auto"}', '{"lambda": "x"}', '{"lambda": 7}',
	'{"lambda": null}', '{"lambda": 1e400}', '[]', '[{"method": "ml"}]', '"ml"', NULL]) options;
-- the bounds of the search are for auto, which takes them
SELECT option, pg_temp.attempt(format('SELECT arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''(1,0,0)'', options => %L)', format('{%s}', option))) AS with_orders,
	pg_temp.attempt(format('SELECT arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''auto'', options => %L) IS NOT NULL', format('{%s}', option))) AS with_auto
FROM unnest(ARRAY['"max_p": 3', '"max_q": 3', '"max_P": 1', '"max_Q": 1', '"max_d": 2', '"max_D": 1', '"max_order": 5', '"max_models": 94',
	'"stepwise": true', '"approximation": false', '"ic": "aicc"', '"time_budget_ms": 50', '"method": "css", "max_p": 3', '"stepwise": 1', '"max_p": "3"', '"max_r": 3']) option;

-- errors of the data
SELECT what, pg_temp.attempt('SELECT arima_fit(' || what || ') IS NOT NULL')
FROM unnest(ARRAY[
	$$ARRAY[[3,1],[4,1]]::float8[], '(0,0,0)'$$,
	$$ARRAY[]::float8[], '(0,0,0)'$$,
	$$ARRAY[1,2], '(2,0,2)'$$,
	$$'{3,1,Infinity,1,5}'::float8[], '(0,0,0)'$$,
	$$'{3,1,4,1,5}'::float8[], '(0,0,0)', ARRAY[1,2]$$,
	$$'{3,1,4,1,5}'::float8[], '(0,0,0)', ARRAY[[1,2,3,4,5]]$$,
	$$'{3,1,4,1,5}'::float8[], '(0,0,0)', ARRAY[[[1]]]$$,
	$$'{3,1,4,1,5,9,2}'::float8[], '(0,0,0)', '{{1,2},{2,4},{3,6},{4,8},{5,10},{6,12},{7,14}}'$$,
	$$'{3,1,4,1,5,9,2}'::float8[], '(0,0,0)', '{1,2,3,NULL,5,6,7}'$$,
	$$'{3,1,4,1,5,9,2}'::float8[], '(0,0,0)', '{1,2,3,Infinity,5,6,7}'$$,
	$$array_fill(1.0::float8, ARRAY[70]), '(0,0,0)', array_fill(1.0::float8, ARRAY[70, 65])$$]) what;
-- what a method or a transformation does not take
SELECT y, options, pg_temp.attempt(format('SELECT arima_fit(%L::float8[], ''(1,0,0)'', options => %L) IS NOT NULL', y, options))
FROM (VALUES ('{3,1,NULL,1,5,NULL,2}', '{"method": "css"}'), ('{3,1,NULL,1,5,NULL,2}', '{"method": "css-ml"}'),
	('{3,1,0,1,5,9,2}', '{"lambda": 0}'), ('{3,1,4,-1,5,9,2}', '{"lambda": -0.5}'), ('{3,1,4,-1,5,9,2}', '{"lambda": 0.5}'),
	('{3,1,4e60,1,5,9,2}', '{"lambda": 3}'), ('{3,1,4e-60,1,5,9,2}', '{"lambda": -3}')) v (y, options);
\pset format aligned

-- the memory limit is checked before the memory is taken, and says what is needed
SET arima_ops.max_fit_memory = '64kB';
SELECT regexp_replace(pg_temp.attempt($$SELECT arima_fit(array_agg(sin(i)), '(1,1,1)') FROM generate_series(1, 100000) i$$),
	'[0-9]{6,}|[0-9]{4,}kB', 'N', 'g');
-- what the hint says is enough, and a kilobyte less is not
CREATE FUNCTION pg_temp.with_memory(kilobytes int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('arima_ops.max_fit_memory', kilobytes || 'kB', false);
	RETURN pg_temp.attempt('SELECT arima_fit(y, ''(1,1,1)'') IS NOT NULL FROM series WHERE name = ''Nile''');
END $$;
SELECT pg_temp.with_memory(needed) AS as_hinted, left(pg_temp.with_memory(needed - 1), 5) AS less
FROM (SELECT substring(pg_temp.with_memory(64) FROM 'at least (\d+)kB')::int AS needed) hint;
RESET arima_ops.max_fit_memory;
SELECT left(pg_temp.attempt('SELECT set_config(''arima_ops.max_fit_memory'', ''63kB'', false)'), 5) AS less_than_64;

-- residuals: one for each value, NULL where missing or used up by differencing
SELECT cardinality(r), r[1] IS NULL AS first, (SELECT count(*) FROM unnest(r) e WHERE e IS NULL) AS nulls
FROM (SELECT arima_residuals(model, y) AS r FROM models JOIN series USING (name) WHERE name = 'Nile' AND spec = '(0,1,1)') x
UNION ALL
SELECT cardinality(r), r[1] IS NULL, (SELECT count(*) FROM unnest(r) e WHERE e IS NULL)
FROM (SELECT arima_residuals(model, y) AS r FROM models JOIN series USING (name) WHERE name = 'presidents') x;
-- their mean square is sigma2
SELECT name, spec, abs((SELECT sum(e * e) / count(e) FROM unnest(arima_residuals(model, y)) e) / (arima_stats(model)).sigma2 - 1) < 1e-6 AS is_sigma2
FROM models JOIN series USING (name) ORDER BY name, spec;

-- append: the filter over the first part and then the rest is the filter over the whole
WITH split AS (
	SELECT name, s.y, m, arima_append(m, s.y[cut + 1:]) AS appended, arima_append(arima_append(m, s.y[cut + 1:cut + 5]), s.y[cut + 6:]) AS twice
	FROM series s, LATERAL (SELECT cardinality(s.y) - 20) c (cut), LATERAL (VALUES ('(1,1,1)'), ('(2,0,1)'), ('(0,1,1)(0,1,1)[4]')) v (spec),
		LATERAL (SELECT arima_fit(s.y[:cut], spec)) f (m)
)
SELECT name, (arima_stats(appended)).n, (arima_stats(appended)).spec, bool_and(abs(a.forecast - f.forecast) <= 1e-10 * abs(f.forecast)
		AND abs(a.std_error - f.std_error) <= 1e-10 * f.std_error) AS equals_filter,
	bool_and(abs(a.forecast - t.forecast) <= 1e-10 * abs(f.forecast)) AS equals_twice
FROM split, arima_forecast(appended, 5) a, arima_forecast(m, recent => y, h => 5) f, arima_forecast(twice, 5) t
WHERE a.step = f.step AND a.step = t.step
GROUP BY 1, 2, 3 ORDER BY 1, (arima_stats(appended)).spec COLLATE "C";
SELECT arima_append(model, '{}')::text = model::text AS unchanged FROM models WHERE name = 'Nile' AND spec = '(0,1,1)';

-- refit: the same specification on other data, no worse than a fit from scratch
SELECT s.spec, s.n, s.loglik >= (arima_stats(arima_fit(y[:80], m.spec))).loglik - 1e-3 AS as_good
FROM models m JOIN series USING (name), arima_stats(arima_refit(model, y[:80])) s
WHERE name = 'Nile' ORDER BY m.spec;

-- a model with regressors needs them wherever it meets new values
WITH m AS (
	SELECT y, arima_fit(y[:90], '(1,0,0)', x[:90]) AS model, x
	FROM (SELECT y, array_agg(i::float8 ORDER BY i) AS x FROM series, generate_series(1, cardinality(y)) i WHERE name = 'LakeHuron' GROUP BY y) s
)
SELECT (arima_stats(arima_append(model, y[91:], x[91:]))).n AS append, (arima_stats(arima_refit(model, y, x))).n AS refit,
	cardinality(arima_residuals(model, y, x)) AS residuals
FROM m;
\pset format unaligned
SELECT f, x, pg_temp.attempt(format('SELECT %s(arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''(0,0,0)'', ARRAY[1,2,3,4,5,6,8,7]), ARRAY[3,1], %L)', f, x))
FROM unnest(ARRAY['arima_append', 'arima_refit', 'arima_residuals']) f, unnest(ARRAY[NULL, '{{1,2},{3,4}}', '{1,2,3}', '{1,Infinity}']) x;
SELECT f, pg_temp.attempt(format('SELECT %s(arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''(0,0,0)''), ARRAY[3,1], ARRAY[1,2])', f))
FROM unnest(ARRAY['arima_append', 'arima_refit', 'arima_residuals']) f;
-- and one of logarithms positive ones, of its own size
SELECT f, pg_temp.attempt(format('SELECT %s(arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''(1,0,0)'', options => ''{"lambda": 0}''), ARRAY[3,0])', f))
FROM unnest(ARRAY['arima_append', 'arima_refit', 'arima_residuals', 'arima_predict']) f;

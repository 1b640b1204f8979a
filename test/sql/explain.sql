--
-- arima_explain: the words for models of every kind
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt_or_state.sql

CREATE TEMP TABLE observation (name text, t int, v float8);
CREATE TEMP TABLE series (name text PRIMARY KEY, y float8[]);
\copy observation from program 'cd test/data/reference/series && awk -v OFS=, ''FNR > 1 { print substr(FILENAME, 1, length(FILENAME) - 4), $0 }'' AirPassengers.csv DAX.csv lh.csv airquality_ozone.csv' with (format csv)
INSERT INTO series SELECT name, array_agg(v ORDER BY t) FROM observation GROUP BY name;
INSERT INTO series SELECT 'noise', array_agg(hashint4(t) / 2147483648.0 ORDER BY t) FROM generate_series(1, 200) t;
INSERT INTO series SELECT 'walk', array_agg(sum ORDER BY t) FROM (SELECT t, sum(hashint4(t) / 2147483648.0::float8) OVER (ORDER BY t) FROM generate_series(1, 200) t) x;
INSERT INTO series SELECT 'cycle', array_agg(sin(t * 0.5) + 0.01 * hashint4(t) / 2147483648.0 ORDER BY t) FROM generate_series(1, 200) t;
INSERT INTO series VALUES ('constant', array_fill(7::float8, '{30}'));

\pset format unaligned
\pset tuples_only
-- a random walk explains nothing beyond the last value
SELECT arima_explain(arima_fit(y, '(0,1,0)'), y) FROM series WHERE name = 'DAX';
-- stationary: to the mean, with a half-life
SELECT arima_explain(arima_fit(y, '(1,0,0)'), y) FROM series WHERE name = 'lh';
-- the airline model, in logarithms and not
SELECT arima_explain(arima_fit(y, '(0,1,1)(0,1,1)[12]', options => '{"lambda": 0}'), y) FROM series WHERE name = 'AirPassengers';
SELECT arima_explain(arima_fit(y, '(0,1,1)(0,1,1)[12]')) FROM series WHERE name = 'AirPassengers';
-- one difference too many
SELECT arima_explain(arima_fit(y, '(0,1,1)'), y) FROM series WHERE name = 'noise';
SELECT arima_explain(arima_fit(y, '(0,0,0)'), y) FROM series WHERE name = 'noise';
-- nothing left to chance
SELECT arima_explain(arima_fit(y, '(0,1,0)'), y) FROM series WHERE name = 'constant';
-- missing values, ARMA
SELECT arima_explain(arima_fit(y, '(1,0,1)'), y) FROM series WHERE name = 'airquality_ozone';
\pset tuples_only
\pset format aligned

-- ---- one line at a time ----
CREATE FUNCTION pg_temp.line(explained text, topic text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(substr(l, length(topic) + 3), E'\n') FROM regexp_split_to_table(explained, E'\n') l WHERE l LIKE topic || ':%'
$$;
SELECT spec, pg_temp.line(arima_explain(arima_fit(y, spec)), 'Forecast') AS forecast
FROM series, unnest(ARRAY['(0,0,2)', '(0,0,0) without constant', '(1,0,0) with drift', '(0,1,3)', '(0,1,0) with drift', '(0,2,2)', '(0,3,1)', '(1,0,0)(1,0,0)[4]', '(0,0,0)(0,1,0)[4]',
	'(0,0,0)(0,1,0)[4] with drift', '(1,1,0)(0,1,0)[4]', '(0,2,0)(0,1,0)[4]', '(0,0,0)(0,2,0)[4]']) spec WHERE name = 'walk';
SELECT spec, pg_temp.line(arima_explain(arima_fit(y, spec)), 'Certainty') AS certainty
FROM series, unnest(ARRAY['(0,0,0)', '(0,1,0)', '(0,0,0)(0,1,0)[4]', '(0,2,0)']) spec WHERE name = 'walk';
SELECT spec, pg_temp.line(arima_explain(arima_fit(y, spec)), 'How') AS how
FROM series, unnest(ARRAY['(2,0,2)', '(0,2,0)', '(0,0,0)(2,0,2)[4]', '(0,0,0)(1,1,0)[4]', '(0,2,0)(0,1,0)[4]']) spec WHERE name = 'walk';
-- what is said of certainty is so in the forecasts, of each kind of interval: far out the power of the number of steps, or the width itself
CREATE TEMP TABLE certainty AS
SELECT name, spec, kind, m, pg_temp.line(arima_explain(m), 'Certainty') AS said
FROM series, (VALUES ('walk', '(0,0,0)'), ('walk', '(0,0,0) with drift'), ('walk', '(1,0,0)'), ('walk', '(1,0,0) with drift'), ('walk', '(0,1,0)'), ('walk', '(0,1,0) with drift'),
	('walk', '(0,0,2)(0,1,0)[4]'), ('walk', '(0,0,0)(0,1,0)[4] with drift'), ('walk', '(0,2,0)'), ('walk', '(0,2,1)'), ('walk', '(1,0,0)[7] with fourier(2)'), ('lh', '(1,0,0)'),
	('noise', '(0,1,1)'), ('noise', '(0,1,1) with drift'), ('noise', '(0,0,1)(0,1,1)[4]'), ('noise', '(0,2,2)'), ('cycle', '(2,1,1)'), ('AirPassengers', '(0,1,1)(0,1,1)[12]')) v (n, spec),
	unnest(ARRAY['normal', 'student', 'conformal']) kind, LATERAL arima_fit(y, spec, options => jsonb_build_object('interval', kind)) m WHERE n = name;
SELECT name, spec, kind, said, power, first, far FROM certainty,
	LATERAL (SELECT ln(max(w) FILTER (WHERE step = 40000) / max(w) FILTER (WHERE step = 20000)) / ln(2) AS power, max(w) FILTER (WHERE step = 1) AS first, max(w) FILTER (WHERE step = 40000) AS far
		FROM (SELECT step, (upper - lower) / 2 AS w FROM arima_forecast(m, 40000)) f) g
WHERE (CASE WHEN said ~ 'at every step' THEN abs(far / first - 1) < 1e-9 WHEN said ~ 'hardly grows' THEN far / first < 1.02
	WHEN said ~ ' (ends up|grows to) \d' THEN abs(substring(said, ' (?:ends up|grows to) ([\d.]+)')::float8 / far - 1) < 0.003 WHEN said ~ ' limit (and|$)' THEN abs(power) < 0.01
	WHEN said ~ 'in the end as the square root' THEN abs(power - 0.5) < 0.02 WHEN said ~ 'in the end as the number' THEN abs(power - 1) < 0.02 WHEN said ~ 'faster' THEN power > 0.9 END) IS NOT TRUE;
SELECT claim, count(*) FROM certainty, regexp_replace(coalesce(substring(said, '; it (.*)'), said), '\d+\.\d+', 'X', 'g') AS claim GROUP BY claim ORDER BY claim COLLATE "C";
SELECT said FROM certainty WHERE (name, kind) = ('walk', 'student') AND spec ~ 'drift' ORDER BY spec COLLATE "C";
-- a transformed one goes along with a line or a season, and is told on its scale
SELECT spec, kind, substring(pg_temp.line(arima_explain(arima_fit(y, spec, options => jsonb_build_object('interval', kind, 'lambda', 0))), 'Certainty'), 'grows.*') AS certainty
FROM series, unnest(ARRAY['(1,0,0) with drift', '(0,1,0)', '(0,1,0) with drift']) spec, unnest(ARRAY['normal', 'student']) kind WHERE name = 'AirPassengers';
-- what the estimate knew, and what was appended, as far as it is known
SELECT pg_temp.line(arima_explain(arima_append(m, more)), 'Model') AS model FROM (SELECT arima_fit(y, '(0,1,1)') FROM series WHERE name = 'airquality_ozone') f (m),
	(VALUES ('{}'::float8[]), ('{30,NULL,40,35}')) v (more);
SELECT pg_temp.line(arima_explain(m), 'Model') AS model FROM series, arima_append(arima_fit(y, '(1,0,0)(0,1,1)[4]'), '{1,2}') m WHERE name = 'walk';
-- with Box-Cox the slope is a percentage or not told
SELECT pg_temp.line(arima_explain(arima_fit(array_agg(exp(0.02 * t + hashint4(t) / 1e11) ORDER BY t), '(0,1,0) with drift', options => format('{"lambda": %s}', lambda)::jsonb)), 'Forecast') AS forecast
FROM generate_series(1, 60) t, unnest(ARRAY[0, 0.5]) lambda GROUP BY lambda ORDER BY lambda;
-- the interval of a transformed series need not grow
SELECT pg_temp.line(arima_explain(arima_fit(y, '(1,0,0)', options => '{"lambda": 0}')), 'Certainty') ~ '; it ends up from \d+\.\d+ to \d+\.\d+ and stays there' AS ends_up FROM series WHERE name = 'lh';
-- adjusted to means it does not become flat: the numbers are those of the median, where the unadjusted forecasts go
SELECT lambda, pg_temp.line(arima_explain(m), 'Forecast') ~ 'it becomes flat, at .*the median, and the forecasts are means, which lie' AS said,
	split_part(pg_temp.line(arima_explain(m), 'Forecast'), ':', 1) = split_part(pg_temp.line(arima_explain(plain), 'Forecast'), ':', 1) AS same,
	CASE WHEN pg_temp.line(arima_explain(m), 'Forecast') ~ 'above' THEN f > g ELSE f < g END AS "true"
FROM series, unnest(ARRAY[0, 0.5, 2]) lambda, LATERAL arima_fit(y, '(0,1,1)', options => format('{"lambda": %s, "bias_adjust": true}', lambda)::jsonb) m,
	LATERAL arima_fit(y, '(0,1,1)', options => format('{"lambda": %s}', lambda)::jsonb) plain,
	LATERAL (SELECT (SELECT forecast FROM arima_forecast(m, 30) WHERE step = 30), (SELECT forecast FROM arima_forecast(plain, 30) WHERE step = 30)) x (f, g)
WHERE name = 'DAX' ORDER BY lambda;
-- a season of Fourier terms does not widen the interval
SELECT spec, pg_temp.line(e, 'Forecast') AS forecast, pg_temp.line(e, 'Certainty') AS certainty
FROM series, unnest(ARRAY['(0,0,0)[7] with fourier(2)', '(0,1,0)[7] with fourier(2)']) spec, LATERAL arima_explain(arima_fit(y, spec)) e WHERE name = 'walk';
-- what is to be said against a fit
SELECT name, spec, pg_temp.line(arima_explain(arima_fit(y, spec)), 'Beware') ~ pattern AS warned
FROM series, (VALUES ('walk', '(1,0,0) without constant', 'autoregressive root is near the unit circle.*hardly to be told from one that never returns'),
	('cycle', '(2,0,0)', 'autoregressive root is near the unit circle.*a cycle of 12.6 steps'),
	('noise', '(0,2,2)', 'one difference too many'), ('DAX', '(1,1,1)', 'nearly cancel'), ('DAX', '(0,2,1)', 'one difference too many; the slope')) v (n, spec, pattern) WHERE n = name ORDER BY name COLLATE "C", spec;
SELECT pg_temp.line(arima_explain(arima_fit(y, '(1,0,0)')), 'Beware') IS NULL AS nothing FROM series WHERE name = 'lh';
-- values that may be mistakes: at the place of the mistake, not where differences bring it back; in a first season, next to a gap, of a transformed
-- series, with a regressor; two that hide each other; a jump that lasts is none, chance says nothing
CREATE FUNCTION pg_temp.unusual(explained text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(regexp_replace(l, ' standard errors [^,;.]*|\. If .*|: that is .*', '', 'g'), E'\n') FROM regexp_split_to_table(explained, E'\n') l WHERE l ~ '^Beware:.* value \d'
$$;
CREATE TEMP TABLE sales AS
SELECT array_agg(CASE WHEN i IN (34, 35) THEN NULL ELSE round((1500 + 3 * i + 200 * sin(i * pi() / 6) + 100.0 * hashint4(i) / 2147483648.0)::numeric) END::float8 ORDER BY i) AS y,
	array_agg((i % 5)::float8 ORDER BY i) AS x FROM generate_series(1, 48) i;
SELECT pg_temp.line(arima_explain(arima_fit(o, spec), o), 'Beware') AS beware FROM sales, LATERAL (VALUES ('(0,1,0)', y[:29] || 9000::float8 || y[31:]), ('(0,1,0)', y[:25] || array_fill(9000::float8, '{23}'))) v (spec, o);
SELECT at, bool_and(pg_temp.unusual(arima_explain(arima_fit(o, spec, options => format('{"lambda": %s}', lambda)::jsonb), o)) ~ format('^Beware: value %s \(9000\) lies (\d+|\d\.\d|more than 1000)$', at)) AS told
FROM sales, unnest(ARRAY[1, 2, 5, 13, 30, 33, 36, 47, 48]) at, LATERAL (SELECT y[:at - 1] || 9000::float8 || y[at + 1:]) v (o),
	unnest(ARRAY['(0,1,0)', '(0,1,1)', '(0,2,1)', '(1,0,0)', '(0,1,1)(0,1,1)[12]', '(1,0,0)(0,1,0)[12] with drift', 'auto[12]']) spec, unnest(ARRAY[1, 0]) lambda GROUP BY at ORDER BY at;
SELECT at, pg_temp.unusual(arima_explain(arima_fit(o, '(0,1,1)'), o)) AS told
FROM sales, (VALUES ('{20,40}'::int[], 9000), ('{20,21}', 9000), ('{20,40,45}', 9000), ('{}', 0)) v (at, what),
	LATERAL (SELECT array_agg(CASE WHEN i = ANY (at) THEN what ELSE v END ORDER BY i) FROM unnest(y) WITH ORDINALITY u (v, i)) w (o) ORDER BY at;
SELECT spec, pg_temp.unusual(arima_explain(arima_fit(o, spec), o)) AS told
FROM sales, unnest(ARRAY['(0,1,1)', '(1,0,0)']) spec, LATERAL (SELECT array_agg(CASE WHEN i > 25 THEN v + 5000 ELSE v END ORDER BY i) FROM unnest(y) WITH ORDINALITY u (v, i)) w (o) ORDER BY spec;
SELECT pg_temp.unusual(arima_explain(arima_fit(o, '(0,1,1)', x), o, x)) AS told FROM sales, LATERAL (SELECT array_agg(v + 300 * x[i] + CASE i WHEN 17 THEN 2000 ELSE 0 END ORDER BY i) FROM unnest(y) WITH ORDINALITY u (v, i)) w (o);
SELECT pg_temp.unusual(arima_explain(arima_fit(o, '(0,1,0)'), o)) AS told FROM series, LATERAL (SELECT y[:9] || 8::float8 || y[11:]) w (o) WHERE name = 'constant';
SELECT count(pg_temp.unusual(arima_explain(m, y))) AS told, count(*) > 900 AS fits FROM (SELECT array_agg(hashint4(1000 * k + i) / 2147483648.0::float8 ORDER BY i) AS y FROM generate_series(1, 100) k, unnest(ARRAY[10, 25, 60]) n, generate_series(1, n) i GROUP BY k, n) s,
	unnest(ARRAY['(0,1,1)', '(1,0,0)', '(0,1,1)(0,0,0)[4]', '(1,0,1) with drift']) spec, LATERAL (SELECT (arima_try_fit(v, spec ORDER BY i)).model FROM unnest(y) WITH ORDINALITY u (v, i)) f (m);
-- every value of the model's own numbers: RMSE of the line is that of the residuals where all have one variance
SELECT pg_temp.line(arima_explain(arima_fit(y, '(0,1,0)'), y), 'Skill') LIKE '%(RMSE) is ' || round(sqrt((arima_stats(arima_fit(y, '(0,1,0)'))).sigma2)::numeric, 2) || ',%' AS same FROM series WHERE name = 'DAX';
-- worse than the last value: a model of other data; a series that does not vary; regressors
SELECT pg_temp.line(arima_explain(arima_fit(y, '(0,0,0)'), '{10,11,12,13,14,15,16,17}'), 'Skill') AS skill FROM series WHERE name = 'noise';
SELECT pg_temp.line(arima_explain(arima_fit(y, '(0,1,0)'), '{1,1,1,1}'), 'Skill') AS skill FROM series WHERE name = 'walk';
SELECT pg_temp.line(e, 'Forecast') AS forecast, pg_temp.line(e, 'Certainty') AS certainty, pg_temp.line(e, 'How') AS how, pg_temp.line(e, 'Skill') LIKE 'one step ahead on 7 values%' AS skill
FROM (SELECT arima_explain(arima_fit(y, '(0,0,0)', x), y, x) AS e FROM (SELECT '{1,3,2,5,4,6,8,7}'::float8[] AS y, '{1,2,4,3,5,7,6,8}'::float8[] AS x) s) s;
-- series of any size
SELECT factor, pg_temp.line(arima_explain(m, s.y), 'Skill') ~ 'explains nothing' AS said
FROM series, unnest(ARRAY[1e-140, 1e140]) factor, LATERAL (SELECT array_agg(v * factor ORDER BY i) FROM unnest(series.y) WITH ORDINALITY u(v, i)) s (y), LATERAL arima_fit(s.y, '(0,1,0)') m WHERE name = 'DAX';
-- NULL, errors
SELECT arima_explain(NULL, '{1,2}') IS NULL AS model, arima_explain(arima_fit(y, '(0,1,0)'), NULL) = arima_explain(arima_fit(y, '(0,1,0)')) AS series FROM series WHERE name = 'lh';
\pset format unaligned
SELECT call, pg_temp.attempt(format('SELECT arima_explain(arima_fit(y, ''(0,1,0)''), %s) FROM series WHERE name = ''lh''', call))
FROM unnest(ARRAY['''{}''', '''{NULL,NULL}''', '''{1,Infinity}''', '''{{1,2},{3,4}}''', 'y, y', '''{1,2}'', ''{1}''']) call;
\pset format aligned
SELECT oid::regprocedure, provolatile, proisstrict, proparallel, procost, obj_description(oid, 'pg_proc') IS NOT NULL AS described
FROM pg_proc WHERE proname = 'arima_explain';

--
-- The automatic choice of the model: its options, arima_candidates, and series
-- on which it has nothing easy to choose.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt.sql

-- Noise that is the same everywhere, nearly normal with variance 1.
CREATE FUNCTION pg_temp.noise(i int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
'SELECT sum(hashint4(i * 12 + j)) / 2147483648.0 / 2 FROM generate_series(0, 11) j';

-- white: noise around a level; walk: its sums; trend: a line and noise; ar: autoregression
-- of 0.6; growth: exponential with noise in proportion; seasonal: a walk with a pattern of 12
CREATE TEMP TABLE series AS
WITH RECURSIVE ar AS (
	SELECT 1 AS i, pg_temp.noise(1) AS v
	UNION ALL
	SELECT i + 1, 0.6 * v + pg_temp.noise(i + 1) FROM ar WHERE i < 240
)
SELECT array_agg(100 + e ORDER BY i) AS white, array_agg(walk ORDER BY i) AS walk, array_agg(i + 3 * e ORDER BY i) AS trend,
	array_agg(v ORDER BY i) AS ar, array_agg(exp(0.02 * i + 0.1 * e) ORDER BY i) AS growth,
	array_agg(walk + 10 * sin(i * pi() / 6) ORDER BY i) AS seasonal
FROM (SELECT i, v, pg_temp.noise(i) AS e, sum(pg_temp.noise(i)) OVER (ORDER BY i) AS walk FROM ar) x;

-- differences, season and constant are those that the series was made with; 200 values of
-- the seasonal one, so that all criteria are exact
CREATE TEMP TABLE made AS
SELECT name, spec, y, arima_fit(y, spec) AS model
FROM series, LATERAL (VALUES ('white', 'auto', white), ('walk', 'auto', walk), ('trend', 'auto', trend), ('ar', 'auto', ar),
	('seasonal', 'auto[12]', seasonal[1:200])) v (name, spec, y);
SELECT name, substring(s.spec FROM '^\(\d+,(\d+)') AS d, s.spec ~ '\)\(' AS seasonal, s.status ~ 'budget' AS budget
FROM made, arima_stats(model) s ORDER BY name COLLATE "C";
-- no worse than the model that it was made with
SELECT name, (arima_stats(model)).aicc <= (arima_stats(arima_fit(y, made_with))).aicc + 0.01 AS as_good
FROM made JOIN (VALUES ('white', '(0,0,0)'), ('walk', '(0,1,0)'), ('ar', '(1,0,0) without constant')) v (name, made_with) USING (name)
ORDER BY name COLLATE "C";
-- auto is what leaving the specification out means, auto[1] is auto
SELECT arima_fit(ar)::text = model::text AS default, arima_fit(ar, ' AUTO[1] ')::text = model::text AS period_1
FROM series, made WHERE name = 'ar';

-- what the models look like when the bounds leave only some: each bound is kept
SELECT option, s.spec ~ wanted AS kept
FROM series, (VALUES
	(1, 'auto', '{"max_p": 0, "max_q": 0}', '^\(0,.,0\)'),
	(2, 'auto', '{"max_p": 0}', '^\(0,'),
	(3, 'auto', '{"max_q": 0, "max_d": 0}', '^\(.,0,0\)'),
	(4, 'auto[12]', '{"max_P": 0, "max_Q": 0}', '\(0,1,0\)\[12\]'),
	(5, 'auto[12]', '{"max_D": 0, "max_P": 0, "max_Q": 0}', '^\([0-9,]+\)\[12\]'),
	(6, 'auto[12]', '{"max_P": 0, "max_D": 0}', '^\([0-9,]+\)(\(0,0,[1-9]\))?\[12\]')) v (i, spec, option, wanted),
	arima_stats(arima_fit(seasonal, v.spec, options => option::jsonb)) s
ORDER BY i;

-- arima_candidates: the models tried, of which the chosen one is the model of arima_fit and has the least criterion
SELECT name, count(*) > 4 AS several, array_agg(tried ORDER BY tried) = array_agg(row_number ORDER BY tried)::int[] AS in_order,
	count(*) = count(DISTINCT c.spec) AS each_once, count(*) FILTER (WHERE chosen) AS chosen,
	bool_and(milliseconds BETWEEN 0 AND 60000) AS milliseconds, bool_and((criterion IS NULL) = (reason IS NOT NULL)) AS reasons,
	min(c.spec) FILTER (WHERE chosen) = min(s.spec) AS same_spec,
	abs(min(c.loglik) FILTER (WHERE chosen) / min(s.loglik) - 1) < 1e-9 AS same_loglik,
	abs(min(criterion) FILTER (WHERE chosen) / min(s.aicc) - 1) < 1e-9 AS same_aicc,
	min(criterion) = min(criterion) FILTER (WHERE chosen) AS least
FROM made, arima_stats(model) s, LATERAL (SELECT *, row_number() OVER () FROM arima_candidates(y, made.spec)) c
GROUP BY name ORDER BY name COLLATE "C";
-- the criterion is the one that was asked for
SELECT ic, abs(criterion / CASE ic WHEN 'aic' THEN s.aic WHEN 'bic' THEN s.bic ELSE s.aicc END - 1) < 1e-9 AS its_value
FROM series, unnest(ARRAY['aicc', 'aic', 'bic']) ic, LATERAL (SELECT jsonb_build_object('ic', ic)) o (options),
	arima_candidates(ar, options => o.options) c, arima_stats(arima_fit(ar, options => o.options)) s
WHERE chosen ORDER BY ic;
-- all models in the bounds: two constants where there may be one, orders that together are not above max_order
SELECT i, spec, count(*), bool_and(criterion IS NULL OR criterion >= (SELECT min(criterion) FROM arima_candidates(ar, spec, options => o))) AS least
FROM series, (VALUES
	(1, 'auto', '{"stepwise": false, "max_p": 2, "max_q": 1}'::jsonb),
	(2, 'auto', '{"stepwise": false, "max_p": 2, "max_q": 1, "max_order": 2}'),
	(3, 'auto[4]', '{"stepwise": false, "max_p": 1, "max_q": 1, "max_P": 1, "max_Q": 1, "max_order": 50}'),
	(4, 'auto[4]', '{"stepwise": false, "max_p": 0, "max_q": 0, "max_P": 0, "max_Q": 0, "max_order": 0}')) v (i, spec, o),
	LATERAL (SELECT criterion FROM arima_candidates(ar, spec, options => o)) c
GROUP BY i, spec ORDER BY i;
-- values times season are many: without the shortcut models are found that it passes by, and none worse; every model is tried by the exact likelihood
SELECT count(*) AS series, bool_and(without.aicc < withs.aicc + 0.01) AS none_worse, count(*) FILTER (WHERE without.aicc < withs.aicc - 2) > 0 AS some_better,
	bool_and((SELECT bool_and(abs(c.criterion - s.aicc) < 0.01) FROM arima_candidates(y, 'auto[12]', options =>
		'{"approximation": false, "stepwise": false, "max_p": 1, "max_q": 0, "max_P": 0, "max_Q": 1, "max_order": 2}') c, arima_stats(arima_fit(y, c.spec)) s
		WHERE c.criterion IS NOT NULL)) AS exact
FROM generate_series(1, 3) k, LATERAL (SELECT array_agg(s ORDER BY i) AS y FROM
	(SELECT i, sum(pg_temp.noise(i + 1000 * k) + 0.6 * pg_temp.noise(i - 1 + 1000 * k)) OVER (ORDER BY i)
		+ sum(0.9 * pg_temp.noise(i - i % 12 + 12 + 77 * k)) OVER (PARTITION BY i % 12 ORDER BY i) AS s
	FROM generate_series(1, 240) i) x) v,
	arima_stats(arima_fit(y, 'auto[12]')) withs, arima_stats(arima_fit(y, 'auto[12]', options => '{"approximation": false}')) without;
-- regressors are in every model; what they explain is not searched for
SELECT substring(s.spec FROM '^\(\d+,(\d+)') AS d, round(estimate) AS estimate
FROM (SELECT arima_fit(array_agg(w + 50 * x ORDER BY i), 'auto', array_agg(x ORDER BY i)) AS model
	FROM series, unnest(white) WITH ORDINALITY u (w, i), LATERAL (SELECT sqrt(i::float8)) v (x)) m, arima_stats(model) s, arima_coefficients(model)
WHERE term = 'xreg1';
-- no difference takes a regressor away: a dummy of one month none of the season, a trend none beside one of the season
SELECT regressor, substring(s.spec FROM '^\(\d+,(\d+)') AS d, coalesce(substring(s.spec FROM '\)\(\d+,(\d+)'), '0') AS "D",
	s.spec ~ '\)\(|fourier' AS seasonal, count(*) > 10 AS searched
FROM series, LATERAL (SELECT array_agg(v + 0.2 * i ORDER BY i) AS y, array_agg((i % 12 = 4)::int::float8 ORDER BY i) AS dummy,
		array_agg(i::float8 ORDER BY i) AS line, array_agg(i * i::float8 ORDER BY i) AS parabola
	FROM unnest(seasonal[1:144]) WITH ORDINALITY u (v, i)) t,
	LATERAL (VALUES (1, 'none', NULL::float8[]), (2, 'dummy', dummy), (3, 'line', line), (4, 'parabola', parabola)) v (i, regressor, x),
	arima_stats(arima_fit(y, 'auto[12]', x)) s, arima_candidates(y, 'auto[12]', x) c
GROUP BY v.i, regressor, s.spec ORDER BY v.i;
-- where nothing could be compared the choice is there all the same, and it is the model of arima_fit
SELECT name, bool_or(chosen) AS chosen, count(*) FILTER (WHERE chosen) AS one, min(c.spec) FILTER (WHERE chosen) = (arima_stats(arima_fit(y))).spec AS same_spec,
	min(reason) FILTER (WHERE chosen) IS NOT NULL AS reason
FROM (VALUES ('constant', array_fill(3.0::float8, ARRAY[20])), ('linear', ARRAY[1,2,3,4,5,6,7,8,9]::float8[]), ('two values', ARRAY[3,4]::float8[]),
	('two of many', ARRAY[3,NULL,NULL,NULL,NULL,NULL,4]::float8[])) v (name, y), arima_candidates(y) c
GROUP BY name, y ORDER BY name COLLATE "C";
-- three values on a line are enough to say so, two are not
SELECT y, s.spec, s.status, round(f.forecast) AS forecast
FROM (VALUES ('{2,4}'::float8[]), ('{2,4,6}'), ('{2,4,6,8}'), ('{8,6,4,2}'), ('{2,NULL,6,NULL,10,NULL}')) v (y),
	arima_fit(y) model, arima_stats(model) s, arima_forecast(model) f;
-- no series, no candidates
SELECT count(*) FROM arima_candidates(NULL);

-- budgets: the best so far, and the status says so
SELECT options, count(*) AS tried, count(*) FILTER (WHERE chosen) AS chosen, (arima_stats(arima_fit(seasonal, 'auto[12]', options => options))).status ~ 'the choice of the model was ended by its budget' AS told
FROM series, unnest(ARRAY['{"max_models": 1}', '{"max_models": 3}', '{"max_models": 3, "stepwise": false}', '{"time_budget_ms": 0.001}']::jsonb[]) options,
	arima_candidates(seasonal, 'auto[12]', options => options)
GROUP BY options, seasonal ORDER BY options;
SELECT (arima_stats(arima_fit(ar, options => '{"time_budget_ms": 0}'))).status ~ 'budget' AS without_limit,
	arima_fit(ar, options => '{"time_budget_ms": 1e9}')::text = arima_fit(ar)::text AS long_enough,
	(arima_summary(arima_fit(ar, options => '{"max_models": 2}'))) ~ 'status: .*budget' AS summary,
	arima_fit(ar, options => '{"max_models": 2}')::jsonb -> 'remarks' ? 'budget' AS json
FROM series;

-- methods and transformations
SELECT wanted, s.method, s.aicc IS NULL AS no_criterion
FROM series, unnest(ARRAY['ml', 'css', 'css-ml']) wanted, arima_stats(arima_fit(ar, options => jsonb_build_object('method', wanted))) s ORDER BY wanted;
SELECT v.spec, s.lambda = arima_box_cox_lambda(growth, v.m, 0) AS guerrero, abs(s.lambda) < 0.3 AS near_logarithm,
	arima_fit(growth, v.spec, options => '{"lambda": "auto"}')::text =
	arima_fit(growth, v.spec, options => jsonb_build_object('lambda', s.lambda))::text AS as_number
FROM series, (VALUES ('(0,1,1)', 1), ('(0,1,1)(0,1,1)[12]', 12), ('auto', 1), ('auto[12]', 12)) v (spec, m),
	arima_stats(arima_fit(growth, v.spec, options => '{"lambda": "auto"}')) s;
-- of the values from the first known to the last
SELECT wanted, count(*) AS series, count(DISTINCT s.lambda) AS parameters
FROM series, unnest(ARRAY['(0,1,1)', '(0,1,1)(0,1,1)[12]']) wanted, generate_series(0, 1) before, generate_series(0, 3) after,
	arima_stats(arima_fit(array_fill(NULL::float8, ARRAY[before]) || growth || array_fill(NULL::float8, ARRAY[after]), wanted, options => '{"lambda": "auto"}')) s
GROUP BY wanted ORDER BY wanted;
SELECT arima_fit('{NULL,3,0,5,6,7}', '(0,1,0)', options => '{"lambda": "auto"}');
-- not below 0, where the forecasts of what grows so fast would soon be beyond all numbers
SELECT arima_box_cox_lambda(y) < -0.5 AS negative, s.lambda BETWEEN 0 AND 0.001 AS zero, (SELECT bool_and(f.upper < 'Infinity') FROM arima_forecast(m, 50) f) AS bounded
FROM (SELECT array_agg(1 / (1.5 - 0.01 * i + 0.05 * (i % 3)) ORDER BY i) AS y FROM generate_series(1, 140) i) AS fast,
	LATERAL (SELECT arima_fit(y, '(0,1,0) with drift', options => '{"lambda": "auto"}') AS m) AS fitted, arima_stats(m) s;

\pset format unaligned
-- what is refused
SELECT option, pg_temp.attempt(format('SELECT arima_fit(ARRAY[3,1,4,1,5,9,2,6], ''auto'', options => %L) IS NOT NULL', format('{%s}', option)))
FROM unnest(ARRAY['"max_p": -1', '"max_p": 21', '"max_p": 1.5', '"max_p": 1e999', '"max_q": 21', '"max_P": 6', '"max_Q": -1', '"max_d": 3',
	'"max_D": 2', '"max_order": -1', '"max_order": 51', '"max_models": 0', '"max_models": 10001', '"time_budget_ms": -1', '"time_budget_ms": 1e10',
	'"ic": "hqic"', '"ic": 1', '"ic": null', '"stepwise": "true"', '"approximation": 1', '"lambda": "Auto"', '"max_p": [1]',
	'"max_p": 20, "max_q": 20, "max_P": 5, "max_Q": 5, "max_d": 2, "max_D": 1, "max_order": 50, "max_models": 10000, "ic": "bic", "stepwise": true, "time_budget_ms": 0.5, "lambda": "auto", "method": "css-ml"']) option;
SELECT call, pg_temp.attempt('SELECT count(*) FROM ' || call)
FROM unnest(ARRAY[
	$$arima_candidates(ARRAY[3,1,4,1,5,9,2,6], '(1,0,0)')$$,
	$$arima_candidates(ARRAY[3,1,4,1,5,9,2,6], NULL)$$,
	$$arima_candidates(ARRAY[3,1,4,1,5,9,2,6], 'auto(')$$,
	$$arima_candidates(ARRAY[3,1,4,1,5,9,2,6], 'auto', ARRAY[1])$$,
	$$arima_candidates(ARRAY[3,1,4,1,5,9,2,6], options => '{"max_p": "x"}')$$,
	$$arima_candidates(ARRAY[3,1,4,1,'Infinity',9,2,6]::float8[])$$,
	$$arima_candidates('{}')$$,
	$$arima_fit(ARRAY[3,0,4,1,5,9,2,6], options => '{"lambda": "auto"}')$$,
	$$arima_fit(ARRAY[3,1,-4,1,5,9,2,6], '(1,0,0)', options => '{"lambda": "auto"}')$$,
	$$arima_fit('{NULL,NULL}'::float8[], '(0,0,0)', options => '{"lambda": "auto"}')$$,
	$$arima_fit('{}'::float8[])$$,
	$$arima_fit('{NULL,NaN,NULL}'::float8[])$$]) call;
\pset format aligned

-- Is the model that is chosen for a series usable?  If there is none, the error.
CREATE FUNCTION pg_temp.verdict(y float8[], spec text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	usable bool;
BEGIN
	SELECT count(*) = 5 AND bool_and(f.std_error >= 0 AND abs(f.forecast) < 'Infinity' AND f.std_error < 'Infinity' AND
			f.lower <= f.forecast AND f.forecast <= f.upper) AND bool_and(arima_summary(m) <> '') INTO usable
	FROM arima_fit(y, spec) m, arima_forecast(m, 5) f;
	RETURN CASE WHEN usable THEN 'usable' ELSE 'not usable' END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- short ones of every kind, up to twenty values: two known ones are enough
SELECT CASE WHEN known < 2 THEN known END AS known, verdict, count(*) FILTER (WHERE known = 2) > 0 AS two, count(*)
FROM generate_series(1, 20) n, unnest(ARRAY['noise', 'walk', 'constant', 'linear', 'square', 'two values', 'one jump', 'sparse', 'gaps', 'NaN', 'last']) kind,
	unnest(ARRAY['auto', 'auto[4]', 'auto[12]', 'auto[366]']) spec,
	LATERAL (SELECT array_agg(CASE kind WHEN 'noise' THEN pg_temp.noise(i) WHEN 'walk' THEN (SELECT sum(pg_temp.noise(j)) FROM generate_series(1, i) j)
			WHEN 'constant' THEN 42 WHEN 'linear' THEN 3 * i + 1 WHEN 'square' THEN i * i WHEN 'two values' THEN i % 2 WHEN 'one jump' THEN (i > 5)::int
			WHEN 'sparse' THEN (i % 7 = 3)::int * i WHEN 'gaps' THEN CASE WHEN i % 3 <> 1 THEN pg_temp.noise(i) END
			WHEN 'NaN' THEN CASE WHEN i % 2 = 0 THEN pg_temp.noise(i) ELSE 'NaN' END
			WHEN 'last' THEN CASE WHEN i >= n THEN 1 END END ORDER BY i) AS y FROM generate_series(1, n) i) s,
	LATERAL (SELECT count(*) FROM unnest(y) v WHERE v <> 'NaN') k (known), pg_temp.verdict(y, spec) v (verdict)
GROUP BY CASE WHEN known < 2 THEN known END, verdict ORDER BY 1, verdict;

-- so few that AICc knows no model with a mean: all the same they are not forecast to be 0
SELECT y, s.spec, round(f.forecast::numeric, 2) AS forecast
FROM unnest(ARRAY['{100,101}', '{100,101,99}', '{100,NULL,99,101,NULL}', '{100,102,104.5}', '{100,101,99,100}']) AS y, arima_fit(y::float8[]) AS m, arima_stats(m) AS s, arima_forecast(m) AS f;

-- longer ones
CREATE TEMP TABLE odd AS
SELECT n, array_agg(0.0::float8) AS zeros, array_agg(-7e11::float8) AS constant, array_agg(1e6 - 3 * i ORDER BY i) AS linear,
	array_agg(i * i::float8 ORDER BY i) AS square, array_agg(i * i * i::float8 ORDER BY i) AS cube, array_agg((i % 2)::float8 ORDER BY i) AS two_values,
	array_agg((i > n / 2)::int::float8 ORDER BY i) AS jump, array_agg((i = n)::int::float8 ORDER BY i) AS last_only, array_agg((i = 1)::int::float8 ORDER BY i) AS first_only,
	array_agg(CASE WHEN i % 13 = 5 THEN abs(round(3 * pg_temp.noise(i))) ELSE 0 END ORDER BY i) AS sparse,
	array_agg(round(abs(pg_temp.noise(i))) ORDER BY i) AS counts, array_agg(sin(i * pi() / 6) ORDER BY i) AS sine,
	array_agg((i % 7)::float8 ORDER BY i) AS week, array_agg(exp(i::float8) ORDER BY i) FILTER (WHERE i < 300) AS explosive,
	array_agg(CASE WHEN i % 3 = 0 THEN pg_temp.noise(i) ELSE 'NaN' END ORDER BY i) AS nans, array_agg(CASE WHEN i = n / 3 OR i > n - 3 THEN pg_temp.noise(i) END ORDER BY i) AS nearly_nothing,
	array_agg(CASE WHEN i NOT BETWEEN n / 3 AND n / 2 THEN i + pg_temp.noise(i) END ORDER BY i) AS gap,
	array_agg(pg_temp.noise(i) * 1e-149 ORDER BY i) AS tiny, array_agg(pg_temp.noise(i) * 1e149 ORDER BY i) AS huge,
	array_agg(1e15 + pg_temp.noise(i) ORDER BY i) AS high, array_agg(CASE i WHEN n / 2 THEN 1e100 ELSE pg_temp.noise(i) END ORDER BY i) AS outlier,
	array_agg(pg_temp.noise(i) * 10.0::float8 ^ (i % 120) ORDER BY i) AS every_scale, array_agg(CASE i WHEN 1 THEN 5 ELSE 5 + 1e-14 * (i % 2) END ORDER BY i) AS nearly_constant
FROM (VALUES (30), (150)) l (n), generate_series(1, n) i GROUP BY n;
CREATE TEMP TABLE verdicts AS
SELECT n, name, spec, verdict
FROM odd, LATERAL jsonb_each(to_jsonb(odd)) e (name, y), unnest(ARRAY['auto', 'auto[7]', 'auto[12]', 'auto[52]', 'auto[366]']) spec,
	LATERAL (SELECT array_agg(v::float8 ORDER BY i) FROM jsonb_array_elements_text(CASE name WHEN 'n' THEN '[]' ELSE y END) WITH ORDINALITY u (v, i)) a (values), pg_temp.verdict(values, spec) v (verdict)
WHERE name <> 'n';
SELECT verdict, count(*) FROM verdicts GROUP BY verdict;
SELECT * FROM verdicts WHERE verdict <> 'usable' ORDER BY name, n, spec;

--
-- The type arima_model: text, JSON and binary forms, what is refused, and the
-- functions that read a model.  Models are given as literals: nothing is fitted.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

CREATE TEMP TABLE sample (id text PRIMARY KEY, json text NOT NULL);
INSERT INTO sample VALUES
('plain', '{"arima_model":4,"spec":"(1,1,1)","method":"ml","n_xreg":0,"n":100,"n_missing":0,"n_gap":0,"n_used":99,"estimated_to":100,"sigma2":2.5,"loglik":-185.25,"lambda":null,"bias_adjust":false,"interval":"normal","df":97,"remarks":[],"iterations":12,"coef":{"ar1":0.5,"ma1":-0.25},"cov":[0.04,-0.01,0.09],"calibration":null,"state":[1.5,101.25],"state_cov":null}'),
('empty', '{"arima_model":4,"spec":"(0,0,0) without constant","method":"css-ml","n_xreg":0,"n":1,"n_missing":0,"n_gap":0,"n_used":1,"estimated_to":1,"sigma2":1,"loglik":-0.5,"lambda":null,"bias_adjust":false,"interval":"normal","df":1,"remarks":[],"iterations":0,"coef":{},"cov":[],"calibration":null,"state":[],"state_cov":null}'),
('seasonal', '{"arima_model":4,"spec":"(1,0,1)(1,1,1)[2] with drift","method":"ml","n_xreg":2,"n":60,"n_missing":7,"n_gap":0,"n_used":51,"estimated_to":60,"sigma2":0.1,"loglik":-12.125,"lambda":0.5,"bias_adjust":true,"interval":"student","df":44,"remarks":["ma_boundary","no_covariance"],"iterations":240,"coef":{"ar1":0.30000000000000004,"ma1":0.1,"sar1":-0.2,"sma1":-1,"drift":1e-100,"xreg1":1.2345678901234567e+199,"xreg2":-5e-324},"cov":[0.01,0,0.02,0,0,0.03,null,null,null,null,0,0,0,null,1,0,0,0,null,0,2,0,0,0,null,0,-0.1,3],"calibration":null,"state":[0.1,0.2,0.3,4.9406564584124654e-324,1e-300],"state_cov":[1,0.5,1,0,0,1,0.25,0,0,2,0,0,0,0,0]}'),
('constant', '{"arima_model":4,"spec":"(0,0,0)","method":"ml","n_xreg":0,"n":30,"n_missing":0,"n_gap":0,"n_used":30,"estimated_to":30,"sigma2":0,"loglik":null,"lambda":null,"bias_adjust":false,"interval":"normal","df":29,"remarks":["degenerate","no_covariance"],"iterations":0,"coef":{"mean":42},"cov":[null],"calibration":null,"state":[],"state_cov":null}'),
('css', '{"arima_model":4,"spec":"(2,0,0)","method":"css","n_xreg":0,"n":200,"n_missing":0,"n_gap":0,"n_used":200,"estimated_to":200,"sigma2":1.25,"loglik":-300.5,"lambda":null,"bias_adjust":false,"interval":"conformal","df":197,"remarks":["not_converged","ar_boundary","cancelling"],"iterations":100,"coef":{"ar1":1.5,"ar2":-0.5,"mean":10},"cov":[0.0025,0,0.0025,0,0,25],"calibration":[0.25,0.5,0.625,0.75,1,1.25,1.5,2,2.5,3],"state":[0.5,-0.25],"state_cov":null}');

-- the text form is what was given, but for the shortest digits of one number
SELECT id, json::public.arima_model::text = replace(json, '4.9406564584124654e-324', '5e-324') AS same
FROM sample ORDER BY id;

-- one literal, and its binary form
SELECT json::public.arima_model FROM sample WHERE id = 'plain';
SELECT public.arima_model_send(json::public.arima_model) FROM sample WHERE id = 'plain';

-- every way through another form gives the same bits
CREATE TEMP TABLE stored (id text PRIMARY KEY, model public.arima_model);
INSERT INTO stored SELECT id, json::public.arima_model FROM sample;
SELECT s.id, way, public.arima_model_send(s.model) = public.arima_model_send(m) AS same
FROM stored s, LATERAL (VALUES
	('text', s.model::text::public.arima_model),
	('json', s.model::json::public.arima_model),
	('jsonb', s.model::jsonb::public.arima_model),
	('to_jsonb', to_jsonb(s.model)::public.arima_model),
	('pretty', jsonb_pretty(s.model::jsonb)::public.arima_model),
	('row_to_json', (row_to_json(s)->'model')::public.arima_model)) AS v(way, m)
ORDER BY s.id, way COLLATE "C";

-- random doubles, also those of extreme exponents, survive the text form
SELECT setseed(0.25);
SELECT count(DISTINCT x) AS tried, bool_or(abs(x) < 1e-190) AND bool_or(abs(x) > 1e190) AS extremes,
	count(*) FILTER (WHERE (m::text::public.arima_model)::text = m::text AND
		public.arima_model_send(m::text::public.arima_model) = public.arima_model_send(m) AND
		(m::jsonb->'state'->>0)::float8 = x) AS same
FROM (
	SELECT x, jsonb_set(json::jsonb, '{state}', jsonb_build_array(x, -x / 3))::public.arima_model AS m
	FROM sample, (
		SELECT (random() - 0.5) * 10::float8 ^ ((random() - 0.5) * 390) AS x
		FROM generate_series(1, 2000)) AS r
	WHERE id = 'plain') AS q;

-- every remark, as it is named and told; and every set of them through the forms
CREATE TEMP TABLE remark AS
SELECT i, key FROM unnest(ARRAY['constant', 'not_converged', 'ar_boundary', 'ma_boundary', 'cancelling', 'degenerate', 'no_covariance', 'budget'])
	WITH ORDINALITY AS r(key, i);
SELECT key, get_byte(public.arima_model_send(m), 23) AS bits, s.converged, s.status,
	(SELECT line FROM regexp_split_to_table(public.arima_summary(m), '\n') AS line WHERE line LIKE 'status:%') = 'status: ' || s.status AS summary
FROM remark, sample, LATERAL (SELECT (json::jsonb || jsonb_build_object('remarks', jsonb_build_array(key)))::public.arima_model) AS x(m),
	public.arima_stats(m) AS s
WHERE id = 'plain' ORDER BY i;
SELECT count(*) AS sets, count(DISTINCT public.arima_model_send(m)) AS different,
	count(*) FILTER (WHERE public.arima_model_send(m::text::public.arima_model) = public.arima_model_send(m) AND (m::jsonb)->'remarks' = given) AS same
FROM (
	SELECT given, (json::jsonb || jsonb_build_object('remarks', given))::public.arima_model AS m
	FROM sample, generate_series(0, 255) AS bits,
		LATERAL (SELECT coalesce(jsonb_agg(key ORDER BY i), '[]') FROM remark WHERE bits >> (i - 1)::int & 1 = 1) AS g(given)
	WHERE id = 'plain') AS q;

-- assignment to json and jsonb columns; the other direction must be asked for
CREATE TEMP TABLE exported (j json, b jsonb);
INSERT INTO exported SELECT model, model FROM stored WHERE id = 'plain';
SELECT j->>'spec' AS j, b->>'spec' AS b FROM exported;
INSERT INTO stored SELECT 'from json', j FROM exported;

-- a large state is compressed or stored out of line, and still the same
CREATE TEMP TABLE large AS
SELECT jsonb_build_object('arima_model', 4, 'spec', '(0,1,1)(0,1,1)[52]', 'method', 'ml', 'n_xreg', 0,
	'n', 300, 'n_missing', 3, 'n_gap', 3, 'n_used', 244, 'estimated_to', 297, 'sigma2', 1.5, 'loglik', -400, 'lambda', null,
	'bias_adjust', false, 'interval', 'student', 'df', 242, 'calibration', null, 'remarks', '[]'::jsonb, 'iterations', 9, 'coef', '{"ma1":-0.4,"sma1":-0.6}'::jsonb, 'cov', '[0.01,0,0.01]'::jsonb,
	'state', (SELECT jsonb_agg(sin(i)) FROM generate_series(1, 106) i),
	'state_cov', (SELECT jsonb_agg(CASE WHEN i = j THEN 1 ELSE cos(i * j) / 200 END ORDER BY i, j)
		FROM generate_series(1, 106) i, generate_series(1, 106) j WHERE j <= i))::public.arima_model AS model;
SELECT length(public.arima_model_send(model)) AS bytes,
	public.arima_model_send(model) = public.arima_model_send(model::text::public.arima_model) AS same
FROM large;

-- ---- reading ----

-- a z beyond 1e9 is shown as that
SELECT s.id, c.term, c.estimate, c.std_error, round((CASE WHEN c.z > 1e9 THEN 1e9 ELSE c.z END)::numeric, 6) AS z,
	 round(c.p_value::numeric, 6) AS p_value
FROM stored s, public.arima_coefficients(s.model) WITH ORDINALITY AS c(term, estimate, std_error, z, p_value, i)
ORDER BY s.id, c.i;

\pset expanded on
SELECT s.id, t.spec, t.n, t.n_missing, t.sigma2, t.loglik, round(t.aic::numeric, 6) AS aic,
	round(t.aicc::numeric, 6) AS aicc, round(t.bic::numeric, 6) AS bic, t.converged, t.status, t.n_used,
	t.method, t.lambda, t.iterations, t.intervals, t.bias_adjust
FROM stored s, public.arima_stats(s.model) AS t
ORDER BY s.id;
\pset expanded off

\pset tuples_only on
\pset format unaligned
SELECT E'---- ' || id || E'\n' || public.arima_summary(model) FROM stored ORDER BY id;
\pset format aligned
\pset tuples_only off

-- NULL in, NULL or nothing out
SELECT public.arima_summary(NULL) IS NULL AS summary, (public.arima_stats(NULL)) IS NULL AS stats,
	(SELECT count(*) FROM public.arima_coefficients(NULL)) AS coefficients;

-- ---- what is refused ----

-- 'valid', or the SQLSTATE; tells also when a valid one does not read back
CREATE FUNCTION pg_temp.verdict(given text, OUT state text, OUT why text) LANGUAGE plpgsql AS $$
DECLARE
	m public.arima_model;
BEGIN
	m := given::public.arima_model;
	state := 'valid';
	IF public.arima_model_send(m::text::public.arima_model) IS DISTINCT FROM public.arima_model_send(m) THEN
		state := 'changes';
	END IF;
	PERFORM public.arima_summary(m), public.arima_stats(m);
	PERFORM count(*) FROM public.arima_coefficients(m);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, why = PG_EXCEPTION_DETAIL;
	IF why = '' THEN
		why := SQLERRM;
	END IF;
END $$;

-- a field left out, or there twice
SELECT key, v.*
FROM sample, jsonb_object_keys(json::jsonb) AS key, LATERAL pg_temp.verdict((json::jsonb - key)::text) v
WHERE id = 'plain' ORDER BY key COLLATE "C";
SELECT key, v.*
FROM sample, jsonb_each(json::jsonb) AS f(key, value),
	LATERAL pg_temp.verdict(format('{%s:%s,%s', to_json(key), value, ltrim(json, '{'))) v
WHERE id = 'plain' ORDER BY key COLLATE "C";

-- every field of every sample with every kind of other value: the state is
-- 22P02, or the value is a valid one too
CREATE TEMP TABLE mutated AS
SELECT id, key, w.value, v.state, v.why
FROM sample, jsonb_object_keys(json::jsonb) AS key,
	(VALUES ('null'), ('true'), ('""'), ('"x"'), ('"1"'), ('[]'), ('[1]'), ('[null]'), ('[[1]]'), ('["x"]'),
		('{}'), ('{"ar1":1}'), ('{"ar1":null,"ma1":[]}'), ('0'), ('-0.0'), ('1'), ('2'), ('-1'), ('0.5'), ('1e9'), ('1e18'),
		('1e300'), ('-1e300'), ('1e400'), ('-1e-400'), ('99999999999999999999999999'), ('1e130000')) AS w(value),
	LATERAL pg_temp.verdict(jsonb_set(json::jsonb, ARRAY[key], w.value::jsonb)::text) v;
SELECT state, count(*) > 100 AS many FROM mutated GROUP BY state ORDER BY state;
SELECT key, string_agg(value, ' ' ORDER BY value COLLATE "C") AS taken
FROM mutated WHERE state = 'valid' AND id = 'plain' GROUP BY key ORDER BY key COLLATE "C";

-- the reasons, for one sample and kind of value each
SELECT key, value, why FROM mutated
WHERE id = 'plain' AND (
	(value = '"x"' AND key NOT IN ('spec', 'method', 'interval')) OR (value = '1e400') OR (value = '""' AND key IN ('spec', 'method', 'interval')))
ORDER BY key COLLATE "C", value COLLATE "C";

-- the same inside of the arrays and the coefficients
SELECT m.state, m.why, count(*)
FROM sample, (VALUES
	('{coef,ar1}'), ('{coef,sma1}'), ('{coef,xreg2}'), ('{cov,0}'), ('{cov,27}'), ('{state,1}'), ('{state_cov,9}'), ('{remarks,0}')) AS p(path),
	(VALUES ('null'), ('"x"'), ('[]'), ('{}'), ('true'), ('1e201'), ('-1e201'), ('1e308'), ('1e400'), ('-2'), ('"degenerate"'), ('"no_covariance"')) AS w(value),
	LATERAL pg_temp.verdict(jsonb_set(json::jsonb, path::text[], value::jsonb)::text) m
WHERE id = 'seasonal' GROUP BY m.state, m.why ORDER BY m.state, m.why COLLATE "C";

-- fields that do not fit each other
SELECT change, v.*
FROM sample, (VALUES
	(1, '{"n":101}'), (2, '{"n_missing":1}'), (3, '{"n_missing":1,"n_used":98}'), (4, '{"n":0,"n_used":0}'),
	(5, '{"n_missing":100,"n_used":0}'), (6, '{"n":10000000,"n_used":9999999}'), (7, '{"n":10000001,"n_used":10000000}'),
	(8, '{"spec":"(1,0,1)"}'), (9, '{"spec":"(1,1,1)(2,4,2)[366]"}'), (10, '{"spec":"(100,1,100)"}'), (11, '{"spec":"auto"}'),
	(12, '{"spec":"(1,1,1)[12]"}'), (13, '{"spec":"(101,1,1)"}'), (14, '{"n_xreg":1}'), (15, '{"n_xreg":65}'),
	(16, '{"coef":{"ar1":0.5}}'), (17, '{"coef":{"ar1":0.5,"ma2":0.5}}'), (18, '{"coef":{"ar1":0.5,"ma1":0.5,"ma2":0.5}}'),
	(19, '{"coef":{"ar1":1.01,"ma1":0}}'), (20, '{"coef":{"ar1":0,"ma1":-1.01}}'), (21, '{"coef":{"ar1":-1,"ma1":1}}'),
	(22, '{"cov":[0.04,-0.01]}'), (23, '{"cov":[null,-0.01,0.09]}'), (24, '{"cov":[null,null,0.09]}'), (25, '{"cov":[-1,0,1]}'),
	(26, '{"state":[1]}'), (27, '{"state_cov":[1,0]}'), (28, '{"state_cov":[1,0,-1]}'), (29, '{"state_cov":[1,0,1]}'),
	(30, '{"sigma2":0}'), (31, '{"sigma2":0,"remarks":["degenerate"]}'), (32, '{"sigma2":-1}'), (33, '{"loglik":null}'),
	(34, '{"loglik":null,"method":"css"}'), (35, '{"lambda":5}'), (36, '{"lambda":5.5}'),
	(37, '{"arima_model":1}'), (38, '{"remarks":["degenerate","degenerate"]}'), (39, '{"ARIMA_MODEL":1}'),
	(40, '{"df":1}'), (41, '{"df":0}'), (42, '{"df":10000001}'), (43, '{"bias_adjust":true}'), (44, '{"bias_adjust":true,"lambda":0}'),
	(45, '{"interval":"conformal"}'), (46, '{"calibration":[1,2,3,4,5,6,7,8,9,10]}'),
	(47, '{"interval":"conformal","calibration":[1,2,3,4,5,6,7,8,9,10]}'),
	(48, '{"interval":"conformal","calibration":[1,2,3,4,5,6,7,8,9]}'), (49, '{"interval":"conformal","calibration":[]}'),
	(50, '{"interval":"conformal","calibration":[1,2,3,4,6,5,7,8,9,10]}'), (51, '{"interval":"conformal","calibration":[-1,2,3,4,5,6,7,8,9,10]}'),
	(52, '{"interval":"conformal","calibration":[1,2,3,4,5,6,7,8,9,null]}'), (53, '{"interval":"conformal","calibration":{"a":1}}'),
	(54, '{"n_gap":1}'), (55, '{"n_gap":-1}'), (56, '{"n_missing":1,"n_gap":1,"n_used":98}'), (57, '{"estimated_to":-10000000}'), (58, '{"estimated_to":10000001}'), (59, '{"arima_model":3}')) AS c(i, change),
	LATERAL pg_temp.verdict((json::jsonb || change::jsonb)::text) v
WHERE id = 'plain' ORDER BY i;

-- what is no JSON object, or none that could be held; only the state is ours
SELECT left(given, 20) AS given, v.state
FROM (VALUES
	(1, ''), (2, ' '), (3, 'null'), (4, '1'), (5, '[]'), (6, '{}'), (7, '"x"'), (8, '{'), (9, 'x'), (10, '{"arima_model":1}'),
	(11, '{"arima_model":NaN}'), (12, '{"arima_model":"\u0000"}'), (13, '{"arima_model":1e999999}'),
	(14, repeat('[', 100000)), (15, repeat('{"a":', 100000)), (16, '[' || repeat('1,', 100000) || '1]'),
	(17, '{"arima_model":' || repeat('1', 200000) || '}'), (18, '{"' || repeat('x', 1000000) || '":1}')) AS t(i, given),
	LATERAL pg_temp.verdict(given) v
ORDER BY i;

-- the text cut short anywhere
SELECT v.state, count(*)
FROM sample, generate_series(0, length(json) - 1) n, LATERAL pg_temp.verdict(left(json, n)) v
WHERE id = 'seasonal' GROUP BY v.state;

-- any character of it replaced: refused as text, or a model
SELECT v.state, count(*) > 50 AS many
FROM sample, generate_series(1, length(json)) n, unnest(ARRAY['0', '9', '-', '"', ',', ']', 'e', E'\\', '{', ' ']) AS c,
	LATERAL pg_temp.verdict(overlay(json PLACING c FROM n FOR 1)) v
WHERE id IN ('plain', 'seasonal') GROUP BY v.state ORDER BY v.state;

-- a specification in its place
SELECT '(1,1,1)'::arima_model;
SELECT ' auto'::arima_model;

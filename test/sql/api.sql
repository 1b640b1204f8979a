--
-- requests over REST: what FastAPI answered, and what PostgREST sends
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

-- the body, as FastAPI checks it, with its words
SELECT body || E'\n   ' || concat_ws(' ', r.recent, r.series, r.horizon, r.level, r.detail)
FROM unnest(ARRAY[
	'{"recent_prices":[1,2.5,3]}', '{"recent_prices":[1,"2.5",true,3e0],"date":"2024-01-02","series":"A\u0042","horizon":"3","level":0.8,"more":{"recent_prices":[1]}}',
	'{}', '{"a":[1,{"b":2}]}', '{"recent_prices":"x"}', '{"recent_prices":null}', '{"recent_prices":{"0":1}}',
	'{"recent_prices":["abc",1,2]}', '{"recent_prices":[1,null,2]}', '{"recent_prices":[[1],{"a":[2]},3]}',
	'{"recent_prices":[1, 2]}', '{"recent_prices":[]}', '{"recent_prices":[1,2,3,4,5,6,7]}', '{"recent_prices":[1,"x",null,4,5,6,7]}',
	'{"recent_prices":[1,2,3],"date":5}', '{"recent_prices":[1,2,3],"date":null,"series":null,"horizon":null,"level":null}',
	'{"recent_prices":[1e999,-1e999,"NaN","inf"," 4 ","0x10","1_0",""]}', '{"recent_prices":[1e999,"NaN"," 4 ","0x10",""]}',
	'{"recent_prices":[1,2,3],"horizon":0,"level":0,"series":7}', '{"recent_prices":[1,2,3],"horizon":1001,"level":1}',
	'{"recent_prices":[1,2,3],"horizon":1.5,"level":"a"}', '{"recent_prices":[1,2,3],"horizon":"a","level":[1]}', '{"recent_prices":[1,2,3],"horizon":[1],"level":"1e999"}',
	'{"recent_prices":[1,2],"date":[],"horizon":"0"}', '{"recent_prices":[1],"recent_prices":[4,5,6]}', '{"recent_prices":[4,5,6],"recent_prices":1}',
	'null', '"x"', '[1]', '5', 'true']) AS body, arima_ops.read_request(body::json, 3, 6) AS r;
SELECT (arima_ops.read_request('{"recent_prices":[]}', 1, 1)).detail;
SELECT (arima_ops.read_request('{"recent_prices":[1,2]}', 1, 1)).detail;
SELECT (arima_ops.read_request('{"recent_prices":[]}', 0, 0)).recent;
SELECT arima_ops.read_request(NULL) IS NULL;
-- numbers are those that their digits are for PostgreSQL, to the last bit, few digits or many
SELECT count(*), count(*) FILTER (WHERE float8send(((arima_ops.read_request(format('{"recent_prices":[%s]}', t)::json, 1, 1)).recent)[1]) <> float8send(t::float8)) AS others
FROM unnest(ARRAY['', '-']) AS sign, generate_series(0, 17) AS n, generate_series(0, 17) AS decimals,
	LATERAL (SELECT sign || CASE WHEN n = 0 THEN '0' ELSE left('98765432109876543', n) END || CASE WHEN decimals > 0 THEN '.' || left('05678901234567893', decimals) ELSE '' END AS t) AS x;

-- a request that names no series means the only one with a model, among others that have none; which is told when a second series comes
BEGIN;
UPDATE arima_ops.series SET active = false;
SELECT arima_ops.create_series('api_1', '(0,1,0)', policy => '{"backtest_length": 30}');
SELECT arima_ops.default_series();
SELECT arima_ops.record_actuals('api_1', array_agg('2024-01-01'::timestamptz + i * interval '1 day'), array_agg(100 + sin(i))) FROM generate_series(1, 100) AS i;
SELECT arima_ops.create_series('api_0', policy => '{"active": false}');
SELECT arima_ops.create_series('api_2', '(0,1,0)', policy => '{"backtest_length": 30}');
SELECT arima_ops.default_series();
SELECT arima_ops.train('api_1');
SELECT arima_ops.default_series();
SELECT status, reply ->> 'series' FROM unnest(arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10]}']));
SELECT arima_ops.create_series('api_3');
SELECT arima_ops.record_actuals('api_2', array_agg(ts), array_agg(value)) FROM arima_ops.actuals WHERE series = 'api_1';
SELECT arima_ops.train('api_2');
SELECT arima_ops.default_series();
SELECT status FROM unnest(arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10]}']));
SELECT arima_ops.set_policy('api_1', '{"is_default": true}');
SELECT arima_ops.default_series();
UPDATE arima_ops.series SET active = false WHERE name IN ('api_2', 'api_3');
SELECT arima_ops.create_series('api_4');
ROLLBACK;

-- two series with models, one without
SELECT arima_ops.create_series(name, '(0,1,1)', policy => '{"backtest_length": 30}') FROM unnest(ARRAY['api_a', 'api_b', 'api_none']) AS name;
SELECT arima_ops.record_actuals(name, array_agg('2024-01-01'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + sin(i) ORDER BY i))
FROM unnest(ARRAY['api_a', 'api_b']) AS name, generate_series(1, 100) AS i GROUP BY name;
SELECT arima_ops.train(name) FROM unnest(ARRAY['api_a', 'api_b']) AS name;
UPDATE arima_ops.series SET is_default = true WHERE name = 'api_a';
UPDATE arima_ops.series SET is_default = true WHERE name = 'api_b';
SELECT arima_ops.set_policy('api_b', '{"is_default": true}');
CREATE TEMP VIEW recent AS SELECT array_agg(100 + sin(i) ORDER BY i) AS prices FROM generate_series(81, 101) AS i;

-- together: each gets its own, in order
CREATE TEMP TABLE answered AS
SELECT a.i, a.status, a.reply FROM recent, unnest(arima_ops.answer_requests(ARRAY[
		json_build_object('recent_prices', prices), json_build_object('recent_prices', prices, 'series', 'api_b', 'horizon', 3, 'level', 0.5),
		'{"recent_prices":[1,2]}', json_build_object('recent_prices', prices, 'series', 'nobody'), json_build_object('recent_prices', prices, 'series', 'api_none'),
		json_build_object('recent_prices', prices), json_build_object('recent_prices', prices, 'series', 'api_a'), NULL, json_build_object('recent_prices', prices[2:])]::text[],
		ARRAY[NULL, NULL, NULL, NULL, NULL, 'twice', 'twice', NULL, 'twice'])) WITH ORDINALITY AS a (status, reply, i);
SELECT a.i, status, reply ->> 'detail', reply ->> 'series', reply ->> 'model_version', reply ->> 'arima_order', json_array_length(reply -> 'forecasts') AS steps,
	(reply ->> 'prediction')::float8 = p.forecast AND (reply ->> 'lower')::float8 = p.lower AND (reply ->> 'upper')::float8 = p.upper
		AND (reply ->> 'timestamp')::timestamp = p.made_at AT TIME ZONE 'UTC' AS logged, p.lead, p.history_len, p.horizon, p.request_id
FROM answered AS a LEFT JOIN arima_ops.predictions AS p ON p.id = (reply ->> 'prediction_id')::bigint ORDER BY i;
SELECT series, count(*), count(DISTINCT request_id) FROM arima_ops.predictions WHERE series LIKE 'api%' GROUP BY series ORDER BY series;
-- the forecast is that of predict, to the bit, also after a split
SELECT ((arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', prices)]::text[]))[1].reply ->> 'prediction')::float8 = (SELECT forecast FROM arima_ops.predict('api_a', prices)) AS same FROM recent;
SELECT arima_ops.restate('api_a', 0.5, 'infinity');
SELECT ((arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', halves)]::text[]))[1].reply ->> 'prediction')::float8 = (SELECT forecast FROM arima_ops.predict('api_a', halves)) AS same
FROM (SELECT array_agg(v / 2) AS halves FROM recent, unnest(prices) AS v) AS r;
-- of a trend in levels and of Fourier terms, too: recent values are at the time at which they stand among those recorded
SELECT arima_ops.create_series('api_' || name, spec, policy => '{"backtest_length": 30, "train_window": 100}') FROM (VALUES ('trend', '(1,0,0) with drift'), ('season', '(1,0,0)[52] with fourier(2)')) AS v (name, spec);
CREATE TEMP VIEW timed AS SELECT name, i, '2024-01-01'::timestamptz + i * interval '1 day' AS ts, CASE name WHEN 'api_trend' THEN i ELSE 40 + 6 * sin(2 * pi() * i / 52) END + sin(i * i) / 10 AS value
FROM unnest(ARRAY['api_trend', 'api_season']) AS name, generate_series(1, 163) AS i;
SELECT name, (arima_ops.record_actuals(name, array_agg(ts), array_agg(value))).inserted, arima_ops.train(name) FROM timed WHERE i <= 120 GROUP BY name ORDER BY name;
SELECT arima_ops.restate(name, 2, 'infinity') FROM unnest(ARRAY['api_trend', 'api_season']) AS name;
SELECT name, (arima_ops.record_actuals(name, array_agg(ts), array_agg(value * 2))).inserted FROM timed WHERE i BETWEEN 121 AND 160 GROUP BY name ORDER BY name;
CREATE TEMP TABLE timed_recent AS SELECT name, n, array_agg(value * 2 ORDER BY i) AS prices FROM timed, unnest(ARRAY[159, 160, 163]) AS n WHERE i BETWEEN n - 59 AND n GROUP BY 1, 2;
SELECT name, r.n, a.status, (reply ->> 'prediction')::float8 = p.forecast AND (reply #>> '{forecasts,1,upper}')::float8 = q.upper AS same, p.lead, q.lead, abs(p.forecast - f.forecast) < 1e-6 * p.std_error AS as_appended
FROM timed_recent AS r JOIN arima_ops.models AS m ON m.series = name AND m.status = 'champion',
	LATERAL (SELECT * FROM unnest(arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', prices, 'series', name, 'horizon', 2)]::text[]))) AS a (status, reply),
	LATERAL (SELECT * FROM arima_ops.predict(name, prices) OFFSET 0) AS p, LATERAL (SELECT * FROM arima_ops.predict(name, prices, 2) WHERE horizon = 2) AS q,
	LATERAL (SELECT t.forecast * 2 AS forecast FROM arima_forecast(arima_append(m.model, (SELECT array_agg(value ORDER BY i) FROM timed AS t WHERE t.name = r.name AND i BETWEEN 121 AND r.n))) AS t) AS f
WHERE r.n >= 160 ORDER BY name, r.n;
-- as_of says when: at a session, at one that is not recorded, which counts from the last one that is, in the training and before it
SELECT r.name, at, p.lead, abs(p.forecast - 2 * (CASE r.name WHEN 'api_trend' THEN at + 1 ELSE 40 + 6 * sin(2 * pi() * (at + 1) / 52) END)) < 1 AS near
FROM (VALUES (159), (162), (119), (60), (20)) AS v (at), unnest(ARRAY['api_trend', 'api_season']) AS r (name), LATERAL (SELECT timestamptz '2024-01-01' + at * interval '1 day') AS t (as_of),
	LATERAL (SELECT array_agg(value * 2 ORDER BY i) FROM timed WHERE timed.name = r.name AND i BETWEEN at - 19 AND at) AS x (prices), LATERAL arima_ops.predict(r.name, prices, as_of => t.as_of) AS p ORDER BY 1, 2;
-- without them, from the values recorded up to there
SELECT name, p.lead, abs(p.forecast - q.forecast) < 1e-2 * p.std_error AS near FROM timed_recent, LATERAL arima_ops.predict(name, as_of => timestamptz '2024-01-01' + interval '110 days') AS p,
	LATERAL (SELECT array_agg(value * 2 ORDER BY i) FROM timed AS t WHERE t.name = timed_recent.name AND i BETWEEN 51 AND 110) AS x (values), LATERAL arima_ops.predict(name, x.values, as_of => timestamptz '2024-01-01' + interval '110 days') AS q
WHERE n = 160 ORDER BY name;
-- where nothing is recorded it is not known
BEGIN;
DELETE FROM arima_ops.actuals WHERE series = 'api_trend';
SELECT a.* FROM timed_recent, unnest(arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', prices, 'series', name)]::text[])) AS a WHERE name = 'api_trend' AND n = 160;
SELECT forecast FROM timed_recent, arima_ops.predict(name, prices, as_of => '2024-06-01') WHERE name = 'api_trend' AND n = 160;
ROLLBACK;
SELECT arima_ops.drop_series(name) FROM unnest(ARRAY['api_trend', 'api_season']) AS name;
-- a request in the prices after a split, before the recorded ones are restated: its own session, in its own prices; a mean is not free of scale
SELECT arima_ops.create_series('api_split', '(1,0,0)', policy => '{"backtest_length": 30}');
CREATE TEMP VIEW before_split AS SELECT i, '2024-01-01'::timestamptz + i * interval '1 day' AS ts, (100 + 3 * sin(i * i) + 2 * sin(i))::float8 AS value FROM generate_series(1, 105) AS i;
SELECT (arima_ops.record_actuals('api_split', array_agg(ts), array_agg(value))).inserted, arima_ops.train('api_split') FROM before_split WHERE i <= 100;
SELECT arima_ops.restate('api_split', 10, 'infinity');
CREATE TEMP TABLE split_recent AS SELECT array_agg(value * 10 ORDER BY i) AS old, array_agg(round((value * 10 / 4)::numeric, 3)::float8 ORDER BY i) AS new FROM before_split WHERE i BETWEEN 60 AND 102;
SELECT forecast AS old_forecast FROM split_recent, arima_ops.predict('api_split', old) \gset
SELECT forecast AS new_forecast, id AS from_id FROM split_recent, arima_ops.predict('api_split', new) \gset
SELECT abs(:new_forecast * 4 / :old_forecast - 1) < 1e-5 AS quarter;
SELECT status, (reply ->> 'prediction')::float8 = :new_forecast AS same FROM split_recent, unnest(arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', new, 'series', 'api_split', 'horizon', 3),
	json_build_object('recent_prices', new, 'series', 'api_split', 'horizon', 2)]::text[], ARRAY['split', NULL]));
-- as_of at the last one recorded, and at a session that will be recorded in the prices of the request
SELECT p.as_of::date, p.lead, abs(p.adjustment - 4) < 1e-3 AS recorded_prices FROM split_recent, arima_ops.predict('api_split', new[:41], as_of => (SELECT ts FROM before_split WHERE i = 100)) AS p;
SELECT p.as_of::date, p.recorded_to::date, p.lead, abs(p.adjustment - 4) < 1e-3 AS recorded_prices, p.forecast = :new_forecast AS same FROM split_recent, arima_ops.predict('api_split', new, as_of => (SELECT ts FROM before_split WHERE i = 102)) AS p;
-- as that one, in the recorded prices
SELECT p.as_of::date, p.recorded_to::date, p.lead, p.adjustment, p.forecast = :old_forecast AS same FROM split_recent, arima_ops.predict('api_split', old, as_of => (SELECT ts FROM before_split WHERE i = 102), request_id => 'old prices') AS p;
SELECT lead, horizon, abs(adjustment - 4) < 1e-3 AS recorded_prices, count(*) FROM arima_ops.predictions WHERE series = 'api_split' AND id >= :from_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- labels that come meanwhile are in recorded prices, and restated with these
BEGIN;
SELECT (arima_ops.record_actuals('api_split', array_agg(ts), array_agg(value * 10))).inserted, arima_ops.score_predictions('api_split') FROM before_split WHERE i BETWEEN 101 AND 103;
CREATE TEMP TABLE meanwhile AS SELECT p.id, q.error FROM arima_ops.predictions AS p, arima_ops.predictions AS q
	WHERE p.series = 'api_split' AND p.id >= :from_id AND p.lead = 2 AND p.horizon = 1 AND q.series = 'api_split' AND q.forecast = :old_forecast;
SELECT p.target_ts::date, abs(p.error - m.error) < 1e-2 AS as_before FROM arima_ops.predictions AS p JOIN meanwhile AS m USING (id) ORDER BY id;
SELECT (arima_ops.record_actuals('api_split', array_agg(ts), array_agg(value * 10 / 4))).revised FROM before_split WHERE i <= 103;
SELECT p.target_ts::date, abs(p.error - m.error / 4) < 1e-2 AND abs(p.adjustment - 1) < 1e-4 AS restated FROM arima_ops.predictions AS p JOIN meanwhile AS m USING (id) ORDER BY id;
ROLLBACK;
-- as a fetch does it: the values restated with the new ones among them
SELECT (arima_ops.record_actuals('api_split', array_agg(ts), array_agg(value * 10 / 4))).inserted, arima_ops.score_predictions('api_split') FROM before_split WHERE i <= 104;
SELECT p.as_of::date, p.lead, p.horizon, p.target_ts::date, abs(p.adjustment - CASE p.request_id WHEN 'old prices' THEN 0.25 ELSE 1 END) < 1e-4 AS own_prices, abs(p.error - (p.actual - p.forecast * CASE p.request_id WHEN 'old prices' THEN 0.25 ELSE 1 END)) < 1e-2 AS error FROM arima_ops.predictions AS p WHERE p.series = 'api_split' AND p.id >= :from_id ORDER BY p.id;
SELECT abs(p.forecast / :new_forecast - 1) < 1e-5 AS same, p.lead, p.adjustment FROM split_recent, arima_ops.predict('api_split', new, as_of => '2024-04-12') AS p;
SELECT arima_ops.drop_series('api_split');
-- who tries other values than those recorded gets an answer, and a label, that say nothing of the champion: it does not drift by them
SELECT arima_ops.create_series('api_tried', '(0,1,0)', policy => '{"backtest_length": 30, "drift_window": 3, "drift_min_labels": 1, "drift_consecutive": 1}');
SELECT (arima_ops.record_actuals('api_tried', array_agg(ts), array_agg(value))).inserted, arima_ops.train('api_tried') FROM before_split WHERE i <= 100;
SELECT n, placed FROM (SELECT array_agg(value ORDER BY i) AS own FROM before_split WHERE i > 60 AND i <= 100) AS x, unnest(ARRAY[1, 2, 4]) AS n,
	LATERAL arima_ops.predict('api_tried', CASE n WHEN 1 THEN own WHEN 2 THEN '{100,200,300,400,500}' END) AS p ORDER BY n;
SELECT a.status FROM (SELECT array_agg(value ORDER BY i) AS own FROM before_split WHERE i > 60 AND i <= 100) AS x,
	unnest(arima_ops.answer_requests(ARRAY[json_build_object('series', 'api_tried', 'recent_prices', own), json_build_object('series', 'api_tried', 'recent_prices', array_fill(7::float8, ARRAY[20])),
		json_build_object('series', 'api_tried', 'recent_prices', array_fill(8::float8, ARRAY[20]))]::text[], ARRAY[NULL, NULL, 'tried'])) AS a;
SELECT (arima_ops.record_actuals('api_tried', ARRAY[ts], ARRAY[value])).inserted, arima_ops.score_predictions('api_tried') FROM before_split WHERE i = 101;
SELECT placed, count(*), max(abs(error)) > 50 AS far, bool_and(actual IS NOT NULL) AS labelled FROM arima_ops.predictions WHERE series = 'api_tried' GROUP BY 1 ORDER BY 1;
SELECT labels, predictions, drift, rolling_rmse < 10 AS good FROM arima_ops.detect_drift('api_tried');
-- a request's newest values are its claim: they count where there is no forecast from the recorded ones alone, as that above was
SELECT a.status FROM (SELECT array_agg(value ORDER BY i) AS own FROM before_split WHERE i > 60 AND i <= 101) AS x, unnest(arima_ops.answer_requests(ARRAY[json_build_object('series', 'api_tried', 'recent_prices', own || 1000::float8)]::text[])) AS a;
SELECT placed, lead FROM arima_ops.predictions WHERE series = 'api_tried' ORDER BY id DESC LIMIT 1;
BEGIN;
SELECT (arima_ops.record_actuals('api_tried', array_agg(ts), array_agg(value))).inserted, arima_ops.score_predictions('api_tried') FROM before_split WHERE i IN (102, 103);
SELECT labels, predictions, rolling_rmse < 10 AS good FROM arima_ops.detect_drift('api_tried');
ROLLBACK;
SELECT (arima_ops.record_actuals('api_tried', ARRAY[ts], ARRAY[value])).inserted FROM before_split WHERE i = 102;
SELECT placed, lead FROM arima_ops.predict('api_tried');
SELECT (arima_ops.record_actuals('api_tried', ARRAY[ts], ARRAY[value])).inserted, arima_ops.score_predictions('api_tried') FROM before_split WHERE i = 103;
SELECT labels, predictions, rolling_rmse < 10 AS good FROM arima_ops.detect_drift('api_tried');
-- an as_of that the values run past
SELECT placed, lead FROM (SELECT array_agg(value ORDER BY i) AS own FROM before_split WHERE i > 60 AND i <= 103) AS x, arima_ops.predict('api_tried', own, as_of => (SELECT ts FROM before_split WHERE i = 100));
-- one to come, up to which no recorded value is among them
SELECT placed, lead FROM arima_ops.predict('api_tried', '{1,2,3}', as_of => (SELECT ts FROM before_split WHERE i = 105));
SELECT arima_ops.drop_series('api_tried');
-- a key again: the first answer to the same request, whichever way it comes; none to another, if that is known
SELECT (a.reply ->> 'prediction_id')::bigint = p.id AS first_one, a.status, a.reply -> 'detail' AS detail
FROM recent, arima_ops.predictions AS p, unnest(arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', prices, 'level', 0.95),
	'{"recent_prices":[1,2,3,4,5,6,7,8,9,10]}', json_build_object('recent_prices', prices, 'horizon', 2)]::text[], ARRAY['twice', 'twice', 'twice'])) AS a
WHERE p.series = 'api_a' AND p.request_id = 'twice';
SELECT p.id = q.id AS first_one FROM recent, arima_ops.predictions AS q, arima_ops.predict('api_a', prices, request_id => 'twice') AS p WHERE q.series = 'api_a' AND q.request_id = 'twice';
UPDATE arima_ops.predictions SET request_hash = NULL WHERE series = 'api_a' AND request_id = 'twice';
SELECT ((arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10]}'], ARRAY['twice']))[1].reply ->> 'prediction_id')::bigint
	= (SELECT id FROM arima_ops.predictions WHERE series = 'api_a' AND request_id = 'twice') AS first_one;
-- one forecast fails: it alone
SELECT arima_ops.set_policy('api_b', '{"min_recent": 1}');
SELECT a.* FROM recent, unnest(arima_ops.answer_requests(ARRAY[json_build_object('recent_prices', prices), '{"recent_prices":[5],"series":"api_b"}']::text[])) WITH ORDINALITY AS a (status, reply, i)
WHERE i = 2;
-- a body that is no JSON
SELECT a.* FROM unnest(arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2', ''])) AS a;
-- the text of a reply
SELECT arima_ops.reply(7, '2026-11-22 10:30:00.123456+00', 'a "b"', 3, '(0,1,0)(0,1,1)[12]', 0.95, '{173.45}', '{170}', '{NULL}');
SELECT arima_ops.reply(7, '2026-11-22 10:30:00+00', 'a', 3, '(10,1,0) with drift', 0.95, '{1,2}', '{0,1}', '{2,1e300}');
SELECT arima_ops.reply(7, now(), 'a', 3, '(0,1,0)', 0.95, '{1,2}', '{0}', '{2,1}');

-- PostgREST: what it sends for POST /rpc/predict, with a single unnamed argument
CREATE ROLE api_authenticator LOGIN NOINHERIT;
CREATE ROLE api_anon NOLOGIN;
GRANT api_anon TO api_authenticator;
GRANT arima_ops_user TO api_anon;
PREPARE settings(unknown,unknown,unknown,unknown,unknown,unknown,unknown) AS select set_config('search_path',$1,true), set_config('role',$2,true), set_config('request.jwt.claims',$3,true), set_config('request.method',$4,true), set_config('request.path',$5,true), set_config('request.headers',$6,true), set_config('request.cookies',$7,true);
PREPARE predict(unknown) AS WITH pgrst_source AS (SELECT pgrst_call.pgrst_scalar FROM (SELECT "arima_api"."predict"($1::json) pgrst_scalar) pgrst_call) SELECT null::bigint AS total_result_set, 1 AS page_total, coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted FROM (SELECT "predict".* FROM "pgrst_source" AS "predict"    ) _postgrest_t;
SET SESSION AUTHORIZATION api_authenticator;
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
EXECUTE settings('"arima_api", "public"', 'api_anon', '{"role":"api_anon"}', 'POST', '/rpc/predict', '{"content-type":"application/json","idempotency-key":"twice"}', '{}') \g /dev/null
EXECUTE predict('{"recent_prices":[1,2,3]}');
COMMIT;
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
EXECUTE settings('"arima_api", "public"', 'api_anon', '{"role":"api_anon"}', 'POST', '/rpc/predict', '{"content-type":"application/json"}', '{}') \g /dev/null
EXECUTE predict('{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_none"}');
COMMIT;
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
EXECUTE settings('"arima_api", "public"', 'api_anon', '{"role":"api_anon"}', 'POST', '/rpc/predict', '{"content-type":"application/json","idempotency-key":"rest"}', '{}') \g /dev/null
PREPARE quiet(unknown) AS WITH pgrst_source AS (SELECT pgrst_call.pgrst_scalar FROM (SELECT "arima_api"."predict"($1::json) pgrst_scalar) pgrst_call) SELECT coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null') ->> 'series' AS body, nullif(current_setting('response.status', true), '') AS response_status FROM (SELECT "predict".* FROM "pgrst_source" AS "predict"    ) _postgrest_t;
EXECUTE quiet('{"recent_prices":[1,2,3,4,5,6,7,8,9,10]}');
COMMIT;
-- anonymous may ask, and nothing else
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
EXECUTE settings('"arima_api", "public"', 'api_anon', '{"role":"api_anon"}', 'GET', '/monitoring', '{}', '{}') \g /dev/null
SELECT * FROM "arima_api"."monitoring";
ROLLBACK;
RESET SESSION AUTHORIZATION;
GRANT arima_ops_reader TO api_anon;
SET SESSION AUTHORIZATION api_authenticator;
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
EXECUTE settings('"arima_api", "public"', 'api_anon', '{"role":"api_anon"}', 'POST', '/rpc/forecast', '{}', '{}') \g /dev/null
WITH pgrst_source AS (SELECT "pgrst_call".* FROM (SELECT '{"horizon":2}'::json AS json_data) pgrst_payload, LATERAL (SELECT "horizon" FROM json_to_record(pgrst_payload.json_data) AS _("horizon" integer) ) pgrst_body , LATERAL "arima_api"."forecast"("horizon" := pgrst_body."horizon") pgrst_call) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, json_array_length(coalesce(json_agg(_postgrest_t), '[]')) AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted FROM (SELECT "forecast".* FROM "pgrst_source" AS "forecast"    ) _postgrest_t;
SELECT series, champion FROM "arima_api"."monitoring" WHERE series LIKE 'api%' ORDER BY series;
SELECT count(*) > 0 FROM "arima_api"."timeline" WHERE series = 'api_a';
SELECT count(*) > 0 FROM "arima_api"."leaderboard" WHERE series = 'api_a';
-- a reply has a bound
SAVEPOINT bound;
SELECT count(*) FROM arima_api.forecast('api_a', horizon => 1000);
SELECT count(*) FROM arima_api.forecast('api_a', horizon => 1001);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO bound;
SELECT * FROM arima_api.forecast('nobody');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM arima_ops.predictions WHERE series = 'api_a' AND request_id = 'api_anon rest';
-- another client's key is not that of this one
SELECT set_config('request.headers', '{"idempotency-key":"twice"}', false) \g /dev/null
SELECT (arima_api.predict('{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}') ->> 'prediction_id')::bigint
	= (SELECT id FROM arima_ops.predictions WHERE series = 'api_a' AND request_id = 'twice') AS first_one;
-- an empty one is none
SELECT set_config('request.headers', '{"idempotency-key":""}', false) \g /dev/null
SELECT arima_api.predict(format('{"recent_prices":[1,2,3,4,5,6,7,8,9,%s],"series":"api_a"}', i)::json) ->> 'detail' AS refused FROM generate_series(10, 11) AS i;
SELECT set_config('request.headers', json_build_object('idempotency-key', repeat('k', 256))::text, false) \g /dev/null
SELECT arima_api.predict('{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}') #>> '{detail,0,msg}' AS too_long, current_setting('response.status') AS status;
RESET request.headers;
RESET response.status;
-- ids that do not follow each other, as where others take some in between
ALTER SEQUENCE arima_ops.predictions_id_seq INCREMENT BY 2;
SELECT status, (reply ->> 'prediction_id')::bigint AS first_id
FROM unnest(arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","horizon":3}'], ARRAY['apart'])) \gset
SELECT :status, count(*), min(id) = :first_id, max(id) - min(id) FROM arima_ops.predictions WHERE series = 'api_a' AND request_id = 'apart';
ALTER SEQUENCE arima_ops.predictions_id_seq INCREMENT BY 1;
-- more rows than work_mem holds: no file is left open, of which there would be a warning
SET work_mem = '64kB';
SELECT status, json_array_length(reply -> 'forecasts') AS steps FROM unnest(arima_ops.answer_requests(
	array_fill('{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","horizon":1000}'::text, ARRAY[2]), ARRAY[NULL, 'large']));
RESET work_mem;
UPDATE arima_ops.series SET is_default = false, active = false WHERE name LIKE 'api%';
DROP OWNED BY api_anon;
DROP ROLE api_anon, api_authenticator;

-- the log is written without a query: a trigger of someone's own fires, a constraint holds, a transaction that only reads stays so
CREATE TEMP TABLE told (id bigint);
CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pg_temp.told VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER tell AFTER INSERT ON arima_ops.predictions FOR EACH ROW WHEN (NEW.horizon = 2) EXECUTE FUNCTION pg_temp.tell();
UPDATE arima_ops.series SET active = true WHERE name = 'api_a';
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","horizon":3}']))[1].status;
SELECT count(*) FROM told JOIN arima_ops.predictions AS p USING (id) WHERE p.series = 'api_a' AND p.horizon = 2;
DROP TRIGGER tell ON arima_ops.predictions;
-- a trigger that answers a request itself
CREATE FUNCTION pg_temp.ask() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","horizon":4}']); RETURN NEW; END $$;
CREATE TRIGGER ask AFTER INSERT ON arima_ops.predictions FOR EACH ROW WHEN (NEW.horizon = 2 AND NEW.level = 0.5) EXECUTE FUNCTION pg_temp.ask();
SELECT count(*) AS before FROM arima_ops.predictions \gset
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","horizon":3,"level":0.5}']))[1].status;
SELECT count(*) - :before AS more FROM arima_ops.predictions;
DROP TRIGGER ask ON arima_ops.predictions;
-- what was planned for the log follows the table: an index more, with a predicate, and none again
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']))[1].status;
CREATE INDEX api_halves ON arima_ops.predictions (id) WHERE level = 0.25;
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","level":0.25}']))[1].status FROM generate_series(1, 2);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
EXPLAIN (COSTS off) SELECT count(*) FROM arima_ops.predictions WHERE level = 0.25;
SELECT count(*) FROM arima_ops.predictions WHERE level = 0.25;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_indexonlyscan;
DROP INDEX arima_ops.api_halves;
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a","level":0.25}']))[1].status;
-- and the functions of its checks
CREATE FUNCTION api_most() RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1e9::float8';
ALTER TABLE arima_ops.predictions ADD CONSTRAINT api_most CHECK (forecast < api_most()) NOT VALID;
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']))[1].status FROM generate_series(1, 2);
CREATE OR REPLACE FUNCTION api_most() RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 5::float8';
\set VERBOSITY sqlstate
SELECT arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']);
ALTER TABLE arima_ops.predictions DROP CONSTRAINT api_most;
DROP FUNCTION api_most();
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']))[1].status;
ALTER TABLE arima_ops.predictions ADD CONSTRAINT api_small CHECK (forecast < 5) NOT VALID;
SELECT arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']);
ALTER TABLE arima_ops.predictions DROP CONSTRAINT api_small;
BEGIN READ ONLY;
SELECT arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']);
ROLLBACK;
\set VERBOSITY default
-- the parents are locked until the transaction ends, as a foreign key has it
BEGIN;
SELECT (arima_ops.answer_requests(ARRAY['{"recent_prices":[1,2,3,4,5,6,7,8,9,10],"series":"api_a"}']))[1].status;
SELECT l.relation::regclass, l.mode FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.mode = 'RowShareLock' AND l.relation::regclass::text LIKE 'arima_ops.%' ORDER BY 1;
ROLLBACK;
UPDATE arima_ops.series SET active = false WHERE name = 'api_a';

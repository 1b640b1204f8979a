--
-- tracking: what is written down for MLflow; the talk with it is in test/tap/mlflow.pl
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- settings
SELECT arima_ops.configure_tracking('mlflow.example.com');
SELECT arima_ops.configure_tracking('http://user:password@mlflow.example.com');
SELECT arima_ops.configure_tracking('https://mlflow.example.com/?a=b');
SELECT arima_ops.configure_tracking('https://mlflow.example.com', headers => ARRAY['authorization: Bearer abcdefgh']);
SELECT count(*) FROM arima_ops.tracking_settings;
SELECT arima_ops.configure_tracking('https://mlflow.example.com', headers => ARRAY['X-Team']);
SELECT arima_ops.configure_tracking('https://mlflow.example.com/base/', headers => ARRAY['Authorization: Bearer {secret:mlflow}']);
SELECT * FROM arima_ops.tracking_settings;
-- models of other tests are of no interest here
DELETE FROM arima_ops.tracking_outbox;
\set VERBOSITY terse
INSERT INTO arima_ops.tracking_settings (single, tracking_uri, experiment, registered_model) VALUES (false, 'https://a', 'b', 'c');
\set VERBOSITY default

-- names and texts as MLflow takes them
SELECT arima_ops.tracking_orders(s) FROM unnest(ARRAY['(2,1,3)', '(0,1,1)(2,0,1)[12] with drift']) AS s;
SELECT arima_ops.url_encode('a b&c=é/~'), arima_ops.url_encode('') = '' AS empty;
SELECT arima_ops.tracking_model_name('{series} in {database}', 'a/b:c') = 'a_b_c in ' || current_database() AS name;
SELECT arima_ops.tracking_members('{"a": 1, "b": "NaN", "c": null, "d/e": 2.5, "f": "x"}', 'number') AS metrics,
	arima_ops.tracking_members('{"a": 1, "b": "NaN", "c": null, "d/e": 2.5, "f": "x"}', 'text') AS tags,
	arima_ops.tracking_members('{"a": 1, "b": "NaN", "c": null}', 'any') AS params;
SELECT length(key) AS key, length(value #>> '{}') AS value
FROM jsonb_each(arima_ops.tracking_members(jsonb_build_object(repeat('k', 300), repeat('v', 600)), 'any'));
SELECT count(*) FROM jsonb_each(arima_ops.tracking_members((SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 200) AS i), 'number'));
SELECT arima_ops.tracking_object('{"a": 1}') AS object, arima_ops.tracking_object('<html>') IS NULL AS page,
	arima_ops.tracking_object('[1]') IS NULL AS array, arima_ops.tracking_object('\xff00') IS NULL AS binary,
	arima_ops.tracking_object(convert_to(repeat('[', 100000), 'UTF8')) IS NULL AS deep, arima_ops.tracking_object(NULL) IS NULL AS none;

-- a model's life as the outbox has it
SELECT arima_ops.create_series('track_a', '(0,1,0)', policy => '{"backtest_length": 20, "promotion_policy": "rmse_only", "cooldown": 0}');
SELECT inserted FROM arima_ops.record_actuals('track_a',
	(SELECT array_agg('2024-01-01'::timestamptz + i * interval '1 day' ORDER BY i) FROM generate_series(1, 100) AS i),
	(SELECT array_agg(10 + i % 7 + i / 3.0 ORDER BY i) FROM generate_series(1, 100) AS i));
BEGIN;
SELECT arima_ops.train('track_a');
ROLLBACK;
SELECT count(*) FROM arima_ops.tracking_outbox WHERE series = 'track_a';
SELECT arima_ops.train('track_a');
SELECT (arima_ops.retrain('track_a', true)).outcome;
SELECT arima_ops.train('track_a', '(1,1,0)');
SELECT arima_ops.promote('track_a', 3);
SELECT arima_ops.rollback('track_a');
SELECT o.version, o.stage, o.status, o.step, o.attempts, o.payload->>'run_name' AS run, o.payload#>>'{tags,model_stage}' AS model_stage
FROM arima_ops.tracking_outbox AS o WHERE o.series = 'track_a' ORDER BY o.id;
SELECT count(*) AS versions, count(DISTINCT key) AS keys, count(run_id) AS runs FROM arima_ops.tracking_runs WHERE series = 'track_a';

-- what is told of it is what the registry says
SELECT (o.payload->'params') - 'data_hash' AS params, o.payload#>>'{params,data_hash}' = m.data_hash AS data
FROM arima_ops.tracking_outbox AS o JOIN arima_ops.models AS m USING (series, version) WHERE o.series = 'track_a' AND o.version = 2;
SELECT t.key, t.value = to_jsonb(CASE t.key WHEN 'mae' THEN e.mae WHEN 'mape' THEN e.mape WHEN 'naive_rmse' THEN e.naive_rmse
	WHEN 'production_rmse' THEN e.champion_rmse ELSE e.rmse END) AS told
FROM arima_ops.tracking_outbox AS o JOIN arima_ops.evaluations AS e USING (series, version), jsonb_each(o.payload->'metrics') AS t
WHERE o.series = 'track_a' AND o.version = 2 AND t.key IN ('mae', 'rmse', 'mape', 'naive_rmse', 'candidate_rmse', 'production_rmse') ORDER BY t.key;
SELECT jsonb_pretty((o.payload->'tags') - 'arima_ops.database') AS tags, o.payload#>>'{tags,arima_ops.database}' = current_database() AS database
FROM arima_ops.tracking_outbox AS o WHERE o.series = 'track_a' AND o.version = 2;
SELECT count(*) AS lines, min(line) FILTER (WHERE i = 1) AS first, bool_and(line ~ '^2024-0[34]-\d\d,[\d.]+,[\d.]+,[\d.]+$') FILTER (WHERE i > 1) AS rest
FROM regexp_split_to_table(rtrim(arima_ops.tracking_folds('track_a', 2), E'\n'), E'\n') WITH ORDINALITY AS l (line, i);

-- said once: settings that are given again tell nothing new
SELECT arima_ops.configure_tracking('https://mlflow.example.com', headers => ARRAY['Authorization: Bearer {secret:mlflow}']);
SELECT count(*) FROM arima_ops.tracking_outbox WHERE series = 'track_a';
-- what is not sent is not lost: hosts are not listed here, and so nothing is sent
CALL arima_ops.run_tracking();
SELECT status, done, total >= 7 AS total, error FROM arima_ops.job_runs WHERE job = 'tracking' ORDER BY id DESC LIMIT 1;
SELECT version, stage, status, step, attempts, last_error FROM arima_ops.tracking_outbox WHERE series = 'track_a' ORDER BY id LIMIT 2;
-- not in a transaction
BEGIN;
CALL arima_ops.run_tracking();
ROLLBACK;

-- who may
SET ROLE arima_ops_reader;
SELECT count(*) > 0 AS seen FROM arima_ops.tracking_outbox;
SELECT arima_ops.configure_tracking(NULL);
CALL arima_ops.run_tracking();
RESET ROLE;
SET ROLE arima_ops_admin;
SELECT arima_ops.retry_tracking('track_a');
CALL arima_ops.run_tracking();
SELECT attempts FROM arima_ops.tracking_outbox WHERE series = 'track_a' ORDER BY id LIMIT 1;
SELECT arima_ops.configure_tracking(NULL);
RESET ROLE;

-- without settings nothing is written down, and nothing is sent
SELECT (arima_ops.retrain('track_a', true)).version;
SELECT count(*) FROM arima_ops.tracking_outbox WHERE series = 'track_a' AND version = 4;
CALL arima_ops.run_tracking();
SELECT status, done FROM arima_ops.job_runs WHERE job = 'tracking' ORDER BY id DESC LIMIT 1;
DELETE FROM arima_ops.tracking_outbox;
-- one answer that is not MLflow's, or of versions that are no numbers, does not end the job for the others
SELECT arima_ops.tracking_understood('find_version', 200, a) FROM unnest(ARRAY['{}', '{"model_versions": []}', '{"model_versions": {"a": 1}}']::jsonb[]) AS a;
SELECT (l.told).model_version, (l.entry).step FROM arima_ops.tracking_learn(jsonb_populate_record(NULL::arima_ops.tracking_outbox, '{"series": "t", "version": 1, "step": "find_version", "stage": "champion"}'),
	jsonb_populate_record(NULL::arima_ops.tracking_runs, '{"series": "t", "version": 1}'), jsonb_populate_record(NULL::arima_ops.tracking_settings, '{"registered_model": "m"}'),
	'{"model_versions": [{"name": "m", "version": "latest"}, {"name": "m", "version": "12"}, {"name": "m", "version": "3"}]}') AS l;

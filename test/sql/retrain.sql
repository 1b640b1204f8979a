--
-- retraining: when it is due, the gate, probation, the job
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- sums of an autoregression, and of the noise in it: the random walk is wrong for the first, right for the second
CREATE TEMP TABLE truth AS
WITH RECURSIVE ar AS (
	SELECT 0 AS i, 0::float8 AS x, 0::float8 AS before
	UNION ALL
	SELECT i + 1, 0.5 * x - 0.3 * before + hashint4(i) / 2147483648.0::float8, x FROM ar WHERE i < 600)
SELECT i, timestamptz '2023-01-01' + i * interval '1 day' AS ts, 100 + sum(x) OVER (ORDER BY i) AS ar,
	100 + sum(hashint4(i)) OVER (ORDER BY i) / 2147483648.0::float8 AS walk FROM ar WHERE i > 0;
CREATE FUNCTION pg_temp.record(series text, kind text, from_i int, to_i int, factor float8 DEFAULT 1) RETURNS bigint LANGUAGE sql AS $$
	SELECT inserted FROM arima_ops.record_actuals(series, (SELECT array_agg(ts ORDER BY i) FROM truth WHERE i BETWEEN from_i AND to_i),
		(SELECT array_agg(factor * CASE kind WHEN 'ar' THEN ar ELSE walk END ORDER BY i) FROM truth WHERE i BETWEEN from_i AND to_i))
$$;
CREATE FUNCTION pg_temp.status(name text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(version || ' ' || status || ' ' || spec, ', ' ORDER BY version) FROM arima_ops.models WHERE series = name
$$;
CREATE FUNCTION pg_temp.last_event(name text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', kind, version, message, details ->> 'why') FROM arima_ops.events WHERE series = name ORDER BY id DESC LIMIT 1
$$;

-- when it is due
SELECT arima_ops.retrain_due('re_none');
SELECT arima_ops.create_series('re_a', '(0,1,0)', policy => '{"backtest_length": 100, "retrain_every": 30}');
SELECT arima_ops.retrain_due('re_a');
SELECT arima_ops.retrain('re_a');
SELECT pg_temp.record('re_a', 'ar', 1, 300);
SELECT outcome, version, champion_version, reason, n_folds, rmse = naive_rmse AS naive, champion_rmse, gain FROM arima_ops.retrain('re_a');
SELECT pg_temp.record('re_a', 'ar', 301, 304);
SELECT * FROM arima_ops.retrain_due('re_a');
SELECT outcome, version, champion_version, reason, n_folds FROM arima_ops.retrain('re_a');
SELECT pg_temp.record('re_a', 'ar', 305, 329);
SELECT * FROM arima_ops.retrain_due('re_a');
SELECT pg_temp.record('re_a', 'ar', 330, 330);
SELECT * FROM arima_ops.retrain_due('re_a');

-- the gate: a better model replaces the champion, and its numbers are those of an independent computation
SELECT arima_ops.set_policy('re_a', '{"spec": "(2,1,0)"}');
SELECT outcome, version, champion_version, reason, n_folds FROM arima_ops.retrain('re_a');
SELECT pg_temp.status('re_a'), pg_temp.last_event('re_a');
SELECT version, champion_version, kind, policy, decision, bool_and(abs(a - b) <= 1e-9 * (1 + abs(b))) AS same
FROM arima_ops.evaluations AS e,
	LATERAL (SELECT array_agg(ar ORDER BY i) AS y FROM truth WHERE i <= 330) AS h,
	LATERAL (SELECT rolling_rmse(c.forecast, c.actual) AS rmse, rolling_mae(c.forecast, c.actual) AS mae, rolling_mape(c.forecast, c.actual) AS mape,
			rolling_rmse(o.forecast, o.actual) AS old_rmse, rolling_mae(o.forecast, o.actual) AS old_mae, rolling_mape(o.forecast, o.actual) AS old_mape,
			rolling_smape(o.forecast, o.actual) AS old_smape, rolling_rmse(h.y[origin], c.actual) AS naive,
			array_agg(c.actual - c.forecast ORDER BY origin) AS e, array_agg(o.actual - o.forecast ORDER BY origin) AS old_e
		FROM arima_backtest(h.y, '(2,1,0)', 230) AS c JOIN arima_backtest((SELECT model FROM arima_ops.models WHERE series = 're_a' AND version = 1), h.y, 230) AS o USING (origin)) AS w,
	LATERAL arima_diebold_mariano_test(w.old_e, w.e, 1, 2, 'greater') AS t,
	LATERAL unnest(ARRAY[e.rmse, e.mae, e.mape, e.champion_rmse, e.champion_mae, e.champion_mape, e.champion_smape, e.naive_rmse, e.gain, e.dm_statistic, e.dm_p_value],
		ARRAY[w.rmse, w.mae, w.mape, w.old_rmse, w.old_mae, w.old_mape, w.old_smape, w.naive, 1 - w.rmse / w.old_rmse, t.statistic, t.p_value]) AS u (a, b)
WHERE e.series = 're_a' AND e.version = 2 GROUP BY 1, 2, 3, 4, 5;
-- the event has them all
SELECT e.kind, bool_and(abs((e.details ->> k)::float8 - (to_jsonb(v) ->> k)::float8) < 1e-12) AS same, count(*)
FROM arima_ops.events AS e JOIN arima_ops.evaluations AS v USING (series, version),
	unnest(ARRAY['rmse', 'mae', 'mape', 'champion_rmse', 'champion_mae', 'champion_mape', 'naive_rmse', 'gain', 'dm_statistic', 'dm_p_value']) AS k
WHERE series = 're_a' AND version = 2 GROUP BY e.kind;
-- the next request is answered by it, and drift is measured against its errors in the folds
SELECT p.version, m.reference_rmse = e.rmse AS reference FROM arima_ops.predict('re_a') AS p JOIN arima_ops.models AS m USING (series, version) JOIN arima_ops.evaluations AS e USING (series, version);
-- not again before there are new sessions, unless forced; the same model is no better than itself
SELECT outcome, version, champion_version, reason FROM arima_ops.retrain('re_a');
SELECT outcome, version, champion_version, reason, rmse >= champion_rmse AS worse FROM arima_ops.retrain('re_a', force => true);
SELECT pg_temp.status('re_a'), pg_temp.last_event('re_a');
-- the way back
SELECT arima_ops.rollback('re_a');
SELECT pg_temp.status('re_a');

-- policies, on errors made up: equal ones, better ones, those of a worse model than naive
CREATE TEMP TABLE errors AS
SELECT array_agg(e ORDER BY i) AS e, array_agg(e * 1.005 ORDER BY i) AS slightly, array_agg(e * 1.2 ORDER BY i) AS clearly,
	array_agg(e + CASE i WHEN 7 THEN 3 ELSE 0 END ORDER BY i) AS once, array_agg(-e ORDER BY i) AS mirrored
FROM (SELECT i, hashint4(i) / 2147483648.0::float8 AS e FROM generate_series(1, 200) AS i) AS x;
SELECT policy, champion, j.promote, round(j.gain::numeric, 4) AS gain, round(j.dm_p_value::numeric, 4) AS p, j.reason
FROM errors, unnest(ARRAY['rmse_only', 'significant']) AS policy,
	LATERAL (VALUES (1, 'equal', errors.e, 1), (2, 'mirrored', mirrored, 1), (3, 'slightly worse', slightly, 1), (4, 'clearly worse', clearly, 1),
		(5, 'worse once', once, 1), (6, 'clearly worse, naive better', clearly, 0.1)) AS c (n, champion, old, naive),
	LATERAL arima_ops.judge(policy, 0.01, 0.05, errors.e, c.old, c.naive) AS j
ORDER BY policy, c.n;
SELECT * FROM arima_ops.judge('significant', 0, 0.05, '{0,0,0}', '{0,0,0}', 1);
SELECT promote, gain, reason FROM arima_ops.judge('significant', 0, 0.05, '{1,-1,1}', '{0,0,0}', 1);
SELECT promote, gain, reason FROM arima_ops.judge('significant', 0, 0.5, '{0,0,0}', '{1,-2,1}', 1);

-- rmse_only: the original rule
SELECT arima_ops.create_series('re_b', '(0,1,0)', policy => '{"backtest_length": 100, "promotion_policy": "rmse_only", "cooldown": 0}');
SELECT pg_temp.record('re_b', 'ar', 1, 300), (arima_ops.retrain('re_b')).outcome;
SELECT outcome, reason, gain, dm_p_value FROM arima_ops.retrain('re_b', true);
SELECT arima_ops.set_policy('re_b', '{"spec": "(2,1,0)"}');
SELECT outcome, reason, gain > 0.05 AS gain FROM arima_ops.retrain('re_b', true);
SELECT policy, decision, champion_version FROM arima_ops.evaluations WHERE series = 're_b' ORDER BY id;

-- too few values to compare: the champion stays, and that is said
SELECT arima_ops.create_series('re_c', '(0,1,0)', policy => '{"cooldown": 0}');
SELECT pg_temp.record('re_c', 'ar', 1, 20);
SELECT outcome, version, champion_version, reason, n_folds, rmse FROM arima_ops.retrain('re_c');
SELECT outcome, version, champion_version, reason, n_folds FROM arima_ops.retrain('re_c', true);
SELECT pg_temp.status('re_c'), pg_temp.last_event('re_c'), (SELECT count(*) FROM arima_ops.evaluations WHERE series = 're_c');

-- a split: the champion is compared in the prices of today, and the model is trained anew on them
SELECT pg_temp.record('re_b', 'ar', 301, 310), arima_ops.restate('re_b', 0.25, (SELECT ts FROM truth WHERE i = 310));
SELECT * FROM arima_ops.retrain_due('re_b');
SELECT outcome, reason, abs(gain) < 0.05 AS about_equal FROM arima_ops.retrain('re_b');
SELECT version, status, adjustment FROM arima_ops.models WHERE series = 're_b' ORDER BY version;
SELECT * FROM arima_ops.retrain_due('re_b');

-- drift makes it due, and within probation brings the former champion back
SELECT arima_ops.create_series('re_d', '(0,1,0)', policy => '{"backtest_length": 100, "probation": 20}');
SELECT pg_temp.record('re_d', 'walk', 1, 300), arima_ops.train('re_d'), arima_ops.train('re_d', '(0,1,1)'), arima_ops.promote('re_d', 2, 'to be tried');
CREATE FUNCTION pg_temp.live(name text, from_i int, to_i int, loudness float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR k IN from_i .. to_i LOOP
		PERFORM arima_ops.predict(name);
		INSERT INTO arima_ops.actuals (series, ts, value)
		SELECT name, t.ts, 100 + loudness * (t.walk - 100) FROM truth AS t WHERE t.i = k;
		PERFORM arima_ops.score_predictions(name), arima_ops.detect_drift(name);
	END LOOP;
END $$;
SELECT pg_temp.live('re_d', 301, 314, 1);
SELECT arima_ops.in_drift('re_d'), arima_ops.check_probation('re_d');
SELECT * FROM arima_ops.retrain_due('re_d');
SELECT pg_temp.live('re_d', 315, 318, 3);
SELECT arima_ops.in_drift('re_d');
SELECT * FROM arima_ops.retrain_due('re_d');
SELECT arima_ops.check_probation('re_d');
SELECT pg_temp.status('re_d'), pg_temp.last_event('re_d');
-- who came back is not on probation, although it drifts as well
SELECT arima_ops.in_drift('re_d');
SELECT * FROM arima_ops.retrain_due('re_d');
SELECT pg_temp.live('re_d', 319, 345, 3);
SELECT arima_ops.in_drift('re_d'), arima_ops.check_probation('re_d');
-- later drift is no matter of probation either
SELECT arima_ops.create_series('re_e', '(0,1,0)', policy => '{"backtest_length": 100, "probation": 14}');
SELECT pg_temp.record('re_e', 'walk', 1, 300), arima_ops.train('re_e'), arima_ops.train('re_e', '(0,1,1)'), arima_ops.promote('re_e', 2);
SELECT pg_temp.live('re_e', 301, 315, 1), pg_temp.live('re_e', 316, 319, 3);
SELECT arima_ops.in_drift('re_e'), arima_ops.check_probation('re_e');
SELECT * FROM arima_ops.retrain_due('re_e');
-- drift with nothing new since the last try is not due again
SELECT outcome, reason FROM arima_ops.retrain('re_e');
SELECT arima_ops.in_drift('re_e'), d.* FROM arima_ops.retrain_due('re_e') AS d;

-- nor is what a former series of the name had been tried for
BEGIN;
SELECT arima_ops.create_series('re_again', policy => '{"backtest_length": 100}') FROM arima_ops.record_event('rejection', 're_again', 2, 'by a former series', '{"why": "drift"}');
SELECT pg_temp.record('re_again', 'walk', 1, 300), arima_ops.train('re_again', '(0,1,0)');
SELECT pg_temp.live('re_again', 301, 315, 1), pg_temp.live('re_again', 316, 319, 3), arima_ops.train('re_again', '(0,1,1)'), pg_temp.live('re_again', 320, 320, 3);
SELECT * FROM arima_ops.retrain_due('re_again');
ROLLBACK;

-- the job: all that are due, each in a transaction of its own; who fails is an event
SELECT arima_ops.create_series('re_f', '(0,1,1)', '{"lambda": 0}'), arima_ops.create_series('re_g', '(0,1,0)'), arima_ops.create_series('re_h', '(2,1,0)');
SELECT pg_temp.record('re_f', 'walk', 1, 100, -1), pg_temp.record('re_h', 'ar', 1, 300);
CREATE TEMP TABLE paused AS SELECT name FROM arima_ops.series WHERE active AND (name NOT LIKE 're\_%' OR name = 're_a');
UPDATE arima_ops.series SET active = false WHERE name IN (TABLE paused);
SELECT arima_ops.set_policy('re_c', '{"retrain_every": 10}'), pg_temp.record('re_c', 'ar', 21, 60);
SELECT arima_ops.series_to_retrain(false);
CALL arima_ops.run_retraining(workers => -1);
SELECT count(*) AS begun FROM arima_ops.job_runs WHERE job = 'retraining' AND status = 'running';
CALL arima_ops.run_retraining(workers => 2);
SELECT job, status, done, total, error FROM arima_ops.job_runs WHERE job = 'retraining' ORDER BY id DESC LIMIT 1;
SELECT s, pg_temp.status(s), pg_temp.last_event(s) FROM unnest(ARRAY['re_a', 're_c', 're_f', 're_g', 're_h']) AS s;
SELECT details FROM arima_ops.events WHERE kind = 'retrain_failed' AND series = 're_f';
SELECT arima_ops.series_to_retrain(false);
SELECT count(*) FROM arima_ops.models WHERE series IN ('re_b', 're_c', 're_d', 're_e', 're_h');
CALL arima_ops.run_retraining(force => true, workers => 0, batch => 2);
SELECT status, done, total, error FROM arima_ops.job_runs WHERE job = 'retraining' ORDER BY id DESC LIMIT 1;
SELECT count(*) FROM arima_ops.models WHERE series IN ('re_b', 're_c', 're_d', 're_e', 're_h');
-- one champion each
SELECT series, count(*) FILTER (WHERE status = 'champion') AS champions FROM arima_ops.models WHERE series LIKE 're\_%' GROUP BY series ORDER BY series;
BEGIN;
CALL arima_ops.run_retraining();
ROLLBACK;
UPDATE arima_ops.series SET active = true WHERE name IN (TABLE paused);

-- ---- a session of a wrong year, seen only after a model was trained on it ----
SELECT arima_ops.create_series('re_year', '(0,1,1)', calendar => 'none', policy => '{"backtest_length": 20}');
SELECT arima_ops.record_actuals('re_year', array_agg('2024-01-01 00:00+00'::timestamptz + i * interval '24 hours'), array_agg(100 + sin(i))) FROM generate_series(1, 60) AS i;
SELECT arima_ops.record_actuals('re_year', ARRAY['2204-03-02 00:00+00'::timestamptz], ARRAY[100]);
SELECT arima_ops.train('re_year');
DELETE FROM arima_ops.actuals WHERE series = 're_year' AND ts > '2200-01-01';
SELECT champion_from AT TIME ZONE 'UTC' FROM arima_ops.models WHERE series = 're_year';
SELECT * FROM arima_ops.retrain_due('re_year');
DO $$
BEGIN
	FOR i IN 61 .. 80 LOOP
		PERFORM arima_ops.predict('re_year');
		PERFORM arima_ops.record_actuals('re_year', ARRAY['2024-01-01 00:00+00'::timestamptz + i * interval '24 hours'], ARRAY[100 + 50 * sin(i)]);
		PERFORM arima_ops.score_predictions('re_year');
	END LOOP;
END $$;
SELECT labels, drift FROM arima_ops.detect_drift('re_year');
SELECT * FROM arima_ops.retrain_due('re_year');
SELECT outcome FROM arima_ops.retrain('re_year');
SELECT * FROM arima_ops.retrain_due('re_year');
SELECT arima_ops.drop_series('re_year');

-- a champion with Fourier terms is judged in its own phase, wherever the folds' history begins: its errors are the noise's, 0.5
SELECT arima_ops.create_series('re_wave', '(1,0,0)[12] with fourier(1)', policy => '{"train_window": 55, "backtest_length": 20}');
CREATE TEMP TABLE wave AS
SELECT i, timestamptz '2023-01-01' + i * interval '1 day' AS ts, 50 + 10 * sin(i * pi() / 6) + hashint4(i) / 2147483648.0 AS value FROM generate_series(1, 137) AS i;
SELECT inserted FROM arima_ops.record_actuals('re_wave', (SELECT array_agg(ts ORDER BY i) FROM wave WHERE i <= 120), (SELECT array_agg(value ORDER BY i) FROM wave WHERE i <= 120));
SELECT arima_ops.train('re_wave');
SELECT inserted FROM arima_ops.record_actuals('re_wave', (SELECT array_agg(ts ORDER BY i) FROM wave WHERE i > 120), (SELECT array_agg(value ORDER BY i) FROM wave WHERE i > 120));
SELECT n_folds, champion_rmse < 0.7 AS champion_in_phase, champion_rmse / rmse BETWEEN 0.8 AND 1.2 AS alike FROM arima_ops.retrain('re_wave', force => true);
-- a value that came late into its training is none of its time
SELECT inserted FROM arima_ops.record_actuals('re_wave', ARRAY[timestamptz '2023-04-20 12:00+00'], ARRAY[50]);
SELECT n_folds, champion_rmse < 0.7 AS champion_in_phase FROM arima_ops.retrain('re_wave', force => true);
-- nor does one that is removed, of the training or the last, change the time of others; predict and POST /predict agree
CREATE FUNCTION pg_temp.number_of(i int) RETURNS int LANGUAGE sql AS $$
	SELECT arima_ops.session_number(m, timestamptz '2023-01-01' + i * interval '1 day') - m.n FROM arima_ops.models AS m WHERE series = 're_wave' AND status = 'champion'
$$;
SELECT arima_ops.train('re_wave'), (SELECT max(version) FROM arima_ops.models WHERE series = 're_wave') AS version \gset
SELECT arima_ops.promote('re_wave', :version) IS NOT NULL AS promoted;
SELECT pg_temp.number_of(137) AS last, pg_temp.number_of(130) AS earlier;
SELECT inserted FROM arima_ops.record_actuals('re_wave', ARRAY[timestamptz '2023-05-15 12:00+00'], ARRAY[50]);
SELECT pg_temp.number_of(137) AS last, pg_temp.number_of(130) AS earlier;
DELETE FROM arima_ops.actuals WHERE series = 're_wave' AND ts > timestamptz '2023-01-01' + interval '134 days';
SELECT pg_temp.number_of(134) AS last, pg_temp.number_of(130) AS earlier;
SELECT abs(forecast - (50 + 10 * sin(135 * pi() / 6))) < 2 AS in_phase,
	abs(forecast - (SELECT (a.reply::jsonb ->> 'prediction')::float8 FROM unnest(arima_ops.answer_requests(ARRAY[jsonb_build_object('series', 're_wave', 'recent_prices', recent)::text])) AS a)) < 1e-9 AS as_posted
FROM (SELECT array_agg(value ORDER BY i) AS recent FROM wave WHERE i BETWEEN 100 AND 134) AS w, arima_ops.predict('re_wave', recent);
-- ---- the last values deleted and recorded anew: a champion is not one for longer, be the calendar of today or made up ----
SELECT arima_ops.create_series(name, '(0,1,0)', calendar => 'none', policy => '{"backtest_length": 20, "drift_min_labels": 2, "drift_consecutive": 1}') FROM unnest(ARRAY['re_past', 're_future']) AS name;
CREATE TEMP TABLE anew AS SELECT name, timestamptz '2024-01-01' + year + i * interval '24 hours' AS ts, i, 100 + CASE WHEN i < 55 THEN 1 ELSE 20 END * (hashint4(i) / 2147483648.0) AS value
FROM (VALUES ('re_past', interval '0'), ('re_future', interval '200 years')) AS v (name, year), generate_series(1, 60) AS i;
INSERT INTO arima_ops.actuals (series, ts, value) SELECT name, ts, value FROM anew WHERE i <= 50;
SELECT name, arima_ops.train(name), arima_ops.train(name, '(0,1,1)') FROM (SELECT DISTINCT name FROM anew) AS a ORDER BY name;
DO $$
DECLARE
	next record;
BEGIN
	FOR next IN SELECT * FROM anew WHERE i > 50 ORDER BY i, name LOOP
		PERFORM arima_ops.predict(next.name);
		INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast) SELECT p.series, 2, p.as_of, 0, p.forecast FROM arima_ops.predictions AS p WHERE p.series = next.name ORDER BY id DESC LIMIT 1;
		INSERT INTO arima_ops.actuals (series, ts, value) VALUES (next.name, next.ts, next.value);
		PERFORM arima_ops.score_predictions(next.name);
	END LOOP;
END $$;
SELECT name, arima_ops.promote(name, 2) FROM (SELECT DISTINCT name FROM anew) AS a ORDER BY name;
BEGIN;
DELETE FROM arima_ops.actuals AS a USING anew WHERE a.series = name AND a.ts = anew.ts AND i > 50;
INSERT INTO arima_ops.actuals (series, ts, value) SELECT name, ts, value FROM anew WHERE i > 50;
COMMIT;
SELECT series, champion_from FROM arima_ops.models WHERE series IN ('re_past', 're_future') AND status = 'champion' ORDER BY series;
SELECT name, arima_ops.score_predictions(name) FROM (SELECT DISTINCT name FROM anew) AS a ORDER BY name;
SELECT name, d.labels, d.drift, arima_ops.check_probation(name) FROM (SELECT DISTINCT name FROM anew) AS a, arima_ops.detect_drift(name) AS d ORDER BY name;
SELECT name, r.reason FROM (SELECT DISTINCT name FROM anew) AS a, arima_ops.retrain_due(name) AS r ORDER BY name;
SELECT arima_ops.drop_series(name) FROM unnest(ARRAY['re_past', 're_future']) AS name;

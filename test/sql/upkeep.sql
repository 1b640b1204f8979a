--
-- left alone for long: what the doctor finds and what mends it, what retention removes, a series that goes;
-- in a database of its own, which is gone in the end
--
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
\set home :DBNAME
DROP DATABASE IF EXISTS arima_ops_upkeep;
CREATE DATABASE arima_ops_upkeep;
\c arima_ops_upkeep
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION arima_ops;
-- a check, without what the day or the machine has in it
CREATE FUNCTION finding(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', d.status, regexp_replace(regexp_replace(d.finding, '\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?', 'DATE', 'g'), '\d+ [kM]B, \w+', 'SIZE, TABLE'), d.mend)
	FROM (SELECT * FROM arima_ops.doctor_jobs() UNION ALL SELECT * FROM arima_ops.doctor_series() UNION ALL SELECT * FROM arima_ops.doctor_sessions() UNION ALL SELECT * FROM arima_ops.doctor_outboxes() UNION ALL SELECT * FROM arima_ops.doctor_labels() UNION ALL SELECT * FROM arima_ops.doctor_requests()
		UNION ALL SELECT * FROM arima_ops.doctor_size() UNION ALL SELECT * FROM arima_ops.doctor_false_alarms() WHERE wanted = 'false alarms') AS d
	WHERE d.check_name = wanted
$$;

-- ---- the doctor ----

-- nothing there yet
SELECT check_name, status FROM arima_ops.doctor() WHERE check_name <> 'schedule';
-- each problem has a mend, and what is well has none
SELECT check_name FROM arima_ops.doctor() WHERE (status = 'ok') <> (mend IS NULL);

-- a series without model, then with one
SELECT arima_ops.create_series('s', '(0,1,1)', policy => '{"backtest_length": 30, "retention": "1 year", "drift_policy": "cusum"}');
SELECT arima_ops.record_actuals('s', array_agg(now() - (200 - i) * interval '1 day'), array_agg(100 + 3 * sin(i) + i / 20.0)) FROM generate_series(1, 190) AS i;
SELECT finding('champions');
SELECT arima_ops.train('s');
SELECT finding('champions');
-- values stay away
SELECT finding('data');
UPDATE arima_ops.series SET calendar = 'none';
SELECT finding('data');
-- a value of a wrong year, whatever the calendar; none, where it is of tomorrow elsewhere
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('s', now() + interval '47 hours', 1);
SELECT finding('dates');
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('s', now() + interval '9 years', 1);
SELECT finding('dates'), finding('data');
SELECT split_part(mend, ';', 1) AS mend FROM arima_ops.doctor_series() WHERE check_name = 'dates' \gset
:mend;
SELECT finding('dates');
DELETE FROM arima_ops.actuals WHERE ts > now();
-- jobs: failed, dead, stuck, forgotten
CALL arima_ops.run_retention();
SELECT finding('job retention');
UPDATE arima_ops.job_runs SET started_at = now() - interval '20 days', finished_at = now() - interval '20 days' WHERE job = 'retention';
SELECT finding('job retention');
UPDATE arima_ops.job_runs SET started_at = now() - interval '10 days', finished_at = now() - interval '10 days' WHERE job = 'retention';
SELECT finding('job retention');
INSERT INTO arima_ops.job_runs (job, pid) VALUES ('etl', 0);
SELECT finding('job etl');
CREATE FUNCTION finding_within() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE arima_ops.job_runs SET pid = pg_backend_pid(), started_at = clock_timestamp() WHERE job = 'etl';
	RETURN finding('job etl');
END $$;
SELECT finding_within();
-- the session goes on with another statement, as after a cancelled job
SELECT regexp_replace(finding('job etl'), '\d{2,}', 'PID');
-- another process of the same number, or one that hangs
UPDATE arima_ops.job_runs SET started_at = now() - interval '1 hour' WHERE job = 'etl';
SELECT regexp_replace(finding('job etl'), '\d{2,}', 'PID') = 'problem | began DATE, and its server process PID is gone or does something else | CALL arima_ops.run_etl(); it goes on where it was';
SELECT arima_ops.end_job(id, 'failed', '1 of 2 series could not be fetched: see the events fetch_failed') FROM arima_ops.job_runs WHERE job = 'etl';
SELECT finding('job etl');
-- labels that wait for the job
SELECT count(*) FROM arima_ops.predict('s', horizon => 2);
SELECT inserted FROM arima_ops.record_actuals('s', ARRAY[now()], ARRAY[110]);
SELECT finding('labels');
CALL arima_ops.run_etl();
SELECT finding('labels'), finding('job etl');
-- values revised since training
UPDATE arima_ops.actuals SET value = value + 1 WHERE ts = (SELECT min(ts) FROM arima_ops.actuals);
SELECT finding('history');
SELECT outcome FROM arima_ops.retrain('s', force => true);
SELECT finding('history');
-- false alarms; the multiplier is told as it is, whatever the session's digits
SELECT finding('false alarms');
BEGIN;
SELECT arima_ops.set_policy('s', '{"drift_policy": "rolling_rmse", "drift_multiplier": 1.75}');
SET LOCAL extra_float_digits = -15;
SELECT finding('false alarms');
ROLLBACK;
UPDATE arima_ops.series SET drift_policy = 'none';
SELECT finding('false alarms');
-- MLflow and webhooks
SELECT arima_ops.configure_tracking('http://127.0.0.1:9');
SELECT finding('tracking');
UPDATE arima_ops.tracking_outbox SET created_at = now() - interval '2 days';
SELECT finding('tracking');
UPDATE arima_ops.tracking_outbox SET status = 'parked', last_error = 'log: 400 INVALID_PARAMETER_VALUE, too long';
SELECT finding('tracking');
SELECT arima_ops.retry_tracking();
INSERT INTO arima_ops.webhooks (name, url) VALUES ('hook', 'http://127.0.0.1:9');
INSERT INTO arima_ops.alert_outbox (webhook, event, attempts, last_error) SELECT 'hook', min(id), 3, 'connect: no' FROM arima_ops.events;
SELECT finding('alerts');
-- labels of values that changed, went or came between without a trigger
SELECT finding('label values');
CREATE FUNCTION behind_its_back(change text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE change;
	SET LOCAL session_replication_role = origin;
	RETURN finding('label values');
END $$;
SELECT behind_its_back('UPDATE arima_ops.actuals SET value = 111 WHERE ts = (SELECT max(target_ts) FROM arima_ops.predictions)');
SELECT split_part(mend, ';', 1) FROM arima_ops.doctor_labels() \gexec
SELECT finding('label values'), actual FROM arima_ops.predictions WHERE target_ts IS NOT NULL;
SELECT behind_its_back($$INSERT INTO arima_ops.actuals (series, ts, value) SELECT 's', min(as_of) + interval '1 hour', 112 FROM arima_ops.predictions$$) ~ '^problem';
SELECT split_part(mend, ';', 1) FROM arima_ops.doctor_labels() \gexec
SELECT finding('label values'), horizon, actual FROM arima_ops.predictions WHERE target_ts IS NOT NULL ORDER BY horizon;
SELECT behind_its_back('DELETE FROM arima_ops.actuals WHERE value = 112') ~ '^problem';
SELECT split_part(mend, ';', 1) FROM arima_ops.doctor_labels() \gexec
SELECT finding('label values'), horizon, actual FROM arima_ops.predictions ORDER BY horizon;
-- sessions that are missing or there twice: none in a series of months, of their last days, of quarters, of each day or of an exchange with its
-- holidays and nights, in none without a season; whatever the calendar says
SELECT finding('missing sessions'), finding('doubled sessions');
BEGIN;
CREATE TEMP TABLE regular AS
SELECT name, spec, calendar, ts FROM (VALUES ('first', '(0,1,1)(0,1,1)[12]', 'monthly', '1 month'), ('first by default', 'auto[12]', 'weekdays', '1 month'), ('quarters', 'auto[4]', 'quarterly', '3 months'),
	('weeks', '(0,1,1)(0,1,1)[52]', 'weekly', '7 days'), ('each day', '(1,0,0)(1,0,0)[7]', 'none', '1 day'), ('no season', '(0,1,1)', 'monthly', '1 month')) AS v (name, spec, calendar, step),
	generate_series(timestamptz '2010-01-01', '2020-12-31', step::interval) AS ts
UNION ALL SELECT 'last', '(1,0,0)(1,0,0)[12]', 'none', ts - interval '1 day' FROM generate_series(timestamptz '2010-01-01', '2020-12-31', '1 month') AS ts
UNION ALL SELECT name, '(1,0,0)(1,0,0)[5]', calendar, ts FROM (VALUES ('exchange', 'weekdays'), ('exchange by none', 'none')) AS v (name, calendar), generate_series(timestamptz '2018-01-01', '2020-12-31', '1 day') AS ts
	WHERE extract(isodow FROM ts) < 6 AND NOT (extract(month FROM ts) = 10 AND extract(day FROM ts) < 8 OR extract(month FROM ts) = 12 AND extract(day FROM ts) IN (25, 26))
UNION ALL SELECT 'hours', '(1,0,0)(1,0,0)[8]', 'none', ts FROM generate_series(timestamptz '2020-01-01', '2020-03-31', '1 hour') AS ts WHERE extract(isodow FROM ts) < 6 AND extract(hour FROM ts) BETWEEN 9 AND 16;
SELECT arima_ops.create_series(name, spec, calendar => calendar) FROM regular GROUP BY name, spec, calendar ORDER BY name;
INSERT INTO arima_ops.actuals (series, ts, value) SELECT name, ts, 1 FROM regular;
SELECT finding('missing sessions'), finding('doubled sessions');
-- two months, a quarter, a week, a day, three weeks of an exchange; months without a season
DELETE FROM arima_ops.actuals WHERE series IN ('first', 'first by default', 'no season') AND ts IN ('2015-02-01', '2015-03-01');
DELETE FROM arima_ops.actuals WHERE series = 'last' AND ts IN ('2015-02-28', '2016-02-29');
DELETE FROM arima_ops.actuals WHERE series = 'quarters' AND ts = '2015-04-01' OR series = 'weeks' AND ts = (SELECT ts FROM regular WHERE name = 'weeks' ORDER BY ts OFFSET 20 LIMIT 1) OR series = 'each day' AND ts = '2015-03-29'
	OR series LIKE 'exchange%' AND ts BETWEEN '2019-03-04' AND '2019-03-24';
SELECT series, before, ts, missing, first_missing FROM arima_ops.series AS s, arima_ops.odd_sessions(s.name) AS o (before, ts, doubled, missing, first_missing), LATERAL (SELECT s.name AS series) AS n
WHERE s.name <> 's' ORDER BY series, before;
SELECT finding('missing sessions');
-- outside the training window, or of a series at rest, nothing is looked for; an estimate mends it
UPDATE arima_ops.series SET active = name IN ('s', 'first', 'last');
SELECT arima_ops.set_policy('last', '{"train_window": 50}');
SELECT finding('missing sessions');
SELECT inserted FROM arima_ops.record_actuals('first', ARRAY['2015-02-01', '2015-03-01']::timestamptz[], ARRAY[1, 1], 'estimate');
SELECT finding('missing sessions');
-- a date in local time
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'first', ts - interval '5 hours', 1 FROM regular WHERE name = 'first' AND ts >= '2020-11-01';
SELECT finding('doubled sessions'), finding('missing sessions');
DELETE FROM arima_ops.actuals WHERE series = 'first' AND extract(hour FROM ts) = 19;
SELECT finding('doubled sessions');
-- requests in other prices than those recorded
SELECT finding('requests');
SELECT count(*) FROM generate_series(1, 12) AS k, LATERAL arima_ops.predict('s', CASE WHEN k <= 6 THEN (SELECT array_agg(value ORDER BY ts) FROM arima_ops.actuals WHERE series = 's') ELSE ARRAY[k, 2, 3, 4] END) AS p;
SELECT finding('requests');
SELECT count(*) FROM arima_ops.predict('s', '{9,2,3,4}');
SELECT finding('requests');
DELETE FROM arima_ops.predictions WHERE series = 's' AND history_len > 0;
-- the season may be the champion's
UPDATE arima_ops.series SET active = name = 'no season';
SELECT finding('missing sessions');
INSERT INTO arima_ops.models (series, version, status, spec, model, trained_from, trained_to, n, data_hash, promoted_at, champion_from)
SELECT 'no season', 1, 'champion', '(0,1,1)(0,1,1)[12]', model, trained_from, trained_to, n, data_hash, now(), now() FROM arima_ops.models WHERE series = 's' LIMIT 1;
SELECT finding('missing sessions');
ROLLBACK;
-- size, and whether it is bounded
SELECT finding('size');

-- ---- retention ----

-- an old prediction with its check, one that was scored lately although it is of an old session, a former value of long ago
INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast, target_ts, actual, scored_at)
SELECT 's', 1, '2001-01-01', 0, i, '2001-01-02', 1, CASE i WHEN 1 THEN now() - interval '2 years' ELSE now() END FROM generate_series(1, 2) AS i;
INSERT INTO arima_ops.drift_checks (series, ts, version, predictions, session_rmse, session_error, labels, rolling_rmse, policy, breach, consecutive, drift, cusum, bias_above, bias_below, checked_at)
SELECT 's', '2001-01-01'::timestamptz + i * interval '1 day', 1, 1, 1, 1, i, 1, 'none', false, 0, false, 0, 0, 0, CASE i WHEN 1 THEN now() - interval '2 years' ELSE now() END FROM generate_series(1, 2) AS i;
-- a check that is out of date, of a champion that is none any more: nobody does it again
INSERT INTO arima_ops.drift_checks (series, ts, version, predictions, session_rmse, session_error, labels, rolling_rmse, policy, breach, consecutive, drift, cusum, bias_above, bias_below, checked_at)
SELECT 's', '2001-01-04', 1, 1, 1, 1, 1, 1, 'none', false, 0, false, 0, 0, 0, NULL;
INSERT INTO arima_ops.actual_revisions (series, ts, old_value, new_value, revised_at) SELECT name, '2001-01-01', 1, 2, now() - interval '2 years' FROM (VALUES ('s'), ('of no retention')) AS v (name);
INSERT INTO arima_ops.job_runs (job, started_at, finished_at, status) SELECT 'old', now() - interval '100 days', now() - interval '100 days', 'succeeded' FROM generate_series(1, 2);
CALL arima_ops.run_retention();
SELECT forecast FROM arima_ops.predictions WHERE as_of = '2001-01-01';
SELECT ts FROM arima_ops.drift_checks WHERE ts < '2002-01-01';
SELECT series FROM arima_ops.actual_revisions WHERE ts = '2001-01-01';
SELECT count(*) AS the_last_one_stays FROM arima_ops.job_runs WHERE job = 'old';
SELECT status, done, total FROM arima_ops.job_runs WHERE job = 'retention' ORDER BY id DESC LIMIT 1;
CALL arima_ops.run_retention();
SELECT status, done, total FROM arima_ops.job_runs WHERE job = 'retention' ORDER BY id DESC LIMIT 1;

-- sessions are few and far between: the window of the next check stays, though it is older than the retention
SELECT arima_ops.create_series('quarters', '(0,1,0)', calendar => 'none', policy => '{"backtest_length": 20, "retention": "1 year", "drift_window": 8, "drift_min_labels": 2}');
CREATE TEMP TABLE quarters AS SELECT i, date_trunc('day', now()) - (60 - i) * interval '3 months' AS ts, 100 + 3 * sin(i) AS value FROM generate_series(1, 60) AS i;
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'quarters', ts, value FROM quarters WHERE i <= 45;
SELECT arima_ops.train('quarters');
INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast) SELECT 'quarters', 1, ts, 0, value FROM quarters WHERE i BETWEEN 45 AND 59;
CREATE TEMP TABLE errors AS SELECT i, value - lag(value) OVER (ORDER BY i) AS error FROM quarters WHERE i >= 45;
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'quarters', ts, value FROM quarters WHERE i BETWEEN 46 AND 59;
SELECT arima_ops.score_predictions('quarters');
SELECT labels FROM arima_ops.detect_drift('quarters');
UPDATE arima_ops.predictions SET scored_at = now() - interval '2 years' WHERE series = 'quarters' AND target_ts IS NOT NULL;
UPDATE arima_ops.drift_checks SET checked_at = now() - interval '2 years' WHERE series = 'quarters';
CALL arima_ops.run_retention();
SELECT count(*) FROM arima_ops.predictions WHERE series = 'quarters';
SELECT min(labels), max(labels) FROM arima_ops.drift_checks WHERE series = 'quarters';
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'quarters', ts, value FROM quarters WHERE i = 60;
SELECT arima_ops.score_predictions('quarters');
SELECT labels, abs(rolling_rmse - (SELECT sqrt(avg(error ^ 2)) FROM errors WHERE i > 52)) < 1e-9 AS of_the_window FROM arima_ops.detect_drift('quarters');
-- nor does it count anew when the last year's checks are done again
SELECT arima_ops.set_policy('quarters', '{"drift_window": 2}');
CALL arima_ops.run_retention();
SELECT min(labels), max(labels) FROM arima_ops.drift_checks WHERE series = 'quarters';
SELECT arima_ops.restate('quarters', 0.5, (SELECT ts FROM quarters WHERE i = 60));
SELECT labels, abs(rolling_rmse - (SELECT sqrt(avg(error ^ 2)) / 2 FROM errors WHERE i > 58)) < 1e-9 AS of_the_window FROM arima_ops.detect_drift('quarters');
SELECT arima_ops.drop_series('quarters');

-- predictions that wait for a value which will not come go, as old as the retention says, once the series has ended: it is not active,
-- or has been silent for a year more; not those whose value is there, nor of a series that keeps all
SELECT arima_ops.create_series(name, '(0,1,0)', calendar => 'none', policy => jsonb_build_object('active', active, 'retention', retention))
FROM (VALUES ('wait ended', false, '1 year'), ('wait for ever', false, NULL), ('wait late', false, '1 year'), ('wait quiet', true, '1 year'), ('wait silent', true, '1 year'), ('wait empty', false, '1 year')) AS v (name, active, retention);
INSERT INTO arima_ops.actuals (series, ts, value, recorded_at)
SELECT name, now() - months * interval '1 month' - i * interval '1 day', i, now() - came * interval '1 month'
FROM (VALUES ('wait ended', 40, 40), ('wait for ever', 40, 40), ('wait late', 40, 3), ('wait quiet', 18, 18), ('wait silent', 40, 40)) AS v (name, months, came), generate_series(0, 1) AS i;
INSERT INTO arima_ops.predictions (series, as_of, history_len, lead, horizon, forecast, made_at)
SELECT s.name, coalesce(l.ts[v.ago], now() - interval '40 months'), 0, v.lead, 1, v.months, now() - v.months * interval '1 month'
FROM arima_ops.series AS s CROSS JOIN LATERAL (SELECT array_agg(a.ts ORDER BY a.ts DESC) AS ts FROM arima_ops.actuals AS a WHERE a.series = s.name) AS l
	CROSS JOIN (VALUES (1, 0, 39), (2, 1, 38), (2, 0, 37), (1, 0, 17), (1, 0, 3)) AS v (ago, lead, months)
WHERE starts_with(s.name, 'wait ');
-- values that come a year apart, or three months while the series is halted, may take as long once more, whatever the retention
SELECT arima_ops.create_series(name, '(0,1,0)', calendar => 'none', policy => jsonb_build_object('active', active, 'retention', '1 month'))
FROM (VALUES ('wait year', true), ('wait year twice', true), ('wait halted', false)) AS v (name, active);
INSERT INTO arima_ops.actuals (series, ts, value, recorded_at) SELECT name, t, 1, t FROM (VALUES ('wait year', 12, 14), ('wait year twice', 12, 27), ('wait halted', 3, 4)) AS v (name, apart, months),
	generate_series(0, 1) AS i, LATERAL (SELECT now() - (months + i * apart) * interval '1 month' AS t) AS l;
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast, made_at)
SELECT a.series, a.ts, 0, 1, a.ts FROM arima_ops.actuals AS a WHERE a.ts < now() - interval '1 month' AND a.series IN ('wait year', 'wait year twice', 'wait halted')
	AND NOT EXISTS (SELECT FROM arima_ops.actuals AS n WHERE n.series = a.series AND n.ts > a.ts);
CALL arima_ops.run_retention();
SELECT done, total FROM arima_ops.job_runs WHERE job = 'retention' ORDER BY id DESC LIMIT 1;
SELECT series, array_agg(forecast ORDER BY forecast) AS waiting_for_months FROM arima_ops.predictions WHERE starts_with(series, 'wait ') GROUP BY 1 ORDER BY 1;
SELECT arima_ops.score_predictions('wait ended');
SELECT arima_ops.drop_series(name) FROM (SELECT name FROM arima_ops.series WHERE starts_with(name, 'wait ') ORDER BY name) AS s;

-- ---- many predictions that the planner knows nothing of ----

-- 20,000 wait, since it was told that none does: not each is compared with each
SELECT arima_ops.create_series('many', '(0,1,0)', calendar => 'none');
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast, target_ts, actual, scored_at)
SELECT 'many', ts, 0, i, ts + interval '1 hour', i, now() FROM generate_series(1, 20000) AS i, LATERAL (SELECT '2001-01-01'::timestamptz + i * interval '1 hour' AS ts) AS t;
ANALYZE arima_ops.predictions;
UPDATE arima_ops.predictions SET target_ts = NULL, actual = NULL, scored_at = NULL WHERE series = 'many';
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'many', '2001-01-01'::timestamptz + i * interval '1 hour', i FROM generate_series(1, 20001) AS i;
SET statement_timeout = '20s';
SELECT arima_ops.score_predictions('many');
RESET statement_timeout;
-- nor where labels change
UPDATE arima_ops.predictions SET target_ts = NULL, actual = NULL, scored_at = NULL WHERE series = 'many';
ANALYZE arima_ops.predictions;
UPDATE arima_ops.predictions SET target_ts = as_of + interval '1 hour', actual = forecast, scored_at = now() WHERE series = 'many';
SET statement_timeout = '20s';
UPDATE arima_ops.actuals SET value = value + 1 WHERE series = 'many';
RESET statement_timeout;
SELECT count(*) FROM arima_ops.predictions WHERE series = 'many' AND relabelled = 1 AND actual = forecast + 2;
SELECT arima_ops.drop_series('many');

-- ---- a series goes ----

SELECT arima_ops.create_series('other', '(0,1,0)', policy => '{"backtest_length": 20}');
SELECT arima_ops.record_actuals('other', array_agg(now() - (60 - i) * interval '1 day'), array_agg(i)) FROM generate_series(1, 50) AS i;
SELECT arima_ops.train('other');
SELECT arima_ops.drop_series('s');
SELECT c.relname, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s WHERE series = ''s''', c.oid::regclass), false, true, '')))[1]
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'series' WHERE c.relnamespace = 'arima_ops'::regnamespace AND c.relkind = 'r' ORDER BY 1;
SELECT message FROM arima_ops.events WHERE series = 's' ORDER BY id DESC LIMIT 1;
SELECT name, (SELECT count(*) FROM arima_ops.actuals), (SELECT count(*) FROM arima_ops.models) FROM arima_ops.series;
SELECT arima_ops.drop_series('s');
-- a series is dropped without reading all that others have: each table that refers to it or to its versions has an index for that
SELECT c.conrelid::regclass, c.conname FROM pg_constraint AS c
WHERE c.contype = 'f' AND c.confrelid IN ('arima_ops.series'::regclass, 'arima_ops.models'::regclass)
	AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indkey[0] = c.conkey[1]);
-- and may come again
SELECT arima_ops.create_series('s');

-- one with a long log, in which others' rows are not looked for, and which goes in time
SELECT arima_ops.create_series('long', '(0,1,0)', calendar => 'none');
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'long', '2001-01-01'::timestamptz + i * interval '1 hour', i FROM generate_series(1, 20001) AS i;
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast, target_ts, actual, scored_at)
SELECT 'long', ts, 0, i, ts + interval '1 hour', i + 1, now() FROM generate_series(1, 20000) AS i, LATERAL (SELECT '2001-01-01'::timestamptz + i * interval '1 hour' AS ts) AS t;
ANALYZE arima_ops.predictions;
BEGIN;
SELECT seq_scan AS scans FROM pg_stat_xact_user_tables WHERE schemaname = 'arima_ops' AND relname = 'predictions' \gset
SELECT arima_ops.restate('other', 0.5, now());
SELECT seq_scan - :scans AS scans FROM pg_stat_xact_user_tables WHERE schemaname = 'arima_ops' AND relname = 'predictions';
ROLLBACK;
SET statement_timeout = '20s';
SELECT arima_ops.drop_series('long');
RESET statement_timeout;
SELECT count(*) FROM arima_ops.predictions WHERE series = 'long';

-- ---- a series that cannot be labelled, as one that somebody keeps locked for longer than lock_timeout ----

SELECT arima_ops.create_series(name, '(0,1,0)', calendar => 'none', policy => '{"backtest_length": 20}') FROM unnest(ARRAY['label_a', 'label_b', 'label_c']) AS name;
SELECT arima_ops.record_actuals(name, array_agg('2020-01-01'::timestamptz + i * interval '1 day'), array_agg(i))
FROM unnest(ARRAY['label_a', 'label_b', 'label_c']) AS name, generate_series(1, 50) AS i GROUP BY name;
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast)
SELECT name, '2020-01-01'::timestamptz + interval '49 days', 0, 50 FROM unnest(ARRAY['label_a', 'label_b', 'label_c']) AS name;
CREATE FUNCTION refuse_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'canceling statement due to lock timeout' USING ERRCODE = 'lock_not_available';
END $$;
CREATE TRIGGER refuse_label BEFORE UPDATE ON arima_ops.predictions FOR EACH ROW WHEN (NEW.series = 'label_b') EXECUTE FUNCTION refuse_label();
CALL arima_ops.run_etl();
SELECT series, count(target_ts) AS labelled FROM arima_ops.predictions WHERE starts_with(series, 'label_') GROUP BY 1 ORDER BY 1;
SELECT status, done = total AS done, error FROM arima_ops.job_runs WHERE job = 'etl' ORDER BY id DESC LIMIT 1;
DROP TRIGGER refuse_label ON arima_ops.predictions;
CALL arima_ops.run_etl();
SELECT series, count(target_ts) AS labelled FROM arima_ops.predictions WHERE starts_with(series, 'label_') GROUP BY 1 ORDER BY 1;
SELECT status, error FROM arima_ops.job_runs WHERE job = 'etl' ORDER BY id DESC LIMIT 1;
SELECT arima_ops.drop_series(name) FROM unnest(ARRAY['label_a', 'label_b', 'label_c']) AS name;

-- ---- a default of isolation that jobs do not need ----

CREATE TABLE levels (job text, level text);
CREATE FUNCTION note_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.levels VALUES (coalesce(to_jsonb(NEW) ->> 'job', to_jsonb(NEW) ->> 'kind'), current_setting('transaction_isolation'));
	RETURN NULL;
END $$;
CREATE TRIGGER note_level AFTER UPDATE ON arima_ops.job_runs FOR EACH ROW WHEN (OLD.status = 'running') EXECUTE FUNCTION note_level();
CREATE TRIGGER note_level AFTER INSERT ON arima_ops.events FOR EACH ROW EXECUTE FUNCTION note_level();
SELECT arima_ops.create_series('isolated', '(0,1,0)', provider => 'stooq', calendar => 'none', policy => '{"backtest_length": 20}');
SELECT arima_ops.record_actuals('isolated', array_agg('2020-01-01'::timestamptz + i * interval '1 day'), array_agg(i)) FROM generate_series(1, 50) AS i;
TRUNCATE levels;
SET default_transaction_isolation = 'serializable';
CALL arima_ops.run_etl();
CALL arima_ops.run_monitoring();
CALL arima_ops.run_retraining();
CALL arima_ops.run_tracking();
CALL arima_ops.run_retention();
CALL arima_ops.fetch_actuals('isolated');
RESET default_transaction_isolation;
SELECT job, level FROM levels WHERE job NOT IN ('stale', 'drift') GROUP BY 1, 2 ORDER BY 1, 2;
DROP TRIGGER note_level ON arima_ops.job_runs;
DROP TRIGGER note_level ON arima_ops.events;
SELECT arima_ops.drop_series('isolated');

-- ---- what makes no sense ----

-- within a transaction block, as clients without autocommit begin one: said before anything is done
BEGIN;
CALL arima_ops.run_etl();
ROLLBACK;
BEGIN;
CALL arima_ops.send_alerts();
ROLLBACK;
SELECT count(*) FROM arima_ops.job_runs WHERE status = 'running';
CALL arima_ops.run_etl(0);
CALL arima_ops.run_monitoring(NULL);
CALL arima_ops.run_retraining(batch => -1);
SELECT count(*) FROM arima_ops.job_runs WHERE status = 'running';
SELECT arima_ops.set_policy('s', '[1]');
SELECT arima_ops.get_series(repeat('x', 1000000));
SELECT arima_ops.predict('other', horizon => NULL);
SELECT arima_ops.predict('other', level => NULL);
SELECT arima_ops.predict('other', '{}'::float8[]);
SELECT arima_ops.predict('other', request_id => repeat('x', 201));

\c :home
SET client_min_messages = warning;
DROP DATABASE arima_ops_upkeep;

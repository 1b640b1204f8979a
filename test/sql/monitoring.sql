--
-- monitoring: the job, and the views
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET extra_float_digits = 0;

-- sessions that are missing, against a count of them
SELECT calendar, count(*), bool_and(arima_ops.missing_sessions(calendar, last, at) = (
		SELECT count(*) FROM generate_series(last + interval '1 day', at - interval '1 day', '1 day') AS d
		WHERE calendar = 'daily' OR calendar = 'weekdays' AND extract(isodow FROM d) < 6)) AS right_number
FROM unnest(ARRAY['weekdays', 'daily', 'none']) AS calendar, generate_series(timestamptz '2024-02-26', '2024-03-08', '1 day') AS last,
	generate_series(last, last + interval '16 days', '1 day') AS at
GROUP BY calendar ORDER BY calendar;
SELECT calendar, count(*), bool_and(arima_ops.missing_sessions(calendar, last, at) = greatest(0, (
		SELECT count(DISTINCT date_trunc(unit, d)) FROM generate_series(last, at, '1 day') AS d) - 2)) AS right_number
FROM (VALUES ('weekly', 'week'), ('monthly', 'month'), ('quarterly', 'quarter')) AS c (calendar, unit), generate_series(timestamptz '2023-11-20', '2024-03-08', '9 days') AS last,
	generate_series(last, last + interval '500 days', '5 days') AS at
GROUP BY calendar ORDER BY calendar;
SELECT arima_ops.missing_sessions('weekdays', '2024-03-08 23:59+00', '2024-03-11 00:01+00') AS over_a_weekend, arima_ops.missing_sessions('daily', NULL, now()) AS nothing_yet;

-- a walk whose steps become four times as large from session 200 on
CREATE TEMP TABLE truth AS
SELECT i, ts, 100 + sum(hashint4(i) / 2147483648.0 * CASE WHEN i < 200 THEN 1 ELSE 4 END) OVER (ORDER BY i)::float8 AS value
FROM (SELECT ts, row_number() OVER (ORDER BY ts)::int AS i
	FROM generate_series(timestamptz '2023-01-02', '2023-12-29', '1 day') AS ts WHERE extract(isodow FROM ts) < 6) AS weekdays;
CREATE FUNCTION pg_temp.record(name text, first int, last int) RETURNS void LANGUAGE sql AS $$
	SELECT arima_ops.record_actuals(name, array_agg(ts), array_agg(value)) FROM truth WHERE i BETWEEN first AND last
$$;
CREATE FUNCTION pg_temp.replay(name text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN first .. last LOOP
		PERFORM arima_ops.predict(name, horizon => 2);
		PERFORM pg_temp.record(name, i, i);
		PERFORM arima_ops.score_predictions(name);
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.happened(name text) RETURNS TABLE (kind text, what text) LANGUAGE sql AS $$
	SELECT t.kind, t.what FROM arima_ops.timeline AS t WHERE t.series = name AND t.kind NOT IN ('training', 'series') ORDER BY t.id
$$;
SELECT arima_ops.create_series(name, '(0,1,0)', policy => '{"backtest_length": 100, "stale_after": 5, "probation": 20}') FROM unnest(ARRAY['mon_a', 'mon_b', 'mon_c']) AS name;
UPDATE arima_ops.series SET active = false WHERE name !~ '^mon_';
SELECT series, active, champion, age, last_session, pending, labels, rolling_rmse, drift, biased, stale FROM arima_ops.monitoring WHERE series ~ '^mon_' ORDER BY series;
SELECT count(pg_temp.record(name, 1, 150)) FROM unnest(ARRAY['mon_a', 'mon_b']) AS name;
SELECT count(arima_ops.train(name)) FROM unnest(ARRAY['mon_a', 'mon_b']) AS name;
SELECT pg_temp.replay('mon_a', 151, 180);
CALL arima_ops.run_monitoring(batch => 2);
SELECT job, status, done, total, error FROM arima_ops.job_runs WHERE job = 'monitoring' ORDER BY id DESC LIMIT 1;
SELECT m.series, m.champion, m.spec, m.age, m.last_session, m.pending, m.checked_to, m.labels, m.drift, m.biased, m.stale,
	abs(m.rolling_rmse - own.rmse) < 1e-12 AS rolling_rmse, abs(m.skill - (1 - own.rmse / own.naive)) < 1e-9 AS skill, m.coverage = own.coverage AS coverage, m.threshold = 1.5 * v.reference_rmse AS threshold
FROM arima_ops.monitoring AS m LEFT JOIN arima_ops.models AS v ON v.series = m.series AND v.version = m.champion,
	LATERAL (SELECT sqrt(avg(p.error ^ 2)) AS rmse, sqrt(avg((p.actual - before.value) ^ 2)) AS naive, avg((p.actual BETWEEN p.lower AND p.upper)::int) AS coverage
		FROM arima_ops.predictions AS p JOIN truth AS t ON t.ts = p.target_ts JOIN truth AS before ON before.i = t.i - 1
		WHERE p.series = m.series AND p.horizon = 1 AND t.i > 166) AS own
WHERE m.series ~ '^mon_' ORDER BY m.series;
SELECT kind, regexp_replace(what, '\d+ days', 'so many days') AS what FROM pg_temp.happened('mon_a');

-- again: nothing new
CALL arima_ops.run_monitoring();
SELECT count(*) FROM pg_temp.happened('mon_a');

-- a second version by hand, then the larger steps: drift on probation brings the first one back, which begins anew
SELECT pg_temp.replay('mon_a', 181, 190);
SELECT (arima_ops.retrain('mon_a', force => true)).outcome;
SELECT arima_ops.promote('mon_a', 2);
SELECT pg_temp.replay('mon_a', 191, 206);
CALL arima_ops.run_monitoring();
SELECT kind, what FROM pg_temp.happened('mon_a') WHERE kind NOT IN ('stale', 'rejection');
SELECT champion, age, labels, drift FROM arima_ops.monitoring WHERE series = 'mon_a';
SELECT pg_temp.replay('mon_a', 207, 225);
CALL arima_ops.run_monitoring();
SELECT champion, age, labels, drift FROM arima_ops.monitoring WHERE series = 'mon_a';
SELECT kind, what FROM pg_temp.happened('mon_a') WHERE kind NOT IN ('stale', 'rejection');

-- stale: told once after each last session
SELECT arima_ops.check_stale('mon_b', '2023-08-04'), arima_ops.check_stale('mon_b', '2023-08-07'), arima_ops.check_stale('mon_b', '2023-08-08');
SELECT kind, what ~ '^no value since 2023-07-28: \d+ days of its calendar$' AS as_expected FROM pg_temp.happened('mon_b') WHERE kind = 'stale';
SELECT arima_ops.check_stale('mon_c');
-- by sessions of its calendar, not days: each is well after three that are missing
BEGIN;
SELECT arima_ops.create_series('mon_' || calendar, calendar => calendar), arima_ops.record_actuals('mon_' || calendar, '{2024-01-31}', '{1}')
FROM unnest(ARRAY['weekly', 'monthly', 'quarterly']) AS calendar;
SELECT arima_ops.check_stale('mon_weekly', '2024-03-03'), arima_ops.check_stale('mon_monthly', '2024-05-31'), arima_ops.check_stale('mon_quarterly', '2025-03-31');
SELECT arima_ops.check_stale('mon_weekly', '2024-03-04'), arima_ops.check_stale('mon_monthly', '2024-06-01'), arima_ops.check_stale('mon_quarterly', '2025-04-01');
SELECT message, details FROM arima_ops.events WHERE series IN ('mon_weekly', 'mon_monthly', 'mon_quarterly') AND kind = 'stale' ORDER BY id;
ROLLBACK;
-- a session more than two days ahead: nothing would be missed until then
BEGIN;
SELECT arima_ops.create_series('mon_d', calendar => 'none'), pg_temp.record('mon_d', 1, 150);
SELECT arima_ops.check_stale('mon_d', '2023-07-26'), arima_ops.check_stale('mon_d', '2023-07-25');
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('mon_d', '2235-01-02', 100);
SELECT arima_ops.check_stale('mon_d'), arima_ops.check_stale('mon_d'), stale FROM arima_ops.monitoring WHERE series = 'mon_d';
SELECT message, details FROM arima_ops.events WHERE series = 'mon_d' AND kind = 'stale' ORDER BY id;
UPDATE arima_ops.series SET calendar = 'daily' WHERE name = 'mon_d';
SELECT arima_ops.check_stale('mon_d', '2235-02-02');
SELECT message FROM arima_ops.events WHERE series = 'mon_d' AND kind = 'stale' ORDER BY id DESC LIMIT 1;
ROLLBACK;
-- once more of another series of the same name, in the same transaction even
BEGIN;
SELECT arima_ops.create_series('mon_d'), pg_temp.record('mon_d', 1, 150);
SELECT arima_ops.check_stale('mon_d'), arima_ops.check_stale('mon_d');
SELECT arima_ops.drop_series('mon_d'), arima_ops.create_series('mon_d'), pg_temp.record('mon_d', 1, 150);
SELECT arima_ops.check_stale('mon_d'), arima_ops.check_stale('mon_d');
SELECT kind, regexp_replace(what, '\d+ days', 'so many days') AS what FROM pg_temp.happened('mon_d');
ROLLBACK;

-- places by the last evaluation of each version
SELECT l.series, l.place, l.version, l.status, l.spec, l.rmse = e.rmse AND l.mase = e.mase AS last_evaluation, l.n_folds, l.last_fold
FROM arima_ops.leaderboard AS l LEFT JOIN LATERAL (SELECT * FROM arima_ops.evaluations AS v WHERE v.series = l.series AND v.version = l.version ORDER BY id DESC LIMIT 1) AS e ON true
WHERE l.series ~ '^mon_' ORDER BY l.series, l.place, l.version;

-- false alarms with the champion's own errors, which here are uniform: fewer than Gaussian ones give
SELECT count(*), round(sqrt(avg(e ^ 2))::numeric, 6) AS rmse FROM unnest(arima_ops.champion_errors('mon_b')) AS e;
SELECT arima_ops.false_alarm_rate('mon_b', own_errors => true) < arima_ops.false_alarm_rate('mon_b') AS fewer,
	arima_ops.drift_power('mon_b', own_errors => true) > 0.97 AS noticed;

-- a series that fails does not keep the others
ALTER TABLE arima_ops.drift_checks ADD CONSTRAINT broken CHECK (series <> 'mon_a') NOT VALID;
SELECT pg_temp.replay('mon_a', 226, 226);
CALL arima_ops.run_monitoring();
SELECT status, done, total, error FROM arima_ops.job_runs WHERE job = 'monitoring' ORDER BY id DESC LIMIT 1;
SELECT what FROM pg_temp.happened('mon_a') WHERE kind = 'monitoring_failed';
ALTER TABLE arima_ops.drift_checks DROP CONSTRAINT broken;
CALL arima_ops.run_monitoring();
SELECT status, done, total, error FROM arima_ops.job_runs WHERE job = 'monitoring' ORDER BY id DESC LIMIT 1;

-- who reads sees the views
SET ROLE arima_ops_reader;
SELECT count(*) FROM arima_ops.monitoring WHERE series ~ '^mon_';
SELECT count(*) FROM arima_ops.leaderboard WHERE series ~ '^mon_';
SELECT count(*) > 0 AS some FROM arima_ops.timeline WHERE series ~ '^mon_';
SELECT * FROM arima_ops.detect_drift('mon_a');
RESET ROLE;
UPDATE arima_ops.series SET active = true WHERE name !~ '^mon_';

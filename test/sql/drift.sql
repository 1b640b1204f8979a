--
-- drift: checks of labelled sessions, their events, and what the rules are worth
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET extra_float_digits = 0;

-- sessions of weekdays; errors of a forecaster that gets three times as bad from session 40 and good again from 60
CREATE TEMP TABLE truth AS
SELECT i, ts, 100 + 10 * sin(i) AS value, 1.2 * cos(i * 2.5) * CASE WHEN i BETWEEN 40 AND 59 THEN 3 ELSE 1 END AS error
FROM (SELECT ts, row_number() OVER (ORDER BY ts)::int AS i
	FROM generate_series(timestamptz '2024-01-01', '2024-06-28', '1 day') AS ts WHERE extract(isodow FROM ts) < 6) AS weekdays;

CREATE FUNCTION pg_temp.champion(name text, version int, to_session int, reference float8 DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	UPDATE arima_ops.models SET status = 'archived', retired_at = now() WHERE series = name AND status = 'champion';
	INSERT INTO arima_ops.models (series, version, status, spec, model, trained_from, trained_to, n, data_hash, reference_rmse, promoted_at, champion_from)
	SELECT name, version, 'champion', '(0,1,0)', arima_fit(value, '(0,1,0)' ORDER BY ts), min(ts), max(ts), count(*), 'none', reference, now(), max(ts)
	FROM truth WHERE i <= to_session
$$;
-- n requests a session for the sessions from .. to, of which the second half have twice the error; recorded and labelled
CREATE FUNCTION pg_temp.sessions(name text, first int, last int, n int DEFAULT 1, version int DEFAULT 1) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast, lower, upper, level)
	SELECT name, version, before.ts, 0, f, f - 2, f + 2, 0.95
	FROM truth AS t JOIN truth AS before ON before.i = t.i - 1, generate_series(1, n) AS k, LATERAL (SELECT t.value - t.error * CASE WHEN 2 * k > n + 1 THEN 2 ELSE 1 END AS f) AS x
	WHERE t.i BETWEEN first AND last;
	SELECT arima_ops.record_actuals(name, array_agg(ts), array_agg(value)) FROM truth WHERE i <= last;
	SELECT arima_ops.score_predictions(name);
$$;
CREATE FUNCTION pg_temp.shown(found arima_ops.drift_checks, OUT series text, OUT ts date, OUT version int, OUT labels int, OUT rolling numeric,
	OUT threshold float8, OUT breach boolean, OUT consecutive int, OUT drift boolean) LANGUAGE sql AS $$
	SELECT found.series, found.ts::date, found.version, found.labels, round(found.rolling_rmse::numeric, 4), found.threshold, found.breach, found.consecutive, found.drift
$$;

SELECT arima_ops.create_series(name, '(0,1,0)', policy => policy)
FROM (VALUES ('drift_a', '{}'::jsonb), ('drift_b', '{}'), ('drift_c', '{"drift_policy": "cusum"}'), ('drift_d', '{}')) AS v (name, policy);
SELECT * FROM arima_ops.detect_drift('drift_x');
SELECT * FROM arima_ops.detect_drift('drift_a');
SELECT arima_ops.in_drift('drift_a');
SELECT count(pg_temp.champion(name, 1, 10)) FROM unnest(ARRAY['drift_a', 'drift_b', 'drift_c']) AS name;
-- without labelled sessions
SELECT s.* FROM arima_ops.detect_drift('drift_a') AS d, pg_temp.shown(d) AS s;

-- day by day: noticed once, over once; and asking again adds nothing
WITH day AS MATERIALIZED (
	SELECT i AS session, s.labels, s.rolling, s.threshold, s.breach, s.consecutive, s.drift
	FROM generate_series(11, 80) AS i, LATERAL (SELECT pg_temp.sessions('drift_a', i, i, 1 + i % 3)) AS l,
		LATERAL (SELECT * FROM arima_ops.detect_drift(CASE WHEN l IS NOT NULL THEN 'drift_a' END) AS d) AS d, pg_temp.shown(d) AS s
)
SELECT * FROM day WHERE session IN (11, 23, 24) OR session BETWEEN 39 AND 46 OR session > 67 ORDER BY session;
SELECT count(*) AS checks, arima_ops.in_drift('drift_a') FROM arima_ops.drift_checks WHERE series = 'drift_a';
SELECT kind, version, message, details->>'consecutive' AS consecutive FROM arima_ops.events WHERE series = 'drift_a' AND kind IN ('drift', 'recovery') ORDER BY id;
CREATE TEMP TABLE before AS SELECT * FROM arima_ops.drift_checks WHERE series = 'drift_a';
SELECT count(*) FROM arima_ops.detect_drift('drift_a');
SELECT count(*) FROM (TABLE before EXCEPT SELECT * FROM arima_ops.drift_checks WHERE series = 'drift_a') AS changed;
SELECT count(*) FROM arima_ops.events WHERE series = 'drift_a' AND kind IN ('drift', 'recovery');

-- the same numbers by SQL
WITH session AS (
	SELECT target_ts AS ts, avg(error ^ 2) AS square, avg(error) AS error, avg((actual BETWEEN lower AND upper)::int) AS inside, count(*) AS n
	FROM arima_ops.predictions WHERE series = 'drift_a' AND target_ts IS NOT NULL GROUP BY target_ts
), rolling AS (
	SELECT *, sqrt(avg(square) OVER w) AS rolling, avg(inside) OVER w AS coverage, row_number() OVER (ORDER BY ts) AS labels
	FROM session WINDOW w AS (ORDER BY ts ROWS 13 PRECEDING)
), breach AS (
	SELECT *, labels >= 14 AND rolling > 1.5 AS breach FROM rolling
), run AS (
	SELECT *, count(*) FILTER (WHERE NOT breach) OVER (ORDER BY ts) AS run FROM breach
)
SELECT count(*), bool_and(d.predictions = r.n AND abs(d.session_rmse - sqrt(r.square)) < 1e-12 AND abs(d.session_error - r.error) < 1e-12) AS session,
	bool_and(abs(d.rolling_rmse - r.rolling) < 1e-12 AND d.labels = r.labels) AS rolling, bool_and(d.breach = r.breach) AS breach,
	bool_and(d.consecutive = CASE WHEN r.breach THEN (SELECT count(*) FROM run AS q WHERE q.breach AND q.run = r.run AND q.ts <= r.ts) ELSE 0 END) AS consecutive,
	bool_and(abs(d.coverage - r.coverage) < 1e-12) AS coverage
FROM run AS r JOIN arima_ops.drift_checks AS d ON d.series = 'drift_a' AND d.ts = r.ts;
-- sums by recursion
WITH RECURSIVE s AS (
	SELECT d.ts, d.labels, greatest(0, session_rmse ^ 2 * 5 / 18 - ln(1.5)) AS spread, greatest(0, session_error - 0.25) AS above, greatest(0, -session_error - 0.25) AS below
	FROM arima_ops.drift_checks AS d WHERE series = 'drift_a' AND labels = 1
	UNION ALL
	SELECT d.ts, d.labels, CASE WHEN s.spread >= d.cusum_limit AND d.rolling_rmse < 1.25 THEN 0 ELSE greatest(0, s.spread + session_rmse ^ 2 * 5 / 18 - ln(1.5)) END,
		greatest(0, above + session_error - 0.25), greatest(0, below - session_error - 0.25)
	FROM s JOIN arima_ops.drift_checks AS d ON d.series = 'drift_a' AND d.labels = s.labels + 1)
SELECT count(*), max(abs(cusum - spread)) < 1e-9 AS cusum, max(abs(bias_above - above)) < 1e-9 AS above, max(abs(bias_below - below)) < 1e-9 AS below,
	count(DISTINCT cusum_limit) AS limits, round(min(cusum_limit)::numeric, 2) AS cusum_limit, round(min(bias_limit)::numeric, 2) AS bias_limit
FROM s JOIN arima_ops.drift_checks AS d ON d.series = 'drift_a' AND d.ts = s.ts;

-- after an outage, all at once: the same rows, in order
SELECT count(pg_temp.sessions('drift_b', i, i, 1 + i % 3)) FROM generate_series(11, 80) AS i;
SELECT s.* FROM arima_ops.detect_drift('drift_b') AS d, pg_temp.shown(d) AS s;
SELECT count(*), bool_and(to_jsonb(a) - 'series' - 'checked_at' = to_jsonb(b) - 'series' - 'checked_at') AS same
FROM arima_ops.drift_checks AS a FULL JOIN (SELECT * FROM arima_ops.drift_checks WHERE series = 'drift_b') AS b USING (ts) WHERE a.series = 'drift_a';
SELECT kind, message FROM arima_ops.events WHERE series = 'drift_b' AND kind IN ('drift', 'recovery') ORDER BY id;

SELECT arima_ops.number_text(x) FROM unnest(ARRAY[0, 1234567.8, -0.000123456, 99999.96, 1e300, 'NaN', NULL]) AS x;

-- a value is revised, and a prediction for an old session is labelled late: done again from there, and told if it ends otherwise
SELECT r.* FROM truth AS t, arima_ops.record_actuals('drift_b', ARRAY[ts], ARRAY[value + 40]) AS r WHERE i = 75;
SELECT count(*) FILTER (WHERE checked_at IS NULL) AS outdated, arima_ops.in_drift('drift_b') FROM arima_ops.drift_checks WHERE series = 'drift_b';
SELECT s.* FROM arima_ops.detect_drift('drift_b') AS d, pg_temp.shown(d) AS s;
SELECT kind, message FROM arima_ops.events WHERE series = 'drift_b' AND kind IN ('drift', 'recovery') ORDER BY id DESC LIMIT 1;
SELECT r.* FROM truth AS t, arima_ops.record_actuals('drift_b', ARRAY[ts], ARRAY[value]) AS r WHERE i = 75;
SELECT s.* FROM arima_ops.detect_drift('drift_b') AS d, pg_temp.shown(d) AS s;
SELECT kind, message FROM arima_ops.events WHERE series = 'drift_b' AND kind IN ('drift', 'recovery') ORDER BY id DESC LIMIT 1;
SELECT bool_and(to_jsonb(a) - 'series' - 'checked_at' = to_jsonb(b) - 'series' - 'checked_at') AS as_before
FROM arima_ops.drift_checks AS a FULL JOIN (SELECT * FROM arima_ops.drift_checks WHERE series = 'drift_b') AS b USING (ts) WHERE a.series = 'drift_a';
INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast)
SELECT 'drift_b', 1, ts, 0, 100 FROM truth WHERE i = 69;
SELECT arima_ops.score_predictions('drift_b');
SELECT min(ts)::date, count(*) FROM arima_ops.drift_checks WHERE series = 'drift_b' AND checked_at IS NULL;
SELECT s.labels, s.drift FROM arima_ops.detect_drift('drift_b') AS d, pg_temp.shown(d) AS s;
SELECT predictions, round(session_rmse::numeric, 4) AS rmse, (SELECT round(sqrt(avg(error ^ 2))::numeric, 4) FROM arima_ops.predictions AS p WHERE p.series = d.series AND target_ts = d.ts) AS again
FROM arima_ops.drift_checks AS d WHERE series = 'drift_b' AND ts = (SELECT ts FROM truth WHERE i = 70);
-- a session goes, and its check
DELETE FROM arima_ops.actuals WHERE series = 'drift_b' AND ts = (SELECT ts FROM truth WHERE i = 80);
SELECT s.* FROM arima_ops.detect_drift('drift_b') AS d, pg_temp.shown(d) AS s;

-- a split: all in the prices of today
SELECT arima_ops.restate('drift_a', 0.5, (SELECT ts FROM truth WHERE i = 80));
SELECT s.* FROM arima_ops.detect_drift('drift_a') AS d, pg_temp.shown(d) AS s;
SELECT count(*), bool_and(abs(a.rolling_rmse - b.rolling_rmse / 2) < 1e-12 AND a.reference_rmse = b.reference_rmse / 2 AND a.drift = b.drift
	AND abs(a.cusum - b.cusum) < 1e-9) AS same
FROM before AS b LEFT JOIN arima_ops.drift_checks AS a USING (series, ts);
SELECT count(*) FROM arima_ops.events WHERE series = 'drift_a' AND kind IN ('drift', 'recovery');

-- a new champion begins anew
SELECT FROM pg_temp.sessions('drift_c', 11, 45);
SELECT s.*, round(d.cusum::numeric, 2) AS cusum, round(d.cusum_limit::numeric, 2) AS cusum_limit FROM arima_ops.detect_drift('drift_c') AS d, pg_temp.shown(d) AS s;
SELECT kind, version, message FROM arima_ops.events WHERE series = 'drift_c' AND kind IN ('drift', 'recovery') ORDER BY id;
SELECT FROM pg_temp.champion('drift_c', 2, 45);
SELECT arima_ops.in_drift('drift_c');
SELECT s.* FROM arima_ops.detect_drift('drift_c') AS d, pg_temp.shown(d) AS s;
SELECT FROM pg_temp.sessions('drift_c', 46, 65, 1, 2);
SELECT s.*, d.cusum > d.cusum_limit AS cusum FROM arima_ops.detect_drift('drift_c') AS d, pg_temp.shown(d) AS s;
SELECT version, count(*), min(labels), max(labels), count(*) FILTER (WHERE drift) AS drift FROM arima_ops.drift_checks WHERE series = 'drift_c' GROUP BY version ORDER BY version;

-- other numbers are a question: nothing is written
SELECT s.* FROM arima_ops.detect_drift('drift_c', drift_window => 5, drift_multiplier => 1.1, drift_consecutive => 1) AS d, pg_temp.shown(d) AS s;
SELECT s.* FROM arima_ops.detect_drift('drift_c', training_rmse => 1.53) AS d, pg_temp.shown(d) AS s;
SELECT count(*) FROM arima_ops.drift_checks WHERE series = 'drift_c';
SELECT * FROM arima_ops.detect_drift('drift_c', training_rmse => -1);
SELECT * FROM arima_ops.detect_drift('drift_c', drift_window => 0);
-- an imported log without models: the original's call, against its rule by SQL
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast)
SELECT 'drift_d', before.ts, 0, t.value - t.error FROM truth AS t JOIN truth AS before ON before.i = t.i - 1;
SELECT r.* FROM (SELECT array_agg(ts) AS ts, array_agg(value) AS value FROM truth WHERE i < 14) AS t, arima_ops.record_actuals('drift_d', ts, value) AS r;
SELECT arima_ops.score_predictions('drift_d');
SELECT s.* FROM arima_ops.detect_drift('drift_d', training_rmse => 1.53) AS d, pg_temp.shown(d) AS s;
SELECT days, t.labels, round(t.rolling::numeric, 4) AS rolling, t.drift, s.labels = t.labels AND s.rolling = round(t.rolling::numeric, 4) AND s.drift = t.drift AS same
FROM unnest(ARRAY[15, 16, 45, 50, 51, 52, 53, 66, 67, 68, 69, 129]) AS days,
	LATERAL (SELECT arima_ops.record_actuals('drift_d', array_agg(ts), array_agg(value)) FROM truth WHERE i <= days) AS r,
	LATERAL (SELECT arima_ops.score_predictions(CASE WHEN r IS NOT NULL THEN 'drift_d' END)) AS l,
	LATERAL (SELECT count(*) AS labels, (array_agg(rolling ORDER BY ts DESC))[1] AS rolling, bool_and(rolling > 1.5 * 1.53 AND n >= 14) FILTER (WHERE back <= 3) AS drift
		FROM (SELECT ts, sqrt(avg(error ^ 2) OVER (ORDER BY ts ROWS 13 PRECEDING)) AS rolling, row_number() OVER (ORDER BY ts) AS n, row_number() OVER (ORDER BY ts DESC) AS back
			FROM truth WHERE i BETWEEN 2 AND days) AS w) AS t,
	LATERAL (SELECT * FROM arima_ops.detect_drift(CASE WHEN l IS NOT NULL THEN 'drift_d' END, training_rmse => 1.53) AS d) AS d, pg_temp.shown(d) AS s
ORDER BY days;

-- a champion without reference; a policy of none; a cusum without a change to look for
SELECT FROM pg_temp.champion('drift_d', 1, 30, NULL);
SELECT FROM pg_temp.sessions('drift_d', 31, 60);
SELECT s.*, d.cusum FROM arima_ops.detect_drift('drift_d') AS d, pg_temp.shown(d) AS s;
\set VERBOSITY terse
SELECT arima_ops.set_policy('drift_d', '{"drift_policy": "cusum", "drift_multiplier": 1, "drift_recovery": 1}');
\set VERBOSITY default
SELECT * FROM arima_ops.drift_steps(NULL, NULL, 1, '{1}', '{1}', '{1}');
SELECT s.* FROM arima_ops.series, arima_ops.drift_steps(series, NULL, 1, '{1}', '{1,2}', '{1}') AS s WHERE name = 'drift_a';

-- what the rules are worth on Gaussian errors: shares of 4,000 series, the same each time
SELECT name, drift_policy, round(arima_ops.false_alarm_rate(name)::numeric, 3) AS false_alarms_a_year,
	round(arima_ops.drift_power(name, sessions => 20)::numeric, 3) AS in_20, round(arima_ops.drift_power(name)::numeric, 3) AS in_30
FROM arima_ops.series WHERE name IN ('drift_a', 'drift_c') ORDER BY name;
SELECT arima_ops.set_policy('drift_d', '{"drift_policy": "none"}');
SELECT arima_ops.false_alarm_rate('drift_d');
SELECT arima_ops.false_alarm_rate('drift_x');
SELECT arima_ops.in_drift('drift_x');
-- errors of its own that a series does not have
SELECT arima_ops.false_alarm_rate('drift_d', own_errors => true);

-- the last value is taken back after its check, a champion comes, and the value comes again: the session is the new one's
SELECT arima_ops.create_series('drift_e', '(0,1,0)', policy => '{"drift_window": 5, "drift_min_labels": 1, "drift_consecutive": 1}');
SELECT FROM pg_temp.champion('drift_e', 1, 10);
SELECT FROM pg_temp.sessions('drift_e', 11, 12);
SELECT s.version, s.labels FROM arima_ops.detect_drift('drift_e') AS d, pg_temp.shown(d) AS s;
DELETE FROM arima_ops.actuals WHERE series = 'drift_e' AND ts = (SELECT ts FROM truth WHERE i = 12);
SELECT FROM pg_temp.champion('drift_e', 2, 11);
SELECT FROM pg_temp.sessions('drift_e', 12, 13, version => 2);
SELECT s.version, s.labels FROM arima_ops.detect_drift('drift_e') AS d, pg_temp.shown(d) AS s;
SELECT i, d.version, labels FROM arima_ops.drift_checks AS d JOIN truth USING (ts) WHERE series = 'drift_e' ORDER BY i;

-- a split that is known a session later, of a champion that was asked for that session only: its check is done again
SELECT arima_ops.create_series('drift_f', '(0,1,0)', policy => '{"drift_window": 5, "drift_min_labels": 1, "drift_consecutive": 1}');
SELECT FROM pg_temp.champion('drift_f', 1, 10);
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'drift_f', ts, value FROM truth WHERE i <= 10;
INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast) SELECT 'drift_f', 1, ts, 0, value FROM truth WHERE i = 10;
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'drift_f', ts, 0.25 * value FROM truth WHERE i = 11;
SELECT arima_ops.score_predictions('drift_f');
SELECT s.rolling, s.threshold, s.drift FROM arima_ops.detect_drift('drift_f') AS d, pg_temp.shown(d) AS s;
SELECT arima_ops.restate('drift_f', 0.25, (SELECT ts FROM truth WHERE i = 10));
SELECT s.rolling = (SELECT round(abs(error)::numeric, 4) FROM arima_ops.predictions WHERE series = 'drift_f') AS of_today, s.threshold FROM arima_ops.detect_drift('drift_f') AS d, pg_temp.shown(d) AS s;

--
-- operations: series, actual values, predictions and their labels
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- series and their policies
SELECT arima_ops.create_series('ops_a', '(0,1,1)', policy => '{"drift_window": 20, "promotion_policy": "rmse_only"}');
SELECT name, spec, provider, calendar, drift_window, drift_multiplier, drift_consecutive, promotion_policy, backtest_length
FROM arima_ops.series WHERE name = 'ops_a';
SELECT arima_ops.create_series('ops_a');
SELECT arima_ops.create_series('');
SELECT arima_ops.create_series('..');
SELECT arima_ops.create_series(E' \t\n');
SELECT arima_ops.create_series(NULL);
SELECT arima_ops.create_series('ops_b', '(0,1,1');
SELECT arima_ops.create_series('ops_b', '(0,1,1)', '{"metod": "css"}');
SELECT arima_ops.create_series('ops_b', policy => '{"drift_windw": 20}');
SELECT arima_ops.create_series('ops_b', policy => '{"drift_window": 5}');
SELECT arima_ops.create_series('ops_b', policy => '{"backtest_length": "long", "active": true}');
SELECT arima_ops.create_series('ops_b', calendar => 'nyse');
SELECT arima_ops.create_series('ops_b', provider => 'yahooo');
\set VERBOSITY terse
-- for ever is NULL, not a time before which there are no dates: one such series or provider would keep the jobs from all others
SELECT arima_ops.create_series('ops_b', policy => '{"retention": "300000 years"}');
SELECT arima_ops.create_series('ops_b', policy => '{"train_window": 2147483647}');
INSERT INTO arima_ops.providers (name, url, format, value_field, history) VALUES ('ops_long', 'https://prices.example.com/{symbol}', 'yahoo', 'close', '10000 years');
INSERT INTO arima_ops.providers (name, url, format, value_field, overlap) VALUES ('ops_long', 'https://prices.example.com/{symbol}', 'yahoo', 'close', '10000 years');
INSERT INTO arima_ops.providers (name, url, format, value_field, request_format) VALUES ('ops_empty', 'https://prices.example.com/{symbol}/{from}', 'yahoo', 'close', '');
INSERT INTO arima_ops.webhooks (name, url, headers) VALUES ('ops_square', 'https://alerts.example.com/', '{{a,b},{c,d}}');
SELECT arima_ops.configure_tracking('https://mlflow.example.com', headers => '{{a,b},{c,d}}');
\set VERBOSITY default
-- nor may the days of one series that a provider is asked for be none
SELECT arima_ops.create_series('ops_early', '(0,1,0)', provider => 'stooq');
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('ops_early', '4714-11-24 00:00+00 BC', 1);
SELECT arima_ops.prepare_fetch('{ops_early}', whole) FROM unnest(ARRAY[false, true]) AS whole;
SELECT arima_ops.drop_series('ops_early');
-- who predicts many series at once does not fill the server's table of locks
BEGIN;
SELECT count(arima_ops.lock_basis('ops_' || i, false)) FROM generate_series(1, 50000) AS i;
SELECT count(*) <= 1024 AS few FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;
SELECT arima_ops.set_policy('ops_c', '{"drift_window": 5}');
UPDATE arima_ops.series SET name = 'ops_b' WHERE name = 'ops_a';
SELECT count(*) FROM arima_ops.series WHERE name = 'ops_b';

-- a prediction needs a series, values and a model
SELECT * FROM arima_ops.predict('ops_c');
SELECT * FROM arima_ops.predict('ops_a');

-- actual values: weekdays of a quarter
CREATE TEMP TABLE truth AS
SELECT ts, 100 + sum(hashint4(i) / 2147483648.0) OVER (ORDER BY ts)::float8 AS value, row_number() OVER (ORDER BY ts) AS i
FROM (SELECT ts, row_number() OVER (ORDER BY ts)::int AS i
	FROM generate_series(timestamptz '2024-01-01', '2024-06-28', '1 day') AS ts WHERE extract(isodow FROM ts) < 6) AS weekdays;
SELECT r.* FROM (SELECT array_agg(ts ORDER BY ts) AS ts, array_agg(value ORDER BY ts) AS value FROM truth WHERE i <= 100) AS t,
	arima_ops.record_actuals('ops_a', ts, value) AS r;
-- again, in another order, the last with another value before it: nothing to do
SELECT r.* FROM (SELECT array_agg(ts ORDER BY i DESC) AS ts, array_agg(value ORDER BY i DESC) AS value FROM truth WHERE i <= 100) AS t,
	arima_ops.record_actuals('ops_a', (SELECT ts FROM truth WHERE i = 7) || ts, 55::float8 || value) AS r;
SELECT count(*) FROM arima_ops.actual_revisions WHERE series = 'ops_a';
SELECT * FROM arima_ops.record_actuals('ops_c', ARRAY['2024-01-01']::timestamptz[], ARRAY[1]);
SELECT * FROM arima_ops.record_actuals('ops_a', ARRAY['2024-01-01', '2024-01-02']::timestamptz[], ARRAY[1]);
SELECT * FROM arima_ops.record_actuals('ops_a', ARRAY['2024-01-01', NULL]::timestamptz[], ARRAY[1, 2]);
SELECT * FROM arima_ops.record_actuals('ops_a', ARRAY['2024-01-01', 'infinity']::timestamptz[], ARRAY[1, 2]);
SELECT * FROM arima_ops.record_actuals('ops_a', ARRAY['2024-01-01']::timestamptz[], ARRAY['NaN'::float8]);
SELECT * FROM arima_ops.record_actuals('ops_a', '{}', '{}');
SELECT * FROM arima_ops.record_actuals('ops_a', ARRAY['2024-12-01']::timestamptz[], ARRAY[NULL::float8]);
\set VERBOSITY terse
INSERT INTO arima_ops.actuals VALUES ('ops_a', '2024-12-01', 'NaN');
INSERT INTO arima_ops.actuals VALUES ('ops_a', 'infinity', 1);
\set VERBOSITY default
UPDATE arima_ops.actuals SET ts = ts + interval '1 hour' WHERE series = 'ops_a' AND ts = '2024-01-01';
TRUNCATE arima_ops.actuals;

SELECT * FROM arima_ops.predict('ops_a');
-- a champion trained on the first 80 values, and no second one, and not none
CREATE FUNCTION pg_temp.register(version int, status text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO arima_ops.models (series, version, status, spec, model, trained_from, trained_to, n, data_hash, promoted_at, champion_from)
	SELECT 'ops_a', version, status, '(0,1,1)', arima_fit(value, '(0,1,1)' ORDER BY ts), min(ts), max(ts), count(*),
		arima_ops.history_hash('ops_a', min(ts), max(ts)),
		CASE status WHEN 'champion' THEN now() END, CASE status WHEN 'champion' THEN max(ts) END
	FROM truth WHERE i <= 80
$$;
SELECT pg_temp.register(1, 'champion');
SELECT pg_temp.register(2, 'champion');
SELECT pg_temp.register(2, 'candidate');
UPDATE arima_ops.models SET status = 'archived', retired_at = now() WHERE series = 'ops_a' AND version = 1;
DELETE FROM arima_ops.models WHERE series = 'ops_a' AND version = 1;
DELETE FROM arima_ops.models WHERE series = 'ops_a' AND version = 2;
SELECT pg_temp.register(2, 'candidate');
UPDATE arima_ops.models SET spec = '(1,1,1)' WHERE series = 'ops_a' AND version = 1;
UPDATE arima_ops.models SET model = arima_append(model, ARRAY[1]) WHERE series = 'ops_a' AND version = 1;
SELECT version, status FROM arima_ops.models WHERE series = 'ops_a' ORDER BY version;

-- from the recorded values: the model rolled forward over those after its training
SELECT p.version, p.as_of, p.lead, p.horizon, p.history_len, p.forecast = f.forecast AND p.lower = f.lower AND p.upper = f.upper AND p.std_error = f.std_error AS same
FROM arima_ops.predict('ops_a', horizon => 2, level => 0.8) AS p,
	(SELECT arima_append(model, (SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN 81 AND 100)) AS rolled
		FROM arima_ops.models WHERE series = 'ops_a' AND version = 1) AS m,
	arima_forecast(rolled, 2, 0.8) AS f
WHERE f.step = p.horizon;
-- from recent values that end at the last one recorded, two after it, elsewhere, at a session given
SELECT what, p.as_of, p.lead, p.history_len, p.forecast = (SELECT f.forecast FROM arima_forecast(model, recent) AS f) AS same
FROM (SELECT 'to the last', (SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN 71 AND 100), NULL::timestamptz
	UNION ALL SELECT 'two newer', (SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN 73 AND 102), NULL
	UNION ALL SELECT 'other prices', (SELECT array_agg(value + 50 ORDER BY i) FROM truth WHERE i BETWEEN 73 AND 102), NULL
	UNION ALL SELECT 'a session given', (SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN 75 AND 104), (SELECT ts FROM truth WHERE i = 104)
	) AS r (what, recent, at),
	arima_ops.models AS m, arima_ops.predict('ops_a', recent, as_of => at) AS p
WHERE m.series = 'ops_a' AND m.version = 1;
-- as of a session in the past, also within the training span
SELECT p.as_of, p.forecast = (SELECT f.forecast FROM arima_forecast(model, (SELECT array_agg(value ORDER BY i) FROM truth WHERE i <= 50)) AS f) AS same
FROM arima_ops.models AS m, arima_ops.predict('ops_a', as_of => (SELECT ts + interval '5 hours' FROM truth WHERE i = 50)) AS p
WHERE m.series = 'ops_a' AND m.version = 1;
-- before it, where the model was trained on the last values only
BEGIN;
SELECT arima_ops.set_policy('ops_a', '{"train_window": 30}');
SELECT arima_ops.promote('ops_a', arima_ops.train('ops_a')) IS NOT NULL AS promoted;
SELECT t.i, t.ts < m.trained_from AS before, p.as_of, p.forecast = (SELECT f.forecast FROM arima_forecast(m.model, (SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN t.i - 29 AND t.i)) AS f) AS same
FROM arima_ops.models AS m, truth AS t, arima_ops.predict('ops_a', as_of => t.ts) AS p
WHERE m.series = 'ops_a' AND m.status = 'champion' AND t.i IN (60, 72) ORDER BY t.i;
ROLLBACK;
SELECT * FROM arima_ops.predict('ops_a', as_of => '2020-01-01');
SELECT * FROM arima_ops.predict('ops_a', ARRAY[1, 2, 3], as_of => 'infinity');
SELECT arima_ops.session_text('infinity'), arima_ops.session_text('-infinity'), arima_ops.session_text('2024-01-02 00:00+00'),
	arima_ops.session_text('0044-03-15 00:00+00 BC'), arima_ops.session_text('0001-12-31 23:59:59+00 BC'), arima_ops.session_text('0001-01-01 00:00+00');
-- what is wrong with an argument is said without the statement that would have used it
SELECT * FROM arima_ops.predict('ops_a', horizon => 0);
SELECT * FROM arima_ops.predict('ops_a', horizon => 100001);
SELECT * FROM arima_ops.predict('ops_a', level => 'NaN');
SELECT * FROM arima_ops.predict('ops_a', level => 1);
DO $$
DECLARE
	seen text;
BEGIN
	FOR i IN 0 .. 1 LOOP
		BEGIN
			PERFORM arima_ops.predict('ops_a', horizon => i, level => i);
		EXCEPTION WHEN invalid_parameter_value THEN
			GET STACKED DIAGNOSTICS seen = PG_EXCEPTION_CONTEXT;
			RAISE NOTICE '%', regexp_replace(substring(seen FROM '^[^(]*'), '\s+', ' ', 'g');
		END;
	END LOOP;
END $$;
-- the same request again: the first answer, logged once; to another one none
SELECT a.id = b.id AND a.forecast = b.forecast AS same, a.request_id, a.request_hash
FROM arima_ops.predict('ops_a', request_id => 'r1') AS a, arima_ops.predict('ops_a', NULL, 1, 0.95, NULL, 'r1') AS b;
SELECT * FROM arima_ops.predict('ops_a', ARRAY[1, 2, 3], request_id => 'r1');
SELECT * FROM arima_ops.predict('ops_a', as_of => (SELECT max(ts) FROM truth), request_id => 'r1');
SELECT count(DISTINCT h) FROM unnest(ARRAY[arima_ops.request_hash(NULL, 1, 0.95, NULL), arima_ops.request_hash('{}', 1, 0.95, NULL), arima_ops.request_hash('{0}', 1, 0.95, NULL),
	arima_ops.request_hash('{-0}', 1, 0.95, NULL), arima_ops.request_hash('{NaN}', 1, 0.95, NULL), arima_ops.request_hash('{NULL}', 1, 0.95, NULL),
	arima_ops.request_hash('{0,NULL}', 1, 0.95, NULL), arima_ops.request_hash('{NULL,0}', 1, 0.95, NULL), arima_ops.request_hash('{0}', 2, 0.95, NULL),
	arima_ops.request_hash('{0}', 1, 0.9, NULL), arima_ops.request_hash('{0}', 1, 0.95, '2024-01-01 00:00+00'), arima_ops.request_hash('{0}', 1, 0.95, '2000-01-01 00:00+00')]) AS h;
-- of one that is not known
BEGIN;
UPDATE arima_ops.predictions SET request_hash = NULL WHERE series = 'ops_a' AND request_id = 'r1';
SELECT history_len FROM arima_ops.predict('ops_a', ARRAY[1, 2, 3], request_id => 'r1');
ROLLBACK;
SELECT count(*) FROM arima_ops.predictions WHERE series = 'ops_a' AND request_id = 'r1';
-- an empty key is none
BEGIN;
SELECT count(DISTINCT id), count(request_id) FROM (SELECT * FROM arima_ops.predict('ops_a', request_id => '') UNION ALL SELECT * FROM arima_ops.predict('ops_a', horizon => 2, request_id => '')) AS p;
ROLLBACK;
SELECT count(*) AS logged, count(target_ts) AS labelled FROM arima_ops.predictions WHERE series = 'ops_a';

-- labels: the session number lead + horizon after as_of, whatever came in between
CREATE TEMP VIEW labels AS
SELECT p.as_of::date, p.lead, p.horizon, p.target_ts::date, t.i AS target, p.actual = t.value AS right_value,
	p.error = p.actual - p.forecast * p.adjustment AS right_error, p.relabelled
FROM arima_ops.predictions AS p LEFT JOIN truth AS t ON t.ts = p.target_ts WHERE p.series = 'ops_a' ORDER BY p.id;
SELECT arima_ops.score_predictions('ops_c');
SELECT arima_ops.score_predictions('ops_a'), arima_ops.score_predictions('ops_a');
SELECT r.* FROM (SELECT array_agg(ts ORDER BY ts) AS ts, array_agg(value ORDER BY ts) AS value FROM truth WHERE i IN (101, 102, 104, 105)) AS t,
	arima_ops.record_actuals('ops_a', ts, value) AS r;
SELECT arima_ops.score_predictions() >= 7 AS at_least_these;
TABLE labels;
-- session 103 comes late: what was labelled by 104 is mended, what waited gets its turn
SELECT r.* FROM truth AS t, arima_ops.record_actuals('ops_a', ARRAY[ts], ARRAY[value]) AS r WHERE i = 103;
SELECT arima_ops.score_predictions('ops_a');
TABLE labels;
-- a value is revised, and one is removed
UPDATE arima_ops.actuals SET value = value + 1 WHERE series = 'ops_a' AND ts = (SELECT ts FROM truth WHERE i = 101);
SELECT target, count(*), bool_and(p.actual = a.value AND p.error = a.value - p.forecast) AS follows, max(p.relabelled) AS relabelled
FROM arima_ops.predictions AS p JOIN arima_ops.actuals AS a ON a.series = p.series AND a.ts = p.target_ts JOIN (SELECT ts, i AS target FROM truth) AS t USING (ts)
WHERE p.series = 'ops_a' GROUP BY target ORDER BY target;
DELETE FROM arima_ops.actuals WHERE series = 'ops_a' AND ts >= (SELECT ts FROM truth WHERE i = 103);
SELECT target, count(*), bool_and(scored_at IS NOT NULL) AS scored FROM arima_ops.predictions LEFT JOIN (SELECT ts AS target_ts, i AS target FROM truth) AS t USING (target_ts)
WHERE series = 'ops_a' GROUP BY target ORDER BY target;
SELECT t.i, old_value = t.value AS old_value, new_value - old_value AS change FROM arima_ops.actual_revisions JOIN truth AS t USING (ts) WHERE series = 'ops_a' ORDER BY id;
SELECT kind, message, details FROM arima_ops.events WHERE series = 'ops_a' ORDER BY id;
-- wrong states have no place
\set VERBOSITY terse
UPDATE arima_ops.predictions SET target_ts = as_of, actual = 1, scored_at = now() WHERE series = 'ops_a' AND request_id = 'r1';
UPDATE arima_ops.predictions SET target_ts = NULL WHERE series = 'ops_a' AND target_ts IS NOT NULL;
UPDATE arima_ops.predictions SET actual = NULL WHERE series = 'ops_a' AND target_ts IS NOT NULL;
\set VERBOSITY default
UPDATE arima_ops.events SET message = 'nothing';
DELETE FROM arima_ops.events;
TRUNCATE arima_ops.events CASCADE;

-- a 4:1 split: all recorded values change by a factor, and the forecasts go with them
CREATE TEMP TABLE before AS SELECT id, error, forecast, adjustment FROM arima_ops.predictions WHERE series = 'ops_a';
CREATE TEMP TABLE next_before AS SELECT forecast, lower FROM arima_ops.predict('ops_a');
SELECT r.* FROM (SELECT array_agg(ts ORDER BY ts) AS ts, array_agg(value / 4 ORDER BY ts) AS value FROM arima_ops.actuals WHERE series = 'ops_a') AS t,
	arima_ops.record_actuals('ops_a', ts, value) AS r;
SELECT count(*), bool_and(abs(p.error - b.error / 4) < 1e-12 OR b.error IS NULL AND p.error IS NULL) AS errors, bool_and(p.forecast = b.forecast) AS as_answered
FROM arima_ops.predictions AS p JOIN before AS b USING (id);
SELECT abs(p.forecast - b.forecast / 4) < 1e-9 AS forecast, abs(p.lower - b.lower / 4) < 1e-9 AS lower FROM arima_ops.predict('ops_a') AS p, next_before AS b;
SELECT version, adjustment FROM arima_ops.models WHERE series = 'ops_a' ORDER BY version;
-- not all of them, or not by the same factor: a revision like others
SELECT r.* FROM (SELECT array_agg(ts ORDER BY ts) AS ts, array_agg(value * 4 ORDER BY ts) AS value FROM arima_ops.actuals WHERE series = 'ops_a' AND ts > '2024-02-01') AS t,
	arima_ops.record_actuals('ops_a', ts, value) AS r;
SELECT version, adjustment FROM arima_ops.models WHERE series = 'ops_a' ORDER BY version;
-- nor where values become others altogether, whose quotient no number has room for
BEGIN;
SELECT arima_ops.create_series('ops_far', '(0,1,0)');
SELECT arima_ops.record_actuals('ops_far', array_agg(d), array_agg(CASE WHEN d < '2024-02-03' THEN 1e200 ELSE 1e-200 END)) FROM generate_series('2024-02-01'::timestamptz, '2024-02-07', '1 day') AS d;
SELECT arima_ops.record_actuals('ops_far', array_agg(d), array_agg(v)) FROM generate_series('2024-02-01'::timestamptz, '2024-02-07', '1 day') AS d, LATERAL (SELECT CASE WHEN d < '2024-02-03' THEN 1e-200 ELSE 1e200 END AS v) AS c;
SELECT arima_ops.record_actuals('ops_far', '{2024-02-07}', '{1e-200}');
SELECT count(*), min(value), max(value) FROM arima_ops.actuals WHERE series = 'ops_far';
SELECT kind, message FROM arima_ops.events WHERE series = 'ops_far' ORDER BY id;
SELECT arima_ops.restate('ops_far', 1e-120, '2024-02-07');
ROLLBACK;
-- by hand
SELECT arima_ops.restate('ops_a', 0, '2024-03-01');
SELECT arima_ops.restate('ops_a', 0.5, '2024-03-01') = (SELECT count(*) FROM truth WHERE ts <= '2024-03-01') AS all_before;
SELECT version, adjustment FROM arima_ops.models WHERE series = 'ops_a' ORDER BY version;
SELECT kind, message FROM arima_ops.events WHERE series = 'ops_a' AND kind = 'restatement' ORDER BY id;

-- where recorded values are found in recent ones
SELECT what, c.* FROM (VALUES
	('two after', '{1,2,3,4}', '{1,2}'), ('none after', '{1,2,3,4}', '{9,1,2,3,4}'), ('constant', '{5,5,5,5}', '{5,5,5}'), ('unchanged after the last', '{1,2,3,3}', '{1,2,3}'),
	('7 comes late', '{1,2,3,4,5,6,7,8,9}', '{2,3,4,5,6,8}'), ('7 and 8 come late', '{1,2,3,4,5,6,7,8,9,10}', '{2,3,4,5,6,9}'), ('they may by chance', '{1,2,3,4,5}', '{0,1,2,4}'), ('one behind, of small counts', '{3,1,2,3,2,1,3,2,1,2,3,1,1,2,3,2}', '{1,2,3,2,2}'), ('the last but two comes late, with two newer ones', '{58,59,57,56,58.1,61,60,62,63,62.5,61.2,61.7,62.2,61.9}', '{61,60,62,63,61.2,61.7}'), ('the last one corrected', '{61,60,62,63,62.5,61.2}', '{61,60,62,63,62.5,61.3}'), ('the last two, and a newer one', '{58,58.1,58.2,58.3,58.4,58.5,58.6,58.7,58.8,58.9,61,60,62,63,62.6,61.2,61.7}', '{61,60,62,63,62.5,61.3}'), ('three', '{61,60,62,63.1,62.6,61.2,61}', '{61,60,62,63,62.5,61.3}'), ('others before two that are there', '{9,9,9,9,62.5,61.3}', '{61,60,62,63,62.5,61.3}'), ('six digits', '{10,11,12.0000012,13}', '{10,11,12}'),
	('another last one', '{2,3,4}', '{1,3}'), ('other prices', '{7,8}', '{1,2}'), ('one', '{1}', '{1}'), ('nothing recorded', '{3,4}', '{}'), ('nothing given', '{}', '{1}'),
	('twice there: the later place', '{1,2,9,1,2,3}', '{1,2}'), ('only the last is known', '{2,3,4}', '{7,8,2}'),
	('after a split', '{9,2,2.4,2.2,2.5,2.3,2.6,2.1,2.7}', '{7,8,9.6,8.8,10,9.2,10.4}'), ('not reaching back', '{2.4,2.2,2.5,2.3}', '{8,9.6,8.8,10}'), ('three recorded', '{9,2.4,2.2,2.5,2.3}', '{9.6,8.8,10}'),
	('two are too few', '{9,2.2,2.5,2.3}', '{8.8,10}'), ('restated by hand, then a dividend', '{29.41,29.11,29.7,29.44,29.99,29.6,29.5}', '{30.01,29.705,30.305,30.045,30.605,30.205}'), ('after a dividend', '{9.95995,10.9649,9.78085,10.2883,10.21865,9.9}', '{10.01,11.02,9.83,10.34,10.27}'),
	('rounded to cents', '{15.01,14.85,15.15,15.02,15.3,15.11,15.4}', '{60.02,59.41,60.61,60.09,61.21,60.43}'), ('rounded, and the same', '{15.01,14.85,15.15,15.02,15.3,15.11,15.4}', '{15.005,14.8525,15.1525,15.0225,15.3025,15.1075}'),
	('a small dividend of rounded prices', '{60.01,59.4,60.6,60.08,61.2,60.42,61}', '{60.02,59.41,60.61,60.09,61.21,60.43}'), ('too small prices', '{0.15,0.15,0.15,0.15,0.15,0.15,0.16}', '{0.6,0.6,0.61,0.6,0.61,0.6}'),
	('one of them is another', '{2,2.4,2.3,2.5,2.3,2.6,2.1,2.7}', '{8,9.6,8.8,10,9.2,10.4}'), ('one came late', '{2,2.4,2.2,2.5,5,2.3,2.6,2.1,2.7}', '{8,9.6,8.8,10,9.2,10.4}'),
	('constant, and other prices', '{2,2,2,2,2,2,2}', '{8,8,8,8,8,8}'), ('of even growth', '{4,8,16,32,64,128,256}', '{1.1,2.2,4.4,8.8,17.6}'), ('hardly changing', '{2,2.0001,2,2.0001,2,2.0001}', '{8,8.0004,8,8.0004,8}'),
	('five digits', '{10.0001,12.0001,11.0001,12.5001,10.5001}', '{10,12,11,12.5,10.5}'), ('of another sign', '{-2,-2.4,-2.2,-2.5}', '{8,9.6,8.8,10}'), ('with zero', '{2,0,2.2,2.5}', '{8,0,8.8,10}'),
	('from far', '{2e100,2.4e100,2.2e100,2.5e100}', '{8,9.6,8.8,10}')) AS v (what, recent, recorded), arima_ops.count_newer(recent::float8[], recorded::float8[]) AS c;

-- the factor between prices that are rounded; none where it may be another change
SELECT what, arima_ops.price_factor(given::float8[], recorded::float8[]) AS factor FROM (VALUES
	('exact', '{2.515,5.01,10.005}', '{5.03,10.02,20.01}'), ('a few whole ones', '{2.5,5,10}', '{5,10,20}'), ('more', '{2.5,5,10,7.5,4.5}', '{5,10,20,15,9}'), ('seven digits', '{29.93499947,30.1049995,30.26499939}', '{59.87,60.21,60.53}'), ('cents', '{29.94,30.11,30.27,29.81}', '{59.87,60.21,60.53,59.62}'),
	('from one cent on', '{0.01,0.5,29.94,30.11,30.27}', '{0.01,1,59.87,60.21,60.53}'), ('two cents too many', '{29.94,30.13,30.27,29.81}', '{59.87,60.21,60.53,59.62}'), ('the same', '{1,2,3}', '{1,2,3}'),
	('one of a hundred by a cent', ('{60.02' || repeat(',60', 99) || '}'), ('{60.01' || repeat(',60', 99) || '}')), ('each by a cent', '{10.02,12.03,14.04,16.05,18.06}', '{10.01,12.02,14.03,16.04,18.05}'),
	('each by one', '{11.01,13.02,15.03,17.04,19.05}', '{10.01,12.02,14.03,16.04,18.05}'), ('whole ones', '{2,5,3,8}', '{4,9,6,16}'), ('small whole ones', '{1,0,1}', '{2,1,2}'), ('negative', '{-1.01,-2.02,-3.03}', '{-2.02,-4.04,-6.06}'),
	('another sign', '{-1,-2,-3}', '{2,4,6}'), ('from zero', '{1,1,1}', '{0,0,0}'), ('none', '{}', '{}')) AS v (what, given, recorded);
SELECT arima_ops.price_factor('{1,2}', '{1}');
-- of a long history in cents, which a provider restates by a split; a few cents here and there are revisions, and so is another unit
SELECT arima_ops.create_series('ops_cents', '(0,1,0)', policy => '{"backtest_length": 20}');
CREATE TEMP TABLE cents AS SELECT '2024-01-01'::timestamptz + i * interval '1 day' AS ts, round((exp(i / 25.0) / 2 + 0.4 * sin(i * i))::numeric, 2)::float8 AS value FROM generate_series(1, 120) AS i;
SELECT (arima_ops.record_actuals('ops_cents', array_agg(ts), array_agg(value))).inserted, arima_ops.train('ops_cents') FROM cents;
SELECT revised FROM (SELECT array_agg(ts) AS ts, array_agg(value + CASE WHEN value > 50 THEN 0.01 ELSE 0 END) AS value FROM cents) AS t, arima_ops.record_actuals('ops_cents', ts, value);
SELECT revised FROM (SELECT array_agg(ts) AS ts, array_agg(value + 1) AS value FROM cents) AS t, arima_ops.record_actuals('ops_cents', ts, value);
SELECT (arima_ops.record_actuals('ops_cents', array_agg(ts), array_agg(value))).revised FROM cents;
SELECT revised FROM (SELECT array_agg(ts) AS ts, array_agg(round((value / 4)::numeric, 2)::float8) AS value FROM cents) AS t, arima_ops.record_actuals('ops_cents', ts, value);
SELECT m.version, round(m.adjustment::numeric, 4) AS adjustment, e.message FROM arima_ops.models AS m LEFT JOIN arima_ops.events AS e ON e.series = m.series AND e.kind = 'restatement' WHERE m.series = 'ops_cents';
SELECT arima_ops.drop_series('ops_cents');

-- a long request takes no long time
SELECT * FROM arima_ops.count_newer(array_fill(1::float8, ARRAY[1000000]), '{1,2,1,1,1,1}') AS not_there;

-- jobs: progress, outcome, and a run that died
SELECT arima_ops.begin_job('example') AS run \gset
SELECT arima_ops.job_progress(:run, 3, 10) AS ours;
SELECT arima_ops.job_progress(:run, 4) AS ours;
SELECT status, done, total, finished_at IS NULL AS open FROM arima_ops.job_runs WHERE id = :run;
SELECT arima_ops.begin_job('example') AS second \gset
SELECT arima_ops.job_progress(:run, 5) AS ours;
SELECT arima_ops.end_job(:second, 'failed', 'one of two');
SELECT status, done, total, error, finished_at >= started_at AS ended FROM arima_ops.job_runs WHERE job = 'example' ORDER BY id;

-- the lock of a run whose row is removed goes as well; one that DISCARD ALL or the like gave back is none
CREATE FUNCTION pg_temp.locks_of_jobs() RETURNS bigint LANGUAGE sql
AS $$ SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted $$;
SELECT arima_ops.begin_job('example') AS run \gset
SELECT pg_temp.locks_of_jobs();
DELETE FROM arima_ops.job_runs WHERE id = :run;
SELECT arima_ops.job_progress(:run, 1) AS ours;
SELECT pg_temp.locks_of_jobs();
SELECT arima_ops.begin_job('example') AS run \gset
DELETE FROM arima_ops.job_runs WHERE id = :run;
SELECT arima_ops.end_job(:run);
SELECT pg_temp.locks_of_jobs();
SELECT arima_ops.lock_job('example');
SELECT pg_advisory_unlock_all();
SELECT arima_ops.lock_job('example'), arima_ops.lock_job('example');
SELECT pg_temp.locks_of_jobs();
SELECT arima_ops.unlock_job('example');
SELECT pg_temp.locks_of_jobs();

-- no place of a model, not even the last that there can be, where a read would add a page to the table
SELECT pg_relation_size('arima_ops.models') AS size \gset
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT arima_ops.check_newest_model('(4294967295,1)');
ROLLBACK;
SELECT pg_relation_size('arima_ops.models') - :size AS added;

-- many revisions after none take their time once each, not each with each other
SELECT arima_ops.create_series('ops_many');
CREATE TEMP TABLE many AS SELECT array_agg(timestamptz '2000-01-01' + i * interval '1 min') AS ts, array_agg(i::float8) AS value, array_agg((i + i % 7)::float8) AS later
FROM generate_series(1, 12000) AS i;
SELECT r.* FROM many, arima_ops.record_actuals('ops_many', ts, value) AS r;
SELECT r.* FROM many, arima_ops.record_actuals('ops_many', ts, value) AS r;
SET statement_timeout = '20s';
SELECT r.* FROM many, arima_ops.record_actuals('ops_many', ts, later) AS r;
RESET statement_timeout;
SELECT arima_ops.drop_series('ops_many');

-- ---- a session of a wrong year: what was asked for meanwhile gets its label once it is removed ----
SELECT arima_ops.create_series('ops_year', '(0,1,0)', calendar => 'none', policy => '{"backtest_length": 20}');
CREATE FUNCTION pg_temp.session(n int) RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '2024-01-01' + n * interval '24 hours' $$;
CREATE FUNCTION pg_temp.arrive(VARIADIC n int[]) RETURNS void LANGUAGE sql AS $$ INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'ops_year', pg_temp.session(i), i FROM unnest(n) AS i $$;
CREATE FUNCTION pg_temp.waiting() RETURNS TABLE (made text, as_of date, lead int, horizon int, forecast float8, target date, actual float8) LANGUAGE sql AS $$
	SELECT request_id, as_of, lead, horizon, forecast, target_ts, actual FROM arima_ops.predictions WHERE series = 'ops_year' ORDER BY id $$;
SELECT pg_temp.arrive(VARIADIC array_agg(i)) FROM generate_series(1, 50) AS i;
SELECT arima_ops.train('ops_year');
-- the value of session 51, and of 52, then others of the right year; one prediction is for a session that its caller says
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('ops_year', pg_temp.session(51) + interval '200 years', 51);
SELECT count(*) FROM arima_ops.predict('ops_year', horizon => 2, request_id => 'after 51');
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('ops_year', pg_temp.session(52) + interval '200 years', 52);
SELECT count(*) FROM arima_ops.predict('ops_year', request_id => 'after 52');
SELECT count(*) FROM arima_ops.predict('ops_year', ARRAY[50,51,52,53]::float8[], request_id => 'after 53');
SELECT pg_temp.arrive(54, 55);
SELECT count(*) FROM arima_ops.predict('ops_year', request_id => 'after 55');
SELECT count(*) FROM arima_ops.predict('ops_year', ARRAY[1,2,3]::float8[], as_of => pg_temp.session(90) + interval '200 years', request_id => 'said');
SELECT arima_ops.restate('ops_year', 2, pg_temp.session(50)), arima_ops.restate('ops_year', 0.5, pg_temp.session(50));
SELECT pg_temp.arrive(56), arima_ops.score_predictions('ops_year');
-- removed and recorded anew in one transaction, all is as it was
BEGIN;
DELETE FROM arima_ops.actuals WHERE series = 'ops_year' AND ts > '2200-01-01';
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'ops_year', pg_temp.session(i) + interval '200 years', i FROM generate_series(51, 52) AS i;
COMMIT;
SELECT arima_ops.score_predictions('ops_year');
SELECT * FROM pg_temp.waiting();
-- one after the other
DELETE FROM arima_ops.actuals WHERE series = 'ops_year' AND ts = pg_temp.session(51) + interval '200 years';
DELETE FROM arima_ops.actuals WHERE series = 'ops_year' AND ts = pg_temp.session(52) + interval '200 years';
SELECT arima_ops.score_predictions('ops_year');
SELECT * FROM pg_temp.waiting();
SELECT pg_temp.arrive(51, 52, 53, 57), arima_ops.score_predictions('ops_year');
SELECT * FROM pg_temp.waiting();
-- asked for while the row was being removed: logged after that
INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast, request_id) VALUES ('ops_year', pg_temp.session(52) + interval '200 years', 0, 57, 'meanwhile');
SELECT pg_temp.arrive(58, 59), arima_ops.score_predictions('ops_year');
SELECT made, as_of, lead, target FROM pg_temp.waiting() WHERE made = 'meanwhile';
-- prices that were restated meanwhile: what was made of them goes with them
BEGIN;
INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('ops_year', pg_temp.session(60) + interval '200 years', 60);
SELECT forecast AS made_of_60 FROM arima_ops.predict('ops_year', request_id => 'after 60') \gset
SELECT arima_ops.restate('ops_year', 4, pg_temp.session(59)) > 50 AS restated;
DELETE FROM arima_ops.actuals WHERE series = 'ops_year' AND ts > '2200-01-01';
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'ops_year', pg_temp.session(i), i * 4 FROM generate_series(60, 61) AS i;
SELECT arima_ops.score_predictions('ops_year');
SELECT p.lead, p.as_of = pg_temp.session(59) AS brought_back, p.target_ts = pg_temp.session(61) AS labelled, p.adjustment, p.error = 244 - :made_of_60 * 4 AS error
FROM arima_ops.predictions AS p WHERE p.series = 'ops_year' AND p.request_id = 'after 60';
ROLLBACK;
-- a calendar of the future that goes on: deleted and recorded anew one after the other, a label is that of the same session
SELECT arima_ops.drop_series('ops_year'), arima_ops.create_series('ops_year', '(0,1,0)', calendar => 'none', policy => '{"backtest_length": 20}');
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'ops_year', pg_temp.session(i) + interval '200 years', i FROM generate_series(1, 50) AS i;
SELECT arima_ops.train('ops_year');
SELECT count(*) FROM arima_ops.predict('ops_year', request_id => 'after 50');
DELETE FROM arima_ops.actuals WHERE series = 'ops_year' AND value > 45;
SELECT arima_ops.score_predictions('ops_year');
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'ops_year', pg_temp.session(i) + interval '200 years', i FROM generate_series(46, 51) AS i;
SELECT arima_ops.score_predictions('ops_year');
SELECT * FROM pg_temp.waiting();
SELECT arima_ops.drop_series('ops_year');

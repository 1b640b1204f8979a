-- A log of predictions for 500 series, for the rows drift and label.  Triggers and
-- foreign keys are left out while it is made: what is timed is what comes after.

CREATE PROCEDURE empty_operations()
LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	SET LOCAL client_min_messages = warning;
	TRUNCATE arima_ops.series CASCADE;
END $$;

-- 500 series, whose names begin so: n sessions of each, with a champion, and requests for each session, labelled or not.
CREATE PROCEDURE fill_operations(prefix text, n int, requests int, labelled boolean)
LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	PERFORM setseed(0.5);
	INSERT INTO arima_ops.series (name, spec) SELECT prefix || lpad(s::text, 3, '0'), '(0,1,0)' FROM generate_series(1, 500) AS s;
	INSERT INTO arima_ops.actuals (series, ts, value)
	SELECT s.name, timestamptz '2000-01-01 00:00+00' + i * interval '1 day', 100 + random() FROM arima_ops.series AS s, generate_series(0, n) AS i WHERE starts_with(s.name, prefix);
	INSERT INTO arima_ops.models (series, version, status, spec, model, trained_from, trained_to, n, data_hash, reference_rmse, promoted_at, champion_from)
	SELECT name, 1, 'champion', '(0,1,0)', f.model, '1999-01-01', '2000-01-01 00:00+00', 10, '', 0.4, now(), '2000-01-01 00:00+00'
	FROM arima_ops.series, (SELECT arima_fit(ARRAY[1, 2, 3, 2, 1, 2, 3, 2, 1, 2], '(0,1,0)') AS model) AS f WHERE starts_with(name, prefix);
	INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast, lower, upper, level, target_ts, actual, scored_at)
	SELECT a.series, 1, a.ts, 0, a.value, a.value - 1, a.value + 1, 0.95,
		CASE WHEN labelled THEN a.next_ts END, CASE WHEN labelled THEN a.next_value END, CASE WHEN labelled THEN now() END
	FROM (SELECT *, lead(ts) OVER w AS next_ts, lead(value) OVER w AS next_value FROM arima_ops.actuals WINDOW w AS (PARTITION BY series ORDER BY ts)) AS a,
		generate_series(1, requests)
	WHERE a.next_ts IS NOT NULL AND starts_with(a.series, prefix) ORDER BY a.ts, a.series;
END $$;

-- Milliseconds of a check for drift of these series, the only active ones, after one more session with its requests.
CREATE FUNCTION time_drift(prefix text, requests int) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
	last_ts timestamptz;
	start timestamptz;
	checked bigint;
BEGIN
	UPDATE arima_ops.series SET active = starts_with(name, prefix) WHERE active <> starts_with(name, prefix);
	SELECT max(ts) INTO last_ts FROM arima_ops.actuals WHERE starts_with(series, prefix);
	INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast, lower, upper, level)
	SELECT a.series, 1, a.ts, 0, a.value, a.value - 1, a.value + 1, 0.95
	FROM arima_ops.actuals AS a, generate_series(1, requests) WHERE a.ts = last_ts AND starts_with(a.series, prefix);
	INSERT INTO arima_ops.actuals (series, ts, value) SELECT name, last_ts + interval '1 day', 100 + random() FROM arima_ops.series WHERE active;
	PERFORM arima_ops.score_predictions();
	start := clock_timestamp();
	checked := (SELECT count(*) FROM arima_ops.detect_drift() AS d WHERE d.ts = last_ts + interval '1 day' AND d.predictions = requests);
	IF checked <> 500 THEN
		RAISE EXCEPTION 'only % series were checked', checked;
	END IF;
	RETURN 1000 * extract(epoch FROM clock_timestamp() - start);
END $$;

-- Milliseconds of labelling all pending predictions, ours and by a plain UPDATE from a table of the labels; taken back after.
CREATE FUNCTION time_label(plain boolean, OUT ms float8, OUT labelled bigint)
LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	IF plain THEN
		UPDATE arima_ops.predictions AS p SET target_ts = l.ts, actual = l.value, scored_at = clock_timestamp()
		FROM label AS l WHERE p.target_ts IS NULL AND p.series = l.series AND p.as_of = l.as_of;
		GET DIAGNOSTICS labelled = ROW_COUNT;
	ELSE
		labelled := arima_ops.score_predictions();
	END IF;
	ms := 1000 * extract(epoch FROM clock_timestamp() - start);
END $$;

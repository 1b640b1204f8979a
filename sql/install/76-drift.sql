/* ---- drift: is the champion still as good as it was at training? ---- */

/*
 * One row for each labelled session of a champion: what its one-step predictions
 * for that session were worth, and what follows from the sessions up to there.
 * A row also holds all that the next one needs beside the window's errors.
 */
CREATE TABLE arima_ops.drift_checks (
	series text NOT NULL,
	ts timestamptz NOT NULL,
	version int NOT NULL,
	predictions int NOT NULL CHECK (predictions > 0),
	session_rmse float8 NOT NULL,
	session_error float8 NOT NULL,
	inside float8 CHECK (inside BETWEEN 0 AND 1),
	labels int NOT NULL CHECK (labels > 0),
	rolling_rmse float8 NOT NULL,
	reference_rmse float8,
	threshold float8,
	policy text NOT NULL,
	breach boolean NOT NULL,
	consecutive int NOT NULL CHECK (consecutive >= 0),
	drift boolean NOT NULL,
	cusum float8 NOT NULL CHECK (cusum >= 0),
	cusum_limit float8,
	bias_above float8 NOT NULL CHECK (bias_above >= 0),
	bias_below float8 NOT NULL CHECK (bias_below >= 0),
	bias_limit float8,
	coverage float8 CHECK (coverage BETWEEN 0 AND 1),
	checked_at timestamptz DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (series, ts),
	FOREIGN KEY (series, version) REFERENCES arima_ops.models);

-- what later labels made out of date: usually nothing
CREATE INDEX drift_checks_outdated ON arima_ops.drift_checks (series, ts) WHERE checked_at IS NULL;

COMMENT ON TABLE arima_ops.drift_checks IS
'One row for each series and labelled session: how the champion of that time did. Errors are those of its own one-step predictions since its promotion, in the prices of today; many predictions for a session count as one';
COMMENT ON COLUMN arima_ops.drift_checks.version IS 'the champion';
COMMENT ON COLUMN arima_ops.drift_checks.predictions IS 'its one-step predictions for this session: those from the values recorded alone, or, if there are none, from what requests brought';
COMMENT ON COLUMN arima_ops.drift_checks.session_rmse IS 'root of the mean of their squared errors';
COMMENT ON COLUMN arima_ops.drift_checks.session_error IS 'mean of their errors: actual - forecast';
COMMENT ON COLUMN arima_ops.drift_checks.inside IS 'share of their intervals that held the value; NULL: none had an interval';
COMMENT ON COLUMN arima_ops.drift_checks.labels IS 'labelled sessions of this champion so far';
COMMENT ON COLUMN arima_ops.drift_checks.rolling_rmse IS 'over the last drift_window sessions, or all if there are fewer';
COMMENT ON COLUMN arima_ops.drift_checks.reference_rmse IS 'of the champion at training; NULL: not known, so that nothing can be a breach';
COMMENT ON COLUMN arima_ops.drift_checks.threshold IS 'of the rolling RMSE: reference_rmse times drift_multiplier';
COMMENT ON COLUMN arima_ops.drift_checks.policy IS 'the policy in force: rolling_rmse, cusum or none';
COMMENT ON COLUMN arima_ops.drift_checks.breach IS 'by the policy in force: the rolling RMSE is above the threshold, or the sum has reached its limit';
COMMENT ON COLUMN arima_ops.drift_checks.consecutive IS 'sessions in a row with a breach, this one included';
COMMENT ON COLUMN arima_ops.drift_checks.drift IS 'is there drift?  From drift_consecutive breaches in a row (cusum: from one) until the rolling RMSE is below drift_recovery times the reference';
COMMENT ON COLUMN arima_ops.drift_checks.cusum IS 'sum of log-likelihood ratios of errors of twice the reference RMSE against errors of the reference RMSE, not below 0';
COMMENT ON COLUMN arima_ops.drift_checks.cusum_limit IS 'limit of cusum that drift_false_alarms gives';
COMMENT ON COLUMN arima_ops.drift_checks.bias_above IS 'Page-Hinkley statistic for values above their forecasts, in units of the reference RMSE';
COMMENT ON COLUMN arima_ops.drift_checks.bias_below IS '.. for values below their forecasts';
COMMENT ON COLUMN arima_ops.drift_checks.bias_limit IS 'limit of both that drift_false_alarms gives; beyond it the forecasts are biased. Reported only';
COMMENT ON COLUMN arima_ops.drift_checks.coverage IS 'mean of inside over the sessions of the rolling RMSE';
COMMENT ON COLUMN arima_ops.drift_checks.checked_at IS 'NULL: labels from here on have changed since, and the next check does these sessions again';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.drift_checks', '');

/* What was found of a version before its promotion says nothing of it as a champion. */
CREATE VIEW arima_ops.last_checks AS
SELECT m.series, m.version, m.champion_from, m.reference_rmse * m.adjustment AS reference_rmse, coalesce((l.found).ts, m.champion_from) AS checked_to,
	l.found
FROM arima_ops.models AS m LEFT JOIN LATERAL (SELECT d AS found FROM arima_ops.drift_checks AS d
	WHERE d.series = m.series AND d.version = m.version AND d.ts > m.champion_from ORDER BY d.ts DESC LIMIT 1) AS l ON true
WHERE m.status = 'champion';
COMMENT ON VIEW arima_ops.last_checks IS 'The present champions, with the reference RMSE in the prices of today, the session up to which each was checked, and the last check, NULL if there was none yet';

CREATE FUNCTION arima_ops.in_drift(series text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT (c.found).drift FROM arima_ops.last_checks AS c WHERE c.series = s.name), false)
	FROM arima_ops.get_series(in_drift.series) AS s
$$;
COMMENT ON FUNCTION arima_ops.in_drift(text) IS
'Did the last check by arima_ops.detect_drift find the champion of a series in drift?';

/* ---- the rules, in C ---- */

CREATE FUNCTION arima_ops.drift_steps(
	rule arima_ops.series,
	state arima_ops.drift_checks,
	reference float8,
	rmse float8[],
	errors float8[],
	inside float8[])
RETURNS TABLE (i int, labels int, rolling_rmse float8, threshold float8, breach boolean, consecutive int, drift boolean,
	cusum float8, cusum_limit float8, bias_above float8, bias_below float8, bias_limit float8, coverage float8)
AS 'MODULE_PATHNAME', 'arima_ops_drift_steps'
LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION arima_ops.drift_steps(arima_ops.series, arima_ops.drift_checks, float8, float8[], float8[], float8[]) IS
'The rule of a series applied to new sessions, one row each, number i from 1: to their mean errors, of which rmse and inside also hold those of the sessions before, and to the state that the last of those left behind. For arima_ops.detect_drift';

CREATE FUNCTION arima_ops.drift_trial(
	rule arima_ops.series,
	ratio float8,
	before int,
	sessions int,
	paths int,
	seed bigint,
	errors float8[] DEFAULT NULL)
RETURNS float8
AS 'MODULE_PATHNAME', 'arima_ops_drift_trial'
LANGUAGE C STABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION arima_ops.drift_trial(arima_ops.series, float8, int, int, int, bigint, float8[]) IS
'Share of simulated series without drift after so many sessions before that the rule finds in drift in the sessions after these, in which errors are ratio times as large. Errors are Gaussian, or drawn from those given, in units of the reference RMSE';

/* ---- the check ---- */

/*
 * What the sessions are made of; read by the index predictions_scored, from a session on.
 * Who tries other values than those recorded gets an answer that says nothing of the champion.
 * The newest values of a request are its own claim, as they are not recorded yet: a session for
 * which there is a forecast from the recorded ones alone is judged by that.
 */
CREATE VIEW arima_ops.one_step AS
SELECT p.series, p.version, p.target_ts AS ts, p.forecast * p.adjustment AS forecast, p.actual,
	(p.actual BETWEEN p.lower * p.adjustment AND p.upper * p.adjustment)::int AS inside, p.history_len = 0 AS own
FROM arima_ops.predictions AS p WHERE p.horizon = 1 AND p.target_ts IS NOT NULL AND p.placed IS NOT FALSE;
COMMENT ON VIEW arima_ops.one_step IS 'Labelled one-step predictions in the prices of today, but for those from values that are not the series'' own; inside: 1 where the interval held the value; own: from the values recorded alone';

/* Tells the change between two checks of a series as an event. */
CREATE FUNCTION arima_ops.tell_drift(found arima_ops.drift_checks) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT arima_ops.record_event(CASE WHEN found.drift THEN 'drift' ELSE 'recovery' END, found.series, found.version,
		format('session %s: rolling RMSE %s, at training %s', arima_ops.session_text(found.ts),
			arima_ops.number_text(found.rolling_rmse), arima_ops.number_text(found.reference_rmse))
		|| CASE WHEN NOT found.drift THEN ''
			WHEN found.policy = 'cusum' THEN format('; sum of log-likelihood ratios %s, limit %s', arima_ops.number_text(found.cusum), arima_ops.number_text(found.cusum_limit))
			ELSE format(', above %s for %s sessions', arima_ops.number_text(found.threshold), found.consecutive) END,
		to_jsonb(found) - ARRAY['series', 'version', 'drift', 'checked_at'])
$$;
COMMENT ON FUNCTION arima_ops.tell_drift(arima_ops.drift_checks) IS 'Records the event drift or recovery that a check found';

/*
 * For each series the sessions since its last check, and what of the window is
 * before them.  An event tells a change from one session to the next; of sessions
 * done again the last one alone can differ from what was told.  Everything is found
 * by an index, also where the planner knows the tables as empty; what it thinks of
 * the cost would have the statement compiled, for seconds.
 */
CREATE FUNCTION arima_ops.check_drift(wanted text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
	told arima_ops.drift_checks[];
	found_now arima_ops.drift_checks;
BEGIN
	PERFORM arima_ops.lock_series(wanted);
	SELECT array_agg(c.found) INTO told FROM arima_ops.last_checks AS c WHERE c.series = ANY (wanted) AND (c.found).ts IS NOT NULL;
	-- only of present champions: what was found of former ones stays
	DELETE FROM arima_ops.drift_checks AS d USING (
		SELECT m.series, m.version, min(o.ts) AS ts
		FROM arima_ops.models AS m JOIN arima_ops.drift_checks AS o ON o.series = m.series AND o.version = m.version AND o.ts > m.champion_from
		WHERE m.series = ANY (wanted) AND m.status = 'champion' AND o.checked_at IS NULL
		GROUP BY m.series, m.version) AS f
	WHERE d.series = f.series AND d.version = f.version AND d.ts >= f.ts;
	-- .. unless the present one has been asked for the session, too, which had been removed when it was promoted; a label that came
	-- back has just had the present one's checks from there on removed
	DELETE FROM arima_ops.drift_checks AS d USING arima_ops.last_checks AS c
	WHERE c.series = ANY (wanted) AND d.series = c.series AND d.version <> c.version AND d.ts > c.checked_to
		AND EXISTS (SELECT FROM arima_ops.one_step AS o WHERE o.series = d.series AND o.version = c.version AND o.ts = d.ts);
	FOR found_now IN
		WITH added AS (
			INSERT INTO arima_ops.drift_checks (series, ts, version, predictions, session_rmse, session_error, inside, labels, rolling_rmse,
				reference_rmse, threshold, policy, breach, consecutive, drift, cusum, cusum_limit, bias_above, bias_below, bias_limit, coverage)
			SELECT c.series, f.ts[t.i], c.version, f.predictions[t.i], f.rmse[t.i], f.error[t.i], f.inside[t.i], t.labels, t.rolling_rmse,
				c.reference_rmse, t.threshold, s.drift_policy, t.breach, t.consecutive, t.drift,
				t.cusum, t.cusum_limit, t.bias_above, t.bias_below, t.bias_limit, t.coverage
			FROM arima_ops.last_checks AS c JOIN arima_ops.series AS s ON s.name = c.series
				CROSS JOIN LATERAL (SELECT array_agg(g.ts ORDER BY g.ts) AS ts, array_agg(g.predictions ORDER BY g.ts) AS predictions,
						array_agg(g.rmse ORDER BY g.ts) AS rmse, array_agg(g.error ORDER BY g.ts) AS error, array_agg(g.inside ORDER BY g.ts) AS inside
					FROM (SELECT DISTINCT ON (p.ts) p.ts, count(*)::int AS predictions, @extschema@.rolling_rmse(p.forecast, p.actual) AS rmse,
							-@extschema@.rolling_bias(p.forecast, p.actual) AS error, avg(p.inside)::float8 AS inside
						FROM arima_ops.one_step AS p
						WHERE p.series = c.series AND p.version = c.version AND p.ts > c.checked_to GROUP BY p.ts, p.own ORDER BY p.ts, p.own DESC) AS g
					HAVING count(*) > 0) AS f
				CROSS JOIN LATERAL (SELECT array_agg(g.session_rmse ORDER BY g.ts) AS rmse, array_agg(g.inside ORDER BY g.ts) AS inside
					FROM (SELECT d.ts, d.session_rmse, d.inside FROM arima_ops.drift_checks AS d
						WHERE d.series = c.series AND d.version = c.version AND d.ts > c.champion_from ORDER BY d.ts DESC LIMIT s.drift_window - 1) AS g) AS w
				CROSS JOIN LATERAL arima_ops.drift_steps(s, c.found, c.reference_rmse, w.rmse || f.rmse, f.error, w.inside || f.inside) AS t
			WHERE c.series = ANY (wanted)
			RETURNING *
		), change AS (
			SELECT a.*, a.drift <> lag(a.drift, 1, coalesce(t.drift, false)) OVER w AS changed
			FROM (SELECT a.*, lead(a.ts) OVER (PARTITION BY a.series ORDER BY a.ts) AS next_ts FROM added AS a) AS a
				LEFT JOIN unnest(told) AS t ON t.series = a.series
			WHERE t.ts IS NULL OR a.next_ts IS NULL OR a.next_ts > t.ts
			WINDOW w AS (PARTITION BY a.series ORDER BY a.ts)
		)
		SELECT c.series, c.ts, c.version, c.predictions, c.session_rmse, c.session_error, c.inside, c.labels, c.rolling_rmse,
			c.reference_rmse, c.threshold, c.policy, c.breach, c.consecutive, c.drift, c.cusum, c.cusum_limit, c.bias_above, c.bias_below, c.bias_limit, c.coverage, c.checked_at
		FROM change AS c WHERE c.changed ORDER BY c.series, c.ts
	LOOP
		PERFORM arima_ops.tell_drift(found_now);
	END LOOP;
END $$;
COMMENT ON FUNCTION arima_ops.check_drift(text[]) IS
'Checks the labelled sessions of the champions of these series since their last check, and those whose labels changed since; records drift and recovery as events';

/* The same rule over all labelled sessions, with another reference or other numbers; nothing is written. */
CREATE FUNCTION arima_ops.try_drift(rule arima_ops.series, reference float8, version int, since timestamptz) RETURNS arima_ops.drift_checks
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	found_last arima_ops.drift_checks;
BEGIN
	WITH l AS MATERIALIZED (
		SELECT g.*, row_number() OVER (ORDER BY g.ts) AS i
		FROM (SELECT DISTINCT ON (p.ts) p.ts, count(*)::int AS predictions, @extschema@.rolling_rmse(p.forecast, p.actual) AS rmse,
				-@extschema@.rolling_bias(p.forecast, p.actual) AS error, avg(p.inside)::float8 AS inside
			FROM arima_ops.one_step AS p
			WHERE p.series = rule.name AND p.ts > since AND (version IS NULL OR p.version = version) GROUP BY p.ts, p.own ORDER BY p.ts, p.own DESC) AS g
	)
	SELECT rule.name, l.ts, version, l.predictions, l.rmse, l.error, l.inside, s.labels, s.rolling_rmse, reference, s.threshold,
		rule.drift_policy, s.breach, s.consecutive, s.drift, s.cusum, s.cusum_limit, s.bias_above, s.bias_below, s.bias_limit, s.coverage, now()
	INTO found_last
	FROM (SELECT array_agg(l.rmse ORDER BY l.i) AS rmse, array_agg(l.error ORDER BY l.i) AS error, array_agg(l.inside ORDER BY l.i) AS inside
			FROM l HAVING count(*) > 0) AS a,
		arima_ops.drift_steps(rule, NULL, reference, a.rmse, a.error, a.inside) AS s JOIN l USING (i)
	ORDER BY i DESC LIMIT 1;
	RETURN found_last;
END $$;
COMMENT ON FUNCTION arima_ops.try_drift(arima_ops.series, float8, int, timestamptz) IS
'What a rule finds in all labelled sessions of a version (NULL: of any) after a session: the row of the last one. Nothing is written';

/* A rule with other numbers; that of the original's call if only a reference is given. */
CREATE FUNCTION arima_ops.changed_rule(rule arima_ops.series, original boolean, drift_window int, drift_multiplier float8, drift_consecutive int)
RETURNS arima_ops.series
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF drift_window NOT BETWEEN 1 AND 10000 OR drift_consecutive NOT BETWEEN 1 AND 10000
		OR NOT (drift_multiplier > 0 AND drift_multiplier < 'Infinity') THEN
		RAISE EXCEPTION 'drift_window and drift_consecutive must be from 1 to 10000, drift_multiplier positive'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Usual are 14, 3 and 1.5.';
	END IF;
	rule.drift_window := coalesce(drift_window, rule.drift_window);
	rule.drift_multiplier := coalesce(drift_multiplier, rule.drift_multiplier);
	rule.drift_consecutive := coalesce(drift_consecutive, rule.drift_consecutive);
	rule.drift_min_labels := least(rule.drift_min_labels, rule.drift_window);
	rule.drift_recovery := least(rule.drift_recovery, rule.drift_multiplier);
	IF original THEN
		rule.drift_policy := 'rolling_rmse';
		rule.drift_min_labels := rule.drift_window;
		rule.drift_recovery := 'Infinity';
	END IF;
	RETURN rule;
END $$;
COMMENT ON FUNCTION arima_ops.changed_rule(arima_ops.series, boolean, int, float8, int) IS
'The drift policy of a series with other numbers where given; original: a rolling RMSE over a whole window, drift only while the last sessions are above the threshold';

CREATE FUNCTION arima_ops.detect_drift(
	series text DEFAULT NULL,
	training_rmse float8 DEFAULT NULL,
	drift_window int DEFAULT NULL,
	drift_multiplier float8 DEFAULT NULL,
	drift_consecutive int DEFAULT NULL)
RETURNS SETOF arima_ops.drift_checks
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	wanted text[];
	question boolean := num_nonnulls(training_rmse, drift_window, drift_multiplier, drift_consecutive) > 0;
BEGIN
	IF series IS NOT NULL THEN
		PERFORM arima_ops.get_series(series);
	END IF;
	IF NOT (training_rmse > 0 AND training_rmse < 'Infinity') THEN
		RAISE EXCEPTION 'training_rmse must be positive'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the RMSE of the model at training, in the prices of today.';
	END IF;
	SELECT array_agg(s.name) INTO wanted FROM arima_ops.series AS s
	WHERE (s.name = series OR series IS NULL AND s.active) AND (training_rmse IS NOT NULL
		OR EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = s.name AND m.status = 'champion'));
	IF wanted IS NULL AND series IS NOT NULL THEN
		RAISE EXCEPTION 'series "%" has no model yet', series
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = format('Train one by arima_ops.train(%L), or say by training_rmse what its errors are to be compared with.', series);
	END IF;
	IF NOT question THEN
		PERFORM arima_ops.check_drift(wanted);
	END IF;
	-- of a series without labelled sessions a row says so
	RETURN QUERY SELECT s.name, d.ts, CASE WHEN training_rmse IS NULL THEN m.version END, d.predictions, d.session_rmse, d.session_error, d.inside,
		coalesce(d.labels, 0), d.rolling_rmse, d.reference_rmse, d.threshold, coalesce(d.policy, s.drift_policy), coalesce(d.breach, false),
		coalesce(d.consecutive, 0), coalesce(d.drift, false), d.cusum, d.cusum_limit, d.bias_above, d.bias_below, d.bias_limit, d.coverage, d.checked_at
	FROM arima_ops.series AS s LEFT JOIN arima_ops.last_checks AS m ON m.series = s.name
		LEFT JOIN LATERAL (
			SELECT l.* FROM (SELECT (m.found).*) AS l WHERE NOT question
			UNION ALL
			SELECT t.* FROM arima_ops.try_drift(arima_ops.changed_rule(s, training_rmse IS NOT NULL, drift_window, drift_multiplier, drift_consecutive),
				coalesce(training_rmse, m.reference_rmse), CASE WHEN training_rmse IS NULL THEN m.version END,
				CASE WHEN training_rmse IS NULL THEN m.champion_from ELSE '-infinity' END) AS t
			WHERE question) AS d ON true
	WHERE s.name = ANY (wanted) ORDER BY s.name;
END $$;
COMMENT ON FUNCTION arima_ops.detect_drift(text, float8, int, float8, int) IS
'Is the champion of a series, or of every active one, in drift? Checks every labelled session since the last check, and again those whose labels changed; each is a row of arima_ops.drift_checks, and the last one is given; the events drift and recovery tell of changes. With training_rmse the answer is that of a rolling RMSE of all predictions, whoever made them, above a multiple of it in the last sessions; no champion is needed. With that or other numbers than those of the series'' policy nothing is written';

/* ---- how often a rule is wrong, and how often it notices ---- */

CREATE FUNCTION arima_ops.champion_errors(series text) RETURNS float8[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	errors float8[] := (SELECT array_agg((u.actual - u.forecast) / e.rmse)
		FROM (SELECT v.* FROM arima_ops.models AS m JOIN arima_ops.evaluations AS v USING (series, version)
			WHERE m.series = series AND m.status = 'champion' AND v.rmse > 0 ORDER BY v.id DESC LIMIT 1) AS e,
			unnest(e.actuals, e.forecasts) AS u (actual, forecast));
BEGIN
	-- Gaussian ones in their place would be taken for its own
	IF errors IS NULL THEN
		RAISE EXCEPTION 'series "%" has no champion with a walk-forward evaluation', series
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'arima_ops.train(series) makes one where there are enough values; without own_errors the errors are Gaussian.';
	END IF;
	RETURN errors;
END $$;
COMMENT ON FUNCTION arima_ops.champion_errors(text) IS
'Walk-forward errors of the champion at its last evaluation, in units of their RMSE; an error (55000) if there are none';

CREATE FUNCTION arima_ops.false_alarm_rate(series text, own_errors boolean DEFAULT false, sessions int DEFAULT 250) RETURNS float8
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT arima_ops.drift_trial(arima_ops.get_series(false_alarm_rate.series), 1, 0, sessions, 4000, 1,
		CASE WHEN own_errors THEN arima_ops.champion_errors(false_alarm_rate.series) END)
$$;
COMMENT ON FUNCTION arima_ops.false_alarm_rate(text, boolean, int) IS
'Share of unchanged series that the drift policy of this one would find in drift at least once in so many sessions (250: a year), by a simulation of 4,000: of Gaussian errors, or of errors drawn from those of its champion''s walk-forward evaluation, which are rarely Gaussian';

CREATE FUNCTION arima_ops.drift_power(series text, ratio float8 DEFAULT 2, sessions int DEFAULT 30, own_errors boolean DEFAULT false) RETURNS float8
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT arima_ops.drift_trial(arima_ops.get_series(drift_power.series), ratio, 100, sessions, 4000, 1,
		CASE WHEN own_errors THEN arima_ops.champion_errors(drift_power.series) END)
$$;
COMMENT ON FUNCTION arima_ops.drift_power(text, float8, int, boolean) IS
'Share of series whose errors become ratio times as large that the drift policy of this one notices within so many sessions, by a simulation as in arima_ops.false_alarm_rate, with the change after 100 sessions';

/* ---- what the monitoring page is made of ---- */

/*
 * Each of these is asked every two seconds by every open page: all is found by an
 * index, also where the planner knows the tables as empty, and is bounded whatever
 * the tables hold.  Nothing in a reply depends on the time of the request, so that
 * its ETag changes only when what it tells does.
 */

/*
 * The state of one series, or of all in the order of their names.  Health is the
 * first that holds, the worst first.  The answer given last: pending ones are the
 * newest, for their values have not come; without any, one of those scored last.
 * Of pending predictions, of which there may be a million, and of the sessions since the
 * champion's promotion at most 1,001 are counted.
 */
CREATE FUNCTION arima_ops.page_states(wanted text DEFAULT NULL) RETURNS SETOF json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
	RETURN QUERY
	SELECT json_build_object('name', s.name, 'health', CASE WHEN NOT s.active THEN 'off' WHEN m.champion IS NULL THEN 'no_model'
			WHEN m.drift THEN 'drift' WHEN m.stale THEN 'stale' WHEN m.biased THEN 'biased'
			WHEN coalesce(m.labels, 0) < s.drift_min_labels THEN 'too_new' ELSE 'good' END,
		'active', s.active, 'champion', m.champion, 'spec', m.spec, 'promoted_at', m.promoted_at, 'age', c.age, 'last_session', m.last_session,
		'pending', n.pending, 'checked_to', m.checked_to, 'labels', coalesce(m.labels, 0),
		'rolling_rmse', m.rolling_rmse, 'threshold', m.threshold, 'skill', m.skill, 'coverage', m.coverage,
		'drift', m.drift, 'biased', m.biased, 'stale', m.stale,
		'last_forecast', CASE WHEN p.id IS NOT NULL THEN json_build_object('as_of', p.as_of, 'steps', p.lead + p.horizon, 'version', p.version,
			'forecast', p.forecast * p.adjustment, 'lower', p.lower * p.adjustment, 'upper', nullif(p.upper * p.adjustment, 'Infinity'), 'level', p.level) END,
		'recent', to_json(ARRAY(SELECT l.value FROM (SELECT a.ts, a.value FROM arima_ops.actuals AS a
			WHERE a.series = s.name ORDER BY a.ts DESC LIMIT 24) AS l ORDER BY l.ts)))
	FROM arima_ops.series AS s
		JOIN (SELECT v.series, v.champion, v.spec, v.promoted_at, v.last_session, v.checked_to, v.labels,
			v.rolling_rmse, v.threshold, v.skill, v.coverage, v.drift, v.biased, v.stale FROM arima_ops.monitoring AS v) AS m ON m.series = s.name
		LEFT JOIN LATERAL (SELECT (SELECT count(*) FROM (SELECT FROM arima_ops.actuals AS a
				WHERE a.series = s.name AND a.ts > k.champion_from LIMIT 1001) AS l) AS age
			FROM arima_ops.models AS k WHERE k.series = s.name AND k.version = m.champion) AS c ON true
		CROSS JOIN LATERAL (SELECT count(*) AS pending FROM (SELECT FROM arima_ops.predictions AS q
			WHERE q.series = s.name AND q.target_ts IS NULL LIMIT 1001) AS c) AS n
		LEFT JOIN LATERAL (SELECT l.* FROM (
				(SELECT 1 AS place, q.* FROM arima_ops.predictions AS q WHERE q.series = s.name AND q.target_ts IS NULL AND q.placed IS NOT FALSE ORDER BY q.as_of DESC LIMIT 1)
				UNION ALL
				(SELECT 2, q.* FROM arima_ops.predictions AS q WHERE q.series = s.name AND q.target_ts IS NOT NULL AND q.placed IS NOT FALSE ORDER BY q.target_ts DESC LIMIT 1)) AS l
			ORDER BY l.as_of DESC, l.place LIMIT 1) AS p ON true
	WHERE wanted IS NULL OR s.name = wanted
	ORDER BY s.name COLLATE "C";
END $$;
COMMENT ON FUNCTION arima_ops.page_states(text) IS
'What arima_ops.monitoring says of one series, or of all, as json, with the last answer, the last 24 values, and health in a word: off (not active), no_model, drift, stale, biased, too_new (fewer labelled sessions of its champion than drift_min_labels) or good. Of pending predictions, and of sessions of age, more than 1,000 count as 1,001';

/* ---- one series ---- */

/*
 * The last sessions with, for each, the last of the one-step predictions for it, from the
 * recorded values alone if there is one (arima_ops.one_step); of those that the index finds
 * first, for there may be a million.
 */
CREATE FUNCTION arima_ops.page_history(series text, sessions int)
RETURNS TABLE (ts timestamptz, actual float8, naive float8, forecast float8, lower float8, upper float8, level float8, version int)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
	SELECT h.ts, h.value, h.naive, p.forecast * p.adjustment, p.lower * p.adjustment, p.upper * p.adjustment, p.level, p.version
	FROM (SELECT a.ts, a.value, lag(a.value) OVER (ORDER BY a.ts) AS naive, row_number() OVER (ORDER BY a.ts DESC) AS i
			FROM (SELECT t.ts, t.value FROM arima_ops.actuals AS t WHERE t.series = page_history.series
				ORDER BY t.ts DESC LIMIT page_history.sessions + 1) AS a) AS h
		LEFT JOIN LATERAL (SELECT f.* FROM (SELECT q.* FROM arima_ops.predictions AS q
				WHERE q.series = page_history.series AND q.target_ts = h.ts AND q.horizon = 1 AND q.placed IS NOT FALSE LIMIT 50) AS f
			ORDER BY f.history_len = 0 DESC, f.id DESC LIMIT 1) AS p ON true
	WHERE h.i <= page_history.sessions
	ORDER BY h.ts
$$;
COMMENT ON FUNCTION arima_ops.page_history(text, int) IS
'The last sessions of a series: value, the value before, and the last one-step prediction of at most 50 for the session, in the prices of today';

/* Of the sessions that have a prediction; better_p is that of a test against "as the session before". */
CREATE FUNCTION arima_ops.page_accuracy(actual float8[], forecast float8[], naive float8[], inside int[], level float8[]) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT json_build_object('sessions', a.n, 'rmse', a.rmse, 'mae', a.mae, 'mape', a.mape, 'bias', a.bias, 'naive_rmse', a.naive_rmse,
		'skill', 1 - a.rmse / nullif(a.naive_rmse, 0),
		'better_p', CASE WHEN a.n >= 10 THEN (@extschema@.arima_diebold_mariano_test(a.naive_errors, a.errors, alternative => 'greater'::text)).p_value END,
		'intervals', a.intervals, 'coverage', a.coverage, 'level', a.level)
	FROM (SELECT count(*) AS n, @extschema@.rolling_rmse(u.f, u.y) AS rmse, @extschema@.rolling_mae(u.f, u.y) AS mae,
			@extschema@.rolling_mape(u.f, u.y) AS mape, @extschema@.rolling_bias(u.f, u.y) AS bias, @extschema@.rolling_rmse(u.n, u.y) AS naive_rmse,
			array_agg(u.y - u.n ORDER BY u.i) AS naive_errors, array_agg(u.y - u.f ORDER BY u.i) AS errors,
			count(u.inside) AS intervals, avg(u.inside)::float8 AS coverage, avg(u.l) FILTER (WHERE u.inside IS NOT NULL) AS level
		FROM unnest(actual, forecast, naive, inside, level) WITH ORDINALITY AS u (y, f, n, inside, l, i)
		WHERE u.f IS NOT NULL AND u.n IS NOT NULL) AS a
$$;
COMMENT ON FUNCTION arima_ops.page_accuracy(float8[], float8[], float8[], int[], float8[]) IS
'Accuracy of the predictions of some sessions beside the naive forecast, the value of the session before, as json; better_p: one-sided p-value of the Diebold-Mariano test, small where the predictions are better; null with fewer than 10 sessions';

/* A model that cannot forecast by itself, one with regressors, says so in place of a forecast. */
CREATE FUNCTION arima_ops.page_fan(wanted arima_ops.models, horizon int) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
	as_of timestamptz := (SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = wanted.series ORDER BY a.ts DESC LIMIT 1);
BEGIN
	RETURN (SELECT json_build_object('as_of', as_of, 'version', wanted.version, 'steps', json_agg(w.step ORDER BY w.step),
			'forecast', json_agg(w.forecast ORDER BY w.step), 'lower_80', json_agg(n.lower ORDER BY w.step), 'upper_80', json_agg(nullif(n.upper, 'Infinity') ORDER BY w.step),
			'lower_95', json_agg(w.lower ORDER BY w.step), 'upper_95', json_agg(nullif(w.upper, 'Infinity') ORDER BY w.step))
		FROM arima_ops.champion_forecast(wanted, NULL, as_of, horizon, 0.95) AS w
			JOIN arima_ops.champion_forecast(wanted, NULL, as_of, horizon, 0.8) AS n USING (step));
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
	RETURN json_build_object('as_of', as_of, 'version', wanted.version, 'error', SQLERRM);
END $$;
COMMENT ON FUNCTION arima_ops.page_fan(arima_ops.models, int) IS
'Forecast of a registered model after the last recorded value, with intervals of 80 and 95 %, as json; error in their place where it cannot be made';

CREATE FUNCTION arima_ops.page_checks(series text, since timestamptz) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
	SELECT json_build_object('ts', coalesce(json_agg(d.ts ORDER BY d.ts), '[]'), 'version', coalesce(json_agg(d.version ORDER BY d.ts), '[]'),
		'labels', coalesce(json_agg(d.labels ORDER BY d.ts), '[]'), 'rolling_rmse', coalesce(json_agg(d.rolling_rmse ORDER BY d.ts), '[]'),
		'reference_rmse', coalesce(json_agg(d.reference_rmse ORDER BY d.ts), '[]'), 'threshold', coalesce(json_agg(d.threshold ORDER BY d.ts), '[]'),
		'coverage', coalesce(json_agg(d.coverage ORDER BY d.ts), '[]'), 'breach', coalesce(json_agg(d.breach ORDER BY d.ts), '[]'),
		'drift', coalesce(json_agg(d.drift ORDER BY d.ts), '[]'))
	FROM arima_ops.drift_checks AS d WHERE d.series = page_checks.series AND d.ts >= page_checks.since
$$;
COMMENT ON FUNCTION arima_ops.page_checks(text, timestamptz) IS 'Checks for drift from a session on, as json: an array for each column';

/* The newest versions, with their walk-forward metrics and the gate that they went through. */
CREATE FUNCTION arima_ops.page_versions(series text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
	SELECT coalesce(json_agg(json_build_object('version', m.version, 'status', m.status, 'spec', m.spec, 'created_at', m.created_at,
		'trained_from', m.trained_from, 'trained_to', m.trained_to, 'n', m.n, 'promoted_at', m.promoted_at, 'promoted_by', m.promoted_by,
		'champion_from', m.champion_from, 'retired_at', m.retired_at, 'folds', e.n_folds, 'rmse', e.rmse, 'mae', e.mae, 'mape', e.mape, 'mase', e.mase,
		'naive_rmse', e.naive_rmse, 'skill', 1 - e.rmse / nullif(e.naive_rmse, 0),
		'gate', CASE WHEN g.id IS NOT NULL THEN json_build_object('against', g.champion_version, 'champion_rmse', g.champion_rmse, 'gain', g.gain,
			'p', g.dm_p_value, 'decision', g.decision, 'reason', g.reason) END) ORDER BY m.version DESC), '[]')
	FROM (SELECT v.* FROM arima_ops.models AS v WHERE v.series = page_versions.series ORDER BY v.version DESC LIMIT 50) AS m
		LEFT JOIN LATERAL (SELECT t.* FROM arima_ops.evaluations AS t
			WHERE t.series = m.series AND t.version = m.version ORDER BY t.id DESC LIMIT 1) AS e ON true
		LEFT JOIN LATERAL (SELECT t.* FROM arima_ops.evaluations AS t
			WHERE t.series = m.series AND t.version = m.version AND t.kind = 'gate' ORDER BY t.id DESC LIMIT 1) AS g ON true
$$;
COMMENT ON FUNCTION arima_ops.page_versions(text) IS 'The last 50 versions of a series with the metrics of their last walk-forward evaluation and their last gate, as json';

/* ---- what the page asks for ---- */

/* A wrong argument, as arima_api.forecast tells of one. */
CREATE FUNCTION arima_ops.check_between(name text, value int, low int, high int) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value NOT BETWEEN low AND high THEN
		RAISE EXCEPTION USING ERRCODE = 'PT422', MESSAGE = 'Unprocessable Entity', DETAIL = format('%s must be from %s to %s.', name, low, high),
			HINT = 'Without it the usual number is taken.';
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.check_between(text, int, int, int) IS 'Refuses a number of a request that is out of bounds (PT422)';

CREATE FUNCTION arima_api.overview() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET extra_float_digits = 1 AS $$
	SELECT json_build_object('series', (SELECT coalesce(json_agg(s), '[]') FROM arima_ops.page_states() AS s),
		'last_event', (SELECT coalesce(max(e.id), 0) FROM arima_ops.events AS e))
$$;
COMMENT ON FUNCTION arima_api.overview() IS
'/rpc/overview: every series with its health, as the monitoring page shows them, and the id of the last event';

CREATE FUNCTION arima_api.series_detail(name text, sessions int DEFAULT 250, horizon int DEFAULT 20) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET extra_float_digits = 1 SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
	policy arima_ops.series;
	champion arima_ops.models;
	history json;
	accuracy json;
	since timestamptz;
BEGIN
	PERFORM arima_ops.check_between('sessions', sessions, 1, 2000), arima_ops.check_between('horizon', horizon, 1, 250);
	SELECT * INTO policy FROM arima_ops.series AS s WHERE s.name = name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'PT404', MESSAGE = 'Not Found', DETAIL = format('There is no series "%s"', name),
			HINT = 'See /overview for the series there are.';
	END IF;
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = name AND m.status = 'champion';
	SELECT json_build_object('ts', coalesce(json_agg(h.ts), '[]'), 'actual', coalesce(json_agg(h.actual), '[]'), 'forecast', coalesce(json_agg(h.forecast), '[]'),
			'lower', coalesce(json_agg(h.lower), '[]'), 'upper', coalesce(json_agg(nullif(h.upper, 'Infinity')), '[]'), 'version', coalesce(json_agg(h.version), '[]')),
		json_build_object('champion', arima_ops.page_accuracy(array_agg(h.actual) FILTER (WHERE h.now), array_agg(h.forecast) FILTER (WHERE h.now),
				array_agg(h.naive) FILTER (WHERE h.now), array_agg(h.inside) FILTER (WHERE h.now), array_agg(h.level) FILTER (WHERE h.now)),
			'all', arima_ops.page_accuracy(array_agg(h.actual), array_agg(h.forecast), array_agg(h.naive), array_agg(h.inside), array_agg(h.level))), min(h.ts)
	INTO history, accuracy, since
	FROM (SELECT p.*, (p.actual BETWEEN p.lower AND p.upper)::int AS inside, p.version = champion.version AND p.ts > champion.champion_from AS now
		FROM arima_ops.page_history(name, sessions) AS p ORDER BY p.ts) AS h;
	RETURN json_build_object('state', (SELECT s FROM arima_ops.page_states(name) AS s), 'wanted_spec', policy.spec, 'calendar', policy.calendar,
		'provider', policy.provider, 'symbol', policy.symbol, 'drift_policy', policy.drift_policy, 'drift_window', policy.drift_window,
		'drift_multiplier', policy.drift_multiplier, 'drift_consecutive', policy.drift_consecutive, 'drift_min_labels', policy.drift_min_labels,
		'promotion_policy', policy.promotion_policy, 'history', history,
		'fan', CASE WHEN champion.version IS NOT NULL THEN arima_ops.page_fan(champion, horizon) END, 'accuracy', accuracy,
		'checks', arima_ops.page_checks(name, coalesce(since, 'infinity')), 'versions', arima_ops.page_versions(name));
END $$;
COMMENT ON FUNCTION arima_api.series_detail(text, int, int) IS
'/rpc/series_detail: one series as the monitoring page shows it: its last sessions with the predictions for them, the champion''s forecast with intervals of 80 and 95 %, accuracy beside the naive forecast, checks for drift, versions';

/* Who follows the events by the id of the last one misses none: those after an id come from the oldest on, however many there are. */
CREATE FUNCTION arima_api.events(after bigint DEFAULT NULL, series text DEFAULT NULL, kind text DEFAULT NULL, at_most int DEFAULT 100) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_variable
BEGIN
	PERFORM arima_ops.check_between('the number of events', at_most, 1, 1000);
	RETURN (SELECT json_build_object('events', coalesce(json_agg(json_build_object('id', t.id, 'at', t.at, 'series', t.series, 'kind', t.kind,
			'version', t.version, 'what', t.what, 'details', t.details) ORDER BY CASE WHEN after IS NULL THEN -t.id ELSE t.id END), '[]'))
		FROM ((SELECT l.id, l.at, l.series, l.kind, e.version, l.what, e.details FROM arima_ops.timeline AS l JOIN arima_ops.events AS e USING (id)
				WHERE after IS NULL AND (series IS NULL OR l.series = series) AND (kind IS NULL OR l.kind = kind)
				ORDER BY l.id DESC LIMIT at_most)
			UNION ALL
			(SELECT l.id, l.at, l.series, l.kind, e.version, l.what, e.details FROM arima_ops.timeline AS l JOIN arima_ops.events AS e USING (id)
				WHERE l.id > after AND (series IS NULL OR l.series = series) AND (kind IS NULL OR l.kind = kind)
				ORDER BY l.id LIMIT at_most)) AS t);
END $$;
COMMENT ON FUNCTION arima_api.events(bigint, text, text, int) IS
'/rpc/events: what happened, of all series or one, of all kinds or one; at most so many: the newest, newest first, or the oldest after an id, oldest first, so that one page follows another';

CREATE FUNCTION arima_api.jobs() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_seqscan = off AS $$
	SELECT json_build_object('jobs', json_agg(json_build_object('job', j.job, 'status', r.status, 'started_at', r.started_at, 'finished_at', r.finished_at,
		'done', r.done, 'total', r.total, 'error', r.error) ORDER BY j.i))
	FROM unnest(ARRAY['etl', 'monitoring', 'retraining', 'tracking', 'retention']) WITH ORDINALITY AS j (job, i)
		LEFT JOIN LATERAL (SELECT t.* FROM arima_ops.job_runs AS t WHERE t.job = j.job ORDER BY t.id DESC LIMIT 1) AS r ON true
$$;
COMMENT ON FUNCTION arima_api.jobs() IS '/rpc/jobs: the last run of each job; status null: it has not run yet';

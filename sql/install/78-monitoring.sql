/* ---- monitoring: drift, probation, values that stay away ---- */

/* Dates are those of the sessions in UTC, as for arima_ops.session_text. */
CREATE FUNCTION arima_ops.month_number(ts timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 12 * extract(year FROM ts AT TIME ZONE 'UTC')::int + extract(month FROM ts AT TIME ZONE 'UTC')::int - 1
$$;
COMMENT ON FUNCTION arima_ops.month_number(timestamptz) IS 'The month of a session, counted from January of year 0';

CREATE FUNCTION arima_ops.missing_sessions(calendar text, last_ts timestamptz, at timestamptz DEFAULT pg_catalog.now()) RETURNS int
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT greatest(0, CASE calendar WHEN 'none' THEN 0 WHEN 'daily' THEN until - since - 1
		WHEN 'weekly' THEN until / 7 - since / 7 - 1
		WHEN 'monthly' THEN until_month - since_month - 1
		WHEN 'quarterly' THEN until_month / 3 - since_month / 3 - 1
		-- of each seven days the first five
		ELSE 5 * (until / 7) + least(until % 7, 5) - 5 * ((since + 1) / 7) - least((since + 1) % 7, 5) END)
	-- days since a Monday, 1 January of year 1
	FROM (SELECT (last_ts AT TIME ZONE 'UTC')::date - date '0001-01-01' AS since, (at AT TIME ZONE 'UTC')::date - date '0001-01-01' AS until,
		arima_ops.month_number(last_ts) AS since_month, arima_ops.month_number(at) AS until_month) AS d
$$;
COMMENT ON FUNCTION arima_ops.missing_sessions(text, timestamptz, timestamptz) IS
'Weekdays, days, weeks, months or quarters, as the calendar (weekdays, daily, weekly, monthly, quarterly; none: 0) has it, between that of the last session and that of a moment, both not counted';

CREATE FUNCTION arima_ops.mend_future(series text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('DELETE FROM arima_ops.actuals WHERE series = %L AND ts > arima_ops.latest_session(); and record them with their right dates', mend_future.series)
$$;
COMMENT ON FUNCTION arima_ops.mend_future(text) IS 'What mends a series with sessions of a wrong date in the future, for people';

CREATE FUNCTION arima_ops.check_stale(series text, at timestamptz DEFAULT pg_catalog.now()) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	policy arima_ops.series := arima_ops.get_series(series);
	last_ts timestamptz := (SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = series ORDER BY a.ts DESC LIMIT 1);
	missing int := arima_ops.missing_sessions(policy.calendar, last_ts, at);
	ahead boolean := last_ts > arima_ops.latest_session(at);
BEGIN
	IF NOT ahead AND missing <= policy.stale_after OR last_ts IS NULL THEN
		RETURN false;
	END IF;
	IF NOT EXISTS (SELECT FROM arima_ops.events AS e WHERE e.series = series AND e.at >= policy.created_at AND e.kind = 'stale'
			AND (e.details->>'last_session')::timestamptz = last_ts AND e.details ? 'missing' <> ahead) THEN
		PERFORM arima_ops.record_event('stale', series, NULL, CASE WHEN ahead THEN format('the last session, %s, is in the future: until then no value is missed', arima_ops.session_text(last_ts))
				ELSE format('no value since %s: %s %s of its calendar', arima_ops.session_text(last_ts), missing,
					CASE policy.calendar WHEN 'weekly' THEN 'weeks' WHEN 'monthly' THEN 'months' WHEN 'quarterly' THEN 'quarters' ELSE 'days' END) END,
			jsonb_build_object('last_session', last_ts) || CASE WHEN ahead THEN jsonb_build_object('mend', arima_ops.mend_future(series))
				ELSE jsonb_build_object('missing', missing, 'stale_after', policy.stale_after) END);
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION arima_ops.check_stale(text, timestamptz) IS
'Is a series without values for more than stale_after sessions of its calendar, or its last session more than two days ahead, of a wrong date, so that nothing seems to be missing? The event stale tells it, once after each last session';

/* One series of the job; its error is an event, and the others go on. */
CREATE FUNCTION arima_ops.try_monitor(series text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	hint text;
BEGIN
	PERFORM arima_ops.check_drift(ARRAY[series]);
	PERFORM arima_ops.check_probation(series);
	PERFORM arima_ops.check_stale(series);
	RETURN true;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	IF NOT EXISTS (SELECT FROM arima_ops.series AS s WHERE s.name = series) THEN
		RETURN true;
	END IF;
	PERFORM arima_ops.record_event('monitoring_failed', series, NULL, SQLERRM, jsonb_build_object('sqlstate', SQLSTATE, 'hint', hint));
	RETURN false;
END $$;
COMMENT ON FUNCTION arima_ops.try_monitor(text) IS
'Checks a series for drift, its champion''s probation, and whether its values stay away; one that was dropped in between is well; false if that failed, with an event monitoring_failed';

CREATE PROCEDURE arima_ops.run_monitoring(batch int DEFAULT 20)
LANGUAGE plpgsql AS $$
DECLARE
	run bigint;
	wanted text[];
	total int;
	done int := 0;
	failed int := 0;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	run := arima_ops.begin_job('monitoring', batch);
	IF run IS NULL THEN
		RETURN;
	END IF;
	SELECT coalesce(array_agg(s.name ORDER BY s.name), '{}') INTO wanted FROM arima_ops.series AS s WHERE s.active;
	total := cardinality(wanted);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF NOT arima_ops.job_progress(run, done, total) THEN
			RETURN;
		END IF;
		EXIT WHEN done >= total;
		failed := failed + (SELECT count(*) FROM unnest(wanted[done + 1 : done + batch]) AS w WHERE NOT arima_ops.try_monitor(w));
		done := least(done + batch, total);
	END LOOP;
	CALL arima_ops.send_alerts();
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	PERFORM arima_ops.end_job(run, CASE WHEN failed = 0 THEN 'succeeded' ELSE 'failed' END,
		CASE WHEN failed > 0 THEN format('%s of %s series failed: see the events monitoring_failed', failed, total) END);
END $$;
COMMENT ON PROCEDURE arima_ops.run_monitoring(int) IS
'Job: checks every active series for drift, rolls a champion back that drifts on probation, and tells of values that stay away; so many series a transaction';

/* ---- views for people ---- */

/* The last check of the champion, and over the sessions of its window also the naive forecast. */
CREATE VIEW arima_ops.monitoring AS
SELECT s.name AS series, s.active, m.version AS champion, m.spec, m.promoted_at, age.sessions AS age, last_actual.ts AS last_session,
	pending.predictions AS pending, d.ts AS checked_to, d.labels, d.rolling_rmse, d.threshold, 1 - d.rolling_rmse / nullif(naive.rmse, 0) AS skill,
	d.coverage, coalesce(d.drift, false) AS drift, coalesce(greatest(d.bias_above, d.bias_below) >= d.bias_limit, false) AS biased,
	coalesce(arima_ops.missing_sessions(s.calendar, last_actual.ts) > s.stale_after OR last_actual.ts > arima_ops.latest_session(), false) AS stale
FROM arima_ops.series AS s
	LEFT JOIN arima_ops.models AS m ON m.series = s.name AND m.status = 'champion'
	LEFT JOIN LATERAL (SELECT (c.found).* FROM arima_ops.last_checks AS c WHERE c.series = s.name) AS d ON true
	LEFT JOIN LATERAL (SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = s.name ORDER BY a.ts DESC LIMIT 1) AS last_actual ON true
	LEFT JOIN LATERAL (SELECT pg_catalog.count(*) AS sessions FROM arima_ops.actuals AS a
		WHERE a.series = s.name AND a.ts > m.champion_from) AS age ON m.version IS NOT NULL
	LEFT JOIN LATERAL (SELECT pg_catalog.count(*) AS predictions FROM arima_ops.predictions AS p
		WHERE p.series = s.name AND p.target_ts IS NULL) AS pending ON true
	LEFT JOIN LATERAL (SELECT pg_catalog.array_agg(c.ts) AS sessions, pg_catalog.min(c.ts) AS first
		FROM (SELECT l.ts FROM arima_ops.drift_checks AS l WHERE l.series = s.name AND l.ts <= d.ts
			ORDER BY l.ts DESC LIMIT least(d.labels, s.drift_window)) AS c) AS w ON d.labels > 0
	LEFT JOIN LATERAL (SELECT @extschema@.rolling_rmse(a.before, a.value) AS rmse
		FROM (SELECT v.ts, v.value, pg_catalog.lag(v.value) OVER (ORDER BY v.ts) AS before FROM arima_ops.actuals AS v
			WHERE v.series = s.name AND v.ts <= d.ts
				AND v.ts >= coalesce((SELECT b.ts FROM arima_ops.actuals AS b WHERE b.series = s.name AND b.ts < w.first ORDER BY b.ts DESC LIMIT 1), w.first)) AS a
		WHERE a.ts = ANY (w.sessions)) AS naive ON d.labels > 0;
COMMENT ON VIEW arima_ops.monitoring IS
'One row a series: its champion and how it does since its promotion, by the last check for drift';
COMMENT ON COLUMN arima_ops.monitoring.age IS 'sessions since the champion''s promotion';
COMMENT ON COLUMN arima_ops.monitoring.pending IS 'predictions whose session has not come yet';
COMMENT ON COLUMN arima_ops.monitoring.checked_to IS 'session of the last check for drift';
COMMENT ON COLUMN arima_ops.monitoring.labels IS 'labelled sessions of the champion';
COMMENT ON COLUMN arima_ops.monitoring.rolling_rmse IS 'over the last drift_window labelled sessions';
COMMENT ON COLUMN arima_ops.monitoring.threshold IS 'of the rolling RMSE';
COMMENT ON COLUMN arima_ops.monitoring.skill IS '1 - rolling RMSE / that of the naive forecast, the value of the session before, for the same sessions: above 0 the champion is better';
COMMENT ON COLUMN arima_ops.monitoring.coverage IS 'share of intervals that held the value, in the same sessions';
COMMENT ON COLUMN arima_ops.monitoring.drift IS 'by the drift policy of the series';
COMMENT ON COLUMN arima_ops.monitoring.biased IS 'forecasts too high or too low on average, by the Page-Hinkley test';
COMMENT ON COLUMN arima_ops.monitoring.stale IS 'no value for more than stale_after sessions of the calendar, or the last session is more than two days ahead';

CREATE VIEW arima_ops.leaderboard AS
SELECT m.series, pg_catalog.rank() OVER (PARTITION BY m.series ORDER BY e.mase, e.rmse) AS place, m.version, m.status, m.spec,
	e.rmse, e.mae, e.mape, e.smape, e.mase, e.naive_rmse, 1 - e.rmse / nullif(e.naive_rmse, 0) AS skill, e.n_folds, e.first_fold, e.last_fold, m.trained_to, m.created_at
FROM arima_ops.models AS m
	LEFT JOIN LATERAL (SELECT v.* FROM arima_ops.evaluations AS v
		WHERE v.series = m.series AND v.version = m.version ORDER BY v.id DESC LIMIT 1) AS e ON true;
COMMENT ON VIEW arima_ops.leaderboard IS
'The versions of each series by the MASE of their last walk-forward evaluation. Versions trained at different times were evaluated on different sessions, first_fold to last_fold: a version''s gate against the champion of its time, on the same sessions, is in arima_ops.evaluations';
COMMENT ON COLUMN arima_ops.leaderboard.skill IS '1 - RMSE / RMSE of the naive forecast for the same sessions';

CREATE VIEW arima_ops.timeline AS
SELECT e.at, e.series, e.kind, CASE e.kind
		WHEN 'training' THEN pg_catalog.format('version %s trained: %s', e.version, e.message)
		WHEN 'promotion' THEN pg_catalog.format('version %s became champion: %s', e.version, e.message)
		WHEN 'rejection' THEN pg_catalog.format('version %s rejected: %s', e.version, e.message)
		WHEN 'rollback' THEN pg_catalog.format('back to version %s: %s', e.version, e.message)
		WHEN 'drift' THEN pg_catalog.format('version %s drifts: %s', e.version, e.message)
		WHEN 'recovery' THEN pg_catalog.format('version %s has recovered: %s', e.version, e.message)
		WHEN 'retrain_failed' THEN 'retraining failed: ' || e.message
		WHEN 'fetch_failed' THEN 'fetching values failed: ' || e.message
		WHEN 'monitoring_failed' THEN 'monitoring failed: ' || e.message
		ELSE e.message END AS what, e.id
FROM arima_ops.events AS e;
COMMENT ON VIEW arima_ops.timeline IS 'What happened, in words; in the order of id. The numbers are in arima_ops.events';

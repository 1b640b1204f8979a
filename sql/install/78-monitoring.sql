/* ---- monitoring: drift, probation, values that stay away ---- */

/* Dates are those of the sessions in UTC, as for arima_ops.session_text. */
CREATE FUNCTION arima_ops.missing_days(calendar text, last_ts timestamptz, at timestamptz DEFAULT pg_catalog.now()) RETURNS int
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE calendar WHEN 'none' THEN 0 WHEN 'daily' THEN greatest(0, until - since - 1)
		-- days since a Monday, 1 January of year 1; of each seven the first five
		ELSE greatest(0, 5 * (until / 7) + least(until % 7, 5) - 5 * ((since + 1) / 7) - least((since + 1) % 7, 5)) END
	FROM (SELECT (last_ts AT TIME ZONE 'UTC')::date - date '0001-01-01' AS since, (at AT TIME ZONE 'UTC')::date - date '0001-01-01' AS until) AS d
$$;
COMMENT ON FUNCTION arima_ops.missing_days(text, timestamptz, timestamptz) IS
'Days of a calendar (weekdays, daily; none: 0) between the last session and a moment, both not counted';

CREATE FUNCTION arima_ops.check_stale(series text, at timestamptz DEFAULT pg_catalog.now()) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	policy arima_ops.series := arima_ops.get_series(series);
	last_ts timestamptz := (SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = series ORDER BY a.ts DESC LIMIT 1);
	missing int := arima_ops.missing_days(policy.calendar, last_ts, at);
BEGIN
	IF missing IS NULL OR missing <= policy.stale_after THEN
		RETURN false;
	END IF;
	IF NOT EXISTS (SELECT FROM arima_ops.events AS e
			WHERE e.series = series AND e.kind = 'stale' AND (e.details->>'last_session')::timestamptz = last_ts) THEN
		PERFORM arima_ops.record_event('stale', series, NULL, format('no value since %s: %s days of its calendar', arima_ops.session_text(last_ts), missing),
			jsonb_build_object('last_session', last_ts, 'missing_days', missing, 'stale_after', policy.stale_after));
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION arima_ops.check_stale(text, timestamptz) IS
'Is a series without values for more than stale_after days of its calendar? The event stale tells it, once after each last session';

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

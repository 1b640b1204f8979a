/* ---- is everything in order? ---- */

/* Names, the first five of them written out. */
CREATE FUNCTION arima_ops.name_some(names text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_to_string(names[1:5], ', ') || CASE WHEN cardinality(names) > 5 THEN format(' and %s more', cardinality(names) - 5) ELSE '' END
$$;
COMMENT ON FUNCTION arima_ops.name_some(text[]) IS 'A list for people: the first five, and how many more there are';

/* Findings about the server and its scheduler. */
CREATE FUNCTION arima_ops.doctor_server() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	installed text;
	offered text;
	scheduled int;
	is_loaded boolean;
	home text;
BEGIN
	SELECT e.extversion, a.default_version INTO installed, offered
	FROM pg_extension AS e JOIN pg_available_extensions AS a ON a.name = e.extname WHERE e.extname = 'arima_ops';
	RETURN QUERY SELECT 'version', CASE WHEN installed = offered THEN 'ok' ELSE 'problem' END,
		format('arima_ops %s is installed, the server offers %s', installed, offered),
		CASE WHEN installed <> offered THEN 'ALTER EXTENSION arima_ops UPDATE;' END;

	SELECT c.loaded, coalesce(c.home, 'postgres') INTO is_loaded, home FROM arima_ops.cron_settings() AS c;
	IF arima_ops.sees_cron() THEN
		-- jobs, not lines: two users may have put the same one there, or it may be there at two hours
		EXECUTE $sql$SELECT count(DISTINCT substring(j.command FROM '^CALL arima_ops[.]run_(etl|monitoring|retraining|tracking|retention)')) FROM cron.job AS j
			WHERE j.active AND j.database = current_database()$sql$ INTO scheduled;
		RETURN QUERY SELECT 'schedule', CASE WHEN scheduled = 5 THEN 'ok' ELSE 'notice' END,
			-- to others than a superuser pg_cron shows their own
			format('%s of 5 jobs%s are on pg_cron', scheduled, CASE WHEN row_security_active('cron.job') THEN ' of this user' ELSE '' END),
			CASE WHEN scheduled < 5 THEN 'SELECT * FROM arima_ops.schedule(); or another scheduler that CALLs the jobs' END;
		RETURN QUERY EXECUTE $sql$
			SELECT 'schedule of ' || j.jobname, 'problem', format('pg_cron: last run %s: %s', d.status, d.return_message),
				'see cron.job_run_details; is the job''s user allowed to connect, and an admin?'
			FROM cron.job AS j CROSS JOIN LATERAL (SELECT r.status, r.return_message FROM cron.job_run_details AS r
				WHERE r.jobid = j.jobid AND r.end_time IS NOT NULL ORDER BY r.runid DESC LIMIT 1) AS d
			WHERE starts_with(j.command, 'CALL arima_ops.run_') AND d.status = 'failed'$sql$;
	ELSIF EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_cron') THEN
		RETURN QUERY SELECT 'schedule', 'notice', 'which jobs are on pg_cron is not for this user to see', 'ask as the user who put them there; or GRANT USAGE ON SCHEMA cron';
	ELSE
		RETURN QUERY SELECT 'schedule', 'notice',
			CASE WHEN is_loaded IS NULL THEN 'pg_cron is not in this database'
				WHEN NOT is_loaded THEN 'pg_cron is not loaded in this server'
				WHEN home = current_database() THEN 'pg_cron is not installed'
				ELSE format('pg_cron is not in this database; it would be in "%s"', home) END,
			CASE WHEN is_loaded IS NULL THEN 'ask as a superuser, who sees where it is'
				WHEN NOT is_loaded THEN 'shared_preload_libraries = ''pg_cron'', restart, CREATE EXTENSION pg_cron; and SELECT * FROM arima_ops.schedule()'
				WHEN home = current_database() THEN 'CREATE EXTENSION pg_cron; and SELECT * FROM arima_ops.schedule()'
				ELSE format('there: SELECT * FROM arima_ops.schedule(database => %L)', current_database()) END || '; or another scheduler that CALLs the jobs';
	END IF;

END $$;
COMMENT ON FUNCTION arima_ops.doctor_server() IS 'Part of arima_ops.doctor: the server and its scheduler';

/* How the last run of each job is, or why there is none: the scheduler may have died months ago. */
CREATE FUNCTION arima_ops.doctor_jobs() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
	SELECT 'job ' || j.name,
		CASE WHEN r.id IS NULL THEN 'notice' WHEN r.status = 'failed' OR d.dead OR d.late OR d.stuck THEN 'problem' ELSE 'ok' END,
		CASE WHEN r.id IS NULL THEN 'has never run'
			WHEN d.dead THEN format('began %s, and its server process %s is gone or does something else', arima_ops.session_text(r.started_at), r.pid)
			ELSE format('%s %s, %s of %s', r.status, arima_ops.session_text(coalesce(r.finished_at, r.started_at)), r.done, coalesce(r.total::text, 'unknown'))
				|| coalesce(': ' || r.error, '') || CASE WHEN d.late THEN format('; none for %s days', extract(day FROM now() - r.started_at)) ELSE '' END END,
		CASE WHEN r.id IS NULL THEN format('CALL arima_ops.run_%s(); or schedule it', j.name)
			WHEN d.dead THEN format('CALL arima_ops.run_%s(); it goes on where it was', j.name)
			WHEN d.stuck THEN format('%ssee pg_stat_activity; SELECT pg_terminate_backend(%s); the next run goes on where it was', CASE WHEN pg_is_in_recovery() THEN 'on the primary: ' ELSE '' END, r.pid)
			WHEN d.late THEN format('is the scheduler at work? CALL arima_ops.run_%s(); it catches up', j.name)
			WHEN r.status = 'failed' THEN 'see arima_ops.job_runs and the events of its time' END
	FROM (VALUES (1, 'etl', interval '4 days'), (2, 'monitoring', '4 days'), (3, 'retraining', '4 days'), (4, 'tracking', '4 days'), (5, 'retention', '15 days')) AS j (i, name, usual)
		LEFT JOIN LATERAL (SELECT * FROM arima_ops.job_runs AS l WHERE l.job = j.name ORDER BY l.id DESC LIMIT 1) AS r ON true
		-- a process of the same number whose statement began later is another one, or has left the job, cancelled; who may not see when it
		-- began takes it for the same; a standby does not see those of its primary
		CROSS JOIN LATERAL (SELECT coalesce(r.status = 'running' AND NOT pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_activity AS a
				WHERE a.pid = r.pid AND coalesce(a.query_start <= r.started_at AND a.state <> 'idle', true)), false) AS dead,
			coalesce(r.status = 'running' AND r.started_at < now() - interval '1 day', false) AS stuck,
			coalesce(r.status <> 'running' AND r.started_at < now() - j.usual, false) AS late) AS d
	ORDER BY j.i
$$;
COMMENT ON FUNCTION arima_ops.doctor_jobs() IS 'Part of arima_ops.doctor: the jobs';

/* What grows without end is to be seen before the disk is full. */
CREATE FUNCTION arima_ops.doctor_size() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'size', CASE WHEN t.bytes > 10737418240 AND k.for_ever > 0 THEN 'notice' ELSE 'ok' END,
		format('the tables take %s, %s the largest; %s of %s series keep what has been for ever', pg_size_pretty(t.bytes), t.largest, k.for_ever, k.series),
		CASE WHEN t.bytes > 10737418240 AND k.for_ever > 0 THEN $mend$SELECT arima_ops.set_policy(name, '{"retention": "2 years"}') FROM arima_ops.series ORDER BY name; run_retention() removes what is older$mend$ END
	FROM (SELECT sum(s.bytes)::bigint AS bytes, (array_agg(s.relname ORDER BY s.bytes DESC))[1] AS largest
			FROM (SELECT c.relname, pg_total_relation_size(c.oid) AS bytes FROM pg_class AS c
				WHERE c.relnamespace = 'arima_ops'::regnamespace AND c.relkind = 'r') AS s) AS t,
		(SELECT count(*) AS series, count(*) FILTER (WHERE s.retention IS NULL) AS for_ever FROM arima_ops.series AS s) AS k
$$;
COMMENT ON FUNCTION arima_ops.doctor_size() IS 'Part of arima_ops.doctor: what the tables take, and whether it is bounded';

/* Findings about the series. */
CREATE FUNCTION arima_ops.doctor_series() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[];
	total bigint;
BEGIN
	SELECT count(*) INTO total FROM arima_ops.series AS s WHERE s.active;
	SELECT array_agg(s.name ORDER BY s.name) INTO names FROM arima_ops.series AS s
	WHERE s.active AND NOT EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = s.name AND m.status = 'champion');
	RETURN QUERY SELECT 'champions', CASE WHEN names IS NULL THEN 'ok' ELSE 'problem' END,
		CASE WHEN names IS NULL THEN format('each of %s active series has one', total)
			ELSE format('%s of %s active series have none: %s', cardinality(names), total, arima_ops.name_some(names)) END,
		CASE WHEN names IS NOT NULL THEN format('SELECT arima_ops.train(%L);', names[1]) END;

	SELECT array_agg(m.series ORDER BY m.series) INTO names FROM arima_ops.monitoring AS m WHERE m.active AND m.stale AND m.last_session <= arima_ops.latest_session();
	RETURN QUERY SELECT 'data', CASE WHEN names IS NULL THEN 'ok' ELSE 'problem' END,
		CASE WHEN names IS NULL THEN 'no series is stale' ELSE format('%s series wait for values too long: %s', cardinality(names), arima_ops.name_some(names)) END,
		CASE WHEN names IS NOT NULL THEN 'see arima_ops.fetch_failures; or UPDATE arima_ops.series: symbol if it was renamed there, active = false if it has ended, calendar and stale_after' END;

	SELECT array_agg(s.name ORDER BY s.name) INTO names FROM arima_ops.series AS s
	WHERE s.active AND EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = s.name AND a.ts > arima_ops.latest_session());
	RETURN QUERY SELECT 'dates', CASE WHEN names IS NULL THEN 'ok' ELSE 'problem' END,
		CASE WHEN names IS NULL THEN 'no session is in the future' ELSE format('%s series have sessions in the future, after which nothing new is seen: %s', cardinality(names), arima_ops.name_some(names)) END,
		CASE WHEN names IS NOT NULL THEN arima_ops.mend_future(names[1]) END;

	SELECT array_agg(f.series ORDER BY f.series) INTO names FROM arima_ops.fetch_failures AS f JOIN arima_ops.series AS s ON s.name = f.series
	WHERE f.failing AND s.active AND s.provider IS NOT NULL;
	RETURN QUERY SELECT 'fetching', CASE WHEN names IS NULL THEN 'ok' ELSE 'problem' END,
		CASE WHEN names IS NULL THEN 'no series failed when it was fetched last' ELSE format('%s series could not be fetched: %s', cardinality(names), arima_ops.name_some(names)) END,
		CASE WHEN names IS NOT NULL THEN 'SELECT series, since, failures, message FROM arima_ops.fetch_failures WHERE failing; says why' END;

	WITH pair AS MATERIALIZED (SELECT p.series, p.as_of, p.lead + p.horizon AS steps, count(*) AS n
		FROM arima_ops.predictions AS p WHERE p.target_ts IS NULL GROUP BY 1, 2, 3)
	SELECT sum(pair.n) INTO total FROM pair
	WHERE EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = pair.series AND a.ts > pair.as_of OFFSET pair.steps - 1);
	RETURN QUERY SELECT 'labels', CASE WHEN total IS NULL THEN 'ok' ELSE 'notice' END,
		CASE WHEN total IS NULL THEN 'every prediction whose session has come is labelled' ELSE format('%s predictions could be labelled', total) END,
		CASE WHEN total IS NOT NULL THEN 'CALL arima_ops.run_etl(); it catches up' END;

	SELECT array_agg(s.name ORDER BY s.name) INTO names FROM arima_ops.series AS s WHERE s.active AND arima_ops.in_drift(s.name);
	RETURN QUERY SELECT 'drift', CASE WHEN names IS NULL THEN 'ok' ELSE 'notice' END,
		CASE WHEN names IS NULL THEN 'no champion is in drift' ELSE format('in drift: %s', arima_ops.name_some(names)) END,
		CASE WHEN names IS NOT NULL THEN 'CALL arima_ops.run_retraining(); a better model may not exist' END;

	-- by its newest version: a champion that was kept in spite of the revision is well
	SELECT array_agg(m.series ORDER BY m.series) INTO names FROM arima_ops.series AS s
		CROSS JOIN LATERAL (SELECT * FROM arima_ops.models AS l WHERE l.series = s.name ORDER BY l.version DESC LIMIT 1) AS m
	WHERE s.active AND m.data_hash <> arima_ops.history_hash(m.series, m.trained_from, m.trained_to);
	RETURN QUERY SELECT 'history', CASE WHEN names IS NULL THEN 'ok' ELSE 'notice' END,
		CASE WHEN names IS NULL THEN 'the newest models were trained on the values as they are'
			ELSE format('values were revised since the last training: %s', arima_ops.name_some(names)) END,
		CASE WHEN names IS NOT NULL THEN format('SELECT * FROM arima_ops.retrain(%L, force => true);', names[1]) END;
END $$;
COMMENT ON FUNCTION arima_ops.doctor_series() IS 'Part of arima_ops.doctor: the series';

/*
 * A model counts sessions, so that one which was never recorded moves its season.  Distances
 * are judged by the usual one, their median.  Where sessions fill less than nine tenths of
 * their time, as without weekends or nights, there are breaks, and holidays beside them: none
 * is longer than eleven days.  Months and quarters are counted, as none is as long as another.
 */
CREATE FUNCTION arima_ops.odd_sessions(wanted text) RETURNS TABLE (before timestamptz, ts timestamptz, doubled boolean, missing bigint, first_missing timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH gap AS MATERIALIZED (
		SELECT lag(a.ts) OVER w AS before, a.ts, date_part('epoch', a.ts - lag(a.ts) OVER w) / 86400 AS days
		FROM (SELECT v.ts FROM arima_ops.actuals AS v WHERE v.series = wanted AND v.ts <= (SELECT arima_ops.latest_session())
			ORDER BY v.ts DESC LIMIT (SELECT s.train_window FROM arima_ops.series AS s WHERE s.name = wanted)) AS a
		WINDOW w AS (ORDER BY a.ts)
	), usual AS MATERIALIZED (
		SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY g.days) AS days FROM gap AS g HAVING count(*) >= 10
	), rhythm AS MATERIALIZED (
		SELECT u.days, u.days > 0.9 AS is_daily,
			CASE WHEN s.calendar = 'monthly' OR s.calendar IN ('weekdays', 'none') AND u.days BETWEEN 30 AND 31 THEN 1
				WHEN s.calendar = 'quarterly' OR s.calendar IN ('weekdays', 'none') AND u.days BETWEEN 90 AND 92 THEN 3 END AS months,
			CASE WHEN s.calendar = 'daily' THEN 1 ELSE (SELECT least(1, coalesce(count(*) * u.days / sum(g.days), 1)) FROM gap AS g WHERE g.days < 12) END AS filled
		FROM usual AS u, arima_ops.series AS s WHERE s.name = wanted
	), odd AS (
		SELECT g.before, g.ts, r.is_daily AND g.days < 0.5 AS doubled, r.months, r.days,
			CASE WHEN g.days < 1.5 * r.days OR r.months IS NULL AND r.filled < 0.9 AND g.days < 12 THEN 0
				WHEN r.months > 0 THEN arima_ops.month_number(g.ts) / r.months - arima_ops.month_number(g.before) / r.months - 1
				ELSE least(round(g.days * r.filled / r.days) - 1, 1e9) END::bigint AS missing
		FROM gap AS g, rhythm AS r WHERE g.before IS NOT NULL
	)
	SELECT o.before, o.ts, o.doubled, o.missing, CASE WHEN o.months > 0 THEN (o.before AT TIME ZONE 'UTC' + o.months * interval '1 month') AT TIME ZONE 'UTC' ELSE o.before + o.days * interval '24 hours' END
	FROM odd AS o WHERE o.doubled OR o.missing > 0
$$;
COMMENT ON FUNCTION arima_ops.odd_sessions(text) IS
'Sessions of the training of a series that seem to be a former one once more (doubled: less than half a day after it, where a day or more is usual), or to follow others that are missing: how many, and about when the first';

/* Of series with a season, sessions that are missing; of all, those that are there twice. */
CREATE FUNCTION arima_ops.doctor_sessions() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO' AS $$
	WITH odd AS MATERIALIZED (
		SELECT s.name, o.*, EXISTS (SELECT FROM (SELECT s.spec UNION ALL SELECT m.spec FROM arima_ops.models AS m WHERE m.series = s.name AND m.status = 'champion') AS v (spec)
			-- the period, from 2 on
			WHERE v.spec ~ '[[][[:space:]]*0*([2-9]|1[0-9])') AS seasonal
		FROM arima_ops.series AS s CROSS JOIN LATERAL arima_ops.odd_sessions(s.name) AS o WHERE s.active
	), missing AS (
		SELECT o.name, sum(o.missing) AS n, min(o.before) AS before, min(o.first_missing) AS first FROM odd AS o WHERE o.seasonal AND o.missing > 0 GROUP BY 1
	), doubled AS (
		SELECT o.name, count(*) AS n, min(o.before) AS before, min(o.ts) AS first FROM odd AS o WHERE o.doubled GROUP BY 1
	)
	SELECT 'missing sessions', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'notice' END,
		CASE WHEN count(*) = 0 THEN 'no session of a series with a season seems to be missing'
			ELSE format('sessions seem to be missing in %s series, whose season they move: ', count(*))
				|| arima_ops.name_some(array_agg(format('%s (%s, the first after %s)', m.name, m.n, arima_ops.session_text(m.before)) ORDER BY m.name)) END,
		(array_agg(format('a model counts sessions: record an estimate of each, SELECT arima_ops.record_actuals(%L, ARRAY[%L::timestamptz], ARRAY[its estimate], ''estimate''); and train anew', m.name, m.first) ORDER BY m.name))[1]
	FROM missing AS m
	UNION ALL
	SELECT 'doubled sessions', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'problem' END,
		CASE WHEN count(*) = 0 THEN 'no session is there twice'
			ELSE format('two sessions less than half a day apart in %s series: ', count(*))
				|| arima_ops.name_some(array_agg(format('%s (%s, the first %s after %s)', d.name, d.n, arima_ops.session_text(d.first), arima_ops.session_text(d.before)) ORDER BY d.name)) END,
		(array_agg(format('was a date recorded in local time? DELETE FROM arima_ops.actuals WHERE series = %L AND ts IN (the wrong one of each two); source and recorded_at may tell which', d.name) ORDER BY d.name))[1]
	FROM doubled AS d
$$;
COMMENT ON FUNCTION arima_ops.doctor_sessions() IS 'Part of arima_ops.doctor: whether sessions of active series seem to be missing or to be there twice';

/* A change of values under session_replication_role = replica fires no trigger, and so leaves the labels as they were. */
CREATE FUNCTION arima_ops.doctor_labels() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'label values', CASE WHEN l.names IS NULL THEN 'ok' ELSE 'problem' END,
		CASE WHEN l.names IS NULL THEN 'the newest labels are what the actual values say'
			ELSE format('the labels of %s series are not what their actual values say, nor are errors and drift: %s', cardinality(l.names), arima_ops.name_some(l.names)) END,
		CASE WHEN l.names IS NOT NULL THEN format($mend$SELECT arima_ops.relabel(ARRAY[%1$L], '-infinity') FROM arima_ops.lock_series(ARRAY[%1$L]); was a value changed with session_replication_role = replica?$mend$, l.names[1]) END
	FROM (SELECT array_agg(s.name ORDER BY s.name) AS names
		FROM arima_ops.series AS s CROSS JOIN LATERAL (SELECT min(n.target_ts) AS ts
			FROM (SELECT DISTINCT p.target_ts FROM arima_ops.predictions AS p
				WHERE p.series = s.name AND p.target_ts IS NOT NULL ORDER BY p.target_ts DESC LIMIT 250) AS n) AS f
		WHERE EXISTS (SELECT FROM arima_ops.wrong_labels(ARRAY[s.name], f.ts))) AS l
$$;
COMMENT ON FUNCTION arima_ops.doctor_labels() IS 'Part of arima_ops.doctor: whether the labels of the newest 250 sessions of each series are the values that are recorded';

/* The answers that are waiting, and those that had their value last. */
CREATE FUNCTION arima_ops.doctor_requests() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'requests', CASE WHEN r.names IS NULL THEN 'ok' ELSE 'notice' END,
		CASE WHEN r.names IS NULL THEN 'requests bring the values that are recorded'
			ELSE format('most requests of %s series bring other values than those recorded, and so say nothing of the champion: %s', cardinality(r.names), arima_ops.name_some(r.names)) END,
		CASE WHEN r.names IS NOT NULL THEN 'compare what the clients send with arima_ops.actuals: prices of another provider, or adjusted otherwise?' END
	FROM (SELECT array_agg(s.name ORDER BY s.name) AS names
		FROM arima_ops.series AS s CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE NOT p.placed) AS others
			FROM ((SELECT q.placed FROM arima_ops.predictions AS q WHERE q.series = s.name AND q.target_ts IS NULL AND q.horizon = 1 ORDER BY q.as_of DESC LIMIT 100)
				UNION ALL
				(SELECT q.placed FROM arima_ops.predictions AS q WHERE q.series = s.name AND q.target_ts IS NOT NULL AND q.horizon = 1 ORDER BY q.target_ts DESC LIMIT 100)) AS p
			WHERE p.placed IS NOT NULL) AS l
		WHERE s.active AND l.n >= 10 AND 2 * l.others > l.n) AS r
$$;
COMMENT ON FUNCTION arima_ops.doctor_requests() IS 'Part of arima_ops.doctor: whether the newest requests of active series that bring values bring those that are recorded';

/* A dump may have brought a provider with a time zone that this machine does not know. */
CREATE FUNCTION arima_ops.doctor_providers() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'providers', CASE WHEN z.names IS NULL THEN 'ok' ELSE 'problem' END,
		CASE WHEN z.names IS NULL THEN 'the time zone of each provider is known'
			ELSE format('time zones that are not known here: %s', arima_ops.name_some(z.names)) END,
		CASE WHEN z.names IS NOT NULL THEN 'UPDATE arima_ops.providers: time_zone, one of pg_timezone_names; or give the server the zones of a newer tzdata' END
	FROM (SELECT array_agg(format('%s (%s)', p.name, p.time_zone) ORDER BY p.name) AS names FROM arima_ops.providers AS p
		WHERE NOT arima_ops.known_zone(p.time_zone)
			AND (NOT p.builtin OR EXISTS (SELECT FROM arima_ops.series AS s WHERE s.provider = p.name AND s.active))) AS z
$$;
COMMENT ON FUNCTION arima_ops.doctor_providers() IS 'Part of arima_ops.doctor: the providers';

/* How often will drift be told where there is none? */
CREATE FUNCTION arima_ops.doctor_false_alarms() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
	SELECT 'false alarms',
		CASE WHEN sum(n * rate) > greatest(1, 0.02 * sum(n)) THEN 'notice' ELSE 'ok' END,
		coalesce(format('about %s false alarms a year (250 sessions) are to be expected: ', round(sum(n * rate)::numeric, 1))
			|| string_agg(format('%s series by %s, %s %% each', n, rule, round((100 * rate)::numeric, 1)), '; ' ORDER BY n DESC), 'no series is watched for drift'),
		CASE WHEN sum(n * rate) > greatest(1, 0.02 * sum(n)) THEN $mend$SELECT arima_ops.set_policy(name, '{"drift_policy": "cusum"}') FROM arima_ops.series ORDER BY name; its drift_false_alarms is the share that is wanted$mend$ END
	FROM (SELECT g.n, g.rule, arima_ops.false_alarm_rate(g.example) AS rate
		FROM (SELECT count(*) AS n, min(s.name) AS example, CASE s.drift_policy
				WHEN 'cusum' THEN 'cusum' ELSE format('rolling RMSE (%s sessions, %s x, %s running)', s.drift_window, s.drift_multiplier, s.drift_consecutive) END AS rule
			FROM arima_ops.series AS s WHERE s.active AND s.drift_policy <> 'none'
			GROUP BY s.drift_policy, s.drift_window, s.drift_multiplier, s.drift_consecutive, s.drift_min_labels, s.drift_recovery, s.drift_false_alarms) AS g) AS rules
$$;
COMMENT ON FUNCTION arima_ops.doctor_false_alarms() IS 'Part of arima_ops.doctor: what the drift policies in force cost in false alarms';

/* What waits to be told to MLflow and to webhooks, and why. */
CREATE FUNCTION arima_ops.doctor_outboxes() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'tracking', CASE WHEN o.parked > 0 OR o.oldest < now() - interval '1 day' THEN 'problem' ELSE 'ok' END,
		CASE WHEN NOT EXISTS (SELECT FROM arima_ops.tracking_settings) THEN 'no MLflow server is set'
			ELSE format('%s entries wait for MLflow, %s are parked', o.waiting, o.parked) || coalesce(': ' || o.error, '') END,
		CASE WHEN o.parked > 0 THEN 'mend the reason, then SELECT arima_ops.retry_tracking();'
			WHEN o.oldest < now() - interval '1 day' THEN 'is the server up? see arima_ops.tracking_outbox' END
	FROM (SELECT count(*) FILTER (WHERE t.status = 'waiting') AS waiting, count(*) FILTER (WHERE t.status = 'parked') AS parked,
			min(t.created_at) FILTER (WHERE t.status = 'waiting') AS oldest, (array_agg(t.last_error ORDER BY t.id) FILTER (WHERE t.last_error IS NOT NULL))[1] AS error
		FROM arima_ops.tracking_outbox AS t WHERE t.status <> 'confirmed') AS o
	UNION ALL
	SELECT 'alerts', CASE WHEN a.failing > 0 THEN 'problem' ELSE 'ok' END,
		format('%s webhooks, %s alerts wait', (SELECT count(*) FROM arima_ops.webhooks AS w WHERE w.active), a.waiting) || coalesce(': ' || a.error, ''),
		CASE WHEN a.failing > 0 THEN 'see arima_ops.alert_outbox, and arima_ops.http_allowed_hosts' END
	FROM (SELECT count(*) AS waiting, count(*) FILTER (WHERE o.attempts > 1) AS failing, max(o.last_error) AS error FROM arima_ops.alert_outbox AS o
			JOIN arima_ops.webhooks AS h ON h.name = o.webhook AND h.active) AS a
$$;
COMMENT ON FUNCTION arima_ops.doctor_outboxes() IS 'Part of arima_ops.doctor: what waits to be told to MLflow and webhooks';

CREATE FUNCTION arima_ops.doctor() RETURNS TABLE (check_name text, status text, finding text, mend text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM arima_ops.doctor_server()
	UNION ALL SELECT * FROM arima_ops.doctor_jobs()
	UNION ALL SELECT * FROM arima_ops.doctor_series()
	UNION ALL SELECT * FROM arima_ops.doctor_sessions()
	UNION ALL SELECT * FROM arima_ops.doctor_labels()
	UNION ALL SELECT * FROM arima_ops.doctor_requests()
	UNION ALL SELECT * FROM arima_ops.doctor_providers()
	UNION ALL SELECT * FROM arima_ops.doctor_false_alarms()
	UNION ALL SELECT * FROM arima_ops.doctor_outboxes()
	UNION ALL SELECT * FROM arima_ops.doctor_size()
$$;
COMMENT ON FUNCTION arima_ops.doctor() IS
'Is everything in order? One row a check: its status (ok, notice, problem), what was found, and what mends it';

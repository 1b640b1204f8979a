/* ---- what is old enough to go ---- */

/* The rows of one kind that may go, at most so many; gives how many went. */
CREATE FUNCTION arima_ops.remove_old(batch int DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	removed bigint;
	more bigint;
BEGIN
	DELETE FROM arima_ops.predictions AS p USING (
		SELECT o.id FROM arima_ops.series AS s CROSS JOIN LATERAL (
			SELECT q.id FROM arima_ops.predictions AS q
			WHERE q.series = s.name AND q.target_ts < now() - s.retention AND q.scored_at < now() - s.retention
			ORDER BY q.target_ts LIMIT batch) AS o
		WHERE s.retention IS NOT NULL LIMIT batch) AS old
	WHERE p.id = old.id;
	GET DIAGNOSTICS removed = ROW_COUNT;
	-- but of the present champion not the window, which its next check is made from, nor the last old one, which those that are done
	-- again go on from; what is out of date is mended for it only
	DELETE FROM arima_ops.drift_checks AS d USING (
		SELECT c.series, c.ts FROM arima_ops.series AS s
			LEFT JOIN arima_ops.models AS m ON m.series = s.name AND m.status = 'champion'
			LEFT JOIN LATERAL (SELECT k.ts FROM arima_ops.drift_checks AS k WHERE k.series = s.name AND k.version = m.version AND k.ts > m.champion_from
				ORDER BY k.ts DESC OFFSET s.drift_window - 1 LIMIT 1) AS w ON true
			LEFT JOIN LATERAL (SELECT k.ts FROM arima_ops.drift_checks AS k WHERE k.series = s.name AND k.version = m.version AND k.ts > m.champion_from
				AND k.ts < now() - s.retention ORDER BY k.ts DESC LIMIT 1) AS l ON true
			JOIN arima_ops.drift_checks AS c ON c.series = s.name AND c.ts < now() - s.retention
		WHERE CASE WHEN c.version = m.version AND c.ts > m.champion_from THEN c.ts < w.ts AND c.ts < l.ts AND c.checked_at < now() - s.retention
			ELSE coalesce(c.checked_at < now() - s.retention, true) END
		LIMIT batch) AS old
	WHERE d.series = old.series AND d.ts = old.ts;
	GET DIAGNOSTICS more = ROW_COUNT;
	removed := removed + more;
	DELETE FROM arima_ops.actual_revisions AS r USING (
		SELECT v.id FROM arima_ops.series AS s JOIN arima_ops.actual_revisions AS v ON v.series = s.name
		WHERE v.revised_at < now() - s.retention LIMIT batch) AS old
	WHERE r.id = old.id;
	GET DIAGNOSTICS more = ROW_COUNT;
	removed := removed + more;
	DELETE FROM arima_ops.job_runs AS r USING (
		SELECT j.id FROM arima_ops.job_runs AS j
		WHERE j.finished_at < now() - interval '90 days' AND j.id < (SELECT max(l.id) FROM arima_ops.job_runs AS l WHERE l.job = j.job)
		LIMIT batch) AS old
	WHERE r.id = old.id;
	GET DIAGNOSTICS more = ROW_COUNT;
	removed := removed + more;
	DELETE FROM arima_ops.tracking_outbox AS o USING (
		SELECT t.id FROM arima_ops.tracking_outbox AS t
		WHERE t.confirmed_at < now() - interval '90 days' AND EXISTS (SELECT FROM arima_ops.tracking_outbox AS l
			WHERE l.series = t.series AND l.version = t.version AND l.id > t.id)
		LIMIT batch) AS old
	WHERE o.id = old.id;
	GET DIAGNOSTICS more = ROW_COUNT;
	RETURN removed + more;
END $$;
COMMENT ON FUNCTION arima_ops.remove_old(int) IS
'Removes scored predictions, drift checks and former values older than the retention of their series, but not the checks that the next one is made from, and runs of jobs and what MLflow was told more than 90 days ago, at most so many of each; gives their number';

/*
 * Values first, as whoever changes them takes their locks; then the series itself is
 * locked, which waits for who refers to it, and nothing can be added to it.  It is
 * not locked less strictly before, as deleting values would: then who refers to it
 * and changes its values next would wait, too, and neither go on.
 */
CREATE FUNCTION arima_ops.drop_series(series text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	PERFORM arima_ops.get_series(series);
	PERFORM FROM arima_ops.actuals AS a WHERE a.series = series ORDER BY a.ts FOR UPDATE;
	PERFORM FROM arima_ops.series AS s WHERE s.name = series FOR UPDATE;
	IF NOT FOUND THEN
		-- nothing is locked: what follows would take from a new one of the name
		RAISE EXCEPTION 'series "%" was dropped by someone else just now', series
			USING ERRCODE = 'undefined_object', HINT = 'If there is a new one of this name, drop that.';
	END IF;
	-- before the values, or each label would be looked for anew among all those that are gone
	DELETE FROM arima_ops.predictions AS p WHERE p.series = series;
	DELETE FROM arima_ops.actuals AS a WHERE a.series = series;
	DELETE FROM arima_ops.actual_revisions AS r WHERE r.series = series;
	DELETE FROM arima_ops.drift_checks AS d WHERE d.series = series;
	DELETE FROM arima_ops.evaluations AS e WHERE e.series = series;
	DELETE FROM arima_ops.fetch_failures AS f WHERE f.series = series;
	DELETE FROM arima_ops.models AS m WHERE m.series = series;
	DELETE FROM arima_ops.series AS s WHERE s.name = series;
	PERFORM arima_ops.record_event('series', series, NULL, 'series dropped');
END $$;
COMMENT ON FUNCTION arima_ops.drop_series(text) IS
'Removes a series with its values, predictions and models; its events stay. One that is only to be left alone: UPDATE arima_ops.series SET active = false';

/* A schema of this name could be anybody's where the extension is not. */
CREATE FUNCTION arima_ops.sees_cron() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT has_schema_privilege(n.oid, 'USAGE') FROM pg_extension AS e, pg_namespace AS n WHERE e.extname = 'pg_cron' AND n.nspname = 'cron'
$$;
COMMENT ON FUNCTION arima_ops.sees_cron() IS 'May the present user look into the schema of pg_cron? NULL if pg_cron is not in this database';

/* pg_cron keeps its log for ever: the lines of our own jobs are ours to remove. */
CREATE FUNCTION arima_ops.remove_old_cron_log() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	removed bigint := 0;
BEGIN
	-- who may not look into the schema has no lines there
	IF arima_ops.sees_cron() THEN
		IF to_regclass('cron.job_run_details') IS NOT NULL THEN
			EXECUTE $sql$DELETE FROM cron.job_run_details
				WHERE username = current_user AND starts_with(command, 'CALL arima_ops.run_') AND end_time < now() - interval '30 days'$sql$;
			GET DIAGNOSTICS removed = ROW_COUNT;
		END IF;
	END IF;
	RETURN removed;
END $$;
COMMENT ON FUNCTION arima_ops.remove_old_cron_log() IS 'Removes what pg_cron noted of the jobs of this extension more than 30 days ago; gives the number of lines';

CREATE PROCEDURE arima_ops.run_retention()
LANGUAGE plpgsql AS $$
DECLARE
	run bigint;
	gone bigint := 0;
	more bigint;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	run := arima_ops.begin_job('retention');
	IF run IS NULL THEN
		RETURN;
	END IF;
	PERFORM arima_ops.remove_old_cron_log();
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF NOT arima_ops.job_progress(run, gone) THEN
			RETURN;
		END IF;
		more := arima_ops.remove_old();
		gone := gone + more;
		EXIT WHEN more = 0;
	END LOOP;
	PERFORM arima_ops.job_progress(run, gone, gone);
	PERFORM arima_ops.end_job(run);
END $$;
COMMENT ON PROCEDURE arima_ops.run_retention() IS
'Job: removes what is older than the retention of its series, in small transactions. Actual values, models, evaluations and events stay';

/* ---- what is old enough to go ---- */

/*
 * Kind after kind, each until there is none of it: all of them in each batch would look
 * through what stays again and again.
 *
 * A prediction that waits for its value goes only where none is to be expected: its series
 * is not active, or has had none for a year longer than it keeps anything, and all that
 * there is of it, values and prediction, is older than that.  Values that come far apart,
 * as those of years do, have twice that distance at least.  Where its value is there it
 * waits for its label.
 */
CREATE FUNCTION arima_ops.remove_old(kind text, batch int DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	removed bigint;
BEGIN
	CASE kind
	WHEN 'scored' THEN
		DELETE FROM arima_ops.predictions AS p USING (
			SELECT o.id FROM arima_ops.series AS s CROSS JOIN LATERAL (
				SELECT q.id FROM arima_ops.predictions AS q
				WHERE q.series = s.name AND q.target_ts < now() - s.retention AND q.scored_at < now() - s.retention
				ORDER BY q.target_ts LIMIT batch) AS o
			WHERE s.retention IS NOT NULL LIMIT batch) AS old
		WHERE p.id = old.id;
	WHEN 'waiting' THEN
		DELETE FROM arima_ops.predictions AS p USING (
			SELECT o.id FROM arima_ops.series AS s
				LEFT JOIN LATERAL (SELECT a.ts, greatest(a.ts, a.recorded_at) AS came FROM arima_ops.actuals AS a WHERE a.series = s.name ORDER BY a.ts DESC LIMIT 1) AS l ON true
				LEFT JOIN LATERAL (SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = s.name AND a.ts < l.ts ORDER BY a.ts DESC LIMIT 1) AS b ON true
				CROSS JOIN LATERAL (SELECT now() - s.retention - greatest(CASE WHEN s.active THEN interval '1 year' ELSE interval '0' END, least(2 * coalesce(l.ts - b.ts, interval '0'), interval '1000 years')) AS ts) AS e
				CROSS JOIN LATERAL (
					SELECT q.id FROM arima_ops.predictions AS q
					WHERE q.series = s.name AND q.target_ts IS NULL AND q.as_of < e.ts AND q.made_at < e.ts
						AND NOT EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = q.series AND a.ts > q.as_of OFFSET q.lead + q.horizon - 1)
					ORDER BY q.as_of LIMIT batch) AS o
			WHERE s.retention IS NOT NULL AND coalesce(l.came < e.ts, true) LIMIT batch) AS old
		-- not one that has just been labelled
		WHERE p.id = old.id AND p.target_ts IS NULL;
	WHEN 'drift_checks' THEN
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
	WHEN 'actual_revisions' THEN
		DELETE FROM arima_ops.actual_revisions AS r USING (
			SELECT v.id FROM arima_ops.series AS s JOIN arima_ops.actual_revisions AS v ON v.series = s.name
			WHERE v.revised_at < now() - s.retention LIMIT batch) AS old
		WHERE r.id = old.id;
	WHEN 'job_runs' THEN
		DELETE FROM arima_ops.job_runs AS r USING (
			SELECT j.id FROM arima_ops.job_runs AS j
			WHERE j.finished_at < now() - interval '90 days' AND j.id < (SELECT max(l.id) FROM arima_ops.job_runs AS l WHERE l.job = j.job)
			LIMIT batch) AS old
		WHERE r.id = old.id;
	WHEN 'tracking_outbox' THEN
		DELETE FROM arima_ops.tracking_outbox AS o USING (
			SELECT t.id FROM arima_ops.tracking_outbox AS t
			WHERE t.confirmed_at < now() - interval '90 days' AND EXISTS (SELECT FROM arima_ops.tracking_outbox AS l
				WHERE l.series = t.series AND l.version = t.version AND l.id > t.id)
			LIMIT batch) AS old
		WHERE o.id = old.id;
	END CASE;
	GET DIAGNOSTICS removed = ROW_COUNT;
	RETURN removed;
END $$;
COMMENT ON FUNCTION arima_ops.remove_old(text, int) IS
'Removes what may go of one kind, at most so many, and gives their number: scored predictions, drift_checks (but not those that the next one is made from) and actual_revisions older than the retention of their series; predictions that are waiting, as old, of a series that is not active and has had no value since then, or of an active one for a year more, in any case for twice as long as between the last two values; job_runs and what MLflow was told (tracking_outbox) more than 90 days ago';

/*
 * The price basis before any row, as to restate: a prediction, which has it until it is in
 * the log, is waited for, or waits and then sees that the series is gone.  By the series' row
 * alone one could slip in, as who refers to it does not always wait for who is about to lock it.
 *
 * Values next, as whoever changes them takes their locks; then the series itself is
 * locked, which waits for who refers to it, and nothing can be added to it.  It is
 * not locked less strictly before, as deleting values would: then who refers to it
 * and changes its values next would wait, too, and neither go on.
 *
 * Rows that have come since a transaction's snapshot cannot be deleted by it: that a
 * foreign key finds them is an error of its snapshot.  A key of somebody's own table stays one.
 */
CREATE FUNCTION arima_ops.drop_series(series text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	owner text;
BEGIN
	PERFORM arima_ops.get_series(series);
	PERFORM arima_ops.lock_basis(series, true);
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
EXCEPTION WHEN foreign_key_violation THEN
	GET STACKED DIAGNOSTICS owner = SCHEMA_NAME;
	IF owner <> 'arima_ops' OR current_setting('transaction_isolation') = 'read committed' THEN
		RAISE;
	END IF;
	RAISE EXCEPTION 'could not serialize access: series "%" got rows after the transaction''s snapshot', series
		USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again; at READ COMMITTED there is no need to.';
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
	kind text;
	gone bigint := 0;
	more bigint;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	run := arima_ops.begin_job('retention');
	IF run IS NULL THEN
		RETURN;
	END IF;
	PERFORM arima_ops.remove_old_cron_log();
	FOREACH kind IN ARRAY '{scored,waiting,drift_checks,actual_revisions,job_runs,tracking_outbox}'::pg_catalog.text[] LOOP
		LOOP
			COMMIT;
			SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
			PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
			IF NOT arima_ops.job_progress(run, gone) THEN
				RETURN;
			END IF;
			more := arima_ops.remove_old(kind);
			gone := gone + more;
			EXIT WHEN more = 0;
		END LOOP;
	END LOOP;
	PERFORM arima_ops.job_progress(run, gone, gone);
	PERFORM arima_ops.end_job(run);
END $$;
COMMENT ON PROCEDURE arima_ops.run_retention() IS
'Job: removes what is older than the retention of its series (arima_ops.remove_old says what), in small transactions. Actual values, models, evaluations and events stay, and predictions whose value may still come';

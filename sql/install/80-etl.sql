/* ---- the job that brings values and labels ---- */

CREATE PROCEDURE arima_ops.run_etl(batch int DEFAULT 50)
LANGUAGE plpgsql AS $$
DECLARE
	run bigint;
	fetched bigint := 0;
	failed bigint := 0;
	wanted text[];
	labelled bigint := 0;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	run := arima_ops.begin_job('etl', batch);
	IF run IS NULL THEN
		RETURN;
	END IF;
	CALL arima_ops.fetch_all(run, fetched, failed);
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	IF fetched IS NULL THEN
		RETURN;
	END IF;
	SELECT coalesce(array_agg(s.name ORDER BY s.name), '{}') INTO wanted FROM arima_ops.series AS s
	WHERE EXISTS (SELECT FROM arima_ops.predictions AS p WHERE p.series = s.name AND p.target_ts IS NULL);
	FOR i IN 1 .. cardinality(wanted) BY batch LOOP
		COMMIT;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF NOT arima_ops.job_progress(run, fetched + failed + i - 1, fetched + failed + cardinality(wanted)) THEN
			RETURN;
		END IF;
		PERFORM arima_ops.lock_series(wanted[i : i + batch - 1]);
		labelled := labelled + arima_ops.label_predictions(wanted[i : i + batch - 1]);
	END LOOP;
	PERFORM arima_ops.job_progress(run, fetched + failed + cardinality(wanted), fetched + failed + cardinality(wanted));
	PERFORM arima_ops.end_job(run, CASE WHEN failed = 0 THEN 'succeeded' ELSE 'failed' END,
		CASE WHEN failed > 0 THEN format('%s of %s series could not be fetched: see the events fetch_failed', failed, fetched + failed) END);
	COMMIT;
END $$;
COMMENT ON PROCEDURE arima_ops.run_etl(int) IS
'Job: fetches the values of all active series that have a provider, then labels every prediction whose session has come, so many series a transaction. What was missed is caught up';

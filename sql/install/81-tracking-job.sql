/* ---- MLflow: the job that empties the outbox ---- */

/*
 * The next requests: of each series the entry that comes first, if it is due.  Each
 * is kept from other runs for as long as an answer may take, two rounds of time-outs.
 * What is sent is made here and from the tables, with the owner's rights, so that
 * the callers need none to send.
 */
CREATE FUNCTION arima_ops.tracking_prepare(OUT entries bigint[], OUT steps text[], OUT until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	settings arima_ops.tracking_settings;
	entry arima_ops.tracking_outbox;
	told arima_ops.tracking_runs;
	request record;
	requests arima_ops.http_request[] := '{}';
BEGIN
	SELECT * INTO settings FROM arima_ops.tracking_settings;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	FOR entry IN
		SELECT o.* FROM arima_ops.tracking_outbox AS o JOIN (
			SELECT min(w.id) AS id FROM arima_ops.tracking_outbox AS w WHERE w.status = 'waiting' GROUP BY w.series) AS head USING (id)
		WHERE o.next_attempt_at <= clock_timestamp() AND coalesce(o.under_way_until <= clock_timestamp(), true)
		ORDER BY o.id LIMIT 16
	LOOP
		SELECT * INTO told FROM arima_ops.tracking_runs AS r WHERE r.series = entry.series AND r.version = entry.version;
		LOOP
			request := NULL;
			IF entry.step <> 'begin' THEN
				request := arima_ops.tracking_request(entry, told, settings);
				EXIT WHEN request.method <> 'PUT' OR request.body IS NOT NULL;
			END IF;
			entry.step := arima_ops.tracking_next(entry, told);
		END LOOP;
		entries := entries || entry.id;
		steps := steps || entry.step;
		requests := requests || row(request.method, settings.tracking_uri || '/api/2.0/' || request.path,
			settings.headers || CASE WHEN request.method = 'PUT' THEN 'Content-Type: application/octet-stream'
				ELSE 'Content-Type: application/json' END,
			convert_to(request.body, 'UTF8'), 0)::arima_ops.http_request;
	END LOOP;
	IF entries IS NULL THEN
		RETURN;
	END IF;
	PERFORM arima_ops.http_prepare(requests);
	until := clock_timestamp() + interval '30 s' + 2 * (current_setting('arima_ops.http_connect_timeout')::interval
		+ current_setting('arima_ops.http_timeout')::interval);
	UPDATE arima_ops.tracking_outbox AS o SET under_way_until = until,
		step = CASE s.step WHEN 'create_run' THEN 'find_run' WHEN 'create_version' THEN 'find_version' ELSE s.step END
	FROM unnest(entries, steps) AS s (id, step) WHERE o.id = s.id;
END $$;
COMMENT ON FUNCTION arima_ops.tracking_prepare() IS
'Prepares the next requests to MLflow for arima_ops.http_exchange: gives the entries of the outbox that they are for, their steps, and until when they are kept from others; NULL if there is nothing to send';

/* Entries that somebody else has taken up since are left alone. */
CREATE FUNCTION arima_ops.tracking_settle(entries bigint[], steps text[], until timestamptz, responses arima_ops.http_response[],
	OUT confirmed bigint, OUT parked bigint, OUT answered bigint, OUT last_error text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	settings arima_ops.tracking_settings;
	entry arima_ops.tracking_outbox;
	told arima_ops.tracking_runs;
	response arima_ops.http_response;
	answer jsonb;
	outcome record;
BEGIN
	confirmed := 0;
	parked := 0;
	answered := 0;
	SELECT * INTO settings FROM arima_ops.tracking_settings;
	FOR i IN 1 .. cardinality(entries) LOOP
		SELECT * INTO entry FROM arima_ops.tracking_outbox AS o WHERE o.id = entries[i] AND o.under_way_until = until;
		CONTINUE WHEN NOT FOUND;
		SELECT * INTO told FROM arima_ops.tracking_runs AS r WHERE r.series = entry.series AND r.version = entry.version;
		response := responses[i];
		answer := arima_ops.tracking_object(response.body);
		entry.step := steps[i];
		entry.next_attempt_at := clock_timestamp();
		IF arima_ops.tracking_understood(entry.step, response.status, answer) THEN
			outcome := arima_ops.tracking_learn(entry, told, settings, answer);
		ELSE
			outcome := arima_ops.tracking_fail(entry, told, response, answer);
		END IF;
		answered := answered + CASE WHEN (outcome.entry).attempts = entry.attempts OR (outcome.entry).status = 'parked' THEN 1 ELSE 0 END;
		entry := outcome.entry;
		told := outcome.told;
		IF entry.step = 'end' THEN
			entry.status := 'confirmed';
			confirmed := confirmed + 1;
		ELSIF entry.status = 'parked' THEN
			parked := parked + 1;
		END IF;
		last_error := coalesce(entry.last_error, last_error);
		UPDATE arima_ops.tracking_outbox AS o
		SET step = entry.step, status = entry.status, attempts = entry.attempts, next_attempt_at = entry.next_attempt_at,
			under_way_until = NULL, last_error = CASE WHEN entry.status <> 'confirmed' THEN entry.last_error END,
			confirmed_at = CASE WHEN entry.status = 'confirmed' THEN clock_timestamp() END
		WHERE o.id = entry.id;
		UPDATE arima_ops.tracking_runs AS r
		SET experiment_id = told.experiment_id, run_id = told.run_id, artifact_uri = told.artifact_uri, complete = told.complete,
			model_name = told.model_name, model_version = told.model_version
		WHERE r.series = told.series AND r.version = told.version AND r IS DISTINCT FROM told;
	END LOOP;
END $$;
COMMENT ON FUNCTION arima_ops.tracking_settle(bigint[], text[], timestamptz, arima_ops.http_response[]) IS
'Takes in the answers of MLflow: how many entries of the outbox are confirmed, how many parked; answered: to how many there was an answer that takes them on';

CREATE PROCEDURE arima_ops.run_tracking()
LANGUAGE plpgsql AS $$
DECLARE
	run bigint;
	done bigint := 0;
	parked bigint := 0;
	total bigint;
	wave record;
	settled record;
	responses arima_ops.http_response[];
	failure text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	run := arima_ops.begin_job('tracking');
	IF run IS NULL THEN
		RETURN;
	END IF;
	total := (SELECT count(*) FROM arima_ops.tracking_outbox WHERE status = 'waiting');
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF NOT arima_ops.job_progress(run, done, total) THEN
			RETURN;
		END IF;
		wave := arima_ops.tracking_prepare();
		EXIT WHEN wave.entries IS NULL;
		CALL arima_ops.http_exchange(responses);
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		settled := arima_ops.tracking_settle(wave.entries, wave.steps, wave.until, responses);
		done := done + settled.confirmed;
		parked := parked + settled.parked;
		IF settled.answered = 0 THEN
			-- the next run asks again
			failure := settled.last_error;
			EXIT;
		END IF;
	END LOOP;
	IF parked > 0 THEN
		failure := pg_catalog.concat_ws('; ', failure, parked || ' entries of arima_ops.tracking_outbox are parked');
	END IF;
	CALL arima_ops.send_alerts();
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	PERFORM arima_ops.end_job(run, CASE WHEN failure IS NULL THEN 'succeeded' ELSE 'failed' END, failure);
END $$;
COMMENT ON PROCEDURE arima_ops.run_tracking() IS
'Job: tells MLflow what is in the outbox, 16 series side by side. May be stopped at any moment and goes on where it was. Ends early where MLflow does not answer';

CREATE FUNCTION arima_ops.retry_tracking(series text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	changed bigint;
BEGIN
	UPDATE arima_ops.tracking_outbox AS o SET status = 'waiting', next_attempt_at = clock_timestamp()
	WHERE o.status <> 'confirmed' AND (series IS NULL OR o.series = series)
		AND (o.status = 'parked' OR o.next_attempt_at > clock_timestamp());
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed;
END $$;
COMMENT ON FUNCTION arima_ops.retry_tracking(text) IS
'Lets the next arima_ops.run_tracking() send what is parked, or waits for its next attempt, of one series or of all; gives how many entries';

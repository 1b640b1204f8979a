/* ---- fetching: many series at once, each recorded by itself ---- */

CREATE TYPE arima_ops.fetch_outcome AS (
	series text,
	outcome text,
	inserted bigint,
	revised bigint,
	unchanged bigint,
	message text,
	retry_after int,
	fault text,
	event bigint);
COMMENT ON TYPE arima_ops.fetch_outcome IS
'What came of fetching a series: stored, with counts; restated: nothing stored, as earlier values have changed and the whole history is needed; failed, with the reason, the fault where there was no answer, and the event that tells it; event NULL: it fails as before';

/* ---- failures: told when they begin ---- */

CREATE TABLE arima_ops.fetch_failures (
	series text PRIMARY KEY REFERENCES arima_ops.series,
	failing boolean NOT NULL DEFAULT true,
	since timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	failures int NOT NULL DEFAULT 1,
	message text NOT NULL,
	details jsonb NOT NULL,
	reasons text[] NOT NULL);
COMMENT ON TABLE arima_ops.fetch_failures IS 'Series whose values could not be fetched, with the last reason; those that can be again stay, with failing false';
COMMENT ON COLUMN arima_ops.fetch_failures.since IS 'first failure of this row of them';
COMMENT ON COLUMN arima_ops.fetch_failures.failures IS 'how many there have been in this row';
COMMENT ON COLUMN arima_ops.fetch_failures.details IS 'of the last one: provider, symbol, address, status';
COMMENT ON COLUMN arima_ops.fetch_failures.reasons IS 'those that an event has told, until it has been without a failure for arima_ops.news_after()';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.fetch_failures', '');

/*
 * Without a network each series fails at each run: its event comes at the first
 * failure, and for a reason that is new, numbers in it apart.  A reason that is known
 * and was not away for long (news_after) is marked so, as no news (enqueue_alert).
 * The series is locked as its foreign key does: one that is being dropped is waited for,
 * and must not end the run.
 */
CREATE FUNCTION arima_ops.note_failure(series text, message text, details jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	most_reasons CONSTANT int := 20;
	known arima_ops.fetch_failures;
	reason text := concat_ws(' ', details ->> 'provider', details ->> 'symbol', details ->> 'status', details ->> 'fault', regexp_replace(message, '[0-9]+', '#', 'g'));
	moment timestamptz := clock_timestamp();
	told boolean;
BEGIN
	-- before what belongs to it, as who drops it does
	PERFORM FROM arima_ops.series AS s WHERE s.name = series FOR KEY SHARE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	SELECT * INTO known FROM arima_ops.fetch_failures AS f WHERE f.series = series FOR UPDATE;
	IF NOT known.failing AND known.last_at < moment - arima_ops.news_after() THEN
		known.reasons := '{}';
	END IF;
	told := coalesce(reason = ANY (known.reasons), false);
	INSERT INTO arima_ops.fetch_failures AS f (series, since, last_at, message, details, reasons)
	VALUES (series, moment, moment, message, details, ARRAY[reason])
	ON CONFLICT ON CONSTRAINT fetch_failures_pkey DO UPDATE SET failing = true, since = CASE WHEN f.failing THEN f.since ELSE excluded.since END,
		last_at = excluded.last_at, failures = CASE WHEN f.failing THEN f.failures + 1 ELSE 1 END, message = excluded.message, details = excluded.details,
		reasons = CASE WHEN told OR cardinality(known.reasons) >= most_reasons THEN known.reasons ELSE known.reasons || reason END;
	IF known.failing AND (told OR cardinality(known.reasons) >= most_reasons) THEN
		RETURN NULL;
	END IF;
	RETURN arima_ops.record_event('fetch_failed', series, NULL, message, details || CASE WHEN told THEN '{"again": true}'::jsonb ELSE '{}' END);
END $$;
COMMENT ON FUNCTION arima_ops.note_failure(text, text, jsonb) IS
'Takes down that a series could not be fetched; gives the id of its event fetch_failed, NULL where it fails as before';

CREATE FUNCTION arima_ops.note_still_failing(names text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM arima_ops.record_event('fetch_failed', NULL, NULL, format('provider "%s": %s series as before: %s', f.provider, cardinality(f.series), arima_ops.name_some(f.series)),
		jsonb_build_object('provider', f.provider, 'failing', cardinality(f.series), 'series', f.series[1:20], 'again', true))
	FROM (SELECT s.provider, array_agg(s.name ORDER BY s.name) AS series FROM arima_ops.series AS s
		WHERE s.name = ANY (names) AND s.provider IS NOT NULL GROUP BY s.provider) AS f;
END $$;
COMMENT ON FUNCTION arima_ops.note_still_failing(text[]) IS 'Tells of series that could not be fetched once more, by one event for each provider';

/*
 * Has the basis of the values changed, as by a split or dividend?  Then the oldest
 * ones given differ from those recorded, not only one that was corrected.
 */
CREATE FUNCTION arima_ops.basis_changed(series text, ts timestamptz[], value float8[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(bool_and(c.differs), EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = basis_changed.series))
	FROM (SELECT a.value <> g.value AS differs FROM unnest(basis_changed.ts, basis_changed.value) AS g (ts, value)
			JOIN arima_ops.actuals AS a ON a.series = basis_changed.series AND a.ts = g.ts
		ORDER BY a.ts LIMIT 3) AS c
$$;
COMMENT ON FUNCTION arima_ops.basis_changed(text, timestamptz[], float8[]) IS
'Do the oldest values given all differ from those recorded? True, too, if none of them is of a recorded session';

CREATE FUNCTION arima_ops.note_payments(series text, body text, after timestamptz) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT arima_ops.record_event(e.kind, note_payments.series, NULL, format('%s on %s', e.message, to_char(e.session, 'YYYY-MM-DD')), e.details)
	FROM (SELECT arima_ops.try_json(note_payments.body) AS document) AS d
		CROSS JOIN LATERAL arima_ops.parse_payments(d.document,
			CASE WHEN arima_ops.known_zone(d.document #>> '{chart,result,0,meta,exchangeTimezoneName}')
				THEN d.document #>> '{chart,result,0,meta,exchangeTimezoneName}' ELSE 'UTC' END) AS e
	WHERE e.session::timestamp AT TIME ZONE 'UTC' > note_payments.after
		AND e.session::timestamp AT TIME ZONE 'UTC' <= (SELECT max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = note_payments.series)
	ORDER BY e.session
$$;
COMMENT ON FUNCTION arima_ops.note_payments(text, text, timestamptz) IS 'Records the splits and dividends of the sessions recorded after the one given as events';

CREATE FUNCTION arima_ops.without_noise(series text, ts timestamptz[], value float8[]) RETURNS float8[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(CASE WHEN abs(g.value - a.value) <= 1e-6 * abs(a.value) THEN a.value ELSE g.value END ORDER BY g.i)
	FROM unnest(without_noise.ts, without_noise.value) WITH ORDINALITY AS g (ts, value, i)
		LEFT JOIN arima_ops.actuals AS a ON a.series = without_noise.series AND a.ts = g.ts
$$;
COMMENT ON FUNCTION arima_ops.without_noise(text, timestamptz[], float8[]) IS
'Values given, and in place of those that differ from the recorded ones by the noise of the provider''s arithmetic these';

/* Sessions are the midnights, by UTC, that the trade dates begin with. */
CREATE FUNCTION arima_ops.store_values(wanted arima_ops.series, body text, whole boolean) RETURNS arima_ops.fetch_outcome
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given_ts timestamptz[];
	given_value float8[];
	first_ts timestamptz;
	last_ts timestamptz;
	other_ts timestamptz;
	result arima_ops.fetch_outcome;
BEGIN
	result.series := wanted.name;
	SELECT array_agg(r.session::timestamp AT TIME ZONE 'UTC' ORDER BY r.session), array_agg(r.value ORDER BY r.session) INTO given_ts, given_value
	FROM arima_ops.parse_answer(wanted.provider, body) AS r;
	-- what record_actuals locks first; it adds others, and locks the series after them
	PERFORM arima_ops.lock_sessions(wanted.name, given_ts, arima_ops.without_noise(wanted.name, given_ts, given_value));
	-- as prepare_fetch has asked; what is recorded for later days is nothing that an answer goes on from
	SELECT min(a.ts), max(a.ts) INTO first_ts, last_ts FROM arima_ops.actuals AS a WHERE a.series = wanted.name AND a.ts <= arima_ops.latest_session();
	-- values of others for the same days, at the midnights of another time zone for instance, would make two sessions of each
	SELECT min(a.ts) INTO other_ts FROM arima_ops.actuals AS a
	WHERE a.series = wanted.name AND date_trunc('day', a.ts, 'UTC') = ANY (given_ts) AND a.ts <> date_trunc('day', a.ts, 'UTC');
	IF other_ts IS NOT NULL THEN
		RAISE EXCEPTION 'there is a value of % already, at another time of the day than midnight UTC: record what is not from the provider at midnight UTC',
			arima_ops.session_text(other_ts) USING ERRCODE = 'data_exception';
	END IF;
	given_value := arima_ops.without_noise(wanted.name, given_ts, given_value);
	IF given_ts IS NULL AND last_ts IS NULL THEN
		RAISE EXCEPTION 'there are no values in the answer' USING ERRCODE = 'data_exception';
	END IF;
	IF given_ts IS NOT NULL AND arima_ops.basis_changed(wanted.name, given_ts, given_value) THEN
		IF NOT whole THEN
			result.outcome := 'restated';
			RETURN result;
		END IF;
		IF given_ts[1] > first_ts THEN
			RAISE EXCEPTION 'the values up to % have changed, as by a split, and the provider gives none before %: take those over by arima_ops.restate',
				arima_ops.session_text(last_ts), arima_ops.session_text(given_ts[1]) USING ERRCODE = 'data_exception';
		END IF;
	END IF;
	SELECT r.inserted, r.revised, r.unchanged INTO result.inserted, result.revised, result.unchanged
	FROM arima_ops.record_actuals(wanted.name, coalesce(given_ts, '{}'), coalesce(given_value, '{}'), wanted.provider) AS r;
	IF result.inserted > 0 AND strpos(body, '"events"') > 0 THEN
		PERFORM arima_ops.note_payments(wanted.name, body, last_ts);
	END IF;
	result.outcome := 'stored';
	RETURN result;
END $$;
COMMENT ON FUNCTION arima_ops.store_values(arima_ops.series, text, boolean) IS
'Records the values of an answer; whole: it gives the whole history. An error (class 22) says why that cannot be';

CREATE FUNCTION arima_ops.store_answer(series text, answer arima_ops.http_response, whole boolean DEFAULT false) RETURNS arima_ops.fetch_outcome
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted arima_ops.series;
	result arima_ops.fetch_outcome;
	reason text;
BEGIN
	SELECT s.* INTO wanted FROM arima_ops.series AS s WHERE s.name = store_answer.series;
	-- one bad answer must not keep the others from being recorded
	BEGIN
		IF wanted.provider IS NULL THEN
			RAISE EXCEPTION 'the series or its provider was removed in between' USING ERRCODE = 'data_exception';
		ELSIF answer.fault IS NOT NULL THEN
			RAISE EXCEPTION '%', answer.message USING ERRCODE = 'data_exception';
		ELSIF answer.status NOT BETWEEN 200 AND 299 THEN
			RAISE EXCEPTION 'status %: %', answer.status, arima_ops.complaint(arima_ops.answer_text(answer.body)) USING ERRCODE = 'data_exception';
		END IF;
		result := arima_ops.store_values(wanted, arima_ops.answer_text(answer.body), whole);
		IF result.outcome = 'stored' THEN
			UPDATE arima_ops.fetch_failures AS f SET failing = false WHERE f.series = wanted.name AND f.failing;
		END IF;
		RETURN result;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
	END;
	result := NULL;
	result.series := series;
	result.outcome := 'failed';
	result.message := reason;
	result.fault := answer.fault;
	result.retry_after := CASE WHEN answer.status IN (429, 503) THEN answer.retry_after END;
	result.event := arima_ops.note_failure(series, reason, jsonb_strip_nulls(jsonb_build_object('provider', wanted.provider,
		'symbol', wanted.symbol, 'url', answer.url, 'status', answer.status, 'fault', answer.fault, 'attempts', answer.attempts,
		'retry_after', answer.retry_after)));
	RETURN result;
END $$;
COMMENT ON FUNCTION arima_ops.store_answer(text, arima_ops.http_response, boolean) IS
'Records what a provider answered for a series, or in arima_ops.fetch_failures the reason why it cannot, which is an event fetch_failed where it is new';

/*
 * Procedures that commit can neither have a search_path of their own nor their
 * owner's rights: each transaction sets the path for itself.
 */
CREATE PROCEDURE arima_ops.fetch_batch(
	names text[],
	run bigint DEFAULT NULL,
	done bigint DEFAULT 0,
	total bigint DEFAULT NULL,
	INOUT outcomes arima_ops.fetch_outcome[] DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	whole boolean;
	answers arima_ops.http_response[];
	outcome arima_ops.fetch_outcome;
	once_more text[];
BEGIN
	COMMIT;
	SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
	outcomes := '{}';
	FOREACH whole IN ARRAY '{false, true}'::pg_catalog.bool[] LOOP
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		EXIT WHEN coalesce(array_length(names, 1), 0) = 0;
		names := arima_ops.prepare_fetch(names, whole);
		CALL arima_ops.http_exchange(answers);
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		once_more := '{}';
		FOR i IN 1 .. coalesce(pg_catalog.array_length(names, 1), 0) LOOP
			PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
			IF run IS NOT NULL AND NOT arima_ops.job_progress(run, done, total) THEN
				outcomes := NULL;
				RETURN;
			END IF;
			outcome := arima_ops.store_answer(names[i], answers[i], whole);
			IF outcome.outcome = 'restated' THEN
				once_more := once_more || names[i];
			ELSE
				outcomes := outcomes || outcome;
				done := done + 1;
			END IF;
			COMMIT;
			SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		END LOOP;
		names := once_more;
	END LOOP;
END $$;
COMMENT ON PROCEDURE arima_ops.fetch_batch(text[], bigint, bigint, bigint, arima_ops.fetch_outcome[]) IS
'Fetches these series at once and records each in a transaction of its own; where a split or dividend has changed earlier values, it fetches the whole history. With the number of a job''s run it notes the progress, and gives NULL if the run has been closed';

CREATE PROCEDURE arima_ops.fetch_actuals(
	series text,
	INOUT inserted bigint DEFAULT NULL,
	INOUT revised bigint DEFAULT NULL,
	INOUT unchanged bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	outcomes arima_ops.fetch_outcome[];
BEGIN
	PERFORM arima_ops.check_transaction();
	COMMIT;
	SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
	IF (arima_ops.get_series(series)).provider IS NULL THEN
		RAISE EXCEPTION 'series "%" has no provider', series
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Set provider and symbol in arima_ops.series, or give its values to arima_ops.record_actuals.';
	END IF;
	CALL arima_ops.fetch_batch(ARRAY[series], NULL, 0, NULL, outcomes);
	IF (outcomes[1]).outcome OPERATOR(pg_catalog.=) 'stored' IS NOT TRUE THEN
		RAISE EXCEPTION 'the values of series "%" could not be fetched', series
			USING ERRCODE = 'external_routine_exception', DETAIL = (outcomes[1]).message,
				HINT = 'arima_ops.fetch_failures has the particulars.';
	END IF;
	inserted := (outcomes[1]).inserted;
	revised := (outcomes[1]).revised;
	unchanged := (outcomes[1]).unchanged;
END $$;
COMMENT ON PROCEDURE arima_ops.fetch_actuals(text, bigint, bigint, bigint) IS
'Fetches what is new of a series from its provider and records it; gives how many sessions were inserted, revised and unchanged. Not within a transaction block: none is open while the provider is waited for';

CREATE PROCEDURE arima_ops.fetch_all(
	run bigint DEFAULT NULL,
	INOUT fetched bigint DEFAULT 0,
	INOUT failed bigint DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
	names text[];
	batch text[];
	total bigint;
	no_answer CONSTANT text[] := '{resolve,connect,timeout,tls,broken}';
	unanswered text[] := '{}';
	answered text[] := '{}';
	paused text[];
	silent text[];
	still text[] := '{}';
	outcomes arima_ops.fetch_outcome[];
BEGIN
	PERFORM arima_ops.check_transaction();
	COMMIT;
	SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	fetched := 0;
	failed := 0;
	names := ARRAY(SELECT s.name FROM arima_ops.series AS s WHERE s.active AND s.provider IS NOT NULL ORDER BY s.name);
	total := cardinality(names);
	LOOP
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		EXIT WHEN cardinality(names) = 0;
		batch := names[1:32];
		names := names[33:];
		CALL arima_ops.fetch_batch(batch, run, fetched + failed, total, outcomes);
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF outcomes IS NULL THEN
			fetched := NULL;
			RETURN;
		END IF;
		fetched := fetched + (SELECT count(*) FROM unnest(outcomes) AS o WHERE o.outcome = 'stored');
		failed := failed + (SELECT count(*) FROM unnest(outcomes) AS o WHERE o.outcome <> 'stored');
		still := still || ARRAY(SELECT o.series FROM unnest(outcomes) AS o WHERE o.outcome = 'failed' AND o.event IS NULL);
		-- a provider that asks to be left alone is asked for nothing more, nor one that answers nothing: hundreds of time-outs would keep all else waiting
		SELECT unanswered || coalesce(array_agg(p.provider) FILTER (WHERE p.no_reply), '{}'),
			answered || coalesce(array_agg(DISTINCT p.provider) FILTER (WHERE NOT p.no_reply AND NOT p.provider = ANY (answered)), '{}'),
			coalesce(array_agg(DISTINCT p.provider) FILTER (WHERE p.retry_after > 0), '{}')
		INTO unanswered, answered, paused
		FROM (SELECT s.provider, o.retry_after, coalesce(o.fault = ANY (no_answer), false) AS no_reply FROM unnest(outcomes) AS o
				JOIN arima_ops.series AS s ON s.name = o.series WHERE s.provider IS NOT NULL) AS p;
		silent := ARRAY(SELECT u FROM unnest(unanswered) AS u WHERE NOT u = ANY (answered) GROUP BY u HAVING count(*) >= 8);
		IF cardinality(paused || silent) > 0 THEN
			failed := failed + arima_ops.leave_out(names, paused, 'asks for a pause') + arima_ops.leave_out(names, silent, 'does not answer');
			names := ARRAY(SELECT s.name FROM arima_ops.series AS s WHERE s.name = ANY (names) AND NOT s.provider = ANY (paused || silent) ORDER BY s.name);
		END IF;
	END LOOP;
	PERFORM arima_ops.note_still_failing(still);
	IF run IS NOT NULL AND NOT arima_ops.job_progress(run, fetched + failed, total) THEN
		fetched := NULL;
	END IF;
END $$;
COMMENT ON PROCEDURE arima_ops.fetch_all(bigint, bigint, bigint) IS
'Fetches all active series that have a provider, many at once, and gives how many were recorded and how many failed; the others go on. A provider that asks for a pause, or answers none of eight series and more, is left alone for the rest of the run. The first failure of a series is an event fetch_failed, those that fail as before are one together for each provider. With the number of a job''s run it notes the progress; fetched is NULL if the run has been closed';

/* What a provider has been left out for lately (news_after) is marked so, as no news (enqueue_alert). */
CREATE FUNCTION arima_ops.leave_out(names text[], wanted text[], reason text) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(sum(l.n), 0)::bigint
	FROM (SELECT count(*) AS n, arima_ops.record_event('fetch_failed', NULL, NULL,
			format('provider "%s" %s: %s series left out', s.provider, leave_out.reason, count(*)),
			jsonb_build_object('provider', s.provider, 'reason', leave_out.reason, 'left_out', count(*), 'series', jsonb_agg(s.name ORDER BY s.name))
				|| CASE WHEN EXISTS (SELECT FROM arima_ops.events AS e WHERE e.series IS NULL AND e.kind = 'fetch_failed' AND e.at > clock_timestamp() - arima_ops.news_after()
					AND e.details ? 'left_out' AND e.details ->> 'provider' = s.provider AND e.details ->> 'reason' = leave_out.reason) THEN '{"again": true}'::jsonb ELSE '{}' END)
		FROM arima_ops.series AS s WHERE s.name = ANY (names) AND s.provider = ANY (wanted) GROUP BY s.provider) AS l
$$;
COMMENT ON FUNCTION arima_ops.leave_out(text[], text[], text) IS 'Records which of these series are not fetched, because of what their providers, those wanted, do; gives their number';

/* ---- the job that brings values and labels ---- */

/* Where a batch fails, for one of its series is locked for longer than lock_timeout or two wait for each other, its series are tried one by one. */
CREATE FUNCTION arima_ops.try_label(wanted text[], OUT labelled bigint, OUT failed text[], OUT message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	failed := '{}';
	BEGIN
		PERFORM arima_ops.lock_series(wanted);
		labelled := arima_ops.label_predictions(wanted);
		RETURN;
	EXCEPTION WHEN OTHERS THEN
		labelled := 0;
		message := SQLERRM;
	END;
	IF cardinality(wanted) = 1 THEN
		failed := wanted;
		RETURN;
	END IF;
	message := NULL;
	FOR i IN 1 .. cardinality(wanted) LOOP
		one := arima_ops.try_label(wanted[i : i]);
		labelled := labelled + one.labelled;
		failed := failed || one.failed;
		message := coalesce(message, one.message);
	END LOOP;
END $$;
COMMENT ON FUNCTION arima_ops.try_label(text[]) IS
'Labels the pending predictions of these series, one by one where that fails for all together; gives how many, which series failed, and why the first of them did';

CREATE PROCEDURE arima_ops.run_etl(batch int DEFAULT 50)
LANGUAGE plpgsql AS $$
DECLARE
	run bigint;
	fetched bigint := 0;
	failed bigint := 0;
	wanted text[];
	labels record;
	unlabelled text[] := '{}';
	reason text;
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
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF NOT arima_ops.job_progress(run, fetched + failed + i - 1, fetched + failed + cardinality(wanted)) THEN
			RETURN;
		END IF;
		labels := arima_ops.try_label(wanted[i : i + batch - 1]);
		unlabelled := unlabelled || labels.failed;
		reason := coalesce(reason, labels.message);
	END LOOP;
	PERFORM arima_ops.job_progress(run, fetched + failed + cardinality(wanted), fetched + failed + cardinality(wanted));
	PERFORM arima_ops.end_job(run, CASE WHEN failed = 0 AND cardinality(unlabelled) = 0 THEN 'succeeded' ELSE 'failed' END,
		nullif(concat_ws('; ', CASE WHEN failed > 0 THEN format('%s of %s series could not be fetched: see arima_ops.fetch_failures', failed, fetched + failed) END,
			CASE WHEN cardinality(unlabelled) > 0 THEN format('predictions of %s series could not be labelled, %s: %s', cardinality(unlabelled), arima_ops.name_some(unlabelled), reason) END), ''));
	COMMIT;
END $$;
COMMENT ON PROCEDURE arima_ops.run_etl(int) IS
'Job: fetches the values of all active series that have a provider, then labels every prediction whose session has come, so many series a transaction. A series that fails does not keep the others back. What was missed is caught up';

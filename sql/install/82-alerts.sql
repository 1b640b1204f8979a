/* ---- alerts: events told to a web address ---- */

CREATE TABLE arima_ops.webhooks (
	name text PRIMARY KEY,
	url text NOT NULL,
	headers text[] NOT NULL DEFAULT '{}' CHECK (pg_catalog.array_ndims(headers) = 1),
	kinds text[] NOT NULL DEFAULT '{drift,recovery,promotion,rollback,stale,fetch_failed,retrain_failed,monitoring_failed}',
	active boolean NOT NULL DEFAULT true,
	CONSTRAINT credentials_are_for_the_secrets_file CHECK (arima_ops.hides_credentials(url, headers)));
COMMENT ON TABLE arima_ops.webhooks IS
'Where events are told by HTTP POST, as json; beside that each event is a NOTIFY. The hosts must be among arima_ops.http_allowed_hosts';
COMMENT ON COLUMN arima_ops.webhooks.url IS 'address; {secret:NAME} stands for a line of arima_ops.http_secrets_file';
COMMENT ON COLUMN arima_ops.webhooks.headers IS 'headers as "Name: value", with {secret:NAME} as in the address';
COMMENT ON COLUMN arima_ops.webhooks.kinds IS 'kinds of events that are told; of failures that come again and again the first';
COMMENT ON COLUMN arima_ops.webhooks.active IS 'false: nothing is told, neither what happens nor what waits already';

CREATE TRIGGER check_address AFTER INSERT OR UPDATE OF url, headers ON arima_ops.webhooks
FOR EACH ROW EXECUTE FUNCTION arima_ops.check_address();

/* A row is an event that is still to be told: what was told is gone from here. */
CREATE TABLE arima_ops.alert_outbox (
	webhook text NOT NULL REFERENCES arima_ops.webhooks ON UPDATE CASCADE ON DELETE CASCADE,
	event bigint NOT NULL REFERENCES arima_ops.events,
	attempts int NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	last_error text,
	PRIMARY KEY (webhook, event));
COMMENT ON TABLE arima_ops.alert_outbox IS 'Events that a webhook has not been told yet';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.webhooks', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.alert_outbox', '');

/*
 * A failure that comes again and again, of a symbol that is no more for instance, is
 * news once, until it has been away for long (news_after).  What was told of a former
 * series of the name says nothing.
 */
CREATE FUNCTION arima_ops.enqueue_alert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM arima_ops.webhooks AS w WHERE w.active AND NEW.kind = ANY (w.kinds)) THEN
		RETURN NULL;
	END IF;
	-- what fetches tell of failures is coalesced before: arima_ops.note_failure
	IF NEW.kind = 'fetch_failed' AND NEW.details ? 'again' THEN
		RETURN NULL;
	END IF;
	-- by the index of series: that of kinds has 10,000 series without a network in one transaction
	IF NEW.kind ~ '_failed$' AND EXISTS (
			WITH own AS MATERIALIZED (SELECT e.kind, e.message, e.at FROM arima_ops.events AS e WHERE e.series = NEW.series AND e.id < NEW.id)
			SELECT FROM own AS e WHERE e.kind = NEW.kind AND e.message = NEW.message AND e.at > NEW.at - arima_ops.news_after()
				AND e.at >= coalesce((SELECT s.created_at FROM arima_ops.series AS s WHERE s.name = NEW.series), '-infinity')) THEN
		RETURN NULL;
	END IF;
	INSERT INTO arima_ops.alert_outbox (webhook, event)
	SELECT w.name, NEW.id FROM arima_ops.webhooks AS w WHERE w.active AND NEW.kind = ANY (w.kinds);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.enqueue_alert() IS 'Puts a new event into the outbox of the webhooks that want its kind, unless it is a failure of a series that is no news (arima_ops.news_after) (trigger)';

-- not for what a restore brings back: both tables come as they were
CREATE TRIGGER enqueue_alert AFTER INSERT ON arima_ops.events
FOR EACH ROW WHEN (NEW.at >= pg_catalog.now()) EXECUTE FUNCTION arima_ops.enqueue_alert();

/*
 * A few alerts of each webhook at a time: one that takes none of them, or does not answer, is
 * left alone for the rest of the call, which thus waits for few time-outs, and keeps none of
 * the others waiting.  What is sent is kept from others for as long as the answers may take.
 * With the owner's rights, as only it may send anything.
 */
CREATE FUNCTION arima_ops.alerts_prepare(silent text[], OUT webhooks text[], OUT events bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	requests arima_ops.http_request[];
	rounds bigint;
BEGIN
	SELECT array_agg(w.name ORDER BY o.event, w.name), array_agg(o.event ORDER BY o.event, w.name),
		array_agg(row('POST', w.url, w.headers || ARRAY['Content-Type: application/json'], convert_to(json_build_object('id', e.id, 'at', e.at,
				'series', e.series, 'kind', e.kind, 'version', e.version, 'message', e.message, 'details', e.details,
				'database', current_database())::text, 'UTF8'), 0)::arima_ops.http_request ORDER BY o.event, w.name),
		ceil(count(*) / current_setting('arima_ops.http_max_parallel')::numeric)
	INTO webhooks, events, requests, rounds
	FROM arima_ops.webhooks AS w
		CROSS JOIN LATERAL (SELECT q.event FROM arima_ops.alert_outbox AS q WHERE q.webhook = w.name AND q.next_attempt_at <= clock_timestamp()
			ORDER BY q.event LIMIT 8 FOR UPDATE SKIP LOCKED) AS o
		JOIN arima_ops.events AS e ON e.id = o.event
	WHERE w.active AND NOT w.name = ANY (silent);
	IF webhooks IS NULL THEN
		RETURN;
	END IF;
	UPDATE arima_ops.alert_outbox AS o SET next_attempt_at = clock_timestamp() + interval '30 s' + rounds * current_setting('arima_ops.http_timeout')::interval
	FROM unnest(webhooks, events) AS t (webhook, event) WHERE o.webhook = t.webhook AND o.event = t.event;
	PERFORM arima_ops.http_prepare(requests);
END $$;
COMMENT ON FUNCTION arima_ops.alerts_prepare(text[]) IS
'Prepares the oldest alerts that are due of each webhook, but for those named, for arima_ops.http_exchange: gives the webhooks and events, NULL if none is due';

CREATE FUNCTION arima_ops.alerts_settle(webhooks text[], events bigint[], responses arima_ops.http_response[]) RETURNS text[]
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH answers AS MATERIALIZED (
		SELECT r.webhook, r.event, coalesce(r.status BETWEEN 200 AND 299, false) AS told, coalesce(r.fault || ': ' || r.message, 'status ' || r.status) AS error,
			coalesce(r.retry_after, 0) * interval '1 s' AS pause
		FROM unnest(alerts_settle.webhooks, alerts_settle.events, alerts_settle.responses) AS r (webhook, event, status, content_type, body, fault, message, retry_after, url, attempts, milliseconds)
	), told AS (
		DELETE FROM arima_ops.alert_outbox AS o USING answers AS a WHERE o.webhook = a.webhook AND o.event = a.event AND a.told
	), waiting AS (
		UPDATE arima_ops.alert_outbox AS o SET attempts = o.attempts + 1, last_error = a.error,
			next_attempt_at = clock_timestamp() + greatest(least(interval '1 min' * 2 ^ least(o.attempts, 10), interval '6 hours'), a.pause)
		FROM answers AS a WHERE o.webhook = a.webhook AND o.event = a.event AND NOT a.told
	)
	SELECT ARRAY(SELECT a.webhook FROM answers AS a GROUP BY a.webhook HAVING NOT bool_or(a.told))
$$;
COMMENT ON FUNCTION arima_ops.alerts_settle(text[], bigint[], arima_ops.http_response[]) IS
'Takes in the answers to alerts: what was told leaves the outbox, the rest waits, twice as long each time, up to six hours. Gives the webhooks that took none';

CREATE PROCEDURE arima_ops.send_alerts()
LANGUAGE plpgsql AS $$
DECLARE
	wave record;
	responses arima_ops.http_response[];
	silent text[] := '{}';
BEGIN
	PERFORM arima_ops.check_transaction();
	LOOP
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		wave := arima_ops.alerts_prepare(silent);
		EXIT WHEN wave.webhooks IS NULL;
		CALL arima_ops.http_exchange(responses);
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		silent := silent || arima_ops.alerts_settle(wave.webhooks, wave.events, responses);
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
	END LOOP;
END $$;
COMMENT ON PROCEDURE arima_ops.send_alerts() IS
'Tells the webhooks what is due; arima_ops.run_monitoring() and arima_ops.run_tracking() call it. A webhook that takes none of its next eight alerts is left alone until the next call. An alert may come twice, where the answer to the first was lost; its id tells';

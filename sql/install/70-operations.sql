/* ---- operations: the schema, its roles, its log of events ---- */

/*
 * Roles belong to the whole cluster: another database may have made them.
 * Reader: sees everything, changes nothing.  User: asks for predictions.
 * Admin: runs the jobs and feeds the tables.
 */
DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['arima_ops_reader', 'arima_ops_user', 'arima_ops_admin'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
		END IF;
	END LOOP;
	GRANT arima_ops_reader, arima_ops_user TO arima_ops_admin;
END $$;

CREATE SCHEMA arima_ops;
COMMENT ON SCHEMA arima_ops IS
'The life of forecasting models: series and their actual values, the registry of models, the log of predictions, drift, retraining and promotion';
GRANT USAGE ON SCHEMA arima_ops TO arima_ops_reader, arima_ops_user, arima_ops_admin;

/* The date of a daily session, whose time is midnight UTC; else date and time. */
CREATE FUNCTION arima_ops.session_text(ts timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN isfinite(ts) THEN to_char(ts AT TIME ZONE 'UTC', CASE WHEN date_trunc('day', ts AT TIME ZONE 'UTC') = ts AT TIME ZONE 'UTC' THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD HH24:MI:SS' END
		|| CASE WHEN extract(year FROM ts AT TIME ZONE 'UTC') < 0 THEN ' BC' ELSE '' END) ELSE ts::text END
$$;
COMMENT ON FUNCTION arima_ops.session_text(timestamptz) IS 'A session for people, in UTC: the date, with the time where that is not midnight, and BC where it is before Christ';

/* Rounded, whatever its size. */
CREATE FUNCTION arima_ops.number_text(x float8, digits int DEFAULT 5) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN x = 0 OR x IN ('NaN', 'Infinity', '-Infinity') OR abs(x) NOT BETWEEN 1e-15 AND 1e15 THEN x::text
		ELSE trim_scale(round(x::numeric, digits - 1 - floor(log(abs(x)))::int))::text END
$$;
COMMENT ON FUNCTION arima_ops.number_text(float8, int) IS 'A number for people: so many significant digits';

/* Series are named by text, not by a key: an event outlives its series. */
CREATE TABLE arima_ops.events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	series text,
	kind text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
	version int,
	message text NOT NULL,
	details jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(details) = 'object'));
CREATE INDEX events_series ON arima_ops.events (series, id);
CREATE INDEX events_kind ON arima_ops.events (kind, id);

COMMENT ON TABLE arima_ops.events IS
'What happened, and with which numbers: rows are only ever added. Each is also told by NOTIFY on the channel arima_ops, as json with id, series, kind and version. Any role can send on a channel: it is a hint to look the id up. Ids are given before their transactions commit: a smaller one may appear after a larger';
COMMENT ON COLUMN arima_ops.events.kind IS
'series, training, promotion, rejection, rollback, drift, recovery, stale, restatement, split, dividend, revision, late (values that came after later ones), fetch_failed, retrain_failed, monitoring_failed';
COMMENT ON COLUMN arima_ops.events.details IS 'the numbers that the decision was made from';

CREATE FUNCTION arima_ops.events_are_final() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'events are only added, never changed or removed'
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Record what was wrong as an event of its own.';
END $$;
COMMENT ON FUNCTION arima_ops.events_are_final() IS 'Refuses every change of arima_ops.events (trigger)';

CREATE TRIGGER events_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON arima_ops.events
FOR EACH STATEMENT EXECUTE FUNCTION arima_ops.events_are_final();

CREATE FUNCTION arima_ops.notify_event() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a payload is at most 8,000 bytes: who wants the details reads the row
	PERFORM pg_notify('arima_ops', json_build_object('id', NEW.id, 'series', NEW.series,
		'kind', NEW.kind, 'version', NEW.version)::text);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.notify_event() IS 'Tells of a new event on the channel arima_ops (trigger)';

-- an event of now: those that a restore brings back are not news
CREATE TRIGGER notify_event AFTER INSERT ON arima_ops.events
FOR EACH ROW WHEN (NEW.at >= pg_catalog.now()) EXECUTE FUNCTION arima_ops.notify_event();

CREATE FUNCTION arima_ops.record_event(kind text, series text, version int, message text, details jsonb DEFAULT '{}')
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	new_id bigint;
BEGIN
	INSERT INTO arima_ops.events (kind, series, version, message, details)
	VALUES (kind, series, version, message, details) RETURNING id INTO new_id;
	RETURN new_id;
END $$;
COMMENT ON FUNCTION arima_ops.record_event(text, text, int, text, jsonb) IS
'Adds an event, with its numbers in details; gives its id';

/* Over a weekend with a holiday nothing is tried, and so nothing fails. */
CREATE FUNCTION arima_ops.news_after() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT interval '4 days' $$;
COMMENT ON FUNCTION arima_ops.news_after() IS 'How long a failure that comes again and again must have been away to be news once more';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.events', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.events_id_seq', '');

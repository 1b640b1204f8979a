/* ---- log of predictions: one row for each answer given ---- */

/*
 * What was answered never changes; what becomes known later is added: the session
 * that it was for, the value there, and the factor of a split in between.  Only where
 * as_of was a session of a wrong year, and that is removed, as_of and lead say it anew.
 */
CREATE TABLE arima_ops.predictions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	series text NOT NULL REFERENCES arima_ops.series,
	version int,
	made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	as_of timestamptz NOT NULL CHECK (pg_catalog.isfinite(as_of)),
	recorded_to timestamptz,
	lead int NOT NULL DEFAULT 0 CHECK (lead >= 0),
	horizon int NOT NULL DEFAULT 1 CHECK (horizon > 0),
	history_len int NOT NULL CHECK (history_len >= 0),
	placed boolean,
	forecast float8 NOT NULL CHECK (forecast > '-Infinity' AND forecast < 'Infinity'),
	std_error float8,
	lower float8,
	upper float8,
	level float8,
	request_id text,
	request_hash bigint,
	adjustment float8 NOT NULL DEFAULT 1 CHECK (adjustment > 0 AND adjustment < 'Infinity'),
	target_ts timestamptz,
	actual float8,
	error float8 GENERATED ALWAYS AS (actual - forecast * adjustment) STORED,
	scored_at timestamptz,
	relabelled int NOT NULL DEFAULT 0,
	FOREIGN KEY (series, version) REFERENCES arima_ops.models,
	CONSTRAINT recorded_before_as_of CHECK (recorded_to < as_of),
	CONSTRAINT label_after_as_of CHECK (target_ts > as_of),
	CONSTRAINT label_whole CHECK ((target_ts IS NULL) = (actual IS NULL) AND (target_ts IS NULL) = (scored_at IS NULL)));

CREATE INDEX predictions_pending ON arima_ops.predictions (series, as_of) WHERE target_ts IS NULL;
CREATE INDEX predictions_scored ON arima_ops.predictions (series, target_ts) WHERE target_ts IS NOT NULL;
CREATE UNIQUE INDEX predictions_request ON arima_ops.predictions (series, request_id, horizon) WHERE request_id IS NOT NULL;
-- for the foreign keys: the whole log would be read for each version of a series that is dropped
CREATE INDEX predictions_version ON arima_ops.predictions (series, version);

COMMENT ON TABLE arima_ops.predictions IS
'Every answer given, one row for each step ahead, and later the value that came';
COMMENT ON COLUMN arima_ops.predictions.version IS 'the model that answered; NULL: imported from elsewhere';
COMMENT ON COLUMN arima_ops.predictions.as_of IS 'last session that the forecast knew of';
COMMENT ON COLUMN arima_ops.predictions.recorded_to IS 'last session that was recorded, where as_of is a later one that the caller said: in its prices the answer is, times adjustment; NULL: as_of itself, or none was recorded';
COMMENT ON COLUMN arima_ops.predictions.lead IS 'newer values that the forecast was made from, whose sessions were not recorded yet, or had a wrong date and were removed';
COMMENT ON COLUMN arima_ops.predictions.horizon IS 'steps ahead: the forecast is for the session number lead + horizon after as_of';
COMMENT ON COLUMN arima_ops.predictions.history_len IS 'number of values that the request brought; 0: it relied on those recorded';
COMMENT ON COLUMN arima_ops.predictions.placed IS 'were they found among those recorded? false: they are others, and the check for drift leaves the prediction out; NULL: there were none, or it cannot be told';
COMMENT ON COLUMN arima_ops.predictions.request_id IS 'the caller''s key, one for each request: one that comes again gets the first answer';
COMMENT ON COLUMN arima_ops.predictions.request_hash IS 'what was asked for with that key (arima_ops.request_hash), so that another request with it is refused; NULL: not known, and any gets the first answer';
COMMENT ON COLUMN arima_ops.predictions.adjustment IS 'factor from the prices of the answer to those recorded now, other than 1 after a split: from before one that the request knew of and the records did not, as well';
COMMENT ON COLUMN arima_ops.predictions.target_ts IS 'session that the forecast was for, once its value is there';
COMMENT ON COLUMN arima_ops.predictions.actual IS 'value of that session, in the prices of today';
COMMENT ON COLUMN arima_ops.predictions.error IS 'actual - forecast * adjustment';
COMMENT ON COLUMN arima_ops.predictions.relabelled IS 'how often the label was changed by a revision';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.predictions', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.predictions_id_seq', '');

/*
 * Prices come rounded, to cents for instance, and after a split so do the new ones: each
 * quotient is off by what half of the two units makes of it.  The unit is the largest
 * power of ten of which all are multiples.
 */
CREATE FUNCTION arima_ops.price_factor(given float8[], recorded float8[]) RETURNS float8
AS 'MODULE_PATHNAME', 'arima_ops_price_factor'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION arima_ops.price_factor(float8[], float8[]) IS
'The factor by which each of the given prices is the recorded one, up to their rounding and to 0.0001 of it; 1 where the change is no larger than rounding may make it; NULL where there is none, or one that may be by chance';

/*
 * Where do the recorded values end among the recent ones of a request?  The last
 * recorded one must be there, to six digits, and before it up to five earlier ones,
 * in their order; between them there may be others, which come late.  Of several
 * such places the one with the fewest of these, of several such the last.  Where there
 * is none the recent ones may be rounded otherwise, or in prices that the recorded ones
 * have not been restated to: then three at least are there one after the other, all times
 * one factor (price_factor), in one place only.  Or one or two of the six have been
 * corrected.  No place counts that is to be expected by chance.  Else it is the end, and if
 * hardly any recorded value is among them they are others: no forecast of the series.
 */
CREATE FUNCTION arima_ops.count_newer(recent float8[], recorded float8[], OUT newer int, OUT factor float8, OUT placed boolean)
AS 'MODULE_PATHNAME', 'arima_ops_count_newer'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION arima_ops.count_newer(float8[], float8[]) IS
'How many of the recent values follow the last of the recorded ones, both oldest first; 0 where these are not found, or stand more than 1,000 values apart. factor: from the prices of the recorded ones to those of the recent, other than 1 where a split or dividend is between them. placed: were they found? NULL: it cannot be told, as of too few, or of small counts';

CREATE FUNCTION arima_ops.depends_on_time(model @extschema@.arima_model) RETURNS boolean
AS 'MODULE_PATHNAME', 'arima_ops_depends_on_time'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION arima_ops.depends_on_time(@extschema@.arima_model) IS
'Has the model a trend in levels or Fourier terms, so that its forecast from recent values is another one at another time?';

CREATE FUNCTION arima_ops.forecast_at(model @extschema@.arima_model, recent float8[], horizon int, level float8, last int)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8)
AS 'MODULE_PATHNAME', 'arima_ops_forecast_at'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION arima_ops.forecast_at(@extschema@.arima_model, float8[], int, float8, int) IS
'arima_forecast from recent values of which the last one has a time, counted from the first value that the model was trained on; NULL: not known, an error where the model depends on it';

/*
 * The time by a model of a session: its number among those recorded, of which the last
 * one of the training is champion.n.  In the training span those count that the training
 * knew, whether they have been removed since or not; a value that came late does not.
 */
CREATE FUNCTION arima_ops.session_number(champion arima_ops.models, as_of timestamptz) RETURNS int
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = champion.series) THEN
		RETURN NULL;
	END IF;
	IF as_of >= champion.trained_to THEN
		RETURN champion.n + (SELECT count(*) FROM arima_ops.actuals AS a WHERE a.series = champion.series AND a.ts > champion.trained_to AND a.ts <= as_of);
	END IF;
	RETURN champion.n - (SELECT count(*) FROM (
			SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = champion.series AND a.ts > as_of AND a.ts <= champion.trained_to
				AND arima_ops.first_recorded(a.series, a.ts) <= champion.created_at
			UNION
			SELECT r.ts FROM arima_ops.actual_revisions AS r WHERE r.series = champion.series AND r.ts > as_of AND r.ts <= champion.trained_to
				AND r.new_value IS NULL AND r.old_recorded_at <= champion.created_at AND r.revised_at > champion.created_at) AS known);
END $$;
COMMENT ON FUNCTION arima_ops.session_number(arima_ops.models, timestamptz) IS
'How many sessions a model has from its first value up to one, the last recorded one up to as_of: less than 1 before it; NULL where the series has no recorded values';

/* The champion's forecast, in today's prices, from recent values, of which the last `newer` follow as_of, in recorded prices times `basis`, or from those recorded up to as_of. */
CREATE FUNCTION arima_ops.champion_forecast(champion arima_ops.models, recent float8[], as_of timestamptz, horizon int, level float8, newer int DEFAULT 0, basis float8 DEFAULT 1)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	factor float8 := champion.adjustment * basis;
	values_given float8[] := recent;
	last int;
	rolled @extschema@.arima_model := champion.model;
BEGIN
	IF recent IS NULL AND as_of >= champion.trained_to THEN
		SELECT array_agg(a.value / factor ORDER BY a.ts) INTO values_given
		FROM arima_ops.actuals AS a WHERE a.series = champion.series AND a.ts > champion.trained_to AND a.ts <= as_of;
		IF values_given IS NOT NULL THEN
			rolled := @extschema@.arima_append(rolled, values_given);
		END IF;
		RETURN QUERY SELECT f.step, f.forecast * factor, f.std_error * factor, f.lower * factor, f.upper * factor
			FROM @extschema@.arima_forecast(rolled, horizon, level) AS f;
		RETURN;
	END IF;
	IF recent IS NULL THEN
		-- a forecast as of a session within or before the training span: from as many values as that has
		SELECT array_agg(l.value ORDER BY l.ts) INTO values_given
		FROM (SELECT a.ts, a.value FROM arima_ops.actuals AS a
			WHERE a.series = champion.series AND a.ts <= as_of ORDER BY a.ts DESC LIMIT champion.n) AS l;
	END IF;
	IF arima_ops.depends_on_time(champion.model) THEN
		last := arima_ops.session_number(champion, as_of) + newer;
	END IF;
	RETURN QUERY SELECT f.step, f.forecast * factor, f.std_error * factor, f.lower * factor, f.upper * factor
		FROM arima_ops.forecast_at(champion.model, (SELECT array_agg(v / factor ORDER BY i) FROM unnest(values_given) WITH ORDINALITY AS u (v, i)),
			horizon, level, last) AS f;
END $$;
COMMENT ON FUNCTION arima_ops.champion_forecast(arima_ops.models, float8[], timestamptz, int, float8, int, float8) IS
'Forecast of a registered model, in the prices of today: after recent values, or after those recorded up to as_of. newer, basis: as arima_ops.count_newer has them of the recent values';

CREATE FUNCTION arima_ops.check_newest_model(place tid) RETURNS void
AS 'MODULE_PATHNAME', 'arima_ops_check_newest_model'
LANGUAGE C STRICT;
COMMENT ON FUNCTION arima_ops.check_newest_model(tid) IS
'An error (40001) if this row of arima_ops.models, which the transaction sees, has been changed since by another one that has committed; the row is not locked. At READ COMMITTED never';

CREATE FUNCTION arima_ops.request_hash(recent float8[], horizon int, level float8, as_of timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME', 'arima_ops_request_hash'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION arima_ops.request_hash(float8[], int, float8, timestamptz) IS
'A number that tells one request for a prediction from another; the same on every machine';

/* What was asked for by the request that a key is known from. */
CREATE FUNCTION arima_ops.logged_hash(series text, key text) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.request_hash FROM arima_ops.predictions AS p
	WHERE p.series = logged_hash.series AND p.request_id = logged_hash.key ORDER BY p.horizon LIMIT 1
$$;
COMMENT ON FUNCTION arima_ops.logged_hash(text, text) IS 'The request_hash of the request that has had this key; NULL if there has been none, or it is not known';

/* A request's answer that is already logged; an error where the key was another request's. */
CREATE FUNCTION arima_ops.logged_answer(series text, request_id text, request_hash bigint) RETURNS SETOF arima_ops.predictions
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF arima_ops.logged_hash(logged_answer.series, logged_answer.request_id) <> logged_answer.request_hash THEN
		RAISE EXCEPTION 'request "%" of series "%" has come before and asked for something else', logged_answer.request_id, logged_answer.series
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Its values, horizon, level or as_of were others.',
				HINT = 'A new request needs a new request_id; the answer to the first is in arima_ops.predictions.';
	END IF;
	RETURN QUERY SELECT p.* FROM arima_ops.predictions AS p
		WHERE p.series = logged_answer.series AND p.request_id = logged_answer.request_id ORDER BY p.horizon;
END $$;
COMMENT ON FUNCTION arima_ops.logged_answer(text, text, bigint) IS 'The predictions that were logged for a request; an error where its request_hash was another';

/*
 * Security definer: who may ask needs no right to write the log, and so each
 * answer that leaves is in it.
 */
CREATE FUNCTION arima_ops.predict(
	series text,
	recent float8[] DEFAULT NULL,
	horizon int DEFAULT 1,
	level float8 DEFAULT 0.95,
	as_of timestamptz DEFAULT NULL,
	request_id text DEFAULT NULL)
RETURNS SETOF arima_ops.predictions
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	champion arima_ops.models;
	last_ts timestamptz := as_of;
	recorded_to timestamptz;
	newer int := 0;
	factor float8 := 1;
	-- of the rows that are logged
	lead int;
	adjustment float8;
	placed boolean;
	hash bigint;
BEGIN
	PERFORM arima_ops.get_series(series);
	-- as of the header of a web request
	request_id := nullif(request_id, '');
	IF num_nulls(horizon, level) > 0 OR cardinality(recent) = 0 OR length(request_id) > 200 THEN
		RAISE EXCEPTION 'a prediction needs a horizon and a level, recent values or none at all, and a request_id of 200 characters at most'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave out arguments that are not meant: they have defaults.';
	END IF;
	-- as arima_forecast would, but before it is called from within a statement that nobody wants to read
	IF horizon NOT BETWEEN 1 AND 100000 THEN
		RAISE EXCEPTION 'invalid forecast horizon %', horizon
			USING ERRCODE = 'invalid_parameter_value', HINT = 'horizon must be from 1 to 100000 steps.';
	END IF;
	IF NOT (level > 0 AND level < 1) THEN
		RAISE EXCEPTION 'invalid interval level %', level
			USING ERRCODE = 'invalid_parameter_value', HINT = 'level must be between 0 and 1, for example 0.95.';
	END IF;
	IF recent IS NOT NULL AND NOT isfinite(as_of) THEN
		RAISE EXCEPTION 'the session that the recent values end with is %', as_of
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave as_of out where they end with the last one recorded, or follow it.';
	END IF;
	IF request_id IS NOT NULL THEN
		hash := arima_ops.request_hash(recent, horizon, level, as_of);
		RETURN QUERY SELECT * FROM arima_ops.logged_answer(series, request_id, hash);
		IF FOUND THEN
			RETURN;
		END IF;
	END IF;
	-- values and champion of one basis, and in the log before these are restated
	PERFORM arima_ops.lock_basis(series, false);
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion';
	IF NOT FOUND THEN
		-- it may have been dropped meanwhile
		PERFORM arima_ops.get_series(series);
		RAISE EXCEPTION 'series "%" has no model yet', series
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Train one by arima_ops.train(%L).', series);
	END IF;
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		-- values and champion as they were when the transaction began: an error (40001) if they have been restated since
		PERFORM arima_ops.check_newest_model(m.ctid) FROM arima_ops.models AS m WHERE m.series = series AND m.version = champion.version;
	END IF;
	IF as_of IS NULL OR recent IS NULL THEN
		SELECT a.ts INTO last_ts FROM arima_ops.actuals AS a
		WHERE a.series = series AND a.ts <= coalesce(as_of, 'infinity') ORDER BY a.ts DESC LIMIT 1;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'series "%" has no actual values%', series, coalesce(' up to ' || arima_ops.session_text(as_of), '')
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = 'Record them by arima_ops.record_actuals(series, ts, value), or say by as_of after which session the recent values end.';
		END IF;
	ELSE
		SELECT nullif(max(a.ts), as_of) INTO recorded_to FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts <= as_of;
	END IF;
	IF recent IS NOT NULL THEN
		SELECT c.* INTO newer, factor, placed FROM arima_ops.count_newer(recent, ARRAY(SELECT l.value
			FROM (SELECT a.ts, a.value FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts <= coalesce(as_of, 'infinity')
				ORDER BY a.ts DESC LIMIT 6) AS l ORDER BY l.ts)) AS c;
		-- values that end with a recorded session have none after it
		IF newer > 0 AND as_of IS NOT NULL AND recorded_to IS NULL THEN
			newer := 0;
			factor := 1;
			placed := false;
		END IF;
	END IF;
	-- sessions up to an as_of are no lead over it, they only tell a model the time
	lead := CASE WHEN as_of IS NULL THEN newer ELSE 0 END;
	-- until the restatement to come, which takes over what was made of the sessions recorded now
	adjustment := 1 / factor;
	-- values up to a session to come may be all newer than those recorded
	IF recorded_to IS NOT NULL AND NOT placed THEN
		placed := NULL;
	END IF;
	-- the first step tells whether the request is new: what is added to it by another one would be no answer to either
	RETURN QUERY
	WITH step AS MATERIALIZED (
		SELECT f.* FROM arima_ops.champion_forecast(champion, recent, last_ts, horizon, level, newer, factor) AS f
	), claimed AS (
		INSERT INTO arima_ops.predictions AS p (series, version, as_of, recorded_to, lead, horizon, history_len, placed, forecast, std_error, lower, upper, level, request_id, request_hash, adjustment)
		SELECT series, champion.version, last_ts, recorded_to, lead, f.step, coalesce(cardinality(recent), 0), placed,
			f.forecast, f.std_error, f.lower, f.upper, level, request_id, hash, adjustment FROM step AS f WHERE f.step = 1
		ON CONFLICT DO NOTHING
		RETURNING p.*
	), others AS (
		INSERT INTO arima_ops.predictions AS p (series, version, as_of, recorded_to, lead, horizon, history_len, placed, forecast, std_error, lower, upper, level, request_id, request_hash, adjustment)
		SELECT c.series, c.version, c.as_of, c.recorded_to, c.lead, f.step, c.history_len, c.placed, f.forecast, f.std_error, f.lower, f.upper, c.level, c.request_id, c.request_hash, c.adjustment
		FROM claimed AS c CROSS JOIN step AS f WHERE f.step > 1 ORDER BY f.step
		RETURNING p.*
	)
	SELECT * FROM claimed UNION ALL SELECT * FROM others;
	IF NOT FOUND THEN
		-- the same request at the same time was first
		RETURN QUERY SELECT * FROM arima_ops.logged_answer(series, request_id, hash);
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the next number of a prediction is taken already'
				USING ERRCODE = 'unique_violation', DETAIL = 'There is no answer that is not in the log.',
					HINT = 'Where the rows came from another database, set the sequence: SELECT setval(''arima_ops.predictions_id_seq'', (SELECT max(id) FROM arima_ops.predictions));';
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.predict(text, float8[], int, float8, timestamptz, text) IS
'Forecast of the champion for the next sessions, logged: gives the rows of arima_ops.predictions, one a step. From recent values, oldest first, else from those recorded. as_of is the session after which the forecast begins: by default the last one recorded; where recent values follow that one, they are counted. What tells a model with a trend in levels or Fourier terms when the recent values are is the number of recorded sessions up to as_of. A request_id that came before gets the first answer, or an error where it asked for something else; an empty one is none';

/* ---- actual values, and the labels of the predictions ---- */

CREATE TABLE arima_ops.actuals (
	series text NOT NULL REFERENCES arima_ops.series,
	ts timestamptz NOT NULL CHECK (pg_catalog.isfinite(ts)),
	value float8 NOT NULL CHECK (value > '-Infinity' AND value < 'Infinity'),
	source text NOT NULL DEFAULT 'manual',
	recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (series, ts));

COMMENT ON TABLE arima_ops.actuals IS
'The values that came, one row a session. COPY and INSERT may add rows; arima_ops.record_actuals also revises. A change relabels the predictions that it touches';
COMMENT ON COLUMN arima_ops.actuals.ts IS 'the session; sessions follow each other in this order, days without one do not exist';
COMMENT ON COLUMN arima_ops.actuals.source IS 'provider, or how else it came';

CREATE TABLE arima_ops.actual_revisions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	series text NOT NULL,
	ts timestamptz NOT NULL,
	old_value float8,
	new_value float8,
	old_source text,
	old_recorded_at timestamptz,
	revised_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp());
CREATE INDEX actual_revisions_series ON arima_ops.actual_revisions (series, ts);

COMMENT ON TABLE arima_ops.actual_revisions IS 'What an actual value was before it was changed or removed';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.actuals', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.actual_revisions', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.actual_revisions_id_seq', '');

/* ---- sessions of a wrong year ---- */

/* Ahead of now are time zones, and who records in the evening for the next day. */
CREATE FUNCTION arima_ops.latest_session(at timestamptz DEFAULT pg_catalog.now()) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT at + interval '2 days' $$;
COMMENT ON FUNCTION arima_ops.latest_session(timestamptz) IS 'A session later than this one has a wrong date, at that moment, unless the calendar is made up';

/* By the row that is there, and by what it was before it was changed or removed. */
CREATE FUNCTION arima_ops.first_recorded(series text, ts timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT least((SELECT a.recorded_at FROM arima_ops.actuals AS a WHERE a.series = first_recorded.series AND a.ts = first_recorded.ts),
		(SELECT min(r.old_recorded_at) FROM arima_ops.actual_revisions AS r WHERE r.series = first_recorded.series AND r.ts = first_recorded.ts))
$$;
COMMENT ON FUNCTION arima_ops.first_recorded(text, timestamptz) IS 'When the first value of a session that is known of was recorded, be it removed since; NULL if none was';

/* By the index from the last one back: where the planner takes a series for short it would look at all of them first, and sort them. */
CREATE FUNCTION arima_ops.known_session(series text, moment timestamptz, before timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_sort = off AS $$
	SELECT a.ts FROM arima_ops.actuals AS a
	WHERE a.series = known_session.series AND a.ts < known_session.before AND arima_ops.first_recorded(a.series, a.ts) <= known_session.moment
	ORDER BY a.ts DESC LIMIT 1
$$;
COMMENT ON FUNCTION arima_ops.known_session(text, timestamptz, timestamptz) IS
'Of the sessions of a series before one, the last that was recorded at a moment; NULL if none was';

/*
 * What stands at a session of a wrong year that has been removed waits for sessions after
 * it, which never come: a champion would never be judged, a prediction never labelled.  It
 * goes back to the last session that was known besides at its time.  A session that is not
 * so late is left: the next ones come after it, and the same values may be recorded anew,
 * as by who deletes and loads the last ones.
 */
CREATE FUNCTION arima_ops.bring_back_champion(wanted text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE arima_ops.models AS m SET champion_from = coalesce(arima_ops.known_session(m.series, m.promoted_at, m.champion_from), l.ts)
	FROM (SELECT max(a.ts) AS ts FROM arima_ops.actuals AS a WHERE a.series = wanted) AS l
	WHERE m.series = wanted AND m.status = 'champion' AND m.champion_from > l.ts AND m.champion_from > arima_ops.latest_session()
$$;
COMMENT ON FUNCTION arima_ops.bring_back_champion(text) IS
'Takes the champion of a locked series back to the last session that was known besides, where it stands at one of a wrong year that is there no more';

/*
 * A prediction was made from the removed value, too.  Where that was recorded after the
 * session that it goes back to, it counts as a newer one (lead): recorded anew with its right
 * date it is no label of a forecast that knew it.  If it was no value at all, the label is one
 * session later than was meant, of a forecast that was wrong in any case.
 */
CREATE FUNCTION arima_ops.bring_back_predictions(wanted text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = on SET enable_seqscan = off SET jit = off AS $$
BEGIN
	WITH far AS MATERIALIZED (
		SELECT p.id, p.series, p.as_of, coalesce(p.recorded_to, p.as_of) AS prices_of, p.made_at FROM arima_ops.predictions AS p
		WHERE p.series = ANY (wanted) AND p.target_ts IS NULL AND p.as_of > (SELECT arima_ops.latest_session())
			AND p.as_of > (SELECT max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = p.series)
			-- not one whose caller has said a session to come
			AND EXISTS (SELECT FROM arima_ops.actual_revisions AS r WHERE r.series = p.series AND r.ts = p.as_of AND r.new_value IS NULL)
	), lost AS MATERIALIZED (
		SELECT f.*, k.ts, arima_ops.first_recorded(f.series, k.ts) AS came
		FROM far AS f CROSS JOIN LATERAL (SELECT arima_ops.known_session(f.series, f.made_at, f.as_of) AS ts OFFSET 0) AS k
	)
	UPDATE arima_ops.predictions AS p SET as_of = l.ts, recorded_to = NULL, lead = p.lead + (SELECT count(DISTINCT r.ts) FROM arima_ops.actual_revisions AS r
			WHERE r.series = l.series AND r.ts > l.ts AND r.ts <= l.as_of AND r.old_recorded_at BETWEEN l.came AND l.made_at AND (r.revised_at > l.made_at OR r.ts = l.as_of)),
		-- what it would have been part of
		adjustment = p.adjustment * coalesce((SELECT exp(sum(ln((e.details ->> 'factor')::float8))) FROM arima_ops.events AS e
			WHERE e.series = l.series AND e.kind = 'restatement' AND e.at > l.made_at
				AND (e.details ->> 'up_to')::timestamptz >= l.ts AND (e.details ->> 'up_to')::timestamptz < l.prices_of), 1)
	FROM lost AS l WHERE p.id = l.id AND l.ts IS NOT NULL;
END $$;
COMMENT ON FUNCTION arima_ops.bring_back_predictions(text[]) IS
'Takes the pending predictions of locked series back to the last session that they knew besides, where they stand at one of a wrong year that is there no more';

/* ---- labels ---- */

/* Labels of sessions that drift was looked at already are not what they were. */
CREATE FUNCTION arima_ops.outdate_checks(touched text[], from_ts timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = on SET enable_seqscan = off SET jit = off AS $$
BEGIN
	UPDATE arima_ops.drift_checks AS d SET checked_at = NULL
	FROM unnest(touched, from_ts) AS f (series, ts)
	WHERE d.series = f.series AND d.ts >= f.ts AND d.checked_at IS NOT NULL;
END $$;
COMMENT ON FUNCTION arima_ops.outdate_checks(text[], timestamptz[]) IS
'Marks the checks of locked series for drift, each from a session on, as to be done again';

/*
 * The sessions that predictions of a series are for, as far as they are there: for
 * each session known and number of steps, the session that many after it.  One
 * look-up for each pair, however many predictions share it.
 *
 * Most of the time nothing is pending, so that the planner takes what is for a row or
 * two and would compare each prediction with each pair.
 */
CREATE FUNCTION arima_ops.label_predictions(wanted text[], from_ts timestamptz DEFAULT '-infinity') RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	labelled bigint;
	touched text[];
	first_ts timestamptz[];
BEGIN
	-- not when the session is removed: it may be recorded anew, and others may be asking at that moment
	PERFORM arima_ops.bring_back_predictions(wanted);
	WITH pair AS MATERIALIZED (
		SELECT p.series, p.as_of, p.lead + p.horizon AS steps FROM arima_ops.predictions AS p
		WHERE p.target_ts IS NULL AND p.series = ANY (wanted) AND p.as_of >= from_ts
		GROUP BY 1, 2, 3
	), target AS MATERIALIZED (
		SELECT pair.*, a.ts, a.value
		FROM pair CROSS JOIN LATERAL (SELECT t.ts, t.value FROM arima_ops.actuals AS t
			WHERE t.series = pair.series AND t.ts > pair.as_of ORDER BY t.ts OFFSET pair.steps - 1 LIMIT 1) AS a
	), added AS (
		UPDATE arima_ops.predictions AS p SET target_ts = t.ts, actual = t.value, scored_at = clock_timestamp()
		FROM target AS t
		WHERE p.target_ts IS NULL AND p.series = ANY (wanted) AND p.as_of >= from_ts
			AND p.series = t.series AND p.as_of = t.as_of AND p.lead + p.horizon = t.steps
		RETURNING p.series, p.target_ts
	)
	SELECT coalesce(sum(f.n), 0), array_agg(f.series), array_agg(f.ts) INTO labelled, touched, first_ts
	FROM (SELECT added.series, count(*) AS n, min(added.target_ts) AS ts FROM added GROUP BY 1) AS f;
	PERFORM arima_ops.outdate_checks(touched, first_ts);
	RETURN labelled;
END $$;
COMMENT ON FUNCTION arima_ops.label_predictions(text[], timestamptz) IS
'Labels the pending predictions of locked series whose sessions have come; gives their number';

CREATE FUNCTION arima_ops.score_predictions(series text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	wanted text[];
BEGIN
	IF series IS NOT NULL THEN
		PERFORM arima_ops.get_series(series);
	END IF;
	SELECT array_agg(s.name) INTO wanted FROM arima_ops.series AS s
	WHERE (series IS NULL OR s.name = series)
		AND EXISTS (SELECT FROM arima_ops.predictions AS p WHERE p.series = s.name AND p.target_ts IS NULL);
	IF wanted IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM arima_ops.lock_series(wanted);
	RETURN arima_ops.label_predictions(wanted);
END $$;
COMMENT ON FUNCTION arima_ops.score_predictions(text) IS
'Labels every pending prediction, of one series or of all, whose session has come: the value of the session number lead + horizon after as_of. Gives how many. May be repeated at any time, and catches up whatever was missed';

/* The labels that are not what they would be now, each with that.  Of the settings see label_predictions. */
CREATE FUNCTION arima_ops.wrong_labels(wanted text[], from_ts timestamptz)
RETURNS TABLE (series text, as_of timestamptz, steps int, target_ts timestamptz, actual float8, ts timestamptz, value float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY WITH pair AS MATERIALIZED (
		SELECT p.series, p.as_of, p.lead + p.horizon AS steps, p.target_ts, p.actual FROM arima_ops.predictions AS p
		WHERE p.series = ANY (wanted) AND p.target_ts >= from_ts
		GROUP BY 1, 2, 3, 4, 5
	)
	SELECT pair.*, a.ts, a.value
	FROM pair LEFT JOIN LATERAL (SELECT t.ts, t.value FROM arima_ops.actuals AS t
		WHERE t.series = pair.series AND t.ts > pair.as_of ORDER BY t.ts OFFSET pair.steps - 1 LIMIT 1) AS a ON true
	WHERE a.ts IS DISTINCT FROM pair.target_ts OR a.value IS DISTINCT FROM pair.actual;
END $$;
COMMENT ON FUNCTION arima_ops.wrong_labels(text[], timestamptz) IS
'The labels of series from a session on that are no longer what the actual values say, and what these say; a row for all predictions of as many steps after one session';

/*
 * After actual values came, changed or went.  Only predictions whose label is not
 * what it would be now are touched, so that a load in any order is harmless.  Of the
 * settings see label_predictions.
 */
CREATE FUNCTION arima_ops.relabel(touched text[], from_ts timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	relabelled bigint;
	outdated text[];
	first_ts timestamptz[];
BEGIN
	WITH wrong AS MATERIALIZED (
		SELECT * FROM arima_ops.wrong_labels(touched, from_ts)
	), changed AS (
		UPDATE arima_ops.predictions AS p
		SET target_ts = w.ts, actual = w.value, relabelled = p.relabelled + 1,
			scored_at = CASE WHEN w.ts IS NOT NULL THEN clock_timestamp() END
		FROM wrong AS w
		WHERE p.series = ANY (touched) AND p.target_ts >= from_ts AND p.series = w.series AND p.as_of = w.as_of
			AND p.lead + p.horizon = w.steps AND p.target_ts = w.target_ts AND p.actual = w.actual
		RETURNING p.series, least(w.target_ts, w.ts) AS ts
	)
	SELECT coalesce(sum(f.n), 0), array_agg(f.series), array_agg(f.ts) INTO relabelled, outdated, first_ts
	FROM (SELECT changed.series, count(*) AS n, min(changed.ts) AS ts FROM changed GROUP BY 1) AS f;
	PERFORM arima_ops.outdate_checks(outdated, first_ts);
	RETURN relabelled;
END $$;
COMMENT ON FUNCTION arima_ops.relabel(text[], timestamptz) IS
'Mends the labels of locked series from a session on, where they are no longer what the actual values say; gives their number';

CREATE FUNCTION arima_ops.actuals_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	touched text[];
	first_ts timestamptz;
	changed bigint;
BEGIN
	IF TG_OP = 'INSERT' THEN
		SELECT array_agg(DISTINCT n.series) INTO touched FROM new_rows AS n;
		PERFORM arima_ops.lock_series(touched);
		-- the usual case ends here: the value of a new session, which has no label yet
		SELECT array_agg(f.series), min(f.ts) INTO touched, first_ts
		FROM (SELECT n.series, min(n.ts) AS ts FROM new_rows AS n GROUP BY n.series) AS f
		WHERE EXISTS (SELECT FROM arima_ops.predictions AS p WHERE p.series = f.series AND p.target_ts >= f.ts);
	ELSE
		SELECT array_agg(DISTINCT o.series) INTO touched FROM old_rows AS o;
		IF touched IS NULL THEN
			RETURN NULL;
		END IF;
		PERFORM arima_ops.lock_series(touched);
		IF TG_OP = 'UPDATE' THEN
			-- planned each time: a plan that is kept from an update of one row compares each old row of many with each new one
			EXECUTE $sql$
				WITH revised AS (
					INSERT INTO arima_ops.actual_revisions (series, ts, old_value, new_value, old_source, old_recorded_at)
					SELECT o.series, o.ts, o.value, n.value, o.source, o.recorded_at
					FROM old_rows AS o JOIN new_rows AS n USING (series, ts) WHERE o.value <> n.value ORDER BY series, ts
					RETURNING series, ts)
				SELECT array_agg(DISTINCT r.series), min(r.ts) FROM revised AS r
			$sql$ INTO touched, first_ts;
		ELSE
			INSERT INTO arima_ops.actual_revisions (series, ts, old_value, old_source, old_recorded_at)
			SELECT o.series, o.ts, o.value, o.source, o.recorded_at FROM old_rows AS o ORDER BY o.series, o.ts;
			SELECT min(o.ts) INTO first_ts FROM old_rows AS o;
		END IF;
	END IF;
	IF touched IS NULL THEN
		RETURN NULL;
	END IF;
	changed := arima_ops.relabel(touched, first_ts);
	IF TG_OP <> 'INSERT' OR changed > 0 THEN
		PERFORM arima_ops.record_event(CASE TG_OP WHEN 'INSERT' THEN 'late' ELSE 'revision' END, t, NULL, format('actual values from %s on %s', arima_ops.session_text(first_ts),
				CASE TG_OP WHEN 'INSERT' THEN 'came late' WHEN 'UPDATE' THEN 'were changed' ELSE 'were removed' END),
			jsonb_build_object('from', first_ts, 'relabelled', changed))
		FROM unnest(touched) AS t;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.actuals_changed() IS
'Keeps the labels of predictions what the actual values say, and notes what was there before (trigger)';

CREATE TRIGGER actuals_inserted AFTER INSERT ON arima_ops.actuals
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION arima_ops.actuals_changed();
CREATE TRIGGER actuals_updated AFTER UPDATE ON arima_ops.actuals
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION arima_ops.actuals_changed();
CREATE TRIGGER actuals_deleted AFTER DELETE ON arima_ops.actuals
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION arima_ops.actuals_changed();

CREATE FUNCTION arima_ops.actual_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM arima_ops.bring_back_champion(OLD.series);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.actual_removed() IS 'Brings a champion back that stands at a session of a wrong year, unless that is recorded anew (trigger, at commit)';

CREATE CONSTRAINT TRIGGER actual_removed AFTER DELETE ON arima_ops.actuals
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (OLD.ts > pg_catalog.now()) EXECUTE FUNCTION arima_ops.actual_removed();

CREATE FUNCTION arima_ops.actuals_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		RAISE EXCEPTION 'actual values cannot be truncated'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'DELETE them: that takes the labels back which they gave.';
	END IF;
	RAISE EXCEPTION 'an actual value cannot be moved to another session or series'
		USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete it and record it anew.';
END $$;
COMMENT ON FUNCTION arima_ops.actuals_refuse() IS 'Refuses TRUNCATE and changes of the key (trigger)';

CREATE TRIGGER actuals_refuse_truncate BEFORE TRUNCATE ON arima_ops.actuals
FOR EACH STATEMENT EXECUTE FUNCTION arima_ops.actuals_refuse();
CREATE TRIGGER actuals_refuse_move BEFORE UPDATE OF series, ts ON arima_ops.actuals
FOR EACH ROW WHEN ((OLD.series, OLD.ts) IS DISTINCT FROM (NEW.series, NEW.ts)) EXECUTE FUNCTION arima_ops.actuals_refuse();

/*
 * An INSERT, UPDATE or DELETE of the table has its rows first, and the series in its
 * trigger at the end.  What locks a series to change recorded values or to add some
 * keeps to this order, or each would wait for the other.
 */
CREATE FUNCTION arima_ops.lock_actuals(series text, up_to timestamptz) RETURNS timestamptz[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	locked timestamptz[];
BEGIN
	locked := ARRAY(SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts <= up_to ORDER BY a.ts FOR NO KEY UPDATE);
	PERFORM arima_ops.lock_series(ARRAY[series]);
	RETURN locked;
END $$;
COMMENT ON FUNCTION arima_ops.lock_actuals(text, timestamptz) IS
'Locks the recorded values of a series up to a session, and then the series, until the end of the transaction; gives their sessions';

/* ---- splits, and other changes of all prices by one factor ---- */

/* Takes forecasts and models made of prices up to a session over to prices times a factor. */
CREATE FUNCTION arima_ops.adjust_basis(series text, factor float8, up_to timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	adjusted bigint;
BEGIN
	PERFORM arima_ops.lock_basis(series, true);
	UPDATE arima_ops.models AS m SET adjustment = m.adjustment * factor WHERE m.series = series AND m.trained_to <= up_to;
	-- either half of the log has its index
	UPDATE arima_ops.predictions AS p SET adjustment = p.adjustment * factor
	WHERE p.series = series AND coalesce(p.recorded_to, p.as_of) <= up_to AND (p.target_ts IS NULL OR p.target_ts IS NOT NULL);
	GET DIAGNOSTICS adjusted = ROW_COUNT;
	UPDATE arima_ops.drift_checks AS d
	SET session_rmse = d.session_rmse * factor, session_error = d.session_error * factor, rolling_rmse = d.rolling_rmse * factor,
		reference_rmse = d.reference_rmse * factor, threshold = d.threshold * factor
	WHERE d.series = series AND d.ts <= up_to;
	-- later ones by a reference, or of forecasts, that have just been adjusted
	UPDATE arima_ops.drift_checks AS d SET checked_at = NULL
	WHERE d.series = series AND d.ts > up_to AND d.checked_at IS NOT NULL
		AND (EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = d.series AND m.version = d.version AND m.trained_to <= up_to)
			OR EXISTS (SELECT FROM arima_ops.predictions AS p WHERE p.series = d.series AND p.target_ts = d.ts AND p.version = d.version AND coalesce(p.recorded_to, p.as_of) <= up_to));
	PERFORM arima_ops.record_event('restatement', series, NULL, format('values up to %s times %s', arima_ops.session_text(up_to), factor),
		jsonb_build_object('factor', factor, 'up_to', up_to, 'predictions', adjusted));
END $$;
COMMENT ON FUNCTION arima_ops.adjust_basis(text, float8, timestamptz) IS
'Adjusts the predictions and models of a locked series that were made of values up to a session, which are now times a factor';

CREATE FUNCTION arima_ops.restate(series text, factor float8, up_to timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	locked timestamptz[];
	wrong record;
	changed bigint;
BEGIN
	PERFORM arima_ops.get_series(series);
	IF factor IS NULL OR up_to IS NULL OR NOT (factor > 0 AND factor < 'Infinity') THEN
		RAISE EXCEPTION 'the factor must be positive, and the session known'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'For a 4:1 split the factor is 0.25 and up_to the last session before it.';
	END IF;
	-- before any row: who asks and then records, in one transaction, is waited for here and not the other way, too
	PERFORM arima_ops.lock_basis(series, true);
	locked := arima_ops.lock_actuals(series, up_to);
	SELECT a.ts, a.value INTO wrong FROM arima_ops.actuals AS a
	WHERE a.series = series AND a.ts = ANY (locked) AND a.value <> 0 AND log(abs(a.value)) + log(factor) NOT BETWEEN -307 AND 308 ORDER BY a.ts LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the value of % times % is too large or too small: %', arima_ops.session_text(wrong.ts), factor, wrong.value
			USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Values are of double precision, from 1e-307 to 1e308.';
	END IF;
	PERFORM arima_ops.adjust_basis(series, factor, up_to);
	-- what was recorded since then comes after this, and may be locked by who waits for the series
	UPDATE arima_ops.actuals AS a SET value = a.value * factor, recorded_at = clock_timestamp()
	WHERE a.series = series AND a.ts = ANY (locked);
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed;
END $$;
COMMENT ON FUNCTION arima_ops.restate(text, float8, timestamptz) IS
'Multiplies the recorded values up to a session by a factor, as after a split (4:1: 0.25, up to the last session before it), and adjusts the predictions and models made of them. Gives the number of values';

/*
 * The factor by which values given for sessions that are recorded differ, if it is
 * the same for all of them up to the last one that differs, and these are all that
 * are recorded up to there: then it is the basis of the prices that changed, as by a
 * split or a dividend.  Sessions that were added just now are left out.
 */
CREATE FUNCTION arima_ops.common_factor(series text, ts timestamptz[], value float8[], added timestamptz[], OUT factor float8, OUT up_to timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	compared bigint;
	recorded bigint;
BEGIN
	SELECT array_agg(g.ts), array_agg(g.value) INTO ts, value FROM unnest(ts, value) AS g (ts, value) WHERE g.ts NOT IN (SELECT unnest(added));
	SELECT max(a.ts) INTO up_to FROM unnest(ts, value) AS g (ts, value)
		JOIN arima_ops.actuals AS a ON a.series = series AND a.ts = g.ts WHERE a.value <> g.value;
	SELECT arima_ops.price_factor(array_agg(g.value), array_agg(a.value)), count(*) INTO factor, compared
	FROM unnest(ts, value) AS g (ts, value) JOIN arima_ops.actuals AS a ON a.series = series AND a.ts = g.ts WHERE a.ts <= up_to;
	SELECT count(*) - (SELECT count(*) FROM unnest(added) AS n (ts) WHERE n.ts <= up_to) INTO recorded
	FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts <= up_to;
	IF compared < 5 OR compared <> recorded OR factor = 1 THEN
		factor := NULL;
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.common_factor(text, timestamptz[], float8[], timestamptz[]) IS
'The factor by which all values recorded up to a session are changed by those given; NULL if they are not. added: sessions recorded just now, which are left out';

/*
 * Before values are recorded: the basis where they restate prices, as restate has it before
 * any row, then what is there of the sessions.  The series is locked after those, and
 * after others are added.  Who has waited for rows may find that they were restated
 * meanwhile, and that the values given do it now: it lets go of them, and has the basis first.
 */
CREATE FUNCTION arima_ops.lock_sessions(series text, ts timestamptz[], value float8[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	restates boolean := cardinality(ts) >= 5 AND (arima_ops.common_factor(series, ts, value, '{}')).factor IS NOT NULL;
BEGIN
	IF restates THEN
		PERFORM arima_ops.lock_basis(series, true);
	END IF;
	BEGIN
		PERFORM FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts IN (SELECT unnest(ts)) ORDER BY a.ts FOR NO KEY UPDATE;
		IF NOT restates AND cardinality(ts) >= 5 AND (arima_ops.common_factor(series, ts, value, '{}')).factor IS NOT NULL THEN
			RAISE SQLSTATE 'AO001';
		END IF;
	EXCEPTION WHEN SQLSTATE 'AO001' THEN
		PERFORM arima_ops.lock_basis(series, true);
		PERFORM FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts IN (SELECT unnest(ts)) ORDER BY a.ts FOR NO KEY UPDATE;
	END;
END $$;
COMMENT ON FUNCTION arima_ops.lock_sessions(text, timestamptz[], float8[]) IS
'Locks the recorded values of these sessions, and before them the basis of the prices where the values given change all by one factor, but not the series, until the end of the transaction';

CREATE FUNCTION arima_ops.record_actuals(
	series text,
	ts timestamptz[],
	value float8[],
	source text DEFAULT 'manual',
	OUT inserted bigint,
	OUT revised bigint,
	OUT unchanged bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	wrong timestamptz;
	given bigint;
	added timestamptz[];
	basis record;
BEGIN
	PERFORM arima_ops.get_series(series);
	IF coalesce(cardinality(ts), 0) <> coalesce(cardinality(value), 0) OR array_ndims(ts) > 1 OR array_ndims(value) > 1 THEN
		RAISE EXCEPTION 'there are % sessions and % values', coalesce(cardinality(ts), 0), coalesce(cardinality(value), 0)
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a value for each session, in two arrays of the same length.';
	END IF;
	SELECT g.ts INTO wrong FROM unnest(ts, value) AS g (ts, value)
	WHERE g.ts IS NULL OR NOT isfinite(g.ts) OR g.value IN ('NaN', 'Infinity', '-Infinity') LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'a session or value is not finite'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The session is %s.', coalesce(arima_ops.session_text(wrong), 'NULL')),
				HINT = 'Leave out sessions without value, or give NULL for them.';
	END IF;
	-- of a session given twice the last value counts
	SELECT array_agg(l.ts ORDER BY l.ts), array_agg(l.value ORDER BY l.ts), count(*) INTO ts, value, given
	FROM (SELECT DISTINCT ON (g.ts) g.ts, g.value FROM unnest(ts, value) WITH ORDINALITY AS g (ts, value, i)
		WHERE g.value IS NOT NULL ORDER BY g.ts, g.i DESC) AS l;
	-- what is there before what is new, and the series after both: so does a fetch
	IF given > 1 THEN
		PERFORM arima_ops.lock_sessions(series, ts, value);
	END IF;
	-- adds what is new, and only locks what is there, be it since a moment
	WITH new AS (
		INSERT INTO arima_ops.actuals AS a (series, ts, value, source)
		SELECT series, g.ts, g.value, source FROM unnest(ts, value) AS g (ts, value)
		ON CONFLICT ON CONSTRAINT actuals_pkey DO UPDATE SET value = a.value WHERE false
		RETURNING a.ts)
	SELECT coalesce(array_agg(new.ts), '{}'), count(*) INTO added, inserted FROM new;
	PERFORM arima_ops.lock_series(ARRAY[series]);
	SELECT * INTO basis FROM arima_ops.common_factor(series, ts, value, added);
	IF basis.factor IS NOT NULL THEN
		PERFORM arima_ops.adjust_basis(series, basis.factor, basis.up_to);
	END IF;
	UPDATE arima_ops.actuals AS a SET value = g.value, source = source, recorded_at = clock_timestamp()
	FROM unnest(ts, value) AS g (ts, value) WHERE a.series = series AND a.ts = g.ts AND a.value <> g.value;
	GET DIAGNOSTICS revised = ROW_COUNT;
	unchanged := given - revised - inserted;
END $$;
COMMENT ON FUNCTION arima_ops.record_actuals(text, timestamptz[], float8[], text) IS
'Records the values of sessions: new ones are added, changed ones revised, with a trace; NULL is left out; of a session given twice the last value counts. Where all values recorded so far change by one factor, as after a split, predictions and models are taken over to the new prices. Gives how many sessions were inserted, revised and unchanged. Locks the series: calls for several in one transaction come in the order of their names, as the jobs take them, or it may end in a deadlock with one';

/* ---- history of a series, for training ---- */

CREATE FUNCTION arima_ops.values_hash(ts timestamptz[], value float8[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN md5(coalesce(array_send(ts) || array_send(value), ''));
END $$;
COMMENT ON FUNCTION arima_ops.values_hash(timestamptz[], float8[]) IS 'MD5 of sessions and their values';

CREATE FUNCTION arima_ops.history_hash(series text, trained_from timestamptz, trained_to timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	RETURN (SELECT arima_ops.values_hash(array_agg(h.ts), array_agg(h.value))
		FROM (SELECT a.ts, a.value FROM arima_ops.actuals AS a
			WHERE a.series = series AND a.ts BETWEEN trained_from AND trained_to ORDER BY a.ts) AS h);
END $$;
COMMENT ON FUNCTION arima_ops.history_hash(text, timestamptz, timestamptz) IS
'MD5 of the recorded values of a series between two sessions: the same as models.data_hash as long as they are as they were at training';

/* ---- requests over REST ---- */

CREATE SCHEMA arima_api;
COMMENT ON SCHEMA arima_api IS 'What is reached over REST: by PostgREST directly, by arima_restd in batches';

CREATE TYPE arima_ops.request AS (
	recent float8[],
	series text,
	horizon int,
	level float8,
	detail json);
COMMENT ON TYPE arima_ops.request IS
'The body of a request: recent prices, oldest first; series, NULL for the usual one; horizon and level; detail: NULL, or what is wrong, in the form of FastAPI';

CREATE FUNCTION arima_ops.read_request(body json, min_recent int DEFAULT 10, max_recent int DEFAULT 60) RETURNS arima_ops.request
AS 'MODULE_PATHNAME', 'arima_ops_read_request'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION arima_ops.read_request(json, int, int) IS
'Reads and checks the body of POST /predict: recent_prices (a list of so many numbers at least and at most), and optionally date (not used), series, horizon (1 to 1000) and level';

/* The series of requests that name none: the only one that is active, else the one marked so. */
ALTER TABLE arima_ops.series ADD COLUMN is_default boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX series_default ON arima_ops.series (is_default) WHERE is_default;
COMMENT ON COLUMN arima_ops.series.is_default IS 'requests over REST that name no series mean this one; it need not be set where only one series is active';

CREATE FUNCTION arima_ops.default_series() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT s.name FROM arima_ops.series AS s WHERE s.is_default),
		(SELECT min(s.name) FROM (SELECT t.name FROM arima_ops.series AS t WHERE t.active LIMIT 2) AS s HAVING count(*) = 1))
$$;
COMMENT ON FUNCTION arima_ops.default_series() IS 'The series that a request means which names none; NULL if that is not clear';

/* As Python writes a moment: UTC without saying so, no fraction where there is none. */
CREATE FUNCTION arima_ops.naive_timestamp(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_char(at AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', at) = at THEN 'YYYY-MM-DD"T"HH24:MI:SS' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US' END)
$$;
COMMENT ON FUNCTION arima_ops.naive_timestamp(timestamptz) IS 'A moment in UTC, as Python''s datetime.utcnow().isoformat() writes it';

/* The orders p, d, q of a specification as the registry writes it. */
CREATE FUNCTION arima_ops.spec_order(spec text) RETURNS int[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_to_array(substr(spec, 2, strpos(spec, ')') - 2), ',')::int[]
$$;
COMMENT ON FUNCTION arima_ops.spec_order(text) IS 'Orders p, d, q of a specification as arima_stats gives it';

/* The reply to a request, from its rows of the log. */
CREATE FUNCTION arima_ops.reply(steps arima_ops.predictions[], spec text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN cardinality(steps) = 1 THEN r.reply ELSE (r.reply::jsonb || jsonb_build_object('forecasts',
			(SELECT jsonb_agg(jsonb_build_object('step', s.horizon, 'forecast', s.forecast, 'lower', s.lower, 'upper', s.upper) ORDER BY s.horizon)
			FROM unnest(steps) AS s)))::json END
	FROM (SELECT json_build_object('prediction', f.forecast, 'model_type', 'arima', 'arima_order', arima_ops.spec_order(spec),
			'timestamp', arima_ops.naive_timestamp(f.made_at), 'series', f.series, 'model_version', f.version,
			'lower', f.lower, 'upper', f.upper, 'level', f.level, 'prediction_id', f.id) AS reply
		FROM unnest(steps) AS f WHERE f.horizon = 1) AS r
$$;
COMMENT ON FUNCTION arima_ops.reply(arima_ops.predictions[], text) IS 'The reply to a request, as the REST contract has it';

CREATE TYPE arima_ops.answer AS (
	status int,
	reply json);
COMMENT ON TYPE arima_ops.answer IS 'Answer to a request: HTTP status and body';

/*
 * What each request asks for, and whom: status is NULL where it can be answered.
 */
CREATE FUNCTION arima_ops.read_requests(bodies json[], keys text[])
RETURNS TABLE (i bigint, key text, status int, reply json, champion arima_ops.models, recent float8[], horizon int, level float8)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT g.i, g.key,
		CASE WHEN q.detail IS NOT NULL THEN 422 WHEN w.wanted IS NULL THEN 422 WHEN s.name IS NULL THEN 404 WHEN m.version IS NULL THEN 503 END,
		CASE WHEN q.detail IS NOT NULL THEN json_build_object('detail', q.detail)
			WHEN w.wanted IS NULL THEN json_build_object('detail', json_build_array(json_build_object('type', 'missing', 'loc', json_build_array('body', 'series'),
				'msg', 'Field required', 'input', g.body)))
			WHEN s.name IS NULL THEN json_build_object('detail', format('There is no series "%s"', w.wanted))
			WHEN m.version IS NULL THEN json_build_object('detail', format('Series "%s" has no model yet', w.wanted)) END,
		m, q.recent, q.horizon, q.level
	FROM unnest(bodies, keys) WITH ORDINALITY AS g (body, key, i)
		CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN json_typeof(g.body) = 'object' THEN g.body ->> 'series' END, d.name) AS wanted
			FROM (SELECT arima_ops.default_series() AS name) AS d) AS w
		LEFT JOIN arima_ops.series AS s ON s.name = w.wanted
		CROSS JOIN LATERAL arima_ops.read_request(coalesce(g.body, 'null'), coalesce(s.min_recent, 10), coalesce(s.max_recent, 60)) AS q
		LEFT JOIN arima_ops.models AS m ON m.series = s.name AND m.status = 'champion'
$$;
COMMENT ON FUNCTION arima_ops.read_requests(json[], text[]) IS 'Requests and the champions that answer them; status and reply where they can''t be answered';

/*
 * Forecasts for requests, logged: one statement, and so one commit, for all of
 * them.  Those whose key came before, or comes twice, are left out.
 */
CREATE FUNCTION arima_ops.log_requests(bodies json[], keys text[])
RETURNS TABLE (i bigint, steps arima_ops.predictions[], spec text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH asked AS MATERIALIZED (
		SELECT r.i, r.key, r.champion, r.recent, r.horizon, r.level FROM arima_ops.read_requests(bodies, keys) AS r WHERE r.status IS NULL
	), tail AS MATERIALIZED (
		-- the end of what is recorded, once for each series
		SELECT c.series, l.ts, l.recorded
		FROM (SELECT DISTINCT (a.champion).series FROM asked AS a) AS c
			CROSS JOIN LATERAL (SELECT max(t.ts) AS ts, array_agg(t.value ORDER BY t.ts) AS recorded
				FROM (SELECT v.ts, v.value FROM arima_ops.actuals AS v WHERE v.series = c.series ORDER BY v.ts DESC LIMIT 6) AS t) AS l
	), forecast AS MATERIALIZED (
		SELECT a.i, a.key, (a.champion).series, (a.champion).version, (a.champion).spec, (a.champion).adjustment AS factor, a.level, a.recent, f.*,
			nextval('arima_ops.predictions_id_seq') AS id
		FROM asked AS a CROSS JOIN LATERAL @extschema@.arima_forecast((a.champion).model, CASE WHEN (a.champion).adjustment = 1 THEN a.recent
				ELSE (SELECT array_agg(v / (a.champion).adjustment ORDER BY j) FROM unnest(a.recent) WITH ORDINALITY AS u (v, j)) END,
			a.horizon, a.level) AS f
		WHERE a.key IS NULL OR NOT EXISTS (SELECT FROM arima_ops.predictions AS p WHERE p.series = (a.champion).series AND p.request_id = a.key)
	), logged AS (
		INSERT INTO arima_ops.predictions AS p (id, series, version, as_of, lead, horizon, history_len, forecast, std_error, lower, upper, level, request_id)
		OVERRIDING SYSTEM VALUE
		SELECT f.id, f.series, f.version, coalesce(t.ts, transaction_timestamp()), coalesce(arima_ops.count_newer(f.recent, t.recorded), 0), f.step, cardinality(f.recent),
			f.forecast * f.factor, f.std_error * f.factor, f.lower * f.factor, f.upper * f.factor, f.level, f.key
		FROM forecast AS f LEFT JOIN tail AS t USING (series)
		ON CONFLICT DO NOTHING
		RETURNING p
	)
	SELECT f.i, array_agg(l.p ORDER BY f.step), min(f.spec) FROM logged AS l JOIN forecast AS f ON f.id = (l.p).id GROUP BY f.i
$$;
COMMENT ON FUNCTION arima_ops.log_requests(json[], text[]) IS
'Makes and logs the predictions for those requests that can be answered and whose keys are new; gives them with the specification of their models';

/* The answers to requests of which none fails in the forecast itself. */
CREATE FUNCTION arima_ops.answer_together(bodies json[], keys text[]) RETURNS arima_ops.answer[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answers arima_ops.answer[] := array_fill(NULL::arima_ops.answer, ARRAY[cardinality(bodies)]);
	one record;
BEGIN
	FOR one IN SELECT l.i, arima_ops.reply(l.steps, l.spec) AS reply FROM arima_ops.log_requests(bodies, keys) AS l LOOP
		answers[one.i] := ROW (200, one.reply);
	END LOOP;
	-- the others: what is wrong with them, or what their key was answered before
	FOR one IN
		SELECT r.i, coalesce(r.status, 200) AS status, coalesce(r.reply, arima_ops.reply(p.steps, m.spec)) AS reply
		FROM arima_ops.read_requests(bodies, keys) AS r
			LEFT JOIN LATERAL (SELECT array_agg(a ORDER BY a.horizon) AS steps, min(a.version) AS version
				FROM arima_ops.logged_answer((r.champion).series, r.key) AS a) AS p ON r.status IS NULL
			LEFT JOIN arima_ops.models AS m ON m.series = (r.champion).series AND m.version = p.version
		WHERE (answers[r.i]).status IS NULL
	LOOP
		answers[one.i] := ROW (one.status, one.reply);
	END LOOP;
	RETURN answers;
END $$;
COMMENT ON FUNCTION arima_ops.answer_together(json[], text[]) IS 'Part of arima_ops.answer_requests';

/*
 * Security definer: who asks over REST needs no right to write the log.  If a
 * forecast fails, with a model that needs more values for instance, each request is
 * answered on its own.
 */
CREATE FUNCTION arima_ops.answer_requests(bodies json[], keys text[] DEFAULT NULL) RETURNS arima_ops.answer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answers arima_ops.answer[] := '{}';
BEGIN
	BEGIN
		RETURN arima_ops.answer_together(bodies, keys);
	EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
		IF cardinality(bodies) = 1 THEN
			RETURN ARRAY[ROW (400, json_build_object('detail', 'prediction failed:' || SQLERRM))::arima_ops.answer];
		END IF;
	END;
	FOR i IN 1 .. cardinality(bodies) LOOP
		answers := answers || arima_ops.answer_requests(bodies[i : i], keys[i : i]);
	END LOOP;
	RETURN answers;
END $$;
COMMENT ON FUNCTION arima_ops.answer_requests(json[], text[]) IS
'Answers requests for predictions together: for each body status and reply, in their order; keys: for each NULL, or the caller''s key, with which a request that comes again gets the first answer. The predictions in the replies are logged';

/* ---- what PostgREST shows ---- */

CREATE FUNCTION arima_api.predict(json) RETURNS json
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key text := nullif(current_setting('request.headers', true), '')::json ->> 'idempotency-key';
	answer arima_ops.answer := (arima_ops.answer_requests(ARRAY[$1], ARRAY[key]))[1];
BEGIN
	IF answer.status <> 200 THEN
		PERFORM set_config('response.status', answer.status::text, true);
		IF answer.status = 503 THEN
			PERFORM set_config('response.headers', '[{"Retry-After": "60"}]', true);
		END IF;
	END IF;
	RETURN answer.reply;
END $$;
COMMENT ON FUNCTION arima_api.predict(json) IS
'POST /rpc/predict: {"recent_prices": [...], "series", "horizon", "level", "date"} gives the prediction of the champion, logged; what is wrong with a request comes with status 422 in the form of FastAPI. The header Idempotency-Key makes a retry get the first answer';

CREATE FUNCTION arima_api.forecast(series text DEFAULT NULL, horizon int DEFAULT 10, level float8 DEFAULT 0.95)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	champion arima_ops.models;
BEGIN
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = coalesce(series, arima_ops.default_series()) AND m.status = 'champion';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'PT404', MESSAGE = 'Not Found', DETAIL = 'There is no such series with a model.',
			HINT = 'See /monitoring for the series there are.';
	END IF;
	RETURN QUERY SELECT f.* FROM arima_ops.champion_forecast(champion, NULL,
		(SELECT max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = champion.series), horizon, level) AS f;
END $$;
COMMENT ON FUNCTION arima_api.forecast(text, int, float8) IS
'/rpc/forecast: the champion''s forecast after the last recorded value; not logged';

CREATE VIEW arima_api.monitoring AS SELECT * FROM arima_ops.monitoring;
COMMENT ON VIEW arima_api.monitoring IS '/monitoring: one row a series, as arima_ops.monitoring';
CREATE VIEW arima_api.leaderboard AS SELECT * FROM arima_ops.leaderboard;
COMMENT ON VIEW arima_api.leaderboard IS '/leaderboard: the versions of each series, as arima_ops.leaderboard';
CREATE VIEW arima_api.timeline AS SELECT * FROM arima_ops.timeline;
COMMENT ON VIEW arima_api.timeline IS '/timeline: what happened, as arima_ops.timeline';

REVOKE ALL ON FUNCTION arima_ops.answer_requests(json[], text[]), arima_ops.answer_together(json[], text[]), arima_ops.log_requests(json[], text[]),
	arima_ops.read_requests(json[], text[]), arima_ops.reply(arima_ops.predictions[], text), arima_ops.spec_order(text), arima_ops.naive_timestamp(timestamptz),
	arima_ops.default_series(), arima_ops.read_request(json, int, int), arima_api.predict(json), arima_api.forecast(text, int, float8) FROM PUBLIC;
GRANT USAGE ON SCHEMA arima_api TO arima_ops_reader, arima_ops_user, arima_ops_admin;
GRANT SELECT ON ALL TABLES IN SCHEMA arima_api TO arima_ops_reader;
GRANT EXECUTE ON FUNCTION arima_api.predict(json), arima_ops.answer_requests(json[], text[]) TO arima_ops_user;
GRANT EXECUTE ON FUNCTION arima_api.forecast(text, int, float8) TO arima_ops_reader, arima_ops_user;

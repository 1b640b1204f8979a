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

CREATE FUNCTION arima_ops.reply(id bigint, made_at timestamptz, series text, version int, spec text, level float8,
	forecast float8[], lower float8[], upper float8[])
RETURNS json
AS 'MODULE_PATHNAME', 'arima_ops_reply'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION arima_ops.reply(bigint, timestamptz, text, int, text, float8, float8[], float8[], float8[]) IS
'The reply to a request, as the REST contract has it, from what was logged: forecast, lower and upper hold a value for each step';

CREATE TYPE arima_ops.answer AS (
	status int,
	reply json);
COMMENT ON TYPE arima_ops.answer IS 'Answer to a request: HTTP status and body';

/* What each request asks for, and whom: status and reply are NULL where it can be answered. */
CREATE FUNCTION arima_ops.read_requests(bodies json[])
RETURNS TABLE (i bigint, status int, reply json, series text, version int, recent float8[], horizon int, level float8)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH usual AS MATERIALIZED (SELECT arima_ops.default_series() AS name)
	SELECT g.i,
		CASE WHEN q.detail IS NOT NULL OR w.name IS NULL THEN 422 WHEN s.name IS NULL THEN 404 WHEN m.version IS NULL THEN 503 END,
		CASE WHEN q.detail IS NOT NULL THEN json_build_object('detail', q.detail)
			WHEN w.name IS NULL THEN json_build_object('detail', json_build_array(json_build_object('type', 'missing', 'loc', json_build_array('body', 'series'),
				'msg', 'Field required', 'input', g.body)))
			WHEN s.name IS NULL THEN json_build_object('detail', format('There is no series "%s"', w.name))
			WHEN m.version IS NULL THEN json_build_object('detail', format('Series "%s" has no model yet', w.name)) END,
		s.name, m.version, q.recent, q.horizon, q.level
	FROM unnest(bodies) WITH ORDINALITY AS g (body, i) CROSS JOIN usual AS u
		CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN json_typeof(g.body) = 'object' THEN g.body ->> 'series' END, u.name) AS name) AS w
		LEFT JOIN arima_ops.series AS s ON s.name = w.name
		CROSS JOIN LATERAL arima_ops.read_request(coalesce(g.body, 'null'), coalesce(s.min_recent, 10), coalesce(s.max_recent, 60)) AS q
		LEFT JOIN arima_ops.models AS m ON m.series = s.name AND m.status = 'champion'
$$;
COMMENT ON FUNCTION arima_ops.read_requests(json[]) IS 'Requests and the champions that answer them; status and reply of those that cannot be answered';

/* The reply to a request that came before. */
CREATE FUNCTION arima_ops.logged_reply(series text, key text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT arima_ops.reply(min(a.id), min(a.made_at), logged_reply.series, min(a.version), min(m.spec), min(a.level),
		array_agg(a.forecast ORDER BY a.horizon), array_agg(a.lower ORDER BY a.horizon), array_agg(a.upper ORDER BY a.horizon))
	FROM arima_ops.logged_answer(logged_reply.series, key) AS a JOIN arima_ops.models AS m USING (series, version)
$$;
COMMENT ON FUNCTION arima_ops.logged_reply(text, text) IS 'The reply that a request with this key has had; NULL if it has had none';

/*
 * One statement, and so one commit, for all requests.  A request whose key is
 * logged, or comes twice here, inserts nothing, and is answered from the log.
 */
CREATE FUNCTION arima_ops.answer_together(bodies json[], keys text[]) RETURNS arima_ops.answer[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answers arima_ops.answer[];
	waiting record;
BEGIN
	WITH asked AS MATERIALIZED (
		SELECT r.*, keys[r.i] AS key FROM arima_ops.read_requests(bodies) AS r
	), champion AS MATERIALIZED (
		-- once for each series: its model, and the end of what is recorded
		SELECT m.series, m.version, m.spec, m.model, m.adjustment, t.ts, t.recorded
		FROM (SELECT DISTINCT a.series, a.version FROM asked AS a WHERE a.status IS NULL) AS c
			JOIN arima_ops.models AS m USING (series, version)
			CROSS JOIN LATERAL (SELECT coalesce(max(l.ts), transaction_timestamp()) AS ts, coalesce(array_agg(l.value ORDER BY l.ts), '{}') AS recorded
				FROM (SELECT v.ts, v.value FROM arima_ops.actuals AS v WHERE v.series = c.series ORDER BY v.ts DESC LIMIT 6) AS l) AS t
	), forecast AS MATERIALIZED (
		SELECT a.i, a.key, a.level, a.recent, c.series, c.version, c.spec, c.ts, c.recorded, f.step, f.forecast * c.adjustment AS forecast,
			f.std_error * c.adjustment AS std_error, f.lower * c.adjustment AS lower, f.upper * c.adjustment AS upper,
			nextval('arima_ops.predictions_id_seq') AS id, statement_timestamp() AS made_at
		FROM asked AS a JOIN champion AS c USING (series)
			CROSS JOIN LATERAL @extschema@.arima_forecast(c.model, CASE WHEN c.adjustment = 1 THEN a.recent
				ELSE (SELECT array_agg(u.v / c.adjustment ORDER BY u.j) FROM unnest(a.recent) WITH ORDINALITY AS u (v, j)) END, a.horizon, a.level) AS f
		WHERE a.status IS NULL AND (a.key IS NULL
			OR NOT EXISTS (SELECT FROM arima_ops.predictions AS p WHERE p.series = a.series AND p.request_id = a.key))
	), logged AS (
		INSERT INTO arima_ops.predictions AS p (id, series, version, made_at, as_of, lead, horizon, history_len, forecast, std_error, lower, upper, level, request_id)
		OVERRIDING SYSTEM VALUE
		SELECT f.id, f.series, f.version, f.made_at, f.ts, arima_ops.count_newer(f.recent, f.recorded), f.step, cardinality(f.recent),
			f.forecast, f.std_error, f.lower, f.upper, f.level, f.key
		FROM forecast AS f
		ON CONFLICT DO NOTHING
		RETURNING p.id
	), replied AS (
		SELECT f.i, arima_ops.reply(min(f.id), min(f.made_at), min(f.series), min(f.version), min(f.spec), min(f.level),
				array_agg(f.forecast ORDER BY f.step), array_agg(f.lower ORDER BY f.step), array_agg(f.upper ORDER BY f.step)) AS reply
		FROM forecast AS f JOIN logged AS l USING (id) GROUP BY f.i
	)
	SELECT array_agg(ROW (CASE WHEN r.i IS NOT NULL THEN 200 ELSE a.status END, coalesce(r.reply, a.reply))::arima_ops.answer ORDER BY a.i) INTO answers
	FROM asked AS a LEFT JOIN replied AS r USING (i);
	IF EXISTS (SELECT FROM unnest(answers) AS a WHERE a.status IS NULL) THEN
		FOR waiting IN SELECT r.i, arima_ops.logged_reply(r.series, keys[r.i]) AS reply FROM arima_ops.read_requests(bodies) AS r WHERE (answers[r.i]).status IS NULL LOOP
			answers[waiting.i] := ROW (200, waiting.reply);
		END LOOP;
	END IF;
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

CREATE FUNCTION arima_api.ready() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM arima_ops.models AS m WHERE m.status = 'champion') THEN
		RAISE EXCEPTION USING ERRCODE = 'PT503', MESSAGE = 'Service Unavailable', DETAIL = 'No series has a model yet',
			HINT = 'Train one: SELECT arima_ops.train(name) FROM arima_ops.series.';
	END IF;
	RETURN '{"status":"ready"}';
END $$;
COMMENT ON FUNCTION arima_api.ready() IS 'GET /ready of arima_restd, /rpc/ready: status 200 where a model can answer, else 503';

CREATE VIEW arima_api.monitoring AS SELECT * FROM arima_ops.monitoring;
COMMENT ON VIEW arima_api.monitoring IS '/monitoring: one row a series, as arima_ops.monitoring';
CREATE VIEW arima_api.leaderboard AS SELECT * FROM arima_ops.leaderboard;
COMMENT ON VIEW arima_api.leaderboard IS '/leaderboard: the versions of each series, as arima_ops.leaderboard';
CREATE VIEW arima_api.timeline AS SELECT * FROM arima_ops.timeline;
COMMENT ON VIEW arima_api.timeline IS '/timeline: what happened, as arima_ops.timeline';

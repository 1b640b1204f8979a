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

/* The series of requests that name none: the one marked so, else the only one that is active, or that is and has a model. */
ALTER TABLE arima_ops.series ADD COLUMN is_default boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX series_default ON arima_ops.series (is_default) WHERE is_default;
COMMENT ON COLUMN arima_ops.series.is_default IS 'requests over REST that name no series mean this one; it need not be set where only one series is active, or only one of these has a model';

CREATE FUNCTION arima_ops.default_series() RETURNS text
AS 'MODULE_PATHNAME', 'arima_ops_default_series'
LANGUAGE C STABLE;
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

/* The reply to a request that came before. */
CREATE FUNCTION arima_ops.logged_reply(series text, key text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN (SELECT arima_ops.reply(min(p.id), min(p.made_at), logged_reply.series, min(p.version), min(m.spec), min(p.level),
			array_agg(p.forecast ORDER BY p.horizon), array_agg(p.lower ORDER BY p.horizon), array_agg(p.upper ORDER BY p.horizon))
		FROM arima_ops.predictions AS p JOIN arima_ops.models AS m USING (series, version)
		WHERE p.series = logged_reply.series AND p.request_id = key);
END $$;
COMMENT ON FUNCTION arima_ops.logged_reply(text, text) IS 'The reply that a request with this key has had; NULL if it has had none';

/*
 * One statement, and so one commit, for all requests.  A request whose key is
 * logged, or comes twice here, inserts nothing, and is answered from the log.
 * Security definer: who asks over REST needs no right to write the log.
 */
CREATE FUNCTION arima_ops.answer_requests(bodies text[], keys text[] DEFAULT NULL, wait boolean DEFAULT true) RETURNS arima_ops.answer[]
AS 'MODULE_PATHNAME', 'arima_ops_answer_requests'
LANGUAGE C SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION arima_ops.answer_requests(text[], text[], boolean) IS
'Answers requests for predictions together: for each body, which is JSON, status and reply, in their order; keys: for each NULL, or the caller''s key, with which a request that comes again gets the first answer, and another one status 422; wait: false, a request has status NULL, and nothing is done of it, while another transaction restates the prices of its series or removes it. The predictions in the replies are logged';

/* ---- what PostgREST shows ---- */

/* A key has the role before it, with a blank, which the names of arima_restd's clients have none of: nobody gets an answer to another. */
CREATE FUNCTION arima_api.predict(json) RETURNS json
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key text := nullif(nullif(current_setting('request.headers', true), '')::json ->> 'idempotency-key', '');
	answer arima_ops.answer;
BEGIN
	IF length(key) > 255 THEN
		answer.status := 422;
		answer.reply := json_build_object('detail', json_build_array(json_build_object('type', 'string_too_long', 'loc', json_build_array('header', 'idempotency-key'),
			'msg', 'String should have at most 255 characters', 'input', key, 'ctx', json_build_object('max_length', 255))));
	ELSE
		answer := (arima_ops.answer_requests(ARRAY[$1::text], ARRAY[current_setting('role') || ' ' || key]))[1];
	END IF;
	IF answer.status <> 200 THEN
		PERFORM set_config('response.status', answer.status::text, true);
		IF answer.status = 503 THEN
			PERFORM set_config('response.headers', '[{"Retry-After": "60"}]', true);
		END IF;
	END IF;
	RETURN answer.reply;
END $$;
COMMENT ON FUNCTION arima_api.predict(json) IS
'POST /rpc/predict: {"recent_prices": [...], "series", "horizon", "level", "date"} gives the prediction of the champion, logged; what is wrong with a request comes with status 422 in the form of FastAPI. The header Idempotency-Key, unless it is empty, makes a retry get the first answer; another request with it is refused, 422';

CREATE FUNCTION arima_api.forecast(series text DEFAULT NULL, horizon int DEFAULT 10, level float8 DEFAULT 0.95)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	champion arima_ops.models;
BEGIN
	PERFORM arima_ops.check_between('horizon', horizon, 1, 1000);
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = coalesce(series, arima_ops.default_series()) AND m.status = 'champion';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'PT404', MESSAGE = 'Not Found', DETAIL = 'There is no such series with a model.',
			HINT = 'See /monitoring for the series there are.';
	END IF;
	RETURN QUERY SELECT f.* FROM arima_ops.champion_forecast(champion, NULL,
		(SELECT max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = champion.series), horizon, level) AS f;
END $$;
COMMENT ON FUNCTION arima_api.forecast(text, int, float8) IS
'/rpc/forecast: the champion''s forecast after the last recorded value, up to 1000 steps; not logged';

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

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

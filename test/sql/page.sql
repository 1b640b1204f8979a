--
-- what the monitoring page shows: the same numbers as the tables and views
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
SET TimeZone = 'Asia/Tokyo';
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.of(name text) RETURNS json LANGUAGE sql AS $$
	SELECT s FROM json_array_elements(arima_api.overview() -> 'series') AS s WHERE s ->> 'name' = name
$$;
-- nothing there yet but the name
SELECT arima_ops.create_series('page none', 'auto', calendar => 'none');
SELECT s ->> 'health', s ->> 'champion', s ->> 'last_session', s ->> 'last_forecast', s ->> 'recent', s ->> 'pending', s ->> 'labels' FROM pg_temp.of('page none') AS s;
SELECT s - 'state' FROM to_jsonb(arima_api.series_detail('page none')) AS s;

-- thirty sessions of a life: forecasts, some asked for twice, and values; the last is pending
SELECT arima_ops.create_series('page/a', '(0,1,1)', calendar => 'none', policy => '{"backtest_length": 30}');
SELECT arima_ops.record_actuals('page/a', array_agg('2024-01-01 00:00Z'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + 10 * sin(i * i) ORDER BY i))
FROM generate_series(1, 90) AS i;
SELECT s ->> 'health', json_array_length(s -> 'recent') FROM pg_temp.of('page/a') AS s;
SELECT arima_ops.train('page/a');
DO $$
BEGIN
	FOR i IN 91 .. 120 LOOP
		PERFORM arima_ops.predict('page/a', level => 0.9) FROM generate_series(1, 1 + i % 2);
		PERFORM arima_ops.predict('page/a', horizon => 3);
		PERFORM arima_ops.record_actuals('page/a', ARRAY['2024-01-01 00:00Z'::timestamptz + i * interval '1 day'], ARRAY[100 + 10 * sin(i * i) * CASE WHEN i > 112 THEN 4 ELSE 1 END]);
		PERFORM arima_ops.score_predictions('page/a');
		PERFORM arima_ops.detect_drift('page/a');
		IF i = 100 THEN RAISE INFO '%', pg_temp.of('page/a') ->> 'health'; END IF;
		IF i = 110 THEN RAISE INFO '%', pg_temp.of('page/a') ->> 'health'; END IF;
	END LOOP;
END $$;
SELECT arima_ops.predict('page/a', horizon => 2, level => 0.8) IS NOT NULL;
-- the overview is arima_ops.monitoring
SELECT s ->> 'health', (s ->> 'champion')::int = m.champion, (s ->> 'age')::int = m.age, (s ->> 'last_session')::timestamptz = m.last_session, (s ->> 'pending')::int = m.pending,
	(s ->> 'rolling_rmse')::float8 = m.rolling_rmse, (s ->> 'threshold')::float8 = m.threshold, (s ->> 'skill')::float8 = m.skill, (s ->> 'coverage')::float8 = m.coverage,
	s ->> 'drift', s ->> 'stale', s ->> 'last_session', json_typeof(s -> 'rolling_rmse')
FROM pg_temp.of('page/a') AS s JOIN arima_ops.monitoring AS m ON m.series = 'page/a';
SELECT count(*) FROM pg_temp.of('page/a') AS s JOIN arima_ops.predictions AS p ON p.series = 'page/a' AND p.forecast = (s #>> '{last_forecast,forecast}')::float8
	AND p.lower = (s #>> '{last_forecast,lower}')::float8 AND p.as_of = (s #>> '{last_forecast,as_of}')::timestamptz AND p.target_ts IS NULL;
-- one series: sessions with the last one-step prediction of each
SELECT bool_and(h.actual = a.value), count(*), count(h.forecast), count(h.version),
	bool_and(h.forecast IS NOT DISTINCT FROM p.forecast AND h.lower IS NOT DISTINCT FROM p.lower AND h.upper IS NOT DISTINCT FROM p.upper)
FROM arima_api.series_detail('page/a', 40, 5) AS d
	CROSS JOIN LATERAL ROWS FROM (json_array_elements_text(d #> '{history,ts}'), json_array_elements_text(d #> '{history,actual}'), json_array_elements_text(d #> '{history,forecast}'),
		json_array_elements_text(d #> '{history,lower}'), json_array_elements_text(d #> '{history,upper}'), json_array_elements_text(d #> '{history,version}')) AS g (ts, actual, forecast, lower, upper, version)
	CROSS JOIN LATERAL (SELECT g.ts::timestamptz AS ts, g.actual::float8 AS actual, g.forecast::float8 AS forecast, g.lower::float8 AS lower, g.upper::float8 AS upper, g.version::int AS version) AS h
	LEFT JOIN arima_ops.actuals AS a ON a.series = 'page/a' AND a.ts = h.ts
	LEFT JOIN LATERAL (SELECT q.* FROM arima_ops.predictions AS q WHERE q.series = 'page/a' AND q.target_ts = h.ts AND q.horizon = 1 ORDER BY q.id DESC LIMIT 1) AS p ON true;
-- the fan is arima_api.forecast, twice
SELECT bool_and(w.forecast = g.f::float8 AND w.lower = g.l95::float8 AND w.upper = g.u95::float8 AND n.lower = g.l80::float8 AND n.upper = g.u80::float8), count(*)
FROM arima_api.series_detail('page/a', horizon => 7) AS d
	CROSS JOIN LATERAL ROWS FROM (json_array_elements_text(d #> '{fan,steps}'), json_array_elements_text(d #> '{fan,forecast}'), json_array_elements_text(d #> '{fan,lower_95}'),
		json_array_elements_text(d #> '{fan,upper_95}'), json_array_elements_text(d #> '{fan,lower_80}'), json_array_elements_text(d #> '{fan,upper_80}')) AS g (i, f, l95, u95, l80, u80)
	JOIN arima_api.forecast('page/a', 7, 0.95) AS w ON w.step = g.i::int JOIN arima_api.forecast('page/a', 7, 0.8) AS n ON n.step = g.i::int;
-- accuracy: that of arima_accuracy, and the test
SELECT abs((d #>> '{accuracy,all,rmse}')::float8 - a.rmse) < 1e-12 AND abs((d #>> '{accuracy,all,skill}')::float8 - (1 - a.theil_u)) < 1e-12 AND abs((d #>> '{accuracy,all,bias}')::float8 - a.bias) < 1e-12
		AND (d #>> '{accuracy,all,sessions}')::bigint = a.n AND abs((d #>> '{accuracy,all,better_p}')::float8 - t.p_value) < 1e-12, a.n, (d #>> '{accuracy,champion}') = (d #>> '{accuracy,all}')
FROM arima_api.series_detail('page/a') AS d,
	(SELECT (arima_accuracy(h.forecast, h.actual, h.naive)).* FROM arima_ops.page_history('page/a', 250) AS h WHERE h.forecast IS NOT NULL) AS a,
	(SELECT (arima_diebold_mariano_test(array_agg(h.actual - h.naive ORDER BY ts), array_agg(h.actual - h.forecast ORDER BY ts), 1, 2, 'greater')).*
		FROM arima_ops.page_history('page/a', 250) AS h WHERE h.forecast IS NOT NULL) AS t;
-- checks for drift and versions
SELECT count(*), bool_and(c.rolling_rmse = g.rmse::float8 AND c.threshold = g.threshold::float8 AND c.drift = g.drift::boolean)
FROM arima_api.series_detail('page/a') AS d
	CROSS JOIN LATERAL ROWS FROM (json_array_elements_text(d #> '{checks,ts}'), json_array_elements_text(d #> '{checks,rolling_rmse}'), json_array_elements_text(d #> '{checks,threshold}'),
		json_array_elements_text(d #> '{checks,drift}')) AS g (ts, rmse, threshold, drift)
	FULL JOIN (SELECT * FROM arima_ops.drift_checks WHERE series = 'page/a') AS c ON c.ts = g.ts::timestamptz;
SELECT v ->> 'version', v ->> 'status', (v ->> 'rmse')::float8 = l.rmse AND (v ->> 'skill')::float8 = l.skill, v ->> 'gate'
FROM json_array_elements(arima_api.series_detail('page/a') -> 'versions') AS v JOIN arima_ops.leaderboard AS l ON l.series = 'page/a' AND l.version = (v ->> 'version')::int;
SELECT bool_and(e ->> 'what' = t.what), array_agg(e ->> 'kind' ORDER BY t.id DESC) FROM json_array_elements(arima_api.events(series => 'page/a') -> 'events') WITH ORDINALITY AS e (e, i) JOIN arima_ops.timeline AS t ON t.id = (e ->> 'id')::bigint;
SELECT json_array_length(arima_api.events(after => (arima_api.overview() ->> 'last_event')::bigint) -> 'events'), json_array_length(arima_api.events(at_most => 2) -> 'events'),
	json_array_length(arima_api.events(series => 'page/a', kind => 'drift') -> 'events'), json_array_length(arima_api.events(series => 'nobody') -> 'events');
-- after an id page follows page, and none is left out
WITH RECURSIVE pages AS (
	SELECT 1 AS page, arima_api.events(after => 0, series => 'page/a', at_most => 1) -> 'events' AS events
	UNION ALL
	SELECT page + 1, arima_api.events(after => (events -> -1 ->> 'id')::bigint, series => 'page/a', at_most => 1) -> 'events' FROM pages WHERE json_array_length(events) > 0)
SELECT count(DISTINCT page) > 2 AS pages, array_agg((e ->> 'id')::bigint ORDER BY page, i) = (SELECT array_agg(id ORDER BY id) FROM arima_ops.events WHERE series = 'page/a') AS whole
FROM pages, json_array_elements(events) WITH ORDINALITY AS e (e, i);
SELECT (arima_api.events(series => 'page/a', at_most => 1) #>> '{events,0,id}')::bigint = max(id), (arima_api.events(0, 'page/a', at_most => 1) #>> '{events,0,id}')::bigint = min(id),
	(arima_api.events(min(id), 'page/a', 'drift', 1) #>> '{events,0,id}')::bigint = min(id) FILTER (WHERE kind = 'drift')
FROM arima_ops.events WHERE series = 'page/a';
-- nothing that changes while nothing happens: an ETag stays
SELECT md5(arima_api.overview()::text) = md5(arima_api.overview()::text), md5(arima_api.series_detail('page/a')::text) = (SELECT md5(arima_api.series_detail('page/a')::text) FROM pg_sleep(0.01));
-- a model with a regressor has no forecast of its own
INSERT INTO arima_ops.models (series, version, spec, model, trained_from, trained_to, n, data_hash)
SELECT 'page/a', 2, '(0,1,1)', arima_fit(array_agg(a.value ORDER BY a.ts), '(0,1,1)', array_agg(ARRAY[cos(extract(day FROM a.ts))] ORDER BY a.ts)), min(a.ts), max(a.ts), count(*), ''
FROM arima_ops.actuals AS a WHERE a.series = 'page/a';
SELECT arima_ops.page_fan(m, 3) ->> 'error' FROM arima_ops.models AS m WHERE m.series = 'page/a' AND m.status = 'candidate';
-- off, stale, wrong questions
UPDATE arima_ops.series SET calendar = 'daily' WHERE name = 'page/a';
UPDATE arima_ops.series SET active = false WHERE name = 'page none';
SELECT s ->> 'stale' FROM pg_temp.of('page/a') AS s;
SELECT pg_temp.of('page none') ->> 'health';
SELECT arima_api.series_detail('nobody');
SELECT arima_api.series_detail('page/a', 0);
SELECT arima_api.series_detail('page/a', horizon => 251);
SELECT arima_api.events(at_most => 1001);
-- sessions since the promotion are counted up to a bound
SELECT arima_ops.record_actuals('page/a', array_agg('2030-01-01 00:00Z'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + sin(i) ORDER BY i)) FROM generate_series(1, 1100) AS i;
SELECT (pg_temp.of('page/a') ->> 'age')::int, m.age > 1100 FROM arima_ops.monitoring AS m WHERE m.series = 'page/a';
UPDATE arima_ops.series SET active = false WHERE name LIKE 'page%';

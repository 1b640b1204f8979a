--
-- The aggregates arima_fit and arima_try_fit
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';

\i test/sql/include/attempt.sql

-- Three autocorrelated series; hashint4 is a noise that is the same everywhere.
CREATE TABLE aggregate_prices AS
SELECT ticker, day, close::float8, close::numeric(12,4) AS close_numeric, close::real AS close_real, round(close)::int AS close_int
FROM (
	SELECT chr(64 + s) AS ticker, date '2024-01-01' + i AS day,
		100 * s + sum(hashint4(s * 10000 + i) / 2147483648.0) OVER (PARTITION BY s ORDER BY i ROWS 3 PRECEDING) AS close
	FROM generate_series(1, 3) s, generate_series(1, 200) i) x;

-- the values arrive in the order of the call: the same model as from the array
SELECT ticker, arima_fit(close, '(1,0,1)' ORDER BY day)::text = arima_fit(array_agg(close ORDER BY day), '(1,0,1)')::text AS same,
	(arima_stats(arima_fit(close, '(1,0,1)' ORDER BY day))).n AS n
FROM aggregate_prices GROUP BY ticker ORDER BY ticker;
-- the other sorts by its time, whatever the order of the rows
SELECT ticker, arima_fit(close, '(1,0,1)' ORDER BY day)::text = arima_fit(day, close, '(1,0,1)')::text AS in_order,
	arima_fit(close, '(1,0,1)' ORDER BY day)::text = arima_fit(day, close, '(1,0,1)' ORDER BY day DESC)::text AS backwards,
	arima_fit(close, '(1,0,1)' ORDER BY day)::text = arima_fit(day, close, '(1,0,1)' ORDER BY hashint4(day - date '2000-01-01'))::text AS shuffled
FROM aggregate_prices GROUP BY ticker ORDER BY ticker;

-- the automatic choice, in the function as in the aggregates
SELECT ticker, fit = arima_fit(y, 'auto')::text AS same, fit = timed AS timed, seasonal = arima_fit(y, 'auto[5]')::text AS seasonal,
	(tried).model::text = fit AND (tried).error IS NULL AS tried, (timed_tried).model::text = seasonal AND (timed_tried).error IS NULL AS timed_tried
FROM (SELECT ticker, array_agg(close ORDER BY day) AS y, arima_fit(close, 'auto' ORDER BY day)::text AS fit, arima_fit(day, close, 'auto')::text AS timed,
		arima_fit(close, 'auto[5]' ORDER BY day)::text AS seasonal, arima_try_fit(close, 'auto' ORDER BY day) AS tried,
		arima_try_fit(day, close, 'auto[5]') AS timed_tried
	FROM aggregate_prices GROUP BY ticker) x ORDER BY ticker;

-- which function a call means, by the types of its columns
SELECT (arima_stats(arima_fit(close, '(1,0,0)'))).n AS float8, (arima_stats(arima_fit(close_numeric, '(1,0,0)'))).n AS "numeric",
	(arima_stats(arima_fit(close_real, '(1,0,0)'))).n AS real, (arima_stats(arima_fit(close_int, '(1,0,0)'))).n AS int
FROM aggregate_prices WHERE ticker = 'A';
SELECT (arima_stats(arima_fit(array_agg(close), '(1,0,0)'))).n AS float8, (arima_stats(arima_fit(array_agg(close_numeric), '(1,0,0)'))).n AS "numeric",
	(arima_stats(arima_fit(array_agg(close_real), '(1,0,0)'))).n AS real, (arima_stats(arima_fit(array_agg(close_int), '(1,0,0)'))).n AS int
FROM aggregate_prices WHERE ticker = 'A';
SELECT (arima_stats(arima_fit(day, close, '(1,0,0)'))).n AS date, (arima_stats(arima_fit(day::timestamp, close_numeric, '(1,0,0)'))).n AS "timestamp",
	(arima_stats(arima_fit(day::timestamptz, close_int, '(1,0,0)'))).n AS timestamptz
FROM aggregate_prices WHERE ticker = 'A';
-- a literal could be one value or an array, so its type must be said
SELECT left(pg_temp.attempt($$SELECT arima_fit('{3,1,4,1,5}', '(1,0,0)')$$), 5);

-- NULL is a missing value, a filtered row is none, and without rows there is no model
SELECT s.n, s.n_missing FROM (SELECT arima_fit(nullif(close_int, 101), '(1,0,0)' ORDER BY day) AS m FROM aggregate_prices WHERE ticker = 'A') x, arima_stats(m) s;
SELECT s.n, s.n_missing FROM (SELECT arima_fit(day, close, '(1,0,0)') FILTER (WHERE day > '2024-03-01') AS m FROM aggregate_prices WHERE ticker = 'A') x, arima_stats(m) s;
SELECT arima_fit(close, '(1,0,0)') IS NULL AS fit, arima_fit(day, close, '(1,0,0)') IS NULL AS timed,
	arima_try_fit(close, '(1,0,0)') IS NULL AS try, arima_try_fit(day, close, '(1,0,0)') IS NULL AS try_timed
FROM aggregate_prices WHERE false;

-- what a row can do wrong
\pset format unaligned
SELECT call, pg_temp.attempt('SELECT ' || call || ' FROM aggregate_prices WHERE ticker < ''C''')
FROM unnest(ARRAY[
	$$arima_fit(day, close, '(1,0,0)')$$,
	$$arima_fit(day, close, '(1,0,0)' ORDER BY close)$$,
	$$arima_fit(nullif(day, '2024-02-03'), close, '(1,0,0)')$$,
	$$arima_fit(CASE day WHEN '2024-02-03' THEN 'infinity' ELSE day END, close, '(1,0,0)')$$,
	$$arima_fit(close, CASE day WHEN '2024-02-03' THEN '(1,0,1)' ELSE '(1,0,0)' END)$$,
	$$arima_fit(close, CASE day WHEN '2024-02-03' THEN '(1,0,0) with mean' ELSE '(1,0,0)' END)$$,
	$$arima_fit(close, CASE day WHEN '2024-02-03' THEN NULL ELSE '(1,0,0)' END)$$,
	$$arima_fit(close, NULL::text)$$,
	$$arima_fit(close, '(1,0')$$,
	$$arima_fit(close, 'auto[367]')$$,
	$$arima_fit(CASE day WHEN '2024-02-03' THEN 'infinity' ELSE close END, '(1,0,0)')$$]) call;

\pset format aligned
-- one bad series does not spoil the others
INSERT INTO aggregate_prices (ticker, day, close)
VALUES ('D', '2024-01-01', 1), ('D', '2024-01-02', 2),
	('E', '2024-01-01', 1), ('E', '2024-01-01', 2), ('E', '2024-01-03', 4),
	('F', NULL, 1),
	('G', '2024-01-01', 1), ('G', '2024-01-02', 'infinity'), ('G', '2024-01-03', 1), ('G', '2024-01-04', 2);
SELECT ticker, (result).model IS NOT NULL AS model, (result).error
FROM (SELECT ticker, arima_try_fit(day, close, '(2,0,1)') AS result FROM aggregate_prices GROUP BY ticker) x ORDER BY ticker;
SELECT ticker, (result).model IS NOT NULL AS model, (result).error
FROM (SELECT ticker, arima_try_fit(close, CASE ticker WHEN 'C' THEN '(2,0' WHEN 'B' THEN NULL ELSE '(2,0,1)' END ORDER BY day) AS result
	FROM aggregate_prices GROUP BY ticker) x ORDER BY ticker;
SELECT pg_temp.attempt('SELECT arima_fit(day, close, ''(2,0,1)'') FROM aggregate_prices GROUP BY ticker HAVING ticker = ''D''');
-- the model of a good series is that of arima_fit; both share the collected rows
SELECT ticker, ((arima_try_fit(day, close, '(1,0,1)')).model)::text = arima_fit(day, close, '(1,0,1)')::text AS same
FROM aggregate_prices WHERE ticker < 'D' GROUP BY ticker ORDER BY ticker;
-- too little memory allowed is the series' fault too, and says so
SET arima_ops.max_fit_memory = '64kB';
SELECT regexp_replace((arima_try_fit(sin(i), '(1,1,1)')).error, '[0-9]{6,}', 'N') FROM generate_series(1, 100000) i;
RESET arima_ops.max_fit_memory;

-- over a window frame the states live on between the calls
SELECT day, (arima_stats((r).model)).n, ((r).model)::text = arima_fit(w, '(1,0,0)')::text AS same
FROM (
	SELECT day, arima_try_fit(day, close, '(1,0,0)') OVER frame AS r, array_agg(close) OVER frame AS w
	FROM aggregate_prices WHERE ticker = 'A' WINDOW frame AS (ORDER BY day ROWS 50 PRECEDING)) x
WHERE day IN ('2024-02-01', '2024-02-20', '2024-03-20', '2024-07-18') ORDER BY day;
-- there too when the rows come backwards, so that each call sorts anew
SELECT day, (arima_stats((r).model)).n, ((r).model)::text = arima_fit(w, '(1,0,0)')::text AS same
FROM (
	SELECT day, arima_try_fit(day, close, '(1,0,0)') OVER (ORDER BY day DESC) AS r,
		array_agg(close) OVER (ORDER BY day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS w
	FROM aggregate_prices WHERE ticker = 'A') x
WHERE day IN ('2024-07-01', '2024-03-20', '2024-01-02') ORDER BY day;

-- parallel: partial aggregation in workers, combined in the leader
CREATE TABLE aggregate_many AS
SELECT s, timestamptz '2024-01-01' + i * interval '1 hour' AS t,
	sum(hashint4(s * 10000 + i) / 2147483648.0) OVER (PARTITION BY s ORDER BY i ROWS 3 PRECEDING)::float8 AS y
FROM generate_series(1, 8) s, generate_series(1, 4000) i;
ALTER TABLE aggregate_many SET (parallel_workers = 2);
VACUUM ANALYZE aggregate_many;
CREATE TEMP TABLE serial AS SELECT s, arima_fit(t, y, '(1,0,1)')::text AS model FROM aggregate_many GROUP BY s;

SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;

-- The node types of a statement's plan that tell how it is aggregated.
CREATE FUNCTION pg_temp.plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		IF line ~ 'Aggregate|Gather|Scan|Append' THEN
			RETURN NEXT regexp_replace(trim(line), '^-> +| on .*', '', 'g');
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.plan($$SELECT arima_fit(t, y, '(1,0,1)') FROM aggregate_many$$);
SELECT line FROM pg_temp.plan($$SELECT s, arima_fit(t, y, '(1,0,1)') FROM aggregate_many GROUP BY s$$) line WHERE line ~ 'Partial|Parallel';
CREATE TEMP TABLE parallel AS SELECT s, arima_fit(t, y, '(1,0,1)')::text AS model FROM aggregate_many GROUP BY s;
SELECT count(*), count(*) FILTER (WHERE p.model = s.model) AS same FROM parallel p JOIN serial s USING (s);
-- what goes wrong in a worker is reported all the same
SELECT pg_temp.attempt($$SELECT arima_fit(t, y, '(1,0,1)') FROM aggregate_many$$);
SELECT pg_temp.attempt($$SELECT arima_fit(nullif(t, '2024-01-05'), y, '(1,0,1)') FROM aggregate_many WHERE s = 1$$);
SELECT pg_temp.attempt($$SELECT arima_fit(t, y, format('(1,0,%s)', s % 2)) FROM aggregate_many WHERE s < 3$$);
SELECT s, (result).model IS NOT NULL AS model, (result).error
FROM (SELECT s / 2 AS s, arima_try_fit(t, y, '(1,0,1)') AS result FROM aggregate_many GROUP BY s / 2) x ORDER BY s;
-- a group without rows in one of the workers, and one without any
SELECT count(*), count(model) FROM (SELECT arima_fit(t, y, '(1,0,1)') FILTER (WHERE s = 1) AS model FROM aggregate_many GROUP BY s) x;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;

-- only the aggregates that know the time can be combined
SELECT aggfnoid::regprocedure, aggcombinefn <> 0 AS partial, proparallel
FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid
WHERE proname IN ('arima_fit', 'arima_try_fit') ORDER BY aggfnoid::regprocedure::text COLLATE "C";

-- the longest series that is taken, and one value more
SELECT pg_temp.attempt('SELECT arima_fit(i, ''(0,0,0)'') FROM (SELECT generate_series(1, 10000001)) x (i)');

-- the functions behind the aggregates are not to be called: no such function for such arguments
-- (42883), or in PostgreSQL 13 no such arguments (0A000)
SELECT call, regexp_replace(pg_temp.attempt('SELECT ' || call), '^(42883|0A000) .*', 'refused') AS outcome
FROM unnest(ARRAY['arima_fit_accum(NULL, 1, ''(0,0,0)'')', 'arima_fit_timed_accum(NULL, now(), 1, ''(0,0,0)'')',
	'arima_fit_final(NULL)', 'arima_try_fit_final(NULL)', 'arima_fit_timed_serialize(NULL)', 'arima_fit_timed_deserialize('''', NULL)']) call;

DROP TABLE aggregate_prices, aggregate_many;

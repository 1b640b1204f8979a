--
-- arima_fit_all: many series by parallel workers
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt.sql

-- 100 series of 10 to 100 values; one has an infinite value, one a single one
CREATE TEMP TABLE measured AS
SELECT k, i, CASE WHEN k = 77 AND i = 3 THEN 'Infinity' ELSE sum(hashint4(k * 1000 + i) / 2147483648.0) OVER (PARTITION BY k ORDER BY i)::float8 END AS value
FROM generate_series(1, 100) k, generate_series(1, 100) i WHERE i <= 10 + k % 91 AND (k <> 33 OR i = 1);
CREATE TEMP VIEW histories AS SELECT k, array_agg(value ORDER BY i) AS y FROM measured GROUP BY k;
CREATE TEMP TABLE serial AS
SELECT k, (fit).model::text, (fit).error FROM (SELECT k, arima_try_fit(value, 'auto[4]' ORDER BY i) AS fit FROM measured GROUP BY k) x;

-- the models and errors of arima_try_fit, with every number of workers
SELECT wanted, count(*), count(a.model) AS models, count(a.error) AS errors,
	bool_and(a.model::text IS NOT DISTINCT FROM s.model AND a.error IS NOT DISTINCT FROM s.error) AS same
FROM unnest(ARRAY[0, 1, 2, 5, NULL]) wanted, arima_fit_all('SELECT * FROM histories', 'auto[4]', wanted, NULL) a JOIN serial s ON s.k = a.key::int
GROUP BY wanted ORDER BY wanted;
SELECT key, model IS NULL AS none, error FROM arima_fit_all('TABLE histories', '(1,0,0)') WHERE error IS NOT NULL ORDER BY key COLLATE "C";
-- the specification that is left out is auto
SELECT bool_and(a.model::text = arima_fit(y)::text) AS auto FROM arima_fit_all('SELECT * FROM histories WHERE k < 5') a JOIN histories ON k = key::int;
-- series longer than a queue
SELECT key, (arima_stats(model)).n FROM arima_fit_all('SELECT n, array_agg(sin(i)) FROM (VALUES (30000), (5), (50000)) v (n), generate_series(1, n) i GROUP BY n', '(0,0,0)', 2, NULL)
ORDER BY key::int;
-- models larger than a queue
SELECT key, pg_column_size(model) > 131072 AS large FROM arima_fit_all('SELECT k, (SELECT array_agg(CASE WHEN i % 9 > 0 THEN sin(k * i * i) END ORDER BY i) FROM generate_series(1, 450) i)
	FROM generate_series(1, 2) k', '(0,1,0)(0,1,0)[200]', 2, NULL) ORDER BY key;
-- quick ones, of which a worker has many before it and answers many at once, with slow and long ones among them
CREATE TEMP VIEW mixed AS SELECT k, (SELECT array_agg(sin(k * sqrt(i))) FROM generate_series(1, CASE WHEN k % 250 = 0 THEN 20000 ELSE 1 + k % 23 END) i) AS y
FROM generate_series(1, 2000) k;
SELECT wanted, count(*), count(DISTINCT key) AS keys, count(error) AS errors, bool_and(CASE WHEN cardinality(y) = 1 THEN error ~ 'too few' ELSE a.model::text = arima_fit(y, '(0,1,0)')::text END) AS same
FROM unnest(ARRAY[0, 1, 2]) wanted, arima_fit_all('TABLE mixed', '(0,1,0)', wanted, NULL) a JOIN mixed ON k = key::int GROUP BY wanted ORDER BY wanted;
-- what waits behind a slow one goes to the worker that has nothing left to do
SELECT count(*), max(n) FILTER (WHERE key = '0') AS slow_one FROM arima_fit_all('SELECT k, (SELECT array_agg(CASE WHEN k = 0 THEN 10 * sin(i / 2.0) + hashint4(i) / 1e9 ELSE k END ORDER BY i)
	FROM generate_series(1, CASE WHEN k = 0 THEN 1500 ELSE 5 END) i) FROM generate_series(0, 200) k ORDER BY k', 'auto[12]', 2, NULL) WITH ORDINALITY AS a (key, model, error, n);
-- no rows; the same key again; no key; no series; series that are none
SELECT count(*) FROM arima_fit_all('SELECT 1, ''{}''::float8[] WHERE false');
SELECT key, (arima_stats(model)).n, error
FROM arima_fit_all($$SELECT * FROM (VALUES ('a', '{3,1,4,1,5}'::float8[]), ('a', '{3,1,4,1,5,9}'), (NULL, '{3,1,4,1,NULL,9,2}'), ('d', NULL), ('e', '{}'), ('f', '{{3,1},{4,1}}')) v$$, '(0,0,0)', 2)
ORDER BY key, n, error COLLATE "C";
-- an array of other numbers, or of a domain: as in a call of arima_fit
CREATE DOMAIN pg_temp.price AS numeric;
CREATE DOMAIN pg_temp.history AS float8[];
SELECT type, count(*), bool_and(a.model::text = (arima_fit(round(y[1])::float8 || '{3,NULL,NaN,4,1,6}'::float8[], '(0,0,0)'))::text) AS same
FROM unnest(ARRAY['float8[]', 'numeric[]', 'pg_temp.price[]', 'pg_temp.history', 'real[]']) AS type,
	arima_fit_all(format($$SELECT k, (round(y[1])::float8 || '{3,NULL,NaN,4,1,6}'::float8[])::%s FROM histories WHERE k < 5$$, type), '(0,0,0)', 2) AS a JOIN histories ON k = key::int
GROUP BY type ORDER BY type COLLATE "C";
SELECT type, (arima_stats(model)).n, (arima_stats(model)).n_missing
FROM unnest(ARRAY['int', 'bigint', 'smallint']) AS type, arima_fit_all(format('SELECT 1, ARRAY[3,1,NULL,4,1,5]::%s[]', type), '(0,0,0)') ORDER BY type COLLATE "C";
SELECT key, error FROM arima_fit_all($$VALUES (1, '{{3,1},{4,1}}'::numeric[]), (2, '{}'), (3, NULL)$$, '(0,0,0)', 1) ORDER BY key;

-- a notice after each series, where it is asked for
SELECT count(*) FROM arima_fit_all('SELECT * FROM histories WHERE k IN (1, 2, 33)', '(0,0,0)', 1, report_seconds => 0);
SELECT count(*) FROM arima_fit_all('SELECT * FROM histories WHERE k IN (1, 2, 33)', '(0,0,0)', 1, report_seconds => NULL);

-- in statements that write, in a function, and more than once in one
CREATE TEMP TABLE models AS SELECT key::int, model FROM arima_fit_all('SELECT * FROM histories WHERE k < 10', '(0,1,1)', 2);
INSERT INTO models SELECT key::int + 100, model FROM arima_fit_all('SELECT * FROM histories WHERE k < 10', '(0,1,1)', 2);
UPDATE models SET model = a.model FROM arima_fit_all('SELECT * FROM histories WHERE k < 10', '(0,1,0)', 2) a WHERE a.key::int = models.key;
SELECT (arima_stats(model)).spec, count(*) FROM models GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM arima_fit_all('SELECT * FROM histories WHERE k < 4', '(0,1,1)', 1) a, arima_fit_all('SELECT * FROM histories WHERE k < 5', '(0,1,0)', 1) b;
SELECT count(*) FROM arima_fit_all($$SELECT key, array_agg(h.y[1]) FROM arima_fit_all('SELECT * FROM histories WHERE k < 4', '(0,1,1)', 1), histories h GROUP BY key$$, '(0,0,0)', 1);
-- the query sees what its transaction has written
BEGIN;
DELETE FROM measured WHERE k > 3;
SELECT count(*) FROM arima_fit_all('SELECT * FROM histories', '(0,1,1)', 2);
ROLLBACK;

\pset format unaligned
-- what is refused, and leaves the session as it was
SELECT arguments, pg_temp.attempt('SELECT count(*) FROM arima_fit_all(' || arguments || ')')
FROM unnest(ARRAY[
	$$'SELECT * FROM histories', '(1,0'$$,
	$$'SELECT * FROM histories', NULL$$,
	$$NULL$$,
	$$'SELECT * FROM histories', workers => -1$$,
	$$'SELECT * FROM histories', workers => 1025$$,
	$$'SELECT * FROM histories', report_seconds => -1$$,
	$$'SELECT * FROM histories', report_seconds => 'NaN'$$,
	$$'SELECT k FROM histories'$$,
	$$'SELECT k, k FROM histories'$$,
	$$'SELECT k, y, k FROM histories'$$,
	$$'SELECT k, y::text[] FROM histories'$$,
	$$'SELECT k FROM no_such_table'$$,
	$$''$$,
	$$'SELECT 1, array[1.0::float8]; SELECT 2'$$,
	$$'DELETE FROM measured'$$,
	$$'DELETE FROM measured RETURNING k, array[value]'$$,
	$$'INSERT INTO measured VALUES (1, 1, 1) RETURNING k, array[value]'$$,
	$$'UPDATE measured SET i = 0 RETURNING k, array[value]'$$,
	$$'WITH d AS (DELETE FROM measured RETURNING k) SELECT k, array[1.0::float8] FROM d'$$,
	$$'SELECT k, array[value] FROM measured FOR UPDATE'$$,
	$$'SELECT k, array[1 / (k - 50)]::float8[] FROM histories', '(0,0,0)', 2$$]) arguments;
-- nor may functions of the query write; how that is told is the server's
SELECT arguments, pg_temp.attempt('SELECT count(*) FROM arima_fit_all(' || arguments || ')') ~ '^[0-9A-Z]{5} ' AS refused
FROM unnest(ARRAY[
	$$'SELECT txid_current(), y FROM histories', '(0,0,0)', 2$$]) arguments;
SELECT count(*) FROM measured WHERE k < 4;
SELECT count(*) FROM arima_fit_all('SELECT * FROM histories WHERE k < 10', '(0,1,1)', 2);

-- without it: a table partitioned by hash of the key is fitted in parallel where the planner may
CREATE TABLE fit_all_parts (k int, i int, value float8) PARTITION BY HASH (k);
CREATE TABLE fit_all_part_0 PARTITION OF fit_all_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE fit_all_part_1 PARTITION OF fit_all_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO fit_all_parts SELECT k, i, sin(k * i * i) FROM generate_series(1, 300) k, generate_series(1, 60) i;
ANALYZE fit_all_parts;
SET enable_partitionwise_aggregate = on;
-- Nodes of a plan of interest, from the top.
CREATE FUNCTION pg_temp.plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		IF line ~ 'Gather|Append|Aggregate' THEN
			RETURN NEXT regexp_replace(trim(line), '^-> +|Hash|Group| Merge', '', 'g');
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.plan($$SELECT k, arima_fit(value, 'auto' ORDER BY i) FROM fit_all_parts GROUP BY k$$);
-- and so is a function of the key that reads its series, over a table of keys
CREATE TABLE fit_all_keys WITH (parallel_workers = 2) AS SELECT k, repeat('x', 500) AS more FROM generate_series(1, 300) k;
ANALYZE fit_all_keys;
CREATE FUNCTION fit_all_one(wanted int) RETURNS arima_model LANGUAGE sql STABLE PARALLEL SAFE COST 10000 AS
'SELECT arima_fit(value, ''(0,0,0)'' ORDER BY i) FROM fit_all_parts WHERE k = wanted';
CREATE FUNCTION pg_temp.has_gather(statement text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		IF line ~ 'Gather' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
SELECT pg_temp.has_gather($$SELECT k, fit_all_one(k) FROM fit_all_keys$$) AS parallel;
-- in a worker, where a label that is not true brings it, it has no workers of its own
CREATE FUNCTION fit_all_led(wanted int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE COST 10000 AS $$
BEGIN
	PERFORM pg_stat_clear_snapshot();
	RETURN (SELECT max(nullif(key, ''))::int FROM arima_fit_all($sql$
		VALUES (pg_sleep(0.2)::text, array[1.0::float8]),
			((SELECT count(*) FROM pg_stat_activity WHERE leader_pid = pg_backend_pid())::text, array[1.0])$sql$, '(0,0,0)', 2));
END $$;
SET parallel_leader_participation = off;
SELECT pg_temp.has_gather($$SELECT k, fit_all_led(k) FROM fit_all_keys$$) AS parallel;
SELECT led FROM (SELECT CASE WHEN k % 150 = 0 THEN fit_all_led(k) END AS led FROM fit_all_keys) AS asked WHERE led IS NOT NULL;
DROP FUNCTION fit_all_one, fit_all_led;
DROP TABLE fit_all_parts, fit_all_keys;

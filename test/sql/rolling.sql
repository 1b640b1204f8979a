--
-- rolling_rmse, rolling_mae, rolling_mape, rolling_smape, rolling_bias
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

-- ---- definitions ----

-- errors -1, -2, 0
SELECT rolling_rmse(f, a) AS rmse, sqrt(5 / 3.0::float8) AS "sqrt(5/3)",
	rolling_mae(f, a) AS mae, rolling_mape(f, a) AS mape,
	rolling_smape(f, a) AS smape, rolling_bias(f, a) AS bias
FROM (VALUES (1.0::float8, 2.0::float8), (2, 4), (3, 3)) v(f, a);

-- pairs of zeros, zero actuals, negative actuals
SELECT rolling_mape(f, a) AS mape, rolling_smape(f, a) AS smape
FROM (VALUES (0.0::float8, 0.0::float8), (1, 0), (-1, -2)) v(f, a);

-- rows with a NULL do not count; no row at all is NULL
SELECT rolling_rmse(f, a), rolling_mae(f, a), rolling_mape(f, a), rolling_smape(f, a), rolling_bias(f, a)
FROM (VALUES (NULL::float8, 1.0::float8), (5, 4), (3, NULL), (NULL, NULL)) v(f, a);
SELECT rolling_rmse(f, a), rolling_mae(f, a), rolling_mape(f, a), rolling_smape(f, a), rolling_bias(f, a)
FROM (VALUES (NULL::float8, 1.0::float8), (3, NULL)) v(f, a);
SELECT rolling_rmse(f, a), rolling_mae(f, a), rolling_mape(f, a), rolling_smape(f, a), rolling_bias(f, a)
FROM (VALUES (1.0::float8, 1.0::float8)) v(f, a) WHERE false;
SELECT rolling_mape(f, 0) AS all_actuals_zero, rolling_mape(f, 2) FILTER (WHERE f < 0) AS filtered_away,
	rolling_mae(DISTINCT f, 0) AS of_distinct
FROM (VALUES (1.0::float8), (1), (4)) v(f);

-- any numbers are taken
SELECT rolling_rmse(1.5::numeric, 2::numeric) AS numerics, rolling_mae(3, 1) AS ints,
	rolling_mape(2::bigint, 1.6) AS mixed, rolling_smape(1::real, 3::smallint) AS smaller,
	pg_typeof(rolling_bias(1, 2)) AS result;

-- a square or a sum beyond double is no obstacle; an error beyond it is infinite
SELECT rolling_rmse(f, 0) AS rmse, rolling_mae(f, 0) AS mae, rolling_bias(f, 0) AS bias
FROM (VALUES (1.5e308::float8), (-1.5e308), (1.5e308)) v(f);
SELECT rolling_rmse(1e-300, 3e-300) AS tiny, rolling_rmse(1.5e308, -1.5e308) AS rmse,
	rolling_bias(-1.5e308, 1.5e308) AS bias, rolling_mape(1.5e308, -1.5e308) AS mape,
	rolling_smape(1.5e308, -1.5e308) AS smape;
SELECT f, a, rolling_rmse(f, a) AS rmse, rolling_mae(f, a) AS mae, rolling_mape(f, a) AS mape,
	rolling_smape(f, a) AS smape, rolling_bias(f, a) AS bias
FROM (VALUES ('NaN'::float8, 1.0::float8), (1, 'NaN'), ('Infinity', 1), ('-Infinity', 1),
	(1, 'Infinity'), ('Infinity', 'Infinity')) v(f, a)
GROUP BY f, a ORDER BY f, a;

-- ---- what leaves the frame leaves no trace: after each outlier, its neighbours again ----

SELECT t, f, rolling_rmse(f, 100) OVER w AS rmse, rolling_mae(f, 100) OVER w AS mae,
	rolling_mape(f, 100) OVER w AS mape, rolling_smape(f, 100) OVER w AS smape,
	rolling_bias(f, 100) OVER w AS bias
FROM (VALUES (1, 101::float8), (2, 1e12), (3, 99), (4, 101), (5, 'NaN'), (6, 99), (7, 101),
	(8, 'Infinity'), (9, '-Infinity'), (10, 99), (11, 101), (12, NULL), (13, 99), (14, 101),
	(15, 1e300), (16, 99), (17, 101), (18, NULL), (19, NULL)) v(t, f)
WINDOW w AS (ORDER BY t ROWS 1 PRECEDING) ORDER BY t;

-- ---- every kind of frame against a recomputation of each frame ----

-- steps of 1/64, so that recomputation in numeric is exact; gaps and ties in t
CREATE TABLE rolling_rows AS
SELECT i, i % 3 AS series, i / 3 + i / 40 - i / 56 AS t,
	CASE WHEN i % 31 = 3 THEN NULL WHEN i % 43 = 4 THEN 0 WHEN i % 101 = 7 THEN 'NaN'::float8
		WHEN i % 113 = 8 THEN 'Infinity'::float8 ELSE 100 + (i * 7919 % 1009) / 64.0 END AS a,
	CASE WHEN i % 37 = 3 THEN NULL WHEN i % 43 = 4 AND i % 2 = 0 THEN 0 WHEN i % 41 = 1 THEN 1e12
		WHEN i % 53 = 5 THEN 'NaN'::float8 WHEN i % 67 = 9 THEN 'Infinity'::float8 WHEN i % 89 = 10 THEN '-Infinity'::float8
		WHEN i % 97 = 11 THEN -1e300 ELSE 100 + (i * 104729 % 997) / 64.0 END AS f
FROM generate_series(1, 300) i;

-- A metric by its definition, in numeric arithmetic where the terms are finite.
CREATE FUNCTION rolling_recomputed(metric text, forecasts float8[], actuals float8[])
RETURNS float8
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	RETURN (
	SELECT CASE
		WHEN count(*) = 0 THEN NULL
		WHEN bool_or(x = 'NaN') OR (bool_or(x = 'Infinity') AND bool_or(x = '-Infinity')) THEN 'NaN'
		WHEN bool_or(x = 'Infinity') THEN 'Infinity'
		WHEN bool_or(x = '-Infinity') THEN '-Infinity'
		WHEN metric = 'rmse' THEN sqrt(avg(x::numeric * x::numeric) FILTER (WHERE abs(x) < 'Infinity'))::float8
		ELSE (avg(x::numeric) FILTER (WHERE abs(x) < 'Infinity'))::float8
	END
	FROM (
		SELECT CASE metric
			WHEN 'bias' THEN f - a
			WHEN 'mape' THEN 100 * abs(f - a) / abs(a)
			WHEN 'smape' THEN CASE WHEN f = 0 AND a = 0 THEN 0 ELSE 200 * abs(f - a) / (abs(f) + abs(a)) END
			ELSE abs(f - a)
		END AS x
		FROM unnest(forecasts, actuals) AS pair(f, a)
		WHERE f IS NOT NULL AND a IS NOT NULL AND (metric <> 'mape' OR a <> 0)
	) term);
END
$$;

-- Equal to 1e-12 relative; NULL, NaN and the infinities only to themselves.
CREATE FUNCTION rolling_agrees(got float8, want float8)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE
		WHEN got IS NULL OR want IS NULL THEN got IS NULL AND want IS NULL
		WHEN 'NaN' IN (got, want) OR 'Infinity' IN (abs(got), abs(want)) THEN got = want
		ELSE abs(got - want) <= 1e-12 * abs(want)
	END
$$;
SELECT rolling_agrees(1, 1 + 1e-11), rolling_agrees(1, 1 + 1e-13), rolling_agrees(1, 'NaN'),
	rolling_agrees('NaN', 1), rolling_agrees('NaN', 'NaN'), rolling_agrees(NULL, 0),
	rolling_agrees('Infinity', '-Infinity'), rolling_agrees('Infinity', 1), rolling_agrees(1, 'Infinity');

-- For each frame: rows, how many kinds of result each metric had, results that
-- are not the recomputed ones, and results that differ in any bit from the
-- aggregate of just the rows of the frame.
CREATE FUNCTION rolling_check_frame(frame text, OUT checked bigint, OUT nulls bigint, OUT nans bigint,
	OUT infinite bigint, OUT huge bigint, OUT wrong bigint, OUT other_bits bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	metric text;
	one record;
BEGIN
	checked := 0; nulls := 0; nans := 0; infinite := 0; huge := 0; wrong := 0; other_bits := 0;
	FOREACH metric IN ARRAY ARRAY['rmse', 'mae', 'mape', 'smape', 'bias'] LOOP
		EXECUTE format($q$
			SELECT count(*) AS n,
				count(*) FILTER (WHERE got IS NULL) AS nulls,
				count(*) FILTER (WHERE got = 'NaN') AS nans,
				count(*) FILTER (WHERE abs(got) = 'Infinity') AS infinite,
				count(*) FILTER (WHERE abs(got) > 1e9 AND abs(got) < 'Infinity') AS huge,
				count(*) FILTER (WHERE NOT rolling_agrees(got, rolling_recomputed(%1$L, fs, acts))) AS wrong,
				count(*) FILTER (WHERE float8send(got) IS DISTINCT FROM
					(SELECT float8send(rolling_%1$s(f, a)) FROM unnest(fs, acts) pair(f, a))) AS other_bits
			FROM (
				SELECT rolling_%1$s(f, a) OVER w AS got, array_agg(f) OVER w AS fs, array_agg(a) OVER w AS acts
				FROM rolling_rows
				WINDOW w AS (PARTITION BY series ORDER BY t %2$s)
			) framed $q$, metric, frame) INTO one;
		checked := checked + one.n;
		nulls := nulls + one.nulls;
		nans := nans + one.nans;
		infinite := infinite + one.infinite;
		huge := huge + one.huge;
		wrong := wrong + one.wrong;
		other_bits := other_bits + one.other_bits;
	END LOOP;
END
$$;

SELECT frame, checked, nulls > 0 AS nulls, nans > 0 AS nans, infinite > 0 AS infinite, huge > 0 AS huge,
	wrong, other_bits
FROM unnest(ARRAY[
	'ROWS 13 PRECEDING',
	'ROWS 2 PRECEDING',
	'ROWS BETWEEN CURRENT ROW AND CURRENT ROW',
	'ROWS BETWEEN 5 PRECEDING AND 3 FOLLOWING',
	'ROWS BETWEEN 12 PRECEDING AND 10 PRECEDING',
	'ROWS BETWEEN 2 FOLLOWING AND 4 FOLLOWING',
	'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
	'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW',
	'RANGE BETWEEN 4 PRECEDING AND 1 FOLLOWING',
	'RANGE BETWEEN 3 PRECEDING AND 2 PRECEDING',
	'RANGE CURRENT ROW',
	'GROUPS BETWEEN 3 PRECEDING AND 1 FOLLOWING',
	'GROUPS BETWEEN 1 FOLLOWING AND 2 FOLLOWING',
	'ROWS 5 PRECEDING EXCLUDE CURRENT ROW',
	'RANGE BETWEEN 3 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP',
	'GROUPS 3 PRECEDING EXCLUDE TIES']) WITH ORDINALITY AS list(frame, i),
	rolling_check_frame(frame)
ORDER BY i;

-- one row in, one row out: a frame of 25,000 rows over 50,000 takes no longer
-- than a short one; summed anew for every row it would take a minute
SET statement_timeout = '10s';
SELECT count(rmse) AS rows, max(rmse) AS rmse
FROM (SELECT rolling_rmse(i + 3, i) OVER (ORDER BY i ROWS 25000 PRECEDING) AS rmse
	FROM generate_series(1, 50000) i) framed;
RESET statement_timeout;

-- ---- order, partial aggregation, parallel plans: the same bits ----

SELECT count(DISTINCT (float8send(rmse), float8send(mae), float8send(mape), float8send(smape), float8send(bias))) AS results
FROM (
	SELECT rolling_rmse(f, a ORDER BY f) AS rmse, rolling_mae(f, a ORDER BY f) AS mae,
		rolling_mape(f, a ORDER BY f) AS mape, rolling_smape(f, a ORDER BY f) AS smape,
		rolling_bias(f, a ORDER BY f) AS bias
	FROM rolling_rows WHERE abs(f) < 'Infinity' AND abs(a) < 'Infinity'
	UNION ALL
	SELECT rolling_rmse(f, a ORDER BY f DESC), rolling_mae(f, a ORDER BY f DESC),
		rolling_mape(f, a ORDER BY f DESC), rolling_smape(f, a ORDER BY f DESC),
		rolling_bias(f, a ORDER BY f DESC)
	FROM rolling_rows WHERE abs(f) < 'Infinity' AND abs(a) < 'Infinity'
	UNION ALL
	SELECT rolling_rmse(f, a ORDER BY md5(i::text)), rolling_mae(f, a ORDER BY md5(i::text)),
		rolling_mape(f, a ORDER BY md5(i::text)), rolling_smape(f, a ORDER BY md5(i::text)),
		rolling_bias(f, a ORDER BY md5(i::text))
	FROM rolling_rows WHERE abs(f) < 'Infinity' AND abs(a) < 'Infinity'
) v;

-- group 0: everything; 1: finite, two huge rows; 2: tame; 3: NULLs but for one
-- row; 4: NULLs; 5: infinite
CREATE TABLE rolling_many AS
SELECT i, i % 6 AS kind,
	CASE WHEN i % 6 = 4 OR (i % 6 = 3 AND i <> 10005) THEN NULL
		WHEN i % 6 = 0 AND i % 60 = 0 THEN 'NaN'::float8
		WHEN i IN (6001, 12001) THEN 1e300
		WHEN i % 6 = 5 AND i % 300 = 5 THEN 'Infinity'::float8
		ELSE 100 + sin(i) END AS f,
	100 + cos(i) AS a
FROM generate_series(1, 20000) i;
ALTER TABLE rolling_many SET (parallel_workers = 2);
ANALYZE rolling_many;
CREATE VIEW rolling_by_kind AS
SELECT kind, rolling_rmse(f, a) AS rmse, rolling_mae(f, a) AS mae, rolling_mape(f, a) AS mape,
	rolling_smape(f, a) AS smape, rolling_bias(f, a) AS bias
FROM rolling_many GROUP BY kind;
CREATE VIEW rolling_whole AS
SELECT rolling_rmse(f, a) AS rmse, rolling_mae(f, a) AS mae, rolling_mape(f, a) AS mape,
	rolling_smape(f, a) AS smape, rolling_bias(f, a) AS bias
FROM rolling_many WHERE kind IN (1, 2, 3, 4);

SET max_parallel_workers_per_gather = 0;
CREATE TABLE rolling_serial AS
SELECT * FROM rolling_by_kind UNION ALL SELECT -1, w.* FROM rolling_whole w;
-- what there is to compare
SELECT kind, rmse IS NULL AS "null", rmse = 'NaN' AS nan, rmse = 'Infinity' AS infinite,
	rmse > 1e290 AND rmse < 'Infinity' AS huge, abs(mae - 0.9) < 0.05 AS tame
FROM rolling_serial ORDER BY kind;

SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
-- the nodes of a plan that aggregate or gather
CREATE FUNCTION rolling_plan(statement text)
RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		IF line ~ 'Aggregate|Gather|Seq Scan' THEN
			RETURN NEXT regexp_replace(line, '^[ >-]*', '');
		END IF;
	END LOOP;
END
$$;
SELECT * FROM rolling_plan('CREATE TABLE rolling_parallel AS SELECT * FROM rolling_by_kind');
SELECT * FROM rolling_plan('CREATE TABLE rolling_parallel_whole AS SELECT -1 AS kind, w.* FROM rolling_whole w');
CREATE TABLE rolling_parallel AS SELECT * FROM rolling_by_kind;
CREATE TABLE rolling_parallel_whole AS SELECT -1 AS kind, w.* FROM rolling_whole w;
SELECT count(*) AS compared, count(*) FILTER (WHERE
		(float8send(s.rmse), float8send(s.mae), float8send(s.mape), float8send(s.smape), float8send(s.bias))
		IS DISTINCT FROM
		(float8send(p.rmse), float8send(p.mae), float8send(p.mape), float8send(p.smape), float8send(p.bias))) AS differ
FROM rolling_serial s
JOIN (SELECT * FROM rolling_parallel UNION ALL SELECT * FROM rolling_parallel_whole) p USING (kind);

-- bytes that are not a state, here from serialization functions of other
-- aggregates, are refused
CREATE AGGREGATE rolling_forged(int8) (
	SFUNC = int8_avg_accum, STYPE = internal, PARALLEL = SAFE, COMBINEFUNC = rolling_combine,
	SERIALFUNC = int8_avg_serialize, DESERIALFUNC = rolling_deserialize, FINALFUNC = rolling_mean_final);
CREATE AGGREGATE rolling_forged(numeric) (
	SFUNC = numeric_accum, STYPE = internal, PARALLEL = SAFE, COMBINEFUNC = rolling_combine,
	SERIALFUNC = numeric_serialize, DESERIALFUNC = rolling_deserialize, FINALFUNC = rolling_mean_final);
CREATE FUNCTION rolling_refuses(query text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE query;
	RETURN false;
EXCEPTION
	WHEN protocol_violation OR invalid_binary_representation THEN RETURN true;
END
$$;
SELECT rolling_refuses('SELECT rolling_forged(i::int8) FROM rolling_many') AS of_int8_avg,
	rolling_refuses('SELECT rolling_forged(i::numeric) FROM rolling_many') AS of_numeric,
	rolling_refuses('SELECT rolling_mae(f, a) FROM rolling_many') AS own;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_sort;

-- ---- declarations ----

-- transition and inverse of each, and the label of every function
SELECT aggfnoid::regproc AS aggregate, aggmtransfn::regproc AS moving, aggminvtransfn::regproc AS inverse,
	aggtransfn = aggmtransfn AND aggfinalfn = aggmfinalfn AND aggcombinefn <> 0
		AND aggserialfn <> 0 AND aggdeserialfn <> 0 AS complete
FROM pg_aggregate WHERE aggfnoid::regproc::text LIKE 'rolling\_%' AND aggfnoid::regproc::text NOT LIKE '%forged'
ORDER BY aggfnoid::regproc::text COLLATE "C";
SELECT count(*) AS functions,
	count(*) FILTER (WHERE provolatile = 'i' AND proparallel = 's') AS immutable_parallel_safe,
	count(obj_description(oid, 'pg_proc')) AS commented
FROM pg_proc
WHERE proname ~ '^rolling_' AND (prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') OR prokind = 'a')
	AND proname <> 'rolling_forged';

DROP AGGREGATE rolling_forged(int8), rolling_forged(numeric);
DROP TABLE rolling_rows, rolling_serial, rolling_parallel, rolling_parallel_whole;
DROP VIEW rolling_by_kind, rolling_whole;
DROP TABLE rolling_many;
DROP FUNCTION rolling_check_frame, rolling_recomputed, rolling_agrees, rolling_plan, rolling_refuses;

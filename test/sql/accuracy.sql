--
-- arima_accuracy and arima_naive_scale
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

-- ---- definitions ----

-- errors 1, -1, 2, -4 of actuals 10, 0, 8, -20; naive errors 2, -1, 3, 4
CREATE TEMP TABLE accuracy_rows (i int, forecast float8, actual float8, naive float8, scale float8);
INSERT INTO accuracy_rows VALUES (1, 11, 10, 12, 2), (2, -1, 0, -1, 2), (3, 10, 8, 11, 4), (4, -24, -20, -16, 4);
SELECT (arima_accuracy(forecast, actual, naive, scale)).* FROM accuracy_rows;
-- by hand: mape (10 + 25 + 20) / 3; smape 200 (1/21 + 1 + 2/18 + 4/44) / 4; mase (0.5 + 0.5 + 0.5 + 1) / 4; u sqrt(22 / 30)
SELECT abs((a).mape - 55.0 / 3) < 1e-14 AS mape, abs((a).smape - 50 * (1 / 21.0 + 1 + 2 / 18.0 + 4 / 44.0)) < 1e-13 AS smape,
	abs((a).rmse - sqrt(5.5)) < 1e-15 AS rmse, abs((a).theil_u - sqrt(22 / 30.0)) < 1e-15 AS theil_u
FROM (SELECT arima_accuracy(forecast, actual, naive, scale) AS a FROM accuracy_rows) x;
-- without scale no mase, without naive forecast no u
SELECT (arima_accuracy(forecast, actual, naive)).* FROM accuracy_rows;
SELECT (arima_accuracy(forecast, actual)).* FROM accuracy_rows;
-- the rolling metrics' own numbers
SELECT (a).mae = mae AND (a).rmse = rmse AND (a).mape = mape AND (a).smape = smape AND (a).bias = bias AS same
FROM (SELECT arima_accuracy(forecast, actual) AS a, rolling_mae(forecast, actual) AS mae, rolling_rmse(forecast, actual) AS rmse,
	rolling_mape(forecast, actual) AS mape, rolling_smape(forecast, actual) AS smape, rolling_bias(forecast, actual) AS bias
	FROM (SELECT hashint4(i) / 1e9 AS forecast, hashint4(-i) / 1e9 AS actual FROM generate_series(1, 1000) i) r) x;

-- ---- rows that do not count ----

INSERT INTO accuracy_rows VALUES (5, NULL, 1, 1, 1), (6, 1, NULL, 1, 1), (7, NULL, NULL, NULL, NULL);
SELECT (arima_accuracy(forecast, actual, naive, scale)).* FROM accuracy_rows;
-- u is of the rows with a naive forecast alone, mase of those with a scale above 0
SELECT (arima_accuracy(forecast, actual, CASE WHEN i < 3 THEN naive END, CASE i WHEN 1 THEN 0 WHEN 2 THEN 'NaN' WHEN 3 THEN -1 ELSE scale END)).* FROM accuracy_rows;
SELECT (arima_accuracy(forecast, actual, actual, NULL)).* FROM accuracy_rows;
SELECT (arima_accuracy(forecast, 0, 0, 1)).* FROM accuracy_rows;
SELECT (arima_accuracy(forecast, actual, naive, scale)).* FROM accuracy_rows WHERE i > 4;
SELECT (arima_accuracy(forecast, actual, naive, scale)).* FROM accuracy_rows WHERE false;
SELECT (arima_accuracy(forecast, actual, naive, scale)).* FROM (VALUES (1.0, 'NaN'::float8, 1.0, 1.0), (2, 1, 1, 1)) v (forecast, actual, naive, scale);
SELECT (arima_accuracy(forecast, actual, naive, scale)).* FROM (VALUES (1e308, -1e308, 1e308, 1.0), (1e308, 1e308, -1e308, 1e-308)) v (forecast, actual, naive, scale);

-- ---- exact, in any order, in parts, and while moving ----

CREATE TEMP TABLE accuracy_many AS
SELECT i, i % 7 AS g, hashint4(i) * power(10, (i % 41) - 20) AS forecast, CASE WHEN i % 11 > 0 THEN hashint4(-i) * power(10, (i % 37) - 18) ELSE 0 END AS actual,
	hashint4(i + 1) * power(10, (i % 29) - 14) AS naive, 1 + i % 5 AS scale
FROM generate_series(1, 5000) i;
SELECT count(DISTINCT a::text) FROM (SELECT arima_accuracy(forecast, actual, naive, scale ORDER BY i) AS a FROM accuracy_many
	UNION ALL SELECT arima_accuracy(forecast, actual, naive, scale ORDER BY i DESC) FROM accuracy_many
	UNION ALL SELECT arima_accuracy(forecast, actual, naive, scale ORDER BY hashint4(i)) FROM accuracy_many) x;
SELECT count(*) AS frames, count(*) FILTER (WHERE moving::text <> again::text) AS wrong
FROM (SELECT i, arima_accuracy(forecast, actual, naive, scale) OVER (ORDER BY i ROWS BETWEEN 13 PRECEDING AND CURRENT ROW) AS moving FROM accuracy_many WHERE i <= 300) m,
	LATERAL (SELECT arima_accuracy(forecast, actual, naive, scale) AS again FROM accuracy_many n WHERE n.i BETWEEN m.i - 13 AND m.i) x;
CREATE TABLE accuracy_parallel AS SELECT * FROM accuracy_many;
ANALYZE accuracy_parallel;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT arima_accuracy(forecast, actual, naive, scale) FROM accuracy_parallel;
SELECT count(*) AS groups, count(*) FILTER (WHERE p.a::text <> s.a::text) AS wrong
FROM (SELECT g, arima_accuracy(forecast, actual, naive, scale) AS a FROM accuracy_parallel GROUP BY g) p
	JOIN (SELECT g, arima_accuracy(forecast, actual, naive, scale ORDER BY i) AS a FROM accuracy_many GROUP BY g) s USING (g);
SELECT count(*) FROM (SELECT (arima_accuracy(forecast, actual)).n FROM accuracy_parallel WHERE i < 0) x WHERE n = 0;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_sort;

-- ---- the scale ----

SELECT arima_naive_scale('{1,3,2,6}') AS m_1, arima_naive_scale('{1,3,2,6}', 2) AS m_2, arima_naive_scale('{1,NULL,2,6,NaN,7,7}') AS gaps,
	arima_naive_scale('{5,5,5}') AS constant, arima_naive_scale('{5}') AS short, arima_naive_scale('{}', 12) AS empty, arima_naive_scale('{1,2}', 2147483647) AS long, arima_naive_scale(NULL, 3) AS none;
\set VERBOSITY terse
SELECT arima_naive_scale('{1,2}', 0);
SELECT arima_naive_scale('{{1,2},{3,4}}');
\set VERBOSITY default
-- not to be had from another's state
CREATE AGGREGATE accuracy_forged(float8, float8) (SFUNC = rolling_mae_accum, STYPE = internal, COMBINEFUNC = rolling_combine,
	SERIALFUNC = rolling_serialize, DESERIALFUNC = arima_accuracy_deserialize, FINALFUNC = rolling_mean_final, PARALLEL = SAFE);
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
DO $$
BEGIN
	PERFORM accuracy_forged(forecast, actual) FROM accuracy_parallel;
	RAISE NOTICE 'taken';
EXCEPTION WHEN protocol_violation OR invalid_binary_representation THEN RAISE NOTICE 'refused';
END $$;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP AGGREGATE accuracy_forged(float8, float8);
DROP TABLE accuracy_parallel;

-- ---- a random walk's best forecast is the naive one ----

-- ARIMA(0,1,0) over the last of a hundred values: each forecast is the value before it
SELECT (a).n, (a).mae = (a_naive).mae AND (a).rmse = (a_naive).rmse AND (a).mape = (a_naive).mape AS as_naive, (a).theil_u,
	round(((a).mase * arima_naive_scale(y[:70]) / (a).mae)::numeric, 12) AS mase_by_scale
FROM (SELECT array_agg(100 + hashint4(i) / 1e9 ORDER BY i) AS y FROM generate_series(1, 100) i) s,
	LATERAL (SELECT arima_accuracy(forecast, actual, y[origin], arima_naive_scale(y[:70])) AS a, arima_accuracy(y[origin], actual) AS a_naive FROM arima_backtest(y, '(0,1,0)', 70)) x;

-- ---- declarations ----

SELECT count(*) AS functions, count(*) FILTER (WHERE provolatile = 'i' AND proparallel = 's') AS immutable_parallel_safe,
	count(obj_description(oid, 'pg_proc')) AS commented
FROM pg_proc WHERE proname ~ '^arima_(accuracy|naive_scale|backtest)';

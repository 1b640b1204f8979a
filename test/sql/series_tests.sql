--
-- Correlations, tests, numbers of differences, Box-Cox parameter.
-- First all of test/data/reference/tests.csv: what R 4.2.2, tseries, urca and
-- forecast give.  Every table of the first part but the last one must be empty.
--
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

CREATE TEMP TABLE wanted (
	series text,
	"of" text,
	test text,
	type text,
	lags int,
	statistic float8,
	p_value float8);
CREATE TEMP TABLE observation (
	series text,
	t int,
	value float8,
	PRIMARY KEY (series, t));
\copy wanted from 'test/data/reference/tests.csv' with (format csv, header)
\copy observation from program 'cd test/data/reference/series && awk ''FNR > 1 { print substr(FILENAME, 1, length(FILENAME) - 4) "," $0 }'' [!x]*.csv' with (format csv)

-- the values, the steps between neighbours, and the steps after closing the gaps
CREATE TEMP TABLE input AS
SELECT series, 'values' AS "of", array_agg(value ORDER BY t) AS y FROM observation GROUP BY series
UNION ALL
SELECT series, 'steps', (array_agg(step ORDER BY t))[2:]
FROM (SELECT series, t, value - lag(value) OVER (PARTITION BY series ORDER BY t) AS step
	FROM observation) steps GROUP BY series
UNION ALL
SELECT series, 'closed', (array_agg(step ORDER BY t))[2:]
FROM (SELECT series, t, value - lag(value) OVER (PARTITION BY series ORDER BY t) AS step
	FROM observation WHERE value IS NOT NULL) steps GROUP BY series;

CREATE FUNCTION pg_temp.result(y float8[], test text, type text, lags int,
	OUT statistic float8, OUT p_value float8)
LANGUAGE plpgsql AS $$
BEGIN
	CASE test
	WHEN 'kpss' THEN SELECT r.statistic, r.p_value INTO statistic, p_value FROM arima_kpss_test(y, type, lags) r;
	WHEN 'adf' THEN SELECT r.statistic, r.p_value INTO statistic, p_value FROM arima_adf_test(y, type, lags) r;
	WHEN 'pp' THEN SELECT r.statistic, r.p_value INTO statistic, p_value FROM arima_pp_test(y, lags) r;
	WHEN 'ljung_box' THEN SELECT r.statistic, r.p_value INTO statistic, p_value FROM arima_ljung_box_test(y, lags) r;
	WHEN 'jarque_bera' THEN SELECT r.statistic, r.p_value INTO statistic, p_value FROM arima_jarque_bera_test(y) r;
	WHEN 'acf' THEN SELECT r.acf INTO statistic FROM arima_acf(y, 10) r WHERE r.lag = lags;
	WHEN 'pacf' THEN SELECT r.pacf INTO statistic FROM arima_pacf(y, 10) r WHERE r.lag = lags;
	WHEN 'ndiffs' THEN statistic := arima_ndiffs(y);
	WHEN 'nsdiffs' THEN statistic := arima_nsdiffs(y, lags);
	WHEN 'box_cox_lambda' THEN statistic := arima_box_cox_lambda(y, lags);
	END CASE;
END $$;

CREATE TEMP TABLE compared AS
SELECT w.*, r.statistic AS got, r.p_value AS got_p,
	abs(r.statistic - w.statistic) / greatest(abs(w.statistic), 1e-3) AS deviation,
	abs(r.p_value - w.p_value) AS p_deviation
FROM wanted w JOIN input USING (series, "of"),
	LATERAL pg_temp.result(y, test, type, lags) r;

SELECT * FROM compared
WHERE (deviation <= CASE test WHEN 'box_cox_lambda' THEN 1e-8 ELSE 1e-9 END) IS NOT TRUE OR (p_value IS NOT NULL AND (p_deviation <= 1e-9) IS NOT TRUE)
ORDER BY series, test, "of", type, lags;

-- the default numbers of lags are those of tseries
SELECT series, test, type, w.lags, d.lags AS by_default
FROM wanted w JOIN input USING (series, "of"),
	LATERAL (SELECT lags FROM arima_kpss_test(y, type) WHERE test = 'kpss'
		UNION ALL SELECT lags FROM arima_adf_test(y) WHERE test = 'adf'
		UNION ALL SELECT lags FROM arima_pp_test(y) WHERE test = 'pp') d
WHERE w.p_value IS NOT NULL AND NOT EXISTS (
	SELECT FROM wanted other
	WHERE (other.series, other."of", other.test, coalesce(other.type, '')) = (w.series, w."of", w.test, coalesce(w.type, ''))
		AND other.p_value IS NOT NULL AND other.lags = d.lags);

-- how much was compared
SELECT test, count(*), count(p_value) AS p_values, count(DISTINCT series) AS series
FROM compared GROUP BY test ORDER BY test;

-- ---- what comes back, and of what type ----

\set y 'array[5, 3, 8, 6, 9, 4, 12, 7, 15, 13, 9, 20]::float8[]'
SET extra_float_digits = -3;
SELECT * FROM arima_acf(:y, 3);
SELECT * FROM arima_pacf(:y, 3);
SELECT count(*) AS by_default, max(lag) FROM arima_acf(:y);
SELECT * FROM arima_kpss_test(:y);
SELECT * FROM arima_kpss_test(:y, 'Trend', 0);
SELECT * FROM arima_adf_test(:y);
SELECT * FROM arima_adf_test(:y, type => 'none', lags => 0);
SELECT * FROM arima_pp_test(:y);
SELECT * FROM arima_ljung_box_test(:y);
SELECT * FROM arima_ljung_box_test(:y, 3, fitdf => 1);
SELECT * FROM arima_jarque_bera_test(:y);
SELECT (arima_jarque_bera_test(:y)).p_value;
SELECT * FROM arima_diebold_mariano_test(:y, array_fill(7.5::float8, '{12}'), 2, 1, 'less');
SELECT arima_ndiffs(:y) AS d, arima_ndiffs(:y, 0.1, 0) AS none_allowed, arima_nsdiffs(:y, 4) AS seasonal,
	arima_nsdiffs(:y, 6) AS two_seasons, arima_nsdiffs(:y, 1) AS no_period,
	arima_box_cox_lambda(:y) AS lambda, arima_box_cox_lambda(:y, 3, 0, 1) AS in_bounds;

-- NULL and NaN elements are missing values
SELECT * FROM arima_ljung_box_test('{5,NULL,8,6,9,4,NaN,7,15,13,9,20}', 3, 1);
SELECT * FROM arima_jarque_bera_test('{NULL,1,2,NaN,4}');
SELECT n FROM arima_diebold_mariano_test('{1,NULL,3,4,5}', '{1,2,NaN,3,4}');
-- they stay in their places of the season: one of which nothing is known is left out of the others
SELECT arima_box_cox_lambda('{NULL,NaN,NULL,5,6,9,14,18,23,20,27,36}', 3) = arima_box_cox_lambda('{5,6,9,14,18,23,20,27,36}', 3) AS left_out,
	arima_box_cox_lambda('{5,NULL,8,6,9,NaN,7,15,13}', 3) <> arima_box_cox_lambda('{5,8,6,9,7,15,13}', 3) AS in_their_places;

-- NULL arguments: no rows, or NULL
SELECT * FROM arima_acf(NULL);
SELECT * FROM arima_kpss_test(NULL);
SELECT * FROM arima_adf_test(:y, NULL);
SELECT * FROM arima_ljung_box_test(:y, fitdf => NULL);
SELECT * FROM arima_diebold_mariano_test(:y, NULL);
SELECT arima_ndiffs(NULL) AS d, arima_nsdiffs(:y, NULL) AS seasonal, arima_box_cox_lambda(NULL) AS lambda;

-- values that do not vary: NULL where something would be divided by nothing
SELECT array_agg(acf) AS acf FROM arima_acf('{3,3,3,3,3}');
SELECT array_agg(pacf) AS pacf FROM arima_pacf('{3,3,3,3,3}');
SELECT k.statistic AS kpss, a.statistic AS adf, p.p_value AS pp, l.p_value AS ljung_box, j.p_value AS jarque_bera, d.statistic AS diebold_mariano
FROM (SELECT array_fill(0.1::float8, '{30}') AS flat) f, arima_kpss_test(flat) k, arima_adf_test(flat) a,
	arima_pp_test(flat) p, arima_ljung_box_test(flat) l, arima_jarque_bera_test(flat) j, arima_diebold_mariano_test(flat, flat) d;
SELECT arima_ndiffs(flat) AS d, arima_nsdiffs(flat, 4) AS seasonal, arima_box_cox_lambda(flat) AS lambda
FROM (SELECT array_fill(0.1::float8, '{30}') AS flat) f;

-- ---- errors ----

\set VERBOSITY default
SELECT * FROM arima_acf('{1,NULL}');
SELECT * FROM arima_acf(:y, 12);
SELECT * FROM arima_acf(:y, -1);
SELECT * FROM arima_pacf('{}');
SELECT * FROM arima_kpss_test('{NULL,NaN}');
SELECT * FROM arima_kpss_test(:y, 'none');
SELECT * FROM arima_kpss_test(:y, lags => 12);
SELECT * FROM arima_kpss_test(:y, lags => -1);
SELECT * FROM arima_adf_test(:y, 'drift');
SELECT * FROM arima_adf_test(:y, lags => 4);
SELECT * FROM arima_pp_test('{1,2,3}');
SELECT * FROM arima_ljung_box_test(:y, 2, 2);
SELECT * FROM arima_ljung_box_test(:y, 12);
SELECT * FROM arima_jarque_bera_test('{{1,2},{3,4}}');
SELECT * FROM arima_jarque_bera_test('{1,2,Infinity}');
SELECT * FROM arima_diebold_mariano_test(:y, '{1,2}');
SELECT * FROM arima_diebold_mariano_test(:y, :y, 12);
SELECT * FROM arima_diebold_mariano_test(:y, :y, 0);
SELECT * FROM arima_diebold_mariano_test(:y, :y, power => -1);
SELECT * FROM arima_diebold_mariano_test(:y, :y, alternative => 'better');
SELECT arima_ndiffs('{}');
SELECT arima_ndiffs(:y, 0.2);
SELECT arima_ndiffs(:y, max_d => 5);
SELECT arima_nsdiffs(:y, 0);
SELECT arima_nsdiffs(:y, 367);
SELECT arima_box_cox_lambda('{1,2,3,0,5}');
SELECT arima_box_cox_lambda(:y, lower => 1, upper => 0);

-- SQLSTATE 22023, and 54000 for the memory limit
\set VERBOSITY sqlstate
SELECT * FROM arima_kpss_test(:y, 'none');
SELECT * FROM arima_acf('{1,NULL}');
SELECT * FROM arima_diebold_mariano_test(:y, '{1,2}');
SET arima_ops.max_fit_memory = '64kB';
SELECT count(arima_nsdiffs(array_agg(i), 12)) OVER () FROM generate_series(1, 10000) i;
RESET arima_ops.max_fit_memory;
\set VERBOSITY default

-- all run in parallel workers and say the same in any unit
SELECT proname, provolatile, proparallel, proisstrict, obj_description(oid, 'pg_proc') IS NOT NULL AS described
FROM pg_proc WHERE proname ~ '^arima_(p?acf|.*_test|ns?diffs|box_cox_lambda)$' ORDER BY proname;
SELECT (k.statistic, a.statistic, p.statistic, l.statistic, j.statistic, m.statistic, arima_ndiffs(y), arima_nsdiffs(y, 4))
	= ("K".statistic, "A".statistic, "P".statistic, "L".statistic, "J".statistic, "M".statistic, arima_ndiffs(big), arima_nsdiffs(big, 4)) AS same
FROM (SELECT y, array_agg(v * 2::float8 ^ 1000 ORDER BY i) AS big FROM (SELECT :y AS y) f, unnest(y) WITH ORDINALITY u(v, i) GROUP BY y) f,
	arima_kpss_test(y) k, arima_adf_test(y) a, arima_pp_test(y) p, arima_ljung_box_test(y) l, arima_jarque_bera_test(y) j, arima_diebold_mariano_test(y, y[2:] || 1::float8) m,
	arima_kpss_test(big) "K", arima_adf_test(big) "A", arima_pp_test(big) "P", arima_ljung_box_test(big) "L", arima_jarque_bera_test(big) "J",
	arima_diebold_mariano_test(big, big[2:] || 2::float8 ^ 1000) "M";

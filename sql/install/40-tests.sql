/* ---- correlations and tests of a series and of errors ---- */

CREATE FUNCTION @extschema@.arima_acf(
	y float8[],
	max_lag int DEFAULT NULL)
RETURNS TABLE (lag int, acf float8)
AS 'MODULE_PATHNAME', 'arima_ops_acf'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500 ROWS 25;

COMMENT ON FUNCTION @extschema@.arima_acf(float8[], int) IS
'Autocorrelations of lags 1 to max_lag, by default 10 log10(n). NULL and NaN elements keep their place: a lag takes the pairs that are both known. NULL where the values do not vary';

CREATE FUNCTION @extschema@.arima_pacf(
	y float8[],
	max_lag int DEFAULT NULL)
RETURNS TABLE (lag int, pacf float8)
AS 'MODULE_PATHNAME', 'arima_ops_pacf'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500 ROWS 25;

COMMENT ON FUNCTION @extschema@.arima_pacf(float8[], int) IS
'Partial autocorrelations of lags 1 to max_lag, from those of arima_acf';

CREATE FUNCTION @extschema@.arima_kpss_test(
	y float8[],
	type text DEFAULT 'level',
	lags int DEFAULT NULL,
	OUT statistic float8, OUT p_value float8, OUT lags int, OUT n int)
AS 'MODULE_PATHNAME', 'arima_ops_kpss_test'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;

COMMENT ON FUNCTION @extschema@.arima_kpss_test(float8[], text, int) IS
'KPSS test; a small p_value speaks against stationarity around a level or a trend. p_value from the published table, 0.01 to 0.10. lags: by default 4 (n/100)^(1/4)';

CREATE FUNCTION @extschema@.arima_adf_test(
	y float8[],
	type text DEFAULT 'trend',
	lags int DEFAULT NULL,
	OUT statistic float8, OUT p_value float8, OUT lags int, OUT n int)
AS 'MODULE_PATHNAME', 'arima_ops_adf_test'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION @extschema@.arima_adf_test(float8[], text, int) IS
'Augmented Dickey-Fuller test; a small p_value speaks for stationarity, around a trend, a level or none. p_value from the published table, 0.01 to 0.99. lags: by default (n-1)^(1/3)';

CREATE FUNCTION @extschema@.arima_pp_test(
	y float8[],
	lags int DEFAULT NULL,
	OUT statistic float8, OUT p_value float8, OUT lags int, OUT n int)
AS 'MODULE_PATHNAME', 'arima_ops_pp_test'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;

COMMENT ON FUNCTION @extschema@.arima_pp_test(float8[], int) IS
'Phillips-Perron test Z(alpha); a small p_value speaks for stationarity around a trend. p_value from the published table, 0.01 to 0.99. lags: by default 4 ((n-1)/100)^(1/4)';

CREATE FUNCTION @extschema@.arima_ljung_box_test(
	y float8[],
	lags int DEFAULT NULL,
	fitdf int DEFAULT 0,
	OUT statistic float8, OUT p_value float8, OUT lags int, OUT n int)
AS 'MODULE_PATHNAME', 'arima_ops_ljung_box_test'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;

COMMENT ON FUNCTION @extschema@.arima_ljung_box_test(float8[], int, int) IS
'Ljung-Box test; a small p_value says that the first lags are correlated. For residuals of a model fitdf is p + q + P + Q. lags: by default the smaller of 10 and n/5';

CREATE FUNCTION @extschema@.arima_jarque_bera_test(
	y float8[],
	OUT statistic float8, OUT p_value float8, OUT n int)
AS 'MODULE_PATHNAME', 'arima_ops_jarque_bera_test'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION @extschema@.arima_jarque_bera_test(float8[]) IS
'Jarque-Bera test; a small p_value says that the values are not normal: skewed or heavy tailed';

CREATE FUNCTION @extschema@.arima_diebold_mariano_test(
	e1 float8[],
	e2 float8[],
	h int DEFAULT 1,
	power float8 DEFAULT 2,
	alternative text DEFAULT 'two.sided',
	OUT statistic float8, OUT p_value float8, OUT h int, OUT n int)
AS 'MODULE_PATHNAME', 'arima_ops_diebold_mariano_test'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;

COMMENT ON FUNCTION @extschema@.arima_diebold_mariano_test(float8[], float8[], int, float8, text) IS
'Diebold-Mariano test with the Harvey-Leybourne-Newbold correction: are errors e1 and e2 of two h-step forecasts equally large, by |error|^power? alternative greater: the second forecast is better; less: it is worse. A pair with a missing error is left out. The h that comes back is 1 where the variance estimate for the h given is not positive';

/* ---- choices before a model ---- */

CREATE FUNCTION @extschema@.arima_ndiffs(
	y float8[],
	alpha float8 DEFAULT 0.05,
	max_d int DEFAULT 2)
RETURNS int
AS 'MODULE_PATHNAME', 'arima_ops_ndiffs'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION @extschema@.arima_ndiffs(float8[], float8, int) IS
'Number of differences after which the KPSS test no longer rejects stationarity at alpha, 0.01 to 0.10';

CREATE FUNCTION @extschema@.arima_nsdiffs(
	y float8[],
	m int,
	max_d int DEFAULT 1)
RETURNS int
AS 'MODULE_PATHNAME', 'arima_ops_nsdiffs'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;

COMMENT ON FUNCTION @extschema@.arima_nsdiffs(float8[], int, int) IS
'Number of differences at lag m after which the seasonal strength of the STL decomposition is at most 0.64; 0 for up to two seasons, and where some place in the season has no known value';

CREATE FUNCTION @extschema@.arima_box_cox_lambda(
	y float8[],
	m int DEFAULT 1,
	lower float8 DEFAULT -1,
	upper float8 DEFAULT 2)
RETURNS float8
AS 'MODULE_PATHNAME', 'arima_ops_box_cox_lambda'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION @extschema@.arima_box_cox_lambda(float8[], int, float8, float8) IS
'Box-Cox parameter by the method of Guerrero, for positive values; 1, no transformation, where up to two seasons or no variation leave it undefined';

/* ---- Fourier terms as regressors ---- */

CREATE FUNCTION @extschema@.arima_fourier(
	t float8[],
	m float8,
	k int)
RETURNS float8[]
AS 'MODULE_PATHNAME', 'arima_ops_fourier'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION @extschema@.arima_fourier(float8[], float8, int) IS
'Regressors for a season of m values, which need not be a whole number: k pairs sin(2 pi i t/m), cos(2 pi i t/m) with i = 1 .. k, a row for each time t. Where k = m/2 the last sine, which is zero, is left out';

CREATE FUNCTION @extschema@.arima_fourier(
	n int,
	m float8,
	k int,
	start int DEFAULT 1)
RETURNS float8[]
AS 'MODULE_PATHNAME', 'arima_ops_fourier_range'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION @extschema@.arima_fourier(int, float8, int, int) IS
'The same for n times from start on: for a series its length, for a forecast the number of its steps and as start its length + 1';

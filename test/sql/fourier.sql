--
-- Fourier terms of a season as regressors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
SET extra_float_digits = 0;

-- The first value of a statement as text, or its error: state, message, detail, hint.
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- R: fourier(ts(1:5, frequency = 12), K = 6), columns S1-12, C1-12 .. S5-12, C5-12, C6-12
SELECT t, array_agg(round(v::numeric, 6) ORDER BY c) AS terms
FROM arima_fourier(5, 12, 6) AS f, generate_series(1, 5) AS t, generate_series(1, 11) AS c, LATERAL (SELECT f[t][c]) AS x (v)
GROUP BY t ORDER BY t;
-- R: fourier(ts(1:3, frequency = 365.25), K = 2)
SELECT arima_fourier(3, 365.25, 2);
-- times of its own, of any number type, and a range of times, are the same
SELECT arima_fourier(array[10, 11, 12], 7, 3) = arima_fourier(3, 7, 3, 10) AS int4,
	arima_fourier(array[10, 11, 12]::int8[], 7, 3) = arima_fourier(3, 7, 3, start => 10) AS int8,
	arima_fourier(array[10, 11, 12.0], 7, 3) = arima_fourier(n => 3, m => 7, k => 3, start => 10) AS numeric,
	arima_fourier(array[10, 11, 12]::float8[], 7, 3) = arima_fourier(3, 7.0, 3, 10) AS float8;
-- a season later they are again the same, whole or not
SELECT arima_fourier(50, 12, 6) = arima_fourier(50, 12, 6, 12001) AS whole,
	(SELECT max(abs(a - b)) < 1e-12 FROM unnest(arima_fourier(50, 365.25, 3), arima_fourier(50, 365.25, 3, 4 * 365 + 2)) u (a, b)) AS quarter;
SELECT arima_fourier('{}'::float8[], 12, 1) AS empty, arima_fourier(0, 12, 1) AS none, arima_fourier(NULL::int, 12, 1) IS NULL AS nothing,
	array_dims(arima_fourier(9, 2, 1)) AS two, array_dims(arima_fourier(9, 12, 6)) AS even, array_dims(arima_fourier(9, 7, 3)) AS odd;

-- a season with two harmonics in a fit, and forecasts of it
CREATE TEMP TABLE made AS
SELECT array_agg(20 + 5 * sin(2 * pi() * t / 52.18) + 3 * cos(4 * pi() * t / 52.18) + hashint4(t) / 4e9 ORDER BY t) AS y
FROM generate_series(1, 160) AS t;
SELECT term, round(estimate::numeric, 1) AS estimate
FROM made, arima_fit(y, '(0,0,0)', arima_fourier(160, 52.18, 2)) AS model, arima_coefficients(model);
SELECT count(*), round(max(abs(forecast - (20 + 5 * sin(2 * pi() * t / 52.18) + 3 * cos(4 * pi() * t / 52.18))))::numeric, 1) AS error
FROM made, arima_forecast(arima_fit(y, '(1,0,0)', arima_fourier(160, 52.18, 2)), 52, xreg => arima_fourier(52, 52.18, 2, 161)),
	LATERAL (SELECT 160 + step) AS s (t);

-- errors
SELECT pg_temp.attempt(statement)
FROM (VALUES (1, 'SELECT arima_fourier(5, 12, 7)'), (2, 'SELECT arima_fourier(5, 12, 0)'), (3, 'SELECT arima_fourier(5, 365, 33)'),
	(4, 'SELECT arima_fourier(5, 1.5, 1)'), (5, 'SELECT arima_fourier(5, ''Infinity'', 1)'), (6, 'SELECT arima_fourier(5, ''NaN'', 1)'),
	(7, 'SELECT arima_fourier(-1, 12, 1)'), (8, 'SELECT arima_fourier(array[1, NULL, 3], 12, 1)'),
	(9, 'SELECT arima_fourier(array[1, 1e13], 12, 1)'), (10, 'SELECT arima_fourier(array[[1, 2], [3, 4]], 12, 1)'),
	(11, 'SELECT arima_fourier(10000000, 365, 32)'), (12, 'SELECT arima_fourier(5, 7, 4)')) v (i, statement)
ORDER BY i;

-- What the benchmarks run in the server.  :modules is the folder of read_array.so.
\set ON_ERROR_STOP on
CREATE EXTENSION arima_ops;
CREATE TABLE series (name text PRIMARY KEY, y float8[] NOT NULL);
CREATE TABLE stocks (date date NOT NULL, ticker text NOT NULL, close float8);

SELECT :'modules' || '/read_array' AS read_array \gset
CREATE FUNCTION read_array(float8[]) RETURNS float8
	AS :'read_array', 'read_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Milliseconds of one fit of an array that is already in memory; the log-likelihood.
-- Arguments of plpgsql expressions are no constants, so nothing is folded.
CREATE FUNCTION time_fit(series_name text, spec text, repetitions int,
						 OUT ms float8, OUT loglik float8)
LANGUAGE plpgsql AS $$
DECLARE
	y float8[] := (SELECT s.y FROM series s WHERE name = series_name);
	model arima_model;
	start timestamptz;
BEGIN
	model := arima_fit(y[1:100], '(0,1,1)');
	start := clock_timestamp();
	FOR i IN 1 .. repetitions LOOP
		model := arima_fit(y, spec);
	END LOOP;
	ms := 1000 * extract(epoch FROM clock_timestamp() - start) / repetitions;
	loglik := (arima_stats(model)).loglik;
END $$;

-- Milliseconds of one walk-forward over the last values of an array, refitted at each, its rows
-- aggregated; the root mean squared error.
CREATE FUNCTION time_walk(series_name text, spec text, origins int, repetitions int,
						  OUT ms float8, OUT rmse float8)
LANGUAGE plpgsql AS $$
DECLARE
	y float8[] := (SELECT s.y FROM series s WHERE name = series_name);
	start timestamptz;
BEGIN
	rmse := (SELECT rolling_rmse(forecast, actual) FROM arima_backtest(y[1:100], spec, 90));
	start := clock_timestamp();
	FOR i IN 1 .. repetitions LOOP
		rmse := (SELECT rolling_rmse(forecast, actual) FROM arima_backtest(y, spec, cardinality(y) - origins));
	END LOOP;
	ms := 1000 * extract(epoch FROM clock_timestamp() - start) / repetitions;
END $$;

-- Microseconds of one call of each function with 60 prices, in a loop.
CREATE FUNCTION time_calls(repetitions int, OUT predict_us float8, OUT read_us float8)
LANGUAGE plpgsql AS $$
DECLARE
	y float8[] := (SELECT s.y[1:1000] FROM series s WHERE name = 'arima111');
	recent float8[] := y[941:1000];
	model arima_model := arima_fit(y, '(1,1,1)');
	x float8;
	start timestamptz;
BEGIN
	start := clock_timestamp();
	FOR i IN 1 .. repetitions LOOP
		x := arima_predict(model, recent);
	END LOOP;
	predict_us := 1e6 * extract(epoch FROM clock_timestamp() - start) / repetitions;
	start := clock_timestamp();
	FOR i IN 1 .. repetitions LOOP
		x := read_array(recent);
	END LOOP;
	read_us := 1e6 * extract(epoch FROM clock_timestamp() - start) / repetitions;
END $$;

-- Milliseconds that this server process has run; by the clock where the system does not tell.
CREATE FUNCTION processor_ms() RETURNS float8
LANGUAGE plpgsql AS $$
BEGIN
	RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6;
EXCEPTION WHEN OTHERS THEN
	RETURN 1000 * extract(epoch FROM clock_timestamp());
END $$;

-- Milliseconds of processor time of one choice of a model, and its AICc.
CREATE FUNCTION time_auto(y float8[], spec text, OUT ms float8, OUT aicc float8)
LANGUAGE plpgsql AS $$
DECLARE
	model arima_model;
	start float8 := processor_ms();
BEGIN
	model := arima_fit(y, spec);
	ms := processor_ms() - start;
	aicc := (arima_stats(model)).aicc;
END $$;

-- As time_fit with (1,1,1), for the first n values.
CREATE FUNCTION time_fit_part(series_name text, n int, repetitions int, OUT ms float8)
LANGUAGE plpgsql AS $$
DECLARE
	part float8[] := (SELECT s.y[1:n] FROM series s WHERE name = series_name);
	model arima_model := arima_fit(part[1:100], '(0,1,1)');
	start timestamptz := clock_timestamp();
BEGIN
	FOR i IN 1 .. repetitions LOOP
		model := arima_fit(part, '(1,1,1)');
	END LOOP;
	ms := 1000 * extract(epoch FROM clock_timestamp() - start) / repetitions;
END $$;

-- A series that is the same everywhere: a random walk with noise around it.
CREATE FUNCTION make_series(key int, n int) RETURNS float8[] LANGUAGE sql IMMUTABLE AS
'SELECT array_agg(walk + noise ORDER BY i) FROM (SELECT i, hashint4(key * 7919 + i) / 1e9 AS noise,
	sum(hashint4(key * 104729 + i) / 1e9) OVER (ORDER BY i) AS walk FROM generate_series(1, n) AS i) AS made';

\ir operations.sql

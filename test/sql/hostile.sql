--
-- Series that models are not made for: a finite answer with its status, or one clear error
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
SET extra_float_digits = 0;

-- Everything that can be asked of a model of the series: "finite", or the state of the error.
CREATE FUNCTION pg_temp.outcome(y float8[], spec text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	model arima_model;
	bad text[] := '{}';
	infinite CONSTANT float8[] := '{NaN,Infinity,-Infinity}';
	message text;
	hint text;
BEGIN
	model := arima_fit(y, spec);
	SELECT bad || array_agg(term::text ORDER BY term) INTO bad FROM arima_coefficients(model) WHERE estimate IS NULL OR estimate = ANY (infinite);
	SELECT bad || array_agg(DISTINCT 'forecast'::text) INTO bad FROM arima_forecast(model, 20) f
		WHERE f.forecast = ANY (infinite) OR f.std_error = ANY (infinite) OR f.lower = ANY (infinite) OR f.upper = ANY (infinite)
			OR f.std_error < 0 OR num_nulls(f.forecast, f.std_error, f.lower, f.upper) > 0;
	SELECT bad || array_agg(DISTINCT 'recent'::text) INTO bad FROM arima_ops.forecast_at(model, y, 20, 0.95, cardinality(y)) f
		WHERE f.forecast = ANY (infinite) OR f.std_error = ANY (infinite) OR num_nulls(f.forecast, f.std_error) > 0;
	IF NOT arima_ops.depends_on_time(model) AND arima_predict(model, y) = ANY (infinite) THEN
		bad := bad || 'predict'::text;
	END IF;
	SELECT bad || array_agg(DISTINCT 'residuals'::text) INTO bad FROM unnest(arima_residuals(model, y)) e WHERE e = ANY (infinite);
	SELECT bad || array_agg(DISTINCT 'append'::text) INTO bad FROM arima_forecast(arima_append(model, y), 2) f WHERE f.forecast = ANY (infinite);
	SELECT bad || array_agg(DISTINCT 'refit'::text) INTO bad FROM arima_forecast(arima_refit(model, y), 2) f WHERE f.forecast = ANY (infinite);
	IF (SELECT status IS NULL OR sigma2 IS NULL OR sigma2 = ANY (infinite) OR sigma2 < 0 FROM arima_stats(model)) THEN
		bad := bad || 'stats'::text;
	END IF;
	-- the errors that the model makes are of the size that it says, or rounding
	IF (SELECT sqrt(rss / n_used) > 10 * sqrt(sigma2) + 1e-9 * size OR sqrt(sigma2) > 10 * sqrt(rss / n_used) + 1e-9 * size
			FROM arima_stats(model), (SELECT sum(e * e) FROM unnest(arima_residuals(model, y)) e) r (rss),
				(SELECT max(abs(v)) FROM unnest(y) v WHERE v <> 'NaN') s (size)) THEN
		bad := bad || 'sigma2'::text;
	END IF;
	IF model::text::arima_model::text <> model::text THEN
		bad := bad || 'text'::text;
	END IF;
	RETURN coalesce(nullif(array_to_string(bad, ' '), ''), 'finite');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || CASE WHEN hint = '' THEN ' without hint: ' || message ELSE '' END;
END $$;

-- The elements that an expression in i gives for i = 1 .. n; u is a noise in -1 .. 1.
CREATE FUNCTION pg_temp.series(n int, expression text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	result float8[];
BEGIN
	EXECUTE format('SELECT array_agg((%s)::float8 ORDER BY i) FROM (
		SELECT i, hashint4(i) / 2147483648.0::float8 AS u, sum(hashint4(i) / 2147483648.0::float8) OVER (ORDER BY i) AS walk
		FROM generate_series(1, %s) i) x', expression, n) INTO result;
	RETURN result;
END $$;

CREATE TEMP TABLE hostile (id int GENERATED ALWAYS AS IDENTITY, name text, y float8[]);
INSERT INTO hostile (name, y) VALUES
('empty', '{}'),
('one value', '{1}'),
('two points', '{1,2}'),
('three equal', '{1,1,1}'),
('eight values', '{3,1,4,1,5,9,2,6}'),
('all NULL', array_fill(NULL::float8, ARRAY[50])),
('all NaN', array_fill('NaN'::float8, ARRAY[50])),
('constant', array_fill(5::float8, ARRAY[50])),
('constant 0.1', array_fill(0.1::float8, ARRAY[50])),
('zero', array_fill(0::float8, ARRAY[50])),
('negative zero', array_fill('-0'::float8, ARRAY[50])),
('linear', pg_temp.series(50, 'i')),
('linear 0.1', pg_temp.series(50, '0.1 * i')),
('quadratic', pg_temp.series(50, 'i * i')),
('period 4', pg_temp.series(48, 'i % 4')),
('alternating', pg_temp.series(50, '1 - 2 * (i % 2)')),
('step', pg_temp.series(50, '(i > 25)::int')),
('impulse', pg_temp.series(50, '(i = 25)::int')),
('last differs', pg_temp.series(50, '(i = 50)::int')),
('outlier 1e12', pg_temp.series(50, 'CASE i WHEN 25 THEN 1e12 ELSE u END')),
('offset 1e9', pg_temp.series(50, '1e9 + u')),
('offset 1e15', pg_temp.series(50, '1e15 + u')),
('noise', pg_temp.series(100, 'u')),
('unit root', pg_temp.series(100, 'walk')),
('over-differenced', pg_temp.series(100, 'u - hashint4(i - 1) / 2147483648.0')),
('exponential', pg_temp.series(100, '1.5 ^ i')),
('exponential to 1e130', pg_temp.series(100, '20.0::float8 ^ i')),
('scale 1e300', pg_temp.series(50, '1e300 * u')),
('scale 1e-300', pg_temp.series(50, '1e-300::float8 * u')),
('scale 1e140', pg_temp.series(50, '1e140 * u')),
('scale 1e-140', pg_temp.series(50, '1e-140::float8 * u')),
('scales mixed', pg_temp.series(50, '10::float8 ^ (140 * u)')),
('largest', pg_temp.series(50, '1.7976931348623157e308 * (1 - 2 * (i % 2))')),
('denormal', pg_temp.series(50, '4.9406564584124654e-324::float8 * (i % 3)')),
('with Infinity', pg_temp.series(50, 'CASE i WHEN 25 THEN ''Infinity''::float8 ELSE u END')),
('with -Infinity', pg_temp.series(50, 'CASE i WHEN 25 THEN ''-Infinity''::float8 ELSE u END')),
('90 % missing', pg_temp.series(300, 'CASE WHEN i % 10 = 3 THEN walk END')),
('missing but 3', pg_temp.series(100, 'CASE WHEN i IN (7, 50, 51) THEN u END')),
('missing but the end', pg_temp.series(100, 'CASE WHEN i > 90 THEN u END')),
('missing after 10', pg_temp.series(100, 'CASE WHEN i <= 10 THEN u END')),
('constant, half missing', pg_temp.series(100, 'CASE WHEN i % 2 = 0 THEN 7 END')),
('linear, half missing', pg_temp.series(100, 'CASE WHEN i % 2 = 0 THEN i END'));

-- seconds are enough; what hangs is an error here
SET statement_timeout = '10min';
CREATE TEMP TABLE outcomes AS
SELECT h.id, name, s.i, spec, pg_temp.outcome(y, spec) AS outcome
FROM hostile h, unnest(ARRAY['(0,0,0)', '(1,0,0)', '(1,1,1)', '(2,0,2)', '(0,2,1)', '(1,0,1)(0,1,1)[4]', '(0,1,1)(1,0,0)[12]',
	'(3,0,0) with drift', '(2,1,0) with drift', '(0,0,13) without constant', '(13,0,3)']) WITH ORDINALITY s (spec, i);
RESET statement_timeout;
-- never anything but a finite answer or an error of class 22 with a hint
SELECT name, spec, outcome FROM outcomes WHERE outcome <> 'finite' AND outcome !~ '^22...$' ORDER BY id, i;
-- which of them it is, for the specifications in the order above: f finite, - refused, s out of
-- scale; r, only in the cells listed, finite or out of scale
CREATE TEMP TABLE rounding (name text, spec text, PRIMARY KEY (name, spec));
-- The innovations of these models are rounding errors, of which each compiler makes its own.  Appending
-- the line from its start is then a jump of thousands of sigma, which the state can follow or not.
INSERT INTO rounding VALUES ('linear 0.1', '(2,0,2)'), ('linear, half missing', '(13,0,3)');
SELECT name, string_agg(CASE WHEN r.spec IS NOT NULL AND outcome IN ('finite', '22003') THEN 'r'
	WHEN outcome = 'finite' THEN 'f' WHEN outcome = '22023' THEN '-' WHEN outcome = '22003' THEN 's' ELSE '?' END, '' ORDER BY i) AS outcomes
FROM outcomes LEFT JOIN rounding r USING (name, spec) GROUP BY id, name ORDER BY id;

-- no innovation is left: the model is degenerate, says so, and continues the series exactly
SELECT name, w.spec, s.status, s.sigma2, s.loglik IS NULL AS no_loglik, round(f.forecast::numeric, 6) AS forecast, f.std_error
FROM hostile h JOIN (VALUES ('constant', '(0,0,0)'), ('constant', '(1,0,1)'), ('constant', '(0,1,1)'), ('zero', '(1,1,1)'), ('linear', '(0,1,0) with drift'),
	('linear', '(0,2,1)'), ('linear', '(0,0,0) with drift'), ('period 4', '(0,0,0)(0,1,0)[4]'), ('constant, half missing', '(1,0,0)'), ('constant, half missing', '(0,1,0) with drift'),
	('linear, half missing', '(0,1,0) with drift')) w (name, spec) USING (name),
	LATERAL (SELECT arima_fit(y, spec) AS m) x, arima_stats(m) s, arima_forecast(m, 1) f
ORDER BY h.id, w.spec COLLATE "C";

-- what the differences leave is one constant, which the model lacks: an estimate, and a status that says so
SELECT name, w.spec, left(s.status, 77) AS status, round(f.forecast::numeric, 6) AS forecast
FROM hostile h JOIN (VALUES ('constant', '(1,0,0) without constant'), ('linear', '(0,1,0)'), ('linear', '(1,1,1)'), ('linear 0.1', '(0,1,0)'), ('linear', '(1,0,0)(0,1,0)[4]'),
	('unit root', '(0,1,0)'), ('two points', '(0,1,0)')) w (name, spec) USING (name),
	LATERAL (SELECT arima_fit(y, spec) AS m) x, arima_stats(m) s, arima_forecast(m, 1) f
ORDER BY h.id, w.spec COLLATE "C";

-- the answer does not depend on the unit of the series
SELECT scale, round((arima_stats(m)).loglik::numeric + 99 * ln(scale::numeric), 2) AS loglik, round((f.forecast / scale)::numeric, 3) AS forecast
FROM unnest(ARRAY[1, 1e-100, 1e100]::float8[]) scale, LATERAL (SELECT arima_fit(pg_temp.series(100, format('%s::float8 * walk', scale)), '(1,1,1)') AS m) x, arima_forecast(m, 1) f;

-- a fit that would take long ends with the statement's time; the session goes on
CREATE FUNCTION pg_temp.timed_out(spec text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	PERFORM arima_fit(y, spec) FROM long_series;
	RETURN 'finished';
EXCEPTION WHEN query_canceled THEN
	RETURN SQLSTATE || CASE WHEN clock_timestamp() - start < '1 s' THEN ' in time' ELSE ' late' END;
END $$;
CREATE TEMP TABLE long_series AS SELECT pg_temp.series(300000, 'walk') AS y;
SET statement_timeout = '100ms';
SELECT pg_temp.timed_out('(13,0,13)');
SELECT pg_temp.timed_out('(2,1,2)(1,0,1)[366]');
RESET statement_timeout;
SELECT (arima_stats(arima_fit(y[:100], '(1,0,0)'))).n FROM long_series;

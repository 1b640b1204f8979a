--
-- The specification language, as arima_fit understands it: the canonical form
-- of what is accepted, and where and why the rest is refused.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

-- a trending series with some irregularity, long enough for every model here
CREATE FUNCTION pg_temp.series() RETURNS float8[] LANGUAGE sql AS
$$ SELECT array_agg(0.3 * t + 5 * sin(t * t) ORDER BY t) FROM generate_series(1, 80) t $$;

-- what is accepted
SELECT spec AS given, (public.arima_stats(public.arima_fit(pg_temp.series(), spec))).spec AS canonical
FROM (VALUES
	(1, '(1,1,1)'),
	(2, 'ARIMA(1,1,1)'),
	(3, 'arima ( 1 , 1 , 1 ) '),
	(4, '(1,0,0)'),
	(5, '(1,0,0) with mean'),
	(6, '(1,0,0) WITH DRIFT'),
	(7, '(1,0,0)without constant'),
	(8, '(0,1,1) with drift'),
	(9, '(0,1,1) Without  Constant'),
	(10, '(0,1,1)(0,1,1)[4]'),
	(11, 'ARIMA (0,1,1) (0,0,1) [ 12 ] with drift'),
	(12, '(0,0,1)(0,1,0)[4] with drift'),
	(13, '(0,1,1)[7]'),
	(14, '(0,1,1)(0,0,0)[7]'),
	(15, '(0,1,1)[1]'),
	(16, '(0,2,1)'),
	(17, '(0,0,0)'),
	(18, '(00,01,002)')) AS v(i, spec)
ORDER BY i;

-- what is refused: SQLSTATE, message, detail, and whether there is a hint
CREATE FUNCTION pg_temp.refusal(spec text, OUT state text, OUT message text, OUT detail text, OUT hint boolean)
LANGUAGE plpgsql AS $$
DECLARE
	hint_text text;
BEGIN
	PERFORM public.arima_fit(pg_temp.series(), spec);
	message := 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint_text = PG_EXCEPTION_HINT;
	hint := hint_text <> '';
END $$;

\pset format unaligned
SELECT v.spec, r.*
FROM (VALUES
	(1, ''),
	(2, '   '),
	(3, 'arma'),
	(4, '(1,1)'),
	(5, '(1,1,1'),
	(6, '(1,1,1,1)'),
	(7, '(1 1,1)'),
	(8, '(-1,0,0)'),
	(9, '(1.5,0,0)'),
	(10, '(1,1,1)x'),
	(11, '(1,1,1)(0,1,1)'),
	(12, '(1,1,1)(0,1,1)[1]'),
	(13, '(1,1,1)(0,1,1)[12'),
	(14, '(1,1,1)(0,1,1)[]'),
	(15, '(1,1,1)[0]'),
	(16, '(1,1,1) with'),
	(17, '(1,1,1) with mean'),
	(18, '(1,0,1)(0,1,1)[4] with mean'),
	(19, '(1,2,1) with drift'),
	(20, '(1,1,1)(0,1,1)[4] with drift'),
	(21, '(1,0,1) without'),
	(22, '(1,0,1) without mean'),
	(23, '(1,1,1) with drift please'),
	(24, 'auto with drift'),
	(25, 'auto[0]'),
	(26, '(2,2,2)(0,1,1)[4] with mean'),
	(27, '(101,0,0)'),
	(28, '(0,0,101)'),
	(29, '(0,5,0)'),
	(30, '(0,0,0)(0,5,0)[4]'),
	(31, '(1,1,1)[367]'),
	(32, '(1,0,0)(3,0,0)[34]'),
	(33, '(0,0,1)(0,0,34)[3]'),
	(34, '(9999999999999999999999,0,0)'),
	(35, '(0,0,0)(9999999999999999999999,0,0)[366]'),
	(36, 'auto[99999999999999999999999]')) AS v(i, spec),
	LATERAL pg_temp.refusal(v.spec) r
ORDER BY i;
-- what other programs write: the hint says how it is written here
CREATE FUNCTION pg_temp.hint(spec text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM public.arima_fit(pg_temp.series(), spec);
	RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT spec, pg_temp.hint(spec) FROM unnest(ARRAY['ARIMA(1,1,1)(0,1,1)[12]', 'SARIMA(1,1,1)(0,1,1,12)', '(0,1,1)(0,1,1,12)', 'order=(1,1,1)', '(1,1,1)x(0,1,1)[12]', 'auto(12)', 'auto 12', '(1,1,1)(0,1,1)']) spec;
\pset format aligned

-- every prefix of a specification is accepted, or refused at its end; only a
-- word cut short is blamed at its start
SELECT left(s, n) AS prefix, r.message, r.detail
FROM (VALUES ('(1,0,1)(0,1,1)[4] with drift')) AS v(s),
	generate_series(0, length(s)) AS n,
	LATERAL pg_temp.refusal(left(s, n)) r
WHERE r.state IS DISTINCT FROM '22023' OR
	r.detail <> format('The fault is at position %s.', n + 1)
ORDER BY n;

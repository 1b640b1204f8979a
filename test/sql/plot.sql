--
-- arima_plot
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

\i test/sql/include/attempt_or_state.sql
-- What XPath finds in a picture; s is the namespace.
CREATE FUNCTION pg_temp.find(path text, picture text) RETURNS text[] LANGUAGE sql AS $$
	SELECT xpath(path, picture::xml, ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']])::text[]
$$;
-- Numbers on the vertical axis, texts on the horizontal one.
CREATE FUNCTION pg_temp.axes(picture text, OUT rows text, OUT columns text) LANGUAGE sql AS $$
	SELECT array_to_string(pg_temp.find('/s:svg/s:text[@text-anchor="end" and @y < 410]/text()', picture), ' '),
		array_to_string(pg_temp.find('/s:svg/s:text[@y=420]/text()', picture), ' ')
$$;

CREATE TEMP TABLE plot AS SELECT arima_fit(y, '(0,1,0)') AS model, y
FROM (VALUES ('{10,12,11,NULL,15,14,16}'::float8[])) v (y);

-- ---- a whole picture, but for its style ----
\pset format unaligned
\pset tuples_only
SELECT regexp_replace(arima_plot(model, y, 2, 'Sales', levels => '{0.8}', backtest => '{13,NULL,15}', labels => '{mo,tu,we,th,fr,sa,su,mo,tu}'), '<style>.*</style>', '<style/>') FROM plot;
SELECT pg_temp.find('/s:svg/s:desc/text()', arima_plot(model, y, 3)) FROM plot;
\pset tuples_only
\pset format aligned

-- an upper bound that is beyond all numbers: the interval leaves the frame at the top
SELECT (SELECT max(f.upper) FROM arima_forecast(model, 12) f) AS highest, arima_plot(model, y, 12) ~ '% interval from [0-9.]+ to Infinity\.' AS told,
	cardinality(pg_temp.find('//@*[contains(., "nfinity") or contains(., "NaN")]', arima_plot(model, y, 12))) AS with_history,
	cardinality(pg_temp.find('//@*[contains(., "nfinity") or contains(., "NaN")]', arima_plot(model, '{}', 12))) AS alone
FROM (SELECT arima_fit(y, '(0,1,0)', options => '{"lambda": -1}') AS model, y FROM (SELECT array_agg(100 + 20 * sin(i * i) ORDER BY i) AS y FROM generate_series(1, 40) i) v) AS m;

-- ---- it is XML, and what the user writes is text ----
CREATE TEMP TABLE hostile_text (id int GENERATED ALWAYS AS IDENTITY, words text);
INSERT INTO hostile_text (words) VALUES ('plain'), ('<script>alert(1)</script>'), ('</text></svg><svg onload="x()">'), ('" onclick="x'),
	(''' x=''1'), ('&lt; &#60; &amp; &'), (']]>'), ('<!--'), ('--><?x ?>'), ('</style><style>*{}'), (E'tab\tline\nreturn\rbell\x07\x01\x7f'), (repeat('<', 500)),
	(repeat('"&', 500)), (''), (' ');
SELECT id, xml_is_well_formed_document(picture) AS well_formed,
	(SELECT string_agg(DISTINCT substring(e FROM '^<([a-z]+)'), ' ') FROM unnest(pg_temp.find('//*', picture)) e) AS elements,
	(SELECT count(*) FROM unnest(pg_temp.find('//@*', picture)) a) AS attributes,
	left(replace(replace((pg_temp.find('/s:svg/s:title/text()', picture))[1], '&lt;', '<'), '&amp;', '&'), 30) AS title
FROM (SELECT id, arima_plot(model, y, 1, words, labels => array_fill(words, '{8}')) AS picture FROM plot, hostile_text) p
ORDER BY id;
-- nothing that runs or loads
SELECT count(*) FROM (SELECT arima_plot(model, y, 1, words, labels => array_fill(words, '{8}')) AS picture FROM plot, hostile_text) p
WHERE cardinality(pg_temp.find('//@*[starts-with(name(), "on") or contains(name(), "href")] | //comment() | //processing-instruction()', picture)) > 0;
SELECT (pg_temp.find('/s:svg/s:style/text()', arima_plot(model, y, 1)))[1] ~ 'url|import|//' AS loads FROM plot;
SELECT (xpath('string(/s:svg/@role)', p::xml, n))[1] AS role, (xpath('name(/s:svg/*[1])', p::xml, n))[1] AS first, (xpath('name(/s:svg/*[2])', p::xml, n))[1] AS second
FROM (SELECT arima_plot(model, y, 1) AS p, ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']] AS n FROM plot) x;
-- letters outside ASCII, where the encoding has them, are left alone
SELECT getdatabaseencoding() <> 'UTF8' OR (pg_temp.find('/s:svg/s:title/text()', arima_plot(model, y, 1, U&'\00FC\4E00\+01F600 \FFFE')))[1] = U&'\00FC\4E00\+01F600  ' AS same FROM plot;

-- ---- axes ----
CREATE FUNCTION pg_temp.axes_of(y float8[], h int, labels text[] = NULL, m int = 1) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', a.rows, a.columns) FROM pg_temp.axes(arima_plot(arima_fit('{1,2,1,2,1,1,2,3}'::float8[], '(0,1,0)(0,0,0)[' || m || ']'), y, h, last => 1000000, labels => labels)) a
$$;
SELECT name, pg_temp.axes_of(y::float8[], 0) AS axes FROM (VALUES
	(1, 'one value', '{5}'), (2, 'none', '{}'), (3, 'all missing', '{NULL,NULL}'), (4, 'constant', '{3,3,3}'), (5, 'zero', '{0,0,0}'), (6, 'negative', '{-1,-2,-3}'),
	(7, 'to thousands', '{0,2500,3000}'), (8, 'millions', '{12000000,99000000}'), (9, 'more', '{1e9,1.5e9}'), (10, 'huge', '{-1e150,1e150}'), (11, 'small', '{0.001,0.0042}'),
	(12, 'smaller', '{1e-7,2e-7}'), (13, 'tiny', '{1e-300,2e-300}'), (14, 'subnormal', '{5e-324,1e-323}'), (15, 'hardly varies', '{1000000,1000000.001}'), (16, 'rounding', '{0.1,0.1,0.10000000000000002}'),
	(17, 'large and near', '{123456789012,123456789013}')) v (i, name, y) ORDER BY i;
SELECT n, (pg_temp.axes(arima_plot(arima_fit('{1,2,1,2,1,1,2,3}'::float8[], '(0,1,0)'), (SELECT array_agg(i) FROM generate_series(1, n) i), 0, last => 10000000))).columns AS columns
FROM unnest(ARRAY[1, 2, 3, 9, 10, 11, 50, 144, 1000, 99999, 1000000]) n;
-- whole seasons where there are three; labels, fewer if they are long, and steps where they end
SELECT pg_temp.axes_of((SELECT array_agg(i % 12) FROM generate_series(1, n) i), 0, m => 12) AS seasons FROM unnest(ARRAY[24, 36, 144, 1000]) n;
SELECT (pg_temp.axes(arima_plot(model, y, 3, labels => l::text[]))).columns AS columns
FROM plot, unnest(ARRAY['{mo,tu,we,th,fr,sa,su}', '{mo,NULL,we,th,fr,sa,su,mo,tu,we,th,fr}', '{}', '{mo}', '{a very long text indeed,which is repeated,and more of it,x,x,x,and yet another one}']) l;

-- ---- what is drawn ----
-- a path begins anew after each gap; a value alone gets a dot even in a long series
SELECT regexp_count AS parts, dots FROM (SELECT (SELECT count(*) FROM regexp_matches(d[1], 'M', 'g')) AS regexp_count, array_length(pg_temp.find('//s:circle[@class="ao-dot"]', p), 1) AS dots
	FROM (SELECT p, pg_temp.find('//s:path[@class="ao-actual"]/@d', p) AS d FROM (
		SELECT arima_plot(arima_fit(y, '(0,0,0)'), y, 0, last => 1000) AS p FROM (
			SELECT array_agg(CASE WHEN i % 50 NOT IN (0, 2) THEN i % 7 END ORDER BY i) AS y FROM generate_series(1, 200) i) s) x) z) w;
-- one area for each level; the interval begins at the last value
SELECT cardinality(pg_temp.find('//s:path[@class="ao-fan"]', p)) AS areas,
	bool_and(d LIKE 'M' || e.cx || ' ' || e.cy || '%') AS from_last_value
FROM (SELECT arima_plot(model, y, 4, levels => '{0.99,0.5,0.9,0.8}') AS p FROM plot) x,
	LATERAL (SELECT (pg_temp.find('(//s:circle[@class="ao-dot"])[last()]/@cx', p))[1], (pg_temp.find('(//s:circle[@class="ao-dot"])[last()]/@cy', p))[1]) e (cx, cy),
	unnest(pg_temp.find('//s:path[@class="ao-fan"]/@d', p)) d GROUP BY p;
SELECT pg_temp.find('/s:svg/s:text[@text-anchor="start"]/text()', arima_plot(model, y, 4, levels => '{0.99,0.5,0.925}', backtest => y)) AS legend FROM plot;
-- the forecast is arima_forecast's, and arima_forecast's alone
SELECT (pg_temp.find('//s:circle[@class="ao-hint"]/s:title/text()', arima_plot(model, y, 3)))[3] = format('step 3: %s (95 %%: %s to %s)', f.forecast::text, to_char(lower, 'FM99.0000'), to_char(upper, 'FM99.0000')) AS same
FROM plot, arima_forecast(model, 3) f WHERE step = 3;
-- a part of the series, the series, the series and more: where the values are
SELECT name, (pg_temp.axes(p)).columns AS columns, (pg_temp.find('//s:line[@class="ao-now"]/@x1', p))[1]::float8 = round((pg_temp.find('//s:circle[@class="ao-dot"]/@cx', p))[at]::numeric) + 0.5 AS now_at_value
FROM plot, LATERAL (VALUES (1, 'part', arima_plot(model, y[5:], 3), 3), (2, 'series', arima_plot(model, y, 3), 6), (3, 'more', arima_plot(model, y || ARRAY[17, 18, 19, 20]::float8[], 3), 6),
	(4, 'two of it', arima_plot(model, y, 3, last => 2), 2)) v (i, name, p, at) ORDER BY i;
-- many values: the least and the greatest of each pixel
SELECT length(p) < 60000 AS short, (SELECT round((max(c[1]::float8) - min(c[1]::float8))::numeric, 1) FROM regexp_matches((pg_temp.find('//s:path[@class="ao-actual"]/@d', p))[1], '[ML][0-9.]+ ([0-9.]+)', 'g') c) AS height
FROM (SELECT arima_plot(arima_fit('{1,2,4}'::float8[], '(0,1,0)'), (SELECT array_agg(CASE i WHEN 77777 THEN 100 WHEN 133333 THEN -100 ELSE sin(i) END ORDER BY i) FROM generate_series(1, 200000) i), 0, last => 1000000) AS p) x;
SELECT length(arima_plot(model, y, 100000)) < 200000 AS short FROM plot;
-- an interval that would leave the values no room is cut
SELECT (pg_temp.axes(arima_plot(arima_fit(y, '(0,2,0)'), y, 60))).rows AS rows FROM (SELECT '{1,2,1,2,1,3,1,2,3}'::float8[] AS y) s;
-- regressors
SELECT length(arima_plot(arima_fit(y, '(0,0,0)', x), y, 2, xreg => '{9,9}')) > 1000 AS drawn, length(arima_plot(arima_fit(y, '(0,0,0)', x), y, 0)) > 1000 AS without_future
FROM (SELECT '{1,2,3,4,6}'::float8[] AS y, '{1,2,3,5,4}'::float8[] AS x) s;
-- NULL: no picture, or the default
SELECT arima_plot(NULL, y) IS NULL AS model, arima_plot(model, NULL) IS NULL AS y, arima_plot(model, y, NULL) IS NULL AS h,
	arima_plot(model, y, 24, NULL, NULL, NULL, NULL, NULL, NULL) = arima_plot(model, y) AS defaults FROM plot;

-- ---- errors ----
\pset format unaligned
SELECT call, pg_temp.attempt(format('SELECT arima_plot(%s) FROM plot', call))
FROM unnest(ARRAY['model, y, -1', 'model, y, 100001', 'model, y, last => 0', 'model, y, last => -5', 'model, y, levels => ''{}''', 'model, y, levels => ''{0.1,0.2,0.3,0.4,0.5,0.6}''',
	'model, y, levels => ''{0.8,1}''', 'model, y, levels => ''{NULL}''', 'model, y, levels => ''{95}''', 'model, y, backtest => ''{1,2,3,4,5,6,7,8}''', 'model, y, backtest => ''{Infinity}''',
	'model, ''{1,Infinity}''', 'model, ''{1,1e151}''', 'model, ''{{1,2},{3,4}}''', 'model, y, labels => ''{{a,b},{c,d}}''', 'model, y, 2, xreg => ''{1,2}''', 'model, y, levels => ''{{0.8}}''']) call;
SELECT pg_temp.attempt('SELECT arima_plot(arima_fit(y, ''(0,0,0)'', ''{1,5,2,4,3,7,3}''), y, 2) FROM plot');
\pset format aligned

SELECT oid::regprocedure, provolatile, proisstrict, proparallel, procost, obj_description(oid, 'pg_proc') IS NOT NULL AS described
FROM pg_proc WHERE proname = 'arima_plot';

/* ---- what providers answer ---- */

/*
 * The mark at the beginning that some servers put before UTF-8 is no part of the text, and
 * databases of most other encodings have no character for it.  Nor for others that do not
 * matter, in the name of a share for instance: there the bytes are taken as they are.
 */
CREATE FUNCTION arima_ops.answer_text(body bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	content bytea := CASE WHEN substr(body, 1, 3) = decode('efbbbf', 'hex') THEN substr(body, 4) ELSE body END;
BEGIN
	RETURN convert_from(content, 'UTF8');
EXCEPTION WHEN untranslatable_character THEN
	RETURN convert_from(content, getdatabaseencoding());
END $$;
COMMENT ON FUNCTION arima_ops.answer_text(bytea) IS
'The text that an answer is, in UTF-8; with characters that the encoding of the database does not have, its bytes in that encoding';

CREATE FUNCTION arima_ops.try_json(body text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN body::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.try_json(text) IS 'The json that a text is; NULL if it is none';

CREATE FUNCTION arima_ops.known_zone(zone text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM now() AT TIME ZONE zone;
	RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN false;
END $$;
COMMENT ON FUNCTION arima_ops.known_zone(text) IS 'Does PostgreSQL know the time zone?';

/* What an answer without values says of the reason, in words. */
CREATE FUNCTION arima_ops.complaint(body text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT left(regexp_replace(coalesce(
		jsonb_path_query_first(arima_ops.try_json(body), '$.** ? (@.type() == "object").keyvalue()
			? (@.key like_regex "^(error|error message|note|information|message|detail|description)$" flag "i"
				&& @.value.type() == "string").value', silent => true) #>> '{}',
		CASE WHEN body ~ '^[[:space:]]*<' THEN 'HTML in place of values' || coalesce(': ' || substring(body FROM '(?i)<title[^>]*>[[:space:]]*([^<]*[^<[:space:]])'), '')
			WHEN body ~ '[^[:space:]]' THEN format('the answer begins "%s"', left(regexp_replace(ltrim(body, E' \t\r\n'), '[[:space:]]+', ' ', 'g'), 100))
			ELSE 'the answer is empty' END), '[[:space:]]+', ' ', 'g'), 300)
$$;
COMMENT ON FUNCTION arima_ops.complaint(text) IS 'What the answer of a provider says in place of values, in a line';

/* ---- dates and values ---- */

/* What stands for a missing date or number, "" or "N/A", is none.  What has digits is not missing: left out it would be lost without a word. */
CREATE FUNCTION arima_ops.refuse_field(what text, said text, hint text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'a % of the answer is not understood: "%"', what, left(said, 60) USING ERRCODE = 'data_exception', HINT = hint;
END $$;
COMMENT ON FUNCTION arima_ops.refuse_field(text, text, text) IS 'The error (22000) of a date or value of an answer that is not as its provider says';

/* By DD.MM.YYYY the year of 02.01.24 is 24, without an error. */
CREATE FUNCTION arima_ops.read_date(said text, date_format text, zone text) RETURNS date
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day date;
BEGIN
	IF said !~ '[0-9]' THEN
		RETURN NULL;
	END IF;
	BEGIN
		day := CASE date_format
			WHEN 'iso' THEN to_date(substring(said FROM '^[[:space:]]*([0-9]{4}-[0-9]{2}-[0-9]{2})'), 'YYYY-MM-DD')
			WHEN 'epoch' THEN (to_timestamp(said::float8) AT TIME ZONE zone)::date
			WHEN 'epoch_ms' THEN (to_timestamp(said::float8 / 1000) AT TIME ZONE zone)::date
			ELSE to_date(btrim(said), date_format) END;
	EXCEPTION WHEN data_exception THEN
		NULL;
	END;
	IF day BETWEEN '1000-01-01' AND '9999-12-31' THEN
		RETURN day;
	END IF;
	PERFORM arima_ops.refuse_field('date', said, 'date_format of the provider says how dates are written: iso, epoch, epoch_ms, or in the letters of to_date; a year has four digits, or two by YY.');
END $$;
COMMENT ON FUNCTION arima_ops.read_date(text, text, text) IS 'A date of an answer, by the date_format and time zone of its provider; NULL if it has no digits';

CREATE FUNCTION arima_ops.read_value(said text, day date) RETURNS float8
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN said::float8;
EXCEPTION WHEN numeric_value_out_of_range THEN
	RAISE EXCEPTION 'the value of % is too large or too small: "%"', to_char(day, 'YYYY-MM-DD'), left(said, 60)
		USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Values are of double precision, from 1e-307 to 1e308; see what value_field and scale of the provider make of its answers.';
WHEN invalid_text_representation THEN
	PERFORM arima_ops.refuse_field('value', said, 'value_field of the provider says where its values are.');
END $$;
COMMENT ON FUNCTION arima_ops.read_value(text, date) IS 'The number that the value of a day is written as; an error (class 22) that says which it is where it is none that can be kept';

/* ---- formats ---- */

/*
 * Yahoo's chart: parallel arrays.  A daily bar is stamped with the opening of its
 * session, a live one with the last trade.  The bar of a session that is not over
 * is told by the market's time being before the end of the trading period.
 */
CREATE FUNCTION arima_ops.parse_yahoo(provider arima_ops.providers, body jsonb)
RETURNS TABLE (session date, value float8, factor numeric, final boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result jsonb := body #> '{chart,result,0}';
	meta jsonb := result -> 'meta';
	times jsonb := result -> 'timestamp';
	quotes jsonb := result #> CASE provider.value_field WHEN 'adjclose' THEN '{indicators,adjclose,0,adjclose}'::text[]
		ELSE ARRAY['indicators', 'quote', '0', provider.value_field] END;
	period jsonb := meta #> '{currentTradingPeriod,regular}';
	zone text := coalesce(provider.time_zone, CASE WHEN arima_ops.known_zone(meta ->> 'exchangeTimezoneName') THEN meta ->> 'exchangeTimezoneName' END);
	-- where the zone is not known, its present offset has to do
	shift float8 := CASE WHEN zone IS NULL THEN coalesce((meta ->> 'gmtoffset')::float8, 0) ELSE 0 END;
	units numeric := CASE WHEN provider.major_units AND meta ->> 'currency' IN ('GBp', 'GBX', 'ZAc', 'ILA') THEN 0.01 ELSE 1 END;
	unfinished date;
BEGIN
	IF body -> 'chart' IS NULL OR jsonb_typeof(body #> '{chart,error}') = 'object' THEN
		RAISE EXCEPTION '%', arima_ops.complaint(body::text) USING ERRCODE = 'data_exception';
	END IF;
	IF coalesce(jsonb_typeof(times), '') <> 'array' OR jsonb_array_length(times) = 0 THEN
		RETURN;
	END IF;
	IF coalesce(jsonb_typeof(quotes), '') <> 'array' OR jsonb_array_length(quotes) <> jsonb_array_length(times) THEN
		RAISE EXCEPTION 'the answer has % times and % values of "%"', jsonb_array_length(times),
			CASE WHEN jsonb_typeof(quotes) = 'array' THEN jsonb_array_length(quotes)::text ELSE 'no' END, provider.value_field
			USING ERRCODE = 'data_exception';
	END IF;
	zone := coalesce(zone, 'UTC');
	IF (meta ->> 'regularMarketTime')::float8 < (period ->> 'end')::float8 THEN
		unfinished := (to_timestamp((period ->> 'start')::float8 + shift) AT TIME ZONE zone)::date;
	END IF;
	RETURN QUERY
	SELECT b.day, arima_ops.read_value(b.price, b.day), units,
		CASE WHEN period ->> 'end' IS NULL THEN now() >= (b.day + provider.session_end) AT TIME ZONE zone
			ELSE unfinished IS NULL OR b.day < unfinished END
	FROM (SELECT (to_timestamp(t.seconds::float8 + shift) AT TIME ZONE zone)::date AS day, q.price, t.i
		FROM jsonb_array_elements_text(times) WITH ORDINALITY AS t (seconds, i)
			JOIN jsonb_array_elements_text(quotes) WITH ORDINALITY AS q (price, i) USING (i)) AS b
	ORDER BY b.i;
END $$;
COMMENT ON FUNCTION arima_ops.parse_yahoo(arima_ops.providers, jsonb) IS
'The bars of an answer of Yahoo''s chart API; factor: to major units, where these are wanted; final: its session is over';

/*
 * Is it that there is nothing on the path, or has a provider that changed its answers no such place any more?  The path is gone
 * step by step, up to its first condition, until nothing is found: an empty array there, or an empty object whose members are
 * wanted, is an answer without rows.
 */
CREATE FUNCTION arima_ops.leads_nowhere(body jsonb, rows_path jsonpath) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	step_pattern CONSTANT text := E'[.]"(?:[^"\\\\]|\\\\.)*"|[.][*]{1,2}(?:[{][^}]*[}])?|[.][a-z_]+[(][^()]*[)]|[[][^]"]*[]]';
	parts text[] := regexp_match(rows_path::text, '^((?:strict )?[$])((?:' || step_pattern || ')*)(?:[?]|$)');
	path text := parts[1];
	step text;
BEGIN
	FOR step IN SELECT m[1] FROM regexp_matches(parts[2], step_pattern, 'g') AS m LOOP
		-- of a strict path that is not there it says nothing
		IF jsonb_path_exists(body, (path || step)::jsonpath, silent => true) IS NOT TRUE THEN
			RETURN NOT EXISTS (SELECT FROM jsonb_path_query(body, path::jsonpath, silent => true) AS q
				WHERE q = '[]' OR (q = '{}' AND step IN ('.keyvalue()', '.*')));
		END IF;
		path := path || step;
	END LOOP;
	RETURN false;
END $$;
COMMENT ON FUNCTION arima_ops.leads_nowhere(jsonb, jsonpath) IS 'Has an answer no place of the path, not even an empty array?';

/* Which field of the provider is in no row of the answer at all; a row that is null is none. */
CREATE FUNCTION arima_ops.missing_field(provider arima_ops.providers, body jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	q jsonb;
	dated boolean := false;
	valued boolean := false;
BEGIN
	FOR q IN SELECT r.q FROM jsonb_path_query(body, provider.rows_path, silent => true) AS r (q) WHERE r.q <> 'null' LOOP
		dated := dated OR jsonb_path_exists(q, provider.date_field::jsonpath, silent => true);
		valued := valued OR jsonb_path_exists(q, provider.value_field::jsonpath, silent => true);
		EXIT WHEN dated AND valued;
	END LOOP;
	RETURN CASE WHEN q IS NULL OR (dated AND valued) THEN NULL
		WHEN dated THEN format('value_field %s', provider.value_field) ELSE format('date_field %s', provider.date_field) END;
END $$;
COMMENT ON FUNCTION arima_ops.missing_field(arima_ops.providers, jsonb) IS 'The path of date or value that finds nothing in any row of a json answer, as "date_field PATH"; NULL if each finds something, or there are no rows';

CREATE FUNCTION arima_ops.parse_json(provider arima_ops.providers, body jsonb)
RETURNS TABLE (day text, value text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	date_path jsonpath := provider.date_field;
	value_path jsonpath := provider.value_field;
	found_rows boolean := coalesce(jsonb_path_exists(body, provider.rows_path, silent => true), false);
	complaint text;
	nowhere text := CASE WHEN found_rows THEN arima_ops.missing_field(provider, body)
		WHEN arima_ops.leads_nowhere(body, provider.rows_path) THEN format('rows_path %s', provider.rows_path) END;
BEGIN
	-- an empty array of rows is an answer; a complaint has another shape
	IF nowhere IS NOT NULL OR (jsonb_typeof(body) = 'object' AND NOT found_rows) THEN
		complaint := arima_ops.complaint(body::text);
		IF NOT found_rows AND complaint NOT LIKE 'the answer begins%' THEN
			RAISE EXCEPTION '%', complaint USING ERRCODE = 'data_exception';
		ELSIF nowhere IS NOT NULL THEN
			RAISE EXCEPTION '% of the provider finds nothing: %', nowhere, complaint
				USING ERRCODE = 'data_exception', HINT = 'The provider may have changed its answers: put what it is now into arima_ops.providers, and try it out by arima_ops.parse_answer.';
		END IF;
	END IF;
	RETURN QUERY
	SELECT jsonb_path_query_first(q, date_path, silent => true) #>> '{}', jsonb_path_query_first(q, value_path, silent => true) #>> '{}'
	FROM jsonb_path_query(body, provider.rows_path, silent => true) AS q;
END $$;
COMMENT ON FUNCTION arima_ops.parse_json(arima_ops.providers, jsonb) IS 'The rows of a json answer as texts, by the paths of the provider; an error (class 22) where a path finds nothing at all';

/* The lines of CSV.  A field within quotes may have line ends in it: taken apart there its row would be lost. */
CREATE FUNCTION arima_ops.csv_lines(body text, separator text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lines text[] := string_to_array(replace(btrim(body, E' \t\r\n'), E'\r', ''), E'\n');
	ends_open text := format('^((("([^"]|"")*"|[^"%1$s])[^%1$s]*)?%2$s)*"([^"]|"")*$', separator, chr(92) || separator);
	whole text[] := '{}';
	parts text[] := '{}';
	line text;
	within_quotes boolean := false;
BEGIN
	IF strpos(body, '"') = 0 THEN
		RETURN lines;
	END IF;
	FOREACH line IN ARRAY lines LOOP
		IF strpos(line, '"') > 0 THEN
			within_quotes := CASE WHEN within_quotes THEN '"' ELSE '' END || line ~ ends_open;
		END IF;
		parts := parts || line;
		IF NOT within_quotes THEN
			whole := whole || array_to_string(parts, E'\n');
			parts := '{}';
		END IF;
	END LOOP;
	IF within_quotes THEN
		RAISE EXCEPTION 'a field of the answer has no closing quote: "%"', left(parts[1], 60) USING ERRCODE = 'data_exception';
	END IF;
	RETURN whole;
END $$;
COMMENT ON FUNCTION arima_ops.csv_lines(text, text) IS 'The lines of CSV; one goes on where a line end is within quotes';

/* The fields of a line; one within quotes may have separators, doubled quotes and line ends in it. */
CREATE FUNCTION arima_ops.csv_fields(line text, separator text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(coalesce(replace(m[1], '""', '"'), m[2]) ORDER BY i)
	FROM regexp_matches(separator || line,
		format('%1$s(?:"((?:[^"]|"")*)"|([^%1$s]*))', chr(92) || separator), 'g') WITH ORDINALITY AS f (m, i)
$$;
COMMENT ON FUNCTION arima_ops.csv_fields(text, text) IS 'The fields of a line of CSV';

CREATE FUNCTION arima_ops.parse_csv(provider arima_ops.providers, body text)
RETURNS TABLE (day text, value text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lines text[] := arima_ops.csv_lines(body, provider.separator);
	names text[] := ARRAY(SELECT lower(btrim(f)) FROM unnest(arima_ops.csv_fields(lines[1], provider.separator)) AS f);
	date_column int := array_position(names, lower(provider.date_field));
	value_column int := array_position(names, lower(provider.value_field));
BEGIN
	IF date_column IS NULL OR value_column IS NULL THEN
		RAISE EXCEPTION '%', arima_ops.complaint(body) USING ERRCODE = 'data_exception';
	END IF;
	RETURN QUERY
	SELECT l.f[date_column], CASE WHEN NOT provider.decimal_comma THEN l.f[value_column]
			WHEN l.f[value_column] ~ '[0-9][.]|[.][0-9]' AND l.f[value_column] !~ '^[^0-9]*[0-9]{1,3}([.][0-9]{3})+(,[0-9]*)?[^0-9]*$'
			THEN arima_ops.refuse_field('value', l.f[value_column], 'By decimal_comma of the provider its point is for thousands.')
			ELSE replace(replace(l.f[value_column], '.', ''), ',', '.') END
	FROM (SELECT CASE WHEN strpos(line, '"') = 0 THEN string_to_array(line, provider.separator)
			ELSE arima_ops.csv_fields(line, provider.separator) END AS f
		FROM unnest(lines[2:]) AS line WHERE line ~ '[^[:space:]]') AS l;
END $$;
COMMENT ON FUNCTION arima_ops.parse_csv(arima_ops.providers, text) IS 'The rows of a CSV answer as texts, by the columns of the provider';

CREATE FUNCTION arima_ops.parse_rows(provider arima_ops.providers, body text)
RETURNS TABLE (session date, value float8, factor numeric, final boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	document jsonb := CASE WHEN provider.format <> 'csv' THEN arima_ops.try_json(body) END;
	zone text := coalesce(provider.time_zone, 'UTC');
BEGIN
	IF body ~ '^[[:space:]]*<' OR (provider.format <> 'csv' AND document IS NULL) THEN
		RAISE EXCEPTION '%', arima_ops.complaint(body) USING ERRCODE = 'data_exception';
	END IF;
	IF provider.format = 'yahoo' THEN
		RETURN QUERY SELECT * FROM arima_ops.parse_yahoo(provider, document);
		RETURN;
	END IF;
	RETURN QUERY
	WITH d AS MATERIALIZED (
		SELECT lower(btrim(r.value)) AS number, arima_ops.read_date(r.day, provider.date_format, zone) AS day
		FROM (SELECT j.* FROM arima_ops.parse_json(provider, document) AS j WHERE provider.format = 'json'
			UNION ALL SELECT c.* FROM arima_ops.parse_csv(provider, body) AS c WHERE provider.format = 'csv') AS r)
	SELECT d.day, CASE WHEN d.number ~ '^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[-+]?[0-9]+)?$' THEN arima_ops.read_value(d.number, d.day)
			WHEN d.number ~ '[0-9]' THEN arima_ops.refuse_field('value', d.number, 'A number has a decimal point and no other mark; with decimal_comma its point is for thousands.')::float8 END, 1::numeric,
		now() >= (d.day + provider.session_end) AT TIME ZONE zone
	FROM d;
END $$;
COMMENT ON FUNCTION arima_ops.parse_rows(arima_ops.providers, text) IS 'The rows of an answer as they come, by the format of the provider; an error (class 22) with what the answer says instead, if there are none in it';

/*
 * Prices travel as 32-bit numbers in disguise, 1.2999999523 for 1.3.  A value that is
 * one, but for its last digits, is taken for the shortest decimal that means the same.
 */
CREATE FUNCTION arima_ops.parse_answer(provider text, body text)
RETURNS TABLE (session date, value float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	p arima_ops.providers;
BEGIN
	SELECT q.* INTO p FROM arima_ops.providers AS q WHERE q.name = parse_answer.provider;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no provider "%"', parse_answer.provider
			USING ERRCODE = 'undefined_object', HINT = 'The providers are the rows of arima_ops.providers.';
	END IF;
	-- of a day given twice the later row counts
	RETURN QUERY
	SELECT DISTINCT ON (r.day) r.day, arima_ops.read_value((p.scale * r.factor * CASE WHEN abs(r.number) NOT BETWEEN 1e-30 AND 1e30 THEN r.number::text::numeric
		WHEN abs(r.number::float4::float8 - r.number) <= 1e-10 * abs(r.number) THEN r.number::float4::text::numeric
		ELSE r.number::text::numeric END)::text, r.day)
	FROM arima_ops.parse_rows(p, body) WITH ORDINALITY AS r (day, number, factor, final, i)
	WHERE r.day IS NOT NULL AND r.final AND r.number NOT IN ('NaN', 'Infinity', '-Infinity') AND (r.number <> 0 OR NOT p.skip_zero)
	ORDER BY r.day, r.i DESC;
END $$;
COMMENT ON FUNCTION arima_ops.parse_answer(text, text) IS
'The days and values that a provider''s answer gives, as they are recorded: missing values and sessions that are not over left out, of a day given twice the later row. To try out a row of arima_ops.providers';

/* Splits and payments in an answer of Yahoo's chart API. */
CREATE FUNCTION arima_ops.parse_payments(body jsonb, zone text)
RETURNS TABLE (session date, kind text, message text, details jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (to_timestamp((e.value ->> 'date')::float8) AT TIME ZONE zone)::date, k.kind,
		CASE k.kind WHEN 'split' THEN format('split %s', coalesce(e.value ->> 'splitRatio', (e.value ->> 'numerator') || ':' || (e.value ->> 'denominator')))
			ELSE format('%s of %s', k.name, e.value ->> 'amount') END, e.value
	FROM (VALUES ('splits', 'split', 'split'), ('dividends', 'dividend', 'dividend'), ('capitalGains', 'dividend', 'capital gain')) AS k (field, kind, name)
		CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(body #> ARRAY['chart', 'result', '0', 'events', k.field])
			WHEN 'object' THEN body #> ARRAY['chart', 'result', '0', 'events', k.field] ELSE '{}' END) AS e
$$;
COMMENT ON FUNCTION arima_ops.parse_payments(jsonb, text) IS 'Splits, dividends and capital gains in an answer of Yahoo''s chart API, by their day in a time zone';

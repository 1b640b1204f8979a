/* ---- outgoing HTTP ---- */

CREATE TYPE arima_ops.http_request AS (
	method text,
	url text,
	headers text[],
	body bytea,
	retries int);
COMMENT ON TYPE arima_ops.http_request IS
'A request to be sent: GET, POST, PUT, PATCH or DELETE; URL; headers as "Name: value"; body; how often it is repeated, NULL for arima_ops.http_retries. {secret:NAME} in URL or headers stands for a line of arima_ops.http_secrets_file';

CREATE TYPE arima_ops.http_response AS (
	status int,
	content_type text,
	body bytea,
	fault text,
	message text,
	retry_after int,
	url text,
	attempts int,
	milliseconds int);
COMMENT ON TYPE arima_ops.http_response IS
'What came of a request: status and body, or, without an answer, a fault (refused, secret, resolve, connect, timeout, tls, too_large, broken) with a message; retry_after: seconds that the server asks for';

CREATE FUNCTION arima_ops.http_prepare(requests arima_ops.http_request[]) RETURNS int
AS 'MODULE_PATHNAME', 'arima_ops_http_prepare'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION arima_ops.http_prepare(arima_ops.http_request[]) IS
'Sets what the next arima_ops.http_exchange of this session sends, up to the end of a transaction that fails; gives the number of requests. For functions of the extension''s owner only: who may call it can send anything to any listed host';
REVOKE ALL ON FUNCTION arima_ops.http_prepare(arima_ops.http_request[]) FROM PUBLIC;

CREATE PROCEDURE arima_ops.http_exchange(INOUT responses arima_ops.http_response[] DEFAULT NULL)
AS 'MODULE_PATHNAME', 'arima_ops_http_exchange'
LANGUAGE C;
COMMENT ON PROCEDURE arima_ops.http_exchange(arima_ops.http_response[]) IS
'Commits, sends what arima_ops.http_prepare has set, and waits for all answers, without transaction, snapshot or lock; the answers are in the order of the requests. In a function or a transaction block it cannot commit and waits within the transaction';
REVOKE ALL ON PROCEDURE arima_ops.http_exchange(arima_ops.http_response[]) FROM PUBLIC;

CREATE FUNCTION arima_ops.http_refusal(url text, headers text[] DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'arima_ops_http_refusal'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION arima_ops.http_refusal(text, text[]) IS
'Why a request would not be sent: its host is not in arima_ops.http_allowed_hosts, a secret is missing, and so on; NULL if it would. Sends nothing';
REVOKE ALL ON FUNCTION arima_ops.http_refusal(text, text[]) FROM PUBLIC;

/* ---- secrets are not for tables ---- */

CREATE FUNCTION arima_ops.header_lines(headers jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(SELECT h.key || ': ' || h.value FROM jsonb_each_text(CASE jsonb_typeof(headers) WHEN 'object' THEN headers ELSE '{}' END) AS h ORDER BY h.key)
$$;
COMMENT ON FUNCTION arima_ops.header_lines(jsonb) IS 'A json object as headers of a request, "Name: value"';

/* Of what usually is a secret; a secret of another name is the user's to hide. */
CREATE FUNCTION arima_ops.hides_credentials(url text, headers text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT url !~* '[?&](api_?key|access_?token|auth_?token|token|password|secret)=(?![{]secret:)[^&#]' AND url !~ '^[^/]*//[^/?#]*@'
		AND NOT EXISTS (SELECT FROM unnest(headers) AS h
			WHERE h ~* '^[[:space:]]*((proxy-)?authorization|cookie|(x-)?(api|auth)-?(key|token))[[:space:]]*:' AND h !~ '[{]secret:')
$$;
COMMENT ON FUNCTION arima_ops.hides_credentials(text, text[]) IS
'Have URL and headers {secret:NAME} where a key, token or password is to be? For checks of tables that everybody may read who may read any';

/* ---- what could never be sent ---- */

/* What depends on settings, the list of hosts and the secrets, is checked when it is sent (src/http/transfer.c), and so is all of this again. */
CREATE FUNCTION arima_ops.address_fault(url text, headers text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN url ~ '[^!-~]' OR strpos(url, chr(92)) > 0 THEN 'the URL has a blank, a backslash or a character that must be written as %XX'
		WHEN url !~* '^https?://([^][/?#@:]+|[[][0-9a-f:.]+[]])(:[0-9]{1,5})?([/?#]|$)' OR url ~* '^https?://[^/?#]*[{]secret:'
			OR substring(url FROM '^[^/]*//[^/?#]*:([0-9]{1,5})(?![0-9:.]*[]])')::int NOT BETWEEN 1 AND 65535
			THEN 'the URL is not "https://host/path" or "http://host:port/path"'
		WHEN EXISTS (SELECT FROM unnest(headers) AS h
				WHERE h IS NULL OR h !~ E'^[A-Za-z0-9_-]+:[^\\x01-\\x1f\\x7f]*$' OR h ~* '^(host|content-length|transfer-encoding|connection|expect):')
			THEN 'a header is not "Name: value" in one line, or one that is made by itself: Host, Content-Length, Transfer-Encoding, Connection, Expect' END
$$;
COMMENT ON FUNCTION arima_ops.address_fault(text, text[]) IS 'Why no request could have this URL and these headers, whatever the settings are; NULL if one could';

/*
 * Of providers, webhooks, and where MLflow is.  Which time zones there are is the machine's: a dump has to load where one
 * is missing.  What loads dumps sets check_function_bodies to off, as all do that load what was checked before.
 */
CREATE FUNCTION arima_ops.check_address() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given jsonb := to_jsonb(NEW);
	headers text[] := CASE WHEN jsonb_typeof(given -> 'headers') = 'object' THEN arima_ops.header_lines(given -> 'headers')
		ELSE ARRAY(SELECT jsonb_array_elements_text(given -> 'headers')) END;
	fault text := arima_ops.address_fault(coalesce(given ->> 'url', given ->> 'tracking_uri'), headers);
BEGIN
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION 'arima_ops.% cannot have this address%: %', TG_TABLE_NAME, coalesce(' for "' || (given ->> 'name') || '"', ''), fault
			USING ERRCODE = 'invalid_parameter_value', HINT = 'As in https://prices.example.com/v1?x=y with the header "X-Team: forecasts"; {secret:NAME} may stand behind the host, and in values of headers.';
	ELSIF NOT arima_ops.known_zone(given ->> 'time_zone') THEN
		IF current_setting('check_function_bodies')::boolean THEN
			RAISE EXCEPTION 'time zone "%" of provider "%" is not known', given ->> 'time_zone', given ->> 'name'
				USING ERRCODE = 'invalid_parameter_value', HINT = 'pg_timezone_names has the names, such as Europe/Berlin; NULL takes the one that the answer names, or UTC.';
		END IF;
		RAISE WARNING 'time zone "%" of provider "%" is not known here', given ->> 'time_zone', given ->> 'name'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It is loaded, and nothing can be fetched from it until its time_zone is one of pg_timezone_names.';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.check_address() IS 'Refuses URLs, headers and time zones that could never be used (trigger); a time zone in a dump that is loaded is a warning';

/* ---- where values come from: providers, by configuration ---- */

CREATE TABLE arima_ops.providers (
	name text PRIMARY KEY CHECK (name ~ '^[a-z0-9_]{1,100}$'),
	builtin boolean NOT NULL DEFAULT false,
	url text NOT NULL CHECK (url ~ '^https?://'),
	headers jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(headers) = 'object'),
	format text NOT NULL CHECK (format IN ('yahoo', 'json', 'csv')),
	rows_path jsonpath,
	date_field text,
	value_field text NOT NULL,
	date_format text NOT NULL DEFAULT 'iso',
	request_format text NOT NULL DEFAULT 'YYYY-MM-DD' CHECK (request_format <> ''),
	separator text NOT NULL DEFAULT ',' CHECK (separator ~ '^[^"]$'),
	decimal_comma boolean NOT NULL DEFAULT false,
	time_zone text,
	session_end time NOT NULL DEFAULT '18:00',
	scale numeric NOT NULL DEFAULT 1 CHECK (scale <> 0 AND scale <> 'NaN'),
	major_units boolean NOT NULL DEFAULT false,
	skip_zero boolean NOT NULL DEFAULT true,
	history interval NOT NULL DEFAULT '10 years' CHECK (history > interval '0' AND history <= interval '1000 years'),
	overlap interval NOT NULL DEFAULT '14 days' CHECK (overlap >= interval '0' AND overlap <= interval '1000 years'),
	CONSTRAINT credentials_are_for_the_secrets_file CHECK (arima_ops.hides_credentials(url, arima_ops.header_lines(headers))),
	CHECK ((format = 'json') = (rows_path IS NOT NULL)),
	CHECK ((format = 'yahoo') = (date_field IS NULL)),
	CHECK (format <> 'yahoo' OR value_field IN ('adjclose', 'close', 'open', 'high', 'low', 'volume')),
	-- the cast is what checks
	CHECK (CASE WHEN format = 'json' THEN date_field::jsonpath IS NOT NULL AND value_field::jsonpath IS NOT NULL ELSE true END));

COMMENT ON TABLE arima_ops.providers IS
'Where the values of series are fetched: how to ask, and how to read the answer. Values are of days: a session is the trade date, at midnight UTC. The host must be in arima_ops.http_allowed_hosts. Rows of the extension itself (builtin) cannot be changed: copy them under another name';
COMMENT ON COLUMN arima_ops.providers.builtin IS 'came with the extension; not dumped';
COMMENT ON COLUMN arima_ops.providers.url IS
'with {symbol}; {from} and {to}, the first and last day wanted; {from_epoch} and {to_epoch}, the same in seconds, the second one past the last day; {secret:NAME}, a line of arima_ops.http_secrets_file';
COMMENT ON COLUMN arima_ops.providers.headers IS 'sent with the request; {secret:NAME} as in the URL';
COMMENT ON COLUMN arima_ops.providers.format IS 'yahoo: the chart API, version 8; json: values found by paths; csv: columns found by the names in the first line';
COMMENT ON COLUMN arima_ops.providers.rows_path IS 'json: path to the rows; for an object with dates as keys end it with .keyvalue()';
COMMENT ON COLUMN arima_ops.providers.date_field IS 'json: path within a row to its date; csv: name of the column';
COMMENT ON COLUMN arima_ops.providers.value_field IS 'json: path within a row to its value; csv: name of the column; yahoo: adjclose, close, open, high, low or volume';
COMMENT ON COLUMN arima_ops.providers.date_format IS 'of dates in the answer: iso (a time after the date is ignored), epoch, epoch_ms, or a pattern of to_date';
COMMENT ON COLUMN arima_ops.providers.request_format IS 'of {from} and {to} in the URL: a pattern of to_char';
COMMENT ON COLUMN arima_ops.providers.separator IS 'csv: between the columns';
COMMENT ON COLUMN arima_ops.providers.decimal_comma IS 'csv: 1.234,5 is 1234.5';
COMMENT ON COLUMN arima_ops.providers.time_zone IS 'of the exchange; NULL: what the answer says, or else UTC';
COMMENT ON COLUMN arima_ops.providers.session_end IS 'when, in that time zone, the value of the day is final, unless the answer says it: before, it is left out';
COMMENT ON COLUMN arima_ops.providers.scale IS 'values are multiplied by it';
COMMENT ON COLUMN arima_ops.providers.major_units IS 'yahoo: prices in pence, cents or agorot (GBp, ZAc, ILA) are divided by 100';
COMMENT ON COLUMN arima_ops.providers.skip_zero IS 'a value of 0 is a missing one';
COMMENT ON COLUMN arima_ops.providers.history IS 'how far back the first fetch of a series goes';
COMMENT ON COLUMN arima_ops.providers.overlap IS 'how far before the last value each further fetch begins, to see what was revised';

INSERT INTO arima_ops.providers (name, builtin, url, headers, format, rows_path, date_field, value_field, request_format, time_zone) VALUES
('yahoo', true,
	'https://query1.finance.yahoo.com/v8/finance/chart/{symbol}?period1={from_epoch}&period2={to_epoch}&interval=1d&events=div%2Csplits%2CcapitalGains&includePrePost=false',
	'{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}', 'yahoo', NULL, NULL, 'adjclose', 'YYYY-MM-DD', NULL),
('yahoo_close', true,
	'https://query1.finance.yahoo.com/v8/finance/chart/{symbol}?period1={from_epoch}&period2={to_epoch}&interval=1d&events=div%2Csplits%2CcapitalGains&includePrePost=false',
	'{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}', 'yahoo', NULL, NULL, 'close', 'YYYY-MM-DD', NULL),
('tiingo', true,
	'https://api.tiingo.com/tiingo/daily/{symbol}/prices?startDate={from}&endDate={to}',
	'{"Authorization": "Token {secret:tiingo}"}', 'json', '$[*]', '$.date', '$.adjClose', 'YYYY-MM-DD', 'America/New_York'),
('alpha_vantage', true,
	'https://www.alphavantage.co/query?function=TIME_SERIES_DAILY&symbol={symbol}&outputsize=compact&apikey={secret:alpha_vantage}',
	'{}', 'json', '$."Time Series (Daily)".keyvalue()', '$.key', '$.value."4. close"', 'YYYY-MM-DD', 'America/New_York'),
('stooq', true,
	'https://stooq.com/q/d/l/?s={symbol}&i=d&d1={from}&d2={to}',
	'{}', 'csv', NULL, 'Date', 'Close', 'YYYYMMDD', 'America/New_York');

SELECT pg_catalog.pg_extension_config_dump('arima_ops.providers', 'WHERE NOT builtin');

CREATE FUNCTION arima_ops.provider_is_builtin() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'provider "%" belongs to the extension', coalesce(OLD.name, NEW.name)
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Insert a copy under another name, with builtin false, and change that.';
END $$;
COMMENT ON FUNCTION arima_ops.provider_is_builtin() IS 'Refuses changes of the providers that came with the extension (trigger)';

CREATE TRIGGER builtin_is_final BEFORE UPDATE OR DELETE ON arima_ops.providers
FOR EACH ROW WHEN (OLD.builtin) EXECUTE FUNCTION arima_ops.provider_is_builtin();
CREATE TRIGGER builtin_is_ours BEFORE INSERT ON arima_ops.providers
FOR EACH ROW WHEN (NEW.builtin) EXECUTE FUNCTION arima_ops.provider_is_builtin();
CREATE TRIGGER builtin_stays_ours BEFORE UPDATE ON arima_ops.providers
FOR EACH ROW WHEN (NEW.builtin) EXECUTE FUNCTION arima_ops.provider_is_builtin();

-- after the table's own checks, which say what they are for
CREATE TRIGGER check_address AFTER INSERT OR UPDATE OF url, headers, time_zone ON arima_ops.providers
FOR EACH ROW WHEN (NOT NEW.builtin) EXECUTE FUNCTION arima_ops.check_address();

ALTER TABLE arima_ops.series ADD FOREIGN KEY (provider) REFERENCES arima_ops.providers (name) ON UPDATE CASCADE;

/* ---- asking ---- */

CREATE FUNCTION arima_ops.url_encode(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(string_agg(CASE WHEN chr(b) ~ '[A-Za-z0-9._~-]' AND b < 128 THEN chr(b)
		ELSE '%' || upper(lpad(to_hex(b), 2, '0')) END, '' ORDER BY i), '')
	FROM (SELECT i, get_byte(convert_to(value, 'UTF8'), i) AS b
		FROM generate_series(0, octet_length(convert_to(value, 'UTF8')) - 1) AS i) AS bytes
$$;
COMMENT ON FUNCTION arima_ops.url_encode(text) IS 'A text as a part of a URL: all but letters, digits, ".", "_", "~" and "-" as %XX of its UTF-8';

CREATE FUNCTION arima_ops.fetch_url(provider arima_ops.providers, symbol text, from_day date, to_day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- a day earlier, since a session may begin on the day before by UTC; the symbol last: it is encoded, so no brace of it is read
	SELECT replace(replace(replace(replace(replace(provider.url,
		'{from}', arima_ops.url_encode(to_char(from_day, provider.request_format))),
		'{to}', arima_ops.url_encode(to_char(to_day, provider.request_format))),
		'{from_epoch}', (extract(epoch FROM (from_day - 1)::timestamp)::bigint)::text),
		'{to_epoch}', (extract(epoch FROM (to_day + 1)::timestamp)::bigint)::text),
		'{symbol}', arima_ops.url_encode(symbol))
$$;
COMMENT ON FUNCTION arima_ops.fetch_url(arima_ops.providers, text, date, date) IS 'The URL that asks a provider for the values of a symbol, from one day to another; secrets are not in it yet';

CREATE FUNCTION arima_ops.fetch_headers(provider arima_ops.providers) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT arima_ops.header_lines(provider.headers)
$$;
COMMENT ON FUNCTION arima_ops.fetch_headers(arima_ops.providers) IS 'The headers of a request to a provider; secrets are not in them yet';

CREATE FUNCTION arima_ops.check_provider(provider text) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(min(w.why), CASE WHEN count(*) = 0 THEN 'there is no such provider' END)
	FROM arima_ops.providers AS p
		CROSS JOIN LATERAL (SELECT arima_ops.http_refusal(arima_ops.fetch_url(p, 'X', current_date, current_date),
			arima_ops.fetch_headers(p)) AS why) AS w
	WHERE p.name = check_provider.provider
$$;
COMMENT ON FUNCTION arima_ops.check_provider(text) IS
'Why a provider would not be asked: its host is not in arima_ops.http_allowed_hosts, a secret of it is missing; NULL if it would be. Sends nothing';

/*
 * Runs with the owner's rights: http_prepare is for nobody else, and what is sent
 * is what the tables say.
 */
CREATE FUNCTION arima_ops.prepare_fetch(names text[], whole boolean DEFAULT false) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	prepared text[];
	requests arima_ops.http_request[];
BEGIN
	-- a series that has gone, or has no provider any more, is not among them; years without four digits are not asked for, nor does a
	-- session of a wrong year keep those from being asked for that are to come before it
	SELECT array_agg(s.name ORDER BY n.i),
		array_agg(ROW('GET', arima_ops.fetch_url(p, s.symbol, CASE WHEN r.last_ts IS NULL THEN (d.today - p.history)::date
				WHEN whole THEN greatest((r.first_ts AT TIME ZONE 'UTC')::date, date '1000-01-01')
				ELSE greatest((greatest(r.last_ts AT TIME ZONE 'UTC', timestamp '1000-01-01') - p.overlap)::date, date '1000-01-01') END, d.today),
			arima_ops.fetch_headers(p), NULL, NULL)::arima_ops.http_request ORDER BY n.i)
	INTO prepared, requests
	FROM unnest(names) WITH ORDINALITY AS n (name, i)
		JOIN arima_ops.series AS s ON s.name = n.name
		JOIN arima_ops.providers AS p ON p.name = s.provider
		CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC')::date + 1 AS today) AS d
		CROSS JOIN LATERAL (SELECT min(a.ts) AS first_ts, max(a.ts) AS last_ts FROM arima_ops.actuals AS a
			WHERE a.series = s.name AND a.ts <= arima_ops.latest_session()) AS r;
	PERFORM arima_ops.http_prepare(coalesce(requests, '{}'));
	RETURN coalesce(prepared, '{}');
END $$;
COMMENT ON FUNCTION arima_ops.prepare_fetch(text[], boolean) IS
'Prepares a request for each of these series that has a provider, for what is new or for the whole history, and gives them in the order of the requests, which arima_ops.http_exchange sends';

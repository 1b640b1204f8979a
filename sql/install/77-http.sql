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

/*
 * transfer.c
 *		One request on its way: checked, handed to libcurl, its end understood.
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/memutils.h"

#include "internal.h"

#define MAX_HOPS 5
#define URL_FLAGS CURLU_DISALLOW_USER

/* ---- before: may it be sent, and where to ---- */

/* Ends the transfer without an answer. */
static bool
refuse(AoHttpExchange *x, AoHttpTransfer *t, AoHttpFault fault, const char *message)
{
	ao_http_transfer_fail(x, t, fault, message, false);
	return false;
}

/* Is this "Name: value" without control characters, and not of those that say where
 * the request goes or how long it is? */
static bool
is_header(const char *header)
{
	static const char *const ours[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect"};
	size_t		name = strspn(header, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	if (name == 0 || header[name] != ':')
		return false;
	for (size_t i = 0; i < lengthof(ours); i++)
	{
		if (strlen(ours[i]) == name && pg_strncasecmp(header, ours[i], name) == 0)
			return false;
	}
	for (const char *c = header; *c != '\0'; c++)
	{
		if (iscntrl((unsigned char) *c))
			return false;
	}
	return true;
}

/* Why the request is malformed; NULL if it is not. */
static const char *
fault_of_request(const AoHttpRequest *request)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	bool		known = false;

	for (size_t i = 0; i < lengthof(methods); i++)
		known = known || strcmp(request->method, methods[i]) == 0;
	if (!known)
		return "the method is none of GET, POST, PUT, PATCH, DELETE";
	if (request->body != NULL && strcmp(request->method, "GET") == 0)
		return "a GET request has no body";
	for (int i = 0; i < request->n_headers; i++)
	{
		if (!is_header(request->headers[i]))
			return "a header is not \"Name: value\" in one line, or one that is made here: Host, Content-Length, Transfer-Encoding, Connection, Expect";
	}
	return NULL;
}

/* Makes url, a text without secrets, the target; false if it may not be. */
static bool
aim(AoHttpExchange *x, AoHttpTransfer *t, const char *url)
{
	const AoCurl *curl = x->curl;
	const char *why = "the URL is malformed, or has a user name in it";

	if (t->url == NULL)
		t->url = curl->curl_url();
	if (!ao_http_plain_url(url, &why) ||
		curl->curl_url_set(t->url, CURLUPART_URL, url, URL_FLAGS) != CURLUE_OK ||
		!ao_http_read_target(curl, t->url, &t->target, &why))
		return refuse(x, t, AO_HTTP_REFUSED, why);
	if (!ao_http_listed(ao_http_allowed_hosts, &t->target))
		return refuse(x, t, AO_HTTP_REFUSED,
					  psprintf("host %s, port %d, is not in arima_ops.http_allowed_hosts",
							   t->target.host, t->target.port));
	t->host = ao_http_host(x, t->target.host);
	return true;
}

/* Are both the same server? */
static bool
same_target(const AoHttpTarget *a, const AoHttpTarget *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Puts the secrets into the URL, which must not change where it goes. */
static bool
fill_url(AoHttpExchange *x, AoHttpTransfer *t)
{
	const char *why = "a secret is where it would change the host";
	AoHttpTarget filled;
	char	   *url = ao_http_fill_secrets(&x->secrets, t->request->url, true, &t->target, &why);

	if (url == NULL ||
		x->curl->curl_url_set(t->url, CURLUPART_URL, url, URL_FLAGS) != CURLUE_OK ||
		!ao_http_read_target(x->curl, t->url, &filled, &why) || !same_target(&filled, &t->target))
		return refuse(x, t, AO_HTTP_SECRET, why);
	return true;
}

/* See internal.h. */
bool
ao_http_transfer_check(AoHttpExchange *x, AoHttpTransfer *t)
{
	const AoHttpRequest *request = t->request;
	const char *why = fault_of_request(request);

	t->shown = pstrdup(request->url);
	if (why != NULL)
		return refuse(x, t, AO_HTTP_REFUSED, why);
	if (!aim(x, t, ao_http_mask_secrets(request->url)) ||
		(ao_http_has_secret(request->url) && !fill_url(x, t)))
		return false;
	t->first_target = t->target;
	for (int i = 0; i < request->n_headers; i++)
	{
		if (ao_http_fill_secrets(&x->secrets, request->headers[i], false, &t->target, &why) == NULL)
			return refuse(x, t, AO_HTTP_SECRET, why);
	}
	return true;
}

/* ---- sending ---- */

/* Is this header for the server asked first only? */
static bool
is_private_header(const char *header)
{
	return ao_http_has_secret(header) || pg_strncasecmp(header, "authorization:", 14) == 0 ||
		pg_strncasecmp(header, "cookie:", 7) == 0;
}

/* Adds a line to the list of headers; out of memory leaves it out of the list. */
static bool
add_header(AoHttpExchange *x, AoHttpTransfer *t, const char *line)
{
	struct curl_slist *longer = x->curl->curl_slist_append(t->headers, line);

	if (longer != NULL)
		t->headers = longer;
	return longer != NULL;
}

/* Makes the list of headers; a redirect to another server does not get the private ones. */
static bool
add_headers(AoHttpExchange *x, AoHttpTransfer *t)
{
	const char *why;

	for (int i = 0; i < t->request->n_headers; i++)
	{
		const char *header = t->request->headers[i];
		char	   *filled;

		if (is_private_header(header) && !same_target(&t->target, &t->first_target))
			continue;
		filled = ao_http_fill_secrets(&x->secrets, header, false, &t->target, &why);
		if (filled == NULL || !add_header(x, t, filled))
			return false;
	}
	/* else libcurl would wait for the server's leave before it sends a long body */
	return add_header(x, t, "Expect:");
}

/* Tells libcurl the addresses of the host that is connected to. */
static bool
pin_addresses(AoHttpExchange *x, AoHttpTransfer *t)
{
	const AoHttpHost *host = x->proxy_host != NULL ? x->proxy_host : t->host;
	int			port = x->proxy_host != NULL ? x->proxy_target.port : t->target.port;

	if (host->addresses[0] == '\0')
		return true;
	t->resolved = x->curl->curl_slist_append(NULL, psprintf("%s:%d:%s", host->name, port, host->addresses));
	return t->resolved != NULL;
}

#define SET(option, value) (curl->curl_easy_setopt(t->easy, option, value) == CURLE_OK)

/* Method and body. */
static bool
set_method(const AoCurl *curl, AoHttpTransfer *t)
{
	const AoHttpRequest *request = t->request;

	if (strcmp(request->method, "GET") == 0)
		return SET(CURLOPT_HTTPGET, 1L);
	if (request->body == NULL && strcmp(request->method, "DELETE") == 0)
		return SET(CURLOPT_CUSTOMREQUEST, request->method);
	return SET(CURLOPT_POST, 1L) &&
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_size) &&
		SET(CURLOPT_POSTFIELDS, request->body == NULL ? "" : request->body) &&
		SET(CURLOPT_CUSTOMREQUEST, request->method);
}

/* Which protocols, certificates and proxy; nothing comes from the environment. */
static bool
set_security(const AoHttpExchange *x, AoHttpTransfer *t)
{
	const AoCurl *curl = x->curl;

#if LIBCURL_VERSION_NUM >= 0x075500
	if (!SET(CURLOPT_PROTOCOLS_STR, "http,https"))
		return false;
#else
	if (!SET(CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS)))
		return false;
#endif
	if (t->target.https || x->proxy_target.https)
	{
		if (!SET(CURLOPT_SSL_VERIFYPEER, 1L) || !SET(CURLOPT_SSL_VERIFYHOST, 2L) ||
			!SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2) ||
			(ao_http_ca_file[0] != '\0' && !SET(CURLOPT_CAINFO, ao_http_ca_file)))
			return false;
	}
	return SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED) &&
		SET(CURLOPT_PROXY, x->proxy) && SET(CURLOPT_NOPROXY, "");
}

/* Sets all options of the transfer; false if one is not taken. */
static bool
set_options(AoHttpExchange *x, AoHttpTransfer *t)
{
	const AoCurl *curl = x->curl;

	return SET(CURLOPT_CURLU, t->url) && SET(CURLOPT_PRIVATE, t) &&
		SET(CURLOPT_ERRORBUFFER, t->curl_error) &&
		SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_USERAGENT, "arima_ops/" ARIMA_OPS_VERSION) &&
		set_security(x, t) && set_method(curl, t) &&
		add_headers(x, t) && SET(CURLOPT_HTTPHEADER, t->headers) &&
		pin_addresses(x, t) && SET(CURLOPT_RESOLVE, t->resolved) &&
		SET(CURLOPT_ACCEPT_ENCODING, "gzip") && SET(CURLOPT_HTTP_CONTENT_DECODING, 0L) &&
		SET(CURLOPT_CONNECTTIMEOUT_MS, (long) ao_http_connect_timeout) &&
		SET(CURLOPT_TIMEOUT_MS, (long) ao_http_timeout) &&
		SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) ao_http_max_size * 1024) &&
		SET(CURLOPT_WRITEFUNCTION, ao_http_take_body) && SET(CURLOPT_WRITEDATA, t) &&
		SET(CURLOPT_HEADERFUNCTION, ao_http_take_header) && SET(CURLOPT_HEADERDATA, t);
}

/* See internal.h. */
void
ao_http_transfer_start(AoHttpExchange *x, AoHttpTransfer *t)
{
	ao_http_receive_begin(t);
	t->curl_error[0] = '\0';
	t->easy = x->curl->curl_easy_init();
	if (t->easy == NULL || !set_options(x, t) ||
		x->curl->curl_multi_add_handle(x->multi, t->easy) != CURLM_OK)
		ao_http_transfer_fail(x, t, AO_HTTP_BROKEN, "libcurl does not take the request", false);
	else
		t->state = AO_HTTP_RUNNING;
}

/* ---- after ---- */

/* Gives back what belongs to one attempt. */
static void
free_attempt(AoHttpExchange *x, AoHttpTransfer *t)
{
	if (t->easy != NULL)
	{
		x->curl->curl_multi_remove_handle(x->multi, t->easy);
		x->curl->curl_easy_cleanup(t->easy);
	}
	t->easy = NULL;
	x->curl->curl_slist_free_all(t->headers);
	x->curl->curl_slist_free_all(t->resolved);
	t->headers = t->resolved = NULL;
	ao_http_receive_end(t);
}

/* See internal.h. */
void
ao_http_transfer_free(AoHttpExchange *x, AoHttpTransfer *t)
{
	free_attempt(x, t);
	if (t->url != NULL)
		x->curl->curl_url_cleanup(t->url);
	t->url = NULL;
	free(t->body);
	t->body = NULL;
}

/* The attempt is over, the transfer waits for another or is done. */
static void
leave(AoHttpExchange *x, AoHttpTransfer *t, AoHttpState state)
{
	if (t->state == AO_HTTP_RUNNING || t->state == AO_HTTP_RESOLVING)
		x->n_running--;
	free_attempt(x, t);
	t->state = state;
	if (state == AO_HTTP_DONE)
	{
		x->n_done++;
		t->ended = ao_http_clock();
	}
}

/* Has it attempts left?  Then it waits for the next one, at least so many seconds. */
static bool
try_again(AoHttpExchange *x, AoHttpTransfer *t, int seconds)
{
	int			retries = t->request->retries < 0 ? ao_http_retries : t->request->retries;
	int64		pause = ao_http_retry_delay;

	for (int i = 1; i < t->attempts && pause < ao_http_max_retry_delay; i++)
		pause *= 2;
	pause = Max(Min(pause, ao_http_max_retry_delay), (int64) seconds * 1000);
	if (t->attempts > retries || pause > ao_http_max_retry_delay)
		return false;
	t->due = ao_http_clock() + pause;
	if (seconds > 0)
		t->host->not_before = Max(t->host->not_before, t->due);
	leave(x, t, AO_HTTP_WAITING);
	return true;
}

/* See internal.h. */
void
ao_http_transfer_fail(AoHttpExchange *x, AoHttpTransfer *t, AoHttpFault fault, const char *message,
					  bool repeatable)
{
	if (repeatable && try_again(x, t, 0))
		return;
	t->fault = fault;
	/* libcurl's words, or a host that the server points to, may have a secret in them */
	t->message = pstrdup(message);
	ao_http_scrub(&x->secrets, t->message, strlen(t->message));
	leave(x, t, AO_HTTP_DONE);
}

/* Does a second sending do no more than one? */
static bool
is_idempotent(const AoHttpTransfer *t)
{
	return strcmp(t->request->method, "POST") != 0 && strcmp(t->request->method, "PATCH") != 0;
}

/* The fault that libcurl's code stands for; and may the request be sent once more? */
static AoHttpFault
fault_of_code(const AoHttpExchange *x, const AoHttpTransfer *t, CURLcode code, bool *repeatable)
{
	double		connected = 0;

	x->curl->curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME, &connected);
	if (connected == 0 && !t->target.https)
		x->curl->curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME, &connected);
	/* what was not sent may be sent */
	*repeatable = connected == 0 || is_idempotent(t);
	switch (code)
	{
		case CURLE_COULDNT_CONNECT:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
			return AO_HTTP_CONNECT;
		case CURLE_OPERATION_TIMEDOUT:
			return AO_HTTP_TIMEOUT;
		case CURLE_SSL_CONNECT_ERROR:
			return AO_HTTP_TLS;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_ISSUER_ERROR:
			*repeatable = false;
			return AO_HTTP_TLS;
		case CURLE_FILESIZE_EXCEEDED:
			*repeatable = false;
			return AO_HTTP_TOO_LARGE;
		default:
			*repeatable = *repeatable && (t->stop == AO_HTTP_NOT_STOPPED || t->stop == AO_HTTP_STOP_GARBLED);
			return t->stop == AO_HTTP_STOP_SIZE || t->stop == AO_HTTP_STOP_HEADERS ? AO_HTTP_TOO_LARGE : AO_HTTP_BROKEN;
	}
}

/* Was it a line of the headers that libcurl had no room for?  It calls that out of memory, or, since 8.6, too large (100). */
static bool
is_header_too_long(const AoHttpExchange *x, const AoHttpTransfer *t, CURLcode code)
{
	double		first_byte = 0;

	x->curl->curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME, &first_byte);
	return (code == CURLE_OUT_OF_MEMORY || (int) code == 100) && first_byte > 0 && t->size == 0;
}

/* What to tell of a transfer that libcurl gave up. */
static const char *
describe(AoHttpExchange *x, AoHttpTransfer *t, AoHttpFault fault, CURLcode code)
{
	const char *detail = t->curl_error[0] != '\0' ? t->curl_error : x->curl->curl_easy_strerror(code);

	if (t->stop == AO_HTTP_STOP_MEMORY)
		return "out of memory";
	if (t->stop == AO_HTTP_STOP_HEADERS)
		return psprintf("headers of the answer of host %s are larger than %d kB",
						t->target.host, AO_HTTP_MAX_HEADER_SIZE / 1024);
	if (t->stop == AO_HTTP_STOP_CODING)
		return psprintf("host %s, port %d: the answer has a Content-Encoding other than gzip, which it was asked for",
						t->target.host, t->target.port);
	if (t->stop == AO_HTTP_STOP_GARBLED)
		return psprintf("host %s, port %d: what the answer was compressed to cannot be read",
						t->target.host, t->target.port);
	if (fault == AO_HTTP_TOO_LARGE)
		return psprintf("answer of host %s is larger than arima_ops.http_max_size, %d kB",
						t->target.host, ao_http_max_size);
	return psprintf("host %s, port %d: %s", t->target.host, t->target.port, detail);
}

/* Goes on to where the server points, if that may be; true if it is on its way. */
static bool
redirect(AoHttpExchange *x, AoHttpTransfer *t)
{
	const char *location = NULL;
	char	   *url;
	bool		was_https = t->target.https;

	x->curl->curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &location);
	if (location == NULL || strcmp(t->request->method, "GET") != 0)
		return false;
	url = pstrdup(location);
	t->shown = pstrdup(url);
	ao_http_scrub(&x->secrets, t->shown, strlen(t->shown));
	if (++t->hops > MAX_HOPS)
		refuse(x, t, AO_HTTP_REFUSED, "the server redirects more than 5 times");
	else if (aim(x, t, url))
	{
		if (was_https && !t->target.https)
			refuse(x, t, AO_HTTP_REFUSED, "the server redirects from https to http");
		else
		{
			t->attempts--;
			t->due = 0;
			leave(x, t, AO_HTTP_WAITING);
		}
	}
	if (t->state == AO_HTTP_DONE)
		t->message = psprintf("redirected to %s: %s", t->shown, t->message);
	return true;
}

/* Keeps what the answer says of itself. */
static void
read_answer(AoHttpExchange *x, AoHttpTransfer *t)
{
	long		status = 0;
	curl_off_t	retry_after = 0;
	const char *content_type = NULL;

	x->curl->curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	x->curl->curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
	x->curl->curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
	t->status = (int) status;
	t->retry_after = t->pause_asked > 0 ? t->pause_asked : (int) Min(Max(retry_after, 0), AO_HTTP_MAX_RETRY_AFTER);
	t->content_type = content_type == NULL ? NULL : pstrdup(content_type);
	ao_http_scrub(&x->secrets, t->body, t->size);
	if (t->content_type != NULL)
		ao_http_scrub(&x->secrets, t->content_type, strlen(t->content_type));
}

/* Is the status one after which the request should be sent again? */
static bool
is_passing(const AoHttpTransfer *t)
{
	return t->status == 408 || t->status == 429 || t->status == 503 ||
		(t->status >= 500 && is_idempotent(t));
}

/* See internal.h. */
void
ao_http_transfer_finish(AoHttpExchange *x, AoHttpTransfer *t, CURLcode result)
{
	bool		repeatable;

	if (result == CURLE_OK && ao_http_is_cut_off(t))
	{
		ao_http_transfer_fail(x, t, AO_HTTP_BROKEN, psprintf("host %s, port %d: the compressed answer is cut off",
															 t->target.host, t->target.port), is_idempotent(t));
		return;
	}
	if (result != CURLE_OK)
	{
		AoHttpFault fault;

		if (is_header_too_long(x, t, result))
			t->stop = AO_HTTP_STOP_HEADERS;
		fault = fault_of_code(x, t, result, &repeatable);
		ao_http_transfer_fail(x, t, fault, describe(x, t, fault, result), repeatable);
		return;
	}
	read_answer(x, t);
	if (t->status >= 300 && t->status < 400 && redirect(x, t))
		return;
	if (is_passing(t) && try_again(x, t, t->retry_after))
		return;
	leave(x, t, AO_HTTP_DONE);
}

/*
 * http.c
 *		The server: a request from its first line to its last byte, the headers of replies.
 *
 * libmicrohttpd's threads wait by epoll.  A request that needs the database is
 * suspended, which costs no thread, and resumed by the worker that has answered it.
 */
#include "restd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define FLOOD 16				/* times the longest body: beyond that the connection is cut */

#define ROOM_FOR_PARAMETER 64	/* bytes of the memory for a head that the library takes for each, beside its text */
#define ROOM_FOR_REPLY 1024		/* and what it needs for a short request's other lines and the head of the reply */

static struct MHD_Daemon *server;
static Request crowded;			/* stands for a request whose first line is too much */
static atomic_long in_flight;
static atomic_bool draining;

/* ---- connections ---- */

/* A connection begins or ends; its socket is still open when it ends. */
static void
on_connection(void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	(void) cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		*context = peer_new(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
		metrics_connection(1);
	}
	else if (*context != NULL)
	{
		peer_end(*context);
		*context = NULL;
		metrics_connection(-1);
	}
}

static struct Peer *
peer_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Does a first line with what the library keeps of its parameters leave no memory for the rest of the head? */
static bool
is_crowded(const char *url)
{
	int64_t		room = options.max_header - (int64_t) strlen(url) - ROOM_FOR_REPLY;
	int64_t		half = options.max_header / 2 - ROOM_FOR_REPLY / 2;

	/* an old library keeps half of the memory for what it reads, whatever the line leaves of that */
	if (IS_OLD_LIBRARY && room > half)
		room = half;
	for (const char *s = strchr(url, '?'); s != NULL; s = strchr(s + 1, '&'))
		room -= ROOM_FOR_PARAMETER;
	return room < 0;
}

/*
 * The first line of a request is there.  Where it is too much, the library would neither
 * go on nor answer: it gets no parameters to see, and the request is refused.
 */
static void *
on_first_line(void *cls, const char *url, struct MHD_Connection *connection)
{
	char	   *query = url != NULL ? strchr(url, '?') : NULL;

	(void) cls;
	peer_begins(peer_of(connection));
	if (query == NULL || !is_crowded(url))
		return NULL;
	query[1] = '\0';
	return &crowded;
}

/* ---- replies ---- */

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value != NULL)
		MHD_add_response_header(response, name, value);
}

/* See restd.h: a weak one, as a proxy makes of it that packs what it passes on, is as good. */
bool
http_has_tag(const Request *request, const char *etag)
{
	const char *known = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "If-None-Match");

	return known != NULL && (strstr(known, etag) != NULL || strcmp(known, "*") == 0);
}

/* Turns the reply to a read into "not modified" if the client has it; gives its tag. */
static void
match_etag(Request *request, char *etag, size_t size)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < request->reply.size; i++)
		hash = (hash ^ (unsigned char) request->reply.body[i]) * UINT64_C(1099511628211);
	snprintf(etag, size, "\"%016" PRIx64 "\"", hash);
	if (http_has_tag(request, etag))
	{
		request->reply.status = 304;
		request->reply.size = 0;
	}
}

static enum MHD_Result
send_reply(Request *request)
{
	Reply	   *reply = &request->reply;
	struct MHD_Response *response;
	enum MHD_Result result;
	char		etag[32] = "";
	char		number[16];

	peer_set_state(request->peer, PEER_WRITING);
	if (reply->status == 200 && request->route != NULL && request->route->kind == ROUTE_READ)
		match_etag(request, etag, sizeof(etag));
	response = MHD_create_response_from_buffer(reply->size, reply->body, MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	reply->body = NULL;
	if (reply->status != 304 && reply->status != 307)
		add_header(response, "Content-Type", reply->type != NULL ? reply->type : "application/json");
	add_header(response, "X-Content-Type-Options", "nosniff");
	add_header(response, "Cache-Control", etag[0] != '\0' ? "no-cache" : "no-store");
	add_header(response, "ETag", etag[0] != '\0' ? etag : NULL);
	add_header(response, "Allow", reply->allow);
	add_header(response, "Location", reply->location);
	add_header(response, "WWW-Authenticate", reply->status == 401 ? "Bearer" : NULL);
	if (reply->retry_after > 0)
	{
		snprintf(number, sizeof(number), "%d", reply->retry_after);
		add_header(response, "Retry-After", number);
	}
	if (reply->last || atomic_load_explicit(&draining, memory_order_relaxed))
		add_header(response, "Connection", "close");
	result = MHD_queue_response(request->connection, (unsigned int) reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* See restd.h: called by a worker. */
void
http_answer(Request *request)
{
	MHD_resume_connection(request->connection);
}

/* ---- requests ---- */

/* Adds a parameter to an address, as it came: only of a + has the library made a blank. */
static enum MHD_Result
add_parameter(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	Text	   *location = cls;
	size_t		begin = location->size;

	(void) kind;
	text_add_char(location, memchr(location->data, '?', location->size) == NULL ? '?' : '&');
	text_add_string(location, name);
	if (value != NULL)
	{
		text_add_char(location, '=');
		text_add_string(location, value);
	}
	for (char *s = location->data + begin; *s != '\0'; s++)
		if (*s == ' ')
			*s = '+';
	return MHD_YES;
}

/* A path that only has a slash too many goes where it belongs, as in Starlette; one description is enough. */
static bool
redirect(Request *request, const char *url)
{
	size_t		length = strlen(url);
	Text		location = {0};
	const char *allowed;

	if (strcmp(url, "/redoc") == 0)
	{
		request->reply = (Reply) {.status = 307, .location = need_copy("/docs")};
		return true;
	}
	if (length < 2 || url[length - 1] != '/' || url[1] == '/')
		return false;
	text_add(&location, url, length - 1);
	if (route_find(request->method, location.data, NULL, &allowed) == NULL && allowed == NULL && asset_find(location.data) == NULL)
	{
		text_free(&location);
		return false;
	}
	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, add_parameter, &location);
	request->reply = (Reply) {.status = 307, .location = location.data};
	return true;
}

/* Finds what is asked for; where there is nothing, the reply says so. */
static void
find(Request *request, const char *url)
{
	const char *allowed;

	request->route = route_find(request->method, url, request, &allowed);
	if (request->route != NULL)
		return;
	request->asset = allowed == NULL ? asset_find(url) : NULL;
	if (request->asset != NULL && strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
	{
		allowed = "GET, HEAD";
		request->asset = NULL;
	}
	if (allowed != NULL)
	{
		reply_detail(request, 405, "Method Not Allowed");
		request->reply.allow = allowed;
	}
	else if (request->asset == NULL && !redirect(request, url))
		reply_detail(request, 404, "Not Found");
}

/* What can be refused before the body: who asks, how often, in which coding. */
static void
check_head(Request *request)
{
	const char *coding = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Encoding");
	bool		reads = request->route != NULL && strcmp(request->route->method, "GET") == 0;

	if (request->asset == NULL && !request->route->open && auth_needed())
	{
		request->token = auth_check(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization"));
		if (request->token == NULL && !(reads && options.open_reads))
		{
			reply_detail(request, 401, "Not authenticated");
			return;
		}
	}
	if (!rate_allows(request))
	{
		reply_detail(request, 429, "Too Many Requests");
		request->reply.retry_after = 1;
	}
	else if (coding != NULL && strcasecmp(coding, "identity") != 0)
		reply_detail(request, 415, "Unsupported Media Type");
}

/* The length that the body is said to have; a body of unknown length is counted as it comes. */
static uint64_t
announced_length(const Request *request)
{
	const char *length = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Length");

	return length != NULL ? strtoull(length, NULL, 10) : 0;
}

/* The path of what is asked for: as it is sent to a proxy, which every server has to take, scheme and host are before it. */
static const char *
path_of(const char *target)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		size_t		scheme = strlen(schemes[i]);
		size_t		host = strncasecmp(target, schemes[i], scheme) == 0 ? strcspn(target + scheme, "/") : 0;

		if (host > 0)
			return target[scheme + host] == '/' ? target + scheme + host : "/";
	}
	return target;
}

/* The head of a request is there. */
static enum MHD_Result
begin(struct MHD_Connection *connection, const char *method, const char *url, const char *version, void **context)
{
	Request    *request = need_memory(NULL, sizeof(Request));
	uint64_t	length;

	*request = (Request) {.connection = connection, .method = method, .start = clock_microseconds(), .weight = 1, .peer = peer_of(connection)};
	if (*context == &crowded)
		reply_detail(request, 414, "URI Too Long");
	else if (!first_line_is_clear(version) || !head_is_clear(connection, MHD_HEADER_KIND))
		reply_detail(request, 400, "Bad Request");
	*context = request;
	atomic_fetch_add(&in_flight, 1);
	if (request->reply.status != 0)
	{
		/* what a proxy takes for the body could be another request here, or the other way round: the connection ends */
		request->reply.last = true;
		return send_reply(request);
	}
	find(request, path_of(url));
	if (request->reply.status == 0)
		check_head(request);
	length = announced_length(request);
	if (length > (uint64_t) options.max_body)
		request->too_large = true;
	/* who waits for leave to send a body, or would send very much, gets the refusal at once */
	if ((request->too_large || request->reply.status != 0) && length > 0
		&& (length > (uint64_t) options.max_body * FLOOD
			|| MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect") != NULL))
	{
		if (request->reply.status == 0)
			reply_detail(request, 413, "Content Too Large");
		return send_reply(request);
	}
	if (length > 0 && !request->too_large)
		text_room(&request->body, length);
	return MHD_YES;
}

/* A piece of the body; false: cut the connection. */
static bool
take_body(Request *request, const char *data, size_t size)
{
	if (request->body.size + size > (size_t) options.max_body && !request->too_large)
	{
		request->too_large = true;
		text_free(&request->body);
	}
	if (request->too_large || request->reply.status != 0)
	{
		/* not kept, only counted */
		request->body.size += size;
		return request->body.size <= (size_t) options.max_body * FLOOD;
	}
	text_add(&request->body, data, size);
	return true;
}

/* What is answered without the database.  True: it is to wait for a worker. */
static bool
answer(Request *request)
{
	Text		body = {0};

	switch (request->route->kind)
	{
		case ROUTE_PREDICT:
			return predict_prepare(request);
		case ROUTE_READ:
			return read_prepare(request);
		case ROUTE_HEALTH:
		case ROUTE_FIXED:
			text_add_string(&body, "{\"status\":\"ok\"}");
			break;
		case ROUTE_METRICS:
			metrics_write(&body);
			break;
	}
	reply_text(request, 200, &body);
	if (request->route->kind == ROUTE_METRICS)
		request->reply.type = "text/plain; version=0.0.4; charset=utf-8";
	return false;
}

/* The request is whole, or comes back with its reply. */
static enum MHD_Result
finish(Request *request)
{
	if (!head_is_clear(request->connection, MHD_FOOTER_KIND))
	{
		/* as with a head: the connection ends */
		free(request->reply.body);
		free(request->reply.location);
		reply_detail(request, 400, "Bad Request");
		request->reply.last = true;
	}
	if (request->reply.status == 0 && request->too_large)
		reply_detail(request, 413, "Content Too Large");
	if (request->reply.status == 0 && request->asset != NULL)
	{
		request->reply.status = 200;
		peer_set_state(request->peer, PEER_WRITING);
		return asset_send(request);
	}
	if (request->reply.status == 0 && answer(request))
	{
		peer_set_state(request->peer, PEER_WAITING);
		MHD_suspend_connection(request->connection);
		work_submit(request);
		return MHD_YES;
	}
	return send_reply(request);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
		   const char *data, size_t *size, void **context)
{
	Request    *request = *context;

	(void) cls;
	if (request == NULL || request == &crowded)
		return begin(connection, method, url, version, context);
	if (*size > 0)
	{
		bool		good = take_body(request, data, *size);

		*size = 0;
		return good ? MHD_YES : MHD_NO;
	}
	return finish(request);
}

static void
log_access(const Request *request)
{
	char		status[16];
	char		microseconds[24];
	const char *path = request->route != NULL ? request->route->path : request->asset != NULL ? request->asset->path : NULL;

	snprintf(status, sizeof(status), "%d", request->reply.status);
	snprintf(microseconds, sizeof(microseconds), "%" PRId64, clock_microseconds() - request->start);
	log_event("info", "request", "method", request->method, "path", path, "#status", status, "#microseconds", microseconds,
			  request->token != NULL ? "token" : (char *) NULL, request->token != NULL ? request->token->name : NULL, (char *) NULL);
}

/* The reply has been sent, or the client has gone. */
static void
on_completed(void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code)
{
	Request    *request = *context;

	(void) cls;
	(void) code;
	peer_set_state(peer_of(connection), PEER_IDLE);
	if (request == NULL || request == &crowded)
		return;
	metrics_request(request);
	if (options.access_log)
		log_access(request);
	*context = NULL;
	for (int i = 0; i < MOST_PARAMETERS; i++)
		free(request->parameters[i]);
	free(request->key);
	free(request->reply.body);
	free(request->reply.location);
	text_free(&request->body);
	free(request);
	atomic_fetch_sub(&in_flight, 1);
}

/* Escapes in paths and parameters stay until these are taken apart. */
static size_t
leave_escaped(void *cls, struct MHD_Connection *connection, char *s)
{
	(void) cls;
	(void) connection;
	return strlen(s);
}

/* ---- the server ---- */

/* See restd.h. */
void
http_start(int listening)
{
	server = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL, on_request, NULL,
							  MHD_OPTION_LISTEN_SOCKET, (MHD_socket) listening,
							  MHD_OPTION_THREAD_POOL_SIZE, (unsigned int) options.threads,
							  MHD_OPTION_CONNECTION_LIMIT, (unsigned int) options.max_connections,
							  MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int) options.max_connections_per_ip,
							  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) options.max_header,
							  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int) ((options.idle_timeout + 999) / 1000),
							  MHD_OPTION_STRICT_FOR_CLIENT, 1,
							  MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
							  MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
							  MHD_OPTION_URI_LOG_CALLBACK, on_first_line, NULL,
							  MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
							  MHD_OPTION_END);
	if (server == NULL)
		die("the HTTP server does not start");
}

/* See restd.h. */
bool
http_drain(int64_t timeout)
{
	int64_t		deadline = clock_microseconds() + timeout * 1000;
	int64_t		checked = clock_microseconds();
	MHD_socket	listening;

	atomic_store(&draining, true);
	listening = MHD_quiesce_daemon(server);
	if (listening != MHD_INVALID_SOCKET)
		close(listening);
	while (atomic_load(&in_flight) > 0)
	{
		if (clock_microseconds() > deadline)
			return false;
		nanosleep(&(struct timespec) {.tv_nsec = 5000000}, NULL);
		if (clock_microseconds() - checked < 1000000)
			continue;
		peers_check_times();
		checked = clock_microseconds();
	}
	return true;
}

void
http_stop(void)
{
	MHD_stop_daemon(server);
}

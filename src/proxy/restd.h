/*
 * restd.h
 *		What the parts of arima_restd share: settings, requests, and the calls from
 *		one part to another.  The database is reached through SQL alone.
 *
 * Threads: libmicrohttpd's read requests and write replies; a few workers, each with
 * a connection of its own, take the requests that need the database from a queue;
 * the first thread waits for signals and closes what takes too long.
 */
#ifndef ARIMA_RESTD_H
#define ARIMA_RESTD_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define MOST_PARAMETERS 8		/* of a route */

/* Debian 11 has 0.9.72; 0.9.75, of Debian 12, no longer does what is said of an old library. */
#define IS_OLD_LIBRARY (MHD_VERSION < 0x00097500)

/* ---- settings (options.c) ---- */

typedef struct Options
{
	char	   *config;
	char	   *listen;
	char	   *database;
	char	   *user;
	char	   *tokens;
	bool		open_reads;
	bool		access_log;
	bool		fixed_reply;
	int64_t		threads;
	int64_t		batch_workers;
	int64_t		read_workers;
	int64_t		batch_size;
	int64_t		queue;
	int64_t		max_body;
	int64_t		max_header;
	int64_t		max_connections;
	int64_t		max_connections_per_ip;
	int64_t		rate;			/* requests a second of one client; 0: any */
	int64_t		idle_timeout;	/* all times in milliseconds */
	int64_t		request_timeout;
	int64_t		statement_timeout;
	int64_t		connect_timeout;
	int64_t		stop_timeout;
} Options;

extern Options options;

/* Reads file, environment and command line; ends the program with a word to the caller if it has to. */
extern void options_read(int n_arguments, char **arguments);

/* ---- log: a JSON object a line on standard error (log.c) ---- */

/* Fields: name and value in turn, NULL at the end; a name that begins with # has a number as its value. */
extern void log_event(const char *level, const char *event, ...) __attribute__((sentinel));
extern _Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int64_t clock_microseconds(void);	/* of a clock that only goes forward */

/* ---- requests ---- */

typedef enum RouteKind
{
	ROUTE_PREDICT,				/* by the next batch */
	ROUTE_READ,					/* SQL that gives one json */
	ROUTE_HEALTH,
	ROUTE_METRICS,
	ROUTE_FIXED					/* for benchmarks: the same reply always */
} RouteKind;

typedef enum ParameterType
{
	PARAMETER_TEXT,
	PARAMETER_INT,				/* of 32 bits */
	PARAMETER_BIGINT,			/* of 64 */
	PARAMETER_FLOAT
} ParameterType;

/* What the SQL takes; the value is checked before, so that the reply can name the parameter as FastAPI does. */
typedef struct Parameter
{
	const char *name;			/* NULL: there are no more */
	ParameterType type;
	const char *called;			/* by the database, where that has another name for it */
} Parameter;

/*
 * A line of the table in routes.c.  In a path, {name} stands for any segment.  The
 * parameters $1, $2 … of the SQL come from the path or the query string, as text or
 * NULL.  It gives a row with one json.
 */
typedef struct Route
{
	const char *method;
	const char *path;
	RouteKind	kind;
	bool		open;			/* needs no token, and has no rate: the database is asked for it once a second at most */
	const char *sql;
	Parameter	parameters[MOST_PARAMETERS];
} Route;

typedef struct Reply
{
	int			status;			/* 0: there is none yet */
	char	   *body;			/* malloc'ed, or NULL */
	size_t		size;
	const char *type;			/* NULL: application/json */
	const char *allow;			/* header Allow, or NULL */
	char	   *location;		/* header Location, malloc'ed, or NULL */
	int			retry_after;	/* header in seconds, or 0 */
	bool		last;			/* the connection is closed behind it */
} Reply;

typedef struct Request
{
	struct Request *next;		/* in a queue */
	struct MHD_Connection *connection;
	struct Peer *peer;			/* the connection, for its times */
	const char *method;
	const Route *route;			/* NULL: none matches */
	const struct Asset *asset;	/* a file in place of a route, or NULL */
	int64_t		start;
	bool		too_large;
	Text		body;
	const struct Token *token;	/* who asks, or NULL */
	size_t		weight;			/* requests that it counts as in a batch */
	char	   *key;			/* of idempotency, or NULL */
	char	   *parameters[MOST_PARAMETERS];
	Reply		reply;
} Request;

/* ---- routes (routes.c) ---- */

/* The route for method and path; *allowed lists the methods where only the method does not fit, else it is NULL. */
extern const Route *route_find(const char *method, const char *path, Request *request, const char **allowed);
extern const Route *route_at(size_t i);		/* NULL behind the last one */
extern size_t route_number(const Route *route);
extern int route_parameter(const Route *route, const char *name, size_t length);	/* its number in the list, or -1 */

/* ---- replies (reply.c) ---- */

extern void reply_text(Request *request, int status, Text *body);	/* takes the text over */
extern void reply_detail(Request *request, int status, const char *detail);
/* 422 in FastAPI's form; loc is what stands in the list, input and context are JSON or NULL. */
extern void reply_invalid(Request *request, const char *type, const char *loc, const char *message, const char *input,
						  const char *context);
extern void reply_unavailable(Request *request, const char *detail);

/* ---- HTTP (http.c) ---- */

extern void http_start(int listening);
extern bool http_drain(int64_t timeout);	/* no new connections; true when all in flight is answered */
extern void http_stop(void);
/* Does the client say that it has what this tag, with its quotes, stands for? */
extern bool http_has_tag(const Request *request, const char *etag);
/* A worker is done with a request: its reply is sent. */
extern void http_answer(Request *request);

/* ---- clients' connections (peers.c) ---- */

typedef enum PeerState
{
	PEER_NEW,					/* has had no request yet */
	PEER_IDLE,					/* between two requests */
	PEER_READING, PEER_WAITING, PEER_WRITING
} PeerState;

extern struct Peer *peer_new(int socket);
extern void peer_end(struct Peer *peer);
extern void peer_set_state(struct Peer *peer, PeerState state);
extern void peer_begins(struct Peer *peer);	/* the first line of a request is there */
extern void peers_check_times(void);

/* ---- heads of requests (head.c) ---- */

/* False: the headers, or those after a body in pieces, may be read in two ways as to where the request ends. */
extern bool head_is_clear(struct MHD_Connection *connection, enum MHD_ValueKind kind);

/* False: the same of the first line, which the version ends. */
extern bool first_line_is_clear(const char *version);

/* ---- files in the program (assets.c, and the table that scripts/embed-assets makes) ---- */

typedef struct Asset
{
	const char *path;			/* of its file, without the folder */
	const char *etag;			/* with its quotes; packed it has another, see asset_send */
	const unsigned char *data;
	size_t		size;
	const unsigned char *packed;	/* by gzip */
	size_t		packed_size;
} Asset;

extern const Asset assets[];
extern const size_t n_assets;

extern const Asset *asset_find(const char *path);
extern enum MHD_Result asset_send(const Request *request);

/* ---- tokens (auth.c) ---- */

typedef struct Token
{
	char	   *name;
	char	   *role;			/* of the database, or NULL */
	unsigned char hash[32];
} Token;

extern void auth_load(void);	/* dies where the file is wrong at the start; later it keeps the old ones */
extern bool auth_needed(void);
extern const Token *auth_check(const char *header);
/* May this client ask now?  By its token, or else its address. */
extern bool rate_allows(const Request *request);
/* Counts a request that was allowed as so many more. */
extern void rate_charge(const Request *request, size_t more);

/* ---- work for the database (queue.c, predict.c, read.c) ---- */

typedef struct Queue Queue;
struct Database;

/* patience: microseconds that a request waits, or a batch runs, before the reserve takes over */
extern Queue *queue_new(size_t most, int64_t patience);
extern bool queue_put(Queue *queue, Request *request);	/* false: it is full, or closed */
/* Waits for requests of one role, at most one or so much weight; NULL: the queue is closed and empty. */
extern Request *queue_take(Queue *queue, size_t most, bool reserve, size_t *n);
extern size_t queue_length(Queue *queue);
extern void queue_close(Queue *queue);

/* Both either set the reply, or put the request in their queue and give true: it is to be suspended before. */
extern bool predict_prepare(Request *request);
extern bool read_prepare(Request *request);
extern void work_submit(Request *request);
extern void work_submit_again(Request *request);	/* a prediction that could not be made at once */
extern void work_start(void);
extern bool work_stop(void);	/* false: threads are left, so that the program can only be left as it is */
extern void predict_batch(struct Database *database, Request *first, size_t n);
extern void read_one(struct Database *database, Request *request);
extern size_t work_waiting(void);

/* ---- metrics (metrics.c) ---- */

extern void metrics_start(void);
extern void metrics_request(const Request *request);
extern void metrics_batch(size_t n, int64_t microseconds);
extern void metrics_database(int connected);	/* 1: a connection more, -1: one less */
extern void metrics_connection(int opened);
extern void metrics_write(Text *text);

#endif

/*
 * database.c
 *		A worker's connection to the database.  Once it is made nothing waits longer for
 *		the server than the statement time-out and a second; a connection that is lost is
 *		made anew for the next request.
 */
#include "database.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE 100000			/* microseconds between two tries to connect */
#define GRACE 1000				/* ms beyond the server's own time-out */

typedef struct Prepared
{
	struct Prepared *next;
	const char *name;
} Prepared;

struct Database
{
	PGconn	   *connection;		/* NULL: none */
	char	   *role;			/* that it has taken on, or NULL */
	Prepared   *prepared;
	int64_t		last_try;
	bool		failing;		/* the last try failed: say so once */
};

/* Workers that are in the middle of it. */
static atomic_size_t connecting;

/*
 * See database.h: the time-out where connection string, service and environment name none.
 * libpq takes whole seconds, from 2, for each address.
 */
void
database_start(void)
{
	char		seconds[32];

	snprintf(seconds, sizeof(seconds), "%" PRId64, (options.connect_timeout + 999) / 1000);
	setenv("PGCONNECT_TIMEOUT", seconds, 0);
}

/* See database.h. */
size_t
database_connecting(void)
{
	return atomic_load(&connecting);
}

Database *
database_new(void)
{
	Database   *database = need_memory(NULL, sizeof(Database));

	*database = (Database) {.last_try = INT64_MIN / 2};
	return database;
}

static void
forget_prepared(Database *database)
{
	Prepared   *prepared;

	while ((prepared = database->prepared) != NULL)
	{
		database->prepared = prepared->next;
		free(prepared);
	}
}

static void
disconnect(Database *database)
{
	if (database->connection == NULL)
		return;
	PQfinish(database->connection);
	database->connection = NULL;
	metrics_database(-1);
	free(database->role);
	database->role = NULL;
	forget_prepared(database);
}

void
database_free(Database *database)
{
	disconnect(database);
	free(database);
}

/*
 * What libpq says of a connection, which may name hosts and users: all of it where there
 * is none yet, which has a line or more for each host, but of one that is lost the first
 * line: what comes after that is about the statement, and may quote a request.
 */
static void
log_trouble(PGconn *connection, bool lost)
{
	char	   *message = need_copy(PQerrorMessage(connection));
	size_t		length = lost ? strcspn(message, "\n") : strlen(message);

	while (length > 0 && message[length - 1] == '\n')
		length--;
	message[length] = '\0';
	log_event(lost ? "warning" : "error", lost ? "the connection to the database was lost" : "no connection to the database",
			  "message", message, (char *) NULL);
	free(message);
}

/* Waits until the socket can be read, or written; false: not before the deadline. */
static bool
wait_for(PGconn *connection, short events, int64_t deadline)
{
	struct pollfd polled = {.fd = PQsocket(connection), .events = events};

	for (;;)
	{
		int64_t		left = (deadline - clock_microseconds() + 999) / 1000;
		int			n = left > 0 ? poll(&polled, 1, (int) left) : 0;

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* The result of what was sent, NULL if it does not come; the connection is idle again. */
static PGresult *
await_result(PGconn *connection, int64_t deadline)
{
	PGresult   *result = NULL;
	PGresult   *next;
	int			unsent;

	while ((unsent = PQflush(connection)) != 0)
		if (unsent < 0 || !wait_for(connection, POLLIN | POLLOUT, deadline) || !PQconsumeInput(connection))
			return NULL;
	for (;;)
	{
		while (PQisBusy(connection))
			if (!wait_for(connection, POLLIN, deadline) || !PQconsumeInput(connection))
			{
				PQclear(result);
				return NULL;
			}
		next = PQgetResult(connection);
		if (next == NULL)
			return result;
		PQclear(result);
		result = next;
	}
}

static int64_t
statement_deadline(void)
{
	return clock_microseconds() + (options.statement_timeout + GRACE) * 1000;
}

/* A statement of the connection's own; its result, or NULL, which is said. */
static PGresult *
query_simple(Database *database, const char *sql, const char *parameter)
{
	const char *const values[] = {parameter};
	PGresult   *result = NULL;

	if (PQsendQueryParams(database->connection, sql, parameter != NULL ? 1 : 0, NULL, values, NULL, NULL, 0))
		result = await_result(database->connection, statement_deadline());
	if (result == NULL || PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
		return result;
	database_log("connection", result);
	PQclear(result);
	return NULL;
}

/* The same; true if it went well. */
static bool
run_simple(Database *database, const char *sql, const char *parameter)
{
	PGresult   *result = query_simple(database, sql, parameter);
	bool		good = result != NULL;

	PQclear(result);
	return good;
}

/* Settings of a session; a time-out of the login's own that is shorter stays. */
static bool
set_up(Database *database)
{
	char		timeout[32];

	snprintf(timeout, sizeof(timeout), "%" PRId64, options.statement_timeout);
	return run_simple(database, "SELECT pg_catalog.set_config('statement_timeout', least(nullif(setting::int, 0), $1::int)::text, false),"
					  " pg_catalog.set_config('lock_timeout', $1::text, false),"
					  " pg_catalog.set_config('idle_in_transaction_session_timeout', '60000', false),"
					  " pg_catalog.set_config('search_path', 'pg_catalog', false)"
					  " FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'", timeout);
}

/*
 * Is there a pooler in between?  It gives its clients numbers of its own for a server
 * process.  One that changes the process from transaction to transaction would have
 * requests answered with the role of others.
 */
static bool
is_pooled(Database *database)
{
	char		pid[16];
	PGresult   *result;
	bool		pooled;

	snprintf(pid, sizeof(pid), "%d", PQbackendPID(database->connection));
	result = query_simple(database, "SELECT pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) $1::pg_catalog.int4", pid);
	pooled = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	PQclear(result);
	return pooled;
}

static void
be_silent(void *argument, const char *message)
{
	(void) argument;
	(void) message;
}

/*
 * Connects.  libpq itself waits: only then does it go on to the next address, or host,
 * when one does not answer in time.  What begins before is to have an object that can be
 * told where a notice goes, such as one of the server's at the start of a session.
 */
static PGconn *
connect_waiting(void)
{
	static const char *const keywords[] = {"dbname", "fallback_application_name", "client_encoding", "tcp_user_timeout", NULL};
	const char *const values[] = {options.database, "arima_restd", "UTF8", "10000", NULL};
	PGconn	   *connection = PQconnectStartParams(keywords, values, 1);

	PQsetNoticeProcessor(connection, be_silent, NULL);
	if (PQstatus(connection) == CONNECTION_BAD)
		return connection;
	atomic_fetch_add(&connecting, 1);
	PQreset(connection);
	atomic_fetch_sub(&connecting, 1);
	return connection;
}

static bool
connect_anew(Database *database)
{
	if (clock_microseconds() - database->last_try < PAUSE)
		return false;
	database->connection = connect_waiting();
	/* what has waited for a try in vain is refused with it, rather than wait for the next one */
	database->last_try = clock_microseconds();
	metrics_database(1);
	if (PQstatus(database->connection) != CONNECTION_OK || PQsetnonblocking(database->connection, 1) != 0 || !set_up(database))
	{
		if (!database->failing)
			log_trouble(database->connection, false);
		database->failing = true;
		disconnect(database);
		return false;
	}
	if (is_pooled(database))
		log_event("warning", "connected to the database", "message",
				  "by a pooler, which must be in session mode: in transaction mode requests get the rights of others, and errors", (char *) NULL);
	else
		log_event("info", "connected to the database", "message", "", (char *) NULL);
	database->failing = false;
	return true;
}

/* Has an idle connection been ended by the server?  What it says then can be read. */
static bool
is_alive(Database *database)
{
	struct pollfd polled = {.fd = PQsocket(database->connection), .events = POLLIN};

	/* first what it says, then the end of the connection */
	while (poll(&polled, 1, 0) > 0)
		if (!PQconsumeInput(database->connection) || PQstatus(database->connection) != CONNECTION_OK)
			return false;
	return true;
}

static bool
take_role(Database *database, const char *role)
{
	if (role == database->role || (role != NULL && database->role != NULL && strcmp(role, database->role) == 0))
		return true;
	if (!run_simple(database, "SELECT pg_catalog.set_config('role', $1, false)", role != NULL ? role : "none"))
	{
		/* what the server says of it is left out of the log as data */
		if (PQtransactionStatus(database->connection) == PQTRANS_IDLE)
			log_event("error", "no such role, or it is not granted to the login", "role", role, (char *) NULL);
		return false;
	}
	free(database->role);
	database->role = role != NULL ? need_copy(role) : NULL;
	return true;
}

/* See database.h. */
bool
database_ready(Database *database, const char *role)
{
	if (database->connection != NULL && !is_alive(database))
	{
		log_trouble(database->connection, true);
		disconnect(database);
		database->last_try = INT64_MIN / 2;
	}
	if (database->connection == NULL && !connect_anew(database))
		return false;
	if (!take_role(database, role))
	{
		/* a role that the login may not take on is no reason to make the others wait for a connection */
		if (PQtransactionStatus(database->connection) != PQTRANS_IDLE)
			disconnect(database);
		return false;
	}
	return true;
}

/* See database.h. */
bool
database_connected(const Database *database)
{
	return database->connection != NULL;
}

/* Prepares a statement once in a connection; NULL: done, or else the result that says why not. */
static bool
prepare(Database *database, const char *name, const char *sql, PGresult **error)
{
	Prepared   *prepared;

	*error = NULL;
	for (prepared = database->prepared; prepared != NULL; prepared = prepared->next)
		if (strcmp(prepared->name, name) == 0)
			return true;
	if (PQsendPrepare(database->connection, name, sql, 0, NULL))
		*error = await_result(database->connection, statement_deadline());
	if (PQresultStatus(*error) != PGRES_COMMAND_OK)
		return false;
	PQclear(*error);
	*error = NULL;
	prepared = need_memory(NULL, sizeof(Prepared));
	*prepared = (Prepared) {.next = database->prepared, .name = name};
	database->prepared = prepared;
	return true;
}

/*
 * After an error by which the statement no longer fits the schema: the extension was
 * updated or made anew under a connection whose prepared statements have the types of
 * before.  They are prepared once more when they are needed next.
 */
static void
prepare_anew(Database *database, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (sqlstate == NULL || database->prepared == NULL || strcmp(sqlstate, "42501") == 0 ||
		(strncmp(sqlstate, "42", 2) != 0 && strncmp(sqlstate, "0A", 2) != 0))
		return;
	if (run_simple(database, "DEALLOCATE ALL", NULL))
		forget_prepared(database);
}

/* See database.h. */
PGresult *
database_run(Database *database, const char *name, const char *sql, const Arguments *arguments)
{
	PGresult   *result = NULL;
	bool		sent;

	sent = prepare(database, name, sql, &result) &&
		PQsendQueryPrepared(database->connection, name, arguments->n, arguments->values, arguments->lengths,
							arguments->formats, 0);
	if (sent)
		result = await_result(database->connection, statement_deadline());
	if (result == NULL || PQstatus(database->connection) != CONNECTION_OK)
	{
		log_trouble(database->connection, true);
		PQclear(result);
		disconnect(database);
		database->last_try = INT64_MIN / 2;
		return NULL;
	}
	prepare_anew(database, result);
	return result;
}

/* See database.h. */
bool
sqlstate_is_passing(const char *sqlstate)
{
	static const char *const classes[] = {"08", "25", "40", "53", "55", "57", "58"};

	for (size_t i = 0; sqlstate != NULL && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(sqlstate, classes[i], 2) == 0)
			return true;
	return false;
}

/* See database.h. */
void
database_refuse(Request *request, const PGresult *result)
{
	const char *sqlstate = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	Text		body = {0};

	if (sqlstate == NULL || sqlstate_is_passing(sqlstate))
		reply_unavailable(request, "The database cannot answer now");
	else if (strcmp(sqlstate, "42501") == 0)
		reply_detail(request, 403, "Forbidden");
	else
	{
		text_add_string(&body, "Internal Server Error");
		reply_text(request, 500, &body);
		request->reply.type = "text/plain; charset=utf-8";
	}
}

/* See database.h. */
void
database_log(const char *what, const PGresult *result)
{
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool		quotes = sqlstate != NULL && strncmp(sqlstate, "22", 2) == 0;

	/* errors of data say what the data was */
	log_event("error", "database", "what", what, "sqlstate", sqlstate,
			  "message", quotes ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), hint != NULL ? "hint" : (char *) NULL, hint, (char *) NULL);
}

/*
 * read.c
 *		What only reads: a statement of the table of routes, its parameters from the
 *		path and the query string, and the one json that it gives.
 */
#include "database.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy without the escapes of a URL, which are left in the query string as in the path (http.c); *length counts zero bytes too. */
static char *
unescape(const char *text, size_t *length)
{
	char	   *copy = need_copy(text);
	size_t		n = MHD_http_unescape(copy);

	if (length != NULL)
		*length = n;
	return copy;
}

/* Is it UTF-8 without zero bytes, which PostgreSQL's text cannot hold? */
static bool
is_text(const char *s, size_t length)
{
	for (const char *end = s + length; s != end;)
	{
		int			n = utf8_length(s, end);

		if (n == 0 || *s == '\0')
			return false;
		s += n;
	}
	return true;
}

/* Is a parameter of the route a part of its path? */
static bool
is_in_path(const Route *route, int i)
{
	char		part[64];

	snprintf(part, sizeof(part), "{%s}", route->parameters[i].name);
	return strstr(route->path, part) != NULL;
}

/* Where a parameter of the route is, for the list that an error has as its place. */
static void
add_place(Text *loc, const Route *route, int i)
{
	text_printf(loc, "\"%s\",\"%s\"", is_in_path(route, i) ? "path" : "query", route->parameters[i].name);
}

static void
refuse_bytes(Request *request, int i)
{
	Text		loc = {0};

	add_place(&loc, request->route, i);
	reply_invalid(request, "string_unicode", loc.data,
				  "Input should be a valid string, unable to parse raw data as a unicode string", NULL, NULL);
	text_free(&loc);
}

/* A parameter that the route does not know is a slip of the pen: the reply says so. */
static void
refuse_unknown(Request *request, const char *name, const char *value)
{
	char	   *unescaped = unescape(value != NULL ? value : "", NULL);
	Text		loc = {0};
	Text		input = {0};

	text_add_string(&loc, "\"query\",");
	text_add_json(&loc, name, strlen(name));
	text_add_json(&input, unescaped, strlen(unescaped));
	reply_invalid(request, "extra_forbidden", loc.data, "Extra inputs are not permitted", input.data, NULL);
	free(unescaped);
	text_free(&loc);
	text_free(&input);
}

/* A parameter with a value that it cannot have; context is JSON or NULL. */
static void
refuse_value(Request *request, int i, const char *type, const char *message, const char *context)
{
	const char *value = request->parameters[i];
	Text		loc = {0};
	Text		input = {0};

	add_place(&loc, request->route, i);
	text_add_json(&input, value, strlen(value));
	reply_invalid(request, type, loc.data, message, input.data, context);
	text_free(&loc);
	text_free(&input);
}

static bool
only_blanks(const char *s)
{
	return s[strspn(s, " \t\n\r\f\v")] == '\0';
}

static void
check_whole_number(Request *request, int i, int64_t low, int64_t high)
{
	const char *value = request->parameters[i];
	char	   *end;
	int64_t		number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (end == value || !only_blanks(end))
		refuse_value(request, i, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", NULL);
	else if (errno == ERANGE || number < low || number > high)
	{
		bool		small = number < 0;
		int64_t		bound = small ? low : high;
		Text		message = {0};
		Text		context = {0};

		text_printf(&message, "Input should be %s than or equal to %" PRId64, small ? "greater" : "less", bound);
		text_printf(&context, "{\"%s\":%" PRId64 "}", small ? "ge" : "le", bound);
		refuse_value(request, i, small ? "greater_than_equal" : "less_than_equal", message.data, context.data);
		text_free(&message);
		text_free(&context);
	}
}

static void
check_number(Request *request, int i)
{
	char	   *end;
	double		number;

	errno = 0;
	number = strtod(request->parameters[i], &end);
	/* too large or too small is for the database no number either, and it would not say which parameter is */
	if (end == request->parameters[i] || !only_blanks(end) || (errno == ERANGE && (number == 0 || isinf(number))))
		refuse_value(request, i, "float_parsing", "Input should be a valid number, unable to parse string as a number", NULL);
}

/* Is the value of its type? */
static void
check_parameter(Request *request, int i)
{
	switch (request->route->parameters[i].type)
	{
		case PARAMETER_INT:
			check_whole_number(request, i, INT32_MIN, INT32_MAX);
			break;
		case PARAMETER_BIGINT:
			check_whole_number(request, i, INT64_MIN, INT64_MAX);
			break;
		case PARAMETER_FLOAT:
			check_number(request, i);
			break;
		case PARAMETER_TEXT:
			break;
	}
}

/* A parameter of the query string; of one given twice the first counts. */
static enum MHD_Result
take_parameter(void *cls, enum MHD_ValueKind kind, const char *escaped_name, const char *value)
{
	Request    *request = cls;
	char	   *name = unescape(escaped_name, NULL);
	size_t		length;
	int			i = route_parameter(request->route, name, strlen(name));

	(void) kind;
	if (i < 0 || is_in_path(request->route, i))
		refuse_unknown(request, name, value);
	else if (request->parameters[i] == NULL && value != NULL)
	{
		request->parameters[i] = unescape(value, &length);
		if (!is_text(request->parameters[i], length))
			refuse_bytes(request, i);
		else
			check_parameter(request, i);
	}
	free(name);
	return request->reply.status == 0 ? MHD_YES : MHD_NO;
}

/* ---- the answer to what anyone may ask, as often as he likes: /ready ---- */

#define A_SECOND 1000000

static struct
{
	pthread_mutex_t lock;
	int64_t		asked;			/* when the database was, in microseconds */
	int64_t		answered;
	Reply		reply;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = -A_SECOND, .answered = -2 * A_SECOND};

/*
 * Answers from what is known; false: the database is to be asked.  That is done once a
 * second at most: until it answers what it last said holds for another second, and then
 * that it does not.
 */
static bool
answer_from_kept(Request *request)
{
	int64_t		now = clock_microseconds();
	bool		ask;

	pthread_mutex_lock(&kept.lock);
	ask = now - kept.answered >= A_SECOND && now - kept.asked >= A_SECOND;
	if (ask)
		kept.asked = now;
	else if (now - kept.answered < 2 * A_SECOND)
	{
		Text		body = {0};

		text_add(&body, kept.reply.body, kept.reply.size);
		reply_text(request, kept.reply.status, &body);
		request->reply.retry_after = kept.reply.retry_after;
	}
	else
		reply_unavailable(request, "The database does not answer in time");
	pthread_mutex_unlock(&kept.lock);
	return !ask;
}

static void
keep_answer(const Request *request)
{
	const Reply *reply = &request->reply;

	pthread_mutex_lock(&kept.lock);
	free(kept.reply.body);
	kept.reply = (Reply) {.status = reply->status, .retry_after = reply->retry_after, .size = reply->size};
	kept.reply.body = memcpy(need_memory(NULL, reply->size), reply->body, reply->size);
	kept.answered = clock_microseconds();
	pthread_mutex_unlock(&kept.lock);
}

/* See restd.h. */
bool
read_prepare(Request *request)
{
	if (request->route->open && answer_from_kept(request))
		return false;
	/* what is in the path */
	for (int i = 0; i < MOST_PARAMETERS && request->reply.status == 0; i++)
		if (request->parameters[i] != NULL && !is_text(request->parameters[i], strlen(request->parameters[i])))
			refuse_bytes(request, i);
	/* what probes ask may have anything behind it */
	if (!request->route->open && request->reply.status == 0)
		MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, take_parameter, request);
	return request->reply.status == 0;
}

/* Does a text name a parameter, as a word of its own? */
static bool
names_parameter(const char *text, const char *name)
{
	size_t		length = strlen(name);

	for (const char *s = text; s != NULL && (s = strstr(s, name)) != NULL; s += length)
		if ((s == text || !isalnum((unsigned char) s[-1])) && !isalnum((unsigned char) s[length]))
			return true;
	return false;
}

/* The parameter that was given and is named in a text, or -1. */
static int
named_parameter(const Request *request, const char *text)
{
	const Parameter *known = request->route->parameters;

	for (int i = 0; i < MOST_PARAMETERS && known[i].name != NULL; i++)
		if (request->parameters[i] != NULL && names_parameter(text, known[i].called != NULL ? known[i].called : known[i].name))
			return i;
	return -1;
}

/* 422 for a value that the database refuses, with its hint, and with the parameter's name where one that was given is named. */
static void
refuse_data(Request *request, const char *message, const char *hint)
{
	Text		text = {0};
	int			i;

	text_printf(&text, hint != NULL ? "%s; %s" : "%s", message, hint);
	i = named_parameter(request, text.data);
	if (i >= 0)
		refuse_value(request, i, "value_error", text.data, NULL);
	else
		reply_invalid(request, "value_error", "\"query\"", text.data, NULL, NULL);
	text_free(&text);
}

/*
 * An error as a reply: PTxyz is status xyz with the error's detail, or else its
 * message; a value that is not of its type is 422, in the form of PT422, too.
 */
static void
take_error(Request *request, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	if (sqlstate != NULL && strcmp(sqlstate, "PT422") == 0)
		refuse_data(request, detail != NULL ? detail : message, NULL);
	else if (sqlstate != NULL && strncmp(sqlstate, "PT", 2) == 0 && atoi(sqlstate + 2) >= 400 && atoi(sqlstate + 2) <= 599)
	{
		reply_detail(request, atoi(sqlstate + 2), detail != NULL ? detail : message);
		if (request->reply.status == 503)
			request->reply.retry_after = 60;
	}
	else if (sqlstate != NULL && strncmp(sqlstate, "22", 2) == 0)
		refuse_data(request, message, hint);
	else
		database_refuse(request, result);
	if (request->reply.status >= 500 && strncmp(sqlstate != NULL ? sqlstate : "", "PT", 2) != 0)
		database_log(request->route->path, result);
}

/* See restd.h. */
void
read_one(Database *database, Request *request)
{
	const Route *route = request->route;
	int			n = 0;
	PGresult   *result;

	while (n < MOST_PARAMETERS && route->parameters[n].name != NULL)
		n++;
	result = database_run(database, route->path, route->sql, &(Arguments) {.n = n, .values = (const char *const *) request->parameters});
	if (result == NULL)
		database_refuse(request, NULL);
	else if (PQresultStatus(result) != PGRES_TUPLES_OK)
		take_error(request, result);
	else if (PQntuples(result) == 0 || PQgetisnull(result, 0, 0))
		reply_detail(request, 404, "Not Found");
	else
	{
		Text		body = {0};

		text_add(&body, PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0));
		reply_text(request, 200, &body);
	}
	PQclear(result);
	if (route->open)
		keep_answer(request);
}

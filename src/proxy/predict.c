/*
 * predict.c
 *		POST /predict: what can be said of a body without the database, and batches of
 *		the rest: one statement, and so one commit, for all that came meanwhile.
 */
#include "database.h"
#include "json.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OID_TEXT 25
#define LONGEST_KEY 255
#define TRIES 3					/* of a batch that another one deadlocks with */
#define STEPS_OF_WEIGHT 32		/* steps that are as much as another request */
#define MOST_WEIGHT 32			/* of 1,000 steps */
#define BYTES_OF_WEIGHT 65536	/* bytes that are: a batch stays below what PostgreSQL and libpq take */

static const char answer_sql[] =
	"SELECT a.status, a.reply FROM pg_catalog.unnest(arima_ops.answer_requests($1, $2, false)) WITH ORDINALITY AS a (status, reply, i) ORDER BY a.i";

/* ---- before the database ---- */

/*
 * Does FastAPI take a body of this content type for JSON?  As Python's email package
 * reads the header: type and subtype without case, up to a semicolon.
 */
static bool
is_json_type(const char *type)
{
	size_t		length;
	const char *slash;

	type += strspn(type, " \t");
	length = value_length(type, strcspn(type, ";"));
	slash = memchr(type, '/', length);
	if (slash == NULL || slash - type != 11 || strncasecmp(type, "application", 11) != 0)
		return false;
	length -= 12;
	return (length == 4 && strncasecmp(slash + 1, "json", 4) == 0)
		|| (length >= 5 && strncasecmp(slash + 1 + length - 5, "+json", 5) == 0 && memchr(slash + 1, '/', length) == NULL);
}

/*
 * None at all is JSON, too, but not from a browser, which says where the page is from: any
 * page may have it send a body without a type, while it asks the server first about JSON.
 */
static bool
is_said_to_be_json(Request *request)
{
	const char *type = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Type");

	if (type == NULL || *type == '\0')
		return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Origin") == NULL;
	return is_json_type(type);
}

/* A key that is not what /openapi.json says. */
static bool
refuse_key(Request *request, const char *key, const char *type, const char *message, const char *context)
{
	Text		input = {0};

	text_add_json(&input, key, strlen(key));
	reply_invalid(request, type, "\"header\",\"idempotency-key\"", message, input.data, context);
	text_free(&input);
	return false;
}

/* The key of idempotency: with a token's name before it, so that nobody gets another's answer. */
static bool
take_key(Request *request)
{
	const char *key = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Idempotency-Key");
	Text		whole = {0};
	size_t		length,
				printable = 0;

	length = key != NULL ? value_length(key, strlen(key)) : 0;
	if (length == 0)
		return true;
	if (length > LONGEST_KEY)
		return refuse_key(request, key, "string_too_long", "String should have at most 255 characters", "{\"max_length\":255}");
	while (key[printable] >= ' ' && key[printable] <= '~')
		printable++;
	if (printable < length)
		return refuse_key(request, key, "string_pattern_mismatch", "String should match pattern '^[ -~]*$'",
						  "{\"pattern\":\"^[ -~]*$\"}");
	if (request->token != NULL)
		text_printf(&whole, "%s:", request->token->name);
	text_add(&whole, key, length);
	request->key = whole.data;
	return true;
}

/* A body that is no JSON, or not said to be any. */
static bool
check_body(Request *request)
{
	Text		rewritten = {0};
	Text		part = {0};
	JsonFault	fault;
	JsonOutcome outcome;

	if (!is_said_to_be_json(request))
	{
		text_add_json(&part, request->body.data, request->body.size);
		reply_invalid(request, "model_attributes_type", "\"body\"",
					  "Input should be a valid dictionary or object to extract fields from", part.data, NULL);
		text_free(&part);
		return false;
	}
	outcome = json_read(request->body.data, request->body.size, &rewritten, &fault);
	if (outcome == JSON_READ)
	{
		text_free(&request->body);
		request->body = rewritten;
		return true;
	}
	text_free(&rewritten);
	if (outcome == JSON_UNREADABLE)
		reply_detail(request, 400, "There was an error parsing the body");
	else
	{
		char		loc[48];

		text_printf(&part, "\"body\",%zu", fault.position);
		strncpy(loc, part.data, sizeof(loc) - 1);
		loc[sizeof(loc) - 1] = '\0';
		part.size = 0;
		text_add_string(&part, "{\"error\":");
		text_add_json(&part, fault.message, strlen(fault.message));
		text_add_char(&part, '}');
		reply_invalid(request, "json_invalid", loc, "JSON decode error", "{}", part.data);
		text_free(&part);
	}
	return false;
}

/*
 * What a body counts as in a batch, and of its client's requests of a second: each step
 * that it asks for is a row of the log, and where a batch's time runs out all who are in
 * it have none.  What is asked for is up to
 * the database to read; what does not look like a small number here may be a large one.
 * No escape hides the name: json_read() has undone those of letters.
 */
static size_t
weigh(const char *body)
{
	static const char member[] = "\"horizon\"";
	size_t		weight = 1;

	while (weight < MOST_WEIGHT && (body = strstr(body, member)) != NULL)
	{
		size_t		digits;

		body += strlen(member);
		body += strspn(body, "\": \t\r\n");
		digits = strspn(body, "0123456789");
		if (digits < 1 || digits > 4 || strchr("\",} \t\r\n", body[digits]) == NULL)
			weight = MOST_WEIGHT;
		else
			weight += strtoul(body, NULL, 10) / STEPS_OF_WEIGHT;
	}
	return weight;
}

/* See restd.h. */
bool
predict_prepare(Request *request)
{
	if (request->body.size == 0)
	{
		reply_invalid(request, "missing", "\"body\"", "Field required", "null", NULL);
		return false;
	}
	if (!take_key(request) || !check_body(request))
		return false;
	request->weight = weigh(request->body.data) + request->body.size / BYTES_OF_WEIGHT;
	rate_charge(request, request->weight - 1);
	return true;
}

/* ---- a batch ---- */

static void
add_int32(Text *text, int32_t number)
{
	uint32_t	sent = htonl((uint32_t) number);

	text_add(text, (const char *) &sent, sizeof(sent));
}

/* The head of a one-dimensional array in PostgreSQL's binary form. */
static void
begin_array(Text *array, int oid, size_t n)
{
	add_int32(array, 1);		/* dimensions */
	add_int32(array, 1);		/* there may be NULLs */
	add_int32(array, oid);
	add_int32(array, (int32_t) n);
	add_int32(array, 1);		/* lower bound */
}

static void
add_element(Text *array, const char *data, size_t size)
{
	if (data == NULL)
		add_int32(array, -1);
	else
	{
		add_int32(array, (int32_t) size);
		text_add(array, data, size);
	}
}

/* The statement for the first n requests. */
static PGresult *
ask(Database *database, const Request *first, size_t n)
{
	Text		bodies = {0};
	Text		keys = {0};
	Arguments	arguments = {.n = 2, .formats = (const int[]) {1, 1}};
	PGresult   *result;

	begin_array(&bodies, OID_TEXT, n);
	begin_array(&keys, OID_TEXT, n);
	for (size_t i = 0; i < n; i++, first = first->next)
	{
		add_element(&bodies, first->body.data, first->body.size);
		add_element(&keys, first->key, first->key != NULL ? strlen(first->key) : 0);
	}
	arguments.values = (const char *const[]) {bodies.data, keys.data};
	arguments.lengths = (const int[]) {(int) bodies.size, (int) keys.size};
	result = database_run(database, "answer", answer_sql, &arguments);
	text_free(&bodies);
	text_free(&keys);
	return result;
}

/* Row i of the result is the reply to a request, whose client gets it, or NULL: its series is held by another transaction. */
static void
take_reply(Request *request, const PGresult *result, int i)
{
	Text		body = {0};
	int			status = atoi(PQgetvalue(result, i, 0));

	if (PQgetisnull(result, i, 0))
	{
		work_submit_again(request);
		return;
	}
	text_add(&body, PQgetvalue(result, i, 1), (size_t) PQgetlength(result, i, 1));
	reply_text(request, status, &body);
	if (status == 503)
		request->reply.retry_after = 60;
	http_answer(request);
}

/* May a batch that failed be asked again?  It was rolled back, and came too close to another one. */
static bool
collided(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL && strncmp(sqlstate, "40", 2) == 0;
}

/* Might one of the requests be to blame, so that the others are better asked without it? */
static bool
may_be_one_of_them(const PGresult *result)
{
	const char *sqlstate = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return sqlstate != NULL && !sqlstate_is_passing(sqlstate) && strcmp(sqlstate, "42501") != 0;
}

/* The answer to a request that the database failed at: 422 for characters that its encoding has not. */
static void
refuse_one(Request *request, const PGresult *result)
{
	const char *sqlstate = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	if (sqlstate != NULL && (strcmp(sqlstate, "22P05") == 0 || strcmp(sqlstate, "22021") == 0))
		reply_invalid(request, "value_error", "\"body\"", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), NULL, NULL);
	else
		database_refuse(request, result);
	http_answer(request);
}

/* Each on its own. */
static void
answer_singly(Database *database, Request *first)
{
	for (Request *next; first != NULL; first = next)
	{
		next = first->next;
		first->next = NULL;
		if (database_ready(database, first->token != NULL ? first->token->role : NULL))
			predict_batch(database, first, 1);
		else
		{
			database_refuse(first, NULL);
			http_answer(first);
		}
	}
}

static size_t
count_answered(const PGresult *result)
{
	size_t		n = 0;

	for (int i = 0; i < PQntuples(result); i++)
		n += !PQgetisnull(result, i, 0);
	return n;
}

/* See restd.h: one request that the database chokes on must not take the others with it. */
void
predict_batch(Database *database, Request *first, size_t n)
{
	int64_t		start = clock_microseconds();
	PGresult   *result = ask(database, first, n);
	bool		good;
	size_t		answered;

	for (int i = 1; i < TRIES && result != NULL && collided(result); i++)
	{
		PQclear(result);
		result = ask(database, first, n);
	}
	good = PQresultStatus(result) == PGRES_TUPLES_OK && (size_t) PQntuples(result) == n;
	answered = good ? count_answered(result) : n;
	if (answered > 0)
		metrics_batch(answered, clock_microseconds() - start);
	if (result != NULL && !good)
		database_log("predict", result);
	if (!good && n > 1 && may_be_one_of_them(result))
		answer_singly(database, first);
	else
		for (size_t i = 0; i < n; i++)
		{
			Request    *next = first->next;

			if (good)
				take_reply(first, result, (int) i);
			else
				refuse_one(first, result);
			first = next;
		}
	PQclear(result);
}

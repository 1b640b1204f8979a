/*
 * request.c
 *		arima_ops.read_request: the body of a request for a prediction, checked as
 *		FastAPI and pydantic check it, with their words for what is wrong.
 *
 * The body is well-formed JSON; what is read are its top-level members of known
 * names.  A value is kept as the place where it stands in the body, so that an
 * error repeats it letter by letter.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonfuncs.h"

#include "request.h"

#define FEW_RECENT 64			/* values for which there is room at once */
#define MOST_DIGITS 15			/* with the point, of a number that is read at once: a whole number of that size is exact */
#define MOST_RECENT 1000000		/* the limit of arima_ops.series.max_recent */

PG_FUNCTION_INFO_V1(arima_ops_read_request);
PGDLLEXPORT Datum arima_ops_read_request(PG_FUNCTION_ARGS);

/* From 16 on the parser's callbacks return whether to go on. */
#if PG_VERSION_NUM >= 160000
typedef JsonParseErrorType CallbackResult;
#define GO_ON return JSON_SUCCESS
#else
typedef void CallbackResult;
#define GO_ON return
#endif

/* The members that a body may have; others are passed over. */
typedef enum Member
{
	RECENT_PRICES,
	DATE,
	SERIES,
	HORIZON,
	LEVEL,
	MEMBERS
} Member;

static const char *const member_names[MEMBERS] = {
	"recent_prices", "date", "series", "horizon", "level"
};

/* A value in the body. */
typedef struct BodyValue
{
	JsonTokenType type;			/* JSON_TOKEN_INVALID: it is not there */
	const char *start;
	int			length;
	char	   *text;			/* of a string without its escapes, or of a number */
} BodyValue;

/* What has been read so far. */
typedef struct AoBody
{
	JsonLexContext *lex;
	int			depth;			/* of objects and arrays around the present value */
	int			member;			/* the one being read, or MEMBERS */
	BodyValue	body;
	BodyValue	members[MEMBERS];
	BodyValue  *items;			/* of recent_prices */
	int			n_items;		/* in the body, also those beyond the room */
	int			room;
	BodyValue  *open;			/* where the text of the next scalar goes, or NULL */
	StringInfo	errors;			/* the objects of the error list, with commas between */
} AoBody;

typedef AoBody Reader;

/* ---- reading ---- */

/* A value begins: its type, and where. */
static void
begin_value(Reader *reader, BodyValue *value)
{
	value->type = reader->lex->token_type;
	value->start = reader->lex->token_start;
	value->text = NULL;
	reader->open = value;
}

/* It ends with the token before the present one. */
static void
end_value(Reader *reader, BodyValue *value)
{
	value->length = (int) (reader->lex->prev_token_terminator - value->start);
	reader->open = NULL;
}

static CallbackResult
on_begin(void *state)
{
	Reader	   *reader = state;

	if (reader->depth == 0)
		reader->body.type = reader->lex->token_type;
	reader->open = NULL;
	reader->depth++;
	GO_ON;
}

static CallbackResult
on_end(void *state)
{
	((Reader *) state)->depth--;
	GO_ON;
}

/* A member of an object; one that comes twice counts the last time, as in Python. */
static CallbackResult
on_member_begin(void *state, char *name, bool isnull)
{
	Reader	   *reader = state;

	(void) isnull;
	if (reader->depth == 1)
	{
		for (reader->member = 0; reader->member < MEMBERS; reader->member++)
			if (strcmp(name, member_names[reader->member]) == 0)
				break;
		if (reader->member == RECENT_PRICES)
			reader->n_items = 0;
		if (reader->member < MEMBERS)
			begin_value(reader, &reader->members[reader->member]);
	}
	GO_ON;
}

static CallbackResult
on_member_end(void *state, char *name, bool isnull)
{
	Reader	   *reader = state;

	(void) name;
	(void) isnull;
	if (reader->depth == 1 && reader->member < MEMBERS)
	{
		end_value(reader, &reader->members[reader->member]);
		reader->member = MEMBERS;
	}
	GO_ON;
}

/* Is the parser at an element of recent_prices? */
static bool
at_item(const Reader *reader)
{
	return reader->depth == 2 && reader->member == RECENT_PRICES
		&& reader->members[RECENT_PRICES].type == JSON_TOKEN_ARRAY_START;
}

static CallbackResult
on_item_begin(void *state, bool isnull)
{
	Reader	   *reader = state;

	(void) isnull;
	if (at_item(reader) && reader->n_items < MOST_RECENT)
	{
		if (reader->n_items == reader->room)
		{
			reader->room *= 2;
			reader->items = repalloc_huge(reader->items, sizeof(BodyValue) * reader->room);
		}
		begin_value(reader, &reader->items[reader->n_items]);
	}
	GO_ON;
}

static CallbackResult
on_item_end(void *state, bool isnull)
{
	Reader	   *reader = state;

	(void) isnull;
	if (at_item(reader))
	{
		if (reader->n_items < MOST_RECENT)
			end_value(reader, &reader->items[reader->n_items]);
		reader->n_items++;
	}
	GO_ON;
}

static CallbackResult
on_scalar(void *state, char *token, JsonTokenType type)
{
	Reader	   *reader = state;

	if (reader->depth == 0)
	{
		reader->open = &reader->body;
		reader->body.type = type;
	}
	if (reader->open != NULL)
		reader->open->text = token;
	reader->open = NULL;
	GO_ON;
}

/* See request.h. */
AoBody *
ao_pg_read_body(text *body, const char **fault)
{
	JsonSemAction actions = {0};
	AoBody	   *reader = palloc0(sizeof(AoBody));
	JsonParseErrorType outcome;

	actions.semstate = reader;
	actions.object_start = actions.array_start = on_begin;
	actions.object_end = actions.array_end = on_end;
	actions.object_field_start = on_member_begin;
	actions.object_field_end = on_member_end;
	actions.array_element_start = on_item_begin;
	actions.array_element_end = on_item_end;
	actions.scalar = on_scalar;
#if PG_VERSION_NUM >= 170000
	reader->lex = makeJsonLexContext(NULL, body, true);
#else
	reader->lex = makeJsonLexContext(body, true);
#endif
	reader->member = MEMBERS;
	reader->room = FEW_RECENT;
	reader->items = palloc(sizeof(BodyValue) * reader->room);
	outcome = pg_parse_json(reader->lex, &actions);
	if (outcome != JSON_SUCCESS)
	{
		*fault = json_errdetail(outcome, reader->lex);
		return NULL;
	}
	reader->body.start = VARDATA_ANY(body);
	reader->body.length = VARSIZE_ANY_EXHDR(body);
	return reader;
}

/* ---- errors in the words of pydantic ---- */

/* Adds an error; loc is what follows "body", context the members of ctx or NULL. */
static void
add_error(Reader *reader, const char *type, const char *loc, const char *msg, const BodyValue *input,
		  const char *context)
{
	StringInfo	out = reader->errors;

	appendStringInfo(out, "%s{\"type\":\"%s\",\"loc\":[\"body\"%s],\"msg\":\"%s\",\"input\":",
					 out->len > 0 ? "," : "", type, loc, msg);
	appendBinaryStringInfo(out, input->start, input->length);
	if (context != NULL)
		appendStringInfo(out, ",\"ctx\":{%s}", context);
	appendStringInfoChar(out, '}');
}

/* "1 item", "2 items" */
static const char *
items(int n)
{
	return n == 1 ? "item" : "items";
}

/* recent_prices has a length out of bounds. */
static void
add_length_error(Reader *reader, bool too_short, int bound)
{
	const BodyValue *list = &reader->members[RECENT_PRICES];

	add_error(reader, too_short ? "too_short" : "too_long", ",\"recent_prices\"",
			  psprintf("List should have at %s %d %s after validation, not %d",
					   too_short ? "least" : "most", bound, items(bound), reader->n_items),
			  list,
			  psprintf("\"field_type\":\"List\",\"%s\":%d,\"actual_length\":%d",
					   too_short ? "min_length" : "max_length", bound, reader->n_items));
}

/* ---- values ---- */

/*
 * A number of few digits, as prices are, read without strtod: the digits as a whole
 * number and the power of ten are both exact, and so their quotient is rounded once.
 */
static bool
parse_short_number(const char *text, double *number)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	const char *s = text + (*text == '-');
	const char *digits = s;
	const char *point = NULL;
	int64		whole = 0;

	for (; s - digits < MOST_DIGITS && (isdigit((unsigned char) *s) || (*s == '.' && point == NULL && s > digits)); s++)
		if (*s == '.')
			point = s;
		else
			whole = whole * 10 + (*s - '0');
	if (*s != '\0' || s == digits || s - 1 == point)
		return false;
	*number = (double) whole / powers[point != NULL ? s - point - 1 : 0];
	if (*text == '-')
		*number = -*number;
	return true;
}

/*
 * A text without its underscores, palloc'd, or NULL where they stand as pydantic lets none:
 * at an end, or two together; a text with any must not have blanks around it.
 */
static char *
without_underscores(const char *text)
{
	size_t		length = strlen(text);
	char	   *plain = palloc(length + 1);
	char	   *out = plain;

	if (text[0] == '_' || isspace((unsigned char) text[0]) || text[length - 1] == '_'
		|| isspace((unsigned char) text[length - 1]) || strstr(text, "__") != NULL)
		return NULL;
	for (; *text != '\0'; text++)
		if (*text != '_')
			*out++ = *text;
	*out = '\0';
	return plain;
}

/* Is a text a number as pydantic reads one?  "nan" and "inf" in any case are. */
static bool
parse_number(const char *text, double *number)
{
	char	   *end;

	if (parse_short_number(text, number))
		return true;
	if (strchr(text, '_') != NULL && (text = without_underscores(text)) == NULL)
		return false;
	while (isspace((unsigned char) *text))
		text++;
	/* strtod also knows hexadecimal numbers and nan(...) */
	if (*text == '\0' || strpbrk(text, "xX(") != NULL)
		return false;
	*number = strtod(text, &end);
	while (isspace((unsigned char) *end))
		end++;
	return *end == '\0';
}

/* A value as a finite number, by pydantic's lax rules; adds an error and gives false if it is none. */
static bool
read_number(Reader *reader, const BodyValue *value, const char *loc, double *number)
{
	switch (value->type)
	{
		case JSON_TOKEN_TRUE:
		case JSON_TOKEN_FALSE:
			*number = value->type == JSON_TOKEN_TRUE;
			return true;
		case JSON_TOKEN_NUMBER:
		case JSON_TOKEN_STRING:
			if (!parse_number(value->text, number))
			{
				add_error(reader, "float_parsing", loc,
						  "Input should be a valid number, unable to parse string as a number", value, NULL);
				return false;
			}
			if (isfinite(*number))
				return true;
			add_error(reader, "finite_number", loc, "Input should be a finite number", value, NULL);
			return false;
		default:
			add_error(reader, "float_type", loc, "Input should be a valid number", value, NULL);
			return false;
	}
}

/* The recent prices; an error is added where they are not as they should be. */
static AoSeries
read_prices(Reader *reader, int least, int most)
{
	const BodyValue *list = &reader->members[RECENT_PRICES];
	AoSeries	prices = {0};
	bool		good = true;

	if (list->type == JSON_TOKEN_INVALID)
	{
		add_error(reader, "missing", ",\"recent_prices\"", "Field required", &reader->body, NULL);
		return prices;
	}
	if (list->type != JSON_TOKEN_ARRAY_START)
	{
		add_error(reader, "list_type", ",\"recent_prices\"", "Input should be a valid list", list, NULL);
		return prices;
	}
	if (reader->n_items > most)
	{
		add_length_error(reader, false, most);
		return prices;
	}
	prices.n = reader->n_items;
	prices.values = palloc(sizeof(double) * Max(reader->n_items, 1));
	for (int i = 0; i < reader->n_items; i++)
	{
		const BodyValue *item = &reader->items[i];
		char		loc[48];

		/* where it stands is only written out when there may be something to say of it */
		if (item->type == JSON_TOKEN_NUMBER && parse_number(item->text, &prices.values[i]) && isfinite(prices.values[i]))
			continue;
		snprintf(loc, sizeof(loc), ",\"recent_prices\",%d", i);
		good = read_number(reader, item, loc, &prices.values[i]) && good;
	}
	if (good && reader->n_items < least)
		add_length_error(reader, true, least);
	return prices;
}

/* A string, or NULL: not there, null, or an error, which is added. */
static char *
read_string(Reader *reader, Member member)
{
	const BodyValue *value = &reader->members[member];

	if (value->type == JSON_TOKEN_INVALID || value->type == JSON_TOKEN_NULL)
		return NULL;
	if (value->type == JSON_TOKEN_STRING)
		return value->text;
	add_error(reader, "string_type", psprintf(",\"%s\"", member_names[member]), "Input should be a valid string",
			  value, NULL);
	return NULL;
}

/* Is a text a whole number as pydantic reads one?  With single underscores between digits, and zeros after a point. */
static bool
parse_whole_number(const char *text, double *number)
{
	char	   *digits = palloc(strlen(text) + 1);
	int			n = 0;

	while (isspace((unsigned char) *text))
		text++;
	if (*text == '-' || *text == '+')
		digits[n++] = *text++;
	if (!isdigit((unsigned char) *text))
		return false;
	for (; isdigit((unsigned char) *text) || (*text == '_' && isdigit((unsigned char) text[1])); text++)
		if (*text != '_')
			digits[n++] = *text;
	digits[n] = '\0';
	if (*text == '.' && text[1] == '0')
		text += 1 + strspn(text + 1, "0");
	while (isspace((unsigned char) *text))
		text++;
	*number = strtod(digits, NULL);
	return *text == '\0';
}

/* The horizon: 1 to 1,000, by default 1. */
static int
read_horizon(Reader *reader)
{
	const BodyValue *value = &reader->members[HORIZON];
	static const char *const loc = ",\"horizon\"";
	double		number;

	if (value->type == JSON_TOKEN_INVALID || value->type == JSON_TOKEN_NULL)
		return 1;
	if (value->type == JSON_TOKEN_STRING && !parse_whole_number(value->text, &number))
		add_error(reader, "int_parsing", loc,
				  "Input should be a valid integer, unable to parse string as an integer", value, NULL);
	else if (value->type == JSON_TOKEN_OBJECT_START || value->type == JSON_TOKEN_ARRAY_START)
		add_error(reader, "int_type", loc, "Input should be a valid integer", value, NULL);
	else if (value->type != JSON_TOKEN_STRING && !read_number(reader, value, loc, &number))
		return 1;
	else if (number != floor(number))
		add_error(reader, "int_from_float", loc,
				  "Input should be a valid integer, got a number with a fractional part", value, NULL);
	else if (number < 1)
		add_error(reader, "greater_than_equal", loc, "Input should be greater than or equal to 1", value, "\"ge\":1");
	else if (number > 1000)
		add_error(reader, "less_than_equal", loc, "Input should be less than or equal to 1000", value, "\"le\":1000");
	else
		return (int) number;
	return 1;
}

/* The level of the interval, between 0 and 1, by default 0.95. */
static double
read_level(Reader *reader)
{
	const BodyValue *value = &reader->members[LEVEL];
	static const char *const loc = ",\"level\"";
	double		level;

	if (value->type == JSON_TOKEN_INVALID || value->type == JSON_TOKEN_NULL
		|| !read_number(reader, value, loc, &level))
		return 0.95;
	if (level <= 0)
		add_error(reader, "greater_than", loc, "Input should be greater than 0", value, "\"gt\":0.0");
	else if (level >= 1)
		add_error(reader, "less_than", loc, "Input should be less than 1", value, "\"lt\":1.0");
	return level;
}

/* Is the body an object?  Otherwise an error is added. */
static bool
check_body(Reader *reader)
{
	if (reader->body.type == JSON_TOKEN_OBJECT_START)
		return true;
	if (reader->body.type == JSON_TOKEN_NULL)
		add_error(reader, "missing", "", "Field required", &reader->body, NULL);
	else
		add_error(reader, "model_attributes_type", "",
				  "Input should be a valid dictionary or object to extract fields from", &reader->body, NULL);
	return false;
}

/* See request.h. */
const char *
ao_pg_body_series(const AoBody *body)
{
	const BodyValue *series = &body->members[SERIES];

	return body->body.type == JSON_TOKEN_OBJECT_START && series->type == JSON_TOKEN_STRING ? series->text : NULL;
}

/* See request.h. */
bool
ao_pg_check_body(AoBody *body, int least, int most, AoRequest *request, StringInfo errors)
{
	body->errors = errors;
	if (check_body(body))
	{
		request->recent = read_prices(body, least, Min(Max(most, 0), MOST_RECENT));
		(void) read_string(body, DATE);
		request->series = read_string(body, SERIES);
		request->horizon = read_horizon(body);
		request->level = read_level(body);
	}
	return errors->len == 0;
}

/*
 * arima_ops.read_request(body json, min_recent int, max_recent int): the members
 * of a request; where detail is not NULL it is the list of what is wrong, and the
 * rest is not to be used.
 */
Datum
arima_ops_read_request(PG_FUNCTION_ARGS)
{
	const char *fault = NULL;
	AoBody	   *body = ao_pg_read_body(PG_GETARG_TEXT_PP(0), &fault);
	AoRequest	request = {0};
	StringInfoData errors;
	TupleDesc	tupdesc;
	Datum		values[5] = {0};
	bool		nulls[5] = {false};
	bool		good;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (body == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNTRANSLATABLE_CHARACTER), errmsg("a string of the request cannot be read"), errdetail("%s", fault)));
	initStringInfo(&errors);
	good = ao_pg_check_body(body, PG_GETARG_INT32(1), PG_GETARG_INT32(2), &request, &errors);
	nulls[0] = !good;
	nulls[1] = request.series == NULL;
	if (good)
		values[0] = PointerGetDatum(ao_pg_array(request.recent.values, request.recent.n));
	if (request.series != NULL)
		values[1] = CStringGetTextDatum(request.series);
	values[2] = Int32GetDatum(request.horizon);
	values[3] = Float8GetDatum(request.level);
	nulls[4] = good;
	if (!good)
		values[4] = PointerGetDatum(cstring_to_text(psprintf("[%s]", errors.data)));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

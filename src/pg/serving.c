/*
 * serving.c
 *		The parts of answering a request that every answer pays for: what tells
 *		one request from another, and the text of the reply.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "request.h"

PG_FUNCTION_INFO_V1(arima_ops_request_hash);
PGDLLEXPORT Datum arima_ops_request_hash(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(arima_ops_reply);
PGDLLEXPORT Datum arima_ops_reply(PG_FUNCTION_ARGS);

/* ---- what is asked for ---- */

#define HASH_START UINT64CONST(0xcbf29ce484222325)
#define HASH_PRIME UINT64CONST(0x100000001b3)

/* FNV-1a, from the lowest byte on: PostgreSQL's own hashes differ between machines and versions, and a log moves to others. */
static uint64
mix(uint64 hash, uint64 word)
{
	for (int i = 0; i < 8; i++, word >>= 8)
		hash = (hash ^ (word & 0xff)) * HASH_PRIME;
	return hash;
}

/* Equal numbers count as equal, and so do missing ones. */
static uint64
mix_number(uint64 hash, double number)
{
	uint64		bits;

	number = isnan(number) ? get_float8_nan() : number == 0 ? 0 : number;
	memcpy(&bits, &number, sizeof(bits));
	return mix(hash, bits);
}

/* See request.h. */
int64
ao_pg_request_hash(AoSeries recent, int horizon, double level, const TimestampTz *as_of)
{
	uint64		hash = mix(HASH_START, (uint64) recent.n);

	for (int64 i = 0; i < recent.n; i++)
		hash = mix_number(hash, recent.values[i]);
	hash = mix_number(mix(hash, (uint64) horizon), level);
	return (int64) (as_of != NULL ? mix(hash, (uint64) *as_of) : hash);
}

/* arima_ops.request_hash(recent float8[], horizon int, level float8, as_of timestamptz); only recent and as_of may be NULL */
Datum
arima_ops_request_hash(PG_FUNCTION_ARGS)
{
	AoSeries	recent = {.n = -1};
	TimestampTz as_of = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(0))
		recent = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "recent");
	PG_RETURN_INT64(ao_pg_request_hash(recent, PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2), PG_ARGISNULL(3) ? NULL : &as_of));
}

/* ---- the reply ---- */

/* A number as JSON; one that JSON has no word for is null. */
static void
append_number(StringInfo out, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(number))
	{
		appendStringInfoString(out, "null");
		return;
	}
	double_to_shortest_decimal_buf(number, digits);
	appendStringInfoString(out, digits);
}

/* A whole number, with zeros before it up to a width, and a character behind it: as printf writes them, in a fraction of its time. */
static void
append_digits(StringInfo out, int64 number, int width, char behind)
{
	char		text[32];
	char	   *start = text + sizeof(text);
	uint64		left = number < 0 ? -(uint64) number : (uint64) number;

	*--start = behind;
	for (; left > 0 || width > 0; left /= 10, width--)
		*--start = (char) ('0' + left % 10);
	if (number < 0)
		*--start = '-';
	appendBinaryStringInfo(out, start, (int) (text + sizeof(text) - start));
}

/* A moment as Python's datetime.utcnow().isoformat() writes it. */
static void
append_moment(StringInfo out, TimestampTz moment)
{
	struct pg_tm tm;
	fsec_t		fraction;

	/* without a zone asked for, the fields are those of UTC */
	if (timestamp2tm(moment, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range"),
						errhint("The moment of a prediction is finite.")));
	appendStringInfoChar(out, '"');
	append_digits(out, tm.tm_year, 4, '-');
	append_digits(out, tm.tm_mon, 2, '-');
	append_digits(out, tm.tm_mday, 2, 'T');
	append_digits(out, tm.tm_hour, 2, ':');
	append_digits(out, tm.tm_min, 2, ':');
	append_digits(out, tm.tm_sec, 2, fraction != 0 ? '.' : '"');
	if (fraction != 0)
		append_digits(out, fraction, 6, '"');
}

/* The orders p, d, q at the head of a specification as arima_stats writes it. */
static void
append_order(StringInfo out, const char *spec)
{
	const char *end = strchr(spec, ')');

	if (spec[0] != '(' || end == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("specification without orders: %s", spec),
						errhint("The orders are written (p,d,q).")));
	appendStringInfoChar(out, '[');
	appendBinaryStringInfo(out, spec + 1, end - spec - 1);
	appendStringInfoChar(out, ']');
}

static void
append_interval(StringInfo out, const AoForecast *step)
{
	appendStringInfoString(out, "\"lower\":");
	append_number(out, step->lower);
	appendStringInfoString(out, ",\"upper\":");
	append_number(out, step->upper);
}

/* All steps, where there are several. */
static void
append_steps(StringInfo out, const AoAnswer *answer)
{
	appendStringInfoString(out, "\"forecasts\":[");
	for (int i = 0; i < answer->n; i++)
	{
		appendStringInfoString(out, i > 0 ? ",{\"step\":" : "{\"step\":");
		append_digits(out, i + 1, 1, ',');
		appendStringInfoString(out, "\"forecast\":");
		append_number(out, answer->steps[i].mean);
		appendStringInfoChar(out, ',');
		append_interval(out, &answer->steps[i]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "]}");
}

/* The reply to a request, as the REST contract has it. */
void
ao_pg_append_reply(StringInfo out, const AoAnswer *answer)
{
	appendStringInfoString(out, "{\"prediction\":");
	append_number(out, answer->steps[0].mean);
	appendStringInfoString(out, ",\"model_type\":\"arima\",\"arima_order\":");
	append_order(out, answer->spec);
	appendStringInfoString(out, ",\"timestamp\":");
	append_moment(out, answer->made_at);
	appendStringInfoString(out, ",\"series\":");
	escape_json(out, answer->series);
	appendStringInfoString(out, ",\"model_version\":");
	append_digits(out, answer->version, 1, ',');
	append_interval(out, &answer->steps[0]);
	appendStringInfoString(out, ",\"level\":");
	append_number(out, answer->level);
	appendStringInfoString(out, ",\"prediction_id\":");
	append_digits(out, answer->id, 1, answer->n > 1 ? ',' : '}');
	if (answer->n > 1)
		append_steps(out, answer);
}

/*
 * arima_ops.reply(id, made_at, series, version, spec, level, forecast, lower,
 * upper): the reply to a request; the arrays hold a value for each step.
 */
Datum
arima_ops_reply(PG_FUNCTION_ARGS)
{
	AoSeries	forecast = ao_pg_series(PG_GETARG_ARRAYTYPE_P(6), "forecast");
	AoSeries	lower = ao_pg_series(PG_GETARG_ARRAYTYPE_P(7), "lower");
	AoSeries	upper = ao_pg_series(PG_GETARG_ARRAYTYPE_P(8), "upper");
	AoAnswer	answer = {
		.id = PG_GETARG_INT64(0),
		.made_at = PG_GETARG_TIMESTAMPTZ(1),
		.series = text_to_cstring(PG_GETARG_TEXT_PP(2)),
		.version = PG_GETARG_INT32(3),
		.spec = text_to_cstring(PG_GETARG_TEXT_PP(4)),
		.level = PG_GETARG_FLOAT8(5)
	};
	AoForecast *steps;
	StringInfoData out;

	if (forecast.n < 1 || lower.n != forecast.n || upper.n != forecast.n)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("forecast, lower and upper must be of one length"),
						errhint("Give a value of each for each step.")));
	steps = palloc0(sizeof(AoForecast) * forecast.n);
	for (int64 i = 0; i < forecast.n; i++)
	{
		steps[i].mean = forecast.values[i];
		steps[i].lower = lower.values[i];
		steps[i].upper = upper.values[i];
	}
	answer.n = (int) forecast.n;
	answer.steps = steps;
	initStringInfo(&out);
	ao_pg_append_reply(&out, &answer);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * serving.c
 *		The parts of answering a request that every answer pays for: where its
 *		values stand among those recorded, what tells one request from another,
 *		and the text of the reply.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "request.h"

PG_FUNCTION_INFO_V1(arima_ops_count_newer);
PGDLLEXPORT Datum arima_ops_count_newer(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(arima_ops_request_hash);
PGDLLEXPORT Datum arima_ops_request_hash(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(arima_ops_reply);
PGDLLEXPORT Datum arima_ops_reply(PG_FUNCTION_ARGS);

/* ---- where recent values end ---- */

#define LOOK_BACK 6				/* recorded values that are looked for */
#define MAX_GAPS 1000			/* values that come late: bounds the time that a search takes */
#define SAME_PRICE 1e-6			/* relative: prices come rounded to seven digits and more */
#define MOST_NEWER 1000			/* values that a request may be ahead of what is recorded */
#define SAME_FACTOR 1e-4		/* relative: prices that were divided come rounded; as arima_ops.common_factor has it */
#define LEAST_CHANGE 1e-4		/* a factor nearer to 1 is none */
#define LEAST_MATCHED 3			/* recorded values by which a factor is known */
#define SURE 1000				/* so many times less likely than one has a match to be by chance */

/*
 * Values of recent between the last LOOK_BACK recorded ones, if these end "newer"
 * values before the end of recent; -1 if they are not there.  What recent does not
 * reach back to need not be there, but two values must.
 */
static int
gaps_at(AoSeries recent, AoSeries recorded, int64 newer)
{
	int64		wanted = recorded.n - 1;
	int64		first = Max(0, recorded.n - LOOK_BACK);
	int64		at = recent.n - 1 - newer;
	int			gaps = 0;

	for (; at >= 0 && wanted >= first; at--)
	{
		double		price = recorded.values[wanted];

		if (fabs(recent.values[at] - price) <= SAME_PRICE * fabs(price))
			wanted--;
		else if (wanted == recorded.n - 1)
			return -1;
		else if (++gaps > MAX_GAPS)
			return -1;
	}
	return wanted < first || (wanted < recorded.n - 2 && at < 0) ? gaps : -1;
}

/*
 * The factor of recent values to the last LOOK_BACK recorded ones, if these, one after the
 * other, end "newer" values before the end of recent; 1 if they do not.  What recent does
 * not reach back to need not be there.  With any step from one recorded value to the next
 * others would be in as good a place by a chance of the tolerance to the size of the step;
 * values that hardly change, or a few that grow evenly, decide nothing.
 */
static double
factor_at(AoSeries recent, AoSeries recorded, int64 newer, int64 places)
{
	int64		n = Min(Min(LOOK_BACK, recorded.n), recent.n - newer);
	const double *given = recent.values + recent.n - newer - n;
	const double *price = recorded.values + recorded.n - n;
	double		least = INFINITY;
	double		most = 0;
	double		factor;
	double		tolerance;
	double		unlikely = 1;

	for (int64 i = 0; i < n; i++)
	{
		double		ratio = given[i] / price[i];

		/* nor NaN */
		if (!(ratio > 1e-30 && ratio < 1e30))
			return 1;
		least = Min(least, ratio);
		most = Max(most, ratio);
	}
	factor = (least + most) / 2;
	/* of a small change a twentieth */
	tolerance = Min(SAME_FACTOR * factor, 0.05 * fabs(factor - 1));
	if (n < LEAST_MATCHED || fabs(factor - 1) < LEAST_CHANGE || most - least > tolerance)
		return 1;
	for (int64 i = 1; i < n; i++)
		unlikely *= Max(1, fabs(price[i] / price[i - 1] - 1) * factor / tolerance);
	return unlikely >= SURE * (double) places ? factor : 1;
}

/*
 * Where the recent values have other prices than the recorded ones, which have yet to be
 * restated after a split or a dividend: the only place with a factor, else none.
 */
static AoPlace
find_restated(AoSeries recent, AoSeries recorded)
{
	int64		places = Min(recent.n - LEAST_MATCHED, MOST_NEWER) + 1;
	AoPlace		found = {0, 1};

	for (int64 newer = 0; newer < places; newer++)
	{
		double		factor = factor_at(recent, recorded, newer, places);

		if (factor == 1)
			continue;
		if (found.factor != 1)
			return (AoPlace) {0, 1};
		found = (AoPlace) {(int) newer, factor};
	}
	return found;
}

/*
 * How many of the recent values follow the last recorded one: where there are fewest
 * others between, of several such places the last.  If there is none the prices may be
 * others; if it is not that either, the two end together.
 */
AoPlace
ao_pg_count_newer(AoSeries recent, AoSeries recorded)
{
	int64		end = recorded.n > 0 ? Min(recent.n - 1, MOST_NEWER + 1) : 0;
	int64		best = 0;
	int			fewest = -1;

	for (int64 newer = 0; newer < end && fewest != 0; newer++)
	{
		int			gaps = gaps_at(recent, recorded, newer);

		CHECK_FOR_INTERRUPTS();
		if (gaps >= 0 && (fewest < 0 || gaps < fewest))
		{
			fewest = gaps;
			best = newer;
		}
	}
	return fewest < 0 ? find_restated(recent, recorded) : (AoPlace) {(int) best, 1};
}

/* arima_ops.count_newer(recent float8[], recorded float8[], OUT newer int, OUT factor float8) */
Datum
arima_ops_count_newer(PG_FUNCTION_ARGS)
{
	AoSeries	recent = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "recent");
	AoSeries	recorded = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "recorded");
	AoPlace		place = ao_pg_count_newer(recent, recorded);
	Datum		values[] = {Int32GetDatum(place.newer), Float8GetDatum(place.factor)};
	bool		nulls[] = {false, false};
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

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

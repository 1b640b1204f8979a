/*
 * rolling.c
 *		rolling_rmse, rolling_mae, rolling_mape, rolling_smape, rolling_bias:
 *		the support functions of the aggregates.
 *
 * One state serves plain, partial and moving aggregation.  Rows with a NULL
 * are not counted, as in every aggregate of two arguments in SQL.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

#include "glue.h"
#include "rolling_state.h"

#define DECLARE(name) \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/* A transition function and its inverse. */
#define TRANSITION(name, metric) \
	DECLARE(arima_ops_rolling_##name##_accum); \
	Datum \
	arima_ops_rolling_##name##_accum(PG_FUNCTION_ARGS) \
	{ \
		return transition(fcinfo, metric, false); \
	} \
	DECLARE(arima_ops_rolling_##name##_accum_inv); \
	Datum \
	arima_ops_rolling_##name##_accum_inv(PG_FUNCTION_ARGS) \
	{ \
		return transition(fcinfo, metric, true); \
	} \
	extern int	arima_ops_rolling_##name##_unused	/* takes the semicolon */

DECLARE(arima_ops_rolling_combine);
DECLARE(arima_ops_rolling_serialize);
DECLARE(arima_ops_rolling_deserialize);
DECLARE(arima_ops_rolling_mean_final);
DECLARE(arima_ops_rolling_root_mean_final);

static const char hint[] = "Call one of the aggregates rolling_rmse, rolling_mae, rolling_mape, rolling_smape, rolling_bias.";

/* See rolling_state.h. */
MemoryContext
ao_pg_rolling_context(FunctionCallInfo fcinfo, const char *outside_hint)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("aggregate support function called outside an aggregate"),
				 errhint("%s", outside_hint)));
	return context;
}

/* An empty state in the given context. */
static AoRolling *
new_state(MemoryContext context)
{
	AoRolling  *state = MemoryContextAlloc(context, sizeof(AoRolling));

	ao_rolling_init(state);
	return state;
}

/* Gives the sum its full range: once in the life of a state, if at all. */
static void
widen_state(AoRolling *state, MemoryContext context)
{
	ao_exact_sum_widen(&state->sum,
					   MemoryContextAlloc(context, AO_EXACT_DIGITS * sizeof(int64)));
}

/* See rolling_state.h. */
void
ao_pg_rolling_update(AoRolling *state, MemoryContext context, AoRollingMetric metric,
					 float8 forecast, float8 actual, bool remove)
{
	if (unlikely(!ao_rolling_update(state, metric, forecast, actual, remove)))
	{
		widen_state(state, context);
		(void) ao_rolling_update(state, metric, forecast, actual, remove);
	}
}

/* Takes the row (forecast, actual) into the state, or out of it. */
static inline Datum
transition(FunctionCallInfo fcinfo, AoRollingMetric metric, bool remove)
{
	MemoryContext context = ao_pg_rolling_context(fcinfo, hint);
	AoRolling  *state;

	if (PG_ARGISNULL(0))
		state = new_state(context);
	else
		state = (AoRolling *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		ao_pg_rolling_update(state, context, metric, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2),
							 remove);
	PG_RETURN_POINTER(state);
}

TRANSITION(rmse, AO_ROLLING_RMSE);
TRANSITION(mae, AO_ROLLING_MAE);
TRANSITION(mape, AO_ROLLING_MAPE);
TRANSITION(smape, AO_ROLLING_SMAPE);
TRANSITION(bias, AO_ROLLING_BIAS);

/* Adds counts and digits to a state, widening it if need be. */
static void
merge(AoRolling *state, const AoRolling *counts, const AoExactDigits *digits,
	  MemoryContext context)
{
	if (!ao_rolling_merge(state, counts, digits))
	{
		widen_state(state, context);
		(void) ao_rolling_merge(state, counts, digits);
	}
}

/* See rolling_state.h. */
void
ao_pg_rolling_join(AoRolling *state, AoRolling *other, MemoryContext context)
{
	AoExactDigits digits;

	ao_exact_sum_export(&other->sum, &digits);
	merge(state, other, &digits, context);
}

/* Joins the states of two sets of rows; the second one's memory is not kept. */
Datum
arima_ops_rolling_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = ao_pg_rolling_context(fcinfo, hint);
	AoRolling  *state;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = PG_ARGISNULL(0) ? new_state(context) : (AoRolling *) PG_GETARG_POINTER(0);
	ao_pg_rolling_join(state, (AoRolling *) PG_GETARG_POINTER(1), context);
	PG_RETURN_POINTER(state);
}

/*
 * See rolling_state.h: four counts, then the sum as sign, first digit, number of
 * digits and the digits, low ones first.
 */
void
ao_pg_rolling_send(StringInfo buf, AoRolling *state)
{
	AoExactDigits digits;

	ao_exact_sum_export(&state->sum, &digits);
	pq_sendint64(buf, state->n);
	pq_sendint64(buf, state->nan);
	pq_sendint64(buf, state->plus_inf);
	pq_sendint64(buf, state->minus_inf);
	pq_sendbyte(buf, digits.negative);
	pq_sendint32(buf, digits.first);
	pq_sendint32(buf, digits.count);
	for (int i = 0; i < digits.count; i++)
		pq_sendint32(buf, digits.digit[i]);
}

/* State to bytea, for the leader of a parallel plan. */
Datum
arima_ops_rolling_serialize(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	(void) ao_pg_rolling_context(fcinfo, hint);
	pq_begintypsend(&buf);
	ao_pg_rolling_send(&buf, (AoRolling *) PG_GETARG_POINTER(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Reports a serialized state that is not one. */
static void
bad_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid transition state of a rolling aggregate"),
			 errdetail("Its counts or its sum are not what the serialization function writes.")));
}

/* See rolling_state.h; every field is checked. */
void
ao_pg_rolling_receive(StringInfo buf, AoRolling *state, MemoryContext context)
{
	AoRolling	counts;
	AoExactDigits digits;
	int			negative;

	counts.n = pq_getmsgint64(buf);
	counts.nan = pq_getmsgint64(buf);
	counts.plus_inf = pq_getmsgint64(buf);
	counts.minus_inf = pq_getmsgint64(buf);
	negative = pq_getmsgbyte(buf);
	digits.negative = negative != 0;
	digits.first = (int32) pq_getmsgint(buf, 4);
	digits.count = (int32) pq_getmsgint(buf, 4);
	if (negative > 1 || digits.count < 0 || digits.count > AO_EXACT_DIGITS)
		bad_state();
	for (int i = 0; i < digits.count; i++)
		digits.digit[i] = (uint32) pq_getmsgint(buf, 4);
	if (!ao_rolling_check(&counts) || !ao_exact_digits_check(&digits))
		bad_state();
	merge(state, &counts, &digits, context);
}

/* Bytea to state, in the current context: combine copies what it keeps. */
Datum
arima_ops_rolling_deserialize(PG_FUNCTION_ARGS)
{
	AoRolling  *state;
	StringInfoData buf;
	bytea	   *serialized;

	(void) ao_pg_rolling_context(fcinfo, hint);
	serialized = PG_GETARG_BYTEA_PP(0);
	buf.data = VARDATA_ANY(serialized);
	buf.len = buf.maxlen = VARSIZE_ANY_EXHDR(serialized);
	buf.cursor = 0;
	state = new_state(CurrentMemoryContext);
	ao_pg_rolling_receive(&buf, state, CurrentMemoryContext);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* The state that a final function is to read; NULL when there were no rows. */
static inline AoRolling *
final_state(FunctionCallInfo fcinfo)
{
	AoRolling  *state = PG_ARGISNULL(0) ? NULL : (AoRolling *) PG_GETARG_POINTER(0);

	return state != NULL && state->n > 0 ? state : NULL;
}

/* Mean of the terms: MAE, MAPE, sMAPE, bias. */
Datum
arima_ops_rolling_mean_final(PG_FUNCTION_ARGS)
{
	AoRolling  *state = final_state(fcinfo);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ao_rolling_mean(state));
}

/* Root of the mean of the squared terms: RMSE. */
Datum
arima_ops_rolling_root_mean_final(PG_FUNCTION_ARGS)
{
	AoRolling  *state = final_state(fcinfo);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ao_rolling_root_mean(state));
}

/*
 * fit_aggregate.c
 *		The aggregates arima_fit and arima_try_fit, over rows in the order of
 *		the call or with a time that the final function sorts by.
 *
 * The transition only collects; whatever is wrong with a group is remembered
 * in its state and reported by the final function: as an error by arima_fit,
 * as a text by arima_try_fit.  The final functions leave the state as it is.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "glue.h"

PGDLLEXPORT Datum arima_ops_fit_accum(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_fit_timed_accum(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_fit_timed_combine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_fit_timed_serialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_fit_timed_deserialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_fit_final(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_try_fit_final(PG_FUNCTION_ARGS);

#define FIRST_CAPACITY 64

/* What a row can do to spoil its group. */
typedef enum Problem
{
	PROBLEM_NONE = 0,
	PROBLEM_SPEC_NULL,
	PROBLEM_SPEC_DIFFERS,
	PROBLEM_TIME_NULL,
	PROBLEM_TIME_INFINITE,
	PROBLEM_TOO_LONG
} Problem;

static const AoFault problem_faults[] = {
	[PROBLEM_SPEC_NULL] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "model specification must not be null", NULL,
		"Give one, for example '(1,1,1)', the same in every row of the group."
	},
	[PROBLEM_SPEC_DIFFERS] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "model specification differs between rows of one group", NULL,
		"Add the specification to GROUP BY, or give the same in every row of the group."
	},
	[PROBLEM_TIME_NULL] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "time of a value must not be null", NULL,
		"Leave out the rows without a time; a NULL value with a time is a missing value."
	},
	[PROBLEM_TIME_INFINITE] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "time of a value must not be infinite", NULL,
		"Leave out the rows with an infinite time."
	}
};

/* The rows of one group so far, in the aggregate's memory context. */
typedef struct FitState
{
	Problem		problem;		/* of the first row that had one; no row is added after it */
	bool		in_order;		/* times rise strictly so far */
	text	   *spec;			/* of the first row */
	int64		n;
	int64		capacity;
	double	   *values;			/* NaN for NULL */
	TimestampTz *times;			/* NULL in the aggregates without time */
} FitState;

/* One value with its time, for sorting. */
typedef struct TimedValue
{
	TimestampTz time;
	double		value;
} TimedValue;

/* What a state looks like between processes: this, then the bytes of spec,
 * times and values. */
typedef struct StateHeader
{
	int32		problem;
	int32		in_order;
	int32		spec_size;		/* with its varlena header; 0 none */
	int64		n;
} StateHeader;

/* The memory context of the aggregate that calls. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

/* An empty state with room for capacity rows. */
static FitState *
new_state(MemoryContext context, bool timed, int64 capacity)
{
	FitState   *state = MemoryContextAllocZero(context, sizeof(FitState));

	state->in_order = true;
	state->capacity = Max(capacity, FIRST_CAPACITY);
	state->values = MemoryContextAllocHuge(context, sizeof(double) * state->capacity);
	if (timed)
		state->times = MemoryContextAllocHuge(context, sizeof(TimestampTz) * state->capacity);
	return state;
}

/* Makes room for more rows, at least doubling; false if that is beyond the
 * longest series. */
static bool
reserve(FitState *state, int64 more)
{
	int64		n = state->n + more;

	if (n <= state->capacity)
		return true;
	if (n > AO_MAX_N)
	{
		state->problem = PROBLEM_TOO_LONG;
		return false;
	}
	state->capacity = Min(Max(n, 2 * state->capacity), AO_MAX_N);
	state->values = repalloc_huge(state->values, sizeof(double) * state->capacity);
	if (state->times != NULL)
		state->times = repalloc_huge(state->times, sizeof(TimestampTz) * state->capacity);
	return true;
}

/* Takes the group's specification from the first row and compares it with that
 * of every later one. */
static void
take_spec(FitState *state, text *spec, MemoryContext context)
{
	Size		size = VARSIZE_ANY_EXHDR(spec);

	if (state->spec == NULL)
	{
		state->spec = MemoryContextAlloc(context, size + VARHDRSZ);
		SET_VARSIZE(state->spec, size + VARHDRSZ);
		memcpy(VARDATA(state->spec), VARDATA_ANY(spec), size);
	}
	else if (size != VARSIZE(state->spec) - VARHDRSZ ||
			 memcmp(VARDATA(state->spec), VARDATA_ANY(spec), size) != 0)
		state->problem = PROBLEM_SPEC_DIFFERS;
}

/* The state of the call, ready to take one more row with the specification in
 * argument spec_arg; check its problem. */
static inline FitState *
state_for_row(FunctionCallInfo fcinfo, bool timed, int spec_arg)
{
	MemoryContext context = aggregate_context(fcinfo);
	FitState   *state;

	if (PG_ARGISNULL(0))
		state = new_state(context, timed, 0);
	else
		state = (FitState *) PG_GETARG_POINTER(0);

	if (state->problem != PROBLEM_NONE)
		return state;
	if (PG_ARGISNULL(spec_arg))
		state->problem = PROBLEM_SPEC_NULL;
	else
		take_spec(state, PG_GETARG_TEXT_PP(spec_arg), context);
	if (state->problem == PROBLEM_NONE)
		(void) reserve(state, 1);
	return state;
}

PG_FUNCTION_INFO_V1(arima_ops_fit_accum);

/* Transition of arima_fit(y float8, spec text): appends a value. */
Datum
arima_ops_fit_accum(PG_FUNCTION_ARGS)
{
	FitState   *state = state_for_row(fcinfo, false, 2);

	if (state->problem == PROBLEM_NONE)
		state->values[state->n++] = PG_ARGISNULL(1) ? NAN : PG_GETARG_FLOAT8(1);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(arima_ops_fit_timed_accum);

/* Transition of arima_fit(t timestamptz, y float8, spec text): appends a value
 * and its time, in any order. */
Datum
arima_ops_fit_timed_accum(PG_FUNCTION_ARGS)
{
	FitState   *state = state_for_row(fcinfo, true, 3);
	TimestampTz time;

	if (state->problem != PROBLEM_NONE)
		PG_RETURN_POINTER(state);
	if (PG_ARGISNULL(1))
	{
		state->problem = PROBLEM_TIME_NULL;
		PG_RETURN_POINTER(state);
	}

	time = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(time))
		state->problem = PROBLEM_TIME_INFINITE;
	else
	{
		if (state->n > 0 && state->times[state->n - 1] >= time)
			state->in_order = false;
		state->times[state->n] = time;
		state->values[state->n++] = PG_ARGISNULL(2) ? NAN : PG_GETARG_FLOAT8(2);
	}
	PG_RETURN_POINTER(state);
}

/* Appends the rows of other, which stays as it is. */
static void
append_state(FitState *state, const FitState *other, MemoryContext context)
{
	if (state->problem != PROBLEM_NONE)
		return;
	if (other->spec != NULL)
		take_spec(state, other->spec, context);
	if (other->problem != PROBLEM_NONE)
		state->problem = other->problem;
	if (state->problem != PROBLEM_NONE || !reserve(state, other->n))
		return;

	if (state->n > 0 && other->n > 0 && state->times[state->n - 1] >= other->times[0])
		state->in_order = false;
	state->in_order = state->in_order && other->in_order;
	memcpy(state->times + state->n, other->times, sizeof(TimestampTz) * other->n);
	memcpy(state->values + state->n, other->values, sizeof(double) * other->n);
	state->n += other->n;
}

PG_FUNCTION_INFO_V1(arima_ops_fit_timed_combine);

/* Combines two partial states of the aggregates with time. */
Datum
arima_ops_fit_timed_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	FitState   *state = PG_ARGISNULL(0) ? NULL : (FitState *) PG_GETARG_POINTER(0);
	FitState   *other = PG_ARGISNULL(1) ? NULL : (FitState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = new_state(context, true, other->n);
	append_state(state, other, context);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(arima_ops_fit_timed_serialize);

/* A partial state as bytes for another process of this server. */
Datum
arima_ops_fit_timed_serialize(PG_FUNCTION_ARGS)
{
	FitState   *state = (FitState *) PG_GETARG_POINTER(0);
	StateHeader header = {state->problem, state->in_order,
		state->spec == NULL ? 0 : (int32) VARSIZE(state->spec), state->n};
	Size		column = sizeof(double) * state->n;
	Size		size = VARHDRSZ + sizeof(header) + header.spec_size + 2 * column;
	bytea	   *bytes;
	char	   *out;

	(void) aggregate_context(fcinfo);
	bytes = palloc(size);
	SET_VARSIZE(bytes, size);
	out = VARDATA(bytes);
	memcpy(out, &header, sizeof(header));
	out += sizeof(header);
	if (header.spec_size > 0)
		memcpy(out, state->spec, header.spec_size);
	out += header.spec_size;
	memcpy(out, state->times, column);
	memcpy(out + column, state->values, column);
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(arima_ops_fit_timed_deserialize);

/* The state that arima_ops_fit_timed_serialize wrote, in the current context. */
Datum
arima_ops_fit_timed_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	const char *in = VARDATA_ANY(bytes);
	StateHeader header;
	FitState   *state;
	Size		column;

	(void) aggregate_context(fcinfo);
	memcpy(&header, in, sizeof(header));
	in += sizeof(header);
	column = sizeof(double) * header.n;

	state = new_state(CurrentMemoryContext, true, header.n);
	state->problem = header.problem;
	state->in_order = header.in_order;
	state->n = header.n;
	if (header.spec_size > 0)
	{
		state->spec = palloc(header.spec_size);
		memcpy(state->spec, in, header.spec_size);
	}
	in += header.spec_size;
	memcpy(state->times, in, column);
	memcpy(state->values, in + column, column);
	PG_RETURN_POINTER(state);
}

/* Order of two values in time; sorting a long series can be cancelled. */
static int
compare_times(const void *a, const void *b)
{
	TimestampTz ta = ((const TimedValue *) a)->time;
	TimestampTz tb = ((const TimedValue *) b)->time;

	CHECK_FOR_INTERRUPTS();
	return (ta > tb) - (ta < tb);
}

/* The values of the state in time order, palloc'd; NULL with the fault set if
 * two have the same time. */
static double *
values_by_time(const FitState *state, AoFault *fault)
{
	TimedValue *rows = palloc_extended(sizeof(TimedValue) * state->n, MCXT_ALLOC_HUGE);
	double	   *values;

	for (int64 i = 0; i < state->n; i++)
		rows[i] = (TimedValue) {state->times[i], state->values[i]};
	qsort(rows, state->n, sizeof(TimedValue), compare_times);

	values = palloc_extended(sizeof(double) * state->n, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < state->n; i++)
	{
		if (i > 0 && rows[i].time == rows[i - 1].time)
		{
			fault->sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
			fault->message = "two values of the series have the same time";
			fault->detail = psprintf("The time is %s.", timestamptz_to_str(rows[i].time));
			fault->hint = "Aggregate the values of one time first, or add the series to GROUP BY.";
			pfree(values);
			values = NULL;
			break;
		}
		values[i] = rows[i].value;
	}
	pfree(rows);
	return values;
}

/* See glue.h. */
AoModel *
ao_pg_try_fit(const double *y, int64 n, text *spec, AoFault *fault)
{
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model = NULL;
	AoStatus	status;
	AoSpec		parsed;
	AoEnv		env;

	ao_pg_env(&env);
	status = ao_spec_parse(VARDATA_ANY(spec), VARSIZE_ANY_EXHDR(spec), &parsed, &env);
	if (status == AO_OK)
		status = ao_fit(y, n, NULL, 0, &parsed, &options, &env, &model);
	if (status == AO_OK)
		return model;
	if (status == AO_NO_MEMORY || status == AO_CANCELLED || status == AO_BAD_MODEL)
		ao_pg_check(status, &env);
	*fault = ao_pg_fault(status, &env);
	return NULL;
}

/* Fits the collected rows; NULL with the fault set if that cannot be done. */
static AoModel *
fit_state(const FitState *state, AoFault *fault)
{
	AoModel    *model;
	double	   *values = state->values;

	if (state->problem == PROBLEM_TOO_LONG)
	{
		AoEnv		env;

		ao_pg_env(&env);
		env.err.need = AO_MAX_N;
		env.err.have = state->n + 1;
		*fault = ao_pg_fault(AO_SERIES_TOO_LONG, &env);
		return NULL;
	}
	if (state->problem != PROBLEM_NONE)
	{
		*fault = problem_faults[state->problem];
		return NULL;
	}

	if (!state->in_order && (values = values_by_time(state, fault)) == NULL)
		return NULL;
	model = ao_pg_try_fit(values, state->n, state->spec, fault);
	if (values != state->values)
		pfree(values);
	return model;
}

/* Is the series of the group at fault, so that other groups can have their models?  A specification
 * mostly is that of all. */
static bool
series_at_fault(const FitState *state)
{
	AoSpec		ignored;
	AoEnv		env;

	ao_pg_env(&env);
	return state->problem != PROBLEM_SPEC_NULL && state->problem != PROBLEM_SPEC_DIFFERS &&
		ao_spec_parse(VARDATA(state->spec), VARSIZE(state->spec) - VARHDRSZ, &ignored, &env) == AO_OK;
}

/* An aggregate does not know which group it is of; its error can say how to find out.  (arima_fit_all takes
 * arrays, which have no times to be at fault.) */
static void
add_way_out(AoFault *fault, bool timed)
{
	fault->hint = psprintf("%s%sIf this is one of many groups: arima_try_fit, with the same arguments, gives the reason in place of its model and the others theirs%s.",
						   fault->hint != NULL ? fault->hint : "", fault->hint != NULL ? " " : "", timed ? "" : "; so does arima_fit_all");
}

PG_FUNCTION_INFO_V1(arima_ops_fit_final);

/* Final function of the arima_fit aggregates: the model, or an error. */
Datum
arima_ops_fit_final(PG_FUNCTION_ARGS)
{
	AoFault		fault;
	AoModel    *model;
	FitState   *state;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	state = (FitState *) PG_GETARG_POINTER(0);
	model = fit_state(state, &fault);
	if (model == NULL)
	{
		if (series_at_fault(state))
			add_way_out(&fault, state->times != NULL);
		ao_pg_raise(&fault);
	}
	PG_RETURN_AO_MODEL(model);
}

PG_FUNCTION_INFO_V1(arima_ops_try_fit_final);

/* Final function of the arima_try_fit aggregates: the row (model, error), one
 * of the two NULL. */
Datum
arima_ops_try_fit_final(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	AoFault		fault;
	AoModel    *model;
	Datum		values[2] = {0};
	bool		nulls[2] = {false, false};

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tupdesc = BlessTupleDesc(tupdesc);

	model = fit_state((FitState *) PG_GETARG_POINTER(0), &fault);
	nulls[0] = model == NULL;
	nulls[1] = model != NULL;
	if (model != NULL)
		values[0] = ao_pg_model_datum(model);
	else
		values[1] = CStringGetTextDatum(ao_pg_fault_text(&fault));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

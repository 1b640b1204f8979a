/*
 * accuracy.c
 *		arima_accuracy: all measures of the accuracy of forecasts in one row.
 *
 * One state serves plain, partial and moving aggregation, as in rolling.c, and
 * the three forms of the aggregate: with a naive forecast, and with a scale.
 * Each measure is the mean of terms that rolling.h sums exactly.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"

#include "glue.h"
#include "rolling_state.h"

/* The sums.  Theil's U needs those of the rows that have a naive forecast. */
typedef enum Part
{
	PART_MAE,
	PART_RMSE,
	PART_MAPE,
	PART_SMAPE,
	PART_BIAS,
	PART_SCALED,				/* abs(error) / scale */
	PART_MODEL,					/* squares of the errors .. */
	PART_NAIVE,					/* .. and of those of the naive forecast */
	N_PARTS
} Part;

typedef struct Accuracy
{
	AoRolling	part[N_PARTS];
} Accuracy;

PGDLLEXPORT Datum arima_ops_accuracy_accum(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_accuracy_accum_inv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_accuracy_combine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_accuracy_serialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_accuracy_deserialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_accuracy_final(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_naive_scale(PG_FUNCTION_ARGS);

static const char hint[] = "Call the aggregate arima_accuracy.";

/* An empty state in the given context. */
static Accuracy *
new_state(MemoryContext context)
{
	Accuracy   *state = MemoryContextAlloc(context, sizeof(Accuracy));

	for (int i = 0; i < N_PARTS; i++)
		ao_rolling_init(&state->part[i]);
	return state;
}

/* Argument arg of a form that has it, not NULL. */
static bool
has_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_NARGS() > arg && !PG_ARGISNULL(arg);
}

/* Takes the row (forecast, actual, naive, scale) into the state, or out of it. */
static Datum
transition(FunctionCallInfo fcinfo, bool remove)
{
	MemoryContext context = ao_pg_rolling_context(fcinfo, hint);
	Accuracy   *state;
	float8		forecast;
	float8		actual;

	state = PG_ARGISNULL(0) ? new_state(context) : (Accuracy *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);

#define UPDATE(which, metric, f, a) \
	ao_pg_rolling_update(&state->part[which], context, metric, f, a, remove)

	forecast = PG_GETARG_FLOAT8(1);
	actual = PG_GETARG_FLOAT8(2);
	UPDATE(PART_MAE, AO_ROLLING_MAE, forecast, actual);
	UPDATE(PART_RMSE, AO_ROLLING_RMSE, forecast, actual);
	UPDATE(PART_MAPE, AO_ROLLING_MAPE, forecast, actual);
	UPDATE(PART_SMAPE, AO_ROLLING_SMAPE, forecast, actual);
	UPDATE(PART_BIAS, AO_ROLLING_BIAS, forecast, actual);
	if (has_argument(fcinfo, 3))
	{
		UPDATE(PART_MODEL, AO_ROLLING_RMSE, forecast, actual);
		UPDATE(PART_NAIVE, AO_ROLLING_RMSE, PG_GETARG_FLOAT8(3), actual);
	}
	if (has_argument(fcinfo, 4) && PG_GETARG_FLOAT8(4) > 0.0)
		UPDATE(PART_SCALED, AO_ROLLING_MAE, (forecast - actual) / PG_GETARG_FLOAT8(4), 0.0);
#undef UPDATE
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(arima_ops_accuracy_accum);

/* Transition function of all forms. */
Datum
arima_ops_accuracy_accum(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, false);
}

PG_FUNCTION_INFO_V1(arima_ops_accuracy_accum_inv);

/* Its inverse. */
Datum
arima_ops_accuracy_accum_inv(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, true);
}

PG_FUNCTION_INFO_V1(arima_ops_accuracy_combine);

/* Joins the states of two sets of rows. */
Datum
arima_ops_accuracy_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = ao_pg_rolling_context(fcinfo, hint);
	Accuracy   *state;
	Accuracy   *other;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = PG_ARGISNULL(0) ? new_state(context) : (Accuracy *) PG_GETARG_POINTER(0);
	other = (Accuracy *) PG_GETARG_POINTER(1);
	for (int i = 0; i < N_PARTS; i++)
		ao_pg_rolling_join(&state->part[i], &other->part[i], context);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(arima_ops_accuracy_serialize);

/* State to bytea: the parts one after the other. */
Datum
arima_ops_accuracy_serialize(PG_FUNCTION_ARGS)
{
	Accuracy   *state;
	StringInfoData buf;

	(void) ao_pg_rolling_context(fcinfo, hint);
	state = (Accuracy *) PG_GETARG_POINTER(0);
	pq_begintypsend(&buf);
	for (int i = 0; i < N_PARTS; i++)
		ao_pg_rolling_send(&buf, &state->part[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(arima_ops_accuracy_deserialize);

/* Bytea to state, in the current context. */
Datum
arima_ops_accuracy_deserialize(PG_FUNCTION_ARGS)
{
	Accuracy   *state;
	StringInfoData buf;
	bytea	   *serialized;

	(void) ao_pg_rolling_context(fcinfo, hint);
	serialized = PG_GETARG_BYTEA_PP(0);
	buf.data = VARDATA_ANY(serialized);
	buf.len = buf.maxlen = VARSIZE_ANY_EXHDR(serialized);
	buf.cursor = 0;
	state = new_state(CurrentMemoryContext);
	for (int i = 0; i < N_PARTS; i++)
		ao_pg_rolling_receive(&buf, &state->part[i], CurrentMemoryContext);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* Puts the mean of a part, or its root, into a column; NULL without any term. */
static void
put_measure(AoRolling *part, bool root, Datum *value, bool *null)
{
	*null = part->n == 0;
	if (!*null)
		*value = Float8GetDatum(root ? ao_rolling_root_mean(part) : ao_rolling_mean(part));
}

PG_FUNCTION_INFO_V1(arima_ops_accuracy_final);

/* Final function: the row n, n_skipped, mae, rmse, mape, smape, mase, bias, theil_u. */
Datum
arima_ops_accuracy_final(PG_FUNCTION_ARGS)
{
	Accuracy   *state;
	AoRolling  *part;
	TupleDesc	tupdesc;
	Datum		values[9] = {0};
	bool		nulls[9] = {false};
	double		naive;

	state = PG_ARGISNULL(0) ? new_state(ao_pg_rolling_context(fcinfo, hint)) : (Accuracy *) PG_GETARG_POINTER(0);
	part = state->part;
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tupdesc = BlessTupleDesc(tupdesc);

	values[0] = Int64GetDatum(part[PART_MAE].n);
	values[1] = Int64GetDatum(part[PART_MAE].n - part[PART_MAPE].n);
	put_measure(&part[PART_MAE], false, &values[2], &nulls[2]);
	put_measure(&part[PART_RMSE], true, &values[3], &nulls[3]);
	put_measure(&part[PART_MAPE], false, &values[4], &nulls[4]);
	put_measure(&part[PART_SMAPE], false, &values[5], &nulls[5]);
	put_measure(&part[PART_SCALED], false, &values[6], &nulls[6]);
	put_measure(&part[PART_BIAS], false, &values[7], &nulls[7]);
	/* no errors of the naive forecast: nothing to compare with */
	naive = part[PART_NAIVE].n > 0 ? ao_rolling_root_mean(&part[PART_NAIVE]) : 0.0;
	nulls[8] = naive == 0.0;
	if (!nulls[8])
		values[8] = Float8GetDatum(ao_rolling_root_mean(&part[PART_MODEL]) / naive);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

PG_FUNCTION_INFO_V1(arima_ops_naive_scale);

/* arima_naive_scale(y float8[], m int): mean of abs(y[t] - y[t-m]) over the pairs that are known,
 * the scale of the mean absolute scaled error (Hyndman & Koehler 2006); NULL without any pair */
Datum
arima_ops_naive_scale(PG_FUNCTION_ARGS)
{
	AoSeries	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "y");
	int32		m = PG_GETARG_INT32(1);
	AoRolling	errors;

	if (m < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid season length %d", m),
				 errhint("m must be at least 1.")));
	ao_rolling_init(&errors);
	for (int64 t = m; t < y.n; t++)
	{
		if (t % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!isnan(y.values[t]) && !isnan(y.values[t - m]))
			ao_pg_rolling_update(&errors, CurrentMemoryContext, AO_ROLLING_MAE, y.values[t - m],
								 y.values[t], false);
	}
	if (errors.n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ao_rolling_mean(&errors));
}

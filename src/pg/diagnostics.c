/*
 * diagnostics.c
 *		SQL functions of a model beyond forecasts: arima_simulate and
 *		arima_anomalies.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "diagnostics.h"
#include "glue.h"

PGDLLEXPORT Datum arima_ops_simulate(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_anomalies(PG_FUNCTION_ARGS);

/* Reports an error unless so many paths of so many steps are to be had. */
static void
check_paths(int32 h, int32 paths)
{
	ao_pg_check_horizon(h);
	if (paths < 1 || paths > AO_MAX_PATHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of paths %d", paths),
				 errhint("paths must be from 1 to %d.", AO_MAX_PATHS)));
	if ((int64) h * paths > AO_MAX_SIMULATED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d paths of %d steps are too many values", paths, h),
				 errdetail("The limit is " INT64_FORMAT " values.", AO_MAX_SIMULATED),
				 errhint("Ask for fewer paths or steps; with another seed the next call gives other paths.")));
}

/* Puts one path of h values into the result: path, step, value. */
static void
put_path(Tuplestorestate *store, TupleDesc tupdesc, int32 path, const double *values, int32 h)
{
	for (int32 i = 0; i < h; i++)
	{
		bool		nulls[3] = {false};
		Datum		row[3] = {Int32GetDatum(path), Int32GetDatum(i + 1), Float8GetDatum(values[i])};

		tuplestore_putvalues(store, tupdesc, row, nulls);
	}
}

PG_FUNCTION_INFO_V1(arima_ops_simulate);

/* arima_simulate(model arima_model, h int, paths int, seed bigint, xreg float8[]):
 * no rows if one of the first four is NULL */
Datum
arima_ops_simulate(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoMatrix	xreg;
	AoSimulation *simulation;
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);
	double	   *values;
	int32		h;
	int32		paths;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return (Datum) 0;

	h = PG_GETARG_INT32(1);
	paths = PG_GETARG_INT32(2);
	check_paths(h, paths);
	ao_pg_env(&env);
	xreg = ao_pg_xreg(fcinfo, 4, h);
	values = palloc(sizeof(double) * h);
	ao_pg_check(ao_simulation_open(PG_GETARG_AO_MODEL(0), h, xreg.values, xreg.cols,
								   (uint64_t) PG_GETARG_INT64(3), &env, &simulation), &env);
	for (int32 path = 0; path < paths; path++)
	{
		ao_pg_check(ao_simulation_path(simulation, path, &env, values), &env);
		put_path(store, tupdesc, path + 1, values, h);
	}
	ao_simulation_close(simulation, &env);
	return (Datum) 0;
}

/* The largest |value| that is known; 0 without any. */
static double
largest_value(const AoSeries *y)
{
	double		largest = 0;

	for (int64 t = 0; t < y->n; t++)
	{
		if (fabs(y->values[t]) > largest)
			largest = fabs(y->values[t]);
	}
	return largest;
}

/* One row: step, value, lower_bound, upper_bound, is_anomaly, anomaly_probability;
 * without residual all but the first two are NULL. */
static void
put_value(Tuplestorestate *store, TupleDesc tupdesc, int64 t, double value,
		  const AoAnomaly *anomaly, double level)
{
	bool		none = anomaly == NULL;
	bool		nulls[6] = {false, isnan(value), none, none, none, none};
	Datum		row[6] = {Int32GetDatum((int32) t + 1), Float8GetDatum(value)};

	if (!none)
	{
		row[2] = Float8GetDatum(anomaly->lower);
		row[3] = Float8GetDatum(anomaly->upper);
		row[4] = BoolGetDatum(anomaly->probability > level);
		row[5] = Float8GetDatum(anomaly->probability);
	}
	tuplestore_putvalues(store, tupdesc, row, nulls);
}

#define LONGEST_GAP 1000		/* a longer one counts as one of these */

/* Most values that are missing one after the other, between two of n errors. */
static int64
longest_gap(const double *errors, int64 n)
{
	int64		longest = 0;
	int64		last = -1;

	for (int64 t = 0; t < n; t++)
	{
		if (isnan(errors[t]))
			continue;
		if (last >= 0)
			longest = Max(longest, t - last - 1);
		last = t;
	}
	return Min(longest, LONGEST_GAP);
}

PG_FUNCTION_INFO_V1(arima_ops_anomalies);

/* arima_anomalies(model arima_model, y float8[], level float8, xreg float8[]): no
 * rows if one of the first three is NULL */
Datum
arima_ops_anomalies(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoModel    *model;
	AoSeries	y;
	AoMatrix	xreg;
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);
	double	   *errors;
	double	   *variances;
	AoAhead    *ahead;
	int64		longest;
	int64		gap = -1;
	double		level;
	double		size;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;

	level = PG_GETARG_FLOAT8(2);
	ao_pg_check_level(level);
	ao_pg_env(&env);
	model = PG_GETARG_AO_MODEL(0);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
	xreg = ao_pg_xreg(fcinfo, 3, y.n);
	errors = palloc_extended(sizeof(double) * Max(y.n, 1), MCXT_ALLOC_HUGE);
	variances = palloc_extended(sizeof(double) * Max(y.n, 1), MCXT_ALLOC_HUGE);
	ao_pg_check(ao_one_step_errors(model, y.values, y.n, xreg.values, xreg.cols, &env,
								   errors, variances), &env);
	size = largest_value(&y);
	longest = longest_gap(errors, y.n);
	ahead = palloc(sizeof(AoAhead) * (longest + 1));
	ao_pg_check(ao_anomaly_ahead(model, longest, &env, ahead), &env);
	for (int64 t = 0; t < y.n; t++)
	{
		AoAnomaly	anomaly;
		AoAhead		reach = ahead[Max(0, Min(gap, longest))];

		if (t % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		reach.later = t + 1 - model->estimated_to;
		if (!isnan(errors[t]))
			ao_pg_check(ao_anomaly(model, y.values[t], errors[t], variances[t], reach, level, size, &env, &anomaly), &env);
		/* what is missing at the front is no gap, nor what differences use up */
		gap = !isnan(errors[t]) ? 0 : gap >= 0 ? gap + 1 : gap;
		put_value(store, tupdesc, t, y.values[t], isnan(errors[t]) ? NULL : &anomaly, level);
	}
	return (Datum) 0;
}

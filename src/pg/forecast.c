/*
 * forecast.c
 *		SQL functions that look ahead with a model: arima_forecast in both
 *		forms and arima_predict.
 */
#include "postgres.h"

#include "glue.h"

PGDLLEXPORT Datum arima_ops_forecast(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_forecast_recent(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_predict(PG_FUNCTION_ARGS);

/* See glue.h. */
void
ao_pg_check_level(float8 level)
{
	if (!(level > 0.0 && level < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid interval level %g", level),
				 errhint("level must be between 0 and 1, for example 0.95.")));
}

/* See glue.h. */
void
ao_pg_check_horizon(int32 h)
{
	if (h < 1 || h > AO_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid forecast horizon %d", h),
				 errhint("h must be from 1 to %d steps.", AO_MAX_HORIZON)));
}

/* Puts h steps into the result: step, forecast, std_error, lower, upper. */
static void
put_forecast(FunctionCallInfo fcinfo, const AoForecast *steps, int32 h)
{
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);

	for (int32 i = 0; i < h; i++)
	{
		bool		nulls[5] = {false};
		Datum		values[5] = {
			Int32GetDatum(i + 1),
			Float8GetDatum(steps[i].mean),
			Float8GetDatum(steps[i].std_error),
			Float8GetDatum(steps[i].lower),
			Float8GetDatum(steps[i].upper)
		};

		tuplestore_putvalues(store, tupdesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(arima_ops_forecast);

/* arima_forecast(model arima_model, h int, level float8, xreg float8[]): from
 * the end of the training data; no rows if one of the first three is NULL */
Datum
arima_ops_forecast(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoMatrix	xreg;
	AoForecast *steps;
	int32		h;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		put_forecast(fcinfo, NULL, 0);
		return (Datum) 0;
	}

	h = PG_GETARG_INT32(1);
	ao_pg_check_horizon(h);
	ao_pg_check_level(PG_GETARG_FLOAT8(2));
	ao_pg_env(&env);
	xreg = ao_pg_xreg(fcinfo, 3, h);
	steps = palloc(sizeof(AoForecast) * h);
	ao_pg_check(ao_forecast(PG_GETARG_AO_MODEL(0), h, PG_GETARG_FLOAT8(2),
							xreg.values, xreg.cols, &env, steps), &env);
	put_forecast(fcinfo, steps, h);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_forecast_recent);

/* arima_forecast(model arima_model, recent float8[], h int, level float8): the
 * same parameters from the end of other data */
Datum
arima_ops_forecast_recent(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	recent = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "recent");
	int32		h = PG_GETARG_INT32(2);
	float8		level = PG_GETARG_FLOAT8(3);
	AoForecast *steps;

	ao_pg_check_horizon(h);
	ao_pg_check_level(level);
	ao_pg_env(&env);
	steps = palloc(sizeof(AoForecast) * h);
	ao_pg_check(ao_forecast_recent(PG_GETARG_AO_MODEL(0), recent.values, recent.n,
								   h, level, &env, steps), &env);
	put_forecast(fcinfo, steps, h);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_predict);

/* arima_predict(model arima_model, recent float8[]): the one-step mean */
Datum
arima_ops_predict(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	recent = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "recent");
	double		mean;

	ao_pg_env(&env);
	ao_pg_check(ao_predict(PG_GETARG_AO_MODEL(0), recent.values, recent.n, &env, &mean), &env);
	PG_RETURN_FLOAT8(mean);
}

/*
 * forecast.c
 *		SQL functions that look ahead with a model: arima_forecast in its forms
 *		and arima_predict, and what the operations forecast by.
 */
#include "postgres.h"

#include "glue.h"

PGDLLEXPORT Datum arima_ops_forecast(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_forecast_recent(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_forecast_levels(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_forecast_recent_levels(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_forecast_at(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_depends_on_time(PG_FUNCTION_ARGS);
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
ao_pg_check_levels(const AoSeries *levels, int most)
{
	if (levels->n < 1 || levels->n > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("levels must have from 1 to %d elements", most),
				 errdetail("It has " INT64_FORMAT ".", levels->n),
				 errhint("Give for example '{0.8,0.95}'.")));
	for (int64 i = 0; i < levels->n; i++)
		ao_pg_check_level(levels->values[i]);
}

/* See glue.h. */
void
ao_pg_check_horizon(int64 h)
{
	if (h < 1 || h > AO_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid forecast horizon " INT64_FORMAT, h),
				 errhint("h must be from 1 to %d steps.", AO_MAX_HORIZON)));
}

/* A call of arima_forecast in any form. */
typedef struct Request
{
	AoModel    *model;
	int32		h;
	AoSeries	levels;
	AoForecast *steps;			/* [levels.n][h] */
} Request;

/* Checks horizon and levels and takes room for the rows. */
static void
open_request(Request *request, Datum model, int64 h)
{
	ao_pg_check_horizon(h);
	ao_pg_check_levels(&request->levels, AO_MAX_LEVELS);
	request->model = ao_pg_model(model);
	request->h = (int32) h;
	request->steps = palloc(sizeof(AoForecast) * h * request->levels.n);
}

/* Puts the rows into the result, by step and in it by level as given: step, forecast,
 * std_error, lower, upper, and where the result has a sixth column the level. */
static void
put_forecast(FunctionCallInfo fcinfo, const Request *request)
{
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);

	for (int64 i = 0; i < request->h * request->levels.n; i++)
	{
		int64		level = i % request->levels.n;
		int64		step = i / request->levels.n;
		const AoForecast *forecast = &request->steps[level * request->h + step];
		bool		nulls[6] = {false};
		Datum		values[6] = {
			Int32GetDatum((int32) step + 1),
			Float8GetDatum(forecast->mean),
			Float8GetDatum(forecast->std_error),
			Float8GetDatum(forecast->lower),
			Float8GetDatum(forecast->upper),
			Float8GetDatum(request->levels.values[level])
		};

		tuplestore_putvalues(store, tupdesc, values, nulls);
	}
}

/* From the end of the training data; argument 3: regressors, or NULL. */
static void
forecast_on(FunctionCallInfo fcinfo, Request *request, int64 h)
{
	AoEnv		env;
	AoMatrix	xreg;

	open_request(request, PG_GETARG_DATUM(0), h);
	ao_pg_env(&env);
	xreg = ao_pg_xreg(fcinfo, 3, h);
	ao_pg_check(ao_forecast_levels(request->model, request->h, request->levels.values,
								   (int) request->levels.n, xreg.values, xreg.cols, &env,
								   request->steps), &env);
	put_forecast(fcinfo, request);
}

/* From the end of other data, argument 1; end: time of the last value, or AO_NO_TIME. */
static void
forecast_recent(FunctionCallInfo fcinfo, Request *request, int64 end, int64 h)
{
	AoEnv		env;
	AoSeries	recent = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "recent");

	open_request(request, PG_GETARG_DATUM(0), h);
	ao_pg_env(&env);
	ao_pg_check(ao_forecast_recent_levels(request->model, recent.values, recent.n, end, request->h,
										  request->levels.values, (int) request->levels.n, &env,
										  request->steps), &env);
	put_forecast(fcinfo, request);
}

/* No rows, where one of the first n arguments is NULL. */
static bool
forecast_of_null(FunctionCallInfo fcinfo, int n)
{
	Request		none = {.h = 0};
	int			known = 0;

	while (known < n && !PG_ARGISNULL(known))
		known++;
	if (known == n)
		return false;
	put_forecast(fcinfo, &none);
	return true;
}

PG_FUNCTION_INFO_V1(arima_ops_forecast);

/* arima_forecast(model arima_model, h int, level float8, xreg float8[]): from
 * the end of the training data; no rows if one of the first three is NULL */
Datum
arima_ops_forecast(PG_FUNCTION_ARGS)
{
	float8		level;
	Request		request = {.levels = {&level, 1}};

	if (forecast_of_null(fcinfo, 3))
		return (Datum) 0;
	level = PG_GETARG_FLOAT8(2);
	forecast_on(fcinfo, &request, PG_GETARG_INT32(1));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_forecast_levels);

/* arima_forecast(model arima_model, h bigint, levels float8[], xreg float8[]): the
 * same with a row for each step and level */
Datum
arima_ops_forecast_levels(PG_FUNCTION_ARGS)
{
	Request		request;

	if (forecast_of_null(fcinfo, 3))
		return (Datum) 0;
	request.levels = ao_pg_levels(PG_GETARG_ARRAYTYPE_P(2));
	forecast_on(fcinfo, &request, PG_GETARG_INT64(1));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_forecast_recent);

/* arima_forecast(model arima_model, recent float8[], h int, level float8): the
 * same parameters from the end of other data */
Datum
arima_ops_forecast_recent(PG_FUNCTION_ARGS)
{
	float8		level = PG_GETARG_FLOAT8(3);
	Request		request = {.levels = {&level, 1}};

	forecast_recent(fcinfo, &request, AO_NO_TIME, PG_GETARG_INT32(2));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_forecast_recent_levels);

/* arima_forecast(model arima_model, recent float8[], h bigint, levels float8[]) */
Datum
arima_ops_forecast_recent_levels(PG_FUNCTION_ARGS)
{
	Request		request;

	request.levels = ao_pg_levels(PG_GETARG_ARRAYTYPE_P(3));
	forecast_recent(fcinfo, &request, AO_NO_TIME, PG_GETARG_INT64(2));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_forecast_at);

/* arima_ops.forecast_at(model arima_model, recent float8[], h int, level float8, last int): last: the
 * time of the last value, NULL: not known; no rows if another one is NULL */
Datum
arima_ops_forecast_at(PG_FUNCTION_ARGS)
{
	float8		level;
	Request		request = {.levels = {&level, 1}};

	if (forecast_of_null(fcinfo, 4))
		return (Datum) 0;
	level = PG_GETARG_FLOAT8(3);
	forecast_recent(fcinfo, &request, PG_ARGISNULL(4) ? AO_NO_TIME : PG_GETARG_INT32(4), PG_GETARG_INT32(2));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_depends_on_time);

/* arima_ops.depends_on_time(model arima_model) */
Datum
arima_ops_depends_on_time(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(ao_depends_on_time(PG_GETARG_AO_MODEL(0)));
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
	ao_pg_check(ao_predict(PG_GETARG_AO_MODEL(0), recent.values, recent.n, AO_NO_TIME, &env, &mean), &env);
	PG_RETURN_FLOAT8(mean);
}

/*
 * fit.c
 *		SQL functions that make a model from an array: arima_fit, arima_refit,
 *		arima_append, and arima_residuals of one.
 */
#include "postgres.h"

#include "fit_arguments.h"

PGDLLEXPORT Datum arima_ops_fit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_refit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_append(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_residuals(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(arima_ops_fit);

/* arima_fit(y float8[], spec text, xreg float8[], options jsonb) */
Datum
arima_ops_fit(PG_FUNCTION_ARGS)
{
	AoFitArguments given;
	AoEnv		env;
	AoModel    *model;

	if (!ao_pg_fit_arguments(fcinfo, 2, 3, PG_INT64_MAX, &env, &given))
		PG_RETURN_NULL();
	ao_pg_check(ao_fit(given.y.values, given.y.n, given.xreg.values, given.xreg.cols, &given.spec,
					   &given.options, &env, &model), &env);
	PG_RETURN_AO_MODEL(model);
}

/* Applies a core function of a model, a series and regressors (arguments 0 to
 * 2) that gives a new model. */
static Datum
model_from_series(FunctionCallInfo fcinfo,
				  AoStatus (*apply) (const AoModel *, const double *, int64_t,
									 const double *, int, AoEnv *, AoModel **))
{
	AoEnv		env;
	AoModel    *model;
	AoModel    *result;
	AoSeries	y;
	AoMatrix	xreg;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	ao_pg_env(&env);
	model = PG_GETARG_AO_MODEL(0);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
	xreg = ao_pg_xreg(fcinfo, 2, y.n);
	ao_pg_check(apply(model, y.values, y.n, xreg.values, xreg.cols, &env, &result), &env);
	PG_RETURN_AO_MODEL(result);
}

PG_FUNCTION_INFO_V1(arima_ops_refit);

/* arima_refit(model arima_model, y float8[], xreg float8[]) */
Datum
arima_ops_refit(PG_FUNCTION_ARGS)
{
	return model_from_series(fcinfo, ao_refit);
}

PG_FUNCTION_INFO_V1(arima_ops_append);

/* arima_append(model arima_model, y float8[], xreg float8[]) */
Datum
arima_ops_append(PG_FUNCTION_ARGS)
{
	return model_from_series(fcinfo, ao_append);
}

PG_FUNCTION_INFO_V1(arima_ops_residuals);

/* arima_residuals(model arima_model, y float8[], xreg float8[]): standardised
 * innovations, NULL where there is none */
Datum
arima_ops_residuals(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoModel    *model;
	AoSeries	y;
	AoMatrix	xreg;
	double	   *residuals;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	ao_pg_env(&env);
	model = PG_GETARG_AO_MODEL(0);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
	xreg = ao_pg_xreg(fcinfo, 2, y.n);
	residuals = palloc_extended(sizeof(double) * Max(y.n, 1), MCXT_ALLOC_HUGE);
	ao_pg_check(ao_residuals(model, y.values, y.n, xreg.values, xreg.cols, &env, residuals), &env);
	PG_RETURN_ARRAYTYPE_P(ao_pg_array(residuals, y.n));
}

/*
 * backtest.c
 *		arima_backtest in both forms: of a specification, and of a fitted model.
 */
#include "postgres.h"

#include <math.h>

#include "backtest.h"
#include "fit_arguments.h"

PGDLLEXPORT Datum arima_ops_backtest(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_backtest_model(PG_FUNCTION_ARGS);

/* Where the rows go. */
typedef struct Rows
{
	Tuplestorestate *store;
	TupleDesc	tupdesc;
} Rows;

/* Puts one forecast into the result; as AoBacktestSink. */
static void
put_row(void *arg, int64_t origin, int step, double actual, const AoForecast *forecast)
{
	Rows	   *rows = arg;
	bool		nulls[7] = {false, false, isnan(actual)};
	Datum		values[7] = {
		Int32GetDatum((int32) origin),
		Int32GetDatum(step),
		Float8GetDatum(actual),
		Float8GetDatum(forecast->mean),
		Float8GetDatum(forecast->std_error),
		Float8GetDatum(forecast->lower),
		Float8GetDatum(forecast->upper)
	};

	tuplestore_putvalues(rows->store, rows->tupdesc, values, nulls);
}

/* An argument that must be at least `least`. */
static int32
int_argument(FunctionCallInfo fcinfo, int arg, const char *name, int32 least)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be null", name),
				 errhint("Give a number from %d on.", least)));
	if (PG_GETARG_INT32(arg) < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s %d", name, PG_GETARG_INT32(arg)),
				 errhint("%s must be at least %d.", name, least)));
	return PG_GETARG_INT32(arg);
}

/* Arguments `first` and on: initial, horizon, step, refit_every, window, level. */
static AoBacktest
backtest_arguments(FunctionCallInfo fcinfo, int first, int64 n)
{
	AoBacktest	how = {
		.initial = int_argument(fcinfo, first, "initial", 1),
		.horizon = int_argument(fcinfo, first + 1, "horizon", 1),
		.step = int_argument(fcinfo, first + 2, "step", 1),
		.refit_every = int_argument(fcinfo, first + 3, "refit_every", 0),
		.window = PG_ARGISNULL(first + 4) ? 0 : int_argument(fcinfo, first + 4, "window", 1)
	};

	if (how.horizon > AO_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid horizon %d", how.horizon),
				 errhint("horizon must be at most %d.", AO_MAX_HORIZON)));
	if (how.initial >= n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("initial leaves nothing to forecast"),
				 errdetail("The series has " INT64_FORMAT " values, initial is " INT64_FORMAT ".",
						   n, (int64) how.initial),
				 errhint("The first model is fitted to initial values, so the series needs at least " INT64_FORMAT "; or give a smaller initial. Of many series leave the short ones out: HAVING count(*) > " INT64_FORMAT ".",
						 (int64) how.initial + 1, (int64) how.initial)));
	if (PG_ARGISNULL(first + 5) || !(PG_GETARG_FLOAT8(first + 5) > 0.0 && PG_GETARG_FLOAT8(first + 5) < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid interval level"),
				 errhint("level must be between 0 and 1, for example 0.95.")));
	how.level = PG_GETARG_FLOAT8(first + 5);
	return how;
}

/* Runs it; too few values here means too small an initial. */
static void
run_backtest(AoSeries y, AoMatrix xreg, const AoSpec *spec, const AoBacktest *how, AoEnv *env,
			 Rows *rows)
{
	AoStatus	status = ao_backtest(y.values, y.n, xreg.values, xreg.cols, spec, how, env,
									 put_row, rows);
	AoFault		fault;

	if (status == AO_OK)
		return;
	fault = ao_pg_fault(status, env);
	if (status == AO_TOO_FEW_VALUES || status == AO_SERIES_TOO_SHORT)
		fault.hint = "The model of the first origin has no more than initial values, or window of them; give larger ones, or a smaller model.";
	ao_pg_raise(&fault);
}

PG_FUNCTION_INFO_V1(arima_ops_backtest);

/* arima_backtest(y float8[], spec text, initial, horizon, step, refit_every,
 * window, level, xreg, options, reselect): no rows if y is NULL */
Datum
arima_ops_backtest(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoFitArguments given;
	AoBacktest	how;
	Rows		rows;

	rows.store = ao_pg_srf_begin(fcinfo, &rows.tupdesc);
	/* lambda may not be chosen by what is to be forecast */
	if (!ao_pg_fit_arguments(fcinfo, 8, 9, PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2), &env, &given))
		return (Datum) 0;
	how = backtest_arguments(fcinfo, 2, given.y.n);
	how.fit = &given.options;
	how.reselect = !PG_ARGISNULL(10) && PG_GETARG_BOOL(10);
	run_backtest(given.y, given.xreg, &given.spec, &how, &env, &rows);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_backtest_model);

/* arima_backtest(model arima_model, y float8[], initial, horizon, step,
 * refit_every, window, level, xreg): no rows if model or y is NULL */
Datum
arima_ops_backtest_model(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y;
	AoMatrix	xreg;
	AoFitOptions fit = {.method = AO_ML};
	AoBacktest	how;
	Rows		rows;

	rows.store = ao_pg_srf_begin(fcinfo, &rows.tupdesc);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;

	ao_pg_env(&env);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
	how = backtest_arguments(fcinfo, 2, y.n);
	xreg = ao_pg_xreg(fcinfo, 8, y.n);
	how.fit = &fit;
	how.model = PG_GETARG_AO_MODEL(0);
	run_backtest(y, xreg, NULL, &how, &env, &rows);
	return (Datum) 0;
}

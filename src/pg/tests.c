/*
 * tests.c
 *		SQL functions around the choice of a model and the check of its errors:
 *		correlations, tests, numbers of differences, the Box-Cox parameter.
 *
 * What is NaN in the core, because the values do not vary, is NULL in SQL.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "glue.h"
#include "tests.h"

PGDLLEXPORT Datum arima_ops_acf(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_pacf(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_kpss_test(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_adf_test(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_pp_test(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_ljung_box_test(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_jarque_bera_test(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_diebold_mariano_test(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_ndiffs(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_nsdiffs(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_box_cox_lambda(PG_FUNCTION_ARGS);

/* One choice of a text argument. */
typedef struct Choice
{
	const char *name;
	int			value;
} Choice;

/* The value of the choice that a text argument names, whatever its case. */
static int
choose(text *given, const char *argument, const Choice *choices, int count)
{
	char	   *name = text_to_cstring(given);

	for (int i = 0; i < count; i++)
	{
		if (pg_strcasecmp(name, choices[i].name) == 0)
			return choices[i].value;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s \"%s\"", argument, name),
			 count == 2 ? errhint("Give '%s' or '%s'.", choices[0].name, choices[1].name) :
			 errhint("Give '%s', '%s' or '%s'.", choices[0].name, choices[1].name, choices[2].name)));
}

/* Whether a KPSS or Dickey-Fuller test is around a level or a trend. */
static AoDeterministic
choose_type(text *given, bool nothing_too)
{
	static const Choice choices[] = {{"level", AO_LEVEL}, {"trend", AO_TREND}, {"none", AO_NOTHING}};

	return (AoDeterministic) choose(given, "type", choices, nothing_too ? 3 : 2);
}

/* A number of lags; NULL is the default. */
static int64
lags_argument(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		return AO_DEFAULT_LAGS;
	if (PG_GETARG_INT32(arg) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of lags %d", PG_GETARG_INT32(arg)),
				 errhint("Give 0 or more, or NULL for the usual number.")));
	return PG_GETARG_INT32(arg);
}

/* The first argument as a series. */
static AoSeries
series_argument(FunctionCallInfo fcinfo)
{
	return ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "y");
}

/* The row (statistic, p_value, count, n), or without the count. */
static Datum
test_row(FunctionCallInfo fcinfo, const AoTest *test, bool with_count, int64 count)
{
	TupleDesc	tupdesc;
	Datum		values[4];
	bool		nulls[4] = {isnan(test->statistic), isnan(test->p_value), false, false};
	int			i = 0;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[i++] = Float8GetDatum(test->statistic);
	values[i++] = Float8GetDatum(test->p_value);
	if (with_count)
		values[i++] = Int32GetDatum((int32) count);
	values[i++] = Int32GetDatum((int32) test->n);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
}

typedef AoStatus (*CorrelationFunction) (const double *y, int64_t n, int64_t max_lag, AoEnv *env,
										 double *out);

/* (y float8[], max_lag int) to rows of lag and correlation; none for NULL. */
static Datum
correlation_rows(FunctionCallInfo fcinfo, CorrelationFunction compute)
{
	AoEnv		env;
	AoSeries	y = {NULL, 0};
	TupleDesc	tupdesc;
	Tuplestorestate *store;
	int64		max_lag = 0;
	double	   *out = NULL;

	if (!PG_ARGISNULL(0))
	{
		ao_pg_env(&env);
		y = series_argument(fcinfo);
		max_lag = lags_argument(fcinfo, 1);
		if (max_lag == AO_DEFAULT_LAGS)
			max_lag = ao_acf_default_lag(y.n);
		out = palloc_extended(sizeof(double) * Max(Min(max_lag, y.n), 1), MCXT_ALLOC_HUGE);
		ao_pg_check(compute(y.values, y.n, max_lag, &env, out), &env);
	}
	store = ao_pg_srf_begin(fcinfo, &tupdesc);
	for (int64 lag = 1; lag <= max_lag; lag++)
	{
		bool		nulls[2] = {false, isnan(out[lag - 1])};
		Datum		values[2] = {Int32GetDatum((int32) lag), Float8GetDatum(out[lag - 1])};

		tuplestore_putvalues(store, tupdesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(arima_ops_acf);

/* arima_acf(y float8[], max_lag int) */
Datum
arima_ops_acf(PG_FUNCTION_ARGS)
{
	return correlation_rows(fcinfo, ao_acf);
}

PG_FUNCTION_INFO_V1(arima_ops_pacf);

/* arima_pacf(y float8[], max_lag int) */
Datum
arima_ops_pacf(PG_FUNCTION_ARGS)
{
	return correlation_rows(fcinfo, ao_pacf);
}

typedef AoStatus (*StationarityTest) (const double *y, int64_t n, AoDeterministic around,
									  int64_t lags, AoEnv *env, AoTest *test);

/* (y float8[], type text, lags int) to the row of a test; NULL if y or type is. */
static Datum
stationarity_row(FunctionCallInfo fcinfo, StationarityTest compute, bool nothing_too)
{
	AoEnv		env;
	AoSeries	y;
	AoTest		test;
	AoDeterministic around;
	int64		lags;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	ao_pg_env(&env);
	y = series_argument(fcinfo);
	around = choose_type(PG_GETARG_TEXT_PP(1), nothing_too);
	lags = lags_argument(fcinfo, 2);
	ao_pg_check(compute(y.values, y.n, around, lags, &env, &test), &env);
	return test_row(fcinfo, &test, true, test.lags);
}

PG_FUNCTION_INFO_V1(arima_ops_kpss_test);

/* arima_kpss_test(y float8[], type text, lags int) */
Datum
arima_ops_kpss_test(PG_FUNCTION_ARGS)
{
	return stationarity_row(fcinfo, ao_test_kpss, false);
}

PG_FUNCTION_INFO_V1(arima_ops_adf_test);

/* arima_adf_test(y float8[], type text, lags int) */
Datum
arima_ops_adf_test(PG_FUNCTION_ARGS)
{
	return stationarity_row(fcinfo, ao_test_adf, true);
}

PG_FUNCTION_INFO_V1(arima_ops_pp_test);

/* arima_pp_test(y float8[], lags int) */
Datum
arima_ops_pp_test(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y;
	AoTest		test;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ao_pg_env(&env);
	y = series_argument(fcinfo);
	ao_pg_check(ao_test_pp(y.values, y.n, lags_argument(fcinfo, 1), &env, &test), &env);
	return test_row(fcinfo, &test, true, test.lags);
}

PG_FUNCTION_INFO_V1(arima_ops_ljung_box_test);

/* arima_ljung_box_test(y float8[], lags int, fitdf int) */
Datum
arima_ops_ljung_box_test(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y;
	AoTest		test;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	ao_pg_env(&env);
	y = series_argument(fcinfo);
	ao_pg_check(ao_test_ljung_box(y.values, y.n, lags_argument(fcinfo, 1), PG_GETARG_INT32(2),
								  &env, &test), &env);
	return test_row(fcinfo, &test, true, test.lags);
}

PG_FUNCTION_INFO_V1(arima_ops_jarque_bera_test);

/* arima_jarque_bera_test(y float8[]) */
Datum
arima_ops_jarque_bera_test(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y = series_argument(fcinfo);
	AoTest		test;

	ao_pg_env(&env);
	ao_pg_check(ao_test_jarque_bera(y.values, y.n, &env, &test), &env);
	return test_row(fcinfo, &test, false, 0);
}

PG_FUNCTION_INFO_V1(arima_ops_diebold_mariano_test);

/* arima_diebold_mariano_test(e1 float8[], e2 float8[], h int, power float8, alternative text) */
Datum
arima_ops_diebold_mariano_test(PG_FUNCTION_ARGS)
{
	static const Choice choices[] = {
		{"two.sided", AO_TWO_SIDED}, {"less", AO_LESS}, {"greater", AO_GREATER}
	};
	AoEnv		env;
	AoSeries	e1 = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "e1");
	AoSeries	e2 = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "e2");
	AoAlternative alternative = (AoAlternative) choose(PG_GETARG_TEXT_PP(4), "alternative", choices, 3);
	AoTest		test;

	if (e1.n != e2.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("e1 and e2 must have the same number of elements"),
				 errdetail("They have " INT64_FORMAT " and " INT64_FORMAT ".", e1.n, e2.n),
				 errhint("Give the errors of two forecasts of the same values, in the same order.")));
	ao_pg_env(&env);
	ao_pg_check(ao_test_diebold_mariano(e1.values, e2.values, e1.n, PG_GETARG_INT32(2),
										PG_GETARG_FLOAT8(3), alternative, &env, &test), &env);
	return test_row(fcinfo, &test, true, test.lags + 1);
}

PG_FUNCTION_INFO_V1(arima_ops_ndiffs);

/* arima_ndiffs(y float8[], alpha float8, max_d int) */
Datum
arima_ops_ndiffs(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y = series_argument(fcinfo);
	int			d;

	ao_pg_env(&env);
	ao_pg_check(ao_ndiffs(y.values, y.n, PG_GETARG_FLOAT8(1), PG_GETARG_INT32(2), &env, &d), &env);
	PG_RETURN_INT32(d);
}

PG_FUNCTION_INFO_V1(arima_ops_nsdiffs);

/* arima_nsdiffs(y float8[], m int, max_d int) */
Datum
arima_ops_nsdiffs(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y = series_argument(fcinfo);
	int			d;

	ao_pg_env(&env);
	ao_pg_check(ao_nsdiffs(y.values, y.n, PG_GETARG_INT32(1), PG_GETARG_INT32(2), &env, &d), &env);
	PG_RETURN_INT32(d);
}

PG_FUNCTION_INFO_V1(arima_ops_box_cox_lambda);

/* arima_box_cox_lambda(y float8[], m int, lower float8, upper float8) */
Datum
arima_ops_box_cox_lambda(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoSeries	y = series_argument(fcinfo);
	double		lambda;

	ao_pg_env(&env);
	ao_pg_check(ao_box_cox_lambda(y.values, y.n, PG_GETARG_INT32(1), PG_GETARG_FLOAT8(2),
								  PG_GETARG_FLOAT8(3), &env, &lambda), &env);
	PG_RETURN_FLOAT8(lambda);
}

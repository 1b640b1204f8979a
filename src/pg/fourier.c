/*
 * fourier.c
 *		SQL functions arima_fourier: the Fourier terms of a season as regressors.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "glue.h"

PGDLLEXPORT Datum arima_ops_fourier(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_fourier_range(PG_FUNCTION_ARGS);

#define MAX_PAIRS (AO_MAX_XREG / 2)
#define LATEST 1e12				/* times are whole numbers without rounding far beyond this */

/* Reports an error unless k pairs of terms make sense with the period m. */
static void
check_terms(float8 m, int32 k)
{
	if (!(m >= 2 && isfinite(m)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid season length %g", m),
				 errhint("m must be at least 2; it need not be a whole number.")));
	if (k < 1 || k > MAX_PAIRS || 2 * k > m)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of Fourier pairs %d", k),
				 errhint("k must be from 1 to %d here: at most half the season length, and at most %d.",
						 (int) Min(m / 2, MAX_PAIRS), MAX_PAIRS)));
}

/* A float8[] of rows and columns whose elements are to be set; no rows give the empty array. */
static ArrayType *
make_matrix(int64 rows, int cols)
{
	Size		bytes = ARR_OVERHEAD_NONULLS(2) + sizeof(float8) * rows * cols;
	ArrayType  *array;
	int		   *dims;

	if (rows == 0)
		return construct_empty_array(FLOAT8OID);
	if (!AllocSizeIsValid(bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Fourier terms of " INT64_FORMAT " times are too large for an array", rows),
				 errhint("Ask for fewer times or pairs.")));
	array = palloc0(bytes);
	SET_VARSIZE(array, bytes);
	array->ndim = 2;
	array->elemtype = FLOAT8OID;
	dims = ARR_DIMS(array);
	dims[0] = (int) rows;
	dims[1] = cols;
	/* the lower bounds */
	dims[2] = dims[3] = 1;
	return array;
}

/* The terms of n times: those of t, or if that is NULL start, start + 1 .. */
static ArrayType *
fourier_terms(const double *t, double start, int64 n, float8 m, int32 k)
{
	ArrayType  *result;
	double	   *row;

	check_terms(m, k);
	result = make_matrix(n, ao_fourier_columns(m, k));
	row = (double *) ARR_DATA_PTR(result);
	for (int64 i = 0; i < n; i++)
	{
		double		time = t != NULL ? t[i] : start + (double) i;

		if (!(fabs(time) <= LATEST))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time is missing or out of range"),
					 errdetail("It is element " INT64_FORMAT " of t.", i + 1),
					 errhint("Times count the values of the series: 1, 2, 3 and so on, up to %g.", LATEST)));
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		ao_fourier_row(time, m, k, row);
		row += ao_fourier_columns(m, k);
	}
	return result;
}

PG_FUNCTION_INFO_V1(arima_ops_fourier);

/* arima_fourier(t float8[], m float8, k int): one row for each time */
Datum
arima_ops_fourier(PG_FUNCTION_ARGS)
{
	AoSeries	t = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "t");

	PG_RETURN_ARRAYTYPE_P(fourier_terms(t.values, 0, t.n, PG_GETARG_FLOAT8(1), PG_GETARG_INT32(2)));
}

PG_FUNCTION_INFO_V1(arima_ops_fourier_range);

/* arima_fourier(n int, m float8, k int, start int): the times start .. start + n - 1 */
Datum
arima_ops_fourier_range(PG_FUNCTION_ARGS)
{
	int32		n = PG_GETARG_INT32(0);

	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of times %d", n),
				 errhint("Give the length of the series, or the number of steps of the forecast.")));
	PG_RETURN_ARRAYTYPE_P(fourier_terms(NULL, PG_GETARG_INT32(3), n, PG_GETARG_FLOAT8(1),
										PG_GETARG_INT32(2)));
}

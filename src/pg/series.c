/*
 * series.c
 *		Arrays of SQL to the core's series and regressors, and back: a NULL
 *		element is a missing value, NaN in the core.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "glue.h"

#define POLL_EVERY 65536		/* elements */

/* The n elements of a float8[] of any shape, in storage order.  Points into
 * the array when it has no NULLs, else a palloc'd copy with NaN for them. */
static double *
array_values(ArrayType *array, int64 n)
{
	const double *stored = (const double *) ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	double	   *values;

	if (bitmap == NULL)
		return (double *) stored;

	values = palloc_extended(sizeof(double) * n, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < n; i++)
	{
		values[i] = (bitmap[i >> 3] & (1 << (i & 7))) ? *stored++ : NAN;
		if (i % POLL_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return values;
}

/* The values of a one-dimensional or empty float8[]; name and hint are for the message. */
static AoSeries
one_dimension(ArrayType *array, const char *name, const char *hint)
{
	AoSeries	series;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a one-dimensional array", name),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("%s", hint)));

	series.n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	series.values = array_values(array, series.n);
	return series;
}

/* A series from a float8[]; name is for the message. */
AoSeries
ao_pg_series(ArrayType *array, const char *name)
{
	return one_dimension(array, name, "A series is an array of values in time order.");
}

/* Levels of intervals from a float8[]. */
AoSeries
ao_pg_levels(ArrayType *array)
{
	return one_dimension(array, "levels", "Give for example '{0.8,0.95}'.");
}

/* Regressors from a float8[]: two dimensions are rows and columns, one
 * dimension is a single column, none is no regressors. */
AoMatrix
ao_pg_matrix(ArrayType *array, const char *name)
{
	AoMatrix	matrix = {NULL, 0, 0};

	if (ARR_NDIM(array) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be an array of one or two dimensions", name),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("Give one row for each value of the series and one column for each regressor.")));
	if (ARR_NDIM(array) == 0)
		return matrix;

	matrix.rows = ARR_DIMS(array)[0];
	matrix.cols = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[1] : 1;
	matrix.values = array_values(array, matrix.rows * matrix.cols);
	return matrix;
}

/* Regressors from argument arg, which may be NULL; one row is needed for each
 * of the n values or steps. */
AoMatrix
ao_pg_xreg(FunctionCallInfo fcinfo, int arg, int64 n)
{
	AoMatrix	xreg = {NULL, 0, 0};

	if (PG_ARGISNULL(arg))
		return xreg;

	xreg = ao_pg_matrix(PG_GETARG_ARRAYTYPE_P(arg), "xreg");
	if (xreg.cols > 0 && xreg.rows != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("xreg has the wrong number of rows"),
				 errdetail("Rows given: " INT64_FORMAT ", needed: " INT64_FORMAT ".", xreg.rows, n),
				 errhint("Give one row for each value of the series or step of the forecast.")));
	return xreg;
}

/* A palloc'd float8[] of n values; NaN becomes NULL. */
ArrayType *
ao_pg_array(const double *values, int64 n)
{
	Datum	   *elems = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	bool	   *nulls = palloc_extended(sizeof(bool) * Max(n, 1), MCXT_ALLOC_HUGE);
	int			dims[1] = {(int) n};
	int			lbs[1] = {1};
	ArrayType  *array;

	for (int64 i = 0; i < n; i++)
	{
		nulls[i] = isnan(values[i]);
		elems[i] = nulls[i] ? (Datum) 0 : Float8GetDatum(values[i]);
		if (i % POLL_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
	array = construct_md_array(elems, nulls, n > 0 ? 1 : 0, dims, lbs, FLOAT8OID,
							   sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	pfree(elems);
	pfree(nulls);
	return array;
}

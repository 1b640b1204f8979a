/*
 * read_array.c
 *		For benchmarks only: a function that does nothing with an array but
 *		read it, as the floor of what any function of an array costs.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

PG_MODULE_MAGIC;

PGDLLEXPORT Datum read_array(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(read_array);

/* The sum of a float8[] without NULL elements. */
Datum
read_array(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	const double *values = (const double *) ARR_DATA_PTR(array);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += values[i];
	PG_RETURN_FLOAT8(sum);
}

/*
 * glue.h
 *		What the SQL glue files share: the core's services on PostgreSQL
 *		memory, status to SQLSTATE, arrays to series, the model datum.
 */
#ifndef AO_GLUE_H
#define AO_GLUE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "ao.h"

/* Everything is hidden but what is marked; before 16 the mark was empty. */
#if PG_VERSION_NUM < 160000 && defined(__GNUC__)
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* A series taken from a float8[]: NULL elements have become NaN. */
typedef struct AoSeries
{
	double	   *values;			/* palloc'd, or pointing into the array if nothing had to change */
	int64		n;
} AoSeries;

/* Regressors taken from a 2-D float8[] (n x k) or a 1-D one (k = 1). */
typedef struct AoMatrix
{
	double	   *values;			/* by rows; NULL when rows = cols = 0 */
	int64		rows;
	int			cols;
} AoMatrix;

extern int	arima_ops_max_fit_memory;	/* GUC, in kB */

/* env.c: services that palloc in CurrentMemoryContext and poll CHECK_FOR_INTERRUPTS */
extern void ao_pg_env(AoEnv *env);

/* What goes into an error report; the strings are palloc'd or static. */
typedef struct AoFault
{
	int			sqlstate;
	const char *message;
	const char *detail;			/* or NULL */
	const char *hint;			/* or NULL */
} AoFault;

/* error.c: returns on AO_OK, else ereport(ERROR) by the one table of statuses */
extern void ao_pg_check(AoStatus status, const AoEnv *env);
extern AoFault ao_pg_fault(AoStatus status, const AoEnv *env);
extern _Noreturn void ao_pg_raise(const AoFault *fault);
/* Message and detail in one line. */
extern const char *ao_pg_fault_text(const AoFault *fault);

/* series.c */
extern AoSeries ao_pg_series(ArrayType *array, const char *name);
extern AoSeries ao_pg_levels(ArrayType *array);
extern AoMatrix ao_pg_matrix(ArrayType *array, const char *name);
extern ArrayType *ao_pg_array(const double *values, int64 n);	/* NaN becomes NULL */
/* A regressor argument that may be NULL; must have n rows. */
extern AoMatrix ao_pg_xreg(FunctionCallInfo fcinfo, int arg, int64 n);

/* fit_aggregate.c: fits with the default options; NULL with the fault set if that
 * cannot be done.  What is not the series' own fault is raised. */
extern AoModel *ao_pg_try_fit(const double *y, int64 n, text *spec, AoFault *fault);

/* forecast.c: report an error unless a horizon, the level of an interval is usable */
extern void ao_pg_check_horizon(int64 h);
extern void ao_pg_check_level(float8 level);
/* The same of 1 to `most` levels. */
extern void ao_pg_check_levels(const AoSeries *levels, int most);

/* srf.c: starts the materialised result of a set-returning function */
extern Tuplestorestate *ao_pg_srf_begin(FunctionCallInfo fcinfo, TupleDesc *tupdesc);

/* jobs.c: locks the price basis of a series until the end of the transaction; false if that is to be at once, and cannot */
extern bool ao_pg_lock_basis(const char *series, LOCKMODE mode, bool at_once);

/* spec given as text datum; errors carry position and hint */
extern void ao_pg_spec(text *spec, AoSpec *out);

/* model datum: detoasted and cheaply checked (length, version); full check is at input */
extern AoModel *ao_pg_model(Datum datum);
extern Datum ao_pg_model_datum(AoModel *model);	/* sets the varlena header */

#define PG_GETARG_AO_MODEL(n)  ao_pg_model(PG_GETARG_DATUM(n))
#define PG_RETURN_AO_MODEL(m)  return ao_pg_model_datum(m)

#endif							/* AO_GLUE_H */

/*
 * fit_all.c
 *		The SQL function arima_fit_all: a model for each row of a query, by parallel
 *		workers whatever the query's own plan is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/timestamp.h"

#include "pool.h"

PGDLLEXPORT Datum arima_ops_fit_all(PG_FUNCTION_ARGS);

#define FETCH 32				/* rows at a time */
#define WAIT_MS 1000
#define MOST_SECONDS 86400.0

/* The rows of the query. */
typedef struct Source
{
	Portal		portal;
	Oid			key_output;		/* output function of the first column */
	Oid			element;		/* type of the numbers, where it is another than float8 */
	FmgrInfo	to_float8;		/* casts these */
	uint64		at;				/* in SPI_tuptable */
	uint64		count;
	bool		at_end;
} Source;

/* The result, and how far it has come. */
typedef struct FitRows
{
	Tuplestorestate *store;
	TupleDesc	tupdesc;
	int64		fitted;
	int64		failed;
	double		report_seconds; /* negative: no reports */
	TimestampTz reported;
	int64		reported_rows;
} FitRows;

/* Is a column of this type a series?  Of other numbers if they become float8 by themselves,
 * as in a call of arima_fit. */
static bool
is_series(Oid type, Source *source)
{
	Oid			element = get_base_element_type(type),
				function;

	if (element == FLOAT8OID)
		return true;
	if (!OidIsValid(element) ||
		find_coercion_pathway(FLOAT8OID, element, COERCION_IMPLICIT, &function) != COERCION_PATH_FUNC)
		return false;
	source->element = element;
	fmgr_info(function, &source->to_float8);
	return true;
}

/* Reports an error unless the columns of the query are a key and a series. */
static void
check_columns(TupleDesc tupdesc, Source *source)
{
	bool		varlena;

	if (tupdesc->natts != 2 || !is_series(TupleDescAttr(tupdesc, 1)->atttypid, source))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query must give two columns, a key and a series, which is an array of numbers"),
				 errhint("For example: SELECT key, array_agg(value ORDER BY at) FROM measured GROUP BY key.")));
	getTypeOutputInfo(TupleDescAttr(tupdesc, 0)->atttypid, &source->key_output, &varlena);
}

/* Reports an error if the query writes or locks rows; what a function that it calls does is the
 * server's to refuse. */
static void
check_reads(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	ListCell   *cell;

	foreach(cell, source->query_list)
	{
		Query	   *query = lfirst_node(Query, cell);

		if ((query->commandType != CMD_SELECT && query->commandType != CMD_UTILITY) ||
			query->hasModifyingCTE || query->rowMarks != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("query must only read"),
					 errdetail("It changes or locks rows."),
					 errhint("Write or lock in a statement of its own, and give a SELECT.")));
	}
}

/* Starts the query, which sees what the calling statement sees and writes nothing. */
static void
open_source(const char *query, Source *source)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);

	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must be one statement that returns rows"),
				 errhint("For example: SELECT key, array_agg(value ORDER BY at) FROM measured GROUP BY key.")));
	check_reads(plan);
	memset(source, 0, sizeof(Source));
	source->portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	check_columns(source->portal->tupDesc, source);
}

/* Is there another row?  Fetches more where needed. */
static bool
has_row(Source *source)
{
	if (source->at < source->count)
		return true;
	if (source->at_end)
		return false;
	if (SPI_tuptable != NULL)
		SPI_freetuptable(SPI_tuptable);
	SPI_cursor_fetch(source->portal, true, FETCH);
	source->at = 0;
	source->count = SPI_processed;
	source->at_end = SPI_processed == 0;
	return !source->at_end;
}

/* The key of the current row as palloc'd text; NULL if it is NULL. */
static char *
get_key(const Source *source)
{
	bool		isnull;
	Datum		key = SPI_getbinval(SPI_tuptable->vals[source->at], SPI_tuptable->tupdesc, 1, &isnull);

	return isnull ? NULL : OidOutputFunctionCall(source->key_output, key);
}

/* A palloc'd float8[] from an array of other numbers. */
static ArrayType *
as_float8(Source *source, ArrayType *array)
{
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	get_typlenbyvalalign(source->element, &length, &by_value, &align);
	deconstruct_array(array, source->element, length, by_value, align, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i])
			values[i] = FunctionCall1(&source->to_float8, values[i]);
	}
	return construct_md_array(values, nulls, ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array), FLOAT8OID,
							  sizeof(float8), FLOAT8PASSBYVAL, 'd');
}

/* The series of the current row; otherwise what is wrong with it. */
static const char *
get_series(Source *source, AoSeries *y)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[source->at], SPI_tuptable->tupdesc, 2, &isnull);
	ArrayType  *array;

	if (isnull)
		return "series must not be null";
	array = DatumGetArrayTypeP(datum);
	if (ARR_NDIM(array) > 1)
		return "series must be a one-dimensional array";
	if (OidIsValid(source->element))
		array = as_float8(source, array);
	*y = ao_pg_series(array, "y");
	return NULL;
}

/* A notice of how far it has come, where one is due and there is something new. */
static void
report(FitRows *result)
{
	TimestampTz now;

	if (result->report_seconds < 0 || result->fitted + result->failed == result->reported_rows)
		return;
	now = GetCurrentTimestamp();
	if (now - result->reported < result->report_seconds * USECS_PER_SEC)
		return;
	result->reported = now;
	result->reported_rows = result->fitted + result->failed;
	ereport(NOTICE,
			(errmsg("arima_fit_all: " INT64_FORMAT " series fitted, " INT64_FORMAT " could not be",
					result->fitted, result->failed)));
}

/* Adds a row: key, model, error. */
static void
put_row(FitRows *result, const char *key, AoModel *model, const char *error)
{
	Datum		values[3] = {0};
	bool		nulls[3] = {key == NULL, model == NULL, error == NULL};

	if (key != NULL)
		values[0] = CStringGetTextDatum(key);
	if (model != NULL)
		values[1] = ao_pg_model_datum(model);
	if (error != NULL)
		values[2] = CStringGetTextDatum(error);
	tuplestore_putvalues(result->store, result->tupdesc, values, nulls);
	if (model != NULL)
		result->fitted++;
	else
		result->failed++;
	report(result);
}

/* An item of the pool: the number of values, then these. */
static void
put_series(AoPool *pool, const AoSeries *y, char *key)
{
	Size		size = sizeof(int64) + sizeof(double) * y->n;
	char	   *item = ao_pg_pool_alloc(pool, size);

	memcpy(item, &y->n, sizeof(int64));
	memcpy(item + sizeof(int64), y->values, sizeof(double) * y->n);
	ao_pg_pool_put(pool, item, size, key);
}

/* See pool.h: fits the series of an item.  The answer: is it a model?  Then that, or the
 * text of the error with its end. */
char *
ao_pg_pool_fit(const char *shared, const char *item, Size size, Size *answer_size)
{
	AoFault		fault;
	AoModel    *model;
	int64		n;
	int64		is_model;
	const char *body;
	Size		length;
	char	   *answer;

	memcpy(&n, item, sizeof(n));
	Assert(size == sizeof(n) + sizeof(double) * n);
	model = ao_pg_try_fit((const double *) (item + sizeof(n)), n, (text *) shared, &fault);
	is_model = model != NULL;
	body = is_model ? DatumGetPointer(ao_pg_model_datum(model)) : ao_pg_fault_text(&fault);
	length = is_model ? VARSIZE(body) : strlen(body) + 1;
	*answer_size = sizeof(is_model) + length;
	answer = palloc(*answer_size);
	memcpy(answer, &is_model, sizeof(is_model));
	memcpy(answer + sizeof(is_model), body, length);
	return answer;
}

/* Gives the current row to the pool, which has room; its key lives in keys. */
static void
hand_over(Source *source, AoPool *pool, FitRows *result, MemoryContext keys)
{
	AoSeries	y;
	const char *error = get_series(source, &y);
	char	   *key = get_key(source);

	if (error != NULL)
		put_row(result, key, NULL, error);
	else
		put_series(pool, &y, key == NULL ? NULL : MemoryContextStrdup(keys, key));
	source->at++;
}

/* Adds the row of an answer. */
static void
put_answer(FitRows *result, const AoPoolAnswer *answer)
{
	int64		is_model;
	char	   *body = answer->data + sizeof(is_model);

	memcpy(&is_model, answer->data, sizeof(is_model));
	put_row(result, answer->ticket, is_model ? (AoModel *) body : NULL, is_model ? NULL : body);
	if (answer->ticket != NULL)
		pfree(answer->ticket);
}

/* All rows through the pool. */
static void
run_through(Source *source, AoPool *pool, FitRows *result)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext row = AllocSetContextCreate(caller, "arima_fit_all row", ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		bool		more = has_row(source);
		AoPoolAnswer answer;

		CHECK_FOR_INTERRUPTS();
		if (!more && ao_pg_pool_empty(pool))
			break;
		MemoryContextSwitchTo(row);
		if (more && ao_pg_pool_has_room(pool))
			hand_over(source, pool, result, caller);
		else if (ao_pg_pool_get(pool, &answer))
			put_answer(result, &answer);
		else
		{
			ao_pg_pool_wait(pool, WAIT_MS);
			report(result);
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(row);
	}
}

/* Seconds between reports; negative for none. */
static double
report_argument(FunctionCallInfo fcinfo, int arg)
{
	double		seconds = PG_ARGISNULL(arg) ? -1 : PG_GETARG_FLOAT8(arg);

	if (!PG_ARGISNULL(arg) && !(seconds >= 0 && seconds <= MOST_SECONDS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of seconds %g between reports", seconds),
				 errhint("Give 0, which is a report after each series, to %.0f, or NULL for no reports.", MOST_SECONDS)));
	return seconds;
}

PG_FUNCTION_INFO_V1(arima_ops_fit_all);

/* arima_fit_all(query text, spec text, workers int, report_seconds float8) */
Datum
arima_ops_fit_all(PG_FUNCTION_ARGS)
{
	FitRows		result = {.reported = GetCurrentTimestamp()};
	int			workers = ao_pg_workers_argument(fcinfo, 2);
	Source		source;
	AoPool	   *pool;
	AoSpec		ignored;
	text	   *spec;

	result.report_seconds = report_argument(fcinfo, 3);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query and specification must not be null"),
				 errhint("Leave the specification out for \"auto\".")));
	spec = PG_GETARG_TEXT_P(1);
	ao_pg_spec(spec, &ignored);
	result.store = ao_pg_srf_begin(fcinfo, &result.tupdesc);

	SPI_connect();
	open_source(text_to_cstring(PG_GETARG_TEXT_PP(0)), &source);
	pool = ao_pg_pool_begin(AO_POOL_FIT, spec, VARSIZE(spec), workers);
	run_through(&source, pool, &result);
	ao_pg_pool_end(pool);
	SPI_cursor_close(source.portal);
	SPI_finish();
	return (Datum) 0;
}

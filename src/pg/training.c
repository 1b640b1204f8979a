/*
 * training.c
 *		The numerics of training models for registered series: choice of the orders,
 *		walk-forward validation beside the champion, and the estimate from all values;
 *		for many series at once by parallel workers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "backtest.h"
#include "fit_arguments.h"
#include "pool.h"

PGDLLEXPORT Datum arima_ops_run_trainings(PG_FUNCTION_ARGS);

#define WAIT_MS 1000

/* The first attributes of the type arima_ops.training; those after them are SQL's. */
enum
{
	TASK_SERIES, TASK_Y, TASK_SPEC, TASK_OPTIONS, TASK_FOLDS, TASK_REFIT_EVERY, TASK_WINDOW,
	TASK_CHAMPION, TASK_ADJUSTMENT, TASK_OFFSET, TASK_COUNT
};

/* The attributes of the type arima_ops.training_result. */
enum
{
	RESULT_SERIES, RESULT_MODEL, RESULT_FORECASTS, RESULT_CHAMPION_FORECASTS, RESULT_SQLSTATE,
	RESULT_MESSAGE, RESULT_HINT, RESULT_COUNT
};

/* What is to be done for a series, and what came of it. */
typedef struct Training
{
	const Datum *task;			/* attributes of arima_ops.training */
	const bool *nulls;
	AoEnv		env;
	AoFitArguments given;
	int64		folds;			/* 0: no validation */
	int64		window;			/* values of an estimate; 0: all */
	AoModel    *model;
	double	   *forecasts;		/* [folds] */
	double	   *champion_forecasts; /* [folds] */
	ErrorData  *fault;			/* why something of these is missing */
} Training;

/* Where forecasts go. */
typedef struct Folds
{
	int64		first;			/* origin */
	double	   *forecasts;
} Folds;

/* Takes a forecast; as AoBacktestSink. */
static void
take_forecast(void *arg, int64_t origin, int step, double actual, const AoForecast *forecast)
{
	Folds	   *folds = arg;

	(void) step;
	(void) actual;
	folds->forecasts[origin - folds->first] = forecast->mean;
}

/* Walks through the folds at the end of y; gives the forecasts, palloc'd. */
static double *
walk(Training *training, const double *y, const AoBacktest *how)
{
	const AoFitArguments *given = &training->given;
	double	   *forecasts = palloc(sizeof(double) * training->folds);
	Folds		folds = {how->initial, forecasts};

	ao_pg_check(ao_backtest(y, given->y.n, NULL, 0, &given->spec, how, &training->env,
							take_forecast, &folds), &training->env);
	return forecasts;
}

/* The model of the values before the end, of the last `window` of them. */
static AoModel *
estimate(Training *training, int64 end)
{
	const AoFitArguments *given = &training->given;
	int64		from = training->window > 0 ? Max(0, end - training->window) : 0;
	AoModel    *model;

	ao_pg_check(ao_fit(given->y.values + from, end - from, NULL, 0, &given->spec, &given->options,
					   &training->env, &model), &training->env);
	return model;
}

/*
 * The candidate in the folds.  Where the orders are to be chosen, that is done with
 * the values before the folds, which so judge the choice as well; values that do not
 * vary decide nothing.
 */
static void
validate(Training *training)
{
	AoFitArguments *given = &training->given;
	AoBacktest	how = {
		.initial = given->y.n - training->folds,
		.horizon = 1,
		.step = 1,
		.refit_every = DatumGetInt32(training->task[TASK_REFIT_EVERY]),
		.window = training->window,
		.level = 0.95,
		.fit = &given->options
	};

	if (given->spec.is_auto)
	{
		AoModel    *model = estimate(training, how.initial);

		if (!(model->remarks & AO_REMARK_DEGENERATE))
			ao_model_spec(model, &given->spec);
	}
	training->forecasts = walk(training, given->y.values, &how);
}

/* A model for a series that begins `offset` values earlier. */
static AoModel *
with_offset(const AoModel *model, int64 offset)
{
	AoModel    *moved = palloc(ao_model_size(model));

	memcpy(moved, model, ao_model_size(model));
	ao_model_shift(moved, -offset);
	return moved;
}

/* The champion in the folds: its parameters on values in the prices that it knows. */
static void
validate_champion(Training *training)
{
	const AoFitArguments *given = &training->given;
	double		adjustment = DatumGetFloat8(training->task[TASK_ADJUSTMENT]);
	double	   *y = palloc_extended(sizeof(double) * given->y.n, MCXT_ALLOC_HUGE);
	AoFitOptions fit = {.method = AO_ML};
	AoBacktest	how = {
		.initial = given->y.n - training->folds,
		.horizon = 1,
		.step = 1,
		.level = 0.95,
		.fit = &fit,
		.model = with_offset(ao_pg_model(training->task[TASK_CHAMPION]),
							 DatumGetInt32(training->task[TASK_OFFSET]))
	};

	for (int64 i = 0; i < given->y.n; i++)
		y[i] = given->y.values[i] / adjustment;
	training->champion_forecasts = walk(training, y, &how);
	for (int64 i = 0; i < training->folds; i++)
		training->champion_forecasts[i] *= adjustment;
}

/* The model of all values. */
static void
estimate_all(Training *training)
{
	training->model = estimate(training, training->given.y.n);
}

/* Reports an error unless all is there that may not be null. */
static void
check_nulls(const bool *nulls)
{
	bool		missing = false;

	for (int i = 0; i < TASK_COUNT; i++)
	{
		bool		optional = i == TASK_WINDOW || i == TASK_CHAMPION ||
			(i > TASK_CHAMPION && nulls[TASK_CHAMPION]);

		missing |= nulls[i] && !optional;
	}
	if (missing)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the training of a series is incomplete"),
				 errhint("Take it from arima_ops.plan_training(series).")));
}

/* Reads the task. */
static void
read_task(Training *training)
{
	const Datum *task = training->task;
	AoFitArguments *given = &training->given;

	ao_pg_env(&training->env);
	given->y = ao_pg_series(DatumGetArrayTypeP(task[TASK_Y]), "y");
	training->folds = DatumGetInt32(task[TASK_FOLDS]);
	if (training->folds < 0 || training->folds >= given->y.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of folds " INT64_FORMAT, training->folds),
				 errdetail("There are " INT64_FORMAT " values.", given->y.n),
				 errhint("Values must be left before the folds.")));
	training->window = training->nulls[TASK_WINDOW] ? 0 : DatumGetInt32(task[TASK_WINDOW]);
	ao_pg_spec(DatumGetTextPP(task[TASK_SPEC]), &given->spec);
	/* lambda may not be chosen by what is to be forecast */
	given->initial = given->y.n - training->folds;
	ao_pg_fit_options(DatumGetJsonbP(task[TASK_OPTIONS]), &training->env, given);
}

/* Is it the series, its specification or its options that are at fault? */
static bool
own_fault(int sqlstate)
{
	return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION ||
		sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

/*
 * A step, whose error of its own becomes the fault, so that one series does not end
 * the work on others.  That needs no subtransaction, which parallel mode has none of:
 * a step takes nothing but memory.
 */
static bool
attempt(Training *training, void (*step) (Training *))
{
	MemoryContext caller = CurrentMemoryContext;
	bool volatile done = false;

	PG_TRY();
	{
		step(training);
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *fault;

		MemoryContextSwitchTo(caller);
		fault = CopyErrorData();
		if (!own_fault(fault->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		training->fault = fault;
	}
	PG_END_TRY();
	return done;
}

/* All steps.  A series that cannot be validated may still have a model. */
static void
train(Training *training)
{
	if (!attempt(training, read_task))
		return;
	if (training->folds > 0 && attempt(training, validate) && !training->nulls[TASK_CHAMPION])
		(void) attempt(training, validate_champion);
	(void) attempt(training, estimate_all);
}

/* Puts a text, or nothing for NULL, into an attribute. */
static void
set_text(Datum *values, bool *nulls, int attribute, const char *text)
{
	nulls[attribute] = text == NULL;
	if (text != NULL)
		values[attribute] = CStringGetTextDatum(text);
}

/* Puts forecasts, or nothing for NULL, into an attribute. */
static void
set_forecasts(Datum *values, bool *nulls, int attribute, const double *forecasts, int64 n)
{
	nulls[attribute] = forecasts == NULL;
	if (forecasts != NULL)
		values[attribute] = PointerGetDatum(ao_pg_array(forecasts, n));
}

/* The result as a row of the type given. */
static HeapTupleHeader
result_row(const Training *training, Oid type)
{
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(type, -1);
	const ErrorData *fault = training->fault;
	Datum		values[RESULT_COUNT];
	bool		nulls[RESULT_COUNT] = {false};
	HeapTuple	tuple;

	values[RESULT_SERIES] = training->task[TASK_SERIES];
	nulls[RESULT_MODEL] = training->model == NULL;
	if (training->model != NULL)
		values[RESULT_MODEL] = ao_pg_model_datum(training->model);
	set_forecasts(values, nulls, RESULT_FORECASTS, training->forecasts, training->folds);
	set_forecasts(values, nulls, RESULT_CHAMPION_FORECASTS, training->champion_forecasts,
				  training->folds);
	set_text(values, nulls, RESULT_SQLSTATE,
			 fault == NULL ? NULL : unpack_sql_state(fault->sqlerrcode));
	set_text(values, nulls, RESULT_MESSAGE, fault == NULL ? NULL :
			 fault->detail == NULL ? fault->message :
			 psprintf("%s. %s", fault->message, fault->detail));
	set_text(values, nulls, RESULT_HINT, fault == NULL ? NULL : fault->hint);
	tuple = heap_form_tuple(tupdesc, values, nulls);
	ReleaseTupleDesc(tupdesc);
	return DatumGetHeapTupleHeader(HeapTupleGetDatum(tuple));
}

/* See pool.h: item and answer are rows of arima_ops.training and arima_ops.training_result. */
char *
ao_pg_pool_train(const char *shared, const char *item, Size size, Size *answer_size)
{
	HeapTupleHeader header = (HeapTupleHeader) item;
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
												 HeapTupleHeaderGetTypMod(header));
	Datum	   *task = palloc(sizeof(Datum) * tupdesc->natts);
	bool	   *nulls = palloc(sizeof(bool) * tupdesc->natts);
	HeapTupleData tuple = {.t_len = size, .t_data = header};
	Training	training = {.task = task, .nulls = nulls};
	HeapTupleHeader result;

	heap_deform_tuple(&tuple, tupdesc, task, nulls);
	ReleaseTupleDesc(tupdesc);
	check_nulls(nulls);
	train(&training);
	result = result_row(&training, *(const Oid *) shared);
	*answer_size = HeapTupleHeaderGetDatumLength(result);
	return (char *) result;
}

/* Hands a row over to the pool, which has room. */
static void
put_training(AoPool *pool, Datum training)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(training);
	Size		size = HeapTupleHeaderGetDatumLength(header);

	ao_pg_pool_put(pool, memcpy(ao_pg_pool_alloc(pool, size), header, size), size, NULL);
}

/* All rows through the pool. */
static void
run_through(AoPool *pool, const Datum *trainings, int n, Tuplestorestate *store)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext row = AllocSetContextCreate(caller, "arima_ops training", ALLOCSET_DEFAULT_SIZES);
	int			at = 0;

	while (at < n || !ao_pg_pool_empty(pool))
	{
		AoPoolAnswer answer;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(row);
		if (at < n && ao_pg_pool_has_room(pool))
			put_training(pool, trainings[at++]);
		else if (ao_pg_pool_get(pool, &answer))
		{
			HeapTupleData tuple = {.t_len = answer.size, .t_data = (HeapTupleHeader) answer.data};

			tuplestore_puttuple(store, &tuple);
		}
		else
			ao_pg_pool_wait(pool, WAIT_MS);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(row);
	}
}

PG_FUNCTION_INFO_V1(arima_ops_run_trainings);

/* arima_ops.run_trainings(trainings arima_ops.training[], workers int); no element is null */
Datum
arima_ops_run_trainings(PG_FUNCTION_ARGS)
{
	int			workers = ao_pg_workers_argument(fcinfo, 1);
	ArrayType  *array;
	Datum	   *trainings;
	int			n;
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);
	AoPool	   *pool;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	array = PG_GETARG_ARRAYTYPE_P(0);
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("trainings must not be null"),
				 errhint("Take them from arima_ops.plan_training(series).")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &trainings, NULL, &n);
	pool = ao_pg_pool_begin(AO_POOL_TRAIN, &tupdesc->tdtypeid, sizeof(Oid), Min(workers, n));
	run_through(pool, trainings, n, store);
	ao_pg_pool_end(pool);
	return (Datum) 0;
}

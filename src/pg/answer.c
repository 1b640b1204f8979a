/*
 * answer.c
 *		arima_ops.answer_requests: answers requests for predictions together, in one
 *		statement and so with one commit.
 *
 * The bodies are read, checked and answered here.  Only what a key of idempotency
 * decides is left to an INSERT, by SPI.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "prediction_log.h"
#include "request.h"

PG_FUNCTION_INFO_V1(arima_ops_answer_requests);
PGDLLEXPORT Datum arima_ops_answer_requests(PG_FUNCTION_ARGS);

#define USUAL_LEAST 10			/* recent values, where the series is not known */
#define USUAL_MOST 60

/* The series that requests have asked for, each looked up once. */
typedef struct Named
{
	struct Named *next;
	const char *asked;			/* the name in the request, NULL: none */
	const char *name;			/* NULL: it is not clear which */
	AoServed   *series;			/* NULL: there is none */
	bool		held;			/* by somebody else, who is not to be waited for */
} Named;

/* A request on its way to its reply. */
typedef struct Asked
{
	text	   *key;			/* NULL: none */
	int64		hash;			/* of what is asked for, where there is a key */
	AoServed   *series;
	AoRequest	request;
	AoPlace		place;
	int64	   *ids;			/* of its steps */
	AoForecast *steps;			/* NULL: it is not to be logged */
	bool		held;			/* its series is: there is no reply now */
	int			status;			/* 0: there is no reply yet */
	StringInfoData reply;
} Asked;

/* ---- statements, planned once in a session ---- */

typedef struct Statement
{
	const char *sql;
	int			n;				/* parameters, all of them text */
	SPIPlanPtr	plan;
} Statement;

static Statement logged_query = {"SELECT arima_ops.logged_reply($1, $2), arima_ops.logged_hash($1, $2)", 2, NULL};

/* The time of the last recorded session where it is within the training, of which some have been removed since. */
static Statement time_query = {
	"SELECT arima_ops.session_number(m, (SELECT pg_catalog.max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = m.series))"
	" FROM arima_ops.models AS m WHERE m.series = $1 AND m.status = 'champion'", 1, NULL
};

#define INSERT_FROM(relation) \
	"INSERT INTO arima_ops.predictions AS p (id, series, version, as_of, lead, horizon, history_len," \
	" forecast, std_error, lower, upper, level, request_id, request_hash, adjustment, placed, made_at) OVERRIDING SYSTEM VALUE" \
	" SELECT r.*, pg_catalog.statement_timestamp() FROM " relation " AS r"

/* The first steps of requests with a key: those go in whose key is new. */
static Statement claim = {
	INSERT_FROM("arima_claimed") " ON CONFLICT (series, request_id, horizon) WHERE request_id IS NOT NULL DO NOTHING RETURNING p.id", 0, NULL
};

/* Runs a statement; a value that is 0 is NULL. */
static void
run(Statement *statement, Datum first, Datum second)
{
	static Oid	types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {first, second};
	char		nulls[] = {first == 0 ? 'n' : ' ', second == 0 ? 'n' : ' '};
	int			outcome;

	if (statement->plan == NULL)
	{
		/* the tables are read by key, whatever the values: one plan will do */
		SPIPlanPtr	plan = SPI_prepare_cursor(statement->sql, statement->n, types, CURSOR_OPT_GENERIC_PLAN);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "a statement cannot be prepared: %s", SPI_result_code_string(SPI_result));
		statement->plan = plan;
	}
	outcome = SPI_execute_plan(statement->plan, values, nulls, false, 0);
	if (outcome < 0)
		elog(ERROR, "a statement cannot be run: %s", SPI_result_code_string(outcome));
}

/* A column of the first row that the last statement gave; *null tells whether it is NULL. */
static Datum
column(int number, bool *null)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, null);
}

/* ---- the series ---- */

/* The series that a request means. */
static Named *
find_series(Named **all, const char *asked, bool wait)
{
	Named	   *named;

	for (named = *all; named != NULL; named = named->next)
		if (named->asked == asked || (asked != NULL && named->asked != NULL && strcmp(named->asked, asked) == 0))
			return named;
	named = palloc(sizeof(Named));
	*named = (Named) {.next = *all, .asked = asked, .name = asked != NULL ? asked : ao_pg_default_series()};
	if (named->name != NULL)
		named->held = !ao_pg_serve(named->name, wait, &named->series);
	*all = named;
	return named;
}

/* ---- replies that are no forecast ---- */

/* {"detail": text} with a status */
static void
refuse(Asked *asked, int status, const char *detail)
{
	asked->status = status;
	initStringInfo(&asked->reply);
	appendStringInfoString(&asked->reply, "{\"detail\":");
	escape_json(&asked->reply, detail);
	appendStringInfoChar(&asked->reply, '}');
}

/* 422 with a list of what is wrong */
static void
refuse_body(Asked *asked, const char *errors)
{
	asked->status = 422;
	initStringInfo(&asked->reply);
	appendStringInfo(&asked->reply, "{\"detail\":[%s]}", errors);
}

/* Reads a body; gives whether there is something to forecast. */
static bool
read_asked(Asked *asked, text *body, Named **all, bool wait)
{
	const char *fault = NULL;
	AoBody	   *read = ao_pg_read_body(body, &fault);
	const Named *named;
	StringInfoData errors;

	if (read == NULL)
	{
		refuse(asked, 400, psprintf("prediction failed:%s", fault));
		return false;
	}
	initStringInfo(&errors);
	named = find_series(all, ao_pg_body_series(read), wait);
	asked->held = named->held;
	if (asked->held)
		return false;
	asked->series = named->series;
	if (!ao_pg_check_body(read, asked->series != NULL ? asked->series->least : USUAL_LEAST,
						  asked->series != NULL ? asked->series->most : USUAL_MOST, &asked->request, &errors))
		refuse_body(asked, errors.data);
	else if (named->name == NULL)
		refuse_body(asked, psprintf("{\"type\":\"missing\",\"loc\":[\"body\",\"series\"],\"msg\":\"Field required\",\"input\":%s}",
									text_to_cstring(body)));
	else if (asked->series == NULL)
		refuse(asked, 404, psprintf("There is no series \"%s\"", named->name));
	else if (asked->series->version == 0)
		refuse(asked, 503, psprintf("Series \"%s\" has no model yet", named->name));
	if (asked->status == 0 && asked->key != NULL)
		asked->hash = ao_pg_request_hash(asked->request.recent, asked->request.horizon, asked->request.level, NULL);
	return asked->status == 0;
}

/* ---- forecasts ---- */

/* Values or forecasts by a factor. */
static void
scale(double *values, int64 n, double factor)
{
	if (factor != 1)
		for (int64 i = 0; i < n; i++)
			values[i] *= factor;
}

/* The time by the champion of the last value of the request, or AO_NO_TIME where it does not matter or is not known. */
static int64
last_time(const AoServed *series, int newer)
{
	int64		last = series->last;
	bool		null = true;
	Datum		number = 0;

	if (last == AO_NO_TIME)
		return last;
	if (series->as_of < series->trained_to)
	{
		run(&time_query, CStringGetTextDatum(series->name), 0);
		if (SPI_processed == 1)
			number = column(1, &null);
		if (!null)
			last = DatumGetInt32(number);
	}
	return last + newer;
}

/* The champion's forecast, in the prices of the request; status 400 where it cannot be made. */
static void
forecast(Asked *asked)
{
	const AoServed *series = asked->series;
	AoRequest  *request = &asked->request;
	double		basis;			/* from the prices of the model to those of the request */
	AoEnv		env;
	AoStatus	status;

	asked->place = ao_pg_count_newer(request->recent, series->recorded);
	basis = series->adjustment * asked->place.factor;
	if (basis != 1)
		for (int64 i = 0; i < request->recent.n; i++)
			request->recent.values[i] /= basis;
	asked->steps = palloc(sizeof(AoForecast) * request->horizon);
	ao_pg_env(&env);
	status = ao_forecast_recent_levels(series->model, request->recent.values, request->recent.n,
									   last_time(series, asked->place.newer),
									   request->horizon, &request->level, 1, &env, asked->steps);
	if (status != AO_OK)
	{
		AoFault		fault = ao_pg_fault(status, &env);
		int			category = ERRCODE_TO_CATEGORY(fault.sqlstate);

		if (category != ERRCODE_DATA_EXCEPTION && category != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
			ao_pg_raise(&fault);
		refuse(asked, 400, psprintf("prediction failed:%s", fault.message));
		asked->steps = NULL;
		return;
	}
	scale((double *) asked->steps, (int64) request->horizon * (int64) (sizeof(AoForecast) / sizeof(double)), basis);
	for (int i = 0; i < request->horizon; i++)
		if (!isfinite(asked->steps[i].mean))
		{
			refuse(asked, 400, "prediction failed:the forecast is not a finite number");
			asked->steps = NULL;
			return;
		}
}

/* Keeps series and models of all forecasts until they are logged; whose series somebody else is removing has none now. */
static void
keep_parents(Asked *all, int n, bool wait)
{
	for (int i = 0; i < n; i++)
		if (all[i].steps != NULL && !ao_pg_lock_parents(all[i].series, wait))
		{
			all[i].held = true;
			all[i].steps = NULL;
		}
}

/* ---- the log ---- */

#define N_COLUMNS 16

/* The columns of the relations that are inserted from. */
static TupleDesc
row_type(void)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			columns[N_COLUMNS] = {
		{"id", INT8OID}, {"series", TEXTOID}, {"version", INT4OID}, {"as_of", TIMESTAMPTZOID}, {"lead", INT4OID},
		{"horizon", INT4OID}, {"history_len", INT4OID}, {"forecast", FLOAT8OID}, {"std_error", FLOAT8OID},
		{"lower", FLOAT8OID}, {"upper", FLOAT8OID}, {"level", FLOAT8OID}, {"request_id", TEXTOID},
		{"request_hash", INT8OID}, {"adjustment", FLOAT8OID}, {"placed", BOOLOID}
	};
	TupleDesc	type = CreateTemplateTupleDesc(N_COLUMNS);

	for (int i = 0; i < N_COLUMNS; i++)
		TupleDescInitEntry(type, (AttrNumber) (i + 1), columns[i].name, columns[i].type, -1, 0);
	return type;
}

/* Makes rows known to statements as a relation of this name. */
static Tuplestorestate *
open_rows(const char *name, TupleDesc type)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);

	relation->md.name = pstrdup(name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = type;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = 100;
	relation->reldata = rows;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "a relation cannot be registered");
	return rows;
}

static Datum
number_or_null(double number, bool *null)
{
	*null = isnan(number);
	return Float8GetDatum(number);
}

/* Adds the row of the first step of a request with a key. */
static void
add_first_step(Tuplestorestate *rows, TupleDesc type, const Asked *asked)
{
	const AoForecast *step = asked->steps;
	bool		nulls[N_COLUMNS] = {false};
	Datum		values[N_COLUMNS] = {
		Int64GetDatum(asked->ids[0]), CStringGetTextDatum(asked->series->name), Int32GetDatum(asked->series->version),
		TimestampTzGetDatum(asked->series->as_of), Int32GetDatum(asked->place.newer), Int32GetDatum(1),
		Int32GetDatum((int32) asked->request.recent.n), Float8GetDatum(step->mean),
		number_or_null(step->std_error, &nulls[8]), number_or_null(step->lower, &nulls[9]),
		number_or_null(step->upper, &nulls[10]), Float8GetDatum(asked->request.level), PointerGetDatum(asked->key),
		Int64GetDatum(asked->hash), Float8GetDatum(1 / asked->place.factor), BoolGetDatum(asked->place.found == AO_FOUND)
	};

	nulls[N_COLUMNS - 1] = asked->place.found == AO_UNSURE;

	tuplestore_putvalues(rows, type, values, nulls);
}

/* By series and key: two batches that claim the same keys do it in the same order, and none waits for ever. */
static int
by_key(const void *a, const void *b)
{
	const Asked *x = *(Asked *const *) a;
	const Asked *y = *(Asked *const *) b;
	int			order = strcmp(x->series->name, y->series->name);
	int			shorter = (int) Min(VARSIZE_ANY_EXHDR(x->key), VARSIZE_ANY_EXHDR(y->key));

	if (order == 0)
		order = memcmp(VARDATA_ANY(x->key), VARDATA_ANY(y->key), shorter);
	if (order == 0)
		order = (int) VARSIZE_ANY_EXHDR(x->key) - (int) VARSIZE_ANY_EXHDR(y->key);
	return order != 0 ? order : (x->ids[0] > y->ids[0]) - (x->ids[0] < y->ids[0]);
}

/* Takes away the forecasts of requests whose key has been there before: their ids did not come back. */
static void
keep_claimed(Asked **keyed, int n)
{
	uint64		got = 0;

	/* the ids come back in the order of the rows */
	for (int i = 0; i < n; i++)
	{
		bool		null;

		if (got < SPI_processed
			&& DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[got], SPI_tuptable->tupdesc, 1, &null)) == keyed[i]->ids[0])
			got++;
		else
			keyed[i]->steps = NULL;
	}
	if (got != SPI_processed)
		elog(ERROR, "predictions came back in another order");
}

/* Logs the steps of a request from one on. */
static void
log_steps(AoPredictionLog *log, const Asked *asked, int from)
{
	for (int i = from; i < asked->request.horizon; i++)
	{
		AoPrediction row = {
			.id = asked->ids[i],
			.series = asked->series,
			.lead = asked->place.newer,
			.adjustment = 1 / asked->place.factor,
			.horizon = i + 1,
			.history_len = (int) asked->request.recent.n,
			.found = asked->place.found,
			.step = &asked->steps[i],
			.level = asked->request.level,
			.key = asked->key,
			.hash = asked->hash
		};

		ao_pg_log_row(log, &row);
	}
}

/* Logs all forecasts.  Of requests with a key first the first step, which tells whether it is new. */
static void
log_forecasts(Asked *all, int n)
{
	TupleDesc	type = row_type();
	Asked	  **keyed = palloc(sizeof(Asked *) * n);
	int			n_keyed = 0;
	AoPredictionLog *log = NULL;
	Tuplestorestate *rows;

	for (int i = 0; i < n; i++)
		if (all[i].steps != NULL && all[i].key != NULL)
			keyed[n_keyed++] = &all[i];
	if (n_keyed > 0)
	{
		qsort(keyed, n_keyed, sizeof(Asked *), by_key);
		rows = open_rows("arima_claimed", type);
		for (int i = 0; i < n_keyed; i++)
			add_first_step(rows, type, keyed[i]);
		run(&claim, 0, 0);
		keep_claimed(keyed, n_keyed);
		tuplestore_end(rows);
	}
	for (int i = 0; i < n; i++)
	{
		if (all[i].steps == NULL || (all[i].key != NULL && all[i].request.horizon == 1))
			continue;
		if (log == NULL)
			log = ao_pg_open_log();
		log_steps(log, &all[i], all[i].key != NULL);
	}
	if (log != NULL)
		ao_pg_close_log(log);
}

/* An id for each step; others may take numbers in between. */
static void
number_steps(Asked *all, int n)
{
	Oid			sequence = get_relname_relid("predictions_id_seq", get_namespace_oid("arima_ops", false));

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (all[i].steps == NULL)
			continue;
		all[i].ids = palloc(sizeof(int64) * all[i].request.horizon);
		for (int j = 0; j < all[i].request.horizon; j++)
			all[i].ids[j] = nextval_internal(sequence, false);
	}
}

/* ---- replies ---- */

/* What is said of a key that comes again with another request, as draft-ietf-httpapi-idempotency-key-header has it. */
static const char reused_key[] =
	"{\"type\":\"idempotency_key_reused\",\"loc\":[\"header\",\"idempotency-key\"],"
	"\"msg\":\"Key has come before with another request: a new request needs a new key\",\"input\":null}";

/* The reply from the log, of a request whose key has been there before; not to another request. */
static void
repeat_reply(Asked *asked)
{
	bool		null;
	bool		no_hash;
	Datum		reply;
	Datum		hash;

	run(&logged_query, CStringGetTextDatum(asked->series->name), PointerGetDatum(asked->key));
	reply = column(1, &null);
	if (null)
		elog(ERROR, "the first answer is not in the log");
	hash = column(2, &no_hash);
	if (!no_hash && DatumGetInt64(hash) != asked->hash)
	{
		refuse_body(asked, reused_key);
		return;
	}
	initStringInfo(&asked->reply);
	appendStringInfoString(&asked->reply, TextDatumGetCString(reply));
	asked->status = 200;
}

static void
write_reply(Asked *asked)
{
	AoAnswer	answer = {
		.id = asked->ids[0],
		.made_at = GetCurrentStatementStartTimestamp(),
		.series = asked->series->name,
		.version = asked->series->version,
		.spec = asked->series->spec,
		.level = asked->request.level,
		.n = asked->request.horizon,
		.steps = asked->steps
	};

	if (asked->steps == NULL)
	{
		repeat_reply(asked);
		return;
	}
	initStringInfo(&asked->reply);
	ao_pg_append_reply(&asked->reply, &answer);
	asked->status = 200;
}

/* arima_ops.answer[] */
static Datum
answer_array(const Asked *all, int n, Oid element)
{
	TupleDesc	type = lookup_rowtype_tupdesc(element, -1);
	Datum	   *answers = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		Datum		values[2] = {Int32GetDatum(all[i].status)};
		bool		nulls[2] = {all[i].held, all[i].held};

		if (!all[i].held)
			values[1] = PointerGetDatum(cstring_to_text_with_len(all[i].reply.data, all[i].reply.len));
		answers[i] = HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
	}
	ReleaseTupleDesc(type);
	return PointerGetDatum(construct_array(answers, n, element, -1, false, TYPALIGN_DOUBLE));
}

/* Reads, answers and logs. */
static void
answer_all(Asked *all, const Datum *bodies, const bool *no_body, int n, bool wait)
{
	Named	   *series = NULL;

	for (int i = 0; i < n; i++)
		if (read_asked(&all[i], no_body[i] ? cstring_to_text("null") : DatumGetTextPP(bodies[i]), &series, wait))
			forecast(&all[i]);
	keep_parents(all, n, wait);
	number_steps(all, n);
	log_forecasts(all, n);
	for (int i = 0; i < n; i++)
		if (all[i].status == 0 && !all[i].held)
			write_reply(&all[i]);
}

/*
 * arima_ops.answer_requests(bodies text[], keys text[], wait bool): status and reply of each.
 * The keys may be NULL as a whole.  The array is made outside of SPI's memory, all else in it.
 */
Datum
arima_ops_answer_requests(PG_FUNCTION_ARGS)
{
	Oid			element = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	MemoryContext outside = CurrentMemoryContext;
	Datum	   *bodies;
	Datum	   *keys = NULL;
	bool	   *no_body;
	bool	   *no_key = NULL;
	int			n;
	int			n_keys = 0;
	Asked	   *all;
	Datum		answers;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	/* before anything is locked, which on a standby is an error of another kind */
	PreventCommandIfReadOnly("arima_ops.answer_requests()");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &bodies, &no_body, &n);
	if (!PG_ARGISNULL(1))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &keys, &no_key, &n_keys);
	all = palloc0(sizeof(Asked) * Max(n, 1));
	for (int i = 0; i < Min(n, n_keys); i++)
		all[i].key = no_key[i] ? NULL : DatumGetTextPP(keys[i]);
	answer_all(all, bodies, no_body, n, PG_ARGISNULL(2) || PG_GETARG_BOOL(2));
	MemoryContextSwitchTo(outside);
	answers = answer_array(all, n, element);
	SPI_finish();
	PG_RETURN_DATUM(answers);
}

/*
 * prediction_log.c
 *		Rows for arima_ops.predictions, put into the table as a subscriber of logical
 *		replication does it: constraints, indexes and triggers as ever, but no query.
 *
 * Only the triggers of the foreign keys do not fire.  They would look for the same
 * two parents once for each row, half of the time of an insertion; here they are
 * locked once for all rows, as those triggers lock them (ao_pg_lock_parents).
 *
 * The table's checks, its generated column and the predicates of its indexes are
 * planned once in a session and kept until the table or a function changes, as the
 * plan of a prepared statement is.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "prediction_log.h"

/* The columns that are set; the others are NULL, as a label is that has not come. */
typedef enum Column
{
	ID, SERIES, VERSION, MADE_AT, AS_OF, LEAD, HORIZON, HISTORY_LEN, FORECAST, STD_ERROR, LOWER, UPPER, LEVEL,
	ADJUSTMENT, RELABELLED, PLACED, REQUEST_ID, REQUEST_HASH, N_COLUMNS
} Column;

static const char *const column_names[N_COLUMNS] = {
	"id", "series", "version", "made_at", "as_of", "lead", "horizon", "history_len", "forecast", "std_error", "lower", "upper", "level",
	"adjustment", "relabelled", "placed", "request_id", "request_hash"
};

struct AoPredictionLog
{
	MemoryContext context;		/* of all that is kept, the log itself among it */
	Oid			relid;
	uint64		changes;		/* that there had been when it was made */
	int			places[N_COLUMNS];	/* of the columns in a row, from 0 */
	EState	   *estate;			/* its memory has what was planned */
	ResultRelInfo *target;
	int			n_predicates;
	ExprState **predicates;		/* of the indexes, NULL: none */
	/* of one batch */
	Relation	table;
	TupleTableSlot *slot;
};

static AoPredictionLog *kept;	/* between two batches; NULL while it is used, or where there is none */
static uint64 changes;			/* of tables and functions that a log might depend on */

/* The triggers of a table but for the checks of its foreign keys; NULL: there are none. */
static TriggerDesc *
other_triggers(Relation table)
{
	TriggerDesc *triggers = CopyTriggerDesc(table->trigdesc);
	int			n = 0;

	if (triggers == NULL)
		return NULL;
	for (int i = 0; i < triggers->numtriggers; i++)
		if (RI_FKey_trigger_type(triggers->triggers[i].tgfoid) != RI_TRIGGER_FK)
			triggers->triggers[n++] = triggers->triggers[i];
	triggers->numtriggers = n;
	return n > 0 ? triggers : NULL;
}

/* A range table of the one relation, for what constraints say. */
static void
set_range_table(EState *estate, Relation table)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(table);
	entry->relkind = table->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
	{
		List	   *permissions = NIL;

		addRTEPermissionInfo(&permissions, entry);
#if PG_VERSION_NUM >= 180000
		ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#else
		ExecInitRangeTable(estate, list_make1(entry), permissions);
#endif
	}
#else
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

static void
on_table_change(Datum argument, Oid relid)
{
	(void) argument;
	if (kept == NULL || relid == InvalidOid || relid == kept->relid)
		changes++;
}

/* A function of a check may have been replaced, and stand in a plan by what it was. */
static void
on_function_change(Datum argument, int cache, uint32 hash)
{
	(void) argument;
	(void) cache;
	(void) hash;
	changes++;
}

static void
watch_changes(void)
{
	static bool watching = false;

	if (watching)
		return;
	CacheRegisterRelcacheCallback(on_table_change, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, on_function_change, (Datum) 0);
	watching = true;
}

/* A log for the table, in memory of its own below the current one. */
static AoPredictionLog *
make_log(Relation table)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arima_ops log of predictions", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	AoPredictionLog *log = palloc0(sizeof(AoPredictionLog));

	watch_changes();
	*log = (AoPredictionLog) {.context = context, .relid = RelationGetRelid(table), .changes = changes};
	for (int i = 0; i < N_COLUMNS; i++)
	{
		AttrNumber	number = get_attnum(log->relid, column_names[i]);

		if (number == InvalidAttrNumber)
			elog(ERROR, "arima_ops.predictions has no column \"%s\"", column_names[i]);
		log->places[i] = number - 1;
	}
	log->estate = CreateExecutorState();
	set_range_table(log->estate, table);
	log->target = makeNode(ResultRelInfo);
	InitResultRelInfo(log->target, table, 1, NULL, 0);
	log->target->ri_TrigDesc = other_triggers(table);
#if PG_VERSION_NUM < 140000
	log->estate->es_result_relations = log->target;
	log->estate->es_num_result_relations = 1;
	log->estate->es_result_relation_info = log->target;
#else
	/* where triggers look for it */
	log->estate->es_opened_result_relations = list_make1(log->target);
#endif
	MemoryContextSwitchTo(before);
	return log;
}

/* The kept log if it is still right, or a new one.  Until it is kept (again) it goes with the current memory, as after an error. */
static AoPredictionLog *
take_log(Relation table)
{
	AoPredictionLog *log = kept;

	kept = NULL;
	if (log == NULL)
		return make_log(table);
	if (log->relid != RelationGetRelid(table) || log->changes != changes)
	{
		MemoryContextDelete(log->context);
		return make_log(table);
	}
	MemoryContextSetParent(log->context, CurrentMemoryContext);
	return log;
}

/* Keeps a log for the next batch, unless it has changed since, or a batch inside of this one left its own. */
static void
keep_log(AoPredictionLog *log)
{
	/* triggers have rows of their own in the log, which end with the batch */
	if (kept != NULL || log->changes != changes || log->target->ri_TrigDesc != NULL)
	{
		MemoryContextDelete(log->context);
		return;
	}
	MemoryContextSetParent(log->context, CacheMemoryContext);
	kept = log;
}

/* Opens the indexes, whose predicates may have been planned for an earlier batch. */
static void
open_indexes(AoPredictionLog *log)
{
	ExecOpenIndices(log->target, false);
	if (log->n_predicates == log->target->ri_NumIndices)
		for (int i = 0; i < log->n_predicates; i++)
			log->target->ri_IndexRelationInfo[i]->ii_PredicateState = log->predicates[i];
}

static void
close_indexes(AoPredictionLog *log)
{
	int			n = log->target->ri_NumIndices;

	if (log->n_predicates != n)
		log->predicates = MemoryContextAlloc(log->context, sizeof(ExprState *) * n);
	log->n_predicates = n;
	for (int i = 0; i < n; i++)
		log->predicates[i] = log->target->ri_IndexRelationInfo[i]->ii_PredicateState;
	ExecCloseIndices(log->target);
}

/* See prediction_log.h. */
AoPredictionLog *
ao_pg_open_log(void)
{
	Relation	table;
	AoPredictionLog *log;

	PreventCommandIfReadOnly("INSERT");
	PreventCommandIfParallelMode("INSERT");
	table = table_open(get_relname_relid("predictions", get_namespace_oid("arima_ops", false)), RowExclusiveLock);
	log = take_log(table);
	log->table = log->target->ri_RelationDesc = table;
	log->estate->es_output_cid = GetCurrentCommandId(true);
	log->slot = table_slot_create(log->table, &log->estate->es_tupleTable);
	open_indexes(log);
	AfterTriggerBeginQuery();
	return log;
}

static void
set(AoPredictionLog *log, Column column, Datum value)
{
	log->slot->tts_values[log->places[column]] = value;
	log->slot->tts_isnull[log->places[column]] = false;
}

static void
set_number(AoPredictionLog *log, Column column, double number)
{
	if (!isnan(number))
		set(log, column, Float8GetDatum(number));
}

/* See prediction_log.h. */
void
ao_pg_log_row(AoPredictionLog *log, const AoPrediction *row)
{
	ExecClearTuple(log->slot);
	memset(log->slot->tts_isnull, true, sizeof(bool) * RelationGetDescr(log->table)->natts);
	set(log, ID, Int64GetDatum(row->id));
	set(log, SERIES, CStringGetTextDatum(row->series->name));
	set(log, VERSION, Int32GetDatum(row->series->version));
	set(log, MADE_AT, TimestampTzGetDatum(GetCurrentStatementStartTimestamp()));
	set(log, AS_OF, TimestampTzGetDatum(row->series->as_of));
	set(log, LEAD, Int32GetDatum(row->lead));
	set(log, HORIZON, Int32GetDatum(row->horizon));
	set(log, HISTORY_LEN, Int32GetDatum(row->history_len));
	set(log, FORECAST, Float8GetDatum(row->step->mean));
	set_number(log, STD_ERROR, row->step->std_error);
	set_number(log, LOWER, row->step->lower);
	set_number(log, UPPER, row->step->upper);
	set(log, LEVEL, Float8GetDatum(row->level));
	set(log, ADJUSTMENT, Float8GetDatum(row->adjustment));
	set(log, RELABELLED, Int32GetDatum(0));
	if (row->found != AO_UNSURE)
		set(log, PLACED, BoolGetDatum(row->found == AO_FOUND));
	if (row->key != NULL)
	{
		set(log, REQUEST_ID, PointerGetDatum(row->key));
		set(log, REQUEST_HASH, Int64GetDatum(row->hash));
	}
	ExecStoreVirtualTuple(log->slot);
#if PG_VERSION_NUM < 140000
	ExecSimpleRelationInsert(log->estate, log->slot);
#else
	ExecSimpleRelationInsert(log->target, log->estate, log->slot);
#endif
	ResetPerTupleExprContext(log->estate);
}

/* See prediction_log.h. */
void
ao_pg_close_log(AoPredictionLog *log)
{
	Relation	table = log->table;

	AfterTriggerEndQuery(log->estate);
	close_indexes(log);
	ExecResetTupleTable(log->estate->es_tupleTable, false);
	log->estate->es_tupleTable = NIL;
	table_close(table, NoLock);
	keep_log(log);
	CommandCounterIncrement();
}

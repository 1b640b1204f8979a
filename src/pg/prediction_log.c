/*
 * prediction_log.c
 *		Rows for arima_ops.predictions, put into the table as a subscriber of logical
 *		replication does it: constraints, indexes and triggers as ever, but no query.
 *
 * Only the triggers of the foreign keys do not fire.  They would look for the same
 * two parents once for each row, half of the time of an insertion; here they are
 * locked once for all rows, as those triggers lock them (ao_pg_lock_parents).
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
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "prediction_log.h"

/* The columns that are set; the others are NULL, as a label is that has not come. */
typedef enum Column
{
	ID, SERIES, VERSION, MADE_AT, AS_OF, LEAD, HORIZON, HISTORY_LEN, FORECAST, STD_ERROR, LOWER, UPPER, LEVEL,
	ADJUSTMENT, RELABELLED, REQUEST_ID, N_COLUMNS
} Column;

static const char *const column_names[N_COLUMNS] = {
	"id", "series", "version", "made_at", "as_of", "lead", "horizon", "history_len", "forecast", "std_error", "lower", "upper", "level",
	"adjustment", "relabelled", "request_id"
};

struct AoPredictionLog
{
	int			places[N_COLUMNS];	/* of the columns in a row, from 0 */
	Relation	table;
	EState	   *estate;
	ResultRelInfo *target;
	TupleTableSlot *slot;
};

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

/* See prediction_log.h. */
AoPredictionLog *
ao_pg_open_log(void)
{
	AoPredictionLog *log = palloc0(sizeof(AoPredictionLog));

	PreventCommandIfReadOnly("INSERT");
	PreventCommandIfParallelMode("INSERT");
	log->table = table_open(get_relname_relid("predictions", get_namespace_oid("arima_ops", false)), RowExclusiveLock);
	for (int i = 0; i < N_COLUMNS; i++)
	{
		AttrNumber	number = get_attnum(RelationGetRelid(log->table), column_names[i]);

		if (number == InvalidAttrNumber)
			elog(ERROR, "arima_ops.predictions has no column \"%s\"", column_names[i]);
		log->places[i] = number - 1;
	}
	log->estate = CreateExecutorState();
	set_range_table(log->estate, log->table);
	log->target = makeNode(ResultRelInfo);
	InitResultRelInfo(log->target, log->table, 1, NULL, 0);
	log->target->ri_TrigDesc = other_triggers(log->table);
#if PG_VERSION_NUM < 140000
	log->estate->es_result_relations = log->target;
	log->estate->es_num_result_relations = 1;
	log->estate->es_result_relation_info = log->target;
#else
	/* where triggers look for it */
	log->estate->es_opened_result_relations = list_make1(log->target);
#endif
	log->estate->es_output_cid = GetCurrentCommandId(true);
	log->slot = table_slot_create(log->table, &log->estate->es_tupleTable);
	ExecOpenIndices(log->target, false);
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
	set(log, ADJUSTMENT, Float8GetDatum(1));
	set(log, RELABELLED, Int32GetDatum(0));
	if (row->key != NULL)
		set(log, REQUEST_ID, PointerGetDatum(row->key));
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
	AfterTriggerEndQuery(log->estate);
	ExecCloseIndices(log->target);
	ExecResetTupleTable(log->estate->es_tupleTable, false);
	FreeExecutorState(log->estate);
	table_close(log->table, NoLock);
	CommandCounterIncrement();
}

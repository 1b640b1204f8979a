/*
 * served.c
 *		A series, its champion and its last values, as each batch of requests needs
 *		them: by scans of the indexes.  A query for these few rows would spend most of
 *		its time on its own start.
 *
 * Who may see the rows is up to the callers: they run with the owner's rights.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "served.h"

PG_FUNCTION_INFO_V1(arima_ops_default_series);
PGDLLEXPORT Datum arima_ops_default_series(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(arima_ops_lock_basis);
PGDLLEXPORT Datum arima_ops_lock_basis(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(arima_ops_check_newest_model);
PGDLLEXPORT Datum arima_ops_check_newest_model(PG_FUNCTION_ARGS);

#define LAST_VALUES 6			/* of those recorded, for the lead of a request */

/* A scan of a table of the schema arima_ops by one key. */
typedef struct Scan
{
	Relation	table;
	Relation	index;
	SysScanDesc scan;
} Scan;

static Oid
in_schema(const char *name)
{
	Oid			found = get_relname_relid(name, get_namespace_oid("arima_ops", false));

	if (!OidIsValid(found))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("relation arima_ops.%s is not there", name),
						errhint("It is part of the extension arima_ops.")));
	return found;
}

/*
 * May the index be read?  One that was built anew while a row had versions that an old
 * snapshot sees does not have these (README.HOT of PostgreSQL): the planner passes such
 * an index over, here the caller has to come with a new snapshot.
 */
static void
check_index(Relation index)
{
	if (!index->rd_index->indisvalid)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("index %s is not valid", RelationGetRelationName(index)),
						errhint("REINDEX it.")));
	if (index->rd_index->indcheckxmin && !TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("index %s is newer than what this transaction sees", RelationGetRelationName(index)),
						errhint("Ask again, in another transaction.")));
}

/* Rows whose first column of the index equals a value, in the order of the index; a type's own equality is asked for. */
static Scan
open_scan(const char *table, const char *index, Oid equal, Datum value)
{
	Scan		scan = {.table = table_open(in_schema(table), AccessShareLock)};
	ScanKeyData key;

	scan.index = index_open(in_schema(index), AccessShareLock);
	check_index(scan.index);
	ScanKeyEntryInitialize(&key, 0, scan.index->rd_index->indkey.values[0], BTEqualStrategyNumber, InvalidOid, scan.index->rd_indcollation[0], equal, value);
	scan.scan = systable_beginscan_ordered(scan.table, scan.index, GetActiveSnapshot(), 1, &key);
	return scan;
}

static void
close_scan(Scan *scan)
{
	systable_endscan_ordered(scan->scan);
	index_close(scan->index, AccessShareLock);
	table_close(scan->table, AccessShareLock);
}

/* A column by its name, which is never NULL. */
static Datum
column(const Scan *scan, HeapTuple row, const char *name)
{
	bool		null;
	Datum		value = heap_getattr(row, get_attnum(RelationGetRelid(scan->table), name), RelationGetDescr(scan->table), &null);

	if (null)
		elog(ERROR, "column \"%s\" is NULL", name);
	return value;
}

static bool
has_champion(Datum name)
{
	Scan		scan = open_scan("models", "models_champion", F_TEXTEQ, name);
	bool		found = systable_getnext_ordered(scan.scan, ForwardScanDirection) != NULL;

	close_scan(&scan);
	return found;
}

/* The only active series, else the only active one that has a model, or NULL. */
static const char *
only_active(void)
{
	Relation	table = table_open(in_schema("series"), AccessShareLock);
	Scan		scan = {.table = table};
	TableScanDesc rows = table_beginscan(table, GetActiveSnapshot(), 0, NULL);
	const char *name = NULL;
	const char *served = NULL;
	int			n = 0;
	int			n_served = 0;
	HeapTuple	row;

	while (n_served < 2 && (row = heap_getnext(rows, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!DatumGetBool(column(&scan, row, "active")))
			continue;
		if (++n == 1)
			name = TextDatumGetCString(column(&scan, row, "name"));
		if (has_champion(column(&scan, row, "name")) && ++n_served == 1)
			served = TextDatumGetCString(column(&scan, row, "name"));
	}
	table_endscan(rows);
	table_close(table, AccessShareLock);
	return n == 1 ? name : n_served == 1 ? served : NULL;
}

/* See served.h. */
const char *
ao_pg_default_series(void)
{
	Scan		scan = open_scan("series", "series_default", F_BOOLEQ, BoolGetDatum(true));
	HeapTuple	row = systable_getnext_ordered(scan.scan, ForwardScanDirection);
	const char *name = row != NULL ? TextDatumGetCString(column(&scan, row, "name")) : NULL;

	close_scan(&scan);
	return name != NULL ? name : only_active();
}

static void
read_champion(AoServed *served, Datum name)
{
	Scan		scan = open_scan("models", "models_champion", F_TEXTEQ, name);
	HeapTuple	row = systable_getnext_ordered(scan.scan, ForwardScanDirection);

	if (row != NULL)
	{
		served->model_row = row->t_self;
		served->version = DatumGetInt32(column(&scan, row, "version"));
		served->spec = TextDatumGetCString(column(&scan, row, "spec"));
		served->model = ao_pg_model(PointerGetDatum(PG_DETOAST_DATUM_COPY(column(&scan, row, "model"))));
		served->trained_to = DatumGetTimestampTz(column(&scan, row, "trained_to"));
		served->adjustment = DatumGetFloat8(column(&scan, row, "adjustment"));
	}
	close_scan(&scan);
}

/*
 * The last values that are recorded; without any the forecast is as of now.  For a model that
 * depends on time they are counted back to the end of its training, as arima_ops.session_number does.
 */
static void
read_last_values(AoServed *served, Datum name)
{
	Scan		scan = open_scan("actuals", "actuals_pkey", F_TEXTEQ, name);
	double	   *values = palloc(sizeof(double) * LAST_VALUES);
	int			first = LAST_VALUES;
	bool		counts = served->model != NULL && ao_depends_on_time(served->model);
	HeapTuple	row;

	served->as_of = GetCurrentTransactionStartTimestamp();
	served->last = AO_NO_TIME;
	while ((first > 0 || counts) && (row = systable_getnext_ordered(scan.scan, BackwardScanDirection)) != NULL)
	{
		TimestampTz ts = DatumGetTimestampTz(column(&scan, row, "ts"));

		CHECK_FOR_INTERRUPTS();
		if (first == LAST_VALUES)
		{
			served->as_of = ts;
			served->last = counts ? served->model->n : AO_NO_TIME;
		}
		counts = counts && ts > served->trained_to;
		served->last += counts;
		if (first > 0)
			values[--first] = DatumGetFloat8(column(&scan, row, "value"));
	}
	served->recorded = (AoSeries) {.values = values + first, .n = LAST_VALUES - first};
	close_scan(&scan);
}

/*
 * Locks a row; a later version of it is as good, and is locked with it: else a row that has
 * been changed since it was read could be removed by way of the later one.
 * False: somebody else has it, and that is not to be waited for.
 */
static bool
lock_row(const char *name, ItemPointer where, LockTupleMode mode, bool wait)
{
	Relation	table = table_open(in_schema(name), RowShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TM_FailureData failure;
	TM_Result	result = table_tuple_lock(table, where, GetActiveSnapshot(), slot, GetCurrentCommandId(true), mode,
										  wait ? LockWaitBlock : LockWaitSkip,
										  TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS | TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);

	if (result == TM_Updated)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not serialize access due to concurrent update"),
						errhint("Ask again, in a new transaction.")));
	if (result != TM_Ok && result != TM_WouldBlock)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("a series or model was deleted while it was asked for"),
						errhint("Ask again.")));
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	return result == TM_Ok;
}

/*
 * An error if a model has another row by now than the one that an older snapshot sees: its
 * prices have been restated, or it is the champion no more.  Its row is not locked for that:
 * a promotion would wait for the end of this transaction, with the series locked, which this
 * one may want next.
 */
static void
check_newest(ItemPointer model)
{
	Relation	table;
	TupleTableSlot *slot;
	Snapshot	newest;

	if (!IsolationUsesXactSnapshot())
		return;
	table = table_open(in_schema("models"), AccessShareLock);
	slot = table_slot_create(table, NULL);
	newest = RegisterSnapshot(GetLatestSnapshot());
	/* who calls the SQL function may name a place that is not there: reading the last one of all would add a page */
	if (ItemPointerGetBlockNumberNoCheck(model) >= RelationGetNumberOfBlocks(table) ||
		!table_tuple_fetch_row_version(table, model, newest, slot))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not serialize access due to concurrent update"),
						errhint("Ask again, in a new transaction.")));
	UnregisterSnapshot(newest);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
}

static AoServed *
read_series(const char *name)
{
	Datum		key = CStringGetTextDatum(name);
	AoServed   *served = NULL;
	Scan		scan = open_scan("series", "series_pkey", F_TEXTEQ, key);
	HeapTuple	row = systable_getnext_ordered(scan.scan, ForwardScanDirection);

	if (row != NULL)
	{
		served = palloc0(sizeof(AoServed));
		served->series_row = row->t_self;
		served->name = pstrdup(name);
		served->least = DatumGetInt32(column(&scan, row, "min_recent"));
		served->most = DatumGetInt32(column(&scan, row, "max_recent"));
	}
	close_scan(&scan);
	if (served != NULL)
	{
		read_champion(served, key);
		if (served->version > 0)
			check_newest(&served->model_row);
		read_last_values(served, key);
	}
	return served;
}

/* See served.h. */
bool
ao_pg_serve(const char *name, bool wait, AoServed **result)
{
	*result = NULL;
	if (!ao_pg_lock_basis(name, ShareLock, !wait))
		return false;
	/* what was restated until then is seen */
	PushActiveSnapshot(GetTransactionSnapshot());
	*result = read_series(name);
	PopActiveSnapshot();
	return true;
}

/* See served.h. */
bool
ao_pg_lock_parents(AoServed *served, bool wait)
{
	served->locked = served->locked || (lock_row("series", &served->series_row, LockTupleKeyShare, wait)
										&& lock_row("models", &served->model_row, LockTupleKeyShare, wait));
	return served->locked;
}

/* arima_ops.default_series() */
Datum
arima_ops_default_series(PG_FUNCTION_ARGS)
{
	const char *name = ao_pg_default_series();

	(void) fcinfo;
	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

/* arima_ops.lock_basis(series text, alone bool) */
Datum
arima_ops_lock_basis(PG_FUNCTION_ARGS)
{
	(void) ao_pg_lock_basis(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_BOOL(1) ? ExclusiveLock : ShareLock, false);
	PG_RETURN_VOID();
}

/* arima_ops.check_newest_model(place tid) */
Datum
arima_ops_check_newest_model(PG_FUNCTION_ARGS)
{
	check_newest((ItemPointer) PG_GETARG_POINTER(0));
	PG_RETURN_VOID();
}

/*
 * jobs.c
 *		What the procedures that commit as they go need of the server; locks of names, and
 *		whether who has them sees what was done until then.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "glue.h"

#define NO_USERS_LOCK 3			/* a kind of advisory lock that pg_advisory_lock, which anyone may call, cannot take */
#define MOST_BASIS_LOCKS 1024	/* one statement may predict all series, and the server has room for some thousand locks */

/* See glue.h. */
bool
ao_pg_lock_name(AoLockKind kind, const char *name, LOCKMODE mode, bool at_once)
{
	LOCKTAG		tag;
	uint32		hash = DatumGetUInt32(hash_any((const unsigned char *) name, (int) strlen(name)));

	if (kind == AO_LOCK_BASIS)
		hash %= MOST_BASIS_LOCKS;
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, kind, hash, NO_USERS_LOCK);
	return LockAcquire(&tag, mode, false, at_once) != LOCKACQUIRE_NOT_AVAIL;
}

PG_FUNCTION_INFO_V1(arima_ops_lock_job);
PGDLLEXPORT Datum arima_ops_lock_job(PG_FUNCTION_ARGS);

/* arima_ops.lock_job(job text) */
Datum
arima_ops_lock_job(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(ao_pg_lock_name(AO_LOCK_JOB, text_to_cstring(PG_GETARG_TEXT_PP(0)), ExclusiveLock, true));
}

/* Which rows a snapshot sees of what is changed by who has locked the series: a changed one has
 * another place.  Predictions without a label are others' to make at any time. */
static char *
rows_seen(SPIPlanPtr plan, Datum series, Snapshot snapshot)
{
	if (SPI_execute_snapshot(plan, &series, NULL, snapshot, InvalidSnapshot, true, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "the rows of series cannot be read");
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

PG_FUNCTION_INFO_V1(arima_ops_sees_newest);
PGDLLEXPORT Datum arima_ops_sees_newest(PG_FUNCTION_ARGS);

/* arima_ops.sees_newest(series text[]) */
Datum
arima_ops_sees_newest(PG_FUNCTION_ARGS)
{
	Oid			type = TEXTARRAYOID;
	SPIPlanPtr	plan;
	bool		same;

	if (!IsolationUsesXactSnapshot())
		PG_RETURN_BOOL(true);
	SPI_connect();
	plan = SPI_prepare("SELECT concat(count(*), ' ', sum(hashtext(r.tableoid || ' ' || r.ctid)::bigint)) FROM ("
					   "SELECT tableoid, ctid FROM arima_ops.actuals WHERE series = ANY ($1)"
					   " UNION ALL SELECT tableoid, ctid FROM arima_ops.predictions WHERE series = ANY ($1) AND target_ts IS NOT NULL"
					   " UNION ALL SELECT tableoid, ctid FROM arima_ops.models WHERE series = ANY ($1)"
					   " UNION ALL SELECT tableoid, ctid FROM arima_ops.drift_checks WHERE series = ANY ($1)) AS r", 1, &type);
	if (plan == NULL)
		elog(ERROR, "a statement cannot be prepared: %s", SPI_result_code_string(SPI_result));
	same = strcmp(rows_seen(plan, PG_GETARG_DATUM(0), GetTransactionSnapshot()),
				  rows_seen(plan, PG_GETARG_DATUM(0), GetLatestSnapshot())) == 0;
	SPI_finish();
	PG_RETURN_BOOL(same);
}

PG_FUNCTION_INFO_V1(arima_ops_check_transaction);
PGDLLEXPORT Datum arima_ops_check_transaction(PG_FUNCTION_ARGS);

/*
 * Reports an error within a transaction block, of which some clients begin one by
 * themselves: the first COMMIT of the procedure would fail there, and not say why.
 */
Datum
arima_ops_check_transaction(PG_FUNCTION_ARGS)
{
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("this procedure cannot run inside a transaction block"),
				 errdetail("It commits as it goes."),
				 errhint("CALL it by itself: after the end of the transaction, with the client's autocommit on.")));
	PG_RETURN_VOID();
}

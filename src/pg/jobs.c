/*
 * jobs.c
 *		Locks of jobs and of price bases, and whether who has locked a series sees what was
 *		done until then; what else the procedures that commit as they go need of the server.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "glue.h"

#define NO_USERS_LOCK 3			/* a kind of advisory lock that pg_advisory_lock, which anyone may call, cannot take */
#define MOST_BASIS_LOCKS 1024	/* one statement may predict all series, and the server has room for some thousand locks */

/* What a lock of a name is for: the first number of an advisory lock. */
typedef enum LockKind
{
	LOCK_BASIS = 0x61726f62, /* the price basis of a series, and by chance of a few others */
	LOCK_JOB = 0x61726f6a
} LockKind;

static List *kept_jobs;			/* LOCKTAGs that this session has, in memory that lasts */

static void
tag_of_name(LOCKTAG *tag, LockKind kind, const char *name)
{
	uint32		hash = DatumGetUInt32(hash_any((const unsigned char *) name, (int) strlen(name)));

	if (kind == LOCK_BASIS)
		hash %= MOST_BASIS_LOCKS;
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, kind, hash, NO_USERS_LOCK);
}

/*
 * See glue.h.  A prediction has it from before it reads values and champion until it is
 * in the log, a restatement has it for itself: so it sees each prediction that was made of
 * the old prices.  Not a lock of the series' row, where who comes shared would go before who waits.
 */
bool
ao_pg_lock_basis(const char *series, LOCKMODE mode, bool at_once)
{
	LOCKTAG		tag;

	tag_of_name(&tag, LOCK_BASIS, series);
	return LockAcquire(&tag, mode, false, at_once) != LOCKACQUIRE_NOT_AVAIL;
}

/* ---- jobs: a lock of the session, as a job commits as it goes ---- */

static LOCKTAG *
find_kept(const LOCKTAG *tag)
{
	ListCell   *cell;

	foreach(cell, kept_jobs)
		if (memcmp(lfirst(cell), tag, sizeof(LOCKTAG)) == 0)
			return lfirst(cell);
	return NULL;
}

static void
release_job(LOCKTAG *kept)
{
	kept_jobs = list_delete_ptr(kept_jobs, kept);
	LockRelease(kept, ExclusiveLock, true);
	pfree(kept);
}

static void
release_all_jobs(void)
{
	while (kept_jobs != NIL)
		release_job(linitial(kept_jobs));
}

/* An error, or a cancelled CALL, ends the job, and its lock must not outlive it. */
static void
release_at_abort(XactEvent event, void *argument)
{
	(void) argument;
	if (event == XACT_EVENT_ABORT)
		release_all_jobs();
}

static void
keep_job(const LOCKTAG *tag)
{
	static bool watching = false;
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
	LOCKTAG    *kept = palloc(sizeof(LOCKTAG));

	if (!watching)
		RegisterXactCallback(release_at_abort, NULL);
	watching = true;
	*kept = *tag;
	kept_jobs = lappend(kept_jobs, kept);
	MemoryContextSwitchTo(before);
}

PG_FUNCTION_INFO_V1(arima_ops_lock_job);
PGDLLEXPORT Datum arima_ops_lock_job(PG_FUNCTION_ARGS);

/* arima_ops.lock_job(job text) */
Datum
arima_ops_lock_job(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;
	LockAcquireResult result;

	tag_of_name(&tag, LOCK_JOB, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	/* one that is in the list may be gone: DISCARD ALL gives back all that the session has */
	result = LockAcquire(&tag, ExclusiveLock, true, true);
	if (result == LOCKACQUIRE_NOT_AVAIL)
		PG_RETURN_BOOL(false);
	if (find_kept(&tag) == NULL)
		keep_job(&tag);
	else if (result != LOCKACQUIRE_OK)
		LockRelease(&tag, ExclusiveLock, true);
	PG_RETURN_BOOL(true);
}

PG_FUNCTION_INFO_V1(arima_ops_unlock_job);
PGDLLEXPORT Datum arima_ops_unlock_job(PG_FUNCTION_ARGS);

/* arima_ops.unlock_job(job text) */
Datum
arima_ops_unlock_job(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;
	LOCKTAG    *kept;

	if (PG_ARGISNULL(0))
	{
		release_all_jobs();
		PG_RETURN_VOID();
	}
	tag_of_name(&tag, LOCK_JOB, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	kept = find_kept(&tag);
	if (kept != NULL)
		release_job(kept);
	PG_RETURN_VOID();
}

/* ---- whether a lock has waited for what the snapshot does not see ---- */

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
 * And in a read-only transaction, as on a standby: prices would be fetched, and others
 * asked, before the first of it is to be recorded.
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
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("this procedure cannot run in a read-only transaction"),
				 errdetail("It records what it does."),
				 RecoveryInProgress() ? errhint("CALL it on the primary: this server is a standby.")
				 : errhint("SET default_transaction_read_only = off.")));
	PG_RETURN_VOID();
}

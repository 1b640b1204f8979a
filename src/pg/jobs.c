/*
 * jobs.c
 *		What the procedures that commit as they go need of the server.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"

#include "glue.h"

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

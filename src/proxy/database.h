/*
 * database.h
 *		A worker's connection to the database, which comes back by itself.
 */
#ifndef ARIMA_RESTD_DATABASE_H
#define ARIMA_RESTD_DATABASE_H

#include <libpq-fe.h>

#include "restd.h"

typedef struct Database Database;

/* Parameters as PQsendQueryPrepared wants them; values may be NULL elements. */
typedef struct Arguments
{
	int			n;
	const char *const *values;
	const int  *lengths;		/* NULL: all are text */
	const int  *formats;
} Arguments;

/* Once, before there are threads. */
extern void database_start(void);
/* How many workers wait for a connection to be made, which they cannot be called away from. */
extern size_t database_connecting(void);
extern Database *database_new(void);
extern void database_free(Database *database);
/* Connects if need be and takes on a role, NULL for the login's own; false: not now. */
extern bool database_ready(Database *database, const char *role);
/* Is there a connection?  Where there is and database_ready said no, it was for the role. */
extern bool database_connected(const Database *database);
/* Runs the SQL, which is prepared once; name is unique to it.  NULL: the connection is lost. */
extern PGresult *database_run(Database *database, const char *name, const char *sql, const Arguments *arguments);

/* Does an error come from the state that the server is in, rather than from the request? */
extern bool sqlstate_is_passing(const char *sqlstate);
/* The reply where a statement failed, or gave no result (NULL), for no reason that the request can be told. */
extern void database_refuse(Request *request, const PGresult *result);
/* Logs an error of the database: its state and message, but nothing of what was asked. */
extern void database_log(const char *what, const PGresult *result);

#endif

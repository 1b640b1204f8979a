/*
 * served.h
 *		A series as requests see it, read from the tables.
 */
#ifndef AO_SERVED_H
#define AO_SERVED_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/itemptr.h"

#include "glue.h"

/* A series that requests ask for, with the champion that answers. */
typedef struct AoServed
{
	const char *name;
	int			least;			/* recent values */
	int			most;
	int			version;		/* 0: it has no model */
	const char *spec;
	AoModel    *model;
	TimestampTz trained_to;
	double		adjustment;
	TimestampTz as_of;			/* the last session that is recorded */
	AoSeries	recorded;		/* the last values, oldest first */
	int64		last;			/* time of the last one for a model that depends on it, else AO_NO_TIME */
	ItemPointerData series_row;
	ItemPointerData model_row;
	bool		locked;			/* both rows are */
} AoServed;

/* The series that a request means which names none; NULL: that is not clear. */
extern const char *ao_pg_default_series(void);
/* Gives the series, NULL where there is none, in the current memory context; false: its prices are being restated, and that is not to be waited for. */
extern bool ao_pg_serve(const char *name, bool wait, AoServed **result);
/* Locks series and model as FOR KEY SHARE does: they will be there when the transaction ends; false as above, where they are being removed. */
extern bool ao_pg_lock_parents(AoServed *served, bool wait);

#endif							/* AO_SERVED_H */

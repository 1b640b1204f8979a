/*
 * fit_pool.h
 *		Parallel workers that fit series, one after the other, for a function that
 *		has many.
 */
#ifndef AO_FIT_POOL_H
#define AO_FIT_POOL_H

#include "glue.h"

typedef struct AoPool AoPool;

/* A series that has been fitted, or not; good until the next is handed over, or as
 * long as the memory context in which it was got. */
typedef struct AoPoolAnswer
{
	void	   *ticket;			/* given with the series */
	AoModel    *model;			/* or NULL */
	const char *error;			/* why there is none */
} AoPoolAnswer;

/*
 * Starts up to that many workers and enters parallel mode, in which nothing can
 * be written; without any the fits are done here.  An error ends all this, too.
 */
extern AoPool *ao_pg_pool_begin(text *spec, int workers);

/* Can another series be handed over? */
extern bool ao_pg_pool_has_room(AoPool *pool);
/* Hands a series over, and what to recognise it by. */
extern void ao_pg_pool_put(AoPool *pool, const AoSeries *y, void *ticket);
/* The next answer that has come; false if none has. */
extern bool ao_pg_pool_get(AoPool *pool, AoPoolAnswer *answer);
extern bool ao_pg_pool_empty(const AoPool *pool);	/* nothing under way */
/* Until something may have changed, or for so long. */
extern void ao_pg_pool_wait(long milliseconds);
extern void ao_pg_pool_end(AoPool *pool);

#endif							/* AO_FIT_POOL_H */

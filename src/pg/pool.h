/*
 * pool.h
 *		Parallel workers for a function that has the same work to do on many
 *		items, one after the other.  Items and answers are blocks of bytes.
 */
#ifndef AO_POOL_H
#define AO_POOL_H

#include "glue.h"

/* What workers can do. */
typedef enum AoPoolWork
{
	AO_POOL_FIT,				/* fit_all.c: shared is the specification */
	AO_POOL_TRAIN				/* training.c: shared is the Oid of the result type */
} AoPoolWork;

/* Does the work on an item, which is aligned as by palloc; palloc'd answer. */
typedef char *(*AoPoolFunction) (const char *shared, const char *item, Size size, Size *answer_size);

extern char *ao_pg_pool_fit(const char *shared, const char *item, Size size, Size *answer_size);
extern char *ao_pg_pool_train(const char *shared, const char *item, Size size, Size *answer_size);

typedef struct AoPool AoPool;

/* What came of an item; good until the next is handed over, or as long as the
 * memory context in which it was got. */
typedef struct AoPoolAnswer
{
	void	   *ticket;			/* given with the item */
	char	   *data;
	Size		size;
} AoPoolAnswer;

/*
 * Starts up to that many workers and enters parallel mode, in which nothing can
 * be written; without any, as always in a parallel worker, the work is done here.
 * An error ends all this, too.
 * shared, of so many bytes, is what every item needs.
 */
extern AoPool *ao_pg_pool_begin(AoPoolWork work, const void *shared, Size shared_size, int workers);

/* Can another item be handed over? */
extern bool ao_pg_pool_has_room(AoPool *pool);
/* Memory for an item, which handing it over gives away. */
extern char *ao_pg_pool_alloc(AoPool *pool, Size size);
/* Hands an item over, and what to recognise it by. */
extern void ao_pg_pool_put(AoPool *pool, char *item, Size size, void *ticket);
/* The next answer that has come; false if none has. */
extern bool ao_pg_pool_get(AoPool *pool, AoPoolAnswer *answer);
extern bool ao_pg_pool_empty(const AoPool *pool);	/* nothing under way */
/* Until something may have changed, or for so long. */
extern void ao_pg_pool_wait(const AoPool *pool, long milliseconds);
extern void ao_pg_pool_end(AoPool *pool);

/* An argument that says how many workers; NULL: as many as for a query. */
extern int	ao_pg_workers_argument(FunctionCallInfo fcinfo, int arg);

#endif							/* AO_POOL_H */

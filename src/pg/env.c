/*
 * env.c
 *		The core's services on PostgreSQL: memory from the current memory
 *		context, cancellation by CHECK_FOR_INTERRUPTS.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "glue.h"

/* Uninitialised memory from the context in arg, or NULL if there is none. */
static void *
env_alloc(void *arg, size_t bytes)
{
	if (bytes > MaxAllocHugeSize)
		return NULL;
	return MemoryContextAllocExtended((MemoryContext) arg, bytes,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
}

/* Gives a block of env_alloc back. */
static void
env_free(void *arg, void *ptr)
{
	(void) arg;
	if (ptr != NULL)
		pfree(ptr);
}

/* Leaves by ereport when a cancel, time-out or termination is pending; the
 * core's memory goes with its context. */
static int
env_poll(void *arg)
{
	(void) arg;
	CHECK_FOR_INTERRUPTS();
	return 0;
}

/* Sets up the services for one call; blocks live in CurrentMemoryContext. */
void
ao_pg_env(AoEnv *env)
{
	env->alloc = env_alloc;
	env->free = env_free;
	env->poll = env_poll;
	env->arg = CurrentMemoryContext;
	env->max_bytes = (size_t) arima_ops_max_fit_memory * 1024;
	memset(&env->err, 0, sizeof(env->err));
}

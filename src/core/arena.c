/*
 * arena.c
 *		Workspace: one block per call, its size known and checked before it
 *		is taken, handed out in pieces aligned for SIMD vectors.
 *
 * Sizes added up wrongly are a bug, which tests and fuzzers find: they allow no
 * second block.  Where one got past them, a piece that does not fit is a block
 * of its own and not a write to somewhere.
 */
#include "internal.h"

#define ALIGN 64

/* Bytes that ao_arena_take(count, size) uses up. */
size_t
ao_arena_round(size_t count, size_t size)
{
	return (count * size + ALIGN - 1) & ~(size_t) (ALIGN - 1);
}

/* Record an error and hand its status back. */
AoStatus
ao_fail(AoEnv *env, AoStatus status, const char *what, int64_t need, int64_t have)
{
	env->err.what = what;
	env->err.need = need;
	env->err.have = have;
	env->err.pos = 0;
	return status;
}

/* Give the caller its chance to cancel. */
AoStatus
ao_poll(AoEnv *env)
{
	if (env->poll && env->poll(env->arg))
		return AO_CANCELLED;
	return AO_OK;
}

/* The first aligned address from here on. */
static char *
aligned(void *ptr)
{
	return (char *) (((uintptr_t) ptr + ALIGN - 1) & ~(uintptr_t) (ALIGN - 1));
}

/* Take `bytes` (a sum of ao_arena_round) from the caller, within its limit. */
AoStatus
ao_arena_open(AoArena *arena, size_t bytes, AoEnv *env)
{
	bytes += ALIGN;
	if (bytes > env->max_bytes)
		return ao_fail(env, AO_OVER_MEMORY_LIMIT, NULL,
					   (int64_t) bytes, (int64_t) env->max_bytes);
	arena->block = env->alloc(env->arg, bytes);
	if (arena->block == NULL)
		return ao_fail(env, AO_NO_MEMORY, NULL, (int64_t) bytes, 0);
	arena->base = aligned(arena->block);
	arena->used = 0;
	arena->size = bytes - ALIGN;
	arena->spilled = NULL;
	arena->env = env;
	return AO_OK;
}

/* A piece in a block of its own; without memory NULL, which every platform we
 * run on traps. */
static void *
spill(AoArena *arena, size_t bytes)
{
	void	  **block = arena->env->alloc(arena->env->arg, bytes + 2 * ALIGN);

	if (block == NULL)
		return NULL;
	*block = arena->spilled;
	arena->spilled = block;
	return aligned(block + 1);
}

/* Next piece. */
void *
ao_arena_take(AoArena *arena, size_t count, size_t size)
{
	size_t		bytes = ao_arena_round(count, size);
	void	   *piece = arena->base + arena->used;

	if (bytes > arena->size - arena->used)
		return spill(arena, bytes);
	arena->used += bytes;
	return piece;
}

void
ao_arena_close(AoArena *arena, AoEnv *env)
{
	while (arena->spilled != NULL)
	{
		void	   *block = arena->spilled;

		arena->spilled = *(void **) block;
		env->free(env->arg, block);
	}
	env->free(env->arg, arena->block);
	arena->block = NULL;
}

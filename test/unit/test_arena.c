/*
 * test_arena.c
 *		Workspace: pieces are aligned and apart, the limit holds, and a piece
 *		that does not fit is still memory of its own.
 */
#include "unit.h"
#include "internal.h"

#define N_PIECES 5
#define ALIGNMENT 64

static const size_t counts[N_PIECES] = {1, 8, 9, 1000, 3};

/* Takes the pieces and fills each; are they aligned, and does each keep what
 * was put there? */
static bool
pieces_are_apart(AoArena *arena)
{
	double	   *pieces[N_PIECES];
	bool		good = true;

	for (int i = 0; i < N_PIECES; i++)
	{
		pieces[i] = ao_arena_take(arena, counts[i], sizeof(double));
		good = good && pieces[i] != NULL && (uintptr_t) pieces[i] % ALIGNMENT == 0;
		for (size_t j = 0; good && j < counts[i]; j++)
			pieces[i][j] = i;
	}
	for (int i = 0; i < N_PIECES; i++)
	{
		for (size_t j = 0; good && j < counts[i]; j++)
			good = pieces[i][j] == i;
	}
	return good;
}

/* Opens a workspace that has room for the first pieces only. */
static void
test_room_for(int fitting)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoArena		arena;
	size_t		bytes = 0;

	for (int i = 0; i < fitting; i++)
		bytes += ao_arena_round(counts[i], sizeof(double));
	if (ao_arena_open(&arena, bytes, &env) != AO_OK)
		abort();
	UNIT_CHECK(pieces_are_apart(&arena), "room for %d of %d: each piece is its own", fitting, N_PIECES);
	UNIT_CHECK((memory.live == 1) == (fitting == N_PIECES), "room for %d: more blocks only where needed", fitting);
	ao_arena_close(&arena, &env);
	UNIT_CHECK(memory.live == 0, "room for %d: everything given back", fitting);
}

static void
test_refusals(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoArena		arena;

	env.max_bytes = 1000;
	UNIT_CHECK(ao_arena_open(&arena, 1000, &env) == AO_OVER_MEMORY_LIMIT && env.err.need == 1000 + ALIGNMENT,
			   "over the limit, by the alignment");
	UNIT_CHECK(memory.allocs == 0, "nothing is taken before the limit is checked");
	memory.alloc_limit = 1;
	if (ao_arena_open(&arena, 0, &env) != AO_OK)
		abort();
	UNIT_CHECK(ao_arena_take(&arena, 1, 1) == NULL, "no memory for what does not fit");
	ao_arena_close(&arena, &env);
	UNIT_CHECK(ao_arena_open(&arena, 0, &env) == AO_NO_MEMORY, "no memory");
	UNIT_CHECK(memory.live == 0, "nothing left behind");
}

int
main(void)
{
	for (int fitting = 0; fitting <= N_PIECES; fitting++)
		test_room_for(fitting);
	test_refusals();
	return unit_done();
}

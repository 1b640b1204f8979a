/*
 * unit.h
 *		Tests of the core without PostgreSQL: TAP lines on standard output, and
 *		an exit status.  One main file per topic includes this.
 *
 *			int main(void) { UNIT_CHECK(1 + 1 == 2, "addition"); return unit_done(); }
 */
#ifndef UNIT_H
#define UNIT_H

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ao.h"

#ifdef __GNUC__
#define UNIT_UNUSED __attribute__((unused))
#else
#define UNIT_UNUSED
#endif

static int	unit_run;
static int	unit_failed;

/* One test: prints its line, counts it, and says where a failure is. */
#define UNIT_CHECK(condition, ...) \
	unit_report((condition) ? 1 : 0, __FILE__, __LINE__, #condition, __VA_ARGS__)

/* |got - want| <= tol * max(1, |want|), or both NaN. */
#define UNIT_NEAR(got, want, tol, ...) \
	unit_near((got), (want), (tol), __FILE__, __LINE__, __VA_ARGS__)

#ifdef __GNUC__
__attribute__((unused, format(printf, 5, 6)))
#endif
static void
unit_report(int passed, const char *file, int line, const char *condition,
			const char *name, ...)
{
	char		text[300];
	va_list		args;

	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	for (char *c = text; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ')
			*c = ' ';
	}
	unit_run++;
	printf("%sok %d - %s\n", passed ? "" : "not ", unit_run, text);
	if (!passed)
	{
		unit_failed++;
		printf("# failed at %s:%d: %s\n", file, line, condition);
	}
	fflush(stdout);
}

#ifdef __GNUC__
__attribute__((unused, format(printf, 6, 7)))
#endif
static void
unit_near(double got, double want, double tol, const char *file, int line,
		  const char *name, ...)
{
	char		text[300];
	char		detail[100];
	va_list		args;
	double		scale = fabs(want) > 1.0 ? fabs(want) : 1.0;
	int			passed = (isnan(got) && isnan(want)) || got == want ||
		fabs(got - want) <= tol * scale;

	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	snprintf(detail, sizeof(detail), "got %.17g, want %.17g within %g", got, want, tol);
	unit_report(passed, file, line, detail, "%s", text);
}

/* The larger of two errors, NaN if either is: fmax would lose that. */
UNIT_UNUSED static double
unit_worse(double a, double b)
{
	return isnan(a) || a > b ? a : b;
}

/* The plan, and the exit status. */
UNIT_UNUSED static int
unit_done(void)
{
	printf("1..%d\n", unit_run);
	return unit_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Is UNIT_SMALL set?  Then series are shorter and repetitions fewer, but nothing is left
 * out: for valgrind, under which everything takes fifty times as long. */
UNIT_UNUSED static bool
unit_small(void)
{
	return getenv("UNIT_SMALL") != NULL;
}

/* Noise in -1 .. 1, the same every time. */
UNIT_UNUSED static double
unit_noise(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (int64_t) *state / 9223372036854775808.0;
}

#define UNIT_BLOCKS 16

/* What the services handed out, so that a leak or a runaway can be seen. */
typedef struct UnitMemory
{
	long		live;			/* blocks not freed yet */
	long		most;			/* .. at a time; workspace and result are two */
	long		polls;
	long		poll_limit;		/* cancel after so many polls; 0 never */
	long		alloc_limit;	/* refuse after so many blocks; 0 never */
	long		allocs;
	/* the blocks not freed yet, as far as there is room, and their bytes */
	void	   *blocks[UNIT_BLOCKS];
	size_t		sizes[UNIT_BLOCKS];
	size_t		bytes;			/* of these together */
	size_t		peak;			/* .. at a time */
} UnitMemory;

/* Puts a block of so many bytes in the place of another: of NULL, or with NULL. */
UNIT_UNUSED static void
unit_replace(UnitMemory *memory, void *old, void *block, size_t bytes)
{
	for (int i = 0; i < UNIT_BLOCKS; i++)
		if (memory->blocks[i] == old)
		{
			memory->bytes += bytes - memory->sizes[i];
			memory->blocks[i] = block;
			memory->sizes[i] = bytes;
			break;
		}
	if (memory->bytes > memory->peak)
		memory->peak = memory->bytes;
}

UNIT_UNUSED static void *
unit_alloc(void *arg, size_t bytes)
{
	UnitMemory *memory = arg;
	void	   *ptr;

	memory->allocs++;
	if (memory->alloc_limit > 0 && memory->allocs > memory->alloc_limit)
		return NULL;
	ptr = malloc(bytes > 0 ? bytes : 1);
	if (ptr == NULL)
		return NULL;
	memory->live++;
	if (memory->live > memory->most)
		memory->most = memory->live;
	unit_replace(memory, NULL, ptr, bytes);
	return ptr;
}

UNIT_UNUSED static void
unit_free(void *arg, void *ptr)
{
	UnitMemory *memory = arg;

	if (ptr == NULL)
		return;
	memory->live--;
	unit_replace(memory, ptr, NULL, 0);
	free(ptr);
}

UNIT_UNUSED static int
unit_poll(void *arg)
{
	UnitMemory *memory = arg;

	memory->polls++;
	return memory->poll_limit > 0 && memory->polls > memory->poll_limit;
}

/* Services on malloc, with a limit of 256 MB on one call. */
UNIT_UNUSED static AoEnv
unit_env(UnitMemory *memory)
{
	AoEnv		env = {.alloc = unit_alloc, .free = unit_free, .poll = unit_poll,
	.arg = memory, .max_bytes = (size_t) 256 << 20};

	memset(memory, 0, sizeof(*memory));
	return env;
}

#endif							/* UNIT_H */

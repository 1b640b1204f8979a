/*
 * cusum.c
 *		Cumulative sums that watch the spread or the mean of errors, and their
 *		limits by the method of Brook & Evans (1972, Biometrika 59): the sum is
 *		taken for a Markov chain on a grid.
 */
#include "drift.h"

#include <math.h>

#include "internal.h"

/* points of the grid: probabilities are then right to a fiftieth or so of themselves */
#define GRID 200

/* See drift.h. */
double
ao_cusum_next(const AoCusum *cusum, double sum, double z, double square)
{
	double		size = cusum->size;
	double		step = cusum->kind == AO_CUSUM_MEAN ? z - size / 2
		: square / 2 * (1 - 1 / (size * size)) - log(size);

	return fmax(0.0, sum + step);
}

/* P(the step that a standard normal z makes <= x) */
static double
step_probability(const AoCusum *cusum, double x)
{
	double		size = cusum->size;

	if (cusum->kind == AO_CUSUM_MEAN)
		return erfc(-(x + size / 2) / sqrt(2.0)) / 2;
	x = (x + log(size)) * 2 / (1 - 1 / (size * size));
	return x > 0.0 ? erf(sqrt(x / 2)) : 0.0;
}

/*
 * The chain: state i is a sum of about i * width, state 0 also all below; up[k + GRID]
 * the probability of k states up, and zero[i] that of state 0 from state i.
 */
typedef struct Chain
{
	double		up[2 * GRID + 1];
	double		zero[GRID];
	double		now[GRID];
	double		next[GRID];
} Chain;

/* Sets the probabilities of a chain that ends at the limit. */
static void
start_chain(Chain *chain, const AoCusum *cusum, double limit)
{
	double		width = 2 * limit / (2 * GRID - 1);
	double		below = step_probability(cusum, (-GRID - 0.5) * width);

	for (int k = -GRID; k <= GRID; k++)
	{
		double		to = step_probability(cusum, (k + 0.5) * width);

		chain->up[k + GRID] = to - below;
		below = to;
	}
	for (int i = 0; i < GRID; i++)
	{
		chain->zero[i] = step_probability(cusum, (0.5 - i) * width);
		chain->now[i] = i == 0;
	}
}

/* One session on; gives the probability of not having reached the limit. */
static double
step_chain(Chain *chain)
{
	double		left = 0.0;

	for (int j = 0; j < GRID; j++)
		chain->next[j] = 0.0;
	for (int i = 0; i < GRID; i++)
	{
		const double *up = chain->up + GRID - i;
		double		from = chain->now[i];

		chain->next[0] += from * chain->zero[i];
		for (int j = 1; j < GRID; j++)
			chain->next[j] += from * up[j];
	}
	for (int j = 0; j < GRID; j++)
	{
		chain->now[j] = chain->next[j];
		left += chain->next[j];
	}
	return left;
}

/*
 * See drift.h.  After some sessions the probability of reaching the limit in the
 * next one is the same for all: the chain has come to its quasi-stationary state,
 * and the rest is a power.
 */
static AoStatus
chain_alarms(Chain *chain, const AoCusum *cusum, double limit, int sessions, AoEnv *env, double *out)
{
	double		left = 1.0;
	double		rate = 0.0;

	start_chain(chain, cusum, limit);
	for (int t = 1; t <= sessions; t++)
	{
		double		now = step_chain(chain);
		double		hazard = left > 0.0 ? 1 - now / left : 1.0;

		AO_TRY(ao_poll(env));
		left = now;
		if (t > 10 && fabs(hazard - rate) <= 1e-9 * hazard)
		{
			left *= pow(1 - hazard, sessions - t);
			break;
		}
		rate = hazard;
	}
	*out = 1 - left;
	return AO_OK;
}

/* A sum that can be, and so many sessions. */
static AoStatus
check_cusum(const AoCusum *cusum, int sessions, AoEnv *env)
{
	bool		usable = cusum->kind == AO_CUSUM_MEAN ? cusum->size > 0.0 : cusum->size > 1.0;

	if (!usable || cusum->size > AO_MAX_CUSUM_SIZE)
		return ao_fail(env, AO_BAD_ARGUMENT, "the size of the change must be above 1 for a spread, above 0 for a mean, and at most 1,000,000", 0, 0);
	if (sessions < 1 || sessions > AO_MAX_CUSUM_SESSIONS)
		return ao_fail(env, AO_BAD_ARGUMENT, "the number of sessions must be from 1 to 100,000", 0, 0);
	return AO_OK;
}

/* See drift.h. */
AoStatus
ao_cusum_alarms(const AoCusum *cusum, double limit, int sessions, AoEnv *env, double *out)
{
	AoStatus	status;
	AoArena		arena;

	AO_TRY(check_cusum(cusum, sessions, env));
	if (!(limit > 0.0 && limit <= 1e6))
		return ao_fail(env, AO_BAD_ARGUMENT, "the limit must be above 0 and at most 1,000,000", 0, 0);
	AO_TRY(ao_arena_open(&arena, ao_arena_round(1, sizeof(Chain)), env));
	status = chain_alarms(ao_arena_take(&arena, 1, sizeof(Chain)), cusum, limit, sessions, env, out);
	ao_arena_close(&arena, env);
	return status;
}

/*
 * The limit at which log(alarms) is log(alpha), which is nearly a straight line in
 * the limit: by false position with the Illinois change, between bounds.
 */
static AoStatus
search_limit(Chain *chain, const AoCusum *cusum, double alpha, int sessions, AoEnv *env, double *out)
{
	double		low = 0.05,
				high = 4.0,
				at_low,
				at_high,
				x,
				p;

	AO_TRY(chain_alarms(chain, cusum, low, sessions, env, &p));
	at_low = log(p / alpha);
	for (;;)
	{
		AO_TRY(chain_alarms(chain, cusum, high, sessions, env, &p));
		at_high = log(fmax(p, 1e-300) / alpha);
		if (at_high <= 0.0 || high > 1e5)
			break;
		low = high;
		at_low = at_high;
		high *= 2;
	}
	for (int i = 0; i < 60; i++)
	{
		x = high - at_high * (high - low) / (at_high - at_low);
		AO_TRY(chain_alarms(chain, cusum, x, sessions, env, &p));
		p = log(fmax(p, 1e-300) / alpha);
		*out = x;
		if (fabs(p) < 1e-5)
			break;
		if (p < 0.0)
		{
			high = x;
			at_high = p;
			at_low /= 2;
		}
		else
		{
			low = x;
			at_low = p;
			at_high /= 2;
		}
	}
	return AO_OK;
}

/* See drift.h. */
AoStatus
ao_cusum_limit(const AoCusum *cusum, double alpha, int sessions, AoEnv *env, double *out)
{
	AoStatus	status;
	AoArena		arena;

	AO_TRY(check_cusum(cusum, sessions, env));
	if (!(alpha >= 5e-7 && alpha <= 0.5))
		return ao_fail(env, AO_BAD_ARGUMENT, "the share of false alarms must be from 0.0000005 to 0.5", 0, 0);
	AO_TRY(ao_arena_open(&arena, ao_arena_round(1, sizeof(Chain)), env));
	status = search_limit(ao_arena_take(&arena, 1, sizeof(Chain)), cusum, alpha, sessions, env, out);
	ao_arena_close(&arena, env);
	return status;
}

/*
 * ladder.c
 *		The optimum of an ARMA model by way of those of smaller ones.
 *
 * From the model without one of its parts rung by rung: the optima of order
 * (p-j, q-j) come from those of (p-j-1, q-j-1) with a real root more on either side, and
 * of (p-j-2, q-j-2) with a complex pair.  With the rest of the model as good as it can be
 * without them, the likelihood itself tells where the new roots belong, which in points
 * of the whole space it does not.  A smaller model is the larger one with its last
 * partial autocorrelations zero, so all rungs share one objective.
 */
#include "candidates.h"

#include <math.h>
#include <string.h>

/* How much is done. */
typedef struct Effort
{
	int			kept,			/* optima of a rung, that real roots are put into .. */
				complex_kept,	/* .. and complex pairs */
				followed,		/* points of a rung */
				last;			/* points of the last rung */
} Effort;

static const Effort thorough_effort = {4, 4, 12, 24};
static const Effort usual_effort = {2, 2, 6, 12};

/* First seasonal AR and MA parameter of starts that are the best optimum but for them. */
static const double seasonal[][2] = {{1.8, 0.3}, {1.2, 8}, {0.3, 1}, {-0.5, 0.5}};

#define N_SEASONAL ((int) (sizeof(seasonal) / sizeof(seasonal[0])))
#define MOST_KEPT 4
#define MOST_FOLLOWED (24 + N_SEASONAL)
#define MOST_RUNGS (AO_LADDER_K / 2 + 1)
#define FIRST 24				/* points of the first rung */
#define APART 0.15				/* of two points, in some free parameter */
#define QUARTER 4				/* the share of the points for each kind of insertion at least */
#define DIFFERENT 0.01			/* log-likelihoods of two optima that are not the same */
#define ROUNDS 40
#define GAIN 1e-3				/* in log-likelihood, that a rung before the last lets go */

typedef struct Rung
{
	int			n;
	double	   *u;				/* [MOST_KEPT][k], best first */
} Rung;

typedef struct Ladder
{
	AoObjective *obj;
	Effort		effort;
	int			k,
				rungs;			/* above the first */
	Rung		rung[MOST_RUNGS];	/* the last one is rung[0] */
	bool	   *fixed;			/* [k] */
	double	   *u,				/* [most_points][k] */
			   *scratch,
			   *f,
			   *chosen,			/* [MOST_FOLLOWED][k] */
			   *chosen_f,
			   *work;
} Ladder;

static int
min(int a, int b)
{
	return a < b ? a : b;
}

/* See internal.h. */
bool
ao_ladder_serves(const AoShape *shape)
{
	const AoSpec *s = &shape->spec;

	return s->p >= 1 && s->q >= 1 && s->p + s->q >= 3 && shape->k <= AO_LADDER_K;
}

static size_t
most_points(void)
{
	return MOST_KEPT * (size_t) (ao_insertions_most(false) + ao_insertions_most(true));
}

/* See internal.h. */
size_t
ao_ladder_bytes(const AoShape *shape)
{
	size_t		k = (size_t) shape->k,
				n = most_points();

	if (!ao_ladder_serves(shape))
		return 0;
	return ao_arena_round(k, sizeof(bool)) + 2 * ao_arena_round(n * k, sizeof(double)) +
		ao_arena_round(n, sizeof(double)) +
		MOST_RUNGS * ao_arena_round(MOST_KEPT * k, sizeof(double)) +
		ao_arena_round(MOST_FOLLOWED * k, sizeof(double)) +
		ao_arena_round(MOST_FOLLOWED, sizeof(double)) +
		ao_arena_round(ao_insertions_work(), sizeof(double)) +
		ao_optimize_bytes(shape->k, MOST_FOLLOWED);
}

static Ladder
make_ladder(AoObjective *obj, bool thorough, AoArena *arena)
{
	size_t		k = (size_t) obj->shape->k,
				n = most_points();
	Ladder		l = {.obj = obj, .effort = thorough ? thorough_effort : usual_effort,
		.k = obj->shape->k, .rungs = min(obj->shape->spec.p, obj->shape->spec.q),
	.fixed = ao_arena_take(arena, k, sizeof(bool))};

	for (int j = 0; j <= l.rungs; j++)
		l.rung[j].u = ao_arena_take(arena, MOST_KEPT * k, sizeof(double));
	l.u = ao_arena_take(arena, n * k, sizeof(double));
	l.scratch = ao_arena_take(arena, n * k, sizeof(double));
	l.f = ao_arena_take(arena, n, sizeof(double));
	l.chosen = ao_arena_take(arena, MOST_FOLLOWED * k, sizeof(double));
	l.chosen_f = ao_arena_take(arena, MOST_FOLLOWED, sizeof(double));
	l.work = ao_arena_take(arena, ao_insertions_work(), sizeof(double));
	return l;
}

/* The parameters that rung j does not have. */
static void
fix_parameters(Ladder *l, int j)
{
	const AoSpec *s = &l->obj->shape->spec;

	for (int i = 0; i < l->k; i++)
		l->fixed[i] = (i < s->p && i >= s->p - j) || (i < s->p + s->q && i >= s->p + s->q - j);
}

/* Points of the first rung. */
static int
first_points(Ladder *l)
{
	const AoShape *shape = l->obj->shape;
	int			n = FIRST;

	ao_candidates_random(shape, FIRST, l->u);
	if (shape->spec.P + shape->spec.Q > 0)
	{
		ao_candidates_usual(shape, l->u + n * l->k);
		n += AO_USUAL;
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < l->k; j++)
			if (l->fixed[j])
				l->u[i * l->k + j] = 0;
	return n;
}

/* Points of rung j out of the optima of the rung that is `below` it. */
static AoStatus
insert_roots(Ladder *l, int j, int below, int most, int *count)
{
	const AoSpec *s = &l->obj->shape->spec;
	const Rung *from = &l->rung[j + below];

	for (int i = 0; i < from->n && i < most; i++)
		AO_TRY(ao_insertions(l->obj, from->u + i * l->k, s->p - j - below, s->q - j - below,
							 below == 2, l->work, l->u, count));
	return AO_OK;
}

/* Is a point apart from those that are chosen? */
static bool
is_apart(const Ladder *l, const double *u, int taken)
{
	for (int i = 0; i < taken; i++)
	{
		double		apart = 0;

		for (int j = 0; j < l->k; j++)
			apart = fmax(apart, fabs(u[j] - l->chosen[i * l->k + j]));
		if (apart < APART)
			return false;
	}
	return true;
}

/* The best of points from..to-1 to those chosen, until there are `most`; how many there are. */
static int
choose(Ladder *l, int from, int to, int taken, int most)
{
	size_t		size = (size_t) l->k * sizeof(double);

	while (taken < most)
	{
		int			best = -1;
		double		value;

		for (int i = from; i < to; i++)
			if (isfinite(l->f[i]) && (best < 0 || l->f[i] < l->f[best]))
				best = i;
		if (best < 0)
			break;
		value = l->f[best];
		l->f[best] = HUGE_VAL;
		if (!is_apart(l, l->u + best * l->k, taken))
			continue;
		l->chosen_f[taken] = value;
		memcpy(l->chosen + taken++ * l->k, l->u + best * l->k, size);
	}
	return taken;
}

/* The starts of rung j; of each kind of insertion some. */
static AoStatus
choose_starts(Ladder *l, int j, int *taken)
{
	int			n_real = 0,
				n,
				most = j > 0 ? l->effort.followed : l->effort.last,
				share = most / QUARTER;

	if (j == l->rungs)
		n_real = n = first_points(l);
	else
	{
		AO_TRY(insert_roots(l, j, 1, l->effort.kept, &n_real));
		n = n_real;
		if (j + 2 <= l->rungs)
			AO_TRY(insert_roots(l, j, 2, l->effort.complex_kept, &n));
	}
	memcpy(l->scratch, l->u, (size_t) (n * l->k) * sizeof(double));
	AO_TRY(ao_objective_free(l->obj, l->scratch, n, l->f));
	*taken = choose(l, 0, n_real, 0, n > n_real ? share : most);
	*taken = choose(l, n_real, n, *taken, *taken + share);
	*taken = choose(l, 0, n, *taken, most);
	if (*taken == 0)
	{
		memset(l->chosen, 0, (size_t) l->k * sizeof(double));
		*taken = 1;
	}
	return AO_OK;
}

/* With seasonal parameters on both sides: the optimum u with others of these. */
static void
add_seasonal(Ladder *l, const double *u, int *taken)
{
	const AoSpec *s = &l->obj->shape->spec;

	for (int i = 0; i < N_SEASONAL && s->P > 0 && s->Q > 0; i++)
	{
		double	   *start = l->chosen + (*taken)++ * l->k,
				   *ar = start + s->p + s->q,
				   *ma = ar + s->P;

		memcpy(start, u, (size_t) l->k * sizeof(double));
		memset(ar, 0, (size_t) (s->P + s->Q) * sizeof(double));
		ar[0] = seasonal[i][0];
		ma[0] = seasonal[i][1];
	}
}

/* The best of the points reached, as far as they differ in value, are the rung's. */
static AoStatus
keep_optima(Ladder *l, int reached, Rung *rung)
{
	size_t		size = (size_t) l->k * sizeof(double);
	double		last = -HUGE_VAL;

	memcpy(l->scratch, l->chosen, (size_t) reached * size);
	AO_TRY(ao_objective_free(l->obj, l->scratch, reached, l->f));
	for (rung->n = 0; rung->n < l->effort.kept;)
	{
		int			best = -1;

		for (int i = 0; i < reached; i++)
			if (isfinite(l->f[i]) && (best < 0 || l->f[i] < l->f[best]))
				best = i;
		if (best < 0)
			break;
		if (l->f[best] > last + DIFFERENT)
		{
			last = l->f[best];
			memcpy(rung->u + rung->n++ * l->k, l->chosen + best * l->k, size);
		}
		l->f[best] = HUGE_VAL;
	}
	if (rung->n == 0)
	{
		memset(rung->u, 0, size);
		rung->n = 1;
	}
	return AO_OK;
}

/* Optimise one rung from its starts, which become the points reached. */
static AoStatus
climb(Ladder *l, int j, int n, int max_rounds, double rival, AoArena *arena, AoOptimum *best)
{
	double		enough = l->obj->enough;
	AoStatus	status;

	if (j > 0)
		l->obj->enough = GAIN;
	l->obj->fixed = l->fixed;
	status = ao_optimize(l->obj, l->chosen, n, j > 0 ? ROUNDS : max_rounds,
						 j > 0 ? HUGE_VAL : rival, arena, best);
	l->obj->fixed = NULL;
	l->obj->enough = enough;
	return status;
}

/* See internal.h. */
AoStatus
ao_ladder(AoObjective *obj, bool thorough, int max_rounds, AoArena *arena, AoOptimum *best)
{
	Ladder		l = make_ladder(obj, thorough, arena);
	size_t		used = arena->used;
	AoOptimum	top = {.f = HUGE_VAL};
	int			iterations = best->iterations,
				j = l.rungs;

	for (; j >= 0 && !ao_out_of_time(obj->deadline); j--)
	{
		int			n;

		fix_parameters(&l, j);
		AO_TRY(choose_starts(&l, j, &n));
		if (j == 0)
			add_seasonal(&l, best->u, &n);
		arena->used = used;
		AO_TRY(climb(&l, j, n, max_rounds, best->f, arena, &top));
		iterations += top.iterations;
		if (j > 0)
			AO_TRY(keep_optima(&l, n, &l.rung[j]));
	}
	/* the optimum of a smaller model may be better than what there was, but is none of this one */
	top.converged = top.converged && j < 0;
	if (top.f < best->f)
		*best = top;
	best->iterations = iterations;
	return AO_OK;
}

/*
 * ladder.c
 *		The optimum of an ARMA model by way of those of smaller ones.
 *
 * From the model without one of its parts rung by rung: the optima of order
 * (p-j, q-j) come from those of (p-j-1, q-j-1) with a real root more on either side, and
 * of (p-j-2, q-j-2) with a complex pair.  With the rest of the model as good as it can be
 * without them, the likelihood itself tells where the new roots belong, which in points
 * of the whole space it does not.  A smaller model is the larger one with its last
 * partial autocorrelations zero, so all rungs share one objective.  Roots of the season's
 * polynomials cancel in the same way, and have a ladder of their own after that.
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

static const Effort thorough_effort = {4, 4, 16, 32};
static const Effort usual_effort = {2, 2, 8, 16};
static const Effort guarded_effort = {2, 2, 6, 12};
static const Effort brief_effort = {1, 1, 2, 4};
static const Effort no_effort = {0, 0, 0, 0};

#define MOST_KEPT 4
#define MOST_FOLLOWED 32
#define MOST_RUNGS (AO_LADDER_K / 2 + 1)
#define FIRST 24				/* points of the first rung */
#define APART 0.15				/* of two points, in some free parameter */
#define QUARTER 4				/* the share of the points for each kind of insertion at least */
#define DIFFERENT 0.01			/* log-likelihoods of two optima that are not the same */
#define LONG 400				/* values */
#define DEAR 6000				/* rows times states of a pass, states squared with gaps */
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
	AoPart		part;			/* that the rungs have less of */
	int			k,
				rungs;			/* above the first */
	Rung		rung[MOST_RUNGS];	/* the last one is rung[0] */
	bool	   *fixed;			/* [k] */
	double	   *best,			/* [k] the best so far */
			   *u,				/* [most_points][k] */
			   *scratch,
			   *f,
			   *chosen,			/* [MOST_FOLLOWED][k] */
			   *work;
} Ladder;

static int
min(int a, int b)
{
	return a < b ? a : b;
}

static AoPart
part_of(const AoShape *shape, bool seasonal)
{
	const AoSpec *s = &shape->spec;

	return seasonal ? (AoPart) {.at = s->p + s->q, .p = s->P, .q = s->Q, .lag = s->m} :
		(AoPart) {.p = s->p, .q = s->q, .lag = 1};
}

static int
rungs_of(const AoPart *part)
{
	return min(part->p, part->q);
}

/* Is there a ladder for models of this shape? */
static bool
has_ladder(const AoShape *shape)
{
	AoPart		plain = part_of(shape, false),
				seasonal = part_of(shape, true);

	return shape->k >= 3 && shape->k <= AO_LADDER_K && (rungs_of(&plain) > 0 || rungs_of(&seasonal) > 0);
}

/*
 * How much is worth its time for a part.  That of lag 1 with many roots is where most is to be
 * found; with one on either side, a long series tells them apart.  Where roots nearly cancel most
 * of the optima are next to the circle, from which a guarded model is to keep away.
 */
static Effort
effort_for(const AoObjective *obj, const AoPart *part, bool thorough)
{
	int64_t		n = obj->pass[0].n;

	if (rungs_of(part) == 0)
		return no_effort;
	if (part->lag == 1 && part->p + part->q > 2)
		return obj->guard.root > 0 ? guarded_effort : thorough ? thorough_effort : usual_effort;
	if (obj->guard.root > 0 || (part->lag == 1 && n > LONG))
		return no_effort;
	return n * obj->shape->r * (obj->design->missing ? obj->shape->r : 1) > DEAR ? brief_effort : usual_effort;
}

/* See candidates.h. */
bool
ao_ladder_serves(const AoObjective *obj)
{
	bool		serves = false;

	for (int seasonal = 0; seasonal <= 1; seasonal++)
	{
		AoPart		part = part_of(obj->shape, seasonal);

		serves = serves || effort_for(obj, &part, false).kept > 0;
	}
	return serves && has_ladder(obj->shape);
}

static size_t
most_points(void)
{
	return MOST_KEPT * (size_t) (ao_insertions_most(false) + ao_insertions_most(true));
}

/* See candidates.h. */
size_t
ao_ladder_bytes(const AoShape *shape)
{
	size_t		k = (size_t) shape->k,
				n = most_points();

	if (!has_ladder(shape))
		return 0;
	return ao_arena_round(k, sizeof(bool)) + ao_arena_round(k, sizeof(double)) +
		2 * ao_arena_round(n * k, sizeof(double)) + ao_arena_round(n, sizeof(double)) +
		MOST_RUNGS * ao_arena_round(MOST_KEPT * k, sizeof(double)) +
		ao_arena_round(MOST_FOLLOWED * k, sizeof(double)) +
		ao_arena_round(ao_insertions_work(), sizeof(double)) +
		ao_optimize_bytes(shape->k, MOST_FOLLOWED);
}

static Ladder
make_ladder(AoObjective *obj, AoArena *arena)
{
	size_t		k = (size_t) obj->shape->k,
				n = most_points();
	Ladder		l = {.obj = obj, .k = obj->shape->k, .fixed = ao_arena_take(arena, k, sizeof(bool)),
	.best = ao_arena_take(arena, k, sizeof(double))};

	for (int j = 0; j < MOST_RUNGS; j++)
		l.rung[j].u = ao_arena_take(arena, MOST_KEPT * k, sizeof(double));
	l.u = ao_arena_take(arena, n * k, sizeof(double));
	l.scratch = ao_arena_take(arena, n * k, sizeof(double));
	l.f = ao_arena_take(arena, n, sizeof(double));
	l.chosen = ao_arena_take(arena, MOST_FOLLOWED * k, sizeof(double));
	l.work = ao_arena_take(arena, ao_insertions_work(), sizeof(double));
	return l;
}

/* The parameters that rung j does not have. */
static void
fix_parameters(Ladder *l, int j)
{
	int			ar = l->part.at + l->part.p,
				ma = ar + l->part.q;

	for (int i = 0; i < l->k; i++)
		l->fixed[i] = (i < ar && i >= ar - j) || (i < ma && i >= ma - j);
}

/* Points of the first rung: the best so far without these parameters, and unless it is to be brief, others. */
static int
first_points(Ladder *l)
{
	const AoShape *shape = l->obj->shape;
	bool		brief = l->effort.kept == 1;
	int			n = brief ? 0 : FIRST;

	ao_candidates_random(shape, n, l->u);
	if (!brief && shape->spec.P + shape->spec.Q > 0)
	{
		ao_candidates_usual(shape, l->u + n * l->k);
		n += AO_USUAL;
	}
	memcpy(l->u + n++ * l->k, l->best, (size_t) l->k * sizeof(double));
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
	const Rung *from = &l->rung[j + below];

	for (int i = 0; i < from->n && i < most; i++)
		AO_TRY(ao_insertions(l->obj, from->u + i * l->k, &l->part, j + below, below == 2, l->work, l->u,
							 count));
	return AO_OK;
}

/* The best of points from..to-1 to those chosen, until there are `most`; how many there are. */
static int
choose(Ladder *l, int from, int to, int taken, int most)
{
	return ao_candidates_choose(l->u + from * l->k, l->f + from, to - from, l->k, APART, most, l->chosen, taken, NULL);
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
		int			best = ao_candidates_lowest(l->f, reached);

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

/* From the model without `part`, or as much of it as AR and MA have in common, rung by rung;
 * best->u is l->best, before and after. */
static AoStatus
climb_part(Ladder *l, AoPart part, int max_rounds, AoArena *arena, AoOptimum *best)
{
	size_t		used = arena->used,
				size = (size_t) l->k * sizeof(double);
	AoOptimum	top = {.f = HUGE_VAL};
	int			iterations = best->iterations,
				j = l->rungs = rungs_of(&part);

	l->part = part;
	for (; j >= 0 && !ao_out_of_time(l->obj->deadline); j--)
	{
		int			n;

		fix_parameters(l, j);
		AO_TRY(choose_starts(l, j, &n));
		arena->used = used;
		AO_TRY(climb(l, j, n, max_rounds, best->f, arena, &top));
		iterations += top.iterations;
		if (j > 0)
			AO_TRY(keep_optima(l, n, &l->rung[j]));
	}
	/* the optimum of a smaller model may be better than what there was, but is none of this one */
	top.converged = top.converged && j < 0;
	if (top.f < best->f)
	{
		memcpy(l->best, top.u, size);
		*best = top;
		best->u = l->best;
	}
	best->iterations = iterations;
	arena->used = used;
	return AO_OK;
}

/* See candidates.h. */
AoStatus
ao_ladder(AoObjective *obj, bool thorough, int max_rounds, AoArena *arena, AoOptimum *best)
{
	Ladder		l = make_ladder(obj, arena);

	memcpy(l.best, best->u, (size_t) l.k * sizeof(double));
	best->u = l.best;
	for (int seasonal = 0; seasonal <= 1; seasonal++)
	{
		AoPart		part = part_of(obj->shape, seasonal);

		l.effort = effort_for(obj, &part, thorough);
		if (l.effort.kept > 0)
			AO_TRY(climb_part(&l, part, max_rounds, arena, best));
	}
	return AO_OK;
}

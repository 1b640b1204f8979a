/*
 * search.c
 *		The global part of estimation: many points looked at cheaply, the best
 *		of them followed.
 *
 * The conditional likelihood costs a fraction of the exact one and has nearly
 * the same shape, so with three parameters or more a thousand points are
 * screened and the best improved with it; then the exact likelihood decides
 * between those and its own candidates, and follows the best few.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* Numbers of points for one search. */
typedef struct Plan
{
	int			conditional,	/* screened by the conditional likelihood */
				improved,		/* and improved with it */
				exact,			/* screened by the exact likelihood besides those */
				followed,		/* optimised to the end */
				narrow,			/* the same of those that the periodogram suggests */
				wide;
} Plan;

#define IMPROVE_ROUNDS 10
#define FIRST 3					/* starts followed before the others are judged */
#define ENDLESS 400
#define CHEAP 4000				/* rows times states of a cheap pass */
#define APART 0.3				/* of two starts, in some free parameter */
#define PROMISING 40			/* log-likelihood a followed start may be behind */
#define PROMISING_SHARE 0.1		/* or this share of what the model explains */
#define RANDOM 96
/* Points suggested by the periodogram that are looked at. */
#define NARROW 32
#define WIDE 48
#define TRENDS 6

/* n of the starts of a model of up to six parameters; each costs more with more. */
static int
share(int n, int k)
{
	return k <= 6 ? n : n * 6 / k > 3 ? n * 6 / k : 3;
}

/* Seasonal passes cost more, and their candidates are fewer; cheap: the series is
 * so short that it does not matter. */
static Plan
make_plan(const AoShape *shape, bool cheap)
{
	int			k = shape->k,
				usual = shape->spec.P + shape->spec.Q > 0 ? AO_USUAL : 0,
				pairs = ao_candidates_pairs_count(&shape->spec, false),
				circle = ao_candidates_pairs_count(&shape->spec, true);
	bool		spectral = ao_candidates_has_spectral(&shape->spec);
	int			narrow = spectral ? share(8, k) : 0,
				wide = spectral ? share(12, k) : 0;

	if (k <= 1)
		return (Plan) {0, 0, 16, 2, 0, 0};
	if (k == 2)
		return (Plan) {0, 0, 32, 8, 0, 0};
	if (k > 40)
		return (Plan) {pairs + RANDOM + usual, 4, 16, 2, narrow, wide};
	if (shape->spec.P + shape->spec.Q == 0)
		return (Plan) {pairs + RANDOM, share(40, k), circle + RANDOM, share(20, k), narrow, wide};
	if (k == 3 && !cheap)
		return (Plan) {pairs + RANDOM + usual, 6, 16, 4, 0, 0};
	return (Plan) {pairs + RANDOM + usual, share(20, k), circle + 48, share(12, k), narrow, wide};
}

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

/* Points that are looked at at once. */
static size_t
most_points(const Plan *plan)
{
	return (size_t) larger(larger(plan->conditional, plan->improved + plan->exact),
						   NARROW + WIDE + TRENDS);
}

/* Points that are kept at once. */
static size_t
most_chosen(const Plan *plan)
{
	return (size_t) larger(plan->improved, plan->followed + plan->narrow + plan->wide);
}

/* Doubles of work for the candidates. */
static size_t
work_size(const AoShape *shape)
{
	size_t		pairs = 3 * AO_MAX_ORDER + 1 + (size_t) shape->k,
				peaks = ao_candidates_spectral_work(&shape->spec);

	return peaks > pairs ? peaks : pairs;
}

size_t
ao_search_bytes(const AoShape *shape)
{
	size_t		k = (size_t) shape->k;
	Plan		plan = make_plan(shape, true);	/* the larger one */
	size_t		n = most_points(&plan);

	return 2 * ao_arena_round(n * k, sizeof(double)) + ao_arena_round(n, sizeof(double)) +
		ao_arena_round(most_chosen(&plan) * k, sizeof(double)) +
		ao_arena_round(most_chosen(&plan), sizeof(double)) +
		ao_arena_round(work_size(shape), sizeof(double)) +
		ao_optimize_bytes(shape->k, plan.improved) + 2 * ao_optimize_bytes(shape->k, FIRST) +
		ao_optimize_bytes(shape->k, plan.followed + plan.narrow + plan.wide);
}

/* The best of n points that are apart from those already taken. */
static int
choose(const double *u, double *f, int n, int k, int max, double *chosen,
	   double *chosen_f)
{
	int			taken = 0;

	while (taken < max)
	{
		int			best = -1;
		double		value;

		for (int i = 0; i < n; i++)
			if (isfinite(f[i]) && (best < 0 || f[i] < f[best]))
				best = i;
		if (best < 0)
			break;
		value = f[best];
		f[best] = HUGE_VAL;
		for (int s = 0; s < taken && best >= 0; s++)
		{
			double		apart = 0;

			for (int j = 0; j < k; j++)
				apart = fmax(apart, fabs(u[best * k + j] - chosen[s * k + j]));
			if (apart < APART)
				best = -1;
		}
		if (best < 0)
			continue;
		chosen_f[taken] = value;
		memcpy(chosen + taken++ * k, u + best * k, (size_t) k * sizeof(double));
	}
	return taken;
}

/* Is a start with this value, some way up from its own optimum, worth following
 * when `best` has been reached and white noise has f0? */
static bool
promising(double f, double best, double f0)
{
	return f - best < fmax(PROMISING, PROMISING_SHARE * (f0 - best));
}

/* Evaluate n points and choose. */
static AoStatus
screen(AoObjective *obj, const double *u, int n, double *scratch, double *f, int max,
	   double *chosen, double *chosen_f, int *taken)
{
	int			k = obj->shape->k;

	memcpy(scratch, u, (size_t) n * (size_t) k * sizeof(double));
	AO_TRY(ao_objective_free(obj, scratch, n, f));
	*taken = choose(u, f, n, k, max, chosen, chosen_f);
	return AO_OK;
}

/* Screen and improve by the conditional likelihood; the results are chosen[]. */
static AoStatus
conditional_stage(AoObjective *obj, const Plan *plan, double *u, double *scratch, double *f,
				  double *work, double *chosen, double *chosen_f, int *taken, AoArena *arena)
{
	const AoShape *shape = obj->shape;
	const AoPass *ps = &obj->pass[0];
	bool		was = obj->conditional;
	int			pairs = ao_candidates_pairs_count(&shape->spec, false);
	AoOptimum	ignored;

	*taken = 0;
	if (plan->conditional == 0 || ps->n - shape->ar < 2 * shape->k + 10)
		return AO_OK;
	ao_candidates_random(shape, RANDOM, u);
	if (shape->spec.P + shape->spec.Q > 0)
		ao_candidates_usual(shape, u + RANDOM * shape->k);
	AO_TRY(ao_candidates_pairs(shape, false, ps->w, ps->n, ps->n_cols, work,
							   u + (plan->conditional - pairs) * shape->k, obj->env));
	obj->conditional = true;
	AO_TRY(screen(obj, u, plan->conditional, scratch, f, plan->improved, chosen, chosen_f,
				  taken));
	if (*taken > 0)
		AO_TRY(ao_optimize(obj, chosen, *taken, IMPROVE_ROUNDS, HUGE_VAL, arena, &ignored));
	obj->conditional = was;
	return AO_OK;
}

/* The exact likelihood's own candidates, plan->exact of them. */
static AoStatus
exact_candidates(AoObjective *obj, const Plan *plan, double *work, double *u)
{
	const AoShape *shape = obj->shape;
	const AoPass *ps = &obj->pass[0];
	int			on_circle = ao_candidates_pairs_count(&shape->spec, true),
				n = plan->exact > on_circle ? plan->exact - on_circle : plan->exact;

	if (shape->k <= 2)
	{
		ao_candidates_grid(shape, plan->exact, u);
		return AO_OK;
	}
	ao_candidates_random(shape, n, u);
	if (plan->exact > n)
		AO_TRY(ao_candidates_pairs(shape, true, ps->w, ps->n, ps->n_cols, work,
								   u + n * shape->k, obj->env));
	return AO_OK;
}

/* Put point u of value f among those chosen, best first. */
static void
insert_chosen(const double *u, double f, size_t k, double *chosen, double *chosen_f, int *taken)
{
	int			i = (*taken)++;

	for (; i > 0 && chosen_f[i - 1] > f; i--)
	{
		chosen_f[i] = chosen_f[i - 1];
		memcpy(chosen + (size_t) i * k, chosen + (size_t) (i - 1) * k, k * sizeof(double));
	}
	chosen_f[i] = f;
	memcpy(chosen + (size_t) i * k, u, k * sizeof(double));
}

/* The best `max` of n points to those chosen, even if they are less apart. */
static void
add_best(const double *u, double *f, int n, int max, size_t k, double *chosen,
		 double *chosen_f, int *taken)
{
	for (int round = 0; round < max && round < n; round++)
	{
		int			best = 0;

		for (int i = 1; i < n; i++)
			if (f[i] < f[best])
				best = i;
		if (!isfinite(f[best]))
			break;
		insert_chosen(u + (size_t) best * k, f[best], k, chosen, chosen_f, taken);
		f[best] = HUGE_VAL;
	}
}

/* The best of what the periodogram suggests: narrow peaks are apart by their width,
 * which can be less than that of other starts. */
static AoStatus
spectral_stage(AoObjective *obj, const Plan *plan, double *u, double *scratch, double *f, double *work,
			   double *chosen, double *chosen_f, int *taken)
{
	const AoPass *ps = &obj->pass[0];
	size_t		k = (size_t) obj->shape->k;
	int			narrow = NARROW,
				wide = WIDE;

	AO_TRY(ao_candidates_spectral(obj->shape, ps->w, ps->n, ps->n_cols, work, u, &narrow, &wide,
								  obj->env));
	memcpy(scratch, u, (size_t) (narrow + wide) * k * sizeof(double));
	AO_TRY(ao_objective_free(obj, scratch, narrow + wide, f));
	add_best(u, f, narrow, plan->narrow, k, chosen, chosen_f, taken);
	add_best(u + (size_t) narrow * k, f + narrow, wide, plan->wide, k, chosen, chosen_f, taken);
	return AO_OK;
}

/* Optimise from the best starts, then from the others that are still promising. */
static AoStatus
follow(AoObjective *obj, double *chosen, const double *f, int taken, AoArena *arena,
	   AoOptimum *best)
{
	size_t		k = (size_t) obj->shape->k;
	AoOptimum	other;
	double		f0;
	int			left = 0,
				first = taken < FIRST ? taken : FIRST;

	AO_TRY(ao_optimize(obj, chosen, first, ENDLESS, HUGE_VAL, arena, best));
	memset(obj->white, 0, k * sizeof(double));
	AO_TRY(ao_objective(obj, obj->white, 1, &f0, NULL, NULL));
	if (!(best->f <= f0))
	{
		/* nothing better than white noise could be evaluated */
		memset(best->u, 0, k * sizeof(double));
		best->f = f0;
		best->converged = false;
	}
	for (int i = first; i < taken; i++)
		if (promising(f[i], best->f, f0))
			memmove(chosen + k * (size_t) left++, chosen + k * (size_t) i, k * sizeof(double));
	if (left == 0)
		return AO_OK;
	AO_TRY(ao_optimize(obj, chosen, left, ENDLESS, best->f, arena, &other));
	other.iterations += best->iterations;
	if (other.f < best->f)
		*best = other;
	best->iterations = other.iterations;
	return AO_OK;
}

/* Search from `given` (unbounded parameters) alone, or from everywhere. */
AoStatus
ao_search(AoObjective *obj, const double *given, AoArena *arena, AoOptimum *best)
{
	const AoShape *shape = obj->shape;
	size_t		k = (size_t) shape->k;
	Plan		plan = make_plan(shape, obj->pass[0].n * shape->r < CHEAP);
	size_t		n = most_points(&plan);
	size_t		kept = most_chosen(&plan);
	double	   *u = ao_arena_take(arena, n * k, sizeof(double)),
			   *scratch = ao_arena_take(arena, n * k, sizeof(double)),
			   *f = ao_arena_take(arena, n, sizeof(double)),
			   *chosen = ao_arena_take(arena, kept * k, sizeof(double)),
			   *chosen_f = ao_arena_take(arena, kept, sizeof(double)),
			   *work = ao_arena_take(arena, work_size(shape), sizeof(double));
	int			taken;

	if (given || k == 0)
	{
		if (given)
			memcpy(chosen, given, k * sizeof(double));
		AO_TRY(ao_optimize(obj, chosen, 1, ENDLESS, HUGE_VAL, arena, best));
		/* a start without a likelihood on this series is no start */
		if (k == 0 || isfinite(best->f))
			return AO_OK;
	}
	AO_TRY(conditional_stage(obj, &plan, u, scratch, f, work, chosen, chosen_f, &taken,
							 arena));
	memcpy(u, chosen, (size_t) taken * k * sizeof(double));
	AO_TRY(exact_candidates(obj, &plan, work, u + (size_t) taken * k));
	AO_TRY(screen(obj, u, taken + plan.exact, scratch, f, plan.followed, chosen, chosen_f,
				  &taken));
	AO_TRY(spectral_stage(obj, &plan, u, scratch, f, work, chosen, chosen_f, &taken));
	if (taken == 0)
	{
		memset(chosen, 0, k * sizeof(double));
		taken = 1;
	}
	return follow(obj, chosen, chosen_f, taken, arena, best);
}

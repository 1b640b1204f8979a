/*
 * search.c
 *		The global part of estimation: many points looked at cheaply, the best
 *		of them followed.
 *
 * The conditional likelihood costs a fraction of the exact one and has nearly
 * the same shape, so with three parameters or more a thousand points are
 * screened and the best improved with it; then the exact likelihood decides
 * between those and its own candidates, and follows the best few.  Models with roots on
 * both sides have optima that none of those leads to: there ladder.c goes on.
 */
#include "candidates.h"

#include <math.h>
#include <string.h>

/* Numbers of points for one search. */
typedef struct Plan
{
	/* screened by the conditional likelihood: at random, usual seasonal ones, pairs */
	int			random,
				usual,
				pairs,
				improved,		/* of these, and improved with it */
	/* screened by the exact likelihood besides those: at random, pairs on the circle */
				exact,
				circle,
				followed,		/* optimised to the end */
				narrow;			/* the same of those that the periodogram suggests */
	bool		ladder,			/* then by way of smaller models .. */
				high;			/* .. with more of everything */
} Plan;

#define IMPROVE_ROUNDS 10
#define FIRST 3					/* starts followed before the others are judged */
#define ENDLESS 400
#define QUICK_ROUNDS 40
#define QUICK_GAIN 1e-3			/* in log-likelihood, that a quick search lets go */
#define CHEAP 4000				/* rows times states of a cheap pass */
#define DEAR 10000				/* and of one that shortcuts are taken for */
#define APART 0.3				/* of two starts, in some free parameter */
#define PROMISING 40			/* log-likelihood a followed start may be behind */
#define PROMISING_SHARE 0.1		/* or this share of what the model explains */
#define RANDOM 96
#define AGAIN 4					/* starts at the end */
#define LOOKS 3					/* at the end, at most */
#define HARDLY 1e-3				/* in log-likelihood, that an optimum is not given up for */
#define NEXT_TO_EDGE 2.0		/* free parameter */
#define INSIDE 1.2				/* free parameters of a start that was on the edge */
/* points suggested by the periodogram that are looked at */
#define NARROW 32

/* n of the starts of a model of up to six parameters; each costs more with more. */
static int
share(int n, int k)
{
	return k <= 6 ? n : n * 6 / k > 3 ? n * 6 / k : 3;
}

static int
usual_points(const AoSpec *spec)
{
	return spec->P + spec->Q > 0 ? AO_USUAL : 0;
}

/* For one of many models: a good optimum soon. */
static Plan
make_quick_plan(const AoShape *shape)
{
	if (shape->k <= 1)
		return (Plan) {.exact = 16, .followed = 1};
	if (shape->k == 2)
		return (Plan) {.exact = 32, .followed = 2};
	return (Plan) {.random = 28, .usual = usual_points(&shape->spec), .improved = 3, .exact = 4,
		.followed = 2};
}

/* Seasonal passes cost more, and their candidates are fewer; cheap: the series is
 * so short that it does not matter; ladder: is this one to be climbed? */
static Plan
make_plan(const AoShape *shape, AoEffort effort, bool cheap, bool ladder)
{
	int			k = shape->k,
				rungs = shape->spec.p < shape->spec.q ? shape->spec.p : shape->spec.q,
				fewer = 1;
	bool		cancel = ao_candidates_cancel(&shape->spec),
				seasonal_axis = shape->spec.P + shape->spec.Q > 0 && shape->spec.P < 2 && shape->spec.Q < 2;
	Plan		plan = {.random = RANDOM, .usual = usual_points(&shape->spec),
		.pairs = ao_candidates_pairs_count(&shape->spec, false),
	.circle = ao_candidates_pairs_count(&shape->spec, true)};

	if (effort == AO_QUICK)
		return make_quick_plan(shape);
	if (k <= 1)
		return (Plan) {.exact = 16, .followed = 2};
	if (k == 2)
		return (Plan) {.exact = (seasonal_axis ? 48 : 32) + (cancel ? 16 : 0), .followed = cancel ? 12 : 6};
	if (ao_candidates_has_spectral(&shape->spec))
		plan.narrow = share(8, k);
	plan.exact = plan.usual > 0 ? 48 : RANDOM;
	plan.ladder = ladder;
	plan.high = ladder && cheap && plan.usual == 0 && rungs > 1;
	/* a ladder of many rungs finds what these would have to be many for; elsewhere they
	 * would cost as much as it does */
	if (ladder && (rungs > 2 || k == 3 || !cheap || plan.usual > 0))
		fewer = rungs > 2 ? 4 : 2;
	plan.improved = share((plan.usual > 0 ? 20 : 40) / fewer, k);
	plan.followed = share((plan.usual > 0 ? 12 : 20) / fewer, k);
	if (k > 40)
	{
		plan.improved = 4;
		plan.exact = 16;
		plan.circle = 0;
		plan.followed = 2;
	}
	else if (k == 3 && plan.usual > 0 && !cheap)
	{
		plan.improved = 6;
		plan.exact = 16;
		plan.followed = 4;
	}
	return plan;
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
	int			screened = larger(plan->random + plan->usual + plan->pairs,
								  plan->improved + plan->exact + plan->circle);

	return (size_t) (plan->narrow > 0 ? larger(screened, NARROW) : screened);
}

/* Points that are kept at once. */
static size_t
most_chosen(const Plan *plan)
{
	return (size_t) larger(plan->improved, plan->followed + plan->narrow) + 1;
}

/* Doubles of work for the candidates. */
static size_t
work_size(const AoShape *shape, const Plan *plan)
{
	size_t		pairs = 3 * AO_MAX_ORDER + 1 + (size_t) shape->k,
				peaks = plan->narrow > 0 ? ao_candidates_spectral_work(&shape->spec) : 0;

	return peaks > pairs ? peaks : pairs;
}

size_t
ao_search_bytes(const AoShape *shape, AoEffort effort)
{
	size_t		k = (size_t) shape->k;
	Plan		plan = make_plan(shape, effort, true, false);	/* the larger one */
	size_t		n = most_points(&plan),
				kept = most_chosen(&plan),
				ladder = ao_ladder_bytes(shape);

	return 2 * ao_arena_round(n * k, sizeof(double)) + ao_arena_round(n, sizeof(double)) +
		ao_arena_round(kept * k, sizeof(double)) + ao_arena_round(kept, sizeof(double)) +
		ao_arena_round(work_size(shape, &plan), sizeof(double)) +
		ao_optimize_bytes(shape->k, plan.improved) + 2 * ao_optimize_bytes(shape->k, FIRST) +
		ao_optimize_bytes(shape->k, (int) kept) +
		ao_arena_round(k * k, sizeof(double)) + ao_arena_round(ao_metric_work(shape->k), sizeof(double)) +
		(effort == AO_QUICK || ladder == 0 ? 0 : ladder + LOOKS * ao_optimize_bytes(shape->k, AGAIN));
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
	*taken = ao_candidates_choose(u, f, n, k, APART, max, chosen, 0, chosen_f);
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
	int			n = plan->random + plan->usual + plan->pairs;
	AoOptimum	ignored;

	*taken = 0;
	if (n == 0 || ps->n - shape->ar < 2 * shape->k + 10)
		return AO_OK;
	ao_candidates_random(shape, plan->random, u);
	if (plan->usual > 0)
		ao_candidates_usual(shape, u + plan->random * shape->k);
	if (plan->pairs > 0)
		AO_TRY(ao_candidates_pairs(shape, false, ps->w, ps->n, ps->n_cols, work,
								   u + (plan->random + plan->usual) * shape->k, obj->env));
	obj->conditional = true;
	AO_TRY(screen(obj, u, n, scratch, f, plan->improved, chosen, chosen_f,
				  taken));
	/* where it is what is wanted, they are followed to the end anyhow */
	if (*taken > 0 && !was)
		AO_TRY(ao_optimize(obj, chosen, *taken, IMPROVE_ROUNDS, HUGE_VAL, arena, &ignored));
	obj->conditional = was;
	return AO_OK;
}

/* The exact likelihood's own candidates, plan->exact and plan->circle of them. */
static AoStatus
exact_candidates(AoObjective *obj, const Plan *plan, double *work, double *u)
{
	const AoShape *shape = obj->shape;
	const AoPass *ps = &obj->pass[0];

	if (shape->k <= 2)
	{
		ao_candidates_grid(shape, plan->exact, u);
		return AO_OK;
	}
	ao_candidates_random(shape, plan->exact, u);
	if (plan->circle > 0)
		AO_TRY(ao_candidates_pairs(shape, true, ps->w, ps->n, ps->n_cols, work,
								   u + plan->exact * shape->k, obj->env));
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
		int			best = ao_candidates_lowest(f, n);

		if (best < 0)
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
	int			n = NARROW;

	if (plan->narrow == 0)
		return AO_OK;
	AO_TRY(ao_candidates_spectral(obj->shape, ps->w, ps->n, ps->n_cols, work, u, &n, obj->env));
	memcpy(scratch, u, (size_t) n * k * sizeof(double));
	AO_TRY(ao_objective_free(obj, scratch, n, f));
	add_best(u, f, n, plan->narrow, k, chosen, chosen_f, taken);
	return AO_OK;
}

/* Optimise from the best starts, then from the others that are still promising. */
static AoStatus
follow(AoObjective *obj, double *chosen, const double *f, int taken, int max_rounds,
	   AoArena *arena, AoOptimum *best)
{
	size_t		k = (size_t) obj->shape->k;
	AoOptimum	other;
	double		f0;
	int			left = 0,
				first = ao_out_of_time(obj->deadline) ? 1 : taken < FIRST ? taken : FIRST;

	AO_TRY(ao_optimize(obj, chosen, first, max_rounds, HUGE_VAL, arena, best));
	memset(obj->white, 0, k * sizeof(double));
	AO_TRY(ao_objective(obj, obj->white, 1, &f0, NULL, NULL));
	if (!(best->f <= f0))
	{
		/* nothing better than white noise could be evaluated */
		memset(best->u, 0, k * sizeof(double));
		best->f = f0;
		best->converged = false;
		best->admissible = true;
	}
	for (int i = first; i < taken; i++)
		if (promising(f[i], best->f, f0))
			memmove(chosen + k * (size_t) left++, chosen + k * (size_t) i, k * sizeof(double));
	if (left == 0 || ao_out_of_time(obj->deadline))
		return AO_OK;
	AO_TRY(ao_optimize(obj, chosen, left, max_rounds, best->f, arena, &other));
	other.iterations += best->iterations;
	if (other.f < best->f)
		*best = other;
	best->iterations = other.iterations;
	return AO_OK;
}

/* Does a pass over the series cost much? */
static bool
is_dear(const AoObjective *obj)
{
	return obj->pass[0].n * obj->shape->r >= DEAR;
}

/* How near to the optimum it has to be, and in how many rounds. */
static int
set_precision(AoObjective *obj, AoEffort effort)
{
	bool		quick = effort == AO_QUICK || effort == AO_NEARBY;

	obj->enough = quick ? QUICK_GAIN : 0;
	obj->one_sided = effort == AO_NEARBY || (quick && is_dear(obj));
	return quick ? QUICK_ROUNDS : ENDLESS;
}

/* The optimum, if the search has not ended in one, and each of its parameters on the edge, from where
 * no gradient leads away, drawn in: there may be another optimum just inside.  starts: [AGAIN][k]. */
static int
last_starts(const AoShape *shape, const AoOptimum *best, double *starts)
{
	int			k = shape->k,
				n = 0;
	size_t		size = (size_t) k * sizeof(double);

	if (!best->converged)
		memcpy(starts + k * n++, best->u, size);
	for (int i = 0; i < k && n < AGAIN; i++)
		if (fabs(best->u[i]) > ao_free_edge(shape, i))
		{
			memcpy(starts + k * n, best->u, size);
			starts[k * n++ + i] = copysign(NEXT_TO_EDGE, best->u[i]);
		}
	return n;
}

/*
 * Once more from the optimum, and from where that leads to: where the last steps have come to
 * nothing a new look at the surface often leads on.  What ends half-way is taken for its value,
 * but not in place of an optimum that is as good.
 */
static AoStatus
search_again(AoObjective *obj, double *starts, AoArena *arena, AoOptimum *best)
{
	size_t		size = (size_t) obj->shape->k * sizeof(double);
	AoOptimum	at = *best;
	int			n = last_starts(obj->shape, best, starts),
				iterations = best->iterations;

	for (int look = 0; look < LOOKS && n > 0 && !ao_out_of_time(obj->deadline); look++)
	{
		AoOptimum	next;

		AO_TRY(ao_optimize(obj, starts, n, ENDLESS, HUGE_VAL, arena, &next));
		iterations += next.iterations;
		n = next.f < at.f && !next.converged;
		if (next.f < at.f || (next.f == at.f && next.converged))
			at = next;
		memcpy(starts, at.u, size);
	}
	if (at.converged || !best->converged || at.f < best->f - HARDLY)
		*best = at;
	best->iterations = iterations;
	return AO_OK;
}

/* Search from everywhere, and from `given` (unbounded parameters) unless it is NULL. */
static AoStatus
search_widely(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
			  AoOptimum *best)
{
	const AoShape *shape = obj->shape;
	size_t		k = (size_t) shape->k;
	Plan		plan = make_plan(shape, effort, obj->pass[0].n * shape->r < CHEAP,
								 !obj->conditional && ao_ladder_serves(obj));
	size_t		n = most_points(&plan),
				kept = most_chosen(&plan);
	double	   *u = ao_arena_take(arena, n * k, sizeof(double)),
			   *scratch = ao_arena_take(arena, n * k, sizeof(double)),
			   *f = ao_arena_take(arena, n, sizeof(double)),
			   *chosen = ao_arena_take(arena, kept * k, sizeof(double)),
			   *chosen_f = ao_arena_take(arena, kept, sizeof(double)),
			   *work = ao_arena_take(arena, work_size(shape, &plan), sizeof(double));
	int			taken,
				looked_at;

	AO_TRY(conditional_stage(obj, &plan, u, scratch, f, work, chosen, chosen_f, &taken,
							 arena));
	memcpy(u, chosen, (size_t) taken * k * sizeof(double));
	if (ao_out_of_time(obj->deadline))
		plan.exact = plan.circle = plan.narrow = 0;
	else
		AO_TRY(exact_candidates(obj, &plan, work, u + (size_t) taken * k));
	looked_at = taken + plan.exact + plan.circle;
	/* a neighbour to start from: one other start is enough where each costs much */
	if (given && effort == AO_QUICK && (obj->conditional || is_dear(obj)))
		plan.followed = 1;
	AO_TRY(screen(obj, u, looked_at, scratch, f, plan.followed, chosen, chosen_f, &taken));
	if (given)
	{
		memcpy(scratch, given, k * sizeof(double));
		AO_TRY(ao_objective_free(obj, scratch, 1, f));
		if (isfinite(f[0]))
			insert_chosen(given, f[0], k, chosen, chosen_f, &taken);
	}
	AO_TRY(spectral_stage(obj, &plan, u, scratch, f, work, chosen, chosen_f, &taken));
	if (taken == 0)
	{
		memset(chosen, 0, k * sizeof(double));
		taken = 1;
	}
	AO_TRY(follow(obj, chosen, chosen_f, taken, set_precision(obj, effort), arena, best));
	if (!plan.ladder)
		return AO_OK;
	AO_TRY(ao_ladder(obj, plan.high, ENDLESS, arena, best));
	return search_again(obj, scratch, arena, best);
}

/*
 * Where an optimum of other values leads to: to its own neighbourhood, and if it is at the edge
 * of what is admissible, which no gradient leads away from, to where the same a good way inside
 * and white noise do.  starts[3][k]; how many.
 */
static int
warm_starts(const AoShape *shape, const double *given, double *starts)
{
	int			k = shape->k;
	bool		edge = false;

	memcpy(starts, given, (size_t) k * sizeof(double));
	for (int i = 0; i < k; i++)
	{
		edge = edge || fabs(given[i]) > ao_free_edge(shape, i);
		starts[k + i] = fmin(fmax(given[i], -INSIDE), INSIDE);
		starts[2 * k + i] = 0;
	}
	return edge ? 3 : 1;
}

/* With gaps a point is dear: the shape of the surface comes from the series with its gaps filled,
 * and saves most of the steps that would find it out. */
static AoStatus
find_metric(AoObjective *obj, const double *u, AoArena *arena)
{
	int			k = obj->shape->k;
	size_t		used = arena->used;
	double	   *H = ao_arena_take(arena, (size_t) (k * k), sizeof(double)),
			   *work = ao_arena_take(arena, ao_metric_work(k), sizeof(double));
	bool		ok;

	obj->filled = true;
	AO_TRY(ao_metric(obj, u, work, H, &ok));
	obj->filled = false;
	if (ok)
		obj->metric = H;
	else
		arena->used = used;
	return AO_OK;
}

/* Search next to `given`. */
static AoStatus
search_nearby(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena, AoOptimum *best)
{
	size_t		k = (size_t) obj->shape->k;
	double	   *starts = ao_arena_take(arena, 3 * k, sizeof(double));
	int			n = 1;

	if (given && effort == AO_WARM)
		n = warm_starts(obj->shape, given, starts);
	else if (given)
		memcpy(starts, given, k * sizeof(double));
	if (given && k > 0 && effort == AO_LOCAL && obj->columns && !obj->conditional)
		AO_TRY(find_metric(obj, given, arena));
	AO_TRY(ao_optimize(obj, starts, n, set_precision(obj, effort), HUGE_VAL, arena, best));
	obj->metric = NULL;
	return AO_OK;
}

/* Search from `given` (unbounded parameters) alone, or as widely as `effort` says. */
AoStatus
ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
		  AoOptimum *best)
{
	size_t		k = (size_t) obj->shape->k;
	size_t		used = arena->used;

	if (k == 0 || (given && effort >= AO_NEARBY))
	{
		AO_TRY(search_nearby(obj, given, effort, arena, best));
		/* a start without a likelihood on this series is no start */
		if (k == 0 || isfinite(best->f))
			return AO_OK;
		arena->used = used;
		effort = effort == AO_NEARBY ? AO_QUICK : AO_THOROUGH;
	}
	return search_widely(obj, given, effort, arena, best);
}

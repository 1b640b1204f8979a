/*
 * test_ladder.c
 *		What the ladder of searches says of itself where its time is over: it has converged only
 *		where it is in an optimum of the model itself, and not in one of a smaller model.  And
 *		where it is not over, the last look around an optimum ends in one.
 *
 * The linker (see the Makefile) replaces the search by the ladder alone, from white noise, and
 * the clock by a number of questions that it still answers with no.
 */
#include "unit.h"
#include "candidates.h"
#include "internal.h"
#include "model_internal.h"

#define N 120
#define LONGER 140
#define PLENTY 1000000			/* of questions */

static long questions;			/* until the time is over */
static bool climbing;			/* is the ladder the search? */

bool		__wrap_ao_out_of_time(double deadline);
AoStatus	__real_ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
							 AoOptimum *best);
AoStatus	__wrap_ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
							 AoOptimum *best);

bool
__wrap_ao_out_of_time(double deadline)
{
	return deadline > 0 && questions-- <= 0;
}

AoStatus
__wrap_ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena, AoOptimum *best)
{
	size_t		k = (size_t) obj->shape->k;

	if (!climbing)
		return __real_ao_search(obj, given, effort, arena, best);
	*best = (AoOptimum) {.u = ao_arena_take(arena, k, sizeof(double)), .admissible = true};
	memset(best->u, 0, k * sizeof(double));
	AO_TRY(ao_objective(obj, best->u, 1, &best->f, NULL, NULL));
	return ao_ladder(obj, false, 400, arena, best);
}

/* The model of y that the ladder, or an optimiser next to its coefficients, finds. */
static AoModel *
fit(const double *y, const double *coef, AoEnv *env)
{
	AoSpec		spec = {.p = 3, .q = 3, .m = 1};
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true};
	AoFitTask	task = {.y = y, .n = N, .options = &options, .effort = coef ? AO_LOCAL : AO_THOROUGH,
		.given_coef = coef, .deadline = coef ? 0 : 1};
	AoModel    *model;

	climbing = coef == NULL;
	if (ao_fit_task(&task, &spec, env, &model) != AO_OK)
		abort();
	return model;
}

/* Random walks whose optimum has a parameter close to the edge, from inside of which a search
 * comes somewhat higher and to no end. */
static void
test_last_look(void)
{
	static const struct
	{
		const char *spec;
		int			seed;
	} cases[] = {{"(1,1,1)(2,1,1)[4]", 7}, {"(2,1,2)(0,0,2)[4]", 51}};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true};

	climbing = false;
	for (int i = 0; i < 2; i++)
	{
		uint64_t	state = (uint64_t) cases[i].seed * 977 + 13;
		double		y[LONGER],
					level = 0;
		AoSpec		spec;
		AoModel    *model;

		for (int t = 0; t < LONGER; t++)
			y[t] = level += unit_noise(&state);
		if (ao_spec_parse(cases[i].spec, strlen(cases[i].spec), &spec, &env) != AO_OK ||
			ao_fit(y, LONGER, NULL, 0, &spec, &options, &env, &model) != AO_OK)
			abort();
		UNIT_CHECK(!(model->remarks & AO_REMARK_NOT_CONVERGED), "%s of a random walk: converged", cases[i].spec);
		env.free(env.arg, model);
	}
}

int
main(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	uint64_t	state = 4;
	double		y[N] = {0, 0};
	long		all;
	int			smaller = 0,
				wrong = 0;
	AoModel    *whole;

	for (int t = 2; t < N; t++)
		y[t] = 1.4 * y[t - 1] - 0.8 * y[t - 2] + unit_noise(&state);
	questions = PLENTY;
	whole = fit(y, NULL, &env);
	all = PLENTY - questions;
	UNIT_CHECK(!(whole->remarks & AO_REMARK_NOT_CONVERGED) && all > 40, "with time for %ld questions: converged", all);
	for (long at = 0; at < all; at++)
	{
		AoModel    *cut,
				   *next;

		questions = at;
		cut = fit(y, NULL, &env);
		next = fit(y, ao_model_coef(cut), &env);
		smaller += ao_model_coef(cut)[0] != 0 && ao_model_coef(cut)[2] == 0;
		wrong += !(cut->remarks & AO_REMARK_NOT_CONVERGED) && next->loglik > cut->loglik + 1e-4;
		env.free(env.arg, cut);
		env.free(env.arg, next);
	}
	UNIT_CHECK(smaller > 10, "%d times it ends with a smaller model", smaller);
	UNIT_CHECK(wrong == 0, "%d times it says that it has converged, and has not", wrong);
	env.free(env.arg, whole);
	UNIT_CHECK(memory.live == 0 && memory.most <= 4, "nothing is left behind");
	test_last_look();
	return unit_done();
}

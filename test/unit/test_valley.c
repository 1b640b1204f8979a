/*
 * test_valley.c
 *		ARMA(1,1), by season too, of white noise and of random walks: the AR and the MA root nearly cancel, and there
 *		are optima all along the valley where they do.  The estimate is the best of those that
 *		searches from all along it find.
 */
#include "unit.h"

#include "internal.h"

#define N 140
#define SERIES 60

/* The best log-likelihood of local searches on either side of the valley. */
static double
best_along(const AoSpec *spec, const double *y, const AoFitOptions *options, AoEnv *env)
{
	double		best = -HUGE_VAL;

	for (int i = -8; i <= 8; i++)
		for (int side = -1; side <= 1; side += 2)
		{
			double		u[2] = {0.3 * i + 0.1 * side, 0.3 * i - 0.1 * side};
			AoFitTask	task = {.y = y, .n = N, .options = options, .effort = AO_LOCAL, .given = u};
			AoModel    *model;

			if (ao_fit_task(&task, spec, env, &model) != AO_OK)
				abort();
			best = fmax(best, model->loglik);
			env->free(env->arg, model);
		}
	return best;
}

/* With every so many value missing, if any. */
static void
test_valley(const char *text, int every)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true};
	AoSpec		spec;
	double		y[N],
				worst = 0;
	int			missed = 0,
				count = unit_small() ? 3 : SERIES;

	if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK)
		abort();
	for (int i = 0; i < count; i++)
	{
		uint64_t	state = (uint64_t) i * 977 + 13;
		double		level = 0,
					behind;
		AoModel    *model;

		for (int t = -20; t < N; t++)
		{
			double		e = unit_noise(&state) + unit_noise(&state) + unit_noise(&state);

			level = spec.d ? level + e : e;
			if (t >= 0)
				y[t] = every > 0 && t % every == 3 ? NAN : level;
		}
		if (ao_fit(y, N, NULL, 0, &spec, &options, &env, &model) != AO_OK)
			abort();
		behind = best_along(&spec, y, &options, &env) - model->loglik;
		env.free(env.arg, model);
		missed += !(behind < 1e-3);
		worst = unit_worse(worst, behind);
	}
	UNIT_CHECK(missed == 0, "%s, every %d. missing: %d of %d series miss the best optimum, by %.3f at most", text, every,
			   missed, count, worst);
	UNIT_CHECK(memory.live == 0, "nothing is left behind");
}

int
main(void)
{
	test_valley("(1,1,1)", 0);
	test_valley("(1,0,1) with mean", 0);
	test_valley("(1,0,1) without constant", 0);
	test_valley("(0,1,0)(1,0,1)[4]", 0);
	test_valley("(1,1,1)", 17);
	return unit_done();
}

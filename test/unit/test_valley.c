/*
 * test_valley.c
 *		ARMA(1,1), by season too and beside other roots, of white noise and of random walks:
 *		the AR and the MA root nearly cancel, and there are optima all along the valley
 *		where they do.  The estimate is the best of those that searches from all along
 *		it find.
 */
#include "unit.h"

#include "internal.h"

#define N 140
#define SERIES 60

/* Free parameters of other parts: none of them, a usual one, and one on the circle. */
static const double others[] = {0, 1.2, 8};

#define N_OTHERS ((int) (sizeof(others) / sizeof(others[0])))

/* The best log-likelihood of local searches on either side of the valley of parameters ar and ma. */
static double
best_along(const AoSpec *spec, int ar, int ma, const double *y, const AoFitOptions *options, AoEnv *env)
{
	int			k = spec->p + spec->q + spec->P + spec->Q,
				rest = k > 2 ? N_OTHERS : 1;
	double		best = -HUGE_VAL;

	for (int i = -8; i <= 8; i++)
		for (int side = -1; side <= 1; side += 2)
			for (int other = 0; other < rest; other++)
			{
				double		u[6];
				AoFitTask	task = {.y = y, .n = N, .options = options, .effort = AO_LOCAL, .given = u};
				AoModel    *model;

				for (int j = 0; j < k; j++)
					u[j] = others[other];
				u[ar] = 0.3 * i + 0.1 * side;
				u[ma] = 0.3 * i - 0.1 * side;
				if (ao_fit_task(&task, spec, env, &model) != AO_OK)
					abort();
				best = fmax(best, model->loglik);
				env->free(env->arg, model);
			}
	return best;
}

/* Of parameters ar and ma; with every so many value missing, if any. */
static void
test_valley(const char *text, int ar, int ma, int every)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true};
	AoSpec		spec;
	double		y[N],
				worst = 0;
	int			missed = 0,
				count;

	if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK)
		abort();
	count = unit_small() ? 3 : spec.p + spec.q + spec.P + spec.Q > 2 ? SERIES / 3 : SERIES;
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
		behind = best_along(&spec, ar, ma, y, &options, &env) - model->loglik;
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
	test_valley("(1,1,1)", 0, 1, 0);
	test_valley("(1,0,1) with mean", 0, 1, 0);
	test_valley("(1,0,1) without constant", 0, 1, 0);
	test_valley("(0,1,0)(1,0,1)[4]", 0, 1, 0);
	test_valley("(1,1,1)", 0, 1, 17);
	test_valley("(1,1,1)(0,1,1)[4]", 0, 1, 0);
	test_valley("(0,1,1)(1,0,1)[4]", 1, 2, 0);
	test_valley("(1,1,1)(1,0,1)[12]", 2, 3, 0);
	return unit_done();
}

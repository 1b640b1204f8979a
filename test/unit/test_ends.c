/*
 * test_ends.c
 *		Values missing before the first that is known and after the last have no part in what
 *		is chosen and estimated.
 */
#include "unit.h"

#include "auto.h"
#include "internal.h"

#define MOST 40					/* missing at an end */
#define LONGEST (21 + 2 * MOST)
#define STEPS 4

/* A slope that begins and ends: which roots are refused hangs on how many values there are. */
static const double slope[] = {
	1.575, 1.228, 2.068, 1.889, 2.626, 4.782, 8.687, 14.197, 21.917, 31.887, 44.203, 57.271, 67.779,
	77.129, 84.877, 90.761, 94.350, 97.979, 98.137, 97.672, 98.796};

/* A season for STL, which values made up at the ends hide. */
static const double quarters[] = {
	-2.252, -1.346, -1.317, 0.584, -0.102, 0.185, 0.402, 0.629, -1.303, -0.975, -0.257, -0.044, -0.156};

static const struct Series
{
	const char *name;
	const double *y;
	int			n;
} all[] = {
	{"slope", slope, sizeof(slope) / sizeof(double)},
	{"quarters", quarters, sizeof(quarters) / sizeof(double)},
};

/* The series between so many missing values, into y; its length. */
static int
between(const struct Series *s, int before, int after, double *y)
{
	int			n = before + s->n + after;

	for (int i = 0; i < n; i++)
		y[i] = i < before || i >= before + s->n ? NAN : s->y[i - before];
	return n;
}

static bool
same_spec(const AoModel *a, const AoModel *b)
{
	AoSpec		x,
				y;

	ao_model_spec(a, &x);
	ao_model_spec(b, &y);
	return x.p == y.p && x.d == y.d && x.q == y.q && x.P == y.P && x.D == y.D && x.Q == y.Q &&
		x.constant == y.constant;
}

/* Largest difference of the forecasts of b from those of a, whose series ends `later` values
 * before, for the same times, in standard errors of a's first one. */
static double
apart(const AoModel *a, int later, const AoModel *b, AoEnv *env)
{
	AoForecast	fa[MOST + STEPS],
				fb[STEPS];
	double		most = 0;

	if (ao_forecast(a, later + STEPS, 0.95, NULL, 0, env, fa) != AO_OK ||
		ao_forecast(b, STEPS, 0.95, NULL, 0, env, fb) != AO_OK)
		return HUGE_VAL;
	for (int i = 0; i < STEPS; i++)
	{
		double		d = (fabs(fa[later + i].mean - fb[i].mean) +
						 fabs(fa[later + i].std_error - fb[i].std_error)) / fa[0].std_error;

		/* NaN is the worst */
		if (!(d <= most))
			most = isnan(d) ? HUGE_VAL : d;
	}
	return most;
}

/* The choice is that of the series without its ends. */
static void
test_choice(const struct Series *s, int before, int after)
{
	static const AoSpec any = {.is_auto = true, .m = 4};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	double		y[LONGEST];
	int			n = between(s, before, after, y);
	AoModel    *bare,
			   *model;

	if (ao_fit(s->y, s->n, NULL, 0, &any, &options, &env, &bare) != AO_OK ||
		ao_fit(y, n, NULL, 0, &any, &options, &env, &model) != AO_OK)
	{
		UNIT_CHECK(false, "%s, %d before, %d after: chosen", s->name, before, after);
		return;
	}
	UNIT_CHECK(same_spec(bare, model), "%s, %d before, %d after: the same model", s->name, before, after);
	UNIT_NEAR(model->loglik, bare->loglik, 1e-9, "%s, %d before, %d after: likelihood", s->name, before, after);
	UNIT_CHECK(apart(bare, after, model, &env) < 1e-6, "%s, %d before, %d after: forecasts", s->name, before, after);
	UNIT_CHECK(model->n == n && model->n_missing == before + after && model->n_used == bare->n_used,
			   "%s, %d before, %d after: counted", s->name, before, after);
	env.free(env.arg, bare);
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "nothing is left behind");
}

/* The estimate is that of the series without its end, to the last bit: the same filter makes it. */
static void
test_estimate(const char *text, AoMethod method, int k)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = method};
	AoSpec		spec;
	double		y[LONGEST],
				x[LONGEST];
	int			n = between(&all[0], 0, 5, y);
	AoModel    *bare,
			   *rolled,
			   *model;

	for (int i = 0; i < n; i++)
		x[i] = i * i % 7;
	if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK ||
		ao_fit(y, n - 5, k ? x : NULL, k, &spec, &options, &env, &bare) != AO_OK ||
		ao_append(bare, y + n - 5, 5, k ? x + n - 5 : NULL, k, &env, &rolled) != AO_OK ||
		ao_fit(y, n, k ? x : NULL, k, &spec, &options, &env, &model) != AO_OK)
	{
		UNIT_CHECK(false, "%s: fitted", text);
		return;
	}
	UNIT_CHECK(model->loglik == bare->loglik && model->sigma2 == bare->sigma2 &&
			   memcmp(ao_model_coef(model), ao_model_coef(bare),
					  (size_t) model->n_coef * sizeof(double)) == 0, "%s: the same estimate", text);
	UNIT_CHECK(ao_model_size(model) == ao_model_size(rolled) &&
			   memcmp(model, rolled, ao_model_size(model)) == 0, "%s: the model rolled to the end", text);
	env.free(env.arg, bare);
	env.free(env.arg, rolled);
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "nothing is left behind");
}

int
main(void)
{
	static const int lengths[] = {0, 1, 5, MOST};

	for (int s = 0; s < (int) (sizeof all / sizeof all[0]); s++)
		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++)
				test_choice(&all[s], lengths[i], lengths[j]);
	test_estimate("(1,1,1)", AO_ML, 0);
	test_estimate("(1,0,1) with mean", AO_CSS, 0);
	test_estimate("(0,1,1)(1,0,0)[4] with drift", AO_CSS_ML, 0);
	test_estimate("(0,1,1)", AO_ML, 1);
	return unit_done();
}

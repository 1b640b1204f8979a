/*
 * test_diagnostics.c
 *		Random numbers, sample paths, one-step errors and anomalies.
 */
#include "diagnostics.h"
#include "unit.h"

#define N 240
#define H 6
#define PATHS 20000

/* Noise in -1 .. 1, the same every time. */
static double
noise(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (int64_t) *state / 9223372036854775808.0;
}

/* A positive walk with memory and a season of four. */
static void
make_series(double *y, bool gaps)
{
	uint64_t	state = 5;
	double		step = 0,
				level = 80;

	for (int i = 0; i < N; i++)
	{
		step = 0.5 * step + noise(&state);
		level += step - 0.02 * (level - 80);
		y[i] = gaps && (i % 11 == 4 || i == N - 1) ? NAN : level + 2 * (i % 4 == 1) + noise(&state);
	}
}

static AoModel *
fit(const char *text, const double *y, const double *lambda, AoEnv *env)
{
	AoSpec		spec;
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model;

	if (lambda)
	{
		options.has_lambda = true;
		options.lambda = *lambda;
	}
	if (ao_spec_parse(text, strlen(text), &spec, env) != AO_OK ||
		ao_fit(y, N, NULL, 0, &spec, &options, env, &model) != AO_OK)
	{
		fprintf(stderr, "%s cannot be fitted\n", text);
		exit(EXIT_FAILURE);
	}
	return model;
}

/* The generator's published sequence, and its streams. */
static void
test_random(void)
{
	static const uint64_t want[] = {UINT64_C(41943041), UINT64_C(58720359), UINT64_C(3588806011781223), UINT64_C(3591011842654386)};
	AoRandom	random = {{1, 2, 3, 4}},
				other;
	double		sum = 0,
				square = 0,
				fourth = 0;
	int			same = 0;

	for (int i = 0; i < 4; i++)
		UNIT_CHECK(ao_random_bits(&random) == want[i], "xoshiro256++, number %d", i + 1);
	ao_random_seed(&random, 0, 0);
	/* splitmix64 of 0 begins so, and its sequence from there is the state */
	UNIT_CHECK(random.s[0] != 0 && random.s[0] != random.s[1], "a seed of zero is a seed");
	ao_random_seed(&random, 1, 0);
	ao_random_seed(&other, 1, 1);
	for (int i = 0; i < 1000; i++)
		same += ao_random_bits(&random) == ao_random_bits(&other);
	UNIT_CHECK(same == 0, "streams differ");
	ao_random_seed(&random, 42, 0);
	for (int i = 0; i < 1000000; i++)
	{
		double		z = ao_random_normal(&random);

		sum += z;
		square += z * z;
		fourth += z * z * z * z;
	}
	UNIT_NEAR(sum / 1e6, 0, 4e-3, "normal numbers: mean");
	UNIT_NEAR(square / 1e6, 1, 6e-3, "normal numbers: variance");
	UNIT_NEAR(fourth / 1e6, 3, 4e-2, "normal numbers: fourth moment");
}

/* Mean and standard deviation of many paths are those of the forecast. */
static void
test_moments(const char *text, bool gaps)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N],
				path[H],
				sum[H] = {0},
				square[H] = {0},
				worst_mean = 0,
				worst_variance = 0;
	AoModel    *model;
	AoSimulation *sim;
	AoForecast	forecast[H];

	make_series(y, gaps);
	model = fit(text, y, NULL, &env);
	if (ao_forecast(model, H, 0.9, NULL, 0, &env, forecast) != AO_OK ||
		ao_simulation_open(model, H, NULL, 0, 7, &env, &sim) != AO_OK)
	{
		UNIT_CHECK(false, "%s, gaps %d: simulation", text, gaps);
		return;
	}
	for (int i = 0; i < PATHS; i++)
	{
		if (ao_simulation_path(sim, i, &env, path) != AO_OK)
			exit(EXIT_FAILURE);
		for (int j = 0; j < H; j++)
		{
			double		z = (path[j] - forecast[j].mean) / forecast[j].std_error;

			sum[j] += z;
			square[j] += z * z;
		}
	}
	for (int j = 0; j < H; j++)
	{
		worst_mean = fmax(worst_mean, fabs(sum[j] / PATHS) * sqrt(PATHS));
		worst_variance = fmax(worst_variance, fabs(square[j] / PATHS - 1) * sqrt(PATHS / 2.0));
	}
	UNIT_CHECK(!gaps || model->has_state_cov, "%s: the state is uncertain after a gap", text);
	UNIT_CHECK(worst_mean < 4, "%s, gaps %d: mean of paths, %.1f standard errors off", text, gaps, worst_mean);
	UNIT_CHECK(worst_variance < 4, "%s, gaps %d: variance of paths, %.1f standard errors off", text, gaps, worst_variance);
	ao_simulation_close(sim, &env);
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "%s, gaps %d: everything is given back", text, gaps);
}

/* Lag-one autocorrelation of the differences of one long path. */
static double
path_correlation(const AoModel *model, AoEnv *env)
{
	static double path[AO_MAX_HORIZON];
	AoSimulation *sim;
	double		cross = 0,
				square = 0;

	if (ao_simulation_open(model, AO_MAX_HORIZON, NULL, 0, 3, env, &sim) != AO_OK ||
		ao_simulation_path(sim, 0, env, path) != AO_OK)
		exit(EXIT_FAILURE);
	for (int i = 2; i < AO_MAX_HORIZON; i++)
	{
		cross += (path[i] - path[i - 1]) * (path[i - 1] - path[i - 2]);
		square += (path[i] - path[i - 1]) * (path[i] - path[i - 1]);
	}
	ao_simulation_close(sim, env);
	return cross / square;
}

static void
test_correlation(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	AoModel    *model;

	make_series(y, false);
	model = fit("(1,1,0)", y, NULL, &env);
	ao_model_coef(model)[0] = 0.6;
	UNIT_NEAR(path_correlation(model, &env), 0.6, 0.012, "(1,1,0): autocorrelation of the steps is ar1");
	env.free(env.arg, model);
	model = fit("(0,1,1)", y, NULL, &env);
	ao_model_coef(model)[0] = -0.5;
	UNIT_NEAR(path_correlation(model, &env), -0.4, 0.012, "(0,1,1): autocorrelation of the steps is ma1/(1+ma1^2)");
	env.free(env.arg, model);
}

/* Seed and number alone decide on a path; Box-Cox keeps it positive. */
static void
test_paths(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	const double lambda = 0;
	double		y[N],
				a[40],
				b[20],
				smallest = HUGE_VAL;
	AoModel    *model,
			   *positive;
	AoSimulation *sim,
			   *again;

	make_series(y, true);
	model = fit("(1,1,1)", y, NULL, &env);
	positive = fit("(0,1,0)", y, &lambda, &env);
	if (ao_simulation_open(model, 40, NULL, 0, 9, &env, &sim) != AO_OK ||
		ao_simulation_open(model, 20, NULL, 0, 9, &env, &again) != AO_OK)
		exit(EXIT_FAILURE);
	ao_simulation_path(sim, 0, &env, a);
	ao_simulation_path(sim, 3, &env, a);
	ao_simulation_path(again, 3, &env, b);
	UNIT_CHECK(memcmp(a, b, sizeof(b)) == 0, "a path begins as a longer one of its number");
	ao_simulation_path(again, 4, &env, b);
	UNIT_CHECK(a[0] != b[0], "paths differ");
	ao_simulation_close(again, &env);
	ao_simulation_open(model, 20, NULL, 0, -9, &env, &again);
	ao_simulation_path(again, 3, &env, b);
	UNIT_CHECK(a[0] != b[0], "seeds differ");
	memory.polls = 0;
	memory.poll_limit = 1;
	UNIT_CHECK(ao_simulation_path(again, 3, &env, b) == AO_CANCELLED, "a path can be cancelled");
	memory.poll_limit = 0;
	ao_simulation_close(again, &env);
	ao_simulation_close(sim, &env);

	positive->sigma2 = 1;
	ao_simulation_open(positive, 40, NULL, 0, 1, &env, &sim);
	for (int i = 0; i < 100; i++)
	{
		ao_simulation_path(sim, i, &env, a);
		for (int j = 0; j < 40; j++)
			smallest = fmin(smallest, a[j]);
	}
	UNIT_CHECK(smallest > 0 && smallest < 10, "logarithms: wide but positive, down to %g", smallest);
	ao_simulation_close(sim, &env);
	UNIT_CHECK(ao_simulation_open(model, 0, NULL, 0, 1, &env, &sim) == AO_BAD_ARGUMENT, "no steps");
	UNIT_CHECK(ao_simulation_open(model, 2, y, 1, 1, &env, &sim) == AO_BAD_XREG, "regressors that the model has not");
	env.max_bytes = 64;
	UNIT_CHECK(ao_simulation_open(model, 2, NULL, 0, 1, &env, &sim) == AO_OVER_MEMORY_LIMIT, "memory limit");
	env.free(env.arg, model);
	env.free(env.arg, positive);
	UNIT_CHECK(memory.live == 0, "paths: everything is given back");
}

/* Errors and variances are those of forecasts from the values before. */
static void
test_one_step(const char *text, bool gaps)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N],
				e[N],
				f[N],
				worst_mean = 0,
				worst_variance = 0;
	AoModel    *model;
	int			compared = 0;

	make_series(y, gaps);
	model = fit(text, y, NULL, &env);
	if (ao_one_step_errors(model, y, N, NULL, 0, &env, e, f) != AO_OK)
		exit(EXIT_FAILURE);
	for (int t = 30; t < N; t += 7)
	{
		AoForecast	one;

		if (isnan(e[t]))
			continue;
		if (ao_forecast_recent(model, y, t, t, 1, 0.9, &env, &one) != AO_OK)
			exit(EXIT_FAILURE);
		compared++;
		worst_mean = fmax(worst_mean, fabs(y[t] - e[t] * sqrt(f[t]) - one.mean));
		worst_variance = fmax(worst_variance, fabs(f[t] * model->sigma2 / (one.std_error * one.std_error) - 1));
	}
	UNIT_CHECK(compared > 15, "%s, gaps %d: %d values", text, gaps, compared);
	UNIT_NEAR(worst_mean, 0, 1e-7, "%s, gaps %d: one-step means", text, gaps);
	UNIT_NEAR(worst_variance, 0, 1e-7, "%s, gaps %d: one-step variances", text, gaps);
	env.free(env.arg, model);
}

/* Two AR roots and an MA root near the circle: the filter that serves there. */
static void
test_near_circle(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	uint64_t	state = 11;
	double		y[N],
				e[N],
				f[N],
				level = 8,
				worst = 0;
	AoModel    *model;

	for (int i = 0; i < N; i++)
	{
		level += 3e-4 + 0.01 * noise(&state);
		y[i] = level;
	}
	model = fit("(3,0,1) without constant", y, NULL, &env);
	if (ao_one_step_errors(model, y, N, NULL, 0, &env, e, f) != AO_OK)
		exit(EXIT_FAILURE);
	for (int t = 4; t < 60; t += 5)
	{
		AoForecast	one;

		if (ao_forecast_recent(model, y, t, AO_NO_TIME, 1, 0.9, &env, &one) != AO_OK)
			exit(EXIT_FAILURE);
		worst = fmax(worst, fabs(f[t] * model->sigma2 / (one.std_error * one.std_error) - 1));
	}
	UNIT_NEAR(worst, 0, 1e-6, "near the circle: one-step variances");
	env.free(env.arg, model);
}

/* Interval, probability and verdict say the same. */
static void
test_anomaly(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	const double lambda = 0.5;
	double		y[N];
	AoModel    *model,
			   *root;
	AoAnomaly	a;
	double		edge = 1.9599639845400542;
	const AoAhead one_step = {.step = 1, .spread = 1, .bias = 1};

	make_series(y, false);
	model = fit("(0,1,1)", y, NULL, &env);
	root = fit("(0,1,1)", y, &lambda, &env);
	model->sigma2 = root->sigma2 = 4;
	ao_anomaly(model, 10, 2 * edge, 2.25, one_step, 0.95, 100, &env, &a);
	UNIT_NEAR(a.probability, 0.95, 1e-14, "at the edge: probability");
	UNIT_NEAR(a.upper, 10, 1e-14, "at the edge: upper bound");
	UNIT_NEAR(a.upper - a.lower, 2 * edge * 3, 1e-14, "width of the interval");
	ao_anomaly(model, 10, 0, 1, one_step, 0.5, 100, &env, &a);
	UNIT_CHECK(a.probability == 0, "as forecast: no anomaly");
	ao_anomaly(root, 9, -2 * edge, 1, one_step, 0.95, 100, &env, &a);
	UNIT_NEAR(a.lower, 9, 1e-13, "Box-Cox: lower bound");
	UNIT_NEAR(a.upper, (3 + 2 * edge) * (3 + 2 * edge), 1e-13, "Box-Cox: upper bound");
	model->sigma2 = 0;
	ao_anomaly(model, 10, 1e-12, 1, one_step, 0.95, 100, &env, &a);
	UNIT_CHECK(a.probability == 0 && a.lower == 10 && a.upper == 10, "without noise rounding is no anomaly");
	ao_anomaly(model, 10, 1e-3, 1, one_step, 0.95, 100, &env, &a);
	UNIT_CHECK(a.probability == 1 && a.upper < 10, "without noise anything else is one");
	UNIT_CHECK(ao_anomaly(model, 10, 0, 1, one_step, 1, 1, &env, &a) == AO_BAD_ARGUMENT, "level 1");
	env.free(env.arg, model);
	env.free(env.arg, root);
}

/* Largest inverse roots: modulus and period of each part. */
static void
test_roots(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	AoModel    *model;
	AoRoot		roots[4];
	double	   *coef;

	make_series(y, false);
	model = fit("(2,0,1)(1,0,1)[4]", y, NULL, &env);
	coef = ao_model_coef(model);
	/* 1 - 2 0.9 cos(pi/6) B + 0.81 B^2; 1 - 0.7 B; 1 + 0.6 B^4; 1 + 0.4 B^4 */
	coef[0] = 1.8 * cos(acos(-1) / 6);
	coef[1] = -0.81;
	coef[2] = -0.7;
	coef[3] = -0.6;
	coef[4] = 0.4;
	UNIT_CHECK(ao_model_roots(model, &env, roots) == AO_OK, "roots");
	UNIT_NEAR(roots[0].modulus, 0.9, 1e-12, "a complex pair: modulus");
	UNIT_NEAR(roots[0].period, 12, 1e-12, "a complex pair: period");
	UNIT_NEAR(roots[1].modulus, 0.7, 1e-12, "MA: modulus");
	UNIT_CHECK(roots[1].period == 0, "a positive root has no cycle");
	UNIT_NEAR(roots[2].modulus, 0.6, 1e-12, "seasonal AR: modulus");
	UNIT_NEAR(roots[2].period, 2, 1e-12, "a negative root: two steps up and down");
	UNIT_NEAR(roots[3].modulus, 0.4, 1e-12, "seasonal MA: modulus");
	env.free(env.arg, model);
	model = fit("(0,1,0)", y, NULL, &env);
	UNIT_CHECK(ao_model_roots(model, &env, roots) == AO_OK && roots[0].modulus == 0 && roots[3].modulus == 0, "no terms, no roots");
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "roots: everything is given back");
}

int
main(void)
{
	static const char *const specs[] = {"(0,1,0)", "(1,0,1)", "(2,1,1) with drift", "(0,1,1)(0,1,1)[4]", "(1,2,2)",
	"(0,0,0)", "(1,0,0)(1,0,1)[4]"};

	test_random();
	for (int i = 0; i < (int) (sizeof(specs) / sizeof(specs[0])); i++)
	{
		test_moments(specs[i], false);
		test_one_step(specs[i], false);
		test_one_step(specs[i], true);
	}
	test_moments("(0,1,1)(0,1,1)[4]", true);
	test_moments("(1,1,1)", true);
	test_near_circle();
	test_correlation();
	test_paths();
	test_anomaly();
	test_roots();
	return unit_done();
}

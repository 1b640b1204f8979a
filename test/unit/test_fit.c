/*
 * test_fit.c
 *		Fits as a whole: the memory they take, cancelling them, and that the
 *		ways of filtering a series agree - the fast recursions, the Kalman
 *		filter, and rolling on by appending.
 */
#include "unit.h"

#define N 300
/* a series of many blocks of a pass */
#define LONG (unit_small() ? 1300 : 20000)

static const char *const specs[] = {
	"(1,1,1)", "(0,0,0)", "(3,0,2)", "(0,1,1)(0,1,1)[12]", "(1,0,1)(1,0,1)[7] with drift",
	"(2,1,0)(1,1,0)[4]", "(5,2,3)", "(3,2,4)", "(4,1,4)", "(1,4,1)", "(0,1,1)(0,1,2)[50]", "(10,0,10) without constant",
"(1,1,1) with drift"};

#define N_SPECS ((int) (sizeof(specs) / sizeof(specs[0])))

/* Specification i; the large ones smaller where that is asked for. */
static const char *
spec_text(int i)
{
	if (!unit_small())
		return specs[i];
	return strstr(specs[i], "[50]") ? "(0,1,1)(0,1,2)[10]" :
		strstr(specs[i], "(10,0,10)") ? "(5,0,5) without constant" : specs[i];
}

static AoSpec
spec_of(const char *text, AoEnv *env)
{
	AoSpec		spec;

	if (ao_spec_parse(text, strlen(text), &spec, env) != AO_OK)
		abort();
	return spec;
}

/* Noise in -1 .. 1, the same every time. */
static double
noise(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (int64_t) *state / 9223372036854775808.0;
}

/* A random walk with some memory; with gaps, every ninth value missing. */
static void
make_series(double *y, int n, bool gaps)
{
	uint64_t	state = 7;
	double		step = 0,
				level = 50;

	for (int i = 0; i < n; i++)
	{
		step = 0.4 * step + noise(&state);
		level += step;
		y[i] = gaps && i % 9 == 5 ? NAN : level + noise(&state);
	}
}

/* What a fit takes is what ao_fit_memory says, and that is bounded. */
static void
test_memory(const char *text, AoMethod method, bool gaps, int k)
{
	static double y[20000],
				x[N * 3];
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions options = {.method = method};
	AoModel    *model = NULL;
	uint64_t	state = 3;
	int			n = k ? N : LONG;
	int			missing = gaps ? (n + 3) / 9 : 0;
	size_t		said = ao_fit_memory(&spec, n, k, missing),
				few = missing > 400 ? 0 : (size_t) missing,
				r = (size_t) ao_model_state_dim(&spec),
				copies = 8 * (size_t) n * sizeof(double) * (size_t) (k + 1);
	AoStatus	status;

	make_series(y, n, gaps);
	for (int i = 0; i < n * k; i++)
		x[i] = noise(&state);
	status = ao_fit(y, n, k ? x : NULL, k, &spec, &options, &env, &model);
	UNIT_CHECK(status == AO_OK, "%s, method %d, gaps %d, %d regressors: fits", text, method, gaps, k);
	if (status != AO_OK)
		return;
	UNIT_CHECK(memory.peak <= said + 64 + ao_model_size(model), "%s: takes no more than it says", text);
	/* 5 MB for the lanes of the passes and the points of the search; columns of gaps */
	UNIT_CHECK(said <= copies + 700 * r * r + 16 * few * few + 64 * few * (r + 32) + ((size_t) 5 << 20),
			   "%s: bounded by copies and r squared", text);
	env.free(env.arg, model);
	env.max_bytes = said + 63;
	UNIT_CHECK(ao_fit(y, n, k ? x : NULL, k, &spec, &options, &env, &model) == AO_OVER_MEMORY_LIMIT &&
	   env.err.need == (int64_t) said + 64, "%s: a byte less is refused", text);
}

/* A cancelled fit gives everything back. */
static void
test_cancel(const char *text)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model;
	double		y[N];

	make_series(y, N, false);
	memory.poll_limit = 3;
	UNIT_CHECK(ao_fit(y, N, NULL, 0, &spec, &options, &env, &model) == AO_CANCELLED, "%s: cancelled", text);
	UNIT_CHECK(memory.live == 0, "%s: nothing left behind", text);
}

/* Forecasts after appending are those of one filter over everything. */
static void
test_append(const char *text, bool gaps)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model,
			   *longer;
	AoForecast	a[5],
				b[5];
	double		y[N],
				worst = 0;

	make_series(y, N, gaps);
	if (ao_fit(y, 200, NULL, 0, &spec, &options, &env, &model) != AO_OK ||
		ao_append(model, y + 200, N - 200, NULL, 0, &env, &longer) != AO_OK ||
		ao_forecast(longer, 5, 0.95, NULL, 0, &env, a) != AO_OK ||
		ao_forecast_recent(longer, y, N, AO_NO_TIME, 5, 0.95, &env, b) != AO_OK)
	{
		UNIT_CHECK(false, "%s, gaps %d: fit, append, forecast", text, gaps);
		return;
	}
	for (int i = 0; i < 5; i++)
	{
		worst = fmax(worst, fabs(a[i].mean / b[i].mean - 1));
		worst = fmax(worst, fabs(a[i].std_error / b[i].std_error - 1));
	}
	UNIT_NEAR(worst, 0, 1e-10, "%s, gaps %d: append is one filter", text, gaps);
	UNIT_CHECK(longer->n == N, "%s, gaps %d: append counts", text, gaps);
	UNIT_CHECK(memory.most <= 3, "%s, gaps %d: one workspace beside two models", text, gaps);
	env.free(env.arg, model);
	env.free(env.arg, longer);
}

/* A missing value after the end sends a series through the Kalman filter; the
 * residuals before it are those of the fast recursions. */
static void
test_filters_agree(const char *text)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model;
	double		y[N + 1],
				fast[N],
				slow[N + 1],
				worst = 0;

	make_series(y, N, false);
	y[N] = NAN;
	if (ao_fit(y, N, NULL, 0, &spec, &options, &env, &model) != AO_OK ||
		ao_residuals(model, y, N, NULL, 0, &env, fast) != AO_OK ||
		ao_residuals(model, y, N + 1, NULL, 0, &env, slow) != AO_OK)
	{
		UNIT_CHECK(false, "%s: fit, residuals", text);
		return;
	}
	for (int i = 0; i < N; i++)
		if (isnan(fast[i]) != isnan(slow[i]))
			worst = HUGE_VAL;
		else if (!isnan(fast[i]))
			worst = fmax(worst, fabs(fast[i] - slow[i]) / sqrt(model->sigma2));
	UNIT_NEAR(worst, 0, 1e-7, "%s: both filters agree", text);
	UNIT_CHECK(memory.most <= 2, "%s: one workspace beside the model", text);
	env.free(env.arg, model);
}

/* Two AR roots and an MA root near the circle, far from zero: the likelihood that the
 * fit maximised, the residuals and the state must still be of one piece. */
static void
test_near_circle(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(3,0,1) without constant", &env);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model;
	AoForecast	a[5],
				b[5];
	uint64_t	state = 11;
	double		y[N],
				e[N],
				level = 8,
				slope = 3e-4,
				sum = 0,
				worst = 0;

	for (int i = 0; i < N; i++)
	{
		level += slope + 0.01 * noise(&state);
		y[i] = level;
	}
	if (ao_fit(y, N, NULL, 0, &spec, &options, &env, &model) != AO_OK ||
		ao_residuals(model, y, N, NULL, 0, &env, e) != AO_OK ||
		ao_forecast(model, 5, 0.95, NULL, 0, &env, a) != AO_OK ||
		ao_forecast_recent(model, y, N, AO_NO_TIME, 5, 0.95, &env, b) != AO_OK)
	{
		UNIT_CHECK(false, "near the circle: fit, residuals, forecasts");
		return;
	}
	for (int i = 0; i < N; i++)
		sum += e[i] * e[i];
	for (int i = 0; i < 5; i++)
		worst = fmax(worst, fmax(fabs(a[i].mean / b[i].mean - 1),
								 fabs(a[i].std_error / b[i].std_error - 1)));
	UNIT_CHECK((model->remarks & AO_REMARK_AR_BOUNDARY) != 0, "near the circle: said so");
	UNIT_NEAR(sum / N / model->sigma2, 1, 1e-8, "near the circle: residuals have variance sigma2");
	UNIT_NEAR(worst, 0, 1e-9, "near the circle: state of the fit and of a filter are one");
	env.free(env.arg, model);
}

/* Squares, which two unit roots and a mean far away explain ever better: on the way to
 * there the fit goes no further than the digits of its sum of squares are good for. */
static void
test_runaway_mean(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(2,0,2)", &env);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model;
	double		y[50],
				e[50],
				sum = 0;

	for (int i = 0; i < 50; i++)
		y[i] = (i + 1) * (i + 1);
	if (ao_fit(y, 50, NULL, 0, &spec, &options, &env, &model) != AO_OK ||
		ao_residuals(model, y, 50, NULL, 0, &env, e) != AO_OK)
	{
		UNIT_CHECK(false, "squares: fit, residuals");
		return;
	}
	for (int i = 0; i < 50; i++)
		sum += e[i] * e[i];
	UNIT_CHECK((model->remarks & AO_REMARK_AR_BOUNDARY) != 0, "squares: near the circle, and said so");
	UNIT_NEAR(sum / 50 / model->sigma2, 1, 0.05, "squares: residuals have variance sigma2");
	env.free(env.arg, model);
}

/* What the model explains to the last digit has no variance, but coefficients. */
static void
test_nothing_left(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(1,0,0) without constant", &env);
	AoFitOptions options = {.method = AO_CSS};
	AoModel    *start,
			   *model;
	AoForecast	f[2];
	double		y[50];

	for (int i = 0; i < 50; i++)
		y[i] = pow(0.9, i);
	if (ao_fit(y, 50, NULL, 0, &spec, &options, &env, &start) != AO_OK)
		abort();
	ao_model_coef(start)[0] = 0.9;
	if (ao_refit(start, y, 50, NULL, 0, &env, &model) != AO_OK ||
		ao_forecast(model, 2, 0.95, NULL, 0, &env, f) != AO_OK)
	{
		UNIT_CHECK(false, "powers: refit, forecast");
		return;
	}
	UNIT_CHECK(model->remarks == AO_REMARK_DEGENERATE && model->sigma2 == 0 && isnan(model->loglik),
			   "powers: degenerate");
	UNIT_NEAR(ao_model_coef(model)[0], 0.9, 1e-9, "powers: coefficient");
	UNIT_NEAR(f[1].mean / y[49], 0.81, 1e-9, "powers: forecast goes on");
	UNIT_CHECK(f[1].std_error == 0, "powers: without error");
	UNIT_CHECK(ao_model_check(model, ao_model_size(model), &env) == AO_OK, "powers: a sound model");
	env.free(env.arg, start);
	env.free(env.arg, model);
}

/* Regressors that make NaN out of numbers must not pass for missing values: the
 * workspace is sized by what is missing. */
static void
test_infinite_regressors(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(0,1,1)(0,1,1)[24]", &env);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model;
	uint64_t	state = 5;
	double		y[N],
				x[2 * N],
				out[N];

	make_series(y, N, false);
	for (int i = 0; i < 2 * N; i++)
		x[i] = noise(&state);
	if (ao_fit(y, N, x, 2, &spec, &options, &env, &model) != AO_OK)
		abort();
	x[80] = HUGE_VAL;
	x[81] = -HUGE_VAL;
	UNIT_CHECK(ao_residuals(model, y, N, x, 2, &env, out) == AO_BAD_XREG, "infinite regressors");
	x[80] = x[81] = 1e200;
	ao_model_coef(model)[2] = 1e199;
	ao_model_coef(model)[3] = -1e199;
	UNIT_CHECK(ao_residuals(model, y, N, x, 2, &env, out) == AO_OUT_OF_SCALE, "regression overflows");
	env.free(env.arg, model);
}

/* Regressors so small that their coefficients overflow, in opposite directions: no model, by no
 * method, and small ones whose coefficients do not: a sound one. */
static void
test_tiny_regressors(void)
{
	static const AoMethod methods[] = {AO_ML, AO_CSS, AO_CSS_ML};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoModel    *model;
	double		y[N],
				x[2 * N];

	for (int i = 0; i < 12; i++)
	{
		AoFitOptions options = {.method = methods[i % 3]};
		AoSpec		spec = spec_of(i % 2 ? "(1,0,1)" : "(2,1,0)(0,1,1)[4]", &env);
		double		size = i < 6 ? 1e-300 : 1e-100;
		uint64_t	state = (uint64_t) i;

		for (int t = 0; t < N; t++)
		{
			x[2 * t] = size * noise(&state);
			x[2 * t + 1] = size * noise(&state);
			y[t] = (x[2 * t] - x[2 * t + 1]) / size * 1e40 + 1e40 * noise(&state);
		}
		if (i < 6)
			UNIT_CHECK(ao_fit(y, N, x, 2, &spec, &options, &env, &model) == AO_OUT_OF_SCALE,
					   "method %d: coefficients overflow", options.method);
		else if (ao_fit(y, N, x, 2, &spec, &options, &env, &model) == AO_OK)
		{
			UNIT_CHECK(ao_model_check(model, ao_model_size(model), &env) == AO_OK,
					   "method %d: large coefficients", options.method);
			env.free(env.arg, model);
		}
		else
			UNIT_CHECK(false, "method %d: large coefficients can be had", options.method);
		UNIT_CHECK(memory.live == 0, "nothing is left behind");
	}
}

/*
 * Refits from the estimate of a short beginning, which often is on the edge of what is admissible:
 * they come away from it.  Series w_t = e_t + 0.3 e_(t-1), integrated where the model is.
 */
static void
test_refit_from_edge(const char *text)
{
	enum
	{
		SERIES = 60, SHORT = 14, ALL = 90
	};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions options = {.method = AO_ML};
	int			edges = 0;
	double		worst = 0;

	for (int i = 0; i < SERIES; i++)
	{
		double		y[ALL],
					last = 0,
					level = 0;
		uint64_t	state = 1000 + (uint64_t) i * 7919;
		AoModel    *first = NULL,
				   *again = NULL,
				   *whole = NULL;

		for (int t = 0; t < ALL; t++)
		{
			double		e = noise(&state) + noise(&state),
						w = e + 0.3 * last;

			last = e;
			level += w;
			y[t] = spec.d > 0 ? level : w;
		}
		if (ao_fit(y, SHORT, NULL, 0, &spec, &options, &env, &first) != AO_OK ||
			ao_refit(first, y, ALL, NULL, 0, &env, &again) != AO_OK ||
			ao_fit(y, ALL, NULL, 0, &spec, &options, &env, &whole) != AO_OK)
			abort();
		edges += (first->remarks & (AO_REMARK_AR_BOUNDARY | AO_REMARK_MA_BOUNDARY)) != 0;
		worst = unit_worse(worst, whole->loglik - again->loglik);
		env.free(env.arg, first);
		env.free(env.arg, again);
		env.free(env.arg, whole);
	}
	UNIT_CHECK(edges >= 5, "%s: %d of the short series end on the edge", text, edges);
	UNIT_CHECK(worst < 1e-3, "%s: refits are at most %.1e below the fit of the whole", text, worst);
}

int
main(void)
{
	test_refit_from_edge("(0,0,1)");
	test_refit_from_edge("(0,1,1)");
	test_refit_from_edge("(0,1,2) with drift");
	test_infinite_regressors();
	test_tiny_regressors();
	test_near_circle();
	test_runaway_mean();
	test_nothing_left();
	for (int i = 0; i < N_SPECS; i++)
	{
		const char *text = spec_text(i);

		test_cancel(text);
		test_filters_agree(text);
		if (strstr(text, "drift") == NULL)
		{
			test_append(text, false);
			test_append(text, true);
		}
	}
	for (int gaps = 0; gaps < 2; gaps++)
		for (int i = 0; i < 4; i++)
		{
			test_memory(specs[i], AO_ML, gaps, 0);
			test_memory(specs[i], AO_ML, gaps, 3);
		}
	test_memory("(1,1,1)(0,1,1)[12]", AO_CSS_ML, false, 3);
	test_memory("(3,0,2)", AO_CSS, false, 0);
	test_memory(unit_small() ? "(8,0,8)" : "(20,0,20)", AO_CSS, false, 1);
	return unit_done();
}

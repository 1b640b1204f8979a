/*
 * test_polls.c
 *		How long the core works without looking whether it is to stop: by processor
 *		time, so that other work on the machine does not matter much.  What is left, the
 *		cache and the clock, is why the least of some repetitions counts.
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "auto.h"
#include "tests.h"
#include "unit.h"

#define REPEATS 3
#define LIMIT 0.020				/* s between two polls */
#define BUDGET (unit_small() ? 0.02 : 0.15)	/* s of work that are looked at */
#define N 1000000
#define WIDE 64

typedef struct Watch
{
	double		start,
				last,
				worst;
} Watch;

static double *y,
		   *gaps,				/* the same with every ninth missing */
		   *x;
static AoModel *plain,			/* fitted models */
		   *seasonal;

static double
cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void *
take(void *arg, size_t bytes)
{
	(void) arg;
	return malloc(bytes);
}

static void
give(void *arg, void *ptr)
{
	(void) arg;
	free(ptr);
}

/* Notes the time since the last one; ends the work after its budget. */
static int
look(void *arg)
{
	Watch	   *watch = arg;
	double		now = cpu_time();

	watch->worst = fmax(watch->worst, now - watch->last);
	watch->last = now;
	return now - watch->start > BUDGET;
}

typedef struct Work
{
	const char *name;
	const char *spec;			/* a fit of this, or .. */
	AoStatus	(*run) (AoEnv *env, const double *series);	/* .. something else */
	bool		gaps;
	int			n,
				k;
	AoMethod	method;
} Work;

static AoStatus
fit_of(const Work *work, AoEnv *env)
{
	AoSpec		spec;
	AoFitOptions options = {.method = work->method};
	AoModel    *model = NULL;
	AoStatus	status;

	if (ao_spec_parse(work->spec, strlen(work->spec), &spec, env) != AO_OK)
		abort();
	status = ao_fit(work->gaps ? gaps : y, work->n, work->k ? x : NULL, work->k, &spec, &options,
					env, &model);
	if (status == AO_OK)
		free(model);
	return status;
}

/* Longest time between two polls, the least of some runs. */
static double
longest(const Work *work, AoStatus *status)
{
	double		least = HUGE_VAL;

	for (int i = 0; i < REPEATS && least > LIMIT / 4; i++)
	{
		Watch		watch = {0};
		AoEnv		env = {.alloc = take, .free = give, .poll = look, .arg = &watch,
		.max_bytes = (size_t) 2 << 30};

		watch.start = watch.last = cpu_time();
		*status = work->run ? work->run(&env, work->gaps ? gaps : y) : fit_of(work, &env);
		if (*status == AO_OK)
			(void) look(&watch);
		least = fmin(least, watch.worst);
	}
	return least;
}

static AoStatus
residuals_of(const AoModel *model, AoEnv *env, const double *series, int n)
{
	double	   *out = malloc((size_t) n * sizeof(double));
	AoStatus	status = ao_residuals(model, series, n, NULL, 0, env, out);

	free(out);
	return status;
}

static AoStatus
residuals(AoEnv *env, const double *series)
{
	return residuals_of(plain, env, series, N);
}

static AoStatus
seasonal_residuals(AoEnv *env, const double *series)
{
	return residuals_of(seasonal, env, series, 20000);
}

static AoStatus
append_to(const AoModel *model, AoEnv *env, const double *series, int n)
{
	AoModel    *longer = NULL;
	AoStatus	status = ao_append(model, series, n, NULL, 0, env, &longer);

	if (status == AO_OK)
		free(longer);
	return status;
}

static AoStatus
append(AoEnv *env, const double *series)
{
	return append_to(plain, env, series, N);
}

static AoStatus
seasonal_append(AoEnv *env, const double *series)
{
	return append_to(seasonal, env, series, 20000);
}

static AoStatus
forecasts(AoEnv *env, const double *series)
{
	AoForecast *out = malloc(AO_MAX_HORIZON * sizeof(AoForecast));
	AoStatus	status = ao_forecast_recent(seasonal, series, 20000, AO_NO_TIME, AO_MAX_HORIZON, 0.95, env, out);

	free(out);
	return status;
}

static AoStatus
unit_root(AoEnv *env, const double *series)
{
	AoTest		test;

	return ao_test_adf(series, 30000, AO_TREND, 4000, env, &test);
}

static const Work works[] = {
	{"random walk with noise", "(1,1,1)", .n = N},
	{"random walk with gaps", "(1,1,1)", .n = N, .gaps = true},
	{"trend", "(1,1,1) with drift", .n = N},
	{"transient", "(0,4,0)", .n = N},
	{"orders of 13", "(13,0,13)", .n = 200000},
	{"orders of 100", "(100,0,100)", .n = 20000},
	{"orders of 100, gaps", "(100,0,100)", .n = 2000, .gaps = true},
	{"long season", "(1,0,1)(2,1,2)[366]", .n = 20000},
	{"long season, gaps", "(1,0,1)(2,1,2)[366]", .n = 20000, .gaps = true},
	{"long season, four differences, gaps", "(1,0,1)(2,4,2)[366]", .n = 5000, .gaps = true},
	{"levels alone, gaps", "(0,1,0)(0,4,0)[366]", .n = 5000, .gaps = true},
	{"long season with regressors", "(1,0,1)(1,1,1)[366]", .n = 20000, .k = WIDE},
	{"regressors", "(1,0,1)", .n = 20000, .k = WIDE},
	{"regressors, gaps", "(1,0,1)", .n = 20000, .k = WIDE, .gaps = true},
	{"Fourier terms", "(1,0,1)[366] with fourier(30)", .n = 100000},
	{"conditional", "(5,0,5)", .n = N, .method = AO_CSS},
	{"conditional, gaps", "(2,1,5)", .n = N, .gaps = true, .method = AO_CSS},
	{"conditional, then exact", "(1,0,1)(1,1,1)[24]", .n = 100000, .method = AO_CSS_ML},
	{"choice", "auto", .n = N},
	{"choice with a long season", "auto[365]", .n = 100000},
	{"choice with a season and gaps", "auto[52]", .n = 20000, .gaps = true},
	{"residuals", .run = residuals},
	{"residuals, gaps", .run = residuals, .gaps = true},
	{"residuals, long season", .run = seasonal_residuals},
	{"residuals, long season, gaps", .run = seasonal_residuals, .gaps = true},
	{"appending", .run = append},
	{"appending, gaps", .run = append, .gaps = true},
	{"appending, long season, gaps", .run = seasonal_append, .gaps = true},
	{"forecasts, long season", .run = forecasts},
	{"forecasts, long season, gaps", .run = forecasts, .gaps = true},
	{"a test with many lags", .run = unit_root}};

/* Series and models, all the same every time. */
static void
prepare(void)
{
	uint64_t	state = 7;
	double		level = 50,
				step = 0;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_CSS, .no_std_errors = true};
	AoSpec		spec;

	y = malloc(N * sizeof(double));
	gaps = malloc(N * sizeof(double));
	x = malloc(20000 * WIDE * sizeof(double));
	for (int i = 0; i < N; i++)
	{
		step = 0.4 * step + unit_noise(&state);
		level += step;
		y[i] = level + unit_noise(&state);
		gaps[i] = i % 9 == 5 ? NAN : y[i];
	}
	for (int i = 0; i < 20000 * WIDE; i++)
		x[i] = unit_noise(&state);
	if (ao_spec_parse("(1,1,1)(1,0,1)[24]", 18, &spec, &env) != AO_OK ||
		ao_fit(y, 500, NULL, 0, &spec, &options, &env, &plain) != AO_OK ||
		ao_spec_parse("(1,0,1)(2,1,2)[366]", 19, &spec, &env) != AO_OK ||
		ao_fit(y, 2500, NULL, 0, &spec, &options, &env, &seasonal) != AO_OK)
		abort();
}

int
main(void)
{
	prepare();
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
	{
		AoStatus	status;
		double		worst = longest(&works[i], &status);

		printf("# %-36s %6.2f ms\n", works[i].name, 1e3 * worst);
		UNIT_CHECK(status == AO_OK || status == AO_CANCELLED, "%s: status %d", works[i].name, (int) status);
		UNIT_CHECK(worst < (unit_small() ? 50 : 1) * LIMIT, "%s: time between two polls", works[i].name);
	}
	return unit_done();
}

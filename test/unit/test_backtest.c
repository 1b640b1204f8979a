/*
 * test_backtest.c
 *		Walk-forward validation against the same thing done step by step with
 *		ao_fit, ao_refit, ao_append and ao_forecast; what it leaves behind, and
 *		which arguments it refuses.
 */
#include "unit.h"

#include "backtest.h"
#include "track.h"

#define N 300
#define ROWS 4000

typedef struct Row
{
	int64_t		origin;
	int			step;
	double		actual;
	AoForecast	forecast;
} Row;

typedef struct Rows
{
	int			n;
	Row			row[ROWS];
} Rows;

static void
take_row(void *arg, int64_t origin, int step, double actual, const AoForecast *forecast)
{
	Rows	   *rows = arg;

	if (rows->n < ROWS)
		rows->row[rows->n] = (Row) {origin, step, actual, *forecast};
	rows->n++;
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

/* A positive series with memory, a season of four, and two regressors, one of which acts. */
static void
make_series(double *y, double *x, int n)
{
	uint64_t	state = 17;
	double		step = 0,
				level = 60;

	for (int i = 0; i < n; i++)
	{
		double		e = noise(&state);

		step = 0.5 * step + e;
		level += 0.3 * step;
		x[2 * i] = noise(&state);
		x[2 * i + 1] = noise(&state) + i % 7;
		y[i] = level + 2 * x[2 * i] + i % 4 + 0.5 * noise(&state);
	}
}

/* What a case asks for. */
typedef struct Case
{
	const char *name,
			   *spec;
	int			k;
	bool		has_lambda;
	int			lead,			/* missing values at the front */
				gap;			/* from this one on, every seventh is missing; 0 none */
	int			initial,
				step,
				refit_every,
				window,
				horizon;
	double		tolerance;		/* of forecasts, in standard errors */
	AoMethod	method;
} Case;

static const Case cases[] = {
	{"every origin", "(1,1,1)", 0, false, 0, 0, 230, 1, 1, 0, 1, 2e-3, AO_ML},
	{"three steps ahead", "(2,1,1)", 0, false, 0, 0, 230, 1, 1, 0, 3, 2e-3, AO_ML},
	{"with mean", "(2,0,0)", 0, false, 0, 0, 230, 1, 1, 0, 4, 2e-3, AO_ML},
	{"with drift", "(0,1,2) with drift", 0, false, 0, 0, 230, 2, 1, 0, 2, 2e-3, AO_ML},
	{"seasonal", "(0,1,1)(1,0,0)[4]", 0, false, 0, 0, 230, 1, 2, 0, 5, 2e-3, AO_ML},
	{"differences of seasons", "(1,0,0)(0,1,1)[4]", 0, false, 0, 0, 230, 3, 3, 0, 5, 2e-3, AO_ML},
	{"white noise", "(0,1,0)", 0, false, 0, 0, 230, 1, 1, 0, 3, 1e-9, AO_ML},
	{"mean alone", "(0,0,0)", 0, false, 0, 0, 230, 1, 1, 0, 3, 1e-9, AO_ML},
	{"regressors", "(1,1,1)", 2, false, 0, 0, 230, 1, 1, 0, 2, 2e-3, AO_ML},
	{"regressors and drift", "(1,0,0) with drift", 2, false, 0, 0, 230, 1, 4, 0, 2, 2e-3, AO_ML},
	{"Box-Cox", "(1,1,1)", 0, true, 0, 0, 230, 1, 1, 0, 2, 2e-3, AO_ML},
	{"missing at the front", "(1,0,1)", 0, false, 20, 0, 240, 1, 1, 0, 2, 2e-3, AO_ML},
	{"missing later", "(1,1,1)", 0, false, 0, 260, 250, 1, 1, 0, 2, 2e-3, AO_ML},
	{"missing throughout", "(1,1,1)", 0, false, 0, 40, 240, 5, 1, 0, 2, 1e-9, AO_ML},
	{"missing, regressors", "(1,0,0)", 2, false, 3, 255, 250, 2, 2, 0, 2, 2e-3, AO_ML},
	{"window", "(1,1,1)", 0, false, 0, 0, 230, 1, 1, 200, 2, 1e-5, AO_ML},
	{"window, regressors", "(0,1,1) with drift", 2, false, 0, 0, 230, 1, 5, 200, 2, 1e-5, AO_ML},
	{"once", "(1,1,1)", 0, false, 0, 0, 150, 1, 0, 0, 3, 1e-9, AO_ML},
	{"conditional", "(1,1,1)", 0, false, 0, 0, 240, 1, 1, 0, 1, 1e-9, AO_CSS},
	{"many parameters", "(3,1,3)", 0, false, 0, 0, 285, 1, 1, 0, 3, 5e-3, AO_ML},
	{"more than can be followed", "(6,1,3)", 0, false, 0, 0, 290, 1, 1, 0, 3, 1e-9, AO_ML}
};

static AoBacktest
backtest_of(const Case *c, const AoFitOptions *fit)
{
	return (AoBacktest) {
		.initial = c->initial, .step = c->step, .refit_every = c->refit_every, .window = c->window,
		.horizon = c->horizon, .level = 0.9, .fit = fit
	};
}

/* Model of an origin, by the functions that there are for each step; a new block. */
static AoModel *
model_by_steps(const Case *c, const AoModel *before, const double *y, const double *x, int origin,
			   int done, const AoFitOptions *fit, AoEnv *env)
{
	AoSpec		spec = spec_of(c->spec, env);
	int			from = c->window > 0 ? origin - c->window : 0,
				last = origin - c->step;
	const double *past = c->k > 0 ? x + from * c->k : NULL;
	AoModel    *model = NULL;
	AoStatus	status;

	if (done == 0)
		status = ao_fit(y + from, origin - from, past, c->k, &spec, fit, env, &model);
	else if (c->refit_every > 0 && done % c->refit_every == 0)
		status = ao_refit(before, y + from, origin - from, past, c->k, env, &model);
	else
		status = ao_append(before, y + last, c->step, c->k > 0 ? x + last * c->k : NULL, c->k, env,
						   &model);
	if (status != AO_OK)
		abort();
	return model;
}

/* Compares all rows; the largest deviation in standard errors. */
static double
compare(const Case *c, const Rows *rows, const double *y, const double *x, const AoFitOptions *fit,
		AoEnv *env)
{
	AoModel    *model = NULL;
	double		worst = 0;
	int			at = 0;

	for (int origin = c->initial, done = 0; origin < N; origin += c->step, done++)
	{
		AoModel    *next = model_by_steps(c, model, y, x, origin, done, fit, env);
		AoForecast	f[8];
		int			h = c->horizon < N - origin ? c->horizon : N - origin;

		env->free(env->arg, model);
		model = next;
		if (ao_forecast(model, h, 0.9, c->k > 0 ? x + origin * c->k : NULL, c->k, env, f) != AO_OK)
			abort();
		for (int j = 0; j < h; j++, at++)
		{
			const Row  *row = &rows->row[at];
			double		actual = y[origin + j];

			if (at >= rows->n || row->origin != origin || row->step != j + 1 ||
				!(row->actual == actual || (isnan(actual) && isnan(row->actual))))
				return HUGE_VAL;
			worst = fmax(worst, fabs(row->forecast.mean - f[j].mean) / f[j].std_error);
			worst = fmax(worst, fabs(row->forecast.lower - f[j].lower) / f[j].std_error);
			worst = fmax(worst, fabs(row->forecast.std_error / f[j].std_error - 1));
		}
	}
	env->free(env->arg, model);
	return at == rows->n ? worst : HUGE_VAL;
}

static void
test_case(const Case *c)
{
	static Rows rows;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(c->spec, &env);
	AoFitOptions fit = {.method = c->method, .has_lambda = c->has_lambda, .lambda = 0.3};
	AoBacktest	how = backtest_of(c, &fit);
	double		y[N],
				x[2 * N];

	make_series(y, x, N);
	for (int i = 0; i < c->lead; i++)
		y[i] = NAN;
	for (int i = c->gap; c->gap > 0 && i < N; i += 7)
		y[i] = NAN;
	rows.n = 0;
	UNIT_CHECK(ao_backtest(y, N, c->k > 0 ? x : NULL, c->k, &spec, &how, &env, take_row, &rows) == AO_OK,
			   "%s: runs", c->name);
	UNIT_CHECK(memory.live == 0, "%s: nothing left behind", c->name);
	UNIT_NEAR(compare(c, &rows, y, x, &fit, &env), 0, c->tolerance, "%s: as step by step", c->name);
	UNIT_CHECK(memory.live == 0, "%s: nothing left behind by the steps", c->name);
}

/* Wherever it is stopped, by a cancel or for want of memory, it gives everything back. */
static void
test_stopped(const Case *c)
{
	static Rows rows;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(c->spec, &env);
	AoFitOptions fit = {.method = c->method};
	AoBacktest	how = backtest_of(c, &fit);
	double		y[N],
				x[2 * N];
	long		polls,
				allocs;

	make_series(y, x, N);
	if (ao_backtest(y, N, NULL, 0, &spec, &how, &env, take_row, &rows) != AO_OK)
		abort();
	polls = memory.polls;
	allocs = memory.allocs;
	for (int i = 1; i < 20; i++)
	{
		env = unit_env(&memory);
		memory.poll_limit = 1 + polls * i / 20;
		UNIT_CHECK(ao_backtest(y, N, NULL, 0, &spec, &how, &env, take_row, &rows) == AO_CANCELLED &&
				   memory.live == 0, "%s: cancelled after %ld polls", c->name, memory.poll_limit);
		env = unit_env(&memory);
		memory.alloc_limit = allocs * i / 20;
		UNIT_CHECK(ao_backtest(y, N, NULL, 0, &spec, &how, &env, take_row, &rows) == AO_NO_MEMORY &&
				   memory.live == 0, "%s: no memory after %ld blocks", c->name, memory.alloc_limit);
	}
}

/* The optimum is followed, and not given up for a fit, where nothing is in the way; a new set of
 * points is the exception. */
static void
test_followed(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(2,0,1)", &env);
	AoFitOptions fit = {.method = AO_ML};
	AoModel    *model;
	AoTrack		track;
	double		y[N],
				x[2 * N],
				coef[AO_TRACK_MAX_K];
	int			followed = 0,
				placed = 0;

	make_series(y, x, N);
	if (ao_fit(y, 200, NULL, 0, &spec, &fit, &env, &model) != AO_OK ||
		ao_track_open(&track, model, y, 201, N, NULL, false, &env) != AO_OK)
		abort();
	for (int n = 201; n <= N; n++)
	{
		double		before = track.centre[0];
		bool		found;

		if (ao_track_optimum(&track, n, coef, &found) != AO_OK)
			abort();
		followed += found;
		placed += track.centre[0] != before;
	}
	UNIT_CHECK(followed == N - 200, "optimum followed at %d origins", followed);
	UNIT_CHECK(placed > 0 && placed < 50, "points placed %d times", placed);
	ao_track_close(&track);
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "track: nothing left behind");
}

/* The parameters of a model given: its own forecasts at its origin, appended after it. */
static void
test_given(bool gaps)
{
	static Rows rows;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(2,1,1)", &env);
	AoFitOptions fit = {.method = AO_ML};
	AoBacktest	how = {.initial = 200, .step = 1, .horizon = 2, .level = 0.9, .fit = &fit};
	AoModel    *model;
	double		y[N],
				x[2 * N],
				worst = 0;

	make_series(y, x, N);
	for (int i = 5; gaps && i < N; i += 9)
		y[i] = NAN;
	if (ao_fit(y, 200, NULL, 0, &spec, &fit, &env, &model) != AO_OK)
		abort();
	how.model = model;
	rows.n = 0;
	UNIT_CHECK(ao_backtest(y, N, NULL, 0, NULL, &how, &env, take_row, &rows) == AO_OK && rows.n == 199,
			   "model given, gaps %d: runs", gaps);
	for (int i = 0; i < 100; i++)
	{
		AoForecast	f[2];
		AoModel    *longer;

		if (ao_append(model, y + 200, i, NULL, 0, &env, &longer) != AO_OK ||
			ao_forecast(longer, 2, 0.9, NULL, 0, &env, f) != AO_OK)
			abort();
		worst = fmax(worst, fabs(rows.row[2 * i].forecast.mean - f[0].mean) / f[0].std_error);
		worst = fmax(worst, fabs(rows.row[2 * i].forecast.std_error / f[0].std_error - 1));
		env.free(env.arg, longer);
	}
	env.free(env.arg, model);
	UNIT_NEAR(worst, 0, 1e-9, "model given, gaps %d: its parameters throughout", gaps);
	UNIT_CHECK(memory.live == 0, "model given, gaps %d: nothing left behind", gaps);
}

/* Status of a backtest of the series with one argument changed. */
static AoStatus
status_with(int n, AoBacktest how, const char *text)
{
	static Rows rows;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions fit = {.method = AO_ML};
	double		y[N],
				x[2 * N];
	AoStatus	status;

	make_series(y, x, N);
	how.fit = &fit;
	status = ao_backtest(y, n, NULL, 0, &spec, &how, &env, take_row, &rows);
	UNIT_CHECK(memory.live == 0 && (status != AO_BAD_ARGUMENT || env.err.what != NULL),
			   "arguments: nothing left behind, a reason given");
	return status;
}

static void
test_arguments(void)
{
	const AoBacktest good = {.initial = 50, .step = 1, .refit_every = 0, .horizon = 1, .level = 0.9};
	AoBacktest	how;

#define REFUSED(what, expected) \
	do { \
		how = good; \
		how.what; \
		UNIT_CHECK(status_with(N, how, "(1,1,1)") == (expected), "arguments: %s", #what); \
	} while (0)

	REFUSED(initial = 50, AO_OK);
	REFUSED(initial = 0, AO_BAD_ARGUMENT);
	REFUSED(initial = N, AO_BAD_ARGUMENT);
	REFUSED(initial = N - 1, AO_OK);
	REFUSED(initial = 3, AO_TOO_FEW_VALUES);
	REFUSED(step = 0, AO_BAD_ARGUMENT);
	REFUSED(step = INT32_MAX, AO_OK);
	REFUSED(refit_every = -1, AO_BAD_ARGUMENT);
	REFUSED(refit_every = INT32_MAX, AO_OK);
	REFUSED(window = -1, AO_BAD_ARGUMENT);
	REFUSED(window = 2, AO_TOO_FEW_VALUES);
	REFUSED(window = INT32_MAX, AO_OK);
	REFUSED(horizon = 0, AO_BAD_ARGUMENT);
	REFUSED(horizon = AO_MAX_HORIZON, AO_OK);
	REFUSED(horizon = AO_MAX_HORIZON + 1, AO_BAD_ARGUMENT);
	REFUSED(level = 1, AO_BAD_ARGUMENT);
	REFUSED(level = NAN, AO_BAD_ARGUMENT);
#undef REFUSED
	UNIT_CHECK(status_with(0, good, "(1,1,1)") == AO_BAD_ARGUMENT, "arguments: no values");
}

/* Series that a model has little to say about, and values that no model can take. */
static void
test_hostile(void)
{
	static Rows rows;
	const char *const names[] = {"constant", "zero, then values", "all but five missing after the first 40",
	"jump of 1e15", "infinity"};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of("(1,0,1)", &env);
	AoFitOptions fit = {.method = AO_ML};
	double		y[N],
				x[2 * N];

	for (int i = 0; i < 5; i++)
		for (int window = 0; window <= 30; window += 30)
		{
			AoBacktest	how = {.initial = 40, .step = 1, .refit_every = 1, .window = window, .horizon = 2,
			.level = 0.9, .fit = &fit};
			AoStatus	status;
			bool		finite = true;

			make_series(y, x, N);
			for (int t = 0; t < N; t++)
				y[t] = i == 0 ? 5 : i == 1 && t < 60 ? 0 : i == 2 && t >= 40 && t % 50 ? NAN :
					i == 3 && t >= 100 ? y[t] + 1e15 : i == 4 && t == 100 ? HUGE_VAL : y[t];
			rows.n = 0;
			status = ao_backtest(y, N, NULL, 0, &spec, &how, &env, take_row, &rows);
			for (int r = 0; r < rows.n; r++)
				finite = finite && isfinite(rows.row[r].forecast.mean) && rows.row[r].forecast.std_error >= 0;
			UNIT_CHECK(status == (i == 4 ? AO_NOT_FINITE : AO_OK), "%s, window %d: status %d", names[i], window,
					   status);
			UNIT_CHECK(finite && (i == 4 || rows.n == 2 * (N - 40) - 1), "%s, window %d: rows", names[i], window);
			UNIT_CHECK(memory.live == 0, "%s, window %d: nothing left behind", names[i], window);
		}
}

/* Mean forecasts that differ by more than `tolerance`, or are of other rows; of those from `least` on. */
static int
count_other(const Rows *got, const Rows *want, int64_t least, double tolerance)
{
	int			other = got->n != want->n;

	for (int i = 0; i < got->n && i < want->n; i++)
		if (want->row[i].origin >= least)
			other += got->row[i].origin != want->row[i].origin ||
				!(fabs(got->row[i].forecast.mean - want->row[i].forecast.mean) <= tolerance);
	return other;
}

/* A line, a wave, and one of every other time: what a forecast of it is depends on the time alone. */
static double
line_and_wave(int t)
{
	return 3 + 0.25 * t + 2 * sin(t * 0.5235987755982988) + (t % 2 == 0 ? 0.8 : -0.8);
}

/* Model of line_and_wave at the times from .. from + n - 1, with that little noise that a fit needs. */
static AoModel *
fit_wave(const char *text, int from, int n, AoEnv *env)
{
	AoSpec		spec = spec_of(text, env);
	AoFitOptions fit = {.method = AO_ML};
	uint64_t	state = 5;
	AoModel    *model;
	double		y[N];

	for (int i = 0; i < n; i++)
		y[i] = line_and_wave(from + i) + 0.01 * noise(&state);
	if (ao_fit(y, n, NULL, 0, &spec, &fit, env, &model) != AO_OK)
		abort();
	return model;
}

/* A model given knows its time, wherever in it the series begins and whatever the window is. */
static void
test_time_of_given(const char *text)
{
	static Rows rows,
				want;
	const int	offsets[] = {0, 7, 61, -7, -40};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoModel    *model = fit_wave(text, 1, 80, &env),
			   *shifted = env.alloc(env.arg, ao_model_size(model));
	AoFitOptions fit = {.method = AO_ML};
	double		y[N];

	for (int i = 0; i < 5; i++)
		for (int window = 0; window <= 10; window += 10)
		{
			AoBacktest	how = {.initial = 30, .step = 3, .window = window, .horizon = 4, .level = 0.9, .fit = &fit,
			.model = shifted};

			memcpy(shifted, model, ao_model_size(model));
			ao_model_shift(shifted, offsets[i]);
			for (int t = 0; t < N; t++)
				y[t] = line_and_wave(offsets[i] + t + 1);
			rows.n = want.n = 0;
			if (ao_backtest(y, N, NULL, 0, NULL, &how, &env, take_row, &rows) != AO_OK)
				abort();
			want = rows;
			for (int r = 0; r < rows.n; r++)
				want.row[r].forecast.mean = rows.row[r].actual;
			UNIT_CHECK(rows.n > 300 && count_other(&rows, &want, 0, 0.5) == 0 && shifted->estimated_to == 80 - offsets[i], "%s: %d values later, window %d", text, offsets[i], window);
		}
	env.free(env.arg, model);
	env.free(env.arg, shifted);
}

/* A window that could not be estimated leaves the model in its time. */
static void
test_time_of_window(const char *text)
{
	static Rows rows,
				want;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = spec_of(text, &env);
	AoFitOptions fit = {.method = AO_ML};
	AoBacktest	how = {.initial = 60, .step = 1, .refit_every = 1, .window = 30, .horizon = 1, .level = 0.9, .fit = &fit};
	uint64_t	state = 9;
	double		y[150];

	for (int t = 0; t < 150; t++)
		y[t] = t >= 80 && t < 108 ? NAN : line_and_wave(t) + 0.01 * noise(&state);
	rows.n = 0;
	UNIT_CHECK(ao_backtest(y, 150, NULL, 0, &spec, &how, &env, take_row, &rows) == AO_OK, "%s: runs", text);
	want = rows;
	for (int r = 0; r < rows.n; r++)
		want.row[r].forecast.mean = line_and_wave((int) rows.row[r].origin);
	UNIT_CHECK(rows.n == 90 && count_other(&rows, &want, 0, 1.5) == 0, "%s: windows of gaps", text);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_case(&cases[i]);
	test_stopped(&cases[0]);
	test_stopped(&cases[1]);
	test_stopped(&cases[4]);
	test_stopped(&cases[15]);
	test_followed();
	test_given(false);
	test_given(true);
	test_arguments();
	test_hostile();
	test_time_of_given("(0,0,0)[12] with fourier(6) with drift");
	test_time_of_given("(1,0,0)[12] with fourier(6) with drift");
	test_time_of_window("(0,0,0)[12] with fourier(6) with drift");
	test_time_of_window("(1,0,0)[12] with fourier(6) with drift");
	return unit_done();
}

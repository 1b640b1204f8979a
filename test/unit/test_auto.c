/*
 * test_auto.c
 *		Automatic choice of the model: no worse than R's on the reference series, its
 *		bounds, and a usable model of whatever series comes.
 */
#include "choice.h"
#include "internal.h"
#include "read_series.h"
#include "tests.h"

/* Series of test/data/reference; AICc of forecast::auto.arima 8.20 by default, and with
 * stepwise = FALSE, approximation = FALSE (NaN: not run, or it takes other differences).
 * Of DAX it takes second differences, which have twice the variance of the first. */
static const struct Reference
{
	const char *series;
	int m;
	double stepwise,
		full;
} references[] = {
	{"AirPassengers", 12, 1018.16516544, 1018.16516544},
	{"log_AirPassengers", 12, -483.210084816, -483.210084816},
	{"Nile", 1, 1267.50739513, 1267.50739513},
	{"LakeHuron", 1, 220.257864676, 213.506051817},
	{"lh", 1, 65.3037793202, 63.9907941722},
	{"WWWusage", 1, 514.552103153, 512.419515952},
	{"presidents", 4, 839.344485366, 836.155553026},
	{"DAX", 1, NAN, NAN},
	{"log_DAX", 1, -11733.2014862, NAN},
	{"USAccDeaths", 12, 857.316350743, 857.316350743},
	{"lynx", 1, 1876.95249687, 1875.00684186},
	{"log10_lynx", 1, -19.8962290396, -17.9084951386},
};

#define N_REFERENCES ((int) (sizeof(references) / sizeof(references[0])))

/* AICc of the model chosen for a series; NaN where there is none. */
static double
aicc_of_choice(const double *y, int64_t n, int m, bool stepwise)
{
	Choice c;
	double aic,
		aicc = NAN,
		bic;

	choice_begin(&c);
	c.bounds.stepwise = stepwise;
	if (!choice_make(&c, y, n, m))
		return NAN;
	ao_model_criteria(c.model, &aic, &aicc, &bic);
	UNIT_CHECK(choice_end(&c), "nothing is left behind");
	return aicc;
}

/* On every series no worse than R's stepwise choice, and than its full one where every model is tried. */
static void
test_against_r(void)
{
	for (int i = 0; i < N_REFERENCES; i++)
	{
		const struct Reference *ref = &references[i];
		static ReadSeries series;
		double aicc;

		read_series(&series, ref->series);
		aicc = aicc_of_choice(series.y, series.n, ref->m, true);
		if (isnan(ref->stepwise))
			UNIT_CHECK(aicc < HUGE_VAL, "%s: AICc %.3f of other differences", ref->series, aicc);
		else
			UNIT_CHECK(aicc <= ref->stepwise + 0.01, "%s: AICc %.3f, R %.3f", ref->series, aicc,
					   ref->stepwise);
		if (isnan(ref->full))
			continue;
		aicc = aicc_of_choice(series.y, series.n, ref->m, false);
		UNIT_CHECK(aicc <= ref->full + 0.01, "%s, every model tried: AICc %.3f, R %.3f", ref->series, aicc, ref->full);
	}
}

/* Differences of the model chosen for a series, and of the KPSS test alone. */
static void
check_differences(const char *name, const double *y, int64_t n, int want_test, int want)
{
	Choice c;
	int d = -1,
		tried[3] = {0};

	choice_begin(&c);
	UNIT_CHECK(ao_ndiffs(y, n, 0.05, 2, &c.env, &d) == AO_OK && d == want_test, "%s: KPSS says %d", name, d);
	if (!choice_make(&c, y, n, 1))
	{
		UNIT_CHECK(false, "%s: chosen", name);
		return;
	}
	for (int i = 0; i < c.count; i++)
		tried[c.list[i].spec.d]++;
	UNIT_CHECK(tried[1] > 4 && tried[2] > 4, "%s: both were tried", name);
	UNIT_CHECK(c.model->d == want, "%s: %d differences", name, c.model->d);
	(void) choice_end(&c);
}

/* A second difference is taken where it leaves much less, and not of share prices, nor where it
 * leaves less, but the criterion is not for it by 10: of the first 40 values of the same sum. */
static void
test_second_difference(void)
{
	static ReadSeries series;
	double y[120],
		slope = 0;
	uint64_t state = 11;

	read_series(&series, "DAX");
	check_differences("DAX", series.y, series.n, 2, 1);
	y[0] = 0;
	for (int i = 1; i < 120; i++)
	{
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		slope += (double) (state >> 11) * 0x1p-53 - 0.5;
		y[i] = y[i - 1] + slope;
	}
	check_differences("a sum of sums", y, 120, 2, 2);
	check_differences("the first 40 of it", y, 40, 2, 1);
}

/* A season that does not change is an MA root on the circle, and no reason to refuse a
 * model; the same of the plain MA part is. */
static void
test_refused_roots(void)
{
	AoShape shape = {.spec = {.q = 1, .Q = 1, .m = 12}};
	const double seasonal[2] = {-0.5, -1},
				 plain[2] = {-1, -0.5};
	const double near_one = 0.94,
				 both_near_one[2] = {1.85, -0.855};
	const AoGuard guard = {.root = 1.01, .at_one = 0.2};

	UNIT_CHECK(ao_roots_beyond(&shape, seasonal, guard), "a seasonal MA root on the circle");
	UNIT_CHECK(!ao_roots_beyond(&shape, plain, guard), "an MA root on the circle");
	shape.spec = (AoSpec) {.p = 1, .d = 1, .m = 1};
	UNIT_CHECK(ao_roots_beyond(&shape, &near_one, guard), "changes that go on and fade");
	shape.spec.d = 2;
	UNIT_CHECK(!ao_roots_beyond(&shape, &near_one, guard), "a third difference in disguise");
	shape.spec = (AoSpec) {.p = 2, .d = 1, .m = 1};
	UNIT_CHECK(!ao_roots_beyond(&shape, both_near_one, guard), "two in disguise after one");
	shape.spec.d = 0;
	UNIT_CHECK(ao_roots_beyond(&shape, both_near_one, guard), "two in disguise after none");
}

/* The rule of Hyndman & Khandakar: each of the four parts has to keep the distance, the seasonal
 * ones by the root of their own. */
static void
test_strict_roots(void)
{
	static const struct
	{
		double coef[4];
		bool beyond;
	} cases[] = {
		{{0.5, 0.5, 0.88, 0.88}, true},
		{{0.995, 0.5, 0.5, 0.5}, false},
		{{0.5, 0.995, 0.5, 0.5}, false},
		{{0.5, 0.5, 0.9, 0.5}, false},
		{{0.5, 0.5, 0.5, -0.9}, false},
		{{NAN, 0.5, 0.5, 0.5}, false},
	};
	AoShape shape = {.spec = {.p = 1, .q = 1, .P = 1, .Q = 1, .m = 12}};

	/* 1.01^-12 is 0.887 */
	for (int i = 0; i < (int) (sizeof cases / sizeof cases[0]); i++)
		UNIT_CHECK(ao_expanded_roots_beyond(&shape, cases[i].coef, 1.01) == cases[i].beyond, "strict roots, case %d", i);
	shape.spec.m = 4;
	UNIT_CHECK(ao_expanded_roots_beyond(&shape, cases[3].coef, 1.01), "a seasonal root of four quarters is nearer");
}

/* What was chosen keeps the distance, wherever the last estimate has gone. */
static void
test_chosen_keeps_distance(void)
{
	static ReadSeries series;

	read_series(&series, "USAccDeaths");
	for (int64_t n = 24; n <= series.n; n++)
	{
		AoShape shape = {.k = 0};
		Choice c;

		choice_begin(&c);
		if (!choice_make(&c, series.y, n, 1))
			continue;
		ao_model_spec(c.model, &shape.spec);
		UNIT_CHECK(ao_roots_beyond(&shape, ao_model_coef(c.model), (AoGuard) {.root = 1.01}), "n %d: roots of the choice", (int) n);
		(void) choice_end(&c);
	}
}

/* The candidates are all there, and budgets end the search. */
static void
test_candidates(void)
{
	Choice c;
	int chosen = 0,
		better = 0;
	static ReadSeries series;
	AoSpec spec;

	read_series(&series, "USAccDeaths");
	choice_begin(&c);
	if (!choice_make(&c, series.y, series.n, 12))
	{
		UNIT_CHECK(false, "choice for USAccDeaths");
		return;
	}
	ao_model_spec(c.model, &spec);
	for (int i = 0; i < c.count; i++)
		if (c.list[i].chosen)
		{
			chosen++;
			UNIT_CHECK(c.list[i].spec.p == spec.p && c.list[i].spec.Q == spec.Q, "the model is the one chosen");
			for (int j = 0; j < c.count; j++)
				better += c.list[j].criterion < c.list[i].criterion - 1e-9;
		}
	UNIT_CHECK(c.count > 8 && chosen == 1 && better == 0, "%d candidates, one chosen, none better", c.count);
	UNIT_CHECK((c.model->remarks & AO_REMARK_BUDGET) == 0, "no budget was spent");
	for (int i = 0; i < c.count; i++)
		UNIT_CHECK((c.list[i].criterion == HUGE_VAL) == (c.list[i].reason != NULL),
				   "candidate %d: a reason where it cannot be chosen", i);

	c.bounds.max_models = 3;
	UNIT_CHECK(choice_make(&c, series.y, series.n, 12) && c.count == 3 && (c.model->remarks & AO_REMARK_BUDGET),
			   "three models and no more");
	c.bounds = ao_auto_defaults;
	c.bounds.time_budget_ms = 1e-6;
	UNIT_CHECK(choice_make(&c, series.y, series.n, 12) && c.count == 1 && (c.model->remarks & AO_REMARK_BUDGET),
			   "no time but for one");
	UNIT_CHECK(choice_end(&c), "candidates: nothing left behind");
	c.bounds = ao_auto_defaults;
	c.bounds.max_p = AO_AUTO_MAX_P + 1;
	UNIT_CHECK(ao_choose(series.y, series.n, NULL, 0, 12, &c.options, &c.env, NULL, NULL, NULL) == AO_BAD_ARGUMENT,
			   "a bound out of bounds");
}

/* A series of n values by kind; some of them are missing from n/3 on. */
static void
make_series(int kind, int n, double *y)
{
	uint64_t state = 7;

	for (int i = 0; i < n; i++)
	{
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		double u = (double) (state >> 11) * 0x1p-53 - 0.5;

		switch (kind)
		{
			case 0:
				y[i] = 5;
				break;
			case 1:
				y[i] = 3 + 0.5 * i;
				break;
			case 2:
				y[i] = i % 17 == 3 ? 1 + u : 0;
				break; /* sparse */
			case 3:
				y[i] = i > n / 3 && i % 2 ? NAN : 10 + u;
				break;
			case 4:
				y[i] = i % 12 + u;
				break;
			case 5:
				y[i] = (i % 2 ? 1 : -1) * 1e140;
				break;
			case 6:
				y[i] = i == n / 2 ? 1e12 : u;
				break;
			case 7:
				y[i] = i * (double) i;
				break;
			default:
				y[i] = (i > 0 ? y[i - 1] : 0) + u;
		}
	}
}

/* Always a model that forecasts, or one error that says what is missing. */
static void
test_whatever(int kind, int n, int m)
{
	UnitMemory memory;
	AoEnv env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoModel *model;
	AoForecast forecast[3];
	AoStatus status;
	double y[200];
	int known = 0;

	make_series(kind, n, y);
	for (int i = 0; i < n; i++)
		known += !isnan(y[i]);
	status = ao_choose(y, n, NULL, 0, m, &options, &env, &model, NULL, NULL);
	if (status == AO_OK)
	{
		status = ao_forecast(model, 3, 0.95, NULL, 0, &env, forecast);
		UNIT_CHECK(status == AO_OK && isfinite(forecast[2].mean) && forecast[2].std_error >= 0,
				   "series %d, n %d, m %d: forecasts", kind, n, m);
		env.free(env.arg, model);
	}
	else
		UNIT_CHECK((status == AO_OUT_OF_SCALE && kind == 5) || (status == AO_TOO_FEW_VALUES && known == 1),
				   "series %d, n %d, m %d: status %d, %s", kind, n, m, status, env.err.what);
	UNIT_CHECK(memory.live == 0, "series %d, n %d, m %d: nothing left behind", kind, n, m);
}

/* What the simplest model explains without an error, gaps hide from no one: a line, and one beside a
 * season, of which n + 1 is forecast. */
static void
test_exact_with_gaps(int n, int m, bool season)
{
	UnitMemory memory;
	AoEnv env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoModel *model = NULL;
	AoForecast next;
	double y[100];

	for (int i = 0; i <= n; i++)
		y[i] = 3 + 2.0 * i + (season ? 40 - 10.0 * (i % m * (i % m) % 7) : 0);
	double last = y[n];

	for (int i = 4; i < n - 2; i += 11)
		y[i] = NAN;
	UNIT_CHECK(ao_choose(y, n, NULL, 0, m, &options, &env, &model, NULL, NULL) == AO_OK &&
				   ao_forecast(model, 1, 0.95, NULL, 0, &env, &next) == AO_OK,
			   "line with gaps, n %d, m %d: a model", n, m);
	UNIT_CHECK(model && (model->remarks & AO_REMARK_DEGENERATE), "line with gaps, n %d, m %d: exact", n, m);
	UNIT_NEAR(next.mean, last, 1e-9 * last, "line with gaps, n %d, m %d: goes on", n, m);
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "line with gaps, n %d, m %d: nothing left behind", n, m);
}

/* Each search has one block, beside those of an estimate and three models, where it fills gaps, too. */
static void
test_blocks(void)
{
	static const double y[] = {-16, -13.25, -10.5, -7.75, -22.75, -38.625, -50.25, -66.125, NAN};
	UnitMemory memory;
	AoEnv env = unit_env(&memory);
	AoAutoOptions bounds = ao_auto_defaults;
	AoFitOptions options = {.method = AO_ML, .choice = &bounds};
	AoModel *model = NULL;

	bounds.max_q = bounds.max_P = bounds.max_D = 0;
	UNIT_CHECK(ao_choose(y, 9, NULL, 0, 5, &options, &env, &model, NULL, NULL) == AO_OK, "a gap and two searches");
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0 && memory.most == 6, "a gap and two searches: %ld blocks", memory.most);
}

/* Cancelled, it gives everything back. */
static void
test_cancel(void)
{
	UnitMemory memory;
	AoEnv env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoModel *model;
	double y[150];

	make_series(4, 150, y);
	memory.poll_limit = 40;
	UNIT_CHECK(ao_choose(y, 150, NULL, 0, 12, &options, &env, &model, NULL, NULL) == AO_CANCELLED,
			   "cancelled");
	UNIT_CHECK(memory.live == 0, "cancelled: nothing left behind");
}

/* A long smooth season becomes Fourier terms; stopped anywhere on the way, nothing is left. */
static void
test_long_season(void)
{
	UnitMemory memory;
	AoEnv env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoModel *model = NULL;
	double y[160];
	long polls,
		allocs;
	int kept = 0;

	make_series(8, 160, y);
	for (int i = 0; i < 160; i++)
		y[i] += 30 * sin(6.283185307179586 * i / 52);
	UNIT_CHECK(ao_choose(y, 160, NULL, 0, 52, &options, &env, &model, NULL, NULL) == AO_OK &&
				   model->K > 0 && model->D == 0 && model->P + model->Q == 0,
			   "a smooth season of 52: Fourier terms");
	env.free(env.arg, model);
	polls = memory.polls;
	allocs = memory.allocs;
	for (int i = 1; i < 12; i++)
	{
		env = unit_env(&memory);
		if (i % 2)
			memory.poll_limit = polls * i / 12;
		else
			memory.alloc_limit = allocs * i / 12;
		kept += ao_choose(y, 160, NULL, 0, 52, &options, &env, &model, NULL, NULL) !=
			(i % 2 ? AO_CANCELLED : AO_NO_MEMORY);
		kept += memory.live != 0;
	}
	UNIT_CHECK(kept == 0, "stopped at eleven places: the status says so, nothing left behind");
}

/* Nearly normal, with variance one: four uniform numbers. */
static double
noise(uint64_t *state)
{
	double sum = 0;

	for (int i = 0; i < 4; i++)
	{
		*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		sum += (double) (*state >> 11) * 0x1p-53 - 0.5;
	}
	return sum * sqrt(3);
}

/* Models of a series with a season of 52 that have Fourier terms; and the choice. */
static int
fourier_models(const double *y, int64_t n, AoSpec *spec)
{
	Choice c;
	int found = 0;

	*spec = (AoSpec) {.K = -1};
	choice_begin(&c);
	if (!choice_make(&c, y, n, 52))
		return 0;
	ao_model_spec(c.model, spec);
	for (int i = 0; i < c.count; i++)
		found += c.list[i].spec.K > 0;
	(void) choice_end(&c);
	return found;
}

/* The number of pairs is found where the models that look for it have a root near the
 * circle, too; and where no number of them will do, the orders are not looked for. */
static void
test_pairs(void)
{
	double pattern[52],
		y[300],
		last = 0;
	uint64_t state = 6;
	AoSpec spec;
	int tried;

	for (int i = 0; i < 52; i++)
		pattern[i] = 6 * noise(&state);
	for (int i = 0; i < 300; i++)
	{
		last = 0.6 * last + noise(&state);
		y[i] = 100 + 0.05 * i + 8 * sin(6.283185307179586 * i / 52) + 3 * cos(12.566370614359172 * i / 52) + last;
	}
	(void) fourier_models(y, 300, &spec);
	UNIT_CHECK(spec.K == 2, "a season of two pairs: %d", spec.K);
	for (int i = 0; i < 300; i++)
		y[i] = 200 + pattern[i % 52] + noise(&state) + 0.1 * i;
	tried = fourier_models(y, 300, &spec);
	UNIT_CHECK(spec.K == 0 && spec.D == 1 && tried >= 10 && tried <= 15,
			   "a season of 52 values: the seasonal model, after %d with Fourier terms", tried);
}

/* y[n]: a random walk whose mean change is so many standard errors. */
static void
walk_with_drift(double *y, int n, double errors)
{
	uint64_t state = 3;
	double mean = 0,
		squares = 0;

	y[0] = 0;
	for (int i = 1; i < n; i++)
	{
		y[i] = noise(&state);
		mean += y[i] / (n - 1);
		squares += y[i] * y[i];
	}
	squares -= (n - 1) * mean * mean;
	for (int i = 1; i < n; i++)
		y[i] += y[i - 1] - mean + errors * sqrt(squares / ((n - 1.0) * (n - 2.0)));
}

/* Of the models tried, those with one difference and no drift. */
static int
count_without_drift(const Choice *c)
{
	int found = 0;

	for (int i = 0; i < c->count; i++)
		found += c->list[i].spec.d == 1 && c->list[i].spec.constant == AO_CONSTANT_NONE;
	return found;
}

/* Models tried for a random walk whose mean change is so many standard errors, and those of them
 * without a drift. */
static int
without_drift(int n, int m, double errors, int *tried)
{
	Choice c;
	double y[40];
	int found;

	*tried = 0;
	walk_with_drift(y, n, errors);
	choice_begin(&c);
	if (!choice_make(&c, y, n, m))
		return -1;
	*tried = c.count;
	found = count_without_drift(&c);
	UNIT_CHECK(c.model->d == 1 && (errors < 2 || c.model->constant == AO_CONSTANT_DRIFT),
			   "%d values, drift %g standard errors: %d differences", n, errors, c.model->d);
	(void) choice_end(&c);
	return found;
}

/* Every second value of a walk, of one that has no drift and of one that has: of known neighbours
 * there are none. */
static void
test_drift_with_gaps(void)
{
	for (int i = 0; i < 2; i++)
	{
		Choice c;
		double y[29];
		int without,
			d = 0;

		walk_with_drift(y, 29, i == 0 ? 0.5 : 9);
		for (int t = 1; t < 29; t += 2)
			y[t] = NAN;
		choice_begin(&c);
		if (choice_make(&c, y, 29, 1))
			d = c.model->d;
		without = count_without_drift(&c);
		UNIT_CHECK(d == 1 && (without > 0) == (i == 0), "every second value, drift %d: %d models without", i, without);
		(void) choice_end(&c);
	}
}

/* Short series without a season get a drift with their difference, if it is more than noise; others
 * where it pays. */
static void
test_drift_of_short_series(void)
{
	int tried;

	UNIT_CHECK(without_drift(6, 1, 9, &tried) == 0 && tried > 0, "6 values: only with drift");
	UNIT_CHECK(without_drift(29, 1, 9, &tried) == 0 && tried > 4, "29 values: only with drift");
	UNIT_CHECK(without_drift(30, 1, 9, &tried) > 0, "30 values: without, too");
	UNIT_CHECK(without_drift(29, 4, 9, &tried) > 0, "29 values with a season: without, too");
	UNIT_CHECK(without_drift(29, 1, 0.8, &tried) == 0, "a drift of 0.8 standard errors: nothing without");
	UNIT_CHECK(without_drift(29, 1, -0.8, &tried) == 0, "downwards: the same");
	UNIT_CHECK(without_drift(29, 1, 0.7, &tried) > 0, "of 0.7: without, too");
	UNIT_CHECK(without_drift(29, 1, -0.7, &tried) > 0, "downwards: the same");
	test_drift_with_gaps();
}

int
main(void)
{
	static const int lengths[] = {1, 2, 3, 4, 5, 7, 10, 13, 20, 26, 60, 150};
	static const int periods[] = {1, 4, 12, 52, 366};

	test_against_r();
	test_second_difference();
	test_refused_roots();
	test_strict_roots();
	test_chosen_keeps_distance();
	test_candidates();
	test_cancel();
	test_long_season();
	test_pairs();
	test_drift_of_short_series();
	test_blocks();
	test_exact_with_gaps(12, 4, false);
	test_exact_with_gaps(36, 12, true);
	test_exact_with_gaps(64, 4, true);
	for (int kind = 0; kind < 9; kind++)
		for (int i = 0; i < (int) (sizeof lengths / sizeof lengths[0]); i++)
			for (int j = 0; j < (int) (sizeof periods / sizeof periods[0]); j++)
				test_whatever(kind, lengths[i], periods[j]);
	return unit_done();
}

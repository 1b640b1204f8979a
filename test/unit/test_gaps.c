/*
 * test_gaps.c
 *		Gaps filled by a model, and the automatic choice on series with a few of them.
 */
#include "choice.h"

#include "diagnostics.h"
#include "internal.h"
#include "read_series.h"
#include "state.h"

/* Every other value is low: on a straight line across a gap this ends. */
static const double zigzag[] = {
	99.5, 99.8, 100.4, 99.8, 101.6, 99.9, 102.1, 100.1, 102.2, NAN, 102, 97.8, 103.5, 97.7, 101.7, 99.9,
	NAN, 99.6, 102.1, 99.2, 102.6, 99.2, 103.1, 97.1, 104.5, 97.7, 106.3, 98.2, 107.5, 98.9, 106.8, 99.4,
	109, 101, 110.6, 100.1, 110.2, 99.3, 110.7, 97.3};

static const double quarters[] = {
	105.4, 96.5, 105.4, 95, 103.8, 97.8, 106.9, 93.4, 104.6, 98.2, 107.2, 93.5, 103.4, 101.6, NAN, 95.8,
	103.4, 101.7, 104.8, 95.4, 105.9, 100.3, 106.7, 94.1, 108.2, 100.1, 107, 94.6, 108.8, 101.3, 104.7,
	99.3, 104.8, 103.5, 104.5, 100.1, 103.7, 105.5, 101.3, 104.1};

static const double days[] = {
	98.89, 113.99, 85.53, 104.36, 90.79, 119.61, 87.16, 99.5, 112.56, 87.48, 103.38, 90.57, 119.39, 86.34,
	101.3, 112.66, 86.81, NAN, 91.57, 118.55, 86.59, 101.01, 113.83, 85.4, 102.78, 92.47, 116.8, 89.77,
	98.61, 115.36, 84.4, 103.27, 92.09, 117.41, 89.51, 95.33, 119.28, 84, 102.99, 92.32, 117.88, 88.57,
	94.51, 120.48, 85.13, 101.44, 93.4, 117.9, 87.71, 95.62, 119.66, 85.5, 101.48, 92.78, 117.79,
	85.85, 100.94, 115.96, 86.23, 101.63};

#define COUNT(a) ((int) (sizeof(a) / sizeof((a)[0])))

/* AICc of forecast 8.20: of the model of auto.arima(), and for the first series, where that ends
 * at 248.3, of Arima() */
static const struct Series
{
	const char *name;
	const double *y;
	int			n;
	int			m;
	double		aicc;
} series[] = {
	{"(1,1,2)", zigzag, COUNT(zigzag), 1, 127.563450278},
	{"(3,0,0)(2,1,0)[4] with drift", quarters, COUNT(quarters), 4, 99.838363890},
	{"(0,0,2)(2,1,1)[7]", days, COUNT(days), 7, 142.248804332},
};

/* The model chosen is no worse than R's, and each was listed once. */
static void
test_choice(const struct Series *s)
{
	Choice		c;
	int			twice,
				chosen;
	double		aic,
				aicc,
				bic;

	choice_begin(&c);
	if (!choice_make(&c, s->y, s->n, s->m))
	{
		UNIT_CHECK(false, "R's %s: chosen", s->name);
		return;
	}
	ao_model_criteria(c.model, &aic, &aicc, &bic);
	UNIT_CHECK(aicc <= s->aicc + 0.01, "R's %s: AICc %.3f, R %.3f", s->name, aicc, s->aicc);
	choice_look_at_list(&c, &twice, &chosen);
	UNIT_CHECK(twice == 0 && chosen == 1, "R's %s: %d listed twice, %d chosen", s->name, twice, chosen);
	for (int i = 0; i < c.count; i++)
		if (c.list[i].chosen)
			UNIT_NEAR(c.list[i].loglik, c.model->loglik, 1e-12, "R's %s: the list's is the model's", s->name);
	UNIT_CHECK(choice_end(&c), "R's %s: nothing is left behind", s->name);
}

/* The bound on the number of models holds for what is tried on either filling. */
static void
test_bound(const struct Series *s)
{
	Choice		c;
	int			all;

	choice_begin(&c);
	all = choice_make(&c, s->y, s->n, s->m) ? c.count : 0;
	for (int most = 1; most <= all + 1; most++)
	{
		c.bounds.max_models = most;
		UNIT_CHECK(choice_make(&c, s->y, s->n, s->m) && c.count <= most &&
				   (c.count == most || !(c.model->remarks & AO_REMARK_BUDGET)),
				   "%d models at most: %d", most, c.count);
	}
	(void) choice_end(&c);
}

/* Sum of squared one-step errors of y[n]. */
static double
squares(const AoModel *model, const double *y, int n, const double *xreg, AoEnv *env)
{
	double		e[200],
				f[200],
				sum = 0;

	if (ao_one_step_errors(model, y, n, xreg, xreg != NULL, env, e, f) != AO_OK)
		return NAN;
	for (int t = 0; t < n; t++)
		sum += isnan(e[t]) ? 0 : e[t] * e[t];
	return sum;
}

/* Whatever a filled value is moved by, the series becomes less likely. */
static void
test_fill(const char *name, const AoSpec *spec, const double *y, int n, int lead, const double *xreg,
		  const AoFitOptions *options)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitTask	task = {.y = y, .n = n, .xreg = xreg, .k = xreg != NULL, .options = options, .effort = AO_LOCAL};
	AoFitTask	part = task;
	AoModel    *model = NULL;
	double		filled[200],
				least;

	memcpy(filled, y, (size_t) n * sizeof(double));
	part.y += lead;
	part.n -= lead;
	part.xreg = xreg ? xreg + lead : NULL;
	if (ao_fit_task(&task, spec, &env, &model) != AO_OK ||
		ao_fill_by_model(model, &part, lead, &env, filled + lead) != AO_OK)
	{
		UNIT_CHECK(false, "%s: filled", name);
		return;
	}
	least = squares(model, filled, n, xreg, &env);
	for (int t = lead; t < n; t++)
		for (int sign = -1; isnan(y[t]) && sign <= 1; sign += 2)
		{
			double		value = filled[t];

			filled[t] += sign * 1e-4 * fabs(value);
			UNIT_CHECK(squares(model, filled, n, xreg, &env) > least, "%s: value %d, %.6g", name, t, value);
			filled[t] = value;
		}
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "%s: nothing is left behind", name);
}

static void
test_fills(void)
{
	AoFitOptions plain = {.method = AO_ML},
				logs = {.method = AO_ML, .has_lambda = true, .lambda = 0};
	AoSpec		mean = {.p = 2, .q = 1, .m = 1, .constant = AO_CONSTANT_MEAN},
				twice = {.d = 2, .q = 2, .m = 1},
				airline = {.d = 1, .q = 1, .D = 1, .Q = 1, .m = 4},
				weeks = {.q = 2, .P = 2, .D = 1, .Q = 1, .m = 7, .constant = AO_CONSTANT_DRIFT};
	double		late[COUNT(days)],
				xreg[COUNT(days)],
				run[COUNT(zigzag)];

	memcpy(late, days, sizeof days);
	memcpy(run, zigzag, sizeof zigzag);
	for (int t = 0; t < COUNT(days); t++)
		xreg[t] = (t * t) % 11;
	late[0] = late[1] = late[20] = late[21] = late[22] = NAN;
	run[20] = run[21] = run[22] = run[23] = run[38] = NAN;
	test_fill("mean", &mean, run, COUNT(run), 0, NULL, &plain);
	test_fill("two differences", &twice, run, COUNT(run), 0, NULL, &plain);
	test_fill("two differences of logarithms", &twice, run, COUNT(run), 0, NULL, &logs);
	test_fill("seasonal", &airline, quarters, COUNT(quarters), 0, NULL, &plain);
	test_fill("after a gap, with a regressor", &weeks, late, COUNT(late), 2, xreg, &plain);
}

/* Where levels have no start yet nothing is filled, nor where there is no memory. */
static void
test_no_start(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoSpec		spec = {.d = 2, .q = 1, .m = 1};
	double		y[COUNT(zigzag)],
				filled[COUNT(zigzag)];
	AoFitTask	task = {.y = y, .n = COUNT(y), .options = &options, .effort = AO_LOCAL};
	AoModel    *model = NULL;

	memcpy(y, zigzag, sizeof y);
	y[1] = NAN;
	for (int t = 0; t < COUNT(y); t++)
		filled[t] = 7;
	UNIT_CHECK(ao_fit_task(&task, &spec, &env, &model) == AO_OK &&
			   ao_fill_by_model(model, &task, 0, &env, filled) == AO_OK, "a gap after the first value");
	UNIT_CHECK(filled[1] == 7 && filled[2] == 7 && filled[9] > 90, "it stays: %g, %g, %g", filled[1], filled[2], filled[9]);
	env.max_bytes = 1000;
	UNIT_CHECK(ao_fill_by_model(model, &task, 0, &env, filled) == AO_OVER_MEMORY_LIMIT, "no memory for it");
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "nothing is left behind");
}

/* The criterion of a model one step from the choice, HUGE_VAL if it is none or its roots are near
 * the circle. */
static double
criterion_of(const AoSpec *spec, const double *y, int64_t n, AoGuard guard, AoEnv *env)
{
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true};
	AoShape		shape = {.spec = *spec};
	AoModel    *model;
	double		aic,
				aicc = HUGE_VAL,
				bic;

	if (spec->p < 0 || spec->q < 0 || spec->P < 0 || spec->Q < 0 || spec->P > 2 || spec->Q > 2 ||
		ao_fit(y, n, NULL, 0, spec, &options, env, &model) != AO_OK)
		return HUGE_VAL;
	if (ao_roots_beyond(&shape, ao_model_coef(model), guard))
		ao_model_criteria(model, &aic, &aicc, &bic);
	env->free(env->arg, model);
	return aicc;
}

/* With the gaps themselves no model that differs by one order, or by one in two, is better than the
 * choice: what the filled series says is not the last word. */
static void
test_neighbours(const char *name, int m, int every, int from)
{
	static ReadSeries series;
	Choice		c;
	AoSpec		at;
	double		aic,
				aicc,
				bic;

	read_series(&series, name);
	for (int64_t t = from; t < series.n; t += every)
		series.y[t] = NAN;
	choice_begin(&c);
	if (!choice_make(&c, series.y, series.n, m))
		abort();
	ao_model_spec(c.model, &at);
	ao_model_criteria(c.model, &aic, &aicc, &bic);
	for (int i = 0; i < 18; i++)
	{
		AoSpec		spec = at;
		int		   *first = i < 9 ? &spec.p : &spec.P,
				   *second = i < 9 ? &spec.q : &spec.Q;
		double		other;

		*first += i % 9 / 3 - 1;
		*second += i % 3 - 1;
		other = criterion_of(&spec, series.y, series.n, (AoGuard) {1.01, 8.0 / (double) series.n}, &c.env);
		UNIT_CHECK(other > aicc - 0.05, "%s, every %d. missing: (%d,%d,%d)(%d,%d,%d) has %.2f, the choice %.2f", name, every,
				   spec.p, spec.d, spec.q, spec.P, spec.D, spec.Q, other, aicc);
	}
	UNIT_CHECK(choice_end(&c), "%s: nothing is left behind", name);
}

/* Closed on Sundays: the search fills them, but no seasonal difference can be taken. */
static void
test_sundays(void)
{
	uint64_t	state = 11;
	double		y[210],
				level = 100;
	Choice		c;
	AoSpec		spec;

	for (int t = 0; t < COUNT(y); t++)
	{
		level += 0.2 * unit_noise(&state);
		y[t] = t % 7 == 6 ? NAN : level + 8 * (t % 7) + unit_noise(&state);
	}
	choice_begin(&c);
	UNIT_CHECK(choice_make(&c, y, COUNT(y), 7), "no value on Sundays: chosen");
	if (c.model)
	{
		ao_model_spec(c.model, &spec);
		UNIT_CHECK(spec.D == 0, "no value on Sundays: (%d,%d,%d)(%d,%d,%d)", spec.p, spec.d, spec.q, spec.P,
				   spec.D, spec.Q);
	}
	UNIT_CHECK(choice_end(&c), "no value on Sundays: nothing is left behind");
}

/* With gaps an estimate wants more memory than on the filled series: a model for which there is not
 * enough is left out, and does not end the choice. */
static void
test_memory(void)
{
	static ReadSeries series;
	Choice		c;
	int			left_out = 0;

	read_series(&series, "nottem");
	for (int64_t t = 5; t < series.n; t += 11)
		series.y[t] = NAN;
	choice_begin(&c);
	for (size_t most = 1024; most > 16; most -= most / 8)
	{
		AoFitOptions plain = {.method = AO_ML};
		AoSpec		simple = {.p = 1, .m = 1, .constant = AO_CONSTANT_MEAN};
		AoModel    *model = NULL;
		bool		fits,
					chosen;

		c.env.max_bytes = most << 10;
		fits = ao_fit(series.y, series.n, NULL, 0, &simple, &plain, &c.env, &model) == AO_OK;
		if (fits)
			c.env.free(c.env.arg, model);
		chosen = choice_make(&c, series.y, series.n, 12);
		UNIT_CHECK(chosen || !fits, "%zu kB: chosen where (1,0,0) can be estimated", most);
		for (int i = 0; chosen && i < c.count; i++)
			left_out += c.list[i].reason && strstr(c.list[i].reason, "memory");
	}
	UNIT_CHECK(left_out > 0, "%d left out for want of memory", left_out);
	UNIT_CHECK(choice_end(&c), "little memory: nothing is left behind");
}

#define CHOICE_N 1000
#define CHOICE_M 100

static int	states;				/* of the filter after the last value, worked out */

AoStatus	__real_ao_filter_run(AoState *st, const double *z, int64_t n, double *e, AoFilterSpace *space, AoEnv *env);
AoStatus	__wrap_ao_filter_run(AoState *st, const double *z, int64_t n, double *e, AoFilterSpace *space, AoEnv *env);

AoStatus
__wrap_ao_filter_run(AoState *st, const double *z, int64_t n, double *e, AoFilterSpace *space, AoEnv *env)
{
	states += e == NULL;
	return __real_ao_filter_run(st, z, n, e, space, env);
}

/* With a season of so many and a few gaps most of the time goes into the last estimates. */
static void
test_time_told(void)
{
	static double y[CHOICE_N];
	uint64_t	state = 5;
	double		level = 0,
				told = 0,
				start;
	AoModel    *plain;
	AoSpec		spec;
	Choice		c;

	for (int t = 0; t < CHOICE_N; t++)
	{
		level = 0.6 * level + unit_noise(&state);
		y[t] = t % 20 == 7 || t >= CHOICE_N - 2 ? NAN : level + 3 * sin(t * 2 * AO_PI / CHOICE_M) * cos(t / 90.0);
	}
	choice_begin(&c);
	states = 0;
	start = ao_clock();
	UNIT_CHECK(choice_make(&c, y, CHOICE_N, CHOICE_M), "gaps and a long season: a choice");
	start = ao_clock() - start;
	for (int i = 0; i < c.count; i++)
		told += c.list[i].milliseconds;
	UNIT_CHECK(told > 0.92 * start && told <= start, "its candidates tell where the time goes: %.0f of %.0f ms", told, start);
	UNIT_CHECK(states == 1, "and only the one that is chosen gets a state: %d", states);
	/* the state that it got at the end is that of its coefficients */
	ao_model_spec(c.model, &spec);
	UNIT_CHECK(c.model->n == CHOICE_N && ao_refit(c.model, y, CHOICE_N, NULL, 0, &c.env, &plain) == AO_OK, "estimated once more");
	for (int i = 0; i < c.model->n_state; i++)
		if (!(fabs(ao_model_state(c.model)[i] - ao_model_state(plain)[i]) < 1e-3))
			level = NAN;
	UNIT_CHECK(!isnan(level) && c.model->has_state_cov == plain->has_state_cov, "its state is that of its model");
	c.env.free(c.env.arg, plain);
	UNIT_CHECK(choice_end(&c), "nothing is left behind");
}

int
main(void)
{
	test_memory();
	test_sundays();
	for (int i = 0; i < COUNT(series); i++)
		test_choice(&series[i]);
	test_bound(&series[0]);
	test_fills();
	test_no_start();
	test_neighbours("nottem", 12, 17, 7);
	test_neighbours("nottem", 12, 11, 2);
	test_neighbours("co2", 12, 19, 1);
	test_time_told();
	return unit_done();
}

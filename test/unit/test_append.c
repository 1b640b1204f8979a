/*
 * test_append.c
 *		Appending is one filter: the model of some values with the others appended gives the
 *		forecasts of the same parameters filtered over all of them, and the prediction from
 *		them is the first of these.  On random models, many with roots of modulus 1.0001 to
 *		1.05, one after the other or in one place.  And that filter is the right one: where the
 *		recursions that residuals come from have all their digits, its errors are these.  And a
 *		trend is no nearer to its estimate for it.
 *
 * The search for the parameters is replaced (by the linker, see the Makefile) by one that
 * stays where it is told to begin, so that models far from any optimum are fitted, too.
 */
#include "unit.h"
#include "internal.h"
#include "model_internal.h"
#include "tests.h"

#define STEPS 6
#define LONGEST 530				/* series */
#define LONGEST_POLYNOMIAL 120	/* with its season */
#define MOST_XREG 2

/* What may be missing. */
typedef enum Gaps
{
	NO_GAPS, GAPS, GAPS_BEFORE, GAPS_AFTER, GAPS_IN_FRONT
} Gaps;

static const char *const gap_names[] = {
	"complete", "gaps", "gaps before", "gaps after", "missing in front"
};

/* One random case. */
typedef struct Case
{
	AoSpec		spec;
	double		coef[64];		/* of the ARMA part */
	int			n1,
				n2,
				k;				/* regressors */
	double		y[LONGEST],
				x[(LONGEST + STEPS) * MOST_XREG];
} Case;

static uint64_t stream;
static int	nearest;			/* of the moduli, the first that is used */

/* linked in place of ao_search */
AoStatus	__wrap_ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
							 AoOptimum *best);

AoStatus
__wrap_ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
				 AoOptimum *best)
{
	(void) effort;
	memset(best, 0, sizeof *best);
	best->u = ao_arena_take(arena, (size_t) obj->shape->k, sizeof(double));
	memcpy(best->u, given, (size_t) obj->shape->k * sizeof(double));
	best->converged = best->admissible = true;
	return AO_OK;
}

/* Uniform in 0 .. 1; a number below n; about normal. */
static double
uniform(void)
{
	return (unit_noise(&stream) + 1) / 2;
}

static int
below(int n)
{
	int			i = (int) (uniform() * n);

	return i < n ? i : n - 1;
}

static double
normal(void)
{
	double		sum = 0;

	for (int i = 0; i < 12; i++)
		sum += uniform();
	return sum - 6;
}

/* 1 - sign (coef[0] B + ..), made of n random roots, real ones and pairs. */
static void
random_polynomial(double *coef, int n, double sign)
{
	static const double moduli[] = {1.0001, 1.0003, 1.001, 1.003, 1.01, 1.02, 1.05, 1.2, 1.5, 2.5};
	double		p[16] = {1};

	for (int have = 0, more; have < n; have += more)
	{
		double		inverse = 1 / moduli[nearest + below(10 - nearest)],
					angle = 3.14159265358979 * (uniform() < 0.3 ? 0.06 * uniform() : uniform()),
					a = uniform() < 0.7 ? -inverse : inverse,
					b = 0;

		more = n - have >= 2 && uniform() < 0.6 ? 2 : 1;
		if (more == 2)
		{
			a = -2 * inverse * cos(angle);
			b = inverse * inverse;
		}
		for (int i = have + more; i > 0; i--)
			p[i] += a * p[i - 1] + (i > 1 ? b * p[i - 2] : 0);
	}
	for (int i = 0; i < n; i++)
		coef[i] = -sign * p[i + 1];
}

static AoConstant
random_constant(const AoSpec *spec)
{
	static const AoConstant constants[] = {AO_CONSTANT_NONE, AO_CONSTANT_NONE, AO_CONSTANT_MEAN, AO_CONSTANT_MEAN_DRIFT};

	if (spec->d + spec->D == 0)
		return constants[below(4)];
	return spec->d + spec->D == 1 && uniform() < 0.4 ? AO_CONSTANT_DRIFT : AO_CONSTANT_NONE;
}

static void
random_spec(AoSpec *spec)
{
	static const int seasons[] = {2, 4, 7, 12, 24};

	*spec = (AoSpec) {.p = below(5), .q = below(5), .d = uniform() < 0.6 ? 0 : 1 + below(2), .m = 1};
	if (uniform() < 0.35)
	{
		spec->m = seasons[below(unit_small() ? 4 : 5)];
		spec->P = below(3);
		spec->Q = below(3);
		spec->D = uniform() < 0.4;
	}
	if (uniform() < 0.05)
		spec->p = 6 + below(6);
	if (uniform() < 0.05)
		spec->q = 6 + below(6);
	if (spec->P + spec->Q + spec->D == 0)
		spec->m = 1;
	spec->constant = random_constant(spec);
}

/* Values of the model into c->y, from a start of their own. */
static void
simulate(Case *c, AoEnv *env)
{
	enum
	{
		BEFORE = 800
	};
	static double w[BEFORE + LONGEST],
				e[BEFORE + LONGEST];
	double		phi[LONGEST_POLYNOMIAL] = {0},
				theta[LONGEST_POLYNOMIAL] = {0};
	AoArena		arena;
	AoShape		shape;
	int			n = c->n1 + c->n2;

	if (ao_arena_open(&arena, ao_shape_bytes(&c->spec), env) != AO_OK)
		abort();
	ao_shape_init(&shape, &c->spec, &arena);
	ao_expand(&shape, c->coef, phi, theta, 1);
	for (int t = 0; t < BEFORE + n; t++)
	{
		w[t] = e[t] = normal();
		for (int j = 1; j <= shape.ar && j <= t; j++)
			w[t] += phi[j - 1] * w[t - j];
		for (int j = 1; j <= shape.ma && j <= t; j++)
			w[t] += theta[j - 1] * e[t - j];
	}
	for (int t = 0; t < n; t++)
	{
		c->y[t] = w[BEFORE + t];
		for (int j = 1; j <= shape.diff && j <= t; j++)
			c->y[t] += shape.delta[j - 1] * c->y[t - j];
	}
	ao_arena_close(&arena, env);
}

static void
make_gaps(Case *c, Gaps gaps)
{
	for (int t = 0; t < c->n1 + c->n2; t++)
	{
		bool		before = t < c->n1;

		if (gaps == GAPS_IN_FRONT ? t < 4 :
			(gaps == GAPS || (gaps == GAPS_BEFORE && before) || (gaps == GAPS_AFTER && !before)) &&
			uniform() < 0.12)
			c->y[t] = NAN;
	}
}

static void
make_case(Case *c, Gaps gaps, AoEnv *env)
{
	static const int new_values[] = {1, 2, 10, 100};
	double	   *coef = c->coef;
	int			least;

	random_spec(&c->spec);
	least = 4 + c->spec.d + c->spec.p + c->spec.m * (c->spec.D + c->spec.P);
	random_polynomial(coef, c->spec.p, 1);
	random_polynomial(coef += c->spec.p, c->spec.q, -1);
	random_polynomial(coef += c->spec.q, c->spec.P, 1);
	random_polynomial(coef + c->spec.P, c->spec.Q, -1);
	c->n1 = uniform() < 0.5 ? 40 + below(80) : 120 + below(300);
	/* fewer terms than AR lags, and the model has to keep variances of 1e8, digits and all */
	if (c->n1 < least)
		c->n1 = least;
	c->n2 = new_values[below(4)];
	c->k = uniform() < 0.3 ? 1 + below(MOST_XREG) : 0;
	simulate(c, env);
	for (int i = 0; i < (c->n1 + c->n2 + STEPS) * c->k; i++)
		c->x[i] = normal() + (i % 2 ? 0.01 * i : 0);
	make_gaps(c, gaps);
}

/* Forecasts of the parameters filtered over the first n values. */
static AoStatus
forecast_whole(const AoModel *model, const Case *c, int n, AoEnv *env, AoForecast *out)
{
	int			lead = 0;
	AoModel    *whole;
	AoStatus	status = ao_model_alloc(&c->spec, c->k, 0, true, env, &whole);

	if (status != AO_OK)
		return status;
	memcpy(whole->data, model->data, (size_t) model->n_coef * sizeof(double));
	whole->sigma2 = model->sigma2;
	whole->df = model->df;
	whole->estimated_to = model->estimated_to;
	while (isnan(c->y[lead]))
		lead++;
	status = ao_model_filter(whole, &c->spec, c->y, n, lead, c->k ? c->x : NULL, env);
	if (status == AO_OK)
		status = ao_forecast(whole, STEPS, 0.95, c->k ? c->x + n * c->k : NULL, c->k, env, out);
	env->free(env->arg, whole);
	return status;
}

/* Forecasts after appending. */
static AoStatus
forecast_appended(const AoModel *model, const Case *c, AoEnv *env, AoForecast *out)
{
	int			n = c->n1 + c->n2;
	AoModel    *longer;
	AoStatus	status = ao_append(model, c->y + c->n1, c->n2, c->k ? c->x + c->n1 * c->k : NULL,
								   c->k, env, &longer);

	if (status != AO_OK)
		return status;
	status = ao_forecast(longer, STEPS, 0.95, c->k ? c->x + n * c->k : NULL, c->k, env, out);
	env->free(env->arg, longer);
	return status;
}

/* How far the prediction from all values is from the first forecast. */
static double
prediction_apart(const AoModel *model, const Case *c, AoEnv *env, const AoForecast *first)
{
	double		prediction;

	if (c->k > 0)
		return 0;
	if (ao_predict(model, c->y, c->n1 + c->n2, c->n1 + c->n2, env, &prediction) != AO_OK)
		return HUGE_VAL;
	return fabs(prediction - first->mean) / fmax(fabs(first->mean), first->std_error);
}

/* How far the errors of one-step forecasts are from the residuals, in standard deviations:
 * halfway and at the end. */
static double
errors_apart(const AoModel *model, const Case *c, AoEnv *env)
{
	double		residuals[LONGEST],
				worst = 0,
				sigma = sqrt(model->sigma2);
	int			n = c->n1 + c->n2;
	AoForecast	next[STEPS];

	if (ao_residuals(model, c->y, n, c->k ? c->x : NULL, c->k, env, residuals) != AO_OK)
		return HUGE_VAL;
	for (int at = c->n1; at < n; at += n - 1 - at > 0 ? n - 1 - at : 1)
	{
		if (forecast_whole(model, c, at, env, next) != AO_OK)
			return HUGE_VAL;
		if (!isnan(c->y[at]))
			worst = unit_worse(worst, fabs((c->y[at] - next->mean) / next->std_error - residuals[at] / sigma));
	}
	return worst;
}

/* The model with the case's coefficients on its first values. */
static AoStatus
model_of(const Case *c, AoEnv *env, AoModel **model)
{
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true};
	AoFitTask	task = {.y = c->y, .n = c->n1, .xreg = c->k ? c->x : NULL, .k = c->k,
	.options = &options, .effort = AO_LOCAL, .given_coef = c->coef};

	return ao_fit_task(&task, &c->spec, env, model);
}

static void
test_errors(Gaps gaps, int n)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	static Case c;
	AoModel    *model;
	double		worst = 0;

	nearest = 7;
	for (int i = 0; i < n; i++)
	{
		stream = (uint64_t) (i * 10 + gaps);
		make_case(&c, gaps, &env);
		if (model_of(&c, &env, &model) != AO_OK)
			continue;
		worst = unit_worse(worst, errors_apart(model, &c, &env));
		env.free(env.arg, model);
	}
	nearest = 0;
	UNIT_NEAR(worst, 0, 1e-6, "%s: errors of forecasts are the residuals, %d models", gap_names[gaps], n);
}

/* How far a is from b, both zero not at all. */
static double
relative(double a, double b)
{
	return a == b ? 0 : fabs(a / b - 1);
}

/* How far apart the two are, by what is there, or -1 where the model cannot be had: its
 * likelihood overflows, or it has no start. */
static double
difference(const Case *c, AoEnv *env)
{
	AoModel    *model;
	AoForecast	a[STEPS],
				b[STEPS];
	double		worst = 0;

	if (model_of(c, env, &model) != AO_OK)
		return -1;
	if (model->remarks & AO_REMARK_DEGENERATE)
		worst = -1;
	else if (forecast_appended(model, c, env, a) != AO_OK || forecast_whole(model, c, c->n1 + c->n2, env, b) != AO_OK)
		worst = HUGE_VAL;
	for (int i = 0; i < STEPS && worst >= 0; i++)
		worst = unit_worse(worst, unit_worse(relative(a[i].mean, b[i].mean),
										   unit_worse(a[i].mean == b[i].mean ? 0 : fabs(a[i].mean - b[i].mean) / b[i].std_error,
													  relative(a[i].std_error, b[i].std_error))));
	if (worst >= 0 && worst < HUGE_VAL)
		worst = unit_worse(worst, prediction_apart(model, c, env, a));
	env->free(env->arg, model);
	return worst;
}

static void
test_random(Gaps gaps, int n)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	static Case c;
	int			had = 0,
				beyond = 0;
	double		worst = 0;

	for (int i = 0; i < n; i++)
	{
		double		apart;
		char		text[64];

		stream = (uint64_t) (i * 10 + gaps);
		make_case(&c, gaps, &env);
		apart = difference(&c, &env);
		had += apart >= 0;
		worst = unit_worse(worst, apart);
		if (apart <= 1e-10)
			continue;
		beyond++;
		ao_spec_format(&c.spec, text, sizeof text);
		printf("# case %d, %s, %d and %d values: %g\n", i, text, c.n1, c.n2, apart);
	}
	UNIT_CHECK(had > 0.85 * n, "%s: %d models of %d can be had", gap_names[gaps], had, n);
	UNIT_CHECK(beyond == 0, "%s: append and prediction are one filter to 1e-10 in all but %d of %d, at worst %.0e",
			   gap_names[gaps], beyond, had, worst);
	UNIT_CHECK(memory.live == 0 && memory.most <= 3, "%s: nothing is left behind", gap_names[gaps]);
}

/* What follows n1 + n2 values of which the first are the model's, by appending and by telling their time. */
static void
test_time(const char *text, int season)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	Case		c = {.n1 = 30, .n2 = 10};
	int			n = c.n1 + c.n2;
	AoModel    *model;
	AoForecast	appended[STEPS],
				recent[STEPS],
				before[STEPS];
	double		next,
				fall;

	for (int i = 0; i < n; i++)
		c.y[i] = i + 1 + 0.1 * sin((i + 1) * (i + 1));
	if (ao_spec_parse(text, strlen(text), &c.spec, &env) != AO_OK || model_of(&c, &env, &model) != AO_OK)
		exit(EXIT_FAILURE);
	UNIT_CHECK(ao_forecast_recent(model, c.y, n, AO_NO_TIME, STEPS, 0.95, &env, recent) == AO_BAD_ARGUMENT &&
			   strstr(env.err.what, "arima_append") != NULL &&
			   ao_predict(model, c.y, n, AO_NO_TIME, &env, &next) == AO_BAD_ARGUMENT, "%s: refused without a time", text);
	if (forecast_appended(model, &c, &env, appended) != AO_OK ||
		ao_forecast_recent(model, c.y, n, n, STEPS, 0.95, &env, recent) != AO_OK ||
		ao_predict(model, c.y, n, n, &env, &next) != AO_OK)
		exit(EXIT_FAILURE);
	for (int i = 0; i < STEPS; i++)
	{
		UNIT_NEAR(recent[i].mean, appended[i].mean, 1e-10, "%s: step %d", text, i + 1);
		UNIT_NEAR(recent[i].upper, appended[i].upper, 1e-10, "%s: upper bound of step %d", text, i + 1);
	}
	UNIT_NEAR(next, appended[0].mean, 1e-10, "%s: ao_predict", text);

	/* whole seasons earlier, before the model's series began, all is as much lower as the trend was */
	fall = model->constant == AO_CONSTANT_MEAN_DRIFT ? 5 * season * ao_model_coef(model)[model->p + 1] : 0;
	for (int i = 0; i < n; i++)
		c.y[i] -= fall;
	if (ao_forecast_recent(model, c.y, n, n - 5 * season, STEPS, 0.95, &env, before) != AO_OK)
		exit(EXIT_FAILURE);
	UNIT_NEAR(before[STEPS - 1].mean, recent[STEPS - 1].mean - fall, 1e-9, "%s: before the series", text);
	env.free(env.arg, model);
}

/*
 * A trend is as far from the values that it was estimated from, whatever came since: missing values, or these and one
 * that is known, which tells the state of (1,0,0) all that there is to know.
 */
static void
test_distance(const char *text)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	Case		c = {.n1 = 60, .n2 = 61};
	int			n = c.n1 + c.n2;
	AoModel    *model;
	AoForecast	over[61 + STEPS],
				after[STEPS];

	for (int i = 0; i < n; i++)
		c.y[i] = i < c.n1 || i == n - 1 ? i + 1 + sin((i + 1) * (i + 1)) : NAN;
	if (ao_spec_parse(text, strlen(text), &c.spec, &env) != AO_OK || model_of(&c, &env, &model) != AO_OK)
		exit(EXIT_FAILURE);
	model->interval = AO_INTERVAL_STUDENT;
	if (forecast_appended(model, &c, &env, after) != AO_OK || ao_forecast(model, 61 + STEPS, 0.95, NULL, 0, &env, over) != AO_OK)
		exit(EXIT_FAILURE);
	for (int i = 0; i < STEPS; i++)
	{
		double		ends = 1 + 2.0 * (c.n2 + i + 1) / c.n1,
					wider = ao_student_quantile(0.95, model->df) * sqrt((c.n1 + model->n_coef - 1 + 3 * ends * ends) / model->df);

		/* further on it is the state that is less certain over the gap */
		if (model->p > 0 && i > 0)
			break;
		UNIT_NEAR((after[i].upper - after[i].mean) / after[i].std_error, wider, 1e-9, "%s, step %d after a gap and a value", text, i + 1);
		if (model->p == 0)
			UNIT_NEAR((over[61 + i].upper - over[61 + i].mean) / over[61 + i].std_error, wider, 1e-9, "%s, step %d over the gap", text, i + 1);
	}
	env.free(env.arg, model);
}

int
main(void)
{
	int			n = unit_small() ? 20 : 1500;

	for (Gaps gaps = NO_GAPS; gaps <= GAPS_IN_FRONT; gaps++)
	{
		test_random(gaps, n);
		if (gaps == NO_GAPS || gaps == GAPS_IN_FRONT)
			test_errors(gaps, n / 5);
	}
	test_time("(0,0,0) with drift", 12);
	test_time("(1,0,0)[12] with fourier(2)", 12);
	test_time("(1,1,0)[7] with fourier(3)", 7);
	test_time("(1,0,0)[12] with drift and fourier(2)", 12);
	test_distance("(0,0,0) with drift");
	test_distance("(1,0,0) with drift");
	return unit_done();
}

/*
 * test_intervals.c
 *		Bounds of forecasts: Student's quantiles, the kinds of interval, several
 *		levels at once, and the adjustment for the bias of a transformation.
 */
#include "backtest.h"
#include "diagnostics.h"
#include "estimates.h"
#include "interval.h"
#include "tests.h"
#include "unit.h"

#define N 160
#define H 30

static const double some_levels[] = {0.05, 0.5, 0.8, 0.85, 0.95, 0.99, 0.9999};

#define N_LEVELS ((int) (sizeof(some_levels) / sizeof(some_levels[0])))

/* A positive autoregression with a season of four. */
static void
make_series(double *y, int n)
{
	AoRandom	random;
	double		x = 0;

	ao_random_seed(&random, 11, 0);
	for (int i = 0; i < n; i++)
	{
		x = 0.7 * x + ao_random_normal(&random);
		y[i] = 40 + x + 0.05 * i + 2 * (i % 4 == 1);
	}
}

static AoModel *
fit(const char *text, const double *y, int n, AoFitOptions options, AoEnv *env)
{
	AoSpec		spec;
	AoModel    *model;

	options.method = AO_ML;
	if (ao_spec_parse(text, strlen(text), &spec, env) != AO_OK ||
		ao_fit(y, n, NULL, 0, &spec, &options, env, &model) != AO_OK)
	{
		fprintf(stderr, "%s cannot be fitted\n", text);
		exit(EXIT_FAILURE);
	}
	return model;
}

static AoFitOptions
with_interval(AoIntervalKind kind)
{
	return (AoFitOptions) {.has_interval = true, .interval = kind};
}

static void
forecast(const AoModel *model, int h, double level, AoForecast *out)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);

	if (ao_forecast(model, h, level, NULL, 0, &env, out) != AO_OK)
		exit(EXIT_FAILURE);
}

/* Quantiles as in any table, in closed form for one and two degrees of freedom, and as
 * the inverse of the tail. */
static void
test_student(void)
{
	static const double dfs[] = {1, 1.5, 2, 3, 7, 28, 250, 1e4, 1e7};

	UNIT_NEAR(ao_student_quantile(0.95, 5), 2.5705818356363141, 1e-12, "t, 95 %%, 5 degrees of freedom");
	UNIT_NEAR(ao_student_quantile(0.95, 30), 2.0422724563012373, 1e-12, "t, 95 %%, 30");
	UNIT_NEAR(ao_student_quantile(0.8, 10), 1.3721836411102863, 1e-12, "t, 80 %%, 10");
	UNIT_NEAR(ao_student_quantile(0.99, 1), tan(0.495 * 3.14159265358979323846), 1e-10, "t, 99 %%, 1: Cauchy");
	UNIT_NEAR(ao_student_quantile(0.9, 2), 0.9 * sqrt(2 / (1 - 0.81)), 1e-12, "t, 90 %%, 2");
	UNIT_NEAR(ao_student_quantile(0.95, 1e7), ao_normal_quantile(0.975), 1e-6, "t with many: the normal");
	UNIT_CHECK(isfinite(ao_student_quantile(1 - 1e-15, 1)) && ao_student_quantile(1 - 1e-15, 1) > 1e14,
			   "far out");
	for (size_t i = 0; i < sizeof(dfs) / sizeof(dfs[0]); i++)
		for (int j = 0; j < N_LEVELS; j++)
			UNIT_NEAR(1 - 2 * ao_student_upper(ao_student_quantile(some_levels[j], dfs[i]), dfs[i]),
					  some_levels[j], 1e-10, "t, %g, %g degrees of freedom: inverse of the tail", some_levels[j], dfs[i]);
}

/* Orders given: normal unless asked; chosen: Student's unless asked.  Half widths by definition. */
static void
test_kinds(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N],
				z = ao_normal_quantile(0.975);
	AoForecast	normal[H],
				student[H];
	AoModel    *by_default,
			   *by_student,
			   *chosen,
			   *chosen_normal;
	const double *coef;
	double		less[2],
				added[H],
				wider,
				psi,
				less_psi,
				sum = 1,
				variance = 1,
				less_variance = 1;

	make_series(y, N);
	by_default = fit("(1,0,1)", y, N, (AoFitOptions) {0}, &env);
	by_student = fit("(1,0,1)", y, N, with_interval(AO_INTERVAL_STUDENT), &env);
	chosen = fit("auto", y, N, (AoFitOptions) {0}, &env);
	chosen_normal = fit("auto", y, N, with_interval(AO_INTERVAL_NORMAL), &env);
	UNIT_CHECK(by_default->interval == AO_INTERVAL_NORMAL && chosen->interval == AO_INTERVAL_STUDENT &&
			   chosen_normal->interval == AO_INTERVAL_NORMAL,
			   "defaults");
	UNIT_CHECK(by_student->df == N - 3, "degrees of freedom: less ar1, ma1 and mean");
	forecast(by_default, H, 0.95, normal);
	forecast(by_student, H, 0.95, student);
	coef = ao_model_coef(by_student);
	psi = coef[0] + coef[1];
	less_bias(by_student, N, less);
	find_added(by_student, N, less, H, added);
	less_psi = less[0] + less[1];
	for (int j = 0; j < H; j++)
	{
		/* two coefficients add 2/n one step ahead, the mean the square of the sum of the responses over n; the
		 * variance is that of the coefficients less their bias */
		wider = ao_student_quantile(0.95, N - 3) * sqrt((N + added[j] / less_variance + sum * sum / variance) / (N - 3) * less_variance / variance);
		UNIT_NEAR(student[j].upper, student[j].mean + wider * student[j].std_error, 1e-12, "student, step %d", j + 1);
		sum += psi;
		variance += psi * psi;
		psi *= coef[0];
		less_variance += less_psi * less_psi;
		less_psi *= less[0];
	}
	for (int j = 0; j < H; j += 7)
	{
		UNIT_NEAR(normal[j].upper, normal[j].mean + z * normal[j].std_error, 1e-14, "normal, step %d", j + 1);
		UNIT_NEAR(normal[j].lower, normal[j].mean - z * normal[j].std_error, 1e-14, "normal, step %d, below", j + 1);
		UNIT_CHECK(student[j].mean == normal[j].mean && student[j].std_error == normal[j].std_error,
				   "student, step %d: forecast and standard error are the same", j + 1);
	}
	free(by_default);
	free(by_student);
	free(chosen);
	free(chosen_normal);
}

/* Of a random walk with drift and of a line the error of the constants is known. */
static void
test_constants(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	AoForecast	walk[H],
				line[H];
	AoModel    *model;

	make_series(y, N);
	model = fit("(0,1,0) with drift", y, N, with_interval(AO_INTERVAL_STUDENT), &env);
	forecast(model, H, 0.8, walk);
	free(model);
	model = fit("(0,0,0) with drift", y, N, with_interval(AO_INTERVAL_STUDENT), &env);
	forecast(model, H, 0.8, line);
	free(model);
	for (int j = 0; j < H; j += 6)
	{
		double		n = N - 1,
					h = j + 1,
					beyond = N + h - (N + 1) / 2.0,
					leverage = 1.0 / N + beyond * beyond / (N * (1.0 * N * N - 1) / 12);

		UNIT_NEAR((walk[j].upper - walk[j].mean) / walk[j].std_error,
				  ao_student_quantile(0.8, n - 1) * sqrt(n / (n - 1) * (1 + h / n)), 1e-10,
				  "random walk with drift, step %d: h + h^2/n", j + 1);
		UNIT_NEAR((line[j].upper - line[j].mean) / line[j].std_error,
				  ao_student_quantile(0.8, N - 2) * sqrt(N / (N - 2.0) * (1 + leverage)), 1e-3,
				  "line, step %d: least squares' prediction interval", j + 1);
	}
}

/* Several levels at once give what they give one by one, and do not cross. */
static void
test_levels(AoIntervalKind kind)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	AoForecast	all[N_LEVELS * H],
				recent[N_LEVELS * H],
				one[H];
	bool		same = true,
				nested = true;
	AoModel    *model;

	make_series(y, N);
	model = fit("(1,1,1)(0,0,1)[4]", y, N, with_interval(kind), &env);
	if (ao_forecast_levels(model, H, some_levels, N_LEVELS, NULL, 0, &env, all) != AO_OK ||
		ao_forecast_recent_levels(model, y, N, N, H, some_levels, N_LEVELS, &env, recent) != AO_OK)
		exit(EXIT_FAILURE);
	for (int i = 0; i < N_LEVELS; i++)
	{
		forecast(model, H, some_levels[i], one);
		same = same && memcmp(one, all + i * H, sizeof one) == 0;
		for (int j = 0; j < H; j++)
		{
			const AoForecast *inner = &all[(i > 0 ? i - 1 : 0) * H + j];

			nested = nested && all[i * H + j].upper >= inner->upper && all[i * H + j].lower <= inner->lower;
		}
		UNIT_NEAR(recent[i * H + H - 1].upper, one[H - 1].upper, 1e-8, "kind %d, recent values, level %g", kind, some_levels[i]);
	}
	UNIT_CHECK(same, "kind %d: levels at once as one by one", kind);
	UNIT_CHECK(nested, "kind %d: a higher level is as wide or wider", kind);
	UNIT_CHECK(ao_forecast_levels(model, 1, some_levels, 0, NULL, 0, &env, all) == AO_BAD_ARGUMENT &&
			   ao_forecast_levels(model, 1, some_levels, AO_MAX_LEVELS + 1, NULL, 0, &env, all) == AO_BAD_ARGUMENT,
			   "kind %d: no level and too many are refused", kind);
	free(model);
}

/* Errors of a walk-forward, by step. */
typedef struct Walked
{
	double		sizes[10][N];
	int			count[10];
} Walked;

static void
take_error(void *arg, int64_t origin, int step, double actual, const AoForecast *f)
{
	Walked	   *walked = arg;

	(void) origin;
	walked->sizes[step - 1][walked->count[step - 1]++] = fabs(actual - f->mean) / f->std_error;
}

static int
by_size(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return (x > y) - (x < y);
}

/*
 * The calibration against the errors of a walk-forward with the same parameters.  An
 * AR(1) without constant settles with its first value, and that one, before which there is no
 * origin, is forecast as 0 by hand.
 */
static void
test_conformal(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N],
				phi,
				psi,
				variance = 0,
				less,
				added[H],
				less_variance = 0;
	AoFitOptions options = with_interval(AO_INTERVAL_CONFORMAL);
	AoBacktest	how = {.initial = 1, .step = 1, .horizon = 10, .level = 0.5, .fit = &options};
	Walked		walked = {.count = {0}};
	AoForecast	f[H],
				other[H];
	AoModel    *model;

	make_series(y, N);
	for (int t = 0; t < N; t++)
		y[t] -= 44;
	model = fit("(1,0,0) without constant", y, N, options, &env);
	phi = ao_model_coef(model)[0];
	/* the bias of ar1 is -2 ar1/n */
	less = phi * (1 + 2.0 / N);
	find_added(model, N, &less, H, added);
	how.model = model;
	if (ao_backtest(y, N, NULL, 0, NULL, &how, &env, take_error, &walked) != AO_OK)
		exit(EXIT_FAILURE);
	UNIT_CHECK(model->n_calibrated == 10, "ten steps are calibrated");
	psi = 1;
	for (int j = 0; j < 10; j++)
	{
		double		at_first = pow(phi, j) * y[0] * sqrt(1 - phi * phi),
					wider,
				   *sizes = walked.sizes[j];
		int			n = ++walked.count[j];

		/* origin 0: the error of the first value, which counts as one of variance sigma2 */
		for (int i = 1; i <= j; i++)
			at_first += pow(phi, j - i) * (y[i] - phi * y[i - 1]);
		variance += psi * psi;
		psi *= phi;
		less_variance += pow(less, 2 * j);
		sizes[n - 1] = fabs(at_first) / sqrt(variance * model->sigma2);
		qsort(sizes, (size_t) n, sizeof(double), by_size);
		/* the error of ar1 adds to the errors to come and has taken from those that were; half of the bias remains */
		wider = (N + added[j] / less_variance) / (N - added[j] / less_variance) * sqrt(less_variance / variance);
		for (int i = 2; i < AO_CALIBRATION_LEVELS; i += 5)
			UNIT_NEAR(ao_model_calibration(model)[j * AO_CALIBRATION_LEVELS + i],
					  sqrt(wider) * sizes[(int) ceil((n + 1) * ao_calibration_level(i)) - 1], 1e-9,
					  "conformal, step %d, level %g", j + 1, ao_calibration_level(i));
	}
	forecast(model, H, 0.8, f);
	UNIT_NEAR(f[9].upper, f[9].mean + f[9].std_error * ao_model_calibration(model)[9 * AO_CALIBRATION_LEVELS + 5],
			  1e-13, "conformal: bounds of the calibration");
	UNIT_NEAR((f[H - 1].upper - f[H - 1].mean) / f[H - 1].std_error, (f[9].upper - f[9].mean) / f[9].std_error, 1e-12,
			  "conformal: after the last step its width in standard errors");
	forecast(model, H, 0.999, f);
	forecast(model, H, 0.99, other);
	UNIT_NEAR((f[0].upper - f[0].mean) / (other[0].upper - other[0].mean),
			  ao_student_quantile(0.999, N - 1) / ao_student_quantile(0.99, N - 1), 1e-12, "conformal: the tail is Student's");
	free(model);
}

/* Few errors: none calibrated, Student's in their place; the largest of some stands for levels
 * that it cannot reach. */
static void
test_few_errors(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N],
				residuals[25],
				largest = 0;
	AoForecast	conformal[4],
				student[4];
	AoModel    *model,
			   *other;

	make_series(y, N);
	model = fit("(0,1,0)", y, 15, with_interval(AO_INTERVAL_CONFORMAL), &env);
	other = fit("(0,1,0)", y, 15, with_interval(AO_INTERVAL_STUDENT), &env);
	forecast(model, 4, 0.9, conformal);
	forecast(other, 4, 0.9, student);
	UNIT_CHECK(model->n_calibrated == 0 && memcmp(conformal, student, sizeof student) == 0, "15 values: as student");
	free(model);
	free(other);
	model = fit("(0,1,0)", y, 25, with_interval(AO_INTERVAL_CONFORMAL), &env);
	if (ao_residuals(model, y, 25, NULL, 0, &env, residuals) != AO_OK)
		exit(EXIT_FAILURE);
	for (int i = 1; i < 25; i++)
		largest = fmax(largest, fabs(residuals[i]) / sqrt(model->sigma2));
	UNIT_CHECK(model->n_calibrated == 2, "24 errors: two steps");
	UNIT_NEAR(ao_model_calibration(model)[9], largest * ao_student_quantile(0.99, 24) / ao_student_quantile(0.96, 24),
			  1e-12, "24 errors: the largest is of level 0.96");
	free(model);
}

/* A value on the bound of an interval has its level as probability. */
static void
test_probability(AoIntervalKind kind)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	const AoAhead one_step = {.step = 1, .spread = 1, .bias = 1};
	AoModel    *model;

	make_series(y, N);
	model = fit("(1,0,0)", y, N, with_interval(kind), &env);
	for (int i = 0; i < N_LEVELS; i++)
	{
		AoAnomaly	on_bound,
					at_value;
		AoForecast	f;
		double		sigma = sqrt(model->sigma2);

		forecast(model, 1, some_levels[i], &f);
		if (ao_anomaly(model, f.upper, (f.upper - f.mean), 1, one_step, some_levels[i], 50, &env, &on_bound) != AO_OK ||
			ao_anomaly(model, f.mean, 0, 1, one_step, some_levels[i], 50, &env, &at_value) != AO_OK)
			exit(EXIT_FAILURE);
		UNIT_NEAR(on_bound.probability, some_levels[i], 1e-10, "kind %d: probability on the bound of %g", kind, some_levels[i]);
		UNIT_NEAR(on_bound.upper, f.upper, 1e-12, "kind %d: the bound of %g", kind, some_levels[i]);
		UNIT_CHECK(at_value.probability == 0, "kind %d: probability in the middle", kind);
		UNIT_CHECK(ao_interval_probability(model, (AoAhead) {.step = 1, .spread = 1, .bias = 1}, 1e6 * sigma) <= 1, "kind %d: never above 1", kind);
	}
	free(model);
}

/* The formula of the textbook; bounds and standard errors stay. */
static void
test_bias(double lambda)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.has_lambda = true, .lambda = lambda};
	double		y[N],
				one;
	AoForecast	median[H],
				mean[H];
	AoModel    *model,
			   *adjusted;

	make_series(y, N);
	model = fit("(1,1,1)", y, N, options, &env);
	options.bias_adjust = true;
	adjusted = fit("(1,1,1)", y, N, options, &env);
	forecast(model, H, 0.9, median);
	forecast(adjusted, H, 0.9, mean);
	for (int j = 0; j < H; j += 5)
	{
		/* w and sigma on the transformed scale, from what is known on the other */
		double		w = lambda == 0 ? log(median[j].mean) : (pow(median[j].mean, lambda) - 1) / lambda,
					base = lambda * w + 1,
					sigma = median[j].std_error / (lambda == 0 ? median[j].mean : pow(base, 1 / lambda - 1)),
					want = lambda == 0 ? exp(w) * (1 + sigma * sigma / 2) : pow(base, 1 / lambda) * (1 + sigma * sigma * (1 - lambda) / (2 * base * base));

		UNIT_NEAR(mean[j].mean, want, 1e-12, "lambda %g, step %d: the mean", lambda, j + 1);
		UNIT_CHECK(mean[j].lower == median[j].lower && mean[j].upper == median[j].upper &&
				   mean[j].std_error == median[j].std_error,
				   "lambda %g, step %d: all else stays", lambda, j + 1);
	}
	if (ao_predict(adjusted, y, N, AO_NO_TIME, &env, &one) != AO_OK)
		exit(EXIT_FAILURE);
	UNIT_NEAR(one, mean[0].mean, 1e-9, "lambda %g: ao_predict too", lambda);
	free(model);
	free(adjusted);
}

/* Far from what the expansion is for, the mean stays within a standard error. */
static void
test_bias_limits(void)
{
	AoModel		model = {.has_lambda = 1, .bias_adjust = 1, .lambda = 0.8};
	double		mean = ao_point_forecast(&model, -1.25, 0.5);

	UNIT_CHECK(isfinite(mean) && mean <= 0.5, "lambda 0.8 at its pole: %g", mean);
	mean = ao_point_forecast(&model, -1.25, 0);
	UNIT_NEAR(mean, 0, 1e-12, "without variance the median");
	model.lambda = 2;
	mean = ao_point_forecast(&model, 0, 10);
	UNIT_CHECK(isfinite(mean) && mean < 1, "lambda 2: below the median, %g", mean);
	model.lambda = -1;
	mean = ao_point_forecast(&model, 0.5, 0.2);
	UNIT_NEAR(mean, 2 * (1 + 0.04 * 2 / (2 * 0.25)), 1e-12, "lambda -1");
	UNIT_CHECK(isinf(ao_point_forecast(&model, 1.5, 0.2)), "lambda -1, beyond its range: infinite as the median is");
}

/* New values, another estimate and a walk-forward keep what the model was fitted with. */
static void
test_kept(AoIntervalKind kind)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.has_lambda = true, .bias_adjust = true, .has_interval = true, .interval = kind};
	double		y[N];
	AoModel    *model,
			   *longer,
			   *again;

	make_series(y, N);
	model = fit("(1,1,0)", y, 120, options, &env);
	if (ao_append(model, y + 120, 30, NULL, 0, &env, &longer) != AO_OK ||
		ao_refit(model, y, N, NULL, 0, &env, &again) != AO_OK)
		exit(EXIT_FAILURE);
	UNIT_CHECK(longer->interval == kind && longer->bias_adjust && longer->df == model->df &&
			   longer->n_calibrated == model->n_calibrated &&
			   memcmp(ao_model_calibration(longer), ao_model_calibration(model),
					  sizeof(double) * AO_CALIBRATION_LEVELS * model->n_calibrated) == 0,
			   "kind %d: appending", kind);
	UNIT_CHECK(again->interval == kind && again->bias_adjust && again->df == N - 2 &&
			   again->n_calibrated == model->n_calibrated,
			   "kind %d: another estimate", kind);
	UNIT_CHECK(ao_model_check(longer, ao_model_size(longer), &env) == AO_OK &&
			   ao_model_check(again, ao_model_size(again), &env) == AO_OK,
			   "kind %d: both are valid", kind);
	free(model);
	free(longer);
	free(again);
}

typedef struct Compared
{
	const double *y;
	const AoFitOptions *options;
	const char *spec;
	int			rows;
	double		off;			/* the largest difference */
} Compared;

static void
compare_bounds(void *arg, int64_t origin, int step, double actual, const AoForecast *f)
{
	Compared   *compared = arg;
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoForecast	want[3];
	AoModel    *model = fit(compared->spec, compared->y, (int) origin, *compared->options, &env);

	(void) actual;
	forecast(model, step, 0.9, want);
	compared->off = fmax(compared->off, fabs(f->lower / want[step - 1].lower - 1));
	compared->off = fmax(compared->off, fabs(f->upper / want[step - 1].upper - 1));
	compared->off = fmax(compared->off, fabs(f->mean / want[step - 1].mean - 1));
	compared->rows++;
	free(model);
}

/* A walk-forward's bounds are those of a forecast by a model of the values up to there. */
static void
test_backtest(const char *spec, AoFitOptions options)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	AoSpec		parsed;
	Compared	compared = {.y = y, .options = &options, .spec = spec};
	AoBacktest	how = {.initial = 130, .step = 4, .horizon = 3, .refit_every = 1, .level = 0.9, .fit = &options};

	make_series(y, N);
	if (ao_spec_parse(spec, strlen(spec), &parsed, &env) != AO_OK ||
		ao_backtest(y, N, NULL, 0, &parsed, &how, &env, compare_bounds, &compared) != AO_OK)
		exit(EXIT_FAILURE);
	UNIT_CHECK(compared.rows == 24 - 1 && compared.off < 1e-4, "%s, kind %d: walk-forward, %d rows, %g off", spec,
			   options.interval, compared.rows, compared.off);
}

/* Intervals are the same where the model keeps the covariance of its state, whose steps work
 * between those of the impulse responses, and, but for how little is left of it, where not. */
static void
test_state_cov(const char *text, AoIntervalKind kind)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[N];
	AoForecast	with[H],
				without[H];
	AoModel    *model;

	make_series(y, N);
	/* of which little is left at the end */
	y[N - 8] = NAN;
	model = fit(text, y, N, with_interval(kind), &env);
	UNIT_CHECK(model->has_state_cov, "%s: no covariance of the state, which the test is for", text);
	forecast(model, H, 0.95, with);
	/* it is what the block ends with */
	model->has_state_cov = false;
	forecast(model, H, 0.95, without);
	for (int j = 0; j < H; j++)
		UNIT_NEAR((with[j].upper - with[j].lower) / (without[j].upper - without[j].lower), 1, 2e-3,
				  "%s, kind %d, step %d: with the state's covariance", text, kind, j + 1);
	env.free(env.arg, model);
}

int
main(void)
{
	test_student();
	test_kinds();
	test_constants();
	test_conformal();
	test_few_errors();
	for (int kind = 0; kind < 3; kind++)
	{
		test_levels((AoIntervalKind) kind);
		test_probability((AoIntervalKind) kind);
		test_kept((AoIntervalKind) kind);
		test_backtest("(2,0,0)", with_interval((AoIntervalKind) kind));
		test_backtest("(1,0,0) with drift", with_interval((AoIntervalKind) kind));
		test_state_cov("(1,0,1)", (AoIntervalKind) kind);
		test_state_cov("(1,1,1)(1,0,0)[4]", (AoIntervalKind) kind);
	}
	test_backtest("(1,1,0)", (AoFitOptions) {.has_lambda = true, .lambda = 0, .bias_adjust = true});
	test_bias(0);
	test_bias(0.5);
	test_bias(-0.4);
	test_bias(1.7);
	test_bias_limits();
	return unit_done();
}

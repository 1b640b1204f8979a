/*
 * test_coverage.c
 *		How often the intervals of a correctly specified model hold the values
 *		to come, in simulation: n = 200, parameters estimated, steps 1 to 12.
 *
 * usage: test_coverage [replications]
 *
 * What comes after a series is not drawn: given the series it is normal, with
 * mean and variance by the filter of the true model, and so its probability of
 * being inside the interval is known.  That leaves but the variation from
 * series to series, so that far fewer of them are enough.
 */
#include "diagnostics.h"
#include "sample_model.h"
#include "unit.h"

#define N 200
#define H 12
#define BURN_IN 400
#define N_LEVELS 2
#define REPLICATIONS 1000

static const double levels[N_LEVELS] = {0.8, 0.95};

static const char *const kinds[] = {"normal", "student", "conformal"};

typedef struct Process
{
	const char *spec;
	double		coef[5];		/* as in a model; innovations have variance 1 */
	double		most_off[3];	/* points from the nominal level at any step, by kind */
} Process;

/* phi and theta of the product of a polynomial and a seasonal one: 1 + c1 B .. */
static void
multiply(const double *c, int n, const double *s, int seasons, int m, double sign, double *out)
{
	memset(out, 0, sizeof(double) * 64);
	for (int i = 0; i <= n; i++)
		for (int j = 0; j <= seasons; j++)
			out[i + j * m] += (i == 0 ? 1 : sign * c[i - 1]) * (j == 0 ? 1 : sign * s[j - 1]);
}

/* One series of the process, from a stationary start and level 0. */
static void
draw(const AoSpec *spec, const double *coef, AoRandom *random, double *y)
{
	double		ar[64],
				ma[64],
				e[BURN_IN + N],
				w[BURN_IN + N];
	const double *theta = coef + spec->p,
			   *sar = theta + spec->q,
			   *sma = sar + spec->P;

	multiply(coef, spec->p, sar, spec->P, spec->m, -1, ar);
	multiply(theta, spec->q, sma, spec->Q, spec->m, 1, ma);
	for (int t = 0; t < BURN_IN + N; t++)
	{
		e[t] = ao_random_normal(random);
		w[t] = 0;
		for (int j = 0; j < 64 && j <= t; j++)
			w[t] += ma[j] * e[t - j] - (j > 0 ? ar[j] * w[t - j] : 0);
	}
	memcpy(y, w + BURN_IN, sizeof(double) * N);
	for (int i = 0; i < spec->D; i++)
		for (int t = spec->m; t < N; t++)
			y[t] += y[t - spec->m];
	for (int i = 0; i < spec->d; i++)
		for (int t = 1; t < N; t++)
			y[t] += y[t - 1];
	sma += spec->Q;
	for (int t = 0; t < N && spec->constant != AO_CONSTANT_NONE; t++)
		y[t] += spec->constant == AO_CONSTANT_MEAN ? sma[0] : sma[0] * (t + 1);
}

/* Adds the coverage of one series to the sums. */
static void
add_series(const AoSpec *spec, const AoModel *truth, const double *y, AoIntervalKind kind,
		   double sum[N_LEVELS][H], double square[N_LEVELS][H])
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML, .no_std_errors = true, .has_interval = true, .interval = kind};
	AoForecast	true_forecast[H],
				forecast[N_LEVELS * H];
	AoModel    *model;

	if (ao_fit(y, N, NULL, 0, spec, &options, &env, &model) != AO_OK ||
		ao_forecast_levels(model, H, levels, N_LEVELS, NULL, 0, &env, forecast) != AO_OK ||
		ao_forecast_recent(truth, y, N, AO_NO_TIME, H, 0.5, &env, true_forecast) != AO_OK)
		abort();
	free(model);
	for (int i = 0; i < N_LEVELS; i++)
		for (int j = 0; j < H; j++)
		{
			const AoForecast *f = &forecast[i * H + j],
					   *t = &true_forecast[j];
			double		inside = 0.5 * (erf((f->upper - t->mean) / (t->std_error * sqrt(2))) - erf((f->lower - t->mean) / (t->std_error * sqrt(2))));

			sum[i][j] += inside;
			square[i][j] += inside * inside;
		}
}

/* A model with the parameters of the process. */
static AoModel *
make_truth(const AoSpec *spec, const double *coef)
{
	size_t		bytes;
	AoModel    *truth = sample_shape(spec, 0, 0, false, &bytes);

	memcpy(ao_model_coef(truth), coef, sizeof(double) * (size_t) truth->n_coef);
	truth->n = N;
	truth->n_used = ao_model_terms_used(spec, N, 0);
	truth->sigma2 = 1;
	return truth;
}

/* Sums over the series against the level: each step near it, and known well enough. */
static void
judge(const Process *process, AoIntervalKind kind, double level, int replications,
	  const double sum[H], const double square[H])
{
	double		worst = 0,
				error = 0,
				fewer = replications < REPLICATIONS ? (double) REPLICATIONS / replications : 1;
	int			at = 0;

	printf("# %s %s %g:", process->spec, kinds[kind], 100 * level);
	for (int j = 0; j < H; j++)
	{
		double		mean = sum[j] / replications;

		printf(" %.1f", 100 * mean);
		error = fmax(error, sqrt((square[j] / replications - mean * mean) / replications));
		if (fabs(mean - level) > fabs(worst))
		{
			worst = mean - level;
			at = j + 1;
		}
	}
	printf("\n");
	UNIT_CHECK(100 * error < 0.4 * sqrt(fewer) * (fewer > 1 ? 2 : 1), "%s, %s, %g %%: known to %.2f points", process->spec, kinds[kind],
			   100 * level, 100 * error);
	UNIT_CHECK(100 * fabs(worst) <= process->most_off[kind] + (fewer > 1 ? 400 * error : 0), "%s, %s, %g %%: farthest off at step %d, %+.2f points",
			   process->spec, kinds[kind], 100 * level, at, 100 * worst);
}

static void
test_process(const Process *process, AoIntervalKind kind, int replications)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec;
	AoModel    *truth;
	double		y[N],
				sum[N_LEVELS][H] = {{0}},
				square[N_LEVELS][H] = {{0}};

	if (ao_spec_parse(process->spec, strlen(process->spec), &spec, &env) != AO_OK)
		abort();
	truth = make_truth(&spec, process->coef);
	for (int i = 0; i < replications; i++)
	{
		AoRandom	random;

		ao_random_seed(&random, 2024, (uint64_t) i);
		draw(&spec, process->coef, &random, y);
		add_series(&spec, truth, y, kind, sum, square);
	}
	free(truth);
	for (int i = 0; i < N_LEVELS; i++)
		judge(process, kind, levels[i], replications, sum[i], square[i]);
}

int
main(int argc, char **argv)
{
	/*
	 * Normal intervals leave out that the coefficients are estimates: of a mean around which the series
	 * moves slowly, of a drift, of a root near the circle, that is felt.
	 */
	static const Process processes[] = {
		{"(1,0,0) without constant", {0.6}, {1.5, 1, 1.5}},
		{"(1,0,0)", {0.6, 10}, {1.5, 1, 1.5}},
		{"(1,0,1)", {0.6, 0.3, 10}, {1.5, 1, 1.5}},
		{"(0,1,1)", {-0.4}, {1.5, 1, 1.5}},
		{"(1,1,1)", {0.5, 0.3}, {1.5, 1, 1.5}},
		{"(0,1,1)(0,1,1)[12]", {-0.4, -0.6}, {1.5, 1, 1.5}},
		{"(1,0,0)(1,0,0)[12]", {0.5, 0.5, 10}, {1.5, 1, 1.5}},
		{"(2,0,0)", {1.2, -0.5, 10}, {2, 1, 1.5}},
		{"(1,0,0)", {0.9, 10}, {5, 1, 1.5}},
		{"(1,0,0)", {0.98, 10}, {8, 1.2, 1.5}},
		{"(2,0,1)", {1.6, -0.65, 0.4, 10}, {6, 1, 1.5}},
		{"(0,1,0) with drift", {0.2}, {3, 1, 1.5}},
		{"(0,1,1) with drift", {-0.4, 0.2}, {3, 1, 1.5}},
		{"(1,1,0) with drift", {0.8, 0.2}, {5, 1, 1.5}},
	};
	int			replications = argc > 1 ? atoi(argv[1]) : unit_small() ? 20 : REPLICATIONS;

	for (int kind = 0; kind < 3; kind++)
		for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++)
			test_process(&processes[i], (AoIntervalKind) kind, replications);
	return unit_done();
}

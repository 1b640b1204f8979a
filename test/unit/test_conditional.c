/*
 * test_conditional.c
 *		The conditional sum of squares of series with gaps.  Where nothing else is said the
 *		wanted numbers are those of R 4.2.2, arima(method = "CSS") with reltol = 1e-14;
 *		with MA terms R has none, and a plain loop stands for it.
 */
#include "read_series.h"

static UnitMemory memory;
static AoEnv env;

/* Approval of presidents: 120 values, 6 of them missing, the first among these. */
static double y[READ_MAX];
static int64_t n;

static AoModel *
fit(const char *spec_text, AoMethod method, const double *xreg)
{
	AoSpec		spec;
	AoFitOptions options = {.method = method};
	AoModel    *model = NULL;

	if (ao_spec_parse(spec_text, strlen(spec_text), &spec, &env) != AO_OK ||
		ao_fit(y, n, xreg, xreg ? 1 : 0, &spec, &options, &env, &model) != AO_OK)
		return NULL;
	return model;
}

/* What R gives. */
typedef struct Wanted
{
	const char *spec;
	double		coef[4],
				std_error[4],
				sigma2,
				loglik,
				forecast[2],	/* three and four steps ahead */
				forecast_error[2];
} Wanted;

static const Wanted wanted[] = {
	{"(1,0,0)", {0.8074474993, 52.2151011369}, {0.0557488961, 4.6200831680},
	82.3224547774, -413.1656957135, {37.36175, 40.2218}, {13.0762, 13.92124}},
	{"(3,0,0)", {0.6671073048, 0.3677033624, -0.1717709698, 49.8412502564},
		{0.0896209196, 0.1066156411, 0.0873903435, 6.6608979670},
	68.1040151411, -402.3580545269, {32.63712, 34.85009}, {11.97488, 13.0083}},
	{"(1,0,0)(1,0,0)[4]", {0.7725571800, 0.2887068875, 54.9826130519},
		{0.0641545149, 0.0927760338, 4.7942652994},
	68.5566965975, -402.7356749426, {35.47684, 37.87883}, {11.57134, 12.1849}},
	{"(1,1,0)", {-0.2076425394}, {0.0856158232}, 77.2971907926, -405.9827094042,
	{24, 24}, {13.40826, 15.25076}},
	{"(2,1,0) with drift", {-0.2961603217, 0.1065869046, -0.9139895603},
		{0.0907394342, 0.0851933148, 0.6683162226}, 71.3856448300, -401.4875232448,
	{NAN, NAN}, {NAN, NAN}}};

static void
test_against_r(const Wanted *w)
{
	AoModel    *model = fit(w->spec, AO_CSS, NULL);
	AoForecast	f[4];

	if (model == NULL || ao_forecast(model, 4, 0.95, NULL, 0, &env, f) != AO_OK)
	{
		UNIT_CHECK(false, "presidents %s: fit and forecast", w->spec);
		return;
	}
	UNIT_NEAR(model->sigma2 / w->sigma2, 1, 1e-8, "presidents %s: sigma2", w->spec);
	UNIT_NEAR(model->loglik, w->loglik, 1e-8, "presidents %s: log-likelihood", w->spec);
	for (int i = 0; i < model->n_coef; i++)
	{
		double		se = sqrt(ao_model_cov(model)[i * (i + 1) / 2 + i]);

		UNIT_NEAR((ao_model_coef(model)[i] - w->coef[i]) / w->std_error[i], 0, 1e-4,
				  "presidents %s: coefficient %d", w->spec, i);
		UNIT_NEAR(se / w->std_error[i], 1, 1e-4, "presidents %s: standard error %d", w->spec, i);
	}
	for (int i = 0; i < 2 && !isnan(w->forecast[i]); i++)
	{
		UNIT_NEAR(f[2 + i].mean / w->forecast[i], 1, 1e-5, "presidents %s: forecast", w->spec);
		UNIT_NEAR(f[2 + i].std_error / w->forecast_error[i], 1, 1e-5, "presidents %s: its error", w->spec);
	}
	env.free(env.arg, model);
}

/* The mean conditional sum of squares of (1,0,1) with a mean, by its definition. */
static double
mean_square(double ar, double ma, double mean)
{
	double		e = 0,
				sum = 0;
	int			terms = 0;

	for (int64_t t = 2; t < n; t++)
	{
		e = y[t] - mean - ar * (y[t - 1] - mean) - ma * e;
		if (isnan(e))
			e = 0;
		else
		{
			sum += e * e;
			terms++;
		}
	}
	return sum / terms;
}

/* With an MA term: no point around the estimate has a smaller sum, and sigma2 is it. */
static void
test_moving_average(void)
{
	AoModel    *model = fit("(1,0,1)", AO_CSS, NULL);
	int			lower = 0;

	if (model == NULL)
	{
		UNIT_CHECK(false, "presidents (1,0,1): fit");
		return;
	}
	for (int i = 0; i < 27; i++)
	{
		const double *c = ao_model_coef(model);

		lower += mean_square(c[0] + 1e-3 * (i % 3 - 1), c[1] + 1e-3 * (i / 3 % 3 - 1),
							 c[2] + 1e-2 * (i / 9 - 1)) < model->sigma2 * (1 - 1e-9);
	}
	UNIT_CHECK(lower == 0, "presidents (1,0,1): %d of 27 points around are better", lower);
	UNIT_NEAR(mean_square(ao_model_coef(model)[0], ao_model_coef(model)[1],
						  ao_model_coef(model)[2]) / model->sigma2, 1, 1e-9, "presidents (1,0,1): sigma2");
	env.free(env.arg, model);
}

/* CSS-ML ends where ML does; a regressor's missing value is one of the series. */
static void
test_other_ways(void)
{
	double		x[READ_MAX];
	AoModel    *ml = fit("(3,0,0)", AO_ML, NULL),
			   *css_ml = fit("(3,0,0)", AO_CSS_ML, NULL),
			   *by_y,
			   *by_x;

	UNIT_CHECK(ml && css_ml, "presidents (3,0,0): fits");
	if (ml && css_ml)
		UNIT_NEAR(css_ml->loglik, ml->loglik, 1e-6, "presidents (3,0,0): CSS-ML is ML");
	env.free(env.arg, ml);
	env.free(env.arg, css_ml);
	for (int64_t t = 0; t < n; t++)
		x[t] = sin((double) (t * t));
	x[50] = NAN;
	by_x = fit("(1,1,1)", AO_CSS, x);
	y[50] = NAN;
	x[50] = 0;
	by_y = fit("(1,1,1)", AO_CSS, x);
	UNIT_CHECK(by_x && by_y && memcmp(by_x->data, by_y->data, ao_model_data_len(by_y) * sizeof(double)) == 0,
			   "a missing regressor is a missing value");
	env.free(env.arg, by_x);
	env.free(env.arg, by_y);
	for (int64_t t = 0; t < n; t += 2)
		y[t] = NAN;
	UNIT_CHECK(fit("(1,0,0)", AO_CSS, NULL) == NULL && env.err.what != NULL,
			   "no two values in a row: refused, with the reason");
	UNIT_CHECK(memory.live == 0, "nothing left behind");
}

/* A model by CSS-ML estimated anew on its own values is no worse than it was. */
static void
test_refit(void)
{
	ReadSeries	series;
	AoModel    *model,
			   *again = NULL;

	read_series(&series, "JohnsonJohnson");
	memcpy(y, series.y, sizeof y);
	n = series.n;
	model = fit("(1,0,2)", AO_CSS_ML, NULL);
	if (model == NULL || ao_refit(model, y, n, NULL, 0, &env, &again) != AO_OK)
	{
		UNIT_CHECK(false, "JohnsonJohnson (1,0,2): fit and refit");
		return;
	}
	UNIT_CHECK(again->loglik > model->loglik - 1e-6, "JohnsonJohnson (1,0,2): %.3f after a refit, %.3f before",
			   again->loglik, model->loglik);
	env.free(env.arg, model);
	env.free(env.arg, again);
	UNIT_CHECK(memory.live == 0, "nothing left behind by the refit");
}

int
main(void)
{
	ReadSeries	series;

	env = unit_env(&memory);
	read_series(&series, "presidents");
	memcpy(y, series.y, sizeof y);
	n = series.n;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		test_against_r(&wanted[i]);
	test_moving_average();
	test_other_ways();
	test_refit();
	return unit_done();
}

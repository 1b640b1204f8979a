/*
 * stationarity.c
 *		Tests of stationarity (KPSS) and of a unit root (Dickey-Fuller,
 *		Phillips-Perron), with p-values from the published tables.
 */
#include "least_squares.h"
#include "values.h"

#include <math.h>

#define TABLE_SIZES 6			/* series lengths, and .. */
#define TABLE_LEVELS 8			/* .. probabilities of Fuller's tables */

static const double table_n[TABLE_SIZES] = {25, 50, 100, 250, 500, 100000};
static const double table_p[TABLE_LEVELS] = {0.01, 0.025, 0.05, 0.10, 0.90, 0.95, 0.975, 0.99};

typedef const double CriticalValues[TABLE_SIZES][TABLE_LEVELS];

/* W. A. Fuller, "Introduction to Statistical Time Series", 1976, table 8.5.2: the
 * statistics tau, tau_mu and tau_tau; the last also in Banerjee, Dolado, Galbraith &
 * Hendry, "Co-integration, Error Correction ..", 1993, table 4.2. */
static CriticalValues tau[3] = {
	{
		{-2.66, -2.26, -1.95, -1.60, 0.92, 1.33, 1.70, 2.16},
		{-2.62, -2.25, -1.95, -1.61, 0.91, 1.31, 1.66, 2.08},
		{-2.60, -2.24, -1.95, -1.61, 0.90, 1.29, 1.64, 2.03},
		{-2.58, -2.23, -1.95, -1.62, 0.89, 1.29, 1.63, 2.01},
		{-2.58, -2.23, -1.95, -1.62, 0.89, 1.28, 1.62, 2.00},
		{-2.58, -2.23, -1.95, -1.62, 0.89, 1.28, 1.62, 2.00}
	},
	{
		{-3.75, -3.33, -3.00, -2.63, -0.37, 0.00, 0.34, 0.72},
		{-3.58, -3.22, -2.93, -2.60, -0.40, -0.03, 0.29, 0.66},
		{-3.51, -3.17, -2.89, -2.58, -0.42, -0.05, 0.26, 0.63},
		{-3.46, -3.14, -2.88, -2.57, -0.42, -0.06, 0.24, 0.62},
		{-3.44, -3.13, -2.87, -2.57, -0.43, -0.07, 0.24, 0.61},
		{-3.43, -3.12, -2.86, -2.57, -0.44, -0.07, 0.23, 0.60}
	},
	{
		{-4.38, -3.95, -3.60, -3.24, -1.14, -0.80, -0.50, -0.15},
		{-4.15, -3.80, -3.50, -3.18, -1.19, -0.87, -0.58, -0.24},
		{-4.04, -3.73, -3.45, -3.15, -1.22, -0.90, -0.62, -0.28},
		{-3.99, -3.69, -3.43, -3.13, -1.23, -0.92, -0.64, -0.31},
		{-3.98, -3.68, -3.42, -3.13, -1.24, -0.93, -0.65, -0.32},
		{-3.96, -3.66, -3.41, -3.12, -1.25, -0.94, -0.66, -0.33}
	}
};

/* Fuller 1976, table 8.5.1, n(rho_tau - 1); Banerjee et al. 1993, table 4.1. */
static CriticalValues rho = {
	{-22.5, -19.9, -17.9, -15.6, -3.66, -2.51, -1.53, -0.43},
	{-25.7, -22.4, -19.8, -16.8, -3.71, -2.60, -1.66, -0.65},
	{-27.4, -23.6, -20.7, -17.5, -3.74, -2.62, -1.73, -0.75},
	{-28.4, -24.4, -21.3, -18.0, -3.75, -2.64, -1.78, -0.82},
	{-28.9, -24.8, -21.5, -18.1, -3.76, -2.65, -1.78, -0.84},
	{-29.5, -25.1, -21.8, -18.3, -3.77, -2.66, -1.79, -0.87}
};

/* Probability of a value below the statistic in n steps: interpolated in n, then in
 * the statistic. */
static double
table_lookup(CriticalValues table, double n, double statistic)
{
	double		critical[TABLE_LEVELS];

	for (int j = 0; j < TABLE_LEVELS; j++)
	{
		double		column[TABLE_SIZES];

		for (int i = 0; i < TABLE_SIZES; i++)
			column[i] = table[i][j];
		critical[j] = ao_interpolate(table_n, column, TABLE_SIZES, n);
	}
	return ao_interpolate(critical, table_p, TABLE_LEVELS, statistic);
}

/* p-value of the KPSS statistic (their table 1), cut at 0.01 and 0.10. */
double
ao_kpss_p_value(double statistic, AoDeterministic around)
{
	static const double level[4] = {0.347, 0.463, 0.574, 0.739};
	static const double trend[4] = {0.119, 0.146, 0.176, 0.216};
	static const double p[4] = {0.10, 0.05, 0.025, 0.01};

	return ao_interpolate(around == AO_LEVEL ? level : trend, p, 4, statistic);
}

/* Takes the least squares line out of e, which has mean zero. */
static AoStatus
detrend(double *e, int64_t n, AoEnv *env)
{
	AoPace		pace = {env, 0};
	double		middle = 0.5 * (double) (n - 1),
				cross = 0,
				square = 0;

	for (int64_t t = 0; t < n; t++)
	{
		double		x = (double) t - middle;

		AO_TRY(ao_pace(&pace, 1));
		cross += x * e[t];
		square += x * x;
	}
	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_pace(&pace, 1));
		e[t] -= cross / square * ((double) t - middle);
	}
	return AO_OK;
}

/* The KPSS statistic of v[n], which is destroyed (their equations 10, 13); NaN
 * where v has no variance.  lags < n. */
AoStatus
ao_kpss_statistic(double *v, int64_t n, AoDeterministic around, int64_t lags, AoEnv *env,
				  double *statistic)
{
	AoPace		pace = {env, 0};
	double		before,
				variance,
				long_run,
				partial = 0,
				sum = 0;

	AO_TRY(ao_center(v, n, env));
	AO_TRY(ao_lag_product(v, n, 0, env, &before));
	if (around == AO_TREND)
		AO_TRY(detrend(v, n, env));
	AO_TRY(ao_long_run_variance(v, n, lags, env, &variance, &long_run));
	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_pace(&pace, 1));
		partial += v[t];
		sum += partial * partial;
	}
	/* what rounding leaves of an exact line is no variance */
	if (variance * (double) n > 1e-24 * before && long_run > 0)
		*statistic = sum / (double) n / (double) n / long_run;
	else
		*statistic = NAN;
	return AO_OK;
}

/* A test that has no answer yet. */
static AoTest
no_answer(int64_t lags, int64_t n)
{
	AoTest		test = {NAN, NAN, lags, n};

	return test;
}

/* Four times the fourth root of a hundredth: the usual short lag (Schwert 1989). */
static int64_t
short_lag(int64_t n)
{
	return (int64_t) (4 * pow((double) n / 100, 0.25));
}

/* See tests.h. */
AoStatus
ao_test_kpss(const double *y, int64_t n, AoDeterministic around, int64_t lags,
			 AoEnv *env, AoTest *test)
{
	AoValues	values;
	AoArena		arena;
	AoStatus	status;
	double	   *v;

	if (around == AO_NOTHING)
		return ao_fail(env, AO_BAD_ARGUMENT, "the KPSS test is around a level or a trend\n"
					   "Choose one of them.", 0, 0);
	if (lags < AO_DEFAULT_LAGS)
		return ao_fail(env, AO_BAD_ARGUMENT, "the number of lags must not be negative\n"
					   "Leave it out for the usual number.", 0, 0);
	AO_TRY(ao_values_need(y, n, (lags > 2 ? lags : 2) + 1, "the KPSS test", &values, env));
	if (lags == AO_DEFAULT_LAGS)
		lags = short_lag(values.n);
	*test = no_answer(lags, values.n);
	if (values.smallest == values.largest)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) values.n, sizeof(double)), env));
	v = ao_arena_take(&arena, (size_t) values.n, sizeof(double));
	status = ao_values_copy(y, n, &values, v, env);
	if (status == AO_OK)
		status = ao_kpss_statistic(v, values.n, around, lags, env, &test->statistic);
	ao_arena_close(&arena, env);
	if (status == AO_OK && !isnan(test->statistic))
		test->p_value = ao_kpss_p_value(test->statistic, around);
	return status;
}

/* Rows of the regression of each difference on the constant, trend, `lags` earlier
 * differences and, last, the level before it. */
static AoStatus
dickey_fuller_rows(AoLeastSquares *ls, const double *v, int64_t n, AoDeterministic around,
				   int64_t lags, AoEnv *env)
{
	AoPace		pace = {env, 0};

	for (int64_t t = lags + 1; t < n; t++)
	{
		double	   *x = ls->row;

		if (around >= AO_LEVEL)
			*x++ = 1;
		if (around == AO_TREND)
			*x++ = (double) (2 * t - lags - n) / (double) n;
		for (int64_t l = 1; l <= lags; l++)
			*x++ = v[t - l] - v[t - l - 1];
		*x++ = v[t - 1];
		*x = v[t] - v[t - 1];
		AO_TRY(ao_least_squares_add(ls, &pace));
	}
	return AO_OK;
}

/* The t statistic of the last regressor; NaN where it has none. */
static double
last_t(const AoLeastSquares *ls)
{
	int			k = ls->k,
				c = k + 1;

	if (!ao_least_squares_regular(ls))
		return NAN;
	return ls->R[(size_t) (k - 1) * c + k] /
		sqrt(ao_least_squares_rss(ls) / (double) (ls->rows - k));
}

/* Values to v, their mean taken out where that changes nothing but rounding. */
static AoStatus
take_values(const double *y, int64_t n, const AoValues *values, AoDeterministic around,
			double *v, AoEnv *env)
{
	AO_TRY(ao_values_copy(y, n, values, v, env));
	if (around == AO_NOTHING)
		return AO_OK;
	return ao_center(v, values->n, env);
}

/* See tests.h. */
AoStatus
ao_test_adf(const double *y, int64_t n, AoDeterministic around, int64_t lags,
			AoEnv *env, AoTest *test)
{
	int			constants = (int) around;	/* columns for level and trend */
	AoValues	values;
	AoArena		arena;
	AoLeastSquares ls;
	AoPace		pace = {env, 0};
	AoStatus	status;
	double	   *v;

	AO_TRY(ao_values_measure(y, n, &values, env));
	if (lags == AO_DEFAULT_LAGS)
		lags = values.n > 1 ? (int64_t) pow((double) (values.n - 1), 1.0 / 3) : 0;
	if (lags < 0 || lags > 10000)
		return ao_fail(env, AO_BAD_ARGUMENT, "the number of lags must be 0 to 10000\n"
					   "Leave it out for the usual number.", 0, 0);
	if (values.n < 2 * lags + constants + 3)
		return ao_fail(env, AO_SERIES_TOO_SHORT, "this Dickey-Fuller test",
					   2 * lags + constants + 3, values.n);
	*test = no_answer(lags, values.n);
	if (values.smallest == values.largest)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) values.n, sizeof(double)) +
						 ao_least_squares_bytes((int) lags + constants + 1), env));
	v = ao_arena_take(&arena, (size_t) values.n, sizeof(double));
	status = ao_least_squares_init(&ls, (int) lags + constants + 1, &arena, &pace);
	if (status == AO_OK)
		status = take_values(y, n, &values, around, v, env);
	if (status == AO_OK)
		status = dickey_fuller_rows(&ls, v, values.n, around, lags, env);
	if (status == AO_OK)
		test->statistic = last_t(&ls);
	ao_arena_close(&arena, env);
	if (status == AO_OK && !isnan(test->statistic))
		test->p_value = table_lookup(tau[around], (double) (values.n - 1), test->statistic);
	return status;
}

/* Residuals of the regression of steps on constant, trend and level, into v[1..n-1]. */
static AoStatus
step_residuals(const AoLeastSquares *ls, double *v, int64_t n, AoEnv *env)
{
	AoPace		pace = {env, 0};
	double		coef[3],
				before = v[0];

	ao_least_squares_solve(ls, coef);
	for (int64_t t = 1; t < n; t++)
	{
		double		now = v[t];

		AO_TRY(ao_pace(&pace, 1));
		v[t] = now - before - coef[0] - coef[1] * (double) (2 * t - n) / (double) n -
			coef[2] * before;
		before = now;
	}
	return AO_OK;
}

/* Z(alpha) of Phillips & Perron 1988, equation 17, around a trend; v is destroyed. */
static AoStatus
phillips_perron(AoLeastSquares *ls, double *v, int64_t n, int64_t lags, AoEnv *env,
				double *statistic)
{
	double		steps = (double) (n - 1),
				determinant = 1,	/* of X'X, its trend in steps of one */
				coef[3],
				variance,
				long_run;

	AO_TRY(dickey_fuller_rows(ls, v, n, AO_TREND, 0, env));
	*statistic = NAN;
	if (!ao_least_squares_regular(ls))
		return AO_OK;
	for (int j = 0; j < 3; j++)
		determinant *= ls->R[j * 4 + j] * ls->R[j * 4 + j];
	determinant *= 0.25 * (double) n * (double) n;
	ao_least_squares_solve(ls, coef);
	AO_TRY(step_residuals(ls, v, n, env));
	AO_TRY(ao_long_run_variance(v + 1, n - 1, lags, env, &variance, &long_run));
	*statistic = steps * coef[2] -
		pow(steps, 6) / (24 * determinant) * (long_run - variance);
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_test_pp(const double *y, int64_t n, int64_t lags, AoEnv *env, AoTest *test)
{
	AoValues	values;
	AoArena		arena;
	AoLeastSquares ls;
	AoPace		pace = {env, 0};
	AoStatus	status;
	double	   *v;

	if (lags < AO_DEFAULT_LAGS)
		return ao_fail(env, AO_BAD_ARGUMENT, "the number of lags must not be negative\n"
					   "Leave it out for the usual number.", 0, 0);
	AO_TRY(ao_values_need(y, n, (lags > 3 ? lags : 3) + 2, "this Phillips-Perron test",
						  &values, env));
	if (lags == AO_DEFAULT_LAGS)
		lags = short_lag(values.n - 1);
	*test = no_answer(lags, values.n);
	if (values.smallest == values.largest)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) values.n, sizeof(double)) +
						 ao_least_squares_bytes(3), env));
	v = ao_arena_take(&arena, (size_t) values.n, sizeof(double));
	status = ao_least_squares_init(&ls, 3, &arena, &pace);
	if (status == AO_OK)
		status = take_values(y, n, &values, AO_TREND, v, env);
	if (status == AO_OK)
		status = phillips_perron(&ls, v, values.n, lags, env, &test->statistic);
	ao_arena_close(&arena, env);
	if (status == AO_OK && !isnan(test->statistic))
		test->p_value = table_lookup(rho, (double) (values.n - 1), test->statistic);
	return status;
}

/*
 * correlation.c
 *		Autocorrelations, partial autocorrelations and the portmanteau test.
 */
#include "values.h"

#include <math.h>

/* A series made ready for lagged products. */
typedef struct Centered
{
	double	   *x,				/* [n] less the mean, 0 where missing */
			   *known;			/* [n] 1 or 0; NULL if all are known */
} Centered;

static size_t
centered_bytes(int64_t n)
{
	return 2 * ao_arena_round((size_t) n, sizeof(double));
}

/* Known values, centred, then put in their places from the end on. */
static AoStatus
centered_init(Centered *c, const double *y, int64_t n, const AoValues *values,
			  AoArena *arena, AoEnv *env)
{
	AoPace		pace = {env, 0};
	int64_t		k = values->n;

	c->x = ao_arena_take(arena, (size_t) n, sizeof(double));
	c->known = NULL;
	AO_TRY(ao_values_copy(y, n, values, c->x, env));
	AO_TRY(ao_center(c->x, k, env));
	if (k == n)
		return AO_OK;
	c->known = ao_arena_take(arena, (size_t) n, sizeof(double));
	for (int64_t t = n - 1; t >= 0; t--)
	{
		AO_TRY(ao_pace(&pace, 1));
		c->known[t] = !isnan(y[t]);
		c->x[t] = isnan(y[t]) ? 0 : c->x[--k];
	}
	return AO_OK;
}

/* Autocovariance of one lag; NaN where no pair is known. */
static AoStatus
autocovariance(const Centered *c, int64_t n, int64_t lag, AoEnv *env, double *out)
{
	double		pairs = (double) (n - lag),
				sum;

	AO_TRY(ao_lag_product(c->x, n, lag, env, &sum));
	if (c->known)
		AO_TRY(ao_lag_product(c->known, n, lag, env, &pairs));
	*out = pairs > 0 ? sum / (pairs + (double) lag) : NAN;
	return AO_OK;
}

/* The lags of ao_acf, by the arena's memory. */
static AoStatus
autocorrelations(const double *y, int64_t n, int64_t max_lag, const AoValues *values,
				 AoArena *arena, AoEnv *env, double *acf)
{
	Centered	c;
	double		variance;

	AO_TRY(centered_init(&c, y, n, values, arena, env));
	AO_TRY(autocovariance(&c, n, 0, env, &variance));
	for (int64_t lag = 1; lag <= max_lag; lag++)
	{
		double		r;

		AO_TRY(autocovariance(&c, n, lag, env, &r));
		r /= variance;
		/* with gaps it can leave the range of a correlation */
		acf[lag - 1] = isnan(r) ? NAN : r > 1 ? 1 : r < -1 ? -1 : r;
	}
	return AO_OK;
}

/* See tests.h. */
int64_t
ao_acf_default_lag(int64_t n)
{
	int64_t		lag = n > 1 ? (int64_t) (10 * log10((double) n)) : 0;

	return lag < n ? lag : n - 1;
}

/* See tests.h. */
AoStatus
ao_acf(const double *y, int64_t n, int64_t max_lag, AoEnv *env, double *acf)
{
	AoValues	values;
	AoArena		arena;
	AoStatus	status;

	AO_TRY(ao_values_need(y, n, 2, "a correlation", &values, env));
	if (max_lag < 0 || max_lag >= n)
		return ao_fail(env, AO_BAD_ARGUMENT, "the largest lag must be less than the number of values\n"
					   "Ask for fewer lags, or leave them out for the usual number.", 0, 0);
	for (int64_t lag = 0; lag < max_lag; lag++)
		acf[lag] = NAN;
	if (values.smallest == values.largest)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, centered_bytes(n), env));
	status = autocorrelations(y, n, max_lag, &values, &arena, env, acf);
	ao_arena_close(&arena, env);
	return status;
}

/* Durbin's recursion from autocorrelations r[k] to partial ones; a, b: [k] work. */
static AoStatus
durbin(const double *r, int64_t k, double *a, double *b, AoEnv *env, double *pacf)
{
	AoPace		pace = {env, 0};

	for (int64_t l = 0; l < k; l++)
	{
		double		above = r[l],
					below = 1;

		AO_TRY(ao_pace(&pace, l + 1));
		for (int64_t i = 0; i < l; i++)
		{
			above -= a[i] * r[l - 1 - i];
			below -= a[i] * r[i];
		}
		pacf[l] = above / below;
		if (!isfinite(pacf[l]))
			pacf[l] = NAN;
		for (int64_t i = 0; i < l; i++)
			b[i] = a[l - 1 - i];
		for (int64_t i = 0; i < l; i++)
			a[i] -= pacf[l] * b[i];
		a[l] = pacf[l];
	}
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_pacf(const double *y, int64_t n, int64_t max_lag, AoEnv *env, double *pacf)
{
	size_t		k = max_lag > 0 ? (size_t) max_lag : 0,
				d = sizeof(double);
	AoArena		arena;
	AoStatus	status;
	double	   *r,
			   *a,
			   *b;

	AO_TRY(ao_arena_open(&arena, 3 * ao_arena_round(k, d), env));
	r = ao_arena_take(&arena, k, d);
	a = ao_arena_take(&arena, k, d);
	b = ao_arena_take(&arena, k, d);
	status = ao_acf(y, n, max_lag, env, r);
	if (status == AO_OK)
		status = durbin(r, max_lag, a, b, env, pacf);
	ao_arena_close(&arena, env);
	return status;
}

/* Ljung & Box's statistic from autocorrelations r[lags] of n values. */
static double
ljung_box(const double *r, int64_t lags, int64_t n)
{
	double		sum = 0;

	for (int64_t l = 1; l <= lags; l++)
		sum += r[l - 1] * r[l - 1] / (double) (n - l);
	return (double) n * (double) (n + 2) * sum;
}

/* See tests.h. */
AoStatus
ao_test_ljung_box(const double *y, int64_t n, int64_t lags, int64_t fitdf, AoEnv *env,
				  AoTest *test)
{
	AoValues	values;
	AoArena		arena;
	AoStatus	status;
	double	   *r;

	AO_TRY(ao_values_measure(y, n, &values, env));
	if (fitdf < 0)
		return ao_fail(env, AO_BAD_ARGUMENT, "fitdf must not be negative\n"
					   "For the residuals of a model it is p + q + P + Q, else 0.", 0, 0);
	if (lags == AO_DEFAULT_LAGS)
	{
		lags = values.n / 5 < 10 ? values.n / 5 : 10;
		lags = lags > fitdf ? lags : fitdf + 1;
	}
	if (lags < 1 || lags <= fitdf)
		return ao_fail(env, AO_BAD_ARGUMENT, "the number of lags must be at least 1 and more than fitdf\n"
					   "Ask for more lags, or leave them out for the usual number.", 0, 0);
	if (lags > values.n - 1)
		return ao_fail(env, AO_SERIES_TOO_SHORT, "this Ljung-Box test", lags + 1, values.n);
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) lags, sizeof(double)), env));
	r = ao_arena_take(&arena, (size_t) lags, sizeof(double));
	status = ao_acf(y, n, lags, env, r);
	if (status == AO_OK)
	{
		test->lags = lags;
		test->n = values.n;
		test->statistic = ljung_box(r, lags, values.n);
		test->p_value = isnan(test->statistic) ? NAN :
			ao_chi_square_upper(test->statistic, (double) (lags - fitdf));
	}
	ao_arena_close(&arena, env);
	return status;
}

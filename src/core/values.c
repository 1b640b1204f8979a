/*
 * values.c
 *		A series as the statistical tests take it; see values.h.
 */
#include "values.h"

#include <math.h>

/* Known values, their range and scale; see values.h. */
AoStatus
ao_values_measure(const double *y, int64_t n, AoValues *values, AoEnv *env)
{
	double		low = INFINITY,
				high = -INFINITY;

	values->n = 0;
	if (n > AO_MAX_N)
		return ao_fail(env, AO_SERIES_TOO_LONG, NULL, AO_MAX_N, n);
	for (int64_t i = 0; i < n; i++)
	{
		if (i % AO_BLOCK == 0)
			AO_TRY(ao_poll(env));
		if (isinf(y[i]))
		{
			ao_fail(env, AO_NOT_FINITE, NULL, 0, 0);
			env->err.pos = i + 1;
			return AO_NOT_FINITE;
		}
		if (isnan(y[i]))
			continue;
		values->n++;
		low = fmin(low, y[i]);
		high = fmax(high, y[i]);
	}
	values->smallest = values->n > 0 ? low : 0;
	values->largest = values->n > 0 ? high : 0;
	values->scale = ao_binary_scale(fmax(fabs(values->smallest), fabs(values->largest)));
	return AO_OK;
}

/* Measures, and insists on a number of known values. */
AoStatus
ao_values_need(const double *y, int64_t n, int64_t need, const char *what,
			   AoValues *values, AoEnv *env)
{
	AO_TRY(ao_values_measure(y, n, values, env));
	if (values->n < need)
		return ao_fail(env, AO_SERIES_TOO_SHORT, what, need, values->n);
	return AO_OK;
}

/* Values divided by the scale, the missing ones left out. */
AoStatus
ao_values_copy(const double *y, int64_t n, const AoValues *values, double *out, AoEnv *env)
{
	int64_t		k = 0;

	for (int64_t i = 0; i < n; i++)
	{
		if (i % AO_BLOCK == 0)
			AO_TRY(ao_poll(env));
		if (!isnan(y[i]))
			out[k++] = y[i] / values->scale;
	}
	return AO_OK;
}

/* Values divided by the scale, the missing ones kept. */
AoStatus
ao_values_copy_all(const double *y, int64_t n, const AoValues *values, double *out, AoEnv *env)
{
	for (int64_t i = 0; i < n; i++)
	{
		if (i % AO_BLOCK == 0)
			AO_TRY(ao_poll(env));
		out[i] = y[i] / values->scale;
	}
	return AO_OK;
}

/* Sum of e_t e_{t-lag}, by blocks so that it polls. */
AoStatus
ao_lag_product(const double *e, int64_t n, int64_t lag, AoEnv *env, double *sum)
{
	*sum = 0;
	for (int64_t from = lag; from < n; from += AO_BLOCK)
	{
		int64_t		to = n - from > AO_BLOCK ? from + AO_BLOCK : n;
		double		part = 0;

		AO_TRY(ao_poll(env));
		for (int64_t t = from; t < to; t++)
			part += e[t] * e[t - lag];
		*sum += part;
	}
	return AO_OK;
}

/* Takes the mean out, and what rounding left of it. */
AoStatus
ao_center(double *e, int64_t n, AoEnv *env)
{
	AoPace		pace = {env, 0};

	for (int pass = 0; pass < 2; pass++)
	{
		double		sum = 0;

		for (int64_t t = 0; t < n; t++)
		{
			AO_TRY(ao_pace(&pace, 1));
			sum += e[t];
		}
		sum /= (double) n;
		for (int64_t t = 0; t < n; t++)
		{
			AO_TRY(ao_pace(&pace, 1));
			e[t] -= sum;
		}
	}
	return AO_OK;
}

/* Newey and West's estimate; see values.h. */
AoStatus
ao_long_run_variance(const double *e, int64_t n, int64_t lags, AoEnv *env,
					 double *variance, double *long_run)
{
	AO_TRY(ao_lag_product(e, n, 0, env, variance));
	*variance /= (double) n;
	*long_run = *variance;
	for (int64_t l = 1; l <= lags; l++)
	{
		double		sum;

		AO_TRY(ao_lag_product(e, n, l, env, &sum));
		*long_run += 2 * (1 - (double) l / (double) (lags + 1)) * sum / (double) n;
	}
	return AO_OK;
}

/* Linear interpolation in a table. */
double
ao_interpolate(const double *x, const double *y, int n, double at)
{
	int			i = 1;

	if (at <= x[0])
		return y[0];
	if (at >= x[n - 1])
		return y[n - 1];
	while (at > x[i])
		i++;
	return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
}

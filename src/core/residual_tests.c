/*
 * residual_tests.c
 *		Tests of errors: are they normal, are those of two forecasts equally
 *		large?
 */
#include "values.h"

#include <math.h>

/* Central moments 2 to 4 of the centred x[n]. */
static AoStatus
moments(const double *x, int64_t n, AoEnv *env, double m[3])
{
	AoPace		pace = {env, 0};

	m[0] = m[1] = m[2] = 0;
	for (int64_t t = 0; t < n; t++)
	{
		double		square = x[t] * x[t];

		AO_TRY(ao_pace(&pace, 1));
		m[0] += square;
		m[1] += square * x[t];
		m[2] += square * square;
	}
	for (int i = 0; i < 3; i++)
		m[i] /= (double) n;
	return AO_OK;
}

/* Jarque & Bera: n/6 skewness^2 + n/24 (kurtosis - 3)^2, by moments over n.
 * Numbers of another size than the largest: by ratios of the deviations. */
static AoStatus
jarque_bera(double *x, int64_t n, AoEnv *env, double *statistic)
{
	double		m[3],
				largest = 0,
				skewness,
				excess;

	AO_TRY(ao_center(x, n, env));
	for (int64_t t = 0; t < n; t++)
		largest = fmax(largest, fabs(x[t]));
	for (int64_t t = 0; t < n; t++)
		x[t] /= largest;
	AO_TRY(moments(x, n, env, m));
	skewness = m[1] / (m[0] * sqrt(m[0]));
	excess = m[2] / (m[0] * m[0]) - 3;
	*statistic = (double) n / 6 * (skewness * skewness + excess * excess / 4);
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_test_jarque_bera(const double *y, int64_t n, AoEnv *env, AoTest *test)
{
	AoValues	values;
	AoArena		arena;
	AoStatus	status;
	double	   *x;

	AO_TRY(ao_values_need(y, n, 2, "the Jarque-Bera test", &values, env));
	*test = (AoTest) {NAN, NAN, 0, values.n};
	if (values.smallest == values.largest)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) values.n, sizeof(double)), env));
	x = ao_arena_take(&arena, (size_t) values.n, sizeof(double));
	status = ao_values_copy(y, n, &values, x, env);
	if (status == AO_OK)
		status = jarque_bera(x, values.n, env, &test->statistic);
	if (status == AO_OK)
		test->p_value = ao_chi_square_upper(test->statistic, 2);
	ao_arena_close(&arena, env);
	return status;
}

/* Differences of the losses where both errors are known, to d; their number and
 * whether they vary. */
static AoStatus
loss_differences(const double *e1, const double *e2, int64_t n, double scale, double power,
				 double *d, int64_t *count, bool *vary, AoEnv *env)
{
	AoPace		pace = {env, 0};
	int64_t		k = 0;

	*vary = false;
	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_pace(&pace, 1));
		if (isnan(e1[t]) || isnan(e2[t]))
			continue;
		d[k] = pow(fabs(e1[t]) / scale, power) - pow(fabs(e2[t]) / scale, power);
		*vary = *vary || d[k] != d[0];
		k++;
	}
	*count = k;
	return AO_OK;
}

/* Estimated variance of the mean of d, which is centred, h steps ahead (Diebold &
 * Mariano, equation after their 2.1.1, rectangular window). */
static AoStatus
mean_variance(const double *d, int64_t n, int64_t h, AoEnv *env, double *variance)
{
	double		sum;

	AO_TRY(ao_lag_product(d, n, 0, env, variance));
	for (int64_t l = 1; l < h; l++)
	{
		AO_TRY(ao_lag_product(d, n, l, env, &sum));
		*variance += 2 * sum;
	}
	*variance /= (double) n * (double) n;
	return AO_OK;
}

/* The corrected statistic of d[n], which is destroyed; test->lags becomes h - 1
 * (Harvey, Leybourne & Newbold, equation 9). */
static AoStatus
diebold_mariano(double *d, int64_t n, int64_t h, AoEnv *env, AoTest *test)
{
	double		mean = 0,
				variance,
				length = (double) n,
				steps;

	for (int64_t t = 0; t < n; t++)
		mean += d[t] / length;
	AO_TRY(ao_center(d, n, env));
	AO_TRY(mean_variance(d, n, h, env, &variance));
	if (!(variance > 0) && h > 1)
	{
		h = 1;
		AO_TRY(mean_variance(d, n, h, env, &variance));
	}
	steps = (double) h;
	test->lags = h - 1;
	if (variance > 0)
		test->statistic = mean / sqrt(variance) *
			sqrt((length + 1 - 2 * steps + steps * (steps - 1) / length) / length);
	return AO_OK;
}

/* p-value of Student's t against an alternative. */
static double
student_p_value(double t, double df, AoAlternative alternative)
{
	if (alternative == AO_LESS)
		return ao_student_upper(-t, df);
	if (alternative == AO_GREATER)
		return ao_student_upper(t, df);
	return 2 * ao_student_upper(fabs(t), df);
}

/* The arguments that are neither errors nor horizon. */
static AoStatus
check_diebold_mariano(int64_t h, double power, AoEnv *env)
{
	if (h < 1)
		return ao_fail(env, AO_BAD_ARGUMENT, "the horizon must be at least 1\n"
					   "It is how many steps ahead the forecasts were.", 0, 0);
	if (!(power > 0 && power <= 100))
		return ao_fail(env, AO_BAD_ARGUMENT, "the power of the loss must be above 0, at most 100\n"
					   "1 compares absolute errors, 2 squared ones.", 0, 0);
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_test_diebold_mariano(const double *e1, const double *e2, int64_t n, int64_t h,
						double power, AoAlternative alternative, AoEnv *env, AoTest *test)
{
	AoValues	first,
				second;
	AoArena		arena;
	AoStatus	status;
	int64_t		count = 0;
	bool		vary = false;
	double	   *d;

	AO_TRY(check_diebold_mariano(h, power, env));
	AO_TRY(ao_values_measure(e1, n, &first, env));
	AO_TRY(ao_values_measure(e2, n, &second, env));
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) n, sizeof(double)), env));
	d = ao_arena_take(&arena, (size_t) n, sizeof(double));
	status = loss_differences(e1, e2, n, fmax(first.scale, second.scale), power, d, &count,
							  &vary, env);
	if (status == AO_OK && count < h + 1)
		status = ao_fail(env, AO_SERIES_TOO_SHORT, "the Diebold-Mariano test at this horizon",
						 h + 1, count);
	*test = (AoTest) {NAN, NAN, h - 1, count};
	if (status == AO_OK && vary)
		status = diebold_mariano(d, count, h, env, test);
	if (status == AO_OK && !isnan(test->statistic))
		test->p_value = student_p_value(test->statistic, (double) (count - 1), alternative);
	ao_arena_close(&arena, env);
	return status;
}

/*
 * differences.c
 *		How often a series is to be differenced: ordinarily by the KPSS test,
 *		seasonally by the strength of its seasonal component.
 *
 * The rules are those of R. J. Hyndman & Y. Khandakar, "Automatic time series
 * forecasting: the forecast package for R", Journal of Statistical Software 27
 * (2008), 3, and of X. Wang, K. Smith & R. Hyndman, "Characteristic-based
 * clustering for time series data" (2006), as forecast::ndiffs and nsdiffs
 * apply them by default.
 */
#include "values.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define STRONG 0.64				/* seasonal strength above which a difference is taken */
#define CONSTANT 1.5e-8			/* mean deviation, relative to the level */

/* See tests.h.  Mean absolute deviation from the first value against the mean
 * absolute value, both over the values that differ from it. */
AoStatus
ao_is_constant(const double *y, int64_t n, AoEnv *env, bool *constant)
{
	double		first = NAN,
				deviation = 0,
				level = 0;
	AoPace		pace = {env, 0};

	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_pace(&pace, 2));
		if (isnan(y[t]))
			continue;
		if (isnan(first))
			first = y[t];
		if (y[t] == first)
			continue;
		/* quarters, so that no difference is out of range */
		deviation += fabs(y[t] / 4 - first / 4) / (double) n;
		level += fabs(y[t] / 4) / (double) n;
	}
	*constant = !(deviation > CONSTANT * level);
	return AO_OK;
}

/* See tests.h.  The slopes between neighbours against the first of them. */
AoStatus
ao_is_line(const double *y, int64_t n, AoEnv *env, bool *line)
{
	int64_t		before = -1,
				slopes = 0;
	double		first = 0,
				deviation = 0,
				level = 0,
				rounding = 0;
	AoPace		pace = {env, 0};

	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_pace(&pace, 2));
		if (isnan(y[t]))
			continue;
		if (before >= 0)
		{
			/* quarters, as above */
			double		slope = (y[t] / 4 - y[before] / 4) / (double) (t - before);

			if (slopes++ == 0)
				first = slope;
			deviation += fabs(slope - first) / (double) n;
			level += fabs(slope) / (double) n;
			rounding += DBL_EPSILON * fabs(y[t]) / (double) n;
		}
		before = t;
	}
	*line = slopes > 1 && level > 0 && !(deviation > CONSTANT * level + rounding);
	return AO_OK;
}

/* Does KPSS reject stationarity of v[n] at alpha?  work: [n]. */
static AoStatus
kpss_rejects(const double *v, int64_t n, double alpha, double *work, AoEnv *env,
			 bool *rejects)
{
	double		statistic;

	memcpy(work, v, (size_t) n * sizeof(double));
	AO_TRY(ao_kpss_statistic(work, n, AO_LEVEL, (int64_t) (3 * sqrt((double) n) / 13), env,
							 &statistic));
	*rejects = !isnan(statistic) && ao_kpss_p_value(statistic, AO_LEVEL) < alpha;
	return AO_OK;
}

/* The rounds of ao_ndiffs on v[n], which is destroyed. */
static AoStatus
count_differences(double *v, int64_t n, double alpha, int max_d, double *work, AoEnv *env,
				  int *d)
{
	static const AoSpec once = {.d = 1, .m = 1};

	for (*d = 0; *d < max_d; (*d)++)
	{
		bool		constant,
					rejects;

		AO_TRY(ao_is_constant(v, n, env, &constant));
		if (constant)
			return AO_OK;
		AO_TRY(kpss_rejects(v, n, alpha, work, env, &rejects));
		if (!rejects)
			return AO_OK;
		AO_TRY(ao_difference(&once, v, &n, 1, env));
	}
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_ndiffs(const double *y, int64_t n, double alpha, int max_d, AoEnv *env, int *d)
{
	AoValues	values;
	AoArena		arena;
	AoStatus	status;
	double	   *v,
			   *work;

	if (!(alpha >= 0.01 && alpha <= 0.10))
		return ao_fail(env, AO_BAD_ARGUMENT, "alpha must be 0.01 to 0.10\nUsual is 0.05.", 0, 0);
	if (max_d < 0 || max_d > AO_MAX_DIFF)
		return ao_fail(env, AO_BAD_ARGUMENT, "the largest number of differences must be 0 to 4\n"
					   "More than 2 are seldom of use.", 0, 0);
	AO_TRY(ao_values_need(y, n, 1, "the choice of differences", &values, env));
	AO_TRY(ao_arena_open(&arena, 2 * ao_arena_round((size_t) values.n, sizeof(double)), env));
	v = ao_arena_take(&arena, (size_t) values.n, sizeof(double));
	work = ao_arena_take(&arena, (size_t) values.n, sizeof(double));
	status = ao_values_copy(y, n, &values, v, env);
	if (status == AO_OK)
		status = count_differences(v, values.n, alpha, max_d, work, env, d);
	ao_arena_close(&arena, env);
	return status;
}

/* What ao_nsdiffs and ao_seasonal_strength work on. */
typedef struct Seasonal
{
	AoArena		arena;
	double	   *v,				/* [n] scaled, with its gaps */
			   *filled,			/* [n] the rest is work */
			   *seasonal,
			   *trend;
} Seasonal;

/* Takes the series; on AO_OK the arena is to be closed. */
static AoStatus
seasonal_open(Seasonal *s, const double *y, int64_t n, const AoValues *values, AoEnv *env)
{
	size_t		d = sizeof(double);
	AoStatus	status;

	AO_TRY(ao_arena_open(&s->arena, 4 * ao_arena_round((size_t) n, d), env));
	s->v = ao_arena_take(&s->arena, (size_t) n, d);
	s->filled = ao_arena_take(&s->arena, (size_t) n, d);
	s->seasonal = ao_arena_take(&s->arena, (size_t) n, d);
	s->trend = ao_arena_take(&s->arena, (size_t) n, d);
	status = ao_values_copy_all(y, n, values, s->v, env);
	if (status != AO_OK)
		ao_arena_close(&s->arena, env);
	return status;
}

/* Sum of squares of x[n] around its mean; x is centred. */
static AoStatus
sum_of_squares(double *x, int64_t n, AoEnv *env, double *sum)
{
	AO_TRY(ao_center(x, n, env));
	return ao_lag_product(x, n, 0, env, sum);
}

/* Seasonal strength of v; filled-in values help to decompose but do not count. */
static AoStatus
strength_of(Seasonal *s, int64_t n, int m, AoEnv *env, double *strength)
{
	static const AoStlOptions plain = {AO_STL_WINDOW, false};
	int64_t		known = 0;
	AoPace		pace = {env, 0};
	double		remainder,
				both;

	AO_TRY(ao_fill_gaps(s->v, n, m, env, s->filled));
	AO_TRY(ao_stl(s->filled, n, m, &plain, env, s->seasonal, s->trend));
	for (int64_t t = 0; t < n; t++)
	{
		double		detrended = s->v[t] - s->trend[t];

		AO_TRY(ao_pace(&pace, 1));
		if (isnan(detrended))
			continue;
		s->trend[known] = detrended - s->seasonal[t];
		s->seasonal[known++] = detrended;
	}
	AO_TRY(sum_of_squares(s->trend, known, env, &remainder));
	AO_TRY(sum_of_squares(s->seasonal, known, env, &both));
	*strength = remainder < both ? 1 - remainder / both : 0;
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_seasonal_strength(const double *y, int64_t n, int m, AoEnv *env, double *strength)
{
	AoValues	values;
	Seasonal	s;
	AoStatus	status;

	if (m < 2 || m > AO_MAX_PERIOD)
		return ao_fail(env, AO_BAD_ARGUMENT, "the seasonal period must be 2 to 366\n"
					   "It is the number of values in a season, for example 12 for months.", 0, 0);
	AO_TRY(ao_values_need(y, n, 2 * (int64_t) m + 1, "the seasonal strength", &values, env));
	AO_TRY(seasonal_open(&s, y, n, &values, env));
	status = strength_of(&s, n, m, env, strength);
	ao_arena_close(&s.arena, env);
	return status;
}

/* The rounds of ao_nsdiffs. */
static AoStatus
count_seasonal(Seasonal *s, int64_t n, int m, int max_D, AoEnv *env, int *D)
{
	AoSpec		once = {.D = 1, .m = m};

	for (*D = 0; *D < max_D; (*D)++)
	{
		AoValues	values;
		double		strength;
		bool		constant;

		AO_TRY(ao_values_measure(s->v, n, &values, env));
		AO_TRY(ao_is_constant(s->v, n, env, &constant));
		if (values.n <= 2 * (int64_t) m || constant)
			return AO_OK;
		AO_TRY(strength_of(s, n, m, env, &strength));
		if (!(strength > STRONG))
			return AO_OK;
		AO_TRY(ao_difference(&once, s->v, &n, 1, env));
	}
	return AO_OK;
}

/* Has each place in the season of y[n] a known value?  Where shops are closed on Sundays, none of
 * these can be told from the Sunday before. */
static AoStatus
whole_seasons(const double *y, int64_t n, int m, AoEnv *env, bool *whole)
{
	AoPace		pace = {env, 0};

	*whole = true;
	for (int place = 0; place < m && *whole; place++)
	{
		int64_t		t = place;

		for (; t < n && isnan(y[t]); t += m)
			AO_TRY(ao_pace(&pace, 1));
		*whole = t < n;
	}
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_nsdiffs(const double *y, int64_t n, int m, int max_D, AoEnv *env, int *D)
{
	AoValues	values;
	Seasonal	s;
	AoStatus	status;
	bool		whole;

	*D = 0;
	if (m < 1 || m > AO_MAX_PERIOD)
		return ao_fail(env, AO_BAD_ARGUMENT, "the seasonal period must be 1 to 366\n"
					   "It is the number of values in a season, for example 12 for months; 1 is no season.", 0, 0);
	if (max_D < 0 || max_D > AO_MAX_DIFF)
		return ao_fail(env, AO_BAD_ARGUMENT, "the largest number of differences must be 0 to 4\n"
					   "More than 2 are seldom of use.", 0, 0);
	AO_TRY(ao_values_need(y, n, 1, "the choice of differences", &values, env));
	if (m == 1)
		return AO_OK;
	AO_TRY(whole_seasons(y, n, m, env, &whole));
	if (!whole)
		return AO_OK;
	AO_TRY(seasonal_open(&s, y, n, &values, env));
	status = count_seasonal(&s, n, m, max_D, env, D);
	ao_arena_close(&s.arena, env);
	return status;
}

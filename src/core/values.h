/*
 * values.h
 *		A series as the statistical tests take it: known values only, of a
 *		size whose squares are in range; and sums that poll on their way.
 */
#ifndef AO_VALUES_H
#define AO_VALUES_H

#include "internal.h"
#include "tests.h"

/* What is in a series. */
typedef struct AoValues
{
	int64_t		n;				/* known values */
	double		smallest,		/* of these; 0 without any */
				largest;
	double		scale;			/* power of two that brings the largest |value| to 1..2 */
} AoValues;

/* Looks a series through; an infinite value or too many values are errors. */
AoStatus	ao_values_measure(const double *y, int64_t n, AoValues *values, AoEnv *env);
/* The same, and it must have `need` known values for `what`. */
AoStatus	ao_values_need(const double *y, int64_t n, int64_t need, const char *what,
						   AoValues *values, AoEnv *env);
/* The known values divided by the scale to out[values->n]. */
AoStatus	ao_values_copy(const double *y, int64_t n, const AoValues *values,
						   double *out, AoEnv *env);
/* All n, missing ones too, to out[n]. */
AoStatus	ao_values_copy_all(const double *y, int64_t n, const AoValues *values,
							   double *out, AoEnv *env);

/* Sum of e_t e_{t-lag}, 0 <= lag. */
AoStatus	ao_lag_product(const double *e, int64_t n, int64_t lag, AoEnv *env, double *sum);
/* Takes the mean out of e. */
AoStatus	ao_center(double *e, int64_t n, AoEnv *env);
/* Long-run variance of e by Bartlett's weights 1 - l/(lags+1) (Newey & West 1987),
 * divided by n; lags < n.  *variance: that without any lags. */
AoStatus	ao_long_run_variance(const double *e, int64_t n, int64_t lags, AoEnv *env,
								 double *variance, double *long_run);
/* stationarity.c: the KPSS statistic of v[n], which is destroyed, and its p-value. */
AoStatus	ao_kpss_statistic(double *v, int64_t n, AoDeterministic around, int64_t lags,
							  AoEnv *env, double *statistic);
double		ao_kpss_p_value(double statistic, AoDeterministic around);
/* Linear interpolation of y in x[n], ascending; beyond the ends the end values. */
double		ao_interpolate(const double *x, const double *y, int n, double at);

#endif							/* AO_VALUES_H */

/*
 * diagnostics.h
 *		What a model says of values other than their forecast: sample paths of the
 *		future, how unusual each value of a series is, and what is to be read off
 *		its polynomials.  Part of the core's public interface.
 */
#ifndef AO_DIAGNOSTICS_H
#define AO_DIAGNOSTICS_H

#include "interval.h"

/* ---- random.c: numbers that are the same everywhere ---- */

/* xoshiro256++ (Blackman & Vigna 2021) */
typedef struct AoRandom
{
	uint64_t	s[4];
} AoRandom;

/* Stream number `stream` of a seed; streams of one seed do not depend on each other. */
void		ao_random_seed(AoRandom *random, uint64_t seed, uint64_t stream);
uint64_t	ao_random_bits(AoRandom *random);
/* standard normal, by inversion: one call of ao_random_bits each */
double		ao_random_normal(AoRandom *random);

/* ---- simulate.c ---- */

#define AO_MAX_PATHS 1000000
#define AO_MAX_SIMULATED INT64_C(100000000) /* paths * steps */

typedef struct AoSimulation AoSimulation;

/*
 * Made ready: paths of h steps after the end of the model's data, xreg h x k as in
 * ao_forecast and kept by reference.  One block of memory, checked against the
 * limit; ao_simulation_close gives it back.
 */
AoStatus	ao_simulation_open(const AoModel *model, int h, const double *xreg, int k,
							   uint64_t seed, AoEnv *env, AoSimulation **out);
/*
 * Path number `path` (0..): h values on the scale of the series.  Innovations are
 * normal with variance sigma2, and the state at the start, where it is not known
 * for certain, is drawn from its distribution; coefficients are taken as they are.
 * A path depends on seed and number alone, and its first steps not on h.  Of a negative
 * lambda a value is INFINITY where an upper bound is; the steps after it need not be.
 */
AoStatus	ao_simulation_path(AoSimulation *sim, int64_t path, AoEnv *env, double *out);
void		ao_simulation_close(AoSimulation *sim, AoEnv *env);

/* ---- forecast.c, anomaly.c ---- */

/* ao_residuals, and the variance of each one-step error in units of sigma2;
 * variances may be NULL, and where out is NaN they mean nothing. */
AoStatus	ao_one_step_errors(const AoModel *model, const double *y, int64_t n,
							   const double *xreg, int k, AoEnv *env,
							   double *out, double *variances);

/* The one-step forecast of a value y with residual e and variance f from
 * ao_one_step_errors, on the scale of the series: the middle of its distribution. */
double		ao_one_step_forecast(const AoModel *model, double y, double e, double f);

/* The one-step predictive distribution of a value, and where in it the value is. */
typedef struct AoAnomaly
{
	double		lower,			/* interval of the level, on the scale of the series */
				upper;
	double		probability;	/* of the smallest interval around the median that holds the value */
} AoAnomaly;

/* Of value y with residual e and variance f from ao_one_step_errors, neither NaN; ahead: over
 * as many values as are missing before it, its spread that of a variance of 1, and so much later as
 * it is; level in (0, 1); size: the largest |y| of the series, against which rounding counts. */
AoStatus	ao_anomaly(const AoModel *model, double y, double e, double f, AoAhead ahead,
					   double level, double size, AoEnv *env, AoAnomaly *out);

/* What ao_anomaly takes for 0, 1 .. longest missing values after the estimate. */
AoStatus	ao_anomaly_ahead(const AoModel *model, int64_t longest, AoEnv *env, AoAhead *out);

/* ---- roots.c ---- */

/* The inverse root of a polynomial that is nearest to the unit circle. */
typedef struct AoRoot
{
	double		modulus;		/* 1: on the circle; 0: a polynomial without terms; NaN: not to be had */
	double		period;			/* steps (for a seasonal part seasons) of its cycle, from 2; 0: no cycle */
} AoRoot;

/* Of the AR, MA, seasonal AR and seasonal MA polynomial, the last two in B^m. */
AoStatus	ao_model_roots(const AoModel *model, AoEnv *env, AoRoot roots[4]);

#endif							/* AO_DIAGNOSTICS_H */

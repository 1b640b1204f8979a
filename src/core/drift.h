/*
 * drift.h
 *		Is a forecaster still as good as it was?  What each labelled session says,
 *		the limits of the cumulative sums, and how often a rule is wrong.  Part of
 *		the core's public interface.
 *
 * z = error / reference RMSE: standard normal while nothing has changed.
 */
#ifndef AO_DRIFT_H
#define AO_DRIFT_H

#include "ao.h"

/* ---- cusum.c ---- */

/*
 * Cumulative sums of log-likelihood ratios that never fall below 0 (Page 1954).
 *	  spread: of N(0, size^2) against N(0, 1), size > 1;
 *	  mean: of N(size, 1) against N(0, 1), in units of size > 0:
 *		  z - size / 2, which is the test of Page and Hinkley around a mean of 0.
 */
typedef enum AoCusumKind
{
	AO_CUSUM_SPREAD,
	AO_CUSUM_MEAN
} AoCusumKind;

typedef struct AoCusum
{
	AoCusumKind kind;
	double		size;			/* of the change that is looked for */
} AoCusum;

/* The sum after one more z, of which a spread needs the square alone. */
double		ao_cusum_next(const AoCusum *cusum, double sum, double z, double square);
/* Probability that the sum, begun at 0, reaches the limit within so many sessions
 * in which nothing has changed. */
AoStatus	ao_cusum_alarms(const AoCusum *cusum, double limit, int sessions, AoEnv *env, double *out);
/* The limit for which that probability is alpha, 5e-7..0.5. */
AoStatus	ao_cusum_limit(const AoCusum *cusum, double alpha, int sessions, AoEnv *env, double *out);

#define AO_MAX_CUSUM_SESSIONS 100000
#define AO_MAX_CUSUM_SIZE 1e6

/* ---- drift.c ---- */

typedef enum AoDriftPolicy
{
	AO_DRIFT_NONE,
	AO_DRIFT_ROLLING_RMSE,
	AO_DRIFT_CUSUM
} AoDriftPolicy;

typedef struct AoDriftRule
{
	AoDriftPolicy policy;
	int			window;			/* sessions of the rolling RMSE */
	double		multiplier;		/* times the reference RMSE: threshold; and the size of the cusum */
	int			consecutive;	/* sessions above the threshold that make drift */
	int			min_labels;		/* sessions before which nothing is said */
	double		recovery;		/* times the reference RMSE, below which drift ends */
	double		cusum_limit;	/* NaN: the multiplier is not above 1, there is no sum */
} AoDriftRule;

/* the mean shift that the bias statistics look for, in units of the reference RMSE */
#define AO_DRIFT_BIAS 0.5

/* What a session leaves behind for the next; all zero at the start. */
typedef struct AoDriftState
{
	int64_t		labels;			/* sessions so far */
	double		rolling_rmse;
	bool		breach;
	int			consecutive;	/* breaches in a row */
	bool		drift;
	double		cusum;
	double		bias_above,		/* sums for actual values above and below the forecasts */
				bias_below;
} AoDriftState;

/*
 * One more session.  squares: mean squared errors of the last n sessions, this one
 * last, n = min(sessions so far, window); error: mean error of this one; reference:
 * RMSE, NaN if not known, in which case nothing is a breach.
 */
void		ao_drift_next(const AoDriftRule *rule, double reference, const double *squares, int n,
						  double error, AoDriftState *state);

/* A simulation of a rule: standard normal errors, or drawn from `errors`. */
typedef struct AoDriftTrial
{
	double		ratio;			/* the errors' standard deviation after the change, times that before */
	int			before;			/* sessions before the change */
	int			sessions;		/* .. from it on */
	int			paths;
	uint64_t	seed;
	const double *errors;		/* n_errors values in units of the reference RMSE, or NULL */
	int			n_errors;
} AoDriftTrial;

#define AO_MAX_DRIFT_STEPS INT64_C(10000000000)	/* paths * sessions * window */

/* Share of the paths without drift at the change that are in drift at some session
 * after it; NaN if there is no such path. */
AoStatus	ao_drift_trial(const AoDriftRule *rule, const AoDriftTrial *trial, AoEnv *env, double *out);

#endif							/* AO_DRIFT_H */

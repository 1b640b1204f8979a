/*
 * rolling.h
 *		Accuracy of forecasts over a set of rows that come and go: the state
 *		of rolling_rmse, rolling_mae, rolling_mape, rolling_smape and
 *		rolling_bias.
 *
 * With e = forecast - actual, rounded as every double difference is:
 *   RMSE   sqrt(mean of e^2); the squares are summed unrounded
 *   MAE    mean of |e|
 *   MAPE   mean of 100 |e| / |actual|, rows with actual = 0 left out
 *   sMAPE  mean of 200 |e| / (|forecast| + |actual|), 0 where both are 0
 *          (the definition of the M4 competition: 0..200)
 *   bias   mean of e: positive where forecasts are too high
 *
 * NaN and infinities among the terms are counted, not summed: while one is in,
 * the result is what ordinary arithmetic gives; after it has left, nothing is.
 * A finite row may give an infinite term: an error, or a percentage of a tiny
 * actual, beyond the largest double.  A square or a sum beyond it does not.
 */
#ifndef AO_ROLLING_H
#define AO_ROLLING_H

#include "exact_sum.h"

typedef enum AoRollingMetric
{
	AO_ROLLING_RMSE,
	AO_ROLLING_MAE,
	AO_ROLLING_MAPE,
	AO_ROLLING_SMAPE,
	AO_ROLLING_BIAS
} AoRollingMetric;

/* Not to be moved in memory: sum points into small[]. */
typedef struct AoRolling
{
	int64_t		n;				/* terms, all kinds together */
	int64_t		nan;			/* of these, not a number */
	int64_t		plus_inf;
	int64_t		minus_inf;
	AoExactSum	sum;			/* of the finite ones */
	int64_t		small[AO_EXACT_SMALL];
} AoRolling;

void		ao_rolling_init(AoRolling *state);

/* Takes a row in, or out again.  False, nothing changed: ao_exact_sum_widen
 * state->sum first. */
bool		ao_rolling_update(AoRolling *state, AoRollingMetric metric,
							  double forecast, double actual, bool remove);

/* Counts agree with each other: 0 <= each, kinds together at most n. */
bool		ao_rolling_check(const AoRolling *state);

/* Adds the rows that another state had counted: its four counts and its
 * exported sum.  False as for ao_rolling_update. */
bool		ao_rolling_merge(AoRolling *state, const AoRolling *counts, const AoExactDigits *digits);

/* Mean of the terms, and the root of the mean; only with n > 0. */
double		ao_rolling_mean(AoRolling *state);
double		ao_rolling_root_mean(AoRolling *state);

#endif							/* AO_ROLLING_H */

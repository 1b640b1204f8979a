/*
 * rolling.c
 *		Accuracy of forecasts over a set of rows that come and go; see
 *		rolling.h for the definitions.
 */
#include "rolling.h"

#include <math.h>

/* No rows; the sum starts in the small window inside the state. */
void
ao_rolling_init(AoRolling *state)
{
	state->n = state->nan = state->plus_inf = state->minus_inf = 0;
	ao_exact_sum_init(&state->sum, state->small);
}

/* |forecast - actual| / |actual|, without overflow where the ratio has none. */
static double
relative_error(double forecast, double actual)
{
	double		error = fabs(forecast - actual);

	if (isinf(error))
	{
		forecast /= 2;
		actual /= 2;
		error = fabs(forecast - actual);
	}
	return error / fabs(actual);
}

/*
 * |forecast - actual| / (|forecast| + |actual|), 0 for two zeros, likewise.
 * Both rounded alike, so never above 1; hence a factor comes after, not before.
 */
static double
symmetric_error(double forecast, double actual)
{
	double		scale = fabs(forecast) + fabs(actual);

	if (scale == 0.0)
		return 0.0;
	if (isinf(scale))
	{
		forecast /= 2;
		actual /= 2;
		scale = fabs(forecast) + fabs(actual);
	}
	return fabs(forecast - actual) / scale;
}

/* The term that a row contributes; for RMSE before squaring. */
static inline double
row_term(AoRollingMetric metric, double forecast, double actual)
{
	switch (metric)
	{
		case AO_ROLLING_MAE:
			return fabs(forecast - actual);
		case AO_ROLLING_MAPE:
			return 100.0 * relative_error(forecast, actual);
		case AO_ROLLING_SMAPE:
			return 200.0 * symmetric_error(forecast, actual);
		case AO_ROLLING_RMSE:
		case AO_ROLLING_BIAS:
			break;
	}
	return forecast - actual;
}

/* Takes a row in or out; false, and nothing done, when the sum must be widened first. */
bool
ao_rolling_update(AoRolling *state, AoRollingMetric metric,
				  double forecast, double actual, bool remove)
{
	int			one = remove ? -1 : 1;
	double		term;

	if (metric == AO_ROLLING_MAPE && actual == 0.0)
		return true;
	term = row_term(metric, forecast, actual);
	if (isfinite(term))
	{
		bool		fits;

		if (metric == AO_ROLLING_RMSE)
			fits = ao_exact_sum_add_square(&state->sum, term, remove);
		else
			fits = ao_exact_sum_add(&state->sum, term, remove);
		if (!fits)
			return false;
	}
	else if (isnan(term))
		state->nan += one;
	else if (term > 0.0 || metric == AO_ROLLING_RMSE)
		state->plus_inf += one;
	else
		state->minus_inf += one;
	state->n += one;
	return true;
}

/* Can these counts be those of a state?  Written so that no sum overflows. */
bool
ao_rolling_check(const AoRolling *state)
{
	return state->nan >= 0 && state->plus_inf >= 0 && state->minus_inf >= 0 &&
		state->nan <= state->n &&
		state->plus_inf <= state->n - state->nan &&
		state->minus_inf <= state->n - state->nan - state->plus_inf;
}

/* Adds the counts and the sum of other rows; false as for ao_rolling_update. */
bool
ao_rolling_merge(AoRolling *state, const AoRolling *counts, const AoExactDigits *digits)
{
	if (!ao_exact_sum_add_digits(&state->sum, digits))
		return false;
	state->n += counts->n;
	state->nan += counts->nan;
	state->plus_inf += counts->plus_inf;
	state->minus_inf += counts->minus_inf;
	return true;
}

/* What the sum is while something not finite is in it: NaN or an infinity; else 0. */
static double
not_finite(const AoRolling *state)
{
	if (state->nan > 0 || (state->plus_inf > 0 && state->minus_inf > 0))
		return NAN;
	if (state->plus_inf > 0)
		return INFINITY;
	return state->minus_inf > 0 ? -INFINITY : 0.0;
}

/* Mean of the terms, n > 0. */
double
ao_rolling_mean(AoRolling *state)
{
	double		special = not_finite(state);

	return special != 0.0 ? special : ao_exact_sum_mean(&state->sum, state->n);
}

/* Root of the mean of the squared terms, n > 0. */
double
ao_rolling_root_mean(AoRolling *state)
{
	double		special = not_finite(state);

	return special != 0.0 ? special : ao_exact_sum_root_mean(&state->sum, state->n);
}

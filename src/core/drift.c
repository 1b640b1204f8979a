/*
 * drift.c
 *		Is a forecaster still as good as it was?  The rules, session by session,
 *		and a simulation that says how often they are wrong.
 */
#include "drift.h"

#include <math.h>

#include "diagnostics.h"
#include "internal.h"

/* of a squared error in units of the reference's square: keeps sums finite where that is 0 */
#define LARGEST_SQUARE 1e12

/* Root of the mean of n squares. */
static double
root_mean(const double *squares, int n)
{
	double		sum = 0.0;

	for (int i = 0; i < n; i++)
		sum += squares[i];
	return sqrt(sum / n);
}

/* The sums after a session with these errors, in units of the reference. */
static void
update_sums(const AoDriftRule *rule, double square, double z, AoDriftState *state)
{
	AoCusum		spread = {AO_CUSUM_SPREAD, rule->multiplier};
	AoCusum		mean = {AO_CUSUM_MEAN, AO_DRIFT_BIAS};

	if (!isnan(rule->cusum_limit))
		state->cusum = ao_cusum_next(&spread, state->cusum, z, square);
	state->bias_above = ao_cusum_next(&mean, state->bias_above, z, square);
	state->bias_below = ao_cusum_next(&mean, state->bias_below, -z, square);
}

/*
 * See drift.h.  A sum that was at its limit begins anew once the rolling RMSE has
 * recovered; in the session that takes it there it is an alarm first.
 */
void
ao_drift_next(const AoDriftRule *rule, double reference, const double *squares, int n,
			  double error, AoDriftState *state)
{
	bool		was_alarm = state->cusum >= rule->cusum_limit;
	bool		recovered;

	state->labels++;
	state->rolling_rmse = root_mean(squares, n);
	state->breach = false;
	if (isnan(reference))
		return;
	recovered = state->rolling_rmse < rule->recovery * reference;
	if (squares[n - 1] == 0.0)
		update_sums(rule, 0.0, 0.0, state);
	else
	{
		double		limit = sqrt(LARGEST_SQUARE);

		update_sums(rule, fmin(squares[n - 1] / (reference * reference), LARGEST_SQUARE),
					fmax(-limit, fmin(error / reference, limit)), state);
	}
	if (was_alarm && recovered)
		state->cusum = 0.0;
	if (state->labels >= rule->min_labels)
		state->breach = rule->policy == AO_DRIFT_CUSUM ? state->cusum >= rule->cusum_limit
			: rule->policy == AO_DRIFT_ROLLING_RMSE && state->rolling_rmse > rule->multiplier * reference;
	state->consecutive = state->breach ? state->consecutive + 1 : 0;
	if (state->breach && (rule->policy == AO_DRIFT_CUSUM || state->consecutive >= rule->consecutive))
		state->drift = true;
	else if (!state->breach && (recovered || rule->policy == AO_DRIFT_NONE))
		state->drift = false;
}

/* The next error, in units of the reference RMSE of 1. */
static double
draw_error(const AoDriftTrial *trial, AoRandom *random)
{
	if (trial->errors == NULL)
		return ao_random_normal(random);
	return trial->errors[ao_random_bits(random) % (uint64_t) trial->n_errors];
}

/* One path: was there no drift at the change, and was there any after it? */
static AoStatus
run_path(const AoDriftRule *rule, const AoDriftTrial *trial, AoRandom *random, double *squares,
		 AoEnv *env, bool *without, bool *alarm)
{
	AoDriftState state = {0};

	*without = true;
	*alarm = false;
	for (int t = 0; t < trial->before + trial->sessions && !*alarm; t++)
	{
		double		z = draw_error(trial, random) * (t < trial->before ? 1.0 : trial->ratio);
		int			n = t + 1 < rule->window ? t + 1 : rule->window;

		AO_TRY(ao_poll(env));
		squares[t] = z * z;
		ao_drift_next(rule, 1.0, squares + t + 1 - n, n, z, &state);
		*without = t != trial->before - 1 || !state.drift;
		if (!*without)
			break;
		*alarm = state.drift && t >= trial->before;
	}
	return AO_OK;
}

/* Are the numbers of a trial usable? */
static AoStatus
check_trial(const AoDriftRule *rule, const AoDriftTrial *trial, AoEnv *env)
{
	if (trial->before < 0 || trial->sessions < 1 || trial->paths < 1)
		return ao_fail(env, AO_BAD_ARGUMENT, "there must be at least one session and one path", 0, 0);
	if (!(trial->ratio >= 0.0 && trial->ratio <= 1e6))
		return ao_fail(env, AO_BAD_ARGUMENT, "the ratio must be from 0 to 1,000,000", 0, 0);
	if ((double) trial->paths * ((double) trial->before + trial->sessions) * rule->window > (double) AO_MAX_DRIFT_STEPS)
		return ao_fail(env, AO_BAD_ARGUMENT, "paths * sessions * window must be at most 10,000,000,000", 0, 0);
	if (trial->errors != NULL && trial->n_errors < 1)
		return ao_fail(env, AO_BAD_ARGUMENT, "there must be an error to draw", 0, 0);
	return AO_OK;
}

/* See drift.h. */
AoStatus
ao_drift_trial(const AoDriftRule *rule, const AoDriftTrial *trial, AoEnv *env, double *out)
{
	int64_t		without = 0,
				alarms = 0;
	AoStatus	status = AO_OK;
	AoArena		arena;
	double	   *squares;

	AO_TRY(check_trial(rule, trial, env));
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) trial->before + trial->sessions, sizeof(double)), env));
	squares = ao_arena_take(&arena, (size_t) trial->before + trial->sessions, sizeof(double));
	for (int path = 0; path < trial->paths && status == AO_OK; path++)
	{
		AoRandom	random;
		bool		counts = false,
					alarm = false;

		ao_random_seed(&random, trial->seed, (uint64_t) path);
		status = run_path(rule, trial, &random, squares, env, &counts, &alarm);
		without += counts;
		alarms += counts && alarm;
	}
	ao_arena_close(&arena, env);
	*out = without > 0 ? (double) alarms / (double) without : NAN;
	return status;
}

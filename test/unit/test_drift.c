/*
 * test_drift.c
 *		The rules of drift session by session, the limits of the cumulative sums
 *		against published run lengths, and the simulation against one of our own.
 *
 * usage: test_drift [PATHS]
 */
#include "drift.h"
#include "unit.h"

#define SESSIONS 250

/* simulated series; make soak has more of them */
static int	paths = 20000;

/* Two standard normal numbers of a linear congruential sequence (Box & Muller). */
static void
normal_pair(uint64_t *state, double out[2])
{
	double		u[2];

	for (int i = 0; i < 2; i++)
	{
		*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		u[i] = ((double) (*state >> 11) + 0.5) / 9007199254740992.0;
	}
	out[0] = sqrt(-2 * log(u[0])) * cos(6.283185307179586 * u[1]);
	out[1] = sqrt(-2 * log(u[0])) * sin(6.283185307179586 * u[1]);
}

/* Average run length of a sum: the sum of P(no alarm in n sessions), the tail geometric. */
static double
run_length(AoCusumKind kind, double size, double limit)
{
	AoCusum		cusum = {kind, size};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		sum = 1.0,
				p,
				q;

	for (int n = 1; n < 100; n++)
	{
		if (ao_cusum_alarms(&cusum, limit, n, &env, &p) != AO_OK)
			return NAN;
		sum += 1 - p;
	}
	if (ao_cusum_alarms(&cusum, limit, 100, &env, &p) != AO_OK ||
		ao_cusum_alarms(&cusum, limit, 200, &env, &q) != AO_OK)
		return NAN;
	return sum + (1 - p) / (1 - pow((1 - q) / (1 - p), 0.01));
}

/* Brook & Evans (1972) and Lucas & Crosier (1982): one-sided, reference value 0.5. */
static void
check_published(void)
{
	static const double published[][2] = {{3, 117.6}, {4, 335.4}, {5, 930.9}};

	for (int i = 0; i < 3; i++)
		UNIT_NEAR(run_length(AO_CUSUM_MEAN, 1.0, published[i][0]), published[i][1], 2e-3,
				  "mean: average run length at limit %g", published[i][0]);
}

/* The limits against a simulation that knows nothing of the chain. */
static void
check_limits(void)
{
	static const AoCusum cusums[] = {{AO_CUSUM_SPREAD, 1.5}, {AO_CUSUM_SPREAD, 2.0}, {AO_CUSUM_MEAN, 0.5}};
	static const double alphas[] = {0.01, 0.1};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 2; j++)
		{
			uint64_t	state = 11 + (uint64_t) i;
			int			alarms = 0;
			double		limit,
						p,
						z[2],
						size = cusums[i].size;

			UNIT_CHECK(ao_cusum_limit(&cusums[i], alphas[j], SESSIONS, &env, &limit) == AO_OK, "a limit");
			UNIT_CHECK(ao_cusum_alarms(&cusums[i], limit, SESSIONS, &env, &p) == AO_OK, "its alarms");
			UNIT_NEAR(p, alphas[j], 1e-5 * alphas[j], "are those wanted");
			for (int path = 0; path < paths; path++)
			{
				double		sum = 0,
							most = 0;

				for (int t = 0; t < SESSIONS; t++)
				{
					if (t % 2 == 0)
						normal_pair(&state, z);
					if (cusums[i].kind == AO_CUSUM_MEAN)
						sum += z[t % 2] - size / 2;
					else		/* log of the ratio of two normal densities */
						sum += -z[t % 2] * z[t % 2] / (2 * size * size) - log(size) + z[t % 2] * z[t % 2] / 2;
					sum = sum > 0 ? sum : 0;
					most = sum > most ? sum : most;
				}
				alarms += most >= limit;
			}
			printf("# kind %d size %g alpha %g limit %.4f simulated %.4f\n", cusums[i].kind, size, alphas[j], limit, (double) alarms / paths);
			/* the grid makes alarms a little rarer than wanted */
			UNIT_CHECK(fabs((double) alarms / paths - alphas[j]) < 4 * sqrt(alphas[j] / paths) + 0.03 * alphas[j], "so says simulation");
		}
}

/* Feeds errors into a rule; gives the state after the last. */
static AoDriftState
feed(const AoDriftRule *rule, double reference, const double *errors, int n)
{
	AoDriftState state = {0};
	double		squares[64];

	for (int t = 0; t < n; t++)
	{
		int			known = t + 1 < rule->window ? t + 1 : rule->window;

		squares[t] = errors[t] * errors[t];
		ao_drift_next(rule, reference, squares + t + 1 - known, known, errors[t], &state);
	}
	return state;
}

/* A window of two, two in a row, threshold 3 and recovery 2.5 in the units of the errors. */
static void
check_rolling(void)
{
	static const AoDriftRule rule = {.policy = AO_DRIFT_ROLLING_RMSE, .window = 2, .multiplier = 1.5, .consecutive = 2, .min_labels = 2, .recovery = 1.25, .cusum_limit = NAN};
	/* rolling: 9, 6.4, 0.71, 2.83, 3.54, 3.65, 2.99, 2.15 */
	static const double errors[] = {9, -1, 0, 4, 3, 4.2, 0.5, 3};
	static const bool breaches[] = {false, true, false, false, true, true, false, false};
	static const int counts[] = {0, 1, 0, 0, 1, 2, 0, 0};
	static const bool drifts[] = {false, false, false, false, false, true, true, false};
	AoDriftRule changed = rule;
	AoDriftState state;

	for (int n = 1; n <= 8; n++)
	{
		double		last = n > 1 ? errors[n - 2] : errors[0];

		state = feed(&rule, 2.0, errors, n);
		UNIT_NEAR(state.rolling_rmse, sqrt((errors[n - 1] * errors[n - 1] + last * last) / 2), 1e-15, "rolling RMSE of session %d", n);
		UNIT_CHECK(state.labels == n && state.breach == breaches[n - 1] && state.consecutive == counts[n - 1],
				   "breaches in a row at session %d", n);
		UNIT_CHECK(state.drift == drifts[n - 1], "drift from the second in a row until below the recovery, at session %d", n);
	}
	changed.min_labels = 7;
	UNIT_CHECK(!feed(&changed, 2.0, errors, 6).breach, "nothing said with too few labels");
	changed = rule;
	changed.policy = AO_DRIFT_NONE;
	UNIT_CHECK(!feed(&changed, 2.0, errors, 6).breach && !feed(&changed, 2.0, errors, 6).drift, "no policy, no drift");
	state = feed(&rule, NAN, errors, 6);
	UNIT_CHECK(!state.breach && !state.drift && state.bias_above == 0 && state.rolling_rmse > 3, "a reference that is not known");
	state = feed(&rule, 0.0, errors, 6);
	UNIT_CHECK(state.drift && isfinite(state.bias_above) && isfinite(state.bias_below), "a reference of 0, and errors");
	changed.policy = AO_DRIFT_CUSUM;
	changed.cusum_limit = 5;
	state = feed(&changed, 0.0, errors, 8);
	UNIT_CHECK(state.drift && isfinite(state.cusum), "a reference of 0, and a sum");
	UNIT_CHECK(!feed(&rule, 0.0, (double[]) {0, 0, 0}, 3).drift, "a reference of 0, and no errors");
}

/* The sums by hand: size 1.5 gives z^2 * 5/18 - ln 1.5, bias z - 1/4. */
static void
check_sums(void)
{
	static const AoDriftRule rule = {.policy = AO_DRIFT_CUSUM, .window = 2, .multiplier = 1.5, .consecutive = 3, .min_labels = 1, .recovery = 1.25, .cusum_limit = 2};
	static const double errors[] = {2, 1, -4, -1, 0.1, 0.1, -3};
	AoDriftState state = feed(&rule, 1.0, errors, 2);

	UNIT_NEAR(state.cusum, 25.0 / 18 - 2 * log(1.5), 1e-15, "spread after two sessions");
	UNIT_NEAR(state.bias_above, 2.5, 1e-15, "values above their forecasts");
	UNIT_NEAR(state.bias_below, 0.0, 1e-15, "none below");
	UNIT_CHECK(!state.breach && !state.drift, "below the limit");
	state = feed(&rule, 1.0, errors, 3);
	UNIT_CHECK(state.breach && state.drift && state.consecutive == 1, "drift at the limit, at once");
	UNIT_NEAR(state.bias_below, 3.75, 1e-15, "below");
	UNIT_NEAR(state.bias_above, 0.0, 1e-15, "and above no more");
	UNIT_CHECK(feed(&rule, 1.0, errors, 4).drift, "not over with one good session");
	state = feed(&rule, 1.0, errors, 5);
	UNIT_CHECK(!state.drift && !state.breach && state.cusum == 0, "over, and the sum begins anew");
	state = feed(&rule, 1.0, errors, 7);
	UNIT_NEAR(state.cusum, 45.0 / 18 - log(1.5), 1e-15, "and comes again");
	UNIT_CHECK(state.drift, "as does drift");
}

/*
 * The share of paths with three rolling RMSE in a row above 1.5, each computed from
 * its 14 errors, within the sessions from `before` on, where errors become `ratio`
 * times as large, of those without such three before.
 */
static double
simulate_original(int before, int sessions, double ratio)
{
	uint64_t	state = 3;
	int			without = 0,
				alarms = 0;
	double		errors[SESSIONS + 1];

	for (int path = 0; path < paths; path++)
	{
		int			row = 0,
					first = SESSIONS;

		for (int t = 0; t < before + sessions; t += 2)
			normal_pair(&state, errors + t);
		for (int t = 13; t < before + sessions && first == SESSIONS; t++)
		{
			double		sum = 0;

			for (int i = t - 13; i <= t; i++)
				sum += errors[i] * errors[i] * (i < before ? 1 : ratio * ratio);
			row = sqrt(sum / 14) > 1.5 ? row + 1 : 0;
			if (row == 3)
				first = t;
		}
		without += first >= before;
		alarms += first >= before && first < SESSIONS;
	}
	return (double) alarms / without;
}

/* The simulation of the core: the original rule against ours, the sum against what is wanted of it. */
static void
check_trials(void)
{
	static const AoDriftRule original = {.policy = AO_DRIFT_ROLLING_RMSE, .window = 14, .multiplier = 1.5, .consecutive = 3, .min_labels = 14, .recovery = 1.25, .cusum_limit = NAN};
	AoDriftTrial unchanged = {.ratio = 1, .sessions = SESSIONS, .seed = 1};
	AoDriftTrial doubled = {.ratio = 2, .before = 100, .sessions = 20, .seed = 1};
	AoDriftRule sum = original;
	AoCusum		cusum = {AO_CUSUM_SPREAD, 1.5};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		p,
				q;

	unchanged.paths = doubled.paths = paths;
	UNIT_CHECK(ao_drift_trial(&original, &unchanged, &env, &p) == AO_OK, "unchanged errors");
	q = simulate_original(0, SESSIONS, 1);
	printf("# false alarms in 250 sessions: %.4f, simulated apart: %.4f\n", p, q);
	UNIT_CHECK(fabs(p - q) < 4 * sqrt(2 * 0.13 * 0.87 / paths) && p > 0.12 && p < 0.15, "false alarms of the original rule");
	UNIT_CHECK(ao_drift_trial(&original, &doubled, &env, &p) == AO_OK, "doubled errors");
	q = simulate_original(100, 20, 2);
	printf("# doubling noticed in 20 sessions: %.4f, simulated apart: %.4f\n", p, q);
	UNIT_CHECK(fabs(p - q) < 4 * sqrt(2 * 0.95 * 0.05 / paths) && p > 0.94 && p < 0.96, "changes noticed by the original rule");

	sum.policy = AO_DRIFT_CUSUM;
	UNIT_CHECK(ao_cusum_limit(&cusum, 0.01, SESSIONS, &env, &sum.cusum_limit) == AO_OK, "the limit for 1 %%");
	UNIT_CHECK(ao_drift_trial(&sum, &unchanged, &env, &p) == AO_OK, "unchanged errors");
	doubled.sessions = 30;
	UNIT_CHECK(ao_drift_trial(&sum, &doubled, &env, &q) == AO_OK, "doubled errors");
	printf("# sum: false alarms %.4f, doubling noticed in 30 sessions %.4f\n", p, q);
	UNIT_CHECK(fabs(p - 0.01) < 4 * sqrt(0.01 / paths) + 0.0005, "false alarms of the sum");
	UNIT_CHECK(q >= 0.97, "changes noticed by the sum");
	UNIT_CHECK(memory.live == 0, "no memory is left behind");
}

/* What cannot be, and a cancel. */
static void
check_refusals(void)
{
	static const AoDriftRule rule = {.policy = AO_DRIFT_ROLLING_RMSE, .window = 14, .multiplier = 1.5, .consecutive = 3, .min_labels = 14, .recovery = 1.25, .cusum_limit = NAN};
	static const double same[] = {-1, 1};
	AoDriftTrial trial = {.ratio = 1, .sessions = 100, .paths = 100, .seed = 1, .errors = same, .n_errors = 2};
	AoCusum		cusum = {AO_CUSUM_SPREAD, 1};
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		p;

	UNIT_CHECK(ao_drift_trial(&rule, &trial, &env, &p) == AO_OK && p == 0, "errors that never vary");
	trial.ratio = 1.6;
	UNIT_CHECK(ao_drift_trial(&rule, &trial, &env, &p) == AO_OK && p == 1, "and then do");
	trial.before = 50;
	trial.sessions = 13;
	UNIT_CHECK(ao_drift_trial(&rule, &trial, &env, &p) == AO_OK && p == 0, "1.5 is passed in the 12th session: sqrt((12 * 2.56 + 2) / 14)");
	trial.sessions = 14;
	UNIT_CHECK(ao_drift_trial(&rule, &trial, &env, &p) == AO_OK && p == 1, "the third is the 14th");
	memory.poll_limit = 5;
	UNIT_CHECK(ao_drift_trial(&rule, &trial, &env, &p) == AO_CANCELLED, "a cancelled simulation");
	env = unit_env(&memory);
	trial.paths = 1000000000;
	UNIT_CHECK(ao_drift_trial(&rule, &trial, &env, &p) == AO_BAD_ARGUMENT, "too many paths");
	UNIT_CHECK(ao_cusum_limit(&cusum, 0.01, SESSIONS, &env, &p) == AO_BAD_ARGUMENT, "no change to look for");
	cusum.size = 2;
	UNIT_CHECK(ao_cusum_limit(&cusum, 0, SESSIONS, &env, &p) == AO_BAD_ARGUMENT, "no alarms at all");
	UNIT_CHECK(ao_cusum_alarms(&cusum, 0, SESSIONS, &env, &p) == AO_BAD_ARGUMENT, "no limit");
	UNIT_CHECK(ao_cusum_limit(&cusum, 0.01, 0, &env, &p) == AO_BAD_ARGUMENT, "no sessions");
	UNIT_CHECK(memory.live == 0, "no memory is left behind");
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		paths = atoi(argv[1]);
	else if (unit_small())
		paths = 2000;
	check_rolling();
	check_sums();
	check_published();
	check_limits();
	check_trials();
	check_refusals();
	return unit_done();
}

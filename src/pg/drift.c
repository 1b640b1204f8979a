/*
 * drift.c
 *		What arima_ops.detect_drift, false_alarm_rate and drift_power rest on: the
 *		rules of a row of arima_ops.series, applied to sessions and simulated.
 */
#include "postgres.h"

#include <math.h>

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "drift.h"
#include "glue.h"

PGDLLEXPORT Datum arima_ops_drift_steps(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_drift_trial(PG_FUNCTION_ARGS);

/* the sessions that drift_false_alarms is meant for: a year */
#define YEAR 250

/* Limits that were computed before: there are as many as different policies. */
#define CACHED_LIMITS 16
static struct
{
	AoCusum		cusum;
	double		alpha;
	double		limit;
} cached_limits[CACHED_LIMITS];
static int	next_cached_limit;

/* ao_cusum_limit for a year. */
static double
cusum_limit(AoCusum cusum, double alpha)
{
	double		limit;
	AoEnv		env;

	for (int i = 0; i < CACHED_LIMITS; i++)
	{
		if (cached_limits[i].cusum.kind == cusum.kind && cached_limits[i].cusum.size == cusum.size &&
			cached_limits[i].alpha == alpha)
			return cached_limits[i].limit;
	}
	ao_pg_env(&env);
	ao_pg_check(ao_cusum_limit(&cusum, alpha, YEAR, &env, &limit), &env);
	cached_limits[next_cached_limit].cusum = cusum;
	cached_limits[next_cached_limit].alpha = alpha;
	cached_limits[next_cached_limit].limit = limit;
	next_cached_limit = (next_cached_limit + 1) % CACHED_LIMITS;
	return limit;
}

/* A column of a row that must be there and not null. */
static Datum
column(HeapTupleHeader row, const char *name)
{
	bool		isnull;
	Datum		value = GetAttributeByName(row, name, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be null", name),
				 errhint("Give a row of arima_ops.series.")));
	return value;
}

/* Refuses NULL in an argument that must be there. */
static void
require_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Call arima_ops.detect_drift, arima_ops.false_alarm_rate or arima_ops.drift_power.")));
}

/* The policy by its name. */
static AoDriftPolicy
policy_from_text(const char *name)
{
	if (strcmp(name, "rolling_rmse") == 0)
		return AO_DRIFT_ROLLING_RMSE;
	return strcmp(name, "cusum") == 0 ? AO_DRIFT_CUSUM : AO_DRIFT_NONE;
}

/* The rule that a row of arima_ops.series holds, whose constraints see to its
 * values unless it is made up; and the limit of the two bias statistics, which share its false alarms. */
static AoDriftRule
read_rule(HeapTupleHeader row, double *bias_limit)
{
	AoDriftRule rule = {0};
	double		alpha = DatumGetFloat8(column(row, "drift_false_alarms"));

	rule.policy = policy_from_text(TextDatumGetCString(column(row, "drift_policy")));
	rule.window = DatumGetInt32(column(row, "drift_window"));
	rule.multiplier = DatumGetFloat8(column(row, "drift_multiplier"));
	rule.consecutive = DatumGetInt32(column(row, "drift_consecutive"));
	rule.min_labels = DatumGetInt32(column(row, "drift_min_labels"));
	rule.recovery = DatumGetFloat8(column(row, "drift_recovery"));
	/* a row that is made up has not passed the table's constraints */
	if (rule.window < 1 || rule.window > 10000 || rule.consecutive < 1 || rule.min_labels < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("drift_window, drift_consecutive or drift_min_labels out of range"),
				 errhint("Give a row of arima_ops.series.")));
	rule.cusum_limit = NAN;
	if (rule.multiplier > 1.0 && rule.multiplier <= AO_MAX_CUSUM_SIZE)
		rule.cusum_limit = cusum_limit((AoCusum) {AO_CUSUM_SPREAD, rule.multiplier}, alpha);
	*bias_limit = cusum_limit((AoCusum) {AO_CUSUM_MEAN, AO_DRIFT_BIAS}, alpha / 2);
	return rule;
}

/* What the last check left behind, from a row of arima_ops.drift_checks. */
static AoDriftState
read_state(HeapTupleHeader row)
{
	AoDriftState state = {0};

	state.labels = DatumGetInt32(column(row, "labels"));
	state.consecutive = DatumGetInt32(column(row, "consecutive"));
	state.drift = DatumGetBool(column(row, "drift"));
	state.cusum = DatumGetFloat8(column(row, "cusum"));
	state.bias_above = DatumGetFloat8(column(row, "bias_above"));
	state.bias_below = DatumGetFloat8(column(row, "bias_below"));
	return state;
}

/* Mean of those of n values that are not NaN; NaN if there is none. */
static double
mean_of_known(const double *values, int n)
{
	double		sum = 0.0;
	int			known = 0;

	for (int i = 0; i < n; i++)
	{
		if (!isnan(values[i]))
		{
			sum += values[i];
			known++;
		}
	}
	return known > 0 ? sum / known : NAN;
}

/* Puts session i (1-based) of a check into the result. */
static void
put_session(Tuplestorestate *store, TupleDesc tupdesc, int i, const AoDriftRule *rule, double reference,
			double bias_limit, double coverage, const AoDriftState *state)
{
	bool		nulls[13] = {false};
	Datum		values[13] = {
		Int32GetDatum(i),
		Int32GetDatum((int32) state->labels),
		Float8GetDatum(state->rolling_rmse),
		Float8GetDatum(rule->multiplier * reference),
		BoolGetDatum(state->breach),
		Int32GetDatum(state->consecutive),
		BoolGetDatum(state->drift),
		Float8GetDatum(state->cusum),
		Float8GetDatum(rule->cusum_limit),
		Float8GetDatum(state->bias_above),
		Float8GetDatum(state->bias_below),
		Float8GetDatum(bias_limit),
		Float8GetDatum(coverage)
	};

	nulls[3] = isnan(reference);
	nulls[8] = isnan(rule->cusum_limit);
	nulls[12] = isnan(coverage);
	tuplestore_putvalues(store, tupdesc, values, nulls);
}

/*
 * drift_steps(rule arima_ops.series, state arima_ops.drift_checks, reference float8,
 * rmse float8[], errors float8[], inside float8[]): for each session of errors; rmse
 * and inside also hold those of sessions before them.
 */
PG_FUNCTION_INFO_V1(arima_ops_drift_steps);
Datum
arima_ops_drift_steps(PG_FUNCTION_ARGS)
{
	AoDriftRule rule;
	AoDriftState state = {0};
	double		reference = PG_ARGISNULL(2) ? NAN : PG_GETARG_FLOAT8(2);
	double		bias_limit;
	double	   *squares;
	AoSeries	rmse,
				errors,
				inside;
	int64		known;
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);

	require_argument(fcinfo, 0, "rule");
	require_argument(fcinfo, 3, "rmse");
	require_argument(fcinfo, 4, "errors");
	require_argument(fcinfo, 5, "inside");
	rule = read_rule(PG_GETARG_HEAPTUPLEHEADER(0), &bias_limit);
	rmse = ao_pg_series(PG_GETARG_ARRAYTYPE_P(3), "rmse");
	errors = ao_pg_series(PG_GETARG_ARRAYTYPE_P(4), "errors");
	inside = ao_pg_series(PG_GETARG_ARRAYTYPE_P(5), "inside");
	known = rmse.n - errors.n;
	if (known < 0 || inside.n != rmse.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rmse, errors and inside do not belong together"),
				 errhint("This function is called by arima_ops.detect_drift.")));
	if (!PG_ARGISNULL(1))
		state = read_state(PG_GETARG_HEAPTUPLEHEADER(1));
	squares = palloc_extended(sizeof(double) * Max(rmse.n, 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < rmse.n; i++)
		squares[i] = rmse.values[i] * rmse.values[i];
	for (int64 i = 0; i < errors.n; i++)
	{
		int64		end = known + i + 1;
		int			n = (int) Min(end, (int64) rule.window);

		CHECK_FOR_INTERRUPTS();
		ao_drift_next(&rule, reference, squares + end - n, n, errors.values[i], &state);
		put_session(store, tupdesc, (int) i + 1, &rule, reference, bias_limit,
					mean_of_known(inside.values + end - n, n), &state);
	}
	PG_RETURN_NULL();
}

/*
 * drift_trial(rule arima_ops.series, ratio float8, before int, sessions int, paths int,
 * seed bigint, errors float8[]): see ao_drift_trial.
 */
PG_FUNCTION_INFO_V1(arima_ops_drift_trial);
Datum
arima_ops_drift_trial(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"rule", "ratio", "before", "sessions", "paths", "seed"};
	AoDriftRule rule;
	AoDriftTrial trial = {0};
	double		share,
				bias_limit;
	AoEnv		env;

	for (int i = 0; i < (int) lengthof(names); i++)
		require_argument(fcinfo, i, names[i]);
	rule = read_rule(PG_GETARG_HEAPTUPLEHEADER(0), &bias_limit);
	trial.ratio = PG_GETARG_FLOAT8(1);
	trial.before = PG_GETARG_INT32(2);
	trial.sessions = PG_GETARG_INT32(3);
	trial.paths = PG_GETARG_INT32(4);
	trial.seed = (uint64) PG_GETARG_INT64(5);
	if (!PG_ARGISNULL(6))
	{
		AoSeries	errors = ao_pg_series(PG_GETARG_ARRAYTYPE_P(6), "errors");

		trial.errors = errors.values;
		trial.n_errors = (int) errors.n;
	}
	ao_pg_env(&env);
	ao_pg_check(ao_drift_trial(&rule, &trial, &env, &share), &env);
	if (isnan(share))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(share);
}

/*
 * test_rolling.c
 *		The forecast metrics: definitions, ends of the range, values that are
 *		not numbers.  The sums behind them are tested in test_exact_sum.c.
 */
#include "rolling.h"

#include <float.h>
#include <math.h>

#include "unit.h"

/* What of_row gives for a row that does not count. */
#define NOT_COUNTED (-12345.0)

/* Takes a row in or out, widening the sum when asked to. */
static void
update(AoRolling *state, int64_t *full, AoRollingMetric metric,
	   double forecast, double actual, bool remove)
{
	if (!ao_rolling_update(state, metric, forecast, actual, remove))
	{
		ao_exact_sum_widen(&state->sum, full);
		UNIT_CHECK(ao_rolling_update(state, metric, forecast, actual, remove),
				   "taken after widening");
	}
}

/* The metric of one row. */
static double
of_row(AoRollingMetric metric, double forecast, double actual)
{
	AoRolling	state;
	int64_t		full[AO_EXACT_DIGITS];

	ao_rolling_init(&state);
	update(&state, full, metric, forecast, actual, false);
	if (state.n == 0)
		return NOT_COUNTED;
	return metric == AO_ROLLING_RMSE ? ao_rolling_root_mean(&state) : ao_rolling_mean(&state);
}

static const struct
{
	AoRollingMetric metric;
	double		forecast;
	double		actual;
	double		want;
	const char *name;
}			rows[] =
{
	{AO_ROLLING_RMSE, 1.0, 4.0, 3.0, "RMSE"},
	{AO_ROLLING_MAE, 1.0, 4.0, 3.0, "MAE"},
	{AO_ROLLING_BIAS, 1.0, 4.0, -3.0, "bias is forecast - actual"},
	{AO_ROLLING_MAPE, 1.0, -4.0, 125.0, "MAPE in percent of |actual|"},
	{AO_ROLLING_MAPE, 1.0, 0.0, NOT_COUNTED, "MAPE leaves out actual = 0"},
	{AO_ROLLING_MAPE, NAN, -0.0, NOT_COUNTED, "MAPE leaves out actual = -0"},
	{AO_ROLLING_SMAPE, 1.0, 4.0, 120.0, "sMAPE on the scale to 200"},
	{AO_ROLLING_SMAPE, 0.0, -0.0, 0.0, "sMAPE of two zeros"},
	{AO_ROLLING_SMAPE, 5e-324, 0.0, 200.0, "sMAPE of the smallest number"},

	/* beyond the range of double on the way, not in the result */
	{AO_ROLLING_MAPE, DBL_MAX, -DBL_MAX, 200.0, "MAPE, difference overflows"},
	{AO_ROLLING_SMAPE, DBL_MAX, -DBL_MAX, 200.0, "sMAPE, difference overflows"},
	{AO_ROLLING_SMAPE, DBL_MAX, DBL_MAX, 0.0, "sMAPE, sum overflows"},
	{AO_ROLLING_RMSE, 1e300, 0.0, 1e300, "RMSE, square overflows"},
	{AO_ROLLING_RMSE, 0.0, 1e-300, 1e-300, "RMSE, square underflows"},

	/* and in the result */
	{AO_ROLLING_RMSE, DBL_MAX, -DBL_MAX, INFINITY, "RMSE of an infinite error"},
	{AO_ROLLING_BIAS, -DBL_MAX, DBL_MAX, -INFINITY, "bias of an infinite error"},
	{AO_ROLLING_MAPE, 1.0, 5e-324, INFINITY, "MAPE, ratio overflows"},

	/* as ordinary arithmetic */
	{AO_ROLLING_RMSE, -INFINITY, 1.0, INFINITY, "RMSE of -Infinity"},
	{AO_ROLLING_BIAS, 1.0, INFINITY, -INFINITY, "bias against Infinity"},
	{AO_ROLLING_MAE, INFINITY, INFINITY, NAN, "MAE of two infinities"},
	{AO_ROLLING_SMAPE, INFINITY, 1.0, NAN, "sMAPE of Infinity"},
	{AO_ROLLING_MAPE, 1.0, INFINITY, NAN, "MAPE against Infinity"},
	{AO_ROLLING_MAPE, INFINITY, 1.0, INFINITY, "MAPE of Infinity"}
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		double		got = of_row(rows[i].metric, rows[i].forecast, rows[i].actual);

		UNIT_CHECK(got == rows[i].want || (isnan(got) && isnan(rows[i].want)), "%s", rows[i].name);
	}
}

/* However terms are rounded, sMAPE stays on its scale. */
static void
test_smape_bound(void)
{
	AoRolling	state;
	int64_t		full[AO_EXACT_DIGITS];
	bool		bounded = true;

	ao_rolling_init(&state);
	for (int i = 1; i <= 5000; i++)
	{
		double		forecast = exp(40.0 * sin(i));
		double		actual = -exp(40.0 * cos(3.0 * i));

		bounded = bounded && of_row(AO_ROLLING_SMAPE, forecast, actual) == 200.0 &&
			of_row(AO_ROLLING_SMAPE, forecast, -actual) <= 200.0;
		update(&state, full, AO_ROLLING_SMAPE, forecast, actual, false);
	}
	UNIT_CHECK(bounded, "sMAPE of rows is at most 200");
	UNIT_CHECK(ao_rolling_mean(&state) == 200.0, "sMAPE of opposite signs is 200");
}

/* NaN and infinities are felt while they are in, and not after. */
static void
test_leaving(void)
{
	AoRolling	state;
	int64_t		full[AO_EXACT_DIGITS];

	ao_rolling_init(&state);
	update(&state, full, AO_ROLLING_BIAS, 3.0, 1.0, false);
	update(&state, full, AO_ROLLING_BIAS, INFINITY, 1.0, false);
	UNIT_CHECK(ao_rolling_mean(&state) == INFINITY, "Infinity is in");
	update(&state, full, AO_ROLLING_BIAS, 1.0, INFINITY, false);
	UNIT_CHECK(isnan(ao_rolling_mean(&state)), "infinities of both signs are in");
	update(&state, full, AO_ROLLING_BIAS, INFINITY, 1.0, true);
	UNIT_CHECK(ao_rolling_mean(&state) == -INFINITY, "-Infinity is left");
	update(&state, full, AO_ROLLING_BIAS, NAN, 1.0, false);
	UNIT_CHECK(isnan(ao_rolling_mean(&state)), "NaN is in");
	update(&state, full, AO_ROLLING_BIAS, 1e300, 0.0, false);
	update(&state, full, AO_ROLLING_BIAS, NAN, 1.0, true);
	update(&state, full, AO_ROLLING_BIAS, 1.0, INFINITY, true);
	update(&state, full, AO_ROLLING_BIAS, 1e300, 0.0, true);
	UNIT_CHECK(ao_rolling_mean(&state) == 2.0, "all have left");
	UNIT_CHECK(state.n == 1 && state.nan == 0 && state.plus_inf == 0 && state.minus_inf == 0, "counts");
}

/* Counts that do not agree are refused. */
static void
test_check(void)
{
	AoRolling	state;

	ao_rolling_init(&state);
	UNIT_CHECK(ao_rolling_check(&state), "empty state");
	state.n = 6;
	state.nan = 1;
	state.plus_inf = 2;
	state.minus_inf = 3;
	UNIT_CHECK(ao_rolling_check(&state), "all of the terms special");
	state.minus_inf = 4;
	UNIT_CHECK(!ao_rolling_check(&state), "more than the terms");
	state.plus_inf = INT64_MAX;
	UNIT_CHECK(!ao_rolling_check(&state), "overflowing count");
	state.plus_inf = -1;
	UNIT_CHECK(!ao_rolling_check(&state), "negative count");
}

/* Two states joined are the state of all rows. */
static void
test_merge(void)
{
	AoRolling	state[3];
	int64_t		full[3][AO_EXACT_DIGITS];
	AoExactDigits digits;

	for (int k = 0; k < 3; k++)
		ao_rolling_init(&state[k]);
	for (int i = 0; i < 100; i++)
	{
		double		forecast = i == 50 ? 1e200 : sin(i);

		update(&state[2], full[2], AO_ROLLING_RMSE, forecast, 0.0, false);
		update(&state[i % 2], full[i % 2], AO_ROLLING_RMSE, forecast, 0.0, false);
	}
	ao_exact_sum_export(&state[0].sum, &digits);
	if (!ao_rolling_merge(&state[1], &state[0], &digits))
	{
		ao_exact_sum_widen(&state[1].sum, full[1]);
		UNIT_CHECK(ao_rolling_merge(&state[1], &state[0], &digits), "joined after widening");
	}
	UNIT_CHECK(state[1].n == 100, "count of both");
	update(&state[1], full[1], AO_ROLLING_RMSE, 1e200, 0.0, true);
	update(&state[2], full[2], AO_ROLLING_RMSE, 1e200, 0.0, true);
	UNIT_CHECK(ao_rolling_root_mean(&state[1]) == ao_rolling_root_mean(&state[2]),
			   "joined and whole agree after the outlier left");
}

/* Every count is joined. */
static void
test_merge_counts(void)
{
	AoRolling	state;
	AoRolling	counts;
	AoExactDigits digits = {false, 0, 0, {0}};

	ao_rolling_init(&state);
	ao_rolling_init(&counts);
	state.n = counts.n = 100;
	state.nan = 1;
	state.plus_inf = 2;
	state.minus_inf = 3;
	counts.nan = 10;
	counts.plus_inf = 20;
	counts.minus_inf = 30;
	UNIT_CHECK(ao_rolling_merge(&state, &counts, &digits), "counts alone always fit");
	UNIT_CHECK(state.n == 200 && state.nan == 11 && state.plus_inf == 22 && state.minus_inf == 33,
			   "counts are added");
}

int
main(void)
{
	test_rows();
	test_smape_bound();
	test_leaving();
	test_check();
	test_merge();
	test_merge_counts();
	return unit_done();
}

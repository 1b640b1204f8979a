/*
 * explain_future.c
 *		Of arima_explain: where the forecast goes, how fast, and how wide its
 *		interval grows.
 */
#include "postgres.h"

#include <math.h>

#include "explain.h"

/* from this inverse root on an MA part undoes a difference for any horizon of use */
#define UNDONE 0.9999

/* What the forecast has in the end: a level, a line, a curve. */
static int
degree(const Explained *ex)
{
	int			d = ex->spec.d + ex->spec.D;

	return Max(d - 1, ex->spec.constant & AO_CONSTANT_DRIFT ? 1 : 0);
}

/* Are the forecasts where the words below are, without the season of Fourier terms? */
static bool
has_level(const Explained *ex)
{
	return ex->steps != NULL && ex->settles && ex->spec.K == 0;
}

/* The mean over season `back` counted from the last, of the forecasts. */
static double
season_level(const Explained *ex, int back)
{
	double		sum = 0;
	int			m = ex->spec.m;

	for (int i = 0; i < m; i++)
		sum += ex->steps[ex->h - 1 - back * m - i].mean / m;
	return sum;
}

/* How much a line goes up: a number for each step or season, or a percentage on
 * the scale of logarithms; nothing where another transformation bends it. */
static void
put_slope(StringInfo out, const Explained *ex)
{
	bool		seasonal = ex->spec.D > 0;
	const char *each = seasonal ? "season" : "step";
	double		now;
	double		before;

	if (!has_level(ex) || (ex->model->has_lambda && ex->model->lambda != 0))
		return;
	now = seasonal ? season_level(ex, 0) : ex->steps[ex->h - 1].mean;
	before = seasonal ? season_level(ex, 1) : ex->steps[ex->h - 2].mean;
	if (ex->model->has_lambda)
		appendStringInfo(out, ", %+.3g %% with each %s", 100 * (now / before - 1), each);
	else
		appendStringInfo(out, ", %s%s with each %s", now >= before ? "+" : "", ao_explain_number(now - before), each);
}

/* Where a forecast without season goes. */
static void
put_plain_goal(StringInfo out, const Explained *ex)
{
	const AoSpec *spec = &ex->spec;
	const char *end = has_level(ex) ? ao_explain_number(ex->steps[ex->h - 1].mean) : NULL;

	if (degree(ex) == 1 && spec->d == 0)
		appendStringInfoString(out, "it goes to a straight line, the trend");
	else if (degree(ex) == 1 && spec->d == 1)
		appendStringInfoString(out, "it becomes a straight line, the drift");
	else if (degree(ex) == 1)
		appendStringInfoString(out, "it becomes a straight line, the last slope going on for ever");
	else if (degree(ex) > 1)
		appendStringInfoString(out, "it becomes a curve that goes astray soon");
	else if (spec->d == 1)
		appendStringInfo(out, "it becomes flat, at %s: from there a change up is as likely as one down",
						 end ? end : "a level of its own");
	else if (spec->constant & AO_CONSTANT_MEAN)
		appendStringInfo(out, "it goes to the mean of the model%s%s and stays there", end ? ", " : "", end ? psprintf("%s,", end) : "");
	else
		appendStringInfoString(out, "it goes to zero and stays there, for the model has no mean");
	if (degree(ex) == 1)
		put_slope(out, ex);
	if (spec->P + spec->Q > 0)
		appendStringInfoString(out, "; on the way there the pattern of the season fades");
}

/* Where a forecast with seasonal differences goes. */
static void
put_seasonal_goal(StringInfo out, const Explained *ex)
{
	if (degree(ex) == 0)
		appendStringInfoString(out, "it repeats one pattern, season after season, at one level");
	else if (degree(ex) == 1)
	{
		appendStringInfoString(out, "it repeats one pattern, season after season, on a straight line");
		put_slope(out, ex);
	}
	else
		appendStringInfoString(out, "it repeats one pattern on a curve that goes astray soon");
}

/* What an adjustment to means adds to the medians of a transformed model. */
static void
put_adjustment(StringInfo out, const Explained *ex)
{
	if (ex->model->bias_adjust && ex->model->lambda != 1)
		appendStringInfo(out, "; all this is the median, and the forecasts are means, which lie %s it, the farther the wider the interval",
						 ex->model->lambda < 1 ? "above" : "below");
}

/* How fast the forecast gets there. */
static void
put_pace(StringInfo out, const Explained *ex)
{
	const AoSpec *spec = &ex->spec;
	int64		ma = spec->q + (int64) spec->m * spec->Q;
	int64		there = spec->d > 0 ? Max(ma, 1) : ma + 1;	/* the first step at which an MA model is */

	if (ex->half_life >= 1000)
		appendStringInfoString(out, ". It gets there so slowly that no forecast will see it");
	else if (ex->half_life >= 0.95)
		appendStringInfo(out, ex->half_life < 9.95 ? ". What is left of the way halves every %.1f steps" :
						 ". What is left of the way halves every %.0f steps", ex->half_life);
	else if (ex->half_life > 0)
		appendStringInfoString(out, ". Each step is more than half of what is left of the way");
	else if (spec->D == 0 && there > 1)
		appendStringInfo(out, ". It is there from step " INT64_FORMAT " on", there);
	else if (spec->D == 0)
		appendStringInfoString(out, ". It is there from the first step on");
}

/* Width of the interval of step j (from 1), in words. */
static char *
width_text(const Explained *ex, int j)
{
	const AoForecast *step = &ex->steps[j - 1];

	if (ex->model->has_lambda)
		return psprintf("from %s to %s", ao_explain_number(step->lower), ao_explain_number(step->upper));
	return psprintf("%s either way", ao_explain_number((step->upper - step->lower) / 2));
}

/* Do intervals count the error of the coefficients by a formula, and so that of a line more with each step? */
static bool
counts_errors(const AoModel *model)
{
	return model->interval != AO_INTERVAL_NORMAL && model->n_calibrated == 0;
}

/* How many differences MA terms with this root undo: a pair of them two. */
static int
undone(const AoRoot *root, double n)
{
	if (!(root->modulus > UNDONE) || !ao_explain_like_a_trend(root, n))
		return 0;
	return root->period > 0 ? 2 : 1;
}

/* With which power of the number of steps the square of the interval's width grows in the end. */
typedef struct Growth
{
	int			power;			/* 0: to a limit; 3: or more */
	bool		by_season;		/* the number of seasons rather */
} Growth;

/*
 * Where 1 - B is left z times, the differences less what MA terms undo, the sum of the
 * impulse responses before step h goes with h^z, and the variance with h^(2z-1); and where
 * 1 - B^m is left s times the variance with h^(2s-1) at the least.  What is undone of two
 * differences leaves a slope that does not change, with the error of its estimate in the
 * state.  See ao_interval_inflation for what the errors of a drift and of a trend add.
 */
static Growth
find_growth(const Explained *ex)
{
	const AoSpec *spec = &ex->spec;
	double		n = (double) ex->model->n;
	int			seasonal = undone(&ex->roots[3], n / spec->m),
				all = seasonal + undone(&ex->roots[1], n),
				s = spec->D - seasonal,
				z = spec->d + spec->D - all;
	Growth		growth = {.power = Max(Max(2 * z - 1, 2 * s - 1), 0), .by_season = s > 0};

	if (spec->d + spec->D > 1 && all > 0 && ex->model->has_state_cov)
		growth.power = 3;
	else if (counts_errors(ex->model) && spec->constant == AO_CONSTANT_DRIFT)
		growth.power = Max(growth.power, 2 * z);
	else if (counts_errors(ex->model) && spec->constant == AO_CONSTANT_MEAN_DRIFT && z == 0)
		growth.power = 2;
	return growth;
}

/* Has every step the same interval? */
static bool
is_noise(const Explained *ex)
{
	const AoSpec *spec = &ex->spec;

	return spec->p + spec->q + spec->P + spec->Q + spec->d + spec->D == 0 &&
		ex->model->n_calibrated == 0 && find_growth(ex).power == 0 &&
		!(ex->model->has_lambda && ((spec->constant & AO_CONSTANT_DRIFT) || spec->K > 0 || ex->model->n_xreg > 0));
}

static double
width(const AoForecast *step)
{
	return step->upper - step->lower;
}

/* Is the interval of the last step that of all after it?  One of a transformed series goes along
 * with the forecast; and coefficients less their bias take longer than the forecast. */
static bool
ends_up(const Explained *ex)
{
	const AoForecast *last;

	if (ex->steps == NULL || !ex->settles || (ex->model->has_lambda && (degree(ex) > 0 || ex->spec.D > 0)))
		return false;
	last = &ex->steps[ex->h - 1];
	return fabs(width(last - ex->h / 4) - width(last)) <= 1e-3 * width(last);
}

/* An interval that grows to a limit. */
static void
put_limit(StringInfo out, const Explained *ex, const char *scale)
{
	const AoModel *model = ex->model;
	bool		differenced = ex->spec.d + ex->spec.D > 0;
	bool		calibrated = model->n_calibrated > 0;
	/* by the errors that there were, or by those of the coefficients, it may be narrower later */
	bool		any_way = model->interval != AO_INTERVAL_NORMAL;

	if (!ends_up(ex))
		appendStringInfo(out, any_way ? "comes to a limit%s and stays there" : "grows to a limit%s and no further", scale);
	else if (differenced && !calibrated && width(&ex->steps[ex->h - 1]) < 1.02 * width(&ex->steps[0]))
		appendStringInfoString(out, "hardly grows");
	else
		appendStringInfo(out, model->has_lambda || any_way ? "ends up %s and stays there" : "grows to %s and no further",
						 width_text(ex, ex->h));
	appendStringInfoString(out, differenced ? ", for the moving-average terms undo the difference.\n" : ".\n");
}

/* How the interval grows. */
static void
put_growth(StringInfo out, const Explained *ex)
{
	Growth		growth = find_growth(ex);
	const char *scale = ex->model->has_lambda ? " on the transformed scale" : "";
	const char *unit = growth.by_season ? "seasons" : "steps";

	if (growth.power == 0)
		put_limit(out, ex, scale);
	else if (growth.power == 1)
		appendStringInfo(out, "grows without limit%s, in the end as the square root of the number of %s.\n", scale, unit);
	else if (growth.power == 2)
		appendStringInfo(out, "grows without limit%s, in the end as the number of %s, for it counts that the %s is an estimate.\n", scale, unit,
						 ex->spec.constant == AO_CONSTANT_DRIFT ? "drift" : "trend");
	else
		appendStringInfo(out, "grows without limit%s, faster than the square root of the number of steps.\n", scale);
}

/* How certain: the interval at the first step and later, and how it grows. */
static void
put_uncertainty(StringInfo out, const Explained *ex)
{
	int			later = ex->spec.m > 1 ? ex->spec.m : 10;

	if (ex->model->remarks & AO_REMARK_DEGENERATE)
	{
		appendStringInfoString(out, "Certainty: the series is constant or exactly explained; the intervals have no width, which says nothing about the future.\n");
		return;
	}
	if (is_noise(ex))
	{
		appendStringInfo(out, "Certainty: the 95 %% interval is %s at every step.\n",
						 ex->steps ? width_text(ex, 1) : "equally wide");
		return;
	}
	appendStringInfoString(out, "Certainty: the 95 % interval ");
	if (ex->steps != NULL)
		appendStringInfo(out, "is %s one step ahead, %s at step %d; it ",
						 width_text(ex, 1), width_text(ex, later), later);
	put_growth(out, ex);
}

/* See explain.h. */
void
ao_explain_future(StringInfo out, const Explained *ex)
{
	appendStringInfoString(out, "Forecast: ");
	if (ex->spec.D > 0)
		put_seasonal_goal(out, ex);
	else
		put_plain_goal(out, ex);
	put_pace(out, ex);
	put_adjustment(out, ex);
	if (ex->spec.K > 0)
		appendStringInfoString(out, "; to all of this the Fourier terms add the season, the same pattern over and over");
	if (ex->model->n_xreg > 0)
		appendStringInfoString(out, "; to all of this the regressors add what their future values say");
	appendStringInfoString(out, ".\n");
	put_uncertainty(out, ex);
}

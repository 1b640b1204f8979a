/*
 * explain.c
 *		SQL function arima_explain: what a model says, in plain words.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#include "explain.h"

PGDLLEXPORT Datum arima_ops_explain(PG_FUNCTION_ARGS);

/* An inverse root from here on is near the unit circle. */
#define NEAR_CIRCLE 0.97

/* So many cycles of a root in a series it cannot tell from a trend. */
#define TREND_CYCLES 3

/* A gain below this is none. */
#define NO_SKILL 0.01

/* See explain.h. */
char *
ao_explain_number(double number)
{
	double		size = fabs(number);

	return psprintf(size >= 1e4 && size < 1e9 ? "%.0f" : "%.4g", number);
}

/* The values that are known, but were not when the model was fitted. */
static int64
appended(const AoModel *model)
{
	return Max(model->n_used - ao_model_estimated_from(model), 0);
}

/* The first line: which model, of how many values. */
static void
put_model(StringInfo out, const Explained *ex)
{
	const AoModel *model = ex->model;
	int64		more = appended(model);
	char		spec[128];

	ao_spec_format(&ex->spec, spec, sizeof(spec));
	appendStringInfo(out, "Model: ARIMA%s, ", spec);
	if (more > 0)
		appendStringInfo(out, "fitted to " INT64_FORMAT " known values; " INT64_FORMAT " were appended since, without a new estimate: it stands after ",
						 model->n - model->n_missing - more, more);
	else
		appendStringInfoString(out, "fitted to ");
	appendStringInfo(out, INT64_FORMAT " values", model->n);
	if (model->n_missing > 0)
		appendStringInfo(out, ", " INT64_FORMAT " of them missing", model->n_missing);
	if (model->has_lambda)
		appendStringInfo(out, ", after %s; forecasts are transformed back",
						 model->lambda == 0 ? "taking logarithms" :
						 psprintf("a Box-Cox transformation with lambda %.4g", model->lambda));
	appendStringInfoString(out, ".\n");
}

/* What it is that the model forecasts. */
static char *
subject(const AoSpec *spec)
{
	if (spec->D == 0 && spec->d == 0)
		return pstrdup("the value itself");
	if (spec->D == 0 && spec->d == 1)
		return pstrdup("the change from one value to the next");
	if (spec->D == 0 && spec->d == 2)
		return pstrdup("the change of the change from one value to the next");
	if (spec->D == 1 && spec->d == 0)
		return psprintf("the change against the same time one season (%d values) before", spec->m);
	if (spec->D == 1 && spec->d == 1)
		return psprintf("the change against the same time one season (%d values) before, and how it moves from one value to the next", spec->m);
	return psprintf("differences (d = %d from value to value, D = %d from season to season)", spec->d, spec->D);
}

/* One thing of the list that the subject is forecast from. */
static void
put_source(StringInfo list, int count, const char *one, const char *many)
{
	if (count == 0)
		return;
	if (list->len > 0)
		appendStringInfoString(list, "; from ");
	if (count == 1)
		appendStringInfoString(list, one);
	else
		appendStringInfo(list, many, count);
}

/* The second line: what is forecast from what. */
static void
put_mechanism(StringInfo out, const Explained *ex)
{
	const AoSpec *spec = &ex->spec;
	StringInfoData from;

	initStringInfo(&from);
	put_source(&from, spec->p, "what it was last time (1 autoregressive term)",
			   "what it was the last %d times (autoregressive terms)");
	put_source(&from, spec->q, "the error of the last forecast (1 moving-average term)",
			   "the errors of the last %d forecasts (moving-average terms)");
	put_source(&from, spec->P, "what it was one season before (1 seasonal autoregressive term)",
			   "what it was the last %d seasons (seasonal autoregressive terms)");
	put_source(&from, spec->Q, "the forecast error of one season before (1 seasonal moving-average term)",
			   "the forecast errors of the last %d seasons (seasonal moving-average terms)");
	put_source(&from, spec->K, "a sine and cosine of the season (1 pair of Fourier terms)",
			   "sines and cosines of the season (%d pairs of Fourier terms)");
	put_source(&from, ex->model->n_xreg, "a regressor", "%d regressors");
	appendStringInfo(out, "How: it forecasts %s", subject(spec));
	if (from.len > 0)
		appendStringInfo(out, ", from %s.\n", from.data);
	else
		appendStringInfoString(out, ", and takes that for pure chance: nothing in the past says which way it goes.\n");
}

/* Errors of one step, and of the simplest forecasts on the same values. */
typedef struct Score
{
	int64		n;
	double		model;			/* sums of squares */
	double		last;
	double		season;
	double		mean;
} Score;

/* The value before t by `lag`, or NaN. */
static double
value_before(const AoSeries *y, int64 t, int64 lag)
{
	return t >= lag ? y->values[t - lag] : NAN;
}

/* The mean of the known values; 0 without any.  Divided first: no overflow. */
static double
series_mean(const AoSeries *y)
{
	double		sum = 0;
	int64		n = 0;

	for (int64 t = 0; t < y->n; t++)
	{
		if (!isnan(y->values[t]))
			sum += (y->values[t] - sum) / (double) ++n;
	}
	return sum;
}

/* Adds one step: the value and its forecasts, where all are known. */
static void
score_step(Score *score, double value, double model, double last, double season, double mean)
{
	if (isnan(model) || isnan(last) || isnan(season))
		return;
	score->n++;
	score->model += (value - model) * (value - model);
	score->last += (value - last) * (value - last);
	score->season += (value - season) * (value - season);
	score->mean += (value - mean) * (value - mean);
}

/* Scores of the model and the simple forecasts over the series. */
static Score
score_series(const Explained *ex, const AoSeries *y, const AoMatrix *xreg)
{
	Score		score = {0};
	AoEnv		env;
	double	   *errors = palloc_extended(sizeof(double) * Max(y->n, 1), MCXT_ALLOC_HUGE);
	double	   *variances = palloc_extended(sizeof(double) * Max(y->n, 1), MCXT_ALLOC_HUGE);
	double		mean = series_mean(y);

	ao_pg_env(&env);
	ao_pg_check(ao_one_step_errors(ex->model, y->values, y->n, xreg->values, xreg->cols, &env,
								   errors, variances), &env);
	for (int64 t = 0; t < y->n; t++)
	{
		double		forecast = isnan(errors[t]) ? NAN :
			ao_one_step_forecast(ex->model, y->values[t], errors[t], variances[t]);

		if (t % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		score_step(&score, y->values[t], forecast, value_before(y, t, 1),
				   value_before(y, t, ex->spec.m), mean);
	}
	return score;
}

/* How much better than the best of the simple forecasts. */
static void
put_skill(StringInfo out, const Explained *ex, const AoSeries *y, const AoMatrix *xreg)
{
	Score		score = score_series(ex, y, xreg);
	const char *name = "the last value";
	double		best = score.last;
	double		skill;

	if (ex->spec.m > 1 && score.season < best)
	{
		best = score.season;
		name = "the value one season before";
	}
	if (ex->spec.d + ex->spec.D == 0 && score.mean < best)
	{
		best = score.mean;
		name = "the mean of the series";
	}
	if (score.n == 0 || !(best > 0) || isinf(best))
	{
		appendStringInfoString(out, "Skill: cannot be told from this series.\n");
		return;
	}
	skill = 1 - sqrt(score.model / best);
	appendStringInfo(out, "Skill: one step ahead on " INT64_FORMAT " values its typical error (RMSE) is %s, that of %s as forecast is %s",
					 score.n, ao_explain_number(sqrt(score.model / (double) score.n)), name,
					 ao_explain_number(sqrt(best / (double) score.n)));
	if (fabs(skill) < NO_SKILL)
		appendStringInfo(out, ": the model explains nothing beyond %s.", name);
	else if (skill < 0)
		appendStringInfo(out, ": the model is %.1f %% worse.", -100 * skill);
	else
		appendStringInfo(out, ": %.1f %% less.", 100 * skill);
	appendStringInfoString(out, " On the data of the fit this flatters the model; a backtest is the test.\n");
}

static bool
near_circle(const AoRoot *root)
{
	return root->modulus >= NEAR_CIRCLE;
}

/* A warning on one root near the circle, or none. */
static void
put_ar_root(StringInfo out, const AoRoot *root, const char *seasonal, const char *unit, bool differenced)
{
	if (!near_circle(root))
		return;
	appendStringInfo(out, "Beware: %s autoregressive root is near the unit circle (%.4f; 1 is on it): ",
					 seasonal, root->modulus);
	if (root->period > 0)
		appendStringInfo(out, "a cycle of %.3g %s that hardly dies out.\n", root->period, unit);
	else if (differenced)
		appendStringInfoString(out, "a trend that hardly dies out; one more difference would say nearly the same.\n");
	else
		appendStringInfoString(out, "shocks last so long that the series is hardly to be told from one that never returns to its mean; one more difference may do better.\n");
}

/* See explain.h. */
bool
ao_explain_like_a_trend(const AoRoot *root, double n)
{
	return root->period == 0 || root->period * TREND_CYCLES > n;
}

static void
put_ma_root(StringInfo out, const AoRoot *root, double n, const char *seasonal, bool differenced, const char *fixed)
{
	if (!near_circle(root))
		return;
	appendStringInfo(out, "Beware: %s moving-average root is on or near the unit circle (%.4f; 1 is on it): ",
					 seasonal, root->modulus);
	if (differenced && ao_explain_like_a_trend(root, n))
		appendStringInfo(out, "it takes back what differencing did, a sign of one difference too many; %s.\n", fixed);
	else
		appendStringInfoString(out, "errors of long ago still count, and the estimate at that edge is not normal: trust its standard error little.\n");
}

/* Everything to be said against the estimate. */
static void
put_warnings(StringInfo out, const Explained *ex)
{
	const AoSpec *spec = &ex->spec;
	int			remarks = ex->model->remarks;
	double		n = (double) ex->model->n;

	put_ar_root(out, &ex->roots[0], "an", "steps", spec->d > 0);
	put_ma_root(out, &ex->roots[1], n, "a", spec->d > 0,
				spec->d > 1 ? "the slope of the series hardly changes" : "the series hardly wanders from a fixed level or line");
	put_ar_root(out, &ex->roots[2], "a seasonal", "seasons", spec->D > 0);
	put_ma_root(out, &ex->roots[3], n / spec->m, "a seasonal", spec->D > 0, "the pattern of the season hardly changes over the years");
	if ((remarks & AO_REMARK_AR_BOUNDARY) && !near_circle(&ex->roots[0]) && !near_circle(&ex->roots[2]))
		appendStringInfoString(out, "Beware: the autoregressive part is near the edge of what is stationary; shocks last long.\n");
	if ((remarks & AO_REMARK_MA_BOUNDARY) && !near_circle(&ex->roots[1]) && !near_circle(&ex->roots[3]))
		appendStringInfoString(out, "Beware: the moving-average part is near the edge of what is invertible; trust its standard errors little.\n");
	if (remarks & AO_REMARK_CANCELLING)
		appendStringInfoString(out, "Beware: an autoregressive and a moving-average root nearly cancel: these terms undo each other, their coefficients mean nothing one by one, and a smaller model says the same.\n");
	if (remarks & AO_REMARK_NOT_CONVERGED)
		appendStringInfoString(out, "Beware: the estimation did not come to its end; the coefficients are provisional.\n");
	if (remarks & AO_REMARK_CONSTANT)
		appendStringInfo(out, "Beware: %s always the same, and this model has no constant for it; %s explains the series exactly.\n",
						 spec->d + spec->D > 0 ? "the change of the series is" : "the value of the series is",
						 spec->d + spec->D > 1 ? "one difference more" :
						 spec->d + spec->D == 1 ? "one with drift" : "one with mean");
	if (remarks & AO_REMARK_NO_COVARIANCE)
		appendStringInfoString(out, "Beware: standard errors of the coefficients could not be had.\n");
}

/* Steps in which a deviation halves by a root; very many on the circle. */
static double
root_half_life(const AoRoot *root)
{
	return root->modulus > 0 ? -M_LN2 / log(Min(root->modulus, 1 - 1e-12)) : 0;
}

/* The same of the slower AR part; 0 without one. */
static double
half_life(const Explained *ex)
{
	return Max(root_half_life(&ex->roots[0]), root_half_life(&ex->roots[2]) * ex->spec.m);
}

/* The model whose forecasts are medians: they go where a transformed model goes, while means
 * move on with the width of the interval. */
static const AoModel *
without_adjustment(const AoModel *model)
{
	AoModel    *copy;

	if (!model->bias_adjust)
		return model;
	copy = palloc(ao_model_size(model));
	memcpy(copy, model, ao_model_size(model));
	copy->bias_adjust = false;
	return copy;
}

/* Gathers what the lines are made from. */
static Explained
examine(const AoModel *model)
{
	Explained	ex = {.model = model};
	AoEnv		env;
	AoStatus	status;
	double		settled;

	ao_model_spec(model, &ex.spec);
	ao_pg_env(&env);
	ao_pg_check(ao_model_roots(model, &env, ex.roots), &env);
	ex.half_life = half_life(&ex);
	settled = 14 * ex.half_life + ex.spec.q + (double) ex.spec.m * (ex.spec.Q + 2) + 12;
	ex.settles = settled <= EXPLAIN_LONGEST;
	ex.h = ex.settles ? Max((int) settled, model->n_calibrated) : EXPLAIN_LONGEST;
	/* with a season in them a transformation leaves no width to be told */
	if (model->n_xreg > 0 || (model->K > 0 && model->has_lambda))
		return ex;
	ex.steps = palloc(sizeof(AoForecast) * ex.h);
	status = ao_forecast(without_adjustment(model), ex.h, 0.95, NULL, 0, &env, ex.steps);
	/* what overflows on its way has no numbers to show */
	if (status == AO_OUT_OF_SCALE)
		ex.steps = NULL;
	else
		ao_pg_check(status, &env);
	return ex;
}

PG_FUNCTION_INFO_V1(arima_ops_explain);

/* arima_explain(model arima_model, y float8[], xreg float8[]): NULL if the model
 * is; without y nothing on its skill */
Datum
arima_ops_explain(PG_FUNCTION_ARGS)
{
	Explained	ex;
	StringInfoData out;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ex = examine(PG_GETARG_AO_MODEL(0));
	initStringInfo(&out);
	put_model(&out, &ex);
	put_mechanism(&out, &ex);
	ao_explain_future(&out, &ex);
	if (ex.model->remarks & AO_REMARK_DEGENERATE)
		appendStringInfoString(&out, "Skill: the series leaves nothing to chance, so there is nothing to compare.\n");
	else if (PG_ARGISNULL(1))
		appendStringInfo(&out, "Skill: not told without the series; its typical error one step ahead is %s%s.\n",
						 ao_explain_number(sqrt(ex.model->sigma2)), ex.model->has_lambda ? " on the transformed scale" : "");
	else
	{
		AoSeries	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
		AoMatrix	xreg = ao_pg_xreg(fcinfo, 2, y.n);

		put_skill(&out, &ex, &y, &xreg);
		ao_explain_unusual(&out, &ex, &y, &xreg);
	}
	put_warnings(&out, &ex);
	while (out.len > 0 && out.data[out.len - 1] == '\n')
		out.len--;
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

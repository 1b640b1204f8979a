/*
 * backtest.c
 *		Walk-forward validation: which origins there are, what the model of each
 *		is, and its forecasts.
 *
 * Estimates after the first are started at the coefficients before.  Where the
 * values used only grow and none is missing, track.c follows the optimum at a
 * fraction of the cost of a fit.
 */
#include "backtest.h"

#include <math.h>
#include <string.h>

#include "internal.h"
#include "model_internal.h"
#include "track.h"

/* Of the values of an estimate, one in so many must be new for another search. */
#define SEARCH_SHARE 4
#define LARGEST 1e150			/* value that design.c takes */

typedef struct Walk
{
	const double *y;
	int64_t		n;
	const double *xreg;
	int			k;
	const AoBacktest *how;
	AoEnv	   *env;
	AoBacktestSink sink;
	void	   *sink_arg;
	AoSpec		spec;			/* given; after the first estimate the model's */
	AoFitOptions fit;			/* likewise */
	AoModel    *model;			/* after value `at`, or NULL */
	int64_t		from,			/* first value that its state has seen, where its time begins */
				at,
				done,			/* origins dealt with */
				searched,		/* origin of the last search */
				complete;		/* values before the first that track.c has no use for */
	AoForecast *steps;			/* [horizon] */
	AoTrack		track;			/* open if its model is there */
	bool		no_track;		/* has been found not to serve */
} Walk;

/* Refits that share one pass: their origins and coefficients. */
typedef struct Batch
{
	int			count;
	int64_t		origin[AO_MAX_POINTS];
	double		coef[AO_MAX_POINTS * AO_TRACK_MAX_K];
} Batch;

/* First value that an estimate at an origin uses. */
static int64_t
window_start(const Walk *w, int64_t origin)
{
	int64_t		window = w->how->window;

	return window > 0 && window < origin ? origin - window : 0;
}

/* Row t of the regressors. */
static const double *
xreg_row(const Walk *w, int64_t t)
{
	return w->xreg ? w->xreg + t * w->k : NULL;
}

/* Puts a model in the place of the one before. */
static void
replace_model(Walk *w, AoModel *model, int64_t at)
{
	if (w->model)
		w->env->free(w->env->arg, w->model);
	w->model = model;
	w->at = at;
}

/* Arguments that need no look at the data. */
static AoStatus
check_arguments(const Walk *w)
{
	const AoBacktest *how = w->how;
	const char *what = NULL;

	if (how->initial < 1 || how->initial >= w->n)
		what = "initial leaves nothing to start from or to forecast\nIt must be at least 1 and less than the length of the series.";
	else if (how->horizon < 1 || how->horizon > AO_MAX_HORIZON)
		what = "horizon out of range\nIt must be from 1 to 100000.";
	else if (how->step < 1)
		what = "step out of range\nIt must be at least 1.";
	else if (how->refit_every < 0)
		what = "refit_every out of range\nIt must be 0, for a single estimate, or more.";
	else if (how->window < 0)
		what = "window out of range\nIt must have at least one value.";
	else if (!(how->level > 0 && how->level < 1))
		what = "level out of range\nIt must be between 0 and 1.";
	if (what)
		return ao_fail(w->env, AO_BAD_ARGUMENT, what, 0, 0);
	if (w->n > AO_MAX_N)
		return ao_fail(w->env, AO_SERIES_TOO_LONG, NULL, AO_MAX_N, w->n);
	if (how->model && how->model->n_xreg != w->k)
		return ao_fail(w->env, AO_BAD_XREG, "%h given, the model has %n",
					   how->model->n_xreg, w->k);
	return AO_OK;
}

/* Can value t be taken without a look at what it is?  Gaps, and all that a fit refuses, cannot. */
static bool
plain_value(const Walk *w, int64_t t)
{
	double		y = w->y[t];

	if (w->fit.has_lambda)
		y = w->fit.lambda > 0 || y > 0 ? ao_box_cox(y, w->fit.lambda) : NAN;
	if (!(fabs(y) <= LARGEST) || !(fabs(w->y[t]) <= LARGEST))
		return false;
	for (int j = 0; j < w->k; j++)
		if (!(fabs(w->xreg[t * w->k + j]) <= LARGEST))
			return false;
	return true;
}

/* Values before the first one, after what is missing at the front, that is not plain. */
static int64_t
count_complete(const Walk *w)
{
	int64_t		t = 0;

	while (t < w->n && isnan(w->y[t]))
		t++;
	while (t < w->n && plain_value(w, t))
		t++;
	return t;
}

/* Forecasts of an origin by a model whose last value it is. */
static AoStatus
emit(Walk *w, const AoModel *model, int64_t origin)
{
	int			h = w->how->horizon;

	if (h > w->n - origin)
		h = (int) (w->n - origin);
	AO_TRY(ao_forecast(model, h, w->how->level, xreg_row(w, origin), w->k, w->env, w->steps));
	for (int j = 0; j < h; j++)
		w->sink(w->sink_arg, origin, j + 1, w->y[origin + j], &w->steps[j]);
	return AO_OK;
}

/* Is it the data that do not admit the model? */
static bool
data_fault(AoStatus status)
{
	return status == AO_TOO_FEW_VALUES || status == AO_SERIES_TOO_SHORT || status == AO_COLLINEAR ||
		status == AO_OUT_OF_SCALE || status == AO_BAD_ARGUMENT;
}

/* The parameters of a model at an origin: a copy with the state of a filter that has
 * run from the start of that model's values to there. */
static AoStatus
apply_parameters(const Walk *w, const AoModel *model, int64_t origin, AoModel **out)
{
	const double *y = w->y + w->from;
	int64_t		n = origin - w->from;
	AoEnv	   *env = w->env;
	AoModel    *head;
	AoSpec		spec;
	int64_t		lead = 0;
	AoStatus	status;

	ao_model_spec(model, &spec);
	while (lead < n && isnan(y[lead]))
		lead++;
	AO_TRY(ao_model_alloc(&spec, model->n_xreg, model->n_calibrated, true, env, &head));
	memcpy(head, model, offsetof(AoModel, data));
	memcpy(head->data, model->data, ao_model_estimate_len(model) * sizeof(double));
	head->has_state_cov = true;
	status = ao_model_filter(head, &spec, y, n, lead, xreg_row(w, w->from), env);
	if (status == AO_OK)
		*out = head;
	else
		env->free(env->arg, head);
	return status;
}

/* Estimate at an origin from the coefficients of the model: the optimum next to them, or the
 * best that a search finds besides. */
static AoStatus
estimate_from_model(Walk *w, int64_t origin, AoEffort effort, AoModel **out)
{
	int64_t		from = window_start(w, origin);
	AoFitTask	task = {.y = w->y + from, .n = origin - from, .xreg = xreg_row(w, from), .k = w->k,
	.options = &w->fit, .given_coef = ao_model_coef(w->model), .effort = effort};
	AoSpec		spec;

	ao_model_spec(w->model, &spec);
	return ao_fit_again(&task, &spec, w->env, out);
}

/* Estimate at an origin without any model before it. */
static AoStatus
estimate_anew(Walk *w, int64_t origin, AoModel **out)
{
	int64_t		from = window_start(w, origin);

	return ao_fit(w->y + from, origin - from, xreg_row(w, from), w->k, &w->spec, &w->fit, w->env,
				  out);
}

/* A model found decides what later ones are; but a choice made from values that do not
 * vary decides nothing. */
static void
adopt(Walk *w, const AoModel *model)
{
	const struct AoAutoOptions *choice = w->fit.choice;

	w->fit = ao_options_of(model);
	w->fit.choice = choice;
	w->fit.no_std_errors = true;
	if (!w->how->reselect && !(model->remarks & AO_REMARK_DEGENERATE))
		ao_model_spec(model, &w->spec);
}

/* The model of the first origin. */
static AoStatus
first_model(Walk *w, int64_t origin)
{
	AoModel    *model;

	if (w->how->model)
		AO_TRY(apply_parameters(w, w->how->model, origin, &model));
	else
	{
		AO_TRY(estimate_anew(w, origin, &model));
		w->from = window_start(w, origin);
	}
	replace_model(w, model, origin);
	w->searched = origin;
	adopt(w, model);
	w->complete = count_complete(w);
	return AO_OK;
}

/* Is there so much new that the optimum may be elsewhere? */
static bool
search_due(const Walk *w, int64_t origin)
{
	return (origin - w->searched) * SEARCH_SHARE >= origin - window_start(w, origin);
}

/*
 * Another estimate.  Values that do not admit the model - a window with nothing
 * but gaps, say - leave the parameters as they are.
 */
static AoStatus
next_model(Walk *w, int64_t origin)
{
	bool		search = search_due(w, origin);
	AoModel    *model;
	AoStatus	status;

	/* a model of constant values has no coefficients to start from */
	if ((search && w->spec.is_auto) || (w->model->remarks & AO_REMARK_DEGENERATE))
		status = estimate_anew(w, origin, &model);
	else
		status = estimate_from_model(w, origin, search ? AO_THOROUGH : AO_WARM, &model);
	if (search)
		w->searched = origin;
	if (status == AO_OK)
	{
		adopt(w, model);
		w->from = window_start(w, origin);
	}
	if (data_fault(status))
		status = apply_parameters(w, w->model, origin, &model);
	AO_TRY(status);
	replace_model(w, model, origin);
	if (w->track.model && (search || !ao_track_serves(model)))
		ao_track_close(&w->track);
	else if (w->track.model)
		ao_track_place(&w->track, ao_model_coef(model));
	return AO_OK;
}

/* The model rolled forward to an origin. */
static AoStatus
roll_model(Walk *w, int64_t origin)
{
	AoModel    *model;

	AO_TRY(ao_append(w->model, w->y + w->at, origin - w->at, xreg_row(w, w->at), w->k, w->env,
					 &model));
	replace_model(w, model, origin);
	return AO_OK;
}

/* Is this origin one for another estimate? */
static bool
refit_due(const Walk *w)
{
	return w->how->refit_every > 0 && w->done % w->how->refit_every == 0;
}

/* One origin on its own. */
static AoStatus
one_origin(Walk *w, int64_t origin)
{
	if (w->done == 0)
		AO_TRY(first_model(w, origin));
	else if (refit_due(w))
		AO_TRY(next_model(w, origin));
	else
		AO_TRY(roll_model(w, origin));
	w->done++;
	return emit(w, w->model, origin);
}

/* Last origin that goes with the estimate of an origin. */
static int64_t
last_of(const Walk *w, int64_t origin)
{
	int64_t		step = w->how->step,
				left = (w->n - 1 - origin) / step,
				more = w->how->refit_every - 1;

	return origin + (left < more ? left : more) * step;
}

/* Estimates from an origin on that the track leads to. */
static AoStatus
fill_batch(Walk *w, int64_t origin, Batch *batch)
{
	int			k = w->track.shape.k;
	bool		found = true;

	batch->count = 0;
	while (origin < w->n && last_of(w, origin) <= w->complete && !search_due(w, origin) &&
		   batch->count < AO_MAX_POINTS)
	{
		AO_TRY(ao_track_optimum(&w->track, origin, batch->coef + batch->count * k, &found));
		if (!found)
			break;
		batch->origin[batch->count++] = origin;
		origin = last_of(w, origin) + w->how->step;
	}
	return AO_OK;
}

/* The origins of an estimate of the batch, of which the track's filter i is. */
static AoStatus
batch_origins(Walk *w, int64_t origin, int i, const double *coef)
{
	int64_t		last = last_of(w, origin);

	for (int64_t at = origin; at <= last; at += w->how->step)
	{
		AO_TRY(ao_poll(w->env));
		AO_TRY(ao_track_advance(&w->track, at));
		if (at == origin)
			AO_TRY(ao_track_solve(&w->track, i, coef));
		ao_track_state(&w->track, i);
		AO_TRY(emit(w, w->track.model, at));
		w->done++;
	}
	/* what later estimates start from */
	w->model->sigma2 = w->track.model->sigma2;
	w->model->df = w->track.model->df;
	w->model->estimated_to = w->track.model->estimated_to;
	memcpy(ao_model_coef(w->model), ao_model_coef(w->track.model),
		   (size_t) w->model->n_coef * sizeof(double));
	return AO_OK;
}

/* The same without the track. */
static AoStatus
slow_origins(Walk *w, int64_t origin)
{
	int64_t		last = last_of(w, origin);

	for (int64_t at = origin; at <= last; at += w->how->step)
		AO_TRY(one_origin(w, at));
	return AO_OK;
}

/* All origins of a batch. */
static AoStatus
run_batch(Walk *w, const Batch *batch)
{
	int			k = w->track.shape.k;

	for (int done = 0; done < batch->count;)
	{
		int			served;

		AO_TRY(ao_track_filters(&w->track, batch->coef + done * k, batch->count - done,
								batch->origin[done], &served));
		if (served == 0)
			AO_TRY(slow_origins(w, batch->origin[done++]));
		for (int i = 0; i < served; i++, done++)
			AO_TRY(batch_origins(w, batch->origin[done], i, batch->coef + done * k));
	}
	return AO_OK;
}

/* Has the track been opened, or can it be, for an estimate at this origin? */
static AoStatus
open_track(Walk *w, int64_t origin, bool *open)
{
	AoStatus	status;

	*open = w->track.model != NULL;
	if (*open || w->no_track || origin > w->complete || w->how->window > 0 ||
		!ao_track_serves(w->model))
		return AO_OK;
	status = ao_track_open(&w->track, w->model, w->y, origin, w->complete, w->xreg,
						   w->how->horizon > 1, w->env);
	w->no_track = status != AO_OK;
	*open = status == AO_OK;
	return ao_ends_all(status) ? status : AO_OK;
}

/* As many origins as can be dealt with at once: *origin becomes the next. */
static AoStatus
next_origins(Walk *w, int64_t *origin)
{
	Batch		batch = {.count = 0};
	bool		open = false;

	if (w->done > 0 && refit_due(w) && !search_due(w, *origin))
		AO_TRY(open_track(w, *origin, &open));
	if (open)
		AO_TRY(fill_batch(w, *origin, &batch));
	if (batch.count > 0)
	{
		*origin = last_of(w, batch.origin[batch.count - 1]) + w->how->step;
		return run_batch(w, &batch);
	}
	AO_TRY(one_origin(w, *origin));
	*origin += w->how->step;
	return AO_OK;
}

/* All origins. */
static AoStatus
walk(Walk *w)
{
	int64_t		origin = w->how->initial;

	while (origin < w->n)
	{
		AO_TRY(ao_poll(w->env));
		AO_TRY(next_origins(w, &origin));
	}
	return AO_OK;
}

/* See backtest.h. */
AoStatus
ao_backtest(const double *y, int64_t n, const double *xreg, int k, const AoSpec *spec,
			const AoBacktest *how, AoEnv *env, AoBacktestSink sink, void *sink_arg)
{
	Walk		w = {.y = y, .n = n, .xreg = xreg, .k = k, .how = how, .env = env,
	.sink = sink, .sink_arg = sink_arg};
	AoStatus	status;
	int64_t		h;

	memset(&env->err, 0, sizeof env->err);
	AO_TRY(check_arguments(&w));
	h = how->horizon < n - how->initial ? how->horizon : n - how->initial;
	if (how->model)
		ao_model_spec(how->model, &w.spec);
	else
		w.spec = *spec;
	w.fit = *how->fit;
	w.fit.no_std_errors = true;
	w.steps = env->alloc(env->arg, (size_t) h * sizeof(AoForecast));
	if (w.steps == NULL)
		return ao_fail(env, AO_NO_MEMORY, NULL, h * (int64_t) sizeof(AoForecast), 0);
	status = walk(&w);
	ao_track_close(&w.track);
	env->free(env->arg, w.steps);
	if (w.model)
		env->free(env->arg, w.model);
	return status;
}

/*
 * forecast.c
 *		Forecasts with their variances, one-step prediction from recent values,
 *		residuals, and the state of a model after values other than its own.
 *
 * Forecast variances use the innovations variance and the uncertainty of the
 * filter's state, not that of the coefficients (as R's predict does).
 */
#include "diagnostics.h"
#include "impulse.h"

#include <math.h>
#include <string.h>

#include "model_internal.h"

/* See internal.h. */
const double *
ao_model_beta(const AoModel *model)
{
	return ao_model_coef(model) + model->p + model->q + model->P + model->Q;
}

/* Value y at a time on the scale of the filter: transformed, regression out. */
AoStatus
ao_model_adjust(const AoModel *model, const AoSpec *spec, double y, int64_t time,
				const double *xreg_row, AoEnv *env, double *out)
{
	bool		missing = isnan(y);

	if (isinf(y))
		return ao_fail(env, AO_NOT_FINITE, "infinite value in the series", 0, 0);
	for (int j = 0; j < model->n_xreg; j++)
	{
		if (isinf(xreg_row[j]))
			return ao_fail(env, AO_BAD_XREG, "infinite value\n"
						   "Use NULL where a value is missing.", 0, 0);
		missing = missing || isnan(xreg_row[j]);
	}
	if (model->has_lambda && !isnan(y))
	{
		if (model->lambda <= 0 && !(y > 0))
			return ao_fail(env, AO_BAD_ARGUMENT,
						   "Box-Cox with lambda <= 0 needs positive values\n"
						   "This lambda is the model's: use NULL for a value that is missing, or fit "
						   "a model with a lambda above 0.", 0, 0);
		y = ao_box_cox(y, model->lambda);
	}
	*out = y - ao_regression(spec, ao_model_beta(model), time, xreg_row, model->n_xreg);
	/* NaN is for missing values alone: what is not must not become one */
	if (!missing && !(fabs(*out) <= 1e150))
		return ao_fail(env, AO_OUT_OF_SCALE, "value too large", 0, 0);
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_check_xreg(const AoModel *model, const double *xreg, int64_t rows, int k, AoEnv *env)
{
	if (k != model->n_xreg)
		return ao_fail(env, AO_BAD_XREG, "%h given, the model has %n", model->n_xreg, k);
	for (int64_t i = 0; i < rows * k; i++)
		if (!isfinite(xreg[i]))
			return ao_fail(env, AO_BAD_XREG, "a value is missing or infinite\n"
						   "A forecast needs the value of every regressor at each of its steps.", 0, 0);
	return AO_OK;
}

/* Where a forecast goes, and at which levels. */
typedef struct Request
{
	const AoModel *model;
	int			h,
				n_levels;
	AoInterval	intervals[AO_MAX_LEVELS];
	AoForecast *out;			/* [n_levels][h] */
} Request;

/* Are they what can be given? */
static bool
is_forecast(const AoModel *model, const AoForecast *forecast)
{
	return ao_is_within_reach(model, forecast->upper) && isfinite(forecast->mean) &&
		isfinite(forecast->std_error) && isfinite(forecast->lower);
}

/* Step j, from 0, at every level, from mean and variance factor on the filter's scale. */
static AoStatus
put_step(const Request *to, int j, AoAhead ahead, double mean, double var, AoEnv *env)
{
	const AoModel *model = to->model;
	double		se = sqrt(fmax(var, 0) * model->sigma2);

	for (int i = 0; i < to->n_levels; i++)
	{
		AoForecast *out = &to->out[(int64_t) i * to->h + j];

		out->mean = ao_point_forecast(model, mean, se);
		out->std_error = model->has_lambda ? se * ao_box_cox_slope(mean, model->lambda) : se;
		ao_interval_bounds(&to->intervals[i], ahead, mean, se, &out->lower, &out->upper);
		if (!is_forecast(model, out))
			return ao_fail(env, AO_OUT_OF_SCALE, "the forecast overflows\n"
						   "Ask for fewer steps or a lower level, or fit a model with fewer differences or without lambda.", 0, 0);
	}
	return AO_OK;
}

/*
 * Forecasts from the state.  time: of the last value, gap: how many at the end are missing,
 * which are steps, too, since the last that is known.  The variance of a step
 * is the sum of the squared impulse responses before it, or 1 plus what the state's
 * own covariance contributes, which has the gap in it; st is used up, and
 * ao_impulses_bytes of the arena.
 */
static AoStatus
run_forecast(const Request *to, AoState *st, int64_t time, int64_t gap, const double *xreg, AoArena *arena, AoEnv *env)
{
	const AoModel *model = to->model;
	AoPace		pace = {env, 0};
	AoSpec		spec;
	AoImpulses	impulses;

	ao_model_spec(model, &spec);
	ao_impulses_init(&impulses, model, &spec, gap + to->h, st, arena);
	AO_TRY(ao_impulses_skip(&impulses, gap, env));
	for (int j = 0; j < to->h; j++)
	{
		double		mean = ao_state_observe(st, st->a),
					regression = ao_regression(&spec, ao_model_beta(model), time + 1 + j,
											   xreg ? xreg + (int64_t) j * model->n_xreg : NULL,
											   model->n_xreg),
					var = st->P ? 1 + ao_state_variance(st) : impulses.own.squares;
		AoAhead		ahead = ao_impulses_ahead(&impulses, var);

		ahead.later = time + 1 + j - model->estimated_to;
		AO_TRY(put_step(to, j, ahead, mean + regression, var, env));
		ao_state_transition(st, st->a, mean);
		if (st->P)
			AO_TRY(ao_state_cov_step(st, &pace));
		ao_impulses_next(&impulses);
		if (j % 64 == 0 || st->P)
			AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

/* Horizon and levels, which the request takes. */
static AoStatus
take_request(Request *to, const AoModel *model, int h, const double *levels, int n_levels,
			 AoForecast *out, AoEnv *env)
{
	if (h < 1 || h > AO_MAX_HORIZON)
		return ao_fail(env, AO_BAD_ARGUMENT, "a horizon of %h steps\n"
					   "It must be from 1 to %n.", AO_MAX_HORIZON, h);
	if (n_levels < 1 || n_levels > AO_MAX_LEVELS)
		return ao_fail(env, AO_BAD_ARGUMENT, "%h levels\n"
					   "There must be from 1 to %n.", AO_MAX_LEVELS, n_levels);
	to->model = model;
	to->h = h;
	to->n_levels = n_levels;
	to->out = out;
	for (int i = 0; i < n_levels; i++)
	{
		if (!(levels[i] > 0 && levels[i] < 1))
			return ao_fail(env, AO_BAD_ARGUMENT, "the level must be between 0 and 1\n"
						   "Give it as a fraction, for example 0.95.", 0, 0);
		ao_interval_init(&to->intervals[i], model, levels[i]);
	}
	return AO_OK;
}

/* See ao.h. */
AoStatus
ao_forecast_levels(const AoModel *model, int h, const double *levels, int n_levels,
				   const double *xreg, int k, AoEnv *env, AoForecast *out)
{
	AoSpec		spec;
	AoArena		arena;
	AoState		st;
	AoStatus	status;
	Request		to;

	memset(&env->err, 0, sizeof env->err);
	AO_TRY(take_request(&to, model, h, levels, n_levels, out, env));
	AO_TRY(ao_check_xreg(model, xreg, h, k, env));
	ao_model_spec(model, &spec);
	AO_TRY(ao_arena_open(&arena, ao_state_bytes(&spec, model->has_state_cov) + ao_impulses_bytes(model, &spec, model->n_gap + h), env));
	ao_state_init(&st, &spec, ao_model_coef(model), model->has_state_cov, &arena);
	ao_state_load(&st, model);
	status = run_forecast(&to, &st, model->n, model->n_gap, xreg, &arena, env);
	ao_arena_close(&arena, env);
	return status;
}

/* See ao.h. */
AoStatus
ao_forecast(const AoModel *model, int h, double level, const double *xreg, int k, AoEnv *env,
			AoForecast *out)
{
	return ao_forecast_levels(model, h, &level, 1, xreg, k, env, out);
}

/* n values, the first at a time, adjusted into z; xreg: their rows, or NULL. */
static AoStatus
adjust_all(const AoModel *model, const AoSpec *spec, const double *y, int64_t n, int64_t time,
		   const double *xreg, AoEnv *env, double *z)
{
	AoPace		pace = {env, 0};

	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_model_adjust(model, spec, y[t], time + t,
							   xreg ? xreg + t * model->n_xreg : NULL, env, &z[t]));
		AO_TRY(ao_pace(&pace, 8));
	}
	return AO_OK;
}

/*
 * Recent values adjusted into z (leading missing ones dropped), the filter run
 * over them.  end: time of the last one.  more: bytes of the arena that the caller
 * takes afterwards.
 */
static AoStatus
filter_recent(const AoModel *model, const AoSpec *spec, const double *recent, int64_t n, int64_t end,
			  bool want_cov, size_t more, AoArena *arena, AoEnv *env, AoState *st)
{
	int64_t		lead,
				have,
				need = spec->d + (int64_t) spec->m * spec->D + 1;
	double	   *z;
	bool		missing;

	AO_TRY(ao_count_known(recent, n, env, &have, &lead));
	if (have < need)
		return ao_fail(env, AO_TOO_FEW_VALUES, NULL, need, have);
	missing = have < n - lead;
	AO_TRY(ao_arena_open(arena, ao_arena_round((size_t) n, sizeof(double)) +
						 ao_state_bytes(spec, want_cov) + ao_state_run_bytes(spec, missing) + more, env));
	ao_state_init(st, spec, ao_model_coef(model), want_cov, arena);
	z = ao_arena_take(arena, (size_t) n, sizeof(double));
	AO_TRY(adjust_all(model, spec, recent + lead, n - lead, end - n + lead + 1, NULL, env, z));
	return ao_state_run(st, z, n - lead, missing, want_cov, NULL, arena, env);
}

/* What both ways of using recent values begin with.  *end: where it is not known and does not
 * matter, the end of the training data. */
static AoStatus
check_recent(const AoModel *model, int64_t n, int64_t *end, AoEnv *env)
{
	memset(&env->err, 0, sizeof env->err);
	if (model->n_xreg > 0)
		return ao_fail(env, AO_BAD_XREG,
					   "a model with regressors cannot forecast from recent values alone\n"
					   "Roll it forward with arima_append and forecast with arima_forecast, giving xreg to both.",
					   0, model->n_xreg);
	if (*end == AO_NO_TIME && ao_depends_on_time(model))
		return ao_fail(env, AO_BAD_ARGUMENT,
					   "a model with a trend in levels or Fourier terms does not know the time of recent values\n"
					   "Roll it forward with arima_append and forecast with arima_forecast.", 0, 0);
	if (*end == AO_NO_TIME)
		*end = model->n;
	if (n > AO_MAX_N)
		return ao_fail(env, AO_SERIES_TOO_LONG, NULL, AO_MAX_N, n);
	return AO_OK;
}

/* See ao.h. */
AoStatus
ao_forecast_recent_levels(const AoModel *model, const double *recent, int64_t n, int64_t end, int h,
						  const double *levels, int n_levels, AoEnv *env, AoForecast *out)
{
	AoSpec		spec;
	AoArena		arena = {.block = NULL};
	AoState		st;
	AoStatus	status;
	Request		to;
	int64_t		gap = ao_count_gap(recent, n);

	AO_TRY(check_recent(model, n, &end, env));
	AO_TRY(take_request(&to, model, h, levels, n_levels, out, env));
	ao_model_spec(model, &spec);
	status = filter_recent(model, &spec, recent, n, end, true, ao_impulses_bytes(model, &spec, gap + h), &arena, env, &st);
	if (status == AO_OK)
		status = run_forecast(&to, &st, end, gap, NULL, &arena, env);
	if (arena.block)
		ao_arena_close(&arena, env);
	return status;
}

/* See ao.h. */
AoStatus
ao_forecast_recent(const AoModel *model, const double *recent, int64_t n, int64_t end, int h,
				   double level, AoEnv *env, AoForecast *out)
{
	return ao_forecast_recent_levels(model, recent, n, end, h, &level, 1, env, out);
}

/* The value after a time by the state; its variance counts only where the mean depends on it. */
static AoStatus
predict_next(const AoModel *model, const AoSpec *spec, AoState *st, int64_t time, AoEnv *env, double *out)
{
	double		centre = ao_state_observe(st, st->a) +
		ao_regression(spec, ao_model_beta(model), time + 1, NULL, 0);
	double		var = st->P ? 1 + ao_state_variance(st) : 1;

	*out = ao_point_forecast(model, centre, sqrt(fmax(var, 0) * model->sigma2));
	if (!isfinite(*out))
		return ao_fail(env, AO_OUT_OF_SCALE, "the forecast overflows\n"
					   "Check the recent values, or fit a model with fewer differences or without "
					   "lambda.", 0, 0);
	return AO_OK;
}

/* See ao.h. */
AoStatus
ao_predict(const AoModel *model, const double *recent, int64_t n, int64_t end, AoEnv *env, double *out)
{
	AoSpec		spec;
	AoArena		arena = {.block = NULL};
	AoState		st;
	AoStatus	status;

	AO_TRY(check_recent(model, n, &end, env));
	ao_model_spec(model, &spec);
	status = filter_recent(model, &spec, recent, n, end, model->bias_adjust, 0, &arena, env, &st);
	if (status == AO_OK)
		status = predict_next(model, &spec, &st, end, env, out);
	if (arena.block)
		ao_arena_close(&arena, env);
	return status;
}

/* Is anything from row `lead` on missing? */
static AoStatus
any_gap(const double *y, int64_t n, int64_t lead, const double *xreg, int k, AoEnv *env, bool *gap)
{
	AO_TRY(ao_any_nan(y + lead, n - lead, env, gap));
	return *gap || k == 0 ? AO_OK : ao_any_nan(xreg + lead * k, (n - lead) * k, env, gap);
}

/* Residuals after `lead` missing values at the front; the workspace was sized
 * for `missing`, so that says which filter runs. */
static AoStatus
run_residuals(const AoModel *model, const AoSpec *spec, const double *y, int64_t n,
			  int64_t lead, const double *xreg, bool missing, AoArena *arena,
			  AoEnv *env, double *out, double *variances)
{
	AoState		st;
	double	   *z = ao_arena_take(arena, (size_t) n, sizeof(double));

	AO_TRY(adjust_all(model, spec, y + lead, n - lead, lead + 1,
					  xreg ? xreg + lead * model->n_xreg : NULL, env, z));
	ao_state_init(&st, spec, ao_model_coef(model), false, arena);
	st.variances = variances ? variances + lead : NULL;
	for (int64_t t = 0; t < lead; t++)
		out[t] = NAN;
	return ao_state_run(&st, z, n - lead, missing, false, out + lead, arena, env);
}

/* See diagnostics.h. */
AoStatus
ao_one_step_errors(const AoModel *model, const double *y, int64_t n, const double *xreg, int k,
				   AoEnv *env, double *out, double *variances)
{
	AoSpec		spec;
	AoArena		arena;
	AoStatus	status;
	int64_t		known,
				lead;
	bool		missing;

	memset(&env->err, 0, sizeof env->err);
	AO_TRY(k == model->n_xreg ? AO_OK : ao_check_xreg(model, xreg, 0, k, env));
	if (n > AO_MAX_N)
		return ao_fail(env, AO_SERIES_TOO_LONG, NULL, AO_MAX_N, n);
	ao_model_spec(model, &spec);
	AO_TRY(ao_count_known(y, n, env, &known, &lead));
	if (n - lead < spec.d + spec.m * spec.D + 1)
		return ao_fail(env, AO_TOO_FEW_VALUES, NULL, spec.d + spec.m * spec.D + 1, n - lead);
	AO_TRY(any_gap(y, n, lead, xreg, k, env, &missing));
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) n, sizeof(double)) +
						 ao_state_bytes(&spec, false) + ao_state_run_bytes(&spec, missing), env));
	status = run_residuals(model, &spec, y, n, lead, xreg, missing, &arena, env, out, variances);
	ao_arena_close(&arena, env);
	return status;
}

/* The filter's state after y[n], of which `lead` are missing at the front, into a model that
 * has room for its covariance; n and the counts that go with it. */
AoStatus
ao_model_filter(AoModel *model, const AoSpec *spec, const double *y, int64_t n, int64_t lead,
				const double *xreg, AoEnv *env)
{
	int			k = model->n_xreg;
	AoArena		arena;
	AoState		st;
	AoStatus	status;
	double	   *z;
	int64_t		known,
				first;
	bool		missing;

	if (n - lead < spec->d + spec->m * spec->D + 1)
		return ao_fail(env, AO_TOO_FEW_VALUES, NULL, spec->d + spec->m * spec->D + 1, n - lead);
	AO_TRY(any_gap(y, n, lead, xreg, k, env, &missing));
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) n, sizeof(double)) +
						 ao_state_bytes(spec, true) + ao_state_run_bytes(spec, missing), env));
	ao_state_init(&st, spec, ao_model_coef(model), true, &arena);
	z = ao_arena_take(&arena, (size_t) n, sizeof(double));
	status = adjust_all(model, spec, y + lead, n - lead, lead + 1,
						xreg ? xreg + lead * k : NULL, env, z);
	if (status == AO_OK)
		status = ao_count_known(z, n - lead, env, &known, &first);
	model->n = n;
	model->n_missing = status == AO_OK ? n - known : lead;
	model->n_gap = status == AO_OK ? ao_count_gap(z, n - lead) : 0;
	model->n_used = ao_model_terms_used(spec, n, model->n_missing);
	if (status == AO_OK)
		status = ao_state_run(&st, z, n - lead, missing, true, NULL, &arena, env);
	if (status == AO_OK)
	{
		model->has_state_cov = st.P != NULL;
		ao_model_set_state(model, &st);
		ao_model_canonicalise(model);
	}
	ao_arena_close(&arena, env);
	return status;
}

/* See ao.h. */
AoStatus
ao_residuals(const AoModel *model, const double *y, int64_t n, const double *xreg, int k,
			 AoEnv *env, double *out)
{
	return ao_one_step_errors(model, y, n, xreg, k, env, out, NULL);
}

/*
 * exercise_model.h
 *		Puts a model that ao_model_check accepted through every function that
 *		takes one, and says what is wrong with the answers.
 */
#ifndef EXERCISE_MODEL_H
#define EXERCISE_MODEL_H

#include "unit.h"
#include "diagnostics.h"
#include "model_internal.h"
#include "sample_model.h"

#define EXERCISE_STEPS 40
#define EXERCISE_VALUES 60

/* May a function give this on a valid model with valid arguments?  (Too few
 * values, out of scale and the like depend on the values; AO_BAD_MODEL is the
 * way out where a forecast would not be a number.) */
static inline bool
exercise_expected(AoStatus status)
{
	return status == AO_OK || status == AO_CANCELLED || status == AO_OVER_MEMORY_LIMIT ||
		status == AO_TOO_FEW_VALUES || status == AO_OUT_OF_SCALE || status == AO_BAD_MODEL ||
		status == AO_SERIES_TOO_LONG || status == AO_NOT_FINITE;
}

static inline const char *
exercise_forecasts(const AoModel *model, const AoForecast *forecast, int h)
{
	/* of a negative lambda the upper bound may be infinite */
	bool		unbounded = model->has_lambda && model->lambda < 0.0;

	for (int i = 0; i < h; i++)
	{
		const AoForecast *f = &forecast[i];

		if (!isfinite(f->mean) || !isfinite(f->std_error) ||
			!isfinite(f->lower) || !(isfinite(f->upper) || (unbounded && f->upper > 0.0)))
			return "a forecast is not finite";
		if (f->std_error < 0.0)
			return "a standard error is negative";
		if (f->lower > f->upper)
			return "an interval is the wrong way round";
	}
	return NULL;
}

/* Forecasts from the end of the data, and from the given recent values. */
static inline const char *
exercise_forecast(const AoModel *model, const double *y, const double *xreg, AoEnv *env)
{
	AoForecast	forecast[EXERCISE_STEPS];
	AoStatus	status;
	const char *wrong;
	double		mean;

	status = ao_forecast(model, EXERCISE_STEPS, 0.95, xreg, model->n_xreg, env, forecast);
	if (!exercise_expected(status))
		return "ao_forecast: unexpected status";
	wrong = status == AO_OK ? exercise_forecasts(model, forecast, EXERCISE_STEPS) : NULL;
	if (wrong != NULL || model->n_xreg > 0)
		return wrong;

	status = ao_forecast_recent(model, y, EXERCISE_VALUES, model->n, EXERCISE_STEPS, 0.8, env, forecast);
	if (!exercise_expected(status))
		return "ao_forecast_recent: unexpected status";
	wrong = status == AO_OK ? exercise_forecasts(model, forecast, EXERCISE_STEPS) : NULL;
	if (wrong != NULL)
		return wrong;

	status = ao_predict(model, y, EXERCISE_VALUES, model->n, env, &mean);
	if (!exercise_expected(status))
		return "ao_predict: unexpected status";
	return status == AO_OK && !isfinite(mean) ? "a prediction is not finite" : NULL;
}

/* Appending gives a model again; residuals are numbers or missing. */
static inline const char *
exercise_append(const AoModel *model, const double *y, const double *xreg, AoEnv *env)
{
	double		residuals[EXERCISE_VALUES];
	AoModel    *longer = NULL;
	AoStatus	status;

	status = ao_append(model, y, EXERCISE_VALUES, xreg, model->n_xreg, env, &longer);
	if (!exercise_expected(status))
		return "ao_append: unexpected status";
	if (status == AO_OK)
	{
		bool		valid = ao_model_check(longer, ao_model_size(longer), env) == AO_OK;

		env->free(env->arg, longer);
		if (!valid)
			return "ao_append gave what is not a model";
	}
	status = ao_residuals(model, y, EXERCISE_VALUES, xreg, model->n_xreg, env, residuals);
	if (!exercise_expected(status))
		return "ao_residuals: unexpected status";
	for (int i = 0; i < EXERCISE_VALUES && status == AO_OK; i++)
	{
		if (isinf(residuals[i]))
			return "a residual is infinite";
	}
	return NULL;
}

/* Simulated values are finite, but of a negative lambda, variances positive, roots where they can be. */
static inline const char *
exercise_diagnostics(const AoModel *model, const double *y, const double *xreg, AoEnv *env)
{
	AoSimulation *sim;
	AoRoot		roots[4];
	double		path[EXERCISE_STEPS],
				errors[EXERCISE_VALUES],
				variances[EXERCISE_VALUES];
	AoStatus	status = ao_simulation_open(model, EXERCISE_STEPS, xreg, model->n_xreg, 1, env, &sim);

	if (status == AO_OK)
	{
		status = ao_simulation_path(sim, 5, env, path);
		ao_simulation_close(sim, env);
	}
	if (!exercise_expected(status))
		return "ao_simulation: unexpected status";
	for (int i = 0; i < EXERCISE_STEPS && status == AO_OK; i++)
		if (!isfinite(path[i]) && !(model->has_lambda && model->lambda < 0.0 && path[i] > 0.0))
			return "a simulated value is not finite";
	status = ao_one_step_errors(model, y, EXERCISE_VALUES, xreg, model->n_xreg, env, errors, variances);
	for (int i = 0; i < EXERCISE_VALUES && status == AO_OK; i++)
		if (!isnan(errors[i]) && !(variances[i] > 0))
			return "a variance is not positive";
	if (ao_model_roots(model, env, roots) != AO_OK)
		return "ao_model_roots: unexpected status";
	for (int i = 0; i < 4; i++)
		/* a model that was not fitted may have MA roots anywhere, and where many roots are
		 * in one place all are only known to a root of the rounding */
		if (roots[i].modulus < 0 || (i % 2 == 0 && (i == 0 ? model->p : model->P) <= 8 && roots[i].modulus > 1.5))
			return "an inverse root is not where it can be";
	return NULL;
}

/* What is wrong with the model, or NULL.  Every seventh value that the seed
 * gives is missing if `gaps`; nothing may be left allocated. */
static inline const char *
exercise_model(const AoModel *model, uint64_t seed, bool gaps)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	double		y[EXERCISE_VALUES];
	double	   *xreg = NULL;
	const char *wrong;
	char		term[16];

	memory.poll_limit = 100000;
	for (int i = 0; i < EXERCISE_VALUES; i++)
		y[i] = gaps && i % 7 == 3 ? NAN : 10.0 + sample_number(&seed);
	if (model->n_xreg > 0)
	{
		xreg = malloc(sizeof(double) * EXERCISE_VALUES * (size_t) model->n_xreg);
		if (xreg == NULL)
			abort();
		for (int i = 0; i < EXERCISE_VALUES * model->n_xreg; i++)
			xreg[i] = sample_number(&seed);
	}
	for (int i = 0; i < model->n_coef; i++)
	{
		ao_model_term(model, i, term);
		if (term[0] == '\0')
			return "a coefficient has no name";
	}
	wrong = exercise_forecast(model, y, xreg, &env);
	if (wrong == NULL)
		wrong = exercise_append(model, y, xreg, &env);
	if (wrong == NULL)
		wrong = exercise_diagnostics(model, y, xreg, &env);
	free(xreg);
	if (wrong == NULL && memory.live != 0)
		wrong = "memory is left behind";
	if (wrong == NULL && memory.most > 2)
		wrong = "a workspace was not large enough";
	return wrong;
}

#endif							/* EXERCISE_MODEL_H */

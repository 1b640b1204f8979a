/*
 * refit.c
 *		Models as their callers want them: fitted, chosen or fitted anew, with the kind of
 *		interval that goes with them.
 */
#include "auto.h"
#include "internal.h"

#include "model_internal.h"

/* See internal.h. */
AoFitOptions
ao_options_of(const AoModel *model)
{
	return (AoFitOptions) {.method = (AoMethod) model->method, .has_lambda = model->has_lambda,
		.lambda = model->lambda, .bias_adjust = model->bias_adjust, .has_interval = true,
		.interval = (AoIntervalKind) model->interval};
}

/* The kind of interval that a new model of y is to have. */
static AoStatus
set_interval(AoModel **model, AoIntervalKind kind, const AoFitTask *task, AoEnv *env)
{
	AoStatus	status;

	(*model)->interval = (uint8_t) kind;
	if (kind != AO_INTERVAL_CONFORMAL)
		return AO_OK;
	status = ao_calibrate(model, task->y, task->n, task->xreg, task->k, env);
	/* the conditional sum of squares may lead to where no filter can start, so that there are no
	 * errors to calibrate by */
	if (status == AO_BAD_MODEL)
		return AO_OK;
	if (status != AO_OK)
		env->free(env->arg, *model);
	return status;
}

/* See internal.h. */
AoStatus
ao_fit_again(const AoFitTask *task, const AoSpec *spec, AoEnv *env, AoModel **out)
{
	AO_TRY(ao_fit_task(task, spec, env, out));
	return set_interval(out, task->options->has_interval ? task->options->interval :
						AO_INTERVAL_NORMAL, task, env);
}

/* See ao.h. */
AoStatus
ao_fit(const double *y, int64_t n, const double *xreg, int k, const AoSpec *spec,
	   const AoFitOptions *options, AoEnv *env, AoModel **out)
{
	AoFitTask	task = {.y = y, .n = n, .xreg = xreg, .k = k, .options = options};

	if (!spec->is_auto)
		return ao_fit_again(&task, spec, env, out);
	AO_TRY(ao_choose(y, n, xreg, k, spec->m, options, env, out, NULL, NULL));
	return set_interval(out, options->has_interval ? options->interval : AO_INTERVAL_STUDENT,
						&task, env);
}

/* See ao.h. */
AoStatus
ao_refit(const AoModel *model, const double *y, int64_t n, const double *xreg, int k,
		 AoEnv *env, AoModel **out)
{
	AoSpec		spec;
	AoFitOptions options = ao_options_of(model);
	AoFitTask	task = {.y = y, .n = n, .xreg = xreg, .k = k, .options = &options,
	.effort = AO_WARM, .given_coef = ao_model_coef(model)};

	ao_model_spec(model, &spec);
	if (k != model->n_xreg)
		return ao_fail(env, AO_BAD_XREG, "%h given, the model has %n", model->n_xreg, k);
	return ao_fit_again(&task, &spec, env, out);
}

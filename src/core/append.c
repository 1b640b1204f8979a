/*
 * append.c
 *		Rolling a model over new values: the filter (filter.c) moves on, the
 *		coefficients stay, the log-likelihood becomes that of all values at the
 *		model's parameters.
 */
#include "state.h"

#include <math.h>
#include <string.h>

#include "model_internal.h"

#define LN_2PI 1.8378770664093454836

/* What one call carries. */
typedef struct Roll
{
	const AoModel *model;
	AoSpec		spec;
	AoState		st;
	int64_t		n_missing,
				n_gap;			/* missing at the end, old ones among them */
	double		loglik;			/* of the new values */
	AoArena		arena;
	AoEnv	   *env;
} Roll;

/* New value t on the filter's scale, or NaN. */
static AoStatus
new_value(const Roll *roll, const double *y, int64_t t, const double *xreg, double *z)
{
	int			k = roll->model->n_xreg;

	return ao_model_adjust(roll->model, &roll->spec, y[t], roll->model->n + t + 1,
						   xreg ? xreg + t * k : NULL, roll->env, z);
}

/* Contribution of one innovation to the log-likelihood. */
static void
add_term(Roll *roll, double v, double F)
{
	double		sigma2 = roll->model->sigma2;

	roll->loglik -= 0.5 * (LN_2PI + log(sigma2 * F) + v * v / (sigma2 * F));
}

/* All new values, one after the other. */
static AoStatus
roll_over(Roll *roll, const double *y, int64_t n, const double *xreg)
{
	AoPace		pace = {roll->env, 0};

	for (int64_t t = 0; t < n; t++)
	{
		double		z,
					v,
					F;

		AO_TRY(new_value(roll, y, t, xreg, &z));
		AO_TRY(ao_filter_step(&roll->st, z, &v, &F, &pace));
		roll->n_missing += isnan(z);
		roll->n_gap = isnan(z) ? roll->n_gap + 1 : 0;
		if (!isnan(z))
			add_term(roll, v, F);
		AO_TRY(ao_pace(&pace, 16));
	}
	ao_filter_mirror(&roll->st);
	return AO_OK;
}

/* A copy of the model with the new state and counts. */
static AoStatus
rolled_model(const Roll *roll, int64_t n, AoModel **out)
{
	const AoModel *model = roll->model;
	AoModel    *copy;

	AO_TRY(ao_model_alloc(&roll->spec, model->n_xreg, model->n_calibrated, roll->st.P != NULL,
						  roll->env, &copy));
	copy->method = model->method;
	copy->has_lambda = model->has_lambda;
	copy->lambda = model->lambda;
	copy->bias_adjust = model->bias_adjust;
	copy->interval = model->interval;
	copy->df = model->df;
	copy->estimated_to = model->estimated_to;
	copy->remarks = model->remarks;
	copy->iterations = model->iterations;
	copy->n = model->n + n;
	copy->n_missing = model->n_missing + roll->n_missing;
	copy->n_gap = roll->n_gap;
	copy->n_used = model->n_used + n - roll->n_missing;
	copy->sigma2 = model->sigma2;
	copy->loglik = model->sigma2 > 0 ? model->loglik + roll->loglik : model->loglik;
	memcpy(copy->data, model->data, ao_model_estimate_len(model) * sizeof(double));
	ao_model_set_state(copy, &roll->st);
	ao_model_canonicalise(copy);
	*out = copy;
	return AO_OK;
}

/* Workspace, then the roll. */
static AoStatus
run_append(Roll *roll, bool cov, const double *y, int64_t n, const double *xreg, AoModel **out)
{
	const AoModel *model = roll->model;

	AO_TRY(ao_arena_open(&roll->arena, ao_state_bytes(&roll->spec, cov), roll->env));
	ao_state_init(&roll->st, &roll->spec, ao_model_coef(model), cov, &roll->arena);
	ao_state_load(&roll->st, model);
	AO_TRY(roll_over(roll, y, n, xreg));
	return rolled_model(roll, n, out);
}

/* See ao.h. */
AoStatus
ao_append(const AoModel *model, const double *y, int64_t n, const double *xreg, int k,
		  AoEnv *env, AoModel **out)
{
	Roll		roll = {.model = model, .n_gap = model->n_gap, .env = env};
	AoStatus	status;
	bool		gaps;

	memset(&env->err, 0, sizeof env->err);
	if (k != model->n_xreg)
		return ao_fail(env, AO_BAD_XREG, "%h given, the model has %n", model->n_xreg, k);
	if (model->n + n > AO_MAX_N)
		return ao_fail(env, AO_SERIES_TOO_LONG, NULL, AO_MAX_N, model->n + n);
	ao_model_spec(model, &roll.spec);
	AO_TRY(ao_any_nan(y, n, env, &gaps));
	if (!gaps)
		AO_TRY(ao_any_nan(xreg, n * k, env, &gaps));
	status = run_append(&roll, model->has_state_cov || gaps, y, n, xreg, out);
	if (status == AO_OK && ao_model_check(*out, ao_model_size(*out), env) != AO_OK)
	{
		env->free(env->arg, *out);
		*out = NULL;
		status = ao_fail(env, AO_OUT_OF_SCALE,
						 "new values are beyond what the model can follow\n"
						 "Check whether they are values of this series; if so, fit the model anew.", 0, 0);
	}
	if (roll.arena.block)
		ao_arena_close(&roll.arena, env);
	return status;
}

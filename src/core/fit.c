/*
 * fit.c
 *		Fitting a model: check, size, search, standard errors, final state.
 */
#include "auto.h"
#include "state.h"

#include <math.h>
#include <string.h>

#include "model_internal.h"

#define LN_2PI 1.8378770664093454836
#define DEGENERATE 1e-13		/* residual to level that counts as rounding */
#define UNTOLD 1e-14			/* sum of squares of a regressor, of mean square one in the differences with
								 * gaps filled, that without them is rounding */

/* All that a fit works with. */
typedef struct Fit
{
	const double *y;
	int64_t		n;
	const double *xreg;
	int			k_xreg;
	const AoFitOptions *options;
	const double *given,		/* unbounded parameters to start from, or NULL */
			   *given_coef;		/* or coefficients */
	AoEffort	effort;
	AoGuard		guard;			/* both as in AoObjective */
	double		deadline;
	bool		no_state;
	AoEnv	   *env;
	AoArena		arena;
	AoShape		shape;
	AoDesign	design;
	AoObjective obj;
	AoOptimum	best;
	double	   *coef;			/* [k + n_beta] */
	double	   *gamma;			/* [n_beta] */
	double	   *cov;			/* packed, of coef */
	double	   *cross;			/* of the best point */
	double		sigma2,
				loglik;
	uint16_t	remarks;
} Fit;

/*
 * Workspace in bytes: the series and regressors once (twice where
 * the final state is computed from levels with gaps), the lanes of the passes,
 * the search, the Hessian, and the state covariance.
 */
static size_t
workspace(const AoSpec *spec, int64_t n, int k, int64_t n_missing, AoEffort effort)
{
	AoShape		sh = {.spec = *spec, .ar = spec->p + spec->m * spec->P,
		.ma = spec->q + spec->m * spec->Q, .diff = spec->d + spec->m * spec->D,
	.k = spec->p + spec->q + spec->P + spec->Q};
	int			nb = k + ao_spec_regressors(spec);
	size_t		dim = (size_t) (sh.k + nb),
				nc = (size_t) nb + 1;

	sh.r = sh.ar > sh.ma ? sh.ar : sh.ma;
	return ao_shape_bytes(spec) + ao_design_bytes(n, nb, n_missing > 0) +
		ao_objective_bytes(&sh, nb + 1, n, n_missing) + 2 * ao_search_bytes(&sh, effort) +
		ao_covariance_bytes(sh.k, nb) + ao_roots_bytes(&sh) +
		2 * ao_arena_round(dim, sizeof(double)) +
		ao_arena_round(dim * (dim + 1) / 2, sizeof(double)) +
		ao_arena_round(nc * (nc + 1) / 2, sizeof(double)) +
		ao_state_bytes(spec, true);
}

/* See ao.h. */
size_t
ao_fit_memory(const AoSpec *spec, int64_t n, int k, int64_t n_missing)
{
	return workspace(spec, n, k, n_missing, AO_THOROUGH);
}

/* See internal.h. */
AoStatus
ao_fit_check(const AoFitTask *task, AoEnv *env)
{
	if (task->n > AO_MAX_N)
		return ao_fail(env, AO_SERIES_TOO_LONG, NULL, AO_MAX_N, task->n);
	if (task->k < 0 || task->k > AO_MAX_XREG)
		return ao_fail(env, AO_BAD_XREG, "%h given, the limit is %n\nUse fewer of them.",
					   AO_MAX_XREG, task->k);
	if (task->options->has_lambda &&
		!(fabs(task->options->lambda) <= AO_MODEL_MAX_LAMBDA))
		return ao_fail(env, AO_BAD_ARGUMENT, "Box-Cox lambda must be between -5 and 5\n"
					   "Usual are 0 for logarithms and 0.5 for square roots; without lambda nothing is transformed.",
					   0, 0);
	if (task->options->bias_adjust && !task->options->has_lambda)
		return ao_fail(env, AO_BAD_ARGUMENT, "bias_adjust without lambda\n"
					   "It adjusts forecasts for a Box-Cox transformation: give lambda too, or leave it out.",
					   0, 0);
	return AO_OK;
}

/* The conditional sum of squares has limits of its own. */
static AoStatus
check_conditional(const Fit *fit)
{
	int64_t		terms = fit->design.missing ? fit->design.conditional_terms :
		fit->design.rows - fit->shape.ar;

	if (fit->options->method == AO_ML)
		return AO_OK;
	if (fit->design.missing && terms < fit->shape.k + fit->design.n_beta + 1)
		return ao_fail(fit->env, AO_BAD_ARGUMENT,
					   "too few values without a missing one among those that the AR part looks back to\n"
					   "Use method \"ml\", which can do with less.", 0, 0);
	if (terms < fit->shape.k + fit->design.n_beta + 1)
		return ao_fail(fit->env, AO_TOO_FEW_VALUES, NULL,
					   fit->shape.diff + fit->shape.ar + fit->shape.k + fit->design.n_beta + 1,
					   fit->design.n);
	return AO_OK;
}

/* Workspace, shape, design, objective. */
static AoStatus
open_fit(Fit *fit, const AoSpec *spec)
{
	int64_t		n_missing;
	int			nb = fit->k_xreg + ao_spec_regressors(spec);
	size_t		dim,
				nc = (size_t) nb + 1;

	if (fit->k_xreg + ao_fourier_columns(spec->m, spec->K) > AO_MAX_XREG)
		return ao_fail(fit->env, AO_BAD_XREG, "%h given, Fourier terms included, the limit is %n\nUse fewer of them.",
					   AO_MAX_XREG, fit->k_xreg + ao_fourier_columns(spec->m, spec->K));
	AO_TRY(ao_count_gaps(fit->y, fit->n, fit->xreg, fit->k_xreg, fit->env, &n_missing));
	AO_TRY(ao_arena_open(&fit->arena,
						 workspace(spec, fit->n, fit->k_xreg, n_missing, fit->effort), fit->env));
	ao_shape_init(&fit->shape, spec, &fit->arena);
	dim = (size_t) (fit->shape.k + nb);
	fit->coef = ao_arena_take(&fit->arena, dim, sizeof(double));
	fit->gamma = ao_arena_take(&fit->arena, dim, sizeof(double));
	fit->cov = ao_arena_take(&fit->arena, dim * (dim + 1) / 2, sizeof(double));
	fit->cross = ao_arena_take(&fit->arena, nc * (nc + 1) / 2, sizeof(double));
	memset(fit->coef, 0, dim * sizeof(double));
	memset(fit->gamma, 0, dim * sizeof(double));
	AO_TRY(ao_design_make(&fit->design, &fit->shape, fit->y, fit->n, fit->xreg, fit->k_xreg,
						  fit->options, &fit->arena, fit->env));
	AO_TRY(check_conditional(fit));
	ao_objective_init(&fit->obj, &fit->shape, &fit->design, fit->env, &fit->arena);
	fit->obj.guard = fit->guard;
	fit->obj.deadline = fit->deadline;
	return AO_OK;
}

/*
 * At zero ARMA coefficients: can the regressors be told apart, and is there any
 * variation to explain?
 */
static AoStatus
look_at_white_noise(Fit *fit)
{
	int			nb = fit->design.n_beta;
	double		f;

	if (fit->design.degenerate || (!fit->design.missing && nb == 0))
		return AO_OK;
	AO_TRY(ao_objective(&fit->obj, fit->coef, 1, &f, fit->cross, NULL));
	if (f == HUGE_VAL)
		return ao_fail(fit->env, AO_COLLINEAR, NULL, 0, 0);
	if (fit->design.missing)
	{
		/* gamma is what a degenerate series will be left with */
		double		S = ao_concentrate(fit->cross, nb, fit->obj.chol, fit->gamma),
					level = DEGENERATE * fit->design.level / fit->design.scale;

		for (int i = 0; i < nb; i++)
		{
			double		left = fit->obj.chol[i * (nb + 1) + i];

			if (!(left * left > UNTOLD * (double) fit->design.filled_rows))
				return ao_fail(fit->env, AO_COLLINEAR, NULL, 0, 0);
		}
		fit->design.degenerate = !(S > level * level * (double) fit->design.n_used);
	}
	return AO_OK;
}

/*
 * Search for the optimum: exact, conditional, or one after the other.  From an estimate of
 * other values the exact likelihood goes on where it was: the conditional one between them
 * could lead to another optimum, which is lower.
 */
static AoStatus
estimate(Fit *fit)
{
	const double *given = fit->given;
	bool		both = fit->options->method == AO_CSS_ML && !(fit->given_coef && fit->effort == AO_WARM);

	if (fit->given_coef)
	{
		/* gamma is free until the regression is solved */
		ao_free_from_natural(&fit->shape, fit->given_coef, fit->gamma);
		given = fit->gamma;
	}
	fit->obj.conditional = fit->options->method == AO_CSS || both;
	AO_TRY(ao_search(&fit->obj, given, fit->effort, &fit->arena, &fit->best));
	if (both)
	{
		AoOptimum	first = fit->best;

		fit->obj.conditional = false;
		/* one that has no likelihood is searched for anew, in the room that there is */
		AO_TRY(ao_search(&fit->obj, first.u, fit->effort == AO_QUICK ? AO_NEARBY : AO_LOCAL,
						 &fit->arena, &fit->best));
		fit->best.iterations += first.iterations;
	}
	ao_natural_from_free(&fit->shape, fit->best.u, fit->coef);
	/* found; now what is said of it */
	fit->obj.precise = true;
	return AO_OK;
}

/* Variance, likelihood and regression coefficients at the optimum. */
static AoStatus
solve_regression(Fit *fit)
{
	double		f,
				log_f,
				S,
				n = (double) fit->design.n_used;

	AO_TRY(ao_objective(&fit->obj, fit->coef, 1, &f, fit->cross, &log_f));
	S = ao_concentrate(fit->cross, fit->design.n_beta, fit->obj.chol, fit->gamma);
	S = fmax(S / (double) ao_objective_terms(&fit->obj), AO_LEAST_VARIANCE);
	fit->sigma2 = S * fit->design.scale * fit->design.scale;
	fit->loglik = -0.5 * (n * (LN_2PI + log(S) + 2 * log(fit->design.scale) + 1) + log_f);
	return AO_OK;
}

/* What a user should know about this optimum. */
static void
remark(Fit *fit)
{
	double		ar,
				ma;

	if (fit->design.constant)
		fit->remarks |= AO_REMARK_CONSTANT;
	if (!fit->best.converged)
		fit->remarks |= AO_REMARK_NOT_CONVERGED;
	ao_interior(&fit->shape, fit->coef, &ar, &ma);
	if (ar < 1e-3)
		fit->remarks |= AO_REMARK_AR_BOUNDARY;
	if (ma < 1e-3)
		fit->remarks |= AO_REMARK_MA_BOUNDARY;
	if (ao_roots_cancel(&fit->shape, fit->coef, &fit->arena))
		fit->remarks |= AO_REMARK_CANCELLING;
}

/* No standard errors. */
static void
no_covariance(Fit *fit)
{
	int			dim = fit->shape.k + fit->design.n_beta;

	for (int i = 0; i < dim * (dim + 1) / 2; i++)
		fit->cov[i] = NAN;
	fit->remarks |= AO_REMARK_NO_COVARIANCE;
}

/* A constant or exactly explained series: no innovations, so neither a likelihood nor
 * standard errors; the coefficients are what they are. */
static void
fit_degenerate(Fit *fit)
{
	no_covariance(fit);
	fit->remarks = AO_REMARK_DEGENERATE;
	fit->best.converged = true;
	fit->sigma2 = 0;
	fit->loglik = NAN;
}

/* Does the model explain the series to its last digits?  What is left is rounding then. */
static bool
nothing_left(const Fit *fit)
{
	return sqrt(fit->sigma2) <= fmax(DEGENERATE * fit->design.level,
									 sqrt(AO_LEAST_VARIANCE) * fit->design.scale);
}

/* Covariance of the estimates, if it is wanted. */
static AoStatus
find_covariance(Fit *fit)
{
	bool		ok = true;

	if (fit->options->no_std_errors || ao_covariance_too_late(&fit->obj))
		no_covariance(fit);
	else
		AO_TRY(ao_covariance(&fit->obj, fit->coef, fit->gamma, &fit->arena, fit->cov, &ok));
	if (!ok)
		fit->remarks |= AO_REMARK_NO_COVARIANCE;
	return AO_OK;
}

/* Estimates of a series with something to explain. */
static AoStatus
fit_regular(Fit *fit)
{
	AO_TRY(estimate(fit));
	AO_TRY(solve_regression(fit));
	if (!isfinite(fit->sigma2) || !isfinite(fit->loglik))
		return ao_fail(fit->env, AO_OUT_OF_SCALE, "innovations variance overflows", 0, 0);
	if (nothing_left(fit))
	{
		fit_degenerate(fit);
		return AO_OK;
	}
	remark(fit);
	return find_covariance(fit);
}

/* Regressors far smaller than the series have coefficients that no model can keep, and that
 * would make NaN, which is for missing values alone, of known ones. */
static AoStatus
check_regression(const Fit *fit)
{
	for (int i = fit->shape.k; i < fit->shape.k + fit->design.n_beta; i++)
		if (!(fabs(fit->coef[i]) <= AO_MODEL_MAX_VALUE) ||
			fit->cov[i * (i + 1) / 2 + i] > AO_MODEL_MAX_VARIANCE)
			return ao_fail(fit->env, AO_OUT_OF_SCALE, "regression coefficient too large\n"
						   "Multiply the regressors by a constant that brings them nearer to the series in size.", 0, 0);
	return AO_OK;
}

/* The series on the scale of the filter, regression taken out, in place of the design, which
 * has served its time; from the first value that is known on. */
static AoStatus
adjusted_series(const Fit *fit, double **out)
{
	int64_t		lead = fit->design.lead;
	AoPace		pace = {fit->env, 0};

	*out = fit->design.z;
	for (int64_t t = lead; t < fit->n; t++)
	{
		const double *row = fit->xreg ? fit->xreg + t * fit->k_xreg : NULL;
		double		y = fit->y[t];

		if (fit->options->has_lambda && !isnan(y))
			y = ao_box_cox(y, fit->options->lambda);
		(*out)[t - lead] = y - ao_regression(&fit->shape.spec, fit->coef + fit->shape.k, t + 1, row,
											 fit->k_xreg);
		AO_TRY(ao_pace(&pace, 8));
	}
	return AO_OK;
}

/* State by the conditional sum of squares, known for certain. */
static AoStatus
state_conditional(Fit *fit, AoState *st)
{
	AoPass	   *ps = &fit->obj.pass[0];
	int			r = fit->shape.r,
				nb = fit->design.n_beta;
	double	   *z;

	ps->want_state = true;
	for (int lane = 0; lane < AO_LANES; lane++)
		ao_expand(&fit->shape, fit->coef, (double *) ps->phi + lane,
				  (double *) ps->theta + lane, AO_LANES);
	AO_TRY(ao_pass_conditional(ps, fit->env));
	/* everything is linear: that of the series less gamma times those of the columns */
	for (int i = 0; i < r; i++)
	{
		double		sum = ps->x[nb * r + i][0];

		for (int c = 0; c < nb; c++)
			sum -= fit->gamma[c] * ps->x[c * r + i][0];
		st->a[i] = sum * fit->design.scale;
	}
	AO_TRY(adjusted_series(fit, &z));
	for (int i = 0; i < fit->shape.diff; i++)
		st->a[r + i] = z[fit->n - fit->design.lead - 1 - i];
	st->P = NULL;
	return AO_OK;
}

/* State of the filter after the last value, in the workspaces of the objective. */
static AoStatus
state_exact(Fit *fit, AoState *st)
{
	AoPass		pass = fit->obj.pass[0];
	AoPresample presample = fit->design.missing ? fit->obj.kalman.presample : fit->obj.presample;
	AoKalman	kalman = fit->obj.kalman;
	AoFilterSpace space = {&pass, &presample, fit->design.missing ? &kalman : NULL};
	double	   *z;

	pass.n_cols = presample.n_cols = kalman.n_cols = 1;
	AO_TRY(adjusted_series(fit, &z));
	return ao_filter_run(st, z, fit->n - fit->design.lead, NULL, &space, fit->env);
}

/* Is the state left to ao_fit_complete?  Not where the likelihood does not say that there is one. */
static bool
leaves_state(const Fit *fit)
{
	return fit->no_state && fit->options->method != AO_CSS && !isnan(fit->loglik);
}

/* The state after the last value. */
static AoStatus
find_state(Fit *fit, AoState *st)
{
	AoStatus	status = fit->options->method == AO_CSS && !fit->design.missing ? state_conditional(fit, st) :
		state_exact(fit, st);

	/* the conditional sum of squares may lead to where no filter can start: the estimate is
	 * at fault, not a model that was given */
	return status == AO_BAD_MODEL ? AO_OUT_OF_SCALE : status;
}

/* The model block. */
static AoStatus
make_model(Fit *fit, AoModel **out)
{
	const AoSpec *spec = &fit->shape.spec;
	size_t		dim = (size_t) (fit->shape.k + fit->design.n_beta);
	AoState		st;
	AoModel    *model;

	ao_design_beta(&fit->design, fit->gamma, fit->coef + fit->shape.k);
	AO_TRY(check_regression(fit));
	ao_state_init(&st, spec, fit->coef, true, &fit->arena);
	if (leaves_state(fit))
		st.P = NULL;
	else
		AO_TRY(find_state(fit, &st));
	AO_TRY(ao_model_alloc(spec, fit->k_xreg, 0, st.P != NULL, fit->env, &model));
	model->method = (uint8_t) fit->options->method;
	model->has_lambda = fit->options->has_lambda;
	model->lambda = fit->options->has_lambda ? fit->options->lambda : 0;
	model->bias_adjust = fit->options->bias_adjust;
	model->remarks = fit->remarks;
	model->iterations = fit->best.iterations;
	model->n = fit->n;
	model->n_missing = fit->design.lead + fit->design.n_missing;
	model->n_gap = fit->design.n_gap;
	model->n_used = fit->design.n_used;
	model->estimated_to = model->n - model->n_gap;
	model->df = ao_model_degrees(model->n_used, (int) dim);
	model->sigma2 = fit->sigma2;
	model->loglik = fit->loglik;
	memcpy(ao_model_coef(model), fit->coef, dim * sizeof(double));
	memcpy(ao_model_cov(model), fit->cov, dim * (dim + 1) / 2 * sizeof(double));
	if (!leaves_state(fit))
		ao_model_set_state(model, &st);
	ao_model_canonicalise(model);
	*out = model;
	return AO_OK;
}

/* What a task says. */
static Fit
begin(const AoFitTask *task, AoEnv *env)
{
	Fit			fit = {.y = task->y, .n = task->n, .xreg = task->xreg, .k_xreg = task->k,
		.options = task->options, .given = task->given,
		.given_coef = task->given_coef, .effort = task->effort,
	.guard = task->guard, .deadline = task->deadline, .no_state = task->no_state, .env = env};

	memset(&env->err, 0, sizeof env->err);
	return fit;
}

static void
end(Fit *fit)
{
	if (fit->arena.block)
		ao_arena_close(&fit->arena, fit->env);
}

/* The steps of a fit; the workspace is the caller's to give back. */
static AoStatus
run_fit(Fit *fit, const AoSpec *spec, AoModel **out)
{
	AO_TRY(open_fit(fit, spec));
	AO_TRY(look_at_white_noise(fit));
	if (fit->design.degenerate)
		fit_degenerate(fit);
	else
		AO_TRY(fit_regular(fit));
	return make_model(fit, out);
}

/* The model of the values up to the last that is known, rolled over the rest of the series. */
static AoStatus
roll_to_end(const AoFitTask *task, int64_t rest, AoEnv *env, AoModel **model)
{
	int64_t		from = task->n - rest;
	AoModel    *last = *model;
	AoStatus	status;

	*model = NULL;
	status = ao_append(last, task->y + from, rest, task->xreg ? task->xreg + from * task->k : NULL,
					   task->k, env, model);
	env->free(env->arg, last);
	return status;
}

/* See internal.h.  What is missing at the end has no part in the likelihood, and a series that
 * is complete without it needs no Kalman filter. */
AoStatus
ao_fit_task(const AoFitTask *task, const AoSpec *spec, AoEnv *env, AoModel **out)
{
	Fit			fit = begin(task, env);
	AoStatus	status;

	AO_TRY(ao_fit_check(task, env));
	AO_TRY(ao_spec_check(spec, env));
	while (fit.n > 0 && isnan(fit.y[fit.n - 1]))
		fit.n--;
	status = run_fit(&fit, spec, out);
	end(&fit);
	return status == AO_OK && fit.n < task->n && !leaves_state(&fit) ? roll_to_end(task, task->n - fit.n, env, out) : status;
}

/* The steps of ao_fit_complete. */
static AoStatus
run_complete(Fit *fit, const AoModel *model, AoModel **out)
{
	AoSpec		spec;

	ao_model_spec(model, &spec);
	AO_TRY(open_fit(fit, &spec));
	memcpy(fit->coef, ao_model_coef(model), (size_t) fit->shape.k * sizeof(double));
	fit->obj.conditional = fit->options->method == AO_CSS;
	fit->obj.precise = true;
	fit->best.iterations = model->iterations;
	fit->remarks = model->remarks & (uint16_t) ~AO_REMARK_NO_COVARIANCE;
	AO_TRY(solve_regression(fit));
	AO_TRY(find_covariance(fit));
	return make_model(fit, out);
}

/* See internal.h. */
AoStatus
ao_fit_complete(const AoFitTask *task, AoEnv *env, AoModel **model)
{
	Fit			fit = begin(task, env);
	AoModel    *whole = NULL;
	AoStatus	status;

	if (isnan((*model)->loglik))
		return AO_OK;
	while (fit.n > 0 && isnan(fit.y[fit.n - 1]))
		fit.n--;
	status = run_complete(&fit, *model, &whole);
	end(&fit);
	if (status != AO_OK)
		return status;
	env->free(env->arg, *model);
	*model = whole;
	return fit.n < task->n ? roll_to_end(task, task->n - fit.n, env, model) : AO_OK;
}

/* The steps of a quick fit. */
static AoStatus
run_quick(Fit *fit, const AoSpec *spec, AoQuickFit *out)
{
	AO_TRY(open_fit(fit, spec));
	AO_TRY(look_at_white_noise(fit));
	out->n_used = fit->design.n_used;
	out->n_coef = fit->shape.k + fit->design.n_beta;
	out->degenerate = fit->design.degenerate;
	if (out->degenerate)
		return AO_OK;
	AO_TRY(estimate(fit));
	AO_TRY(solve_regression(fit));
	out->loglik = fit->loglik;
	out->admissible = fit->best.admissible;
	out->strict = ao_expanded_roots_beyond(&fit->shape, fit->coef, AO_STRICT_ROOT);
	memcpy(out->u, fit->best.u, (size_t) fit->shape.k * sizeof(double));
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_fit_quick(const AoFitTask *task, const AoSpec *spec, AoEnv *env, AoQuickFit *out)
{
	Fit			fit = begin(task, env);
	AoStatus	status;

	AO_TRY(ao_spec_check(spec, env));
	status = run_quick(&fit, spec, out);
	end(&fit);
	return status;
}

/*
 * state.c
 *		The filter of one fitted model: its state after a series, from a fresh
 *		start, and the steps that forecasting and appending take from there.
 *
 * The state vector is that of kalman.c: the ARMA state, then the last levels.
 * Once the filter has settled and nothing is missing its covariance is zero and
 * not kept.  Where presample.c had to do the filter's work the state at the end follows
 * from the one at the start, given all values.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

#define SETTLED 1e-9			/* standard error of a state that counts as known */

size_t
ao_state_bytes(const AoSpec *spec, bool cov)
{
	size_t		s = (size_t) ao_model_state_dim(spec);

	return ao_shape_bytes(spec) + 4 * ao_arena_round(s, sizeof(double)) +
		ao_arena_round(2 * s, sizeof(double)) +
		(cov ? 2 * ao_arena_round(s * s, sizeof(double)) : 0);
}

/* See internal.h. */
void
ao_state_init(AoState *st, const AoSpec *spec, const double *coef, bool cov, AoArena *arena)
{
	size_t		s;
	int			r;

	ao_shape_init(&st->shape, spec, arena);
	r = st->shape.r;
	st->s = r + st->shape.diff;
	s = (size_t) st->s;
	st->phi = ao_arena_take(arena, s, sizeof(double));
	st->theta = ao_arena_take(arena, s, sizeof(double));
	st->G = ao_arena_take(arena, s, sizeof(double));
	st->a = ao_arena_take(arena, s, sizeof(double));
	st->work = ao_arena_take(arena, 2 * s, sizeof(double));
	st->P = cov ? ao_arena_take(arena, s * s, sizeof(double)) : NULL;
	st->M = cov ? ao_arena_take(arena, s * s, sizeof(double)) : NULL;
	st->variances = NULL;
	memset(st->phi, 0, s * sizeof(double));
	memset(st->theta, 0, s * sizeof(double));
	memset(st->a, 0, s * sizeof(double));
	if (cov)
		memset(st->P, 0, s * s * sizeof(double));
	ao_expand(&st->shape, coef, st->phi, st->theta, 1);
	for (int i = 0; i < st->s; i++)
		st->G[i] = i < r ? st->phi[i] + st->theta[i] : i == r;
}

/* State and covariance out of a model of the same specification. */
void
ao_state_load(AoState *st, const AoModel *model)
{
	const double *cov = ao_model_state_cov(model);

	memcpy(st->a, ao_model_state(model), (size_t) st->s * sizeof(double));
	if (st->P && model->has_state_cov)
		for (int i = 0; i < st->s; i++)
			for (int j = 0; j <= i; j++)
				st->P[i * st->s + j] = st->P[j * st->s + i] = *cov++;
}

/* z' v: what the state v says of the next level. */
double
ao_state_observe(const AoState *st, const double *v)
{
	int			r = st->shape.r;
	double		sum = r > 0 ? v[0] : 0;

	for (int i = 0; i < st->shape.diff; i++)
		sum += st->shape.delta[i] * v[r + i];
	return sum;
}

/* v = T v, the new level being zv. */
void
ao_state_transition(const AoState *st, double *v, double zv)
{
	int			r = st->shape.r;
	double		v0 = r > 0 ? v[0] : 0;

	for (int i = st->s - 1; i > r; i--)
		v[i] = v[i - 1];
	if (st->s > r)
		v[r] = zv;
	for (int i = 0; i < r; i++)
		v[i] = (i + 1 < r ? v[i + 1] : 0) + st->phi[i] * v0;
}

/* z' P z: what the state's uncertainty adds to the variance of the next level. */
double
ao_state_variance(AoState *st)
{
	for (int i = 0; i < st->s; i++)
		st->work[i] = ao_state_observe(st, st->P + (size_t) i * st->s);
	return ao_state_observe(st, st->work);
}

/* P = T P T' + G G' */
void
ao_state_cov_step(AoState *st)
{
	int			s = st->s;

	for (int i = 0; i < s; i++)
	{
		memcpy(st->M + (size_t) i * s, st->P + (size_t) i * s, (size_t) s * sizeof(double));
		ao_state_transition(st, st->M + (size_t) i * s,
							ao_state_observe(st, st->M + (size_t) i * s));
	}
	/* M = P T'; the columns of M, which are rows of its transpose, go through T */
	for (int j = 0; j < s; j++)
	{
		for (int i = 0; i < s; i++)
			st->work[i] = st->M[(size_t) i * s + j];
		ao_state_transition(st, st->work, ao_state_observe(st, st->work));
		for (int i = 0; i < s; i++)
			st->P[(size_t) i * s + j] = st->work[i] + st->G[i] * st->G[j];
	}
}

size_t
ao_state_run_bytes(const AoSpec *spec, bool missing)
{
	AoShape		sh = {.ar = spec->p + spec->m * spec->P, .ma = spec->q + spec->m * spec->Q,
	.diff = spec->d + spec->m * spec->D};
	size_t		r;

	sh.r = sh.ar > sh.ma ? sh.ar : sh.ma;
	r = (size_t) sh.r;
	return missing ? ao_kalman_bytes(&sh, 1) :
		ao_pass_bytes(&sh, 1, 1) + ao_presample_bytes(&sh, 1) + ao_arena_round((size_t) sh.diff, sizeof(double)) +
		ao_arena_round(r * r, sizeof(double));
}

/* Polynomials of st into lane vectors. */
static void
broadcast(const AoState *st, AoVec *phi, AoVec *theta)
{
	for (int i = 0; i < st->shape.r; i++)
	{
		phi[i] = ao_splat(st->phi[i]);
		theta[i] = ao_splat(st->theta[i]);
	}
}

/* With missing values: the diffuse filter on the levels. */
static AoStatus
run_missing(AoState *st, const double *z, int64_t n, bool want_cov, double *residuals,
			AoArena *arena, AoEnv *env)
{
	AoKalman	kf;
	int			s = st->s;

	ao_kalman_init(&kf, &st->shape, 1, arena, env);
	broadcast(st, kf.phi, kf.theta);
	kf.variances = st->variances;
	AO_TRY(ao_kalman_start(&kf));
	AO_TRY(ao_kalman_pass(&kf, z, n, residuals));
	if (kf.n_diffuse < st->shape.diff)
		return ao_fail(env, AO_TOO_FEW_VALUES,
					   "missing values leave a season without any observation\n"
					   "Give a longer series or a model without seasonal differences.",
					   st->shape.diff, kf.n_diffuse);
	for (int i = 0; i < s; i++)
		st->a[i] = kf.a[i][0];
	if (!want_cov || kf.P_is_zero)
		st->P = NULL;
	else
		AO_TRY(ao_kalman_lane(&kf, st->P));
	return AO_OK;
}

/* Last levels into the state, last column of a complete series z[n]. */
static void
set_levels(AoState *st, const double *z, int64_t n)
{
	for (int i = 0; i < st->shape.diff; i++)
		st->a[st->shape.r + i] = z[n - 1 - i];
}

/* x_1 given the data, and columns Y[r][m] with Y Y' its covariance: Y = X R^-1. */
static void
smoothed_start(AoPresample *pre, double *x)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;

	for (int i = 0; i < r; i++)
	{
		double	   *y = pre->HX + i * m;

		memcpy(y, pre->X + i * m, (size_t) m * sizeof(double));
		x[i] = 0;
		for (int k = 0; k < m; k++)
		{
			for (int l = 0; l < k; l++)
				y[k] -= pre->M[l * m + k] * y[l];
			y[k] /= pre->M[k * m + k];
			x[i] += y[k] * pre->b[k];
		}
	}
}

/* One step of the columns y[r][m] of uncertainty, the value being known: e = -x[0]. */
static void
step_columns(const AoPresample *pre, double *y, int m)
{
	int			r = pre->shape->r;

	for (int k = 0; k < m; k++)
	{
		double		first = y[k];

		for (int i = 0; i < r; i++)
			y[i * m + k] = (i + 1 < r ? y[(i + 1) * m + k] : 0) - pre->theta1[i] * first;
	}
}

static double
largest_of(const double *y, int n)
{
	double		largest = 0;

	for (int i = 0; i < n; i++)
		largest = fmax(largest, fabs(y[i]));
	return largest;
}

/* The state after row n of the last column less gamma times the others: `known` for certain,
 * or HX a factor of its covariance. */
static AoStatus
end_of_presample(AoPresample *pre, const double *w, int64_t n, const double *gamma,
				   double *x, bool *known, AoEnv *env)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma,
				nb = pre->n_cols - 1;

	smoothed_start(pre, x);
	*known = false;
	for (int64_t t = 0; t < n; t++, w += nb + 1)
	{
		double		x0 = x[0],
					e = w[nb] - x0;

		for (int c = 0; c < nb; c++)
			e -= gamma[c] * w[c];
		for (int i = 0; i < r; i++)
			x[i] = (i + 1 < r ? x[i + 1] : 0) + pre->phi1[i] * x0 +
				(pre->phi1[i] + pre->theta1[i]) * e;
		if (!*known)
			step_columns(pre, pre->HX, m);
		if (t % 64 == 0)
		{
			AO_TRY(ao_poll(env));
			*known = largest_of(pre->HX, r * m) < SETTLED;
		}
	}
	return AO_OK;
}

/* Covariance of that state in units of sigma2: P with leading dimension ld. */
static void
presample_cov(const AoPresample *pre, double *P, int ld)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;

	for (int i = 0; i < r; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = 0; k < m; k++)
				sum += pre->HX[i * m + k] * pre->HX[j * m + k];
			P[i * ld + j] = P[j * ld + i] = sum;
		}
}

/* See internal.h. */
AoStatus
ao_state_from_presample(AoState *st, AoPresample *pre, const double *w, int64_t n,
						const double *gamma, AoEnv *env)
{
	bool		known;

	AO_TRY(ao_presample_rows(pre, w, n, gamma, NULL, env));
	AO_TRY(end_of_presample(pre, w, n, gamma, st->a, &known, env));
	if (known)
		st->P = NULL;
	else if (st->P)
		presample_cov(pre, st->P, st->s);
	return AO_OK;
}

static const char roots_too_close[] = "roots of the model are too close to the unit circle\n"
"Fit a model with fewer terms or more differences.";

/* The same where the fast recursions have lost their digits, unless they are lost there, too. */
static AoStatus
run_near_circle(AoState *st, const AoPass *ps, bool *had, AoArena *arena, AoEnv *env)
{
	AoPresample pre;
	const double no_gamma = 0;
	double		cross,
				log_f;

	ao_presample_init(&pre, &st->shape, 1, arena);
	broadcast(st, pre.phi, pre.theta);
	pre.variances = ps->variances;
	AO_TRY(ao_presample_run(&pre, ps->w, ps->n, 1, &cross, &log_f, env));
	*had = !isnan(log_f);
	if (!*had)
		return AO_OK;
	if (ps->residuals)
		return ao_presample_rows(&pre, ps->w, ps->n, &no_gamma, ps->residuals, env);
	return ao_state_from_presample(st, &pre, ps->w, ps->n, &no_gamma, env);
}

/* Complete: differences and the fast recursions. */
static AoStatus
run_complete(AoState *st, double *z, int64_t n, bool want_cov, double *residuals,
			 AoArena *arena, AoEnv *env)
{
	AoPass		ps;
	int			r = st->shape.r;
	double	   *cov = NULL;
	bool		had;

	set_levels(st, z, n);
	ao_pass_init(&ps, &st->shape, 1, 1, arena);
	broadcast(st, ps.phi, ps.theta);
	if (want_cov && st->P)
		cov = ao_arena_take(arena, (size_t) (r * r), sizeof(double));
	ps.want_state = true;
	ps.w = z;
	ps.n = n;
	AO_TRY(ao_difference(&st->shape.spec, z, &ps.n, 1, env));
	ps.residuals = residuals ? residuals + st->shape.diff : NULL;
	ps.variances = st->variances ? st->variances + st->shape.diff : NULL;
	for (int64_t t = 0; st->variances && t < n; t++)
		st->variances[t] = 1;
	for (int i = 0; residuals && i < st->shape.diff; i++)
		residuals[i] = NAN;
	ps.state_cov = cov;
	AO_TRY(ao_pass_exact(&ps, env));
	if (ao_presample_needed(&ps, cov != NULL))
	{
		AO_TRY(run_near_circle(st, &ps, &had, arena, env));
		if (had)
			return AO_OK;
	}
	if (isnan(ps.log_f[0][0]))
		return ao_fail(env, AO_BAD_MODEL, roots_too_close, 0, 0);
	for (int i = 0; i < r; i++)
		st->a[i] = ps.x[i][0];
	if (!cov || ps.steady)
		st->P = NULL;
	else
		for (int i = 0; i < r; i++)
			for (int j = 0; j <= i; j++)
				st->P[i * st->s + j] = st->P[j * st->s + i] = cov[i * r + j];
	return AO_OK;
}

/*
 * Filter z[n] (levels less regression; z is destroyed) from a stationary,
 * diffuse start.  st->P becomes NULL when the state is known for certain.
 */
AoStatus
ao_state_run(AoState *st, double *z, int64_t n, bool missing, bool want_cov,
			 double *residuals, AoArena *arena, AoEnv *env)
{
	if (missing)
		return run_missing(st, z, n, want_cov, residuals, arena, env);
	return run_complete(st, z, n, want_cov, residuals, arena, env);
}

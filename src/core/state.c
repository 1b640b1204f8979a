/*
 * state.c
 *		The state of one fitted model: what moves it and its covariance on, and what is had
 *		of a whole series from a fresh start: the state and one-step errors, by filter.c, or,
 *		where no covariance is wanted and no digits would be lost, by the fast recursions of
 *		pass.c.
 *
 * The state vector is that of kalman.c: the ARMA state, then the last levels.
 * Once the filter has settled and nothing is missing its covariance is zero and
 * not kept.
 */
#include "state.h"

#include <math.h>
#include <string.h>

/* From these variances of the AR and the MA part alone, in units of sigma2, pass.c loses digits:
 * more of a state than of the errors on the way, of which 11 are left (by a dense Gaussian in
 * 113 bits), and many would have to wait six times as long for the filter.  Then a state that is
 * filtered even if its covariance is not wanted; and one for which that is as cheap. */
#define EXACT_AR_VARIANCE 10
#define RESIDUALS_AR_VARIANCE 100
#define EXACT_MA_VARIANCE 3.5
#define SMALL 128
#define TINY 4

size_t
ao_state_bytes(const AoSpec *spec, bool cov)
{
	size_t		s = (size_t) ao_model_state_dim(spec);

	return ao_shape_bytes(spec) + 4 * ao_arena_round(s, sizeof(double)) +
		ao_arena_round(3 * s, sizeof(double)) +
		(cov ? ao_arena_round(s * s, sizeof(double)) : 0);
}

/* See state.h. */
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
	st->work = ao_arena_take(arena, 3 * s, sizeof(double));
	st->P = st->room = cov ? ao_arena_take(arena, s * s, sizeof(double)) : NULL;
	st->variances = NULL;
	st->lower = false;
	st->n_known = 0;
	st->t = 0;
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
	if (!model->has_state_cov)
		st->P = NULL;
	for (int i = 0; st->P && i < st->s; i++)
		for (int j = 0; j <= i; j++)
			st->P[i * st->s + j] = st->P[j * st->s + i] = *cov++;
	st->t = model->n;
	ao_filter_loaded(st);
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

/* v = A v with A = T, or T - G z' where the value is known: a_{t+1} = (T - G z') a_t + G y_t;
 * zv is z' v. */
static void
turn(const AoState *st, double *v, double zv, bool known)
{
	int			r = st->shape.r;

	ao_state_transition(st, v, zv);
	if (!known)
		return;
	for (int i = 0; i < r; i++)
		v[i] -= st->G[i] * zv;
	if (st->s > r)
		v[r] = 0;
}

/* to = next + phi first - g zP */
AO_CLONES static void
turn_row(double *to, const double *next, const double *first, double phi, const double *zP,
		 double g, int n)
{
	for (int j = 0; j < n; j++)
		to[j] = next[j] + phi * first[j] - g * zP[j];
}

/* The same of the columns of P, all at once, by rows. */
static AoStatus
turn_columns(AoState *st, bool known, AoPace *pace)
{
	int			s = st->s,
				r = st->shape.r;
	size_t		bytes = (size_t) s * sizeof(double);
	double	   *first = st->work,
			   *zP = st->work + s;

	memset(first, 0, 2 * bytes);
	if (r > 0)
	{
		memcpy(first, st->P, bytes);
		memcpy(zP, st->P, bytes);
	}
	for (int l = 0; l < st->shape.diff; l++)
		for (int j = 0; j < s && st->shape.delta[l] != 0; j++)
			zP[j] += st->shape.delta[l] * st->P[(size_t) (r + l) * s + j];
	for (int i = s - 1; i > r; i--)
		memcpy(st->P + (size_t) i * s, st->P + (size_t) (i - 1) * s, bytes);
	for (int j = 0; j < s && s > r; j++)
		st->P[(size_t) r * s + j] = known ? 0 : zP[j];
	for (int i = 0; i < r; i++)
	{
		double	   *row = st->P + (size_t) i * s,
				   *next = i + 1 < r ? row + s : memset(row, 0, bytes);

		turn_row(row, next, first, st->phi[i], zP, known ? st->G[i] : 0, s);
		AO_TRY(ao_pace(pace, s / 4));
	}
	return AO_OK;
}

/* See state.h. */
AoStatus
ao_state_turn_cov(AoState *st, bool known, AoPace *pace)
{
	for (int i = 0; i < st->s; i++)
	{
		double	   *row = st->P + (size_t) i * st->s;

		turn(st, row, ao_state_observe(st, row), known);
		AO_TRY(ao_pace(pace, st->s / 4));
	}
	return turn_columns(st, known, pace);
}

/* See state.h. */
AoStatus
ao_state_cov_step(AoState *st, AoPace *pace)
{
	AO_TRY(ao_state_turn_cov(st, false, pace));
	for (int i = 0; i < st->s; i++)
		for (int j = 0; j < st->s && st->G[i] != 0; j++)
			st->P[(size_t) i * st->s + j] += st->G[i] * st->G[j];
	return AO_OK;
}

size_t
ao_state_run_bytes(const AoSpec *spec, bool missing)
{
	AoShape		sh = {.ar = spec->p + spec->m * spec->P, .ma = spec->q + spec->m * spec->Q,
	.diff = spec->d + spec->m * spec->D};
	size_t		s;

	sh.r = sh.ar > sh.ma ? sh.ar : sh.ma;
	s = (size_t) (sh.r + sh.diff);
	return ao_pass_bytes(&sh, 1, 1) + ao_arena_round((size_t) sh.diff, sizeof(double)) +
		(missing ? ao_kalman_bytes(&sh, 1) : ao_presample_bytes(&sh, 1)) +
		(missing || s <= SMALL ? ao_arena_round(s * s, sizeof(double)) : 0);
}

/* See state.h. */
void
ao_state_broadcast(const AoState *st, AoVec *phi, AoVec *theta)
{
	for (int i = 0; i < st->shape.r; i++)
	{
		phi[i] = ao_splat(st->phi[i]);
		theta[i] = ao_splat(st->theta[i]);
	}
}

/* See state.h. */
void
ao_state_levels(AoState *st, const double *z, int64_t n)
{
	for (int i = 0; i < st->shape.diff; i++)
		st->a[st->shape.r + i] = z[n - 1 - i];
}

/* Residuals, or the state without its covariance, where the fast recursions have lost their
 * digits. */
static AoStatus
run_near_circle(AoState *st, const AoPass *ps, AoArena *arena, AoEnv *env)
{
	AoPresample pre;

	if (!ao_presample_serves(&st->shape))
		return ao_filter_too_close(env);
	ao_presample_init(&pre, &st->shape, 1, arena);
	ao_state_broadcast(st, pre.phi, pre.theta);
	pre.variances = ps->variances;
	if (!ao_presample_take(&pre))
		return ao_filter_too_close(env);
	AO_TRY(ao_presample_rows(&pre, ps->w, ps->n, ps->residuals, env));
	return ps->residuals ? AO_OK : ao_presample_state(&pre, ps->w, ps->n, st->a, NULL, 0, env);
}

/* Complete: differences and the fast recursions. */
static AoStatus
run_complete(AoState *st, double *z, int64_t n, double *residuals, AoArena *arena, AoEnv *env)
{
	AoPass		ps;

	ao_state_levels(st, z, n);
	ao_pass_init(&ps, &st->shape, 1, 1, arena);
	ao_state_broadcast(st, ps.phi, ps.theta);
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
	AO_TRY(ao_pass_exact(&ps, env));
	if (isnan(ps.log_f[0][0]))
		return run_near_circle(st, &ps, arena, env);
	for (int i = 0; i < st->shape.r; i++)
		st->a[i] = ps.x[i][0];
	return AO_OK;
}

/* The state and its covariance, and residuals unless they are NULL. */
static AoStatus
run_filter(AoState *st, const double *z, int64_t n, bool missing, double *residuals,
		   AoArena *arena, AoEnv *env)
{
	size_t		s = (size_t) st->s;
	AoPass		ps;
	AoPresample pre;
	AoKalman	kf;
	AoFilterSpace space = {&ps, &pre, NULL};

	ao_pass_init(&ps, &st->shape, 1, 1, arena);
	if (missing)
	{
		ao_kalman_init(&kf, &st->shape, 1, arena, env);
		space.kalman = &kf;
		space.presample = &kf.presample;
	}
	else
		ao_presample_init(&pre, &st->shape, 1, arena);
	if (!st->room)
		st->room = ao_arena_take(arena, s * s, sizeof(double));
	return ao_filter_run(st, z, n, residuals, &space, env);
}

/* May there be roots so close to the circle, or so many, that pass.c loses digits that the
 * filter keeps? */
static bool
may_be_near_circle(const AoState *st, double most_ar)
{
	int			r = st->shape.r;
	double		ma = 1,
				a[SMALL],
				pacf[SMALL];

	for (int i = 0; i < r; i++)
	{
		a[i] = st->phi[i];
		ma += st->theta[i] * st->theta[i];
	}
	return ma > EXACT_MA_VARIANCE || ao_ar_variance(a, st->shape.ar, pacf) > most_ar;
}

/* Is what is wanted of a complete series had of the filter, though no covariance is wanted?  Not
 * of long states, whose covariance takes the square of their memory. */
static bool
is_filtered(const AoState *st, bool residuals)
{
	if (st->shape.r == 0 || st->s > SMALL)
		return false;
	if (residuals)
		return may_be_near_circle(st, RESIDUALS_AR_VARIANCE);
	return st->shape.r <= TINY || may_be_near_circle(st, EXACT_AR_VARIANCE);
}

/*
 * Filter z[n] (levels less regression; z is destroyed) from a stationary,
 * diffuse start.  st->P becomes NULL when the state is known for certain, or its covariance
 * is not wanted.
 */
AoStatus
ao_state_run(AoState *st, double *z, int64_t n, bool missing, bool want_cov,
			 double *residuals, AoArena *arena, AoEnv *env)
{
	if (!(missing || want_cov || is_filtered(st, residuals != NULL)))
		return run_complete(st, z, n, residuals, arena, env);
	AO_TRY(run_filter(st, z, n, missing, residuals, arena, env));
	if (!want_cov)
		st->P = NULL;
	return AO_OK;
}

/*
 * covariance.c
 *		Standard errors: the inverse Hessian of minus the log-likelihood, sigma2
 *		concentrated out, in the natural coefficients and the regression
 *		coefficients together.
 *
 * The regression part is quadratic, so its block and the mixed one follow from
 * the cross products; only the ARMA block needs second differences, and their
 * points are evaluated many to a pass.
 */
#include "gap_columns.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#define STEP_IN_SE 0.01			/* of the longer ones */
#define LONG 1.2e8				/* multiplications of vectors for a whole Hessian: a tenth of a second */

typedef struct Work
{
	AoObjective *obj;
	int			k,
				nb,
				n_cross;		/* cross products of one point */
	const double *coef,
			   *gamma;
	double	   *h,				/* [k] steps */
			   *points,			/* [4k+2][k] */
			   *f,				/* [4k+2] */
			   *cross,			/* [4k+2][n_cross] */
			   *log_f,			/* [4k+2] */
			   *axis,			/* [2k] joint values at +-h_i */
			   *H,				/* [k+nb][k+nb] */
			   *coarse,			/* [k+nb][k+nb] with steps twice as long */
			   *J;				/* [nb][nb] d beta / d gamma */
	double		f0;
} Work;

size_t
ao_covariance_bytes(int k, int nb)
{
	size_t		K = (size_t) k,
				B = (size_t) nb,
				nc = B + 1,
				rows = 4 * K + 2;

	return ao_arena_round(K, sizeof(double)) + ao_arena_round(rows * K, sizeof(double)) +
		3 * ao_arena_round(rows, sizeof(double)) +
		ao_arena_round(rows * (nc * (nc + 1) / 2), sizeof(double)) +
		ao_arena_round((K + B) * (K + B + 1), sizeof(double)) +
		ao_arena_round((K + B) * (K + B), sizeof(double)) +
		ao_arena_round(B * B + B, sizeof(double));
}

static void
open_work(Work *w, AoObjective *obj, const double *coef, const double *gamma, AoArena *arena)
{
	size_t		K = (size_t) obj->shape->k,
				B = (size_t) obj->design->n_beta,
				rows = 4 * K + 2;

	w->obj = obj;
	w->k = (int) K;
	w->nb = (int) B;
	w->n_cross = (int) ((B + 1) * (B + 2) / 2);
	w->coef = coef;
	w->gamma = gamma;
	w->h = ao_arena_take(arena, K, sizeof(double));
	w->points = ao_arena_take(arena, rows * K, sizeof(double));
	w->f = ao_arena_take(arena, rows, sizeof(double));
	w->log_f = ao_arena_take(arena, rows, sizeof(double));
	w->axis = ao_arena_take(arena, rows, sizeof(double));
	w->cross = ao_arena_take(arena, rows * (size_t) w->n_cross, sizeof(double));
	w->H = ao_arena_take(arena, (K + B) * (K + B + 1), sizeof(double));
	w->coarse = ao_arena_take(arena, (K + B) * (K + B), sizeof(double));
	w->J = ao_arena_take(arena, B * B + B, sizeof(double));
}

/* Sum of squares at gamma from the cross products of a point. */
static double
sum_of_squares(const Work *w, const double *cross)
{
	int			nb = w->nb;
	const double *last = cross + nb * (nb + 1) / 2;
	double		S = last[nb];

	for (int i = 0; i < nb; i++)
	{
		S -= 2 * w->gamma[i] * last[i];
		for (int j = 0; j <= i; j++)
			S += (i == j ? 1 : 2) * w->gamma[i] * w->gamma[j] * cross[i * (i + 1) / 2 + j];
	}
	return S;
}

/* Minus the log-likelihood at gamma, up to a constant. */
static double
joint_value(const Work *w, const double *cross, double log_f)
{
	double		n = (double) w->obj->design->n_used;

	return 0.5 * n * log(sum_of_squares(w, cross)) + 0.5 * log_f;
}

/* Its gradient in gamma[j]. */
static double
joint_gradient(const Work *w, const double *cross, int j)
{
	int			nb = w->nb;
	double		sum = -cross[nb * (nb + 1) / 2 + j];

	for (int i = 0; i < nb; i++)
		sum += w->gamma[i] * cross[i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i];
	return (double) w->obj->design->n_used * sum / sum_of_squares(w, cross);
}

/* Values, at gamma, of the first n rows of points. */
static AoStatus
evaluate(Work *w, int n)
{
	AO_TRY(ao_objective(w->obj, w->points, n, w->f, w->cross, w->log_f));
	for (int i = 0; i < n; i++)
		w->f[i] = joint_value(w, w->cross + i * w->n_cross, w->log_f[i]);
	return AO_OK;
}

/* Row of points: the estimate moved by a along i and b along j. */
static void
put_point(const Work *w, int row, int i, double a, int j, double b)
{
	double	   *p = w->points + row * w->k;

	memcpy(p, w->coef, (size_t) w->k * sizeof(double));
	p[i] += a;
	p[j] += b;
}

/* Two points on each axis; w->axis gets their values. */
static AoStatus
evaluate_axes(Work *w)
{
	for (int i = 0; i < w->k; i++)
	{
		put_point(w, 2 * i, i, w->h[i], i, 0);
		put_point(w, 2 * i + 1, i, -w->h[i], i, 0);
	}
	AO_TRY(evaluate(w, 2 * w->k));
	memcpy(w->axis, w->f, (size_t) (2 * w->k) * sizeof(double));
	return AO_OK;
}

/* Steps that stay inside the region; false where there is no room. */
static bool
find_steps(Work *w)
{
	double		ar,
				ma;

	for (int i = 0; i < w->k; i++)
	{
		for (int side = -1; side <= 1; side += 2)
			for (;;)
			{
				memcpy(w->points, w->coef, (size_t) w->k * sizeof(double));
				w->points[i] += side * 2 * w->h[i];
				if (ao_interior(w->obj->shape, w->points, &ar, &ma))
					break;
				w->h[i] /= 2;
				if (w->h[i] < 1e-7)
					return false;
			}
	}
	return true;
}

/*
 * ARMA block of the Hessian: central differences of the central-difference
 * gradient, diagonal included.  Mixing three-point and four-point formulas would
 * cost fewer points, but their errors do not cancel along the near-singular
 * direction of AR roots close to the unit circle (there by several percent).
 */
static AoStatus
arma_block(Work *w)
{
	int			k = w->k,
				dim = k + w->nb;
	const double *h = w->h,
			   *f = w->f;

	for (int i = 0; i < k; i++)
	{
		put_point(w, 0, i, h[i], i, h[i]);
		put_point(w, 1, i, -h[i], i, -h[i]);
		for (int j = 0; j < i; j++)
			for (int c = 0; c < 4; c++)
				put_point(w, 2 + 4 * j + c, i, c < 2 ? h[i] : -h[i], j, c % 2 ? -h[j] : h[j]);
		AO_TRY(evaluate(w, 2 + 4 * i));
		w->H[i * dim + i] = (f[0] - 2 * w->f0 + f[1]) / (4 * h[i] * h[i]);
		for (int j = 0; j < i; j++)
		{
			const double *g = f + 2 + 4 * j;

			w->H[i * dim + j] = w->H[j * dim + i] =
				(g[0] - g[1] - g[2] + g[3]) / (4 * h[i] * h[j]);
		}
	}
	return AO_OK;
}

/* Mixed block, from the cross products on the axes (still in w->cross). */
static void
mixed_block(Work *w)
{
	int			dim = w->k + w->nb;

	for (int i = 0; i < w->k; i++)
		for (int j = 0; j < w->nb; j++)
			w->H[i * dim + w->k + j] = w->H[(w->k + j) * dim + i] =
				(joint_gradient(w, w->cross + 2 * i * w->n_cross, j) -
				 joint_gradient(w, w->cross + (2 * i + 1) * w->n_cross, j)) / (2 * w->h[i]);
}

/* Regression block: n A / S. */
static void
regression_block(Work *w, const double *cross)
{
	int			dim = w->k + w->nb;
	double		f = (double) w->obj->design->n_used / sum_of_squares(w, cross);

	for (int i = 0; i < w->nb; i++)
		for (int j = 0; j <= i; j++)
			w->H[(w->k + i) * dim + w->k + j] = w->H[(w->k + j) * dim + w->k + i] =
				f * cross[i * (i + 1) / 2 + j];
}

/*
 * The Hessian, by steps of two sizes: their errors go with the square of the step, so that
 * most of it is lost in 4/3 of one less 1/3 of the other (Richardson 1911).  Of parameters
 * that stand for each other the likelihood is a bent ridge, on which steps small enough
 * without that would have no digits left.
 */
static AoStatus
hessian(Work *w)
{
	int			k = w->k,
				n = (k + w->nb) * (k + w->nb);

	mixed_block(w);
	AO_TRY(arma_block(w));
	if (k == 0)
		return AO_OK;
	memcpy(w->coarse, w->H, (size_t) n * sizeof(double));
	for (int i = 0; i < k; i++)
		w->h[i] /= 2;
	AO_TRY(evaluate_axes(w));
	mixed_block(w);
	AO_TRY(arma_block(w));
	for (int i = 0; i < n; i++)
		w->H[i] = (4 * w->H[i] - w->coarse[i]) / 3;
	return AO_OK;
}

/* See internal.h. */
bool
ao_invert(double *H, int n, double *scale)
{
	for (int i = 0; i < n; i++)
	{
		if (!(H[i * n + i] > 0) || !isfinite(H[i * n + i]))
			return false;
		scale[i] = 1 / sqrt(H[i * n + i]);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			H[i * n + j] *= scale[i] * scale[j];
			if (!isfinite(H[i * n + j]))
				return false;
		}
	if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, H, n) != 0)
		return false;
	for (int i = 0; i < n; i++)
		if (H[i * n + i] < 1e-6)
			return false;
	if (LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'U', n, H, n) != 0)
		return false;
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			H[j * n + i] = H[i * n + j] *= scale[i] * scale[j];
	return true;
}

/* Rows and columns of gamma to those of the user's regressors: J C J'. */
static void
to_regressors(Work *w)
{
	const AoDesign *de = w->obj->design;
	int			nb = w->nb,
				k = w->k,
				dim = k + nb;
	double	   *tmp = w->J + nb * nb;

	/* J = scale R^-1, column by column */
	for (int c = 0; c < nb; c++)
		for (int i = nb - 1; i >= 0; i--)
		{
			double		sum = i == c ? de->scale : 0;

			for (int j = i + 1; j < nb; j++)
				sum -= de->R[i * nb + j] * w->J[j * nb + c];
			w->J[i * nb + c] = sum / de->R[i * nb + i];
		}
	for (int side = 0; side < 2; side++)
		for (int r = 0; r < dim; r++)
		{
			int			step = side ? dim : 1,
						base = side ? k * dim + r : r * dim + k;

			for (int i = 0; i < nb; i++)
			{
				tmp[i] = 0;
				for (int j = 0; j < nb; j++)
					tmp[i] += w->J[i * nb + j] * w->H[base + j * step];
			}
			for (int i = 0; i < nb; i++)
				w->H[base + i * step] = tmp[i];
		}
}

/* See internal.h. */
bool
ao_covariance_too_late(const AoObjective *obj)
{
	const AoDesign *de = obj->design;
	double		k = obj->shape->k + 1;

	return de->missing && ao_out_of_time(obj->deadline) &&
		(obj->columns ? ao_gap_columns_cost(obj->shape, de->n, de->n_missing) : ao_gap_filter_cost(obj->shape, de->n)) * k * k > LONG;
}

/* See internal.h. */
AoStatus
ao_covariance(AoObjective *obj, const double *coef, const double *gamma,
			  AoArena *arena, double *cov, bool *ok)
{
	Work		w;
	int			k = obj->shape->k,
				nb = obj->design->n_beta,
				dim = k + nb;

	*ok = dim == 0;
	if (dim == 0)
		return AO_OK;
	open_work(&w, obj, coef, gamma, arena);
	for (int i = 0; i < dim * (dim + 1) / 2; i++)
		cov[i] = NAN;
	memcpy(w.points, coef, (size_t) k * sizeof(double));
	AO_TRY(evaluate(&w, 1));
	w.f0 = w.f[0];
	regression_block(&w, w.cross);
	for (int i = 0; i < k; i++)
		w.h[i] = 1e-4;
	/* first a rough idea of the standard errors, then steps to match */
	for (int round = 0; round < 2 && k > 0; round++)
	{
		if (!find_steps(&w))
			return AO_OK;
		AO_TRY(evaluate_axes(&w));
		for (int i = 0; i < k && round == 0; i++)
		{
			double		d2 = (w.axis[2 * i] - 2 * w.f0 + w.axis[2 * i + 1]) / (w.h[i] * w.h[i]);

			w.h[i] = d2 > 1 ? STEP_IN_SE / sqrt(d2) : 1e-3;
		}
	}
	AO_TRY(hessian(&w));
	if (!ao_invert(w.H, dim, w.H + dim * dim))
		return AO_OK;
	to_regressors(&w);
	for (int i = 0; i < dim; i++)
		for (int j = 0; j <= i; j++)
			*cov++ = w.H[i * dim + j];
	*ok = true;
	return AO_OK;
}

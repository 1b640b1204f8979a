/*
 * presample.c
 *		Exact likelihood of a complete series for one parameter vector with roots
 *		so close to the unit circle that the recursions of pass.c lose digits.
 *
 * Given the state x_1 before the first value the innovations follow from the
 * difference equation,
 *		e = e0 - H x_1,		H[t][i] = -d e_t / d x_1[i] = pi_{t-i},
 * e0 those of x_1 = 0 and pi the weights of 1/theta(B); and x_1 = X xi, with xi
 * independent of unit variance: the innovations of u = w / theta(B), an AR process,
 * over the p + q steps before the series.  Then (Ljung & Box 1979, in another basis)
 *		M = I + X' H'H X,	sum of ln F = ln |M|,
 *		S = e0'e0 - b' M^-1 b,	b = X' H' e0,
 * in which nothing is subtracted that is larger than the data, however large the
 * variance of x_1.  Quadratic in r, so only for short states.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

#define LONGEST 40				/* state */
#define DECAYED 1e-18			/* weights that no sum will notice */
#define SETTLED 1e-9			/* standard error of the state */
#define LARGEST_VARIANCE 1e18	/* of u, in units of sigma2 */

/* Is the state short enough? */
bool
ao_presample_serves(const AoShape *shape)
{
	return shape->r > 0 && shape->r <= LONGEST;
}

size_t
ao_presample_bytes(const AoShape *shape, int n_cols)
{
	size_t		r = (size_t) shape->r,
				m = (size_t) (shape->ar + shape->ma),
				nc = (size_t) n_cols;

	if (!ao_presample_serves(shape))
		return 0;
	return 4 * ao_arena_round(r, sizeof(double)) +
		ao_arena_round(r + AO_BLOCK, sizeof(double)) +
		ao_arena_round((r + AO_BLOCK) * nc, sizeof(double)) +
		ao_arena_round(r * r, sizeof(double)) + 2 * ao_arena_round(m * m, sizeof(double)) +
		2 * ao_arena_round(r * m, sizeof(double)) + ao_arena_round(r * nc, sizeof(double)) +
		ao_arena_round(m * nc, sizeof(double));
}

void
ao_presample_init(AoPresample *pre, const AoShape *shape, int n_cols, AoArena *arena)
{
	size_t		r = (size_t) shape->r,
				m = (size_t) (shape->ar + shape->ma),
				nc = (size_t) n_cols;

	memset(pre, 0, sizeof *pre);
	pre->shape = shape;
	pre->n_cols = n_cols;
	if (!ao_presample_serves(shape))
		return;
	pre->phi = ao_arena_take(arena, r, sizeof(double));
	pre->theta = ao_arena_take(arena, r, sizeof(double));
	pre->pacf = ao_arena_take(arena, r, sizeof(double));
	pre->a = ao_arena_take(arena, r, sizeof(double));
	pre->pi = ao_arena_take(arena, r + AO_BLOCK, sizeof(double));
	pre->e = ao_arena_take(arena, (r + AO_BLOCK) * nc, sizeof(double));
	pre->HH = ao_arena_take(arena, r * r, sizeof(double));
	pre->U = ao_arena_take(arena, m * m, sizeof(double));
	pre->M = ao_arena_take(arena, m * m, sizeof(double));
	pre->X = ao_arena_take(arena, r * m, sizeof(double));
	pre->HX = ao_arena_take(arena, r * m, sizeof(double));
	pre->He = ao_arena_take(arena, r * nc, sizeof(double));
	pre->b = ao_arena_take(arena, m * nc, sizeof(double));
	memset(pre->phi, 0, r * sizeof(double));
	memset(pre->theta, 0, r * sizeof(double));
}

/* Is the MA part of any use? */
static bool
ma_in_bounds(const AoPresample *pre)
{
	double		variance = 1;

	for (int i = 0; i < pre->shape->ma; i++)
		variance += pre->theta[i] * pre->theta[i];
	return variance < AO_LARGEST_MA_VARIANCE;
}

/* Partial autocorrelations of phi; false outside the stationary region. */
static bool
step_down(AoPresample *pre)
{
	double	   *a = pre->a;

	memcpy(a, pre->phi, (size_t) pre->shape->ar * sizeof(double));
	for (int i = pre->shape->ar - 1; i >= 0; i--)
	{
		double		k = a[i],
					f = 1 / ((1 - k) * (1 + k));

		pre->pacf[i] = k;
		if (!(f > 0))
			return false;
		for (int j = 0; j < i / 2; j++)
		{
			double		lo = a[j],
						hi = a[i - 1 - j];

			a[j] = (lo + k * hi) * f;
			a[i - 1 - j] = (hi + k * lo) * f;
		}
		if (i % 2)
			a[i / 2] /= 1 - k;
	}
	return true;
}

/*
 * Rows of U, u over the m = p + q steps before the series by the innovations xi:
 * the predictors of growing order (Levinson's recursion), then the AR itself.
 * false where the variance is beyond reckoning.
 */
static bool
factor_presample(AoPresample *pre)
{
	int			p = pre->shape->ar,
				m = p + pre->shape->ma;
	double	   *U = pre->U,
			   *a = pre->a,
				v = 1;

	if (!step_down(pre))
		return false;
	for (int i = 0; i < p; i++)
		v /= (1 - pre->pacf[i]) * (1 + pre->pacf[i]);
	if (!(v < LARGEST_VARIANCE))
		return false;
	memset(U, 0, (size_t) (m * m) * sizeof(double));
	for (int i = 0; i < m; i++)
	{
		int			order = i < p ? i : p;

		for (int l = 0; l < order; l++)
			for (int c = 0; c < i; c++)
				U[i * m + c] += a[l] * U[(i - 1 - l) * m + c];
		U[i * m + i] = sqrt(v);
		if (i >= p)
			continue;
		/* a of order i to order i + 1 */
		for (int j = 0; j < i / 2; j++)
		{
			double		lo = a[j],
						hi = a[i - 1 - j];

			a[j] = lo - pre->pacf[i] * hi;
			a[i - 1 - j] = hi - pre->pacf[i] * lo;
		}
		if (i % 2)
			a[i / 2] -= pre->pacf[i] * a[i / 2];
		a[i] = pre->pacf[i];
		v *= (1 - pre->pacf[i]) * (1 + pre->pacf[i]);
	}
	return true;
}

/*
 * X: x_1[i] = sum over j > i of phi_j w_{1+i-j} + theta_j e_{1+i-j}, with
 * w = theta(B) u, and e of the last q steps the last q elements of xi.
 */
static void
state_by_presample(AoPresample *pre)
{
	const AoShape *sh = pre->shape;
	int			m = sh->ar + sh->ma;

	memset(pre->X, 0, (size_t) (sh->r * m) * sizeof(double));
	for (int l = 0; l < sh->n_ma_lags; l++)
		for (int j = sh->ma_lags[l], i = 0; i < j; i++)
			pre->X[i * m + m + i - j] += pre->theta[j - 1];
	for (int l = 0; l < sh->n_ar_lags; l++)
		for (int j = sh->ar_lags[l], i = 0; i < j; i++)
		{
			double	   *x = pre->X + i * m;
			const double *u = pre->U + (m + i - j) * m;

			for (int c = 0; c < m; c++)
			{
				double		w = u[c];

				for (int k = 0; k < sh->n_ma_lags; k++)
					w += pre->theta[sh->ma_lags[k] - 1] * u[c - sh->ma_lags[k] * m];
				x[c] += pre->phi[j - 1] * w;
			}
		}
}

/* Innovations of rows from..to-1 with x_1 = 0, behind r rows of history in e. */
static void
innovations(AoPresample *pre, const double *w, int64_t from, int64_t to)
{
	const AoShape *sh = pre->shape;
	int			nc = pre->n_cols;

	for (int64_t t = from; t < to; t++)
		for (int c = 0; c < nc; c++)
		{
			double	   *e = pre->e + (sh->r + t - from) * nc + c;
			double		sum = w[t * nc + c];

			for (int l = 0; l < sh->n_ar_lags && sh->ar_lags[l] <= t; l++)
				sum -= pre->phi[sh->ar_lags[l] - 1] * w[(t - sh->ar_lags[l]) * nc + c];
			for (int l = sh->n_ma_lags - 1; l >= 0; l--)
				sum -= pre->theta[sh->ma_lags[l] - 1] * e[-sh->ma_lags[l] * nc];
			e[0] = sum;
		}
}

/* Weights pi of the same steps, behind r of history; have they died away? */
static bool
weights(AoPresample *pre, int64_t from, int64_t to)
{
	const AoShape *sh = pre->shape;
	double		largest = 0;

	for (int64_t t = from; t < to; t++)
	{
		double	   *pi = pre->pi + sh->r + t - from;
		double		sum = t == 0;

		for (int l = sh->n_ma_lags - 1; l >= 0; l--)
			sum -= pre->theta[sh->ma_lags[l] - 1] * pi[-sh->ma_lags[l]];
		pi[0] = sum;
	}
	for (int i = 0; i < sh->r; i++)
		largest = fmax(largest, fabs(pre->pi[to - from + i]));
	return largest < DECAYED;
}

/* a' b over n steps */
static double
dot(const double *a, const double *b, int stride, int64_t n)
{
	double		sum = 0;

	for (int64_t t = 0; t < n; t++)
		sum += a[t] * b[t * stride];
	return sum;
}

/* Add a block's products: first row of H'H, and H'e. */
static void
add_products(AoPresample *pre, int64_t n)
{
	int			r = pre->shape->r,
				nc = pre->n_cols;
	const double *pi = pre->pi + r;

	for (int i = 0; i < r; i++)
	{
		pre->HH[i] += dot(pi - i, pi, 1, n);
		for (int c = 0; c < nc; c++)
			pre->He[i * nc + c] += dot(pi - i, pre->e + r * nc + c, nc, n);
	}
}

/* The rest of H'H, whose rows are shifted by one step each; pi of the last r steps
 * stands at the front. */
static void
complete_products(AoPresample *pre)
{
	int			r = pre->shape->r;
	const double *last = pre->pi + r - 1;

	for (int i = 1; i < r; i++)
		for (int j = i; j < r; j++)
			pre->HH[i * r + j] = pre->HH[j * r + i] = pre->HH[(i - 1) * r + j - 1] -
				last[1 - i] * last[1 - j];
	for (int i = 1; i < r; i++)
		pre->HH[i * r] = pre->HH[i];
}

/* One pass over the data: cross products of e0, H'H and H'e0. */
static AoStatus
pass_over(AoPresample *pre, const double *w, int64_t n, double *cross, AoEnv *env)
{
	size_t		r = (size_t) pre->shape->r,
				nc = (size_t) pre->n_cols;
	bool		decayed = false;

	memset(cross, 0, nc * (nc + 1) / 2 * sizeof(double));
	memset(pre->pi, 0, r * sizeof(double));
	memset(pre->e, 0, r * nc * sizeof(double));
	memset(pre->HH, 0, r * r * sizeof(double));
	memset(pre->He, 0, r * nc * sizeof(double));
	for (int64_t from = 0, to; from < n; from = to)
	{
		const double *e = pre->e + r * nc;
		int64_t		rows;

		to = from + AO_BLOCK < n ? from + AO_BLOCK : n;
		rows = to - from;
		innovations(pre, w, from, to);
		for (size_t c = 0, i = 0; c < nc; c++)
			for (size_t d = 0; d <= c; d++, i++)
				for (int64_t t = 0; t < rows; t++)
					cross[i] += e[t * (int64_t) nc + (int64_t) c] * e[t * (int64_t) nc + (int64_t) d];
		if (!decayed)
		{
			decayed = weights(pre, from, to);
			add_products(pre, rows);
			memmove(pre->pi, pre->pi + rows, r * sizeof(double));
		}
		memmove(pre->e, pre->e + rows * (int64_t) nc, r * nc * sizeof(double));
		AO_TRY(ao_poll(env));
	}
	complete_products(pre);
	return AO_OK;
}

/* out[rows][m] or its transpose times: b = X' v for each column of v[r][nc] */
static void
project(const AoPresample *pre, const double *v, int nc, double *out)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;

	memset(out, 0, (size_t) (m * nc) * sizeof(double));
	for (int i = 0; i < r; i++)
		for (int k = 0; k < m; k++)
			for (int c = 0; c < nc; c++)
				out[k * nc + c] += pre->X[i * m + k] * v[i * nc + c];
}

/* Cholesky factor of M, lower triangle; the sum of the logarithms of its squares. */
static double
factor_normal_matrix(AoPresample *pre)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;
	double		log_det = 0,
			   *M = pre->M;

	memset(pre->HX, 0, (size_t) (r * m) * sizeof(double));
	for (int i = 0; i < r; i++)
		for (int j = 0; j < r; j++)
			for (int k = 0; k < m; k++)
				pre->HX[i * m + k] += pre->HH[i * r + j] * pre->X[j * m + k];
	project(pre, pre->HX, m, M);
	for (int i = 0; i < m; i++)
	{
		M[i * m + i] += 1;
		for (int j = 0; j <= i; j++)
		{
			double		sum = M[i * m + j];

			for (int k = 0; k < j; k++)
				sum -= M[i * m + k] * M[j * m + k];
			M[i * m + j] = j < i ? sum / M[j * m + j] : sqrt(sum);
		}
		log_det += 2 * log(M[i * m + i]);
	}
	return log_det;
}

/* b = M^-1 b by halves: C b = b, for all columns. */
static void
forward(const AoPresample *pre)
{
	int			m = pre->shape->ar + pre->shape->ma,
				nc = pre->n_cols;

	for (int c = 0; c < nc; c++)
		for (int i = 0; i < m; i++)
		{
			double		sum = pre->b[i * nc + c];

			for (int k = 0; k < i; k++)
				sum -= pre->M[i * m + k] * pre->b[k * nc + c];
			pre->b[i * nc + c] = sum / pre->M[i * m + i];
		}
}

/* See internal.h. */
AoStatus
ao_presample_run(AoPresample *pre, const double *w, int64_t n, double *cross, double *log_f,
				 AoEnv *env)
{
	int			m = pre->shape->ar + pre->shape->ma,
				nc = pre->n_cols;

	*log_f = NAN;
	if (!ao_presample_serves(pre->shape) || !ma_in_bounds(pre) || !factor_presample(pre))
	{
		memset(cross, 0, (size_t) (nc * (nc + 1) / 2) * sizeof(double));
		return AO_OK;
	}
	state_by_presample(pre);
	AO_TRY(pass_over(pre, w, n, cross, env));
	*log_f = factor_normal_matrix(pre);
	project(pre, pre->He, nc, pre->b);
	forward(pre);
	for (int c = 0, i = 0; c < nc; c++)
		for (int d = 0; d <= c; d++, i++)
			for (int k = 0; k < m; k++)
				cross[i] -= pre->b[k * nc + c] * pre->b[k * nc + d];
	return AO_OK;
}

/* x_1 given the data, and columns Y[r][m] with Y Y' its covariance: Y = X C'^-1.
 * The series is the last column less gamma times the others. */
static void
smoothed_start(AoPresample *pre, const double *gamma, double *x)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma,
				nb = pre->n_cols - 1;

	for (int i = 0; i < r; i++)
	{
		double	   *y = pre->HX + i * m;

		memcpy(y, pre->X + i * m, (size_t) m * sizeof(double));
		x[i] = 0;
		for (int k = 0; k < m; k++)
		{
			double		b = pre->b[k * (nb + 1) + nb];

			for (int c = 0; c < nb; c++)
				b -= gamma[c] * pre->b[k * (nb + 1) + c];
			for (int l = 0; l < k; l++)
				y[k] -= pre->M[k * m + l] * y[l];
			y[k] /= pre->M[k * m + k];
			x[i] += y[k] * b;
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
			y[i * m + k] = (i + 1 < r ? y[(i + 1) * m + k] : 0) - pre->theta[i] * first;
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

/* See internal.h. */
AoStatus
ao_presample_state(AoPresample *pre, const double *w, int64_t n, const double *gamma,
				   double *x, bool *known, AoEnv *env)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma,
				nb = pre->n_cols - 1;

	smoothed_start(pre, gamma, x);
	*known = false;
	for (int64_t t = 0; t < n; t++, w += nb + 1)
	{
		double		x0 = x[0],
					e = w[nb] - x0;

		for (int c = 0; c < nb; c++)
			e -= gamma[c] * w[c];
		for (int i = 0; i < r; i++)
			x[i] = (i + 1 < r ? x[i + 1] : 0) + pre->phi[i] * x0 +
				(pre->phi[i] + pre->theta[i]) * e;
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
void
ao_presample_cov(const AoPresample *pre, double *P, int ld)
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

/* Rotate row[m], e into the triangle R and its right side z; what is left of e. */
static double
rotate_in(double *R, double *z, double *row, double e, int m)
{
	for (int k = 0; k < m; k++)
	{
		double		length = hypot(R[k * m + k], row[k]),
					c = R[k * m + k] / length,
					s = row[k] / length,
					old = z[k];

		if (s == 0)
			continue;
		for (int l = k; l < m; l++)
		{
			double		upper = R[k * m + l];

			R[k * m + l] = c * upper + s * row[l];
			row[l] = c * row[l] - s * upper;
		}
		z[k] = c * old + s * e;
		e = c * e - s * old;
	}
	return e;
}

/*
 * See internal.h.  Least squares for xi, one row at a time by Givens rotations;
 * what is left of each row's right side is its one-step error over the root of its
 * variance (Golub 1965; Gentleman 1973).
 */
AoStatus
ao_presample_residuals(AoPresample *pre, const double *w, int64_t n, double *residuals,
					   AoEnv *env)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;
	double	   *R = pre->M,
			   *row = pre->U,
			   *z = pre->b;
	bool		decayed = false;

	memset(pre->pi, 0, (size_t) r * sizeof(double));
	memset(pre->e, 0, (size_t) r * sizeof(double));
	memset(R, 0, (size_t) (m * m) * sizeof(double));
	memset(z, 0, (size_t) m * sizeof(double));
	for (int k = 0; k < m; k++)
		R[k * m + k] = 1;
	for (int64_t t = 0; t < n; t++)
	{
		innovations(pre, w, t, t + 1);
		residuals[t] = pre->e[r];
		memmove(pre->e, pre->e + 1, (size_t) r * sizeof(double));
		if (!decayed)
		{
			decayed = weights(pre, t, t + 1);
			memset(row, 0, (size_t) m * sizeof(double));
			for (int i = 0; i < r; i++)
				for (int k = 0; k < m; k++)
					row[k] += pre->pi[r - i] * pre->X[i * m + k];
			residuals[t] = rotate_in(R, z, row, residuals[t], m);
			memmove(pre->pi, pre->pi + 1, (size_t) r * sizeof(double));
		}
		if (t % 64 == 0)
			AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

/*
 * presample.c
 *		Exact likelihood of a complete series for parameter vectors with roots so
 *		close to the unit circle that the recursions of pass.c lose digits.
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
#define LARGEST_VARIANCE 1e14	/* of u, in units of sigma2 */
#define LARGEST_PRODUCTS 5e8	/* in an element of M, to its pivot */
#define FEWEST_DIGITS 1e-11		/* of the sum of squares before x_1 is accounted for */

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
	return 3 * ao_arena_round(r, sizeof(AoVec)) + 4 * ao_arena_round(r, sizeof(double)) +
		ao_arena_round(r + AO_BLOCK, sizeof(AoVec)) +
		ao_arena_round((r + AO_BLOCK) * nc, sizeof(AoVec)) +
		ao_arena_round(r * nc, sizeof(AoVec)) +
		ao_arena_round(nc * (nc + 1) / 2, sizeof(AoVec)) +
		ao_arena_round(r * r, sizeof(double)) + 2 * ao_arena_round(m * m, sizeof(double)) +
		2 * ao_arena_round(r * m, sizeof(double)) + ao_arena_round(m * nc, sizeof(double));
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
	pre->phi = ao_arena_take(arena, r, sizeof(AoVec));
	pre->theta = ao_arena_take(arena, r, sizeof(AoVec));
	pre->pi_pi = ao_arena_take(arena, r, sizeof(AoVec));
	pre->phi1 = ao_arena_take(arena, r, sizeof(double));
	pre->theta1 = ao_arena_take(arena, r, sizeof(double));
	pre->pacf = ao_arena_take(arena, r, sizeof(double));
	pre->a = ao_arena_take(arena, r, sizeof(double));
	pre->pi = ao_arena_take(arena, r + AO_BLOCK, sizeof(AoVec));
	pre->e = ao_arena_take(arena, (r + AO_BLOCK) * nc, sizeof(AoVec));
	pre->pi_e = ao_arena_take(arena, r * nc, sizeof(AoVec));
	pre->e_e = ao_arena_take(arena, nc * (nc + 1) / 2, sizeof(AoVec));
	pre->HH = ao_arena_take(arena, r * r, sizeof(double));
	pre->U = ao_arena_take(arena, m * m, sizeof(double));
	pre->M = ao_arena_take(arena, m * m, sizeof(double));
	pre->X = ao_arena_take(arena, r * m, sizeof(double));
	pre->HX = ao_arena_take(arena, r * m, sizeof(double));
	pre->b = ao_arena_take(arena, m * nc, sizeof(double));
	memset(pre->phi, 0, r * sizeof(AoVec));
	memset(pre->theta, 0, r * sizeof(AoVec));
}

/* Is the MA part of any use? */
static bool
ma_in_bounds(const AoPresample *pre)
{
	double		variance = 1;

	for (int i = 0; i < pre->shape->ma; i++)
		variance += pre->theta1[i] * pre->theta1[i];
	return variance < AO_LARGEST_MA_VARIANCE;
}

/* Partial autocorrelations pacf[p] of an AR polynomial a[p], which is destroyed; false
 * outside the stationary region. */
static bool
step_down(double *a, int p, double *pacf)
{
	for (int i = p - 1; i >= 0; i--)
	{
		double		k = a[i],
					f = 1 / ((1 - k) * (1 + k));

		pacf[i] = k;
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

/* See internal.h. */
double
ao_ar_variance(double *a, int p, double *pacf)
{
	double		variance = 1;

	if (!step_down(a, p, pacf))
		return HUGE_VAL;
	for (int i = 0; i < p; i++)
		variance /= (1 - pacf[i]) * (1 + pacf[i]);
	return variance;
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
				v;

	memcpy(a, pre->phi1, (size_t) p * sizeof(double));
	v = ao_ar_variance(a, p, pre->pacf);
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

/* w = theta(B) u of the last ar of the m steps, to the last rows of w[r][m]. */
static void
last_values(const AoPresample *pre, double *restrict w)
{
	const AoShape *sh = pre->shape;
	int			m = sh->ar + sh->ma;

	for (int i = m - sh->ar; i < m; i++)
	{
		const double *u = pre->U + i * m;
		double	   *row = w + (sh->r + i - m) * m;

		memcpy(row, u, (size_t) m * sizeof(double));
		for (int k = 0; k < sh->n_ma_lags; k++)
		{
			double		theta = pre->theta1[sh->ma_lags[k] - 1];

			for (int c = 0; c < m; c++)
				row[c] += theta * u[c - sh->ma_lags[k] * m];
		}
	}
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
	last_values(pre, pre->HX);
	for (int l = 0; l < sh->n_ma_lags; l++)
		for (int j = sh->ma_lags[l], i = 0; i < j; i++)
			pre->X[i * m + m + i - j] += pre->theta1[j - 1];
	for (int l = 0; l < sh->n_ar_lags; l++)
		for (int j = sh->ar_lags[l], i = 0; i < j; i++)
		{
			double	   *restrict x = pre->X + i * m;
			const double *w = pre->HX + (sh->r + i - j) * m,
						phi = pre->phi1[j - 1];

			for (int c = 0; c < m; c++)
				x[c] += phi * w[c];
		}
}

/* Innovations of rows from..to-1 with x_1 = 0, behind r rows of history in e. */
AO_INLINE void
innovations_steps(AoPresample *pre, const double *w, int64_t from, int64_t to)
{
	const AoShape *sh = pre->shape;
	int			nc = pre->n_cols;

	for (int64_t t = from; t < to; t++)
		for (int c = 0; c < nc; c++)
		{
			AoVec	   *e = pre->e + (sh->r + t - from) * nc + c,
						sum = ao_splat(w[t * nc + c]);

			for (int l = 0; l < sh->n_ar_lags && sh->ar_lags[l] <= t; l++)
				sum -= pre->phi[sh->ar_lags[l] - 1] * w[(t - sh->ar_lags[l]) * nc + c];
			for (int l = sh->n_ma_lags - 1; l >= 0; l--)
				sum -= pre->theta[sh->ma_lags[l] - 1] * e[-sh->ma_lags[l] * nc];
			e[0] = sum;
		}
}

AO_CLONES static void
innovations(AoPresample *pre, const double *w, int64_t from, int64_t to)
{
	innovations_steps(pre, w, from, to);
}

/* Weights pi of the same steps, behind r of history; have they died away? */
AO_INLINE bool
weights_steps(AoPresample *pre, int64_t from, int64_t to)
{
	const AoShape *sh = pre->shape;
	AoVec		squares = ao_splat(0);

	for (int64_t t = from; t < to; t++)
	{
		AoVec	   *pi = pre->pi + sh->r + t - from,
					sum = ao_splat(t == 0);

		for (int l = sh->n_ma_lags - 1; l >= 0; l--)
			sum -= pre->theta[sh->ma_lags[l] - 1] * pi[-sh->ma_lags[l]];
		pi[0] = sum;
	}
	for (int i = 0; i < sh->r; i++)
		squares += pre->pi[to - from + i] * pre->pi[to - from + i];
	for (int j = 0; j < AO_LANES; j++)
		if (!(squares[j] < DECAYED * DECAYED))
			return false;
	return true;
}

AO_CLONES static bool
weights(AoPresample *pre, int64_t from, int64_t to)
{
	return weights_steps(pre, from, to);
}

/* sum += a' b over n steps */
AO_INLINE void
add_dot(const AoVec *a, const AoVec *b, int stride, int64_t n, AoVec *sum)
{
	AoVec		even = ao_splat(0),
				odd = ao_splat(0);
	int64_t		t = 0;

	for (; t + 2 <= n; t += 2)
	{
		even += a[t] * b[t * stride];
		odd += a[t + 1] * b[(t + 1) * stride];
	}
	*sum += t < n ? even + odd + a[t] * b[t * stride] : even + odd;
}

/* Add n steps' products of pi: first row of H'H, and H'e. */
AO_CLONES static void
add_products(AoPresample *pre, int64_t n)
{
	int			r = pre->shape->r,
				nc = pre->n_cols;
	const AoVec *pi = pre->pi + r;

	for (int i = 0; i < r; i++)
	{
		add_dot(pi - i, pi, 1, n, &pre->pi_pi[i]);
		for (int c = 0; c < nc; c++)
			add_dot(pi - i, pre->e + r * nc + c, nc, n, &pre->pi_e[i * nc + c]);
	}
}

/* Add n steps' cross products of the innovations. */
AO_CLONES static void
add_squares(AoPresample *pre, int64_t n)
{
	int			nc = pre->n_cols;
	const AoVec *e = pre->e + pre->shape->r * nc;

	for (int c = 0, i = 0; c < nc; c++)
		for (int d = 0; d <= c; d++, i++)
			for (int64_t t = 0; t < n; t++)
				pre->e_e[i] += e[t * nc + c] * e[t * nc + d];
}

/* Nothing seen yet. */
static void
clear(AoPresample *pre)
{
	size_t		r = (size_t) pre->shape->r,
				nc = (size_t) pre->n_cols;

	memset(pre->pi, 0, r * sizeof(AoVec));
	memset(pre->e, 0, r * nc * sizeof(AoVec));
	memset(pre->pi_pi, 0, r * sizeof(AoVec));
	memset(pre->pi_e, 0, r * nc * sizeof(AoVec));
	memset(pre->e_e, 0, nc * (nc + 1) / 2 * sizeof(AoVec));
}

/* One pass over the data for all lanes. */
static AoStatus
pass_over(AoPresample *pre, const double *w, int64_t n, AoEnv *env)
{
	int			r = pre->shape->r,
				nc = pre->n_cols;
	bool		decayed = false;

	clear(pre);
	for (int64_t from = 0, to; from < n; from = to)
	{
		int64_t		rows;

		to = from + AO_BLOCK < n ? from + AO_BLOCK : n;
		rows = to - from;
		innovations(pre, w, from, to);
		add_squares(pre, rows);
		if (!decayed)
		{
			decayed = weights(pre, from, to);
			add_products(pre, rows);
			memmove(pre->pi, pre->pi + rows, (size_t) r * sizeof(AoVec));
		}
		memmove(pre->e, pre->e + rows * nc, (size_t) (r * nc) * sizeof(AoVec));
		AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

/* One lane's H'H: the rows after the first are shifted by one step each; pi of the
 * last r steps stands at the front. */
static void
take_products(AoPresample *pre, int lane)
{
	int			r = pre->shape->r;
	const AoVec *last = pre->pi + r;

	for (int i = 0; i < r; i++)
		for (int j = i; j < r; j++)
			pre->HH[i * r + j] = pre->HH[j * r + i] = i == 0 ? pre->pi_pi[j][lane] :
				pre->HH[(i - 1) * r + j - 1] - last[-i][lane] * last[-j][lane];
}

/* b = X' H' e of one lane. */
static void
project_innovations(const AoPresample *pre, int lane)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma,
				nc = pre->n_cols;

	memset(pre->b, 0, (size_t) (m * nc) * sizeof(double));
	for (int i = 0; i < r; i++)
		for (int k = 0; k < m; k++)
			for (int c = 0; c < nc; c++)
				pre->b[k * nc + c] += pre->X[i * m + k] * pre->pi_e[i * nc + c][lane];
}

/* The products of which diagonal element k of X' H'H X is the sum, without their signs. */
static double
sum_of_products(const AoPresample *pre, int k)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;
	double		sum = 0;

	for (int i = 0; i < r; i++)
		for (int j = 0; j < r; j++)
			sum += fabs(pre->X[i * m + k] * pre->HH[i * r + j] * pre->X[j * m + k]);
	return sum;
}

/* Cholesky factor of M, lower triangle; the sum of the logarithms of its squares, or NaN
 * where M is what rounding has left of much larger numbers: AR and MA roots that nearly
 * cancel, several of them in one place near the circle. */
static double
factor_normal_matrix(AoPresample *pre)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;
	const double *X = pre->X;
	double		log_det = 0,
			   *restrict HX = pre->HX,
			   *restrict M = pre->M;

	memset(HX, 0, (size_t) (r * m) * sizeof(double));
	for (int i = 0; i < r; i++)
		for (int j = 0; j < r; j++)
			for (int k = 0; k < m; k++)
				HX[i * m + k] += pre->HH[i * r + j] * X[j * m + k];
	memset(M, 0, (size_t) (m * m) * sizeof(double));
	for (int i = 0; i < r; i++)
		for (int k = 0; k < m; k++)
			for (int c = 0; c <= k; c++)
				M[k * m + c] += X[i * m + k] * HX[i * m + c];
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
		if (!(sum_of_products(pre, i) < LARGEST_PRODUCTS * M[i * m + i] * M[i * m + i]))
			return NAN;
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

/* The coefficients of one lane; false if nothing can be reckoned with them. */
static bool
take_lane(AoPresample *pre, const AoVec *phi, const AoVec *theta, int lane)
{
	for (int i = 0; i < pre->shape->r; i++)
	{
		pre->phi1[i] = phi[i][lane];
		pre->theta1[i] = theta[i][lane];
	}
	if (!ma_in_bounds(pre) || !factor_presample(pre))
		return false;
	state_by_presample(pre);
	return true;
}

/* See internal.h. */
bool
ao_presample_take(AoPresample *pre)
{
	return take_lane(pre, pre->phi, pre->theta, 0);
}

/* See internal.h. */
void
ao_presample_start_cov(AoPresample *pre, const AoVec *phi, const AoVec *theta, int lane,
					   double *P, int ld, int out)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;
	bool		taken = take_lane(pre, phi, theta, lane);

	for (int i = 0; i < r; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = taken ? 0 : NAN;

			for (int k = 0; taken && k < m; k++)
				sum += pre->X[i * m + k] * pre->X[j * m + k];
			P[(i * ld + j) * out] = P[(j * ld + i) * out] = sum;
		}
}

/* One lane's result out of the sums of the pass. */
static void
finish_lane(AoPresample *pre, int lane, double *cross, double *log_f)
{
	int			m = pre->shape->ar + pre->shape->ma,
				nc = pre->n_cols;

	*log_f = NAN;
	memset(cross, 0, (size_t) (nc * (nc + 1) / 2) * sizeof(double));
	if (!take_lane(pre, pre->phi, pre->theta, lane))
		return;
	take_products(pre, lane);
	*log_f = factor_normal_matrix(pre);
	project_innovations(pre, lane);
	forward(pre);
	for (int c = 0, i = 0; c < nc; c++)
		for (int d = 0; d <= c; d++, i++)
		{
			cross[i] = pre->e_e[i][lane];
			for (int k = 0; k < m; k++)
				cross[i] -= pre->b[k * nc + c] * pre->b[k * nc + d];
			if (c == d && !(cross[i] > FEWEST_DIGITS * pre->e_e[i][lane]))
				cross[i] = NAN;
		}
}

/* See internal.h. */
bool
ao_presample_digits(const AoPresample *pre, int lane, const double *gamma, double S)
{
	double		before = 0;

	for (int c = 0, i = 0; c < pre->n_cols; c++)
		for (int d = 0; d <= c; d++, i++)
			before += (c == d ? 1 : 2) * (c == pre->n_cols - 1 ? 1 : -gamma[c]) *
				(d == pre->n_cols - 1 ? 1 : -gamma[d]) * pre->e_e[i][lane];
	return S > FEWEST_DIGITS * before;
}

/* See internal.h. */
AoStatus
ao_presample_run(AoPresample *pre, const double *w, int64_t n, int n_points, double *cross,
				 double *log_f, AoEnv *env)
{
	int			nc = pre->n_cols;

	AO_TRY(pass_over(pre, w, n, env));
	for (int lane = 0; lane < n_points; lane++)
		finish_lane(pre, lane, cross + lane * (nc * (nc + 1) / 2), log_f + lane);
	return AO_OK;
}

/* See internal.h. */
void
ao_presample_first_row(AoPresample *pre)
{
	clear(pre);
}

/* See internal.h. */
void
ao_presample_next_row(AoPresample *pre, const double *w, int64_t t, bool *decayed)
{
	int			r = pre->shape->r,
				nc = pre->n_cols;

	if (t > 0)
	{
		memmove(pre->e, pre->e + nc, (size_t) (r * nc) * sizeof(AoVec));
		memmove(pre->pi, pre->pi + 1, (size_t) r * sizeof(AoVec));
	}
	innovations(pre, w, t, t + 1);
	if (!*decayed)
		*decayed = weights(pre, t, t + 1);
}

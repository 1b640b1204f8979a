/*
 * exact.c
 *		Exact Gaussian likelihood of a seasonal ARIMA model by Cholesky
 *		factors of covariance matrices.
 *
 * Complete series: the differenced values w are transformed to z_t = w_t for
 * t < r = max(p, q) and z_t = phi(B) w_t after, whose covariance is banded
 * (Ansley 1979, Biometrika 66).  Series with gaps: the dense covariance of
 * the observed levels given the first d + D*m levels; those of them that are
 * missing have a flat prior, which gives the diffuse likelihood without the
 * ln(2 pi) of its diffuse terms.  Regression by generalised least squares.
 */
#include "exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

/* Near the unit circle the digits of a double are too few for the stationary
 * start; the rows after it have variances of order one and need no more. */
typedef long double Real;

struct ExactProblem
{
	AoSpec		spec;
	bool		dense;
	int			n;				/* rows of columns */
	int			n_used;			/* n - flat */
	int			k;				/* columns of regressors, flat ones included */
	int			flat;			/* of these: the first are missing initial levels */
	int			p, q;			/* after expansion */
	int			order;			/* d + D*m */
	int			span;			/* dense: levels from the first observed one on */
	int			block;			/* rows that depend on the stationary start: r, or all if dense */
	int		   *time;			/* dense: index of the level in row i */
	Real	   *poly;			/* (1-B)^d (1-B^m)^D, order + 1 */
	double	   *columns;		/* (k + 1) x n: regressors, then the series */
	Real	   *ar;				/* 1 - sum ar[j] B^j, ar[0] unused */
	Real	   *ma;				/* 1 + sum ma[j] B^j */
	Real	   *gamma;			/* autocovariances in units of sigma2 */
	Real	   *psi;
	Real	   *ma_cov;			/* autocovariances 0..q of the MA part alone */
	Real	   *cross_cov;		/* of w_t and theta(B) e_{t+j}, j = 0..q */
	Real	   *system;			/* (p + 1) x (p + 2) */
	Real	   *cov;			/* dense: span x span */
	Real	   *start_factor;	/* block x block */
	Real	   *start_solved;	/* (k + 1) x block */
	double	   *start;			/* block x block: start_factor rounded */
	double	   *factor;			/* n x (q + 1): rows after the block, from column t - q on */
	double	   *solved;			/* (k + 1) x n */
};

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

static Real *
reals(size_t n)
{
	Real	   *block = calloc(n + 1, sizeof(Real));

	if (block == NULL)
		die("out of memory%s", "");
	return block;
}

static double *
doubles(size_t n)
{
	double	   *numbers = calloc(n + 1, sizeof(double));

	if (numbers == NULL)
		die("out of memory%s", "");
	return numbers;
}

int
exact_arma_count(const ExactProblem *e)
{
	return e->spec.p + e->spec.q + e->spec.P + e->spec.Q;
}

int
exact_n_used(const ExactProblem *e)
{
	return e->n_used;
}

/* Divides x[from..n) by the differencing polynomial in place: levels from differences. */
static void
integrate(const ExactProblem *e, Real *x, int stride, int from, int n)
{
	for (int t = from; t < n; t++)
		for (int j = 1; j <= e->order && j <= t; j++)
			x[(size_t) t * stride] -= e->poly[j] * x[(size_t) (t - j) * stride];
}

static void
differencing_polynomial(ExactProblem *e)
{
	int			length = 1;

	e->poly = reals(e->order + 1);
	e->poly[0] = 1;
	for (int i = 0; i < e->spec.d + e->spec.D; i++)
	{
		int			lag = i < e->spec.d ? 1 : e->spec.m;

		for (int j = length - 1; j >= 0; j--)
			e->poly[j + lag] -= e->poly[j];
		length += lag;
	}
}

/*
 * Mean, drift, xreg and the series itself as columns of n levels, with `before`
 * zero columns in front; *k is their number without the series.
 */
static Real *
level_columns(const AoSpec *spec, const double *y, int n, const double *xreg, int kx,
			  int before, int *k)
{
	Real	   *columns = reals((size_t) n * (before + kx + 3));
	Real	   *c = columns + (size_t) n * before;

	for (int t = 0; t < n && (spec->constant & AO_CONSTANT_MEAN); t++)
		c[t] = 1;
	c += (spec->constant & AO_CONSTANT_MEAN) ? n : 0;
	for (int t = 0; t < n && (spec->constant & AO_CONSTANT_DRIFT); t++)
		c[t] = t + 1;
	c += (spec->constant & AO_CONSTANT_DRIFT) ? n : 0;
	for (int j = 0; j < kx; j++, c += n)
		for (int t = 0; t < n; t++)
			c[t] = xreg[(size_t) t * kx + j];
	for (int t = 0; t < n; t++)
		c[t] = y[t];
	*k = (int) ((c - columns) / n);
	return columns;
}

/* Complete series: every column differenced. */
static void
prepare_banded(ExactProblem *e, const double *y, int n, const double *xreg, int kx)
{
	Real	   *levels = level_columns(&e->spec, y, n, xreg, kx, 0, &e->k);

	e->n = e->n_used = n - e->order;
	e->columns = doubles((size_t) e->n * (e->k + 1));
	for (int c = 0; c <= e->k; c++)
		for (int t = 0; t < e->n; t++)
			for (int j = 0; j <= e->order; j++)
				e->columns[(size_t) c * e->n + t] +=
					e->poly[j] * levels[(size_t) c * n + t + e->order - j];
	free(levels);
	e->block = larger(e->p, e->q) < e->n ? larger(e->p, e->q) : e->n;
}

/*
 * Series with gaps, levels[] as from level_columns for the span: takes out
 * what follows from the observed ones of the first d + D*m levels, and puts
 * the paths that follow from the missing ones in the first columns.
 */
static void
condition_on_start(ExactProblem *e, Real *levels)
{
	Real	   *path = reals(e->span);
	const Real *y = levels + (size_t) e->k * e->span;
	int			flat = 0;

	for (int s = e->order - 1; s >= 0; s--)
	{
		memset(path, 0, e->span * sizeof(Real));
		path[s] = 1;
		integrate(e, path, 1, e->order, e->span);
		if (isnan(y[s]))
			memcpy(levels + (size_t) flat++ * e->span, path, e->span * sizeof(Real));
		else
			for (int c = e->flat; c <= e->k; c++)
			{
				Real		start = levels[(size_t) c * e->span + s];

				for (int t = e->order; t < e->span; t++)
					levels[(size_t) c * e->span + t] -= start * path[t];
			}
	}
	free(path);
}

/* Series with gaps: rows are the observed levels after the first d + D*m of the span. */
static void
prepare_dense(ExactProblem *e, const double *y, int n, const double *xreg, int kx)
{
	Real	   *levels;
	int			first = 0;

	while (first < n && isnan(y[first]))
		first++;
	e->span = n - first;
	for (int s = 0; s < e->order; s++)
		e->flat += isnan(y[first + s]);
	levels = level_columns(&e->spec, y + first, e->span, xreg ? xreg + (size_t) first * kx : NULL,
						   kx, e->flat, &e->k);
	condition_on_start(e, levels);
	e->time = calloc(e->span + 1, sizeof(int));
	for (int t = e->order; t < e->span; t++)
		if (!isnan(y[first + t]))
			e->time[e->n++] = t;
	e->columns = doubles((size_t) e->n * (e->k + 1));
	for (int c = 0; c <= e->k; c++)
		for (int i = 0; i < e->n; i++)
			e->columns[(size_t) c * e->n + i] = levels[(size_t) c * e->span + e->time[i]];
	free(levels);
	e->n_used = e->n - e->flat;
	e->block = e->n;
	e->cov = reals((size_t) e->span * e->span);
}

ExactProblem *
exact_new(const double *y, int64_t n, const double *xreg, int kx, const AoSpec *spec)
{
	ExactProblem *e = calloc(1, sizeof(ExactProblem));
	bool		gaps = false;

	if (e == NULL)
		die("out of memory%s", "");
	e->spec = *spec;
	e->p = spec->p + spec->m * spec->P;
	e->q = spec->q + spec->m * spec->Q;
	e->order = spec->d + spec->D * spec->m;
	differencing_polynomial(e);
	for (int64_t t = 0; t < n; t++)
		gaps = gaps || isnan(y[t]);
	e->dense = gaps;
	if (gaps)
		prepare_dense(e, y, (int) n, xreg, kx);
	else
		prepare_banded(e, y, (int) n, xreg, kx);
	e->ar = reals(e->p + 1);
	e->ma = reals(e->q + 1);
	e->psi = reals(e->q + 1);
	e->ma_cov = reals(e->q + 1);
	e->cross_cov = reals(e->q + 1);
	e->gamma = reals(larger(larger(e->p, e->q), e->span) + 1);
	e->system = reals((size_t) (e->p + 1) * (e->p + 2));
	e->start_factor = reals((size_t) e->block * e->block);
	e->start_solved = reals((size_t) e->block * (e->k + 1));
	e->start = doubles((size_t) e->block * e->block);
	e->factor = doubles((size_t) e->n * (e->q + 1));
	e->solved = doubles((size_t) e->n * (e->k + 1));
	return e;
}

void
exact_free(ExactProblem *e)
{
	free(e->time);
	free(e->poly);
	free(e->columns);
	free(e->ar);
	free(e->ma);
	free(e->psi);
	free(e->ma_cov);
	free(e->cross_cov);
	free(e->gamma);
	free(e->system);
	free(e->cov);
	free(e->start_factor);
	free(e->start_solved);
	free(e->start);
	free(e->factor);
	free(e->solved);
	free(e);
}

/* Product of a plain and a seasonal polynomial, out[0..p+m*P]; sign -1 for AR. */
static void
expand(Real *out, const double *plain, int p, const double *seasonal, int P, int m, Real sign)
{
	memset(out, 0, (p + m * P + 1) * sizeof(Real));
	for (int i = 0; i <= P; i++)
		for (int j = 0; j <= p; j++)
			out[i * m + j] += (i ? sign * seasonal[i - 1] : 1) * (j ? sign * plain[j - 1] : 1);
	for (int j = 1; j <= p + m * P; j++)
		out[j] *= sign;
}

/* Gaussian elimination with row pivoting of n x (n + 1); the solution in the last column. */
static int
solve_system(Real *a, int n)
{
	int			w = n + 1;

	for (int c = 0; c < n; c++)
	{
		int			best = c;

		for (int i = c + 1; i < n; i++)
			if (fabsl(a[i * w + c]) > fabsl(a[best * w + c]))
				best = i;
		if (a[best * w + c] == 0)
			return 0;
		for (int j = c; j < w && best != c; j++)
		{
			Real		swap = a[best * w + j];

			a[best * w + j] = a[c * w + j];
			a[c * w + j] = swap;
		}
		for (int i = 0; i < n; i++)
		{
			Real		f = i == c ? 0 : a[i * w + c] / a[c * w + c];

			for (int j = c; j < w && f != 0; j++)
				a[i * w + j] -= f * a[c * w + j];
		}
	}
	for (int i = 0; i < n; i++)
		a[i * w + n] /= a[i * w + i];
	return 1;
}

/* psi weights and the covariances with the MA part, lags 0..q. */
static void
moving_average_covariances(ExactProblem *e)
{
	for (int j = 0; j <= e->q; j++)
	{
		e->psi[j] = j ? e->ma[j] : 1;
		for (int i = 1; i <= e->p && i <= j; i++)
			e->psi[j] += e->ar[i] * e->psi[j - i];
	}
	for (int k = 0; k <= e->q; k++)
	{
		e->ma_cov[k] = e->cross_cov[k] = 0;
		for (int j = k; j <= e->q; j++)
		{
			Real		ma = j ? e->ma[j] : 1;

			e->cross_cov[k] += ma * e->psi[j - k];
			e->ma_cov[k] += ma * (j - k ? e->ma[j - k] : 1);
		}
	}
}

/* Autocovariances 0..max(p, q, span) of the ARMA part by the Yule-Walker equations. */
static int
autocovariances(ExactProblem *e)
{
	int			p = e->p,
				w = p + 2;

	moving_average_covariances(e);
	memset(e->system, 0, sizeof(Real) * (p + 1) * w);
	for (int k = 0; k <= p; k++)
	{
		e->system[k * w + k] += 1;
		for (int j = 1; j <= p; j++)
			e->system[k * w + abs(k - j)] -= e->ar[j];
		e->system[k * w + p + 1] = k <= e->q ? e->cross_cov[k] : 0;
	}
	if (!solve_system(e->system, p + 1))
		return 0;
	for (int k = 0; k <= larger(larger(p, e->q), e->span); k++)
	{
		e->gamma[k] = k <= p ? e->system[k * w + p + 1] : k <= e->q ? e->cross_cov[k] : 0;
		for (int j = 1; j <= p && k > p; j++)
			e->gamma[k] += e->ar[j] * e->gamma[k - j];
	}
	return e->gamma[0] > 0;
}

/* Dense form: covariance of all levels of the span, given the first d + D*m. */
static void
dense_covariance(ExactProblem *e)
{
	int			n = e->span,
				o = e->order;

	memset(e->cov, 0, sizeof(Real) * n * n);
	for (int t = o; t < n; t++)
		for (int s = o; s < n; s++)
			e->cov[(size_t) t * n + s] = e->gamma[abs(t - s)];
	for (int t = o; t < n; t++)
		integrate(e, e->cov + (size_t) t * n, 1, o, n);
	for (int t = o; t < n; t++)
		integrate(e, e->cov + t, n, o, n);
}

/* Covariance of rows t and s of the block. */
static Real
start_covariance(const ExactProblem *e, int t, int s)
{
	return e->dense ? e->cov[(size_t) e->time[t] * e->span + e->time[s]] : e->gamma[t - s];
}

/* Cholesky factor of the block; 0 if it is not positive definite. */
static int
factor_start(ExactProblem *e, double *log_det)
{
	int			b = e->block;

	for (int t = 0; t < b; t++)
	{
		Real	   *row = e->start_factor + (size_t) t * b;

		for (int s = 0; s <= t; s++)
		{
			const Real *other = e->start_factor + (size_t) s * b;
			Real		sum = start_covariance(e, t, s);

			for (int k = 0; k < s; k++)
				sum -= row[k] * other[k];
			if (s == t && !(sum > 0))
				return 0;
			row[s] = s == t ? sqrtl(sum) : sum / other[s];
			e->start[(size_t) t * b + s] = (double) row[s];
		}
		*log_det += 2 * log((double) row[t]);
	}
	return 1;
}

/* All columns of the block, solved by its factor. */
static void
solve_start(ExactProblem *e)
{
	int			b = e->block;

	for (int c = 0; c <= e->k; c++)
		for (int t = 0; t < b; t++)
		{
			const Real *row = e->start_factor + (size_t) t * b;
			Real	   *u = e->start_solved + (size_t) c * b;
			Real		z = e->columns[(size_t) c * e->n + t];

			for (int s = 0; s < t; s++)
				z -= row[s] * u[s];
			u[t] = z / row[t];
			e->solved[(size_t) c * e->n + t] = (double) u[t];
		}
}

/* Row t after the block: covariance q steps back with the block or with rows like itself. */
static int
factor_row(ExactProblem *e, int t)
{
	int			q = e->q,
				from = t - q;
	double	   *row = e->factor + (size_t) t * (q + 1);

	for (int s = from; s <= t; s++)
	{
		bool		in_block = s < e->block;
		const double *other = in_block ? e->start + (size_t) s * e->block
			: e->factor + (size_t) s * (q + 1);
		int			shift = in_block ? 0 : s - q;
		double		sum = (double) (in_block ? e->cross_cov[t - s] : e->ma_cov[t - s]);

		for (int k = larger(from, shift); k < s; k++)
			sum -= row[k - from] * other[k - shift];
		if (s == t && !(sum > 0))
			return 0;
		row[s - from] = s == t ? sqrt(sum) : sum / other[s - shift];
	}
	return 1;
}

/* phi(B) of column c at row t, solved by the rows so far. */
static double
solve_row(const ExactProblem *e, int c, int t)
{
	const double *x = e->columns + (size_t) c * e->n;
	const double *u = e->solved + (size_t) c * e->n;
	const double *row = e->factor + (size_t) t * (e->q + 1);
	double		z = x[t];

	for (int j = 1; j <= e->p; j++)
		z -= (double) e->ar[j] * x[t - j];
	for (int s = t - e->q; s < t; s++)
		z -= row[s - t + e->q] * u[s];
	return z / row[e->q];
}

/* Factor and all columns solved by it; *log_det is ln of the determinant. */
static int
factor_and_solve(ExactProblem *e, double *log_det)
{
	*log_det = 0;
	if (!factor_start(e, log_det))
		return 0;
	solve_start(e);
	for (int t = e->block; t < e->n; t++)
	{
		if (!factor_row(e, t))
			return 0;
		*log_det += 2 * log(e->factor[(size_t) (t + 1) * (e->q + 1) - 1]);
		for (int c = 0; c <= e->k; c++)
			e->solved[(size_t) c * e->n + t] = solve_row(e, c, t);
	}
	return 1;
}

/* u - f v, of n elements */
static void
subtract(double *u, double f, const double *v, int n)
{
	for (int t = 0; t < n; t++)
		u[t] -= f * v[t];
}

static double
dot(const double *u, const double *v, int n)
{
	double		sum = 0;

	for (int t = 0; t < n; t++)
		sum += u[t] * v[t];
	return sum;
}

/*
 * Residual sum of squares of the last solved column on the first k others
 * (modified Gram-Schmidt); *log_det takes up the flat columns.
 */
static double
residual_squares(ExactProblem *e, int k, double *log_det)
{
	int			n = e->n;
	double	   *y = e->solved + (size_t) e->k * n;

	for (int c = 0; c < k; c++)
	{
		const double *u = e->solved + (size_t) c * n;
		double		norm = dot(u, u, n);

		if (c < e->flat)
			*log_det += log(norm);
		for (int o = c + 1; o <= e->k; o++)
		{
			double	   *v = e->solved + (size_t) o * n;

			subtract(v, dot(u, v, n) / norm, u, n);
		}
	}
	return dot(y, y, n);
}

/* Everything up to the regression, which beta[] (or NULL) settles. */
static double
loglik_with(ExactProblem *e, const double *arma, const double *beta)
{
	const AoSpec *s = &e->spec;
	const double *sar = arma + s->p + s->q;
	const double ln_2pi = 1.8378770664093454836;
	double		log_det,
				rss;

	expand(e->ar, arma, s->p, sar, s->P, s->m, -1);
	expand(e->ma, arma + s->p, s->q, sar + s->P, s->Q, s->m, 1);
	if (!autocovariances(e))
		return -INFINITY;
	if (e->dense)
		dense_covariance(e);
	if (!factor_and_solve(e, &log_det))
		return -INFINITY;
	for (int c = e->flat; beta != NULL && c < e->k; c++)
		subtract(e->solved + (size_t) e->k * e->n, beta[c - e->flat],
				 e->solved + (size_t) c * e->n, e->n);
	rss = residual_squares(e, beta != NULL ? e->flat : e->k, &log_det);
	return -0.5 * (e->n_used * (ln_2pi + log(rss / e->n_used) + 1) + log_det);
}

double
exact_loglik(ExactProblem *e, const double *arma)
{
	return loglik_with(e, arma, NULL);
}

double
exact_loglik_at(ExactProblem *e, const double *coef)
{
	return loglik_with(e, coef, coef + exact_arma_count(e));
}

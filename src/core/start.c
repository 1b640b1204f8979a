/*
 * start.c
 *		Stationary start of the filter: variance of the first innovation and
 *		the first gain, for four parameter vectors at a time.
 *
 * The autocovariances come from the AR polynomial's partial autocorrelations
 * (reverse Levinson) and the MA polynomial's own autocovariances, so memory is
 * O(r), not the r^4 of solving for the state covariance (Gardner 1980).
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* Of the AR part's variance and of the defect, in units of sigma2: where there is
 * a way around a bad start, and where there is none. */
static const double largest_variance[2] = {1e10, 1e7};
static const double largest_defect[2] = {1e-5, 1e-9};


/* Vectors of scratch needed: psi, a, k, c, gamma of u, gamma of w. */
size_t
ao_start_scratch(const AoShape *shape)
{
	size_t		p = (size_t) shape->ar,
				q = (size_t) shape->ma;

	return q + 1 + 2 * p + 1 + q + 1 + (p + q + 2) + p + 1;
}

/* Partial autocorrelations k[n] of an AR polynomial a[n] (a is destroyed). */
AO_INLINE AoStatus
vec_step_down(AoVec *a, AoVec *k, int n, AoPace *pace)
{
	for (int i = n - 1; i >= 0; i--)
	{
		AoVec		f;

		k[i] = a[i];
		f = 1.0 / (1.0 - k[i] * k[i]);
		for (int j = 0; j < i / 2; j++)
		{
			AoVec		lo = a[j],
						hi = a[i - 1 - j];

			a[j] = (lo + k[i] * hi) * f;
			a[i - 1 - j] = (hi + k[i] * lo) * f;
		}
		if (i % 2)
			a[i / 2] = a[i / 2] * (1.0 + k[i]) * f;
		AO_TRY(ao_pace(pace, i));
	}
	return AO_OK;
}

/* Autocovariances g[0..n] of an AR(n) process with unit innovations from its
 * partial autocorrelations; a[n] is work and ends as the AR coefficients. */
AO_INLINE AoStatus
vec_ar_autocov(const AoVec *k, AoVec *a, AoVec *g, int n, AoPace *pace)
{
	AoVec		v = ao_splat(1);

	for (int i = 0; i < n; i++)
		v /= (1.0 - k[i]) * (1.0 + k[i]);
	g[0] = v;
	for (int i = 0; i < n; i++)
	{
		AoVec		next = k[i] * v;

		for (int j = 0; j < i; j++)
			next += a[j] * g[i - j];
		g[i + 1] = next;
		for (int j = 0; j < i / 2; j++)
		{
			AoVec		lo = a[j],
						hi = a[i - 1 - j];

			a[j] = lo - k[i] * hi;
			a[i - 1 - j] = hi - k[i] * lo;
		}
		if (i % 2)
			a[i / 2] -= k[i] * a[i / 2];
		a[i] = k[i];
		v *= (1.0 - k[i]) * (1.0 + k[i]);
		AO_TRY(ao_pace(pace, 2 * i));
	}
	return AO_OK;
}

/* Zero in every lane? */
AO_INLINE bool
is_zero(const AoVec *x)
{
	return (*x)[0] == 0 && (*x)[1] == 0 && (*x)[2] == 0 && (*x)[3] == 0;
}

/* psi weights 0..n-1 of the ARMA polynomial pair. */
AO_INLINE void
vec_psi(const AoShape *sh, const AoVec *phi, const AoVec *theta, int stride,
		AoVec *psi, int n)
{
	for (int i = 0; i < n; i++)
	{
		AoVec		sum = ao_splat(i == 0);

		if (i > 0 && i <= sh->ma)
			sum += theta[(i - 1) * stride];
		for (int j = 0; j < sh->n_ar_lags && sh->ar_lags[j] <= i; j++)
			sum += phi[(sh->ar_lags[j] - 1) * stride] * psi[i - sh->ar_lags[j]];
		psi[i] = sum;
	}
}

/* Autocovariances c[0..ma] of the MA polynomial, innovations variance one. */
AO_INLINE void
vec_ma_autocov(const AoShape *sh, const AoVec *theta, int stride, AoVec *c)
{
	const int  *lags = sh->ma_lags;

	memset(c, 0, (size_t) (sh->ma + 1) * sizeof(AoVec));
	c[0] += 1.0;
	for (int i = 0; i < sh->n_ma_lags; i++)
	{
		AoVec		ti = theta[(lags[i] - 1) * stride];

		c[lags[i]] += ti;
		for (int j = 0; j <= i; j++)
			c[lags[i] - lags[j]] += ti * theta[(lags[j] - 1) * stride];
	}
}

/* gamma_w(0..p-1) of the ARMA process into gw, by c and the AR part's gu.  With a season
 * most of c is zero. */
AO_INLINE AoStatus
vec_arma_autocov(const AoShape *sh, const AoVec *phi, int stride, const AoVec *c,
				 AoVec *gu, AoVec *gw, AoPace *pace)
{
	int			p = sh->ar,
				q = sh->ma;

	for (int i = p + 1; i <= p - 1 + q; i++)
	{
		AoVec		sum = ao_splat(0);

		for (int j = 0; j < sh->n_ar_lags; j++)
			sum += phi[(sh->ar_lags[j] - 1) * stride] * gu[i - sh->ar_lags[j]];
		gu[i] = sum;
	}
	for (int i = 0; i < p; i++)
		gw[i] = c[0] * gu[i];
	for (int l = 1; l <= q; l++)
	{
		if (is_zero(&c[l]))
			continue;
		for (int i = 0; i < p; i++)
			gw[i] += c[l] * (gu[i + l] + gu[i > l ? i - l : l - i]);
		AO_TRY(ao_pace(pace, p));
	}
	return AO_OK;
}

/* K[i] = Cov(x_{t+1}[i], w_t) = sum_{j>i} phi_j gamma(j-i-1) + theta_j psi(j-i-1),
 * lags j counted from one. */
AO_INLINE void
vec_first_gain(const AoShape *sh, const AoVec *phi, const AoVec *theta, int stride,
			   const AoVec *gw, const AoVec *psi, AoVec *K)
{
	for (int i = 0; i < sh->r; i++)
		K[i * stride] = ao_splat(0);
	for (int l = 0; l < sh->n_ar_lags; l++)
	{
		int			j = sh->ar_lags[l];
		AoVec		coef = phi[(j - 1) * stride];

		for (int i = 0; i < j; i++)
			K[i * stride] += coef * gw[j - i - 1];
	}
	for (int l = 0; l < sh->n_ma_lags; l++)
	{
		int			j = sh->ma_lags[l];
		AoVec		coef = theta[(j - 1) * stride];

		for (int i = 0; i < j; i++)
			K[i * stride] += coef * psi[j - i - 1];
	}
}

/*
 * How far K and F are from solving P = T P T' + g g': the diagonal of that
 * equation, summed over the state, in which everything but K, F and the
 * coefficients cancels.  Absolute, so in units of sigma2.
 */
AO_INLINE void
vec_defect(const AoShape *sh, const AoVec *phi, const AoVec *theta, int stride,
		   const AoVec *K, const AoVec *F, AoVec *defect)
{
	AoVec		P = *F - 1.0,
				sum = -P;

	for (int i = 0; i < sh->r; i++)
	{
		AoVec		a = phi[i * stride],
					g = a + theta[i * stride];

		sum += 2.0 * a * (K[i * stride] - a * P - g) + a * a * P + g * g;
	}
	*defect = sum;
}

AO_CLONES static AoStatus
stationary_start(const AoShape *sh, const AoVec *phi, const AoVec *theta,
				 int stride, bool strict, AoVec *K, AoVec *F, AoVec *scratch, AoPace *pace)
{
	int			p = sh->ar,
				q = sh->ma;
	AoVec	   *psi = scratch,
			   *a = psi + q + 1,
			   *k = a + p,
			   *c = k + p + 1,
			   *gu = c + q + 1,
			   *gw = gu + p + q + 2;

	vec_psi(sh, phi, theta, stride, psi, q);
	vec_ma_autocov(sh, theta, stride, c);
	if (p > 0)
	{
		for (int i = 0; i < p; i++)
			a[i] = phi[i * stride];
		AO_TRY(vec_step_down(a, k, p, pace));
		AO_TRY(vec_ar_autocov(k, a, gu, p, pace));
		AO_TRY(vec_arma_autocov(sh, phi, stride, c, gu, gw, pace));
		*F = gw[0];
	}
	else
		*F = c[0];
	for (int j = 0; j < AO_LANES; j++)
		if (!(c[0][j] < AO_LARGEST_MA_VARIANCE))
			(*F)[j] = NAN;
	vec_first_gain(sh, phi, theta, stride, gw, psi, K);
	if (p > 0)
	{
		/* AR roots so close to the circle that too few digits are left */
		AoVec		defect;

		vec_defect(sh, phi, theta, stride, K, F, &defect);
		for (int j = 0; j < AO_LANES; j++)
			if (!(fabs(defect[j]) < largest_defect[strict]) ||
				!(gu[0][j] < largest_variance[strict]))
				(*F)[j] = NAN;
	}
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_stationary_start(const AoShape *sh, const AoVec *phi, const AoVec *theta,
					int stride, bool strict, AoVec *K, AoVec *F, AoVec *scratch, AoPace *pace)
{
	return stationary_start(sh, phi, theta, stride, strict, K, F, scratch, pace);
}

/*
 * See internal.h.  K = T P e1 + g gives the first column of P, and
 * P = T P T' + g g' the rest from its last row upwards.
 */
AoStatus
ao_stationary_cov(const AoShape *sh, const double *phi, const double *theta,
				  const double *K, int in, double F, double *P, int ld, int out, AoPace *pace)
{
	int			r = sh->r;
	double		P00 = F - 1;

#define AT(i, j) P[((size_t) (i) * ld + (j)) * out]
#define PHI(i) phi[(i) * in]
#define GAIN(i) (phi[(i) * in] + theta[(i) * in])
	AT(0, 0) = P00;
	for (int i = 1; i < r; i++)
		AT(i, 0) = AT(0, i) = K[(i - 1) * in] - PHI(i - 1) * P00 - GAIN(i - 1);
	for (int i = r - 1; i >= 1; i--)
	{
		for (int j = r - 1; j >= i; j--)
		{
			double		Pi = i + 1 < r ? AT(i + 1, 0) : 0,
						Pj = j + 1 < r ? AT(0, j + 1) : 0,
						next = i + 1 < r && j + 1 < r ? AT(i + 1, j + 1) : 0;

			AT(i, j) = AT(j, i) = next + PHI(j) * Pi + PHI(i) * Pj +
				PHI(i) * PHI(j) * P00 + GAIN(i) * GAIN(j);
		}
		AO_TRY(ao_pace(pace, r - i));
	}
	return AO_OK;
#undef AT
#undef PHI
#undef GAIN
}

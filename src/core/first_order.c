/*
 * first_order.c
 *		Exact likelihood of models with one AR and one MA coefficient at most,
 *		for one, two or four vectors of parameters.
 *
 * Their state has one element, x_t the prediction of w_t, and all that is not
 * known is x_1.  With the innovations e0_t of a run from x_1 = c those from
 * c + d are e0_t - pi_t d, where pi_t = (-theta)^(t-1), and x_1 itself is
 * distributed as N(0, sigma2 P), P = (phi + theta)^2/(1 - phi^2).  So with
 * A = sum pi_t^2 the sum of squares is least at d = (sum pi e0 - c/P)/(A + 1/P):
 *		S = sum e0^2 + c^2/P - (sum pi e0 - c/P)^2/(A + 1/P),
 *		sum ln F = ln(1 + P A)
 * (the presample form of Ljung & Box 1979, in one dimension).  No covariance is
 * followed, nothing is divided, and with c = w_1 where P is large, 0 elsewhere, d
 * is of the innovations' size: no digits are lost near the unit circle either.
 */
#include "internal.h"

#include <math.h>

#define LARGEST_VARIANCE 1e14	/* of x_1, in units of sigma2 */
#define DECAYED 1e-10			/* weights that no sum will notice */

/*
 * What AoPass keeps of it: L the weights pi, F their squares' sum, K the variance P,
 * x the origins c of the columns; in e the last innovations of all columns and, after these,
 * the sums of pi e0.
 */

/* Variance of the first state of a lane; NaN where there is none. */
static double
first_variance(double phi, double theta)
{
	double		variance = (phi + theta) * (phi + theta) / ((1 - phi) * (1 + phi));

	return variance >= 0 && variance < LARGEST_VARIANCE ? variance : NAN;
}

/* See internal.h. */
void
ao_first_order_start(AoPass *ps)
{
	const int	nv = ps->n_vecs,
				nc = ps->n_cols;
	AoVec	   *e = ps->e,
			   *pi_e = ps->e + nc * nv;

	for (int v = 0; v < nv; v++)
	{
		for (int j = 0; j < AO_LANES; j++)
		{
			double		P = first_variance(ps->phi[v][j], ps->theta[v][j]);

			ps->K[v][j] = P;
			for (int c = 0; c < nc; c++)
				ps->x[c * nv + v][j] = P > 1 ? ps->w[c] : 0;
		}
		for (int c = 0; c < nc; c++)
		{
			e[c * nv + v] = pi_e[c * nv + v] = ps->w[c] - ps->x[c * nv + v];
			for (int b = 0; b <= c; b++)
				ps->cross[(c * (c + 1) / 2 + b) * nv + v] = e[c * nv + v] * e[b * nv + v];
		}
		ps->F[v] = ao_splat(1);
		ps->L[v] = -ps->theta[v];
	}
}

/* Rows from..to-1 of a single column, all that goes from row to row in registers. */
AO_INLINE void
rows_single(AoPass *ps, int64_t from, int64_t to, const int nv)
{
	const double *w = ps->w;
	AoVec		phi[AO_MAX_VECS],
				theta[AO_MAX_VECS],
				pi[AO_MAX_VECS],
				e[AO_MAX_VECS],
				e_e[AO_MAX_VECS],
				pi_e[AO_MAX_VECS],
				pi_pi[AO_MAX_VECS];

	for (int v = 0; v < nv; v++)
	{
		phi[v] = ps->phi[v];
		theta[v] = ps->theta[v];
		pi[v] = ps->L[v];
		e[v] = ps->e[v];
		e_e[v] = ps->cross[v];
		pi_e[v] = ps->e[nv + v];
		pi_pi[v] = ps->F[v];
	}
	for (int64_t t = from; t < to; t++)
		for (int v = 0; v < nv; v++)
		{
			e[v] = w[t] - phi[v] * w[t - 1] - theta[v] * e[v];
			e_e[v] += e[v] * e[v];
			pi_e[v] += pi[v] * e[v];
			pi_pi[v] += pi[v] * pi[v];
			pi[v] *= -theta[v];
		}
	for (int v = 0; v < nv; v++)
	{
		ps->L[v] = pi[v];
		ps->e[v] = e[v];
		ps->cross[v] = e_e[v];
		ps->e[nv + v] = pi_e[v];
		ps->F[v] = pi_pi[v];
	}
}

/* The same for several columns. */
AO_INLINE void
rows_columns(AoPass *ps, int64_t from, int64_t to, const int nv)
{
	const int	nc = ps->n_cols;
	AoVec	   *e = ps->e,
			   *pi_e = ps->e + nc * nv;

	for (int64_t t = from; t < to; t++)
	{
		const double *w = ps->w + t * nc;

		for (int c = 0; c < nc; c++)
			for (int v = 0; v < nv; v++)
			{
				AoVec	   *last = &e[c * nv + v];

				*last = w[c] - ps->phi[v] * w[c - nc] - ps->theta[v] * *last;
				pi_e[c * nv + v] += ps->L[v] * *last;
				for (int b = 0; b <= c; b++)
					ps->cross[(c * (c + 1) / 2 + b) * nv + v] += *last * e[b * nv + v];
			}
		for (int v = 0; v < nv; v++)
		{
			ps->F[v] += ps->L[v] * ps->L[v];
			ps->L[v] *= -ps->theta[v];
		}
	}
}

AO_INLINE void
rows(AoPass *ps, int64_t from, int64_t to, const int nv)
{
	if (ps->n_cols == 1)
		rows_single(ps, from, to, nv);
	else
		rows_columns(ps, from, to, nv);
}

AO_CLONES static void
rows1(AoPass *ps, int64_t from, int64_t to)
{
	rows(ps, from, to, 1);
}

AO_CLONES static void
rows2(AoPass *ps, int64_t from, int64_t to)
{
	rows(ps, from, to, 2);
}

AO_CLONES static void
rows4(AoPass *ps, int64_t from, int64_t to)
{
	rows(ps, from, to, 4);
}

/* See internal.h. */
void
ao_first_order_rows(AoPass *ps, int64_t from, int64_t to)
{
	if (ps->n_vecs == 1)
		rows1(ps, from, to);
	else if (ps->n_vecs == 2)
		rows2(ps, from, to);
	else
		rows4(ps, from, to);
}

/* See internal.h. */
bool
ao_first_order_decayed(const AoPass *ps)
{
	for (int v = 0; v < ps->n_vecs; v++)
		for (int j = 0; j < AO_LANES; j++)
			if (fabs(ps->L[v][j]) > DECAYED)
				return false;
	return true;
}

/* See internal.h. */
void
ao_first_order_finish(AoPass *ps)
{
	const int	nv = ps->n_vecs,
				nc = ps->n_cols;
	AoVec	   *c = ps->x,
			   *pi_e = ps->e + nc * nv;

	for (int v = 0; v < nv; v++)
	{
		AoVec		P = ps->K[v],
					F = 1 + P * ps->F[v],
					share = P / F,
					precision = ao_splat(0);

		for (int j = 0; j < AO_LANES; j++)
		{
			precision[j] = P[j] > 1 ? 1 / P[j] : 0;
			ps->log_f[v][j] = log(F[j]);
		}
		for (int i = 0; i < nc; i++)
		{
			pi_e[i * nv + v] -= c[i * nv + v] * precision;
			for (int j = 0; j <= i; j++)
				ps->cross[(i * (i + 1) / 2 + j) * nv + v] += c[i * nv + v] * c[j * nv + v] * precision -
					pi_e[i * nv + v] * pi_e[j * nv + v] * share;
		}
	}
}

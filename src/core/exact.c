/*
 * exact.c
 *		Steps of the exact recursions of pass.c, for one, two or four vectors
 *		of parameters: the part of estimation where the time goes.
 */
#include "internal.h"

#include <math.h>

/*
 * One exact step of a single column: innovation, sums, then state and gains in
 * one sweep over the r elements.  Elements before p have an AR coefficient.
 */
AO_INLINE void
exact_step_single(AoPass *ps, double w, const int nv, const int r, const int p,
				  AoVec *product, AoVec *keep)
{
	AoVec	   *K = ps->K,
			   *L = ps->L,
			   *x = ps->x;
	AoVec		u[AO_MAX_VECS],
				l[AO_MAX_VECS],
				x0[AO_MAX_VECS],
				L0[AO_MAX_VECS];

#define SWEEP(next_x, next_L) \
	do { \
		AoVec	TL = (next_L), \
				k = K[i * nv + v]; \
		x[i * nv + v] = (next_x) + k * u[v]; \
		K[i * nv + v] = k - l[v] * TL; \
		L[i * nv + v] = TL - l[v] * k; \
	} while (0)

	for (int v = 0; v < nv; v++)
	{
		AoVec		inv = 1.0 / ps->F[v];

		L0[v] = L[v];
		x0[v] = x[v];
		l[v] = L0[v] * inv;
		keep[v] = w - x0[v];
		u[v] = keep[v] * inv;
		product[v] *= ps->F[v];
		ps->cross[v] += u[v] * keep[v];
		ps->F[v] -= l[v] * L0[v];
	}
	for (int i = 0; i < p && i < r - 1; i++)
		for (int v = 0; v < nv; v++)
			SWEEP(x[(i + 1) * nv + v] + ps->phi[i * nv + v] * x0[v],
				  L[(i + 1) * nv + v] + ps->phi[i * nv + v] * L0[v]);
	for (int i = p; i < r - 1; i++)
		for (int v = 0; v < nv; v++)
			SWEEP(x[(i + 1) * nv + v], L[(i + 1) * nv + v]);
	for (int i = r - 1, v = 0; v < nv; v++)
		SWEEP(ps->phi[i * nv + v] * x0[v], ps->phi[i * nv + v] * L0[v]);
#undef SWEEP
}

/*
 * Two exact steps of a single column, vector by vector, in one sweep over the elements: what
 * the first step makes of them stays in registers, which halves what goes to memory and back.
 */
AO_INLINE void
exact_pair_single(AoPass *ps, const double *w, const int nv, const int r, const int p,
				  AoVec *keep, int advance)
{
	/* x, K and L of element i after the first step */
#define FIRST(i, to_x, to_K, to_L) \
	do { \
		AoVec	k_ = K[(i) * nv], \
				TL_ = (i) + 1 < r ? L[((i) + 1) * nv] : ao_splat(0); \
		to_x = (i) + 1 < r ? x[((i) + 1) * nv] + k_ * u : k_ * u; \
		if ((i) < p) \
		{ \
			TL_ += phi[(i) * nv] * L0; \
			to_x += phi[(i) * nv] * x0; \
		} \
		to_K = k_ - l * TL_; \
		to_L = TL_ - l * k_; \
	} while (0)
	/* and after the second, from K of this element and x and L of the next after the first */
#define SECOND(i, k_, next_x, next_L) \
	do { \
		AoVec	TL_ = (next_L), \
				x_ = (next_x); \
		if ((i) < p) \
		{ \
			TL_ += phi[(i) * nv] * L1; \
			x_ += phi[(i) * nv] * x1; \
		} \
		x[(i) * nv] = x_ + k_ * u1; \
		K[(i) * nv] = k_ - l1 * TL_; \
		L[(i) * nv] = TL_ - l1 * k_; \
	} while (0)

	for (int v = 0; v < nv; v++)
	{
		AoVec	   *K = ps->K + v,
				   *L = ps->L + v,
				   *x = ps->x + v;
		const AoVec *phi = ps->phi + v;
		AoVec		inv = 1.0 / ps->F[v],
					x0 = x[0],
					L0 = L[0],
					l = L0 * inv,
					e = w[0] - x0,
					u = e * inv,
					F1 = ps->F[v] - l * L0,
					inv1 = 1.0 / F1,
					x1,
					L1,
					l1,
					e1,
					u1,
					k,
					next_x,
					next_K,
					next_L;

		FIRST(0, x1, k, L1);
		l1 = L1 * inv1;
		e1 = w[1] - x1;
		u1 = e1 * inv1;
		keep[v] = e;
		keep[advance + v] = e1;
		ps->product[v] *= ps->F[v] * F1;
		ps->cross[v] += u * e + u1 * e1;
		ps->F[v] = F1 - l1 * L1;
		for (int i = 0; i < r - 1; i++)
		{
			FIRST(i + 1, next_x, next_K, next_L);
			SECOND(i, k, next_x, next_L);
			k = next_K;
		}
		SECOND(r - 1, k, ao_splat(0), ao_splat(0));
	}
#undef FIRST
#undef SECOND
}

/*
 * One exact step at row t for every column: innovations, cross products, the
 * predicted state and then the gains.  keep: where to leave the innovations.
 */
AO_INLINE void
exact_step(AoPass *ps, const double *w, const int nv, const int r, const int nc,
		   AoVec *product, AoVec *keep)
{
	AoVec		inv[AO_MAX_VECS],
				l[AO_MAX_VECS];
	AoVec	   *K = ps->K,
			   *L = ps->L;
	const AoVec *phi = ps->phi;
	const int	p = ps->shape->ar;

	for (int v = 0; v < nv; v++)
	{
		inv[v] = 1.0 / ps->F[v];
		l[v] = L[v] * inv[v];
		product[v] *= ps->F[v];
	}
	for (int c = 0; c < nc; c++)
	{
		AoVec	   *x = ps->x + c * r * nv;
		AoVec	   *ec = keep + c * nv;
		AoVec		u[AO_MAX_VECS],
					x0[AO_MAX_VECS];

		for (int v = 0; v < nv; v++)
		{
			x0[v] = x[v];
			ec[v] = w[c] - x0[v];
			u[v] = ec[v] * inv[v];
			for (int b = 0; b <= c; b++)
				ps->cross[(c * (c + 1) / 2 + b) * nv + v] += u[v] * keep[b * nv + v];
		}
		for (int i = 0; i < r - 1; i++)
			for (int v = 0; v < nv; v++)
			{
				AoVec		next = x[(i + 1) * nv + v] + K[i * nv + v] * u[v];

				if (i < p)
					next += phi[i * nv + v] * x0[v];
				x[i * nv + v] = next;
			}
		for (int v = 0; v < nv; v++)
			x[(r - 1) * nv + v] = phi[(r - 1) * nv + v] * x0[v] + K[(r - 1) * nv + v] * u[v];
	}
	for (int v = 0; v < nv; v++)
	{
		AoVec		L0 = L[v];

		ps->F[v] -= l[v] * L0;
		for (int i = 0; i < r; i++)
		{
			AoVec		TL = i < r - 1 ? L[(i + 1) * nv + v] : ao_splat(0);
			AoVec		k = K[i * nv + v];

			if (i < p)
				TL += phi[i * nv + v] * L0;
			K[i * nv + v] = k - l[v] * TL;
			L[i * nv + v] = TL - l[v] * k;
		}
	}
}

/*
 * Steps from..to-1 of a single column with r = 1 or 2, everything that one step
 * hands to the next in registers: the same recursion as exact_step.
 */
AO_INLINE void
exact_steps_small(AoPass *ps, int64_t from, int64_t to, const int nv, const int r,
				  const bool keeping, AoVec *keep, int advance)
{
	AoVec		K[2][AO_MAX_VECS],
				L[2][AO_MAX_VECS],
				x[2][AO_MAX_VECS],
				phi[2][AO_MAX_VECS],
				F[AO_MAX_VECS],
				product[AO_MAX_VECS],
				sum[AO_MAX_VECS];

	for (int v = 0; v < nv; v++)
	{
		for (int i = 0; i < r; i++)
		{
			K[i][v] = ps->K[i * nv + v];
			L[i][v] = ps->L[i * nv + v];
			x[i][v] = ps->x[i * nv + v];
			phi[i][v] = ps->phi[i * nv + v];
		}
		F[v] = ps->F[v];
		product[v] = ps->product[v];
		sum[v] = ps->cross[v];
	}
	for (const double *w = ps->w + from, *end = ps->w + to; w < end; w++, keep += advance)
		for (int v = 0; v < nv; v++)
		{
			AoVec		inv = 1.0 / F[v],
						l = L[0][v] * inv,
						x0 = x[0][v],
						L0 = L[0][v],
						e = *w - x0,
						u = e * inv;

			product[v] *= F[v];
			sum[v] += u * e;
			if (keeping)
				keep[v] = e;
			F[v] -= l * L0;
			for (int i = 0; i < r; i++)
			{
				AoVec		TL = phi[i][v] * L0,
							next = phi[i][v] * x0 + K[i][v] * u,
							k = K[i][v];

				if (i + 1 < r)
				{
					TL += L[1][v];
					next += x[1][v];
				}
				x[i][v] = next;
				K[i][v] = k - l * TL;
				L[i][v] = TL - l * k;
			}
		}
	for (int v = 0; v < nv; v++)
	{
		for (int i = 0; i < r; i++)
		{
			ps->K[i * nv + v] = K[i][v];
			ps->L[i * nv + v] = L[i][v];
			ps->x[i * nv + v] = x[i][v];
		}
		ps->F[v] = F[v];
		ps->product[v] = product[v];
		ps->cross[v] = sum[v];
	}
}

/* state_cov -= L L'/F of lane 0: the covariance of the next predicted state. */
static void
lower_state_cov(AoPass *ps)
{
	int			r = ps->shape->r;
	double		f = 1 / ps->F[0][0];

	for (int i = 0; i < r; i++)
	{
		double		li = ps->L[i][0] * f;

		for (int j = 0; j <= i; j++)
			ps->state_cov[i * r + j] -= li * ps->L[j][0];
	}
}

/* After each step of one lane: what residuals and state covariance need. */
AO_INLINE void
hooked_step(AoPass *ps, int64_t t, const int nc, AoVec *keep)
{
	double		f = sqrt(ps->F[0][0]);

	if (ps->state_cov)
		lower_state_cov(ps);
	exact_step(ps, ps->w + t * nc, 1, ps->shape->r, nc, ps->product, keep);
	if (ps->residuals)
		ps->residuals[t] = keep[nc - 1][0] / f;
	if (ps->variances)
		ps->variances[t] = f * f;
}

/* Steps from..to-1; the innovations go to keep, which moves on by `advance`
 * vectors a row. */
AO_INLINE void
exact_steps(AoPass *ps, int64_t from, int64_t to, const int nv, AoVec *keep, int advance)
{
	const int	r = ps->shape->r,
				p = ps->shape->ar,
				nc = ps->n_cols;
	bool		hooked = nv == 1 && (ps->state_cov || ps->residuals);

	if (hooked)
		for (int64_t t = from; t < to; t++, keep += advance)
			hooked_step(ps, t, nc, keep);
	else if (nc == 1 && r == 1 && advance == 0)
		exact_steps_small(ps, from, to, nv, 1, false, keep, 0);
	else if (nc == 1 && r == 1)
		exact_steps_small(ps, from, to, nv, 1, true, keep, advance);
	else if (nc == 1 && r == 2)
		exact_steps_small(ps, from, to, nv, 2, true, keep, advance);
	else if (nc == 1)
	{
		int64_t		t = from;

		for (; t + 1 < to; t += 2, keep += 2 * advance)
			exact_pair_single(ps, ps->w + t, nv, r, p, keep, advance);
		if (t < to)
			exact_step_single(ps, ps->w[t], nv, r, p, ps->product, keep);
	}
	else
		for (int64_t t = from; t < to; t++, keep += advance)
			exact_step(ps, ps->w + t * nc, nv, r, nc, ps->product, keep);
}

AO_CLONES static void
exact_steps1(AoPass *ps, int64_t from, int64_t to, AoVec *keep, int advance)
{
	exact_steps(ps, from, to, 1, keep, advance);
}

AO_CLONES static void
exact_steps2(AoPass *ps, int64_t from, int64_t to, AoVec *keep, int advance)
{
	exact_steps(ps, from, to, 2, keep, advance);
}

AO_CLONES static void
exact_steps4(AoPass *ps, int64_t from, int64_t to, AoVec *keep, int advance)
{
	exact_steps(ps, from, to, 4, keep, advance);
}

/* See internal.h. */
void
ao_exact_range(AoPass *ps, int64_t from, int64_t to, AoVec *keep, int advance)
{
	if (ps->n_vecs == 1)
		exact_steps1(ps, from, to, keep, advance);
	else if (ps->n_vecs == 2)
		exact_steps2(ps, from, to, keep, advance);
	else
		exact_steps4(ps, from, to, keep, advance);
}

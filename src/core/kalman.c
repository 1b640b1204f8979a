/*
 * kalman.c
 *		Exact diffuse Kalman filter on the levels, for series with missing
 *		values: four parameter vectors at a time.
 *
 * State: the r-dimensional ARMA state x of pass.c, then the last diff levels
 * y_{t-1}, y_{t-2}, ..  Innovations form with
 *		y_t = z' a_t + e_t,   a_{t+1} = T a_t + G e_t,
 * z = (1 0 .. | delta), G = (phi + theta | 1 0 ..).  The levels start diffuse
 * (Durbin & Koopman 2001, ch. 5): their part of the covariance is the same for
 * all parameters, and an observation that reduces it adds -1/2 ln F_inf to the
 * likelihood and no term to the sum of squares.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* F_inf below this: the observation says nothing about the diffuse part. */
#define DIFFUSE_ZERO 1e-9
/* |P| below this has no influence that could be seen. */
#define P_ZERO 1e-15

size_t
ao_kalman_bytes(const AoShape *sh, int nc)
{
	size_t		vec = sizeof(AoVec),
				r = (size_t) sh->r,
				s = r + (size_t) sh->diff;

	return 2 * ao_arena_round(r, vec) + 5 * ao_arena_round(s, vec) +
		ao_arena_round(s * s, vec) + ao_arena_round(s * (size_t) nc, vec) +
		ao_arena_round(ao_start_scratch(sh), vec) +
		ao_arena_round((s - r) * (s - r), sizeof(double)) + ao_arena_round(s, sizeof(double)) +
		ao_arena_round((size_t) (nc * (nc + 1) / 2), vec) + ao_arena_round(1, vec) +
		ao_presample_bytes(sh, nc);
}

void
ao_kalman_init(AoKalman *kf, const AoShape *sh, int nc, AoArena *arena, AoEnv *env)
{
	size_t		vec = sizeof(AoVec),
				r = (size_t) sh->r,
				s = r + (size_t) sh->diff;

	memset(kf, 0, sizeof *kf);
	kf->shape = sh;
	kf->n_cols = nc;
	kf->s = (int) s;
	kf->pace.env = env;
	kf->phi = ao_arena_take(arena, r, vec);
	kf->theta = ao_arena_take(arena, r, vec);
	kf->G = ao_arena_take(arena, s, vec);
	kf->c = ao_arena_take(arena, s, vec);
	kf->K = ao_arena_take(arena, s, vec);
	kf->first = ao_arena_take(arena, s, vec);
	kf->work = ao_arena_take(arena, s, vec);
	kf->P = ao_arena_take(arena, s * s, vec);
	kf->a = ao_arena_take(arena, s * (size_t) nc, vec);
	kf->scratch = ao_arena_take(arena, ao_start_scratch(sh), vec);
	kf->Pinf = ao_arena_take(arena, (s - r) * (s - r), sizeof(double));
	kf->Minf = ao_arena_take(arena, s, sizeof(double));
	kf->cross = ao_arena_take(arena, (size_t) (nc * (nc + 1) / 2), vec);
	kf->log_f = ao_arena_take(arena, 1, vec);
	ao_presample_init(&kf->presample, sh, nc, arena);
	memset(kf->phi, 0, r * vec);
	memset(kf->theta, 0, r * vec);
	memset(kf->Minf, 0, s * sizeof(double));
}

/* P of the ARMA state in the stationary distribution. */
static AoStatus
start_covariance(AoKalman *kf)
{
	const AoShape *sh = kf->shape;
	int			s = kf->s;
	bool		rescue = ao_presample_serves(sh);
	AoVec		F1;

	if (sh->r == 0)
		return AO_OK;
	AO_TRY(ao_stationary_start(sh, kf->phi, kf->theta, 1, rescue, kf->K, &F1, kf->scratch, &kf->pace));
	for (int j = 0; j < AO_LANES; j++)
		if (isnan(F1[j]) && rescue)
			ao_presample_start_cov(&kf->presample, kf->phi, kf->theta, j, (double *) kf->P + j, s,
								   AO_LANES);
		else
			AO_TRY(ao_stationary_cov(sh, (double *) kf->phi + j, (double *) kf->theta + j,
									 (double *) kf->K + j, AO_LANES, F1[j],
									 (double *) kf->P + j, s, AO_LANES, &kf->pace));
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_kalman_start(AoKalman *kf)
{
	const AoShape *sh = kf->shape;
	int			s = kf->s,
				r = sh->r,
				nc = kf->n_cols;

	for (int i = 0; i < s; i++)
		kf->G[i] = i < r ? kf->phi[i] + kf->theta[i] : ao_splat(i == r);
	for (int i = 0; i < s; i++)
	{
		memset(kf->P + i * s, 0, (size_t) s * sizeof(AoVec));
		AO_TRY(ao_pace(&kf->pace, s));
	}
	for (int i = 0; i < sh->diff; i++)
	{
		memset(kf->Pinf + i * sh->diff, 0, (size_t) sh->diff * sizeof(double));
		kf->Pinf[i * sh->diff + i] = 1;
		AO_TRY(ao_pace(&kf->pace, sh->diff));
	}
	memset(kf->a, 0, (size_t) (s * nc) * sizeof(AoVec));
	memset(kf->cross, 0, (size_t) (nc * (nc + 1) / 2) * sizeof(AoVec));
	kf->log_f[0] = ao_splat(0);
	kf->diffuse = sh->diff > 0;
	kf->P_is_zero = false;
	kf->n_diffuse = 0;
	return start_covariance(kf);
}

/*
 * out = T v for a state vector (or a row of a matrix): companion part, the new
 * level from z' v, older levels moved on.  zv = z' v.
 */
AO_INLINE void
transition(const AoKalman *kf, const AoVec *v, const AoVec *zv, AoVec *out)
{
	int			r = kf->shape->r;
	AoVec		v0 = r > 0 ? v[0] : ao_splat(0);

	for (int i = kf->s - 1; i > r; i--)
		out[i] = v[i - 1];
	if (kf->s > r)
		out[r] = *zv;
	for (int i = 0; i < r; i++)
		out[i] = (i + 1 < r ? v[i + 1] : ao_splat(0)) + kf->phi[i] * v0;
}

/* zv = z' v */
AO_INLINE void
observe(const AoKalman *kf, const AoVec *v, AoVec *zv)
{
	int			r = kf->shape->r;
	AoVec		sum = r > 0 ? v[0] : ao_splat(0);

	for (int i = 0; i < kf->shape->diff; i++)
		if (kf->shape->delta[i] != 0)
			sum += kf->shape->delta[i] * v[r + i];
	*zv = sum;
}

/* Row i of the ARMA state's part of P, from the rows after it. */
AO_INLINE void
arma_row(AoKalman *kf, int i, AoVec k)
{
	const int	s = kf->s,
				r = kf->shape->r;
	const AoVec *old = kf->first,
			   *next = i + 1 < r ? kf->P + (i + 1) * s : kf->work;
	AoVec	   *to = kf->P + i * s;
	AoVec		phi = kf->phi[i],
				g = kf->G[i],
				both = next[0] + phi * old[0];

	for (int j = 0; j < r - 1; j++)
		to[j] = next[j + 1] + phi * old[j + 1] + kf->phi[j] * both + g * kf->G[j] - k * kf->K[j];
	to[r - 1] = kf->phi[r - 1] * both + g * kf->G[r - 1] - k * kf->K[r - 1];
	if (s > r)
		to[r] = (i + 1 < r ? kf->c[i + 1] : ao_splat(0)) + phi * kf->c[0] + g - k * kf->K[r];
	for (int j = r + 1; j < s; j++)
		to[j] = next[j - 1] + phi * old[j - 1] - k * kf->K[j];
}

/* Row of level l of P from the row before it; of the new level from c and z' P z. */
AO_INLINE void
level_row(AoKalman *kf, int l, AoVec zPz, AoVec k)
{
	const int	s = kf->s,
				r = kf->shape->r;
	const AoVec *old = l > 0 ? kf->P + (r + l - 1) * s : kf->c;
	AoVec	   *to = kf->P + (r + l) * s;
	AoVec		old0 = r > 0 ? old[0] : ao_splat(0),
				g = kf->G[r + l];

	for (int j = 0; j < r; j++)
		to[j] = (j + 1 < r ? old[j + 1] : ao_splat(0)) + kf->phi[j] * old0 + g * kf->G[j] - k * kf->K[j];
	to[r] = (l > 0 ? kf->c[r + l - 1] : zPz) + g - k * kf->K[r];
	for (int j = r + 1; j < s; j++)
		to[j] = old[j - 1] - k * kf->K[j];
}

/*
 * P = T P T' + G G' - K K'/F (observed) with c = P z, K = T c + G: T moves things on by
 * one place, so that it is done in place, the ARMA state from its first row, the levels
 * from their last one.
 */
AO_INLINE AoStatus
covariance_step(AoKalman *kf, bool observed, const AoVec *F, AoVec zPz)
{
	int			s = kf->s,
				r = kf->shape->r;
	AoVec		inv = observed ? 1.0 / *F : ao_splat(0);

	if (kf->P_is_zero && observed)
		return AO_OK;
	if (r > 0)
		memcpy(kf->first, kf->P, (size_t) s * sizeof(AoVec));
	memset(kf->work, 0, (size_t) s * sizeof(AoVec));
	for (int l = s - r - 1; l >= 0; l--)
	{
		level_row(kf, l, zPz, kf->K[r + l] * inv);
		AO_TRY(ao_pace(&kf->pace, s));
	}
	for (int i = 0; i < r; i++)
	{
		arma_row(kf, i, kf->K[i] * inv);
		AO_TRY(ao_pace(&kf->pace, s));
	}
	kf->P_is_zero = false;
	return AO_OK;
}

/* After an observation the level is known; has everything else settled too? */
AO_INLINE void
note_observed(AoKalman *kf)
{
	int			s = kf->s,
				r = kf->shape->r;
	double		max = 0;

	if (kf->P_is_zero)
		return;
	if (s > r)
		for (int i = 0; i < s; i++)
			kf->P[r * s + i] = kf->P[i * s + r] = ao_splat(0);
	for (int i = 0; i < s; i++)
		for (int j = 0; j < AO_LANES; j++)
			max = fmax(max, fabs(kf->P[i * s + i][j]));
	if (max < P_ZERO)
	{
		memset(kf->P, 0, (size_t) (s * s) * sizeof(AoVec));
		kf->P_is_zero = true;
	}
}

/* Diffuse part: Minf = T Pinf z and F_inf; scalars, one for all lanes. */
static AoStatus
diffuse_gain(AoKalman *kf, double *Finf)
{
	int			n = kf->shape->diff;
	double	   *M = kf->Minf + kf->shape->r;

	memset(M, 0, (size_t) n * sizeof(double));
	*Finf = 0;
	for (int i = 0; i < n; i++)
	{
		double		delta = kf->shape->delta[i];

		if (delta == 0)
			continue;
		for (int j = 0; j < n; j++)
			M[j] += delta * kf->Pinf[i * n + j];
		AO_TRY(ao_pace(&kf->pace, n / 4));
	}
	for (int i = 0; i < n; i++)
		*Finf += M[i] * kf->shape->delta[i];
	/* T: the levels move on by one place */
	memmove(M + 1, M, (size_t) (n - 1) * sizeof(double));
	M[0] = *Finf;
	return AO_OK;
}

/* Pinf = T Pinf T' - Minf Minf'/Finf (observed), in place as P; is it still there? */
static AoStatus
diffuse_step(AoKalman *kf, double Finf, bool observed)
{
	int			n = kf->shape->diff;
	const double *M = kf->Minf + kf->shape->r;
	double		max = 0;

	for (int i = n - 1; i >= 0; i--)
	{
		double	   *to = kf->Pinf + i * n,
					f = observed ? M[i] / Finf : 0;

		if (i > 0)
			memcpy(to + 1, to - n, (size_t) (n - 1) * sizeof(double));
		else
			memcpy(to + 1, M + 1, (size_t) (n - 1) * sizeof(double));
		to[0] = M[i];
		if (f != 0)
			for (int j = 0; j < n; j++)
				to[j] -= f * M[j];
		max = fmax(max, fabs(to[i]));
		AO_TRY(ao_pace(&kf->pace, n / 4));
	}
	kf->diffuse = max >= DIFFUSE_ZERO;
	return AO_OK;
}

/* The gain of an observation that goes into the diffuse start: P as if it had
 * not been observed, then - (K M' + M K')/Finf + F M M'/Finf^2. */
AO_INLINE AoStatus
absorb_diffuse(AoKalman *kf, double Finf, const AoVec *F)
{
	int			s = kf->s;
	double		inv = 1 / Finf;

	for (int i = 0; i < s; i++)
	{
		double		mi = kf->Minf[i] * inv;

		for (int j = 0; j < s; j++)
		{
			double		mj = kf->Minf[j] * inv;

			kf->P[i * s + j] += *F * (mi * mj) - kf->K[i] * mj - kf->K[j] * mi;
		}
		AO_TRY(ao_pace(&kf->pace, s));
	}
	kf->log_f[0] += log(Finf);
	kf->n_diffuse++;
	return AO_OK;
}

/* States of all columns one step on: T a, plus gain times innovation. */
AO_INLINE void
state_step(AoKalman *kf, const double *z, bool observed, bool absorbed,
		   double Finf, const AoVec *F, AoVec *v)
{
	int			s = kf->s,
				r = kf->shape->r;
	AoVec		inv = 1.0 / *F;

	for (int c = 0; c < kf->n_cols; c++)
	{
		AoVec	   *a = kf->a + c * s;
		AoVec		forecast;

		observe(kf, a, &forecast);
		transition(kf, a, &forecast, kf->work);
		memcpy(a, kf->work, (size_t) s * sizeof(AoVec));
		if (!observed)
			continue;
		v[c] = z[c] - forecast;
		if (absorbed)
			for (int i = r; i < s; i++)
				a[i] += v[c] * (kf->Minf[i] / Finf);
		else
			for (int i = 0; i < s; i++)
				a[i] += kf->K[i] * inv * v[c];
		/* the level is now what was observed, to the last digit */
		if (s > r)
			a[r] = ao_splat(z[c]);
	}
}

/* c = P z and F, state_part being z' P z. */
AO_INLINE AoStatus
predict_variance(AoKalman *kf, AoVec *F, AoVec *state_part)
{
	int			s = kf->s;

	*state_part = ao_splat(0);
	if (kf->P_is_zero)
		memset(kf->c, 0, (size_t) s * sizeof(AoVec));
	else
	{
		for (int i = 0; i < s; i++)
		{
			observe(kf, kf->P + i * s, &kf->c[i]);
			AO_TRY(ao_pace(&kf->pace, kf->shape->diff / 4));
		}
		observe(kf, kf->c, state_part);
	}
	*F = *state_part + 1.0;
	return AO_OK;
}

/* See ao_kalman_step. */
AO_INLINE AoStatus
filter_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F, bool *counted)
{
	int			s = kf->s;
	bool		observed = true,
				absorbed = false;
	double		Finf = 0;
	AoVec		state_part;

	for (int c = 0; c < kf->n_cols; c++)
		observed = observed && !isnan(z[c]);
	AO_TRY(predict_variance(kf, F, &state_part));
	transition(kf, kf->c, &state_part, kf->K);
	for (int i = 0; i < s; i++)
		kf->K[i] += kf->G[i];
	if (kf->diffuse)
	{
		AO_TRY(diffuse_gain(kf, &Finf));
		absorbed = observed && Finf > DIFFUSE_ZERO;
	}
	state_step(kf, z, observed, absorbed, Finf, F, v);
	AO_TRY(covariance_step(kf, observed && !absorbed, F, state_part));
	if (absorbed)
		AO_TRY(absorb_diffuse(kf, Finf, F));
	if (kf->diffuse)
		AO_TRY(diffuse_step(kf, Finf, absorbed));
	if (observed)
		note_observed(kf);
	*counted = observed && !absorbed;
	return AO_OK;
}

AO_CLONES static AoStatus
one_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F, bool *counted)
{
	return filter_step(kf, z, v, F, counted);
}

/* See internal.h. */
AoStatus
ao_kalman_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F, bool *counted)
{
	return one_step(kf, z, v, F, counted);
}

/* Cross products and ln F of one counted observation. */
AO_INLINE void
add_terms(AoKalman *kf, const AoVec *v, const AoVec *F)
{
	AoVec		inv = 1.0 / *F;

	for (int c = 0, at = 0; c < kf->n_cols; c++)
		for (int b = 0; b <= c; b++)
			kf->cross[at++] += v[c] * v[b] * inv;
	for (int j = 0; j < AO_LANES; j++)
		kf->log_f[0][j] += log((*F)[j]);
}

AO_CLONES static AoStatus
all_steps(AoKalman *kf, const double *z, int64_t n)
{
	AoVec		v[AO_MAX_XREG + 3],
				F;

	for (int64_t t = 0; t < n; t++)
	{
		bool		counted;

		AO_TRY(one_step(kf, z + t * kf->n_cols, v, &F, &counted));
		if (counted)
			add_terms(kf, v, &F);
		AO_TRY(ao_pace(&kf->pace, kf->s * kf->n_cols));
	}
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_kalman_lane(AoKalman *kf, double *P)
{
	int			s = kf->s;

	for (int i = 0; i < s; i++)
	{
		for (int j = 0; j < s; j++)
			P[i * s + j] = kf->P[i * s + j][0];
		AO_TRY(ao_pace(&kf->pace, s));
	}
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_kalman_pass(AoKalman *kf, const double *z, int64_t n)
{
	return all_steps(kf, z, n);
}

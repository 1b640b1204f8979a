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

	return 2 * ao_arena_round(r, vec) + 4 * ao_arena_round(s, vec) +
		2 * ao_arena_round(s * s, vec) + ao_arena_round(s * (size_t) nc, vec) +
		ao_arena_round(ao_start_scratch(sh), vec) +
		ao_arena_round(s * s, sizeof(double)) + ao_arena_round(s * s + s, sizeof(double)) +
		ao_arena_round((size_t) (nc * (nc + 1) / 2), vec) + ao_arena_round(1, vec) +
		ao_presample_bytes(sh, nc);
}

void
ao_kalman_init(AoKalman *kf, const AoShape *sh, int nc, AoArena *arena)
{
	size_t		vec = sizeof(AoVec),
				r = (size_t) sh->r,
				s = r + (size_t) sh->diff;

	memset(kf, 0, sizeof *kf);
	kf->shape = sh;
	kf->n_cols = nc;
	kf->s = (int) s;
	kf->phi = ao_arena_take(arena, r, vec);
	kf->theta = ao_arena_take(arena, r, vec);
	kf->G = ao_arena_take(arena, s, vec);
	kf->c = ao_arena_take(arena, s, vec);
	kf->K = ao_arena_take(arena, s, vec);
	kf->Kinf = ao_arena_take(arena, s, vec);
	kf->P = ao_arena_take(arena, s * s, vec);
	kf->M = ao_arena_take(arena, s * s, vec);
	kf->a = ao_arena_take(arena, s * (size_t) nc, vec);
	kf->scratch = ao_arena_take(arena, ao_start_scratch(sh), vec);
	kf->Pinf = ao_arena_take(arena, s * s, sizeof(double));
	kf->Minf = ao_arena_take(arena, s * s + s, sizeof(double));
	kf->cross = ao_arena_take(arena, (size_t) (nc * (nc + 1) / 2), vec);
	kf->log_f = ao_arena_take(arena, 1, vec);
	ao_presample_init(&kf->presample, sh, nc, arena);
	memset(kf->phi, 0, r * vec);
	memset(kf->theta, 0, r * vec);
}

/* See internal.h. */
void
ao_kalman_start(AoKalman *kf)
{
	const AoShape *sh = kf->shape;
	int			s = kf->s,
				r = sh->r,
				nc = kf->n_cols;
	AoVec		F1;

	for (int i = 0; i < s; i++)
		kf->G[i] = i < r ? kf->phi[i] + kf->theta[i] : ao_splat(i == r);
	memset(kf->P, 0, (size_t) (s * s) * sizeof(AoVec));
	memset(kf->Pinf, 0, (size_t) (s * s) * sizeof(double));
	memset(kf->a, 0, (size_t) (s * nc) * sizeof(AoVec));
	memset(kf->cross, 0, (size_t) (nc * (nc + 1) / 2) * sizeof(AoVec));
	kf->log_f[0] = ao_splat(0);
	if (r > 0)
	{
		ao_stationary_start(sh, kf->phi, kf->theta, 1, ao_presample_serves(sh), kf->K, &F1,
							kf->scratch);
		for (int j = 0; j < AO_LANES; j++)
			if (isnan(F1[j]) && ao_presample_serves(sh))
				ao_presample_start_cov(&kf->presample, kf->phi, kf->theta, j, kf->P, s);
			else
				ao_stationary_cov(sh, (double *) kf->phi + j, (double *) kf->theta + j,
								  (double *) kf->K + j, AO_LANES, F1[j],
								  (double *) kf->P + j, s, AO_LANES);
	}
	for (int i = r; i < s; i++)
		kf->Pinf[i * s + i] = 1;
	kf->diffuse = sh->diff > 0;
	kf->P_is_zero = false;
	kf->n_diffuse = 0;
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

/* P = T P T' + G G' - K K' F (observed) with c = P z, K = T c + G. */
AO_INLINE void
covariance_step(AoKalman *kf, bool observed, const AoVec *F)
{
	int			s = kf->s,
				r = kf->shape->r;
	AoVec	   *P = kf->P,
			   *M = kf->M;
	AoVec		inv = 1.0 / *F;

	if (kf->P_is_zero && observed)
		return;
	for (int i = 0; i < s; i++)
		transition(kf, P + i * s, &kf->c[i], M + i * s);
	/* M = P T'; now T M, row by row */
	for (int i = 0; i < r; i++)
		for (int j = 0; j < s; j++)
			P[i * s + j] = kf->phi[i] * M[j] + (i + 1 < r ? M[(i + 1) * s + j] : ao_splat(0));
	for (int j = 0; s > r && j < s; j++)
		P[r * s + j] = r > 0 ? M[j] : ao_splat(0);
	for (int i = 0; i < s - r; i++)
		if (kf->shape->delta[i] != 0)
			for (int j = 0; j < s; j++)
				P[r * s + j] += kf->shape->delta[i] * M[(r + i) * s + j];
	for (int i = r + 1; i < s; i++)
		memcpy(P + i * s, M + (i - 1) * s, (size_t) s * sizeof(AoVec));
	for (int i = 0; i < s; i++)
	{
		AoVec		k = kf->K[i] * inv;

		for (int j = 0; j < s; j++)
		{
			P[i * s + j] += kf->G[i] * kf->G[j];
			if (observed)
				P[i * s + j] -= k * kf->K[j];
		}
	}
	kf->P_is_zero = false;
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
static double
diffuse_gain(AoKalman *kf, double *Minf)
{
	int			s = kf->s,
				r = kf->shape->r;
	double		Finf = 0;

	/* work: c_inf = Pinf z, only its level part can differ from zero */
	for (int i = r; i < s; i++)
	{
		double		sum = 0;

		for (int j = r; j < s; j++)
			sum += kf->Pinf[i * s + j] * kf->shape->delta[j - r];
		Minf[i] = sum;
		Finf += sum * kf->shape->delta[i - r];
	}
	/* T c_inf: x part untouched (levels do not feed it) */
	for (int i = s - 1; i > r; i--)
		Minf[i] = Minf[i - 1];
	Minf[r] = Finf;
	return Finf;
}

/* Pinf = T Pinf T' - Minf Minf'/Finf (observed); true when it has vanished. */
static bool
diffuse_step(AoKalman *kf, const double *Minf, double Finf, bool observed)
{
	int			s = kf->s,
				r = kf->shape->r,
				n = s - r;
	double	   *P = kf->Pinf,
			   *W = kf->Minf + s;	/* second row on: work */
	double		max = 0;

	/* W = T Pinf (level block only), n x n */
	for (int j = 0; j < n; j++)
	{
		double		sum = 0;

		for (int i = 0; i < n; i++)
			sum += kf->shape->delta[i] * P[(r + i) * s + r + j];
		for (int i = n - 1; i > 0; i--)
			W[i * n + j] = P[(r + i - 1) * s + r + j];
		W[j] = sum;
	}
	for (int i = 0; i < n; i++)
	{
		double		sum = 0;

		for (int j = 0; j < n; j++)
			sum += W[i * n + j] * kf->shape->delta[j];
		for (int j = n - 1; j > 0; j--)
			P[(r + i) * s + r + j] = W[i * n + j - 1];
		P[(r + i) * s + r] = sum;
	}
	if (observed)
		for (int i = r; i < s; i++)
			for (int j = r; j < s; j++)
				P[i * s + j] -= Minf[i] * Minf[j] / Finf;
	for (int i = r; i < s; i++)
		max = fmax(max, fabs(P[i * s + i]));
	return max < DIFFUSE_ZERO;
}

/* The gain of an observation that goes into the diffuse start: P as if it had
 * not been observed, then - (K M' + M K')/Finf + F M M'/Finf^2. */
AO_INLINE void
absorb_diffuse(AoKalman *kf, const double *Minf, double Finf, const AoVec *F)
{
	int			s = kf->s;

	for (int i = 0; i < s; i++)
		for (int j = 0; j < s; j++)
		{
			double		mi = i < kf->shape->r ? 0 : Minf[i] / Finf,
						mj = j < kf->shape->r ? 0 : Minf[j] / Finf;

			kf->P[i * s + j] += *F * (mi * mj) - kf->K[i] * mj - kf->K[j] * mi;
		}
	kf->log_f[0] += log(Finf);
	kf->n_diffuse++;
}

/* States of all columns one step on: T a, plus gain times innovation. */
AO_INLINE void
state_step(AoKalman *kf, const double *z, bool observed, const double *Minf,
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
		transition(kf, a, &forecast, kf->Kinf);
		memcpy(a, kf->Kinf, (size_t) s * sizeof(AoVec));
		if (!observed)
			continue;
		v[c] = z[c] - forecast;
		if (Minf)
			for (int i = r; i < s; i++)
				a[i] += v[c] * (Minf[i] / Finf);
		else
			for (int i = 0; i < s; i++)
				a[i] += kf->K[i] * inv * v[c];
		/* the level is now what was observed, to the last digit */
		if (s > r)
			a[r] = ao_splat(z[c]);
	}
}

/* See ao_kalman_step. */
AO_INLINE bool
filter_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F)
{
	int			s = kf->s;
	bool		observed = true,
				absorbed = false;
	double	   *Minf = kf->Minf;
	double		Finf = 0;
	AoVec		state_part;

	for (int c = 0; c < kf->n_cols; c++)
		observed = observed && !isnan(z[c]);
	if (kf->P_is_zero)
	{
		memset(kf->c, 0, (size_t) s * sizeof(AoVec));
		*F = ao_splat(1);
	}
	else
	{
		for (int i = 0; i < s; i++)
			observe(kf, kf->P + i * s, &kf->c[i]);
		observe(kf, kf->c, F);
		*F += 1.0;
	}
	state_part = *F - 1.0;
	transition(kf, kf->c, &state_part, kf->K);
	for (int i = 0; i < s; i++)
		kf->K[i] += kf->G[i];
	if (kf->diffuse)
	{
		Finf = diffuse_gain(kf, Minf);
		absorbed = observed && Finf > DIFFUSE_ZERO;
	}
	state_step(kf, z, observed, absorbed ? Minf : NULL, Finf, F, v);
	covariance_step(kf, observed && !absorbed, F);
	if (absorbed)
		absorb_diffuse(kf, Minf, Finf, F);
	if (kf->diffuse)
		kf->diffuse = !diffuse_step(kf, Minf, Finf, absorbed);
	if (observed)
		note_observed(kf);
	return observed && !absorbed;
}

AO_CLONES static bool
one_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F)
{
	return filter_step(kf, z, v, F);
}

/* See internal.h. */
bool
ao_kalman_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F)
{
	return one_step(kf, z, v, F);
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
all_steps(AoKalman *kf, const double *z, int64_t n, double *residuals, AoEnv *env)
{
	AoVec		v[AO_MAX_XREG + 3],
				F;
	int64_t		cost = 0;

	for (int64_t t = 0; t < n; t++)
	{
		bool		counted = one_step(kf, z + t * kf->n_cols, v, &F);

		if (counted)
			add_terms(kf, v, &F);
		if (residuals)
			residuals[t] = counted ? v[kf->n_cols - 1][0] / sqrt(F[0]) : NAN;
		if (kf->variances)
			kf->variances[t] = F[0];
		cost += kf->P_is_zero ? kf->s : kf->s * kf->s;
		if (cost > 1 << 16)
		{
			cost = 0;
			AO_TRY(ao_poll(env));
		}
	}
	return AO_OK;
}

/* The filter over n rows of levels; residuals (lane 0, last column) or NULL. */
AoStatus
ao_kalman_pass(AoKalman *kf, const double *z, int64_t n, double *residuals, AoEnv *env)
{
	return all_steps(kf, z, n, residuals, env);
}

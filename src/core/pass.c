/*
 * pass.c
 *		Exact and conditional Gaussian likelihood of a complete series for up
 *		to sixteen parameter vectors in one pass over the data.
 *
 * State space in innovations form, dimension r = max(ar, ma):
 *		w_t = x_t[0] + e_t,   x_{t+1} = T x_t + g e_t,   g = phi + theta,
 * T the companion matrix of phi.  The covariance of the predicted state changes
 * by a matrix of rank one at each step, so that instead of it only two vectors
 * are kept (Morf, Sidhu & Kailath 1974; Pearlman 1980): with K the gain times
 * F and L the direction of that change,
 *		l = L[0]/F,  TL = T L,  F' = F - l L[0],  K' = K - l TL,  L' = TL - l K,
 * l being the partial autocorrelation of the series at that lag.  Once L has
 * died away F is one and the recursion is the difference equation itself
 * (Melard 1984).
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* L below this leaves errors of its square: enough to search by; and for second differences
 * and the state. */
#define STEADY 1e-5
#define STEADY_PRECISE 1e-9
/* How far F may fall below one, or rise, by rounding alone. */
#define LOST 1e-6
#define ROUNDING 1e-7

/* Bytes of the buffers of a pass. */
size_t
ao_pass_bytes(const AoShape *sh, int nv, int nc)
{
	size_t		vec = sizeof(AoVec) * (size_t) nv,
				r = (size_t) sh->r;

	return 4 * ao_arena_round(r, vec) + ao_arena_round(r * (size_t) nc, vec) +
		2 * ao_arena_round(1, vec) +
		ao_arena_round((size_t) (sh->ma + AO_BLOCK) * (size_t) nc, vec) +
		ao_arena_round(ao_start_scratch(sh), sizeof(AoVec)) +
		ao_arena_round((size_t) (nc * (nc + 1) / 2), vec);
}

/* Lay out the buffers. */
void
ao_pass_init(AoPass *ps, const AoShape *sh, int nv, int nc, AoArena *arena)
{
	size_t		vec = sizeof(AoVec) * (size_t) nv,
				r = (size_t) sh->r;

	memset(ps, 0, sizeof *ps);
	ps->shape = sh;
	ps->n_vecs = nv;
	ps->n_cols = nc;
	ps->phi = ao_arena_take(arena, r, vec);
	ps->theta = ao_arena_take(arena, r, vec);
	ps->K = ao_arena_take(arena, r, vec);
	ps->L = ao_arena_take(arena, r, vec);
	ps->x = ao_arena_take(arena, r * (size_t) nc, vec);
	ps->F = ao_arena_take(arena, 1, vec);
	ps->log_f = ao_arena_take(arena, 1, vec);
	ps->e = ao_arena_take(arena, (size_t) (sh->ma + AO_BLOCK) * (size_t) nc, vec);
	ps->scratch = ao_arena_take(arena, ao_start_scratch(sh), sizeof(AoVec));
	ps->cross = ao_arena_take(arena, (size_t) (nc * (nc + 1) / 2), vec);
	memset(ps->phi, 0, r * vec);
	memset(ps->theta, 0, r * vec);
}

/* Has every |L|, over states and lanes, become too small to matter? */
static bool
is_steady(const AoPass *ps, const int nv)
{
	int			n = ps->shape->r * nv;
	double		limit = ps->want_state || ps->precise ? STEADY_PRECISE : STEADY;

	/* squares: no negative numbers, and NaN stays to be seen; a few at a time, for mostly the
	 * first are too large already */
	for (int i = 0; i < n; i += 8)
	{
		AoVec		largest = ao_splat(0);

		for (int j = i; j < i + 8 && j < n; j++)
			largest += ps->L[j] * ps->L[j];
		for (int j = 0; j < AO_LANES; j++)
			if (!(largest[j] < limit * limit))
				return false;
	}
	return true;
}

/* Covariance of the first predicted state, lane 0. */
static AoStatus
initial_state_cov(AoPass *ps, AoPace *pace)
{
	int			r = ps->shape->r;

	if (r == 0)
		return AO_OK;
	return ao_stationary_cov(ps->shape, (double *) ps->phi, (double *) ps->theta,
							 (double *) ps->K, AO_LANES, ps->F[0][0], ps->state_cov, r, 1, pace);
}

/*
 * Between two stretches of steps, lane by lane: the exponent of the running
 * product of F goes into a count, so that a logarithm is taken once per pass and
 * not once per step; and an F that rose, or fell below one, is noted.
 */
static void
take_stock(AoPass *ps)
{
	for (int v = 0; v < ps->n_vecs; v++)
		for (int j = 0; j < AO_LANES; j++)
		{
			double		F = ps->F[v][j],
						product = ps->product[v][j];
			uint64_t	bits;

			memcpy(&bits, &product, sizeof bits);
			ps->exponent[v][j] += (double) (int64_t) (bits >> 52) - 1023;
			bits = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3ff0000000000000);
			memcpy(&product, &bits, sizeof bits);
			ps->product[v][j] = product;
			if (!(F <= ps->last_F[v][j] * (1 + ROUNDING) && F >= 1 - LOST))
				ps->last_F[v][j] = -1;
			else
				ps->last_F[v][j] = F;
		}
}

/* Of an exact step, against one that a poll is due every AO_BLOCK of. */
static int64_t
cost(const AoPass *ps)
{
	int64_t		r = ps->shape->r;

	return 1 + r * ps->n_vecs * ps->n_cols / 8 + (ps->state_cov ? r * r / 8 : 0);
}

/* Exact steps from..to-1, as many at a time as may pass between two polls. */
static AoStatus
exact_range(AoPass *ps, int64_t from, int64_t to, AoVec *keep, int advance, AoPace *pace)
{
	int64_t		each = cost(ps),
				most = each < AO_BLOCK ? AO_BLOCK / each : 1;

	for (int64_t t = from, end; t < to; t = end)
	{
		end = to - t > most ? t + most : to;
		ao_exact_range(ps, t, end, keep, advance);
		keep += (end - t) * advance;
		AO_TRY(ao_pace(pace, (end - t) * each));
	}
	return AO_OK;
}

/* How many steps may pass until stock is taken: no product may overflow, and
 * at first the end may come soon. */
static int64_t
stretch(const AoPass *ps, int64_t t)
{
	if (t < 64)
		return 8;
	for (int v = 0; v < ps->n_vecs; v++)
		for (int j = 0; j < AO_LANES; j++)
			if (ps->F[v][j] > 1e4)
				return 8;
	return t < 256 ? 32 : 64;
}

/* Once steady: the limits themselves, so that r more steps make the state a
 * function of the last r values and innovations only. */
static void
enter_steady(AoPass *ps)
{
	for (int i = 0; i < ps->shape->r * ps->n_vecs; i++)
	{
		ps->K[i] = ps->phi[i] + ps->theta[i];
		ps->L[i] = ao_splat(0);
	}
	for (int v = 0; v < ps->n_vecs; v++)
		ps->F[v] = ao_splat(1);
}

/* Row t of innovations by the difference equation, column c, into out[nv]. */
AO_INLINE void
difference_equation(const AoPass *ps, const double *w, const AoVec *e, int c,
					const int nv, const int nc, AoVec *out)
{
	const AoShape *sh = ps->shape;

	for (int v = 0; v < nv; v++)
		out[v] = ao_splat(w[c]);
	for (int j = 0; j < sh->n_ar_lags; j++)
	{
		int			lag = sh->ar_lags[j];
		double		past = w[c - lag * nc];

		for (int v = 0; v < nv; v++)
			out[v] -= ps->phi[(lag - 1) * nv + v] * past;
	}
	/* the latest innovation last: it is the one the processor waits for */
	for (int j = sh->n_ma_lags - 1; j >= 0; j--)
	{
		int			lag = sh->ma_lags[j];

		for (int v = 0; v < nv; v++)
			out[v] -= ps->theta[(lag - 1) * nv + v] * e[(c - lag * nc) * nv + v];
	}
}

/*
 * Rows from..to-1 by the difference equation; e points at the innovations of
 * row `from`, those of ma rows before it standing in front.
 */
AO_INLINE void
steady_steps(AoPass *ps, int64_t from, int64_t to, const int nv, const int nc, AoVec *e)
{
	for (int64_t t = from; t < to; t++, e += nc * nv)
	{
		if (ps->skip && ps->skip[t])
		{
			memset(e, 0, (size_t) (nc * nv) * sizeof(AoVec));
			continue;
		}
		for (int c = 0; c < nc; c++)
		{
			AoVec		out[AO_MAX_VECS];

			difference_equation(ps, ps->w + t * nc, e, c, nv, nc, out);
			for (int v = 0; v < nv; v++)
			{
				e[c * nv + v] = out[v];
				for (int b = 0; b <= c; b++)
					ps->cross[(c * (c + 1) / 2 + b) * nv + v] += out[v] * e[b * nv + v];
			}
		}
		if (ps->residuals)
			ps->residuals[t] = e[(nc - 1) * nv][0];
	}
}

/*
 * The same for one column and short MA parts, where what the recursion waits
 * for stays in registers.
 */
AO_INLINE void
steady_steps_short(AoPass *ps, int64_t from, int64_t to, const int nv,
				   const int p, const int q, AoVec *e)
{
	const double *w = ps->w;
	AoVec		last[2][AO_MAX_VECS],
				phi[2][AO_MAX_VECS],
				theta[2][AO_MAX_VECS],
				sum[AO_MAX_VECS];

	for (int v = 0; v < nv; v++)
	{
		for (int j = 0; j < p; j++)
			phi[j][v] = ps->phi[j * nv + v];
		for (int j = 0; j < q; j++)
		{
			theta[j][v] = ps->theta[j * nv + v];
			last[j][v] = e[(-1 - j) * nv + v];
		}
		sum[v] = ps->cross[v];
	}
	for (int64_t t = from; t < to; t++)
		for (int v = 0; v < nv; v++)
		{
			AoVec		out = ao_splat(w[t]);

			for (int j = 0; j < p; j++)
				out -= phi[j][v] * w[t - 1 - j];
			for (int j = q - 1; j >= 0; j--)
			{
				out -= theta[j][v] * last[j][v];
				if (j > 0)
					last[j][v] = last[j - 1][v];
			}
			if (q > 0)
				last[0][v] = out;
			sum[v] += out * out;
		}
	for (int v = 0; v < nv; v++)
	{
		ps->cross[v] = sum[v];
		for (int j = 0; j < q && j < to - from; j++)
			e[(to - from - 1 - j) * nv + v] = last[j][v];
	}
}

/* Rows from..to-1, at most AO_BLOCK, by whichever of the two fits. */
AO_INLINE void
steady_block(AoPass *ps, int64_t from, int64_t to, const int nv, AoVec *e)
{
	const AoShape *sh = ps->shape;

	if (ps->n_cols > 1)
		steady_steps(ps, from, to, nv, ps->n_cols, e);
	else if (ps->residuals || ps->skip || sh->ar > 2 || sh->ma > 2 || to - from < 2)
		steady_steps(ps, from, to, nv, 1, e);
	else
		switch (sh->ar * 3 + sh->ma)
		{
			case 0:
				steady_steps_short(ps, from, to, nv, 0, 0, e);
				break;
			case 1:
				steady_steps_short(ps, from, to, nv, 0, 1, e);
				break;
			case 2:
				steady_steps_short(ps, from, to, nv, 0, 2, e);
				break;
			case 3:
				steady_steps_short(ps, from, to, nv, 1, 0, e);
				break;
			case 4:
				steady_steps_short(ps, from, to, nv, 1, 1, e);
				break;
			case 5:
				steady_steps_short(ps, from, to, nv, 1, 2, e);
				break;
			case 6:
				steady_steps_short(ps, from, to, nv, 2, 0, e);
				break;
			case 7:
				steady_steps_short(ps, from, to, nv, 2, 1, e);
				break;
			default:
				steady_steps_short(ps, from, to, nv, 2, 2, e);
		}
}

AO_CLONES static void
steady_block1(AoPass *ps, int64_t from, int64_t to, AoVec *e)
{
	steady_block(ps, from, to, 1, e);
}

AO_CLONES static void
steady_block2(AoPass *ps, int64_t from, int64_t to, AoVec *e)
{
	steady_block(ps, from, to, 2, e);
}

AO_CLONES static void
steady_block4(AoPass *ps, int64_t from, int64_t to, AoVec *e)
{
	steady_block(ps, from, to, 4, e);
}

/* All rows from `from` on; ps->e begins with the ma rows of innovations before
 * it.  Afterwards it ends (again at its front) with the last ma rows. */
static AoStatus
steady_rows(AoPass *ps, int64_t from, AoEnv *env)
{
	size_t		row = (size_t) (ps->n_cols * ps->n_vecs);
	size_t		history = (size_t) ps->shape->ma * row;
	/* rows that have lags and columns to go through are fewer between two polls */
	int64_t		most = AO_BLOCK / (1 + ps->n_cols * (ps->n_cols / 2 + ps->shape->n_ar_lags + ps->shape->n_ma_lags) / 256);

	while (from < ps->n)
	{
		int64_t		to = ps->n - from > most ? from + most : ps->n;

		if (ps->n_vecs == 1)
			steady_block1(ps, from, to, ps->e + history);
		else if (ps->n_vecs == 2)
			steady_block2(ps, from, to, ps->e + history);
		else
			steady_block4(ps, from, to, ps->e + history);
		memmove(ps->e, ps->e + (size_t) (to - from) * row, history * sizeof(AoVec));
		from = to;
		AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

/* The state after the last row, from the last innovations and values. */
static void
state_from_history(AoPass *ps)
{
	const AoShape *sh = ps->shape;
	int			nv = ps->n_vecs,
				nc = ps->n_cols;

	memset(ps->x, 0, (size_t) (sh->r * nc * nv) * sizeof(AoVec));
	for (int c = 0; c < nc; c++)
		for (int v = 0; v < nv; v++)
		{
			AoVec	   *x = ps->x + c * sh->r * nv + v;

			for (int l = 0; l < sh->n_ar_lags; l++)
				for (int j = sh->ar_lags[l], i = 0; i < j; i++)
					x[i * nv] += ps->phi[(j - 1) * nv + v] * ps->w[(ps->n - (j - i)) * nc + c];
			for (int l = 0; l < sh->n_ma_lags; l++)
				for (int j = sh->ma_lags[l], i = 0; i < j; i++)
					x[i * nv] += ps->theta[(j - 1) * nv + v] *
						ps->e[((sh->ma - (j - i)) * nc + c) * nv + v];
		}
}

/*
 * ln F summed: exponents and one logarithm per lane.  F falls towards one; where
 * it rose or went below, the digits were lost (roots too close to the circle, or
 * too many on it) and the lane has no value.
 */
static void
finish_log_f(AoPass *ps)
{
	for (int v = 0; v < ps->n_vecs; v++)
		for (int j = 0; j < AO_LANES; j++)
			ps->log_f[v][j] = ps->last_F[v][j] < 0 ? NAN :
				ps->exponent[v][j] * 0.69314718055994530942 + log(ps->product[v][j]);
}

/* Exact steps until the gains have settled or the data end; rows done. */
static AoStatus
exact_rows(AoPass *ps, int64_t *done, AoEnv *env)
{
	AoPace		pace = {env, 0};
	int64_t		t = 0;

	while (t < ps->n && !ps->steady)
	{
		int64_t		chunk = stretch(ps, t),
					to = t + chunk < ps->n ? t + chunk : ps->n;

		AO_TRY(exact_range(ps, t, to, ps->e, 0, &pace));
		take_stock(ps);
		t = to;
		ps->steady = is_steady(ps, ps->n_vecs);
	}
	*done = t;
	return AO_OK;
}

/* Exact steps, then the difference equation for all the rest. */
static AoStatus
exact_pass(AoPass *ps, AoEnv *env)
{
	const AoShape *sh = ps->shape;
	AoPace		pace = {env, 0};
	int64_t		t;

	AO_TRY(exact_rows(ps, &t, env));
	finish_log_f(ps);
	if (!ps->steady)
		return AO_OK;
	enter_steady(ps);
	if (ps->n - t <= sh->r + AO_BLOCK / 32)
	{
		/* too few rows left to gain anything from leaving the state behind */
		return exact_range(ps, t, ps->n, ps->e, 0, &pace);
	}
	AO_TRY(exact_range(ps, t, t + sh->r - sh->ma, ps->e, 0, &pace));
	t += sh->r - sh->ma;
	AO_TRY(exact_range(ps, t, t + sh->ma, ps->e, ps->n_cols * ps->n_vecs, &pace));
	AO_TRY(steady_rows(ps, t + sh->ma, env));
	if (ps->want_state)
		state_from_history(ps);
	return AO_OK;
}

/* The same where the state has one element, and only sums are wanted. */
static AoStatus
first_order_pass(AoPass *ps, AoEnv *env)
{
	int64_t		t = 1;

	ao_first_order_start(ps);
	for (int64_t to; t < ps->n && !ao_first_order_decayed(ps); t = to)
	{
		to = ps->n - t > AO_BLOCK / 8 ? t + AO_BLOCK / 8 : ps->n;
		ao_first_order_rows(ps, t, to);
		AO_TRY(ao_poll(env));
	}
	ao_first_order_finish(ps);
	return steady_rows(ps, t, env);
}

/*
 * Lanes without a start, or with one that would cost too many digits: their
 * recursions are put at rest, so that the others need not wait for them.
 */
static void
exclude_lanes(AoPass *ps)
{
	int			nv = ps->n_vecs,
				r = ps->shape->r;

	for (int v = 0; v < nv; v++)
		for (int j = 0; j < AO_LANES; j++)
			if (isnan(ps->F[v][j]))
			{
				ps->last_F[v][j] = -1;
				ps->F[v][j] = 1;
				for (int i = 0; i < r; i++)
				{
					ps->K[i * nv + v][j] = 0;
					ps->L[i * nv + v][j] = 0;
				}
			}
}

/* Clear the sums and states. */
static void
reset(AoPass *ps)
{
	size_t		nv = (size_t) ps->n_vecs,
				nc = (size_t) ps->n_cols;

	memset(ps->cross, 0, nc * (nc + 1) / 2 * nv * sizeof(AoVec));
	memset(ps->x, 0, (size_t) ps->shape->r * nc * nv * sizeof(AoVec));
	memset(ps->log_f, 0, nv * sizeof(AoVec));
	for (int v = 0; v < AO_MAX_VECS; v++)
	{
		ps->product[v] = ao_splat(1);
		ps->exponent[v] = ao_splat(0);
		ps->last_F[v] = ao_splat(HUGE_VAL);
	}
	ps->steady = false;
}

/* Exact likelihood of all lanes: cross products and sum of ln F; x is left as
 * the predicted state after the last row. */
AoStatus
ao_pass_exact(AoPass *ps, AoEnv *env)
{
	AoPace		pace = {env, 0};

	reset(ps);
	if (ps->shape->r == 0)
	{
		/* white noise: nothing to filter */
		ps->steady = true;
		return steady_rows(ps, 0, env);
	}
	if (ps->shape->r == 1 && !ps->want_state && !ps->residuals)
		return first_order_pass(ps, env);
	for (int v = 0; v < ps->n_vecs; v++)
		AO_TRY(ao_stationary_start(ps->shape, ps->phi + v, ps->theta + v, ps->n_vecs,
								   ao_presample_serves(ps->shape), ps->K + v, ps->F + v,
								   ps->scratch, &pace));
	memcpy(ps->L, ps->K, (size_t) (ps->shape->r * ps->n_vecs) * sizeof(AoVec));
	exclude_lanes(ps);
	if (ps->state_cov)
		AO_TRY(initial_state_cov(ps, &pace));
	return exact_pass(ps, env);
}

/* Conditional sum of squares: w_1..w_ar given, innovations before them zero, and so are
 * those of rows to skip, which are left out of the sum. */
AoStatus
ao_pass_conditional(AoPass *ps, AoEnv *env)
{
	size_t		history = (size_t) ps->shape->ma * (size_t) (ps->n_cols * ps->n_vecs);

	reset(ps);
	ps->steady = true;
	memset(ps->e, 0, history * sizeof(AoVec));
	if (ps->residuals)
		for (int64_t t = 0; t < ps->shape->ar && t < ps->n; t++)
			ps->residuals[t] = 0;
	AO_TRY(steady_rows(ps, ps->shape->ar, env));
	if (ps->want_state && ps->n >= ps->shape->ar)
		state_from_history(ps);
	return AO_OK;
}

/* An exact pass (with want_state) goes on to row n: the same exact steps, which once it
 * is steady are the difference equation. */
AoStatus
ao_pass_more(AoPass *ps, int64_t n, AoEnv *env)
{
	AoPace		pace = {env, 0};
	int64_t		t = ps->n;

	ps->n = n;
	if (ps->shape->r == 0)
		return steady_rows(ps, t, env);
	for (int64_t to; t < n; t = to)
	{
		int64_t		chunk = stretch(ps, t);

		to = t + chunk < n ? t + chunk : n;
		AO_TRY(exact_range(ps, t, to, ps->e, 0, &pace));
		if (!ps->steady)
			take_stock(ps);
	}
	finish_log_f(ps);
	return AO_OK;
}

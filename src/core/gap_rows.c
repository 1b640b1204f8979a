/*
 * gap_rows.c
 *		The recursions of gap_columns.c: innovations of all columns and their products,
 *		a few rows at a time, column by column, so that what is worked on stays near.
 *
 * A block of rows is a small triangular system: the prediction of its row i is element i of the
 * state before it and what rows 0..i-1 brought, K_l for row l.  The state itself is brought up to
 * date once a block.
 */
#include "gap_columns.h"

#include <math.h>
#include <string.h>

#define ROWS AO_GAP_ROWS
#define STEADY 1e-5				/* as in pass.c */
#define STEADY_PRECISE 1e-9
#define LOST 1e-6
#define ROUNDING 1e-7
#define FORGOTTEN 1e-13			/* innovations after which a gap makes no difference */
#define TOGETHER 4				/* columns that share what is read of the gains */

/* Columns of gaps that play a part before row `end` come in. */
static void
wake(AoGapColumns *gc, int64_t end)
{
	while (gc->next < gc->n_gaps && gc->at[gc->next] < end)
	{
		int			first = gc->next;

		for (int i = 0; i < gc->n_alive; i++)
			if (gc->alive[i] < first)
				first = gc->alive[i];
		gc->first[gc->next] = first;
		gc->alive[gc->n_alive++] = gc->next++;
	}
}

/* A value of column c of the differences. */
AO_INLINE double
entry(const AoGapColumns *gc, int c, int64_t t)
{
	int64_t		lag;

	if (c >= gc->n_gaps)
		return gc->design->filled[t * (gc->design->n_beta + 1) + c - gc->n_gaps];
	lag = t - gc->at[c];
	return lag == 0 ? 1 : lag > 0 && lag <= gc->shape->diff ? -gc->shape->delta[lag - 1] : 0;
}

/* Gains and variances of `rows` rows on, by the recursions of pass.c. */
AO_CLONES static void
step_gains(AoGapColumns *gc, int rows)
{
	const int	r = gc->shape->r,
				p = gc->shape->ar;

	for (int t = 0; t < rows; t++)
	{
		AoVec	   *K = gc->K,
				   *L = gc->L,
					L0 = L[0],
					l = L0 / gc->F;

		gc->roots[t] = gc->F;
		memcpy(gc->gains + t * r, K, (size_t) r * sizeof(AoVec));
		gc->F -= l * L0;
		for (int i = 0; i < r; i++)
		{
			AoVec		TL = i < r - 1 ? L[i + 1] : ao_splat(0),
						k = K[i];

			if (i < p)
				TL += gc->phi[i] * L0;
			K[i] = k - l * TL;
			L[i] = TL - l * k;
		}
	}
}

/* ln F of the last rows; roots become what they are for: 1/sqrt(F).  An F that rose, or fell below
 * one, has lost its digits. */
static void
take_stock(AoGapColumns *gc, int rows)
{
	for (int j = 0; j < AO_LANES; j++)
		for (int t = 0; t < rows; t++)
		{
			double		F = gc->roots[t][j];

			if (!(F <= gc->last_F[j] * (1 + ROUNDING) && F >= 1 - LOST))
				gc->last_F[j] = -1;
			else
				gc->last_F[j] = F;
			gc->log_f[0][j] += log(F);
			gc->roots[t][j] = 1 / sqrt(F);
		}
}

/* Of m columns at a time, in one block of rows: what the state predicts, and the innovations over
 * their variances. */
typedef struct Block
{
	AoVec		x0[ROWS][TOGETHER],
				by[ROWS][TOGETHER];
} Block;

/* Innovations of the rows from t on of m columns by the state, in u over the roots of their
 * variances. */
AO_INLINE void
state_innovations(AoGapColumns *gc, const int *columns, const int m, int64_t t, int rows, Block *bl)
{
	const AoShape *sh = gc->shape;
	const int	r = sh->r;

	for (int i = 0; i < rows; i++)
	{
		AoVec		sum[TOGETHER];

		for (int c = 0; c < m; c++)
			sum[c] = i < r ? gc->x[columns[c] * r + i] : ao_splat(0);
		for (int l = i > r ? i - r : 0; l < i; l++)
			for (int c = 0; c < m; c++)
				sum[c] += gc->gains[l * r + i - 1 - l] * bl->by[l][c];
		for (int l = 0; l < sh->n_ar_lags && sh->ar_lags[l] <= i; l++)
			for (int c = 0; c < m; c++)
				sum[c] += gc->phi[sh->ar_lags[l] - 1] * bl->x0[i - sh->ar_lags[l]][c];
		for (int c = 0; c < m; c++)
		{
			AoVec		e = entry(gc, columns[c], t + i) - sum[c],
						u = e * gc->roots[i];

			bl->x0[i][c] = sum[c];
			bl->by[i][c] = u * gc->roots[i];
			gc->e[columns[c] * (sh->ma + ROWS) + sh->ma + i] = e;
			gc->u[columns[c] * ROWS + i] = u;
		}
	}
}

/* Elements j..j+n-1 of the state of m columns after a whole block. */
AO_INLINE void
state_elements(AoGapColumns *gc, const int *columns, const int m, int j, const int n, int rows,
			   const Block *bl)
{
	const int	r = gc->shape->r;
	AoVec		sum[TOGETHER * 2];

	for (int c = 0; c < m; c++)
		for (int i = 0; i < n; i++)
			sum[c * n + i] = j + i + rows < r ? gc->x[columns[c] * r + j + i + rows] : ao_splat(0);
	for (int l = j + n - 1 + rows > r ? j + n - 1 + rows - r : 0; l < rows; l++)
		for (int i = 0; i < n; i++)
		{
			AoVec		K = gc->gains[l * r + j + i + rows - 1 - l];

			for (int c = 0; c < m; c++)
				sum[c * n + i] += K * bl->by[l][c];
		}
	for (int c = 0; c < m; c++)
		for (int i = 0; i < n; i++)
			gc->x[columns[c] * r + j + i] = sum[c * n + i];
}

/* The state of m columns after the block: what is left of it, and what its rows brought. */
AO_INLINE void
state_after(AoGapColumns *gc, const int *columns, const int m, int rows, const Block *bl)
{
	const AoShape *sh = gc->shape;
	const int	r = sh->r;
	int			j = 0;

	for (; j + 1 + rows <= r; j += 2)
		state_elements(gc, columns, m, j, 2, rows, bl);
	for (; j < r; j++)
		state_elements(gc, columns, m, j, 1, rows, bl);
	for (int l = 0; l < sh->n_ar_lags; l++)
		for (int i = rows - 1, lag = sh->ar_lags[l]; i >= 0 && lag - rows + i >= 0; i--)
			for (int c = 0; c < m; c++)
				gc->x[columns[c] * r + lag - rows + i] += gc->phi[lag - 1] * bl->x0[i][c];
}

/* Rows from t on of all columns by the state. */
AO_CLONES static void
state_rows(AoGapColumns *gc, const int *columns, int m, int64_t t, int rows)
{
	Block		bl;

	if (m == TOGETHER)
	{
		state_innovations(gc, columns, TOGETHER, t, rows, &bl);
		state_after(gc, columns, TOGETHER, rows, &bl);
	}
	else
		for (int c = 0; c < m; c++)
		{
			state_innovations(gc, columns + c, 1, t, rows, &bl);
			state_after(gc, columns + c, 1, rows, &bl);
		}
}

/* The same by the difference equation, where the gains have settled. */
AO_CLONES static void
equation_rows(AoGapColumns *gc, int c, int64_t t, int rows)
{
	const AoShape *sh = gc->shape;
	const int	nc = gc->design->n_beta + 1;
	AoVec	   *e = gc->e + c * (sh->ma + ROWS) + sh->ma,
			   *u = gc->u + c * ROWS;

	for (int i = 0; i < rows; i++)
	{
		AoVec		out = ao_splat(0);

		if (c < gc->n_gaps)
		{
			int64_t		lag = t + i - gc->at[c];

			if (lag >= 0 && lag <= sh->ar + sh->diff)
				out = gc->impulse[lag];
		}
		else
		{
			const double *w = gc->design->filled + (t + i) * nc + c - gc->n_gaps;

			out = ao_splat(w[0]);
			for (int l = 0; l < sh->n_ar_lags; l++)
				out -= gc->phi[sh->ar_lags[l] - 1] * w[-(int64_t) sh->ar_lags[l] * nc];
		}
		for (int l = sh->n_ma_lags - 1; l >= 0; l--)
			out -= gc->theta[sh->ma_lags[l] - 1] * e[i - sh->ma_lags[l]];
		e[i] = u[i] = out;
	}
}

/* Products of the last rows of column a with those of four others, b[4], added to sums. */
AO_CLONES static void
add_products(const AoVec *a, const AoVec *const *b, int rows, AoVec *const *sums)
{
	AoVec		sum[4] = {*sums[0], *sums[1], *sums[2], *sums[3]};

	for (int t = 0; t < rows; t++)
		for (int i = 0; i < 4; i++)
			sum[i] += a[t] * b[i][t];
	for (int i = 0; i < 4; i++)
		*sums[i] = sum[i];
}

/* All products of the columns alive. */
static AoStatus
cross_products(AoGapColumns *gc, int rows)
{
	for (int i = 0; i < gc->n_alive; i++)
	{
		int			a = gc->alive[i];
		AoVec		nowhere[4];

		for (int j = 0; j <= i; j += 4)
		{
			const AoVec *b[4];
			AoVec	   *sums[4];

			for (int k = 0; k < 4; k++)
			{
				int			other = gc->alive[j + k <= i ? j + k : i];
				size_t		high = (size_t) (a > other ? a : other),
							low = (size_t) (a > other ? other : a);

				b[k] = gc->u + other * ROWS;
				sums[k] = j + k <= i ? &gc->all[ao_packed(high) + low] : &nowhere[k];
			}
			add_products(gc->u + a * ROWS, b, rows, sums);
		}
		AO_TRY(ao_pace(&gc->pace, i * rows / 4));
	}
	return AO_OK;
}

/* Are all of n vectors less than that? */
static bool
all_below(const AoVec *v, int n, double limit)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < AO_LANES; j++)
			if (!(fabs(v[i][j]) < limit))
				return false;
	return true;
}

/* Gaps that the model has forgotten go. */
static void
retire(AoGapColumns *gc, int64_t end, bool by_state)
{
	const AoShape *sh = gc->shape;
	int			left = 0;

	for (int i = 0; i < gc->n_alive; i++)
	{
		int			c = gc->alive[i];
		const AoVec *e = gc->e + c * (sh->ma + ROWS);

		if (c >= gc->n_gaps || end <= gc->at[c] + sh->ar + sh->diff ||
			!(by_state ? all_below(gc->x + c * sh->r, sh->r, FORGOTTEN) : all_below(e, sh->ma, FORGOTTEN)))
			gc->alive[left++] = c;
	}
	gc->n_alive = left;
}

/* One block of rows of all columns. */
static AoStatus
block(AoGapColumns *gc, int64_t t, int rows, bool by_state)
{
	const AoShape *sh = gc->shape;
	size_t		ma = (size_t) sh->ma;

	wake(gc, t + rows);
	for (int i = 0, m; i < gc->n_alive; i += m)
	{
		m = gc->n_alive - i < TOGETHER ? gc->n_alive - i : TOGETHER;
		if (by_state)
			state_rows(gc, gc->alive + i, m, t, rows);
		for (int c = 0; c < m && !by_state; c++)
			equation_rows(gc, gc->alive[i + c], t, rows);
		AO_TRY(ao_pace(&gc->pace, m * rows * (1 + (by_state ? sh->r : sh->n_ma_lags) / 4)));
	}
	AO_TRY(cross_products(gc, rows));
	for (int i = 0; i < gc->n_alive; i++)
	{
		AoVec	   *e = gc->e + (size_t) gc->alive[i] * (ma + ROWS);

		memmove(e, e + rows, ma * sizeof(AoVec));
	}
	retire(gc, t + rows, by_state);
	return AO_OK;
}

/* The gains are what they come to. */
static void
settle(AoGapColumns *gc)
{
	int			r = gc->shape->r;

	gc->F = ao_splat(1);
	for (int i = 0; i < r; i++)
		gc->K[i] = gc->phi[i] + gc->theta[i];
	for (int t = 0; t < ROWS; t++)
	{
		gc->roots[t] = ao_splat(1);
		memcpy(gc->gains + t * r, gc->K, (size_t) r * sizeof(AoVec));
	}
}

/* All rows: by the state until the gains have settled and for as long as what was before them
 * is in it, then by the difference equation. */
AoStatus
ao_gap_rows(AoGapColumns *gc)
{
	double		limit = gc->precise ? STEADY_PRECISE : STEADY;
	int64_t		n = gc->design->filled_rows,
				settled = -1;
	bool		by_state = true;

	if (gc->shape->r == 0)
		by_state = false;
	for (int64_t t = 0; t < n;)
	{
		int			rows = n - t < ROWS ? (int) (n - t) : ROWS;

		if (by_state && settled < 0)
		{
			step_gains(gc, rows);
			take_stock(gc, rows);
			AO_TRY(ao_pace(&gc->pace, rows * gc->shape->r));
		}
		AO_TRY(block(gc, t, rows, by_state));
		t += rows;
		if (settled >= 0)
			by_state = by_state && t < settled + gc->shape->r;
		else if (by_state && all_below(gc->L, gc->shape->r, limit))
		{
			settled = t;
			settle(gc);
		}
	}
	return AO_OK;
}

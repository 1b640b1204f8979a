/*
 * gap_columns.c
 *		Exact likelihood of a series with a few gaps: the same as the filter of
 *		kalman.c, by the fast recursions of pass.c.  Four parameter vectors at a time.
 *
 * Each missing value is filled, with anything, and becomes a regression coefficient: its
 * column is one there and zero elsewhere.  Generalised least squares then finds what the
 * gap hides, and the sum of squares is that of the known values.  What is left is the
 * determinant: with V the covariance of the filled series and X the columns
 *		ln|V of the known values| = ln|V| + ln|X'V^-1 X|
 * (the additive outlier approach: Gomez, Maravall & Pena 1999).  Here the pivots of X'V^-1 X,
 * and its Schur complement, which are the cross products that the filter would leave.
 *
 * The filter's P has the square of the state's dimension, and is worked out anew with each
 * value: this is for long seasons.  Columns come in at their gap and go where the model has
 * forgotten it (gap_rows.c).
 */
#include "gap_columns.h"

#include <math.h>
#include <string.h>

#define ROWS AO_GAP_ROWS
/* A sum of squares that shrinks by this when others are taken out has lost too many digits. */
#define FEW_DIGITS 1e-7
#define LARGEST_START 1e4		/* variance of the first value, beyond which the filter, with its start near the circle, keeps more digits */
#define MOST_GAPS 400

/* See gap_columns.h. */
double
ao_gap_columns_cost(const AoShape *sh, int64_t n, int64_t n_gaps)
{
	double		k = (double) n_gaps;

	return (double) n * k / 2 * (sh->r + 8) + (double) n * k * k / 6 + k * k * k / 6;
}

/* See gap_columns.h.  The factor as measured. */
double
ao_gap_filter_cost(const AoShape *sh, int64_t n)
{
	double		s = sh->r + sh->diff;

	return 2.5 * (double) n * s * s;
}

/* See gap_columns.h. */
bool
ao_gap_columns_serve(const AoShape *sh, int64_t n, int64_t n_gaps)
{
	return n_gaps > 0 && n_gaps <= MOST_GAPS && ao_gap_columns_cost(sh, n, n_gaps) < ao_gap_filter_cost(sh, n);
}

size_t
ao_gap_columns_bytes(const AoShape *sh, int nb, int64_t n_gaps)
{
	size_t		vec = sizeof(AoVec),
				r = (size_t) sh->r,
				k = (size_t) n_gaps,
				nc = k + (size_t) nb + 1;

	return ao_arena_round(1, sizeof(AoGapColumns)) + 4 * ao_arena_round(r, vec) + ao_arena_round(ao_start_scratch(sh), vec) +
		ao_arena_round(ROWS * r, vec) + ao_arena_round(ROWS, vec) +
		ao_arena_round(nc * r, vec) + ao_arena_round(nc * (size_t) (sh->ma + ROWS), vec) +
		ao_arena_round(nc * ROWS, vec) + ao_arena_round((size_t) (sh->ar + sh->diff) + 1, vec) +
		ao_arena_round(ao_packed(nc), vec) + ao_arena_round(ao_packed((size_t) nb + 1), vec) +
		ao_arena_round(1, vec) + ao_arena_round(k, sizeof(int64_t)) + 2 * ao_arena_round(nc, sizeof(int));
}

AoGapColumns *
ao_gap_columns_make(const AoShape *sh, const AoDesign *de, AoArena *arena, AoEnv *env)
{
	AoGapColumns *gc = ao_arena_take(arena, 1, sizeof(AoGapColumns));
	size_t		vec = sizeof(AoVec),
				r = (size_t) sh->r,
				k = (size_t) de->n_missing,
				nb = (size_t) de->n_beta,
				nc = k + nb + 1;
	int			found = 0;

	memset(gc, 0, sizeof *gc);
	gc->shape = sh;
	gc->design = de;
	gc->pace.env = env;
	gc->n_gaps = (int) k;
	gc->n_cols = (int) nc;
	gc->phi = ao_arena_take(arena, r, vec);
	gc->theta = ao_arena_take(arena, r, vec);
	gc->K = ao_arena_take(arena, r, vec);
	gc->L = ao_arena_take(arena, r, vec);
	gc->scratch = ao_arena_take(arena, ao_start_scratch(sh), vec);
	gc->gains = ao_arena_take(arena, ROWS * r, vec);
	gc->roots = ao_arena_take(arena, ROWS, vec);
	gc->x = ao_arena_take(arena, nc * r, vec);
	gc->e = ao_arena_take(arena, nc * (size_t) (sh->ma + ROWS), vec);
	gc->u = ao_arena_take(arena, nc * ROWS, vec);
	gc->impulse = ao_arena_take(arena, (size_t) (sh->ar + sh->diff) + 1, vec);
	gc->all = ao_arena_take(arena, ao_packed(nc), vec);
	gc->cross = ao_arena_take(arena, ao_packed(nb + 1), vec);
	gc->log_f = ao_arena_take(arena, 1, vec);
	gc->at = ao_arena_take(arena, k, sizeof(int64_t));
	gc->alive = ao_arena_take(arena, nc, sizeof(int));
	gc->first = ao_arena_take(arena, nc, sizeof(int));
	memset(gc->phi, 0, r * vec);
	memset(gc->theta, 0, r * vec);
	for (int64_t t = 0; t < de->n; t++)
		if (isnan(de->z[(t + 1) * (int64_t) (nb + 1) - 1]))
			gc->at[found++] = t - sh->diff;
	return gc;
}

/* What differences and the AR part make of a one: 1 - a(B) for the levels. */
static void
set_impulse(AoGapColumns *gc)
{
	const AoShape *sh = gc->shape;

	memset(gc->impulse, 0, ((size_t) (sh->ar + sh->diff) + 1) * sizeof(AoVec));
	for (int i = 0; i <= sh->diff; i++)
	{
		double		d = i == 0 ? 1 : -sh->delta[i - 1];

		if (d == 0)
			continue;
		gc->impulse[i] += d;
		for (int l = 0; l < sh->n_ar_lags; l++)
			gc->impulse[i + sh->ar_lags[l]] -= d * gc->phi[sh->ar_lags[l] - 1];
	}
}

/* Lanes that have no start, and sums and states to begin with. */
static void
reset(AoGapColumns *gc)
{
	const AoShape *sh = gc->shape;
	size_t		nc = (size_t) gc->n_cols;

	memset(gc->all, 0, ao_packed(nc) * sizeof(AoVec));
	memset(gc->x, 0, nc * (size_t) sh->r * sizeof(AoVec));
	memset(gc->e, 0, nc * (size_t) (sh->ma + ROWS) * sizeof(AoVec));
	gc->n_alive = 0;
	gc->next = 0;
	gc->log_f[0] = ao_splat(0);
	gc->last_F = ao_splat(HUGE_VAL);
	for (int j = 0; j < AO_LANES; j++)
		if (isnan(gc->F[j]))
		{
			gc->last_F[j] = -1;
			gc->F[j] = 1;
			for (int i = 0; i < sh->r; i++)
				gc->K[i][j] = 0;
		}
	memcpy(gc->L, gc->K, (size_t) sh->r * sizeof(AoVec));
	for (int c = gc->n_gaps; c < gc->n_cols; c++)
	{
		gc->first[c] = 0;
		gc->alive[gc->n_alive++] = c;
	}
}

/* Row i of the factor less what rows before it explain: element j. */
AO_CLONES static void
reduce(const AoVec *row_i, const AoVec *row_j, int from, int to, AoVec *element)
{
	AoVec		sum = *element;

	for (int l = from; l < to; l++)
		sum -= row_i[l] * row_j[l];
	*element = sum;
}

/* The logarithm of a pivot, which becomes one over its root. */
static void
take_pivot(AoGapColumns *gc, const AoVec *before, AoVec *pivot)
{
	for (int j = 0; j < AO_LANES; j++)
	{
		double		D = (*pivot)[j];

		if (D > FEW_DIGITS * (*before)[j])
			gc->log_f[0][j] += log(D);
		else
			gc->last_F[j] = -1;
		(*pivot)[j] = D > 0 ? 1 / sqrt(D) : 0;
	}
}

/* Cholesky factor of the gaps' part; the rest becomes its Schur complement.  Before its first
 * column a row is zero. */
static AoStatus
eliminate(AoGapColumns *gc)
{
	int			k = gc->n_gaps;

	for (int i = 0; i < gc->n_cols; i++)
	{
		AoVec	   *row = gc->all + ao_packed((size_t) i),
					before = row[i];

		for (int j = gc->first[i]; j <= i; j++)
		{
			int			from = gc->first[i] > gc->first[j] ? gc->first[i] : gc->first[j];

			reduce(row, gc->all + ao_packed((size_t) j), from, j < k ? j : k, &row[j]);
			if (j < k && j < i)
				row[j] *= gc->all[ao_packed((size_t) j) + (size_t) j];
			AO_TRY(ao_pace(&gc->pace, 1 + (j - from) / 4));
		}
		if (i < k)
			take_pivot(gc, &before, &row[i]);
		else
		{
			for (int j = k; j <= i; j++)
				gc->cross[ao_packed((size_t) (i - k)) + (size_t) (j - k)] = row[j];
			for (int j = 0; j < AO_LANES; j++)
				if (!(row[i][j] >= FEW_DIGITS * before[j]))
					gc->last_F[j] = -1;
		}
	}
	return AO_OK;
}

/* See gap_columns.h. */
AoStatus
ao_gap_columns_pass(AoGapColumns *gc)
{
	bool		rescue = ao_presample_serves(gc->shape),
				none[AO_LANES];

	gc->F = ao_splat(1);
	if (gc->shape->r > 0)
		AO_TRY(ao_stationary_start(gc->shape, gc->phi, gc->theta, 1, rescue, gc->K, &gc->F, gc->scratch,
								   &gc->pace));
	for (int j = 0; j < AO_LANES; j++)
	{
		/* the filter has no start either */
		none[j] = !rescue && isnan(gc->F[j]);
		if (rescue && gc->F[j] > LARGEST_START)
			gc->F[j] = NAN;
	}
	reset(gc);
	set_impulse(gc);
	AO_TRY(ao_gap_rows(gc));
	AO_TRY(eliminate(gc));
	for (int j = 0; j < AO_LANES; j++)
		if (none[j] || gc->last_F[j] < 0)
			gc->log_f[0][j] = none[j] ? HUGE_VAL : NAN;
	return AO_OK;
}

/*
 * gap_columns.h
 *		The likelihood of kalman.c where gaps are few and seasons long: gap_columns.c, and its
 *		recursions, gap_rows.c.
 */
#ifndef AO_GAP_COLUMNS_H
#define AO_GAP_COLUMNS_H

#include "internal.h"

#define AO_GAP_ROWS 16			/* rows taken at a time */

typedef struct AoGapColumns
{
	const AoShape *shape;
	const AoDesign *design;
	int			n_gaps,			/* columns: gaps, then regressors, then the series */
				n_cols;
	int64_t    *at;				/* [n_gaps] row of the differences whose level is missing; may be < 0 */
	AoPace		pace;
	bool		precise;		/* as in AoPass */
	AoVec	   *phi,
			   *theta,			/* [r]; in */
			   *K,
			   *L,				/* [r], as in AoPass */
			   *scratch,
			   *gains,			/* [AO_GAP_ROWS][r] K of some rows .. */
			   *roots,			/* [AO_GAP_ROWS] .. and 1/sqrt(F) */
			   *x,				/* [n_cols][r] */
			   *e,				/* [n_cols][ma + AO_GAP_ROWS] innovations */
			   *u,				/* [n_cols][AO_GAP_ROWS] over the roots of their variances */
			   *impulse,		/* [ar + diff + 1] */
			   *all;			/* products of all columns, packed */
	AoVec		F,
				last_F;			/* -1: a lane has lost its digits */
	int		   *alive,			/* [n_cols] columns under way, n_alive of them */
			   *first;			/* [n_cols] the first column that overlaps with one */
	int			n_alive,
				next;			/* gap that comes in next */
	AoVec	   *cross,			/* out, as in AoKalman; log_f is NaN where digits were lost, HUGE_VAL where
								 * the filter has none either */
			   *log_f;
} AoGapColumns;

/* Multiplications of vectors that a pass takes: by columns, and by the filter. */
double		ao_gap_columns_cost(const AoShape *shape, int64_t n, int64_t n_gaps);
double		ao_gap_filter_cost(const AoShape *shape, int64_t n);
/* Are columns quicker, and few enough? */
bool		ao_gap_columns_serve(const AoShape *shape, int64_t n, int64_t n_gaps);
size_t		ao_gap_columns_bytes(const AoShape *shape, int n_beta, int64_t n_gaps);
AoGapColumns *ao_gap_columns_make(const AoShape *shape, const AoDesign *design, AoArena *arena, AoEnv *env);
/* phi and theta to cross and log_f. */
AoStatus	ao_gap_columns_pass(AoGapColumns *gc);
/* Products of the columns alive over all rows, and ln F; F, K and L are those of the first row. */
AoStatus	ao_gap_rows(AoGapColumns *gc);

/* Element n of a packed triangle begins row n. */
static inline size_t
ao_packed(size_t n)
{
	return n * (n + 1) / 2;
}

#endif

/*
 * least_squares.h
 *		Least squares a row at a time: the triangle of a QR decomposition,
 *		brought up to date by Givens rotations, so that the rows need not be
 *		kept.
 */
#ifndef AO_LEAST_SQUARES_H
#define AO_LEAST_SQUARES_H

#include "internal.h"

typedef struct AoLeastSquares
{
	int			k;				/* regressors; the response is column k */
	int64_t		rows;
	double	   *R;				/* [k+1][k+1], upper triangle by rows */
	double	   *norm;			/* [k+1] sums of squares of the columns */
	double	   *row;			/* [k+1] the next row, to be filled by the caller */
} AoLeastSquares;

size_t		ao_least_squares_bytes(int k);
AoStatus	ao_least_squares_init(AoLeastSquares *ls, int k, AoArena *arena, AoPace *pace);
/* Takes ls->row in; what was there is destroyed.  O(k^2). */
AoStatus	ao_least_squares_add(AoLeastSquares *ls, AoPace *pace);
/* Are the regressors independent and the response not exactly explained? */
bool		ao_least_squares_regular(const AoLeastSquares *ls);
/* Residual sum of squares. */
double		ao_least_squares_rss(const AoLeastSquares *ls);
/* Coefficients to coef[k]. */
void		ao_least_squares_solve(const AoLeastSquares *ls, double *coef);

#endif							/* AO_LEAST_SQUARES_H */

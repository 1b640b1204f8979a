/*
 * least_squares.c
 *		Least squares a row at a time; see least_squares.h.
 */
#include "least_squares.h"

#include <math.h>
#include <string.h>

/* A regressor of which the others leave less than this share is one of them; a
 * response of which the regressors leave less than the other has no residual. */
#define DEPENDENT 1e-9
#define EXPLAINED 1e-12

size_t
ao_least_squares_bytes(int k)
{
	size_t		c = (size_t) k + 1;

	return ao_arena_round(c * c, sizeof(double)) + 2 * ao_arena_round(c, sizeof(double));
}

/* No rows yet. */
AoStatus
ao_least_squares_init(AoLeastSquares *ls, int k, AoArena *arena, AoPace *pace)
{
	size_t		c = (size_t) k + 1;

	ls->k = k;
	ls->rows = 0;
	ls->R = ao_arena_take(arena, c * c, sizeof(double));
	ls->norm = ao_arena_take(arena, c, sizeof(double));
	ls->row = ao_arena_take(arena, c, sizeof(double));
	memset(ls->norm, 0, c * sizeof(double));
	for (size_t j = 0; j < c; j++)
	{
		memset(ls->R + j * c, 0, c * sizeof(double));
		AO_TRY(ao_pace(pace, (int64_t) c));
	}
	return AO_OK;
}

/* Rotates the new row into the triangle (Golub & Van Loan, 5.2.5). */
AoStatus
ao_least_squares_add(AoLeastSquares *ls, AoPace *pace)
{
	int			c = ls->k + 1;
	double	   *x = ls->row;

	for (int j = 0; j < c; j++)
		ls->norm[j] += x[j] * x[j];
	for (int j = 0; j < c; j++)
	{
		double	   *r = ls->R + (size_t) j * c;
		double		length,
					cosine,
					sine;

		AO_TRY(ao_pace(pace, c - j));
		if (x[j] == 0)
			continue;
		length = sqrt(r[j] * r[j] + x[j] * x[j]);
		if (!(length > 0))
			continue;
		cosine = r[j] / length;
		sine = x[j] / length;
		r[j] = length;
		for (int i = j + 1; i < c; i++)
		{
			double		above = r[i];

			r[i] = cosine * above + sine * x[i];
			x[i] = cosine * x[i] - sine * above;
		}
	}
	ls->rows++;
	return AO_OK;
}

/* The diagonal tells: what of each column is orthogonal to those before it. */
bool
ao_least_squares_regular(const AoLeastSquares *ls)
{
	int			c = ls->k + 1;

	if (ls->rows <= ls->k)
		return false;
	for (int j = 0; j < c; j++)
		if (!(ls->R[(size_t) j * c + j] > (j < ls->k ? DEPENDENT : EXPLAINED) * sqrt(ls->norm[j])))
			return false;
	return true;
}

double
ao_least_squares_rss(const AoLeastSquares *ls)
{
	double		last = ls->R[(size_t) (ls->k + 1) * (ls->k + 1) - 1];

	return last * last;
}

/* Back substitution. */
void
ao_least_squares_solve(const AoLeastSquares *ls, double *coef)
{
	int			c = ls->k + 1;

	for (int j = ls->k - 1; j >= 0; j--)
	{
		const double *r = ls->R + (size_t) j * c;
		double		sum = r[ls->k];

		for (int i = j + 1; i < ls->k; i++)
			sum -= r[i] * coef[i];
		coef[j] = sum / r[j];
	}
}

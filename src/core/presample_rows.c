/*
 * presample_rows.c
 *		The least squares problem of presample.c again, row by row: for one-step errors,
 *		and for the state that a model keeps.
 *
 * With e = e0 - H X xi and xi of unit variance, the triangle R that orthogonal rotations
 * make of the rows of I and H X is the Cholesky factor of M, and the right side z that
 * goes with it is C^-1 b (Golub 1965; Gentleman 1973).  M squares what is large in H X;
 * R does not, so that twice the digits are left of it, at a price that is too high for
 * a search.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* Rotate row[m], e into the triangle R and its right side z; what is left of e, and
 * the factor at which what is new in it is left. */
static double
rotate_in(double *R, double *z, double *row, double e, int m, double *left)
{
	*left = 1;
	for (int k = 0; k < m; k++)
	{
		/* R[k][k] began at one and grows, so that the square can do no harm */
		double		scale = 1 / sqrt(R[k * m + k] * R[k * m + k] + row[k] * row[k]),
					c = R[k * m + k] * scale,
					s = row[k] * scale,
					old = z[k];

		if (s == 0)
			continue;
		for (int l = k; l < m; l++)
		{
			double		upper = R[k * m + l];

			R[k * m + l] = c * upper + s * row[l];
			row[l] = c * row[l] - s * upper;
		}
		z[k] = c * old + s * e;
		e = c * e - s * old;
		*left *= c;
	}
	return e;
}

/* The latest row of H X. */
static void
row_of_HX(const AoPresample *pre, double *row)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;

	memset(row, 0, (size_t) m * sizeof(double));
	for (int i = 0; i < r; i++)
		for (int k = 0; k < m; k++)
			row[k] += pre->pi[r - i][0] * pre->X[i * m + k];
}

/* The latest innovation of the last column less gamma times the others. */
static double
innovation(const AoPresample *pre, const double *gamma)
{
	int			nb = pre->n_cols - 1;
	const AoVec *e = pre->e + pre->shape->r * pre->n_cols;
	double		sum = e[nb][0];

	for (int c = 0; c < nb; c++)
		sum -= gamma[c] * e[c][0];
	return sum;
}

/* See internal.h. */
AoStatus
ao_presample_rows(AoPresample *pre, const double *w, int64_t n, const double *gamma,
				  double *residuals, AoEnv *env)
{
	int			m = pre->shape->ar + pre->shape->ma;
	double	   *R = pre->M,
			   *row = pre->U,
			   *z = pre->b,
				left;
	bool		decayed = false;
	AoPace		pace = {env, 0};

	ao_presample_first_row(pre);
	memset(R, 0, (size_t) (m * m) * sizeof(double));
	memset(z, 0, (size_t) m * sizeof(double));
	for (int k = 0; k < m; k++)
		R[k * m + k] = 1;
	for (int64_t t = 0; t < n; t++)
	{
		bool		before = decayed;
		double		e;

		ao_presample_next_row(pre, w, t, &decayed);
		e = innovation(pre, gamma);
		if (!before)
		{
			row_of_HX(pre, row);
			e = rotate_in(R, z, row, e, m, &left);
			if (residuals && pre->variances)
				pre->variances[t] = 1 / (left * left);
		}
		else if (!residuals)
			break;
		if (residuals)
			residuals[t] = e;
		AO_TRY(ao_pace(&pace, 16 + m * m));
	}
	return AO_OK;
}

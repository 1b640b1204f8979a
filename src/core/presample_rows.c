/*
 * presample_rows.c
 *		The least squares problem of presample.c again, row by row: for one-step errors,
 *		and for the state at the end of a few rows, which follows from the one at the start.
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

/* See internal.h. */
AoStatus
ao_presample_rows(AoPresample *pre, const double *w, int64_t n, double *residuals, AoEnv *env)
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
		e = pre->e[pre->shape->r][0];
		left = 1;
		if (!before)
		{
			row_of_HX(pre, row);
			e = rotate_in(R, z, row, e, m, &left);
		}
		else if (!residuals)
			break;
		if (residuals)
			residuals[t] = e;
		if (residuals && pre->variances)
			pre->variances[t] = 1 / (left * left);
		AO_TRY(ao_pace(&pace, 16 + m * m));
	}
	return AO_OK;
}

/* x_1 given the data, and columns Y[r][m] with Y Y' its covariance: Y = X R^-1. */
static void
smoothed_start(AoPresample *pre, double *x)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;

	for (int i = 0; i < r; i++)
	{
		double	   *y = pre->HX + i * m;

		memcpy(y, pre->X + i * m, (size_t) m * sizeof(double));
		x[i] = 0;
		for (int k = 0; k < m; k++)
		{
			for (int l = 0; l < k; l++)
				y[k] -= pre->M[l * m + k] * y[l];
			y[k] /= pre->M[k * m + k];
			x[i] += y[k] * pre->b[k];
		}
	}
}

/* One step of the columns y[r][m] of uncertainty, the value being known: e = -x[0]. */
static void
step_columns(const AoPresample *pre, double *y, int m)
{
	int			r = pre->shape->r;

	for (int k = 0; k < m; k++)
	{
		double		first = y[k];

		for (int i = 0; i < r; i++)
			y[i * m + k] = (i + 1 < r ? y[(i + 1) * m + k] : 0) - pre->theta1[i] * first;
	}
}

/* Covariance of the state of which HX is a factor of it. */
static void
presample_cov(const AoPresample *pre, double *P, int ld)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;

	for (int i = 0; i < r; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = 0; k < m; k++)
				sum += pre->HX[i * m + k] * pre->HX[j * m + k];
			P[i * ld + j] = P[j * ld + i] = sum;
		}
}

/* See internal.h. */
AoStatus
ao_presample_state(AoPresample *pre, const double *w, int64_t n, double *x, double *P, int ld,
				   AoEnv *env)
{
	int			r = pre->shape->r,
				m = pre->shape->ar + pre->shape->ma;
	AoPace		pace = {env, 0};

	smoothed_start(pre, x);
	for (int64_t t = 0; t < n; t++)
	{
		double		x0 = x[0],
					e = w[t] - x0;

		for (int i = 0; i < r; i++)
			x[i] = (i + 1 < r ? x[i + 1] : 0) + pre->phi1[i] * x0 +
				(pre->phi1[i] + pre->theta1[i]) * e;
		if (P)
			step_columns(pre, pre->HX, m);
		AO_TRY(ao_pace(&pace, r + (P ? r * m / 4 : 0)));
	}
	if (P)
		presample_cov(pre, P, ld);
	return AO_OK;
}

/*
 * hessian.c
 *		Standard errors from the independent likelihood, to check the
 *		library's.
 */
#include "exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

/* Log-likelihood at coef with a steps added to element i and b to element j. */
static double
shifted(ExactProblem *e, const double *coef, int k, const double *steps,
		int i, int a, int j, int b)
{
	double		x[MAX_COEF];

	memcpy(x, coef, k * sizeof(double));
	x[i] += a * steps[i];
	x[j] += b * steps[j];
	return exact_loglik_at(e, x);
}

/* Second derivative by i and j in units of the steps, by central differences. */
static double
second_difference(ExactProblem *e, const double *coef, int k, const double *steps, int i, int j)
{
	if (i == j)
		return shifted(e, coef, k, steps, i, 1, j, 0) - 2 * exact_loglik_at(e, coef)
			+ shifted(e, coef, k, steps, i, -1, j, 0);
	return (shifted(e, coef, k, steps, i, 1, j, 1) - shifted(e, coef, k, steps, i, 1, j, -1)
			- shifted(e, coef, k, steps, i, -1, j, 1)
			+ shifted(e, coef, k, steps, i, -1, j, -1)) / 4;
}

/* Inverse of a symmetric positive definite matrix in place (Gauss-Jordan); 0 if it is none. */
static int
invert(double *a, int k)
{
	for (int c = 0; c < k; c++)
	{
		double		pivot = a[c * k + c];

		if (!(pivot > 0))
			return 0;
		a[c * k + c] = 1;
		for (int j = 0; j < k; j++)
			a[c * k + j] /= pivot;
		for (int i = 0; i < k; i++)
		{
			double		f = a[i * k + c];

			if (i == c)
				continue;
			a[i * k + c] = 0;
			for (int j = 0; j < k; j++)
				a[i * k + j] -= f * a[c * k + j];
		}
	}
	return 1;
}

int
exact_std_errors(ExactProblem *e, const double *coef, const double *steps, int k,
				 double *std_error)
{
	double		h[MAX_COEF * MAX_COEF];

	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
		{
			h[i * k + j] = h[j * k + i] = -second_difference(e, coef, k, steps, i, j);
			if (!isfinite(h[i * k + j]))
				return 0;
		}
	if (!invert(h, k))
		return 0;
	for (int i = 0; i < k; i++)
		std_error[i] = steps[i] * sqrt(h[i * k + i]);
	return 1;
}

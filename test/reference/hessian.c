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

/* of the expected errors; the derivative is extrapolated from two such steps */
#define STEP 0.02

/* Log-likelihood at coef + a steps[i] e_i + b steps[j] e_j. */
static double
shifted(ExactProblem *e, const double *coef, int k, const double *steps,
		int i, double a, int j, double b)
{
	double		x[MAX_COEF];

	memcpy(x, coef, k * sizeof(double));
	x[i] += a * steps[i];
	x[j] += b * steps[j];
	return exact_loglik_at(e, x);
}

/* Second derivative by i and j in units of the steps, by central differences of size h. */
static double
second_derivative(ExactProblem *e, const double *coef, int k, const double *steps,
				  int i, int j, double h)
{
	if (i == j)
		return (shifted(e, coef, k, steps, i, h, j, 0) - 2 * exact_loglik_at(e, coef)
				+ shifted(e, coef, k, steps, i, -h, j, 0)) / (h * h);
	return (shifted(e, coef, k, steps, i, h, j, h) - shifted(e, coef, k, steps, i, h, j, -h)
			- shifted(e, coef, k, steps, i, -h, j, h)
			+ shifted(e, coef, k, steps, i, -h, j, -h)) / (4 * h * h);
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
			double		fine = second_derivative(e, coef, k, steps, i, j, STEP);
			double		coarse = second_derivative(e, coef, k, steps, i, j, 2 * STEP);

			h[i * k + j] = h[j * k + i] = -(4 * fine - coarse) / 3;
			if (!isfinite(h[i * k + j]))
				return 0;
		}
	if (!invert(h, k))
		return 0;
	for (int i = 0; i < k; i++)
		std_error[i] = steps[i] * sqrt(h[i * k + i]);
	return 1;
}

/*
 * hessian.c
 *		Standard errors from the independent likelihood, to check the
 *		library's: the Hessian by second differences with steps of several
 *		sizes, extrapolated to steps of none.
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

/* Minus the Hessian with the given steps, in units of these; 0 if it cannot be had. */
static int
hessian(ExactProblem *e, const double *coef, const double *steps, int k, double *h)
{
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
		{
			h[i * k + j] = h[j * k + i] = -second_difference(e, coef, k, steps, i, j);
			if (!isfinite(h[i * k + j]))
				return 0;
		}
	return 1;
}

/* Standard errors by minus the Hessian h, which is destroyed. */
static int
std_errors_of(double *h, const double *steps, int k, double *std_error)
{
	if (!invert(h, k))
		return 0;
	for (int i = 0; i < k; i++)
		std_error[i] = steps[i] * sqrt(h[i * k + i]);
	return 1;
}

int
exact_std_errors(ExactProblem *e, const double *coef, const double *steps, int k,
				 ExactStdErrors *out)
{
	double		h[EXACT_HALVINGS + 1][MAX_COEF * MAX_COEF],
				copy[MAX_COEF * MAX_COEF];
	size_t		bytes = (size_t) (k * k) * sizeof(double);

	for (int level = 0; level <= EXACT_HALVINGS; level++)
	{
		double		half[MAX_COEF];

		for (int i = 0; i < k; i++)
			half[i] = ldexp(steps[i], -level);
		if (!hessian(e, coef, half, k, h[level]))
			return 0;
		/* in units of the whole steps */
		for (int i = 0; i < k * k; i++)
			h[level][i] *= ldexp(1, 2 * level);
		memcpy(copy, h[level], bytes);
		if (!std_errors_of(copy, steps, k, out->at_step[level]))
			return 0;
	}
	/* errors go with even powers of the step (Richardson 1911) */
	for (int power = 1; power <= EXACT_HALVINGS; power++)
	{
		double		four = ldexp(1, 2 * power);

		for (int level = EXACT_HALVINGS; level >= power; level--)
			for (int i = 0; i < k * k; i++)
				h[level][i] = (four * h[level][i] - h[level - 1][i]) / (four - 1);
		memcpy(copy, h[EXACT_HALVINGS], bytes);
		if (!std_errors_of(copy, steps, k, power < EXACT_HALVINGS ? out->last : out->limit))
			return 0;
	}
	return 1;
}

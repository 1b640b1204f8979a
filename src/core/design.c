/*
 * design.c
 *		The series and its regressors made ready for the likelihood: Box-Cox,
 *		missing values found, differenced, regressors orthogonalised, the
 *		least squares fit taken out, scaled.
 *
 * Regression coefficients never enter the optimiser.  Every column runs through
 * the same filter and the coefficients follow by generalised least squares from
 * the cross products, so all that matters here is that those stay accurate:
 * hence the orthogonal columns and the least squares fit taken out first.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/* A column whose norm shrinks by this when the others are taken out is one of
 * them. */
#define COLLINEAR 1e-9
#define LARGEST 1e150
#define SMALLEST 1e-150

/* Box-Cox transform; for lambda > 0 extended to negative values by sign. */
double
ao_box_cox(double y, double lambda)
{
	if (lambda == 0)
		return log(y);
	return (copysign(pow(fabs(y), lambda), y) - 1) / lambda;
}

/* Back to the original scale; beyond the transform's range its limit. */
double
ao_box_cox_inverse(double x, double lambda)
{
	double		base;

	if (lambda == 0)
		return exp(x);
	base = lambda * x + 1;
	if (lambda < 0 && base <= 0)
		return INFINITY;
	return copysign(pow(fabs(base), 1 / lambda), base);
}

/* Slope of the inverse at x, for standard errors on the original scale. */
double
ao_box_cox_slope(double x, double lambda)
{
	if (lambda == 0)
		return exp(x);
	return pow(fabs(lambda * x + 1), 1 / lambda - 1);
}

/* See internal.h. */
double *
ao_spec_row(const AoSpec *spec, int64_t time, double *row)
{
	if (spec->constant & AO_CONSTANT_MEAN)
		*row++ = 1;
	if (spec->constant & AO_CONSTANT_DRIFT)
		*row++ = (double) time;
	if (spec->K > 0)
		ao_fourier_row((double) time, spec->m, spec->K, row);
	return row + ao_fourier_columns(spec->m, spec->K);
}

/* What the regression part adds at a time (1 = first value of the series). */
double
ao_regression(const AoSpec *spec, const double *beta, int64_t time,
			  const double *xreg_row, int k)
{
	double		row[AO_MAX_XREG + 2],
				sum = 0;
	int			own = (int) (ao_spec_row(spec, time, row) - row);

	for (int j = 0; j < own; j++)
		sum += beta[j] * row[j];
	for (int j = 0; j < k; j++)
		sum += beta[own + j] * xreg_row[j];
	return sum;
}

/* One difference at a lag, in place. */
static int64_t
difference_once(double *z, int64_t n, int n_cols, int lag)
{
	if (n <= lag)
		return 0;
	for (int64_t i = 0; i < (n - lag) * n_cols; i++)
		z[i] = z[i + (int64_t) lag * n_cols] - z[i];
	return n - lag;
}

int64_t
ao_difference(const AoSpec *spec, double *z, int64_t n, int n_cols)
{
	for (int i = 0; i < spec->D; i++)
		n = difference_once(z, n, n_cols, spec->m);
	for (int i = 0; i < spec->d; i++)
		n = difference_once(z, n, n_cols, 1);
	return n;
}

/* nb: regression coefficients */
size_t
ao_design_bytes(int64_t n, int n_beta, bool missing)
{
	size_t		nb = (size_t) n_beta;

	return (missing ? 2 : 1) * ao_arena_round((size_t) n, (nb + 1) * sizeof(double)) +
		ao_arena_round(nb * nb, sizeof(double)) + ao_arena_round(nb, sizeof(double));
}

/* Check one value of the series; transform it. */
static AoStatus
take_value(double y, int64_t at, const AoFitOptions *options, AoEnv *env, double *out)
{
	AoStatus	status = AO_OK;

	*out = y;
	if (isnan(y))
		return AO_OK;
	if (isinf(y))
		status = ao_fail(env, AO_NOT_FINITE, "infinite value in the series", 0, 0);
	else if (fabs(y) > LARGEST)
		status = ao_fail(env, AO_OUT_OF_SCALE, "value too large", 0, 0);
	else if (options->has_lambda)
	{
		if (options->lambda <= 0 && !(y > 0))
			status = ao_fail(env, AO_BAD_ARGUMENT,
							 "Box-Cox with lambda <= 0 needs positive values\n"
							 "Use a lambda above 0, or add a constant that makes every value positive.", 0, 0);
		*out = ao_box_cox(y, options->lambda);
		if (status == AO_OK && !(fabs(*out) <= LARGEST))
			status = ao_fail(env, AO_OUT_OF_SCALE, "value too large after Box-Cox\n"
							 "Use a lambda nearer to 0, or multiply the series by a constant.", 0, 0);
	}
	if (status != AO_OK)
		env->err.pos = at + 1;
	return status;
}

/* Row t of z: mean, drift, Fourier terms, xreg, y; NaN in any of them makes the row missing. */
static AoStatus
fill_row(AoDesign *de, const AoSpec *spec, const double *y, const double *xreg, int k,
		 int64_t t, const AoFitOptions *options, AoEnv *env)
{
	int			nb = de->n_beta;
	double	   *row = de->z + (t - de->lead) * (nb + 1),
			   *given;
	bool		missing;

	AO_TRY(take_value(y[t], t, options, env, &row[nb]));
	missing = isnan(row[nb]);
	given = ao_spec_row(spec, t + 1, row);
	for (int j = 0; j < k; j++)
	{
		double		x = xreg[t * k + j];

		if (isinf(x) || fabs(x) > LARGEST)
			return ao_fail(env, AO_BAD_XREG, "infinite or huge value\n"
						   "A value is at most 1e150 in size; use NULL where it is missing.", 0, 0);
		missing = missing || isnan(x);
		*given++ = x;
	}
	if (missing)
	{
		row[nb] = NAN;
		de->n_missing++;
	}
	return AO_OK;
}

/* Sum over observed rows of column a times column b. */
static double
dot(const AoDesign *de, int a, int b)
{
	int			nc = de->n_beta + 1;
	double		sum = 0;

	for (int64_t t = 0; t < de->rows; t++)
		if (!isnan(de->z[t * nc + nc - 1]))
			sum += de->z[t * nc + a] * de->z[t * nc + b];
	return sum;
}

/* Column b minus f times column a. */
static void
subtract(AoDesign *de, int a, int b, double f)
{
	int			nc = de->n_beta + 1;

	for (int64_t t = 0; t < de->rows; t++)
		de->z[t * nc + b] -= f * de->z[t * nc + a];
}

/* Divide column c by f. */
static void
divide(AoDesign *de, int c, double f)
{
	int			nc = de->n_beta + 1;

	f = 1 / f;
	for (int64_t t = 0; t < de->rows; t++)
		de->z[t * nc + c] *= f;
}

/* Largest absolute value of the observed part of column c. */
static double
largest(const AoDesign *de, int c)
{
	int			nc = de->n_beta + 1;
	double		max = 0;

	for (int64_t t = 0; t < de->rows; t++)
		if (!isnan(de->z[t * nc + nc - 1]))
			max = fmax(max, fabs(de->z[t * nc + c]));
	return max;
}

/* Power of two that brings x to [1, 2); 1 for zero. */
double
ao_binary_scale(double x)
{
	int			e;

	if (!(x > 0))
		return 1;
	frexp(x, &e);
	return ldexp(1, e - 1);
}

/* Orthogonalise the regressors (modified Gram-Schmidt, twice) and take their
 * least squares fit out of the series. */
static AoStatus
orthogonalise(AoDesign *de, AoEnv *env)
{
	int			nb = de->n_beta;
	double		observed = (double) (de->rows - (de->missing ? de->n_missing : 0));

	memset(de->R, 0, (size_t) (nb * nb) * sizeof(double));
	for (int j = 0; j < nb; j++)
	{
		double		scale = largest(de, j),
					before,
					norm;

		if (scale == 0)
			return ao_fail(env, AO_COLLINEAR, NULL, 0, 0);
		divide(de, j, scale);
		before = sqrt(dot(de, j, j) / observed);
		for (int pass = 0; pass < 2; pass++)
			for (int i = 0; i < j; i++)
			{
				double		f = dot(de, i, j) / observed;

				subtract(de, i, j, f);
				de->R[i * nb + j] += f * scale;
				AO_TRY(ao_poll(env));
			}
		norm = sqrt(dot(de, j, j) / observed);
		if (!(norm > COLLINEAR * before))
			return ao_fail(env, AO_COLLINEAR, NULL, 0, 0);
		divide(de, j, norm);
		de->R[j * nb + j] = norm * scale;
		AO_TRY(ao_poll(env));
	}
	for (int i = 0; i < nb; i++)
	{
		de->b0[i] = dot(de, i, nb) / observed;
		subtract(de, i, nb, de->b0[i]);
	}
	return AO_OK;
}

/* gamma on the orthogonal columns (and the scaled series) to beta. */
void
ao_design_beta(const AoDesign *de, const double *gamma, double *beta)
{
	int			nb = de->n_beta;

	for (int i = nb - 1; i >= 0; i--)
	{
		double		sum = gamma[i] * de->scale + de->b0[i];

		for (int j = i + 1; j < nb; j++)
			sum -= de->R[i * nb + j] * beta[j];
		beta[i] = sum / de->R[i * nb + i];
	}
}

/* Are there enough values for that many coefficients? */
static AoStatus
check_length(AoDesign *de, const AoShape *shape, AoEnv *env)
{
	int64_t		have = de->n - de->n_missing,
				need = shape->diff + shape->k + de->n_beta + 1;

	de->n_used = have - shape->diff;
	if (have < need)
		return ao_fail(env, AO_TOO_FEW_VALUES, NULL, need, have);
	return AO_OK;
}

/* Bring the residual series to about unit size. */
static AoStatus
set_scale(AoDesign *de, AoEnv *env)
{
	int			nb = de->n_beta;
	double		size = largest(de, nb);

	/* with missing values the levels are still there: go by their steps */
	if (de->missing)
	{
		double		last = NAN,
					step = 0;

		for (int64_t t = 0; t < de->rows; t++)
		{
			double		z = de->z[t * (nb + 1) + nb];

			if (isnan(z))
				continue;
			if (!isnan(last))
				step = fmax(step, fabs(z - last));
			last = z;
		}
		size = step > 0 ? step : size;
	}
	if (size > 0 && (size < SMALLEST || de->level < SMALLEST))
		return ao_fail(env, AO_OUT_OF_SCALE, "values too small", 0, 0);
	de->scale = ao_binary_scale(size);
	divide(de, nb, de->scale);
	return AO_OK;
}

/* Gaps bridged by straight lines, then differenced: good enough to look for
 * starting points with the conditional likelihood. */
static void
fill_gaps(AoDesign *de, const AoSpec *spec, AoArena *arena)
{
	int			nc = de->n_beta + 1;
	int64_t		last = 0;

	de->filled = ao_arena_take(arena, (size_t) de->n, (size_t) nc * sizeof(double));
	memcpy(de->filled, de->z, (size_t) (de->rows * nc) * sizeof(double));
	for (int64_t t = 0; t < de->rows; t++)
	{
		if (isnan(de->z[t * nc + nc - 1]))
		{
			/* until the next value is known: the last one */
			memcpy(de->filled + t * nc, de->filled + last * nc, (size_t) nc * sizeof(double));
			continue;
		}
		for (int64_t g = last + 1; g < t; g++)
			for (int c = 0; c < nc; c++)
			{
				double		share = (double) (g - last) / (double) (t - last);

				de->filled[g * nc + c] = (1 - share) * de->filled[last * nc + c] +
					share * de->filled[t * nc + c];
			}
		last = t;
	}
	de->filled_rows = ao_difference(spec, de->filled, de->rows, nc);
}

/* See internal.h. */
AoStatus
ao_design_make(AoDesign *de, const AoShape *shape, const double *y, int64_t n,
			   const double *xreg, int k, const AoFitOptions *options,
			   AoArena *arena, AoEnv *env)
{
	const AoSpec *spec = &shape->spec;
	int			nb = k + ao_spec_regressors(spec);

	memset(de, 0, sizeof *de);
	de->n_beta = nb;
	while (de->lead < n && isnan(y[de->lead]))
		de->lead++;
	de->n = n - de->lead;
	de->R = ao_arena_take(arena, (size_t) (nb * nb), sizeof(double));
	de->b0 = ao_arena_take(arena, (size_t) nb, sizeof(double));
	de->z = ao_arena_take(arena, (size_t) de->n, (size_t) (nb + 1) * sizeof(double));
	for (int64_t t = de->lead; t < n; t++)
	{
		AO_TRY(fill_row(de, spec, y, xreg, k, t, options, env));
		if (t % AO_BLOCK == 0)
			AO_TRY(ao_poll(env));
	}
	AO_TRY(check_length(de, shape, env));
	de->missing = de->n_missing > 0;
	de->rows = de->n;
	de->level = largest(de, nb);
	if (!de->missing)
		de->rows = ao_difference(spec, de->z, de->n, nb + 1);
	AO_TRY(orthogonalise(de, env));
	AO_TRY(set_scale(de, env));
	if (de->missing)
		fill_gaps(de, spec, arena);
	de->degenerate = !(largest(de, nb) * de->scale > 1e-13 * de->level);
	return AO_OK;
}

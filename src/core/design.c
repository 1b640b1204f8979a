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
/* One that differences make this much smaller is, but for rounding, gone. */
#define GONE 1e-12
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
	if (spec->K == 0)
		return row;
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
static AoStatus
difference_once(double *z, int64_t *n, int n_cols, int lag, AoEnv *env)
{
	int64_t		shift = (int64_t) lag * n_cols,
				size;

	*n = *n > lag ? *n - lag : 0;
	size = *n * n_cols;
	for (int64_t from = 0, to; from < size; from = to)
	{
		to = size - from > AO_BLOCK ? from + AO_BLOCK : size;
		for (int64_t i = from; i < to; i++)
			z[i] = z[i + shift] - z[i];
		AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

AoStatus
ao_difference(const AoSpec *spec, double *z, int64_t *n, int n_cols, AoEnv *env)
{
	for (int i = 0; i < spec->D; i++)
		AO_TRY(difference_once(z, n, n_cols, spec->m, env));
	for (int i = 0; i < spec->d; i++)
		AO_TRY(difference_once(z, n, n_cols, 1, env));
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_any_nan(const double *values, int64_t n, AoEnv *env, bool *any)
{
	*any = false;
	for (int64_t from = 0, to; from < n && !*any; from = to)
	{
		to = n - from > AO_BLOCK ? from + AO_BLOCK : n;
		for (int64_t i = from; i < to; i++)
			*any |= isnan(values[i]);
		AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_count_known(const double *values, int64_t n, AoEnv *env, int64_t *known, int64_t *lead)
{
	AoPace		pace = {env, 0};

	*known = 0;
	*lead = n;
	for (int64_t t = 0; t < n; t++)
	{
		if (!isnan(values[t]) && (*known)++ == 0)
			*lead = t;
		AO_TRY(ao_pace(&pace, 1));
	}
	return AO_OK;
}

/* See internal.h. */
int64_t
ao_count_gap(const double *values, int64_t n)
{
	int64_t		gap = 0;

	while (gap < n && isnan(values[n - 1 - gap]))
		gap++;
	return gap;
}

/* nb: regression coefficients */
size_t
ao_design_bytes(int64_t n, int n_beta, bool missing)
{
	size_t		nb = (size_t) n_beta;

	return (missing ? 2 : 1) * ao_arena_round((size_t) n, (nb + 1) * sizeof(double)) +
		(missing ? ao_arena_round((size_t) n, 1) : 0) +
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
		row[nb] = NAN;
	de->n_missing += missing;
	de->n_gap = missing ? de->n_gap + 1 : 0;
	return AO_OK;
}

/* The differences, of the filled series where there are gaps. */
static const double *
differences(const AoDesign *de, int64_t *rows)
{
	*rows = de->missing ? de->filled_rows : de->rows;
	return de->missing ? de->filled : de->z;
}

/* *sum of column a times column b, over the differences. */
static AoStatus
dot(const AoDesign *de, int a, int b, AoEnv *env, double *sum)
{
	int64_t		rows;
	const double *z = differences(de, &rows);
	int			nc = de->n_beta + 1;
	AoPace		pace = {env, 0};
	double		total = 0;

	for (int64_t t = 0; t < rows; t++)
	{
		total += z[t * nc + a] * z[t * nc + b];
		AO_TRY(ao_pace(&pace, 1));
	}
	*sum = total;
	return AO_OK;
}

/* Column b minus f times column a, of rows of nc. */
static AoStatus
subtract_rows(double *z, int64_t rows, int nc, int a, int b, double f, AoEnv *env)
{
	AoPace		pace = {env, 0};

	for (int64_t t = 0; t < rows; t++)
	{
		z[t * nc + b] -= f * z[t * nc + a];
		AO_TRY(ao_pace(&pace, 1));
	}
	return AO_OK;
}

/* The same of the series, and of that with its gaps filled. */
static AoStatus
subtract(AoDesign *de, int a, int b, double f, AoEnv *env)
{
	if (de->missing)
		AO_TRY(subtract_rows(de->filled, de->filled_rows, de->n_beta + 1, a, b, f, env));
	return subtract_rows(de->z, de->rows, de->n_beta + 1, a, b, f, env);
}

/* Column c times f, of rows of nc. */
static AoStatus
multiply_rows(double *z, int64_t rows, int nc, int c, double f, AoEnv *env)
{
	AoPace		pace = {env, 0};

	for (int64_t t = 0; t < rows; t++)
	{
		z[t * nc + c] *= f;
		AO_TRY(ao_pace(&pace, 1));
	}
	return AO_OK;
}

/* Divide column c by f, of both. */
static AoStatus
divide(AoDesign *de, int c, double f, AoEnv *env)
{
	if (de->missing)
		AO_TRY(multiply_rows(de->filled, de->filled_rows, de->n_beta + 1, c, 1 / f, env));
	return multiply_rows(de->z, de->rows, de->n_beta + 1, c, 1 / f, env);
}

/* Largest absolute value of column c in so many rows of z, where the series is known. */
static AoStatus
largest(const AoDesign *de, const double *z, int64_t rows, int c, AoEnv *env, double *max)
{
	int			nc = de->n_beta + 1;
	AoPace		pace = {env, 0};
	double		most = 0;

	for (int64_t t = 0; t < rows; t++)
	{
		double		size = fabs(z[t * nc + c]);

		if (size > most && !isnan(z[t * nc + nc - 1]))
			most = size;
		AO_TRY(ao_pace(&pace, 1));
	}
	*max = most;
	return AO_OK;
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
 * least squares fit out of the series.  By the differences, of filled series where there are
 * gaps: what fits a high level best may move the differences by far more than they are.
 * b0 holds the sizes that the regressors had before. */
static AoStatus
orthogonalise(AoDesign *de, AoEnv *env)
{
	int			nb = de->n_beta;
	int64_t		n_rows;
	const double *z = differences(de, &n_rows);
	double		rows = (double) n_rows;

	memset(de->R, 0, (size_t) (nb * nb) * sizeof(double));
	for (int j = 0; j < nb; j++)
	{
		double		scale,
					before,
					norm;

		AO_TRY(largest(de, z, n_rows, j, env, &scale));
		if (!(scale > GONE * de->b0[j]))
			return ao_fail(env, AO_COLLINEAR, NULL, 0, 0);
		AO_TRY(divide(de, j, scale, env));
		AO_TRY(dot(de, j, j, env, &before));
		for (int pass = 0; pass < 2; pass++)
			for (int i = 0; i < j; i++)
			{
				double		f;

				AO_TRY(dot(de, i, j, env, &f));
				f /= rows;
				AO_TRY(subtract(de, i, j, f, env));
				de->R[i * nb + j] += f * scale;
			}
		AO_TRY(dot(de, j, j, env, &norm));
		norm = sqrt(norm / rows);
		if (!(norm > COLLINEAR * sqrt(before / rows)))
			return ao_fail(env, AO_COLLINEAR, NULL, 0, 0);
		AO_TRY(divide(de, j, norm, env));
		de->R[j * nb + j] = norm * scale;
	}
	for (int i = 0; i < nb; i++)
	{
		AO_TRY(dot(de, i, nb, env, &de->b0[i]));
		de->b0[i] /= rows;
		AO_TRY(subtract(de, i, nb, de->b0[i], env));
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
	double		size;

	AO_TRY(largest(de, de->z, de->rows, nb, env, &size));
	/* with missing values the levels are still there: go by their steps */
	if (de->missing)
	{
		double		last = NAN,
					step = 0;
		AoPace		pace = {env, 0};

		for (int64_t t = 0; t < de->rows; t++)
		{
			double		z = de->z[t * (nb + 1) + nb];

			AO_TRY(ao_pace(&pace, 1));
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
	return divide(de, nb, de->scale, env);
}

/* Gaps bridged by straight lines, then differenced: good enough to look for
 * starting points with the conditional likelihood.  A first row that lacks a regressor has
 * nothing before it: it gets the first that is known. */
static AoStatus
fill_gaps(AoDesign *de, const AoSpec *spec, AoArena *arena, AoEnv *env)
{
	int			nc = de->n_beta + 1;
	int64_t		last = -1;
	AoPace		pace = {env, 0};

	de->filled = ao_arena_take(arena, (size_t) de->n, (size_t) nc * sizeof(double));
	for (int64_t t = 0; t < de->rows; t++)
	{
		bool		known = !isnan(de->z[t * nc + nc - 1]);

		/* until the next value is known: the last one */
		if (known || last >= 0)
			memcpy(de->filled + t * nc, known ? de->z + t * nc : de->filled + last * nc,
				   (size_t) nc * sizeof(double));
		AO_TRY(ao_pace(&pace, 1 + nc / 4));
		if (!known)
			continue;
		for (int64_t g = last + 1; g < t; g++)
			for (int c = 0; c < nc; c++)
			{
				double		share = (double) (g - last) / (double) (t - last);

				de->filled[g * nc + c] = last < 0 ? de->z[t * nc + c] :
					(1 - share) * de->filled[last * nc + c] + share * de->filled[t * nc + c];
			}
		last = t;
	}
	de->filled_rows = de->rows;
	return ao_difference(spec, de->filled, &de->filled_rows, nc, env);
}

/* Is any of the levels that row t of the differences is made of missing? */
static bool
difference_missing(const AoDesign *de, const AoShape *shape, int64_t t)
{
	int			nc = de->n_beta + 1;
	const double *y = de->z + (t + shape->diff) * nc + nc - 1;
	bool		missing = isnan(y[0]);

	for (int j = 0; j < shape->diff && !missing; j++)
		missing = shape->delta[j] != 0 && isnan(y[-(j + 1) * nc]);
	return missing;
}

/* What the conditional sum of squares leaves out: where a value, or one of the ar values
 * before it, is missing. */
static AoStatus
mark_rows_to_skip(AoDesign *de, const AoShape *shape, AoArena *arena, AoEnv *env)
{
	AoPace		pace = {env, 0};
	int64_t		in_a_row = 0;

	de->skip = ao_arena_take(arena, (size_t) de->n, 1);
	for (int64_t t = 0; t < de->filled_rows; t++)
	{
		in_a_row = difference_missing(de, shape, t) ? 0 : in_a_row + 1;
		de->skip[t] = in_a_row <= shape->ar;
		de->conditional_terms += !de->skip[t];
		AO_TRY(ao_pace(&pace, 1 + shape->diff / 8));
	}
	return AO_OK;
}

/* Are all differences of a complete series without regressors the same, to rounding? */
static AoStatus
find_constant(AoDesign *de, AoEnv *env)
{
	double		rounding = 1e-13 * de->level / de->scale;
	AoPace		pace = {env, 0};

	de->constant = !de->degenerate && !de->missing && de->n_beta == 0 && de->rows > 1;
	for (int64_t t = 1; de->constant && t < de->rows; t++)
	{
		de->constant = fabs(de->z[t] - de->z[0]) <= rounding;
		AO_TRY(ao_pace(&pace, 1));
	}
	return AO_OK;
}

/* See internal.h. */
AoStatus
ao_design_make(AoDesign *de, const AoShape *shape, const double *y, int64_t n,
			   const double *xreg, int k, const AoFitOptions *options,
			   AoArena *arena, AoEnv *env)
{
	const AoSpec *spec = &shape->spec;
	int			nb = k + ao_spec_regressors(spec);
	AoPace		pace = {env, 0};
	int64_t		known;
	double		size;

	memset(de, 0, sizeof *de);
	de->n_beta = nb;
	AO_TRY(ao_count_known(y, n, env, &known, &de->lead));
	de->n = n - de->lead;
	de->R = ao_arena_take(arena, (size_t) (nb * nb), sizeof(double));
	de->b0 = ao_arena_take(arena, (size_t) nb, sizeof(double));
	de->z = ao_arena_take(arena, (size_t) de->n, (size_t) (nb + 1) * sizeof(double));
	for (int64_t t = de->lead; t < n; t++)
	{
		AO_TRY(fill_row(de, spec, y, xreg, k, t, options, env));
		AO_TRY(ao_pace(&pace, 1 + nb));
	}
	AO_TRY(check_length(de, shape, env));
	de->missing = de->n_missing > 0;
	de->rows = de->n;
	AO_TRY(largest(de, de->z, de->rows, nb, env, &de->level));
	for (int j = 0; j < nb; j++)
		AO_TRY(largest(de, de->z, de->rows, j, env, &de->b0[j]));
	if (de->missing)
		AO_TRY(fill_gaps(de, spec, arena, env));
	else
		AO_TRY(ao_difference(spec, de->z, &de->rows, nb + 1, env));
	AO_TRY(orthogonalise(de, env));
	AO_TRY(set_scale(de, env));
	if (de->missing && options->method != AO_ML)
		AO_TRY(mark_rows_to_skip(de, shape, arena, env));
	AO_TRY(largest(de, de->z, de->rows, nb, env, &size));
	de->degenerate = !(size * de->scale > 1e-13 * de->level);
	return find_constant(de, env);
}

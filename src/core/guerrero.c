/*
 * guerrero.c
 *		The Box-Cox parameter by V. M. Guerrero, "Time-series analysis supported
 *		by power transformations", Journal of Forecasting 12 (1993) 37-48.
 */
#include "values.h"

#include <float.h>
#include <math.h>

/* Precision of the parameter: R's optimize has this one, and the same
 * steps then give the same number. */
#define PRECISION 1.220703125e-4

/* Mean and standard deviation of pieces of the series. */
typedef struct Pieces
{
	int64_t		count;
	double	   *log_mean;		/* [count] */
	double	   *deviation;		/* [count] */
	AoPace		pace;
} Pieces;

/* Cuts the last whole pieces of m values out of y, leaves out missing values and
 * keeps the pieces of which two are known. */
static AoStatus
cut_pieces(const double *y, int64_t n, int m, double scale, Pieces *pieces)
{
	pieces->count = 0;
	for (int64_t from = n % m; from < n; from += m)
	{
		double		mean = 0,
					square = 0;
		int			known = 0;

		AO_TRY(ao_pace(&pieces->pace, m));
		for (int i = 0; i < m; i++)
			if (!isnan(y[from + i]))
			{
				mean += y[from + i] / scale;
				known++;
			}
		if (known < 2)
			continue;
		mean /= known;
		for (int i = 0; i < m; i++)
			if (!isnan(y[from + i]))
				square += (y[from + i] / scale - mean) * (y[from + i] / scale - mean);
		pieces->log_mean[pieces->count] = log(mean);
		pieces->deviation[pieces->count++] = sqrt(square / (known - 1));
	}
	return AO_OK;
}

/* Coefficient of variation over the pieces of deviation / mean^(1 - lambda)
 * (Guerrero's section 3); the largest number where it is none. */
static AoStatus
variation(Pieces *pieces, double lambda, double *out)
{
	double		mean = 0,
				square = 0;

	for (int64_t i = 0; i < pieces->count; i++)
	{
		double		ratio = pieces->deviation[i] * exp((lambda - 1) * pieces->log_mean[i]),
					before = mean;

		AO_TRY(ao_pace(&pieces->pace, 1));
		mean += (ratio - mean) / (double) (i + 1);
		square += (ratio - before) * (ratio - mean);
	}
	*out = sqrt(square / (double) (pieces->count - 1)) / mean;
	if (!(*out <= DBL_MAX))
		*out = DBL_MAX;
	return AO_OK;
}

/* The bracket of a minimum and its three best points. */
typedef struct Bracket
{
	double		a, b;
	double		x, w, v;		/* best, second, and what was second before */
	double		fx, fw, fv;
} Bracket;

/* Where the parabola through the three points has its minimum, as a step from x; NaN
 * unless that is inside and less than half the step before last. */
static double
parabola(const Bracket *at, double before_last)
{
	double		r = (at->x - at->w) * (at->fx - at->fv),
				q = (at->x - at->v) * (at->fx - at->fw),
				p = (at->x - at->v) * q - (at->x - at->w) * r;

	q = 2 * (q - r);
	if (q > 0)
		p = -p;
	else
		q = -q;
	if (fabs(p) >= fabs(0.5 * q * before_last) || p <= q * (at->a - at->x) ||
		p >= q * (at->b - at->x))
		return NAN;
	return p / q;
}

/* Takes the point u with its value in. */
static void
tighten(Bracket *at, double u, double fu)
{
	if (fu <= at->fx)
	{
		*(u < at->x ? &at->b : &at->a) = at->x;
		at->v = at->w;
		at->fv = at->fw;
		at->w = at->x;
		at->fw = at->fx;
		at->x = u;
		at->fx = fu;
		return;
	}
	*(u < at->x ? &at->a : &at->b) = u;
	if (fu <= at->fw || at->w == at->x)
	{
		at->v = at->w;
		at->fv = at->fw;
		at->w = u;
		at->fw = fu;
	}
	else if (fu <= at->fv || at->v == at->x || at->v == at->w)
	{
		at->v = u;
		at->fv = fu;
	}
}

/* Minimum between lower and upper: R. P. Brent, "Algorithms for Minimization
 * without Derivatives", 1973, chapter 5. */
static AoStatus
minimize(Pieces *pieces, double lower, double upper, double *best)
{
	const double golden = 0.5 * (3 - sqrt(5)),
				relative = sqrt(DBL_EPSILON);
	Bracket		at = {.a = lower, .b = upper};
	double		step = 0,
				before_last = 0;

	at.x = at.w = at.v = lower + golden * (upper - lower);
	AO_TRY(variation(pieces, at.x, &at.fx));
	at.fw = at.fv = at.fx;
	for (int i = 0; i < 1000; i++)
	{
		double		middle = 0.5 * (at.a + at.b),
					tolerance = relative * fabs(at.x) + PRECISION / 3,
					next = NAN,
					u,
					fu;

		if (fabs(at.x - middle) <= 2 * tolerance - 0.5 * (at.b - at.a))
			break;
		if (fabs(before_last) > tolerance)
			next = parabola(&at, before_last);
		before_last = step;
		step = next;
		if (isnan(step))
		{
			before_last = (at.x < middle ? at.b : at.a) - at.x;
			step = golden * before_last;
		}
		else if (at.x + step - at.a < 2 * tolerance || at.b - at.x - step < 2 * tolerance)
			step = at.x < middle ? tolerance : -tolerance;
		u = at.x + (fabs(step) >= tolerance ? step : copysign(tolerance, step));
		AO_TRY(variation(pieces, u, &fu));
		tighten(&at, u, fu);
	}
	*best = at.x;
	return AO_OK;
}

/* The search, on a series that has been checked. */
static AoStatus
search_lambda(const double *y, int64_t n, int m, double scale, double lower, double upper,
			  Pieces *pieces, double *lambda)
{
	double		at_one;

	*lambda = 1;
	AO_TRY(cut_pieces(y, n, m, scale, pieces));
	if (pieces->count < 2)
		return AO_OK;
	AO_TRY(variation(pieces, 1, &at_one));
	if (at_one == DBL_MAX)
		return AO_OK;
	return minimize(pieces, lower, upper, lambda);
}

/* The error for a series that has such a value; says where the first one is. */
static AoStatus
not_positive(const double *y, AoEnv *env)
{
	int64_t		t = 0;

	while (!(y[t] <= 0))
		t++;
	ao_fail(env, AO_BAD_ARGUMENT, "the Box-Cox parameter is chosen for positive values only\n"
			"Add a constant that makes every value positive.", 0, 0);
	env->err.pos = t + 1;
	return AO_BAD_ARGUMENT;
}

/* See tests.h. */
AoStatus
ao_box_cox_lambda(const double *y, int64_t n, int m, double lower, double upper,
				  AoEnv *env, double *lambda)
{
	int			length = m < 2 ? 2 : m;
	size_t		pieces_bytes = ao_arena_round((size_t) (n / length), sizeof(double));
	AoValues	values;
	AoArena		arena;
	AoStatus	status;
	Pieces		pieces = {.pace = {env, 0}};

	if (m < 1 || m > AO_MAX_PERIOD)
		return ao_fail(env, AO_BAD_ARGUMENT, "the seasonal period must be 1 to 366\n"
					   "It is the number of values in a season, for example 12 for months; 1 is no season.", 0, 0);
	if (!(lower >= -5 && lower < upper && upper <= 5))
		return ao_fail(env, AO_BAD_ARGUMENT, "lower must be below upper, both -5 to 5\n"
					   "Usual are -1 and 2.", 0, 0);
	AO_TRY(ao_values_need(y, n, 1, "the choice of a transformation", &values, env));
	if (values.smallest <= 0)
		return not_positive(y, env);
	*lambda = 1;
	if (n <= 2 * (int64_t) m)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, 2 * pieces_bytes, env));
	pieces.log_mean = ao_arena_take(&arena, (size_t) (n / length), sizeof(double));
	pieces.deviation = ao_arena_take(&arena, (size_t) (n / length), sizeof(double));
	status = search_lambda(y, n, length, values.scale, lower, upper, &pieces, lambda);
	ao_arena_close(&arena, env);
	return status;
}

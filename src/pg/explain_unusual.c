/*
 * explain_unusual.c
 *		Of arima_explain: the values that are so far from all others that they have
 *		spoiled the model, if they are mistakes, and a jump that lasts.
 *
 * A value is judged by what its absence would change.  With the parameters as they are, a
 * value that is taken out lessens the sum of squared innovations by the square of its
 * distance from what the model makes of all other values, before it and after, in standard
 * errors of that.  An innovation alone would not do: it blames the values after the one
 * at fault (of a random walk the return from a spike is as large an innovation as the spike, of
 * a seasonal model there are four), knows nothing of values that differences use up, and its
 * own variance, with the mistake in it, makes it small: of n innovations none is beyond the root of n.
 *
 * Innovations e are linear in the transformed values.  With d the change of e by another value
 * in a place, e without the value there is e - d (e'd) / (d'd), and its square is less by
 * (e'd)^2 / (d'd): a pass over the series for d, where missing values would take many times as long.
 */
#include "postgres.h"

#include <math.h>

#include "explain.h"

/*
 * From so many standard errors on a value is told.  Of n normal values one is beyond 6 with probability
 * n * 2e-9, of a million in one case of 500.  Returns have heavier tails: in a few years of daily prices
 * one beyond 5 is common, and none of these is a mistake.
 */
#define UNUSUAL 6

/* The others need so many degrees of freedom: beyond 6 of Student's tails with 8 there are 3 of 10,000. */
#define LEAST_FREEDOM 8

#define MOST_TOLD 2				/* values told */
#define MOST_SIZE 1000			/* standard errors told: of values without noise there is no end of them */
#define LASTS 0.75				/* a value that explains less of an innovation's square is no mistake: the series stays there */
#define LAGS 3					/* places before a large innovation, and seasons, that can be at fault */

/* A series with some values taken out, and its innovations. */
typedef struct Sifted
{
	const Explained *ex;
	const AoMatrix *xreg;
	AoSeries	y;				/* a copy */
	double	   *given;			/* innovations of all values, NaN where there is none; the arrays that follow have 0 there */
	double	   *errors;			/* without what is taken out */
	double	   *change;			/* of the innovations by another value in a place */
	double	   *best;			/* of these the one of the value to be taken out */
	double	   *out;			/* that of the value that is taken out */
	int64		taken;			/* the place of that, or -1 */
	double		squares;		/* sum of squares of errors */
	double		freedom;		/* number of innovations less that of coefficients */
} Sifted;

/* A value taken out, and what the rest is without it and those before it. */
typedef struct Unusual
{
	int64		at;
	int64		place;			/* of the largest innovation with it */
	double		largest;		/* the square of that */
	double		share;			/* what is left, without that, for each degree of freedom */
	double		drop;			/* of the sum of squares by taking it out */
	double		variance;		/* of the innovations of the rest */
	int64		beyond;			/* of these so many are unusual */
} Unusual;

static void
innovations(const Sifted *s, double *errors)
{
	AoEnv		env;

	ao_pg_env(&env);
	ao_pg_check(ao_one_step_errors(s->ex->model, s->y.values, s->y.n, s->xreg->values, s->xreg->cols, &env,
								   errors, NULL), &env);
}

static double
product(const double *a, const double *b, int64 n)
{
	double		sum = 0;

	for (int64 t = 0; t < n; t++)
		sum += a[t] * b[t];
	return sum;
}

/* Takes of a what lies in the direction of b. */
static void
project(double *a, const double *b, int64 n)
{
	double		square = product(b, b, n);
	double		share = square > 0 ? product(a, b, n) / square : 0;

	for (int64 t = 0; t < n; t++)
		a[t] -= share * b[t];
}

/* The innovations of the series as it is. */
static void
sift(Sifted *s)
{
	int64		n = 0;

	innovations(s, s->given);
	for (int64 t = 0; t < s->y.n; t++)
	{
		s->errors[t] = isnan(s->given[t]) ? 0 : s->given[t];
		n += !isnan(s->given[t]);
	}
	s->squares = product(s->errors, s->errors, s->y.n);
	s->freedom = (double) (n - s->ex->model->n_coef);
}

/* What the square of the innovations would be less by without the value at t; s->change is the direction. */
static double
drop_without(Sifted *s, int64 t)
{
	double		value = s->y.values[t];
	double		square;
	double		along;

	/* whichever, but far, positive as a transformation may want it, and in range */
	s->y.values[t] = fabs(value) < 1e300 ? 2 * fabs(value) + 1 : fabs(value) / 2;
	innovations(s, s->change);
	s->y.values[t] = value;
	for (int64 i = 0; i < s->y.n; i++)
		s->change[i] = isnan(s->given[i]) ? 0 : s->change[i] - s->given[i];
	if (s->taken >= 0)
		project(s->change, s->out, s->y.n);
	square = product(s->change, s->change, s->y.n);
	along = product(s->errors, s->change, s->y.n);
	return square > 0 && isfinite(square) ? along * along / square : 0;
}

/* The largest innovation's place. */
static int64
largest_error(const Sifted *s)
{
	int64		worst = 0;

	for (int64 t = 1; t < s->y.n; t++)
		if (fabs(s->errors[t]) > fabs(s->errors[worst]))
			worst = t;
	return worst;
}

/* The known value at t or the last before it, but for what is taken out; -1: there is none. */
static int64
known_before(const Sifted *s, int64 t)
{
	while (t >= 0 && (isnan(s->y.values[t]) || t == s->taken))
		t--;
	return Max(t, -1);
}

static void
swap(double **a, double **b)
{
	double	   *kept = *a;

	*a = *b;
	*b = kept;
}

/* Takes the value out that makes the innovations smallest, of those that can have made the largest of
 * them: at its place, before it, and seasons before. */
static Unusual
take_out(Sifted *s)
{
	int64		worst = largest_error(s);
	int			seasons = s->ex->spec.m > 1 ? LAGS : 1;
	Unusual		found = {.at = worst, .place = worst, .largest = s->errors[worst] * s->errors[worst]};

	found.share = (s->squares - found.largest) / (s->freedom - 1);
	for (int i = 0; i < seasons; i++)
	{
		int64		t = known_before(s, worst - (int64) i * s->ex->spec.m);

		for (int j = 0; j < LAGS && t >= 0; j++, t = known_before(s, t - 1))
		{
			double		drop = drop_without(s, t);

			if (drop > found.drop)
			{
				found.at = t;
				found.drop = drop;
				swap(&s->best, &s->change);
			}
		}
	}
	if (found.drop > 0)
	{
		project(s->errors, s->best, s->y.n);
		swap(&s->out, &s->best);
		s->taken = found.at;
		s->freedom--;
	}
	s->squares = product(s->errors, s->errors, s->y.n);
	found.variance = s->squares / s->freedom;
	for (int64 t = 0; t < s->y.n; t++)
		found.beyond += s->errors[t] * s->errors[t] >= UNUSUAL * UNUSUAL * found.variance && s->errors[t] != 0;
	return found;
}

/* So many standard errors, of a square and the variance. */
static void
put_size(StringInfo out, double square, double variance)
{
	double		size = sqrt(square / variance);

	if (size < MOST_SIZE)
		appendStringInfo(out, size < 9.95 ? "%.1f" : "%.0f", size);
	else
		appendStringInfo(out, "more than %d", MOST_SIZE);
}

static bool
is_unusual(double square, double variance)
{
	return square > 0 && square >= UNUSUAL * UNUSUAL * variance;
}

/* Is the largest innovation gone without the values?  One of a jump that lasts comes again with the next. */
static bool
explains(const Unusual *values, int n)
{
	double		drop = 0;

	for (int i = 0; i < n; i++)
		drop += values[i].drop;
	return drop >= LASTS * values->largest;
}

/* Values that may be mistakes. */
static void
put_mistakes(StringInfo out, const AoSeries *y, const Unusual *values, int n)
{
	const Unusual *last = &values[n - 1];

	appendStringInfoString(out, "Beware: ");
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(out, "%svalue " INT64_FORMAT " (%.10g) lies ", i > 0 ? " and " : "", values[i].at + 1, y->values[values[i].at]);
		put_size(out, values[i].drop, last->variance);
	}
	appendStringInfoString(out, " standard errors from what the model makes of all other values");
	if (last->beyond > 0)
		appendStringInfo(out, "; " INT64_FORMAT " more innovation%s beyond %d", last->beyond, last->beyond == 1 ? " is" : "s are", UNUSUAL);
	appendStringInfo(out, ". If %s, put NULL in %s place and fit again: coefficients, forecast and interval are spoiled by %s.\n",
					 n == 1 ? "it is a mistake" : "they are mistakes", n == 1 ? "its" : "their", n == 1 ? "it" : "them");
}

/* A jump that lasts. */
static void
put_jump(StringInfo out, const AoSeries *y, const Unusual *jump)
{
	appendStringInfo(out, "Beware: with value " INT64_FORMAT " (%.10g) the series jumps, ", jump->place + 1, y->values[jump->place]);
	put_size(out, jump->largest, jump->share);
	appendStringInfoString(out, " standard errors from what the model expected of the values before it, and stays there: that is no mistake of one value. A regressor that is 0 before it and 1 from it on takes the jump out of coefficients and interval.\n");
}

/* See explain.h. */
void
ao_explain_unusual(StringInfo out, const Explained *ex, const AoSeries *y, const AoMatrix *xreg)
{
	Sifted		s = {.ex = ex, .xreg = xreg, .taken = -1};
	double	  **arrays[] = {&s.y.values, &s.given, &s.errors, &s.change, &s.best, &s.out};
	Unusual		values[MOST_TOLD];
	double		least = INFINITY;	/* of their drops so far */
	int			tried = 0;
	int			n = 0;

	for (int i = 0; i < lengthof(arrays); i++)
		*arrays[i] = palloc_extended(sizeof(double) * Max(y->n, 1), MCXT_ALLOC_HUGE);
	s.y.n = y->n;
	memcpy(s.y.values, y->values, sizeof(double) * y->n);
	sift(&s);
	/* two that hide each other by the variance that they make show once both are out */
	for (; tried < MOST_TOLD && s.freedom > LEAST_FREEDOM; tried++)
	{
		values[tried] = take_out(&s);
		least = Min(least, values[tried].drop);
		if (is_unusual(least, values[tried].variance))
			n = tried + 1;
	}
	if (n > 1 && explains(values, 1) && !explains(values + 1, 1))
		n = 1;
	if (n > 0 && explains(values, n))
		put_mistakes(out, y, values, n);
	else if (tried > 0 && !explains(values, 1) && is_unusual(values->largest, values->share))
		put_jump(out, y, values);
}

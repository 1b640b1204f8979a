/*
 * poly.c
 *		The model's polynomials: expansion of seasonal products, and the map
 *		between coefficients and unbounded parameters by way of partial
 *		autocorrelations, which keeps AR parts stationary and MA parts
 *		invertible (Monahan 1984; Jones 1980).
 */
#include "internal.h"

#include <math.h>
#include <string.h>

/*
 * Bounds of the unbounded parameters, atanh of a partial autocorrelation.  An
 * AR partial autocorrelation stays 1e-10 away from one, where the start of the
 * filter loses its digits; for an MA part 4e-8 is as good as the unit circle.
 */
#define AR_FREE_LIMIT 11.5
#define SAR_FREE_LIMIT 8.5
#define MA_FREE_LIMIT 8.5
/* And where their gradients end: 0.999 of an MA part; an AR part, towards whose edge the
 * likelihood falls, is let go on to 0.99999. */
#define AR_FREE_EDGE 6.1
#define MA_FREE_EDGE 3.8

/* Is parameter i of (ar ma sar sma) an AR one? */
static bool
is_ar(const AoSpec *s, int i)
{
	return i < s->p || (i >= s->p + s->q && i < s->p + s->q + s->P);
}

/* Largest absolute value that free parameter i may take. */
double
ao_free_limit(const AoShape *shape, int i)
{
	const AoSpec *s = &shape->spec;

	if (!is_ar(s, i))
		return MA_FREE_LIMIT;
	return i < s->p ? AR_FREE_LIMIT : SAR_FREE_LIMIT;
}

/* See internal.h. */
double
ao_free_edge(const AoShape *shape, int i)
{
	return is_ar(&shape->spec, i) ? AR_FREE_EDGE : MA_FREE_EDGE;
}

/* Partial autocorrelations to AR coefficients (Durbin's recursion), in place. */
static void
step_up(double *a, int n)
{
	for (int i = 1; i < n; i++)
	{
		double		k = a[i];

		for (int j = 0; j < i / 2; j++)
		{
			double		lo = a[j],
						hi = a[i - 1 - j];

			a[j] = lo - k * hi;
			a[i - 1 - j] = hi - k * lo;
		}
		if (i % 2)
			a[i / 2] -= k * a[i / 2];
	}
}

/* AR coefficients to partial autocorrelations, in place; stops at one outside
 * (-1, 1) and says so. */
static bool
step_down(double *a, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		double		k = a[i],
					f = 1 - k * k;

		if (!(f > 0))
			return false;
		for (int j = 0; j < i / 2; j++)
		{
			double		lo = a[j],
						hi = a[i - 1 - j];

			a[j] = (lo + k * hi) / f;
			a[i - 1 - j] = (hi + k * lo) / f;
		}
		if (i % 2)
			a[i / 2] *= (1 + k) / f;
	}
	return true;
}

/* See internal.h. */
void
ao_multiply(const double *a, int n, const double *f, int len, double *out)
{
	for (int i = 0; i < n + len; i++)
		out[i] = i < n ? a[i] : 0;
	for (int j = 0; j < len; j++)
	{
		out[j] += f[j];
		for (int i = 0; i < n; i++)
			out[i + j + 1] -= f[j] * a[i];
	}
}

/* Start and length of block b (ar, ma, sar, sma) among the parameters. */
static int
block(const AoSpec *s, int b, int *start)
{
	int			len[4] = {s->p, s->q, s->P, s->Q};

	*start = 0;
	for (int i = 0; i < b; i++)
		*start += len[i];
	return len[b];
}

/* Blocks 1 and 3 are MA parts: 1 + ma1 B + .. is 1 - a1 B - .. with a = -ma. */
static void
negate_ma(double *a, int len, int b)
{
	if (b % 2)
		for (int i = 0; i < len; i++)
			a[i] = -a[i];
}

/* Unbounded parameters u[k] to natural coefficients [k]. */
void
ao_natural_from_free(const AoShape *shape, const double *u, double *coef)
{
	for (int b = 0; b < 4; b++)
	{
		int			start,
					len = block(&shape->spec, b, &start);

		for (int i = start; i < start + len; i++)
			coef[i] = tanh(u[i]);
		step_up(coef + start, len);
		negate_ma(coef + start, len, b);
	}
}

/* The inverse; coefficients on or outside the boundary come back at the limit. */
void
ao_free_from_natural(const AoShape *shape, const double *coef, double *u)
{
	for (int b = 0; b < 4; b++)
	{
		int			start,
					len = block(&shape->spec, b, &start);
		double	   *a = u + start;
		double		limit = len ? ao_free_limit(shape, start) : 0;

		memcpy(a, coef + start, (size_t) len * sizeof(double));
		negate_ma(a, len, b);
		if (!step_down(a, len))
		{
			/* pull the roots inside until it is a proper polynomial */
			memcpy(a, coef + start, (size_t) len * sizeof(double));
			negate_ma(a, len, b);
			for (double g = 0.98;; g *= 0.95)
			{
				double		gi = 1;

				for (int i = 0; i < len; i++)
					a[i] = (gi *= g) * coef[start + i] * (b % 2 ? -1 : 1);
				if (step_down(a, len))
					break;
				if (g < 1e-9)
				{
					/* not a number among them */
					memset(a, 0, (size_t) len * sizeof(double));
					break;
				}
			}
		}
		for (int i = 0; i < len; i++)
		{
			a[i] = atanh(a[i]);
			a[i] = fmin(fmax(a[i], -limit), limit);
		}
	}
}

/* Is every part inside its region?  Margins: the smallest 1 - |pacf|. */
bool
ao_interior(const AoShape *shape, const double *coef, double *ar_margin, double *ma_margin)
{
	double		work[AO_MAX_ORDER];
	bool		inside = true;

	*ar_margin = *ma_margin = 1;
	for (int b = 0; b < 4; b++)
	{
		int			start,
					len = block(&shape->spec, b, &start);
		double	   *margin = b % 2 ? ma_margin : ar_margin;

		memcpy(work, coef + start, (size_t) len * sizeof(double));
		negate_ma(work, len, b);
		if (!step_down(work, len))
		{
			inside = false;
			*margin = 0;
			continue;
		}
		for (int i = 0; i < len; i++)
			*margin = fmin(*margin, 1 - fabs(work[i]));
	}
	return inside;
}

/* Do AR part and differences together make a third difference?  The AR polynomial is at 1
 * the product of the distances of its inverse roots. */
static bool
third_difference(const AoSpec *spec, const double *ar, double distance)
{
	int			missing = 3 - spec->d - spec->D;
	double		at_one = 1;

	if (missing < 1 || missing > 2 || spec->p < missing)
		return false;
	for (int i = 0; i < spec->p; i++)
		at_one -= ar[i];
	return at_one < pow(distance, missing);
}

/* Are the roots of a block, in powers of its own lag, at least so far from the origin?  With
 * coefficient i times root^i they move to where the usual condition asks whether they are
 * outside the unit circle. */
static bool
block_beyond(const AoShape *shape, const double *coef, int b, double root)
{
	double		work[AO_MAX_ORDER],
				scale = 1;
	int			start,
				len = block(&shape->spec, b, &start);

	for (int i = 0; i < len; i++)
		work[i] = coef[start + i] * (scale *= root);
	negate_ma(work, len, b);
	return step_down(work, len);
}

/* See internal.h: blocks ar, ma, sar. */
bool
ao_roots_beyond(const AoShape *shape, const double *coef, AoGuard guard)
{
	bool		beyond = !third_difference(&shape->spec, coef, guard.at_one);

	for (int b = 0; b < 3 && beyond; b++)
		beyond = block_beyond(shape, coef, b, guard.root);
	return beyond;
}

/* See internal.h: a root of a seasonal polynomial is the m-th power of its own. */
bool
ao_expanded_roots_beyond(const AoShape *shape, const double *coef, double root)
{
	double		seasonal = pow(root, shape->spec.m);

	return block_beyond(shape, coef, 0, root) && block_beyond(shape, coef, 1, root) &&
		block_beyond(shape, coef, 2, seasonal) && block_beyond(shape, coef, 3, seasonal);
}

/* One expanded polynomial: (1 + s a(B)) (1 + s A(B^m)) = 1 + s out(B). */
static void
expand_one(const double *a, int na, const double *A, int nA, int m, double sign,
		   double *out, int stride)
{
	for (int i = 0; i < na; i++)
		out[i * stride] = a[i];
	for (int j = 0; j < nA; j++)
	{
		double	   *at = out + (size_t) (m * (j + 1) - 1) * stride;

		*at += A[j];
		for (int i = 0; i < na; i++)
			at[(i + 1) * stride] += sign * A[j] * a[i];
	}
}

/* Natural coefficients to expanded phi[ar] and theta[ma] with a stride. */
void
ao_expand(const AoShape *shape, const double *coef, double *phi, double *theta, int stride)
{
	const AoSpec *s = &shape->spec;
	const double *ma = coef + s->p,
			   *sar = ma + s->q,
			   *sma = sar + s->P;

	for (int i = 0; i < shape->ar; i++)
		phi[i * stride] = 0;
	for (int i = 0; i < shape->ma; i++)
		theta[i * stride] = 0;
	expand_one(coef, s->p, sar, s->P, s->m, -1, phi, stride);
	expand_one(ma, s->q, sma, s->Q, s->m, 1, theta, stride);
}

/* Lags that the product of a polynomial of degree n and one of degree N in
 * B^m can have; ascending; lags NULL: only count (an upper bound). */
static int
list_lags(int n, int N, int m, int *lags)
{
	int			count = 0;

	for (int lag = 1; lag <= n + N * m; lag++)
	{
		bool		used = false;

		for (int j = 0; j <= N && !used; j++)
			used = lag - j * m >= 0 && lag - j * m <= n;
		if (used && lags)
			lags[count] = lag;
		count += used;
	}
	return count;
}

/* delta: 1 - sum delta[j] B^(j+1) = (1-B)^d (1-B^m)^D. */
static void
make_delta(const AoSpec *s, double *delta, int n)
{
	int			degree = 0;

	for (int i = 0; i < n; i++)
		delta[i] = 0;
	for (int i = 0; i < s->d + s->D; i++)
	{
		int			lag = i < s->d ? 1 : s->m;

		/* multiply 1 - delta(B) by 1 - B^lag */
		for (int j = degree; j >= 1; j--)
			delta[j + lag - 1] -= delta[j - 1];
		delta[lag - 1] += 1;
		degree += lag;
	}
}

size_t
ao_shape_bytes(const AoSpec *s)
{
	return ao_arena_round((size_t) (s->p + s->m * s->P), sizeof(int)) +
		ao_arena_round((size_t) (s->q + s->m * s->Q), sizeof(int)) +
		ao_arena_round((size_t) (s->d + s->m * s->D), sizeof(double));
}

/* Shape of a checked specification; its arrays come from the arena. */
void
ao_shape_init(AoShape *shape, const AoSpec *spec, AoArena *arena)
{
	shape->spec = *spec;
	shape->ar = spec->p + spec->m * spec->P;
	shape->ma = spec->q + spec->m * spec->Q;
	shape->r = shape->ar > shape->ma ? shape->ar : shape->ma;
	shape->diff = spec->d + spec->m * spec->D;
	shape->k = spec->p + spec->q + spec->P + spec->Q;
	shape->ar_lags = ao_arena_take(arena, (size_t) shape->ar, sizeof(int));
	shape->ma_lags = ao_arena_take(arena, (size_t) shape->ma, sizeof(int));
	shape->delta = ao_arena_take(arena, (size_t) shape->diff, sizeof(double));
	shape->n_ar_lags = list_lags(spec->p, spec->P, spec->m, shape->ar_lags);
	shape->n_ma_lags = list_lags(spec->q, spec->Q, spec->m, shape->ma_lags);
	make_delta(spec, shape->delta, shape->diff);
}

/*
 * multistart.c
 *		Brute-force search for the highest likelihood of an ExactProblem.
 *
 * Each polynomial is described by its partial autocorrelations sin(x), so
 * that every x is stationary and invertible and unit roots are ordinary
 * points of the space.  Many random points, among them points near and on
 * the unit circle and near-cancelling ones; BFGS from the best and from some
 * of the others; Nelder-Mead and BFGS again from the best few.
 */
#include "multistart.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

#define MAX_K MAX_COEF
#define POINTS_PER_DESCENT 8
#define POLISHED 4

typedef struct Search
{
	ExactProblem *problem;
	const AoSpec *spec;
	int			k;
	uint64_t	random;			/* state of the generator */
} Search;

typedef struct Point
{
	double		f;				/* minus the log-likelihood */
	double		x[MAX_K];
} Point;

/* Uniform on [0, 1): splitmix64 (Steele, Lea & Flood 2014). */
static double
uniform(Search *s)
{
	uint64_t	z = (s->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double) ((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Partial autocorrelations sin(x) to coefficients of 1 - sum a B^j (Durbin-Levinson). */
static void
from_partial(const double *x, int p, double sign, double *coef)
{
	double		a[MAX_K],
				old[MAX_K];

	for (int k = 0; k < p; k++)
	{
		a[k] = sin(x[k]);
		memcpy(old, a, sizeof(old));
		for (int j = 0; j < k; j++)
			a[j] = old[j] - a[k] * old[k - 1 - j];
	}
	for (int j = 0; j < p; j++)
		coef[j] = sign * a[j];
}

static void
to_arma(const Search *s, const double *x, double *arma)
{
	const int	length[4] = {s->spec->p, s->spec->q, s->spec->P, s->spec->Q};
	int			at = 0;

	for (int i = 0; i < 4; i++)
	{
		from_partial(x + at, length[i], i % 2 ? -1 : 1, arma + at);
		at += length[i];
	}
}

static double
value(Search *s, const double *x)
{
	double		arma[MAX_K];
	double		loglik;

	to_arma(s, x, arma);
	loglik = exact_loglik(s->problem, arma);
	return isfinite(loglik) ? -loglik : DBL_MAX;
}

/* Central differences; one-sided steps are not needed, every x is allowed. */
static void
gradient(Search *s, const double *x, double *g)
{
	double		y[MAX_K];

	memcpy(y, x, sizeof(y));
	for (int i = 0; i < s->k; i++)
	{
		const double h = 1e-5;
		double		up;

		y[i] = x[i] + h;
		up = value(s, y);
		y[i] = x[i] - h;
		g[i] = (up - value(s, y)) / (2 * h);
		y[i] = x[i];
	}
}

static double
dot(const double *a, const double *b, int k)
{
	double		sum = 0;

	for (int i = 0; i < k; i++)
		sum += a[i] * b[i];
	return sum;
}

/* BFGS update of the inverse Hessian h (k x k) by step d and gradient change y. */
static void
update_inverse(double *h, const double *d, const double *y, int k)
{
	double		hy[MAX_K];
	double		dy = dot(d, y, k);
	double		yhy;

	if (!(dy > 1e-12))
		return;
	for (int i = 0; i < k; i++)
		hy[i] = dot(h + i * k, y, k);
	yhy = dot(y, hy, k);
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
			h[i * k + j] += (1 + yhy / dy) * d[i] * d[j] / dy - (hy[i] * d[j] + d[i] * hy[j]) / dy;
}

static void
unit_matrix(double *h, int k, double scale)
{
	for (int i = 0; i < k * k; i++)
		h[i] = i % (k + 1) ? 0 : scale;
}

/* Moves p by at most a step of length 1 along -direction; 0 if nothing was gained. */
static int
line_search(Search *s, Point *p, const double *direction, const double *g, double *step)
{
	double		length = sqrt(dot(direction, direction, s->k));
	double		slope = dot(direction, g, s->k);
	double		scale = length > 1 ? 1 / length : 1;

	for (int tries = 0; tries < 25; tries++, scale *= 0.4)
	{
		Point		next;

		for (int i = 0; i < s->k; i++)
			next.x[i] = p->x[i] - (step[i] = scale * direction[i]);
		next.f = value(s, next.x);
		if (next.f <= p->f - 1e-4 * scale * slope)
		{
			*p = next;
			return 1;
		}
	}
	return 0;
}

static void
bfgs(Search *s, Point *p, int iterations)
{
	double		h[MAX_K * MAX_K],
				g[MAX_K],
				g_new[MAX_K],
				direction[MAX_K],
				step[MAX_K];
	int			fresh = 1;

	unit_matrix(h, s->k, 1e-2);
	gradient(s, p->x, g);
	for (int it = 0; it < iterations; it++)
	{
		double		before = p->f;

		for (int i = 0; i < s->k; i++)
			direction[i] = dot(h + i * s->k, g, s->k);
		if (dot(direction, g, s->k) <= 0 || !line_search(s, p, direction, g, step))
		{
			if (fresh)
				return;
			unit_matrix(h, s->k, 1e-2);
			fresh = 1;
			continue;
		}
		fresh = 0;
		gradient(s, p->x, g_new);
		for (int i = 0; i < s->k; i++)
		{
			step[i] = -step[i];
			direction[i] = g_new[i] - g[i];
		}
		update_inverse(h, step, direction, s->k);
		memcpy(g, g_new, sizeof(g));
		if (before - p->f < 1e-9)
			return;
	}
}

/* towards = centre + factor * (centre - worst) */
static void
reflect(Search *s, const double *centre, const Point *worst, double factor, Point *out)
{
	for (int i = 0; i < s->k; i++)
		out->x[i] = centre[i] + factor * (centre[i] - worst->x[i]);
	out->f = value(s, out->x);
}

static int
by_value(const void *a, const void *b)
{
	double		x = ((const Point *) a)->f,
				y = ((const Point *) b)->f;

	return (x > y) - (x < y);
}

static void
shrink(Search *s, Point *simplex)
{
	for (int v = 1; v <= s->k; v++)
	{
		for (int i = 0; i < s->k; i++)
			simplex[v].x[i] = 0.5 * (simplex[v].x[i] + simplex[0].x[i]);
		simplex[v].f = value(s, simplex[v].x);
	}
}

/* One Nelder-Mead step on a sorted simplex of k + 1 points. */
static void
nelder_mead_step(Search *s, Point *simplex)
{
	Point	   *worst = &simplex[s->k];
	Point		trial,
				further;
	double		centre[MAX_K] = {0};

	for (int v = 0; v < s->k; v++)
		for (int i = 0; i < s->k; i++)
			centre[i] += simplex[v].x[i] / s->k;
	reflect(s, centre, worst, 1, &trial);
	if (trial.f < simplex[0].f)
	{
		reflect(s, centre, worst, 2, &further);
		*worst = further.f < trial.f ? further : trial;
	}
	else if (trial.f < simplex[s->k - 1].f)
		*worst = trial;
	else
	{
		reflect(s, centre, worst, trial.f < worst->f ? 0.5 : -0.5, &further);
		if (further.f < fmin(trial.f, worst->f))
			*worst = further;
		else
			shrink(s, simplex);
	}
	qsort(simplex, s->k + 1, sizeof(Point), by_value);
}

static void
nelder_mead(Search *s, Point *p, double size, int steps)
{
	Point		simplex[MAX_K + 1];

	simplex[0] = *p;
	for (int v = 1; v <= s->k; v++)
	{
		simplex[v] = *p;
		simplex[v].x[v - 1] += size;
		simplex[v].f = value(s, simplex[v].x);
	}
	qsort(simplex, s->k + 1, sizeof(Point), by_value);
	for (int i = 0; i < steps && simplex[s->k].f - simplex[0].f > 1e-9; i++)
		nelder_mead_step(s, simplex);
	*p = simplex[0];
}

/*
 * A random point: uniform partial autocorrelations; or near the unit circle;
 * or with the AR and MA parts nearly cancelling; or all of one sign.
 */
static void
random_point(Search *s, Point *p)
{
	int			kind = (int) (4 * uniform(s));
	int			common = s->spec->p < s->spec->q ? s->spec->p : s->spec->q;

	for (int i = 0; i < s->k; i++)
	{
		double		r = 2 * uniform(s) - 1;

		if (kind == 1 || (kind == 2 && uniform(s) < 0.5))
			r = copysign(1 - pow(10, -4 * uniform(s)), r);
		if (kind == 3)
			r *= 0.3;
		p->x[i] = asin(r);
	}
	if (kind >= 2)
		for (int i = 0; i < common; i++)
			p->x[s->spec->p + i] = p->x[i] + 0.1 * (2 * uniform(s) - 1);
	p->f = value(s, p->x);
}

double
multistart(ExactProblem *problem, const AoSpec *spec, int descents, uint64_t seed, double *arma,
		   int *hits)
{
	Search		s = {problem, spec, exact_arma_count(problem), seed};
	int			n = descents * POINTS_PER_DESCENT;
	Point	   *points = calloc(n, sizeof(Point));
	double		best;

	if (points == NULL)
		die("out of memory%s", "");
	points[0].f = value(&s, points[0].x);
	for (int i = 1; i < n && s.k > 0; i++)
		random_point(&s, &points[i]);
	if (s.k > 0)
	{
		qsort(points + 1, n - 1, sizeof(Point), by_value);
		/* half of the descents from the best points, half spread over the others */
		for (int i = 0; i < descents / 2; i++)
			points[descents / 2 + i] = points[descents / 2 + i * (2 * POINTS_PER_DESCENT - 1)];
		for (int i = 0; i < descents; i++)
			bfgs(&s, &points[i], 60);
		qsort(points, descents, sizeof(Point), by_value);
		for (int i = 0; i < POLISHED && i < descents; i++)
		{
			nelder_mead(&s, &points[i], 0.1, 150 * s.k);
			bfgs(&s, &points[i], 200);
		}
		qsort(points, descents, sizeof(Point), by_value);
	}
	*hits = 0;
	for (int i = 0; i < descents; i++)
		*hits += points[i].f < points[0].f + 0.01;
	to_arma(&s, points[0].x, arma);
	best = -points[0].f;
	free(points);
	return best;
}

/*
 * optimize.c
 *		Several quasi-Newton minimisations side by side.
 *
 * Each chain is BFGS with central-difference gradients in the unbounded
 * parameters; where points are dear and a good optimum is enough, with one-sided ones
 * after the first, which halves the points.  In every round all chains put their points - the trial point and
 * its neighbours - into one evaluation, which fills the lanes of the passes
 * over the data.  A chain that runs into another's path, or has no hope of
 * catching up, is dropped.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

#define STEP 3e-4				/* of the numerical derivatives */
#define METRIC_STEP 2e-3		/* of those that only a direction depends on */
#define MAX_MOVE 2.0			/* of one parameter in one iteration */
/* How many times its expected gain a chain may be behind the best: long valleys
 * need more where there are more dimensions for them. */
#define HOPE(k) ((k) <= 2 ? 25 : 150)
#define ASTRAY 4				/* rounds, after which a chain's roots will not come back */
#define ENOUGH 1e-9				/* expected gain in log-likelihood that ends a chain */

typedef struct Chain
{
	double	   *x,				/* [k] best point so far */
			   *trial,			/* [k] */
			   *g,				/* [k] gradient at x */
			   *new_g,			/* [k] at the trial point */
			   *curvature,		/* [k] second differences at the trial point */
			   *dir,			/* [k] */
			   *H;				/* [k][k] inverse Hessian */
	double		f,
				slope,			/* g' dir */
				step,
				decrement;		/* 1/2 g' H g: expected gain */
	int			iterations,
				astray;			/* iterations in a row with roots that are not admissible */
	bool		started,
				alive,
				converged,
				one_sided,		/* the neighbours of the trial point are on one side */
				fresh;			/* H is still diagonal */
} Chain;

typedef struct Work
{
	int			k,
				moving,			/* parameters that are not fixed */
				n_chains;
	Chain	   *chains;
	double	   *points,			/* [n_chains * (2k+1)][k] */
			   *values,			/* [n_chains * (2k+1)] */
			   *work;			/* [2k] */
	double		rival;			/* value reached elsewhere already */
	AoObjective *obj;
} Work;

size_t
ao_optimize_bytes(int k, int n)
{
	size_t		K = (size_t) k,
				N = (size_t) n;

	return ao_arena_round(N, sizeof(Chain)) +
		N * (6 * ao_arena_round(K, sizeof(double)) + ao_arena_round(K * K, sizeof(double))) +
		ao_arena_round(N * (2 * K + 1) * K, sizeof(double)) +
		ao_arena_round(N * (2 * K + 1), sizeof(double)) +
		ao_arena_round(2 * K, sizeof(double)) + ao_arena_round(K, sizeof(double));
}

/* Chains at their starting points. */
static void
open_chains(Work *w, const double *starts, int n, AoArena *arena)
{
	size_t		k = (size_t) w->k;

	w->n_chains = n;
	w->chains = ao_arena_take(arena, (size_t) n, sizeof(Chain));
	for (int i = 0; i < n; i++)
	{
		Chain	   *c = &w->chains[i];

		memset(c, 0, sizeof *c);
		c->x = ao_arena_take(arena, k, sizeof(double));
		c->trial = ao_arena_take(arena, k, sizeof(double));
		c->g = ao_arena_take(arena, k, sizeof(double));
		c->new_g = ao_arena_take(arena, k, sizeof(double));
		c->curvature = ao_arena_take(arena, k, sizeof(double));
		c->dir = ao_arena_take(arena, k, sizeof(double));
		c->H = ao_arena_take(arena, k * k, sizeof(double));
		memcpy(c->trial, starts + (size_t) i * k, k * sizeof(double));
		memcpy(c->x, c->trial, k * sizeof(double));
		c->alive = true;
		c->f = HUGE_VAL;
	}
	w->points = ao_arena_take(arena, (size_t) n * (2 * k + 1) * k, sizeof(double));
	w->values = ao_arena_take(arena, (size_t) n * (2 * k + 1), sizeof(double));
	w->work = ao_arena_take(arena, 2 * k, sizeof(double));
}

/* Is parameter i not to be moved at all? */
static bool
fixed(const Work *w, int i)
{
	return w->obj->fixed && w->obj->fixed[i];
}

/* Rows of a chain's trial point and its neighbours. */
static int
stencil_rows(const Work *w, const Chain *c)
{
	return c->one_sided ? w->moving + 1 : 2 * w->moving + 1;
}

/* Trial point and its neighbours. */
static void
put_stencil(const Work *w, Chain *c, double *rows)
{
	int			k = w->k,
				at = 1,
				n;

	c->one_sided = c->started && w->obj->one_sided;
	n = stencil_rows(w, c);
	for (int i = 0; i < n; i++)
		memcpy(rows + i * k, c->trial, (size_t) k * sizeof(double));
	for (int i = 0; i < k; i++)
	{
		if (fixed(w, i))
			continue;
		rows[at * k + i] += STEP;
		if (!c->one_sided)
			rows[(w->moving + at) * k + i] -= STEP;
		at++;
	}
}

/* Gradient and curvature at the trial point; its value.  One-sided differences are
 * corrected by the curvature at the start. */
static double
read_stencil(const Work *w, Chain *c, const double *values)
{
	const double *up = values + 1,
			   *down = up + w->moving;
	double		f = values[0];

	for (int i = 0; i < w->k; i++)
	{
		if (fixed(w, i))
		{
			c->new_g[i] = c->curvature[i] = 0;
			continue;
		}
		if (c->one_sided)
			c->new_g[i] = (*up - values[0]) / STEP - 0.5 * STEP * c->curvature[i];
		else
		{
			c->new_g[i] = (*up - *down) / (2 * STEP);
			c->curvature[i] = (*up - 2 * values[0] + *down) / (STEP * STEP);
		}
		up++;
		down++;
		if (!isfinite(c->new_g[i]))
			f = HUGE_VAL;
	}
	return f;
}

/* Is parameter i at its limit and about to leave? */
static bool
blocked(const Work *w, const Chain *c, int i)
{
	double		limit = ao_free_limit(w->obj->shape, i);

	return fixed(w, i) || (fabs(c->x[i]) >= limit && c->g[i] * c->x[i] < 0);
}

/* Diagonal start of the inverse Hessian, from the second differences. */
static void
reset_hessian(const Work *w, Chain *c)
{
	int			k = w->k;
	double		max = 1e-6;

	for (int i = 0; i < k; i++)
		max = fmax(max, fabs(c->curvature[i]));
	memset(c->H, 0, (size_t) (k * k) * sizeof(double));
	for (int i = 0; i < k; i++)
		c->H[i * k + i] = 1 / fmax(fabs(c->curvature[i]), 1e-3 * max);
	c->fresh = true;
}

/* See internal.h. */
size_t
ao_metric_work(int k)
{
	size_t		points = (size_t) (k * (k + 3) / 2 + 1);

	return points * (size_t) (k + 1) + (size_t) k;
}

/* See internal.h. */
AoStatus
ao_metric(AoObjective *obj, const double *u, double *work, double *H, bool *ok)
{
	int			k = obj->shape->k,
				n = 0;
	double	   *points = work,
			   *f = work + (k * (k + 3) / 2 + 1) * k,
			   *scale = f + k * (k + 3) / 2 + 1;

	/* the point, its neighbours, and those of two parameters, of one twice over for one */
	for (int i = -1; i < k; i++)
		for (int j = -1; j <= i; j++, n++)
		{
			memcpy(points + n * k, u, (size_t) k * sizeof(double));
			if (i >= 0)
				points[n * k + i] += METRIC_STEP;
			if (j >= 0)
				points[n * k + j] += METRIC_STEP;
		}
	AO_TRY(ao_objective_free(obj, points, n, f));
	*ok = true;
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
		{
			const double *row = f + (i + 1) * (i + 2) / 2;

			H[i * k + j] = H[j * k + i] = (row[j + 1] - row[0] - f[(j + 1) * (j + 2) / 2] + f[0]) /
				(METRIC_STEP * METRIC_STEP);
			*ok = *ok && isfinite(H[i * k + j]);
		}
	*ok = *ok && ao_invert(H, k, scale);
	return AO_OK;
}

/* BFGS update with s = trial - x and the change of the gradient. */
static void
update_hessian(const Work *w, Chain *c)
{
	int			k = w->k;
	double	   *s = w->work,
			   *Hy = w->work + k;
	double		sy = 0,
				yHy = 0;

	for (int i = 0; i < k; i++)
	{
		s[i] = c->trial[i] - c->x[i];
		sy += s[i] * (c->new_g[i] - c->g[i]);
	}
	for (int i = 0; i < k; i++)
	{
		Hy[i] = 0;
		for (int j = 0; j < k; j++)
			Hy[i] += c->H[i * k + j] * (c->new_g[j] - c->g[j]);
		yHy += Hy[i] * (c->new_g[i] - c->g[i]);
	}
	if (!(sy > 1e-12) || !isfinite(yHy))
		return;
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
			c->H[i * k + j] += (1 + yHy / sy) * s[i] * s[j] / sy -
				(Hy[i] * s[j] + s[i] * Hy[j]) / sy;
	c->fresh = false;
}

/* dir = -H g over the parameters that are free to move; its slope. */
static void
find_direction(const Work *w, Chain *c)
{
	int			k = w->k;
	double		longest = 0;

	c->slope = 0;
	for (int i = 0; i < k; i++)
	{
		c->dir[i] = 0;
		if (blocked(w, c, i))
			continue;
		for (int j = 0; j < k; j++)
			if (!blocked(w, c, j))
				c->dir[i] -= c->H[i * k + j] * c->g[j];
		c->slope += c->dir[i] * c->g[i];
		longest = fmax(longest, fabs(c->dir[i]));
	}
	c->decrement = -0.5 * c->slope;
	c->step = longest > MAX_MOVE ? MAX_MOVE / longest : 1;
}

/* trial = x + step dir, inside the limits. */
static void
place_trial(const Work *w, Chain *c)
{
	for (int i = 0; i < w->k; i++)
	{
		double		limit = ao_free_limit(w->obj->shape, i);

		c->trial[i] = fmin(fmax(c->x[i] + c->step * c->dir[i], -limit), limit);
	}
}

/* No more to be gained, by the model of the surface and by its diagonal? */
static bool
settled(const Work *w, const Chain *c)
{
	double		enough = fmax(ENOUGH, w->obj->enough) + 1e-13 * (double) w->obj->design->n_used,
				diagonal = 0;

	for (int i = 0; i < w->k; i++)
		if (!blocked(w, c, i))
			diagonal += 0.5 * c->g[i] * c->g[i] / fmax(fabs(c->curvature[i]), 1e-3);
	return c->decrement < enough && diagonal < 100 * enough;
}

/* The trial point is good: make it the current one and plan the next. */
static void
accept_trial(const Work *w, Chain *c, double f)
{
	int			k = w->k;

	if (c->started && !c->fresh)
		update_hessian(w, c);
	else if (c->started)
	{
		reset_hessian(w, c);
		update_hessian(w, c);
		c->fresh = false;
	}
	else if (w->obj->metric)
		memcpy(c->H, w->obj->metric, (size_t) (k * k) * sizeof(double));
	else
		reset_hessian(w, c);
	memcpy(c->x, c->trial, (size_t) k * sizeof(double));
	memcpy(c->g, c->new_g, (size_t) k * sizeof(double));
	c->f = f;
	c->started = true;
	c->iterations++;
	find_direction(w, c);
	if (!(c->slope < 0) && !settled(w, c))
	{
		reset_hessian(w, c);
		find_direction(w, c);
	}
	if (settled(w, c))
	{
		c->converged = true;
		c->alive = false;
	}
	place_trial(w, c);
}

/* Too long a step: shorten it by quadratic interpolation, or give up. */
static void
shorten_step(const Work *w, Chain *c, double f)
{
	double		s = c->step * c->slope,
				factor = isfinite(f) ? -s / (2 * (f - c->f - s)) : 0.1;

	c->step *= fmin(fmax(factor, 0.1), 0.5);
	if (c->step * -c->slope < 1e-13 * (double) w->obj->design->n_used || c->step < 1e-10)
	{
		/* as good as rounding lets it be; or the model of the surface is bad */
		if (c->fresh || c->decrement < 1e-6)
		{
			c->alive = false;
			c->converged = c->decrement < 1e-6;
			return;
		}
		for (int i = 0; i < w->k; i++)
			for (int j = 0; j < w->k; j++)
				c->H[i * w->k + j] = i == j ? fabs(c->H[i * w->k + i]) : 0;
		c->fresh = true;
		find_direction(w, c);
	}
	place_trial(w, c);
}

/* Values of one chain's points are in: move it. */
static void
advance(const Work *w, Chain *c, const double *values)
{
	double		f = read_stencil(w, c, values);

	if (!c->started && !isfinite(f))
		c->alive = false;
	else if (!c->started || f <= c->f + 1e-4 * c->step * c->slope)
		accept_trial(w, c, f);
	else
		shorten_step(w, c, f);
}

/* Is chain a on top of the (better) chain b? */
static bool
overtaken(const Work *w, const Chain *a, const Chain *b)
{
	for (int i = 0; i < w->k; i++)
		if (fabs(a->x[i] - b->x[i]) > 0.05)
			return false;
	return true;
}

/* Do the roots at the chain's point keep the distances that are demanded? */
static bool
admissible(const Work *w, const Chain *c)
{
	if (w->obj->guard.root == 0)
		return true;
	ao_natural_from_free(w->obj->shape, c->x, w->obj->coef);
	return ao_roots_beyond(w->obj->shape, w->obj->coef, w->obj->guard);
}

/* Drop the chains that repeat a better one or have fallen hopelessly behind. */
static void
thin_out(Work *w)
{
	double		best = w->rival;

	for (int i = 0; i < w->n_chains; i++)
		best = fmin(best, w->chains[i].f);
	for (int i = 0; i < w->n_chains; i++)
	{
		Chain	   *c = &w->chains[i];

		if (!c->alive || c->iterations < 2)
			continue;
		c->astray = admissible(w, c) ? 0 : c->astray + 1;
		if (c->astray > ASTRAY)
			c->alive = false;
		if (c->iterations >= 4 && c->f - best > 0.1 + HOPE(w->k) * c->decrement)
			c->alive = false;
		for (int j = 0; j < w->n_chains && c->alive; j++)
		{
			const Chain *b = &w->chains[j];

			if (j != i && b->started && (b->alive || b->converged) &&
				(b->f < c->f || (b->f == c->f && j < i)) && overtaken(w, c, b))
				c->alive = false;
		}
	}
}

/* Evaluate the points of all living chains and move them; how many moved. */
static AoStatus
one_round(Work *w, int *moved)
{
	int			n = 0;

	*moved = 0;
	for (int i = 0; i < w->n_chains; i++)
		if (w->chains[i].alive)
		{
			put_stencil(w, &w->chains[i], w->points + n * w->k);
			n += stencil_rows(w, &w->chains[i]);
			++*moved;
		}
	if (n == 0)
		return AO_OK;
	AO_TRY(ao_objective_free(w->obj, w->points, n, w->values));
	n = 0;
	for (int i = 0; i < w->n_chains; i++)
		if (w->chains[i].alive)
		{
			const double *values = w->values + n;

			n += stencil_rows(w, &w->chains[i]);
			advance(w, &w->chains[i], values);
		}
	thin_out(w);
	return AO_OK;
}

/* One chain's end.  A chain given up half-way is no optimum. */
static AoOptimum
end_of(const Work *w, const Chain *c)
{
	return (AoOptimum) {.u = c->x, .f = c->f, .converged = c->converged,
		.admissible = admissible(w, c)};
}

/* Minimise from n starts [n][k] of unbounded parameters, which become the points
 * reached; best->u is allocated from the arena.  rival: a value reached before
 * (or HUGE_VAL), against which the chains have to hold out. */
AoStatus
ao_optimize(AoObjective *obj, double *starts, int n, int max_rounds, double rival,
			AoArena *arena, AoOptimum *best)
{
	Work		w = {.k = obj->shape->k, .obj = obj, .rival = rival};
	int			moved = 1,
				iterations = 0;
	double	   *u = ao_arena_take(arena, (size_t) w.k, sizeof(double));

	for (int i = 0; i < w.k; i++)
		w.moving += !fixed(&w, i);
	open_chains(&w, starts, n, arena);
	for (int round = 0; round < max_rounds && moved > 0 && !(round > 0 && ao_out_of_time(obj->deadline)); round++)
		AO_TRY(one_round(&w, &moved));
	for (int i = 0; i < n; i++)
	{
		AoOptimum	end = end_of(&w, &w.chains[i]);

		iterations += w.chains[i].iterations;
		memcpy(starts + (size_t) i * (size_t) w.k, end.u, (size_t) w.k * sizeof(double));
		if (i == 0 || end.f < best->f)
			*best = end;
	}
	memcpy(u, best->u, (size_t) w.k * sizeof(double));
	best->u = u;
	best->iterations = iterations;
	return AO_OK;
}

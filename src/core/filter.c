/*
 * filter.c
 *		The filter of one fitted model, value by value: the only one that the state of a
 *		model comes from, whether it is fitted, rolled on or applied to other data, so that
 *		appending values is the same arithmetic as having had them from the start.
 *
 * State and innovations form are those of kalman.c.  A known value y makes
 *		v = y - z'a,	c = P z,	F = 1 + z'c,	a' = T a + (T c + G) v/F,
 *		P' = (T - G z') (P - c c'/F) (T - G z')',
 * for a_{t+1} = (T - G z') a_t + G y_t: the noise of the difference equation is not added
 * only to be subtracted again, and P falls to zero itself and not to its rounding.  What is
 * done depends on a, P and the number of values seen, which is all that a model keeps.
 *
 * The first ar values of a complete series are accounted for as in presample.c, in which the
 * variance of the stationary state may be as large as it likes; after them it is that of
 * innovations before the series, of which each has a variance of one at most.  With gaps among
 * them P is kept as S S' until it is as small, with twice the digits.
 */
#include "state.h"

#include <math.h>
#include <string.h>

#define STARTING 3				/* times the state: values in which large variances go */
#define SETTLED 1e-18			/* variance of a state that counts as known, in units of sigma2 */

/* See state.h. */
void
ao_filter_mirror(AoState *st)
{
	size_t		s = (size_t) st->s;

	if (st->P && st->lower)
		for (int i = 1; i < st->s; i++)
			for (int j = 0; j < i; j++)
				st->P[j * s + i] = st->P[i * s + j];
	st->lower = false;
}

/* P of a state that was known for certain. */
static void
restore_cov(AoState *st)
{
	st->P = st->room;
	st->lower = false;
	memset(st->P, 0, (size_t) st->s * (size_t) st->s * sizeof(double));
}

/* c = P z where all levels are known; z' P z. */
static double
first_column(const AoState *st, double *c)
{
	int			r = st->shape.r;

	for (int i = 0; i < r; i++)
		c[i] = st->P[(size_t) i * st->s];
	memset(c + r, 0, (size_t) (st->s - r) * sizeof(double));
	return c[0];
}

/* Row i of P' of the ARMA state, its lower triangle, from row i + 1 of P; u[j] =
 * c[j + 1]/F, first = c[0]/F. */
AO_CLONES static void
arma_row(const double *restrict next, double *restrict to, int i, double c, double u,
		 double first, const double *us, const double *theta)
{
	double		by_u = c + theta[i],
				by_theta = theta[i] * first - u;

	for (int j = 0; j <= i; j++)
		to[j] = next[j + 1] - by_u * us[j] + by_theta * theta[j];
}

/* P' where all levels are known, in place; u[r] is work. */
static AoStatus
observe_arma(AoState *st, const double *c, double F, double *u, AoPace *pace)
{
	int			r = st->shape.r;
	size_t		s = (size_t) st->s;
	double		first = c[0] / F,
			   *last = st->P + (size_t) (r - 1) * s;

	for (int i = 0; i < r; i++)
		u[i] = i + 1 < r ? c[i + 1] / F : 0;
	for (int i = 0; i + 1 < r; i++)
	{
		/* the diagonal of the next row is the last that row i needs */
		arma_row(st->P + (i + 1) * s, st->P + i * s, i, c[i + 1], u[i], first, u, st->theta);
		AO_TRY(ao_pace(pace, 1 + i / 8));
	}
	for (int j = 0; j < r; j++)
		last[j] = st->theta[r - 1] * (first * st->theta[j] - u[j]);
	st->lower = true;
	return AO_OK;
}

AO_CLONES static void
subtract(double *restrict row, double u, const double *restrict c, int n)
{
	for (int j = 0; j < n; j++)
		row[j] -= u * c[j];
}

/* P' where levels are uncertain, too. */
static AoStatus
observe_levels(AoState *st, const double *c, double F, AoPace *pace)
{
	int			s = st->s;

	for (int i = 0; i < s; i++)
	{
		subtract(st->P + (size_t) i * s, c[i] / F, c, s);
		AO_TRY(ao_pace(pace, s / 8));
	}
	AO_TRY(ao_state_turn_cov(st, true, pace));
	/* a model keeps the lower triangle */
	st->lower = true;
	ao_filter_mirror(st);
	return AO_OK;
}

/* Is the rounding that large variances of the first state have left in P still on its way out?
 * Without that help: with it, it would stay. */
static bool
starting(const AoState *st)
{
	return st->t < STARTING * st->s;
}

/* A variance may be less than its rounding, and negative then: it is as large as that at most,
 * and with it the filter finds out; with zero it never would. */
static void
mend_variances(AoState *st)
{
	for (int i = 0; st->P && i < st->s && !starting(st); i++)
		st->P[(size_t) i * (st->s + 1)] = fabs(st->P[(size_t) i * (st->s + 1)]);
}

/* After a known value: one more level is certain; and is all the rest? */
static void
note_known(AoState *st)
{
	bool		settled = true;

	if (st->n_known < st->shape.diff)
		st->n_known++;
	mend_variances(st);
	for (int i = 0; st->P && i < st->s; i++)
		settled = settled && fabs(st->P[(size_t) i * (st->s + 1)]) < SETTLED;
	if (settled)
	{
		st->P = NULL;
		st->lower = false;
		st->n_known = st->shape.diff;
	}
}

/* A value is missing. */
static AoStatus
step_missing(AoState *st, double forecast, AoPace *pace)
{
	/* white noise has no state */
	if (st->s == 0)
		return AO_OK;
	if (st->P)
		ao_filter_mirror(st);
	else
		restore_cov(st);
	ao_state_transition(st, st->a, forecast);
	AO_TRY(ao_state_cov_step(st, pace));
	st->lower = true;
	ao_filter_mirror(st);
	mend_variances(st);
	st->n_known = 0;
	return AO_OK;
}

/* See state.h. */
void
ao_filter_loaded(AoState *st)
{
	int			r = st->shape.r,
				diff = st->shape.diff;

	st->lower = false;
	st->n_known = diff;
	if (!st->P)
		return;
	for (int i = diff - 1; i >= 0; i--)
	{
		const double *row = st->P + (size_t) (r + i) * st->s;

		for (int j = 0; j < st->s; j++)
			if (row[j] != 0)
				st->n_known = i;
	}
	/* nothing but levels, all known */
	if (r == 0 && st->n_known == diff)
		st->P = NULL;
}

/* a' for innovation v, with gain K/F. */
static void
step_mean(AoState *st, double forecast, double z, const double *K, double by)
{
	int			r = st->shape.r,
				n = st->P ? st->s : r;

	ao_state_transition(st, st->a, forecast);
	for (int i = 0; i < n; i++)
		st->a[i] += K[i] * by;
	/* the level is now what was observed, to the last digit */
	if (st->s > r)
		st->a[r] = z;
}

/* c = P z and z'P z no larger than the variances allow, which bounds the gain. */
static double
bound_gain(const AoState *st, double *c, double zPz)
{
	zPz = fabs(zPz);
	for (int i = 0; i < st->s; i++)
	{
		double		most = fabs(st->P[(size_t) i * (st->s + 1)]) * zPz;

		if (c[i] * c[i] > most)
			c[i] = copysign(sqrt(most), c[i]);
	}
	return zPz;
}

/* A value is known, the state is not. */
static AoStatus
step_uncertain(AoState *st, double forecast, double z, double *F, AoPace *pace)
{
	bool		levels = st->n_known < st->shape.diff;
	double	   *c = st->work,
			   *K = st->work + st->s,
				zPz = levels ? ao_state_variance(st) : first_column(st, c);

	if (!starting(st))
		zPz = bound_gain(st, c, zPz);
	*F = 1 + zPz;
	memcpy(K, c, (size_t) st->s * sizeof(double));
	ao_state_transition(st, K, zPz);
	for (int i = 0; i < st->s; i++)
		K[i] += st->G[i];
	step_mean(st, forecast, z, K, (z - forecast) / *F);
	AO_TRY(levels ? observe_levels(st, c, *F, pace) : observe_arma(st, c, *F, K, pace));
	note_known(st);
	return AO_OK;
}

/* See state.h. */
AoStatus
ao_filter_step(AoState *st, double z, double *v, double *F, AoPace *pace)
{
	double		forecast = ao_state_observe(st, st->a);

	st->t++;
	*v = z - forecast;
	*F = 1;
	AO_TRY(ao_pace(pace, 1 + st->s / 8));
	if (isnan(z))
		return step_missing(st, forecast, pace);
	if (st->P)
		return step_uncertain(st, forecast, z, F, pace);
	/* the difference equation */
	step_mean(st, forecast, z, st->G, *v);
	return AO_OK;
}

/* Error of the forecast of value t, standardised, and its variance. */
static void
note_error(AoState *st, int64_t t, double v, double F, double *errors)
{
	errors[t] = v / sqrt(F);
	if (st->variances)
		st->variances[t] = F;
}

/* A new P, all zero. */
static void
clear_cov(AoState *st)
{
	restore_cov(st);
	memset(st->a, 0, (size_t) st->s * sizeof(double));
}

/* The state after n complete values, no more than diff + ar. */
static AoStatus
start_by_presample(AoState *st, const double *z, int64_t n, double *errors, AoFilterSpace *space,
				   AoEnv *env)
{
	int			diff = st->shape.diff;
	AoPresample *pre = space->presample;
	double	   *w = (double *) space->pass->e;	/* more than a start takes */

	ao_state_broadcast(st, pre->phi, pre->theta);
	if (!ao_presample_take(pre))
		return ao_filter_too_close(env);
	memcpy(w, z, (size_t) n * sizeof(double));
	ao_state_levels(st, z, n);
	st->n_known = diff;
	AO_TRY(ao_difference(&st->shape.spec, w, &n, 1, env));
	pre->variances = st->variances ? st->variances + diff : NULL;
	AO_TRY(ao_presample_rows(pre, w, n, errors ? errors + diff : NULL, env));
	return ao_presample_state(pre, w, n, st->a, st->P, st->s, env);
}

/* See state.h. */
AoStatus
ao_filter_too_close(AoEnv *env)
{
	return ao_fail(env, AO_BAD_MODEL, "roots of the model are too close to the unit circle\n"
				   "Fit a model with fewer terms or more differences.", 0, 0);
}

/* See state.h. */
AoStatus
ao_filter_too_few(const AoShape *shape, int have, AoEnv *env)
{
	return ao_fail(env, AO_TOO_FEW_VALUES,
				   "missing values leave a season without any observation\n"
				   "Give a longer series or a model without seasonal differences.",
				   shape->diff, have);
}

/* One step of the n columns S[n][s], P = S S'.  Of a known value: the root f of its variance, and
 * gain[s], (T c + G)/f; rotations take what is seen of the columns into f (Kaminski, Bryson &
 * Schmidt 1971). */
static double
step_columns(const AoState *st, double *S, int n, bool known, double *gain)
{
	int			s = st->s;
	double		f = 1;

	memcpy(gain, st->G, (size_t) s * sizeof(double));
	for (int k = 0; k < n; k++)
	{
		double	   *column = S + k * s,
					seen = ao_state_observe(st, column),
					root = sqrt(f * f + seen * seen);

		ao_state_transition(st, column, seen);
		if (!known || seen == 0)
			continue;
		for (int i = 0; i < s; i++)
		{
			double		g = gain[i];

			gain[i] = (f * g + seen * column[i]) / root;
			column[i] = (f * column[i] - seen * g) / root;
		}
		/* the level is known, to the last digit */
		if (s > st->shape.r)
			column[st->shape.r] = 0;
		f = root;
	}
	return f;
}

/* Value t, with the n columns of S: its error, and one column more where it is missing. */
static void
step_root(AoState *st, double *S, int *n, double z, int64_t t, double *errors)
{
	bool		known = !isnan(z);
	double	   *gain = st->work,
				forecast = ao_state_observe(st, st->a),
				f = step_columns(st, S, *n, known, gain);

	if (known)
		step_mean(st, forecast, z, gain, (z - forecast) / f);
	else
	{
		ao_state_transition(st, st->a, forecast);
		memcpy(S + (*n)++ * st->s, st->G, (size_t) st->s * sizeof(double));
	}
	if (errors)
		note_error(st, t, z - forecast, f * f, errors);
}

/* P = S S' */
static AoStatus
multiply_columns(AoState *st, const double *S, int n, AoPace *pace)
{
	int			s = st->s;

	for (int i = 0; i < s; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = 0; k < n; k++)
				sum += S[k * s + i] * S[k * s + j];
			st->P[i * s + j] = st->P[j * s + i] = sum;
		}
		AO_TRY(ao_pace(pace, i * n / 4));
	}
	return AO_OK;
}

/* With gaps after the first diff values: the state after as many more as it takes until ar are
 * known, or as many are missing. */
static AoStatus
start_by_root(AoState *st, const double *z, int64_t n, double *errors, AoFilterSpace *space,
			  int64_t *done, AoPace *pace)
{
	AoPresample *pre = space->presample;
	int			ar = st->shape.ar,
				m = ar + st->shape.ma,
				columns = m;
	double	   *S = (double *) space->kalman->P;	/* room for 4 s, and it takes 3 r */

	ao_state_broadcast(st, pre->phi, pre->theta);
	if (!ao_presample_take(pre))
		return ao_filter_too_close(pace->env);
	memset(S, 0, (size_t) (m * st->s) * sizeof(double));
	for (int k = 0; k < m; k++)
		for (int i = 0; i < st->shape.r; i++)
			S[k * st->s + i] = pre->X[i * m + k];
	for (int known = 0; *done < n && known < ar && columns < m + ar; ++*done)
	{
		known += !isnan(z[*done]);
		step_root(st, S, &columns, z[*done], *done, errors);
		AO_TRY(ao_pace(pace, columns * st->s / 2));
	}
	AO_TRY(multiply_columns(st, S, columns, pace));
	ao_filter_loaded(st);
	return AO_OK;
}

/* The stationary state. */
static AoStatus
start_stationary(AoState *st, AoFilterSpace *space, AoPace *pace)
{
	AoPass	   *ps = space->pass;

	if (st->shape.r == 0)
	{
		st->P = NULL;
		return AO_OK;
	}
	ao_state_broadcast(st, ps->phi, ps->theta);
	AO_TRY(ao_stationary_start(&st->shape, ps->phi, ps->theta, 1, false, ps->K, ps->F,
							   ps->scratch, pace));
	AO_TRY(ao_stationary_cov(&st->shape, (double *) ps->phi, (double *) ps->theta,
							 (double *) ps->K, AO_LANES, ps->F[0][0], st->P, st->s, 1, pace));
	return isnan(st->P[0]) ? ao_filter_too_close(pace->env) : AO_OK;
}

/* The state after as many values as it takes until no level is diffuse. */
static AoStatus
start_diffuse(AoState *st, const double *z, int64_t n, double *errors, AoKalman *kf, int64_t *done)
{
	AoVec		v,
				F;
	bool		counted;

	ao_state_broadcast(st, kf->phi, kf->theta);
	AO_TRY(ao_kalman_start(kf));
	for (*done = 0; *done < n && kf->diffuse; ++*done)
	{
		AO_TRY(ao_kalman_step(kf, z + *done, &v, &F, &counted));
		if (errors)
			note_error(st, *done, counted ? v[0] : NAN, F[0], errors);
	}
	if (kf->n_diffuse < st->shape.diff)
		return ao_filter_too_few(&st->shape, kf->n_diffuse, kf->pace.env);
	for (int i = 0; i < st->s; i++)
		st->a[i] = kf->a[i][0];
	AO_TRY(ao_kalman_lane(kf, st->P));
	st->lower = true;
	ao_filter_mirror(st);
	ao_filter_loaded(st);
	return AO_OK;
}

/* The longest start without a missing value in it that z begins with; *done values of it. */
static AoStatus
start(AoState *st, const double *z, int64_t n, double *errors, AoFilterSpace *space, int64_t *done,
	  AoPace *pace)
{
	int			diff = st->shape.diff;
	int64_t		first = n < diff + st->shape.ar ? n : diff + st->shape.ar;
	bool		serves = ao_presample_serves(&st->shape),
				gap;

	clear_cov(st);
	AO_TRY(ao_any_nan(z, first, pace->env, &gap));
	*done = first;
	if (!gap && serves)
		return start_by_presample(st, z, first, errors, space, pace->env);
	AO_TRY(ao_any_nan(z, diff, pace->env, &gap));
	if (gap)
		return start_diffuse(st, z, n, errors, space->kalman, done);
	*done = diff;
	ao_state_levels(st, z, diff);
	st->n_known = diff;
	return serves ? start_by_root(st, z, n, errors, space, done, pace) : start_stationary(st, space, pace);
}

/* See state.h. */
AoStatus
ao_filter_run(AoState *st, const double *z, int64_t n, double *errors, AoFilterSpace *space,
			  AoEnv *env)
{
	AoPace		pace = {env, 0};
	int64_t		t;

	for (int i = 0; errors && i < st->shape.diff; i++)
		errors[i] = NAN;
	AO_TRY(start(st, z, n, errors, space, &t, &pace));
	st->t = t;
	for (double v, F; t < n; t++)
	{
		AO_TRY(ao_filter_step(st, z[t], &v, &F, &pace));
		if (errors)
			note_error(st, t, v, F, errors);
	}
	ao_filter_mirror(st);
	return AO_OK;
}

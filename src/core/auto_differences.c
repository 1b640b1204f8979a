/*
 * auto_differences.c
 *		What the automatic choice takes from tests of the series: how often it is
 *		differenced, and whether a short one has a drift.
 */
#include "auto_internal.h"
#include "least_squares.h"
#include "tests.h"

#include <math.h>

#define ALPHA 0.05				/* of the KPSS test */
#define LEAST_DRIFT 0.75			/* of a short series, in standard errors */

/* Fourier terms and given regressors of row t; are all known? */
static bool
regressor_row(const AoFitTask *task, int64_t t, int m, int K, double *row)
{
	int			own = ao_fourier_columns(m, K);
	bool		known = true;

	ao_fourier_row((double) (t + 1), m, K, row);
	for (int i = 0; i < task->k; i++)
	{
		row[own + i] = task->xreg[t * task->k + i];
		known = known && isfinite(row[own + i]);
	}
	return known;
}

/* z[n] less what least squares on k regressors explains, if they can be told apart. */
static AoStatus
take_regressors_out(const AoFitTask *task, int m, int K, int k, AoLeastSquares *ls, double *beta,
					AoPace *pace, double *z)
{
	for (int64_t t = 0; t < task->n; t++)
	{
		bool		known = !isnan(z[t]);

		known = regressor_row(task, t, m, K, ls->row) && known;
		ls->row[k] = 1;
		ls->row[k + 1] = z[t];
		if (known)
			AO_TRY(ao_least_squares_add(ls, pace));
		AO_TRY(ao_pace(pace, k));
	}
	if (!ao_least_squares_regular(ls))
		return AO_OK;
	ao_least_squares_solve(ls, beta);
	for (int64_t t = 0; t < task->n; t++)
	{
		(void) regressor_row(task, t, m, K, ls->row);
		for (int i = 0; i < k; i++)
			z[t] -= beta[i] * ls->row[i];
		AO_TRY(ao_pace(pace, k));
	}
	return AO_OK;
}

/* y after the Box-Cox transformation and without what least squares on the regressors, K
 * pairs of Fourier terms included, explains, into z[n]. */
static AoStatus
adjusted(const AoFitTask *task, int m, int K, double *z, AoEnv *env)
{
	int			k = ao_fourier_columns(m, K) + task->k;
	AoArena		arena = {0};
	AoLeastSquares ls;
	AoPace		pace = {env, 0};
	AoStatus	status;

	for (int64_t t = 0; t < task->n; t++)
	{
		z[t] = task->options->has_lambda && !isnan(task->y[t]) ?
			ao_box_cox(task->y[t], task->options->lambda) : task->y[t];
		AO_TRY(ao_pace(&pace, 1));
	}
	if (k == 0)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_least_squares_bytes(k + 1) +
						 ao_arena_round((size_t) k + 1, sizeof(double)), env));
	status = ao_least_squares_init(&ls, k + 1, &arena, &pace);
	if (status == AO_OK)
		status = take_regressors_out(task, m, K, k, &ls,
									 ao_arena_take(&arena, (size_t) k + 1, sizeof(double)), &pace, z);
	ao_arena_close(&arena, env);
	return status;
}

/* Would the differences take given regressors away, or leave only some that can no longer be
 * told apart?  A dummy of one month is gone after a seasonal difference. */
static AoStatus
regressors_vanish(const AoChoice *choice, int d, int D, bool *vanish)
{
	const AoFitTask *quick = &choice->quick;
	AoSpec		spec = {.d = d, .D = D, .m = choice->m};
	AoArena		arena = {0};
	AoShape		shape;
	AoDesign	design;
	AoStatus	status;

	*vanish = false;
	if (quick->k == 0)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_shape_bytes(&spec) + ao_design_bytes(quick->n, quick->k, true), choice->env));
	ao_shape_init(&shape, &spec, &arena);
	status = ao_design_make(&design, &shape, quick->y, quick->n, quick->xreg, quick->k,
							quick->options, &arena, choice->env);
	ao_arena_close(&arena, choice->env);
	*vanish = status == AO_COLLINEAR;
	return ao_ends_all(status) ? status : AO_OK;
}

/* Seasonal differences by the seasonal component's strength, then ordinary ones by the
 * KPSS test; no more than leave something, of the regressors, too.  The test rejects a level
 * of the changes for much less than a second unit root, such as a slow cycle in the drift: a
 * second difference has to prove itself in a search of its own. */
static AoStatus
choose_differences(AoChoice *choice, double *z)
{
	AoEnv	   *env = choice->env;
	int64_t		n = choice->quick.n,
				known,
				lead;
	bool		constant,
				vanish;

	AO_TRY(ao_count_known(z, n, env, &known, &lead));
	AO_TRY(ao_is_constant(z, n, env, &constant));
	if (constant)
		return AO_OK;
	if (choice->m > 1 && choice->options.max_D > 0)
		AO_TRY(ao_nsdiffs(z, n, choice->m, choice->options.max_D, env, &choice->D));
	if (choice->D > 0)
	{
		AO_TRY(regressors_vanish(choice, 0, choice->D, &vanish));
		choice->D_denied = vanish;
		choice->D = vanish ? 0 : choice->D;
	}
	if (choice->D > 0)
	{
		AoSpec		seasonal = {.D = choice->D, .m = choice->m};

		AO_TRY(ao_difference(&seasonal, z, &n, 1, env));
		known -= choice->D * choice->m;
	}
	if (known >= 3 && choice->options.max_d > 0)
		AO_TRY(ao_ndiffs(z, n, ALPHA, choice->options.max_d, env, &choice->d));
	/* of three or four values the test cannot tell */
	if (known >= 3 && choice->options.max_d > 0 && choice->d + choice->D == 0)
	{
		bool		line;

		AO_TRY(ao_is_line(z, n, env, &line));
		choice->d = line;
	}
	vanish = true;
	while (choice->d > 0 && vanish)
	{
		AO_TRY(regressors_vanish(choice, choice->d, choice->D, &vanish));
		choice->d -= vanish;
	}
	choice->asks_twice = choice->d == 2 && !choice->twice;
	if (choice->asks_twice)
		choice->d = 1;
	return AO_OK;
}

/* Is the mean change of z[n], a random walk with drift, at least LEAST_DRIFT of its standard error?
 * Over a gap of g - 1 values the change is one of mean g and variance g. */
static bool
has_drift(const double *z, int64_t n)
{
	double		scale = 0,
				sum = 0,
				squares = 0,
				steps = 0,
				count = 0;
	int64_t		last = 0;

	for (int64_t t = 0; t < n; t++)
		if (fabs(z[t]) > scale)
			scale = fabs(z[t]);
	for (int64_t t = 1; t < n && scale > 0; t++)
	{
		double		change = z[t] / scale - z[last] / scale;

		if (isnan(z[t]))
			continue;
		count++;
		sum += change;
		squares += change * change / (double) (t - last);
		steps += (double) (t - last);
		last = t;
	}
	/* mean = sum / steps, its variance (squares - sum^2 / steps) / (count - 1) / steps */
	return sum * sum * (count - 1) >= LEAST_DRIFT * LEAST_DRIFT * (steps * squares - sum * sum);
}

/* See auto_internal.h. */
AoStatus
ao_choice_differences(AoChoice *choice)
{
	const AoFitTask *quick = &choice->quick;
	AoArena		arena = {0};
	double	   *z;
	AoStatus	status;

	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) quick->n, sizeof(double)), choice->env));
	z = ao_arena_take(&arena, (size_t) quick->n, sizeof(double));
	status = adjusted(quick, choice->m, choice->K, z, choice->env);
	if (status == AO_OK)
		status = choose_differences(choice, z);
	if (status == AO_OK)
		choice->drift_only = choice->drift_only && choice->d == 1 && has_drift(z, quick->n);
	ao_arena_close(&arena, choice->env);
	choice->constant = choice->d + choice->D <= 1;
	return status;
}

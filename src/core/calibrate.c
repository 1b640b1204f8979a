/*
 * calibrate.c
 *		Calibration of conformal intervals: how far off, in standard errors, the
 *		model's own forecasts of its series would have been.
 *
 * The errors are those of a walk-forward over the series with the parameters
 * as they are: the h-step error at t is the sum of psi_j e_(t-j), j < h, where
 * e are the one-step errors and psi the impulse response - exactly so once the
 * filter has settled.  As the same series gave the parameters, the errors are
 * widened like those of interval "student", and by what the estimates have taken
 * from their sums besides, see inside.  The half width of a level is the
 * ceil((n+1) level)-th of n sizes (Lei et al. 2018, split conformal prediction);
 * where there is none so large, the largest with the rest of Student's tail.
 */
#include "impulse.h"

#include <math.h>
#include <string.h>

#include "diagnostics.h"
#include "model_internal.h"
#include "tests.h"

#define MOST_ERRORS 5000		/* the newest so many */
#define LEAST_ERRORS 20			/* of a step */
#define ERRORS_PER_STEP 10		/* so many one-step errors for each step */
#define LEAST_STEPS 10
#define SEASONS 2

/* What the rows are made from. */
typedef struct Calibration
{
	const AoModel *model;
	const double *one_step;		/* [n], NaN where there is none; standardised to variance sigma2 */
	int			n;
	double	   *sum,			/* [n] h-step errors */
			   *sizes;			/* [n] */
	AoState		st;
	AoImpulses	impulses;
} Calibration;

/* Moves x[at] down in a heap of n numbers, the largest on top. */
static void
sift_down(double *x, int n, int at)
{
	double		value = x[at];

	for (int child = 2 * at + 1; child < n; child = 2 * at + 1)
	{
		if (child + 1 < n && x[child + 1] > x[child])
			child++;
		if (x[child] <= value)
			break;
		x[at] = x[child];
		at = child;
	}
	x[at] = value;
}

/* Ascending, in place. */
static void
sort(double *x, int n)
{
	for (int i = n / 2 - 1; i >= 0; i--)
		sift_down(x, n, i);
	for (int i = n - 1; i > 0; i--)
	{
		double		largest = x[0];

		x[0] = x[i];
		x[i] = largest;
		sift_down(x, i, 0);
	}
}

/* Steps that the number of one-step errors and the season make worth it. */
static int
count_steps(const Calibration *c)
{
	int			known = 0,
				steps = SEASONS * c->model->m;

	for (int t = 0; t < c->n; t++)
		known += !isnan(c->one_step[t]);
	if (known < LEAST_ERRORS || !(c->model->sigma2 > 0))
		return 0;
	if (steps < LEAST_STEPS)
		steps = LEAST_STEPS;
	if (steps > AO_CALIBRATION_STEPS)
		steps = AO_CALIBRATION_STEPS;
	return steps < known / ERRORS_PER_STEP ? steps : known / ERRORS_PER_STEP;
}

/* A row from n sizes in ascending order. */
static void
fill_row(const Calibration *c, int n, double *row)
{
	for (int i = 0; i < AO_CALIBRATION_LEVELS; i++)
	{
		double		level = ao_calibration_level(i);
		int			rank = (int) ceil((n + 1) * level - 1e-9);

		row[i] = rank <= n ? c->sizes[rank - 1] : c->sizes[n - 1] * (ao_student_quantile(level, c->model->df) / ao_student_quantile(n / (n + 1.0), c->model->df));
		if (!(row[i] <= AO_MODEL_MAX_VALUE))
			row[i] = AO_MODEL_MAX_VALUE;
	}
}

/* Adds the term of psi_j to the errors, and gives how many sizes are known. */
static int
add_term(Calibration *c, int j, double psi, double scale)
{
	int			n = 0;

	for (int t = c->n - 1; t >= 0; t--)
	{
		c->sum[t] = t >= j ? c->sum[t] + psi * c->one_step[t - j] : NAN;
		if (!isnan(c->sum[t]))
			c->sizes[n++] = fabs(c->sum[t]) * scale;
	}
	return n;
}

/*
 * The variance of a step's errors inside the series, over what df/n of one step leads to expect.
 * To the first order, what is estimated takes as much from the errors of h steps as its error
 * adds to those of forecasts: a drift, which leaves residuals that sum to zero, a mean and the
 * coefficients.  The bias of these, which is counted, is no reason for more, as the errors inside
 * are what they are; but near the circle the first order falls short of what is taken, and half of
 * the bias makes up for that (in simulation: test_coverage.c).
 */
static double
inside(const AoModel *model, AoAhead ahead)
{
	double		more = ahead.coefs + (model->constant == AO_CONSTANT_NONE ? 0 : ahead.spread - 1);

	return fmax(0.5, 1 - more / model->df) * sqrt(ahead.bias);
}

/* Up to so many rows: *filled says for how many steps there are enough errors. */
static AoStatus
fill_rows(Calibration *c, int steps, double *rows, int *filled, AoEnv *env)
{
	memset(c->sum, 0, (size_t) c->n * sizeof(double));
	for (*filled = 0; *filled < steps; ++*filled)
	{
		double		variance = c->impulses.own.squares;
		AoAhead		ahead = ao_impulses_ahead(&c->impulses, variance);
		int			n;

		AO_TRY(ao_poll(env));
		n = add_term(c, *filled, c->impulses.own.psi,
					 sqrt(ao_interval_inflation(c->model, ahead) / (inside(c->model, ahead) * variance * c->model->sigma2)));
		if (n < LEAST_ERRORS)
			return AO_OK;
		sort(c->sizes, n);
		fill_row(c, n, rows + *filled * AO_CALIBRATION_LEVELS);
		ao_impulses_next(&c->impulses);
	}
	return AO_OK;
}

/* The model with its calibration in place of itself. */
static AoStatus
put_rows(AoModel **model, int filled, const double *rows, AoEnv *env)
{
	AoModel    *old = *model,
			   *calibrated;
	AoSpec		spec;
	size_t		tail = ao_model_data_len(old) - ao_model_estimate_len(old);

	ao_model_spec(old, &spec);
	AO_TRY(ao_model_alloc(&spec, old->n_xreg, filled, old->has_state_cov, env, &calibrated));
	memcpy(calibrated, old, offsetof(AoModel, data));
	calibrated->n_calibrated = (uint16_t) filled;
	memcpy(calibrated->data, old->data, ao_model_estimate_len(old) * sizeof(double));
	memcpy(ao_model_calibration(calibrated), rows,
		   (size_t) filled * AO_CALIBRATION_LEVELS * sizeof(double));
	memcpy(ao_model_state(calibrated), ao_model_state(old), tail * sizeof(double));
	env->free(env->arg, old);
	*model = calibrated;
	return AO_OK;
}

/* The rows, and the model with them. */
static AoStatus
run(AoModel **model, double *one_step, int64_t n, AoArena *arena, AoEnv *env)
{
	double		rows[AO_CALIBRATION_STEPS * AO_CALIBRATION_LEVELS];
	Calibration c = {.model = *model, .n = n < MOST_ERRORS ? (int) n : MOST_ERRORS};
	AoSpec		spec;
	int			filled;

	c.one_step = one_step + (n - c.n);
	ao_model_spec(*model, &spec);
	ao_state_init(&c.st, &spec, ao_model_coef(*model), false, arena);
	c.sum = ao_arena_take(arena, (size_t) c.n, sizeof(double));
	c.sizes = ao_arena_take(arena, (size_t) c.n, sizeof(double));
	ao_impulses_init(&c.impulses, *model, &spec, AO_CALIBRATION_STEPS, &c.st, arena);
	AO_TRY(fill_rows(&c, count_steps(&c), rows, &filled, env));
	return filled > 0 ? put_rows(model, filled, rows, env) : AO_OK;
}

/* See internal.h. */
AoStatus
ao_calibrate(AoModel **model, const double *y, int64_t n, const double *xreg, int k, AoEnv *env)
{
	AoSpec		spec;
	AoArena		arena;
	AoStatus	status;
	double	   *one_step;
	size_t		count = (size_t) (n < MOST_ERRORS ? n : MOST_ERRORS);

	ao_model_spec(*model, &spec);
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) n, sizeof(double)) + 2 * ao_arena_round(count, sizeof(double)) + ao_state_bytes(&spec, false) + ao_impulses_bytes(*model, &spec, AO_CALIBRATION_STEPS), env));
	one_step = ao_arena_take(&arena, (size_t) n, sizeof(double));
	status = ao_one_step_errors(*model, y, n, xreg, k, env, one_step, NULL);
	if (status == AO_OK)
		status = run(model, one_step, n, &arena, env);
	ao_arena_close(&arena, env);
	return status;
}

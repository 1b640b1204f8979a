/*
 * objective.c
 *		What the optimiser minimises: minus the log-likelihood with the
 *		innovations variance and the regression coefficients concentrated out,
 *		for many coefficient vectors at a time.
 *
 * f = n/2 ln(S/n) + 1/2 sum ln F, S the generalised least squares residual sum
 * of squares of the scaled series.
 */
#define _POSIX_C_SOURCE 200809L /* for clock_gettime */

#include "gap_columns.h"
#include "state.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* A regressor that the filter turns into one of the others. */
#define SINGULAR 1e-18

static const int vecs[3] = {1, 2, 4};

/* See internal.h. */
double
ao_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

/* See internal.h. */
bool
ao_out_of_time(double deadline)
{
	return deadline > 0 && ao_clock() >= deadline;
}

size_t
ao_objective_bytes(const AoShape *shape, int n_cols, int64_t n, int64_t n_missing)
{
	size_t		bytes = 2 * ao_arena_round((size_t) shape->k, sizeof(double)) +
		ao_arena_round((size_t) (n_cols * (n_cols + 1)), sizeof(double));

	if (n_missing > 0)
	{
		bytes += ao_kalman_bytes(shape, n_cols);
		if (ao_gap_columns_serve(shape, n, n_missing))
			bytes += ao_gap_columns_bytes(shape, n_cols - 1, n_missing);
	}
	else
		bytes += ao_presample_bytes(shape, n_cols) +
			ao_arena_round((size_t) (AO_LANES * n_cols * (n_cols + 1) / 2), sizeof(double));
	for (int i = 0; i < 3; i++)
		bytes += ao_pass_bytes(shape, vecs[i], n_cols);
	return bytes;
}

void
ao_objective_init(AoObjective *obj, const AoShape *shape, const AoDesign *design,
				  AoEnv *env, AoArena *arena)
{
	int			nc = design->n_beta + 1;

	memset(obj, 0, sizeof *obj);
	obj->shape = shape;
	obj->design = design;
	obj->env = env;
	obj->coef = ao_arena_take(arena, (size_t) shape->k, sizeof(double));
	obj->white = ao_arena_take(arena, (size_t) shape->k, sizeof(double));
	obj->chol = ao_arena_take(arena, (size_t) (nc * (nc + 1)), sizeof(double));
	if (design->missing)
	{
		ao_kalman_init(&obj->kalman, shape, nc, arena, env);
		if (ao_gap_columns_serve(shape, design->n, design->n_missing))
			obj->columns = ao_gap_columns_make(shape, design, arena, env);
	}
	else
	{
		ao_presample_init(&obj->presample, shape, nc, arena);
		obj->rescued = ao_arena_take(arena, (size_t) (AO_LANES * nc * (nc + 1) / 2),
									 sizeof(double));
	}
	for (int i = 0; i < 3; i++)
	{
		ao_pass_init(&obj->pass[i], shape, vecs[i], nc, arena);
		obj->pass[i].w = design->missing ? design->filled : design->z;
		obj->pass[i].n = design->missing ? design->filled_rows : design->rows;
		obj->pass[i].skip = design->skip;
	}
}

int64_t
ao_objective_terms(const AoObjective *obj)
{
	if (!obj->conditional)
		return obj->design->n_used;
	return obj->design->skip ? obj->design->conditional_terms : obj->pass[0].n - obj->shape->ar;
}

/*
 * Cholesky factor of the cross products, the series last: its pivot is the
 * minimal sum of squares.  gamma (NULL: not wanted) are the coefficients.
 * NaN where the regressors are collinear after filtering.
 */
double
ao_concentrate(const double *cross, int nb, double *work, double *gamma)
{
	int			nc = nb + 1;

	for (int i = 0; i < nc; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = cross[i * (i + 1) / 2 + j];

			for (int l = 0; l < j; l++)
				sum -= work[i * nc + l] * work[j * nc + l];
			if (j < i)
				work[i * nc + j] = sum / work[j * nc + j];
			else if (i == nb)
				work[i * nc + i] = sum;
			else if (!(sum > SINGULAR * cross[i * (i + 1) / 2 + i]))
				return NAN;
			else
				work[i * nc + i] = sqrt(sum);
		}
	if (gamma)
		for (int i = nb - 1; i >= 0; i--)
		{
			double		sum = work[nb * nc + i];

			for (int l = i + 1; l < nb; l++)
				sum -= work[l * nc + i] * gamma[l];
			gamma[i] = sum / work[i * nc + i];
		}
	return work[nb * nc + nb];
}

/* f from one lane's cross products and sum of ln F. */
static double
value(AoObjective *obj, const double *cross, double log_f)
{
	double		n = (double) obj->design->n_used,
				S = ao_concentrate(cross, obj->design->n_beta, obj->chol, NULL),
				terms = (double) ao_objective_terms(obj),
				f;

	if (isnan(S))
		return HUGE_VAL;
	/* an exactly explained series has no likelihood; keep it finite */
	f = 0.5 * n * log(fmax(S / terms, AO_LEAST_VARIANCE)) + 0.5 * log_f;
	return isfinite(f) ? f : HUGE_VAL;
}

/* Results of lane `lane` out of vector arrays with nv vectors an element. */
static void
collect(AoObjective *obj, const AoVec *cross, const AoVec *log_f, int nv, int lane,
		double *f, double *cross_out, double *log_f_out)
{
	int			nc = obj->design->n_beta + 1,
				size = nc * (nc + 1) / 2;
	double		one[(AO_MAX_XREG + 3) * (AO_MAX_XREG + 4) / 2];

	for (int i = 0; i < size; i++)
		one[i] = cross[i * nv + lane / AO_LANES][lane % AO_LANES];
	*f = value(obj, one, log_f[lane / AO_LANES][lane % AO_LANES]);
	if (cross_out)
		memcpy(cross_out, one, (size_t) size * sizeof(double));
	if (log_f_out)
		*log_f_out = log_f[lane / AO_LANES][lane % AO_LANES];
}

/* Are the digits of a rescued point's sum of squares left after the regression, too? */
static bool
has_digits(AoObjective *obj, const double *cross, int lane)
{
	double		gamma[AO_MAX_XREG + 2],
				S = ao_concentrate(cross, obj->design->n_beta, obj->chol, gamma);

	return !isnan(S) && ao_presample_digits(&obj->presample, lane, gamma, S);
}

/* Values again of the points whose pass lost its digits, out of presample.c, at most
 * AO_LANES at a time: `which` of the batch. */
static AoStatus
rescue(AoObjective *obj, const double *coef, const int *which, int n, double *f,
	   double *cross, double *log_f)
{
	AoPresample *pre = &obj->presample;
	const AoDesign *design = obj->design;
	int			nc = design->n_beta + 1,
				size = nc * (nc + 1) / 2;
	double		lf[AO_LANES];

	for (int lane = 0; lane < AO_LANES; lane++)
		ao_expand(obj->shape, coef + which[lane < n ? lane : 0] * obj->shape->k,
				  (double *) pre->phi + lane, (double *) pre->theta + lane, AO_LANES);
	AO_TRY(ao_presample_run(pre, design->z, design->rows, n, obj->rescued, lf, obj->env));
	for (int lane = 0; lane < n; lane++)
	{
		f[which[lane]] = has_digits(obj, obj->rescued + lane * size, lane) ?
			value(obj, obj->rescued + lane * size, lf[lane]) : HUGE_VAL;
		if (cross)
			memcpy(cross + which[lane] * size, obj->rescued + lane * size,
				   (size_t) size * sizeof(double));
		if (log_f)
			log_f[which[lane]] = lf[lane];
	}
	return AO_OK;
}

/* All points of a batch that need it. */
static AoStatus
rescue_lost(AoObjective *obj, const AoPass *ps, const double *coef, int n_points, double *f,
			double *cross, double *log_f)
{
	int			which[AO_LANES],
				n = 0;

	if (!ao_presample_serves(obj->shape))
		return AO_OK;
	for (int lane = 0; lane < n_points; lane++)
	{
		if (isnan(ps->log_f[lane / AO_LANES][lane % AO_LANES]))
			which[n++] = lane;
		if (n == AO_LANES || (n > 0 && lane == n_points - 1))
		{
			AO_TRY(rescue(obj, coef, which, n, f, cross, log_f));
			n = 0;
		}
	}
	return AO_OK;
}

/* The coefficients of a pass's lanes; spare ones repeat the last point. */
static void
expand_points(const AoShape *sh, const double *coef, int n_points, int lanes, AoVec *phi, AoVec *theta)
{
	for (int lane = 0; lane < lanes; lane++)
		ao_expand(sh, coef + (lane < n_points ? lane : n_points - 1) * sh->k,
				  (double *) phi + lane, (double *) theta + lane, lanes);
}

/* Values of a batch with gaps, by the filter. */
static AoStatus
evaluate_filter(AoObjective *obj, const double *coef, int n_points)
{
	const AoShape *sh = obj->shape;
	AoKalman   *kf = &obj->kalman;

	expand_points(sh, coef, n_points, AO_LANES, kf->phi, kf->theta);
	AO_TRY(ao_kalman_start(kf));
	AO_TRY(ao_kalman_pass(kf, obj->design->z, obj->design->rows));
	return kf->n_diffuse < sh->diff ? ao_filter_too_few(sh, kf->n_diffuse, obj->env) : AO_OK;
}

/* The same by columns, what has no digits by that by the filter. */
static AoStatus
evaluate_columns(AoObjective *obj, const double *coef, int n_points)
{
	AoGapColumns *gc = obj->columns;
	int			nc = obj->design->n_beta + 1;
	bool		lost = false;

	expand_points(obj->shape, coef, n_points, AO_LANES, gc->phi, gc->theta);
	gc->precise = obj->precise;
	AO_TRY(ao_gap_columns_pass(gc));
	for (int lane = 0; lane < n_points; lane++)
		lost = lost || isnan(gc->log_f[0][lane]);
	if (!lost)
		return AO_OK;
	AO_TRY(evaluate_filter(obj, coef, n_points));
	for (int lane = 0; lane < n_points; lane++)
		if (isnan(gc->log_f[0][lane]))
		{
			gc->log_f[0][lane] = obj->kalman.log_f[0][lane];
			for (int i = 0; i < nc * (nc + 1) / 2; i++)
				gc->cross[i][lane] = obj->kalman.cross[i][lane];
		}
	return AO_OK;
}

/* Values of up to AO_LANES points with gaps. */
static AoStatus
evaluate_gaps(AoObjective *obj, const double *coef, int n_points, double *f, double *cross, double *log_f)
{
	int			nc = obj->design->n_beta + 1;

	AO_TRY(obj->columns ? evaluate_columns(obj, coef, n_points) : evaluate_filter(obj, coef, n_points));
	for (int lane = 0; lane < n_points; lane++)
		collect(obj, obj->columns ? obj->columns->cross : obj->kalman.cross,
				obj->columns ? obj->columns->log_f : obj->kalman.log_f, 1, lane, &f[lane],
				cross ? cross + lane * (nc * (nc + 1) / 2) : NULL, log_f ? log_f + lane : NULL);
	return AO_OK;
}

/* One pass for up to a pass's width of points. */
static AoStatus
evaluate_batch(AoObjective *obj, const double *coef, int n_points,
			   double *f, double *cross, double *log_f)
{
	AoPass	   *ps = &obj->pass[n_points > 8 ? 2 : n_points > 4 ? 1 : 0];
	int			nc = obj->design->n_beta + 1;

	ps->precise = obj->precise;
	expand_points(obj->shape, coef, n_points, ps->n_vecs * AO_LANES, ps->phi, ps->theta);
	if (obj->conditional)
		AO_TRY(ao_pass_conditional(ps, obj->env));
	else
		AO_TRY(ao_pass_exact(ps, obj->env));
	for (int lane = 0; lane < n_points; lane++)
		collect(obj, ps->cross, ps->log_f, ps->n_vecs, lane, &f[lane],
				cross ? cross + lane * (nc * (nc + 1) / 2) : NULL, log_f ? log_f + lane : NULL);
	return obj->conditional || obj->filled ? AO_OK : rescue_lost(obj, ps, coef, n_points, f, cross, log_f);
}

/* See internal.h. */
AoStatus
ao_objective(AoObjective *obj, const double *coef, int n_points,
			 double *f, double *cross, double *log_f)
{
	bool		gaps = obj->design->missing && !obj->conditional && !obj->filled;
	int			width = gaps ? AO_LANES : AO_MAX_POINTS,
				nc = obj->design->n_beta + 1;

	obj->evaluations += n_points;
	for (int done = 0; done < n_points; done += width)
	{
		int			batch = n_points - done < width ? n_points - done : width;
		double	   *to = cross ? cross + done * (nc * (nc + 1) / 2) : NULL;

		AO_TRY((gaps ? evaluate_gaps : evaluate_batch) (obj, coef + done * obj->shape->k, batch, f + done, to,
													   log_f ? log_f + done : NULL));
	}
	return AO_OK;
}

/* The same at unbounded parameters; u is overwritten by the coefficients. */
AoStatus
ao_objective_free(AoObjective *obj, double *u, int n_points, double *f)
{
	int			k = obj->shape->k;
	AoPace		pace = {obj->env, 0};

	for (int i = 0; i < n_points; i++)
	{
		ao_natural_from_free(obj->shape, u + i * k, obj->coef);
		memcpy(u + i * k, obj->coef, (size_t) k * sizeof(double));
		AO_TRY(ao_pace(&pace, k * k / 4));
	}
	return ao_objective(obj, u, n_points, f, NULL, NULL);
}

/*
 * track.c
 *		Following the optimum while values are added; see track.h.
 */
#include "track.h"

#include <math.h>
#include <string.h>

#include "model_internal.h"

#define STEP 1e-3				/* between the points */
#define NARROWEST 1e-4			/* bounds of AoTrack.limit, and what it starts at */
#define WIDEST 0.05
#define START 1e-3
#define LOSS 1e-6				/* log-likelihood that the estimates may miss */
#define FLAT 1e-3				/* curvature that is none */
#define MOST_PLACES 6			/* new sets of points for one estimate */

static const int vecs[3] = {1, 2, 4};

/* See track.h. */
bool
ao_track_serves(const AoModel *model)
{
	return model->method == AO_ML && !(model->remarks & AO_REMARK_DEGENERATE) &&
		model->interval != AO_INTERVAL_CONFORMAL &&
		model->p + model->q + model->P + model->Q <= AO_TRACK_MAX_K;
}

/* Points of the second differences in k parameters. */
static int
count_points(int k)
{
	return 1 + 2 * k + k * (k - 1) / 2;
}

/* Vectors of pass i. */
static int
pass_width(int n_points, int i)
{
	int			left = n_points - i * AO_MAX_POINTS;

	return left > 8 ? 4 : left > 4 ? 2 : 1;
}

/* Workspace of a track, for n values of a shape with n_beta regression coefficients of
 * which `now` are there at the opening. */
static size_t
track_bytes(const AoSpec *spec, int64_t now, int64_t n, int n_beta)
{
	AoShape		sh = {.spec = *spec, .ar = spec->p + spec->m * spec->P,
		.ma = spec->q + spec->m * spec->Q, .diff = spec->d + spec->m * spec->D,
	.k = spec->p + spec->q + spec->P + spec->Q};
	size_t		k,
				nc = (size_t) n_beta + 1;
	int			points = count_points(sh.k);
	size_t		bytes;

	sh.r = sh.ar > sh.ma ? sh.ar : sh.ma;
	k = (size_t) sh.k;
	bytes = ao_shape_bytes(spec) + ao_design_bytes(now, n_beta, false) +
		ao_arena_round((size_t) n, nc * sizeof(double)) +
		3 * ao_arena_round(k, sizeof(double)) + ao_arena_round(k * k, sizeof(double)) +
		ao_arena_round((size_t) points, sizeof(double)) +
		ao_arena_round((size_t) sh.r * (size_t) sh.r, sizeof(double)) +
		ao_arena_round(nc * (nc + 1) / 2, sizeof(double)) +
		ao_arena_round(nc * nc, sizeof(double)) +
		ao_arena_round(AO_MAX_POINTS * nc, sizeof(double));
	for (int i = 0; i * AO_MAX_POINTS < points; i++)
		bytes += ao_pass_bytes(&sh, pass_width(points, i), n_beta + 1);
	for (int i = 0; i < 3; i++)
		bytes += ao_pass_bytes(&sh, vecs[i], n_beta + 1);
	return bytes;
}

/* Row `at` of the levels: regressors, value. */
static void
level_row(const AoTrack *tr, int64_t at, double *row)
{
	row = ao_spec_row(&tr->shape.spec, at + 1, row);
	for (int j = 0; j < tr->k_xreg; j++)
		*row++ = tr->xreg[at * tr->k_xreg + j];
	*row = tr->fit.has_lambda ? ao_box_cox(tr->y[at], tr->fit.lambda) : tr->y[at];
}

/* A differenced row in the coordinates that the design has chosen. */
static void
project_row(const AoDesign *de, double *row)
{
	int			nb = de->n_beta;

	for (int j = 0; j < nb; j++)
	{
		for (int i = 0; i < j; i++)
			row[j] -= de->R[i * nb + j] * row[i];
		row[j] /= de->R[j * nb + j];
		row[nb] -= de->b0[j] * row[j];
	}
	row[nb] /= de->scale;
}

/* The rows of the design, then those of the values to come in the same coordinates. */
static AoStatus
make_rows(AoTrack *tr)
{
	const AoDesign *de = &tr->design;
	int			nc = de->n_beta + 1;
	int64_t		n = tr->end - de->lead,
				rows = n;

	for (int64_t t = 0; t < n; t++)
	{
		level_row(tr, de->lead + t, tr->z + t * nc);
		if (t % AO_BLOCK == 0)
			AO_TRY(ao_poll(tr->env));
	}
	AO_TRY(ao_difference(&tr->shape.spec, tr->z, &rows, nc, tr->env));
	memcpy(tr->z, de->z, (size_t) (de->rows * nc) * sizeof(double));
	for (int64_t t = de->rows; t < rows; t++)
		project_row(de, tr->z + t * nc);
	return AO_OK;
}

/* The passes and vectors. */
static void
take_workspace(AoTrack *tr)
{
	size_t		k = (size_t) tr->shape.k,
				nc = (size_t) tr->design.n_beta + 1;

	tr->centre = ao_arena_take(&tr->arena, k, sizeof(double));
	tr->step = ao_arena_take(&tr->arena, k, sizeof(double));
	tr->gradient = ao_arena_take(&tr->arena, k, sizeof(double));
	tr->hessian = ao_arena_take(&tr->arena, k * k, sizeof(double));
	tr->n_points = count_points(tr->shape.k);
	tr->values = ao_arena_take(&tr->arena, (size_t) tr->n_points, sizeof(double));
	tr->state_cov = ao_arena_take(&tr->arena, (size_t) tr->shape.r * (size_t) tr->shape.r,
								  sizeof(double));
	tr->cross = ao_arena_take(&tr->arena, nc * (nc + 1) / 2, sizeof(double));
	tr->chol = ao_arena_take(&tr->arena, nc * nc, sizeof(double));
	tr->gamma = ao_arena_take(&tr->arena, AO_MAX_POINTS * nc, sizeof(double));
	for (; tr->n_passes * AO_MAX_POINTS < tr->n_points; tr->n_passes++)
		ao_pass_init(&tr->points[tr->n_passes], &tr->shape,
					 pass_width(tr->n_points, tr->n_passes), (int) nc, &tr->arena);
	for (int i = 0; i < 3; i++)
		ao_pass_init(&tr->filters[i], &tr->shape, vecs[i], (int) nc, &tr->arena);
}

/* Workspace, design, rows. */
static AoStatus
set_up(AoTrack *tr, const AoModel *model, int64_t n)
{
	AoSpec		spec;
	size_t		dim = (size_t) model->n_coef;
	int			n_beta;

	ao_model_spec(model, &spec);
	n_beta = model->n_coef - spec.p - spec.q - spec.P - spec.Q;
	AO_TRY(ao_arena_open(&tr->arena, track_bytes(&spec, n, tr->end, n_beta), tr->env));
	ao_shape_init(&tr->shape, &spec, &tr->arena);
	AO_TRY(ao_design_make(&tr->design, &tr->shape, tr->y, n, tr->xreg, tr->k_xreg, &tr->fit,
						  &tr->arena, tr->env));
	tr->z = ao_arena_take(&tr->arena, (size_t) tr->end, ((size_t) n_beta + 1) * sizeof(double));
	AO_TRY(make_rows(tr));
	take_workspace(tr);
	AO_TRY(ao_model_alloc(&spec, tr->k_xreg, 0, true, tr->env, &tr->model));
	memcpy(tr->model, model, offsetof(AoModel, data));
	for (size_t i = 0; i < dim * (dim + 1) / 2; i++)
		ao_model_cov(tr->model)[i] = NAN;
	ao_track_place(tr, ao_model_coef(model));
	return AO_OK;
}

/* See track.h. */
AoStatus
ao_track_open(AoTrack *tr, const AoModel *model, const double *y, int64_t n, int64_t end,
			  const double *xreg, bool want_cov, AoEnv *env)
{
	AoStatus	status;

	memset(tr, 0, sizeof *tr);
	tr->env = env;
	tr->y = y;
	tr->xreg = xreg;
	tr->k_xreg = model->n_xreg;
	tr->end = end;
	tr->fit.has_lambda = model->has_lambda;
	tr->fit.lambda = model->lambda;
	tr->limit = START;
	status = set_up(tr, model, n);
	tr->want_cov = want_cov && tr->shape.r > 1;
	if (status != AO_OK)
		ao_track_close(tr);
	return status;
}

/* Gives everything back. */
void
ao_track_close(AoTrack *tr)
{
	if (tr->model)
		tr->env->free(tr->env->arg, tr->model);
	if (tr->arena.block)
		ao_arena_close(&tr->arena, tr->env);
	memset(tr, 0, sizeof *tr);
}

/* See track.h. */
void
ao_track_place(AoTrack *tr, const double *coef)
{
	ao_free_from_natural(&tr->shape, coef, tr->centre);
	tr->placed = false;
}

/* Rows of the design that n values make. */
static int64_t
rows_of(const AoTrack *tr, int64_t n)
{
	return n - tr->design.lead - tr->shape.diff;
}

/* A set of parameters into a lane of a pass. */
static void
load_lane(const AoTrack *tr, AoPass *ps, int lane, const double *coef)
{
	ao_expand(&tr->shape, coef, (double *) ps->phi + lane, (double *) ps->theta + lane,
			  ps->n_vecs * AO_LANES);
}

/* Starts a pass from the first row. */
static AoStatus
run_pass(const AoTrack *tr, AoPass *ps, int64_t rows)
{
	ps->w = tr->z;
	ps->n = rows;
	ps->want_state = true;
	return ao_pass_exact(ps, tr->env);
}

/* Cross products of a lane. */
static void
lane_cross(const AoPass *ps, int lane, double *cross)
{
	int			nc = ps->n_cols;

	for (int i = 0; i < nc * (nc + 1) / 2; i++)
		cross[i] = ps->cross[i * ps->n_vecs + lane / AO_LANES][lane % AO_LANES];
}

/* Point i: the centre, steps along each axis, steps along two at once. */
static void
point(const AoTrack *tr, int i, double *u)
{
	int			k = tr->shape.k;

	memcpy(u, tr->centre, (size_t) k * sizeof(double));
	if (i == 0)
		return;
	if (i <= 2 * k)
	{
		u[(i - 1) / 2] += i % 2 ? STEP : -STEP;
		return;
	}
	i -= 2 * k + 1;
	for (int a = 1; a < k; a++)
		for (int b = 0; b < a; b++)
			if (i-- == 0)
			{
				u[a] += STEP;
				u[b] += STEP;
			}
}

/* All points around the centre, over the first rows. */
static AoStatus
place_points(AoTrack *tr, int64_t rows)
{
	double		u[AO_TRACK_MAX_K],
				coef[AO_TRACK_MAX_K];

	for (int i = 0; i < tr->n_passes; i++)
	{
		AoPass	   *ps = &tr->points[i];

		for (int lane = 0; lane < ps->n_vecs * AO_LANES; lane++)
		{
			int			at = i * AO_MAX_POINTS + lane;

			point(tr, at < tr->n_points ? at : 0, u);
			ao_natural_from_free(&tr->shape, u, coef);
			load_lane(tr, ps, lane, coef);
		}
		AO_TRY(run_pass(tr, ps, rows));
	}
	tr->placed = true;
	return AO_OK;
}

/* Their values: minus the log-likelihood up to a constant.  False if one has none. */
static bool
read_values(AoTrack *tr, int64_t rows)
{
	for (int i = 0; i < tr->n_points; i++)
	{
		const AoPass *ps = &tr->points[i / AO_MAX_POINTS];
		int			lane = i % AO_MAX_POINTS;

		lane_cross(ps, lane, tr->cross);
		tr->values[i] = 0.5 * (double) rows *
			log(ao_concentrate(tr->cross, tr->design.n_beta, tr->chol, NULL)) +
			0.5 * ps->log_f[lane / AO_LANES][lane % AO_LANES];
		if (!isfinite(tr->values[i]))
			return false;
	}
	return true;
}

/* Gradient and Hessian, of which the lower triangle is kept. */
static void
differences(AoTrack *tr)
{
	int			k = tr->shape.k;
	const double *f = tr->values,
			   *mixed = f + 2 * k + 1;

	for (int a = 0; a < k; a++)
	{
		tr->gradient[a] = (f[1 + 2 * a] - f[2 + 2 * a]) / (2 * STEP);
		tr->hessian[a * k + a] = (f[1 + 2 * a] - 2 * f[0] + f[2 + 2 * a]) / (STEP * STEP);
		for (int b = 0; b < a; b++)
			tr->hessian[a * k + b] = (*mixed++ - f[1 + 2 * a] - f[1 + 2 * b] + f[0]) / (STEP * STEP);
	}
}

/* The step to the minimum of the quadratic, and its gain; NaN where it has none.  The
 * Hessian becomes its Cholesky factor. */
static double
newton(AoTrack *tr)
{
	int			k = tr->shape.k;
	double	   *H = tr->hessian,
				gain = 0;

	for (int i = 0; i < k; i++)
	{
		double		sum = -tr->gradient[i];

		for (int j = 0; j <= i; j++)
		{
			for (int l = 0; l < j; l++)
				H[i * k + j] -= H[i * k + l] * H[j * k + l];
			if (j < i)
			{
				H[i * k + j] /= H[j * k + j];
				sum -= H[i * k + j] * tr->step[j];
			}
		}
		if (!(H[i * k + i] > FLAT))
			return NAN;
		H[i * k + i] = sqrt(H[i * k + i]);
		tr->step[i] = sum / H[i * k + i];
		gain += 0.5 * tr->step[i] * tr->step[i];
	}
	for (int i = k - 1; i >= 0; i--)
	{
		for (int l = i + 1; l < k; l++)
			tr->step[i] -= H[l * k + i] * tr->step[l];
		tr->step[i] /= H[i * k + i];
	}
	return gain;
}

/* The centre moved by the step into u; false at the limits, where Newton's rule is not
 * the one. */
static bool
stepped(const AoTrack *tr, double *u)
{
	for (int i = 0; i < tr->shape.k; i++)
	{
		u[i] = tr->centre[i] + tr->step[i];
		if (!(fabs(u[i]) < ao_free_edge(&tr->shape, i)) || !(fabs(tr->step[i]) < 1))
			return false;
	}
	return true;
}

/*
 * A set that was `gain` away from the optimum has put its successor `left` away.  What is
 * left grows with the square of the gain; the limit is where it comes to LOSS.
 */
static void
adapt_limit(AoTrack *tr, double gain, double left)
{
	double		limit = gain * sqrt(LOSS / fmax(left, 1e-12));

	tr->limit = fmin(fmax(limit, NARROWEST), WIDEST);
}

/* See track.h. */
AoStatus
ao_track_optimum(AoTrack *tr, int64_t n, double *coef, bool *found)
{
	int64_t		rows = rows_of(tr, n);
	double		u[AO_TRACK_MAX_K],
				before = NAN,
				f = HUGE_VAL;

	*found = tr->shape.k == 0;
	for (int i = 0; i < tr->n_passes && tr->placed; i++)
		AO_TRY(ao_pass_more(&tr->points[i], rows, tr->env));
	for (int place = 0; place < MOST_PLACES && !*found; place++)
	{
		double		gain;

		if (!tr->placed)
			AO_TRY(place_points(tr, rows));
		if (!read_values(tr, rows) || tr->values[0] > f + LOSS)
			break;
		f = tr->values[0];
		differences(tr);
		gain = newton(tr);
		if (isnan(gain) || !stepped(tr, u))
			break;
		if (before > 0)
			adapt_limit(tr, before, gain);
		*found = gain <= tr->limit;
		if (*found)
			ao_natural_from_free(&tr->shape, u, coef);
		else
		{
			memcpy(tr->centre, u, (size_t) tr->shape.k * sizeof(double));
			tr->placed = false;
			before = gain;
		}
	}
	return AO_OK;
}

/* See track.h. */
AoStatus
ao_track_filters(AoTrack *tr, const double *coef, int count, int64_t n, int *served)
{
	AoPass	   *ps;

	if (tr->one_by_one)
		count = 1;
	ps = tr->filter = &tr->filters[count > 8 ? 2 : count > 4 ? 1 : 0];
	for (int lane = 0; lane < ps->n_vecs * AO_LANES; lane++)
		load_lane(tr, ps, lane, coef + (lane < count ? lane : 0) * tr->shape.k);
	ps->state_cov = tr->one_by_one ? tr->state_cov : NULL;
	AO_TRY(run_pass(tr, ps, rows_of(tr, n)));
	*served = count;
	if (tr->want_cov && !tr->one_by_one && !ps->steady)
	{
		tr->one_by_one = true;
		return ao_track_filters(tr, coef, 1, n, served);
	}
	for (int lane = 0; lane < count; lane++)
		if (isnan(ps->log_f[lane / AO_LANES][lane % AO_LANES]))
			*served = 0;
	return AO_OK;
}

/* See track.h. */
AoStatus
ao_track_advance(AoTrack *tr, int64_t n)
{
	return ao_pass_more(tr->filter, rows_of(tr, n), tr->env);
}

/* See track.h. */
AoStatus
ao_track_solve(AoTrack *tr, int i, const double *coef)
{
	AoModel    *model = tr->model;
	int			k = tr->shape.k,
				nb = tr->design.n_beta;
	double		S;

	lane_cross(tr->filter, i, tr->cross);
	S = ao_concentrate(tr->cross, nb, tr->chol, tr->gamma + i * nb);
	if (!isfinite(S))
		return ao_fail(tr->env, AO_COLLINEAR, NULL, 0, 0);
	model->sigma2 = fmax(S / (double) tr->filter->n, 1e-28) * tr->design.scale * tr->design.scale;
	model->df = ao_model_degrees(tr->filter->n, model->n_coef);
	model->estimated_to = tr->filter->n + tr->shape.diff + tr->design.lead;
	memcpy(ao_model_coef(model), coef, (size_t) k * sizeof(double));
	ao_design_beta(&tr->design, tr->gamma + i * nb, ao_model_coef(model) + k);
	return AO_OK;
}

/* Covariance of the state: of one step ahead it is all that F says. */
static void
put_covariance(AoTrack *tr, int i)
{
	const AoPass *ps = tr->filter;
	int			r = tr->shape.r,
				s = r + tr->shape.diff;
	double	   *cov = ao_model_state_cov(tr->model);

	tr->model->has_state_cov = !ps->steady;
	if (ps->steady)
		return;
	memset(cov, 0, (size_t) s * ((size_t) s + 1) / 2 * sizeof(double));
	if (!tr->one_by_one)
		cov[0] = fmax(ps->F[i / AO_LANES][i % AO_LANES] - 1, 0);
	else
		for (int a = 0; a < r; a++)
			for (int b = 0; b <= a; b++)
				*cov++ = a == b ? fmax(tr->state_cov[a * r + b], 0) : tr->state_cov[a * r + b];
}

/* See track.h. */
void
ao_track_state(AoTrack *tr, int i)
{
	const AoPass *ps = tr->filter;
	AoModel    *model = tr->model;
	int			r = tr->shape.r,
				nb = tr->design.n_beta,
				nv = ps->n_vecs;
	double	   *a = ao_model_state(model);

	model->n = ps->n + tr->shape.diff + tr->design.lead;
	model->n_missing = tr->design.lead;
	model->n_used = ps->n;
	for (int j = 0; j < r; j++)
	{
		a[j] = ps->x[(nb * r + j) * nv + i / AO_LANES][i % AO_LANES];
		for (int c = 0; c < nb; c++)
			a[j] -= tr->gamma[i * nb + c] * ps->x[(c * r + j) * nv + i / AO_LANES][i % AO_LANES];
		a[j] *= tr->design.scale;
	}
	for (int j = 0; j < tr->shape.diff; j++)
	{
		int64_t		t = model->n - 1 - j;
		double		y = tr->fit.has_lambda ? ao_box_cox(tr->y[t], tr->fit.lambda) : tr->y[t];

		a[r + j] = y - ao_regression(&tr->shape.spec, ao_model_coef(model) + tr->shape.k, t + 1,
									 tr->xreg ? tr->xreg + t * tr->k_xreg : NULL, tr->k_xreg);
	}
	put_covariance(tr, i);
}

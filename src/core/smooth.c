/*
 * smooth.c
 *		Missing values filled by a model: their means given all known values.
 *
 * The fixed-interval smoother (Durbin & Koopman 2001, ch. 4) for the innovations form of
 * kalman.c.  With the gain K = T P z + G, innovation v and variance F of each step,
 * backwards from r = 0,
 *		y missing:	y = z'a + K'r,	r' = T'r;
 *		y known:	r' = T'r + z (v - K'r)/F.
 * Where a level is still diffuse it has no value.
 */
#include "state.h"

#include <math.h>
#include <string.h>

/* What the smoother keeps of the filter's steps. */
typedef struct Smoother
{
	AoState		st;
	AoKalman	kf;
	int64_t		n,
				first;			/* step from which on no level is diffuse */
	double	   *z,				/* [n] values, regression taken out, NaN where missing */
			   *v,				/* [n] innovations; forecasts where a value is missing */
			   *F,				/* [n] */
			   *K,				/* [n][s] */
			   *r;				/* [s] */
} Smoother;

static size_t
smoother_bytes(const AoSpec *spec, int64_t n)
{
	size_t		s = (size_t) ao_model_state_dim(spec);

	return 3 * ao_arena_round((size_t) n, sizeof(double)) + ao_arena_round((size_t) n * s, sizeof(double)) +
		ao_arena_round(s, sizeof(double)) + ao_state_bytes(spec, false) + ao_state_run_bytes(spec, true);
}

static void
smoother_init(Smoother *sm, const AoModel *model, const AoSpec *spec, int64_t n, AoArena *arena,
			  AoEnv *env)
{
	size_t		s;

	ao_state_init(&sm->st, spec, ao_model_coef(model), false, arena);
	ao_kalman_init(&sm->kf, &sm->st.shape, 1, arena, env);
	s = (size_t) sm->st.s;
	sm->n = n;
	sm->z = ao_arena_take(arena, (size_t) n, sizeof(double));
	sm->v = ao_arena_take(arena, (size_t) n, sizeof(double));
	sm->F = ao_arena_take(arena, (size_t) n, sizeof(double));
	sm->K = ao_arena_take(arena, (size_t) n * s, sizeof(double));
	sm->r = ao_arena_take(arena, s, sizeof(double));
}

/* From the first value to the last. */
static AoStatus
filter_forwards(Smoother *sm)
{
	AoState	   *st = &sm->st;
	AoKalman   *kf = &sm->kf;
	size_t		s = (size_t) st->s;

	ao_state_broadcast(st, kf->phi, kf->theta);
	AO_TRY(ao_kalman_start(kf));
	for (int64_t t = 0; t < sm->n; t++)
	{
		double		forecast;
		AoVec		v,
					F;
		bool		counted;

		if (kf->diffuse)
			sm->first = t + 1;
		for (size_t i = 0; i < s; i++)
			st->a[i] = kf->a[i][0];
		forecast = ao_state_observe(st, st->a);
		AO_TRY(ao_kalman_step(kf, sm->z + t, &v, &F, &counted));
		sm->v[t] = isnan(sm->z[t]) ? forecast : v[0];
		sm->F[t] = F[0];
		for (size_t i = 0; i < s; i++)
			sm->K[(size_t) t * s + i] = kf->K[i][0];
		AO_TRY(ao_pace(&kf->pace, kf->s));
	}
	return AO_OK;
}

/* r = T'r + z by */
static void
step_back(Smoother *sm, double known)
{
	const AoShape *sh = &sm->st.shape;
	double	   *r = sm->r,
			   *levels = r + sh->r,
				by = known + (sh->diff > 0 ? levels[0] : 0),
				first = by;

	for (int i = 0; i < sh->r; i++)
		first += sm->st.phi[i] * r[i];
	if (sh->r > 0)
	{
		memmove(r + 1, r, (size_t) (sh->r - 1) * sizeof(double));
		r[0] = first;
	}
	for (int i = 0; i < sh->diff; i++)
		levels[i] = (i + 1 < sh->diff ? levels[i + 1] : 0) + sh->delta[i] * by;
}

/* From the last value back to where the levels are diffuse; what is missing into z. */
static AoStatus
smooth_backwards(Smoother *sm)
{
	size_t		s = (size_t) sm->st.s;

	memset(sm->r, 0, s * sizeof(double));
	for (int64_t t = sm->n - 1; t >= sm->first; t--)
	{
		bool		missing = isnan(sm->z[t]);
		double		Kr = 0;

		for (size_t i = 0; i < s; i++)
			Kr += sm->K[(size_t) t * s + i] * sm->r[i];
		if (missing)
			sm->z[t] = sm->v[t] + Kr;
		step_back(sm, missing ? 0 : (sm->v[t] - Kr) / sm->F[t]);
		AO_TRY(ao_pace(&sm->kf.pace, sm->st.s));
	}
	return AO_OK;
}

/* The gaps of y from z, where there is something. */
static AoStatus
put_back(const Smoother *sm, const AoModel *model, const AoSpec *spec, const AoFitTask *part, int64_t lead,
		 double *filled)
{
	AoPace		pace = {sm->kf.pace.env, 0};

	for (int64_t t = 0; t < part->n; t++)
	{
		const double *row = part->xreg ? part->xreg + t * part->k : NULL;
		double		value = sm->z[t];

		AO_TRY(ao_pace(&pace, 1 + part->k));
		if (!isnan(part->y[t]))
			continue;
		value += ao_regression(spec, ao_model_beta(model), lead + t + 1, row, part->k);
		if (model->has_lambda)
			value = ao_box_cox_inverse(value, model->lambda);
		if (isfinite(value))
			filled[t] = value;
	}
	return AO_OK;
}

/* The steps of ao_fill_by_model. */
static AoStatus
fill_by_model(Smoother *sm, const AoModel *model, const AoSpec *spec, const AoFitTask *part, int64_t lead,
			  double *filled)
{
	for (int64_t t = 0; t < part->n; t++)
	{
		AO_TRY(ao_model_adjust(model, spec, part->y[t], lead + t + 1,
							   part->xreg ? part->xreg + t * part->k : NULL, sm->kf.pace.env, &sm->z[t]));
		AO_TRY(ao_pace(&sm->kf.pace, 1 + part->k));
	}
	AO_TRY(filter_forwards(sm));
	AO_TRY(smooth_backwards(sm));
	return put_back(sm, model, spec, part, lead, filled);
}

/* See internal.h. */
AoStatus
ao_fill_by_model(const AoModel *model, const AoFitTask *part, int64_t lead, AoEnv *env, double *filled)
{
	Smoother	sm = {.first = 0};
	AoSpec		spec;
	AoArena		arena;
	AoStatus	status;

	ao_model_spec(model, &spec);
	AO_TRY(ao_arena_open(&arena, smoother_bytes(&spec, part->n), env));
	smoother_init(&sm, model, &spec, part->n, &arena, env);
	status = fill_by_model(&sm, model, &spec, part, lead, filled);
	ao_arena_close(&arena, env);
	return status;
}

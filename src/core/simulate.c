/*
 * simulate.c
 *		Sample paths of the future of a model.
 */
#include "diagnostics.h"
#include "interval.h"
#include "state.h"

#include <math.h>
#include <string.h>

/* of a variance: what is left of it below this is rounding */
#define NOTHING_LEFT 1e-10

struct AoSimulation
{
	const AoModel *model;
	AoSpec		spec;
	int			h;
	const double *xreg;			/* [h][n_xreg] or NULL */
	uint64_t	seed;
	double		sigma;
	AoState		st;				/* st.P: lower triangle of the root of the state's covariance, or NULL */
	double	   *start;			/* [s] mean of the state at the end of the data */
	double	   *shock;			/* [s] work */
	AoArena		arena;
};

/*
 * P[s][s] = L L', L lower triangular in the place of P (Cholesky).  A state known
 * in some directions makes P singular: a column without variance left is zero.
 */
static AoStatus
covariance_root(double *P, int s, AoEnv *env)
{
	for (int j = 0; j < s; j++)
	{
		double	   *row = P + (size_t) j * s,
					whole = row[j],
					left = whole;

		for (int k = 0; k < j; k++)
			left -= row[k] * row[k];
		row[j] = left > NOTHING_LEFT * whole ? sqrt(left) : 0;
		for (int i = j + 1; i < s; i++)
		{
			double	   *other = P + (size_t) i * s,
						sum = other[j];

			for (int k = 0; k < j; k++)
				sum -= other[k] * row[k];
			other[j] = row[j] > 0 ? sum / row[j] : 0;
			if (i % 16 == 0)
				AO_TRY(ao_poll(env));
		}
	}
	return AO_OK;
}

/* Workspace of one simulation, itself included. */
static size_t
simulation_bytes(const AoSpec *spec, bool cov)
{
	size_t		s = (size_t) ao_model_state_dim(spec);

	return ao_arena_round(1, sizeof(AoSimulation)) + ao_state_bytes(spec, cov) +
		2 * ao_arena_round(s, sizeof(double));
}

/* The state at the end of the data into a simulation without one. */
static AoStatus
load_state(AoSimulation *sim, AoEnv *env)
{
	const AoModel *model = sim->model;
	size_t		s;

	ao_state_init(&sim->st, &sim->spec, ao_model_coef(model), model->has_state_cov, &sim->arena);
	ao_state_load(&sim->st, model);
	s = (size_t) sim->st.s;
	sim->start = ao_arena_take(&sim->arena, s, sizeof(double));
	sim->shock = ao_arena_take(&sim->arena, s, sizeof(double));
	memcpy(sim->start, sim->st.a, s * sizeof(double));
	return sim->st.P ? covariance_root(sim->st.P, sim->st.s, env) : AO_OK;
}

/* See diagnostics.h. */
AoStatus
ao_simulation_open(const AoModel *model, int h, const double *xreg, int k, uint64_t seed,
				   AoEnv *env, AoSimulation **out)
{
	AoSpec		spec;
	AoArena		arena;
	AoStatus	status;

	memset(&env->err, 0, sizeof env->err);
	if (h < 1 || h > AO_MAX_HORIZON)
		return ao_fail(env, AO_BAD_ARGUMENT, "the horizon must be between 1 and 100000",
					   AO_MAX_HORIZON, h);
	AO_TRY(ao_check_xreg(model, xreg, h, k, env));
	ao_model_spec(model, &spec);
	AO_TRY(ao_arena_open(&arena, simulation_bytes(&spec, model->has_state_cov), env));
	*out = ao_arena_take(&arena, 1, sizeof(AoSimulation));
	**out = (AoSimulation) {
		.model = model, .spec = spec, .h = h, .xreg = xreg, .seed = seed,
		.sigma = sqrt(model->sigma2), .arena = arena
	};
	status = load_state(*out, env);
	if (status != AO_OK)
		ao_simulation_close(*out, env);
	return status;
}

/* See diagnostics.h. */
void
ao_simulation_close(AoSimulation *sim, AoEnv *env)
{
	AoArena		arena = sim->arena;	/* it holds the simulation */

	ao_arena_close(&arena, env);
}

/* The state that a path starts from into st.a. */
static AoStatus
draw_state(AoSimulation *sim, AoRandom *random, AoEnv *env)
{
	AoState    *st = &sim->st;

	memcpy(st->a, sim->start, (size_t) st->s * sizeof(double));
	if (st->P == NULL)
		return AO_OK;
	for (int i = 0; i < st->s; i++)
		sim->shock[i] = sim->sigma * ao_random_normal(random);
	for (int i = 0; i < st->s; i++)
	{
		for (int j = 0; j <= i; j++)
			st->a[i] += st->P[(size_t) i * st->s + j] * sim->shock[j];
		if (i % 32 == 0)
			AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

/* One value on the filter's scale; the state moves on. */
static double
draw_value(AoSimulation *sim, AoRandom *random)
{
	AoState    *st = &sim->st;
	double		mean = ao_state_observe(st, st->a),
				e = sim->sigma * ao_random_normal(random);

	ao_state_transition(st, st->a, mean);
	for (int i = 0; i < st->s; i++)
		st->a[i] += st->G[i] * e;
	return mean + e;
}

/* See diagnostics.h. */
AoStatus
ao_simulation_path(AoSimulation *sim, int64_t path, AoEnv *env, double *out)
{
	const AoModel *model = sim->model;
	int			k = model->n_xreg;
	AoRandom	random;

	ao_random_seed(&random, sim->seed, (uint64_t) path);
	AO_TRY(draw_state(sim, &random, env));
	for (int j = 0; j < sim->h; j++)
	{
		double		z = draw_value(sim, &random) +
			ao_regression(&sim->spec, ao_model_beta(model), model->n + 1 + j,
						  sim->xreg ? sim->xreg + (int64_t) j * k : NULL, k);

		out[j] = model->has_lambda ? ao_box_cox_inverse(z, model->lambda) : z;
		if (!isfinite(z) || !ao_is_within_reach(model, out[j]))
			return ao_fail(env, AO_OUT_OF_SCALE, "a simulated value overflows\n"
						   "Ask for fewer steps, or fit a model with fewer differences or without lambda.", 0, 0);
		if (j % 64 == 0)
			AO_TRY(ao_poll(env));
	}
	return AO_OK;
}

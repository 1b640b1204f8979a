/*
 * impulse.c
 *		Impulse responses of a model; see impulse.h.
 */
#include "impulse.h"

#include <math.h>
#include <string.h>

static AoResponse
first(AoState *st)
{
	AoResponse	response = {st, st->work + 2 * st->s, 1, 1, 1};

	memcpy(response.v, st->G, (size_t) st->s * sizeof(double));
	return response;
}

static void
next(AoResponse *response)
{
	response->psi = ao_state_observe(response->st, response->v);
	ao_state_transition(response->st, response->v, response->psi);
	response->squares += response->psi * response->psi;
	response->sum += response->psi;
}

/* Do intervals count that the coefficients are estimates?  One step ahead it is their number
 * that counts; and calibrated ones have it in them. */
static bool
counts_errors(const AoModel *model, int64_t h)
{
	return h > 1 && model->interval != AO_INTERVAL_NORMAL && model->n_calibrated == 0 && model->p + model->q + model->P + model->Q > 0;
}

size_t
ao_impulses_bytes(const AoModel *model, const AoSpec *spec, int64_t h)
{
	if (!counts_errors(model, h))
		return 0;
	return ao_shape_bytes(spec) + ao_arena_round((size_t) model->n_coef, sizeof(double)) + ao_state_bytes(spec, false) +
		ao_coef_error_bytes(spec, (double) ao_model_estimated_from(model));
}

/* The coefficients less their bias, and the state of a model with them; false if they are as they are. */
static bool
take_less_bias(AoImpulses *impulses, const AoModel *model, const AoSpec *spec, AoArena *arena, double *coef)
{
	AoShape		shape;

	ao_shape_init(&shape, spec, arena);
	if (!ao_less_bias(&shape, ao_model_coef(model), (double) ao_model_estimated_from(model), coef))
		return false;
	ao_state_init(&impulses->less_bias_st, spec, coef, false, arena);
	impulses->less_bias = first(&impulses->less_bias_st);
	return true;
}

void
ao_impulses_init(AoImpulses *impulses, const AoModel *model, const AoSpec *spec, int64_t h, AoState *st,
				 AoArena *arena)
{
	const double *coef = ao_model_coef(model);
	double	   *less;

	impulses->step = 1;
	impulses->own = first(st);
	impulses->biased = false;
	impulses->counted = counts_errors(model, h);
	if (!impulses->counted)
		return;
	less = ao_arena_take(arena, (size_t) model->n_coef, sizeof(double));
	impulses->biased = take_less_bias(impulses, model, spec, arena, less);
	ao_coef_error_init(&impulses->error, spec, impulses->biased ? less : coef, (double) ao_model_estimated_from(model), arena);
}

void
ao_impulses_next(AoImpulses *impulses)
{
	impulses->step++;
	next(&impulses->own);
	if (impulses->biased)
		next(&impulses->less_bias);
	if (impulses->counted)
		ao_coef_error_next(&impulses->error, impulses->biased ? impulses->less_bias.psi : impulses->own.psi);
}

AoStatus
ao_impulses_skip(AoImpulses *impulses, int64_t steps, AoEnv *env)
{
	AoPace		pace = {env, 0};

	for (int64_t i = 0; i < steps; i++)
	{
		ao_impulses_next(impulses);
		AO_TRY(ao_pace(&pace, impulses->own.st->s));
	}
	return AO_OK;
}

AoAhead
ao_impulses_ahead(const AoImpulses *impulses, double variance)
{
	const AoResponse *own = &impulses->own;
	double		squares = impulses->biased ? impulses->less_bias.squares : own->squares;

	return (AoAhead) {
		.later = impulses->step,
		.step = impulses->step,
		.spread = own->sum * own->sum / variance,
		.coefs = impulses->counted ? ao_coef_error_more(&impulses->error, squares) : 0,
		.bias = squares / own->squares
	};
}

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

/* Do intervals go by the bias of the coefficients?  One step ahead the variance does not
 * depend on them; and calibrated ones have it in them. */
static bool
counts_bias(const AoModel *model, int h)
{
	return h > 1 && model->interval != AO_INTERVAL_NORMAL && model->n_calibrated == 0 && model->p + model->P > 0;
}

size_t
ao_impulses_bytes(const AoModel *model, const AoSpec *spec, int h)
{
	if (!counts_bias(model, h))
		return 0;
	return ao_shape_bytes(spec) + ao_arena_round((size_t) model->n_coef, sizeof(double)) + ao_state_bytes(spec, false);
}

/* The state of the model with coefficients less their bias; false if that is as it is. */
static bool
less_bias_state(const AoModel *model, const AoSpec *spec, AoArena *arena, AoState *st)
{
	AoShape		shape;
	double	   *coef;

	ao_shape_init(&shape, spec, arena);
	coef = ao_arena_take(arena, (size_t) shape.k, sizeof(double));
	/* values rolled over since are no part of the estimate */
	if (!ao_less_bias(&shape, ao_model_coef(model), (double) model->df + model->n_coef, coef))
		return false;
	ao_state_init(st, spec, coef, false, arena);
	return true;
}

void
ao_impulses_init(AoImpulses *impulses, const AoModel *model, const AoSpec *spec, int h, AoState *st,
				 AoArena *arena)
{
	impulses->step = 1;
	impulses->own = first(st);
	impulses->biased = counts_bias(model, h) && less_bias_state(model, spec, arena, &impulses->less_bias_st);
	if (impulses->biased)
		impulses->less_bias = first(&impulses->less_bias_st);
}

void
ao_impulses_next(AoImpulses *impulses)
{
	impulses->step++;
	next(&impulses->own);
	if (impulses->biased)
		next(&impulses->less_bias);
}

AoAhead
ao_impulses_ahead(const AoImpulses *impulses, double variance)
{
	const AoResponse *own = &impulses->own;

	return (AoAhead) {
		.step = impulses->step,
		.spread = own->sum * own->sum / variance,
		.bias = impulses->biased ? impulses->less_bias.squares / own->squares : 1
	};
}

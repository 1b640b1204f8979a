/*
 * impulse.h
 *		The impulse responses of a model, a step at a time, and what they say of
 *		the variance of its forecasts.
 */
#ifndef AO_IMPULSE_H
#define AO_IMPULSE_H

#include "coef_error.h"
#include "interval.h"
#include "state.h"

/* The responses of one set of coefficients. */
typedef struct AoResponse
{
	AoState    *st;
	double	   *v,				/* [st->s] */
				psi,			/* of the present step, from 0; 1 at first */
				squares,		/* sum of squares up to it */
				sum;
} AoResponse;

typedef struct AoImpulses
{
	int64_t		step;			/* from 1: so many after the last value that is known */
	AoResponse	own,
				less_bias;		/* by coefficients less their bias, see bias.c */
	AoState		less_bias_st;
	bool		biased,			/* does that matter? */
				counted;		/* do errors of the coefficients? */
	AoCoefError error;
} AoImpulses;

/* What ao_impulses_init takes from the arena, for forecasts of up to h steps. */
size_t		ao_impulses_bytes(const AoModel *model, const AoSpec *spec, int64_t h);

/* To the first step.  st: of the model; its vectors are only read, but for the last
 * third of its workspace, which the steps of its covariance leave alone. */
void		ao_impulses_init(AoImpulses *impulses, const AoModel *model, const AoSpec *spec, int64_t h, AoState *st,
							 AoArena *arena);
void		ao_impulses_next(AoImpulses *impulses);
AoStatus	ao_impulses_skip(AoImpulses *impulses, int64_t steps, AoEnv *env);

/* How far the forecast of this step reaches, its variance being that many sigma2; from the end
 * of the estimate, where no other `later` is put into it. */
AoAhead		ao_impulses_ahead(const AoImpulses *impulses, double variance);

#endif							/* AO_IMPULSE_H */

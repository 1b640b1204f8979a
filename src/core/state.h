/*
 * state.h
 *		The state of one fitted model, and the filter that it comes from.
 */
#ifndef AO_STATE_H
#define AO_STATE_H

#include "internal.h"

/* ---- state.c ---- */

typedef struct AoState
{
	AoShape		shape;
	int			s;				/* r + diff */
	double	   *phi,			/* [r] */
			   *theta,
			   *G;				/* [s] */
	double	   *a;				/* [s] predicted state */
	double	   *P,				/* [s][s] its covariance in units of sigma2, or NULL */
			   *room;			/* [s][s] where P is when it is */
	bool		lower;			/* of P's ARMA part only the lower triangle is up to date */
	int64_t		t;				/* values that it has seen */
	int			n_known;		/* newest levels of which P says that they are certain */
	double	   *work;			/* [3 s]; the last s are for impulse.c */
	double	   *variances;		/* [n] of the one-step errors of a run with residuals, or NULL */
} AoState;

size_t		ao_state_bytes(const AoSpec *spec, bool cov);
/* Everything but the state itself, which is zeroed; P only if cov. */
void		ao_state_init(AoState *st, const AoSpec *spec, const double *coef, bool cov,
						  AoArena *arena);
void		ao_state_load(AoState *st, const AoModel *model);
/* z' v, and v = T v given that */
double		ao_state_observe(const AoState *st, const double *v);
void		ao_state_transition(const AoState *st, double *v, double zv);
/* z' P z, and P z in work */
double		ao_state_variance(AoState *st);
/* P = A P A' with A = T, or T - G z' where the value is known; and P = T P T' + G G' */
AoStatus	ao_state_turn_cov(AoState *st, bool known, AoPace *pace);
AoStatus	ao_state_cov_step(AoState *st, AoPace *pace);
/* Polynomials into every lane of vectors [r]. */
void		ao_state_broadcast(const AoState *st, AoVec *phi, AoVec *theta);
/* Levels of the state after n known values z. */
void		ao_state_levels(AoState *st, const double *z, int64_t n);
/* bytes and run of the filter from a fresh start over z[n] (levels, regression
 * taken out; z may be destroyed).  residuals [n] or NULL: one-step errors over the
 * roots of their variances, NaN where there is none; the state then is of no use. */
size_t		ao_state_run_bytes(const AoSpec *spec, bool missing);
AoStatus	ao_state_run(AoState *st, double *z, int64_t n, bool missing, bool want_cov,
						 double *residuals, AoArena *arena, AoEnv *env);

/* ---- filter.c: value by value ---- */

/* One more value z on the filter's scale, NaN where it is missing: innovation v and its
 * variance F in units of sigma2.  P becomes NULL when the state is known for certain. */
AoStatus	ao_filter_step(AoState *st, double z, double *v, double *F, AoPace *pace);
/* All of P up to date, after steps; and what else follows from a P that was put there. */
void		ao_filter_mirror(AoState *st);
void		ao_filter_loaded(AoState *st);

/* Errors: no start for this model; levels without an observation. */
AoStatus	ao_filter_too_close(AoEnv *env);
AoStatus	ao_filter_too_few(const AoShape *shape, int have, AoEnv *env);

/* Workspaces for a start, each for one column or more. */
typedef struct AoFilterSpace
{
	AoPass	   *pass;			/* of one vector */
	AoPresample *presample;
	AoKalman   *kalman;			/* NULL: nothing is missing */
} AoFilterSpace;

/* The state after z[n], NaN where a value is missing, from a stationary, diffuse start; more
 * than diff values.  errors [n] or NULL: the one-step errors on the way, as in ao_state_run.
 * Needs st->room. */
AoStatus	ao_filter_run(AoState *st, const double *z, int64_t n, double *errors,
						  AoFilterSpace *space, AoEnv *env);

/* ---- result.c ---- */

/* state and covariance of st into the model */
void		ao_model_set_state(AoModel *model, const AoState *st);

#endif							/* AO_STATE_H */

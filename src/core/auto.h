/*
 * auto.h
 *		Automatic choice of the model.  Part of the core's public interface.
 */
#ifndef AO_AUTO_H
#define AO_AUTO_H

#include "ao.h"

#define AO_AUTO_MAX_P 20			/* largest max_p and max_q */
#define AO_AUTO_MAX_SEASONAL 5		/* and max_P and max_Q */
#define AO_AUTO_MAX_D 2			/* largest max_d */
#define AO_AUTO_MAX_SEASONAL_D 1	/* and max_D */
#define AO_AUTO_MAX_ORDER 50		/* and max_order: no bound at all */
#define AO_AUTO_MAX_MODELS 10000
#define AO_FOURIER_AUTO (-1)	/* of AoAutoOptions.fourier */

/* Information criterion to minimise. */
typedef enum AoCriterion
{
	AO_AICC, AO_AIC, AO_BIC
} AoCriterion;

/* Bounds of the search. */
typedef struct AoAutoOptions
{
	int			max_p,
				max_q,
				max_P,
				max_Q,
				max_d,
				max_D,
				max_order,		/* p + q + P + Q, where every model is tried */
				max_models;
	int			fourier;		/* pairs of Fourier terms in place of a seasonal part; 0: never, or
								 * AO_FOURIER_AUTO: where they serve a long season better */
	bool		stepwise,		/* neighbours of the best, or every model */
				approximation;	/* a few gaps filled, and conditional likelihoods where exact ones
								 * take long, before the last steps */
	AoCriterion criterion;
	double		time_budget_ms;	/* the search ends after this, with the estimate under way; 0: no limit */
} AoAutoOptions;

/* 5, 5, 2, 2, 2, 1, 5, 150 (10000 if not stepwise), AO_FOURIER_AUTO, stepwise, with approximation, AICc, no time limit */
extern const AoAutoOptions ao_auto_defaults;

/* One model that was tried. */
typedef struct AoCandidate
{
	AoSpec		spec;
	double		criterion;		/* HUGE_VAL: not to be chosen, for the reason.  With a few
								 * values missing, of the series with its gaps filled for
								 * all but the finalists */
	double		loglik;			/* NaN: not estimated */
	double		milliseconds;
	const char *reason;			/* static text, or NULL */
	bool		chosen;
} AoCandidate;

/*
 * Chooses a model for y with seasonal period m (1: none).  out and list may be NULL:
 * the model, and the models tried in order, as one env->alloc block of *count.
 */
AoStatus	ao_choose(const double *y, int64_t n, const double *xreg, int k, int m,
					  const AoFitOptions *options, AoEnv *env, AoModel **out,
					  AoCandidate **list, int *count);

#endif							/* AO_AUTO_H */

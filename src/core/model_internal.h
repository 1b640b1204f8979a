/*
 * model_internal.h
 *		What the core's own files, and the reader of model values, need of
 *		models beyond ao.h.
 */
#ifndef AO_MODEL_INTERNAL_H
#define AO_MODEL_INTERNAL_H

#include "ao.h"

/* Bounds that ao_model_check puts on a model's values. */
#define AO_MODEL_MAX_VALUE 1e200	/* |coefficient|, |state|, |state covariance| */
#define AO_MODEL_MAX_VARIANCE 1e306 /* sigma2, covariance of the coefficients, |loglik| */
#define AO_MODEL_MAX_LAMBDA 5.0		/* |lambda| */

/* Fills what follows from specification and number of regressors: orders,
 * constant, n_xreg, n_coef, n_state.  Everything else is left alone. */
void		ao_model_set_spec(AoModel *model, const AoSpec *spec, int n_xreg);

/* The terms that the likelihood of n values has: none missing, none used up
 * by the differences; never negative. */
int64_t		ao_model_terms_used(const AoSpec *spec, int64_t n, int64_t n_missing);

/* Doubles before the state: what an estimate leaves behind and new values do not change. */
size_t		ao_model_estimate_len(const AoModel *model);

/* Degrees of freedom of an estimate. */
int32_t		ao_model_degrees(int64_t n_used, int n_coef);

/* Brings a model to the one form that its value has: 0 for -0, the canonical
 * quiet NaN for any NaN.  To be called on every model before it is given out. */
void		ao_model_canonicalise(AoModel *model);

/* The part of ao_model_check that looks at no more than the fixed fields:
 * orders, counts and size fit together. */
AoStatus	ao_model_check_shape(const AoModel *model, size_t bytes, AoEnv *env);

/* Can 1 - sign (coef[0] B + .. + coef[n-1] B^n) have its roots outside the unit
 * circle, or on it up to 1e-9?  False only where that is sure not to be so,
 * given the rounding of the coefficients.  sign is 1 for an AR part, -1 for an
 * MA part.  ao_model_check refuses a model of which any part does not pass. */
bool		ao_polynomial_stable(const double *coef, int n, double sign);

#endif							/* AO_MODEL_INTERNAL_H */

/*
 * exact.h
 *		A second, independent computation of the exact Gaussian likelihood of
 *		a seasonal ARIMA model, to check the library's and to search for
 *		optima that its optimiser misses.  Plain and slow on purpose; shares
 *		nothing with src/core but the specification type.
 */
#ifndef REFERENCE_EXACT_H
#define REFERENCE_EXACT_H

#include "ao.h"

typedef struct ExactProblem ExactProblem;

/* Takes a copy of what it needs of y (n values, NaN missing) and xreg (n x k). */
extern ExactProblem *exact_new(const double *y, int64_t n, const double *xreg, int k,
							   const AoSpec *spec);
extern void exact_free(ExactProblem *problem);

/* Number of ARMA coefficients (ar, ma, sar, sma in this order). */
extern int	exact_arma_count(const ExactProblem *problem);
/* Terms of the likelihood. */
extern int	exact_n_used(const ExactProblem *problem);

/*
 * Log-likelihood at ARMA coefficients arma[], maximised over the mean, drift
 * and regression coefficients and sigma2; -INFINITY where the AR part is not
 * stationary or the matrix not positive definite.
 */
extern double exact_loglik(ExactProblem *problem, const double *arma);

/* The same at given coefficients of all kinds, in the order ar ma sar sma mean
 * drift xreg: only sigma2 is maximised over. */
extern double exact_loglik_at(ExactProblem *problem, const double *coef);

/* How often steps are halved. */
#define EXACT_HALVINGS 3
#define EXACT_MAX_COEF 40

/* Standard errors at steps, and halves, quarters .. of them; extrapolated to steps of
 * none; and by an extrapolation that uses one order less, to see how good that is. */
typedef struct ExactStdErrors
{
	double		at_step[EXACT_HALVINGS + 1][EXACT_MAX_COEF];
	double		limit[EXACT_MAX_COEF];
	double		last[EXACT_MAX_COEF];
} ExactStdErrors;

/*
 * Standard errors of all k coefficients by the inverse of the Hessian of
 * exact_loglik_at, from second differences with the given steps; 0 if that
 * matrix is not negative definite or a step leaves the stationary region.
 */
extern int	exact_std_errors(ExactProblem *problem, const double *coef, const double *steps,
							 int k, ExactStdErrors *out);

#endif							/* REFERENCE_EXACT_H */

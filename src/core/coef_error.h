/*
 * coef_error.h
 *		What errors of the ARMA coefficients add to the variance of a forecast.
 */
#ifndef AO_COEF_ERROR_H
#define AO_COEF_ERROR_H

#include "internal.h"

#define AO_COEF_ERROR_MOST 12	/* coefficients; with more, each adds 1/n of any variance */

typedef struct AoCoefError
{
	int			k,				/* coefficients; 0: what they add is not known */
				steps,			/* from 1 */
				past,			/* innovations that are counted */
				reach,			/* largest lag of a coefficient */
				block[AO_COEF_ERROR_MOST],
				lag[AO_COEF_ERROR_MOST];
	double	   *response[4],	/* [past + 1] of 1 / polynomial */
			   *weights[4],		/* [reach + past]; see coef_error.c */
				inverse[AO_COEF_ERROR_MOST * AO_COEF_ERROR_MOST],	/* of the information of one value */
				added;
} AoCoefError;

/* What ao_coef_error_init takes from the arena; n: values of the estimate. */
size_t		ao_coef_error_bytes(const AoSpec *spec, double n);

/* To the first step. */
void		ao_coef_error_init(AoCoefError *error, const AoSpec *spec, const double *coef, double n, AoArena *arena);
/* To the next one, psi being the impulse response that it begins with. */
void		ao_coef_error_next(AoCoefError *error, double psi);

/* What is added to a variance of so many sigma2, in units of 1/n of it, over what is added one
 * step ahead, where that is the number of coefficients. */
double		ao_coef_error_more(const AoCoefError *error, double variance);

#endif							/* AO_COEF_ERROR_H */

/*
 * fourier.c
 *		Fourier terms of a season: the regressors sin(2 pi k t/m), cos(2 pi k t/m),
 *		k = 1..K; and what a model with terms of time becomes at another start.
 */
#include "internal.h"

#include <math.h>

#include "model_internal.h"

/* The sine of up to half a turn either way, exact at the quarters. */
static double
sine_of_turns(double turns)
{
	if (turns > 0.25)
		turns = 0.5 - turns;
	else if (turns < -0.25)
		turns = -0.5 - turns;
	return sin(2 * AO_PI * turns);
}

/* See ao.h. */
int
ao_fourier_columns(double m, int K)
{
	return 2 * K - (2 * K == m);
}

/* See ao.h. */
void
ao_fourier_row(double t, double m, int K, double *row)
{
	for (int k = 1; k <= K; k++)
	{
		/* the remainder is exact, so that large times cost no digits */
		double		turns = remainder(k * t, m) / m;

		if (2 * k != m)
			*row++ = sine_of_turns(turns);
		*row++ = sine_of_turns(0.25 - fabs(turns));
	}
}

/*
 * a sin(w(t + s)) + b cos(w(t + s)) = (a cos ws - b sin ws) sin wt + (a sin ws + b cos ws) cos wt;
 * where the sine is zero at all whole times there is the cosine alone.
 */
static void
shift_pairs(const AoSpec *spec, int64_t later, double *beta)
{
	double		turn[AO_MAX_XREG];
	const double *at = turn;

	ao_fourier_row((double) later, spec->m, spec->K, turn);
	for (int k = 1; k <= spec->K; k++)
	{
		double		a = beta[0];

		if (2 * k == spec->m)
		{
			*beta++ *= *at++;
			continue;
		}
		beta[0] = a * at[1] - beta[1] * at[0];
		beta[1] = a * at[0] + beta[1] * at[1];
		beta += 2;
		at += 2;
	}
}

/* See ao.h. */
void
ao_model_shift(AoModel *model, int64_t later)
{
	double	   *beta = ao_model_coef(model) + model->p + model->q + model->P + model->Q;
	AoSpec		spec;

	ao_model_spec(model, &spec);
	model->estimated_to -= later;
	if (spec.constant == AO_CONSTANT_MEAN_DRIFT)
		beta[0] += beta[1] * (double) later;
	if (spec.constant & AO_CONSTANT_MEAN)
		beta++;
	if (spec.constant & AO_CONSTANT_DRIFT)
		beta++;
	shift_pairs(&spec, later, beta);
}

/*
 * fourier.c
 *		Fourier terms of a season: the regressors sin(2 pi k t/m), cos(2 pi k t/m),
 *		k = 1..K.
 */
#include "internal.h"

#include <math.h>

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

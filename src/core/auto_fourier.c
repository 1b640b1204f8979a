/*
 * auto_fourier.c
 *		Fourier terms in place of a seasonal part, for long seasons and where a regressor
 *		would not bear a seasonal difference: when the automatic choice looks at them, and
 *		when it takes them.
 *
 * R. J. Hyndman & G. Athanasopoulos, "Forecasting: principles and practice", 3rd ed.,
 * 10.5 and 12.1: ARMA errors around K pairs of sines and cosines, K by AICc.
 */
#include "auto_internal.h"

#include <math.h>

#define LONG_SEASON 24			/* longer ones than this */
#define SEASONS 2				/* that the series must be long */
#define MOST_PAIRS 10
#define VALUES_PER_PAIR 20
#define PAIRS_FOR_DIFFERENCES 3 /* taken out for the test of them: the season's course */

static int
smaller(int64_t a, int b)
{
	return a < b ? (int) a : b;
}

/* A search without seasonal part. */
static void
no_seasonal_part(AoChoice *choice)
{
	choice->options.max_P = choice->options.max_Q = choice->options.max_D = 0;
}

/* See auto_internal.h. */
AoStatus
ao_choice_fix_fourier(AoChoice *choice)
{
	if (2 * choice->options.fourier > choice->m)
		return ao_fail(choice->env, AO_BAD_ARGUMENT,
					   "%h pairs of Fourier terms for a period of %n\n"
					   "There can be half as many as the period, which is given as in \"auto[52]\".",
					   choice->m, choice->options.fourier);
	choice->min_K = choice->max_K = choice->K = choice->options.fourier;
	no_seasonal_part(choice);
	return AO_OK;
}

/* See auto_internal.h. */
bool
ao_choice_begin_fourier(const AoChoice *last, AoChoice *fourier)
{
	const AoFitTask *task = last->task;
	int64_t		known = 0;

	for (int64_t t = 0; t < task->n; t++)
		known += !isnan(task->y[t]);
	if (!ao_choice_follow(last, fourier) || fourier->options.fourier != AO_FOURIER_AUTO ||
		(last->m <= LONG_SEASON && !last->D_denied) || task->n < SEASONS * (int64_t) last->m)
		return false;
	fourier->min_K = 1;
	fourier->max_K = smaller(known / VALUES_PER_PAIR, smaller(last->m / 2, MOST_PAIRS));
	fourier->max_K = smaller((AO_MAX_XREG - task->k) / 2, fourier->max_K);
	fourier->K = smaller(PAIRS_FOR_DIFFERENCES, fourier->max_K);
	no_seasonal_part(fourier);
	return fourier->max_K > 0;
}

/*
 * auto_fourier.c
 *		Fourier terms in place of a seasonal part, for long seasons: when the automatic
 *		choice looks at them, and when it takes them.
 *
 * R. J. Hyndman & G. Athanasopoulos, "Forecasting: principles and practice", 3rd ed.,
 * 10.5 and 12.1: ARMA errors around K pairs of sines and cosines, K by AICc.  Models with
 * and without seasonal differences have likelihoods of different data; they are compared
 * over the values that both predict from those before.
 */
#include "auto_internal.h"
#include "diagnostics.h"

#include <math.h>

#define LONG_SEASON 24			/* longer ones than this */
#define SEASONS 2				/* that the series must be long */
#define MOST_PAIRS 10
#define VALUES_PER_PAIR 20
#define PAIRS_FOR_DIFFERENCES 3 /* taken out for the test of them: the season's course */
#define MARGIN 10.0				/* in the criterion: the number of pairs was chosen, too */

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
ao_choice_begin_fourier(const AoChoice *seasonal, AoChoice *fourier)
{
	const AoFitTask *task = seasonal->task;
	const AoAutoOptions *options = task->options->choice ? task->options->choice : &ao_auto_defaults;
	int64_t		known = 0;

	for (int64_t t = 0; t < task->n; t++)
		known += !isnan(task->y[t]);
	if (options->fourier != AO_FOURIER_AUTO || seasonal->m <= LONG_SEASON || seasonal->degenerate ||
		seasonal->best < 0 || seasonal->out_of_budget || task->n < SEASONS * (int64_t) seasonal->m)
		return false;
	*fourier = (AoChoice) {.task = task, .quick = *task, .m = seasonal->m, .best = -1,
		.started = seasonal->started, .options = *options, .env = seasonal->env,
		.min_K = 1, .max_K = smaller(known / VALUES_PER_PAIR, smaller(seasonal->m / 2, MOST_PAIRS))};
	fourier->quick.effort = AO_QUICK;
	fourier->max_K = smaller((AO_MAX_XREG - task->k) / 2, fourier->max_K);
	fourier->K = smaller(PAIRS_FOR_DIFFERENCES, fourier->max_K);
	no_seasonal_part(fourier);
	if (options->max_models > 0)
		fourier->options.max_models -= seasonal->n_trials;
	return fourier->max_K > 0 && (options->max_models == 0 || fourier->options.max_models > 0);
}

/* Criterion of a model over `count` values of which it made the errors e with variances f, in
 * units of its sigma2; NaN in either error leaves the value out. */
static AoStatus
criterion_over(const AoChoice *choice, const AoModel *model, const double *e, const double *f,
			   const double *other, double *criterion)
{
	AoPace		pace = {choice->env, 0};
	int64_t		count = 0;
	double		deviance = 0;

	for (int64_t t = 0; t < choice->task->n; t++)
	{
		AO_TRY(ao_pace(&pace, 4));
		if (isnan(e[t]) || isnan(other[t]))
			continue;
		count++;
		/* e is brought to the variance sigma2 */
		deviance += log(model->sigma2 * f[t]) + e[t] * e[t] / model->sigma2;
	}
	*criterion = ao_choice_criterion(choice->options.criterion, -0.5 * deviance, model->n_coef,
									 count);
	return AO_OK;
}

/* See auto_internal.h. */
AoStatus
ao_choice_prefers_fourier(const AoChoice *choice, const AoModel *seasonal,
						  const AoModel *fourier, bool *prefers)
{
	const AoFitTask *task = choice->task;
	size_t		n = (size_t) task->n;
	AoArena		arena = {0};
	double	   *e[2],
			   *f[2],
				ours,
				theirs;
	AoStatus	status = AO_OK;

	*prefers = false;
	if (!(seasonal->sigma2 > 0 && fourier->sigma2 > 0))
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, 4 * ao_arena_round(n, sizeof(double)), choice->env));
	for (int i = 0; i < 2 && status == AO_OK; i++)
	{
		e[i] = ao_arena_take(&arena, n, sizeof(double));
		f[i] = ao_arena_take(&arena, n, sizeof(double));
		status = ao_one_step_errors(i == 0 ? seasonal : fourier, task->y, task->n, task->xreg,
									task->k, choice->env, e[i], f[i]);
	}
	if (status == AO_OK)
		status = criterion_over(choice, seasonal, e[0], f[0], e[1], &ours);
	if (status == AO_OK)
		status = criterion_over(choice, fourier, e[1], f[1], e[0], &theirs);
	if (status == AO_OK)
		*prefers = theirs + MARGIN < ours;
	ao_arena_close(&arena, choice->env);
	return status;
}

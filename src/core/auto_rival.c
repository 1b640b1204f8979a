/*
 * auto_rival.c
 *		A second and third search of the automatic choice, where the first leaves a
 *		question open, and whose winner it is to be.
 *
 * Models of different differences have likelihoods of different data.  They are compared
 * by the criterion over the values that both predict from those before.
 */
#include "auto_internal.h"
#include "diagnostics.h"

#include <math.h>

#define HOPELESS 40.0			/* in the criterion */

/* See auto_internal.h. */
bool
ao_choice_follow(const AoChoice *last, AoChoice *next)
{
	const AoFitTask *task = last->task;

	*next = (AoChoice) {.task = task, .quick = *task, .m = last->m, .best = -1, .largest = -1,
		.env = last->env, .before = last->before + last->n_trials,
		.options = task->options->choice ? *task->options->choice : ao_auto_defaults};
	next->quick.effort = AO_QUICK;
	if (next->options.max_models > 0)
	{
		next->options.max_models -= next->before;
		if (next->options.max_models <= 0)
			return false;
	}
	return !last->degenerate && !last->out_of_budget;
}

/* Criterion of a model over the values of which it made the errors e with variances f, in
 * units of its sigma2; NaN in either error leaves a value out. */
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
ao_choice_prefers(const AoChoice *choice, const AoModel *first, const AoModel *rival,
				  double margin, bool *prefers)
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
	if (!(first->sigma2 > 0 && rival->sigma2 > 0))
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, 4 * ao_arena_round(n, sizeof(double)), choice->env));
	for (int i = 0; i < 2 && status == AO_OK; i++)
	{
		e[i] = ao_arena_take(&arena, n, sizeof(double));
		f[i] = ao_arena_take(&arena, n, sizeof(double));
		status = ao_one_step_errors(i == 0 ? first : rival, task->y, task->n, task->xreg,
									task->k, choice->env, e[i], f[i]);
	}
	if (status == AO_OK)
		status = criterion_over(choice, first, e[0], f[0], e[1], &ours);
	if (status == AO_OK)
		status = criterion_over(choice, rival, e[1], f[1], e[0], &theirs);
	if (status == AO_OK)
		*prefers = theirs + margin < ours;
	ao_arena_close(&arena, choice->env);
	return status;
}

/* See auto_internal.h. */
AoStatus
ao_choice_look_at_opponent(AoChoice *choice)
{
	AoFitTask	task = *choice->task;
	AoFitOptions options = *task.options;
	AoEnv	   *env = choice->env;
	AoTrial    *best;
	AoModel    *model;
	AoStatus	status;
	double		start = ao_clock();
	bool		close = true;

	if (choice->opponent == NULL || choice->best < 0 || choice->degenerate)
		return AO_OK;
	best = &choice->trials[choice->best];
	options.no_std_errors = true;
	task.options = &options;
	task.effort = AO_NEARBY;
	task.given = best->u;
	AO_TRY(ao_fit_task(&task, &best->candidate.spec, env, &model));
	status = ao_choice_prefers(choice, choice->opponent, model, -HOPELESS, &close);
	choice->hopeless = !close;
	env->free(env->arg, model);
	ao_choice_took(best, start);
	return status;
}

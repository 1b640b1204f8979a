/*
 * auto_finish.c
 *		The end of a search of the automatic choice: the few best models are estimated
 *		with all effort, as far as there is time.
 */
#include "auto_internal.h"

#include <math.h>
#include <string.h>

#define FINALISTS 3
#define FEW_REFUSED 3
#define CLOSE 2.0				/* criterion a finalist may be behind .. */
#define CLOSE_LATER 0.5			/* .. in a later round: all effort rarely gains more */

/* The best trial from `first` on that is not final yet, or NULL. */
static AoTrial *
next_best(const AoChoice *choice, int first)
{
	AoTrial    *best = NULL;
	double		least = HUGE_VAL;

	for (int i = first; i < choice->n_trials; i++)
	{
		AoTrial    *trial = &choice->trials[i];
		double		criterion = ao_choice_trial_criterion(choice, trial);

		if (!trial->final && criterion < least)
		{
			best = trial;
			least = criterion;
		}
	}
	return best;
}

/* Criterion of an estimated model. */
static double
criterion_of(const AoChoice *choice, const AoModel *model)
{
	return isnan(model->loglik) ? HUGE_VAL :
		ao_choice_criterion(choice->options.criterion, model->loglik, model->n_coef,
							model->n_used);
}

/* Do the roots of an estimated model keep the distance, and the stricter one? */
static bool
keeps_distance(const AoChoice *choice, const AoModel *model, bool *strict)
{
	const double *coef = ao_model_coef(model);
	AoShape		shape = {.k = 0};

	ao_model_spec(model, &shape.spec);
	*strict = ao_expanded_roots_beyond(&shape, coef, AO_STRICT_ROOT);
	return ao_roots_beyond(&shape, coef, choice->task->guard);
}

/* Not to be chosen: with all effort its roots come too near to the circle, which the search had
 * stopped short of, or with the gaps it cannot be estimated. */
static void
refuse(AoTrial *trial, const char *reason)
{
	trial->final = true;
	trial->candidate.criterion = trial->criterion = HUGE_VAL;
	trial->candidate.reason = reason;
}

/* Is a pass with a season so long that not all effort is made for every finalist? */
static bool
is_dear(const AoChoice *choice)
{
	return choice->m > 1 && choice->quick.n * choice->m >= AO_DEAR;
}

/* With gaps and such a season each step is dear: a finalist goes first to its optimum on the filled
 * series, at a tenth of the cost and next to the other.  Once a few did not keep their distance
 * with the gaps, one that does not keep it there is not tried with them. */
static AoStatus
try_filled(const AoChoice *choice, AoTrial *trial, bool *keeps)
{
	AoFitTask	task = choice->quick;
	double		u[AO_AUTO_MAX_COEF],
				start = ao_clock();
	AoQuickFit	fit = {.u = u};
	AoStatus	status;

	*keeps = true;
	if (choice->filled == NULL || !is_dear(choice))
		return AO_OK;
	task.options = choice->task->options;
	task.effort = AO_LOCAL;
	task.given = trial->u;
	status = ao_fit_quick(&task, &trial->candidate.spec, choice->env, &fit);
	ao_choice_took(trial, start);
	if (status != AO_OK || fit.degenerate)
		return ao_ends_all(status) ? status : AO_OK;
	if (fit.admissible)
		memcpy(trial->u, u, sizeof u);
	*keeps = fit.admissible || choice->n_refused < FEW_REFUSED;
	return AO_OK;
}

/* Estimate one finalist with all effort; *model becomes NULL if it is not to be chosen. */
static AoStatus
estimate_finalist(AoChoice *choice, const AoFitTask *task, AoTrial *trial,
				  AoModel **model)
{
	AoCandidate *candidate = &trial->candidate;
	double		start = ao_clock();
	AoStatus	status = ao_fit_task(task, &candidate->spec, choice->env, model);
	bool		keeps,
				strict;

	ao_choice_took(trial, start);
	if (ao_ends_all(status))
		return status;
	if (status != AO_OK)
	{
		*model = NULL;
		refuse(trial, ao_choice_reason(status, choice->env));
		return AO_OK;
	}
	trial->final = true;
	candidate->criterion = criterion_of(choice, *model);
	candidate->loglik = (*model)->loglik;
	keeps = keeps_distance(choice, *model, &strict);
	if (!choice->approximate)
	{
		trial->criterion = candidate->criterion;
		trial->strict = strict;
	}
	if (keeps)
		return AO_OK;
	refuse(trial, AO_NEAR_CIRCLE);
	choice->n_refused++;
	choice->env->free(choice->env->arg, *model);
	*model = NULL;
	return AO_OK;
}

/* The better of *chosen, if there is one, and a finalist; the other model is given back. */
static void
keep_better(const AoChoice *choice, AoTrial *trial, AoModel *model, AoTrial **chosen, AoModel **out)
{
	if (*chosen == NULL || trial->candidate.criterion < (*chosen)->candidate.criterion)
	{
		AoModel    *loser = *out;

		*out = model;
		model = loser;
		*chosen = trial;
	}
	if (model)
		choice->env->free(choice->env->arg, model);
}

/* The best of *chosen, if there is one, and of the finalists among the trials from `first` on,
 * estimated with the task's effort, or NULL. */
static AoStatus
best_finalist(AoChoice *choice, const AoFitTask *task, int first, AoTrial **chosen,
			  AoModel **out)
{
	AoFitTask	near = *task;
	AoTrial    *trial;
	int			left = FINALISTS;

	while (left > 0 && !(*chosen && ao_choice_out_of_time(choice)) && (trial = next_best(choice, first)) != NULL)
	{
		AoModel    *model;
		bool		keeps;

		if (*chosen && (choice->series != AO_FILLED || !choice->approximate) &&
			trial->criterion > ao_choice_trial_criterion(choice, *chosen) + (first > 0 ? CLOSE_LATER : CLOSE))
			break;
		AO_TRY(try_filled(choice, trial, &keeps));
		if (!keeps)
		{
			refuse(trial, AO_NEAR_CIRCLE);
			continue;
		}
		near.given = trial->u;
		AO_TRY(estimate_finalist(choice, &near, trial, &model));
		if (model == NULL)
			continue;
		left--;
		keep_better(choice, trial, model, chosen, out);
	}
	return AO_OK;
}

/* Where a pass is dear, only the winner is estimated with all effort; it stays what it
 * is if that leads to where it is not to be chosen. */
static AoStatus
estimate_winner(AoChoice *choice, AoTrial *trial, AoModel **model)
{
	AoFitTask	task = *choice->task;
	AoTrial		before = *trial;
	AoModel    *better;

	task.effort = AO_THOROUGH;
	task.given = trial->u;
	AO_TRY(estimate_finalist(choice, &task, trial, &better));
	if (better == NULL || trial->candidate.criterion > before.candidate.criterion)
	{
		AoModel    *worse = better;

		before.candidate.milliseconds = trial->candidate.milliseconds;
		*trial = before;
		better = *model;
		*model = worse;
	}
	if (*model)
		choice->env->free(choice->env->arg, *model);
	*model = better;
	return AO_OK;
}

/* More models for the finalists' best to hold out against.  All effort may have refused the
 * one around which the search had ended, or raised another above it: then the search goes on
 * from there.  Where that finds nothing new, by the further climbs, the dearest last.  Not where
 * its likelihoods are not those of the finalists. */
static AoStatus
search_on(AoChoice *choice, const AoTrial *chosen)
{
	int			before = choice->n_trials;

	if (chosen == NULL || !choice->options.stepwise || choice->approximate)
		return AO_OK;
	choice->best = (int) (chosen - choice->trials);
	if (!chosen->looked_around)
		AO_TRY(ao_choice_climb(choice));
	if (choice->n_trials == before)
		AO_TRY(ao_choice_climb_again(choice));
	if (choice->n_trials == before && choice->max_K == 0)
		AO_TRY(ao_choice_climb_strictly(choice));
	/* one that leaves nothing to explain only ends this: there is another */
	choice->degenerate = false;
	return AO_OK;
}

/* The finalists' best, until no further model is found. */
static AoStatus
final_rounds(AoChoice *choice, const AoFitTask *task, AoTrial **chosen, AoModel **out)
{
	*out = NULL;
	*chosen = NULL;
	for (int first = 0; first < choice->n_trials;)
	{
		AO_TRY(best_finalist(choice, task, first, chosen, out));
		first = choice->n_trials;
		AO_TRY(search_on(choice, *chosen));
	}
	return AO_OK;
}

/* The search goes on from the finalists' best, with the gaps filled by it, if there is room for that. */
static AoStatus
search_refilled(AoChoice *choice, AoTrial *chosen, const AoModel *model)
{
	AoFitTask	part = choice->quick;
	double		start = ao_clock();
	AoStatus	status;

	part.y = choice->task->y + choice->lead;
	status = ao_fill_by_model(model, &part, choice->lead, choice->env, choice->filled);
	ao_choice_took(chosen, start);
	if (status != AO_OK)
		return ao_ends_all(status) ? status : AO_OK;
	choice->best = (int) (chosen - choice->trials);
	AO_TRY(ao_choice_climb_anew(choice, AO_REFILLED));
	AO_TRY(ao_choice_climb_again(choice));
	choice->degenerate = false;
	return AO_OK;
}

/* The best of those that the filled series refused and that would be ahead of the choice, or NULL. */
static AoTrial *
next_refused(const AoChoice *choice, const AoTrial *chosen)
{
	AoTrial    *best = NULL;
	double		least = chosen->criterion - CLOSE;

	for (int i = 0; i < choice->n_trials; i++)
	{
		AoTrial    *trial = &choice->trials[i];

		if (!trial->final && trial->criterion == HUGE_VAL && trial->series == choice->series && trial->raw < least)
		{
			best = trial;
			least = trial->raw;
		}
	}
	return best;
}

/* Whether a root is near to the circle can depend on how gaps were filled: a few that were refused
 * for that and would be ahead are estimated with the gaps, where that is not dear. */
static AoStatus
try_refused(AoChoice *choice, const AoFitTask *task, AoTrial **chosen, AoModel **out)
{
	AoFitTask	near = *task;

	for (int left = FEW_REFUSED; left > 0 && !is_dear(choice) && !ao_choice_out_of_time(choice); left--)
	{
		AoTrial    *trial = next_refused(choice, *chosen);
		AoModel    *model;

		if (trial == NULL)
			break;
		near.given = trial->u;
		AO_TRY(estimate_finalist(choice, &near, trial, &model));
		if (model)
			keep_better(choice, trial, model, chosen, out);
	}
	return AO_OK;
}

/* Straight lines across the gaps suit few models, and mislead the search: a second one, and the
 * best of its finalists and of those before. */
static AoStatus
refilled_round(AoChoice *choice, const AoFitTask *task, AoTrial **chosen, AoModel **out)
{
	if (*chosen == NULL || choice->filled == NULL || !choice->options.stepwise || choice->out_of_budget ||
		ao_choice_out_of_time(choice))
		return AO_OK;
	AO_TRY(search_refilled(choice, *chosen, *out));
	if (choice->series == AO_FILLED)
		return AO_OK;
	AO_TRY(best_finalist(choice, task, 0, chosen, out));
	return try_refused(choice, task, chosen, out);
}

/* After a search that took shortcuts one from the choice on without them, by the exact likelihood
 * and with the gaps themselves: where it is asked for, and with gaps where it is not dear. */
static AoStatus
plain_round(AoChoice *choice, const AoFitTask *task, AoTrial **chosen, AoModel **out)
{
	AoFitTask	quick = choice->quick;
	bool		wanted = !choice->options.approximation || (choice->series == AO_REFILLED && !is_dear(choice));

	if (*chosen == NULL || !choice->approximate || !wanted || choice->out_of_budget || ao_choice_out_of_time(choice))
		return AO_OK;
	choice->quick.y = choice->task->y + choice->lead;
	choice->quick.options = choice->task->options;
	choice->approximate = false;
	choice->best = (int) (*chosen - choice->trials);
	AO_TRY(ao_choice_climb_anew(choice, AO_PLAIN));
	choice->degenerate = false;
	choice->quick = quick;
	AO_TRY(best_finalist(choice, task, 0, chosen, out));
	choice->approximate = choice->options.approximation;
	return AO_OK;
}

/* See auto_internal.h. */
AoStatus
ao_choice_finish(AoChoice *choice, AoModel **out)
{
	AoFitTask	task = *choice->task;
	bool		dear = is_dear(choice);
	AoTrial    *chosen;

	task.effort = choice->approximate || choice->max_K > 0 || dear || ao_choice_out_of_time(choice) ? AO_LOCAL : AO_THOROUGH;
	AO_TRY(final_rounds(choice, &task, &chosen, out));
	AO_TRY(refilled_round(choice, &task, &chosen, out));
	AO_TRY(plain_round(choice, &task, &chosen, out));
	if (chosen && task.effort == AO_LOCAL && !choice->approximate && choice->max_K == 0 && !ao_choice_out_of_time(choice))
		AO_TRY(estimate_winner(choice, chosen, out));
	if (chosen)
		chosen->candidate.chosen = true;
	/* the last estimate may have ended with it */
	choice->out_of_budget = choice->out_of_budget || ao_choice_out_of_time(choice);
	return AO_OK;
}

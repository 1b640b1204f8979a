/*
 * auto.c
 *		Automatic choice of the model: differences by tests of the series (see
 *		auto_differences.c), orders and constant by an information criterion.
 *
 * Hyndman & Khandakar 2008 (see stepwise.c) with exact likelihoods.  Models with a
 * root close to the unit circle are not chosen.  The few best models of the search are
 * estimated with all effort at the end, and the best of them is the choice, unless the
 * search finds better from there.
 */
#include "auto_internal.h"
#include "tests.h"

#include <math.h>
#include <string.h>

/* How close to the unit circle a root may be: n known values tell two roots apart by 1/n or so,
 * and on a long series one at 1.005 is as good as any. */
#define MIN_ROOT(n) (1 + ((n) > 100 ? 1.0 / (double) (n) : 0.01))
/* An AR root nearer to 1 than this over n the Dickey-Fuller test at 5 % takes for a difference. */
#define LIKE_A_DIFFERENCE 8.0
#define SEARCHES 3				/* see run() */
#define MARGIN 10.0				/* in the criterion, of a later search's model over the winner so far:
								 * the number of pairs was chosen, too, and a second difference
								 * extrapolates the last slope, which has to be more than likely */
#define FEW_GAPS 0.2			/* share of the values */
#define COSTLY 2500				/* values times season, beyond which a stepwise search is by
								 * conditional likelihoods, and one of every model fills gaps */
/* A series without a season of so many values that is differenced once gets a drift, unless there
 * is next to none.  So short a series is mostly of years, and of those most go on as they went:
 * extrapolating the trend was what forecast the yearly series of the M3 and M4 competitions best
 * (Makridakis & Hibon 2000, Hyndman & Billah 2003).  The criterion, which asks for a proof of each,
 * finds it in few. */
#define FEWEST_FOR_DRIFT 6
#define MOST_FOR_DRIFT 29

/* See auto.h. */
const AoAutoOptions ao_auto_defaults = {
	.max_p = 5, .max_q = 5, .max_P = 2, .max_Q = 2, .max_d = 2, .max_D = 1, .max_order = 5,
	.max_models = 0, .fourier = AO_FOURIER_AUTO, .stepwise = true, .approximation = true, .criterion = AO_AICC
};

/* See auto_internal.h. */
bool
ao_choice_out_of_time(const AoChoice *choice)
{
	return ao_out_of_time(choice->task->deadline);
}

/* Bounds on the bounds. */
static AoStatus
check_options(const AoAutoOptions *o, AoEnv *env)
{
	if (o->max_p < 0 || o->max_p > AO_AUTO_MAX_P || o->max_q < 0 || o->max_q > AO_AUTO_MAX_P)
		return ao_fail(env, AO_BAD_ARGUMENT, "max_p and max_q must be between 0 and 20\n"
					   "The usual bound is 5.", 0, 0);
	if (o->max_P < 0 || o->max_P > AO_AUTO_MAX_SEASONAL || o->max_Q < 0 ||
		o->max_Q > AO_AUTO_MAX_SEASONAL)
		return ao_fail(env, AO_BAD_ARGUMENT, "max_P and max_Q must be between 0 and 5\n"
					   "The usual bound is 2.", 0, 0);
	if (o->max_d < 0 || o->max_d > 2 || o->max_D < 0 || o->max_D > 1)
		return ao_fail(env, AO_BAD_ARGUMENT,
					   "max_d must be between 0 and 2, and max_D 0 or 1\n"
					   "Models that are differenced more often have to be named.", 0, 0);
	if (o->max_order < 0 || o->max_models < 0 || o->max_models > AO_AUTO_MAX_MODELS)
		return ao_fail(env, AO_BAD_ARGUMENT,
					   "max_order must not be negative, and max_models between 1 and 10000\n"
					   "Usual is max_order 5; without max_models all in the bounds may be tried.", 0, 0);
	if (o->fourier < AO_FOURIER_AUTO || o->fourier > AO_MAX_FOURIER)
		return ao_fail(env, AO_BAD_ARGUMENT, "fourier must be between 0 and 32\n"
					   "Leave it out to have the number of pairs chosen, 0 for none.", 0, 0);
	if (!(o->time_budget_ms >= 0))
		return ao_fail(env, AO_BAD_ARGUMENT, "time_budget_ms must not be negative\n"
					   "Leave it out for no limit of time.", 0, 0);
	return AO_OK;
}

/* Orders that so short a series can bear, the criterion, and how many models to try.  Of
 * three values AICc knows only models without any coefficient: with a mean it is infinite. */
static void
cut_bounds(AoChoice *choice, int64_t known)
{
	AoAutoOptions *o = &choice->options;
	int			third = known / 3 < AO_AUTO_MAX_P ? (int) (known / 3) : AO_AUTO_MAX_P,
				seasons = choice->m > 1 ? (int) (known / 3 / choice->m) : 0;

	if (choice->m > 1 && known < choice->m)
	{
		choice->m = 1;
		choice->min_K = choice->max_K = choice->K = 0;
	}
	o->max_p = o->max_p < third ? o->max_p : third;
	o->max_q = o->max_q < third ? o->max_q : third;
	if (seasons < AO_AUTO_MAX_SEASONAL)
	{
		o->max_P = o->max_P < seasons ? o->max_P : seasons;
		o->max_Q = o->max_Q < seasons ? o->max_Q : seasons;
	}
	if (known == 3 && o->criterion == AO_AICC)
		o->criterion = AO_AIC;
	if (o->max_models == 0)
		o->max_models = o->stepwise ? 150 : AO_AUTO_MAX_MODELS;
}

/* The search is of the values from the first that is known to the last: what is missing before
 * and after them has no part in any likelihood. */
static void
leave_ends_out(AoChoice *choice)
{
	AoFitTask  *quick = &choice->quick;
	int64_t		lead = 0;

	while (lead < quick->n && isnan(quick->y[lead]))
		lead++;
	choice->lead = lead;
	while (quick->n > lead && isnan(quick->y[quick->n - 1]))
		quick->n--;
	quick->y += lead;
	quick->n -= lead;
	if (quick->xreg)
		quick->xreg += lead * quick->k;
}

/* May a search take shortcuts from so many values times season on?  One that is to be without them
 * in the end begins with them all the same: it ends at better models than one without, and sooner.
 * Where every model is tried there is no other end, so there they have to save much. */
static bool
may_take_shortcuts(const AoChoice *choice, int64_t costly)
{
	return choice->options.stepwise ||
		(choice->options.approximation && choice->quick.n * choice->m >= costly);
}

/* Are a few values missing between them, so that the search fills them?  It would take the
 * Kalman filter many times as long. */
static bool
has_few_gaps(const AoChoice *choice, int64_t known)
{
	int64_t		missing = choice->quick.n - known;

	return may_take_shortcuts(choice, COSTLY) && missing > 0 && (double) missing <= FEW_GAPS * (double) known;
}

/* Does the simplest model explain all that is known?  The values that gaps are filled with would
 * not be what it says, and so hide it. */
static AoStatus
explains_all(const AoChoice *choice, bool *all)
{
	AoSpec		simplest = ao_choice_spec(choice, 0, 0, 0, 0, choice->constant);
	double		none[1];
	AoQuickFit	fit = {.u = none};
	AoStatus	status = ao_fit_quick(&choice->quick, &simplest, choice->env, &fit);

	*all = status == AO_OK && fit.degenerate;
	return ao_ends_all(status) ? status : AO_OK;
}

/* Filled series for the search. */
static AoStatus
fill_gaps(AoChoice *choice)
{
	AoFitTask  *quick = &choice->quick;

	choice->filled = ao_arena_take(&choice->memory, (size_t) quick->n, sizeof(double));
	AO_TRY(ao_fill_gaps(quick->y, quick->n, choice->m, choice->env, choice->filled));
	quick->y = choice->filled;
	choice->approximate = true;
	return AO_OK;
}

/* Long seasons of long series: the exact likelihood takes as many steps as there are
 * values, times the season. */
static void
search_conditionally(AoChoice *choice)
{
	AoFitTask  *quick = &choice->quick;

	if (!may_take_shortcuts(choice, AO_DEAR) || choice->m == 1 || quick->n * choice->m < COSTLY || choice->max_K > 0 || quick->options->method != AO_ML ||
		quick->n < 10 * choice->m)
		return;
	choice->quick_options = *quick->options;
	choice->quick_options.method = AO_CSS;
	quick->options = &choice->quick_options;
	choice->approximate = true;
}

/* Bounds, differences, the search's one block of memory: room for the trials and, where it
 * fills gaps, for the series. */
static AoStatus
prepare(AoChoice *choice)
{
	int64_t		known,
				lead;
	int			most;
	bool		gaps;

	AO_TRY(ao_count_known(choice->task->y, choice->task->n, choice->env, &known, &lead));
	choice->drift_only = choice->m == 1 && choice->task->k == 0 &&
		known >= FEWEST_FOR_DRIFT && known <= MOST_FOR_DRIFT;
	cut_bounds(choice, known);
	leave_ends_out(choice);
	if (!choice->options.stepwise && choice->quick.n * choice->m < AO_DEAR)
		choice->quick.effort = AO_THOROUGH;
	AO_TRY(ao_choice_differences(choice));
	gaps = has_few_gaps(choice, known);
	if (gaps && choice->max_K == 0)
	{
		bool		all;

		AO_TRY(explains_all(choice, &all));
		gaps = !all;
	}
	most = ao_choice_count_all(choice);
	choice->room = choice->options.max_models < most ? choice->options.max_models : most;
	AO_TRY(ao_arena_open(&choice->memory, ao_arena_round((size_t) choice->room, sizeof(AoTrial)) +
						 (gaps ? ao_arena_round((size_t) choice->quick.n, sizeof(double)) : 0),
						 choice->env));
	choice->trials = ao_arena_take(&choice->memory, (size_t) choice->room, sizeof(AoTrial));
	if (gaps)
		AO_TRY(fill_gaps(choice));
	if (choice->quick.n == known || choice->approximate)
		search_conditionally(choice);
	return AO_OK;
}

/* Nothing could be compared: the simplest model there is. */
static AoStatus
fall_back(AoChoice *choice, AoModel **out)
{
	AoFitTask	task = *choice->task;
	AoSpec		spec = ao_choice_spec(choice, 0, 0, 0, 0, choice->constant);
	AoStatus	status;

	task.effort = AO_THOROUGH;
	task.guard.root = task.guard.at_one = 0;
	status = ao_fit_task(&task, &spec, choice->env, out);
	if (status != AO_TOO_FEW_VALUES && status != AO_COLLINEAR)
		return status;
	spec = (AoSpec) {.m = 1, .constant = AO_CONSTANT_MEAN};
	return ao_fit_task(&task, &spec, choice->env, out);
}

/* The search and its winner; none if it was given up. */
static AoStatus
search(AoChoice *choice, AoModel **out)
{
	AO_TRY(prepare(choice));
	AO_TRY(choice->options.stepwise ? ao_choice_stepwise(choice) : ao_choice_all(choice));
	if (choice->hopeless)
		return AO_OK;
	if (choice->best >= 0 && !choice->degenerate)
		AO_TRY(ao_choice_finish(choice, out));
	if (*out == NULL)
		AO_TRY(fall_back(choice, out));
	if (choice->out_of_budget)
		(*out)->remarks |= AO_REMARK_BUDGET;
	return AO_OK;
}

/* Its choice is not to be the choice. */
static void
unmark(AoChoice *choice)
{
	for (int i = 0; i < choice->n_trials; i++)
		choice->trials[i].candidate.chosen = false;
}

/* Is the model of the second search to be taken rather than that of the first? */
static AoStatus
compare(const AoChoice *first, const AoModel *model, const AoChoice *second, const AoModel *rival,
		bool *prefers)
{
	*prefers = second->best >= 0 && first->best < 0;
	if (second->degenerate)
		*prefers = second->twice;	/* two differences leave nothing to explain */
	else if (second->best >= 0 && first->best >= 0)
		return ao_choice_prefers(first, model, rival, MARGIN, prefers);
	return AO_OK;
}

/* A further search, and whether its model takes the place of *model, the winner's.  What it
 * cannot do leaves the winner. */
static AoStatus
challenge(AoChoice **winner, AoChoice *second, AoModel **model)
{
	AoEnv	   *env = second->env;
	AoModel    *rival = NULL;
	bool		prefers = false;
	AoStatus	status = search(second, &rival);

	if (status == AO_OK && rival)
		status = compare(*winner, *model, second, rival, &prefers);
	if (status == AO_OK && prefers)
	{
		AoModel    *loser = *model;

		unmark(*winner);
		*winner = second;
		*model = rival;
		rival = loser;
	}
	else
		unmark(second);
	if (rival)
		env->free(env->arg, rival);
	if (second->out_of_budget)
		(*model)->remarks |= AO_REMARK_BUDGET;
	return ao_ends_all(status) ? status : AO_OK;
}

/* Up to three searches: with one difference at most, with two if the test asks for them, and
 * with Fourier terms. */
static AoStatus
run(AoChoice searches[SEARCHES], AoModel **model)
{
	AoChoice   *winner = &searches[0],
			   *last = &searches[0];
	int			fixed = searches[0].options.fourier;

	if (fixed > 0)
		AO_TRY(ao_choice_fix_fourier(&searches[0]));
	AO_TRY(search(&searches[0], model));
	if (searches[0].asks_twice && ao_choice_follow(last, &searches[1]))
	{
		last = &searches[1];
		last->twice = true;
		if (fixed > 0)
			AO_TRY(ao_choice_fix_fourier(last));
		AO_TRY(challenge(&winner, last, model));
	}
	if (ao_choice_begin_fourier(last, &searches[2]))
	{
		searches[2].opponent = *model;
		AO_TRY(challenge(&winner, &searches[2], model));
	}
	return AO_OK;
}

/* The candidates of all searches as a block of its own. */
static AoStatus
list_candidates(const AoChoice searches[SEARCHES], AoEnv *env, AoCandidate **list, int *count)
{
	int			n = 0;

	*count = 0;
	for (int i = 0; i < SEARCHES; i++)
		*count += searches[i].n_trials;
	*list = env->alloc(env->arg, sizeof(AoCandidate) * (size_t) (*count + 1));
	if (*list == NULL)
		return ao_fail(env, AO_NO_MEMORY, NULL, 0, 0);
	for (int i = 0; i < SEARCHES; i++)
		for (int j = 0; j < searches[i].n_trials; j++)
			(*list)[n++] = searches[i].trials[j].candidate;
	return AO_OK;
}

/* State and standard errors of the choice, which is one of the candidates or none of them. */
static AoStatus
complete(const AoFitTask *task, AoChoice searches[SEARCHES], AoEnv *env, AoModel **model)
{
	double		start = ao_clock();

	AO_TRY(ao_fit_complete(task, env, model));
	for (int i = 0; i < SEARCHES; i++)
		for (int j = 0; j < searches[i].n_trials; j++)
			if (searches[i].trials[j].candidate.chosen)
				ao_choice_took(&searches[i].trials[j], start);
	return AO_OK;
}

/* Which roots a model may have. */
static AoStatus
set_guard(AoFitTask *task, AoEnv *env)
{
	int64_t		known,
				lead;

	AO_TRY(ao_count_known(task->y, task->n, env, &known, &lead));
	task->guard.root = MIN_ROOT(known);
	task->guard.at_one = LIKE_A_DIFFERENCE / (double) known;
	return AO_OK;
}

/* See auto.h. */
AoStatus
ao_choose(const double *y, int64_t n, const double *xreg, int k, int m,
		  const AoFitOptions *options, AoEnv *env, AoModel **out,
		  AoCandidate **list, int *count)
{
	AoFitOptions plain = *options;
	AoFitTask	task = {.y = y, .n = n, .xreg = xreg, .k = k, .options = &plain, .no_state = true};
	AoChoice	searches[SEARCHES] = {{.task = &task, .m = m < 1 ? 1 : m, .best = -1, .largest = -1,
	.options = options->choice ? *options->choice : ao_auto_defaults, .env = env}};
	AoModel    *model = NULL;
	AoStatus	status;

	memset(&env->err, 0, sizeof env->err);
	/* those of the choice are found when it is made, and so is its state */
	plain.no_std_errors = true;
	if (searches[0].options.time_budget_ms > 0)
		task.deadline = ao_clock() + searches[0].options.time_budget_ms;
	AO_TRY(ao_fit_check(&task, env));
	AO_TRY(set_guard(&task, env));
	searches[0].quick = task;
	searches[0].quick.effort = AO_QUICK;
	AO_TRY(check_options(&searches[0].options, env));
	status = run(searches, &model);
	task.options = options;
	task.no_state = false;
	if (status == AO_OK && model && out)
		status = complete(&task, searches, env, &model);
	if (status == AO_OK && list && count)
		status = list_candidates(searches, env, list, count);
	for (int i = 0; i < SEARCHES; i++)
		if (searches[i].memory.block)
			ao_arena_close(&searches[i].memory, env);
	if (model && (status != AO_OK || out == NULL))
		env->free(env->arg, model);
	else if (out)
		*out = model;
	return status;
}

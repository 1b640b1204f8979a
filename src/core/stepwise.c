/*
 * stepwise.c
 *		Which orders the automatic choice of the model tries: the neighbours of the
 *		best so far, or all within bounds.
 *
 * The steps are those of R. J. Hyndman & Y. Khandakar, "Automatic time series
 * forecasting: the forecast package for R", Journal of Statistical Software 27
 * (2008), 3, section 3.2, and further climbs: with their own rule of which roots a model may
 * have, where the largest of the models to begin with was refused, and where gaps were filled.
 * Models are estimated by maximum likelihood throughout, each from its neighbour's coefficients
 * besides other starts.
 */
#include "auto_internal.h"

#include <math.h>
#include <string.h>

#define BEHIND 4.0				/* at most, in the criterion, is where climb_from_passed() starts */
#define SEASONAL_MOVES 8		/* of one_step(): the first so many */
#define ENOUGH_PAIRS 3			/* without a gain, to end the search for more */

/* See auto_internal.h. */
AoSpec
ao_choice_spec(const AoChoice *choice, int p, int q, int P, int Q, bool constant)
{
	AoSpec		spec = {.p = p, .d = choice->d, .q = q, .P = P, .D = choice->D, .Q = Q,
	.m = choice->m, .K = choice->K};

	if (constant)
		spec.constant = choice->d + choice->D == 0 ? AO_CONSTANT_MEAN : AO_CONSTANT_DRIFT;
	return spec;
}

static bool
same(const AoSpec *a, const AoSpec *b)
{
	return a->p == b->p && a->q == b->q && a->P == b->P && a->Q == b->Q && a->K == b->K &&
		a->constant == b->constant;
}

/* See auto_internal.h: n is the number of terms of the likelihood; sigma2 counts. */
double
ao_choice_criterion(AoCriterion criterion, double loglik, int n_coef, int64_t n)
{
	double		k = n_coef + 1,
				left = (double) n - k - 1;

	if (criterion == AO_AIC)
		return -2 * loglik + 2 * k;
	if (criterion == AO_BIC)
		return -2 * loglik + k * log((double) n);
	return left > 0 ? -2 * loglik + 2 * k + 2 * k * (k + 1) / left : HUGE_VAL;
}

/* Unbounded parameters of `from` for the orders of `to`: what is there, then zeros. */
static void
carry_over(const AoSpec *from, const double *u, const AoSpec *to, double *out)
{
	const int	have[4] = {from->p, from->q, from->P, from->Q},
				want[4] = {to->p, to->q, to->P, to->Q};

	for (int part = 0; part < 4; part++)
	{
		for (int i = 0; i < want[part]; i++)
			out[i] = i < have[part] ? u[i] : 0;
		u += have[part];
		out += want[part];
	}
}

/* See auto_internal.h. */
const char *
ao_choice_reason(AoStatus status, const AoEnv *env)
{
	switch (status)
	{
		case AO_TOO_FEW_VALUES:
		case AO_SERIES_TOO_SHORT:
			return "too few values";
		case AO_OVER_MEMORY_LIMIT:
			return "needs more memory than the limit";
		case AO_COLLINEAR:
			return "regressors are collinear";
		default:
			return env->err.what ? env->err.what : "could not be estimated";
	}
}

/* See auto_internal.h. */
double
ao_choice_trial_criterion(const AoChoice *choice, const AoTrial *trial)
{
	bool		counts = trial->series == choice->series && (trial->strict || !choice->strict);

	return counts ? trial->criterion : HUGE_VAL;
}

/* The same of a trial by its index. */
static double
criterion(const AoChoice *choice, int trial)
{
	return ao_choice_trial_criterion(choice, &choice->trials[trial]);
}

/* What an estimate says of a model; the search goes by found->criterion. */
static void
judge(AoChoice *choice, AoTrial *trial, AoStatus status, const AoQuickFit *fit, AoCandidate *found)
{
	if (status != AO_OK)
		found->reason = ao_choice_reason(status, choice->env);
	else if (fit->degenerate)
	{
		found->reason = "leaves nothing to explain";
		choice->degenerate = true;
	}
	else
	{
		found->loglik = fit->loglik;
		found->criterion = ao_choice_criterion(choice->options.criterion, fit->loglik,
											   fit->n_coef, fit->n_used);
		trial->raw = found->criterion;
		if (found->criterion == HUGE_VAL)
			found->reason = "too few values for the criterion";
		else if (!fit->admissible)
		{
			found->reason = AO_NEAR_CIRCLE;
			found->criterion = HUGE_VAL;
		}
	}
}

/* Estimate one model.  What was said of a finalist stays. */
static AoStatus
estimate(AoChoice *choice, AoTrial *trial)
{
	AoFitTask	task = choice->quick;
	AoCandidate found = {.spec = trial->candidate.spec, .criterion = HUGE_VAL, .loglik = NAN};
	AoQuickFit	fit = {.u = trial->u};
	double		given[AO_AUTO_MAX_COEF],
				start = ao_clock();
	AoStatus	status;

	if (choice->series == AO_PLAIN && trial->final)
	{
		/* it was estimated so */
		trial->criterion = trial->candidate.criterion;
		trial->series = AO_PLAIN;
		trial->looked_around = false;
		return AO_OK;
	}
	if (choice->best >= 0)
	{
		const AoTrial *from = trial->series == choice->series ? &choice->trials[choice->best] : trial;

		carry_over(&from->candidate.spec, from->u, &found.spec, given);
		task.given = given;
		/* many columns are dear, and what they explain leaves few optima; without the
		 * shortcuts, the optimum is next to that with them */
		if (choice->max_K > 0 || (choice->series == AO_PLAIN && from == trial))
			task.effort = AO_NEARBY;
	}
	status = ao_fit_quick(&task, &found.spec, choice->env, &fit);
	if (ao_ends_all(status))
		return status;
	trial->raw = HUGE_VAL;
	trial->strict = status == AO_OK && !fit.degenerate && fit.strict;
	judge(choice, trial, status, &fit, &found);
	trial->criterion = found.criterion;
	trial->series = choice->series;
	trial->looked_around = false;
	found.milliseconds = trial->candidate.milliseconds + ao_clock() - start;
	if (trial->final)
		trial->candidate.milliseconds = found.milliseconds;
	else
		trial->candidate = found;
	return AO_OK;
}

/* Is there time for another estimate, and room if it is of a new model? */
static bool
may_go_on(AoChoice *choice, bool is_new)
{
	if ((is_new && (choice->n_trials >= choice->options.max_models || choice->n_trials >= choice->room)) ||
		ao_choice_out_of_time(choice))
		choice->out_of_budget = true;
	return !choice->out_of_budget;
}

/* The trial of a model, or NULL. */
static AoTrial *
find_trial(AoChoice *choice, const AoSpec *spec)
{
	for (int i = 0; i < choice->n_trials; i++)
		if (same(&choice->trials[i].candidate.spec, spec))
			return &choice->trials[i];
	return NULL;
}

/* The trial of a model that was not tried. */
static AoTrial *
new_trial(AoChoice *choice, const AoSpec *spec)
{
	AoTrial    *trial = &choice->trials[choice->n_trials++];

	memset(trial, 0, sizeof *trial);
	trial->candidate.spec = *spec;
	trial->series = choice->series;
	return trial;
}

/* Does a trial become the best? */
static bool
is_better(AoChoice *choice, const AoTrial *trial)
{
	int			i = (int) (trial - choice->trials);
	bool		better = criterion(choice, i) < HUGE_VAL &&
		(choice->best < 0 || criterion(choice, i) < criterion(choice, choice->best));

	if (better)
		choice->best = i;
	return better;
}

/* Try a model unless it is out of bounds or was tried before; does it become the best?  One that
 * was tried has been the best or is not better, but in a strict climb, which may take it. */
static AoStatus
try_model(AoChoice *choice, int p, int q, int P, int Q, bool constant, bool *better)
{
	const AoAutoOptions *o = &choice->options;
	AoSpec		spec = ao_choice_spec(choice, p, q, P, Q, constant);
	AoTrial    *trial;

	*better = false;
	if (p < 0 || q < 0 || P < 0 || Q < 0 || p > o->max_p || q > o->max_q || P > o->max_P ||
		Q > o->max_Q || (constant && !choice->constant) || (!constant && choice->drift_only) || spec.K < choice->min_K ||
		spec.K > choice->max_K)
		return AO_OK;
	trial = find_trial(choice, &spec);
	if (trial && trial->series == choice->series)
	{
		*better = choice->strict && is_better(choice, trial);
		return AO_OK;
	}
	/* the first one is always tried */
	if (choice->n_trials > 0 && !may_go_on(choice, trial == NULL))
		return AO_OK;
	if (trial == NULL)
		trial = new_trial(choice, &spec);
	AO_TRY(estimate(choice, trial));
	*better = is_better(choice, trial);
	return AO_OK;
}

/* How many pairs of Fourier terms a model of middle size wants, wherever its roots are: they
 * are the business of the orders. */
static AoStatus
choose_pairs(AoChoice *choice)
{
	int			p = choice->options.max_p,
				q = choice->options.max_q,
				wanted = choice->K;
	double		least = HUGE_VAL;
	bool		ignored;

	for (int K = choice->min_K; K <= choice->max_K && choice->min_K < choice->max_K; K++)
	{
		int			before = choice->n_trials;

		if (least < HUGE_VAL && K > wanted + ENOUGH_PAIRS)
			break;
		choice->K = K;
		AO_TRY(try_model(choice, p < 2 ? p : 2, q < 2 ? q : 2, 0, 0, choice->constant, &ignored));
		if (choice->n_trials > before && choice->trials[before].raw < least)
		{
			least = choice->trials[before].raw;
			wanted = K;
		}
	}
	choice->K = wanted;
	return AO_OK;
}

/* The four models to begin with, and the constant's absence. */
static AoStatus
first_models(AoChoice *choice)
{
	int			m = choice->m > 1,
				P = m && choice->options.max_P > 0,
				Q = m && choice->options.max_Q > 0,
				p = choice->options.max_p,
				q = choice->options.max_q,
				last;
	bool		c = choice->constant,
				better;

	AO_TRY(try_model(choice, 0, 0, 0, 0, c, &better));
	if (choice->degenerate)
		return AO_OK;
	AO_TRY(try_model(choice, p > 0, 0, P, 0, c, &better));
	AO_TRY(try_model(choice, 0, q > 0, 0, Q, c, &better));
	last = choice->n_trials;
	AO_TRY(try_model(choice, p < 2 ? p : 2, q < 2 ? q : 2, P, Q, c, &better));
	choice->largest = choice->n_trials > last ? last : -1;
	if (c)
		AO_TRY(try_model(choice, 0, 0, 0, 0, false, &better));
	choice->n_first = choice->n_trials;
	return AO_OK;
}

/* The neighbours of the best, the nearer first, until one is better: all of them, or those by
 * p and q alone. */
static AoStatus
one_step(AoChoice *choice, bool all, bool *better)
{
	static const int moves[][4] = {
		{0, 0, -1, 0}, {0, 0, 0, -1}, {0, 0, 1, 0}, {0, 0, 0, 1}, {0, 0, -1, -1}, {0, 0, -1, 1},
		{0, 0, 1, -1}, {0, 0, 1, 1},
		{-1, 0, 0, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {-1, -1, 0, 0}, {-1, 1, 0, 0},
		{1, -1, 0, 0}, {1, 1, 0, 0}};
	AoSpec		at = choice->trials[choice->best].candidate.spec;
	bool		constant = at.constant != AO_CONSTANT_NONE;

	*better = false;
	if (all)
		choice->trials[choice->best].looked_around = true;
	choice->K = at.K;
	for (int i = all ? 0 : SEASONAL_MOVES; i < (int) (sizeof moves / sizeof moves[0]) && !*better; i++)
		AO_TRY(try_model(choice, at.p + moves[i][0], at.q + moves[i][1], at.P + moves[i][2],
						 at.Q + moves[i][3], constant, better));
	if (!all)
		return AO_OK;
	for (int K = at.K - 1; K <= at.K + 1 && !*better; K += 2)
	{
		choice->K = K;
		AO_TRY(try_model(choice, at.p, at.q, at.P, at.Q, constant, better));
	}
	choice->K = at.K;
	if (!*better)
		AO_TRY(try_model(choice, at.p, at.q, at.P, at.Q, !constant, better));
	return AO_OK;
}

/* See auto_internal.h. */
AoStatus
ao_choice_climb(AoChoice *choice)
{
	bool		better = true;

	while (better && choice->best >= 0 && !choice->out_of_budget && !choice->degenerate &&
		   !choice->hopeless)
		AO_TRY(one_step(choice, true, &better));
	return AO_OK;
}

/* See auto_internal.h. */
AoStatus
ao_choice_climb_anew(AoChoice *choice, AoSearched series)
{
	AoSpec		spec = choice->trials[choice->best].candidate.spec;
	bool		better;

	choice->series = series;
	choice->K = spec.K;
	AO_TRY(try_model(choice, spec.p, spec.q, spec.P, spec.Q, spec.constant != AO_CONSTANT_NONE, &better));
	return ao_choice_climb(choice);
}

/* The best of the models with two coefficients at least whose neighbours were not tried, or -1. */
static int
best_passed(const AoChoice *choice)
{
	int			best = -1;

	for (int i = 0; i < choice->n_trials; i++)
	{
		const AoTrial *trial = &choice->trials[i];

		if (!trial->looked_around && trial->candidate.spec.p + trial->candidate.spec.q >= 2 &&
			criterion(choice, i) < HUGE_VAL &&
			(best < 0 || criterion(choice, i) < criterion(choice, best)))
			best = i;
	}
	return best;
}

/* From the best model of some size that the first climb passed by, if it is not far behind. */
static AoStatus
climb_from_passed(AoChoice *choice)
{
	int			summit = choice->best,
				from = best_passed(choice);
	bool		better = true;

	if (from < 0 || criterion(choice, from) > criterion(choice, summit) + BEHIND)
		return AO_OK;
	choice->best = from;
	while (better && !choice->out_of_budget && !choice->degenerate &&
		   criterion(choice, choice->best) >= criterion(choice, summit))
		AO_TRY(one_step(choice, false, &better));
	if (criterion(choice, choice->best) < criterion(choice, summit))
		return ao_choice_climb(choice);
	choice->best = summit;
	return AO_OK;
}

/* From a model with one AR or one MA coefficient less than the largest to begin with, if it is
 * the best so far. */
static AoStatus
climb_from_below(AoChoice *choice, const AoSpec *largest)
{
	bool		constant = largest->constant != AO_CONSTANT_NONE,
				first,
				second;

	AO_TRY(try_model(choice, largest->p - 1, largest->q, largest->P, largest->Q, constant, &first));
	AO_TRY(try_model(choice, largest->p, largest->q - 1, largest->P, largest->Q, constant, &second));
	return first || second ? ao_choice_climb(choice) : AO_OK;
}

/* See auto_internal.h. */
AoStatus
ao_choice_climb_again(AoChoice *choice)
{
	int			largest = choice->largest;

	choice->largest = -1;
	if (largest < 0 || choice->trials[largest].criterion < HUGE_VAL)
		return AO_OK;
	AO_TRY(climb_from_passed(choice));
	return climb_from_below(choice, &choice->trials[largest].candidate.spec);
}

/* See auto_internal.h.  It begins from those with the constant, as Hyndman & Khandakar's steps keep
 * it where the simplest model is better without. */
AoStatus
ao_choice_climb_strictly(AoChoice *choice)
{
	int			best = choice->best;

	choice->strict = true;
	choice->best = -1;
	for (int i = 0; i < choice->n_first; i++)
		if (!choice->constant || choice->trials[i].candidate.spec.constant != AO_CONSTANT_NONE)
			(void) is_better(choice, &choice->trials[i]);
	AO_TRY(ao_choice_climb(choice));
	choice->strict = false;
	/* one that leaves nothing to explain only ends this: there is another */
	choice->degenerate = false;
	choice->best = best;
	for (int i = 0; i < choice->n_trials; i++)
		(void) is_better(choice, &choice->trials[i]);
	return AO_OK;
}

/* See auto_internal.h. */
AoStatus
ao_choice_stepwise(AoChoice *choice)
{
	AO_TRY(choose_pairs(choice));
	AO_TRY(first_models(choice));
	AO_TRY(ao_choice_look_at_opponent(choice));
	AO_TRY(ao_choice_climb(choice));
	/* a search by conditional likelihoods does not go on from its finalists */
	if (choice->best < 0 || !choice->approximate || choice->filled || choice->degenerate || choice->hopeless)
		return AO_OK;
	AO_TRY(ao_choice_climb_strictly(choice));
	return ao_choice_climb_again(choice);
}

/* See auto_internal.h. */
int
ao_choice_count_all(const AoChoice *choice)
{
	const AoAutoOptions *o = &choice->options;

	return 2 * (o->max_p + 1) * (o->max_q + 1) * (o->max_P + 1) * (o->max_Q + 1) *
		(choice->max_K - choice->min_K + 1);
}

/* See auto_internal.h. */
AoStatus
ao_choice_all(AoChoice *choice)
{
	const AoAutoOptions *o = &choice->options;
	int			most = choice->constant ? 1 : 0;
	bool		better;

	AO_TRY(choose_pairs(choice));
	for (int p = 0; p <= o->max_p; p++)
		for (int q = 0; q <= o->max_q; q++)
			for (int P = 0; P <= o->max_P; P++)
				for (int Q = 0; Q <= o->max_Q; Q++)
					for (int c = 0; c <= most && p + q + P + Q <= o->max_order && !choice->degenerate; c++)
						AO_TRY(try_model(choice, p, q, P, Q, c, &better));
	return AO_OK;
}

/*
 * auto_internal.h
 *		What the files of the automatic choice of the model share.
 */
#ifndef AO_AUTO_INTERNAL_H
#define AO_AUTO_INTERNAL_H

#include "auto.h"
#include "internal.h"

/* Why a model is refused that could be estimated. */
#define AO_NEAR_CIRCLE "root near the unit circle"
#define AO_DEAR 10000			/* values times season, from which not all effort is made for every model */
#define AO_AUTO_MAX_COEF (2 * AO_AUTO_MAX_P + 2 * AO_AUTO_MAX_SEASONAL)

/* The series that a search with gaps goes by. */
typedef enum AoSearched
{
	AO_FILLED,					/* gaps bridged by straight lines, beside a season */
	AO_REFILLED,				/* filled by the best model of a first search */
	AO_PLAIN					/* as it is, by the exact likelihood */
} AoSearched;

/* A model that was tried, with what its neighbours start from. */
typedef struct AoTrial
{
	AoCandidate candidate;
	double		criterion,		/* that the search goes by: of a finalist with gaps the candidate's
								 * is another */
				raw;			/* the same, wherever the roots are */
	bool		strict,			/* the roots of this criterion keep the stricter distance, see AoQuickFit */
				final,			/* estimated with all effort */
				looked_around;	/* its neighbours were tried */
	AoSearched	series;			/* .. as it was itself, on this one */
	double		u[AO_AUTO_MAX_COEF];
} AoTrial;

/* A search under way. */
typedef struct AoChoice
{
	const AoFitTask *task;		/* as the caller gave it */
	AoFitTask	quick;			/* what the search works on: gaps filled, if they are few .. */
	AoFitOptions quick_options; /* .. and a conditional likelihood, if the exact one costs much */
	int64_t		lead;			/* values of the task before the first of those */
	double	   *filled;			/* those, if gaps are filled, or NULL */
	AoSearched	series;			/* where they are */
	int			n_refused;		/* finalists whose roots came too near to the circle */
	AoAutoOptions options;		/* bounds cut to what the series allows */
	int			d,
				D,
				m,
				before;			/* models that earlier searches tried */
	bool		twice,			/* take the second difference that the test asks for? */
				asks_twice,		/* it does, and has not got it */
				D_denied;		/* the seasonal difference that the test asks for: a regressor
								 * would be gone */
	bool		constant,		/* may a mean or drift be tried? */
				drift_only;		/* and nothing without it? */
	int			min_K,			/* pairs of Fourier terms; a search with them has no seasonal part */
				max_K,
				K;				/* to begin with */
	AoTrial    *trials;
	int			n_trials,
				room;
	int			best,			/* index of the best so far, or -1 */
				n_first,		/* models to begin with */
				largest;		/* of them, or -1 */
	const AoModel *opponent;	/* that it has to beat, or NULL */
	bool		strict,			/* only strict trials count */
				approximate,	/* the search's likelihoods are */
				out_of_budget,
				hopeless,		/* far behind the opponent, so given up */
				degenerate;		/* a model left nothing to explain */
	AoArena		memory;			/* of the trials and of the filled series */
	AoEnv	   *env;
} AoChoice;

/* Counts what was done for a model since `start`. */
AO_INLINE void
ao_choice_took(AoTrial *trial, double start)
{
	trial->candidate.milliseconds += ao_clock() - start;
}

/* A model with the differences of the choice. */
AoSpec		ao_choice_spec(const AoChoice *choice, int p, int q, int P, int Q, bool constant);
/* Models within the bounds of the orders, those beyond max_order included. */
int			ao_choice_count_all(const AoChoice *choice);
/* Differences by tests of the series, whether it may have a constant, and whether one that is to have
 * a drift has any. */
AoStatus	ao_choice_differences(AoChoice *choice);
/* A search of the same series after one that is done.  Is there budget left, and a model to
 * compete with? */
bool		ao_choice_follow(const AoChoice *last, AoChoice *next);
/* One with Fourier terms: its bounds.  Is there reason to? */
bool		ao_choice_begin_fourier(const AoChoice *last, AoChoice *fourier);
/* Bounds of a search with as many pairs as the options say. */
AoStatus	ao_choice_fix_fourier(AoChoice *choice);
/* Does the rival predict the series better than the first model, by more than the margin? */
AoStatus	ao_choice_prefers(const AoChoice *choice, const AoModel *first, const AoModel *rival,
							  double margin, bool *prefers);
/* Is the best model so far that far behind the opponent that its neighbours need not be tried? */
AoStatus	ao_choice_look_at_opponent(AoChoice *choice);
/* Why a model that could not be estimated could not. */
const char *ao_choice_reason(AoStatus status, const AoEnv *env);
/* The trial's criterion, if it was tried on the series as its gaps are filled now, or HUGE_VAL. */
double		ao_choice_trial_criterion(const AoChoice *choice, const AoTrial *trial);
/* Tries models one after the other; only cancelling and lack of memory fail. */
AoStatus	ao_choice_stepwise(AoChoice *choice);
/* From a trial to its neighbours as long as one is better, which becomes the best. */
AoStatus	ao_choice_climb(AoChoice *choice);
/* The same on another series: models are tried once more, the best so far first. */
AoStatus	ao_choice_climb_anew(AoChoice *choice, AoSearched series);
/* The largest model to begin with is there lest the search ends among small ones, none of which
 * a single step makes better.  Where it was refused, one more climb, by p and q until it is
 * above the best so far, from the best model of some size that was passed by, and one from the
 * models just below the largest. */
AoStatus	ao_choice_climb_again(AoChoice *choice);
/* The first climb once more, from the models with the constant and without those that Hyndman &
 * Khandakar refuse for a root and `auto` does not: it passes by others. */
AoStatus	ao_choice_climb_strictly(AoChoice *choice);
AoStatus	ao_choice_all(AoChoice *choice);
/* Estimates the finalists with all effort: the best of them, or NULL. */
AoStatus	ao_choice_finish(AoChoice *choice, AoModel **out);
/* Has the search used up its time? */
bool		ao_choice_out_of_time(const AoChoice *choice);
double		ao_choice_criterion(AoCriterion criterion, double loglik, int n_coef, int64_t n);

#endif							/* AO_AUTO_INTERNAL_H */

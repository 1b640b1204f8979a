/*
 * candidates.h
 *		Where the search for the highest likelihood gets its points from: what search.c and
 *		the files that serve it share.
 */
#ifndef AO_CANDIDATES_H
#define AO_CANDIDATES_H

#include "internal.h"

/* ---- whittle.c: pairs of roots by the periodogram ---- */

#define AO_MAX_ROOT_PAIRS 64

/* Factors 1 - ar[0] B - ar[1] B^2 and the same of the MA part. */
typedef struct AoRootPairs
{
	double		gain,			/* in log-likelihood, roughly */
				ar[2],
				ma[2];
} AoRootPairs;

size_t		ao_whittle_work(int n); /* doubles */
/* The most promising pairs for v[n]: in, at most how many; out, how many. */
AoStatus	ao_whittle_pairs(const double *v, int n, double *work, AoRootPairs *out, int *n_out,
							 AoEnv *env);

/* ---- candidates.c: points to look at, all [n][k] of unbounded parameters ---- */

#define AO_USUAL 24				/* of seasonal models */
void		ao_candidates_usual(const AoShape *shape, double *u);
void		ao_candidates_random(const AoShape *shape, int n, double *u);
/* An AR and an MA coefficient of the same lag, and nothing else? */
bool		ao_candidates_cancel(const AoSpec *spec);
void		ao_candidates_grid(const AoShape *shape, int n, double *u);
int			ao_candidates_pairs_count(const AoSpec *spec, bool on_circle);
/* w: n rows of n_cols, the series last; on_circle: MA roots there */
AoStatus	ao_candidates_pairs(const AoShape *shape, bool on_circle, const double *w,
								int64_t n, int n_cols, double *work, double *u, AoEnv *env);

/* the same where the series' own periodogram suggests them; count: in, at most how many;
 * out, how many */
bool		ao_candidates_has_spectral(const AoSpec *spec);
size_t		ao_candidates_spectral_work(const AoSpec *spec);	/* doubles */
AoStatus	ao_candidates_spectral(const AoShape *shape, const double *w, int64_t n, int n_cols,
								   double *work, double *u, int *count, AoEnv *env);

/* Where the lowest finite one of f[n] is, the first of them; -1 if there is none. */
int			ao_candidates_lowest(const double *f, int n);
/* The best of points u[n][k] to the `taken` that are chosen, each apart from all of those in some
 * parameter, until there are `most`; how many there are.  f: their values; of those that are looked
 * at it is HUGE_VAL then.  chosen_f: theirs, unless it is NULL. */
int			ao_candidates_choose(const double *u, double *f, int n, int k, double apart, int most,
								 double *chosen, int taken, double *chosen_f);

/* ---- insertions.c: points out of the optimum of a model with fewer roots ---- */

#define AO_LADDER_K 12			/* most parameters of a model that ladder.c serves */

int			ao_insertions_most(bool complex_pairs);
size_t		ao_insertions_work(void);	/* doubles */
/* The polynomials of one lag, 1 or the season's: p AR parameters from `at` on, q MA ones after them. */
typedef struct AoPart
{
	int			at,
				p,
				q,
				lag;
} AoPart;

/* base: optimum of the model with `fewer` less of p and q of this part, these parameters zero;
 * with one root more on either side, or a complex pair.  The points go to u[*count][k] and on. */
AoStatus	ao_insertions(const AoObjective *obj, const double *base, const AoPart *part, int fewer,
						  bool complex_pairs, double *work, double *u, int *count);

/* ---- ladder.c: the optimum by way of those of smaller models ---- */

/* Is there one for this model and series, worth its time? */
bool		ao_ladder_serves(const AoObjective *obj);
size_t		ao_ladder_bytes(const AoShape *shape);
/* Only if that is so.  thorough: more of everything.  best: in, an optimum, out, the better one. */
AoStatus	ao_ladder(AoObjective *obj, bool thorough, int max_rounds, AoArena *arena,
					  AoOptimum *best);

#endif							/* AO_CANDIDATES_H */

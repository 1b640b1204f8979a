/*
 * multistart.h
 *		Brute-force search for the highest likelihood of an ExactProblem.
 */
#ifndef REFERENCE_MULTISTART_H
#define REFERENCE_MULTISTART_H

#include "exact.h"

/*
 * The highest log-likelihood found from `descents` local searches; arma gets
 * its coefficients, hits the number of searches that came within 0.01 of it
 * (few: a narrow peak).  The same seed gives the same search.
 */
extern double multistart(ExactProblem *problem, const AoSpec *spec, int descents,
						 uint64_t seed, double *arma, int *hits);

#endif							/* REFERENCE_MULTISTART_H */

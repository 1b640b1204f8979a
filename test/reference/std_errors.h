/*
 * std_errors.h
 *		The library's standard errors against those of the independent likelihood.
 */
#ifndef REFERENCE_STD_ERRORS_H
#define REFERENCE_STD_ERRORS_H

#include "data.h"

/*
 * Largest relative deviation of the model's standard errors from the limit of those by
 * second differences of the independent likelihood; 0 where the library gives none or the
 * limit is not known to a tenth of `enough`.  print: the table behind it, where steps of 1/50
 * of a standard error are more than 1 % off, or for every model if print > 1.
 */
extern double std_error_deviation(const AoModel *model, const Table *y, const Table *xreg,
								  double enough, int print);

#endif							/* REFERENCE_STD_ERRORS_H */

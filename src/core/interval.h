/*
 * interval.h
 *		How wide the intervals of a model's forecasts are, and where in the
 *		forecast's distribution a value is.
 */
#ifndef AO_INTERVAL_H
#define AO_INTERVAL_H

#include "ao.h"

/* Intervals of one level. */
typedef struct AoInterval
{
	const AoModel *model;
	double		quantile;		/* normal or Student's */
	int			column;			/* of the calibration, the level being at or below its level; */
	double		share,			/* between it and the column before, 1: at it */
				beyond;			/* or beyond the last column: so many times that */
} AoInterval;

/* A forecast as far as its width goes. */
typedef struct AoAhead
{
	int64_t		later,			/* than the last value that the estimate knew; before it, if negative */
				step;			/* from 1, counted from the last value that is known */
	double		spread;			/* square of the sum of the impulse responses before it, over the variance,
								 * both in units of sigma2; from 0 to step */
	double		coefs;			/* what errors of the ARMA coefficients add to it, in units of 1/n of it, over what they
								 * add one step ahead, which is their number */
	double		bias;			/* the variance by coefficients less their bias, over that by the estimates */
} AoAhead;

/* level: in (0, 1) */
void		ao_interval_init(AoInterval *interval, const AoModel *model, double level);

/* Bounds around the centre, both on the scale of the filter in, on that of the series out;
 * infinite where the inverse of Box-Cox is. */
void		ao_interval_bounds(const AoInterval *interval, AoAhead ahead, double centre,
							   double std_error, double *lower, double *upper);

/* Level of the interval that a value so many standard errors from the centre is on. */
double		ao_interval_probability(const AoModel *model, AoAhead ahead, double errors);

/* What the variance of a forecast has to be multiplied with to count that the coefficients and
 * sigma2 are estimates. */
double		ao_interval_inflation(const AoModel *model, AoAhead ahead);

/* The point forecast on the scale of the series: the median, or the mean if the model adjusts
 * for the bias of the transformation. */
double		ao_point_forecast(const AoModel *model, double centre, double std_error);

/* Is a value one that can be given?  Of a negative lambda INFINITY is, where its inverse ends. */
bool		ao_is_within_reach(const AoModel *model, double value);

/* Level of column i of a calibration. */
double		ao_calibration_level(int i);

#endif							/* AO_INTERVAL_H */

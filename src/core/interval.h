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
	double width; /* half of it in standard errors, where every step has the same */
	int column; /* of the calibration, the level being at or below its level; */
	double share, /* between it and the column before, 1: at it */
		beyond; /* or beyond the last column: so many times that */
} AoInterval;

/* level: in (0, 1) */
void ao_interval_init(AoInterval *interval, const AoModel *model, double level);
/* Bounds of step (from 1) around the centre, both on the scale of the filter in, on that of
 * the series out; infinite where the inverse of Box-Cox is. */
void ao_interval_bounds(const AoInterval *interval, int step, double centre, double std_error,
						double *lower, double *upper);
/* Level of the one-step interval that a value so many standard errors from the centre is on. */
double ao_interval_probability(const AoModel *model, double errors);
/* Half width in standard errors of the kind "student"; of conformal intervals the tail. */
double ao_interval_student(const AoModel *model, double level);
/* What the variance of a forecast has to be multiplied with to count that the coefficients and
 * sigma2 are estimates. */
double ao_interval_inflation(const AoModel *model);

/* The point forecast on the scale of the series: the median, or the mean if the model adjusts
 * for the bias of the transformation. */
double ao_point_forecast(const AoModel *model, double centre, double std_error);

/* Level of column i of a calibration. */
double ao_calibration_level(int i);

#endif /* AO_INTERVAL_H */

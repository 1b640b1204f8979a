/*
 * interval.c
 *		Bounds of forecasts by the kind of interval that the model has, and its
 *		point forecast on the scale of the series.
 *
 * normal		normal quantiles; the estimates are taken for the truth.
 * student		Student's quantiles with the degrees of freedom of the estimate;
 *				the variance is RSS/(n - k), which is unbiased, and counts that the
 *				coefficients are estimates: see ao_interval_inflation.
 * conformal	the calibrated half widths, linear between their levels on the
 *				scale of normal quantiles; beyond the last the tail is Student's.
 *				Steps after the last that is calibrated have its width, counted in
 *				standard errors.  Without a calibration as student.
 */
#include "interval.h"

#include <math.h>

#include "internal.h"
#include "tests.h"

static const double levels[AO_CALIBRATION_LEVELS] = {
	0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99
};

/* See interval.h. */
double
ao_calibration_level(int i)
{
	return levels[i];
}

/* Half width of a normal interval. */
static double
normal_width(double level)
{
	return ao_normal_quantile(0.5 + level / 2);
}

/*
 * RSS/(n - k) in place of RSS/n, and what k estimated coefficients add to the
 * variance.  An ARMA coefficient adds a share of 1/n on average (Akaike 1970, the
 * final prediction error).  So do a mean and a drift one step ahead; but their
 * error goes on in one direction: h steps ahead it is the sum of the impulse
 * responses before it, squared, over n - of a random walk with drift h^2/n.
 * Where there are both, a trend, that is multiplied by the leverage of a line
 * beyond its last point, 1 + 3 (1 + 2l/n)^2, l from the end of the estimate: what
 * came since, known or missing, brings the line no nearer.  The bias of the coefficients makes
 * the variance too small besides: see bias.c.
 */
double
ao_interval_inflation(const AoModel *model, AoAhead ahead)
{
	double		n = (double) ao_model_estimated_from(model),
				k = model->n_coef + ahead.coefs,
				unit = ahead.bias / model->df;

	if (model->constant == AO_CONSTANT_NONE)
		return (n + k) * unit;
	if (model->constant == AO_CONSTANT_MEAN_DRIFT)
	{
		double		ends = 1 + 2 * (double) ahead.later / n;

		return (n + k - 2 + (1 + 3 * ends * ends) * ahead.spread) * unit;
	}
	return (n + k - 1 + ahead.spread) * unit;
}

/* Where in the calibration the level is. */
static void
find_level(AoInterval *interval, double level)
{
	double		below = 0,
				above;
	int			i = 0;

	interval->share = interval->beyond = 1;
	while (i < AO_CALIBRATION_LEVELS && levels[i] < level)
		i++;
	interval->column = i;
	if (i == AO_CALIBRATION_LEVELS)
	{
		interval->column = i - 1;
		interval->beyond = ao_student_quantile(level, interval->model->df) /
			ao_student_quantile(levels[i - 1], interval->model->df);
		return;
	}
	above = normal_width(levels[i]);
	if (i > 0)
		below = normal_width(levels[i - 1]);
	interval->share = (normal_width(level) - below) / (above - below);
}

/* See interval.h. */
void
ao_interval_init(AoInterval *interval, const AoModel *model, double level)
{
	*interval = (AoInterval) {.model = model};
	if (model->n_calibrated > 0)
		find_level(interval, level);
	else if (model->interval == AO_INTERVAL_NORMAL)
		interval->quantile = normal_width(level);
	else
		interval->quantile = ao_student_quantile(level, model->df);
}

/* The calibration of a step. */
static const double *
calibration_row(const AoModel *model, int64_t step)
{
	int64_t		row = step < model->n_calibrated ? step : model->n_calibrated;

	return ao_model_calibration(model) + (row - 1) * AO_CALIBRATION_LEVELS;
}

/* Half width in standard errors. */
static double
width_at(const AoInterval *interval, AoAhead ahead)
{
	const AoModel *model = interval->model;
	const double *row;
	double		before;

	if (model->interval == AO_INTERVAL_NORMAL)
		return interval->quantile;
	if (model->n_calibrated == 0)
		return interval->quantile * sqrt(ao_interval_inflation(model, ahead));
	row = calibration_row(model, ahead.step);
	before = interval->column > 0 ? row[interval->column - 1] : 0;
	return (before + interval->share * (row[interval->column] - before)) * interval->beyond;
}

/* See interval.h. */
void
ao_interval_bounds(const AoInterval *interval, AoAhead ahead, double centre, double std_error,
				   double *lower, double *upper)
{
	const AoModel *model = interval->model;
	double		half = width_at(interval, ahead) * std_error;

	*lower = centre - half;
	*upper = centre + half;
	if (model->has_lambda)
	{
		*lower = ao_box_cox_inverse(*lower, model->lambda);
		*upper = ao_box_cox_inverse(*upper, model->lambda);
	}
}

/* See interval.h. */
bool
ao_is_within_reach(const AoModel *model, double value)
{
	return isfinite(value) || (value > 0 && model->has_lambda && model->lambda < 0);
}

/* The same backwards in the calibration of a step. */
static double
calibrated_probability(const AoModel *model, int64_t step, double errors)
{
	const double *row = calibration_row(model, step);
	int			last = AO_CALIBRATION_LEVELS - 1,
				i = 0;
	double		before,
				below;

	if (errors > row[last])
		return row[last] > 0 ? 1 - 2 * ao_student_upper(ao_student_quantile(levels[last], model->df) * (errors / row[last]), model->df) : 1;
	while (row[i] < errors)
		i++;
	if (!(errors > 0))
		return 0;
	/* so it is above what is before, or that is 0 too */
	before = i > 0 ? row[i - 1] : 0;
	below = i > 0 ? normal_width(levels[i - 1]) : 0;
	return 1 - ao_normal_two_sided(below + (normal_width(levels[i]) - below) * ((errors - before) / (row[i] - before)));
}

/* See interval.h. */
double
ao_interval_probability(const AoModel *model, AoAhead ahead, double errors)
{
	errors = fabs(errors);
	if (model->n_calibrated > 0)
		return calibrated_probability(model, ahead.step, errors);
	if (model->interval == AO_INTERVAL_NORMAL)
		return erf(errors * 0.70710678118654752440);
	return 1 - 2 * ao_student_upper(errors / sqrt(ao_interval_inflation(model, ahead)), model->df);
}

/*
 * Mean of the inverse transform of a normal variable, to the second order of its
 * Taylor series: f(w) + f''(w) s^2/2 with f'' = (1 - lambda) (lambda w + 1)^(1/lambda - 2)
 * (Guerrero 1993; Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
 * "Bias adjustments").  Where the series does not serve, s being large
 * against lambda w + 1, it is kept within one standard error.
 */
static double
adjusted_mean(double centre, double std_error, double lambda)
{
	double		median = ao_box_cox_inverse(centre, lambda),
				base = lambda * centre + 1,
				second = lambda == 0 ? median : (1 - lambda) * copysign(pow(fabs(base), 1 / lambda - 2), base),
				mean = median + second * (0.5 * std_error * std_error);

	if (!(std_error > 0) || !isfinite(median))
		return median;
	return fmin(fmax(mean, ao_box_cox_inverse(centre - std_error, lambda)),
				ao_box_cox_inverse(centre + std_error, lambda));
}

/* See interval.h. */
double
ao_point_forecast(const AoModel *model, double centre, double std_error)
{
	if (!model->has_lambda)
		return centre;
	if (model->bias_adjust)
		return adjusted_mean(centre, std_error, model->lambda);
	return ao_box_cox_inverse(centre, model->lambda);
}

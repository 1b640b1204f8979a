/*
 * sample_model.h
 *		Valid models made without estimation, for tests and fuzzers.
 */
#ifndef SAMPLE_MODEL_H
#define SAMPLE_MODEL_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

/* A reproducible stream of numbers in [-1, 1]; start with any state. */
static inline double
sample_number(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (*state >> 11) / (double) (UINT64_C(1) << 52) - 1.0;
}

/* Coefficients of a stable polynomial from partial autocorrelations (step-up:
 * Levinson's recursion); sign is 1 for AR, -1 for MA.  In place. */
static inline void
sample_polynomial(double *coef, int n, double sign)
{
	double		last[AO_MAX_ORDER];

	for (int len = 1; len < n; len++)
	{
		memcpy(last, coef, sizeof(double) * (size_t) len);
		for (int i = 0; i < len; i++)
			coef[i] = last[i] - coef[len] * last[len - 1 - i];
	}
	for (int i = 0; i < n; i++)
		coef[i] *= sign;
}

/* Room for one model of this shape, all zero but for what follows from it; conformal if any
 * steps are calibrated. */
static inline AoModel *
sample_shape(const AoSpec *spec, int n_xreg, int calibrated, bool state_cov, size_t *bytes)
{
	AoModel		shape = {.version = AO_MODEL_VERSION, .has_state_cov = state_cov,
		.n_calibrated = (uint16_t) calibrated,
	.interval = calibrated > 0 ? AO_INTERVAL_CONFORMAL : AO_INTERVAL_NORMAL, .df = 1};
	AoModel    *model;

	ao_model_set_spec(&shape, spec, n_xreg);
	*bytes = ao_model_size(&shape);
	model = calloc(1, *bytes);
	if (model == NULL)
		abort();
	*model = shape;
	return model;
}

/* Widths that grow with the level, one row for each step. */
static inline void
sample_calibration(AoModel *model)
{
	double	   *row = ao_model_calibration(model);

	for (int i = 0; i < model->n_calibrated * AO_CALIBRATION_LEVELS; i++)
		row[i] = (1 + i % AO_CALIBRATION_LEVELS) * (0.25 + 0.01 * (i / AO_CALIBRATION_LEVELS));
}

/* A model with every value drawn from the stream; free() it. */
static inline AoModel *
sample_model(const AoSpec *spec, int n_xreg, int calibrated, bool state_cov, uint64_t seed,
			 size_t *bytes)
{
	AoModel    *model = sample_shape(spec, n_xreg, calibrated, state_cov, bytes);
	double	   *coef = ao_model_coef(model);
	size_t		len = ao_model_data_len(model);
	double	   *row = ao_model_cov(model);

	model->n = 1000;
	model->n_missing = state_cov ? 10 : 0;
	model->n_used = ao_model_terms_used(spec, model->n, model->n_missing);
	model->estimated_to = model->n;
	model->df = ao_model_degrees(model->n_used, model->n_coef);
	model->iterations = 12;
	model->sigma2 = 2.5;
	model->loglik = -1234.5;
	for (size_t i = 0; i < len; i++)
		model->data[i] = 0.9 * sample_number(&seed);
	sample_polynomial(coef, spec->p, 1.0);
	sample_polynomial(coef + spec->p, spec->q, -1.0);
	sample_polynomial(coef + spec->p + spec->q, spec->P, 1.0);
	sample_polynomial(coef + spec->p + spec->q + spec->P, spec->Q, -1.0);
	for (int i = 0; i < model->n_coef; row += ++i)
		row[i] = fabs(row[i]) + model->n_coef;
	sample_calibration(model);
	row = ao_model_state_cov(model);
	for (int i = 0; state_cov && i < model->n_state; row += ++i)
		row[i] = fabs(row[i]) + model->n_state;
	ao_model_canonicalise(model);
	return model;
}

#endif							/* SAMPLE_MODEL_H */

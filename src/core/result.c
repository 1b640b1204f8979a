/*
 * result.c
 *		Making the block of memory that is a model.
 */
#include "state.h"

#include <math.h>
#include <string.h>

#include "model_internal.h"

/* A zeroed model of this specification, with room for a calibration of so many steps; the
 * caller owns the block. */
AoStatus
ao_model_alloc(const AoSpec *spec, int n_xreg, int calibrated, bool state_cov, AoEnv *env,
			   AoModel **out)
{
	AoModel		head;
	size_t		bytes;

	memset(&head, 0, sizeof head);
	ao_model_set_spec(&head, spec, n_xreg);
	head.version = AO_MODEL_VERSION;
	head.has_state_cov = state_cov;
	head.n_calibrated = (uint16_t) calibrated;
	head.df = 1;
	bytes = ao_model_size(&head);
	if (bytes > env->max_bytes)
		return ao_fail(env, AO_OVER_MEMORY_LIMIT, NULL, (int64_t) bytes,
					   (int64_t) env->max_bytes);
	*out = env->alloc(env->arg, bytes);
	if (*out == NULL)
		return ao_fail(env, AO_NO_MEMORY, NULL, (int64_t) bytes, 0);
	memset(*out, 0, bytes);
	memcpy(*out, &head, offsetof(AoModel, data));
	return AO_OK;
}

/* State of the filter, and its covariance where the model has room for it. */
void
ao_model_set_state(AoModel *model, const AoState *st)
{
	double	   *cov = ao_model_state_cov(model);

	memcpy(ao_model_state(model), st->a, (size_t) st->s * sizeof(double));
	if (!model->has_state_cov)
		return;
	for (int i = 0; i < st->s; i++)
		for (int j = 0; j <= i; j++)
		{
			double		p = st->P ? st->P[(size_t) i * st->s + j] : 0;

			*cov++ = i == j ? fmax(p, 0) : p;
		}
}

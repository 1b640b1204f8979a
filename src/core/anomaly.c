/*
 * anomaly.c
 *		How unusual a value is, given those before it.
 */
#include "diagnostics.h"
#include "impulse.h"
#include "internal.h"

#include <math.h>

/* of the largest value: an error this small is rounding where there is no noise at all */
#define ROUNDING 1e-9

/* An end of the interval back on the scale of the series; infinite where the inverse
 * of Box-Cox is. */
static double
on_scale(const AoModel *model, double x)
{
	return model->has_lambda ? ao_box_cox_inverse(x, model->lambda) : x;
}

/* A value on the scale of the filter, but for the regression. */
static double
transformed(const AoModel *model, double y)
{
	return model->has_lambda ? ao_box_cox(y, model->lambda) : y;
}

/* See diagnostics.h. */
double
ao_one_step_forecast(const AoModel *model, double y, double e, double f)
{
	return ao_point_forecast(model, transformed(model, y) - e * sqrt(f), sqrt(model->sigma2 * f));
}

/* See diagnostics.h. */
AoStatus
ao_anomaly(const AoModel *model, double y, double e, double f, AoAhead ahead, double level,
		   double size, AoEnv *env, AoAnomaly *out)
{
	double		x = transformed(model, y),
				mean = x - e * sqrt(f),
				sigma = sqrt(model->sigma2);
	AoInterval	interval;

	ahead.spread /= f;
	if (!(level > 0 && level < 1))
		return ao_fail(env, AO_BAD_ARGUMENT, "the level must be between 0 and 1", 0, 0);
	if (sigma > 0)
		out->probability = ao_interval_probability(model, ahead, e / sigma);
	else
	{
		bool		as_foretold = fabs(y - on_scale(model, mean)) <= ROUNDING * size;

		mean = as_foretold ? x : mean;
		out->probability = as_foretold ? 0 : 1;
	}
	ao_interval_init(&interval, model, level);
	ao_interval_bounds(&interval, ahead, mean, sigma * sqrt(f), &out->lower, &out->upper);
	return AO_OK;
}

/* See diagnostics.h. */
AoStatus
ao_anomaly_ahead(const AoModel *model, int64_t longest, AoEnv *env, AoAhead *out)
{
	AoPace		pace = {env, 0};
	AoSpec		spec;
	AoArena		arena;
	AoState		st;
	AoImpulses	impulses;
	AoStatus	status = AO_OK;

	ao_model_spec(model, &spec);
	AO_TRY(ao_arena_open(&arena, ao_state_bytes(&spec, false) + ao_impulses_bytes(model, &spec, longest + 1), env));
	ao_state_init(&st, &spec, ao_model_coef(model), false, &arena);
	ao_impulses_init(&impulses, model, &spec, longest + 1, &st, &arena);
	for (int64_t gap = 0; gap <= longest && status == AO_OK; gap++)
	{
		out[gap] = ao_impulses_ahead(&impulses, 1);
		ao_impulses_next(&impulses);
		status = ao_pace(&pace, st.s);
	}
	ao_arena_close(&arena, env);
	return status;
}

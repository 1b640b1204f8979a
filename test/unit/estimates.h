/*
 * estimates.h
 *		What intervals count of coefficients' being estimates, for tests of the
 *		intervals.
 */
#ifndef ESTIMATES_H
#define ESTIMATES_H

#include "coef_error.h"
#include "unit.h"

/* Coefficients less their bias, which test_bias.c looks after. */
UNIT_UNUSED static void
less_bias(const AoModel *model, double n, double *coef)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec;
	AoArena		arena;
	AoShape		shape;

	ao_model_spec(model, &spec);
	if (ao_arena_open(&arena, ao_shape_bytes(&spec), &env) != AO_OK)
		exit(EXIT_FAILURE);
	ao_shape_init(&shape, &spec, &arena);
	UNIT_CHECK(ao_less_bias(&shape, ao_model_coef(model), n, coef) && coef[0] > ao_model_coef(model)[0], "there is a bias");
	ao_arena_close(&arena, &env);
}

/* What errors of these coefficients of (1,0,0) or (1,0,1) add to the variance of step 1 .. h: test_coef_error.c looks
 * after that. */
UNIT_UNUSED static void
find_added(const AoModel *model, double n, const double *coef, int h, double *added)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec;
	AoArena		arena;
	AoCoefError error;
	int			k;

	ao_model_spec(model, &spec);
	k = spec.p + spec.q;
	if (ao_arena_open(&arena, ao_coef_error_bytes(&spec, n), &env) != AO_OK)
		exit(EXIT_FAILURE);
	ao_coef_error_init(&error, &spec, coef, n, &arena);
	for (int j = 0; j < h; j++)
	{
		if (j > 0)
			ao_coef_error_next(&error, pow(coef[0], j - 1) * (coef[0] + (spec.q > 0 ? coef[1] : 0)));
		added[j] = ao_coef_error_more(&error, 1) + k;
	}
	ao_arena_close(&arena, &env);
}

#endif							/* ESTIMATES_H */

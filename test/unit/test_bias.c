/*
 * test_bias.c
 *		The bias of estimates against the formulas that are known in closed
 *		form, and that taking it away leaves a proper model.
 */
#include "unit.h"
#include "internal.h"

#include <math.h>

#define MAX_K 12

typedef struct Case
{
	const char *spec;
	double		coef[4];
	double		bias[4];		/* times n */
	const char *source;
} Case;

/* The bias times n, for so many coefficients; false where there is none. */
static bool
bias_times_n(const char *text, const double *coef, double n, int *k, double *out)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec;
	AoArena		arena;
	AoShape		shape;
	double		less[MAX_K],
				margin[2];
	bool		ok;

	if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK || ao_arena_open(&arena, ao_shape_bytes(&spec), &env) != AO_OK)
		abort();
	ao_shape_init(&shape, &spec, &arena);
	*k = shape.k;
	ok = ao_less_bias(&shape, coef, n, less);
	if (ok)
		UNIT_CHECK(ao_interior(&shape, less, &margin[0], &margin[1]), "%s, n = %g: stationary and invertible", text, n);
	for (int i = 0; ok && i < shape.k; i++)
		out[i] = n * (coef[i] - less[i]);
	ao_arena_close(&arena, &env);
	return ok;
}

/* Closed forms; 1 % is what the sums over frequencies are good for. */
static void
test_known(void)
{
	static const Case cases[] = {
		{"(1,0,0) without constant", {0.6}, {-1.2}, "-2 ar1"},
		{"(1,0,0)", {0.6}, {-2.8}, "-(1 + 3 ar1), Kendall 1954"},
		{"(1,1,0)", {-0.3}, {0.6}, "-2 ar1"},
		{"(1,1,0) with drift", {0.9}, {-3.7}, "-(1 + 3 ar1), Kendall 1954"},
		{"(2,0,0) without constant", {1.2, -0.5}, {-1.2, 0.5}, "-ar1, -(1 + 3 ar2), Shaman & Stine 1988"},
		{"(1,0,1) without constant", {0, 0.5}, {0, 0.5}, "ma1 for a moving average, Tanaka 1984"},
		{"(0,0,0)(1,0,0)[12] without constant", {0.6}, {-1.2}, "as (1,0,0) in its own lag"},
		{"(0,0,0)(1,0,0)[12]", {0.6}, {-2.8}, "as (1,0,0) in its own lag"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const Case *c = &cases[i];
		double		bias[MAX_K];
		int			k,
					good = 0;

		if (bias_times_n(c->spec, c->coef, 1000, &k, bias))
			for (int j = 0; j < k; j++)
				good += fabs(bias[j] - c->bias[j]) <= 0.01 * fmax(1, fabs(c->bias[j])) || (c->coef[j] == 0);
		UNIT_CHECK(good == k, "%s: %s", c->spec, c->source);
	}
}

/* Where roots are at the circle, cancel or are many: a bounded answer, or none. */
static void
test_edges(void)
{
	static const Case cases[] = {
		{"(1,0,0)", {0.999}, {0}, NULL},
		{"(1,0,0)", {-0.9999999}, {0}, NULL},
		{"(1,0,1)", {0.5, -0.5}, {0}, NULL},
		{"(1,0,1)", {0.97, -0.9700001}, {0}, NULL},
		{"(1,1,1)(1,1,1)[12]", {0.99, -0.9999999, 0.98, -0.9999999}, {0}, NULL},
		{"(1,0,0)(1,0,0)[366]", {0.5, 0.95}, {0}, NULL},
		{"(1,0,0)[12] with fourier(6)", {0.5}, {0}, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (double n = 3; n < 1e6; n *= 30)
		{
			const Case *c = &cases[i];
			double		bias[MAX_K];
			int			k;
			bool		good = true;

			if (bias_times_n(c->spec, c->coef, n, &k, bias))
				for (int j = 0; j < k; j++)
					good = good && isfinite(bias[j]) && fabs(bias[j] / n) < 2;
			UNIT_CHECK(good, "%s, n = %g: bounded", c->spec, n);
		}
}

int
main(void)
{
	test_known();
	test_edges();
	return unit_done();
}

/*
 * test_gap_columns.c
 *		Gaps as columns of the fast recursions: the likelihood and the cross products are those of the
 *		filter, wherever the gaps are, and what has too few digits goes to the filter.
 */
#include "unit.h"
#include "gap_columns.h"

#define N 240
#define POINTS 24
#define ROOM ((size_t) 64 << 20)

typedef struct Case
{
	const char *spec;
	int			k;				/* regressors */
	int			from,
				to,
				every;			/* values from..to-1 are missing, but for every so many */
	double		spread,			/* of the unbounded parameters */
				digits;			/* to which both agree */
} Case;

static const Case cases[] = {
	{"(0,0,0)", 0, 50, 60, 0, 1, 1e-9},
	{"(1,0,1)", 0, 20, 200, 13, 1.5, 1e-9},
	{"(2,1,2)", 1, 30, 220, 17, 1.5, 1e-9},
	{"(0,2,1)", 0, 100, 109, 0, 1, 1e-9},
	{"(1,1,1)(0,1,1)[12]", 0, 20, 230, 19, 1.5, 1e-9},
	{"(1,1,1)(1,0,1)[12]", 2, 100, 112, 0, 1.5, 1e-9},
	{"(2,0,1)(1,1,1)[7]", 1, 1, 240, 21, 1.5, 1e-9},	/* some of the first season, too, and the last value */
	{"(1,1,2)(0,1,1)[12]", 0, 2, 9, 0, 1.5, 1e-9},
	{"(0,1,1)(2,1,0)[24]", 0, 60, 200, 11, 1, 1e-9},
	{"(0,1,1)(0,1,1)[52]", 0, 10, 220, 18, 1.2, 1e-9},
	{"(3,0,3)", 0, 20, 200, 9, 2.5, 1e-7},	/* near the circle, where the filter has no more */
	{"(0,1,2)(0,1,1)[12]", 0, 60, 180, 40, 4, 1e-8},
};

static uint64_t state = 5;

static double
noise(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (int64_t) state / 9223372036854775808.0;
}

/* A series that wanders about a wave, with the gaps of a case, and regressors. */
static void
make_series(const Case *at, int m, double *y, double *x)
{
	double		level = 0;

	for (int t = 0; t < N; t++)
	{
		bool		missing = t >= at->from && t < at->to && (at->every == 0 || (t - at->from) % at->every == 0);

		level += noise();
		y[t] = missing ? NAN : level + 4 * sin(2 * AO_PI * t / (m > 1 ? m : 10)) + noise();
		for (int j = 0; j < at->k; j++)
			x[t * at->k + j] = noise() + 0.01 * t * j;
	}
}

/* Largest differences between the two at random points; how many are the columns' own. */
static void
compare(AoObjective *obj, AoGapColumns *columns, double spread, double *worst_f, double *worst_cross, int *own)
{
	int			k = obj->shape->k,
				nc = obj->design->n_beta + 1,
				size = nc * (nc + 1) / 2;
	double		coef[POINTS * 16],
				u[16],
				f[2][POINTS],
				log_f[2][POINTS],
				cross[2][POINTS * 36];

	for (int i = 0; i < POINTS; i++)
	{
		for (int j = 0; j < k; j++)
			u[j] = spread * noise();
		ao_natural_from_free(obj->shape, u, coef + i * k);
	}
	for (int by = 0; by < 2; by++)
	{
		obj->columns = by ? columns : NULL;
		if (ao_objective(obj, coef, POINTS, f[by], cross[by], log_f[by]) != AO_OK)
			abort();
	}
	*worst_f = *worst_cross = 0;
	*own = 0;
	for (int i = 0; i < POINTS; i++)
	{
		*own += f[0][i] != f[1][i] || memcmp(cross[0] + i * size, cross[1] + i * size, (size_t) size * sizeof(double)) != 0;
		*worst_f = unit_worse(*worst_f, fabs(f[0][i] - f[1][i]) / fmax(1, fabs(f[0][i])));
		*worst_f = unit_worse(*worst_f, fabs(log_f[0][i] - log_f[1][i]) / fmax(1, fabs(log_f[0][i])));
		for (int j = 0; j < size; j++)
		{
			double		of = fmax(1, fabs(cross[0][i * size + size - 1]));

			*worst_cross = unit_worse(*worst_cross, fabs(cross[0][i * size + j] - cross[1][i * size + j]) / of);
		}
	}
}

/* One case, to the last digits that either has. */
static void
test_case(const Case *at, AoArena *arena, AoEnv *env)
{
	AoSpec		spec;
	AoShape		shape;
	AoDesign	design;
	AoObjective obj;
	AoGapColumns *columns;
	AoFitOptions options = {.method = AO_ML};
	double		y[N],
				x[N * 2],
				worst_f,
				worst_cross;
	int			own;

	arena->used = 0;
	if (ao_spec_parse(at->spec, strlen(at->spec), &spec, env) != AO_OK)
		abort();
	make_series(at, spec.m, y, x);
	ao_shape_init(&shape, &spec, arena);
	if (ao_design_make(&design, &shape, y, N, x, at->k, &options, arena, env) != AO_OK)
		abort();
	ao_objective_init(&obj, &shape, &design, env, arena);
	columns = obj.columns ? obj.columns : ao_gap_columns_make(&shape, &design, arena, env);
	obj.precise = true;
	compare(&obj, columns, at->spread, &worst_f, &worst_cross, &own);
	UNIT_CHECK(worst_f < at->digits && worst_cross < at->digits, "%s, %d gaps: values within %.0e, products within %.0e",
			   at->spec, (int) design.n_missing, worst_f, worst_cross);
	UNIT_CHECK(own >= POINTS / 4, "%s: %d of %d points by columns", at->spec, own, POINTS);
}

/* Where it is quicker: long seasons and few gaps. */
static void
test_serves(AoArena *arena, AoEnv *env)
{
	static const struct
	{
		const char *spec;
		int			n,
					gaps;
		bool		serves;
	}			rules[] = {
		{"(1,1,1)(0,1,1)[52]", 2000, 100, true}, {"(1,1,1)(0,1,1)[12]", 300, 15, true},
		{"(1,1,1)(0,1,1)[52]", 2000, 0, false}, {"(1,1,1)", 1000, 50, false},
		{"(1,1,1)(0,1,1)[12]", 300, 100, false}, {"(1,1,1)(0,1,1)[168]", 100000, 5000, false},
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
	{
		AoSpec		spec;
		AoShape		shape;

		arena->used = 0;
		if (ao_spec_parse(rules[i].spec, strlen(rules[i].spec), &spec, env) != AO_OK)
			abort();
		ao_shape_init(&shape, &spec, arena);
		UNIT_CHECK(ao_gap_columns_serve(&shape, rules[i].n, rules[i].gaps) == rules[i].serves,
				   "%s, %d of %d missing: %s", rules[i].spec, rules[i].gaps, rules[i].n,
				   rules[i].serves ? "by columns" : "by the filter");
	}
}

int
main(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoArena		arena;

	env.max_bytes = 2 * ROOM;
	if (ao_arena_open(&arena, ROOM, &env) != AO_OK)
		abort();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		test_case(&cases[i], &arena, &env);
	test_serves(&arena, &env);
	ao_arena_close(&arena, &env);
	UNIT_CHECK(memory.live == 0, "nothing left behind");
	return unit_done();
}

/*
 * test_coef_error.c
 *		What errors of the coefficients add to the variance of forecasts, against closed
 *		forms, and against forecasts that are made with coefficients that are off.
 */
#include "unit.h"
#include "coef_error.h"
#include "state.h"

#define STEPS 30
#define PAST 400

/* A model's coefficients, their error, and their impulse responses. */
typedef struct Subject
{
	UnitMemory	memory;
	AoEnv		env;
	AoSpec		spec;
	AoArena		arena;
	AoCoefError error;
	double		psi[STEPS];
} Subject;

/* psi_0 .. of a model. */
static void
find_psi(Subject *subject, const double *coef)
{
	AoState		st;
	double	   *v;

	ao_state_init(&st, &subject->spec, coef, false, &subject->arena);
	v = ao_arena_take(&subject->arena, (size_t) st.s, sizeof(double));
	memcpy(v, st.G, (size_t) st.s * sizeof(double));
	subject->psi[0] = 1;
	for (int h = 1; h < STEPS; h++)
	{
		subject->psi[h] = ao_state_observe(&st, v);
		ao_state_transition(&st, v, subject->psi[h]);
	}
}

static void
open_subject(Subject *subject, const char *text, const double *coef, double n)
{
	subject->env = unit_env(&subject->memory);
	if (ao_spec_parse(text, strlen(text), &subject->spec, &subject->env) != AO_OK ||
		ao_arena_open(&subject->arena, ao_coef_error_bytes(&subject->spec, n) + ao_state_bytes(&subject->spec, false) + 100000, &subject->env) != AO_OK)
		abort();
	ao_coef_error_init(&subject->error, &subject->spec, coef, n, &subject->arena);
	find_psi(subject, coef);
}

static void
close_subject(Subject *subject, const char *text)
{
	ao_arena_close(&subject->arena, &subject->env);
	UNIT_CHECK(subject->memory.live == 0, "%s: nothing left behind", text);
}

/* What is added at step h of (1,0,0): h^2 ar1^(2h-2), Fuller & Hasza 1981. */
static double
of_first_order(const double *coef, int h)
{
	return h * h * pow(coef[0], 2 * h - 2);
}

/* The forecast is one and the same for all steps. */
static double
of_level(const double *coef, int h)
{
	(void) coef;
	(void) h;
	return 1;
}

/* There is nothing to be forecast beyond the first step. */
static double
of_moving_average(const double *coef, int h)
{
	(void) coef;
	return h == 1;
}

/* As (1,0,0) in its own lag: at the first twelve steps as at its first, then as at its second. */
static double
of_season(const double *coef, int h)
{
	return of_first_order(coef, (h + 11) / 12);
}

static void
test_known(void)
{
	static const struct
	{
		const char *spec;
		double		coef[2];
		double		(*added) (const double *coef, int h);
	}			cases[] = {
		{"(1,0,0)", {0.6}, of_first_order},
		{"(1,0,0) without constant", {-0.8}, of_first_order},
		{"(1,0,0)", {0.98}, of_first_order},
		{"(0,1,1)", {-0.4}, of_level},
		{"(0,1,1)", {0.7}, of_level},
		{"(0,0,1)", {0.7}, of_moving_average},
		{"(0,0,0)(1,0,0)[12]", {0.7}, of_season}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Subject		subject;
		double		worst = 0,
					variance = 0;

		open_subject(&subject, cases[i].spec, cases[i].coef, 1e5);
		for (int h = 1; h <= STEPS; h++)
		{
			double		added,
						known = cases[i].added(cases[i].coef, h);

			if (h > 1)
				ao_coef_error_next(&subject.error, subject.psi[h - 1]);
			variance += subject.psi[h - 1] * subject.psi[h - 1];
			added = (ao_coef_error_more(&subject.error, variance) + 1) * variance;
			worst = unit_worse(worst, fabs(added - known) / fmax(1, known));
		}
		UNIT_NEAR(worst, 0, 5e-3, "%s with %g: as known", cases[i].spec, cases[i].coef[0]);
		close_subject(&subject, cases[i].spec);
	}
}

/* The weights of the forecast h steps ahead of the innovations before it, w[i] that of e_(t-i), by coefficients `off`
 * where the values are those by `coef`: both models' filters run over an impulse. */
static void
forecast_weights(Subject *subject, const double *coef, const double *off, int h, double *w)
{
	AoState		true_st,
				st;
	double	   *pulse;

	ao_state_init(&true_st, &subject->spec, coef, false, &subject->arena);
	ao_state_init(&st, &subject->spec, off, false, &subject->arena);
	pulse = ao_arena_take(&subject->arena, (size_t) true_st.s, sizeof(double));
	memset(pulse, 0, (size_t) true_st.s * sizeof(double));
	memset(st.a, 0, (size_t) st.s * sizeof(double));
	for (int i = 0; i < PAST; i++)
	{
		double		y = ao_state_observe(&true_st, pulse) + (i == 0),
					v = y - ao_state_observe(&st, st.a);

		ao_state_transition(&true_st, pulse, y - (i == 0));
		for (int j = 0; i == 0 && j < true_st.s; j++)
			pulse[j] += true_st.G[j];
		ao_state_transition(&st, st.a, y - v);
		for (int j = 0; j < st.s; j++)
			st.a[j] += st.G[j] * v;
		memcpy(st.work, st.a, (size_t) st.s * sizeof(double));
		for (int step = 1; step <= h; step++)
		{
			w[i] = ao_state_observe(&st, st.work);
			ao_state_transition(&st, st.work, w[i]);
		}
	}
}

/* E g g' of h steps, by differences; G[k][k]. */
static void
numeric_products(const char *text, const double *coef, int k, int h, double *G)
{
	static double g[4][PAST],
				more[PAST],
				less[PAST];
	const double d = 1e-5;
	Subject		subject;

	for (int a = 0; a < k; a++)
	{
		double		off[4];

		memcpy(off, coef, sizeof(double) * (size_t) k);
		open_subject(&subject, text, coef, PAST);
		off[a] = coef[a] + d;
		forecast_weights(&subject, coef, off, h, more);
		off[a] = coef[a] - d;
		forecast_weights(&subject, coef, off, h, less);
		ao_arena_close(&subject.arena, &subject.env);
		for (int i = 0; i < PAST; i++)
			g[a][i] = (more[i] - less[i]) / (2 * d);
	}
	for (int a = 0; a < k; a++)
		for (int b = 0; b < k; b++)
		{
			G[a * k + b] = 0;
			for (int i = 0; i < PAST; i++)
				G[a * k + b] += g[a][i] * g[b][i];
		}
}

/* Models whose forecasts are moved by errors of several coefficients at once. */
static void
test_moved(void)
{
	static const struct
	{
		const char *spec;
		int			k;
		double		coef[4];
	}			cases[] = {
		{"(2,0,0)", 2, {1.2, -0.5}},
		{"(1,0,1)", 2, {0.6, 0.3}},
		{"(2,1,2)", 4, {0.5, -0.3, 0.4, 0.2}},
		{"(0,1,1)(0,1,1)[4]", 2, {-0.4, -0.6}},
		{"(1,0,1)(1,0,1)[4]", 4, {0.5, 0.3, 0.6, -0.2}}
	};
	const int	steps[] = {2, 5, 12};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int s = 0; s < 3; s++)
		{
			Subject		subject;
			double		first[16],
						G[16],
						scale[4],
						want = 0,
						variance = 1;
			int			k = cases[i].k;

			numeric_products(cases[i].spec, cases[i].coef, k, 1, first);
			numeric_products(cases[i].spec, cases[i].coef, k, steps[s], G);
			if (!ao_invert(first, k, scale))
				abort();
			for (int j = 0; j < k * k; j++)
				want += first[j] * G[j];
			open_subject(&subject, cases[i].spec, cases[i].coef, 1e5);
			for (int h = 1; h < steps[s]; h++)
			{
				ao_coef_error_next(&subject.error, subject.psi[h]);
				variance += subject.psi[h] * subject.psi[h];
			}
			UNIT_NEAR((ao_coef_error_more(&subject.error, variance) + k) * variance, want, 5e-3, "%s, step %d: as forecasts are moved", cases[i].spec, steps[s]);
			close_subject(&subject, cases[i].spec);
		}
}

/* Where roots are at the circle, cancel, are many or far apart, and where there are few values: a bounded share. */
static void
test_edges(void)
{
	static const struct
	{
		const char *spec;
		int			k;
		double		coef[14];
	}			cases[] = {
		{"(1,0,0)", 1, {0.9999999}},
		{"(1,0,1)", 2, {0.5, -0.5}},
		{"(1,0,1)", 2, {0.97, -0.9700001}},
		{"(1,2,1)(1,1,1)[12]", 4, {0.99, -0.9999999, 0.98, -0.9999999}},
		{"(1,0,0)(2,0,0)[365]", 3, {0.5, 0.5, 0.4}},
		{"(1,0,0)", 1, {9.5}},
		{"(13,0,0)", 13, {0.5}}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (double n = 2; n < 1e6; n *= 30)
		{
			Subject		subject;
			double		variance = 1;
			bool		good = true;

			open_subject(&subject, cases[i].spec, cases[i].coef, n);
			for (int h = 1; h < 2 * STEPS; h++)
			{
				double		psi = subject.psi[h < STEPS ? h : STEPS - 1],
							more;

				ao_coef_error_next(&subject.error, psi);
				variance += psi * psi;
				more = ao_coef_error_more(&subject.error, variance);
				good = good && more >= -cases[i].k - 1e-6 && more < 1000 * h;
			}
			UNIT_CHECK(good && (cases[i].k <= AO_COEF_ERROR_MOST || ao_coef_error_more(&subject.error, variance) == 0), "%s, n = %g: bounded", cases[i].spec, n);
			close_subject(&subject, cases[i].spec);
		}
}

int
main(void)
{
	test_known();
	test_moved();
	test_edges();
	return unit_done();
}

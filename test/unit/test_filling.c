/*
 * test_filling.c
 *		Gaps bridged for a first look: what that puts there, wherever the gaps are, does not
 *		show in the estimate.  Regressors that the differences leave nothing of, with gaps and
 *		without.
 */
#include "unit.h"

#include "internal.h"
#include "model_internal.h"

#define N 120

/* A walk with a regressor, which is missing where it says so. */
static void
make_series(int from, int to, double *y, double *x)
{
	uint64_t	state = 3;
	double		level = 0;

	for (int t = 0; t < N; t++)
	{
		x[t] = unit_noise(&state);
		y[t] = (level += unit_noise(&state)) + 2 * x[t] + unit_noise(&state);
		if (t >= from && t < to)
			x[t] = NAN;
	}
}

/* Memory as it may come, full of such bytes. */
typedef struct Dirty
{
	UnitMemory	memory;
	int			byte;
} Dirty;

static void *
dirty_alloc(void *arg, size_t bytes)
{
	Dirty	   *dirty = arg;
	void	   *block = unit_alloc(&dirty->memory, bytes);

	if (block)
		memset(block, dirty->byte, bytes);
	return block;
}

static void
dirty_free(void *arg, void *block)
{
	unit_free(&((Dirty *) arg)->memory, block);
}

/* The same model out of clean memory and out of memory of values near 1e300, and of NaN. */
static void
test_memory(const char *text, AoMethod method, int from, int to)
{
	static const int bytes[] = {0, 0x7e, 0xff};
	AoFitOptions options = {.method = method};
	AoModel    *models[3];
	double		y[N],
				x[N];

	make_series(from, to, y, x);
	for (int i = 0; i < 3; i++)
	{
		Dirty		dirty = {.byte = bytes[i]};
		AoEnv		env = {.alloc = dirty_alloc, .free = dirty_free, .arg = &dirty, .max_bytes = (size_t) 256 << 20};
		AoSpec		spec;

		if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK ||
			ao_fit(y, N, x, 1, &spec, &options, &env, &models[i]) != AO_OK)
			abort();
		UNIT_CHECK(ao_model_size(models[i]) == ao_model_size(models[0]) &&
				   memcmp(models[i], models[0], ao_model_size(models[0])) == 0,
				   "%s, %d..%d missing, in memory of %02x: the same model", text, from, to, bytes[i]);
	}
	for (int i = 0; i < 3; i++)
		free(models[i]);
}

/* A level that the differences take away makes no difference. */
static void
test_level(const char *text, double level, int k)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoSpec		spec;
	AoModel    *low,
			   *high;
	double		y[N],
				x[N];

	make_series(0, 0, y, x);
	y[40] = y[71] = y[72] = NAN;
	if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK ||
		ao_fit(y, N, x, k, &spec, &options, &env, &low) != AO_OK)
		abort();
	for (int t = 0; t < N; t++)
		y[t] += level;
	if (ao_fit(y, N, x, k, &spec, &options, &env, &high) != AO_OK)
		abort();
	UNIT_CHECK(low->remarks == high->remarks, "%s, at %g: what is said of it", text, level);
	UNIT_NEAR(high->loglik, low->loglik, 1e-9, "%s, at %g: likelihood", text, level);
	for (int i = 0; i < low->n_coef; i++)
		UNIT_NEAR(ao_model_coef(high)[i], ao_model_coef(low)[i], 1e-6, "%s, at %g: coefficient %d", text, level, i);
	env.free(env.arg, low);
	env.free(env.arg, high);
	UNIT_CHECK(memory.live == 0, "nothing is left behind");
}

enum Kind
{
	CALENDAR, WAVE, LINE, LARGE
};

/* A value of a regressor of a kind. */
static double
regressor(enum Kind kind, int t, uint64_t *state)
{
	switch (kind)
	{
		case CALENDAR:
			return t % 12 == 3;
		case WAVE:
			return sin(2 * AO_PI * t / 12);
		case LINE:
			return 5.1 * t;
		default:
			return 1e9 + unit_noise(state);
	}
}

/* What differences make zero, or would but for rounding, is an error; what is small beside its
 * level is none. */
static void
test_gone(const char *text, enum Kind kind, bool gaps, AoStatus want)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoModel    *model = NULL;
	AoSpec		spec;
	AoStatus	status;
	uint64_t	state = 9;
	double		y[N],
				x[N];

	make_series(0, 0, y, x);
	for (int t = 0; t < N; t++)
		x[t] = regressor(kind, t, &state);
	if (gaps)
		y[5] = y[40] = y[41] = y[77] = NAN;
	if (ao_spec_parse(text, strlen(text), &spec, &env) != AO_OK)
		abort();
	status = ao_fit(y, N, x, 1, &spec, &options, &env, &model);
	UNIT_CHECK(status == want, "%s, regressor %d, gaps: %d: status %d", text, kind, gaps, status);
	env.free(env.arg, model);
	UNIT_CHECK(memory.live == 0, "nothing is left behind");
}

int
main(void)
{
	for (int gaps = 0; gaps <= 1; gaps++)
	{
		test_gone("(0,1,1)(0,1,1)[12]", CALENDAR, gaps, AO_COLLINEAR);
		test_gone("(0,1,1)(0,1,1)[12]", WAVE, gaps, AO_COLLINEAR);
		test_gone("(1,0,0)(0,1,1)[12] with drift", WAVE, gaps, AO_COLLINEAR);
		test_gone("(0,2,1)", LINE, gaps, AO_COLLINEAR);
		test_gone("(1,1,0)(0,1,0)[12]", LINE, gaps, AO_COLLINEAR);
		test_gone("(0,1,1)", LINE, gaps, AO_OK);
		test_gone("(1,0,0)", WAVE, gaps, AO_OK);
		test_gone("(0,1,1)", LARGE, gaps, AO_OK);
		test_gone("(0,1,1)(0,1,1)[12]", LARGE, gaps, AO_OK);
	}
	test_level("(0,1,1)", 1e6, 1);
	test_level("(0,1,1) with drift", 1e6, 0);
	test_level("(1,1,0)(0,1,1)[12]", 1e6, 1);
	test_level("(1,0,0)(0,1,1)[12] with drift", -1e6, 1);
	test_memory("(1,1,1)", AO_ML, 0, 3);
	test_memory("(1,1,1)", AO_CSS, 0, 1);
	test_memory("(2,0,1) with mean", AO_CSS_ML, 0, 2);
	test_memory("(1,1,1)(0,1,1)[12]", AO_ML, 0, 1);
	test_memory("(1,1,1)(0,1,1)[12]", AO_ML, 5, 9);
	test_memory("(0,1,1)(0,1,1)[12]", AO_ML, 117, 120);
	return unit_done();
}

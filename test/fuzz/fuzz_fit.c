/*
 * fuzz_fit.c
 *		Any short series under any small specification: refused with one of the
 *		statuses that a user can be told of, or a model that passes its own
 *		check and that every function can use with finite answers.
 */
#include "../unit/exercise_model.h"
#include "auto.h"

#define TAKE_RAW 0x01			/* values are the bytes of doubles, not small numbers */
#define TAKE_GAPS 0x02			/* byte 255 is a missing value */
#define TAKE_STEPS 0x04			/* the series is the sum of what is given */
#define TAKE_XREG 0x08			/* one regressor */
#define TAKE_AUTO 0x10			/* the orders are bounds of the automatic choice */

#define LONGEST 48
#define MAX_FUZZ_ORDER 3
#define MAX_FUZZ_PERIOD 6
#define MAX_FUZZ_MODELS 12

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Specification, method and flags out of the first eight bytes. */
static AoSpec
read_spec(const uint8_t *data, AoFitOptions *options, int *flags)
{
	AoSpec		spec = {.m = 1};

	spec.p = data[0] % (MAX_FUZZ_ORDER + 1);
	spec.q = data[1] % (MAX_FUZZ_ORDER + 1);
	spec.d = data[2] % 3;
	spec.P = data[3] % 2;
	spec.D = (data[3] >> 1) % 2;
	spec.Q = (data[3] >> 2) % 2;
	if (spec.P + spec.D + spec.Q > 0)
		spec.m = 2 + data[4] % (MAX_FUZZ_PERIOD - 1);
	spec.constant = (AoConstant) (data[5] % 4);
	options->method = (AoMethod) (data[6] % 3);
	options->has_lambda = data[6] >= 192;
	options->lambda = options->has_lambda ? (data[6] - 224) / 32.0 : 0;
	*flags = data[7];
	return spec;
}

/* The specification "auto" with the orders of spec as bounds. */
static AoSpec
choose_within(const AoSpec *spec, AoAutoOptions *bounds)
{
	*bounds = ao_auto_defaults;
	bounds->max_p = spec->p;
	bounds->max_q = spec->q;
	bounds->max_P = spec->P;
	bounds->max_Q = spec->Q;
	bounds->max_d = spec->d;
	bounds->max_D = spec->D;
	bounds->stepwise = spec->constant != AO_CONSTANT_NONE;
	bounds->approximation = (spec->p + spec->q) % 2 == 0;
	bounds->criterion = spec->constant == AO_CONSTANT_DRIFT ? AO_BIC : AO_AICC;
	bounds->max_models = MAX_FUZZ_MODELS;
	return (AoSpec) {.is_auto = true, .m = spec->m};
}

/* The series: as bytes of doubles, or small numbers; its length. */
static int64_t
read_series(const uint8_t *data, size_t size, int flags, double *y)
{
	int64_t		n = 0;
	size_t		width = (flags & TAKE_RAW) != 0 ? 8 : 1;
	double		sum = 0;

	for (; size >= width && n < LONGEST; data += width, size -= width)
	{
		double		value;

		if (width == 8)
			memcpy(&value, data, sizeof(value));
		else
			value = (*data - 128) / 8.0;
		if ((flags & TAKE_STEPS) != 0)
			value = sum += value;
		if (width == 1 && (flags & TAKE_GAPS) != 0 && *data == 255)
			value = NAN;
		y[n++] = value;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoFitOptions options = {.method = AO_ML};
	AoAutoOptions bounds;
	AoSpec		spec;
	AoModel    *model = NULL;
	AoStatus	status;
	double		y[LONGEST],
				x[LONGEST];
	int64_t		n;
	int			flags,
				k;

	if (size < 8)
		return 0;
	spec = read_spec(data, &options, &flags);
	if ((flags & TAKE_AUTO) != 0)
	{
		spec = choose_within(&spec, &bounds);
		options.choice = &bounds;
	}
	n = read_series(data + 8, size - 8, flags, y);
	for (int i = 0; i < LONGEST; i++)
		x[i] = (i * 7919 % 101) / 50.0 - 1;
	k = (flags & TAKE_XREG) != 0;
	status = ao_fit(y, n, k ? x : NULL, k, &spec, &options, &env, &model);
	/* a search has blocks of its own, the same number however many models it tries, and there are three
	 * at most, with other Fourier terms; a model is rolled over what is missing at the end */
	require(memory.most <= ((flags & TAKE_AUTO) != 0 ? 7 : 3));
	if (status != AO_OK)
	{
		require(status != AO_NO_MEMORY && status != AO_CANCELLED && status != AO_BAD_MODEL);
		return 0;
	}
	require(ao_model_check(model, ao_model_size(model), &env) == AO_OK);
	require(model->n == n);
	require(exercise_model(model, data[0] + 256u * data[1], (flags & TAKE_GAPS) != 0) == NULL);
	env.free(env.arg, model);
	return 0;
}

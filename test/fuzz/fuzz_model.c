/*
 * fuzz_model.c
 *		Any bytes as a model: refused by ao_model_check, or usable by every
 *		function that takes one, with finite answers.
 *
 * The first byte says how the others are taken: as the block itself, or as
 * orders and values that a model of the right shape is made of.
 */
#include "../unit/exercise_model.h"

#define TAKE_BLOCK 0x01			/* the rest is the block */
#define TAKE_RAW 0x02			/* values are the bytes of doubles, not small numbers */
#define TAKE_PARTIALS 0x04		/* ARMA coefficients are given as partial autocorrelations */
#define TAKE_LARGE 0x08			/* orders up to LARGE_ORDER, periods up to LARGE_PERIOD */

/* Large enough for every way through the code, small enough to be fast. */
#define SMALL_ORDER 5
#define SMALL_PERIOD 12
#define LARGE_ORDER 30
#define LARGE_PERIOD 24

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of the input; zeros after its end. */
typedef struct Input
{
	const uint8_t *data;
	size_t		left;
} Input;

static int
take_byte(Input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->data++;
}

/* A number between -2 and 2, or any double at all. */
static double
take_number(Input *input, int flags)
{
	uint64_t	bits = 0;
	double		value;

	if ((flags & TAKE_RAW) == 0)
	{
		int			high = take_byte(input);

		return (high * 256 + take_byte(input) - 32768) / 16384.0;
	}
	for (int i = 0; i < 8; i++)
		bits = bits << 8 | (uint64_t) take_byte(input);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static AoSpec
take_spec(Input *input, int flags)
{
	int			most = 1 + ((flags & TAKE_LARGE) != 0 ? LARGE_ORDER : SMALL_ORDER);
	int			longest = (flags & TAKE_LARGE) != 0 ? LARGE_PERIOD : SMALL_PERIOD;
	AoSpec		spec = {.m = 1};

	spec.p = take_byte(input) % most;
	spec.d = take_byte(input) % 3;
	spec.q = take_byte(input) % most;
	spec.P = take_byte(input) % 3;
	spec.D = take_byte(input) % 2;
	spec.Q = take_byte(input) % 3;
	spec.constant = (AoConstant) (take_byte(input) % 4);
	if (spec.P + spec.D + spec.Q > 0)
		spec.m = 2 + take_byte(input) % (longest - 1);
	return spec;
}

/* One polynomial, from partial autocorrelations cut to [-1, 1] if so asked. */
static void
make_polynomial(double *coef, int n, double sign, int flags)
{
	if ((flags & TAKE_PARTIALS) == 0)
		return;
	for (int i = 0; i < n; i++)
		coef[i] = fmax(-1.0, fmin(1.0, coef[i]));
	sample_polynomial(coef, n, sign);
}

/* A model from orders and values, or NULL if these orders can have none. */
static AoModel *
make_model(Input *input, int flags, size_t *bytes)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = take_spec(input, flags);
	int			kind = take_byte(input);
	int			intervals = take_byte(input);
	AoModel    *model;
	double	   *coef;
	size_t		len;

	if (ao_spec_check(&spec, &env) != AO_OK)
		return NULL;
	model = sample_shape(&spec, kind % 3 == 0 ? 1 + kind % 4 : 0, intervals % 5, (kind & 0x10) != 0, bytes);
	model->method = (uint8_t) (kind >> 6) % 3;
	model->remarks = (kind & 0x20) != 0 ? AO_REMARK_DEGENERATE : 0;
	model->n = 1 + take_byte(input) * 10;
	model->n_missing = take_byte(input) % model->n;
	model->n_used = ao_model_terms_used(&spec, model->n, model->n_missing);
	model->sigma2 = fabs(take_number(input, flags));
	model->loglik = take_number(input, flags);
	model->has_lambda = (kind & 0x08) != 0;
	model->lambda = model->has_lambda ? take_number(input, flags) : 0.0;
	if (intervals % 5 == 0)
		model->interval = (uint8_t) (intervals >> 6) % 3;
	model->bias_adjust = model->has_lambda && (intervals & 0x20) != 0;
	model->df = 1 + (intervals & 0x10) * take_byte(input);
	model->estimated_to = model->n - model->df;
	len = ao_model_data_len(model);
	for (size_t i = 0; i < len && input->left > 0; i++)
		model->data[i] = take_number(input, flags);
	if ((flags & TAKE_RAW) == 0)
		sample_calibration(model);
	coef = ao_model_coef(model);
	make_polynomial(coef, spec.p, 1.0, flags);
	make_polynomial(coef + spec.p, spec.q, -1.0, flags);
	make_polynomial(coef + spec.p + spec.q, spec.P, 1.0, flags);
	make_polynomial(coef + spec.p + spec.q + spec.P, spec.Q, -1.0, flags);
	ao_model_canonicalise(model);
	return model;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	Input		input = {data, size};
	int			flags = take_byte(&input);
	AoModel    *model;
	const char *wrong = NULL;

	if ((flags & TAKE_BLOCK) != 0)
	{
		size = input.left;
		model = malloc(size > 0 ? size : 1);
		if (model == NULL)
			abort();
		memcpy(model, input.data, size);
	}
	else
	{
		model = make_model(&input, flags, &size);
		if (model == NULL)
			return 0;
	}
	if (ao_model_check(model, size, &env) == AO_OK)
		wrong = exercise_model(model, size, (flags & 0x10) != 0);
	free(model);
	if (wrong != NULL)
	{
		fprintf(stderr, "fuzz_model: %s\n", wrong);
		abort();
	}
	return 0;
}

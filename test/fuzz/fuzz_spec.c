/*
 * fuzz_spec.c
 *		Any bytes as a specification: refused with a position inside the text,
 *		or read, written and read again to the same.
 */
#include "../unit/unit.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Each field is the same; padding is not compared. */
static bool
same_spec(const AoSpec *a, const AoSpec *b)
{
	return a->p == b->p && a->d == b->d && a->q == b->q && a->P == b->P && a->D == b->D &&
		a->Q == b->Q && a->m == b->m && a->constant == b->constant && a->is_auto == b->is_auto;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec;
	AoSpec		again;
	char		text[128];
	size_t		len;
	AoStatus	status = ao_spec_parse((const char *) data, size, &spec, &env);

	if (status == AO_BAD_SPEC)
	{
		require(env.err.pos >= 1 && env.err.pos <= (int64_t) size + 1);
		require(env.err.what != NULL);
		return 0;
	}
	if (status == AO_ORDER_TOO_LARGE)
	{
		require(env.err.have > env.err.need && env.err.what != NULL);
		return 0;
	}
	require(status == AO_OK);
	require(ao_spec_check(&spec, &env) == AO_OK);
	len = ao_spec_format(&spec, text, sizeof(text));
	require(len < sizeof(text) && text[len] == '\0');
	require(ao_spec_parse(text, len, &again, &env) == AO_OK);
	require(same_spec(&spec, &again));
	require(ao_model_state_dim(&spec) >= 0 && ao_model_state_dim(&spec) < 3000);
	require(ao_model_coef_count(&spec, AO_MAX_XREG) <= 2 * AO_MAX_ORDER + 100 + AO_MAX_XREG + 2);
	return 0;
}

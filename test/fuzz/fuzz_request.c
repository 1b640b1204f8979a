/*
 * fuzz_request.c
 *		The body of a request to arima_restd: whatever comes, it is read within its
 *		bounds; what is passed on to PostgreSQL is JSON, and reads as itself.
 */
#include "../../src/proxy/json.c"
#include "../../src/proxy/text.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* without a zero behind it, so that a step too far is seen */
	char	   *body = need_memory(NULL, size);
	Text		out = {0};
	Text		again = {0};
	Text		quoted = {0};
	JsonFault	fault;
	JsonOutcome outcome;

	if (size > 0)
		memcpy(body, data, size);
	outcome = json_read(body, size, &out, &fault);
	check((outcome == JSON_INVALID) == (fault.message != NULL));
	if (outcome == JSON_INVALID)
		check(fault.position <= size);
	if (outcome == JSON_READ)
	{
		check(json_read(out.data, out.size, &again, &fault) == JSON_READ);
		check(again.size == out.size && memcmp(again.data, out.data, out.size) == 0);
	}
	/* any bytes at all are a string of JSON once they are quoted */
	text_add_json(&quoted, body, size);
	again.size = 0;
	check(json_read(quoted.data, quoted.size, &again, &fault) == JSON_READ);
	text_free(&quoted);
	text_free(&again);
	text_free(&out);
	free(body);
	return 0;
}

/*
 * test_spec.c
 *		The specification language: what is understood, in which canonical
 *		form, and what is refused, where and why.
 */
#include "unit.h"

static AoStatus
parse(const char *text, AoSpec *spec, AoError *error)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoStatus	status = ao_spec_parse(text, strlen(text), spec, &env);

	*error = env.err;
	return status;
}

/* Text that is understood, and its canonical form, which must read the same. */
static void
test_accepted(void)
{
	static const char *const cases[][2] = {
		{"(1,1,1)", "(1,1,1)"},
		{"(0,0,0)", "(0,0,0)"},
		{"(2,0,1)", "(2,0,1)"},
		{" ( 2 , 0 , 1 ) ", "(2,0,1)"},
		{"\t(2,\n0,\r1)\v\f", "(2,0,1)"},
		{"ARIMA(1,1,1)", "(1,1,1)"},
		{"arima (1,1,1)", "(1,1,1)"},
		{"ArImA\n(1,1,1)", "(1,1,1)"},
		{"(1,1,1)(0,1,1)[12]", "(1,1,1)(0,1,1)[12]"},
		{"arima (1,1,1) (0,1,1) [ 12 ]", "(1,1,1)(0,1,1)[12]"},
		{"(1,1,1)(0,0,0)[12]", "(1,1,1)[12]"},
		{"(1,1,1)[12]", "(1,1,1)[12]"},
		{"(1,1,1)[1]", "(1,1,1)"},
		{"(1,0,0)with mean", "(1,0,0)"},
		{"(1,1,1)WithDrift", "(1,1,1) with drift"},
		{"arima(1,0,0)withoutconstant", "(1,0,0) without constant"},
		{"(1,1,0)[52]withdriftandfourier(3)", "(1,1,0)[52] with drift and fourier(3)"},
		{"(1,0,0) WITH  Mean", "(1,0,0)"},
		{"(1,0,0) with drift", "(1,0,0) with drift"},
		{"(1,0,0) without constant", "(1,0,0) without constant"},
		{"(1,1,0) without constant", "(1,1,0)"},
		{"(1,1,0) with drift", "(1,1,0) with drift"},
		{"(1,0,0)(0,1,1)[4] with drift", "(1,0,0)(0,1,1)[4] with drift"},
		{"(1,0,0)(1,0,0)[4]", "(1,0,0)(1,0,0)[4]"},
		{"(1,2,0)", "(1,2,0)"},
		{"(001,01,000000000000000000002)", "(1,1,2)"},
		{"(100,4,100)", "(100,4,100)"},
		{"(100,0,0)(2,4,2)[366]", "(100,0,0)(2,4,2)[366]"},
		{"(1,0,0)(33,0,0)[3]", "(1,0,0)(33,0,0)[3]"},
		{"(1,0,0)[52] with fourier(3)", "(1,0,0)[52] with fourier(3)"},
		{"(1,0,0)[52]WITH Fourier ( 03 ) with mean", "(1,0,0)[52] with fourier(3)"},
		{"(1,1,0)[52] with fourier(3) and drift", "(1,1,0)[52] with drift and fourier(3)"},
		{"(1,0,0)[7] with drift with fourier(3)", "(1,0,0)[7] with drift and fourier(3)"},
		{"(1,0,0)[64] without constant with fourier(32)", "(1,0,0)[64] with fourier(32) without constant"},
		{"(1,1,0)(1,0,0)[12] with fourier(6) without constant", "(1,1,0)(1,0,0)[12] with fourier(6)"},
		{"(1,0,0)[52] with fourier(0)", "(1,0,0)[52]"},
		{"auto", "auto"},
		{" AUTO ", "auto"},
		{"auto[12]", "auto[12]"},
		{"Auto [ 7 ]", "auto[7]"},
		{"auto[1]", "auto"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		AoSpec		spec,
					again;
		AoError		error;
		char		text[128];
		size_t		len;

		UNIT_CHECK(parse(cases[i][0], &spec, &error) == AO_OK, "reads \"%s\"", cases[i][0]);
		len = ao_spec_format(&spec, text, sizeof(text));
		UNIT_CHECK(strcmp(text, cases[i][1]) == 0 && len == strlen(text),
				   "as %s (got %s)", cases[i][1], text);
		UNIT_CHECK(parse(text, &again, &error) == AO_OK &&
				   memcmp(&spec, &again, offsetof(AoSpec, is_auto)) == 0 &&
				   spec.is_auto == again.is_auto, "and %s reads the same", text);
	}
}

/* The fields themselves, and the constants that orders imply. */
static void
test_fields(void)
{
	AoSpec		spec;
	AoError		error;

	UNIT_CHECK(parse("(1,2,3)(4,0,5)[6]", &spec, &error) == AO_OK, "seasonal orders are read");
	UNIT_CHECK(spec.p == 1 && spec.d == 2 && spec.q == 3 && spec.P == 4 && spec.D == 0 &&
			   spec.Q == 5 && spec.m == 6 && !spec.is_auto, "each into its field");
	UNIT_CHECK(spec.constant == AO_CONSTANT_NONE, "no constant by default with differences");
	UNIT_CHECK(parse("(1,0,0)", &spec, &error) == AO_OK && spec.constant == AO_CONSTANT_MEAN &&
			   spec.m == 1, "a mean by default without");
	UNIT_CHECK(parse("(1,0,0)(0,1,0)[2]", &spec, &error) == AO_OK &&
			   spec.constant == AO_CONSTANT_NONE, "a seasonal difference counts");
	UNIT_CHECK(parse("(1,0,0) with drift", &spec, &error) == AO_OK &&
			   spec.constant == AO_CONSTANT_MEAN_DRIFT, "drift without differences brings the mean");
	UNIT_CHECK(parse("(1,1,0) with drift", &spec, &error) == AO_OK &&
			   spec.constant == AO_CONSTANT_DRIFT, "drift with one difference stands alone");
	UNIT_CHECK(parse("(1,0,0)[52] with fourier(3)", &spec, &error) == AO_OK && spec.K == 3 &&
			   spec.constant == AO_CONSTANT_MEAN, "Fourier terms leave the constant as it is");
	UNIT_CHECK(parse("auto[4]", &spec, &error) == AO_OK && spec.is_auto && spec.m == 4,
			   "auto keeps its period");
}

/* Text that is refused, and the 1-based position that is blamed. */
static void
test_refused(void)
{
	static const struct
	{
		const char *text;
		int			pos;
	}			cases[] = {
		{"", 1}, {"   ", 4}, {"x", 1}, {"(", 2}, {"()", 2}, {"(1", 3}, {"(1,", 4},
		{"(1,1", 5}, {"(1,1)", 5}, {"(1,1,", 6}, {"(1,1,1", 7}, {"(1,1,1,1)", 7},
		{"(-1,0,0)", 2}, {"(+1,0,0)", 2}, {"(1.5,0,0)", 3}, {"(1 1,0,0)", 4},
		{"(1,1,1))", 8}, {"(1,1,1) x", 9}, {"(1,1,1)(0,1,1)", 15},
		{"(1,1,1)(0,1,1) with drift", 16}, {"(1,1,1)(0,1)[12]", 12},
		{"(1,1,1)(0,1,1)[", 16}, {"(1,1,1)(0,1,1)[]", 16}, {"(1,1,1)(0,1,1)[12", 18},
		{"(1,1,1)(0,1,1)[12)", 18}, {"(1,1,1)(0,1,1)[1]", 15}, {"(1,1,1)(0,1,1)[0]", 15},
		{"(1,1,1)[0]", 8}, {"(1,1,1)(0,1,1)[-12]", 16},
		{"(1,1,0) with", 13}, {"(1,1,0) with blanks", 14}, {"(1,0,0) withmeans", 17},
		{"(1,0,0) with means", 18}, {"(1,0,0) without", 16}, {"(1,0,0) without mean", 17},
		{"(1,1,0) with mean", 9}, {"(1,0,0)(0,1,0)[4] with mean", 19},
		{"(1,2,0) with drift", 9}, {"(1,1,0)(0,1,0)[4]   with drift", 21},
		{"(1,0,0) with mean with drift", 19}, {"(1,0,0) with mean)", 18},
		{"(1,0,0) with mean without constant", 19}, {"(1,0,0) with fourier(3)", 9},
		{"(1,0,0)[12] with fourier(7)", 13}, {"(1,0,0)(0,1,0)[12] with drift with fourier(2)", 31},
		{"(1,0,0)[12] with fourier", 25}, {"(1,0,0)[12] with fourier(2", 27},
		{"(1,0,0)[12] with fourier(-1)", 26}, {"(1,0,0)[12] with fourier(2) and", 32},
		{"(1,0,0)[12] with fourier(2) with fourier(2)", 29}, {"(1,0,0)[12] and fourier(2)", 13},
		{"auto[12] with fourier(2)", 10}, {"ARIMA", 6}, {"ARIMAX(1,1,1)", 6}, {"SARIMA(1,1,1)", 1}, {"auto(1,1,1)", 5},
		{"auto with drift", 6}, {"auto[", 6}, {"auto[0]", 5}, {"autos", 5}, {"auto 12", 6},
		{"(99999999999999999999999,0,0)", 2}, {"(0, 100000000,0)", 5}, {"(0,0,0)(2147483648,0,0)[366]", 9},
		{"(0,0,0)(0,0,4294967297)[366]", 13}, {"(1,1,1)(1,1,1)[18446744073709551628]", 16},
		{"(1,1,1)[12] with fourier( 4294967298)", 27}, {"auto[99999999999", 6},
		{"(1,1,1)\xc3\xa9", 8}, {"1,1,1", 1}, {"[12]", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		AoSpec		spec = {.p = 77};
		AoError		error;
		AoStatus	status = parse(cases[i].text, &spec, &error);

		UNIT_CHECK(status == AO_BAD_SPEC && error.pos == cases[i].pos && error.what != NULL,
				   "refuses \"%s\" at %d (status %d, at %d: %s)", cases[i].text, cases[i].pos,
				   (int) status, (int) error.pos, error.what ? error.what : "no reason");
		UNIT_CHECK(spec.p == 77, "and leaves the result alone");
	}
}

/* What other programs write is refused with a hint how it is written here. */
static void
test_hints(void)
{
	static const struct
	{
		const char *text;
		int			pos;
		const char *hint;		/* or NULL: that of the table */
	}			cases[] = {
		{"SARIMA(1,1,1)(0,1,1,12)", 1, "(1,1,1)(0,1,1)[12]"}, {"SARIMAX(1,1,1)", 1, "(1,1,1)"},
		{"order=(1,1,1)", 1, "without names"}, {"c(1,1,1)", 1, "without names"}, {"ARIMAX(1,1,1)", 6, "without names"},
		{"ARIMA(order=(1,1,1))", 7, "without names"}, {"(p,d,q)", 2, "without names"},
		{"(0,1,1)(0,1,1,12)", 14, "square brackets: (0,1,1)(0,1,1)[12]"},
		{"arima (0, 1, 1) (0, 1, 1 , 12)", 26, "square brackets: (0,1,1)(0,1,1)[12]"},
		{"(0,1,1,0,1,1,12)", 7, "right behind"}, {"(1,1,1)x(0,1,1)[12]", 8, "right behind"},
		{"(1,1,1) X (0,1,1)12", 9, "right behind"}, {"(1,1,1), (0,1,1,12)", 8, "right behind"}, {"(1,1,1)*(0,1,1)", 8, "right behind"},
		{"auto(12)", 5, "auto[12]"}, {"auto 12", 6, "auto[12]"}, {"auto_arima", 5, "auto[12]"},
		{"(1,1,1)(0,1,1)", 15, NULL}, {"(1,1,1) with", 13, NULL}, {"1,1,1", 1, NULL}, {"(1,1,1;", 7, NULL}, {"(1,1,1)y", 8, NULL}, {"(1,-1,1)", 4, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		AoSpec		spec;
		AoError		error;
		AoStatus	status = parse(cases[i].text, &spec, &error);
		const char *hint = status == AO_BAD_SPEC ? strchr(error.what, '\n') : NULL;

		UNIT_CHECK(status == AO_BAD_SPEC && error.pos == cases[i].pos, "refuses \"%s\" at %d", cases[i].text, cases[i].pos);
		UNIT_CHECK(cases[i].hint ? hint && strstr(hint, cases[i].hint) : !hint, "with %s (%s)",
				   cases[i].hint ? cases[i].hint : "no hint of its own", hint ? hint + 1 : "none");
	}
}

/* Orders beyond the limits: which limit, and what was asked for. */
static void
test_limits(void)
{
	static const struct
	{
		const char *text;
		int64_t		need;
		int64_t		have;
	}			cases[] = {
		{"(101,0,0)", 100, 101}, {"(0,0,101)", 100, 101}, {"(0,5,0)", 4, 5},
		{"(1,0,0)[366] with fourier(33)", 32, 33}, {"(0,0,0)(0,5,0)[12]", 4, 5}, {"(1,1,1)[367]", 366, 367}, {"auto[367]", 366, 367},
		{"(1,0,0)(3,0,0)[34]", 100, 103}, {"(0,0,2)(0,0,3)[33]", 100, 101},
		{"(101,0,0)(2,0,0)[2]", 100, 101},
		{"(99999999,0,0)", 100, 99999999}, {"(0,0,0)(0,0,99999999)[366]", 100, INT64_C(99999999) * 366},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		AoSpec		spec;
		AoError		error;
		AoStatus	status = parse(cases[i].text, &spec, &error);

		UNIT_CHECK(status == AO_ORDER_TOO_LARGE && error.need == cases[i].need &&
				   error.have == cases[i].have && error.what != NULL,
				   "\"%s\" is too large (status %d, limit %ld, have %ld)", cases[i].text,
				   (int) status, (long) error.need, (long) error.have);
	}
}

/* Specifications that no text gives are checked too. */
static void
test_check(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		good = {.p = 1, .m = 1, .constant = AO_CONSTANT_MEAN};
	AoSpec		bad;

	UNIT_CHECK(ao_spec_check(&good, &env) == AO_OK, "a good specification");
	bad = good;
	bad.q = -1;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "a negative order");
	bad = good;
	bad.p = INT32_MAX;
	bad.P = INT32_MAX;
	bad.m = 366;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_ORDER_TOO_LARGE, "the largest orders");
	bad = good;
	bad.K = -1;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "a negative number of Fourier pairs");
	bad.m = 366;
	bad.K = INT32_MAX;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "the largest number of Fourier pairs");
	bad = good;
	bad.m = INT32_MIN;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "a negative period");
	bad = good;
	bad.constant = (AoConstant) 4;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "an unknown constant");
	bad = good;
	bad.constant = AO_CONSTANT_DRIFT;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "drift alone without differences");
	bad = good;
	bad.d = 1;
	bad.constant = AO_CONSTANT_MEAN_DRIFT;
	UNIT_CHECK(ao_spec_check(&bad, &env) == AO_BAD_SPEC, "mean and drift with a difference");
}

/* The writer never passes the end of its buffer. */
static void
test_format(void)
{
	AoSpec		spec = {.p = 1, .d = 1, .q = 1, .D = 1, .Q = 1, .m = 12, .constant = AO_CONSTANT_DRIFT};
	AoSpec		wild = {.p = INT32_MIN, .d = INT32_MIN, .q = INT32_MIN, .P = INT32_MIN,
		.D = INT32_MIN, .Q = INT32_MIN, .m = INT32_MIN, .K = INT32_MIN, .constant = AO_CONSTANT_DRIFT};
	const char *full = "(1,1,1)(0,1,1)[12] with drift";
	char		text[128];

	for (size_t size = 0; size <= strlen(full) + 2; size++)
	{
		bool		inside;
		size_t		len;

		memset(text, '#', sizeof(text));
		len = ao_spec_format(&spec, text, size);
		inside = text[size] == '#';
		UNIT_CHECK(len == strlen(full) && inside &&
				   (size == 0 || (strlen(text) < size && strncmp(text, full, strlen(text)) == 0)),
				   "format into %d bytes", (int) size);
	}
	UNIT_CHECK(ao_spec_format(&wild, text, sizeof(text)) < sizeof(text), "128 bytes hold any");
}

/* Text need not end in NUL, and a NUL inside it is no end. */
static void
test_length(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec;
	const char	text[] = "(1,1,1)\0)";

	UNIT_CHECK(ao_spec_parse(text, 7, &spec, &env) == AO_OK, "the length counts");
	UNIT_CHECK(ao_spec_parse(text, 8, &spec, &env) == AO_BAD_SPEC && env.err.pos == 8,
			   "a NUL byte is refused");
	UNIT_CHECK(ao_spec_parse(text, 6, &spec, &env) == AO_BAD_SPEC && env.err.pos == 7,
			   "nothing is read beyond the length");
}

int
main(void)
{
	test_accepted();
	test_fields();
	test_refused();
	test_hints();
	test_limits();
	test_check();
	test_format();
	test_length();
	return unit_done();
}

/*
 * test_differences.c
 *		The choice of differences and the seasonal decomposition behind it.
 *		Where nothing else is said the wanted numbers are those of R 4.2.2 and
 *		its package forecast 8.20.
 */
#include "read_series.h"
#include "tests.h"

static UnitMemory memory;
static AoEnv env;

static bool
is_constant(const double *y, int64_t n)
{
	bool		constant = false;

	return ao_is_constant(y, n, &env, &constant) == AO_OK && constant;
}

static int
ndiffs(const double *y, int64_t n)
{
	int			d = -1;

	return ao_ndiffs(y, n, 0.05, 2, &env, &d) == AO_OK ? d : -1;
}

static int
nsdiffs(const double *y, int64_t n, int m)
{
	int			D = -1;

	return ao_nsdiffs(y, n, m, 1, &env, &D) == AO_OK ? D : -1;
}

/* Seasonal and trend component at some points of a decomposition by R's stl. */
typedef struct Component
{
	int			at;				/* 1-based */
	double		seasonal;
	double		trend;
} Component;

static void
check_stl(const char *name, const double *y, int64_t n, int m, AoStlOptions options,
		  const Component *wanted, int count)
{
	double		seasonal[READ_MAX];
	double		trend[READ_MAX];

	UNIT_CHECK(ao_stl(y, n, m, &options, &env, seasonal, trend) == AO_OK, "stl of %s", name);
	for (int i = 0; i < count; i++)
	{
		int			t = wanted[i].at - 1;

		UNIT_NEAR(seasonal[t], wanted[i].seasonal, 1e-12, "%s: seasonal %d", name, t + 1);
		UNIT_NEAR(trend[t], wanted[i].trend, 1e-12, "%s: trend %d", name, t + 1);
	}
}

static void
test_stl(void)
{
	static const Component plain[] = {
		{1, -16.9770740863708, 123.145056928086}, {2, -17.1776333371615, 123.7250692399},
		{3, 7.52094222570464, 124.305081551714}, {50, -23.3541716794409, 217.746265792597},
		{100, -11.171926478414, 360.056499018074}, {143, -75.594634255091, 493.138373702536},
		{144, -44.1963249789503, 496.683254025195}
	};

	/* of 143 values: R 4.2's median of an even number is that of another pair */
	static const Component robust[] = {
		{1, -20.8596136617179, 130.274311418262}, {51, 3.41008562044437, 223.026132452451},
		{100, -7.03748498672834, 353.744330101968}, {142, -24.5406425249296, 491.835233243609},
		{143, -64.9868427600527, 496.770690020938}
	};
	static const Component narrow[] = {
		{1, -0.096259825952376, 4.80738878769205}, {2, -0.0441237608164886, 4.81238134932622},
		{15, 0.0759043467941998, 4.89452953972558}, {28, 0.0116735827891069, 5.10695575042891},
		{29, -0.0245602280779774, 5.12547653349811}
	};
	static const Component shortest[] = {
		{1, 1.81307631016272, 115.224129283155}, {4, 2.04188303732081, 127.359310051301},
		{7, 2.27055196204825, 140.409840584378}
	};
	ReadSeries	air;
	ReadSeries	logs;

	read_series(&air, "AirPassengers");
	read_series(&logs, "log_AirPassengers");
	check_stl("AirPassengers", air.y, 144, 12, (AoStlOptions) {11, false}, plain, 7);
	check_stl("AirPassengers, robust", air.y, 143, 12, (AoStlOptions) {11, true}, robust, 5);
	check_stl("logs, two years and a half", logs.y, 29, 12, (AoStlOptions) {7, false}, narrow, 5);
	check_stl("seven values of period 3", air.y, 7, 3, (AoStlOptions) {11, false}, shortest, 3);
}

/* d, D and seasonal strength of the reference series. */
static void
test_reference(void)
{
	static const struct
	{
		const char *name;
		int			m;
		int			d;
		int			D;
		double		strength;
		double		tolerance;
	}			wanted[] = {
		{"AirPassengers", 12, 1, 1, 0.94067249031, 1e-10},
		{"log_AirPassengers", 12, 1, 1, 0.964453970045, 1e-10},
		{"USAccDeaths", 12, 0, 1, 0.944794464889, 1e-10},
		/* over the known values; six gaps, filled otherwise than there */
		{"presidents", 4, 0, 0, 0.3036651, 2e-3},
		{"Nile", 1, 1, 0, NAN, 0},
		{"LakeHuron", 1, 1, 0, NAN, 0},
		{"lh", 1, 0, 0, NAN, 0},
		{"WWWusage", 1, 1, 0, NAN, 0},
		{"DAX", 1, 2, 0, NAN, 0},
		{"log_DAX", 1, 1, 0, NAN, 0},
		{"lynx", 1, 0, 0, NAN, 0},
		{"log10_lynx", 1, 0, 0, NAN, 0}
	};
	ReadSeries	series;
	double		strength;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
	{
		read_series(&series, wanted[i].name);
		UNIT_CHECK(ndiffs(series.y, series.n) == wanted[i].d, "%s: d", wanted[i].name);
		UNIT_CHECK(nsdiffs(series.y, series.n, wanted[i].m) == wanted[i].D, "%s: D", wanted[i].name);
		if (wanted[i].m == 1)
			continue;
		strength = NAN;
		ao_seasonal_strength(series.y, series.n, wanted[i].m, &env, &strength);
		UNIT_NEAR(strength, wanted[i].strength, wanted[i].tolerance, "%s: strength", wanted[i].name);
	}
}

/* Series without noise, of every length, of every scale. */
static void
test_degenerate(void)
{
	double		y[80];

	for (int i = 0; i < 80; i++)
		y[i] = 3;
	UNIT_CHECK(ndiffs(y, 80) == 0 && nsdiffs(y, 80, 4) == 0, "constant");
	for (int i = 0; i < 80; i++)
		y[i] = (i + 1) / 10.0;
	UNIT_CHECK(ndiffs(y, 20) == 1, "a line needs one difference, whatever the rounding");
	UNIT_CHECK(nsdiffs(y, 20, 4) == 0, "a line has no season");
	for (int i = 0; i < 80; i++)
		y[i] = (double) i * i * i;
	UNIT_CHECK(ndiffs(y, 30) == 2, "no more than two");
	for (int i = 0; i < 80; i++)
		y[i] = "1528"[i % 4] - '0';
	UNIT_CHECK(nsdiffs(y, 80, 4) == 1, "exactly seasonal");
	for (int place = 0; place < 4; place++)
	{
		double		closed[80];

		for (int t = 0; t < 80; t++)
			closed[t] = t % 4 == place ? NAN : y[t];
		UNIT_CHECK(nsdiffs(closed, 80, 4) == 0, "no value at place %d of the season", place);
		closed[40 + place] = y[40 + place];
		UNIT_CHECK(nsdiffs(closed, 80, 4) == 1, "one value at place %d of the season", place);
	}
	UNIT_CHECK(nsdiffs(y, 8, 4) == 0 && nsdiffs(y, 9, 4) == 1, "more than two seasons are needed");
	UNIT_CHECK(nsdiffs(y, 80, 1) == 0 && nsdiffs(y, 80, 366) == 0, "no period, long period");
	for (int i = 0; i < 80; i++)
		y[i] *= 1e307;
	UNIT_CHECK(nsdiffs(y, 80, 4) == 1, "huge");
	for (int i = 0; i < 80; i++)
		y[i] = y[i] / 1e307 * 5e-324;
	UNIT_CHECK(nsdiffs(y, 80, 4) == 1, "tiny");
	y[0] = -1.7e308;
	y[1] = 1.7e308;
	UNIT_CHECK(!is_constant(y, 2), "as far apart as can be");
	y[0] = NAN;
	UNIT_CHECK(is_constant(y, 2) && is_constant(y, 1), "one value or none is constant");
	UNIT_CHECK(ndiffs(y + 1, 1) == 0, "one value");
}

/* Each fault has its status. */
static void
test_faults(void)
{
	double		y[10] = {1, 2, NAN, 4, 5, 3, 2, 6, 1, 4};
	double		out[2][10];
	double		strength;
	int			d;
	AoStlOptions even = {10, false};
	AoStlOptions odd = {11, false};

	UNIT_CHECK(ao_ndiffs(y, 10, 0.2, 2, &env, &d) == AO_BAD_ARGUMENT, "alpha");
	UNIT_CHECK(ao_ndiffs(y, 10, NAN, 2, &env, &d) == AO_BAD_ARGUMENT, "alpha not a number");
	UNIT_CHECK(ao_ndiffs(y, 10, 0.05, 5, &env, &d) == AO_BAD_ARGUMENT, "max_d");
	UNIT_CHECK(ao_ndiffs(y + 2, 1, 0.05, 2, &env, &d) == AO_SERIES_TOO_SHORT &&
			   env.err.need == 1 && env.err.have == 0, "nothing known");
	UNIT_CHECK(ao_nsdiffs(y, 10, 0, 1, &env, &d) == AO_BAD_ARGUMENT, "period 0");
	UNIT_CHECK(ao_nsdiffs(y, 10, 367, 1, &env, &d) == AO_BAD_ARGUMENT, "period 367");
	UNIT_CHECK(ao_nsdiffs(y, 10, 4, -1, &env, &d) == AO_BAD_ARGUMENT, "max_D");
	UNIT_CHECK(ao_seasonal_strength(y, 10, 1, &env, &strength) == AO_BAD_ARGUMENT, "no period");
	UNIT_CHECK(ao_seasonal_strength(y, 10, 5, &env, &strength) == AO_SERIES_TOO_SHORT &&
			   env.err.need == 11 && env.err.have == 9, "two seasons");
	UNIT_CHECK(ao_stl(y, 10, 3, &even, &env, out[0], out[1]) == AO_BAD_ARGUMENT, "an even window");
	UNIT_CHECK(ao_stl(y, 10, 3, &odd, &env, out[0], out[1]) == AO_BAD_ARGUMENT, "a gap");
	y[4] = -INFINITY;
	UNIT_CHECK(ao_ndiffs(y, 10, 0.05, 2, &env, &d) == AO_NOT_FINITE && env.err.pos == 5, "infinite");
	UNIT_CHECK(ao_nsdiffs(y, 10, 2, 1, &env, &d) == AO_NOT_FINITE && env.err.pos == 5, "infinite");
}

/* Gaps: straight lines, and with a season its pattern. */
static void
test_gaps(void)
{
	const double gaps[9] = {NAN, 2, NAN, NAN, 8, 7, NAN, 9, NAN};
	const double filled[9] = {2, 2, 4, 6, 8, 7, 8, 9, 9};
	double		y[60],
				out[60];

	UNIT_CHECK(ao_fill_gaps(gaps, 9, 1, &env, out) == AO_OK, "filled");
	for (int i = 0; i < 9; i++)
		UNIT_NEAR(out[i], filled[i], 1e-15, "straight lines: %d", i + 1);
	for (int i = 0; i < 60; i++)
		y[i] = i % 7 == 3 || i == 59 ? NAN : 10 * (i % 4) + i;
	UNIT_CHECK(ao_fill_gaps(y, 60, 4, &env, out) == AO_OK, "filled");
	for (int i = 3; i < 59; i += 7)
		UNIT_NEAR(out[i], 10 * (i % 4) + i, 0.2, "a pattern and a line: %d", i + 1);
	y[0] = NAN;
	UNIT_CHECK(ao_fill_gaps(y, 1, 4, &env, out) == AO_OK && isnan(out[0]), "nothing to go by");
}

/* Cancelling ends every long step; nothing stays allocated. */
static void
test_polls(void)
{
	int64_t		n = 50000;
	double	   *y = malloc((size_t) n * sizeof(double));
	int			d;
	long		polls;

	if (y == NULL)
		abort();
	for (int64_t i = 0; i < n; i++)
		y[i] = i % 11 == 0 ? NAN : (double) (i * 7919 % 1009);
	for (int cancel = 0; cancel < 2; cancel++)
	{
		memory.polls = memory.allocs = 0;
		memory.poll_limit = cancel ? 2000 : 0;
		UNIT_CHECK(ao_nsdiffs(y, n, 100, 1, &env, &d) == (cancel ? AO_CANCELLED : AO_OK),
				   "a long series, cancel %d", cancel);
		polls = memory.polls;
		UNIT_CHECK(cancel ? polls == 2001 : polls > 5000, "%ld polls", polls);
		UNIT_CHECK(memory.live == 0, "nothing left behind");
	}
	memory.poll_limit = 0;
	env.max_bytes = 1000;
	UNIT_CHECK(ao_ndiffs(y, n, 0.05, 2, &env, &d) == AO_OVER_MEMORY_LIMIT, "memory limit");
	UNIT_CHECK(ao_nsdiffs(y, n, 100, 1, &env, &d) == AO_OVER_MEMORY_LIMIT, "memory limit");
	env = unit_env(&memory);
	for (long i = 1; i < 5; i++)
	{
		memory.allocs = 0;
		memory.alloc_limit = i;
		d = (int) ao_nsdiffs(y, 1000, 100, 1, &env, &d);
		UNIT_CHECK(d == (i < 4 ? AO_NO_MEMORY : AO_OK) && memory.live == 0,
				   "%ld blocks to be had", i);
	}
	free(y);
}

int
main(void)
{
	env = unit_env(&memory);
	test_stl();
	test_reference();
	test_degenerate();
	test_faults();
	test_gaps();
	test_polls();
	return unit_done();
}

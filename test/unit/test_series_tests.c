/*
 * test_series_tests.c
 *		Correlations, tests and the Box-Cox parameter on short series; the
 *		wanted numbers are those of R 4.2.2 and its packages tseries and
 *		forecast.  test/sql/series_tests.sql has the long ones.
 */
#include "unit.h"
#include "tests.h"

static UnitMemory memory;
static AoEnv env;

static const double y[12] = {5, 3, 8, 6, 9, 4, 12, 7, 15, 13, 9, 20};
static const double gaps[12] = {5, NAN, 8, 6, 9, 4, NAN, 7, 15, 13, 9, 20};
static const double e1[12] = {0.5, -1.2, 0.8, 2.1, -0.4, 1.7, -2.2, 0.3, 1.1, -0.9, 1.6, -1.4};
static const double e2[12] = {0.4, -0.7, 1.0, 1.2, -0.6, 0.9, -1.1, 0.2, 1.4, -0.3, 0.8, -1.9};

/* got to a relative accuracy of 1e-10, tails too */
#define TAIL(got, want, ...) UNIT_NEAR((got) / (want), 1, 1e-10, __VA_ARGS__)

static void
test_distributions(void)
{
	static const double chi_square[][3] = {
		{1, 1, 0.31731050786291415}, {0.5, 2, 0.77880078307140488},
		{30, 10, 0.00085664121077530053}, {3, 10, 0.98142406377785929},
		{857, 10, 1.1388593844423799e-177}, {1e-05, 3, 0.99999999158958341},
		{1000, 1000, 0.49405285382923969}, {900, 1000, 0.98928276190871023},
		{1200, 1000, 1.2255942330622908e-05}, {99000, 100000, 0.98752168436191723},
		{7, 41, 0.99999999953743102}, {100000, 100000, 0.49940529189520672}
	};
	static const double student[][3] = {
		{0, 5, 0.5}, {1, 1, 0.24999999999999978}, {-1, 1, 0.75000000000000022},
		{2.5, 3, 0.043853323504032753}, {12, 3, 0.00062250790039466801},
		{1e-08, 7, 0.4999999961500855}, {1.3, 11, 0.11009063134992095},
		{-2.2, 49, 0.98372352036421784}, {5, 1000, 3.3836281823243068e-07},
		{1.96, 100000, 0.024999281597150841}, {30, 40, 2.4254538302950909e-29},
		{0.5, 39, 0.3099423458486894}, {0.5, 41, 0.30987408875872902},
		{1000000, 2, 4.9999999999925005e-13}, {3, 999999, 0.0013499312707441356}
	};

	for (size_t i = 0; i < sizeof(chi_square) / sizeof(chi_square[0]); i++)
		TAIL(ao_chi_square_upper(chi_square[i][0], chi_square[i][1]), chi_square[i][2],
			 "chi-square %g, %g", chi_square[i][0], chi_square[i][1]);
	for (size_t i = 0; i < sizeof(student) / sizeof(student[0]); i++)
		TAIL(ao_student_upper(student[i][0], student[i][1]), student[i][2],
			 "t %g, %g", student[i][0], student[i][1]);
	UNIT_CHECK(ao_chi_square_upper(0, 4) == 1 && ao_chi_square_upper(-3, 4) == 1, "all above zero");
	UNIT_CHECK(ao_chi_square_upper(INFINITY, 4) == 0, "none above infinity");
	UNIT_CHECK(ao_student_upper(INFINITY, 4) == 0 && ao_student_upper(-INFINITY, 4) == 1, "t infinite");
	UNIT_CHECK(isnan(ao_student_upper(NAN, 4)) && isnan(ao_chi_square_upper(NAN, 4)), "not a number");
}

static void
test_correlations(void)
{
	static const double acf[10] = {
		0.0915977961432507, 0.368686868686869, 0.205922865013774, -0.0303030303030303,
		0.0704775022956841, -0.26951331496786, -0.120982552800735, -0.303030303030303,
		-0.102157943067034, -0.242883379247016
	};
	static const double pacf[10] = {
		0.0915977961432507, 0.363345235732069, 0.175602683845078, -0.210323456133409,
		-0.0772984251510966, -0.272837920528885, -0.0976684424149959, -0.148875364456054,
		0.130845604811173, -0.0900065728562706
	};
	static const double gap_acf[10] = {
		0.0407754010695187, 0.328381857793622, 0.270152505446623, -0.184194890077243,
		0.052584670231729, -0.350980392156863, 0.00988494571382272, -0.248420029168692,
		-0.130772970345163, 0.011181332036947
	};
	static const double gap_pacf[10] = {
		0.0407754010695187, 0.327263343404453, 0.27798564339092, -0.34445796980515,
		-0.176057000367375, -0.332000830290308, 0.264176131524172, -0.0309360317702863,
		-0.00340038156575364, -0.175875871181451
	};
	const double far[5] = {1, NAN, NAN, NAN, 2};
	double		r[4][10];
	double		one[4];

	UNIT_CHECK(ao_acf_default_lag(12) == 10 && ao_acf_default_lag(1000) == 30 &&
			   ao_acf_default_lag(5) == 4 && ao_acf_default_lag(1) == 0, "usual lags");
	UNIT_CHECK(ao_acf(y, 12, 10, &env, r[0]) == AO_OK && ao_pacf(y, 12, 10, &env, r[1]) == AO_OK &&
			   ao_acf(gaps, 12, 10, &env, r[2]) == AO_OK &&
			   ao_pacf(gaps, 12, 10, &env, r[3]) == AO_OK, "correlations");
	for (int i = 0; i < 10; i++)
	{
		UNIT_NEAR(r[0][i], acf[i], 1e-14, "acf %d", i + 1);
		UNIT_NEAR(r[1][i], pacf[i], 1e-14, "pacf %d", i + 1);
		UNIT_NEAR(r[2][i], gap_acf[i], 1e-14, "acf with gaps %d", i + 1);
		UNIT_NEAR(r[3][i], gap_pacf[i], 1e-14, "pacf with gaps %d", i + 1);
	}
	UNIT_CHECK(ao_acf(far, 5, 4, &env, one) == AO_OK && isnan(one[0]) && isnan(one[2]) &&
			   one[3] < 0, "no pairs known, no correlation");
	UNIT_CHECK(ao_acf(y, 12, 12, &env, r[0]) == AO_BAD_ARGUMENT, "as many lags as values");
	UNIT_CHECK(ao_pacf(y, 12, -1, &env, r[0]) == AO_BAD_ARGUMENT, "a negative lag");
	UNIT_CHECK(ao_acf(gaps, 2, 1, &env, r[0]) == AO_SERIES_TOO_SHORT && env.err.need == 2 &&
			   env.err.have == 1, "one value");
}

static void
test_each(void)
{
	AoTest		t;

	UNIT_CHECK(ao_test_ljung_box(gaps, 12, 3, 1, &env, &t) == AO_OK && t.n == 10, "Ljung-Box");
	UNIT_NEAR(t.statistic, 2.89081456147882, 1e-13, "Ljung-Box with gaps");
	UNIT_NEAR(t.p_value, 0.235650081269334, 1e-13, "its p-value, a degree of freedom less");
	UNIT_CHECK(ao_test_adf(y, 12, AO_TREND, 1, &env, &t) == AO_OK && t.n == 12, "Dickey-Fuller");
	UNIT_NEAR(t.statistic, -3.40267953164969, 1e-13, "Dickey-Fuller");
	UNIT_NEAR(t.p_value, 0.0774056206042101, 1e-13, "its p-value");
	UNIT_CHECK(ao_test_pp(y, 12, AO_DEFAULT_LAGS, &env, &t) == AO_OK && t.lags == 2, "Phillips-Perron");
	UNIT_NEAR(t.statistic, -19.088874254501, 1e-13, "Phillips-Perron");
	UNIT_NEAR(t.p_value, 0.0351390718187377, 1e-13, "its p-value");
	UNIT_CHECK(ao_test_kpss(y, 12, AO_TREND, AO_DEFAULT_LAGS, &env, &t) == AO_OK && t.lags == 2, "KPSS");
	UNIT_NEAR(t.statistic, 0.13923196166984, 1e-13, "KPSS");
	UNIT_NEAR(t.p_value, 0.062533404315111, 1e-13, "its p-value");
	UNIT_CHECK(ao_test_jarque_bera(y, 12, &env, &t) == AO_OK && t.n == 12, "Jarque-Bera");
	UNIT_NEAR(t.statistic, 1.18703343040801, 1e-13, "Jarque-Bera");
	UNIT_NEAR(t.p_value, 0.552381297291649, 1e-13, "its p-value");
}

static void
test_diebold_mariano(void)
{
	static const struct
	{
		int			h;
		double		statistic;
		double		p[3];		/* two-sided, less, greater */
	}			wanted[] = {
		{1, 1.72674492457, {0.112150503701, 0.943924748149, 0.0560752518506}},
		{2, 2.13684072132, {0.0559113658112, 0.972044317094, 0.0279556829056}},
		{3, 3.0906159946, {0.0102747638505, 0.994862618075, 0.00513738192526}},
		{4, 1.7344735082, {0.11072915017, 0.944635424915, 0.0553645750848}}
	};
	const double swing[8] = {1, -1, 1, -1, 1, -1, 1, -1.1};
	const double still[8] = {2, 0.5, 2, 0.5, 2, 0.5, 2, 0.5};
	double		half[12];
	AoTest		t;

	for (int i = 0; i < 4; i++)
	{
		for (int a = AO_TWO_SIDED; a <= AO_GREATER; a++)
		{
			UNIT_CHECK(ao_test_diebold_mariano(e1, e2, 12, wanted[i].h, 2, (AoAlternative) a, &env, &t) == AO_OK &&
					   t.lags == wanted[i].h - 1, "h = %d", wanted[i].h);
			UNIT_NEAR(t.statistic, wanted[i].statistic, 1e-11, "h = %d", wanted[i].h);
			UNIT_NEAR(t.p_value, wanted[i].p[a], 1e-11, "h = %d, alternative %d", wanted[i].h, a);
		}
	}
	UNIT_CHECK(ao_test_diebold_mariano(e1, e2, 12, 2, 1, AO_TWO_SIDED, &env, &t) == AO_OK, "power 1");
	UNIT_NEAR(t.statistic, 3.1252448340982, 1e-13, "power 1");
	UNIT_CHECK(ao_test_diebold_mariano(swing, still, 8, 2, 2, AO_TWO_SIDED, &env, &t) == AO_OK, "swinging");
	UNIT_NEAR(t.statistic, -1.52813055881476, 1e-13, "a negative variance: as for one step");
	UNIT_CHECK(t.lags == 0, "which is said");
	UNIT_CHECK(ao_test_diebold_mariano(e1, e1, 12, 1, 2, AO_LESS, &env, &t) == AO_OK &&
			   isnan(t.statistic) && isnan(t.p_value) && t.n == 12, "the same forecast twice");
	UNIT_CHECK(ao_test_diebold_mariano(e1, gaps, 12, 10, 2, AO_LESS, &env, &t) == AO_SERIES_TOO_SHORT &&
			   env.err.need == 11 && env.err.have == 10, "pairs");
	UNIT_CHECK(ao_test_diebold_mariano(e1, e2, 12, 0, 2, AO_LESS, &env, &t) == AO_BAD_ARGUMENT, "h");
	UNIT_CHECK(ao_test_diebold_mariano(e1, e2, 12, 1, 0, AO_LESS, &env, &t) == AO_BAD_ARGUMENT, "power");
	UNIT_CHECK(ao_test_diebold_mariano(e1, e2, 12, 1, NAN, AO_LESS, &env, &t) == AO_BAD_ARGUMENT, "power");
	for (int i = 0; i < 12; i++)
		half[i] = e1[i] / 2;
	UNIT_CHECK(ao_test_diebold_mariano(e1, half, 12, 1, 2, AO_GREATER, &env, &t) == AO_OK &&
			   t.statistic > 0 && t.p_value < 0.01, "greater: the second is better");
}

static double
lambda_of(const double *values, int64_t n, int m, double lower, double upper)
{
	double		lambda = -99;

	return ao_box_cox_lambda(values, n, m, lower, upper, &env, &lambda) == AO_OK ? lambda : -99;
}

static void
test_guerrero(void)
{
	const double thirds[13] = {5, 3, 8, 6, 9, 4, 12, 7, 15, 13, 9, 20, 21};
	const double holes[13] = {5, 3, NAN, 6, 9, 4, 12, NAN, 15, 13, 9, NAN, NAN};
	const double zero[4] = {1, 0, 2, 3};
	double		lambda;

	UNIT_NEAR(lambda_of(y, 12, 1, -1, 2), -0.13343398359615, 1e-12, "pairs");
	UNIT_NEAR(lambda_of(thirds, 13, 3, -1, 2), 0.169121931213892, 1e-12, "threes, the first value left out");
	UNIT_NEAR(lambda_of(holes, 13, 3, 0, 1), 0.999931145741427, 1e-12, "gaps");
	UNIT_CHECK(lambda_of(y, 6, 3, -1, 2) == 1, "two seasons");
	UNIT_CHECK(lambda_of(y, 3, 1, -1, 2) == 1, "one pair");
	UNIT_CHECK(ao_box_cox_lambda(zero, 4, 1, -1, 2, &env, &lambda) == AO_BAD_ARGUMENT &&
			   env.err.pos == 2, "not positive");
	UNIT_CHECK(ao_box_cox_lambda(y, 12, 0, -1, 2, &env, &lambda) == AO_BAD_ARGUMENT, "period");
	UNIT_CHECK(ao_box_cox_lambda(y, 12, 1, 2, -1, &env, &lambda) == AO_BAD_ARGUMENT, "bounds");
	UNIT_CHECK(ao_box_cox_lambda(y, 12, 1, NAN, 2, &env, &lambda) == AO_BAD_ARGUMENT, "bounds");
}

/* The statistic of each test by number; NaN with AO_OK where undefined. */
static AoStatus
by_number(int which, const double *v, int64_t n, AoTest *t)
{
	switch (which)
	{
		case 0:
			return ao_test_kpss(v, n, AO_LEVEL, AO_DEFAULT_LAGS, &env, t);
		case 1:
			return ao_test_kpss(v, n, AO_TREND, AO_DEFAULT_LAGS, &env, t);
		case 2:
			return ao_test_adf(v, n, AO_TREND, AO_DEFAULT_LAGS, &env, t);
		case 3:
			return ao_test_adf(v, n, AO_NOTHING, 0, &env, t);
		case 4:
			return ao_test_pp(v, n, AO_DEFAULT_LAGS, &env, t);
		case 5:
			return ao_test_ljung_box(v, n, AO_DEFAULT_LAGS, 0, &env, t);
		default:
			return ao_test_jarque_bera(v, n, &env, t);
	}
}

/* Constants, lines, lengths from nothing, scales, faults: for every test. */
static void
test_degenerate(int which)
{
	double		v[60],
				big[60];
	AoTest		t,
				u;
	int			shortest = -1;

	for (int i = 0; i < 60; i++)
		v[i] = 0.1;
	UNIT_CHECK(by_number(which, v, 60, &t) == AO_OK && isnan(t.statistic) && isnan(t.p_value) &&
			   t.n == 60, "test %d: constant", which);
	for (int i = 0; i < 60; i++)
		v[i] = 0.1 * i + 7;
	UNIT_CHECK(by_number(which, v, 60, &t) == AO_OK, "test %d: a line", which);
	UNIT_CHECK(which < 1 || which > 4 || which == 3 ? !isnan(t.statistic) : isnan(t.statistic),
			   "test %d: a line leaves no error around a trend: %g", which, t.statistic);
	for (int i = 0; i < 60; i++)
		v[i] = (i * i * 7919 % 1009) - 200;
	for (int n = 0; n <= 60; n++)
	{
		AoStatus	status = by_number(which, v, n, &t);

		if (status != AO_OK)
			UNIT_CHECK(status == AO_SERIES_TOO_SHORT && env.err.have == n && env.err.need > n &&
					   shortest < 0, "test %d: %d values", which, n);
		else if (shortest < 0)
			shortest = n;
		if (status == AO_OK && !(isfinite(t.statistic) && t.p_value >= 0 && t.p_value <= 1) && n > shortest)
			UNIT_CHECK(0, "test %d: %d values, statistic %g, p %g", which, n, t.statistic, t.p_value);
	}
	UNIT_CHECK(shortest >= 2 && shortest <= 10, "test %d: from %d values on", which, shortest);
	for (int i = 0; i < 60; i++)
		big[i] = ldexp(v[i], 1010);
	UNIT_CHECK(by_number(which, big, 60, &u) == AO_OK && u.statistic == t.statistic, "test %d: huge", which);
	for (int i = 0; i < 60; i++)
		big[i] = ldexp(v[i], -1074);
	UNIT_CHECK(by_number(which, big, 60, &u) == AO_OK && u.statistic == t.statistic, "test %d: tiny", which);
	v[7] = INFINITY;
	UNIT_CHECK(by_number(which, v, 60, &t) == AO_NOT_FINITE && env.err.pos == 8, "test %d: infinite", which);
	for (int i = 0; i < 60; i++)
		v[i] = NAN;
	UNIT_CHECK(by_number(which, v, 60, &t) == AO_SERIES_TOO_SHORT && env.err.have == 0,
			   "test %d: all missing", which);
	env.max_bytes = 100;
	UNIT_CHECK(by_number(which, big, 60, &t) == AO_OVER_MEMORY_LIMIT, "test %d: memory limit", which);
	env = unit_env(&memory);
	memory.poll_limit = 1;
	UNIT_CHECK(by_number(which, big, 60, &t) == AO_CANCELLED, "test %d: cancelled", which);
	memory.poll_limit = 0;
}

static void
test_arguments(void)
{
	AoTest		t;

	UNIT_CHECK(ao_test_kpss(y, 12, AO_NOTHING, 1, &env, &t) == AO_BAD_ARGUMENT, "KPSS around nothing");
	UNIT_CHECK(ao_test_kpss(y, 12, AO_LEVEL, -2, &env, &t) == AO_BAD_ARGUMENT, "KPSS, lags");
	UNIT_CHECK(ao_test_kpss(y, 12, AO_LEVEL, 12, &env, &t) == AO_SERIES_TOO_SHORT && env.err.need == 13, "KPSS, lags");
	UNIT_CHECK(ao_test_adf(y, 12, AO_TREND, -2, &env, &t) == AO_BAD_ARGUMENT, "Dickey-Fuller, lags");
	UNIT_CHECK(ao_test_adf(y, 12, AO_TREND, 4, &env, &t) == AO_SERIES_TOO_SHORT && env.err.need == 13, "Dickey-Fuller, lags");
	UNIT_CHECK(ao_test_adf(y, 12, AO_TREND, INT32_MAX, &env, &t) == AO_BAD_ARGUMENT, "Dickey-Fuller, many lags");
	UNIT_CHECK(ao_test_pp(y, 12, 11, &env, &t) == AO_SERIES_TOO_SHORT && env.err.need == 13, "Phillips-Perron, lags");
	UNIT_CHECK(ao_test_ljung_box(y, 12, 0, 0, &env, &t) == AO_BAD_ARGUMENT, "Ljung-Box, no lags");
	UNIT_CHECK(ao_test_ljung_box(y, 12, 2, 2, &env, &t) == AO_BAD_ARGUMENT, "Ljung-Box, no degrees of freedom");
	UNIT_CHECK(ao_test_ljung_box(y, 12, 2, -1, &env, &t) == AO_BAD_ARGUMENT, "Ljung-Box, fitdf");
	UNIT_CHECK(ao_test_ljung_box(y, 12, 12, 0, &env, &t) == AO_SERIES_TOO_SHORT && env.err.need == 13, "Ljung-Box, lags");
	UNIT_CHECK(ao_test_ljung_box(y, 12, AO_DEFAULT_LAGS, 5, &env, &t) == AO_OK && t.lags == 6, "more lags than fitdf");
}

/* A long series with many lags can be cancelled. */
static void
test_polls(void)
{
	int64_t		n = 20000;
	double	   *v = malloc((size_t) n * sizeof(double));
	AoTest		t;
	long		polls[3];

	if (v == NULL)
		abort();
	for (int64_t i = 0; i < n; i++)
		v[i] = (double) (i * 7919 % 1009);
	memory.polls = 0;
	UNIT_CHECK(ao_test_kpss(v, n, AO_LEVEL, 1000, &env, &t) == AO_OK, "KPSS, 1,000 lags");
	polls[0] = memory.polls;
	UNIT_CHECK(ao_test_adf(v, n, AO_TREND, 60, &env, &t) == AO_OK, "Dickey-Fuller, 60 lags");
	polls[1] = memory.polls - polls[0];
	UNIT_CHECK(ao_test_ljung_box(v, n, 1000, 0, &env, &t) == AO_OK, "Ljung-Box, 1,000 lags");
	polls[2] = memory.polls - polls[0] - polls[1];
	UNIT_CHECK(polls[0] > 19000 && polls[1] > 19000 && polls[2] > 19000, "%ld, %ld, %ld polls",
			   polls[0], polls[1], polls[2]);
	free(v);
}

int
main(void)
{
	env = unit_env(&memory);
	test_distributions();
	test_correlations();
	test_each();
	test_diebold_mariano();
	test_guerrero();
	for (int which = 0; which < 7; which++)
		test_degenerate(which);
	test_arguments();
	test_polls();
	UNIT_CHECK(memory.live == 0, "nothing left behind");
	return unit_done();
}

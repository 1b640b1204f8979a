/*
 * tests.h
 *		Statistical tests of a series and of residuals, the choice of
 *		differences and of the Box-Cox parameter, and the seasonal
 *		decomposition behind it.  Part of the core's public interface.
 *
 * Series are as in ao.h: n doubles in time order, NaN meaning missing.  Unless
 * it says otherwise a function drops the missing values and closes the gaps.
 * An infinite value is AO_NOT_FINITE, too little data AO_SERIES_TOO_SHORT.
 * What is undefined because the values do not vary is NaN with AO_OK, never
 * anything else.  Results do not depend on the unit of the series, up to 1e308.
 */
#ifndef AO_TESTS_H
#define AO_TESTS_H

#include "ao.h"

/* A test of one hypothesis. */
typedef struct AoTest
{
	double		statistic;		/* NaN: undefined, the values do not vary */
	double		p_value;		/* NaN likewise */
	int64_t		lags;			/* the number used */
	int64_t		n;				/* values used */
} AoTest;

/* What a test of stationarity takes out of the series. */
typedef enum AoDeterministic
{
	AO_NOTHING,					/* not for KPSS */
	AO_LEVEL,
	AO_TREND
} AoDeterministic;

#define AO_DEFAULT_LAGS INT64_C(-1)

/* ---- correlation.c ---- */

/* Length of the list that is usual: the integer part of 10 log10(n), below n. */
int64_t		ao_acf_default_lag(int64_t n);
/*
 * Autocorrelations of lags 1..max_lag < n.  Missing values stay where they are:
 * a lag's products are those of pairs both known, their sum divided by the
 * number of these and the lag (Parzen 1963).
 */
AoStatus	ao_acf(const double *y, int64_t n, int64_t max_lag, AoEnv *env, double *acf);
/* Partial autocorrelations of lags 1..max_lag from these (Durbin 1960). */
AoStatus	ao_pacf(const double *y, int64_t n, int64_t max_lag, AoEnv *env, double *pacf);
/* Are the first `lags` autocorrelations zero?  Ljung & Box 1978, with fitdf taken
 * from the degrees of freedom; missing values as in ao_acf.  By default
 * the smaller of 10 and n/5 lags, but more than fitdf. */
AoStatus	ao_test_ljung_box(const double *y, int64_t n, int64_t lags, int64_t fitdf,
							  AoEnv *env, AoTest *test);

/* ---- stationarity.c ---- */

/* Is it stationary around a level or trend?  Kwiatkowski, Phillips, Schmidt &
 * Shin 1992; by default 4 (n/100)^(1/4) lags.  The p-value is that of their table
 * 1, cut at 0.01 and 0.10. */
AoStatus	ao_test_kpss(const double *y, int64_t n, AoDeterministic around, int64_t lags,
						 AoEnv *env, AoTest *test);
/* Has it a unit root?  Dickey & Fuller 1979 with lags (Said & Dickey 1984), against
 * stationarity; by default (n-1)^(1/3) lags.  p-values from Fuller's table 8.5.2,
 * cut at 0.01 and 0.99. */
AoStatus	ao_test_adf(const double *y, int64_t n, AoDeterministic around, int64_t lags,
						AoEnv *env, AoTest *test);
/* The same by Phillips & Perron 1988, Z(alpha) around a trend; by default
 * 4 (n/100)^(1/4) lags, for the n-1 steps. */
AoStatus	ao_test_pp(const double *y, int64_t n, int64_t lags, AoEnv *env, AoTest *test);

/* ---- residual_tests.c ---- */

/* Skewness and kurtosis those of a normal distribution?  Jarque & Bera 1980. */
AoStatus	ao_test_jarque_bera(const double *y, int64_t n, AoEnv *env, AoTest *test);

typedef enum AoAlternative
{
	AO_TWO_SIDED,
	AO_LESS,					/* mean loss of e1 below that of e2: the second is worse */
	AO_GREATER					/* above: the second is better */
} AoAlternative;

/*
 * Are two forecasts of the same values, h steps ahead with errors e1 and e2,
 * equally good by the loss |e|^power?  Diebold & Mariano 1995 with the correction
 * of Harvey, Leybourne & Newbold 1997: Student's t with n-1 degrees of freedom.
 * Pairs with a missing error are dropped.  Where the variance estimate for h > 1
 * is not positive, h = 1 is used.  test->lags is h-1 of the h used.
 */
AoStatus	ao_test_diebold_mariano(const double *e1, const double *e2, int64_t n, int64_t h,
									double power, AoAlternative alternative,
									AoEnv *env, AoTest *test);

/* ---- differences.c ---- */

/* Do all known values equal the first one, up to 1.5e-8 relative? */
AoStatus	ao_is_constant(const double *y, int64_t n, AoEnv *env, bool *constant);
/* Do the known values, three at least, lie on a line that is not level, but for rounding? */
AoStatus	ao_is_line(const double *y, int64_t n, AoEnv *env, bool *line);
/*
 * Number of differences, up to max_d, after which the KPSS test around a level,
 * with 3 sqrt(n)/13 lags, no longer rejects at alpha (0.01..0.10); a constant
 * series needs no more.
 */
AoStatus	ao_ndiffs(const double *y, int64_t n, double alpha, int max_d, AoEnv *env, int *d);
/*
 * Number of seasonal differences at lag m, up to max_D, after which the seasonal
 * strength is no more than 0.64.  None for m = 1, for a constant series, for
 * two seasons or fewer and where a place in the season has no known value.
 * Gaps are filled as ao_fill_gaps does.
 */
AoStatus	ao_nsdiffs(const double *y, int64_t n, int m, int max_D, AoEnv *env, int *D);
/* max(0, 1 - Var(remainder) / Var(seasonal + remainder)) of the STL
 * decomposition (Wang, Smith & Hyndman 2006): 0..1; needs more than two seasons. */
AoStatus	ao_seasonal_strength(const double *y, int64_t n, int m, AoEnv *env, double *strength);

/* ---- stl.c ---- */

#define AO_STL_WINDOW 11		/* seasonal window for the choice of differences */

typedef struct AoStlOptions
{
	int			seasonal_window;	/* span in seasons, odd, 3..9999; AO_STL_WINDOW */
	bool		robust;			/* weights against outliers, 15 rounds */
} AoStlOptions;

/*
 * Seasonal and trend component by loess: Cleveland, Cleveland, McRae & Terpenning
 * 1990.  y has no missing values and n > 2 m of them, 2 <= m <= AO_MAX_PERIOD;
 * seasonal and trend have n elements; what is left is the remainder.
 */
AoStatus	ao_stl(const double *y, int64_t n, int m, const AoStlOptions *options,
				   AoEnv *env, double *seasonal, double *trend);
/*
 * Gaps of y filled: straight lines between the neighbours of each gap, at the ends
 * the nearest value; with m > 1 and more than two seasons, of the series
 * less its seasonal component by robust STL.  filled has n elements.
 */
AoStatus	ao_fill_gaps(const double *y, int64_t n, int m, AoEnv *env, double *filled);

/* ---- guerrero.c ---- */

/*
 * Box-Cox parameter from lower to upper (-5..5) for which the spread within
 * pieces of m, at least 2, successive values depends least on their level
 * (Guerrero 1993).  All values positive.  1 where it is undefined:
 * up to 2 m values, or no spread.
 */
AoStatus	ao_box_cox_lambda(const double *y, int64_t n, int m, double lower, double upper,
							  AoEnv *env, double *lambda);

/* ---- distribution.c ---- */

/* P(X > x) of chi-square, and of Student's t; df > 0, relative accuracy 1e-10
 * for df up to 1e5. */
double		ao_chi_square_upper(double x, double df);
double		ao_student_upper(double t, double df);
/* The t with P(|T| <= t) = level, in (0, 1). */
double		ao_student_quantile(double level, double df);

#endif							/* AO_TESTS_H */

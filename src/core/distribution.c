/*
 * distribution.c
 *		Tails of the chi-square and of Student's distribution, by the incomplete
 *		gamma and beta functions.  Equation numbers are those of the NIST Digital
 *		Library of Mathematical Functions.
 */
#include "tests.h"

#include <float.h>
#include <math.h>

#define MANY 1000000			/* terms; about 10 sqrt(df) are ever needed */
#define LARGE 20.0				/* from here on asymptotic series are exact */
#define HALF_LOG_2PI 0.91893853320467274178
#define LOG_GAMMA_HALF 0.57236494292470008707

/* ln(x^a exp(-x) / Gamma(a)), without cancellation for large a (Stirling's
 * series, 5.11.1). */
static double
log_gamma_density(double a, double x)
{
	double		u = (x - a) / a,
				a2 = a * a;

	if (a < LARGE)
		return a * log(x) - x - lgamma(a);
	return a * (log1p(u) - u) + 0.5 * log(a) - HALF_LOG_2PI -
		(1 / 12.0 - (1 / 360.0 - (1 / 1260.0 - 1 / (1680.0 * a2)) / a2) / a2) / a;
}

/* Lower incomplete gamma function over Gamma(a), times `density`^-1: the series
 * 8.7.1. */
static double
gamma_series(double a, double x)
{
	double		term = 1 / a,
				sum = term;

	for (int i = 1; i < MANY && term > sum * DBL_EPSILON; i++)
	{
		term *= x / (a + i);
		sum += term;
	}
	return sum;
}

/* Keeps a denominator of Lentz's method away from zero. */
static double
not_zero(double x)
{
	return fabs(x) < DBL_MIN ? DBL_MIN : x;
}

/* Upper one likewise: the continued fraction 8.9.2, by Lentz's method (3.10). */
static double
gamma_fraction(double a, double x)
{
	double		b = x + 1 - a,
				c = 1 / DBL_MIN,
				d = 1 / not_zero(b),
				f = d;

	for (int i = 1; i < MANY; i++)
	{
		double		numerator = -i * (i - a),
					step;

		b += 2;
		d = 1 / not_zero(numerator * d + b);
		c = not_zero(b + numerator / c);
		step = c * d;
		f *= step;
		if (fabs(step - 1) <= 2 * DBL_EPSILON)
			break;
	}
	return f;
}

/* P(X > x) for X chi-square with df degrees of freedom. */
double
ao_chi_square_upper(double x, double df)
{
	double		a = df / 2;

	if (isnan(x))
		return x;
	x /= 2;
	if (!(x > 0))
		return 1;
	if (isinf(x))
		return 0;
	if (x < a + 1)
		return 1 - exp(log_gamma_density(a, x)) * gamma_series(a, x);
	return exp(log_gamma_density(a, x)) * gamma_fraction(a, x);
}

/* The continued fraction of the incomplete beta function (8.17.22), for x below
 * (a+1)/(a+b+2), by Lentz's method. */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1,
				d = 1 / not_zero(1 - (a + b) * x / (a + 1)),
				f = d;

	for (int m = 1; m < MANY; m++)
	{
		double		even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
					odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
					step;

		d = 1 / not_zero(1 + even * d);
		c = not_zero(1 + even / c);
		f *= c * d;
		d = 1 / not_zero(1 + odd * d);
		c = not_zero(1 + odd / c);
		step = c * d;
		f *= step;
		if (fabs(step - 1) <= 2 * DBL_EPSILON)
			break;
	}
	return f;
}

/* ln(Gamma(a + 1/2) / Gamma(a)), for large a by its asymptotic series (5.11.13). */
static double
log_gamma_ratio(double a)
{
	double		a2 = a * a;

	if (a < LARGE)
		return lgamma(a + 0.5) - lgamma(a);
	return 0.5 * log(a) -
		(1 / 8.0 - (1 / 192.0 - (1 / 640.0 - 17 / (14336.0 * a2)) / a2) / a2) / a;
}

/* P(T > t) for Student's T with df degrees of freedom: half the incomplete beta
 * function of df/(df + t^2) with parameters df/2 and 1/2. */
double
ao_student_upper(double t, double df)
{
	double		a = df / 2,
				ratio = t * (t / df),
				x = 1 / (1 + ratio),
				y = ratio / (1 + ratio),
				front,
				tail;

	if (isnan(t))
		return t;
	if (isinf(ratio))
		return t > 0 ? 0 : 1;
	front = exp(log_gamma_ratio(a) - LOG_GAMMA_HALF - a * log1p(ratio)) * sqrt(y);
	if (x < (a + 1) / (a + 2.5))
		tail = 0.5 * front / a * beta_fraction(a, 0.5, x);
	else
		tail = 0.5 - front * beta_fraction(0.5, a, y);
	return t > 0 ? tail : 1 - tail;
}

/*
 * The t with P(|T| <= t) = level, for Student's T with df degrees of freedom.
 * ln P(T > t) is concave in ln t: from the normal quantile, below the root,
 * Newton's rule goes past it once at most and then down to it.
 */
double
ao_student_quantile(double level, double df)
{
	double		a = df / 2,
				target = (1 - level) / 2,
				t = ao_normal_quantile(0.5 + level / 2);

	for (int i = 0; i < 100 && t > 0; i++)
	{
		double		upper = ao_student_upper(t, df),
					log_density = log_gamma_ratio(a) - LOG_GAMMA_HALF - 0.5 * log(df) -
			(a + 0.5) * log1p(t * (t / df)),
					step = log(upper / target) * upper / (t * exp(log_density));

		t *= exp(step);
		if (!(fabs(step) > 4 * DBL_EPSILON))
			break;
	}
	return t;
}

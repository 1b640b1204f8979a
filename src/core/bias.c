/*
 * bias.c
 *		Bias of the ARMA coefficients' estimates to the first order in 1/n.
 *
 * Maximum likelihood draws the roots of a persistent series inwards: for (1,0,0)
 * with a mean by (1 + 3 ar1)/n (Kendall 1954).  Forecasts some steps ahead then
 * look safer than they are, and so the width of intervals goes by coefficients
 * from which the bias is taken away; estimates and point forecasts do not.
 *
 * The formula is that of Cox & Snell (1968), with the cumulants of the Gaussian
 * likelihood in its frequency form (Whittle 1953).  With g the spectrum over
 * sigma2, u_r and u_rs the derivatives of log g, and means over the circle,
 *
 *		I_rs = n/2 mean(u_r u_s)
 *		b_s = -n/4 sum_r I^sr mean(u_r sum_tu I^tu (u_tu + u_t u_u))
 *
 * An estimated mean, drift or pair of Fourier terms adds -1/2 sum_r I^sr u_r at
 * its frequency: the profile likelihood less the restricted one (Cheang &
 * Reinsel 2000).
 */
#include "internal.h"

#include <math.h>
#include <string.h>

#define MAX_COEFS 12			/* with more, the bias is left alone */
#define POINTS 160				/* on half the circle; and so many more for each step of a season: */
#define SEASONAL_POINTS 24		/* means over them are off by < 1 % with roots as near as below */

/* As near to the circle as the points can tell: inverse roots in powers of their own lag */
static const double nearest[4] = {0.985, 0.985, 0.9, 0.9};

/* The derivatives of log g at one frequency. */
typedef struct Slopes
{
	int			k,
				start[5];		/* of the blocks ar, ma, sar, sma; and their end */
	double		re[MAX_COEFS],
				im[MAX_COEFS],	/* of e^(i lag w) over its polynomial */
				u[MAX_COEFS];
} Slopes;

static void
take_blocks(const AoSpec *s, Slopes *slopes)
{
	int			len[4] = {s->p, s->q, s->P, s->Q};

	slopes->start[0] = 0;
	for (int b = 0; b < 4; b++)
		slopes->start[b + 1] = slopes->start[b] + len[b];
	slopes->k = slopes->start[4];
}

/* Coefficient i of each block times factor[block]^i: its inverse roots times that. */
static void
move_roots(const Slopes *slopes, const double *coef, const double *factor, double *out)
{
	for (int b = 0; b < 4; b++)
	{
		double		f = 1;

		for (int i = slopes->start[b]; i < slopes->start[b + 1]; i++)
			out[i] = coef[i] * (f *= factor[b]);
	}
}

/* The coefficients with their roots no nearer to the circle than the points can tell. */
static bool
damp(const AoShape *shape, const Slopes *slopes, const double *coef, double *out)
{
	for (double g = 1; g > 0.8; g -= 0.005)
	{
		double		factor[4] = {g, g, pow(g, 6), pow(g, 6)},
					moved[MAX_COEFS],
					out_again[4],
					margin[2];

		for (int b = 0; b < 4; b++)
			out_again[b] = 1 / nearest[b];
		move_roots(slopes, coef, factor, out);
		move_roots(slopes, out, out_again, moved);
		if (ao_interior(shape, moved, &margin[0], &margin[1]))
			return true;
	}
	return false;
}

/* The slopes at frequency w. */
static void
find_slopes(const AoSpec *s, const double *coef, double w, Slopes *slopes)
{
	for (int b = 0; b < 4; b++)
	{
		int			start = slopes->start[b],
					end = slopes->start[b + 1],
					lag = b < 2 ? 1 : s->m;
		double		step_re = cos(lag * w),
					step_im = sin(lag * w),
					c = 1,
					d = 0,
					re = 1,
					im = 0,
					size;

		for (int i = start; i < end; i++)
		{
			double		turned = c * step_re - d * step_im;

			d = c * step_im + d * step_re;
			c = turned;
			slopes->re[i] = c;
			slopes->im[i] = d;
			re += (b % 2 ? c : -c) * coef[i];
			im += (b % 2 ? d : -d) * coef[i];
		}
		size = re * re + im * im;
		for (int i = start; i < end; i++)
		{
			c = slopes->re[i];
			d = slopes->im[i];
			slopes->re[i] = (c * re + d * im) / size;
			slopes->im[i] = (d * re - c * im) / size;
			slopes->u[i] = 2 * slopes->re[i];
		}
	}
}

/* sum_tu inverse^tu (u_tu + u_t u_u); derivatives across blocks are zero. */
static double
curvature(const Slopes *slopes, const double *inverse)
{
	int			k = slopes->k;
	double		sum = 0;

	for (int t = 0; t < k; t++)
		for (int v = 0; v < k; v++)
			sum += inverse[t * k + v] * slopes->u[t] * slopes->u[v];
	for (int b = 0; b < 4; b++)
		for (int t = slopes->start[b]; t < slopes->start[b + 1]; t++)
			for (int v = slopes->start[b]; v < slopes->start[b + 1]; v++)
				sum += inverse[t * k + v] * (b % 2 ? -2 : 2) *
					(slopes->re[t] * slopes->re[v] - slopes->im[t] * slopes->im[v]);
	return sum;
}

/* The inverse of the information; false where it has none. */
static bool
invert_information(const AoSpec *s, const double *coef, double n, int points, Slopes *slopes, double *inverse)
{
	int			k = slopes->k;
	double		scale[MAX_COEFS];

	memset(inverse, 0, sizeof(double) * (size_t) (k * k));
	for (int j = 0; j < points; j++)
	{
		find_slopes(s, coef, AO_PI * (j + 0.5) / points, slopes);
		for (int t = 0; t < k; t++)
			for (int v = 0; v < k; v++)
				inverse[t * k + v] += n / 2 / points * slopes->u[t] * slopes->u[v];
	}
	return ao_invert(inverse, k, scale);
}

/* What the regressors of the specification add to the score: -1/2 u at their frequencies. */
static void
add_regressors(const AoSpec *s, const double *coef, Slopes *slopes, double *score)
{
	int			low = ao_spec_regressors(s) - ao_fourier_columns(s->m, s->K);

	find_slopes(s, coef, 0, slopes);
	for (int t = 0; t < slopes->k; t++)
		score[t] -= 0.5 * low * slopes->u[t];
	for (int j = 1; j <= s->K; j++)
	{
		find_slopes(s, coef, 2 * AO_PI * j / s->m, slopes);
		for (int t = 0; t < slopes->k; t++)
			score[t] -= (2 * j == s->m ? 0.5 : 1) * slopes->u[t];
	}
}

/* The bias; false where it cannot be said.  Never more than one standard error of the estimate. */
static bool
find_bias(const AoShape *shape, const double *coef, double n, double *bias)
{
	const AoSpec *s = &shape->spec;
	Slopes		slopes;
	int			points = POINTS + (s->P + s->Q > 0 ? SEASONAL_POINTS * s->m : 0);
	double		at[MAX_COEFS],
				score[MAX_COEFS] = {0},
				inverse[MAX_COEFS * MAX_COEFS],
				size = 0;

	take_blocks(s, &slopes);
	if (!damp(shape, &slopes, coef, at) || !invert_information(s, at, n, points, &slopes, inverse))
		return false;
	for (int j = 0; j < points; j++)
	{
		double		curved;

		find_slopes(s, at, AO_PI * (j + 0.5) / points, &slopes);
		curved = curvature(&slopes, inverse);
		for (int t = 0; t < slopes.k; t++)
			score[t] -= n / 4 / points * slopes.u[t] * curved;
	}
	add_regressors(s, at, &slopes, score);
	for (int t = 0; t < slopes.k; t++)
	{
		bias[t] = 0;
		for (int v = 0; v < slopes.k; v++)
			bias[t] += inverse[t * slopes.k + v] * score[v];
		size += bias[t] * score[t];
	}
	for (int t = 0; t < slopes.k && size > 1; t++)
		bias[t] /= sqrt(size);
	return isfinite(size);
}

/* See internal.h. */
bool
ao_less_bias(const AoShape *shape, const double *coef, double n, double *out)
{
	double		bias[MAX_COEFS],
				margin[2];

	if (shape->spec.p + shape->spec.P == 0 || shape->k > MAX_COEFS || !find_bias(shape, coef, n, bias))
		return false;
	/* as far as the roots stay outside the circle */
	for (double share = 1; share > 0; share -= 0.125)
	{
		for (int i = 0; i < shape->k; i++)
			out[i] = coef[i] - share * bias[i];
		if (ao_interior(shape, out, &margin[0], &margin[1]))
			return true;
	}
	return false;
}

/*
 * whittle.c
 *		Pairs of AR and pairs of MA roots that would fit a series better than white
 *		noise does, by its periodogram.
 *
 * Whittle's (1953) approximation of the likelihood needs of an ARMA(2,2) only the
 * shape R of one over its spectrum, |1 - ar z|^2 / |1 - ma z|^2, and the periodogram
 * I (of mean one).  An AR and an MA pair close to the circle and to each other raise or
 * lower the spectrum over a few bins; of these,
 *		gain in log-likelihood = sum(ln R - I (R - 1))
 * over the bins that they change.  So each shape is moved along all frequencies, there
 * being no other way to meet the right one.
 */
#include "candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int) (sizeof(a) / sizeof((a)[0])))

/* of MA roots that are as good as on the circle */
#define CIRCLE 0.9999

#define WIDEST 0.03				/* distance of the AR root from the circle */
#define NARROWEST 2.0			/* in radians over n */
#define SINES 8					/* of the pairs, those of one bin */
#define REACH 6					/* a shape is cut off this many widths away */

/* The MA root's distance from the circle in those of the AR root, 0 for as close as the
 * series can tell; and how far its frequency is off, in the same. */
static const double ma_widths[] = {0, 0.5, 1, 2};
static const double shifts[] = {-2.5, -1, -0.4, 0.4, 1, 2.5};

static int
bins_of(int n)
{
	return (n - 1) / 2;
}

static int
reach_of(int n, double ar, double ma, double shift)
{
	return (int) ceil((REACH * fmax(ar, ma) + fabs(shift)) * n / (2 * AO_PI));
}

static int
longest_reach(int n)
{
	return reach_of(n, WIDEST, 2 * WIDEST, 2.5 * WIDEST);
}

/* Doubles of work for a series of n values. */
size_t
ao_whittle_work(int n)
{
	return (size_t) (bins_of(n) + 4 * longest_reach(n) + 2);
}

/* Periodogram I_j of v[n] at 2 pi j / n, j = 1 .. bins, of mean one, by Goertzel's
 * recursion. */
static AoStatus
periodogram(const double *v, int n, double *I, AoEnv *env)
{
	int			bins = bins_of(n);
	double		sum = 0;

	for (int j = 0; j < bins; j += AO_LANES)
	{
		AoVec		c = ao_splat(0),
					s1 = ao_splat(0),
					s2 = ao_splat(0),
					power;

		for (int l = 0; l < AO_LANES; l++)
			c[l] = 2 * cos(2 * AO_PI * (j + l + 1) / n);
		for (int t = 0; t < n; t++)
		{
			AoVec		s0 = v[t] + c * s1 - s2;

			s2 = s1;
			s1 = s0;
		}
		power = s1 * s1 + s2 * s2 - c * s1 * s2;
		for (int l = 0; l < AO_LANES && j + l < bins; l++)
			sum += I[j + l] = fmax(power[l], 0);
		AO_TRY(ao_poll(env));
	}
	for (int j = 0; j < bins; j++)
		I[j] = sum > 0 ? I[j] * bins / sum : 1;
	return AO_OK;
}

/* Sum of products of m elements. */
AO_CLONES static double
dot(const double *a, const double *b, int m)
{
	double		sum[4] = {0, 0, 0, 0};
	int			j = 0;

	for (; j + 4 <= m; j += 4)
		for (int l = 0; l < 4; l++)
			sum[l] += a[j + l] * b[j + l];
	for (; j < m; j++)
		sum[0] += a[j] * b[j];
	return sum[0] + sum[1] + sum[2] + sum[3];
}

/* A pair: moduli and frequencies. */
typedef struct Peak
{
	double		gain,
				frequency,		/* of the AR roots */
				ar,
				ma,				/* distances from the circle */
				shift;			/* frequency of the MA roots less that of the AR ones */
} Peak;

/* Into the list of the best, unless it is another form of one that is there. */
static int
insert_peak(Peak *list, int count, int max, const Peak *peak)
{
	int			place = 0;

	for (int i = 0; i < count; i++)
	{
		if (fabs(list[i].frequency - peak->frequency) < fmax(list[i].ar, peak->ar))
		{
			if (list[i].gain < peak->gain)
				list[i] = *peak;
			return count;
		}
		if (list[i].gain < list[place].gain)
			place = i;
	}
	if (count < max)
		place = count++;
	else if (list[place].gain >= peak->gain)
		return count;
	list[place] = *peak;
	return count;
}

/* The gain that a peak must exceed to come into the list. */
static double
least_gain(const Peak *list, int count, int max)
{
	double		least = HUGE_VAL;

	if (count < max)
		return -HUGE_VAL;
	for (int i = 0; i < count; i++)
		least = fmin(least, list[i].gain);
	return least;
}

/* One shape moved along the frequencies. */
static int
scan(int n, const double *I, Peak peak, double *shape, Peak *list, int count, int max)
{
	int			reach = reach_of(n, peak.ar, peak.ma, peak.shift),
				stride = (int) fmax(1, peak.ar * n / (4 * AO_PI)),
				bins = bins_of(n);
	double		log_sum = 0,
				least = least_gain(list, count, max);

	for (int k = -reach; k <= reach; k++)
	{
		double		x = 2 * AO_PI * k / n,
					y = x - peak.shift,
					R = (peak.ar * peak.ar + (1 - peak.ar) * x * x) /
		(peak.ma * peak.ma + (1 - peak.ma) * y * y);

		shape[k + reach] = R - 1;
		log_sum += log(R);
	}
	for (int j = 0; j < bins; j += stride)
	{
		peak.frequency = 2 * AO_PI * (j + 1) / n;
		/* closer to an end the mirror images would overlap */
		if (peak.frequency < 2 * peak.ar || peak.frequency > AO_PI - 2 * peak.ar)
			continue;
		peak.gain = log_sum - dot(I + j - reach, shape, 2 * reach + 1);
		if (!(peak.gain > least))
			continue;
		count = insert_peak(list, count, max, &peak);
		least = least_gain(list, count, max);
	}
	return count;
}

/*
 * A frequency for itself: both pairs as good as on the circle, so close together that
 * only one sine wave is left of them.  The highest bins and the places between them.
 */
static int
sine_waves(int n, const double *I, AoRootPairs *out, int max)
{
	static const double offsets[] = {-0.25, 0.25};
	int			bins = bins_of(n),
				count = 0;
	double		below = HUGE_VAL;

	while (count + COUNT(offsets) <= max)
	{
		int			best = -1;

		for (int j = 1; j < bins - 1; j++)
			if (I[j] < below && I[j] >= I[j - 1] && I[j] >= I[j + 1] && (best < 0 || I[j] > I[best]))
				best = j;
		if (best < 0)
			break;
		below = I[best];
		for (int i = 0; i < COUNT(offsets); i++)
		{
			double		frequency = 2 * AO_PI * (best + 1 + (I[best + 1] - I[best - 1]) /
											  (4 * I[best])) / n,
						other = frequency + 2 * AO_PI * offsets[i] / n,
						ar = 1 - 0.1 / n;

			out[count++] = (AoRootPairs) {
				.gain = I[best],
				.ar = {2 * ar * cos(frequency), -ar * ar},
				.ma = {2 * CIRCLE * cos(other), -CIRCLE * CIRCLE}};
		}
	}
	return count;
}

/* All shapes. */
static int
scan_all(const double *I, int n, double *shape, AoRootPairs *out, int max)
{
	Peak		list[AO_MAX_ROOT_PAIRS] = {{0, 0, 0, 0, 0}};
	int			count = 0;

	for (double ar = WIDEST; ar * n > NARROWEST; ar /= 2)
		for (int m = 0; m < COUNT(ma_widths); m++)
			for (int s = 0; s < COUNT(shifts); s++)
			{
				Peak		peak = {.ar = ar, .ma = fmax(ma_widths[m] * ar, 1.0 / n),
				.shift = shifts[s] * ar};

				count = scan(n, I, peak, shape, list, count, max);
			}
	for (int i = 0; i < count; i++)
	{
		double		ar = 1 - list[i].ar,
					/* as close as the series can tell stands for on the circle */
					ma = list[i].ma * n < 1.5 ? CIRCLE : 1 - list[i].ma;

		out[i] = (AoRootPairs) {
			.gain = list[i].gain,
			.ar = {2 * ar * cos(list[i].frequency), -ar * ar},
			.ma = {2 * ma * cos(list[i].frequency + list[i].shift), -ma * ma}};
	}
	return count;
}

/* See candidates.h. */
AoStatus
ao_whittle_pairs(const double *v, int n, double *work, AoRootPairs *out, int *n_out, AoEnv *env)
{
	int			reach = longest_reach(n),
				bins = bins_of(n),
				most = *n_out;
	double	   *I = work + reach,
			   *shape = I + bins + reach;

	AO_TRY(periodogram(v, n, I, env));
	for (int k = 1; k <= reach; k++)
	{
		I[-k] = I[k > 1 ? k - 2 : 0];
		I[bins - 1 + k] = I[bins - k];
	}
	*n_out = scan_all(I, n, shape, out, most - SINES);
	*n_out += sine_waves(n, I, out + *n_out, SINES);
	return ao_poll(env);
}

/*
 * stl.c
 *		Seasonal and trend decomposition by loess.
 *
 * R. B. Cleveland, W. S. Cleveland, J. E. McRae, I. Terpenning, "STL: A
 * Seasonal-Trend Decomposition Procedure Based on Loess", Journal of Official
 * Statistics 6 (1990) 3-73.  Spans and, as in section 4 there, smoothing at
 * every tenth of a span with straight lines between are those of R's stl, so
 * that the components are the same.
 */
#include "values.h"

#include <math.h>
#include <string.h>

#define ROBUST_ROUNDS 15
#define INNER_LOOPS 2			/* without robustness; with it, one a round */

/* A smoother: local polynomials of degree 0 or 1 over `span` points. */
typedef struct Loess
{
	int64_t		span;
	int			degree;
	int64_t		jump;			/* fitted at every jump-th point */
	double	   *weight;			/* work, as many as points or span if that is less */
	AoPace	   *pace;
} Loess;

/* Everything of one decomposition. */
typedef struct Stl
{
	int64_t		n;
	int			m;
	Loess		season,
				trend,
				lowpass;
	AoPace		pace;
	double	   *y,				/* [n] */
			   *work,			/* [n] */
			   *robust,			/* [n] weights */
			   *cycle,			/* [n + 2m] */
			   *mean,			/* [n + 2m] */
			   *sub,			/* [n/m + 1]: a season's values over the years .. */
			   *sub_robust,		/* .. their weights .. */
			   *sub_fit,		/* .. and the fit, [n/m + 3] */
			   *weight;			/* of the smoothers */
} Stl;

/* Tricube weights of the points from `left` on for a fit at x (section 2.1);
 * false if there are none. */
static bool
set_weights(const Loess *lo, int64_t n, const double *robust, double x, int64_t left,
			int64_t count)
{
	double		h = fmax(x - (double) left, (double) (left + count - 1) - x),
				sum = 0;

	if (lo->span > n)
		h += (double) ((lo->span - n) / 2);
	for (int64_t i = 0; i < count; i++)
	{
		double		r = fabs((double) (left + i) - x),
					w = 0;

		if (r <= 0.001 * h)
			w = 1;
		else if (r <= 0.999 * h)
		{
			w = r / h;
			w = 1 - w * w * w;
			w = w * w * w;
		}
		if (robust)
			w *= robust[left + i];
		lo->weight[i] = w;
		sum += w;
	}
	if (!(sum > 0))
		return false;
	for (int64_t i = 0; i < count; i++)
		lo->weight[i] /= sum;
	return true;
}

/* Changes the weights so that they fit a line instead of a constant, unless the
 * points that have any lie too close together. */
static void
tilt_weights(const Loess *lo, int64_t n, double x, int64_t left, int64_t count)
{
	double		center = 0,
				spread = 0,
				slope;

	for (int64_t i = 0; i < count; i++)
		center += lo->weight[i] * (double) (left + i);
	for (int64_t i = 0; i < count; i++)
	{
		double		r = (double) (left + i) - center;

		spread += lo->weight[i] * r * r;
	}
	if (!(sqrt(spread) > 0.001 * (double) (n - 1)))
		return;
	slope = (x - center) / spread;
	for (int64_t i = 0; i < count; i++)
		lo->weight[i] *= 1 + slope * ((double) (left + i) - center);
}

/* Fit at x to the points y[left] and following, as many as the span has; `other`
 * where every weight is zero. */
static AoStatus
fit_at(const Loess *lo, const double *y, int64_t n, const double *robust, double x,
	   int64_t left, double other, double *fit)
{
	int64_t		count = lo->span < n ? lo->span : n;

	AO_TRY(ao_pace(lo->pace, count));
	*fit = other;
	if (!set_weights(lo, n, robust, x, left, count))
		return AO_OK;
	if (lo->degree > 0)
		tilt_weights(lo, n, x, left, count);
	*fit = 0;
	for (int64_t i = 0; i < count; i++)
		*fit += lo->weight[i] * y[left + i];
	return AO_OK;
}

/* First of the span's points around point i: as central as the ends allow. */
static int64_t
window_start(const Loess *lo, int64_t n, int64_t i)
{
	int64_t		left = i - (lo->span - 1) / 2;

	if (left > n - lo->span)
		left = n - lo->span;
	return left > 0 ? left : 0;
}

/* Smooths y[n] to out[n]; robust: weights or NULL. */
static AoStatus
smooth(const Loess *lo, const double *y, int64_t n, const double *robust, double *out)
{
	int64_t		jump = lo->jump < n - 1 ? lo->jump : n - 1,
				last = 0;

	AO_TRY(fit_at(lo, y, n, robust, 0, 0, y[0], &out[0]));
	while (last < n - 1)
	{
		int64_t		i = last + jump < n ? last + jump : n - 1;
		double		step;

		AO_TRY(fit_at(lo, y, n, robust, (double) i, window_start(lo, n, i), y[i], &out[i]));
		step = (out[i] - out[last]) / (double) (i - last);
		for (int64_t j = last + 1; j < i; j++)
			out[j] = out[last] + step * (double) (j - last);
		last = i;
	}
	return AO_OK;
}

/* Moving averages of `length` values of x[n]: n - length + 1 of them. */
static AoStatus
moving_average(const double *x, int64_t n, int64_t length, AoPace *pace, double *out)
{
	double		sum = 0;

	for (int64_t i = 0; i < n; i++)
	{
		AO_TRY(ao_pace(pace, 1));
		sum += x[i];
		if (i >= length)
			sum -= x[i - length];
		if (i >= length - 1)
			out[i - length + 1] = sum / (double) length;
	}
	return AO_OK;
}

/* Step 2: each season's values smoothed over the years, one year beyond both
 * ends, to cycle[n + 2m]. */
static AoStatus
smooth_cycles(Stl *stl, const double *robust)
{
	const Loess *lo = &stl->season;
	int			m = stl->m;

	for (int j = 0; j < m; j++)
	{
		int64_t		k = (stl->n - j + m - 1) / m;
		double	   *fit = stl->sub_fit;
		const double *weights = robust ? stl->sub_robust : NULL;

		for (int64_t i = 0; i < k; i++)
		{
			AO_TRY(ao_pace(&stl->pace, 1));
			stl->sub[i] = stl->work[j + i * m];
			if (robust)
				stl->sub_robust[i] = robust[j + i * m];
		}
		AO_TRY(smooth(lo, stl->sub, k, weights, fit + 1));
		AO_TRY(fit_at(lo, stl->sub, k, weights, -1, 0, fit[1], &fit[0]));
		AO_TRY(fit_at(lo, stl->sub, k, weights, (double) k, k > lo->span ? k - lo->span : 0,
					  fit[k], &fit[k + 1]));
		for (int64_t i = 0; i < k + 2; i++)
			stl->cycle[j + i * m] = fit[i];
	}
	return AO_OK;
}

/* Steps 1 to 6 of the inner loop (section 2.2). */
static AoStatus
inner_loop(Stl *stl, const double *robust, double *seasonal, double *trend)
{
	int64_t		n = stl->n;
	int			m = stl->m;

	for (int64_t i = 0; i < n; i++)
		stl->work[i] = stl->y[i] - trend[i];
	AO_TRY(smooth_cycles(stl, robust));
	/* what is slow in the cycles belongs to the trend */
	AO_TRY(moving_average(stl->cycle, n + 2 * m, m, &stl->pace, stl->mean));
	AO_TRY(moving_average(stl->mean, n + m + 1, m, &stl->pace, seasonal));
	AO_TRY(moving_average(seasonal, n + 2, 3, &stl->pace, stl->mean));
	AO_TRY(smooth(&stl->lowpass, stl->mean, n, NULL, stl->work));
	for (int64_t i = 0; i < n; i++)
	{
		AO_TRY(ao_pace(&stl->pace, 1));
		seasonal[i] = stl->cycle[m + i] - stl->work[i];
		stl->work[i] = stl->y[i] - seasonal[i];
	}
	return smooth(&stl->trend, stl->work, n, robust, trend);
}

/* The k-th smallest of x[n], 0-based; x is put in another order (Hoare's FIND). */
static AoStatus
select_value(double *x, int64_t n, int64_t k, AoPace *pace, double *out)
{
	int64_t		low = 0,
				high = n - 1;

	while (low < high)
	{
		double		pivot = x[low + (high - low) / 2];
		int64_t		i = low,
					j = high;

		while (i <= j)
		{
			AO_TRY(ao_pace(pace, 1));
			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i <= j)
			{
				double		swap = x[i];

				x[i++] = x[j];
				x[j--] = swap;
			}
		}
		if (k <= j)
			high = j;
		else if (k >= i)
			low = i;
		else
			break;
	}
	*out = x[k];
	return AO_OK;
}

/* Bisquare weights by the size of the remainder over six times its median
 * (section 2.3). */
static AoStatus
set_robust_weights(Stl *stl, const double *seasonal, const double *trend)
{
	int64_t		n = stl->n;
	double		low,
				high,
				limit;

	for (int64_t i = 0; i < n; i++)
		stl->work[i] = fabs(stl->y[i] - seasonal[i] - trend[i]);
	memcpy(stl->robust, stl->work, (size_t) n * sizeof(double));
	AO_TRY(select_value(stl->robust, n, (n - 1) / 2, &stl->pace, &low));
	AO_TRY(select_value(stl->robust, n, n / 2, &stl->pace, &high));
	limit = 3 * (low + high);
	for (int64_t i = 0; i < n; i++)
	{
		double		r = stl->work[i];

		AO_TRY(ao_pace(&stl->pace, 1));
		if (r <= 0.001 * limit)
			stl->robust[i] = 1;
		else if (r <= 0.999 * limit)
			stl->robust[i] = (1 - (r / limit) * (r / limit)) * (1 - (r / limit) * (r / limit));
		else
			stl->robust[i] = 0;
	}
	return AO_OK;
}

/* A smoother with jumps of a tenth of its span, rounded up. */
static Loess
make_loess(Stl *stl, int64_t span, int degree)
{
	Loess		lo = {span, degree, (span + 9) / 10, stl->weight, &stl->pace};

	return lo;
}

/* Trend span: the smallest odd one from 1.5 m / (1 - 1.5 / seasonal span) (3.4). */
static int64_t
trend_span(int m, int seasonal_window)
{
	return (int64_t) ceil(1.5 * m / (1 - 1.5 / seasonal_window)) | 1;
}

/* Workspace of the decomposition, whose smoothers have at most `span` points. */
static size_t
stl_bytes(int64_t n, int m, int64_t span)
{
	size_t		d = sizeof(double),
				count = (size_t) n,
				years = (size_t) (n / m) + 3;

	return 3 * ao_arena_round(count, d) + ao_arena_round(count + 2, d) +
		2 * ao_arena_round(count + 2 * (size_t) m, d) +
		3 * ao_arena_round(years, d) + ao_arena_round((size_t) span, d);
}

/* Takes the workspace and sets up the smoothers. */
static void
stl_init(Stl *stl, int64_t span, int seasonal_window, AoArena *arena)
{
	size_t		d = sizeof(double),
				n = (size_t) stl->n,
				m = (size_t) stl->m,
				years = n / m + 3;

	stl->y = ao_arena_take(arena, n, d);
	stl->work = ao_arena_take(arena, n, d);
	stl->robust = ao_arena_take(arena, n, d);
	stl->cycle = ao_arena_take(arena, n + 2 * m, d);
	stl->mean = ao_arena_take(arena, n + 2 * m, d);
	stl->sub = ao_arena_take(arena, years, d);
	stl->sub_robust = ao_arena_take(arena, years, d);
	stl->sub_fit = ao_arena_take(arena, years, d);
	stl->weight = ao_arena_take(arena, (size_t) span, d);
	stl->season = make_loess(stl, seasonal_window, 0);
	stl->trend = make_loess(stl, trend_span(stl->m, seasonal_window), 1);
	stl->lowpass = make_loess(stl, stl->m | 1, 1);
}

/* Both loops, on y scaled. */
static AoStatus
stl_run(Stl *stl, bool robust, double *seasonal, double *trend)
{
	memset(trend, 0, (size_t) stl->n * sizeof(double));
	if (!robust)
	{
		for (int i = 0; i < INNER_LOOPS; i++)
			AO_TRY(inner_loop(stl, NULL, seasonal, trend));
		return AO_OK;
	}
	AO_TRY(inner_loop(stl, NULL, seasonal, trend));
	for (int i = 0; i < ROBUST_ROUNDS; i++)
	{
		AO_TRY(set_robust_weights(stl, seasonal, trend));
		AO_TRY(inner_loop(stl, stl->robust, seasonal, trend));
	}
	return AO_OK;
}

/* Is the period one, and the window? */
static AoStatus
check_options(int m, const AoStlOptions *options, AoEnv *env)
{
	int			window = options->seasonal_window;

	if (m < 2 || m > AO_MAX_PERIOD)
		return ao_fail(env, AO_BAD_ARGUMENT, "the seasonal period must be 2 to 366\n"
					   "It is the number of values in a season, for example 12 for months.", 0, 0);
	if (window < 3 || window > 9999 || window % 2 == 0)
		return ao_fail(env, AO_BAD_ARGUMENT, "the seasonal window must be odd, 3 to 9999\n"
					   "The longer it is, the less the season changes.", 0, 0);
	return AO_OK;
}

/* The decomposition; see tests.h.  The inner loop needs two more values of
 * seasonal than the caller has, so it is computed in the arena. */
AoStatus
ao_stl(const double *y, int64_t n, int m, const AoStlOptions *options, AoEnv *env,
	   double *seasonal, double *trend)
{
	int64_t		span;
	AoValues	values;
	AoArena		arena;
	Stl			stl = {.n = n, .m = m, .pace = {env, 0}};
	double	   *season;
	AoStatus	status;

	AO_TRY(check_options(m, options, env));
	AO_TRY(ao_values_need(y, n, 2 * (int64_t) m + 1, "the seasonal decomposition", &values, env));
	if (values.n < n)
		return ao_fail(env, AO_BAD_ARGUMENT, "missing values in the seasonal decomposition\n"
					   "Fill the gaps first.", 0, 0);
	span = trend_span(m, options->seasonal_window);
	if (span < options->seasonal_window)
		span = options->seasonal_window;
	AO_TRY(ao_arena_open(&arena, stl_bytes(n, m, span), env));
	stl_init(&stl, span, options->seasonal_window, &arena);
	season = ao_arena_take(&arena, (size_t) n + 2, sizeof(double));
	status = ao_values_copy(y, n, &values, stl.y, env);
	if (status == AO_OK)
		status = stl_run(&stl, options->robust, season, trend);
	for (int64_t i = 0; status == AO_OK && i < n; i++)
	{
		seasonal[i] = season[i] * values.scale;
		trend[i] *= values.scale;
	}
	ao_arena_close(&arena, env);
	return status;
}

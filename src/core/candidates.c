/*
 * candidates.c
 *		Points of the parameter space where an optimum might be near.
 *
 * The likelihood of an ARMA model has three kinds of optima that a search from
 * one start misses: far away in the interior; on the unit circle, where an MA
 * root imitates a trend; and narrow ridges where a pair of AR and MA roots near
 * the circle almost cancel, leaving a peak or a notch at one frequency of the
 * spectrum.  So there are points spread at random in the cube of partial
 * autocorrelations, points near its faces, and pairs of roots over a grid of
 * frequencies, put on top of a Yule-Walker fit of the remaining AR order.  All
 * points are fixed by the specification and the series: the same series gives
 * the same model everywhere and always.
 */
#include "candidates.h"

#include <math.h>
#include <string.h>

#define N_FREQUENCIES 32
#define SEASONAL_MA -0.6		/* a usual value */
#define NEAR_ONE 0.995
#define MOST_VALUES 4096		/* of a series whose periodogram is taken */

#define COUNT(a) ((int) (sizeof(a) / sizeof((a)[0])))

/* Inverse roots of a complex pair: modulus of the AR one, of the MA one, and by
 * how much the frequency of the second is off. */
typedef struct Pair
{
	double		ar,
				ma,
				shift;
} Pair;

/* For the conditional likelihood, which has no sense for MA roots on the circle. */
static const Pair inside[] = {
#define WITH_SHIFT(s) \
	{0.97, 0.9, s}, {0.9, 0.97, s}, {0.99, 0.97, s}, {0.97, 0.995, s}, {0.85, 0.6, s}, {0.6, 0.85, s}
	WITH_SHIFT(0), WITH_SHIFT(0.12), WITH_SHIFT(-0.12), WITH_SHIFT(0.3), WITH_SHIFT(-0.3)
#undef WITH_SHIFT
};

/* For the exact one: MA roots on it. */
static const Pair circle[] = {{0.95, 0.9999, 0.03}, {0.95, 0.9999, -0.2}, {0.95, 0.9999, 0.2}};

/* One real AR root and a pair of MA roots towards an end of the spectrum, as a difference too many
 * leaves them: the inverse of the one, and of the modulus of the others, and their frequency. */
static const double beside[] = {0.2, 0.65, 0.95};
static const double pair_moduli[] = {0.85, 0.93, 0.9999};
static const double pair_frequencies[] = {0.1, 0.2, 0.35, 0.5, 0.65};

#define OVERDIFFERENCED (2 * COUNT(beside) * COUNT(pair_moduli) * COUNT(pair_frequencies))

static const double real_moduli[] = {0.4, 0.8, 0.93, 0.98, 0.996};

/* Uniform on (0, 1): splitmix64, the state advancing. */
static double
uniform(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return ((double) ((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

/* One unbounded parameter: inside, or near a face of the cube. */
static double
draw(uint64_t *state, double near_face)
{
	double		x = 2 * uniform(state) - 1;

	if (uniform(state) < near_face)
		return copysign(1.5 + 3 * fabs(x), x);
	return atanh(0.95 * x);
}

/* Points with usual values of the first coefficient of each kind, all with all. */
void
ao_candidates_usual(const AoShape *shape, double *u)
{
	static const double plain[][2] = {{0, 0.7}, {0.7, 0.3}, {0, 0}, {0.9, 1.5}};
	static const double seasonal[][2] = {{1.8, 0}, {2.3, 0.7}, {0.4, 0.3}, {2.6, 1.8}, {0, 0.7}, {2.3, -0.7}};
	const AoSpec *s = &shape->spec;

	memset(u, 0, (size_t) (AO_USUAL * shape->k) * sizeof(double));
	for (int i = 0; i < AO_USUAL; i++, u += shape->k)
	{
		if (s->p > 0)
			u[0] = plain[i % COUNT(plain)][0];
		if (s->q > 0)
			u[s->p] = plain[i % COUNT(plain)][1];
		if (s->P > 0)
			u[s->p + s->q] = seasonal[i / COUNT(plain)][0];
		if (s->Q > 0)
			u[s->p + s->q + s->P] = seasonal[i / COUNT(plain)][1];
	}
}

/* Points 0..n-1 at random, every fourth with an MA root on the circle. */
void
ao_candidates_random(const AoShape *shape, int n, double *u)
{
	const AoSpec *s = &shape->spec;
	int			k = shape->k;
	uint64_t	state = 20261123;

	for (int i = 0; i < n; i++, u += k)
	{
		for (int j = 0; j < k; j++)
			u[j] = i == 0 ? 0.1 * (j % 2 ? -1 : 1) : draw(&state, i % 2 ? 0.1 : 0.35);
		if (i % 4 == 1 && s->q > 0)
		{
			/* the MA root at one and an AR root close to it: a trend */
			u[s->p] = i % 8 == 1 ? 8 : 3 + uniform(&state);
			if (s->p > 0)
				u[0] = 1 + 4 * uniform(&state);
		}
		if (i % 4 == 2 && s->Q > 0)
			u[k - s->Q] = i % 8 == 2 ? 8 : 2;
	}
}

/* See candidates.h. */
bool
ao_candidates_cancel(const AoSpec *s)
{
	return s->p + s->P == 1 && s->p == s->q && s->P == s->Q;
}

/* Points on a line (k = 1) or in a plane (k = 2), laid out by hand: n = 16, 32; 16 more of a
 * plane with a seasonal axis; and 16 more where roots may cancel. */
void
ao_candidates_grid(const AoShape *shape, int n, double *u)
{
	const AoSpec *s = &shape->spec;
	int			k = shape->k;
	static const double line[16] = {0, -0.25, 0.25, -0.55, 0.55, -0.9, 0.9, -1.4, 1.4,
	-2.2, 2.2, -3.5, 3.5, 8, -8, 5};
	/* those near the circle together: they are the ones that keep a pass slow */
	static const double square[48][2] = {
		{0.1, -0.1}, {0.5, 0.5}, {-0.5, -0.5}, {0.6, -0.6}, {-0.6, 0.6}, {1.2, 0},
		{-1.2, 0}, {0, 1.2}, {0, -1.2}, {1.4, 0.9}, {-1.4, -0.9}, {1.2, -1.2},
		{-1.2, 1.2}, {0.9, 1.4}, {-0.9, -1.4}, {-1.8, 0.8},
		{2.2, -1}, {1, -2.2}, {-1, 2.2}, {3, 2.3}, {-3, -2.3}, {2.3, 3}, {-2.3, -3},
		{4, 3.2}, {-4, -3.2}, {2.5, 8}, {3.5, 8}, {4.5, 8}, {1, 8}, {-3, -8}, {0, 8}, {-1, 8},
		/* seasonal */
		{3.3, 0.9}, {2.5, 0.6}, {3, 0.2}, {4.5, 0.8}, {2.2, 1.4}, {3.5, 1.6}, {1.8, 0.4}, {0.9, 3.3},
		{0.6, 2.5}, {0.4, 1}, {-0.4, 0.9}, {0.3, 1.8}, {8, 0.8}, {8, 0.3}, {1.5, 2}, {-0.3, 2}};

	/* one polynomial of degree two: complex roots where the second is negative */
	static const double quadratic[32][2] = {
		{0.1, -0.1}, {0.5, 0.3}, {-0.5, 0.3}, {0.5, -0.5}, {-0.5, -0.5}, {1.2, 0}, {-1.2, 0},
		{0, 1.2}, {0, -1.2}, {1, -1.2}, {-1, -1.2}, {1.4, -0.5}, {-1.4, -0.5}, {1.4, 0.9},
		{-1.4, 0.9}, {0.5, -1.4},
		{2.2, -1}, {-2.2, -1}, {0, -2.5}, {0.8, -2.5}, {-0.8, -2.5}, {1.6, -2.5}, {-1.6, -2.5},
		{0.3, -8}, {-0.3, -8}, {1, -8}, {-1, -8}, {3.3, -8}, {8, 0}, {8, -2}, {8, 2}, {-8, 0}};
	/* AR and MA roots that nearly cancel: a valley with optima anywhere along it, on either side */
	static const double valley[16][2] = {
		{0.2, 0.4}, {0.4, 0.2}, {-0.2, -0.4}, {-0.4, -0.2}, {0.75, 0.95}, {0.95, 0.75}, {-0.75, -0.95},
		{-0.95, -0.75}, {1.25, 1.45}, {1.45, 1.25}, {-1.25, -1.45}, {-1.45, -1.25}, {1.75, 2}, {2, 1.75},
		{-1.75, -2}, {-2, -1.75}};
	int			last = s->P + s->Q > 0 ? 48 : 32;
	const double (*plane)[2] = s->p == 2 || s->q == 2 || s->P == 2 || s->Q == 2 ? quadratic : square;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < k; j++)
			u[i * k + j] = k == 1 ? line[i] : i < last ? plane[i][j] : valley[i - last][j];
}

/* Yule-Walker coefficients a[order] from autocovariances c[0..order], by
 * Durbin's recursion. */
static void
yule_walker(const double *c, int order, double *a, double *work)
{
	double		v = c[0];

	for (int i = 0; i < order; i++)
	{
		double		k = c[i + 1];

		for (int j = 0; j < i; j++)
			k -= a[j] * c[i - j];
		k = v > 0 ? k / v : 0;
		for (int j = 0; j < i; j++)
			work[j] = a[j] - k * a[i - 1 - j];
		memcpy(a, work, (size_t) i * sizeof(double));
		a[i] = k;
		v *= 1 - k * k;
	}
}

/* Autocovariances (times n) c[0..max] of the last column of rows. */
static AoStatus
autocovariances(const double *w, int64_t n, int n_cols, int max, double *c, AoEnv *env)
{
	AoPace		pace = {env, 0};

	for (int lag = 0; lag <= max; lag++)
	{
		double		sum = 0;

		for (int64_t t = lag; t < n; t++)
		{
			sum += w[t * n_cols + n_cols - 1] * w[(t - lag) * n_cols + n_cols - 1];
			AO_TRY(ao_pace(&pace, 1));
		}
		c[lag] = sum;
	}
	return AO_OK;
}

/* One point: base AR times the AR factor, the MA factor alone; seasonal
 * parameters at random. */
static void
put_pair(const AoShape *shape, const double *base, int n_base, const double *ar,
		 const double *ma, int pair, uint64_t *state, double *coef, double *u)
{
	const AoSpec *s = &shape->spec;

	memset(coef, 0, (size_t) shape->k * sizeof(double));
	ao_multiply(base, n_base, ar, pair, coef);
	for (int j = 0; j < pair; j++)
		coef[s->p + j] = -ma[j];
	ao_free_from_natural(shape, coef, u);
	for (int j = s->p + s->q; j < shape->k; j++)
		u[j] = draw(state, 0.1);
}

/* How many points ao_candidates_pairs gives. */
int
ao_candidates_pairs_count(const AoSpec *s, bool on_circle)
{
	int			n = 0;

	if (s->p >= 1 && s->q >= 1 && !on_circle)
		n += 2 * COUNT(real_moduli) * COUNT(real_moduli);
	if (s->p >= 2 && s->q >= 2)
		n += N_FREQUENCIES * (on_circle ? COUNT(circle) : COUNT(inside));
	if (s->p == 1 && s->q >= 2)
		n += OVERDIFFERENCED;
	return n;
}

/* Pairs of real roots at both ends of the spectrum. */
static AoStatus
real_pairs(const AoShape *shape, const double *base, uint64_t *state, double *coef, double *u,
		   AoPace *pace)
{
	for (int sign = -1; sign <= 1; sign += 2)
		for (int i = 0; i < COUNT(real_moduli); i++)
			for (int j = 0; j < COUNT(real_moduli); j++, u += shape->k)
			{
				double		ar = sign * real_moduli[i],
							ma = sign * real_moduli[j];

				put_pair(shape, base, shape->spec.p - 1, &ar, &ma, 1, state, coef, u);
				AO_TRY(ao_pace(pace, shape->k * shape->k / 4));
			}
	return AO_OK;
}

/* A point with a pair of complex roots. */
static void
put_complex_pair(const AoShape *shape, const double *base, const Pair *pair, double frequency,
				 uint64_t *state, double *coef, double *u)
{
	double		r = pair->ar,
				q = pair->ma,
				ar[2] = {2 * r * cos(frequency), -r * r},
				ma[2] = {2 * q * cos(frequency + pair->shift), -q * q};

	put_pair(shape, base, shape->spec.p - 2, ar, ma, 2, state, coef, u);
}

/* Pairs of complex roots over the spectrum. */
static AoStatus
complex_pairs(const AoShape *shape, const double *base, const Pair *pairs, int n_pairs,
			  uint64_t *state, double *coef, double *u, AoPace *pace)
{
	for (int f = 0; f < N_FREQUENCIES; f++)
		for (int i = 0; i < n_pairs; i++, u += shape->k)
		{
			put_complex_pair(shape, base, &pairs[i],
							 (f + 0.5) * AO_PI / N_FREQUENCIES,
							 state, coef, u);
			AO_TRY(ao_pace(pace, shape->k * shape->k / 4));
		}
	return AO_OK;
}

/* One AR root and a pair of MA roots towards either end of the spectrum. */
static void
overdifferenced(const AoShape *shape, uint64_t *state, double *coef, double *u)
{
	for (int i = 0; i < OVERDIFFERENCED; i++, u += shape->k)
	{
		int			sign = i % 2 ? 1 : -1,
					f = i / 2 % COUNT(pair_frequencies),
					m = i / 2 / COUNT(pair_frequencies) % COUNT(pair_moduli),
					a = i / 2 / COUNT(pair_frequencies) / COUNT(pair_moduli);

		memset(coef, 0, (size_t) shape->k * sizeof(double));
		coef[0] = sign * beside[a];
		coef[shape->spec.p] = -sign * 2 * pair_moduli[m] * cos(pair_frequencies[f]);
		coef[shape->spec.p + 1] = pair_moduli[m] * pair_moduli[m];
		ao_free_from_natural(shape, coef, u);
		for (int j = shape->spec.p + shape->spec.q; j < shape->k; j++)
			u[j] = draw(state, 0.1);
	}
}

/* See candidates.h.  work: 3 * AO_MAX_ORDER + 1 + k doubles. */
AoStatus
ao_candidates_pairs(const AoShape *shape, bool on_circle, const double *w, int64_t n,
					int n_cols, double *work, double *u, AoEnv *env)
{
	const AoSpec *s = &shape->spec;
	double	   *c = work,
			   *base = c + AO_MAX_ORDER + 1,
			   *tmp = base + AO_MAX_ORDER,
			   *coef = tmp + AO_MAX_ORDER;
	uint64_t	state = 19760101;
	AoPace		pace = {env, 0};
	int			max = s->p - 1 < n - 1 ? s->p - 1 : (int) n - 1;

	if (ao_candidates_pairs_count(s, on_circle) == 0 || max < 0)
		return AO_OK;
	AO_TRY(autocovariances(w, n, n_cols, max, c, env));
	memset(base, 0, AO_MAX_ORDER * sizeof(double));
	yule_walker(c, max, base, tmp);
	if (!on_circle)
	{
		AO_TRY(real_pairs(shape, base, &state, coef, u, &pace));
		u += 2 * COUNT(real_moduli) * COUNT(real_moduli) * shape->k;
	}
	if (s->p == 1 && s->q >= 2)
		overdifferenced(shape, &state, coef, u);
	if (s->p < 2 || s->q < 2)
		return AO_OK;
	memset(base, 0, AO_MAX_ORDER * sizeof(double));
	yule_walker(c, max > 1 ? max - 1 : 0, base, tmp);
	if (on_circle)
		return complex_pairs(shape, base, circle, COUNT(circle), &state, coef, u, &pace);
	return complex_pairs(shape, base, inside, COUNT(inside), &state, coef, u, &pace);
}

/* Are there pairs to look for?  Seasonal terms would have to be taken out first,
 * which is done for the one that seasonal differencing calls for. */
bool
ao_candidates_has_spectral(const AoSpec *s)
{
	return s->p >= 2 && s->q >= 2 && s->P == 0 && (s->Q == 0 || s->D > 0);
}

size_t
ao_candidates_spectral_work(const AoSpec *s)
{
	return ao_candidates_has_spectral(s) ?
		5 * AO_MAX_ORDER + MOST_VALUES + ao_whittle_work(MOST_VALUES) : 0;
}

/*
 * AR part of the model without a pair, base[p-2], from autocovariances c: by Yule and
 * Walker, after a difference if the series looks as if it needed one.
 */
static void
base_without_pair(const double *c, int order, double *base, double *work)
{
	const double near_one = NEAR_ONE;
	double	   *d = work + order + 1,
			   *a = d + order + 1;

	if (order < 1 || c[1] < 0.9 * c[0])
	{
		yule_walker(c, order, base, work);
		return;
	}
	for (int i = 0; i < order; i++)
		d[i] = (1 + near_one * near_one) * c[i] - near_one * (c[i + 1] + c[i > 0 ? i - 1 : 1]);
	yule_walker(d, order - 1, a, work);
	ao_multiply(a, order - 1, &near_one, 1, base);
}

/* The last values of the series without what base and a seasonal MA term explain. */
static void
whiten(const AoShape *shape, const double *base, const double *w, int64_t n, int n_cols,
	   double *v, int rows)
{
	int			m = shape->spec.Q > 0 ? shape->spec.m : rows;

	for (int t = 0; t < rows; t++)
	{
		const double *row = w + (n - rows + t) * n_cols + n_cols - 1;

		v[t] = row[0];
		for (int i = 0; i < shape->spec.p - 2; i++)
			v[t] -= base[i] * row[-(i + 1) * n_cols];
		if (t >= m)
			v[t] -= SEASONAL_MA * v[t - m];
	}
}

/* See candidates.h.  A long series is judged by its last values. */
AoStatus
ao_candidates_spectral(const AoShape *shape, const double *w, int64_t n, int n_cols,
					   double *work, double *u, int *count, AoEnv *env)
{
	int			order = shape->spec.p - 2,
				rows;
	AoRootPairs list[AO_MAX_ROOT_PAIRS];
	double	   *c = work,
			   *base = c + AO_MAX_ORDER + 1,
			   *coef = base + AO_MAX_ORDER,
			   *v = coef + 3 * AO_MAX_ORDER - 1;
	uint64_t	state = 1953;
	AoPace		pace = {env, 0};

	if (!ao_candidates_has_spectral(&shape->spec) || n < 4 * shape->k)
	{
		*count = 0;
		return AO_OK;
	}
	rows = n - order < MOST_VALUES ? (int) n - order : MOST_VALUES;
	AO_TRY(autocovariances(w, n, n_cols, order, c, env));
	base_without_pair(c, order, base, coef);
	whiten(shape, base, w, n, n_cols, v, rows);
	AO_TRY(ao_whittle_pairs(v, rows, v + rows, list, count, env));
	for (int i = 0; i < *count; i++, u += shape->k)
	{
		put_pair(shape, base, order, list[i].ar, list[i].ma, 2, &state, coef, u);
		if (shape->spec.Q > 0)
			u[shape->k - shape->spec.Q] = atanh(-SEASONAL_MA);
		AO_TRY(ao_pace(&pace, shape->k * shape->k / 4));
	}
	return AO_OK;
}

/* See candidates.h. */
int
ao_candidates_lowest(const double *f, int n)
{
	int			best = -1;

	for (int i = 0; i < n; i++)
		if (isfinite(f[i]) && (best < 0 || f[i] < f[best]))
			best = i;
	return best;
}

/* Is a point apart from those that are chosen? */
static bool
is_apart(const double *u, int k, double apart, const double *chosen, int taken)
{
	for (int i = 0; i < taken; i++)
	{
		double		distance = 0;

		for (int j = 0; j < k; j++)
			distance = fmax(distance, fabs(u[j] - chosen[i * k + j]));
		if (distance < apart)
			return false;
	}
	return true;
}

/* See candidates.h. */
int
ao_candidates_choose(const double *u, double *f, int n, int k, double apart, int most,
					 double *chosen, int taken, double *chosen_f)
{
	while (taken < most)
	{
		int			best = ao_candidates_lowest(f, n);
		double		value;

		if (best < 0)
			break;
		value = f[best];
		f[best] = HUGE_VAL;
		if (!is_apart(u + best * k, k, apart, chosen, taken))
			continue;
		if (chosen_f)
			chosen_f[taken] = value;
		memcpy(chosen + taken++ * k, u + best * k, (size_t) k * sizeof(double));
	}
	return taken;
}

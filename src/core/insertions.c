/*
 * insertions.c
 *		Points for a model out of the optimum of one that has a pair of roots less on
 *		either side.
 *
 * A pair of AR and a pair of MA roots that are the same cancel, so that every optimum of
 * the smaller model is a ridge of the larger one, and where they are slightly apart the
 * likelihood can only be told from the rest of the model.  Two kinds of pairs are put in:
 * a real root each, and two complex ones each.  Overdifferenced series have MA roots at
 * the lowest frequency that they can tell from zero, in the place of one at 1.
 */
#include "candidates.h"

#include <math.h>
#include <string.h>

#define COUNT(a) ((int) (sizeof(a) / sizeof((a)[0])))
#define MOST_VALUES 4096		/* of a series whose periodogram is taken */
#define NARROW 32				/* points that it gives */
#define FEWEST_VALUES 12
/* Factors of the smaller model's MA roots: for the larger one, so that its parameters are
 * not at their limits, from where nothing leads away; and for its innovations. */
#define INSIDE 0.9998
#define FADING 0.985

static const double reals[] = {-0.995, -0.95, -0.75, -0.35, 0.35, 0.75, 0.95, 0.995, 0.9998};

/* An MA root next to -1, for the first few of these on the AR side. */
static const double alternating = -INSIDE;

#define N_ALTERNATING 3

/* Of the AR pair and of the MA pair: moduli; and how far apart they are in frequency. */
static const struct
{
	double		ar,
				ma,
				shift;
} pairs[] = {
	{0.9, INSIDE, 0.1}, {0.9, INSIDE, -0.1}, {0.8, INSIDE, 0}, {0.98, INSIDE, 0.01},
	{0.97, 0.9, 0}, {0.995, 0.98, 0}, {0.7, 0.9, 0}, {0.85, 0.5, 0}};

#define FREQUENCIES 24			/* over the whole spectrum */
/* and low ones, in cycles of the length of the series; the first few are for MA roots
 * that stand for a trend */
static const double cycles[] = {0.6, 1, 1.7, 3};
#define TRENDS 3

/* The real AR roots that go with those. */
static const double trends[][2] = {
	{0.98, 0.9}, {0.9, 0}, {0.6, -0.5}, {0.8, 0.5}, {0.999, 0.95}};

#define REAL_POINTS (COUNT(reals) * (COUNT(reals) - 1 + TRENDS) + N_ALTERNATING)
#define COMPLEX_POINTS ((FREQUENCIES + COUNT(cycles)) * COUNT(pairs) + COUNT(trends) * TRENDS)

/* Most points of one base. */
int
ao_insertions_most(bool complex_pairs)
{
	return complex_pairs ? COMPLEX_POINTS + NARROW : REAL_POINTS;
}

/* Doubles of work of ao_insertions. */
size_t
ao_insertions_work(void)
{
	size_t		pairs = ao_whittle_work(MOST_VALUES);

	return MOST_VALUES + (pairs > MOST_VALUES ? pairs : MOST_VALUES);
}

/* The smaller model: its polynomials as 1 - a1 B - .. */
typedef struct Base
{
	const AoShape *shape;
	const double *u;			/* its optimum, as parameters of the larger model */
	AoPart		part;			/* of the larger model, that the roots are put into */
	double		n;				/* length of the series, in lags of that part */
	int			p,
				q;
	double		ar[AO_LADDER_K],
				ma[AO_LADDER_K],
				coef[AO_LADDER_K];	/* all, for those of other parts */
	AoPace		pace;
} Base;

static Base
make_base(const AoObjective *obj, const double *u, const AoPart *part, int fewer)
{
	Base		b = {.shape = obj->shape, .u = u, .part = *part,
		.n = (double) obj->pass[0].n / part->lag, .p = part->p - fewer, .q = part->q - fewer,
	.pace = {obj->env, 0}};
	double		factor = 1;

	ao_natural_from_free(b.shape, u, b.coef);
	memcpy(b.ar, b.coef + part->at, (size_t) b.p * sizeof(double));
	for (int i = 0; i < b.q; i++)
		b.ma[i] = -b.coef[part->at + part->p + i] * (factor *= INSIDE);
	return b;
}

/* The base with factors 1 - ar1 B - .. and 1 - ma1 B - .. of these lengths, as a point. */
static AoStatus
put(Base *b, const double *ar, int n_ar, const double *ma, int n_ma, double *u)
{
	const AoPart *part = &b->part;
	double		coef[AO_LADDER_K] = {0},
			   *part_ma = coef + part->at + part->p;
	int			end = part->at + part->p + part->q;

	ao_multiply(b->ar, b->p, ar, n_ar, coef + part->at);
	ao_multiply(b->ma, b->q, ma, n_ma, part_ma);
	for (int i = 0; i < part->q; i++)
		part_ma[i] = -part_ma[i];
	ao_free_from_natural(b->shape, coef, u);
	for (int i = 0; i < b->shape->k; i++)
		if (i < part->at || i >= end)
			u[i] = b->u[i];
	return ao_pace(&b->pace, b->shape->k * b->shape->k / 4);
}

/* 1 - a1 B - a2 B^2 of a complex pair. */
static void
complex_pair(double modulus, double frequency, double *a)
{
	a[0] = 2 * modulus * cos(frequency);
	a[1] = -modulus * modulus;
}

/* Where i's low frequency is. */
static double
low(const Base *b, int i)
{
	return 2 * AO_PI * cycles[i] / b->n;
}

/* The base without an MA root at 1, or what is next to it; what is left over does not matter. */
static Base
without_unit_root(const Base *b)
{
	Base		c = *b;
	double		rest = 1;

	c.q--;
	for (int i = 0; i < c.q; i++)
	{
		rest -= b->ma[i];
		c.ma[i] = -rest;
	}
	return c;
}

/* A real root each; and one of the AR side, with an MA root at 1 made a pair of low ones. */
static AoStatus
insert_reals(Base *b, double *u, int *count)
{
	int			k = b->shape->k;
	Base		c;

	for (int i = 0; i < COUNT(reals); i++)
		for (int j = 0; j < COUNT(reals); j++)
			if (i != j)
				AO_TRY(put(b, &reals[i], 1, &reals[j], 1, u + k * (*count)++));
	for (int i = 0; i < N_ALTERNATING; i++)
		AO_TRY(put(b, &reals[i], 1, &alternating, 1, u + k * (*count)++));
	if (b->q == 0)
		return AO_OK;
	c = without_unit_root(b);
	for (int i = 0; i < COUNT(reals); i++)
		for (int j = 0; j < TRENDS; j++)
		{
			double		ma[2];

			complex_pair(INSIDE, low(b, j), ma);
			AO_TRY(put(&c, &reals[i], 1, ma, 2, u + k * (*count)++));
		}
	return AO_OK;
}

/* Complex pairs over the spectrum, and trends. */
static AoStatus
insert_complex(Base *b, double *u, int *count)
{
	int			k = b->shape->k;
	double		ar[2],
				ma[2];

	for (int i = 0; i < FREQUENCIES + COUNT(cycles); i++)
		for (int j = 0; j < COUNT(pairs); j++)
		{
			double		w = i < FREQUENCIES ? (i + 0.5) * AO_PI / FREQUENCIES : low(b, i - FREQUENCIES);

			complex_pair(pairs[j].ar, w, ar);
			complex_pair(pairs[j].ma, w + pairs[j].shift, ma);
			AO_TRY(put(b, ar, 2, ma, 2, u + k * (*count)++));
		}
	for (int i = 0; i < COUNT(trends); i++)
		for (int j = 0; j < TRENDS; j++)
		{
			ar[0] = trends[i][0] + trends[i][1];
			ar[1] = -trends[i][0] * trends[i][1];
			complex_pair(INSIDE, low(b, j), ma);
			AO_TRY(put(b, ar, 2, ma, 2, u + k * (*count)++));
		}
	return AO_OK;
}

/* out = 1 - ar(B^lag) of v, over 1 - ma(B^lag) with its roots drawn in; before the first
 * value there is nothing. */
static AoStatus
filter(const double *v, int n, const double *ar, int p, const double *ma, int q, int lag,
	   double *out, AoPace *pace)
{
	for (int t = 0; t < n; t++)
	{
		double		factor = 1;

		out[t] = v[t];
		for (int i = 0; i < p && t >= lag * (i + 1); i++)
			out[t] -= ar[i] * v[t - lag * (i + 1)];
		for (int i = 0; i < q && t >= lag * (i + 1); i++)
			out[t] += (factor *= FADING) * ma[i] * out[t - lag * (i + 1)];
		AO_TRY(ao_pace(pace, 1));
	}
	return AO_OK;
}

/* Complex pairs where the periodogram of the base's innovations has narrow peaks or
 * notches.  A long series is judged by its last values. */
static AoStatus
insert_narrow(const AoObjective *obj, Base *b, double *work, double *u, int *count)
{
	const AoSpec *s = &b->shape->spec;
	const AoPass *ps = &obj->pass[0];
	int			n = ps->n < MOST_VALUES ? (int) ps->n : MOST_VALUES,
				found = NARROW;
	double	   *v = work,
			   *e = v + MOST_VALUES,
				sma[AO_LADDER_K];
	const double *seasonal = b->coef + s->p + s->q;
	AoRootPairs list[NARROW];

	if (n < FEWEST_VALUES + b->p)
		return AO_OK;
	for (int t = 0; t < n; t++)
		v[t] = ps->w[(ps->n - n + t) * ps->n_cols + ps->n_cols - 1];
	for (int i = 0; i < s->Q; i++)
		sma[i] = -seasonal[s->P + i];
	AO_TRY(filter(v, n, b->ar, b->p, b->ma, b->q, 1, e, &b->pace));
	AO_TRY(filter(e, n, seasonal, s->P, sma, s->Q, s->m, v, &b->pace));
	AO_TRY(ao_whittle_pairs(v + b->p, n - b->p, e, list, &found, obj->env));
	for (int i = 0; i < found; i++)
		AO_TRY(put(b, list[i].ar, 2, list[i].ma, 2, u + b->shape->k * (*count)++));
	return AO_OK;
}

/* See candidates.h. */
AoStatus
ao_insertions(const AoObjective *obj, const double *base, const AoPart *part, int fewer,
			  bool complex_pairs, double *work, double *u, int *count)
{
	Base		b = make_base(obj, base, part, fewer);

	if (!complex_pairs)
		return insert_reals(&b, u, count);
	AO_TRY(insert_complex(&b, u, count));
	return part->lag == 1 ? insert_narrow(obj, &b, work, u, count) : AO_OK;
}

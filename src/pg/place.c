/*
 * place.c
 *		Where the values of a request stand among those recorded, and by what
 *		factor prices were restated, as after a split or a dividend.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"

#include "request.h"

PG_FUNCTION_INFO_V1(arima_ops_price_factor);
PGDLLEXPORT Datum arima_ops_price_factor(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(arima_ops_count_newer);
PGDLLEXPORT Datum arima_ops_count_newer(PG_FUNCTION_ARGS);

#define SURE 1000				/* so many times less likely than one has a factor, or a place, to be by chance */

/* ---- one factor between two kinds of prices ---- */

#define SEVEN_DIGITS 1e-7		/* relative: what is left of a price by single precision */
#define FEW_UNITS 10			/* of half a unit */
#define SMALL_UNIT 1e-3			/* relative: a cent of a price from 10 on */
#define SAME_FACTOR 1e-4		/* relative: factors of prices that are not rounded may have this range */

/* Prices, all positive or as good as, and the unit that they are rounded to; 0: none. */
typedef struct Prices
{
	const double *values;
	double		unit;
} Prices;

/* How two kinds of prices differ. */
typedef struct Change
{
	double		factor;			/* 1: not at all, as far as one can tell; 0: by no one factor, or one by chance */
	double		range;			/* of the quotients */
} Change;

/* The largest power of ten, from 100 to 0.0001, of which all values are multiples; 0 if none is. */
static double
price_unit(AoSeries y)
{
	static const double per_unit[] = {0.01, 0.1, 1, 10, 100, 1000, 10000};
	int			k = 0;

	for (int64 i = 0; i < y.n && k < lengthof(per_unit); i++)
	{
		double		units;

		if (!isfinite(y.values[i]))
			continue;
		while (units = y.values[i] * per_unit[k], fabs(units - rint(units)) > SEVEN_DIGITS * fabs(units))
			if (++k == lengthof(per_unit))
				return 0;
	}
	return k < lengthof(per_unit) ? 1 / per_unit[k] : 0;
}

/*
 * The factor of n given prices to the recorded ones, if there is one that all of them are
 * explained by: each of both may be off by half of the unit that it is rounded to, and the
 * quotients of others by half of SAME_FACTOR, or of a twentieth of the change if that is
 * less.  A price of another session would have a place there by a chance of that to the
 * change, all of them by one in SURE at most.  Where it is not, a change of a few units is
 * taken for none, as rounding may make it.
 */
static Change
find_change(Prices given, Prices recorded, int64 n)
{
	const Change none = {0, 0};
	double		likely = 0;		/* of the largest price, which rounding matters least to */
	double		largest = 0;
	double		exact;
	double		rounding;
	double		smallest = INFINITY;	/* error of a quotient */
	double		low = 0,
				high = INFINITY,
				least = INFINITY,
				most = 0;
	double		sure = 0;		/* logarithm of how many times less likely than one to be by chance */

	for (int64 i = 0; i < n; i++)
	{
		double		ratio = given.values[i] / recorded.values[i];

		/* nor NaN, another sign, or a quotient that no number has the room for */
		if (!(ratio > 1e-30 && ratio < 1e30))
			return none;
		if (fabs(recorded.values[i]) > largest)
		{
			largest = fabs(recorded.values[i]);
			likely = ratio;
		}
		least = Min(least, ratio);
		most = Max(most, ratio);
	}
	exact = Min(SAME_FACTOR * likely, 0.05 * fabs(likely - 1)) / 2;
	rounding = (given.unit + likely * recorded.unit) / 2;
	/* what was restated by hand has more digits than it was rounded to */
	if (given.unit > recorded.unit && given.unit <= SMALL_UNIT * largest)
		rounding = (given.unit + likely * given.unit) / 2;
	for (int64 i = 0; i < n; i++)
	{
		double		ratio = given.values[i] / recorded.values[i];
		double		error = Max(exact, rounding / fabs(recorded.values[i]) + SEVEN_DIGITS * ratio);

		low = Max(low, ratio - error);
		high = Min(high, ratio + error);
		smallest = Min(smallest, error);
		sure += log(Max(1, fabs(likely - 1) / (2 * error)));
	}
	if (n == 0 || low > high)
		return none;
	if (sure < log(SURE))
		return fabs(likely - 1) <= FEW_UNITS * smallest ? (Change) {1, most - least} : none;
	return (Change) {(low + high) / 2, most - least};
}

/* arima_ops.price_factor(given float8[], recorded float8[]); both have the same length */
Datum
arima_ops_price_factor(PG_FUNCTION_ARGS)
{
	AoSeries	given = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "given");
	AoSeries	recorded = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "recorded");
	Change		change;

	if (given.n != recorded.n)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("given and recorded must be of one length"),
						errhint("Give the recorded price of each session for which there is a given one.")));
	change = find_change((Prices) {given.values, price_unit(given)}, (Prices) {recorded.values, price_unit(recorded)}, given.n);
	if (change.factor == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(change.factor);
}

/* ---- where recent values end ---- */

#define LOOK_BACK 6				/* recorded values that are looked for */
#define MAX_GAPS 1000			/* values that come late: bounds the time that a search takes */
#define SAME_PRICE 1e-6			/* relative: prices come rounded to seven digits and more */
#define MOST_NEWER 1000			/* values that a request may be ahead of what is recorded */
#define MOST_CORRECTED 2		/* recorded values that the request may have otherwise */
#define MOST_CHANCE 0.01		/* places that are to be expected by chance */
#define LEAST_MATCHED 3			/* recorded values by which a factor is known, and other values are told */

static bool
is_same(double value, double price)
{
	return fabs(value - price) <= SAME_PRICE * fabs(price);
}

/* A place with other values between those recorded. */
typedef struct Gapped
{
	int			gaps;			/* these others; -1: it is none */
	int			there;			/* of the recorded ones */
} Gapped;

/*
 * Values of recent between the last LOOK_BACK recorded ones, if these end "newer"
 * values before the end of recent.  What recent does not reach back to need not be there,
 * but two values must, and its first one among them: what stands before those may be anything.
 */
static Gapped
gaps_at(AoSeries recent, AoSeries recorded, int64 newer)
{
	int64		wanted = recorded.n - 1;
	int64		first = Max(0, recorded.n - LOOK_BACK);
	int64		at = recent.n - 1 - newer;
	int			gaps = 0;
	bool		same = false;	/* is the value after this one a recorded one? */

	for (; at >= 0 && wanted >= first; at--)
	{
		same = is_same(recent.values[at], recorded.values[wanted]);
		if (same)
			wanted--;
		else if (wanted == recorded.n - 1 || ++gaps > MAX_GAPS)
			return (Gapped) {-1, 0};
	}
	return (Gapped) {wanted < first || (wanted < recorded.n - 2 && same) ? gaps : -1, (int) (recorded.n - 1 - wanted)};
}

/*
 * How the recent values differ from the last LOOK_BACK recorded ones, if these, one after
 * the other, end "newer" values before the end of recent.  What recent does not reach back
 * to need not be there.  With any step from one recorded value to the next others would be
 * in as good a place by a chance of the range of the quotients to the size of the step;
 * values that hardly change, or a few that grow evenly, decide nothing.
 */
static Change
change_at(Prices recent, int64 n_recent, AoSeries recorded, double unit, int64 newer, int64 places)
{
	int64		n = Min(Min(LOOK_BACK, recorded.n), n_recent - newer);
	const double *price = recorded.values + recorded.n - n;
	Prices		given = {recent.values + n_recent - newer - n, recent.unit};
	Change		change = find_change(given, (Prices) {price, unit}, n);
	double		range = Max(change.range, SAME_FACTOR * change.factor);
	double		unlikely = 1;

	/* of a small change a twentieth */
	if (change.factor != 1)
		range = Max(change.range, Min(range, 0.05 * fabs(change.factor - 1)));
	for (int64 i = 1; i < n && change.factor > 0; i++)
		unlikely *= Max(1, fabs(price[i] / price[i - 1] - 1) * change.factor / range);
	return n >= LEAST_MATCHED && unlikely >= SURE * (double) places ? change : (Change) {0, 0};
}

/* Places with enough recent values up to them to tell one from another. */
static int64
count_places(AoSeries recent)
{
	return Min(recent.n - LEAST_MATCHED, MOST_NEWER) + 1;
}

/*
 * Where the recent values are rounded otherwise than the recorded ones, or have other
 * prices, to which these have yet to be restated: the only such place, if there is one.
 */
static AoPlace
find_restated(AoSeries recent, AoSeries recorded)
{
	int64		places = count_places(recent);
	Prices		given = {recent.values, price_unit(recent)};
	double		unit = price_unit(recorded);
	AoPlace		place = {AO_OTHERS, 0, 1};

	for (int64 newer = 0; newer < places; newer++)
	{
		Change		change = change_at(given, recent.n, recorded, unit, newer, places);

		if (change.factor == 0)
			continue;
		if (place.found == AO_FOUND)
			return (AoPlace) {AO_OTHERS, 0, 1};
		place = (AoPlace) {AO_FOUND, (int) newer, change.factor};
	}
	return place;
}

/* Of the last LOOK_BACK recorded values, from the last one on, each one's share of the recent ones. */
static void
share_values(AoSeries recent, AoSeries recorded, double *share)
{
	int64		n = Min(LOOK_BACK, recorded.n);

	for (int64 i = 0; i < n; i++)
	{
		double		price = recorded.values[recorded.n - 1 - i];
		int64		same = 0;

		for (int64 t = 0; t < recent.n; t++)
			same += is_same(recent.values[t], price);
		share[i] = (double) same / (double) recent.n;
	}
}

/* So many ways there are to choose k of n. */
static double
choose(int n, int k)
{
	double		ways = 1;

	for (int i = 1; i <= k; i++)
		ways *= (double) (n - k + i) / i;
	return ways;
}

/*
 * Where all but one or two of the last recorded values, three at least, are in their places
 * among the recent ones, as where a value has been corrected on one side only: the only such
 * place that is not to be expected by chance, if there is one.
 */
static AoPlace
find_corrected(AoSeries recent, AoSeries recorded, const double *share)
{
	int64		places = count_places(recent);
	AoPlace		place = {AO_OTHERS, 0, 1};

	for (int64 newer = 0; newer < places; newer++)
	{
		int			n = (int) Min(Min(LOOK_BACK, recorded.n), recent.n - newer);
		int			there = 0;
		double		chance = (double) places;

		for (int i = 0; i < n; i++)
			if (is_same(recent.values[recent.n - 1 - newer - i], recorded.values[recorded.n - 1 - i]))
			{
				there++;
				chance *= share[i];
			}
		if (there < LEAST_MATCHED || n - there > MOST_CORRECTED || chance * choose(n, there) > MOST_CHANCE)
			continue;
		if (place.found == AO_FOUND)
			return (AoPlace) {AO_OTHERS, 0, 1};
		place = (AoPlace) {AO_FOUND, (int) newer, 1};
	}
	return place;
}

/* Is a place with values between those recorded, the last "there" of these being there, unlike one by chance? */
static bool
is_no_chance(const double *share, int there, int gaps, int64 places)
{
	double		chance = (double) places * choose(gaps + there - 1, there - 1);

	for (int i = 0; i < there; i++)
		chance *= share[i];
	return chance <= MOST_CHANCE;
}

/* Nor place nor factor: are half of the recorded values among them at least, so that they may be the series' own? */
static AoFound
find_none(AoSeries recent, AoSeries recorded, const double *share)
{
	int64		n = Min(LOOK_BACK, recorded.n);
	int			known = 0;

	for (int64 i = 0; i < n; i++)
		known += share[i] > 0;
	return recorded.n < LEAST_MATCHED || 2 * known >= Min(n, recent.n) ? AO_UNSURE : AO_OTHERS;
}

/*
 * How many of the recent values follow the last recorded one: where there are fewest
 * others between, of several such places the last.  Where there is none without others the
 * prices may be rounded, or others.  A place with others between that may be by chance, as
 * with small counts, is none.  Then one or two of them may be corrected; else the two end together.
 */
AoPlace
ao_pg_count_newer(AoSeries recent, AoSeries recorded)
{
	int64		end = recorded.n > 0 ? Min(recent.n - 1, MOST_NEWER + 1) : 0;
	double		share[LOOK_BACK];
	Gapped		best = {-1, 0};
	int64		best_newer = 0;
	AoPlace		place;

	for (int64 newer = 0; newer < end && best.gaps != 0; newer++)
	{
		Gapped		gapped = gaps_at(recent, recorded, newer);

		CHECK_FOR_INTERRUPTS();
		if (gapped.gaps >= 0 && (best.gaps < 0 || gapped.gaps < best.gaps))
		{
			best = gapped;
			best_newer = newer;
		}
	}
	if (best.gaps == 0)
		return (AoPlace) {AO_FOUND, (int) best_newer, 1};
	place = find_restated(recent, recorded);
	if (place.found == AO_FOUND)
		return place;
	share_values(recent, recorded, share);
	/* before the corrected ones: with one missing between, those before it are in their places elsewhere */
	if (best.gaps > 0 && is_no_chance(share, best.there, best.gaps, end))
		return (AoPlace) {AO_FOUND, (int) best_newer, 1};
	place = find_corrected(recent, recorded, share);
	if (place.found == AO_FOUND)
		return place;
	return (AoPlace) {find_none(recent, recorded, share), 0, 1};
}

/* arima_ops.count_newer(recent float8[], recorded float8[], OUT newer int, OUT factor float8, OUT placed boolean) */
Datum
arima_ops_count_newer(PG_FUNCTION_ARGS)
{
	AoSeries	recent = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "recent");
	AoSeries	recorded = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "recorded");
	AoPlace		place = ao_pg_count_newer(recent, recorded);
	Datum		values[] = {Int32GetDatum(place.newer), Float8GetDatum(place.factor), BoolGetDatum(place.found == AO_FOUND)};
	bool		nulls[] = {false, false, place.found == AO_UNSURE};
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

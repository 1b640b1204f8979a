/*
 * test_exact_sum.c
 *		The exact accumulator against a reference that counts single bits.
 */
#include "exact_sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "unit.h"

/* ---- reference: one counter per binary digit, nothing clever ---- */

#define REF_BITS 4400
#define REF_BIAS 2148			/* bit 0 is 2^-2148, the lowest of a square */

typedef struct Reference
{
	int64_t		bit[REF_BITS];
} Reference;

/* Adds times * x. */
static void
ref_add(Reference *ref, double x, int times)
{
	int			exponent;
	int64_t		mantissa = (int64_t) ldexp(frexp(fabs(x), &exponent), 53);

	/* a subnormal has zeros at its low end: those lie below bit 0 of no number */
	for (int i = 0; i < 53; i++)
		if (mantissa >> i & 1)
			ref->bit[exponent - 53 + i + REF_BIAS] += x < 0 ? -times : times;
}

/* Adds times * x^2. */
static void
ref_add_square(Reference *ref, double x, int times)
{
	int			exponent;
	int64_t		mantissa = (int64_t) ldexp(frexp(fabs(x), &exponent), 53);

	for (int i = 0; i < 53; i++)
		for (int j = 0; j < 53; j++)
			if (mantissa >> i & mantissa >> j & 1)
				ref->bit[2 * (exponent - 53) + i + j + REF_BIAS] += times;
}

/* Resolves carries; the return value is what is left over on top, -1 if negative. */
static int64_t
ref_carry(int64_t *bit)
{
	int64_t		carry = 0;

	for (int i = 0; i < REF_BITS; i++)
	{
		int64_t		value = bit[i] + carry;

		bit[i] = value & 1;
		carry = (value - bit[i]) / 2;
	}
	return carry;
}

/* The value rounded to nearest even: magnitude in 0.5..1 (exclusive) times 2^*exponent. */
static double
ref_read(const Reference *ref, int *exponent)
{
	static int64_t bit[REF_BITS];
	int			top = REF_BITS - 1;
	bool		negative;
	bool		sticky = false;
	int64_t		mantissa = 0;
	double		value;

	memcpy(bit, ref->bit, sizeof(bit));
	negative = ref_carry(bit) < 0;
	if (negative)
	{
		for (int i = 0; i < REF_BITS; i++)
			bit[i] = -ref->bit[i];
		ref_carry(bit);
	}
	while (top >= 0 && bit[top] == 0)
		top--;
	*exponent = 0;
	if (top < 0)
		return 0.0;
	for (int i = top; i > top - 53; i--)
		mantissa = 2 * mantissa + (i >= 0 ? bit[i] : 0);
	for (int i = 0; i < top - 53; i++)
		sticky = sticky || bit[i];
	if (top >= 53 && bit[top - 53] && (sticky || (mantissa & 1)))
		mantissa++;
	value = frexp((double) mantissa, exponent);
	*exponent += top - 52 - REF_BIAS;
	return negative ? -value : value;
}

/* ---- helpers ---- */

typedef struct Sum
{
	AoExactSum	sum;
	int64_t		small[AO_EXACT_SMALL];
	int64_t		full[AO_EXACT_DIGITS];
} Sum;

/* Was anything refused even at full size? */
static bool full_size_enough = true;

static uint64_t seed = UINT64_C(88172645463325252);

/* Marsaglia's xorshift64. */
static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Any finite double, all exponents alike. */
static double
random_double(void)
{
	double		x;

	do
	{
		uint64_t	bits = random_bits();

		memcpy(&x, &bits, sizeof(x));
	} while (!isfinite(x));
	return x;
}

/* Between -1 and 1, with 53 random bits. */
static double
random_unit(void)
{
	return ldexp((double) (int64_t) (random_bits() >> 10), -53) - 1.0;
}

static void
sum_init(Sum *s)
{
	ao_exact_sum_init(&s->sum, s->small);
}

/* Adds x or its square, widening when asked to. */
static void
sum_add(Sum *s, double x, bool square, bool subtract)
{
	bool		(*add) (AoExactSum *, double, bool) = square ? ao_exact_sum_add_square : ao_exact_sum_add;

	if (!add(&s->sum, x, subtract))
	{
		ao_exact_sum_widen(&s->sum, s->full);
		full_size_enough = add(&s->sum, x, subtract) && full_size_enough;
	}
}

/* Adds another sum's digits, widening when asked to. */
static void
sum_merge(Sum *s, const AoExactDigits *digits)
{
	if (!ao_exact_sum_add_digits(&s->sum, digits))
	{
		ao_exact_sum_widen(&s->sum, s->full);
		full_size_enough = ao_exact_sum_add_digits(&s->sum, digits) && full_size_enough;
	}
}

/* Does the sum read as m * 2^e? */
static bool
reads_as(Sum *s, double m, int e)
{
	int			exponent;
	int			more;
	double		value = frexp(ao_exact_sum_read(&s->sum, &exponent), &more);

	return value == m && (m == 0.0 || exponent + more == e);
}

static bool
equals_reference(Sum *s, const Reference *ref)
{
	int			exponent;
	double		value = ref_read(ref, &exponent);

	return reads_as(s, value, exponent);
}

/* Nothing left at all, in the value or in the memory behind it. */
static bool
is_empty(Sum *s)
{
	AoExactDigits digits;
	bool		clean = true;

	ao_exact_sum_export(&s->sum, &digits);
	for (int i = 0; i < s->sum.size; i++)
		clean = clean && s->sum.digit[i] == 0;
	return clean && digits.count == 0 && !digits.negative && reads_as(s, 0.0, 0);
}

static bool
same_digits(Sum *a, Sum *b)
{
	AoExactDigits x;
	AoExactDigits y;

	ao_exact_sum_export(&a->sum, &x);
	ao_exact_sum_export(&b->sum, &y);
	return ao_exact_digits_check(&x) && x.negative == y.negative &&
		x.first == y.first && x.count == y.count &&
		memcmp(x.digit, y.digit, x.count * sizeof(x.digit[0])) == 0;
}

static void
fill(double *x, int n, bool wild)
{
	for (int i = 0; i < n; i++)
		x[i] = wild ? random_double() : 50.0 * random_unit();
}

static void
shuffle(double *x, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) (random_bits() % (uint64_t) (i + 1));
		double		swap = x[i];

		x[i] = x[j];
		x[j] = swap;
	}
}

/* ---- tests of the accumulator ---- */

/* Random sums, tame and over the whole range, against the reference. */
static void
test_against_reference(bool square, bool wild)
{
	static Reference ref;
	bool		right = true;
	bool		small = true;
	Sum			s;

	for (int round = 0; round < 60; round++)
	{
		memset(&ref, 0, sizeof(ref));
		sum_init(&s);
		for (int i = 0; i < 40; i++)
		{
			double		x = wild ? random_double() : 50.0 * random_unit();

			sum_add(&s, x, square, false);
			if (square)
				ref_add_square(&ref, x, 1);
			else
				ref_add(&ref, x, 1);
			if (i % 8 == round % 8)
				right = right && equals_reference(&s, &ref);
		}
		right = right && equals_reference(&s, &ref);
		small = small && s.sum.size == AO_EXACT_SMALL;
	}
	UNIT_CHECK(right, "random %s sums of %s", wild ? "wild" : "tame", square ? "squares" : "values");
	UNIT_CHECK(small != wild, "%s numbers %s the small window", wild ? "wild" : "tame", wild ? "leave" : "stay in");
}

/* Sums that nearly cancel: long runs of carries and borrows, both signs. */
static void
test_cancellation(void)
{
	static Reference ref;
	bool		right = true;
	Sum			s;

	sum_init(&s);
	memset(&ref, 0, sizeof(ref));
	for (int i = 0; i < 2000; i++)
	{
		double		x = ldexp(random_unit() < 0 ? -1.0 : 1.0, (int) (random_bits() % 300) - 150);

		sum_add(&s, x, false, false);
		ref_add(&ref, x, 1);
		right = right && equals_reference(&s, &ref);
	}
	UNIT_CHECK(right, "powers of two of either sign, read after each");
}

/* The same terms in another order, or in parts, give the same digits. */
static void
test_order_and_parts(bool square, bool wild)
{
	double		x[300];
	Sum			whole;
	Sum			other;
	Sum			parts;
	AoExactDigits digits;

	fill(x, 300, wild);
	sum_init(&whole);
	for (int i = 0; i < 300; i++)
		sum_add(&whole, x[i], square, false);

	shuffle(x, 300);
	sum_init(&other);
	for (int i = 0; i < 300; i++)
		sum_add(&other, x[i], square, false);
	UNIT_CHECK(same_digits(&whole, &other), "order does not matter");

	sum_init(&parts);
	for (int part = 0; part < 7; part++)
	{
		sum_init(&other);
		for (int i = part; i < 300; i += 7)
			sum_add(&other, x[i], square, false);
		ao_exact_sum_export(&other.sum, &digits);
		sum_merge(&parts, &digits);
	}
	UNIT_CHECK(same_digits(&whole, &parts), "seven parts joined give the same digits");
}

/* What was added and then subtracted, in another order, leaves nothing. */
static void
test_no_trace(bool square, bool wild)
{
	double		x[300];
	Sum			s;

	fill(x, 300, wild);
	sum_init(&s);
	for (int i = 0; i < 300; i++)
		sum_add(&s, x[i], square, false);
	shuffle(x, 300);
	for (int i = 0; i < 300; i++)
		sum_add(&s, x[i], square, true);
	UNIT_CHECK(is_empty(&s), "add, then subtract in another order: nothing left");
}

/* A frame of 14 moving over prices with absurd values among them. */
static void
test_moving_frame(bool square)
{
	static const double absurd[] = {1e12, -1e12, 1e300, DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, 0.0};
	static Reference ref;
	double		x[400];
	bool		right = true;
	Sum			s;

	fill(x, 400, false);
	for (int i = 0; i < 400; i += 23)
		x[i] = absurd[i / 23 % 8];
	sum_init(&s);
	for (int i = 0; i < 400; i++)
	{
		sum_add(&s, x[i], square, false);
		if (i >= 14)
			sum_add(&s, x[i - 14], square, true);
		memset(&ref, 0, sizeof(ref));
		for (int j = i < 13 ? 0 : i - 13; j <= i; j++)
			square ? ref_add_square(&ref, x[j], 1) : ref_add(&ref, x[j], 1);
		right = right && equals_reference(&s, &ref);
	}
	UNIT_CHECK(right, "frame of 14 %s with outliers passing through", square ? "squares" : "values");
}

/* Halfway cases go to even, and one bit however far below breaks the tie. */
static void
test_rounding(void)
{
	const double two53 = 9007199254740992.0;

	for (int sign = -1; sign <= 1; sign += 2)
	{
		Sum			s;

		sum_init(&s);
		sum_add(&s, sign * two53, false, false);
		sum_add(&s, sign * 1.0, false, false);
		UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == sign * two53, "tie goes to even");
		sum_add(&s, sign * 5e-324, false, false);
		UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == sign * (two53 + 2.0), "a bit 1074 places below breaks the tie");
		sum_add(&s, sign * -1e-323, false, false);
		UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == sign * two53, "a bit below the tie on the other side");
		sum_add(&s, sign * 5e-324, false, false);
		sum_add(&s, sign * 2.0, false, false);
		UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == sign * (two53 + 4.0), "three over goes up to even");
		sum_add(&s, sign * two53, false, true);
		UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == sign * 3.0, "what is left is exact");
	}
}

/* Both ends of the range: sums that no double holds, means that one does. */
static void
test_range(void)
{
	Sum			s;

	sum_init(&s);
	sum_add(&s, DBL_MAX, false, false);
	sum_add(&s, DBL_MAX, false, false);
	UNIT_CHECK(ao_exact_sum_mean(&s.sum, 2) == DBL_MAX, "mean of two of the largest");
	UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == INFINITY, "twice the largest is infinite");

	sum_init(&s);
	sum_add(&s, DBL_MAX, true, false);
	UNIT_CHECK(ao_exact_sum_root_mean(&s.sum, 1) == DBL_MAX, "root mean square of the largest");
	sum_add(&s, 5e-324, true, false);
	sum_add(&s, DBL_MAX, true, true);
	UNIT_CHECK(ao_exact_sum_root_mean(&s.sum, 1) == 5e-324, "root mean square of the smallest");

	sum_init(&s);
	for (int i = 0; i < 3; i++)
		sum_add(&s, 3e-324, false, false);
	UNIT_CHECK(ao_exact_sum_mean(&s.sum, 3) == 3e-324, "mean of the smallest");
	for (int i = 0; i < 3; i++)
		sum_add(&s, 0.1, true, false);
	UNIT_CHECK(fabs(ao_exact_sum_root_mean(&s.sum, 3) - 0.1) <= 0x1p-56, "root mean square of three equal");
}

/* The headroom takes 2^62 squares of the largest double, and gives them back. */
static void
test_headroom(void)
{
	Sum			s;
	AoExactDigits digits;
	int			exponent;
	double		one = frexp(DBL_MAX, &exponent);

	sum_init(&s);
	sum_add(&s, DBL_MAX, true, false);
	for (int i = 0; i < 62; i++)
	{
		ao_exact_sum_export(&s.sum, &digits);
		sum_merge(&s, &digits);
	}
	UNIT_CHECK(reads_as(&s, one * one, 2 * exponent + 62), "2^62 squares of the largest");
	digits.negative = true;
	for (int i = 0; i < 2; i++)
		sum_merge(&s, &digits);
	UNIT_CHECK(is_empty(&s), "and none");
}

/* The largest terms that a small window takes can be many. */
static void
test_small_headroom(void)
{
	Sum			s;
	double		x = 1.0;
	int			exponent;
	double		one;

	sum_init(&s);
	sum_add(&s, 1.0, false, false);
	while (ao_exact_sum_add(&s.sum, 2.0 * x - 1.0, false))
	{
		ao_exact_sum_add(&s.sum, 2.0 * x - 1.0, true);
		x *= 2.0;
	}
	for (int i = 0; i < 1 << 20; i++)
		sum_add(&s, x, false, false);
	sum_add(&s, 1.0, false, true);
	one = frexp(x, &exponent);
	UNIT_CHECK(s.sum.size == AO_EXACT_SMALL, "in a small window");
	UNIT_CHECK(reads_as(&s, one, exponent + 20), "2^20 of the largest there");
}

/* Carries are resolved before words overflow: the count is set near its limit. */
static void
test_pending(void)
{
	const int32_t limit = 1 << 29;
	Sum			s;

	sum_init(&s);
	for (int i = 0; i < 100000; i++)
		sum_add(&s, 1.0 + 0x1p-52, false, i % 2 == 1);
	UNIT_CHECK(s.sum.pending == 100000, "carries wait");
	sum_add(&s, 3.0, false, false);
	s.sum.pending = limit - 1;
	sum_add(&s, 4.0, false, false);
	UNIT_CHECK(s.sum.pending == limit, "carries wait up to the limit");
	sum_add(&s, 5.0, false, false);
	UNIT_CHECK(s.sum.pending == 1, "and are resolved then");
	UNIT_CHECK(ao_exact_sum_mean(&s.sum, 1) == 12.0, "with the right sum");
}

/* What export never writes is refused. */
static void
test_digits_check(void)
{
	AoExactDigits digits = {false, 0, 0, {0}};

	UNIT_CHECK(ao_exact_digits_check(&digits), "zero");
	digits.negative = true;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "negative zero");
	digits.count = 2;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "zero digits at the ends");
	digits.digit[0] = digits.digit[1] = 7;
	UNIT_CHECK(ao_exact_digits_check(&digits), "two digits");
	digits.first = AO_EXACT_DIGITS - 4;
	UNIT_CHECK(ao_exact_digits_check(&digits), "two digits at the top");
	digits.first = AO_EXACT_DIGITS - 3;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "reaches past the end");
	digits.first = -1;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "negative position");
	digits.first = INT32_MAX;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "huge position");
	digits.first = 0;
	digits.count = AO_EXACT_DIGITS + 1;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "too many digits");
	digits.count = -1;
	UNIT_CHECK(!ao_exact_digits_check(&digits), "negative count");
}

int
main(void)
{
	for (int kind = 0; kind < 4; kind++)
	{
		bool		square = (kind & 1) != 0;
		bool		wild = (kind & 2) != 0;

		test_against_reference(square, wild);
		test_order_and_parts(square, wild);
		test_no_trace(square, wild);
	}
	test_moving_frame(false);
	test_moving_frame(true);
	test_cancellation();
	test_rounding();
	test_range();
	test_headroom();
	test_small_headroom();
	test_pending();
	test_digits_check();
	UNIT_CHECK(full_size_enough, "full size takes every term");
	return unit_done();
}

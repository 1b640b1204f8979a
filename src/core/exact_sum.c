/*
 * exact_sum.c
 *		Exact sums of doubles and of squares of doubles; see exact_sum.h.
 *
 * Digits are 32 bits wide in 64-bit signed words, so that carries need to be
 * resolved only every 2^29 terms, or when the sum is read.
 */
#include "exact_sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define DIGIT_BITS 32
#define DIGIT_BASE INT64_C(0x100000000)
#define DIGIT_MASK UINT64_C(0xffffffff)

/*
 * Free digits kept above every term: 64 bits, room for 2^63 of them.  The sum of
 * 2^63 of the largest squares is below 2^4287 of the lowest digit's units, 134
 * digits, so leaves them free at full size.
 */
#define HEADROOM 2
/* Digits left free below the first term of a small window, for smaller ones to come. */
#define FOOTROOM 3
/* A term changes a digit by less than 2^33: words stay below 2^62 + 2^33. */
#define MAX_PENDING (1 << 29)

/* Splits a finite double: |x| = mantissa * 2^exponent. */
static inline uint64_t
split(double x, int *exponent)
{
	uint64_t	bits;
	int			field;

	memcpy(&bits, &x, sizeof(bits));
	field = (int) (bits >> 52) & 0x7ff;
	bits &= UINT64_C(0xfffffffffffff);
	*exponent = (field > 0 ? field : 1) - 1075;
	return field > 0 ? bits | UINT64_C(0x10000000000000) : bits;
}

/* Zero, on the AO_EXACT_SMALL digits given; the window is placed by the first term. */
void
ao_exact_sum_init(AoExactSum *sum, int64_t *digits)
{
	sum->digit = digits;
	sum->size = AO_EXACT_SMALL;
	sum->base = sum->lo = sum->hi = sum->pending = 0;
	memset(digits, 0, AO_EXACT_SMALL * sizeof(int64_t));
}

/* Copies the sum into the AO_EXACT_DIGITS digits given; the old ones are no longer used. */
void
ao_exact_sum_widen(AoExactSum *sum, int64_t *digits)
{
	memset(digits, 0, AO_EXACT_DIGITS * sizeof(int64_t));
	for (int i = sum->lo; i < sum->hi; i++)
		digits[sum->base + i] = sum->digit[i];
	sum->digit = digits;
	sum->size = AO_EXACT_DIGITS;
	sum->lo += sum->base;
	sum->hi += sum->base;
	sum->base = 0;
}

/* Shrinks lo..hi-1 to the digits that are not zero. */
static void
trim(AoExactSum *sum)
{
	while (sum->hi > sum->lo && sum->digit[sum->hi - 1] == 0)
		sum->hi--;
	while (sum->hi > sum->lo && sum->digit[sum->lo] == 0)
		sum->lo++;
	if (sum->lo == sum->hi)
		sum->lo = sum->hi = 0;
}

/*
 * Resolves carries into the unique form: every digit below 2^32 in magnitude
 * and of the sign of the sum, neither end zero.
 */
static void
normalise(AoExactSum *sum)
{
	int64_t    *digit = sum->digit;
	int64_t		carry = 0;

	for (int i = sum->lo; i < sum->hi; i++)
	{
		int64_t		value = digit[i] + carry;

		digit[i] = (int64_t) ((uint64_t) value & DIGIT_MASK);
		carry = (value - digit[i]) / DIGIT_BASE;
	}
	if (carry != 0 && sum->hi < sum->size)
		digit[sum->hi++] = carry;

	/* The top digit alone has a sign so far; borrow from it for the others. */
	if (carry < 0)
	{
		for (int i = sum->lo; i < sum->hi - 1; i++)
		{
			if (digit[i] > 0)
			{
				digit[i] -= DIGIT_BASE;
				digit[i + 1]++;
			}
		}
	}
	trim(sum);
	sum->pending = 0;
}

/*
 * Makes ready for a term that occupies the digits at positions first ..
 * first+count-1 of the full number; gives the index of the first, or -1 when
 * the window does not hold them and the room for sums above them.
 */
static inline int
reserve(AoExactSum *sum, int first, int count)
{
	int			index;

	if (sum->pending >= MAX_PENDING)
		normalise(sum);
	if (sum->lo == sum->hi && sum->size == AO_EXACT_SMALL)
		sum->base = first > FOOTROOM ? first - FOOTROOM : 0;
	index = first - sum->base;
	if (index < 0 || index + count + HEADROOM > sum->size)
		return -1;
	if (sum->lo == sum->hi)
	{
		sum->lo = index;
		sum->hi = index + count;
	}
	else
	{
		if (index < sum->lo)
			sum->lo = index;
		if (index + count > sum->hi)
			sum->hi = index + count;
	}
	sum->pending++;
	return index;
}

/* Adds value * 2^shift, shift < 32, to the three digits from *digit, or subtracts it. */
static inline void
add_bits(int64_t *digit, uint64_t value, int shift, bool subtract)
{
	int64_t		low = (int64_t) ((value << shift) & DIGIT_MASK);
	int64_t		middle = (int64_t) ((value >> (DIGIT_BITS - shift)) & DIGIT_MASK);
	int64_t		high = (int64_t) ((value >> DIGIT_BITS) >> (DIGIT_BITS - shift));
	int64_t		sign = subtract ? -1 : 1;

	digit[0] += sign * low;
	digit[1] += sign * middle;
	digit[2] += sign * high;
}

/* Adds or subtracts a finite x; false, and nothing done, when the window does not hold it. */
bool
ao_exact_sum_add(AoExactSum *sum, double x, bool subtract)
{
	int			exponent;
	uint64_t	mantissa = split(x, &exponent);
	int			position = exponent + AO_EXACT_BIAS;
	int			index;

	if (mantissa == 0)
		return true;
	index = reserve(sum, position / DIGIT_BITS, 3);
	if (index < 0)
		return false;
	add_bits(&sum->digit[index], mantissa, position % DIGIT_BITS, subtract != (x < 0.0));
	return true;
}

/*
 * Adds or subtracts x^2, finite x: the 106 bits of the squared mantissa in two
 * words, by 32-bit halves.  False as for ao_exact_sum_add.
 */
bool
ao_exact_sum_add_square(AoExactSum *sum, double x, bool subtract)
{
	int			exponent;
	uint64_t	mantissa = split(x, &exponent);
	int			position = 2 * exponent + AO_EXACT_BIAS;
	uint64_t	upper = mantissa >> DIGIT_BITS;
	uint64_t	lower = mantissa & DIGIT_MASK;
	uint64_t	cross = 2 * upper * lower;
	uint64_t	bottom = lower * lower;
	uint64_t	low = bottom + (cross << DIGIT_BITS);
	uint64_t	high = upper * upper + (cross >> DIGIT_BITS) + (low < bottom);
	int			index;

	if (mantissa == 0)
		return true;
	/* 106 bits, shifted by up to 31 */
	index = reserve(sum, position / DIGIT_BITS, 5);
	if (index < 0)
		return false;
	add_bits(&sum->digit[index], low, position % DIGIT_BITS, subtract);
	add_bits(&sum->digit[index + 2], high, position % DIGIT_BITS, subtract);
	return true;
}

/* Adds digits that passed ao_exact_digits_check; false as for ao_exact_sum_add. */
bool
ao_exact_sum_add_digits(AoExactSum *sum, const AoExactDigits *digits)
{
	int			index;

	if (digits->count == 0)
		return true;
	index = reserve(sum, digits->first, digits->count);
	if (index < 0)
		return false;
	for (int i = 0; i < digits->count; i++)
		sum->digit[index + i] += digits->negative ? -(int64_t) digits->digit[i] : (int64_t) digits->digit[i];
	return true;
}

/* The unique form of the sum, to be sent elsewhere or added to another. */
void
ao_exact_sum_export(AoExactSum *sum, AoExactDigits *out)
{
	normalise(sum);
	out->first = sum->hi > sum->lo ? sum->base + sum->lo : 0;
	out->count = sum->hi - sum->lo;
	out->negative = out->count > 0 && sum->digit[sum->lo] < 0;
	for (int i = 0; i < out->count; i++)
	{
		int64_t		value = sum->digit[sum->lo + i];

		out->digit[i] = (uint32_t) (out->negative ? -value : value);
	}
}

/* Could export have written these digits?  Guards every use of first and count. */
bool
ao_exact_digits_check(const AoExactDigits *digits)
{
	if (digits->count == 0)
		return digits->first == 0 && !digits->negative;
	return digits->count > 0 && digits->count <= AO_EXACT_DIGITS - HEADROOM &&
		digits->first >= 0 && digits->first <= AO_EXACT_DIGITS - HEADROOM - digits->count &&
		digits->digit[0] != 0 && digits->digit[digits->count - 1] != 0;
}

/* Magnitude of the digit `below` places under the top one; 0 past the end. */
static inline uint64_t
top_digit(const AoExactSum *sum, int below)
{
	int			i = sum->hi - 1 - below;
	int64_t		value = i >= sum->lo ? sum->digit[i] : 0;

	return (uint64_t) (value < 0 ? -value : value);
}

/* Value rounded once, to nearest even, as fraction (0, or 0.5..1 in magnitude) and exponent. */
double
ao_exact_sum_read(AoExactSum *sum, int *exponent)
{
	uint64_t	top;
	uint64_t	third;
	int			shift = 0;
	double		value;

	*exponent = 0;
	normalise(sum);
	if (sum->lo == sum->hi)
		return 0.0;

	top = top_digit(sum, 0) << DIGIT_BITS | top_digit(sum, 1);
	for (int step = 16; step > 0; step /= 2)
	{
		if (top >> (64 - step) == 0)
		{
			top <<= step;
			shift += step;
		}
	}
	third = top_digit(sum, 2) << shift;
	top |= third >> DIGIT_BITS;

	/*
	 * Bits further down matter only by being there: as the last bit of 64
	 * they make the conversion to 53 round right.  The lowest digit in use is
	 * never zero.
	 */
	if ((third & DIGIT_MASK) != 0 || sum->hi - sum->lo > 3)
		top |= 1;
	value = (double) top * 0x1p-64;
	*exponent = DIGIT_BITS * (sum->base + sum->hi) - AO_EXACT_BIAS - shift;
	return sum->digit[sum->hi - 1] < 0 ? -value : value;
}

/* sum / n for n > 0. */
double
ao_exact_sum_mean(AoExactSum *sum, int64_t n)
{
	int			exponent;
	double		value = ao_exact_sum_read(sum, &exponent);

	/* As ordinary arithmetic does it wherever the sum itself is a double. */
	if (exponent < DBL_MAX_EXP)
		return ldexp(value, exponent) / (double) n;
	return ldexp(value / (double) n, exponent);
}

/* sqrt(sum / n) for n > 0 and a sum of squares. */
double
ao_exact_sum_root_mean(AoExactSum *sum, int64_t n)
{
	int			exponent;
	double		value = ao_exact_sum_read(sum, &exponent);

	/* The sum of squares itself may be far outside the range of double. */
	if (exponent % 2 != 0)
	{
		value *= 2.0;
		exponent--;
	}
	return ldexp(sqrt(value / (double) n), exponent / 2);
}

/*
 * exact_sum.h
 *		Exact sums of doubles and of squares of doubles.
 *
 * A superaccumulator (Kulisch; Neal, "Fast exact summation using small and
 * large superaccumulators", 2015): a fixed-point number in base 2^32 that
 * spans every square of a double, so that adding and subtracting are exact,
 * order does not matter, and what has left the sum leaves no trace.  A value
 * is read off with one rounding, to nearest even.
 *
 * Memory belongs to the caller.  Most sums stay inside a window of
 * AO_EXACT_SMALL digits; a term that does not fit makes the call answer false
 * with nothing changed, and the caller widens to AO_EXACT_DIGITS digits, which
 * hold anything, and calls again.
 */
#ifndef AO_EXACT_SUM_H
#define AO_EXACT_SUM_H

#include <stdbool.h>
#include <stdint.h>

/* Digit 0 has the weight 2^-AO_EXACT_BIAS; the lowest bit of a square is 2^-2148. */
#define AO_EXACT_BIAS 2176
/* Squares are below 2^2048, 2^63 of them below 2^2111; two more digits are spare. */
#define AO_EXACT_DIGITS 136
#define AO_EXACT_SMALL 12

typedef struct AoExactSum
{
	int64_t    *digit;			/* signed digits in base 2^32, carries pending; zero outside lo..hi-1 */
	int32_t		size;			/* AO_EXACT_SMALL or AO_EXACT_DIGITS */
	int32_t		base;			/* position of digit[0] in the full number */
	int32_t		lo, hi;			/* indexes into digit[]: the part in use; equal when zero */
	int32_t		pending;		/* terms taken since carries were last resolved */
} AoExactSum;

/* The number in unique form, for sending elsewhere. */
typedef struct AoExactDigits
{
	bool		negative;
	int32_t		first;			/* position of digit[0] in the full number */
	int32_t		count;			/* 0 for zero; else neither the first nor the last digit is 0 */
	uint32_t	digit[AO_EXACT_DIGITS];
} AoExactDigits;

/* Zero, on the caller's array of AO_EXACT_SMALL digits. */
void		ao_exact_sum_init(AoExactSum *sum, int64_t *digits);
/* Moves the sum to the caller's array of AO_EXACT_DIGITS digits. */
void		ao_exact_sum_widen(AoExactSum *sum, int64_t *digits);

/* Adds x, or subtracts it; x must be finite.  False: widen first. */
bool		ao_exact_sum_add(AoExactSum *sum, double x, bool subtract);
/* Adds x*x, or subtracts it, without rounding; x must be finite. */
bool		ao_exact_sum_add_square(AoExactSum *sum, double x, bool subtract);
/* Adds another sum's digits. */
bool		ao_exact_sum_add_digits(AoExactSum *sum, const AoExactDigits *digits);

/* Writes the unique form; resolves carries, the value stays. */
void		ao_exact_sum_export(AoExactSum *sum, AoExactDigits *out);
/* Is this something that export could have written? */
bool		ao_exact_digits_check(const AoExactDigits *digits);

/* The sum, rounded once, is the result times 2^*exponent; its magnitude is 0 or in 0.5..1. */
double		ao_exact_sum_read(AoExactSum *sum, int *exponent);
/* sum / n, and sqrt(sum / n); n > 0.  Finite wherever the quotient is. */
double		ao_exact_sum_mean(AoExactSum *sum, int64_t n);
double		ao_exact_sum_root_mean(AoExactSum *sum, int64_t n);

#endif							/* AO_EXACT_SUM_H */

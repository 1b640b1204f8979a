/*
 * random.c
 *		Pseudo-random numbers that are the same on every machine.
 */
#include "diagnostics.h"

/* The next number of a splitmix64 sequence (Steele, Lea & Flood 2014). */
static uint64_t
splitmix(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t
rotate(uint64_t x, int by)
{
	return (x << by) | (x >> (64 - by));
}

/* See diagnostics.h. */
void
ao_random_seed(AoRandom *random, uint64_t seed, uint64_t stream)
{
	uint64_t	state = splitmix(&seed) ^ stream;

	for (int i = 0; i < 4; i++)
		random->s[i] = splitmix(&state);
}

/* See diagnostics.h. */
uint64_t
ao_random_bits(AoRandom *random)
{
	uint64_t   *s = random->s,
				result = rotate(s[0] + s[3], 23) + s[0],
				t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* See diagnostics.h.  52 bits and a half: never 0 or 1, and exact. */
double
ao_random_normal(AoRandom *random)
{
	double		bits = (double) (ao_random_bits(random) >> 12) + 0.5;

	return ao_normal_quantile(bits / 4503599627370496.0);
}

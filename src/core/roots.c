/*
 * roots.c
 *		Roots of the AR and MA polynomials, to tell when two of them cancel.
 */
#include "internal.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#define NEAR 0.05				/* inverse roots this close cancel */

/* For one polynomial: companion matrix, roots, LAPACK's work. */
static size_t
part_bytes(int n)
{
	size_t		N = (size_t) n;

	return ao_arena_round(N * N, sizeof(double)) + 2 * ao_arena_round(N, sizeof(double)) +
		ao_arena_round(4 * N, sizeof(double));
}

size_t
ao_roots_bytes(const AoShape *shape)
{
	const AoSpec *s = &shape->spec;

	return part_bytes(s->p) + part_bytes(s->q) + part_bytes(s->P) + part_bytes(s->Q);
}

/*
 * Inverse roots of 1 - sign (a[0] B + ..): eigenvalues of the companion matrix;
 * NULL if they could not be had.
 */
static double *
inverse_roots(const double *a, int n, double sign, AoArena *arena, double **imag)
{
	size_t		N = (size_t) n;
	double	   *C = ao_arena_take(arena, N * N, sizeof(double)),
			   *re = ao_arena_take(arena, N, sizeof(double)),
			   *im = ao_arena_take(arena, N, sizeof(double)),
			   *work = ao_arena_take(arena, 4 * N, sizeof(double));

	*imag = im;
	if (n == 1)
	{
		re[0] = sign * a[0];
		im[0] = 0;
		return re;
	}
	memset(C, 0, N * N * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		C[i * n] = sign * a[i];	/* column-major: first row */
		if (i + 1 < n)
			C[i * n + i + 1] = 1;
	}
	if (LAPACKE_dgeev_work(LAPACK_COL_MAJOR, 'N', 'N', n, C, n, re, im,
						   NULL, 1, NULL, 1, work, 4 * n) != 0)
		return NULL;
	return re;
}

/* Any pair of one AR and one MA inverse root closer than NEAR? */
static bool
parts_cancel(const double *ar, int p, const double *ma, int q, AoArena *arena)
{
	double	   *ar_im,
			   *ma_im,
			   *ar_re,
			   *ma_re;

	if (p == 0 || q == 0)
		return false;
	ar_re = inverse_roots(ar, p, 1, arena, &ar_im);
	ma_re = inverse_roots(ma, q, -1, arena, &ma_im);
	if (ar_re == NULL || ma_re == NULL)
		return false;
	for (int i = 0; i < p; i++)
		for (int j = 0; j < q; j++)
			if (hypot(ar_re[i] - ma_re[j], ar_im[i] - ma_im[j]) < NEAR)
				return true;
	return false;
}

/* See internal.h. */
bool
ao_roots_cancel(const AoShape *shape, const double *coef, AoArena *arena)
{
	const AoSpec *s = &shape->spec;
	const double *ma = coef + s->p,
			   *sar = ma + s->q,
			   *sma = sar + s->P;
	bool		plain = parts_cancel(coef, s->p, ma, s->q, arena),
				seasonal = parts_cancel(sar, s->P, sma, s->Q, arena);

	return plain || seasonal;
}

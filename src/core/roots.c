/*
 * roots.c
 *		Roots of the AR and MA polynomials, to tell when two of them cancel, and
 *		which are near the unit circle.
 */
#include "diagnostics.h"
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

/* The largest of n inverse roots of 1 - sign (a[0] B + ..). */
static AoRoot
largest_root(const double *a, int n, double sign, AoArena *arena)
{
	AoRoot		root = {0, 0};
	double	   *im,
			   *re;

	if (n == 0)
		return root;
	re = inverse_roots(a, n, sign, arena, &im);
	if (re == NULL)
		return (AoRoot) {NAN, 0};
	for (int i = 0; i < n; i++)
	{
		double		modulus = hypot(re[i], im[i]),
					angle = atan2(fabs(im[i]), re[i]);

		if (modulus > root.modulus)
			root = (AoRoot) {modulus, angle > 0 ? 2 * AO_PI / angle : 0};
	}
	return root;
}

/* See diagnostics.h. */
AoStatus
ao_model_roots(const AoModel *model, AoEnv *env, AoRoot roots[4])
{
	const double *ar = ao_model_coef(model),
			   *ma = ar + model->p,
			   *sar = ma + model->q,
			   *sma = sar + model->P;
	AoShape		shape = {.k = 0};
	AoArena		arena;

	memset(&env->err, 0, sizeof env->err);
	ao_model_spec(model, &shape.spec);
	AO_TRY(ao_arena_open(&arena, ao_roots_bytes(&shape), env));
	roots[0] = largest_root(ar, model->p, 1, &arena);
	roots[1] = largest_root(ma, model->q, -1, &arena);
	roots[2] = largest_root(sar, model->P, 1, &arena);
	roots[3] = largest_root(sma, model->Q, -1, &arena);
	ao_arena_close(&arena, env);
	return AO_OK;
}

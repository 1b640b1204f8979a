/*
 * coef_error.c
 *		What errors of the ARMA coefficients add to the variance of a forecast, on
 *		average over the past that it is made from.
 *
 * With e the innovations and Psi_h = 1 + psi_1 B + .. + psi_(h-1) B^(h-1), the error of
 * the h-step forecast is Psi_h e_(t+h).  A coefficient of lag l, of the polynomial c(B),
 * moves it by Psi_h B^l / c(B) e_(t+h), of which what lies after t is no forecast's:
 *
 *		g_l = sum over i >= 0 of w_(h+i-l) e_(t-i),		w = Psi_h / c(B)
 *
 * One step ahead E g g' is the information of one value, I; the errors of n values have
 * the covariance I^-1 / n, and add tr(I^-1 E g g') sigma2 / n to the variance: one step
 * ahead k/n (Akaike 1970), for (1,0,0) h^2 ar1^(2h-2) / n (Yamamoto 1976; Fuller & Hasza
 * 1981), that is for ar1 = 0.98 twelve steps ahead nine times the share of one step.
 */
#include "coef_error.h"

#include <math.h>
#include <string.h>

#define MOST_PAST 500			/* and four times the largest lag */
#define MOST_STEPS 1000			/* later ones add what this one does */
#define TAIL 1e-5				/* of the sum of squares of a response: not counted */
#define RIDGE 1e-8				/* for coefficients that cancel each other: their error moves no forecast */

static int
largest_lag(const AoSpec *s)
{
	int			near = s->p > s->q ? s->p : s->q,
				far = s->m * (s->P > s->Q ? s->P : s->Q);

	return near > far ? near : far;
}

static int
count_coefs(const AoSpec *s)
{
	int			k = s->p + s->q + s->P + s->Q;

	return k > AO_COEF_ERROR_MOST ? 0 : k;
}

static int
most_past(const AoSpec *s, double n)
{
	double		most = fmax(MOST_PAST, 4 * largest_lag(s));

	return (int) fmax(fmin(n, most), largest_lag(s) + 1);
}

size_t
ao_coef_error_bytes(const AoSpec *spec, double n)
{
	int			past = most_past(spec, n);

	if (count_coefs(spec) == 0)
		return 0;
	return 4 * (ao_arena_round((size_t) past + 1, sizeof(double)) +
				ao_arena_round((size_t) (largest_lag(spec) + past), sizeof(double)));
}

/* The response of 1 / polynomial, whose coefficients count with their sign; gives how much of it counts. */
static int
find_response(const double *coef, int len, int lag, double sign, int past, double *response)
{
	double		all = 0,
				tail = 0;
	int			end = past;

	for (int j = 0; j <= past; j++)
	{
		response[j] = j == 0;
		for (int i = 1; i <= len && i * lag <= j; i++)
			response[j] += sign * coef[i - 1] * response[j - i * lag];
		all += response[j] * response[j];
	}
	for (; end > 1; end--)
	{
		tail += response[end] * response[end];
		if (tail > TAIL * all)
			break;
	}
	return end;
}

/* The blocks ar, ma, sar, sma. */
static void
take_blocks(AoCoefError *error, const AoSpec *s, const double *coef, AoArena *arena)
{
	const int	len[4] = {s->p, s->q, s->P, s->Q};
	int			most = error->past,
				used = error->reach;

	error->k = 0;
	for (int b = 0; b < 4; b++)
	{
		int			lag = b < 2 ? 1 : s->m,
					end;

		error->response[b] = ao_arena_take(arena, (size_t) most + 1, sizeof(double));
		end = find_response(coef + error->k, len[b], lag, b % 2 ? -1 : 1, most, error->response[b]);
		used = end > used ? end : used;
		for (int i = 1; i <= len[b]; i++, error->k++)
		{
			error->block[error->k] = b;
			error->lag[error->k] = i * lag;
		}
	}
	error->past = used < most ? used : most;
}

/* E g_a g_b in units of sigma2. */
static double
product(const AoCoefError *error, int a, int b)
{
	const double *x = error->weights[error->block[a]] + error->reach - error->lag[a],
			   *y = error->weights[error->block[b]] + error->reach - error->lag[b];
	double		sum[4] = {0};
	int			i = 0;

	/* four sums: one would wait for itself */
	for (; i + 4 <= error->past; i += 4)
		for (int lane = 0; lane < 4; lane++)
			sum[lane] += x[i + lane] * y[i + lane];
	for (; i < error->past; i++)
		sum[0] += x[i] * y[i];
	return sum[0] + sum[1] + sum[2] + sum[3];
}

/* The inverse of the information; false where it has none. */
static bool
invert_information(AoCoefError *error)
{
	double		scale[AO_COEF_ERROR_MOST];

	for (int a = 0; a < error->k; a++)
		for (int b = 0; b < error->k; b++)
			error->inverse[a * error->k + b] = product(error, a, b) * (a == b ? 1 + RIDGE : 1);
	return ao_invert(error->inverse, error->k, scale);
}

/* The trace, of which the triangle is enough. */
static double
trace(const AoCoefError *error)
{
	double		sum = 0;

	for (int a = 0; a < error->k; a++)
		for (int b = 0; b <= a; b++)
			sum += (a == b ? 1 : 2) * error->inverse[a * error->k + b] * product(error, a, b);
	return sum;
}

/* See coef_error.h. */
void
ao_coef_error_init(AoCoefError *error, const AoSpec *spec, const double *coef, double n, AoArena *arena)
{
	error->k = 0;
	error->steps = 1;
	if (count_coefs(spec) == 0)
		return;
	error->past = most_past(spec, n);
	error->reach = largest_lag(spec);
	take_blocks(error, spec, coef, arena);
	for (int b = 0; b < 4; b++)
	{
		double	   *weights = ao_arena_take(arena, (size_t) (error->reach + error->past), sizeof(double));

		/* weights[reach + i] is w_(h+i), from -reach on; at first w is the response */
		memset(weights, 0, (size_t) error->reach * sizeof(double));
		memcpy(weights + error->reach - 1, error->response[b], (size_t) (error->past + 1) * sizeof(double));
		error->weights[b] = weights;
	}
	if (!invert_information(error))
		error->k = 0;
}

/* w_(h+1+i) of the next step: that of this one, and psi times the response at i + 1. */
static void
move_weights(AoCoefError *error, double psi)
{
	int			n = error->reach + error->past;

	for (int b = 0; b < 4; b++)
	{
		double	   *weights = error->weights[b];
		const double *response = error->response[b];

		memmove(weights, weights + 1, (size_t) (n - 1) * sizeof(double));
		weights[n - 1] = 0;
		for (int j = 0; j <= error->past; j++)
			weights[error->reach - 1 + j] += psi * response[j];
	}
}

/* See coef_error.h. */
void
ao_coef_error_next(AoCoefError *error, double psi)
{
	error->steps++;
	if (error->k == 0 || error->steps > MOST_STEPS)
		return;
	move_weights(error, psi);
	error->added = trace(error);
	/* coefficients that are not of a stationary model may be given */
	if (!isfinite(error->added))
		error->k = 0;
}

/* See coef_error.h. */
double
ao_coef_error_more(const AoCoefError *error, double variance)
{
	return error->k > 0 && error->steps > 1 ? error->added / variance - error->k : 0;
}

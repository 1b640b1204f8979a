/*
 * test_errors.c
 *		One-step errors and their variances against those of the dense covariance matrix in
 *		quadruple precision, for models with roots near the unit circle, with and without gaps.
 */
#include "unit.h"
#include "diagnostics.h"
#include "internal.h"
#include "model_internal.h"

#define N 70
#define MOST 12					/* AR and MA terms */
#define USUAL 4

/* of 113 bits */
#ifdef __SIZEOF_FLOAT128__
typedef __float128 Real;
#else
typedef long double Real;
#endif

/* A random model and values of it. */
typedef struct Case
{
	AoSpec		spec;
	double		coef[2 * MOST],
				y[N];
	Real		phi[MOST + 1],
				theta[MOST + 1];
} Case;

static uint64_t stream;

static Real
magnitude(Real x)
{
	return x < 0 ? -x : x;
}

/* Newton's method twice from the root in double. */
static Real
square_root(Real x)
{
	Real		root = sqrt((double) x);

	root = (root + x / root) / 2;
	return (root + x / root) / 2;
}

static void
swap(Real *a, Real *b)
{
	Real		old = *a;

	*a = *b;
	*b = old;
}

static int
below(int n)
{
	int			i = (int) ((unit_noise(&stream) + 1) / 2 * n);

	return i < n ? i : n - 1;
}

/* coef of 1 - sign (coef[0] B + ..) from n real roots, no two of them in one place. */
static void
random_polynomial(double *coef, int n, double sign, Real *exact)
{
	static const double moduli[] = {1.001, -1.002, 1.01, -1.02, 1.05, 1.1, -1.3, 2};
	double		p[MOST + 1] = {1};
	int			at = below(3);

	for (int have = 0; have < n; have++, at += 1 + below(2))
		for (int i = have + 1; i > 0; i--)
			p[i] -= p[i - 1] / moduli[at % 8];
	for (int i = 0; i < n; i++)
		exact[i + 1] = coef[i] = -sign * p[i + 1];
}

/* The same from n / 2 pairs, at one angle or at several. */
static void
pair_polynomial(double *coef, int n, Real *exact)
{
	double		p[MOST + 1] = {1};

	for (int have = 0; have < n; have += 2)
	{
		double		inverse = 1 / (1.005 + 0.05 * below(4)),
					a = -2 * inverse * cos(0.3 + 0.55 * below(5)),
					b = inverse * inverse;

		for (int i = have + 2; i > 0; i--)
			p[i] += a * p[i - 1] + (i > 1 ? b * p[i - 2] : 0);
	}
	for (int i = 0; i < n; i++)
		exact[i + 1] = coef[i] = -p[i + 1];
}

/* d differences, gaps from value `first_gap` on where it is positive; with many AR roots or
 * the usual number. */
static void
make_case(Case *c, int d, int first_gap, bool many)
{
	double		w[N] = {0},
				e[N] = {0};

	memset(c, 0, sizeof *c);
	c->spec = (AoSpec) {.p = many ? MOST : below(USUAL + 1), .d = d, .q = many ? 0 : below(USUAL + 1), .m = 1,
	.constant = AO_CONSTANT_NONE};
	if (many)
		pair_polynomial(c->coef, MOST, c->phi);
	else
		random_polynomial(c->coef, c->spec.p, 1, c->phi);
	random_polynomial(c->coef + c->spec.p, c->spec.q, -1, c->theta);
	for (int t = 0; t < N; t++)
	{
		w[t] = e[t] = unit_noise(&stream) + unit_noise(&stream) + unit_noise(&stream);
		for (int j = 1; j <= c->spec.p && j <= t; j++)
			w[t] += (double) c->phi[j] * w[t - j];
		for (int j = 1; j <= c->spec.q && j <= t; j++)
			w[t] += (double) c->theta[j] * e[t - j];
		c->y[t] = w[t] + (d > 0 && t > 0 ? c->y[t - 1] : 0);
	}
	for (int t = first_gap; first_gap > 0 && t < N; t++)
		if (below(5) == 0)
			c->y[t] = NAN;
}

/* x = A^-1 x by elimination; A is destroyed. */
static void
solve(Real A[][MOST + 1], Real *x, int n)
{
	for (int c = 0; c < n; c++)
	{
		int			best = c;

		for (int i = c + 1; i < n; i++)
			if (magnitude(A[i][c]) > magnitude(A[best][c]))
				best = i;
		for (int j = 0; j < n; j++)
			swap(&A[c][j], &A[best][j]);
		swap(&x[c], &x[best]);
		for (int i = 0; i < n; i++)
		{
			Real		f = i == c ? 0 : A[i][c] / A[c][c];

			for (int j = c; j < n; j++)
				A[i][j] -= f * A[c][j];
			x[i] -= f * x[c];
		}
	}
	for (int i = 0; i < n; i++)
		x[i] /= A[i][i];
}

/* Autocovariances gamma[N] of the ARMA process, in units of sigma2: McLeod (1975). */
static void
autocovariances(const Case *c, Real *gamma)
{
	int			p = c->spec.p,
				q = c->spec.q;
	Real		psi[MOST + 1] = {1},
				A[MOST + 1][MOST + 1] = {{0}};

	for (int i = 1; i <= q; i++)
	{
		psi[i] = c->theta[i];
		for (int j = 1; j <= p && j <= i; j++)
			psi[i] += c->phi[j] * psi[i - j];
	}
	for (int i = 0; i < N; i++)
	{
		gamma[i] = 0;
		for (int j = i; j <= q; j++)
			gamma[i] += (j == 0 ? 1 : c->theta[j]) * psi[j - i];
	}
	for (int i = 0; i <= p; i++)
	{
		A[i][i] += 1;
		for (int j = 1; j <= p; j++)
			A[i][abs(i - j)] -= c->phi[j];
	}
	solve(A, gamma, p + 1);
	for (int i = p + 1; i < N; i++)
		for (int j = 1; j <= p; j++)
			gamma[i] += c->phi[j] * gamma[i - j];
}

/* Errors and variances of n known values w at times `at`, by the factor of their covariance. */
static void
dense_errors(const Real *gamma, const Real *w, const int *at, int n, double *errors, double *variances)
{
	static Real L[N][N];
	Real		x[N];

	for (int i = 0; i < n; i++)
	{
		Real		left = w[i];

		for (int j = 0; j <= i; j++)
		{
			Real		sum = gamma[at[i] - at[j]];

			for (int k = 0; k < j; k++)
				sum -= L[i][k] * L[j][k];
			L[i][j] = j < i ? sum / L[j][j] : square_root(sum);
			left -= j < i ? L[i][j] * x[j] : 0;
		}
		x[i] = left / L[i][i];
		errors[i] = (double) x[i];
		variances[i] = (double) (L[i][i] * L[i][i]);
	}
}

/* The model's errors and variances; false if it has none. */
static bool
model_errors(const Case *c, AoEnv *env, double *errors, double *variances)
{
	AoModel    *model;
	AoStatus	status = ao_model_alloc(&c->spec, 0, 0, false, env, &model);

	if (status != AO_OK)
		return false;
	memcpy(ao_model_coef(model), c->coef, (size_t) model->n_coef * sizeof(double));
	model->n = N;
	model->sigma2 = 1;
	status = ao_one_step_errors(model, c->y, N, NULL, 0, env, errors, variances);
	env->free(env->arg, model);
	return status == AO_OK;
}

/* How far the two are apart: errors to the largest value, variances to themselves; -1 where the
 * model is refused. */
static double
difference(const Case *c, AoEnv *env)
{
	double		errors[N],
				variances[N],
				want_errors[N],
				want_variances[N],
				largest = 1,
				worst = 0;
	Real		gamma[N],
				w[N];
	int			at[N],
				n = 0;

	if (!model_errors(c, env, errors, variances))
		return -1;
	for (int t = c->spec.d; t < N; t++)
	{
		if (isnan(c->y[t]))
			continue;
		w[n] = c->y[t] - (c->spec.d > 0 ? (Real) c->y[t - 1] : 0);
		at[n++] = t;
		largest = fmax(largest, fabs(c->y[t]));
	}
	autocovariances(c, gamma);
	dense_errors(gamma, w, at, n, want_errors, want_variances);
	for (int i = 0; i < n; i++)
	{
		worst = unit_worse(worst, fabs(errors[at[i]] - want_errors[i]) / largest);
		worst = unit_worse(worst, fabs(variances[at[i]] / want_variances[i] - 1));
	}
	for (int t = 0; t < N; t++)
		if (isnan(errors[t]) != (t < c->spec.d || isnan(c->y[t])))
			worst = NAN;
	return worst;
}

/* The worst of many models, and of how many it is more than 1e-9. */
static void
test_random(const char *name, int d, int first_gap, bool many, double enough)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	static Case c;
	int			n = unit_small() ? 20 : 120,
				beyond = 0,
				refused = 0;
	double		worst = 0;

	for (int i = 0; i < n; i++)
	{
		double		apart;
		char		text[64];

		stream = (uint64_t) (i + 1000 * d);
		make_case(&c, d, first_gap, many);
		apart = difference(&c, &env);
		worst = unit_worse(worst, apart);
		beyond += !(apart <= 1e-9);
		refused += apart < 0;
		ao_spec_format(&c.spec, text, sizeof text);
		if (!(apart <= enough))
			printf("# case %d, %s: %g\n", i, text, apart);
	}
	UNIT_NEAR(worst, 0, enough, "%s: one-step errors and variances of %d models", name, n);
	UNIT_CHECK(beyond <= 1 + n / 15 && refused <= 1, "%s: to 1e-9 all but %d, and %d refused", name, beyond, refused);
	UNIT_CHECK(memory.live == 0 && memory.most <= 2, "%s: one block of work", name);
}

/* A state too long for its covariance to be kept where nobody wants it. */
static void
test_long_state(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoSpec		spec = {.p = 1, .m = 150, .D = 1, .constant = AO_CONSTANT_NONE};
	double		y[400],
				errors[400],
				next;
	AoModel    *model;

	stream = 5;
	for (int t = 0; t < 400; t++)
		y[t] = unit_noise(&stream);
	if (ao_model_alloc(&spec, 0, 0, false, &env, &model) != AO_OK)
		exit(EXIT_FAILURE);
	ao_model_coef(model)[0] = 0.9999;
	model->n = 400;
	model->sigma2 = 1;
	UNIT_CHECK(ao_residuals(model, y, 400, NULL, 0, &env, errors) == AO_OK, "long state: residuals");
	UNIT_NEAR(errors[399], y[399] - y[249] - 0.9999 * (y[398] - y[248]), 1e-12, "long state: the last one");
	UNIT_CHECK(ao_predict(model, y, 399, AO_NO_TIME, &env, &next) == AO_OK, "long state: prediction");
	UNIT_NEAR(y[399] - next, errors[399], 1e-12, "long state: its error");
	UNIT_CHECK(memory.peak < 150000 && memory.most <= 2, "long state: %zu bytes", memory.peak);
	env.free(env.arg, model);
}

int
main(void)
{
	test_random("complete", 0, 0, false, 1e-7);
	test_random("differences", 1, 0, false, 1e-6);
	test_random("gaps in the beginning", 0, 1, false, 1e-6);
	test_random("gaps later", 0, 12, false, 1e-7);
	test_random("many roots, complete", 0, 0, true, 1e-6);
	test_random("many roots, gaps in the beginning", 0, 1, true, 1e-6);
	test_long_state();
	return unit_done();
}

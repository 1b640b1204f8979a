/*
 * test_first_order.c
 *		The exact likelihood of models with one AR and one MA coefficient, in all
 *		lanes of a pass: the sums that the covariance matrix itself gives, as near to the
 *		unit circle as a fit goes.
 */
#include "unit.h"
#include "internal.h"

#define N 300					/* some rows after the first state no longer matters */
#define COLUMNS 3

static const double phis[] = {0, 0.5, -0.9, 0.99, 1 - 1e-6, -1 + 1e-8, 1 - 1e-10};
static const double thetas[] = {0, 0.4, -0.5, 0.999, -0.999, -1 + 1e-9, 1};

#define N_PHIS ((int) (sizeof(phis) / sizeof(phis[0])))
#define N_THETAS ((int) (sizeof(thetas) / sizeof(thetas[0])))

/* Point i of all pairs, and of those whose roots cancel or nearly do. */
static void
point(int i, double *phi, double *theta)
{
	*phi = phis[i % N_PHIS];
	*theta = i < N_PHIS * N_THETAS ? thetas[i / N_PHIS % N_THETAS] : -*phi + (i % 2 ? 1e-7 * (1 - fabs(*phi)) : 0);
}

#define N_POINTS (N_PHIS * N_THETAS + 2 * N_PHIS)

/* Rows of a constant, a line and a series that wanders. */
static void
make_rows(double *w, int nc)
{
	uint64_t	state = 11;
	double		level = 0;

	for (int t = 0; t < N; t++)
	{
		double		columns[COLUMNS] = {1, t / 10.0, 0};

		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		level += (double) (int64_t) state / 9223372036854775808.0;
		columns[COLUMNS - 1] = level;
		memcpy(w + t * nc, columns + COLUMNS - nc, (size_t) nc * sizeof(double));
	}
}

/*
 * The products of the columns by the inverse of the covariance, and its logarithm's trace.  With u_t =
 * w_t - phi w_(t-1) after w_1 the covariance, of the same determinant, has three diagonals: those of an MA
 * process but for its first element.
 */
static double
sums_by_covariance(double phi, double theta, const double *w, int nc, double *cross)
{
	long double z[COLUMNS] = {0},
				f = phi,
				h = theta,
				pivot = 1 + (f + h) * (f + h) / ((1 - f) * (1 + f)),
				log_f = 0;

	memset(cross, 0, (size_t) (nc * (nc + 1) / 2) * sizeof(double));
	for (int t = 0; t < N; t++)
	{
		long double below = t > 0 ? h / pivot : 0;

		if (t > 0)
			pivot = 1 + h * h - h * below;
		log_f += logl(pivot);
		for (int c = 0, at = 0; c < nc; c++)
		{
			long double u = w[t * nc + c] - (t > 0 ? f * w[(t - 1) * nc + c] : 0);

			z[c] = u - below * z[c];
			for (int b = 0; b <= c; b++)
				cross[at++] += (double) (z[c] * z[b] / pivot);
		}
	}
	return (double) log_f;
}

/* The largest difference in all points of a pass of nv vectors, relative where it is more than one. */
static void
test_pass(int nv, int nc, AoArena *arena, AoEnv *env)
{
	AoSpec		spec;
	AoShape		shape;
	AoPass		ps;
	double		w[N * COLUMNS],
				want[COLUMNS * (COLUMNS + 1) / 2],
				worst = 0;
	int			width = nv * AO_LANES;

	if (ao_spec_parse("(1,0,1)", 7, &spec, env) != AO_OK)
		abort();
	arena->used = 0;
	ao_shape_init(&shape, &spec, arena);
	ao_pass_init(&ps, &shape, nv, nc, arena);
	make_rows(w, nc);
	ps.w = w;
	ps.n = N;
	for (int from = 0; from < N_POINTS; from += width)
	{
		for (int lane = 0; lane < width; lane++)
			point((from + lane) % N_POINTS, (double *) ps.phi + lane, (double *) ps.theta + lane);
		if (ao_pass_exact(&ps, env) != AO_OK)
			abort();
		for (int lane = 0; lane < width; lane++)
		{
			double		log_f = sums_by_covariance(ps.phi[lane / AO_LANES][lane % AO_LANES],
												   ps.theta[lane / AO_LANES][lane % AO_LANES], w, nc, want);

			worst = unit_worse(worst, fabs(ps.log_f[lane / AO_LANES][lane % AO_LANES] - log_f));
			for (int i = 0; i < nc * (nc + 1) / 2; i++)
				worst = unit_worse(worst, fabs(ps.cross[i * nv + lane / AO_LANES][lane % AO_LANES] - want[i]) / fmax(1, fabs(want[i])));
		}
	}
	UNIT_CHECK(worst < 1e-11, "%d vectors, %d columns: differ from the covariance's by %.1e at most", nv, nc, worst);
}

/* Outside the stationary region there is no value. */
static void
test_outside(AoArena *arena, AoEnv *env)
{
	AoSpec		spec;
	AoShape		shape;
	AoPass		ps;
	double		w[N];

	if (ao_spec_parse("(1,0,1)", 7, &spec, env) != AO_OK)
		abort();
	arena->used = 0;
	ao_shape_init(&shape, &spec, arena);
	ao_pass_init(&ps, &shape, 1, 1, arena);
	make_rows(w, 1);
	ps.w = w;
	ps.n = N;
	for (int lane = 0; lane < AO_LANES; lane++)
	{
		ps.phi[0][lane] = lane == 0 ? 1 : lane == 1 ? -1.5 : 0.5;
		ps.theta[0][lane] = lane == 0 ? 0.5 : 0;
	}
	UNIT_CHECK(ao_pass_exact(&ps, env) == AO_OK && isnan(ps.log_f[0][0]) && isnan(ps.log_f[0][1]) &&
			   isfinite(ps.log_f[0][2]) && isfinite(ps.log_f[0][3]), "an AR root on or inside the circle");
}

int
main(void)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	AoArena		arena;

	if (ao_arena_open(&arena, (size_t) 4 << 20, &env) != AO_OK)
		abort();
	for (int nv = 1; nv <= AO_MAX_VECS; nv *= 2)
		for (int nc = 1; nc <= COLUMNS; nc++)
			test_pass(nv, nc, &arena, &env);
	test_outside(&arena, &env);
	ao_arena_close(&arena, &env);
	return unit_done();
}

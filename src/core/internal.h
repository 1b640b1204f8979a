/*
 * internal.h
 *		What the files of the numerical core share with each other.
 *
 * Likelihoods are evaluated for many parameter vectors side by side: a "lane"
 * is one parameter vector, four lanes make a SIMD vector (AoVec), and a pass
 * over the data carries up to AO_MAX_VECS of them, so that the k+1 or 2k+1
 * points of a numerical gradient cost little more than one.
 */
#ifndef AO_INTERNAL_H
#define AO_INTERNAL_H

#include "ao.h"

#define AO_PI 3.14159265358979323846

#define AO_LANES 4				/* doubles in an AoVec */
#define AO_MAX_VECS 4			/* vectors carried by one pass */
#define AO_MAX_POINTS (AO_LANES * AO_MAX_VECS)
#define AO_BLOCK 1024			/* steps between two polls */

typedef double AoVec __attribute__((vector_size(32)));

/* Clones for wide vectors are chosen at load time, so that one build serves
 * every x86-64; sanitizers cannot instrument the resolver.  For clang, clones are static
 * (cloned functions cannot be called from other files), and what they call themselves
 * neither takes nor gives a vector but by pointer: a shell around an inline function. */
#if defined(__x86_64__) && defined(__ELF__) && !defined(AO_NO_CLONES)
#define AO_CLONES __attribute__((target_clones("fma", "default")))
#else
#define AO_CLONES
#endif
#define AO_INLINE static inline __attribute__((always_inline))

/* the same value in every lane */
AO_INLINE AoVec
ao_splat(double x)
{
	return (AoVec) {x, x, x, x};
}

#define AO_TRY(expr) \
	do { AoStatus try_ = (expr); if (try_ != AO_OK) return try_; } while (0)

/* Does this end all that is under way?  Of many models any other failure concerns one. */
static inline bool
ao_ends_all(AoStatus status)
{
	return status == AO_CANCELLED || status == AO_NO_MEMORY;
}

/* ---- arena.c: one block of workspace, handed out in aligned pieces ---- */

typedef struct AoArena
{
	char	   *base;
	size_t		used,
				size;
	void	   *block;			/* as env->alloc gave it */
	void	   *spilled;		/* blocks for what did not fit, each begins with the next */
	AoEnv	   *env;
} AoArena;

/* Adding up sizes with the rounding that ao_arena_take applies. */
size_t		ao_arena_round(size_t count, size_t size);
AoStatus	ao_arena_open(AoArena *arena, size_t bytes, AoEnv *env);
void	   *ao_arena_take(AoArena *arena, size_t count, size_t size);
void		ao_arena_close(AoArena *arena, AoEnv *env);
AoStatus	ao_poll(AoEnv *env);

/* Counts inner steps and polls at least every AO_BLOCK of them. */
typedef struct AoPace
{
	AoEnv	   *env;
	int64_t		steps;
} AoPace;

static inline AoStatus
ao_pace(AoPace *pace, int64_t steps)
{
	pace->steps += steps;
	if (pace->steps < AO_BLOCK)
		return AO_OK;
	pace->steps = 0;
	return ao_poll(pace->env);
}

AoStatus	ao_fail(AoEnv *env, AoStatus status, const char *what,
					int64_t need, int64_t have);

/* ---- poly.c: polynomials of the model ---- */

/*
 * The model's shape, the same for all lanes: orders after expansion and the
 * lags whose coefficients can differ from zero.
 */
typedef struct AoShape
{
	AoSpec		spec;
	int			ar,				/* p + m*P */
				ma,				/* q + m*Q */
				r,				/* max(ar, ma): dimension of the ARMA state */
				diff;			/* d + m*D: number of lagged levels in the state */
	int			k;				/* p + q + P + Q: free ARMA parameters */
	int			n_ar_lags,
				n_ma_lags;
	int		   *ar_lags,		/* ascending, 1-based */
			   *ma_lags;
	double	   *delta;			/* [diff]: y_t = w_t + sum delta[j] y_{t-1-j} */
} AoShape;

size_t		ao_shape_bytes(const AoSpec *spec);
void		ao_shape_init(AoShape *shape, const AoSpec *spec, AoArena *arena);
/* u (unbounded) <-> natural coefficients ar ma sar sma, both [k] */
void		ao_natural_from_free(const AoShape *shape, const double *u, double *coef);
void		ao_free_from_natural(const AoShape *shape, const double *coef, double *u);
/* natural coefficients to expanded polynomials; element i belongs to lag i+1;
 * written with the given stride; phi[ar], theta[ma] */
void		ao_expand(const AoShape *shape, const double *coef,
					  double *phi, double *theta, int stride);
/* Are these coefficients inside the stationary and invertible region? The
 * distance of the smallest 1 - |partial autocorrelation| comes back per part. */
bool		ao_interior(const AoShape *shape, const double *coef,
						double *ar_margin, double *ma_margin);
double		ao_free_limit(const AoShape *shape, int i);
/* beyond it a free parameter has next to no gradient */
double		ao_free_edge(const AoShape *shape, int i);
/* out[n + len] as 1 - out(B), the product of 1 - a(B) with a[n] and 1 - f(B) with f[len] */
void		ao_multiply(const double *a, int n, const double *f, int len, double *out);

/* Distances that the roots of a model have to keep. */
typedef struct AoGuard
{
	double		root,			/* smallest modulus; 0: any model will do */
				at_one;			/* nearer to 1 an AR root is as good as a difference, of which
								 * a differenced series may have two in all */
} AoGuard;

/* Is every root of each polynomial, in powers of its own lag, at least guard.root from
 * the origin?  Except for the seasonal MA part: on the circle it stands for a season that
 * does not change, which is nothing against a model.  And is the AR part of
 * differenced values no third difference in disguise? */
bool		ao_roots_beyond(const AoShape *shape, const double *coef, AoGuard guard);
/* Is every root of the expanded polynomials, in powers of lag 1 and the seasonal MA part included,
 * at least so far from the origin? */
bool		ao_expanded_roots_beyond(const AoShape *shape, const double *coef, double root);

/* ---- start.c: stationary start of the filter ---- */

/* of the MA part, beyond which it has no use: eight roots in one place on the circle */
#define AO_LARGEST_MA_VARIANCE 1e4

/* scratch vectors that ao_stationary_start needs */
size_t		ao_start_scratch(const AoShape *shape);
/*
 * For one AoVec of lanes: F = Var(y_1)/sigma2 and K[r] = Cov(x_2, y_1)/sigma2.
 * Arrays are AoVec with the given stride.  F is NaN where they could not be had
 * with enough digits: nearly all of them if `strict`.
 */
AoStatus	ao_stationary_start(const AoShape *shape, const AoVec *phi, const AoVec *theta,
								int stride, bool strict, AoVec *K, AoVec *F, AoVec *scratch,
								AoPace *pace);

/* The whole covariance of the first predicted state, in units of sigma2, of one
 * lane: P[r][r] with leading dimension ld.  `in` and `out` are the strides in
 * doubles of the vectors and of P. */
AoStatus	ao_stationary_cov(const AoShape *shape, const double *phi, const double *theta,
							  const double *K, int in, double F, double *P, int ld, int out,
							  AoPace *pace);

/* ---- pass.c: exact and conditional likelihood of a complete series ---- */

typedef struct AoPass
{
	const AoShape *shape;
	int			n_vecs;			/* 1, 2 or 4 */
	int			n_cols;			/* columns of w: regressors, then the series */
	int64_t		n;				/* rows of w */
	const double *w;			/* n x n_cols, differenced */
	const uint8_t *skip;		/* [n] rows that a conditional pass makes no innovation of, or NULL */
	AoVec	   *phi,			/* [r][n_vecs] */
			   *theta,			/* [r][n_vecs] */
			   *K,				/* [r][n_vecs] */
			   *L,				/* [r][n_vecs] */
			   *x,				/* [n_cols][r][n_vecs]: predicted state, at the end that of row n .. */
			   *F,				/* [n_vecs] */
			   *e,				/* [ma + AO_BLOCK][n_cols][n_vecs]: innovations */
			   *scratch;
	AoVec		product[AO_MAX_VECS],	/* of F, its exponents taken out .. */
				exponent[AO_MAX_VECS];	/* .. and counted here */
	AoVec		last_F[AO_MAX_VECS];	/* at the last look; -1: it did what it cannot do */
	AoVec	   *cross,			/* out: [n_cols*(n_cols+1)/2][n_vecs], sums of v_c v_c' / F */
			   *log_f;			/* out: [n_vecs], sum of ln F */
	/* only with n_vecs = 1, from lane 0 */
	double	   *residuals;		/* [n] of the last column, or NULL */
	double	   *variances;		/* [n] of the one-step errors in units of sigma2, with residuals, or NULL;
								 * where it is 1 it is not written */
	double	   *state_cov;		/* [r][r], or NULL: covariance of the state after row n */
	bool		want_state;		/* .. if this says so */
	bool		precise;		/* to the last digit, not only good enough to search by */
	bool		steady;			/* out: that covariance has vanished */
} AoPass;

size_t		ao_pass_bytes(const AoShape *shape, int n_vecs, int n_cols);
void		ao_pass_init(AoPass *pass, const AoShape *shape, int n_vecs, int n_cols,
						 AoArena *arena);
AoStatus	ao_pass_exact(AoPass *pass, AoEnv *env);
/* an exact pass with want_state carried on from row pass->n to row n, which becomes pass->n */
AoStatus	ao_pass_more(AoPass *pass, int64_t n, AoEnv *env);
/* conditional on w_1..w_ar and on zero innovations before them */
AoStatus	ao_pass_conditional(AoPass *pass, AoEnv *env);

/* ---- exact.c ---- */

/* Exact steps from..to-1; the innovations go to keep, which moves on by `advance`
 * vectors a row. */
void		ao_exact_range(AoPass *pass, int64_t from, int64_t to, AoVec *keep, int advance);

/* ---- first_order.c: the same where r = 1 ---- */

/* The first row; rows from..to-1 after it; have the weights of the first state decayed, so that
 * the rest is the difference equation; sums and ln F of these rows. */
void		ao_first_order_start(AoPass *pass);
void		ao_first_order_rows(AoPass *pass, int64_t from, int64_t to);
bool		ao_first_order_decayed(const AoPass *pass);
void		ao_first_order_finish(AoPass *pass);

/* ---- presample.c: the same for up to AO_LANES points near the unit circle ---- */

typedef struct AoPresample
{
	const AoShape *shape;
	int			n_cols;
	AoVec	   *phi,
			   *theta,			/* [r]; in */
			   *pi,				/* [r + AO_BLOCK] */
			   *e,				/* [r + AO_BLOCK][n_cols] */
			   *pi_pi,			/* [r] */
			   *pi_e,			/* [r][n_cols] */
			   *e_e;			/* [n_cols*(n_cols+1)/2] */
	/* of one lane at a time */
	double	   *phi1,
			   *theta1,			/* [r] */
			   *pacf,
			   *a,				/* [r] work */
			   *HH,				/* [r][r] */
			   *U,
			   *M,				/* [ar + ma][ar + ma] */
			   *X,
			   *HX,				/* [r][ar + ma] */
			   *b;				/* [ar + ma][n_cols] */
	double	   *variances;		/* as in AoPass, but all are written */
} AoPresample;

/* Variance of an AR process a[p] with innovations of variance one, HUGE_VAL where it is not
 * stationary; a becomes work, pacf[p] its partial autocorrelations. */
double		ao_ar_variance(double *a, int p, double *pacf);
/* Can it be used?  Its cost grows with the square of the state. */
bool		ao_presample_serves(const AoShape *shape);
size_t		ao_presample_bytes(const AoShape *shape, int n_cols);
void		ao_presample_init(AoPresample *pre, const AoShape *shape, int n_cols, AoArena *arena);
/* w: n rows of n_cols; cross[n_points][] and log_f[n_points] as in AoPass; log_f NaN
 * where there is none, and a sum of squares NaN where too few of its digits are left.  Lanes after the n_points need values, too. */
AoStatus	ao_presample_run(AoPresample *pre, const double *w, int64_t n, int n_points,
							 double *cross, double *log_f, AoEnv *env);
/* After a run: has the sum of squares S of the last column less gamma times the others
 * enough digits?  Near the circle that is a small difference of large numbers, too. */
bool		ao_presample_digits(const AoPresample *pre, int lane, const double *gamma, double S);
/* Covariance P[r][r] of the first state, in units of sigma2, for a lane of the vectors, with
 * leading dimension ld and stride out, in doubles; NaN where there is none. */
void		ao_presample_start_cov(AoPresample *pre, const AoVec *phi, const AoVec *theta,
								   int lane, double *P, int ld, int out);
/* From the first row on, row by row: innovations, e[r][], and while they have not decayed
 * the weights, pi[r]. */
void		ao_presample_first_row(AoPresample *pre);
void		ao_presample_next_row(AoPresample *pre, const double *w, int64_t t, bool *decayed);

/* ---- presample_rows.c ---- */

/* The coefficients of the first lane; false if nothing can be reckoned with them. */
bool		ao_presample_take(AoPresample *pre);
/* With those, over w[n], of one column: M becomes R, upper triangle with R'R the M of a run,
 * and b[m] R'^-1 X'H'e.  residuals (NULL: not wanted): one-step errors over the roots of
 * their variances in units of sigma2. */
AoStatus	ao_presample_rows(AoPresample *pre, const double *w, int64_t n, double *residuals,
							  AoEnv *env);
/* And then the state x[r] after w[n]; P (NULL: not wanted) its covariance in units of sigma2,
 * with leading dimension ld. */
AoStatus	ao_presample_state(AoPresample *pre, const double *w, int64_t n, double *x,
							   double *P, int ld, AoEnv *env);

/* ---- kalman.c: the same with missing values, on the levels ---- */

typedef struct AoKalman
{
	const AoShape *shape;
	int			n_cols;
	int			s;				/* r + diff */
	AoVec	   *phi,
			   *theta,			/* [r] */
			   *G,				/* [s] */
			   *P,				/* [s][s] */
			   *c,				/* [s] work: P z */
			   *K,				/* [s] T P z + G of the last step */
			   *first,			/* [s] work: first row of P */
			   *work,			/* [s] */
			   *a,				/* [n_cols][s] */
			   *scratch;
	AoPace		pace;
	AoPresample presample;		/* for the start near the unit circle */
	double	   *Pinf,			/* [diff][diff], of the levels: the same in every lane */
			   *Minf;			/* [s] gain; zero for the ARMA state */
	bool		diffuse;
	bool		P_is_zero;
	int			n_diffuse;		/* observations spent on the diffuse start */
	AoVec	   *cross,			/* out, as in AoPass */
			   *log_f;
} AoKalman;

size_t		ao_kalman_bytes(const AoShape *shape, int n_cols);
void		ao_kalman_init(AoKalman *kf, const AoShape *shape, int n_cols, AoArena *arena,
						   AoEnv *env);
/* stationary ARMA part, diffuse levels */
AoStatus	ao_kalman_start(AoKalman *kf);
/* One time step.  z: n_cols values; any NaN: missing.  `counted`: whether the
 * value counted; v[n_cols] innovations and F their variance. */
AoStatus	ao_kalman_step(AoKalman *kf, const double *z, AoVec *v, AoVec *F, bool *counted);
/* All n rows of levels. */
AoStatus	ao_kalman_pass(AoKalman *kf, const double *z, int64_t n);
/* The first lane's covariance. */
AoStatus	ao_kalman_lane(AoKalman *kf, double *P);

/* ---- design.c: series and regressors made ready ---- */

typedef struct AoDesign
{
	int64_t		n,				/* rows of the series, leading missing ones dropped */
				lead,			/* number of those */
				n_missing,		/* inside */
				n_gap;			/* of those at the end */
	int64_t		n_used;			/* terms of the likelihood */
	int			n_beta;			/* regression coefficients: mean, drift, xreg */
	bool		missing;
	double	   *z;				/* complete: differenced rows (n-diff) x (n_beta+1); else levels n x (n_beta+1) */
	int64_t		rows;
	double	   *filled;			/* missing: z with gaps bridged by straight lines, differenced */
	int64_t		filled_rows;
	uint8_t    *skip;			/* missing, and not by ML alone: [filled_rows], is the value or one of the
								 * ar values before it missing? */
	int64_t		conditional_terms;	/* rows to which that does not apply */
	double		scale;			/* power of two by which the last column of z was divided */
	double	   *R;				/* [n_beta][n_beta] upper: X = Q R */
	double	   *b0;				/* [n_beta]: least squares estimate, taken out of z */
	double		level;			/* largest |y| after Box-Cox */
	bool		degenerate;
	bool		constant;		/* all differences are the same, and no regressor explains that */
} AoDesign;

size_t		ao_design_bytes(int64_t n, int n_beta, bool missing);
AoStatus	ao_design_make(AoDesign *design, const AoShape *shape,
						   const double *y, int64_t n, const double *xreg, int k,
						   const AoFitOptions *options, AoArena *arena, AoEnv *env);
/* coefficients on the orthogonalised columns (gamma) to those of the user's regressors */
void		ao_design_beta(const AoDesign *design, const double *gamma, double *beta);
/* The regressors that the specification brings, at a time (1 = first value); gives what
 * follows them. */
double	   *ao_spec_row(const AoSpec *spec, int64_t time, double *row);
/* y - X beta on the original scale for row t (0-based, absolute time t0+t+1) */
double		ao_regression(const AoSpec *spec, const double *beta, int64_t time,
						  const double *xreg_row, int k);
double		ao_box_cox(double y, double lambda);
double		ao_box_cox_inverse(double x, double lambda);
double		ao_box_cox_slope(double x, double lambda);	/* d inverse / d x */
/* power of two that brings x to [1, 2); 1 for zero */
double		ao_binary_scale(double x);
/* (1-B)^d (1-B^m)^D of z in place, by rows of n_cols; *n becomes the rows left */
AoStatus	ao_difference(const AoSpec *spec, double *z, int64_t *n, int n_cols, AoEnv *env);
/* Is any of n numbers NaN? */
AoStatus	ao_any_nan(const double *values, int64_t n, AoEnv *env, bool *any);
/* Rows from the first value on in which a value or one of k regressors is NaN. */
AoStatus	ao_count_gaps(const double *y, int64_t n, const double *xreg, int k, AoEnv *env, int64_t *gaps);
/* How many are NaN after the last that is not; n where all are. */
int64_t		ao_count_gap(const double *values, int64_t n);
/* How many of n numbers are not NaN; and how many at the front are. */
AoStatus	ao_count_known(const double *values, int64_t n, AoEnv *env, int64_t *known, int64_t *lead);

/* ---- objective.c ---- */

/* innovations variance of the scaled series below which there is only rounding */
#define AO_LEAST_VARIANCE 1e-28

typedef struct AoObjective
{
	const AoShape *shape;
	const AoDesign *design;
	AoEnv	   *env;
	bool		conditional,
				filled;			/* gaps bridged by straight lines pass for values */
	AoGuard		guard;			/* which optimum is admissible */
	double		enough;			/* expected gain in log-likelihood not worth a step */
	bool		one_sided;		/* are one-sided derivatives good enough? */
	double		deadline;		/* ms of ao_clock, after which what has been reached is enough; 0: none */
	bool		precise;		/* as in AoPass */
	const bool *fixed;			/* [k] parameters that the optimiser leaves alone, or NULL */
	const double *metric;		/* [k][k] inverse Hessian for it to begin with, or NULL */
	AoPass		pass[3];		/* for 1, 2, 4 vectors */
	AoKalman	kalman;
	struct AoGapColumns *columns;	/* gaps as columns, where that is quicker, or NULL */
	AoPresample presample;
	double	   *rescued;		/* cross products of its points */
	int64_t		evaluations;	/* points evaluated so far */
	double	   *coef,			/* [k] work */
			   *white;			/* [k] zeros */
	double	   *chol;			/* work */
} AoObjective;

size_t		ao_objective_bytes(const AoShape *shape, int n_cols, int64_t n, int64_t n_missing);
void		ao_objective_init(AoObjective *obj, const AoShape *shape, const AoDesign *design,
							  AoEnv *env, AoArena *arena);
/* f[i] = -loglik of the scaled series up to a constant, sigma2 and regression
 * concentrated out, for n_points natural coefficient vectors; cross and log_f
 * per point when not NULL. HUGE_VAL where it cannot be had. */
AoStatus	ao_objective(AoObjective *obj, const double *coef, int n_points,
						 double *f, double *cross, double *log_f);
AoStatus	ao_objective_free(AoObjective *obj, double *u, int n_points, double *f);	/* u becomes coef */
/* Is the deadline over? */
bool		ao_out_of_time(double deadline);
/* Milliseconds of a clock that nobody sets. */
double		ao_clock(void);
/* From one point's cross products: minimal sum of squares and gamma. */
double		ao_concentrate(const double *cross, int n_beta, double *work, double *gamma);
/* terms behind the sum of squares: n_used, or less for the conditional one */
int64_t		ao_objective_terms(const AoObjective *obj);

/* ---- optimize.c ---- */

typedef struct AoOptimum
{
	double	   *u;				/* [k] */
	double		f;
	int			iterations;
	bool		converged;
	bool		admissible;		/* its roots keep the distances that the objective demands */
} AoOptimum;

size_t		ao_optimize_bytes(int k, int n_starts);
/* Doubles of work, and with them the inverse Hessian H[k][k] of the objective at u, in the
 * unbounded parameters; is there one? */
size_t		ao_metric_work(int k);
AoStatus	ao_metric(AoObjective *obj, const double *u, double *work, double *H, bool *ok);
AoStatus	ao_optimize(AoObjective *obj, double *starts, int n_starts, int max_rounds,
						double rival, AoArena *arena, AoOptimum *best);

/* ---- search.c: the global search ---- */

typedef enum AoEffort
{
	AO_THOROUGH,				/* the best optimum */
	AO_QUICK,					/* a good one, for one of many models */
	AO_NEARBY,					/* the same, next to the given start */
	AO_LOCAL,					/* the one next to the given start */
	AO_WARM						/* the same, but that it leaves the edge of what is admissible: the start was the
								 * optimum of other values */
} AoEffort;

size_t		ao_search_bytes(const AoShape *shape, AoEffort effort);
/* given: unbounded parameters to start from, or NULL */
AoStatus	ao_search(AoObjective *obj, const double *given, AoEffort effort, AoArena *arena,
					  AoOptimum *best);

/* ---- covariance.c ---- */

size_t		ao_covariance_bytes(int k, int n_beta);
/* Is time over, and would it take long, as with gaps and a long season? */
bool		ao_covariance_too_late(const AoObjective *obj);
/* Covariance of (coef, beta) in units of the user's regressors, packed lower
 * triangle; false when the Hessian is not positive definite: NaN there. */
AoStatus	ao_covariance(AoObjective *obj, const double *coef, const double *gamma,
						  AoArena *arena, double *cov, bool *ok);

/* The symmetric H[n][n] becomes its inverse, if it is positive definite once scaled; scale: room
 * for n numbers. */
bool		ao_invert(double *H, int n, double *scale);

/* ---- bias.c ---- */

/* The ARMA coefficients ar ma sar sma of an estimate from n values, less their bias; false where
 * that cannot be said or would not matter. */
bool		ao_less_bias(const AoShape *shape, const double *coef, double n, double *out);

/* ---- roots.c ---- */

size_t		ao_roots_bytes(const AoShape *shape);
/* Does an AR root nearly equal an MA root? */
bool		ao_roots_cancel(const AoShape *shape, const double *coef, AoArena *arena);

/* ---- forecast.c ---- */

/* y at a time (1 = first value of the training series) on the filter's scale */
AoStatus	ao_model_adjust(const AoModel *model, const AoSpec *spec, double y, int64_t time,
							const double *xreg_row, AoEnv *env, double *out);
/* The regression coefficients: mean, drift, xreg. */
const double *ao_model_beta(const AoModel *model);
/* Are these the regressors that the model needs, all known? */
AoStatus	ao_check_xreg(const AoModel *model, const double *xreg, int64_t rows, int k,
						  AoEnv *env);

/* the model's parameters on y[n], the first `lead` of them missing: state, and the counts */
AoStatus	ao_model_filter(AoModel *model, const AoSpec *spec, const double *y, int64_t n,
							int64_t lead, const double *xreg, AoEnv *env);

/* ---- fit.c ---- */

typedef struct AoFitTask
{
	const double *y;
	int64_t		n;
	const double *xreg;			/* n x k, or NULL */
	int			k;
	const AoFitOptions *options;
	const double *given,		/* unbounded parameters to start from, or NULL */
			   *given_coef;		/* or coefficients */
	AoEffort	effort;
	AoGuard		guard;			/* both as in AoObjective */
	double		deadline;
	bool		no_state;		/* the model is only to be compared: with gaps and a long season its state takes
								 * as long as many passes */
} AoFitTask;

/* Arguments that need no look at the data. */
AoStatus	ao_fit_check(const AoFitTask *task, AoEnv *env);
AoStatus	ao_fit_task(const AoFitTask *task, const AoSpec *spec, AoEnv *env, AoModel **out);
/* The same, and the model has the kind of interval that the options say. */
AoStatus	ao_fit_again(const AoFitTask *task, const AoSpec *spec, AoEnv *env, AoModel **out);
/* State, and standard errors as the options say, of a model of the task's series that was estimated
 * without; *model is another block then. */
AoStatus	ao_fit_complete(const AoFitTask *task, AoEnv *env, AoModel **model);
/* What a model was fitted with. */
AoFitOptions ao_options_of(const AoModel *model);

#define AO_STRICT_ROOT 1.01		/* of Hyndman & Khandakar 2008, section 3.2 */

/* A fit without standard errors and state: one of many. */
typedef struct AoQuickFit
{
	double	   *u;				/* in: room for the unbounded parameters */
	double		loglik;
	int64_t		n_used;
	int			n_coef;
	bool		degenerate,		/* nothing to estimate; loglik and u are not set */
				admissible,		/* keeps the guard */
				strict;			/* its expanded polynomials keep AO_STRICT_ROOT */
} AoQuickFit;

AoStatus	ao_fit_quick(const AoFitTask *task, const AoSpec *spec, AoEnv *env,
						 AoQuickFit *out);

/* ---- smooth.c ---- */

/* The missing values of part->y[n], the first of which has `lead` values before it in the series of
 * the model, into filled[n]: their means given all known values.  Where there is none, among
 * levels without a start for instance, filled stays as it is. */
AoStatus	ao_fill_by_model(const AoModel *model, const AoFitTask *part, int64_t lead, AoEnv *env,
							 double *filled);

/* ---- calibrate.c ---- */

/* Gives a model of y conformal intervals their widths, by the errors that it makes on y;
 * *model is another block then. */
AoStatus	ao_calibrate(AoModel **model, const double *y, int64_t n, const double *xreg, int k,
						 AoEnv *env);

/* ---- result.c: the model as one block ---- */

AoStatus	ao_model_alloc(const AoSpec *spec, int n_xreg, int calibrated, bool state_cov,
						   AoEnv *env, AoModel **out);

#endif							/* AO_INTERNAL_H */

/*
 * ao.h
 *		Public interface of the numerical core: seasonal ARIMA models by exact
 *		maximum likelihood.
 *
 * Pure C11.  Series are arrays of double in time order, NaN meaning missing.
 * Nothing here allocates, prints, exits or keeps state on its own: memory and
 * cancellation go through the AoEnv that the caller passes.
 *
 * Notation (as in Box & Jenkins, and R's arima):
 *   (1-ar1 B-..)(1-sar1 B^m-..) w_t = (1+ma1 B+..)(1+sma1 B^m+..) e_t,
 *   w = (1-B)^d (1-B^m)^D (y - X beta).
 */
#ifndef AO_H
#define AO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits, checked before any memory is taken. */
#define AO_MAX_ORDER 100			/* p, q; and p+m*P, q+m*Q unless P, Q <= 2 */
#define AO_MAX_LONG_SEASONAL 2		/* P, Q up to this may pass AO_MAX_ORDER */
#define AO_MAX_DIFF 4				/* d, and D */
#define AO_MAX_PERIOD 366
#define AO_MAX_XREG 64			/* Fourier terms included */
#define AO_MAX_FOURIER (AO_MAX_XREG / 2)	/* pairs */
#define AO_MAX_N INT64_C(10000000)
#define AO_MAX_HORIZON 100000
#define AO_MAX_LEVELS 20			/* intervals of one forecast */

typedef enum AoStatus
{
	AO_OK = 0,
	AO_NO_MEMORY,				/* env->alloc gave NULL */
	AO_OVER_MEMORY_LIMIT,		/* err.need bytes > env->max_bytes */
	AO_CANCELLED,				/* env->poll returned nonzero */
	AO_BAD_SPEC,				/* err.pos: 1-based position, err.what: why */
	AO_ORDER_TOO_LARGE,			/* err.need: the limit, err.have */
	AO_SERIES_TOO_LONG,			/* err.need: the limit, err.have */
	AO_TOO_FEW_VALUES,			/* err.need non-missing values, err.have */
	AO_NOT_FINITE,				/* an infinity; err.pos: 1-based element */
	AO_OUT_OF_SCALE,			/* |y| beyond 1e150 or all below 1e-150 */
	AO_BAD_XREG,				/* err.what */
	AO_COLLINEAR,				/* regressors not of full rank */
	AO_BAD_MODEL,				/* corrupt model value; err.what */
	AO_BAD_ARGUMENT,			/* err.what */
	AO_SERIES_TOO_SHORT			/* for what err.what names: err.need non-missing values, err.have */
} AoStatus;

/* What went wrong, filled by the function that returned the status. */
typedef struct AoError
{
	int64_t		pos;			/* position in the text or series, 1-based; 0 none */
	int64_t		need;			/* what would have been enough */
	int64_t		have;			/* what was there */
	/* static text, lower case, no full stop, or NULL; %n and %h in it stand for
	 * need and have; after a newline, what to do about it, in sentences */
	const char *what;
} AoError;

/* The caller's services.  poll may also leave by longjmp: the core keeps
 * nothing outside memory obtained from alloc. */
typedef struct AoEnv
{
	void	   *(*alloc) (void *arg, size_t bytes);	/* uninitialised, 16-aligned not assumed */
	void		(*free) (void *arg, void *ptr);
	int			(*poll) (void *arg);	/* nonzero: stop with AO_CANCELLED */
	void	   *arg;
	size_t		max_bytes;		/* limit on the workspace of one call */
	AoError		err;
} AoEnv;

/* ---- specification (spec.c) ---- */

typedef enum AoConstant
{
	AO_CONSTANT_NONE = 0,
	AO_CONSTANT_MEAN = 1,		/* only with d+D = 0 */
	AO_CONSTANT_DRIFT = 2,		/* regressor t; with d+D = 1 */
	AO_CONSTANT_MEAN_DRIFT = 3	/* both: "with drift" where d+D = 0 */
} AoConstant;

typedef struct AoSpec
{
	int			p, d, q;
	int			P, D, Q;
	int			m;				/* seasonal period, 1 when P=D=Q=0 and none was given */
	AoConstant	constant;		/* defaults already resolved */
	int			K;				/* pairs of Fourier terms of the period m as regressors; with D = 0 */
	bool		is_auto;		/* "auto", "auto[m]": only m counts */
} AoSpec;

AoStatus	ao_spec_parse(const char *text, size_t len, AoSpec *spec, AoEnv *env);
AoStatus	ao_spec_check(const AoSpec *spec, AoEnv *env);	/* limits, constants */
size_t		ao_spec_format(const AoSpec *spec, char *buf, size_t size); /* canonical, NUL-terminated; length */

/* ---- model (model.c) ---- */

typedef enum AoMethod
{
	AO_ML = 0, AO_CSS = 1, AO_CSS_ML = 2
} AoMethod;

/* Remarks on an estimate: bits of AoModel.remarks. */
#define AO_REMARK_NOT_CONVERGED   0x01	/* no optimum within the iteration limit */
#define AO_REMARK_AR_BOUNDARY     0x02	/* an AR root near the unit circle */
#define AO_REMARK_MA_BOUNDARY     0x04	/* an MA root on or near the unit circle */
#define AO_REMARK_CANCELLING      0x08	/* an AR and an MA root nearly equal */
#define AO_REMARK_DEGENERATE      0x10	/* no innovation variance: constant or exactly explained */
#define AO_REMARK_NO_COVARIANCE   0x20	/* standard errors could not be had */
#define AO_REMARK_BUDGET          0x40	/* the choice of the model was ended by its budget */
#define AO_REMARK_CONSTANT        0x80	/* the differences are one constant, the model has none */
#define AO_REMARK_ALL             0xff

#define AO_MODEL_VERSION 4

/* How wide the intervals of forecasts are, in standard errors (interval.c). */
typedef enum AoIntervalKind
{
	AO_INTERVAL_NORMAL = 0,		/* normal quantiles */
	AO_INTERVAL_STUDENT = 1,	/* Student's quantiles, the estimate's own error counted */
	AO_INTERVAL_CONFORMAL = 2	/* quantiles of the errors that the model made on its own series */
} AoIntervalKind;

/* The calibration of conformal intervals: for each of the first steps a row of half
 * widths, in standard errors, at fixed levels. */
#define AO_CALIBRATION_STEPS 24
#define AO_CALIBRATION_LEVELS 10

/*
 * A fitted model, one flat block of memory; the first word is left to the
 * owner (PostgreSQL puts its varlena header there).  After the fixed part:
 *   coef[n_coef]                       ar.. ma.. sar.. sma.. mean drift sin1 cos1.. xreg..
 *   cov[n_coef*(n_coef+1)/2]           of coef, lower triangle by rows; NaN where unknown
 *   calibration[n_calibrated*AO_CALIBRATION_LEVELS]
 *   state[n_state]                     predicted state after the last value, see filter.h
 *   state_cov[n_state*(n_state+1)/2]   only if has_state_cov; in units of sigma2
 */
typedef struct AoModel
{
	uint32_t	owner_header;
	uint16_t	version;
	uint8_t		method;			/* AoMethod */
	uint8_t		constant;		/* AoConstant */
	int16_t		p, d, q, P, D, Q, m;
	uint8_t		K;				/* as in AoSpec */
	uint8_t		n_xreg;
	int32_t		n_coef;
	int32_t		n_state;
	uint8_t		has_state_cov;
	uint8_t		has_lambda;
	uint16_t	remarks;
	int32_t		iterations;		/* of the optimiser, over all starts */
	uint8_t		interval;		/* AoIntervalKind */
	uint8_t		bias_adjust;	/* forecasts are means, not medians; only with lambda */
	uint16_t	n_calibrated;	/* steps that conformal intervals are calibrated for */
	int32_t		df;				/* degrees of freedom of the estimate: its n_used - n_coef, at least 1 */
	int64_t		n;				/* length of the series, missing ones included: time of the last value */
	int64_t		n_missing;
	int64_t		n_gap;			/* of them at the end, after the last value that is known */
	int64_t		n_used;			/* terms of the likelihood: non-missing - d - D*m */
	int64_t		estimated_to;	/* time of the last value that the estimate knew */
	double		sigma2;			/* ML innovations variance, RSS/n_used */
	double		loglik;			/* NaN where degenerate */
	double		lambda;			/* Box-Cox, 0 unless has_lambda */
	double		data[];
} AoModel;

/* number of doubles in data[] and bytes of the whole block */
size_t		ao_model_data_len(const AoModel *model);
size_t		ao_model_size(const AoModel *model);
/* dimension of the state: max(p+mP, q+mQ) + d + mD */
int			ao_model_state_dim(const AoSpec *spec);
int			ao_model_coef_count(const AoSpec *spec, int n_xreg);
/* Regressors that the specification itself brings: mean, drift, Fourier terms. */
int			ao_spec_regressors(const AoSpec *spec);

/* Values of the estimate, of those that are known; a model may have been rolled over more since. */
static inline int64_t
ao_model_estimated_from(const AoModel *model)
{
	return (int64_t) model->df + model->n_coef;
}

/* In place, the same model for a series that begins `later` values later (earlier, if
 * negative): mean, Fourier terms and the time of the estimate count from there.  The
 * covariance of these, and the state, which is after the last value, are left as they are. */
void		ao_model_shift(AoModel *model, int64_t later);

static inline double *
ao_model_coef(const AoModel *model)
{
	return (double *) model->data;
}
static inline double *
ao_model_cov(const AoModel *model)
{
	return (double *) model->data + model->n_coef;
}
static inline double *
ao_model_calibration(const AoModel *model)
{
	return ao_model_cov(model) + (size_t) model->n_coef * (model->n_coef + 1) / 2;
}
static inline double *
ao_model_state(const AoModel *model)
{
	return ao_model_calibration(model) + (size_t) model->n_calibrated * AO_CALIBRATION_LEVELS;
}
static inline double *
ao_model_state_cov(const AoModel *model)
{
	return ao_model_state(model) + model->n_state;
}

void		ao_model_spec(const AoModel *model, AoSpec *spec);
/* Is this block of `bytes` bytes a model that every function below can take?
 * Every field, sum and value is checked: orders, counts, finiteness,
 * stationarity of the AR part, positive variance, NaN only in cov (canonical
 * NaN) and in loglik of a degenerate model. */
AoStatus	ao_model_check(const AoModel *model, size_t bytes, AoEnv *env);
/* Name of coefficient i ("ar1", "sma2", "mean", "drift", "cos2", "xreg3"). */
void		ao_model_term(const AoModel *model, int i, char buf[16]);
/* Information criteria on n_used; NaN where undefined (CSS, degenerate, too few values). */
void		ao_model_criteria(const AoModel *model, double *aic, double *aicc, double *bic);

/* ---- estimation (fit.c) ---- */

typedef struct AoFitOptions
{
	AoMethod	method;
	bool		has_lambda;
	double		lambda;			/* Box-Cox parameter, -5..5 */
	bool		bias_adjust;	/* with lambda: forecast the mean, not the median */
	bool		has_interval;	/* else: normal for orders that are given, Student's for a chosen model */
	AoIntervalKind interval;
	const struct AoAutoOptions *choice;	/* for a specification "auto"; NULL: the defaults */
	bool		no_std_errors;	/* leave out the covariance of the estimates: NaN */
} AoFitOptions;

/* Workspace in bytes that ao_fit takes for n values, of which n_missing are gaps, and k regressors
 * (documented formula; at most 8 copies of the series and regressors plus O(r^2), plus up to 400
 * columns of gaps of O(r)). */
size_t		ao_fit_memory(const AoSpec *spec, int64_t n, int k, int64_t n_missing);

/* xreg: n x k by rows, or NULL with k = 0.  *out is one env->alloc block. */
AoStatus	ao_fit(const double *y, int64_t n, const double *xreg, int k,
				   const AoSpec *spec, const AoFitOptions *options,
				   AoEnv *env, AoModel **out);
/* Re-estimates the model's specification on y, started at its coefficients. */
AoStatus	ao_refit(const AoModel *model, const double *y, int64_t n,
					 const double *xreg, int k, AoEnv *env, AoModel **out);
/* Rolls the filter over new values; coefficients stay.  O(n). */
AoStatus	ao_append(const AoModel *model, const double *y, int64_t n,
					  const double *xreg, int k, AoEnv *env, AoModel **out);

/* ---- forecasting (forecast.c) ---- */

typedef struct AoForecast
{
	double		mean, std_error, lower,
				upper;			/* INFINITY where a negative lambda has no number for it */
} AoForecast;

/* h steps after the end of the training data; xreg is h x k, future values. */
AoStatus	ao_forecast(const AoModel *model, int h, double level,
						const double *xreg, int k, AoEnv *env, AoForecast *out);
/* The same at several levels, 1 .. AO_MAX_LEVELS of them: step j of level i is out[i * h + j]. */
AoStatus	ao_forecast_levels(const AoModel *model, int h, const double *levels, int n_levels,
							   const double *xreg, int k, AoEnv *env, AoForecast *out);
/* Is the regression part another one at another time: a trend in levels, Fourier terms? */
bool		ao_depends_on_time(const AoModel *model);

#define AO_NO_TIME INT64_MIN	/* it is not known when */

/* The same parameters applied to other recent values (at least d+D*m+1 of them non-missing).
 * end: time of the last one, counted as model->n is, which also before the first value of the
 * model's series it may be; only a model that depends on time needs it, and refuses AO_NO_TIME. */
AoStatus	ao_forecast_recent(const AoModel *model, const double *recent, int64_t n, int64_t end,
							   int h, double level, AoEnv *env, AoForecast *out);
AoStatus	ao_forecast_recent_levels(const AoModel *model, const double *recent, int64_t n,
									  int64_t end, int h, const double *levels, int n_levels,
									  AoEnv *env, AoForecast *out);
/* One-step mean from recent values: the serving path. */
AoStatus	ao_predict(const AoModel *model, const double *recent, int64_t n, int64_t end,
					   AoEnv *env, double *out);
/* Standardised innovations e_t/sqrt(f_t) of y under the model; NaN for the
 * first d+D*m and for missing values.  out has n elements. */
AoStatus	ao_residuals(const AoModel *model, const double *y, int64_t n,
						 const double *xreg, int k, AoEnv *env, double *out);

/* ---- Fourier terms of a season of m (whole or not) values (fourier.c) ---- */

/* For K pairs: 2 K columns, one less where 2 K = m, for then the last sine is zero. */
int			ao_fourier_columns(double m, int K);
/* sin(2 pi t/m), cos(2 pi t/m), .. sin(2 pi K t/m), cos(2 pi K t/m) */
void		ao_fourier_row(double t, double m, int K, double *row);

/* ---- the normal distribution (normal.c) ---- */

/* Quantile of the standard normal distribution (Wichura 1988, AS 241). */
double		ao_normal_quantile(double p);
/* P(|Z| > |z|) */
double		ao_normal_two_sided(double z);

#endif							/* AO_H */

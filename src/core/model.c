/*
 * model.c
 *		The fitted model as a block of memory: its shape, what makes it valid,
 *		the names of its terms and its information criteria.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model_internal.h"

_Static_assert(offsetof(AoModel, data) == 112, "AoModel has padding");

#define CANONICAL_NAN UINT64_C(0x7ff8000000000000)

/* Roots of a polynomial may be this far, relatively, inside the unit circle:
 * an MA part estimated on the circle is there up to rounding only. */
#define ROOT_TOLERANCE 1e-9

static size_t
triangle(size_t n)
{
	return n * (n + 1) / 2;
}

/* Number of doubles after the fixed part; the counts must be valid. */
size_t
ao_model_data_len(const AoModel *model)
{
	size_t		n_state = (size_t) model->n_state;

	return ao_model_estimate_len(model) + n_state + (model->has_state_cov ? triangle(n_state) : 0);
}

/* See model_internal.h. */
size_t
ao_model_estimate_len(const AoModel *model)
{
	size_t		n_coef = (size_t) model->n_coef;

	return n_coef + triangle(n_coef) + (size_t) model->n_calibrated * AO_CALIBRATION_LEVELS;
}

/* Bytes of the whole block; the counts must be valid. */
size_t
ao_model_size(const AoModel *model)
{
	return offsetof(AoModel, data) + sizeof(double) * ao_model_data_len(model);
}

/* Dimension of the state of a checked specification: ARMA part and differences. */
int
ao_model_state_dim(const AoSpec *spec)
{
	int			ar = spec->p + spec->m * spec->P;
	int			ma = spec->q + spec->m * spec->Q;

	return (ar > ma ? ar : ma) + spec->d + spec->m * spec->D;
}

/* See ao.h. */
int
ao_spec_regressors(const AoSpec *spec)
{
	return !!(spec->constant & AO_CONSTANT_MEAN) + !!(spec->constant & AO_CONSTANT_DRIFT) +
		ao_fourier_columns(spec->m, spec->K);
}

/* Number of coefficients of a checked specification with n_xreg regressors. */
int
ao_model_coef_count(const AoSpec *spec, int n_xreg)
{
	return spec->p + spec->q + spec->P + spec->Q + ao_spec_regressors(spec) + n_xreg;
}

/* The specification that the model is of. */
void
ao_model_spec(const AoModel *model, AoSpec *spec)
{
	spec->p = model->p;
	spec->d = model->d;
	spec->q = model->q;
	spec->P = model->P;
	spec->D = model->D;
	spec->Q = model->Q;
	spec->m = model->m;
	spec->constant = (AoConstant) model->constant;
	spec->K = model->K;
	spec->is_auto = false;
}

void
ao_model_set_spec(AoModel *model, const AoSpec *spec, int n_xreg)
{
	model->p = (int16_t) spec->p;
	model->d = (int16_t) spec->d;
	model->q = (int16_t) spec->q;
	model->P = (int16_t) spec->P;
	model->D = (int16_t) spec->D;
	model->Q = (int16_t) spec->Q;
	model->m = (int16_t) spec->m;
	model->constant = (uint8_t) spec->constant;
	model->K = (uint8_t) spec->K;
	model->n_xreg = (uint8_t) n_xreg;
	model->n_coef = ao_model_coef_count(spec, n_xreg);
	model->n_state = ao_model_state_dim(spec);
}

int64_t
ao_model_terms_used(const AoSpec *spec, int64_t n, int64_t n_missing)
{
	int64_t		used = n - n_missing - spec->d - (int64_t) spec->D * spec->m;

	return used > 0 ? used : 0;
}

int32_t
ao_model_degrees(int64_t n_used, int n_coef)
{
	return n_used - n_coef > 1 ? (int32_t) (n_used - n_coef) : 1;
}

/* One double in its one form: -0 becomes 0, any NaN the canonical one. */
static void
canonicalise(double *value)
{
	static const uint64_t nan_bits = CANONICAL_NAN;

	if (isnan(*value))
		memcpy(value, &nan_bits, sizeof(nan_bits));
	else if (*value == 0.0)
		*value = 0.0;
}

void
ao_model_canonicalise(AoModel *model)
{
	size_t		len = ao_model_data_len(model);

	canonicalise(&model->sigma2);
	canonicalise(&model->loglik);
	canonicalise(&model->lambda);
	for (size_t i = 0; i < len; i++)
		canonicalise(&model->data[i]);
}

/* Is this the canonical NaN? */
static bool
is_unknown(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits == CANONICAL_NAN;
}

/* A number, not beyond the limit, and not -0. */
static bool
is_within(double value, double limit)
{
	return fabs(value) <= limit && !(value == 0.0 && signbit(value));
}

static bool
all_within(const double *values, size_t n, double limit)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!is_within(values[i], limit))
			return false;
	}
	return true;
}

/*
 * One step of the step-down recursion (Levinson's, backwards; Barndorff-Nielsen
 * & Schou 1973): a[0..len-1] becomes the polynomial of order len - 1.  Gives a
 * bound on the error of its coefficients, from that of the given ones.
 */
static double
step_down(double *a, int len, double error)
{
	double		partial = a[len - 1];
	double		divisor = (1.0 - partial) * (1.0 + partial);
	double		largest = 0.0;

	for (int i = 0, j = len - 2; i <= j; i++, j--)
	{
		double		low = a[i];
		double		high = a[j];

		a[i] = (low + partial * high) / divisor;
		a[j] = (high + partial * low) / divisor;
		largest = fmax(largest, fmax(fabs(a[i]), fabs(a[j])));
		largest = fmax(largest, fmax(fabs(low), fabs(high)));
	}
	return (error * (2.0 + 3.0 * largest) + 4.0 * DBL_EPSILON * largest) / fabs(divisor);
}

/*
 * A polynomial is stable when all partial autocorrelations met on the way down
 * are inside (-1, 1).  Done on coefficients scaled by (1 - tolerance)^j, which
 * moves the roots outward by that factor: roots on the circle pass.  Roots
 * close together move far with the last bit of a coefficient (two on the
 * circle by 1e-8, three by 1e-5), so the error is followed, and the answer is
 * "no" only where that is certain.
 */
bool
ao_polynomial_stable(const double *coef, int n, double sign)
{
	double		a[AO_MAX_ORDER];
	double		scale = sign;
	double		binomial = 1.0;	/* what (1-B)^n has: none that is stable has more */
	double		error = 1.0;

	if (n > AO_MAX_ORDER)
		return false;
	for (int i = 0; i < n; i++)
	{
		scale *= 1.0 - ROOT_TOLERANCE;
		a[i] = coef[i] * scale;
		binomial *= (double) (n - i) / (i + 1);
		if (!(fabs(a[i]) <= binomial * (1.0 + 1e-6)))
			return false;
		error = fmax(error, fabs(a[i]));
	}
	error *= 4.0 * n * DBL_EPSILON;
	for (int len = n; len > 0; len--)
	{
		double		excess = fabs(a[len - 1]) - 1.0;

		if (!(excess < error))
			return false;
		if (excess >= -error)
			return true;
		error = step_down(a, len, error);
	}
	return true;
}

static AoStatus
bad_model(AoEnv *env, const char *what)
{
	env->err.pos = 0;
	env->err.need = 0;
	env->err.have = 0;
	env->err.what = what;
	return AO_BAD_MODEL;
}

/* Specification, counts and size; a wrong one would lead out of the block. */
AoStatus
ao_model_check_shape(const AoModel *model, size_t bytes, AoEnv *env)
{
	AoSpec		spec;

	if (bytes < offsetof(AoModel, data))
		return bad_model(env, "shorter than any model");
	if (model->version != AO_MODEL_VERSION)
		return bad_model(env, "unknown version");
	ao_model_spec(model, &spec);
	if (ao_spec_check(&spec, env) != AO_OK)
		return bad_model(env, "orders, period or constant beyond what a model can have");
	if (model->n_xreg + ao_fourier_columns(spec.m, spec.K) > AO_MAX_XREG)
		return bad_model(env, "impossible number of regressors");
	if (model->n_coef != ao_model_coef_count(&spec, model->n_xreg))
		return bad_model(env, "number of coefficients does not fit the orders");
	if (model->n_state != ao_model_state_dim(&spec))
		return bad_model(env, "dimension of the state does not fit the orders");
	if (model->has_state_cov > 1 || model->has_lambda > 1 || model->bias_adjust > 1)
		return bad_model(env, "a flag is neither 0 nor 1");
	if (model->interval > AO_INTERVAL_CONFORMAL)
		return bad_model(env, "unknown kind of interval");
	if (model->n_calibrated > (model->interval == AO_INTERVAL_CONFORMAL ? AO_CALIBRATION_STEPS : 0))
		return bad_model(env, "more steps are calibrated than can be");
	if (bytes != ao_model_size(model))
		return bad_model(env, "size does not fit the orders");
	return AO_OK;
}

/* The fixed fields that say how the model came about. */
static AoStatus
check_history(const AoModel *model, AoEnv *env)
{
	AoSpec		spec;

	if (model->method > AO_CSS_ML)
		return bad_model(env, "unknown method");
	if ((model->remarks & ~AO_REMARK_ALL) != 0)
		return bad_model(env, "unknown remark");
	if (model->iterations < 0)
		return bad_model(env, "negative number of iterations");
	if (model->n < 1 || model->n > AO_MAX_N)
		return bad_model(env, "impossible length of the series");
	if (model->n_missing < 0 || model->n_missing >= model->n)
		return bad_model(env, "impossible number of missing values");
	if (model->n_gap < 0 || model->n_gap > model->n_missing)
		return bad_model(env, "impossible number of missing values at the end");
	ao_model_spec(model, &spec);
	if (model->n_used < 1 ||
		model->n_used != ao_model_terms_used(&spec, model->n, model->n_missing))
		return bad_model(env, "number of values used does not fit the series and the differences");
	/* the parameters may be from a longer series than this, or from one before it */
	if (model->df < 1 || model->df > AO_MAX_N)
		return bad_model(env, "impossible number of degrees of freedom");
	if (model->estimated_to < -AO_MAX_N || model->estimated_to > AO_MAX_N)
		return bad_model(env, "impossible time of the estimate");
	return AO_OK;
}

/* Variance, likelihood and Box-Cox parameter. */
static AoStatus
check_scalars(const AoModel *model, AoEnv *env)
{
	bool		degenerate = (model->remarks & AO_REMARK_DEGENERATE) != 0;

	if (!is_within(model->sigma2, AO_MODEL_MAX_VARIANCE) || model->sigma2 < 0.0)
		return bad_model(env, "the innovations variance is not a number from 0 up");
	if (model->sigma2 == 0.0 && !degenerate)
		return bad_model(env, "no innovations variance, yet not marked as degenerate");
	if (!is_within(model->loglik, AO_MODEL_MAX_VARIANCE) &&
		!(is_unknown(model->loglik) && (degenerate || model->method == AO_CSS)))
		return bad_model(env, "the log-likelihood is not a number");
	if (!is_within(model->lambda, AO_MODEL_MAX_LAMBDA) ||
		(!model->has_lambda && model->lambda != 0.0))
		return bad_model(env, "the Box-Cox parameter is not between -5 and 5");
	if (model->bias_adjust && !model->has_lambda)
		return bad_model(env, "forecasts are adjusted for a transformation that is not there");
	return AO_OK;
}

/* Covariance of the coefficients: numbers, but for rows and columns that are
 * unknown as a whole. */
static AoStatus
check_cov(const AoModel *model, AoEnv *env)
{
	const double *cov = ao_model_cov(model);
	const double *row = cov;

	for (int i = 0; i < model->n_coef; row += ++i)
	{
		bool		row_unknown = is_unknown(row[i]);

		if (!row_unknown && row[i] < 0.0)
			return bad_model(env, "a coefficient has a negative variance");
		for (int j = 0; j <= i; j++)
		{
			bool		unknown = row_unknown || is_unknown(cov[triangle((size_t) j) + (size_t) j]);

			if (unknown ? !is_unknown(row[j]) : !is_within(row[j], AO_MODEL_MAX_VARIANCE))
				return bad_model(env, "the covariance of the coefficients is not one");
		}
	}
	return AO_OK;
}

/* Half widths of the conformal intervals: the higher the level, the wider. */
static AoStatus
check_calibration(const AoModel *model, AoEnv *env)
{
	const double *row = ao_model_calibration(model);

	for (int i = 0; i < model->n_calibrated; i++, row += AO_CALIBRATION_LEVELS)
	{
		if (!all_within(row, AO_CALIBRATION_LEVELS, AO_MODEL_MAX_VALUE) || row[0] < 0.0)
			return bad_model(env, "the calibration of the intervals is not made of numbers from 0 up");
		for (int j = 1; j < AO_CALIBRATION_LEVELS; j++)
			if (row[j] < row[j - 1])
				return bad_model(env, "a calibrated interval is narrower than one of a lower level");
	}
	return AO_OK;
}

/* The filter's state and, where kept, its covariance. */
static AoStatus
check_state(const AoModel *model, AoEnv *env)
{
	size_t		n = (size_t) model->n_state;
	const double *row = ao_model_state_cov(model);

	if (!all_within(ao_model_state(model), n, AO_MODEL_MAX_VALUE))
		return bad_model(env, "the state is not made of numbers");
	for (size_t i = 0; i < n && model->has_state_cov; row += ++i)
	{
		if (!all_within(row, i + 1, AO_MODEL_MAX_VALUE))
			return bad_model(env, "the covariance of the state is not made of numbers");
		if (row[i] < 0.0)
			return bad_model(env, "the state has a negative variance");
	}
	return AO_OK;
}

static AoStatus
check_coef(const AoModel *model, AoEnv *env)
{
	const double *ar = ao_model_coef(model);
	const double *ma = ar + model->p;
	const double *sar = ma + model->q;
	const double *sma = sar + model->P;

	if (!all_within(ar, (size_t) model->n_coef, AO_MODEL_MAX_VALUE))
		return bad_model(env, "the coefficients are not numbers");
	if (!ao_polynomial_stable(ar, model->p, 1.0) ||
		!ao_polynomial_stable(sar, model->P, 1.0))
		return bad_model(env, "the autoregressive part is not stationary");
	if (!ao_polynomial_stable(ma, model->q, -1.0) ||
		!ao_polynomial_stable(sma, model->Q, -1.0))
		return bad_model(env, "the moving average part is not invertible");
	return AO_OK;
}

/*
 * Is this block of that many bytes, aligned for double, a model that every
 * function can take?  AO_BAD_MODEL with the reason in env->err.what if not.
 */
AoStatus
ao_model_check(const AoModel *model, size_t bytes, AoEnv *env)
{
	AoStatus	status = ao_model_check_shape(model, bytes, env);

	if (status == AO_OK)
		status = check_history(model, env);
	if (status == AO_OK)
		status = check_scalars(model, env);
	if (status == AO_OK)
		status = check_coef(model, env);
	if (status == AO_OK)
		status = check_cov(model, env);
	if (status == AO_OK)
		status = check_calibration(model, env);
	if (status == AO_OK)
		status = check_state(model, env);
	return status;
}

/* name, followed by number unless that is 0 */
static void
write_term(char buf[16], const char *name, int number)
{
	size_t		len = strlen(name);
	char		digits[4];
	int			n = 0;

	memcpy(buf, name, len);
	for (; number > 0; number /= 10)
		digits[n++] = (char) ('0' + number % 10);
	while (n > 0)
		buf[len++] = digits[--n];
	buf[len] = '\0';
}

/* Is Fourier term i, from 0, a sine? The last one of a whole set is not. */
static bool
is_sine(const AoModel *model, int i)
{
	return i % 2 == 0 && (i < 2 * model->K - 2 || 2 * model->K != model->m);
}

/* Name of coefficient i, from 0; the empty text if there is none. */
void
ao_model_term(const AoModel *model, int i, char buf[16])
{
	bool		has_mean = model->constant == AO_CONSTANT_MEAN ||
		model->constant == AO_CONSTANT_MEAN_DRIFT;
	bool		has_drift = model->constant == AO_CONSTANT_DRIFT ||
		model->constant == AO_CONSTANT_MEAN_DRIFT;
	const struct
	{
		const char *name;
		int			count;
		bool		numbered;
	}			groups[] = {
		{"ar", model->p, true}, {"ma", model->q, true},
		{"sar", model->P, true}, {"sma", model->Q, true},
		{"mean", has_mean, false}, {"drift", has_drift, false},
		{NULL, ao_fourier_columns(model->m, model->K), true},
		{"xreg", model->n_xreg, true}
	};

	buf[0] = '\0';
	if (i < 0)
		return;
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
	{
		if (i < groups[g].count)
		{
			if (groups[g].name == NULL)
				write_term(buf, is_sine(model, i) ? "sin" : "cos", i / 2 + 1);
			else
				write_term(buf, groups[g].name, groups[g].numbered ? i + 1 : 0);
			return;
		}
		i -= groups[g].count;
	}
}

/* See ao.h.  The drift of differences is the same step at any time. */
bool
ao_depends_on_time(const AoModel *model)
{
	return model->constant == AO_CONSTANT_MEAN_DRIFT || model->K > 0;
}

/*
 * Akaike's criterion, its small-sample correction (Hurvich & Tsai 1989) and
 * Schwarz's, over the n_used terms of the likelihood; sigma2 counts as a
 * parameter.  NaN where undefined.
 */
void
ao_model_criteria(const AoModel *model, double *aic, double *aicc, double *bic)
{
	double		k = model->n_coef + 1.0;
	double		n = (double) model->n_used;

	*aic = *aicc = *bic = NAN;
	if (model->method == AO_CSS || isnan(model->loglik) || model->n_used < 1)
		return;
	*aic = 2.0 * k - 2.0 * model->loglik;
	*bic = k * log(n) - 2.0 * model->loglik;
	if (n - k - 1.0 > 0.0)
		*aicc = *aic + 2.0 * k * (k + 1.0) / (n - k - 1.0);
}

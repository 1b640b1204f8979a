/*
 * test_model.c
 *		The model block: its shape, what ao_model_check refuses, names and
 *		criteria, and that no change of a byte makes it dangerous.
 */
#include "exercise_model.h"

static const AoSpec specs[] = {
	{.m = 1, .constant = AO_CONSTANT_NONE},
	{.m = 1, .constant = AO_CONSTANT_MEAN},
	{.p = 1, .d = 1, .q = 1, .m = 1},
	{.p = 2, .q = 1, .m = 1, .constant = AO_CONSTANT_MEAN_DRIFT},
	{.p = 1, .d = 1, .q = 1, .D = 0, .Q = 1, .m = 4, .constant = AO_CONSTANT_DRIFT},
	{.q = 2, .P = 1, .D = 1, .Q = 1, .m = 12},
	{.p = 5, .d = 2, .q = 3, .m = 1},
	{.p = 1, .m = 12, .constant = AO_CONSTANT_MEAN},
	{.p = 1, .q = 1, .m = 7, .constant = AO_CONSTANT_MEAN, .K = 3},
	{.d = 1, .q = 1, .m = 4, .constant = AO_CONSTANT_DRIFT, .K = 2},
};

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))

/* The model's status under ao_model_check, in a block of exactly that size so
 * that a sanitizer sees a read beyond it. */
static AoStatus
check(const AoModel *model, size_t bytes)
{
	UnitMemory	memory;
	AoEnv		env = unit_env(&memory);
	void	   *copy = malloc(bytes > 0 ? bytes : 1);
	AoStatus	status;

	if (copy == NULL)
		abort();
	memcpy(copy, model, bytes);
	status = ao_model_check(copy, bytes, &env);
	if (status != AO_OK && env.err.what == NULL)
		status = AO_OK;			/* a refusal without reason is none: fails the test */
	free(copy);
	return status;
}

/* Models as they should be pass, and lose that with their size. */
static void
test_valid(void)
{
	for (size_t i = 0; i < N_SPECS; i++)
	{
		size_t		bytes;
		AoModel    *model = sample_model(&specs[i], i == 3 ? 2 : 0, i == 4 || i == 6 ? 3 : 0, i % 2 == 1, 99 + i, &bytes);
		AoSpec		spec;
		const char *wrong;
		char		text[128];

		ao_model_spec(model, &spec);
		ao_spec_format(&spec, text, sizeof(text));
		UNIT_CHECK(memcmp(&spec.p, &specs[i].p, offsetof(AoSpec, is_auto)) == 0 && !spec.is_auto,
				   "%s: gives its specification back", text);
		UNIT_CHECK(bytes == 112 + 8 * ao_model_data_len(model), "%s: size", text);
		UNIT_CHECK(check(model, bytes) == AO_OK, "%s: valid", text);
		wrong = exercise_model(model, 7 + i, i % 2 == 0);
		UNIT_CHECK(wrong == NULL, "%s: usable (%s)", text, wrong ? wrong : "yes");
		UNIT_CHECK(check(model, 0) == AO_BAD_MODEL && check(model, 95) == AO_BAD_MODEL &&
				   check(model, bytes - 1) == AO_BAD_MODEL, "%s: refused when cut", text);
		model = realloc(model, bytes + 8);
		if (model == NULL)
			abort();
		memset((char *) model + bytes, 0, 8);
		UNIT_CHECK(check(model, bytes + 8) == AO_BAD_MODEL, "%s: refused when too long", text);
		free(model);
	}
}

/* State dimension and number of coefficients, by hand. */
static void
test_counts(void)
{
	static const struct
	{
		AoSpec		spec;
		int			n_xreg;
		int			n_coef;
		int			n_state;
	}			cases[] = {
		{{.m = 1}, 0, 0, 0},
		{{.m = 1, .constant = AO_CONSTANT_MEAN}, 0, 1, 0},
		{{.m = 1, .constant = AO_CONSTANT_MEAN_DRIFT}, 64, 66, 0},
		{{.p = 1, .d = 1, .q = 1, .m = 1}, 0, 2, 2},
		{{.p = 2, .d = 0, .q = 5, .m = 1, .constant = AO_CONSTANT_MEAN}, 1, 9, 5},
		{{.q = 1, .d = 1, .D = 1, .Q = 1, .m = 12}, 0, 2, 26},
		{{.p = 1, .d = 1, .P = 2, .q = 1, .m = 7, .constant = AO_CONSTANT_DRIFT}, 0, 5, 16},
		{{.p = 1, .m = 52, .constant = AO_CONSTANT_MEAN, .K = 3}, 2, 10, 1},
		{{.p = 1, .d = 1, .m = 52, .constant = AO_CONSTANT_DRIFT, .K = 26}, 0, 53, 2},
		{{.p = 100, .d = 4, .P = 2, .D = 4, .q = 3, .m = 366}, 0, 105, 832 + 4 + 1464},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		UNIT_CHECK(ao_model_coef_count(&cases[i].spec, cases[i].n_xreg) == cases[i].n_coef,
				   "coefficients of case %d", (int) i);
		UNIT_CHECK(ao_model_state_dim(&cases[i].spec) == cases[i].n_state,
				   "state of case %d", (int) i);
	}
	UNIT_CHECK(ao_model_terms_used(&cases[5].spec, 100, 3) == 84 &&
			   ao_model_terms_used(&cases[5].spec, 13, 0) == 0 &&
			   ao_model_terms_used(&cases[5].spec, 5, 1) == 0, "terms of the likelihood");
}

/* A model whose differences use up the whole series is none. */
static void
test_used_up(void)
{
	size_t		bytes;
	AoModel    *model = sample_model(&specs[6], 0, 0, false, 1, &bytes);

	model->n = 3;
	model->n_used = 1;
	model->df = 1;
	UNIT_CHECK(check(model, bytes) == AO_OK, "two differences of three values leave one");
	model->n = 2;
	model->n_used = 0;
	UNIT_CHECK(check(model, bytes) == AO_BAD_MODEL, "of two values none");
	free(model);
}

/* One change to a valid (2,0,1)-with-mean-and-drift model of one regressor;
 * refused unless `valid`. */
#define MUTATION(change, valid) \
	do { \
		size_t		bytes; \
		AoModel    *model = sample_model(&specs[3], 1, 0, true, 5, &bytes); \
		double	   *coef = ao_model_coef(model); \
		double	   *cov = ao_model_cov(model); \
		double	   *state = ao_model_state(model); \
		double	   *state_cov = ao_model_state_cov(model); \
		(void) coef; (void) cov; (void) state; (void) state_cov; \
		change; \
		UNIT_CHECK(check(model, bytes) == ((valid) ? AO_OK : AO_BAD_MODEL), \
				   "%s: %s", (valid) ? "valid" : "refused", #change); \
		free(model); \
	} while (0)

static double
other_nan(void)
{
	static const uint64_t bits = UINT64_C(0xfff8000000000001);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void
test_fixed_fields(void)
{
	MUTATION(model->owner_header = 12345, true);
	MUTATION(model->version = 0, false);
	MUTATION(model->version = 3, false);
	MUTATION(model->version = 5, false);
	MUTATION(model->method = AO_CSS_ML, true);
	MUTATION(model->method = 3, false);
	MUTATION(model->constant = AO_CONSTANT_MEAN, false);
	MUTATION(model->constant = 4, false);
	MUTATION(model->p = 3, false);
	MUTATION(model->p = -1, false);
	MUTATION(model->d = 1, false);
	MUTATION(model->q = 2, false);
	MUTATION(model->P = 1, false);
	MUTATION(model->D = INT16_MAX, false);
	MUTATION(model->Q = INT16_MIN, false);
	MUTATION(model->m = 0, false);
	MUTATION(model->m = 366, true);
	MUTATION(model->m = 367, false);
	MUTATION(model->n_xreg = 0, false);
	MUTATION(model->n_xreg = 65, false);
	MUTATION(model->n_xreg = 255, false);
	MUTATION(model->K = 1, false);
	MUTATION(model->K = 255, false);
	MUTATION(model->n_coef++, false);
	MUTATION(model->n_coef = INT32_MAX, false);
	MUTATION(model->n_coef = INT32_MIN, false);
	MUTATION(model->n_state--, false);
	MUTATION(model->n_state = INT32_MAX, false);
	MUTATION(model->n_state = INT32_MIN, false);
	MUTATION(model->has_state_cov = 0, false);
	MUTATION(model->has_state_cov = 2, false);
	MUTATION(model->has_lambda = 1, true);
	MUTATION(model->has_lambda = 2, false);
	MUTATION(model->interval = AO_INTERVAL_STUDENT, true);
	MUTATION(model->interval = AO_INTERVAL_CONFORMAL, true);
	MUTATION(model->interval = 3, false);
	MUTATION(model->n_calibrated = 1, false);
	MUTATION((model->interval = AO_INTERVAL_CONFORMAL, model->n_calibrated = 25), false);
	MUTATION(model->bias_adjust = 1, false);
	MUTATION((model->bias_adjust = 1, model->has_lambda = 1), true);
	MUTATION((model->bias_adjust = 2, model->has_lambda = 1), false);
	MUTATION(model->df = 1, true);
	MUTATION(model->df = 0, false);
	MUTATION(model->df = INT32_MIN, false);
	MUTATION(model->df = AO_MAX_N, true);
	MUTATION(model->df = AO_MAX_N + 1, false);
	MUTATION(model->remarks = AO_REMARK_ALL, true);
	MUTATION(model->remarks = AO_REMARK_ALL + 1, false);
	MUTATION(model->iterations = 0, true);
	MUTATION(model->iterations = -1, false);
	MUTATION((model->n++, model->n_missing++), true);
	MUTATION(model->n++, false);
	MUTATION(model->n = INT64_MIN, false);
	MUTATION((model->n = AO_MAX_N, model->n_used = AO_MAX_N - model->n_missing), true);
	MUTATION((model->n = AO_MAX_N + 1, model->n_used = AO_MAX_N + 1 - model->n_missing), false);
	MUTATION((model->n = 0, model->n_missing = 0, model->n_used = 0), false);
	MUTATION((model->n_missing = -1, model->n_used = model->n + 1), false);
	MUTATION((model->n_missing = model->n, model->n_used = 0), false);
	MUTATION((model->n_missing = INT64_MAX, model->n_used = 0), false);
	MUTATION(model->n_gap = model->n_missing, true);
	MUTATION(model->n_gap = model->n_missing + 1, false);
	MUTATION(model->n_gap = -1, false);
	MUTATION(model->n_used--, false);
	MUTATION(model->n_used = -1, false);
	MUTATION(model->estimated_to = -AO_MAX_N, true);
	MUTATION(model->estimated_to = -AO_MAX_N - 1, false);
	MUTATION(model->estimated_to = AO_MAX_N, true);
	MUTATION(model->estimated_to = AO_MAX_N + 1, false);
}

static void
test_values(void)
{
	MUTATION(model->sigma2 = 0.0, false);
	MUTATION((model->sigma2 = 0.0, model->remarks = AO_REMARK_DEGENERATE), true);
	MUTATION((model->sigma2 = -0.0, model->remarks = AO_REMARK_DEGENERATE), false);
	MUTATION(model->sigma2 = -1.0, false);
	MUTATION(model->sigma2 = NAN, false);
	MUTATION(model->sigma2 = INFINITY, false);
	MUTATION(model->sigma2 = 5e-324, true);
	MUTATION(model->loglik = NAN, false);
	MUTATION((model->loglik = NAN, model->remarks = AO_REMARK_DEGENERATE), true);
	MUTATION((model->loglik = NAN, model->method = AO_CSS), true);
	MUTATION((model->loglik = other_nan(), model->method = AO_CSS), false);
	MUTATION((model->loglik = -INFINITY, model->method = AO_CSS), false);
	MUTATION(model->loglik = -0.0, false);
	MUTATION(model->lambda = 0.5, false);
	MUTATION((model->has_lambda = 1, model->lambda = -5.0), true);
	MUTATION((model->has_lambda = 1, model->lambda = 5.1), false);
	MUTATION((model->has_lambda = 1, model->lambda = NAN), false);
	MUTATION(coef[0] = NAN, false);
	MUTATION(coef[0] = 3.0, false);
	MUTATION((coef[0] = 1.0, coef[1] = 0.0), true);
	MUTATION((coef[0] = 1.0 + 1e-8, coef[1] = 0.0), false);
	MUTATION(coef[1] = -1.01, false);
	MUTATION(coef[2] = 1.0, true);
	MUTATION(coef[2] = 1.00001, false);
	MUTATION(coef[3] = -0.0, false);
	MUTATION(coef[3] = 1e200, true);
	MUTATION(coef[5] = 1e201, false);
	MUTATION(coef[5] = INFINITY, false);
	MUTATION(cov[0] = -1.0, false);
	MUTATION(cov[0] = NAN, false);
	MUTATION(cov[1] = NAN, false);
	MUTATION(for (int i = 0; i < 21; i++) cov[i] = NAN, true);
	MUTATION(for (int i = 0; i < 21; i++) cov[i] = other_nan(), false);
	MUTATION(for (int i = 15; i < 21; i++) cov[i] = NAN, true);
	MUTATION(cov[20] = INFINITY, false);
	MUTATION(state[0] = NAN, false);
	MUTATION(state[1] = -1e201, false);
	MUTATION(state_cov[0] = -1e-300, false);
	MUTATION(state_cov[1] = NAN, false);
	MUTATION(state_cov[2] = 0.0, true);
}

/* One change to a model with two calibrated steps. */
#define CALIBRATION(change, valid) \
	do { \
		size_t		bytes; \
		AoModel    *model = sample_model(&specs[3], 0, 2, true, 5, &bytes); \
		double	   *row = ao_model_calibration(model); \
		(void) row; \
		change; \
		UNIT_CHECK(check(model, bytes) == ((valid) ? AO_OK : AO_BAD_MODEL), \
				   "calibration %s: %s", (valid) ? "valid" : "refused", #change); \
		free(model); \
	} while (0)

static void
test_calibration(void)
{
	CALIBRATION(row[9] *= 2, true);
	CALIBRATION(model->n_calibrated = 0, false);
	CALIBRATION(model->n_calibrated = 1, false);
	CALIBRATION(model->interval = AO_INTERVAL_NORMAL, false);
	CALIBRATION(row[0] = 0, true);
	CALIBRATION(row[0] = -0.0, false);
	CALIBRATION(row[0] = -0.1, false);
	CALIBRATION(row[3] = NAN, false);
	CALIBRATION(row[9] = INFINITY, false);
	CALIBRATION(row[19] = 1e200, true);
	CALIBRATION(row[19] = 1e201, false);
	CALIBRATION(row[4] = row[5], true);
	CALIBRATION(row[4] = row[5] * 1.001, false);
	CALIBRATION(row[10] = 0.1, true);
}

/* NaN and zero in their other forms are brought to the canonical one. */
static void
test_canonical(void)
{
	size_t		bytes;
	AoModel    *model = sample_model(&specs[3], 1, 0, true, 5, &bytes);
	AoModel    *wild = sample_model(&specs[3], 1, 0, true, 5, &bytes);
	double	   *cov = ao_model_cov(wild);

	for (int i = 0; i < 21; i++)
	{
		cov[i] = other_nan();
		ao_model_cov(model)[i] = NAN;
	}
	ao_model_coef(wild)[4] = -0.0;
	ao_model_coef(model)[4] = 0.0;
	wild->lambda = -0.0;
	UNIT_CHECK(check(wild, bytes) == AO_BAD_MODEL, "other forms are refused");
	ao_model_canonicalise(wild);
	UNIT_CHECK(check(wild, bytes) == AO_OK, "until brought to the canonical one");
	UNIT_CHECK(memcmp(model, wild, bytes) == 0, "which is the same to the bit");
	free(model);
	free(wild);
}

static void
test_terms(void)
{
	static const char *const names[] = {
		"ar1", "ar2", "ma1", "sar1", "sma1", "sma2", "mean", "drift", "xreg1", "xreg2"
	};
	AoSpec		spec = {.p = 2, .q = 1, .P = 1, .Q = 2, .m = 4, .constant = AO_CONSTANT_MEAN_DRIFT};
	AoSpec		large = {.p = 100, .m = 1, .constant = AO_CONSTANT_DRIFT, .d = 1};
	size_t		bytes;
	AoModel    *model = sample_model(&spec, 2, 0, false, 1, &bytes);
	char		name[16];

	UNIT_CHECK(model->n_coef == 10, "ten coefficients");
	for (int i = 0; i < 10; i++)
	{
		ao_model_term(model, i, name);
		UNIT_CHECK(strcmp(name, names[i]) == 0, "term %d is %s (got %s)", i, names[i], name);
	}
	ao_model_term(model, 10, name);
	UNIT_CHECK(name[0] == '\0', "no term after the last");
	ao_model_term(model, -1, name);
	UNIT_CHECK(name[0] == '\0', "nor before the first");
	free(model);
	model = sample_model(&large, 64, 0, false, 1, &bytes);
	ao_model_term(model, 99, name);
	UNIT_CHECK(strcmp(name, "ar100") == 0, "ar100 (got %s)", name);
	ao_model_term(model, 100, name);
	UNIT_CHECK(strcmp(name, "drift") == 0, "drift without mean (got %s)", name);
	ao_model_term(model, 164, name);
	UNIT_CHECK(strcmp(name, "xreg64") == 0, "xreg64 (got %s)", name);
	free(model);
}

/* The airline model on R's AirPassengers, in logs: two coefficients, 131 terms
 * (144 less 13), loglik 244.70; k = 3 with sigma2. */
static void
test_criteria(void)
{
	AoSpec		spec = {.d = 1, .q = 1, .D = 1, .Q = 1, .m = 12};
	size_t		bytes;
	AoModel    *model = sample_model(&spec, 0, 0, false, 1, &bytes);
	double		aic,
				aicc,
				bic;

	model->n_used = 131;
	model->loglik = 244.70;
	ao_model_criteria(model, &aic, &aicc, &bic);
	UNIT_NEAR(aic, -483.40, 1e-12, "AIC");
	UNIT_NEAR(aicc, -483.40 + 24.0 / 127.0, 1e-12, "AICc");
	UNIT_NEAR(bic, -489.40 + 3.0 * 4.875197323201151, 1e-12, "BIC");
	model->n_used = 4;
	ao_model_criteria(model, &aic, &aicc, &bic);
	UNIT_CHECK(isnan(aicc) && isfinite(aic) && isfinite(bic), "no AICc where it divides by zero");
	model->n_used = 5;
	ao_model_criteria(model, &aic, &aicc, &bic);
	UNIT_NEAR(aicc, -483.40 + 24.0, 1e-12, "AICc with one degree of freedom");
	model->method = AO_CSS;
	ao_model_criteria(model, &aic, &aicc, &bic);
	UNIT_CHECK(isnan(aic) && isnan(aicc) && isnan(bic), "no criteria for CSS");
	model->method = AO_ML;
	model->loglik = NAN;
	ao_model_criteria(model, &aic, &aicc, &bic);
	UNIT_CHECK(isnan(aic) && isnan(aicc) && isnan(bic), "no criteria without a likelihood");
	free(model);
}

static void
test_polynomials(void)
{
	static const struct
	{
		double		coef[4];
		int			n;
		bool		stable;
		const char *name;
	}			cases[] = {
		{{0}, 0, true, "no coefficient"},
		{{0.999999}, 1, true, "root just outside"},
		{{1.0}, 1, true, "root on the circle"},
		{{-1.0 - 1e-8}, 1, false, "root just inside"},
		{{2.0, -1.0}, 2, true, "two roots at 1"},
		{{3.0, -3.0, 1.0}, 3, true, "three roots at 1"},
		{{0.0, 0.0, 0.0, 1.0}, 4, true, "the four fourth roots of 1"},
		{{0.0, 0.0, 0.0, 1.1}, 4, false, "and somewhat inside"},
		{{5.2, -1.0}, 2, false, "roots 5 and 1/5"},
		{{1.5, -0.5}, 2, true, "roots 1 and 2"},
		{{2.5, -1.0}, 2, false, "roots 1/2 and 2"},
		{{1.6, -0.8}, 2, true, "a pair of complex roots outside"},
		{{1.2, 0.0, 0.0, 0.0}, 4, false, "trailing zeros"},
		{{1e200, 0.5}, 2, false, "a huge coefficient"},
		{{NAN, 0.5}, 2, false, "not a number"},
		{{0.5, INFINITY}, 2, false, "infinite"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		double		negated[4];

		for (int j = 0; j < 4; j++)
			negated[j] = -cases[i].coef[j];
		UNIT_CHECK(ao_polynomial_stable(cases[i].coef, cases[i].n, 1.0) == cases[i].stable,
				   "AR: %s", cases[i].name);
		UNIT_CHECK(ao_polynomial_stable(negated, cases[i].n, -1.0) == cases[i].stable,
				   "MA: %s", cases[i].name);
	}
}

/* No polynomial made of partial autocorrelations inside (-1, 1) is refused,
 * none of low order with one well outside is accepted. */
static void
test_random_polynomials(void)
{
	uint64_t	seed = 2024;

	for (int n = 1; n <= 40; n += 3)
	{
		int			refused = 0;
		int			accepted = 0;

		for (int i = 0; i < 300; i++)
		{
			double		coef[AO_MAX_ORDER];

			for (int j = 0; j < n; j++)
				coef[j] = tanh(4.0 * sample_number(&seed));
			sample_polynomial(coef, n, 1.0);
			refused += !ao_polynomial_stable(coef, n, 1.0);
			for (int j = 0; j < n; j++)
				coef[j] = 0.8 * sample_number(&seed);
			coef[i % n] = i % 2 == 0 ? 1.2 : -1.2;
			sample_polynomial(coef, n, 1.0);
			accepted += ao_polynomial_stable(coef, n, 1.0);
		}
		UNIT_CHECK(refused == 0, "order %d: %d of 300 stable ones refused", n, refused);
		if (n <= 10)
			UNIT_CHECK(accepted == 0, "order %d: %d of 300 others accepted", n, accepted);
	}
}

/* Quantiles to 16 figures (each checked against erfc), tails. */
static void
test_normal(void)
{
	UNIT_NEAR(ao_normal_quantile(0.975), 1.959963984540054, 1e-15, "97.5 %% quantile");
	UNIT_NEAR(ao_normal_quantile(0.9), 1.2815515655446004, 1e-15, "90 %% quantile");
	UNIT_NEAR(ao_normal_quantile(0.25), -0.6744897501960817, 1e-15, "25 %% quantile");
	UNIT_NEAR(ao_normal_quantile(1e-10), -6.361340902404056, 1e-15, "1e-10 quantile");
	UNIT_NEAR(ao_normal_quantile(1e-300), -37.0470962993612, 1e-14, "1e-300 quantile");
	UNIT_CHECK(ao_normal_quantile(0.5) == 0.0, "median");
	UNIT_CHECK(ao_normal_quantile(0.0) == -INFINITY && ao_normal_quantile(1.0) == INFINITY,
			   "the ends");
	UNIT_CHECK(isnan(ao_normal_quantile(NAN)), "NaN stays NaN");
	UNIT_NEAR(ao_normal_two_sided(1.959963984540054), 0.05, 1e-15, "5 %% level");
	UNIT_NEAR(ao_normal_two_sided(-1.959963984540054), 0.05, 1e-15, "either sign");
	UNIT_CHECK(ao_normal_two_sided(0.0) == 1.0, "zero");
	for (double z = -30.0; z <= 30.0; z += 0.7)
	{
		double		p = 0.5 * ao_normal_two_sided(z);

		UNIT_NEAR(ao_normal_quantile(p), -fabs(z), 1e-13, "quantile of the tail at %g", z);
	}
}

/* Every byte changed in several ways: refused, or a model that works. */
static void
test_bytes(void)
{
	static const unsigned char patterns[] = {0x01, 0x02, 0x10, 0x40, 0x80, 0xff};

	for (size_t i = 0; i < N_SPECS; i++)
	{
		size_t		bytes;
		AoModel    *model = sample_model(&specs[i], i == 3 ? 2 : 0, i == 4 || i == 6 ? 3 : 0, i % 2 == 1, 31 + i, &bytes);
		int			refused = 0;
		int			accepted = 0;
		const char *wrong = NULL;
		/* odd, so that every byte of a number has its turn */
		size_t		step = unit_small() ? bytes / 100 | 1 : 1;

		for (size_t at = 0; at < bytes && wrong == NULL; at += at < sizeof(AoModel) ? 1 : step)
		{
			for (size_t k = 0; k < sizeof(patterns) && wrong == NULL; k++)
			{
				unsigned char *byte = (unsigned char *) model + at;
				unsigned char saved = *byte;

				*byte ^= patterns[k];
				if (check(model, bytes) == AO_BAD_MODEL)
					refused++;
				else
				{
					accepted++;
					wrong = exercise_model(model, at, k % 2 == 0);
				}
				*byte = saved;
			}
		}
		UNIT_CHECK(wrong == NULL, "model %d: every changed byte is refused or harmless (%s)",
				   (int) i, wrong ? wrong : "yes");
		UNIT_CHECK(refused > 250 && accepted > 24, "model %d: %d changes refused, %d accepted",
				   (int) i, refused, accepted);
		free(model);
	}
}

int
main(void)
{
	test_valid();
	test_counts();
	test_used_up();
	test_fixed_fields();
	test_values();
	test_calibration();
	test_canonical();
	test_terms();
	test_criteria();
	test_polynomials();
	test_random_polynomials();
	test_normal();
	test_bytes();
	return unit_done();
}

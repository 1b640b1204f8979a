/*
 * reference.c
 *		Fits every reference model through the core and compares with the
 *		best known optimum.
 *
 * usage: reference [-m ml|css|css-ml] [-f FILE] [-a N] [-s] [-q] [-v] DIR [ID-PART]
 *
 * FILE is models.csv, extra.csv or hard.csv.  One line per model, with -q only for
 * those that fail; the exit status is 1 if more than N (0) do.  What is demanded:
 * log-likelihood within 1e-3 of the best known, and equal to a computation
 * independent of the library; where coefficients are comparable, coefficients
 * within 0.02 standard errors, standard errors within 2 % and within 0.5 % of those
 * of the independent likelihood, forecasts (mean and standard error) within 0.01
 * standard errors.  With -s the latter is demanded of every model that the library
 * has nothing to remark on, and there is a table where steps that are usual in second
 * differences are more than 1 % off; with -s -v for every model.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "exact.h"
#include "std_errors.h"

#define MAX_SHORTFALL 1e-3
#define MAX_DISAGREEMENT 1e-4	/* in the log-likelihood */
#define MAX_COEF_DEVIATION 0.02
#define MAX_SE_DEVIATION 0.02
#define MAX_HESSIAN_DEVIATION 0.005
#define MAX_FORECAST_DEVIATION 0.01

typedef struct Options
{
	AoMethod	method;
	int			verbose;
	int			quiet;
	int			std_errors;		/* check them by the independent likelihood */
	int			allowed;		/* failures */
	const char *dir;
	const char *file;			/* models.csv, extra.csv or hard.csv */
	const char *part;			/* of the id, or NULL */
} Options;

/* How far a fit is from the reference; deviations as in the file comment. */
typedef struct Comparison
{
	double		shortfall;
	double		disagreement;	/* with the independent likelihood */
	double		coef;
	double		se;
	double		hessian;		/* of standard errors from the independent ones */
	double		forecast;
	double		seconds;
} Comparison;

/* The larger of two, where NaN counts as infinitely large: a NaN must fail. */
static double
worse(double a, double b)
{
	if (isnan(a) || isnan(b))
		return INFINITY;
	return a > b ? a : b;
}

static AoModel *
fit(const ReferenceModel *ref, const Table *y, const Table *xreg, AoMethod method,
	double *seconds)
{
	AoEnv		env;
	AoSpec		spec;
	AoFitOptions options = {.method = method};
	AoModel    *model = NULL;
	AoStatus	status;
	double		start;

	plain_env(&env);
	status = ao_spec_parse(ref->spec, strlen(ref->spec), &spec, &env);
	start = now();
	if (status == AO_OK)
		status = ao_fit(y->values, y->n, xreg->values, xreg->k, &spec, &options, &env, &model);
	*seconds = now() - start;
	if (status != AO_OK)
	{
		printf("%-36s status %d: %s\n", ref->id, (int) status, env.err.what ? env.err.what : "");
		return NULL;
	}
	return model;
}

static void
compare_coefficients(const ReferenceModel *ref, const AoModel *model, Comparison *c, int verbose)
{
	const double *coef = ao_model_coef(model);
	const double *cov = ao_model_cov(model);

	if (model->n_coef != ref->n_coef)
	{
		printf("%s: %d coefficients instead of %d\n", ref->id, model->n_coef, ref->n_coef);
		c->coef = INFINITY;
		return;
	}
	for (int i = 0; i < ref->n_coef; i++)
	{
		const ReferenceTerm *t = &ref->coef[i];
		char		term[16];
		double		se = sqrt(cov[i * (i + 1) / 2 + i]);

		ao_model_term(model, i, term);
		if (strcmp(term, t->term) != 0)
		{
			printf("%s: term %s instead of %s\n", ref->id, term, t->term);
			c->coef = INFINITY;
		}
		c->coef = worse(c->coef, fabs(coef[i] - t->estimate) / t->std_error);
		c->se = worse(c->se, fabs(se / t->std_error - 1));
		if (verbose)
			printf("    %-6s %20.12g (%.10g)   best %20.12g (%.10g)\n",
				   term, coef[i], se, t->estimate, t->std_error);
	}
}

static void
compare_forecasts(const ReferenceModel *ref, const AoModel *model, const double *future, int k,
				  Comparison *c, int verbose)
{
	AoEnv		env;
	AoForecast	forecast[MAX_STEPS];
	AoStatus	status;

	plain_env(&env);
	status = ao_forecast(model, ref->h, 0.95, future, k, &env, forecast);
	if (status != AO_OK)
	{
		printf("%s: forecast status %d\n", ref->id, (int) status);
		c->forecast = INFINITY;
		return;
	}
	for (int i = 0; i < ref->h; i++)
	{
		double		mean = fabs(forecast[i].mean - ref->mean[i]) / ref->std_error[i];
		double		se = fabs(forecast[i].std_error / ref->std_error[i] - 1);

		c->forecast = worse(c->forecast, worse(mean, se));
		if (verbose)
			printf("    +%-5d %20.12g (%.10g)   best %20.12g (%.10g)\n", i + 1,
				   forecast[i].mean, forecast[i].std_error, ref->mean[i], ref->std_error[i]);
	}
}

/* How far the likelihood that the library gives for its coefficients is from
 * the independent one.  A model that the latter takes for unusable is far. */
static double
disagreement(const AoModel *model, const Table *y, const Table *xreg)
{
	AoSpec		spec;
	ExactProblem *problem;
	double		difference;

	ao_model_spec(model, &spec);
	problem = exact_new(y->values, y->n, xreg->values, xreg->k, &spec);
	difference = fabs(model->loglik - exact_loglik(problem, ao_model_coef(model)));
	exact_free(problem);
	return worse(difference, 0);
}

/* The log-likelihood to be reached; NaN if there is none to compare with. */
static double
best_known(const ReferenceModel *ref, AoMethod method)
{
	return method == AO_CSS ? ref->css_loglik : ref->loglik;
}

static int
passes(const ReferenceModel *ref, const Comparison *c, AoMethod method)
{
	if (!(c->shortfall <= MAX_SHORTFALL))
		return 0;
	if (method != AO_CSS && !(c->disagreement <= MAX_DISAGREEMENT))
		return 0;
	if (method == AO_CSS)
		return 1;
	if (!(c->hessian <= MAX_HESSIAN_DEVIATION))
		return 0;
	if (!ref->check_all)
		return 1;
	return c->coef <= MAX_COEF_DEVIATION && c->se <= MAX_SE_DEVIATION
		&& c->forecast <= MAX_FORECAST_DEVIATION;
}

static int
check_model(const ReferenceModel *ref, const Options *options, double *seconds)
{
	Table		y,
				xreg;
	AoModel    *model;
	Comparison	c = {0};
	int			ok;

	model_data_read(options->dir, ref->series, ref->xreg, &y, &xreg);
	model = fit(ref, &y, &xreg, options->method, &c.seconds);
	*seconds += c.seconds;
	if (model == NULL)
		return 0;
	c.shortfall = best_known(ref, options->method) - model->loglik;
	if (options->method != AO_CSS)
		c.disagreement = disagreement(model, &y, &xreg);
	if (ref->check_all)
	{
		compare_coefficients(ref, model, &c, options->verbose);
		compare_forecasts(ref, model, xreg.values ? xreg.values + y.n * xreg.k : NULL, xreg.k,
						  &c, options->verbose);
	}
	if (options->method != AO_CSS && (ref->check_all || (options->std_errors && model->remarks == 0)))
		c.hessian = std_error_deviation(model, &y, &xreg, MAX_HESSIAN_DEVIATION,
										options->quiet ? 0 : options->std_errors + options->verbose);
	ok = passes(ref, &c, options->method);
	if (!ok || !options->quiet)
		printf("%-36s %-5s %15.8f %10.2e %8.1e %8.1e %8.1e %8.1e %8.1e %6d %9.3f  %02x %s\n",
			   ref->id, ref->check_all ? "all" : "llik", model->loglik, c.shortfall,
			   c.disagreement, c.coef, c.se, c.hessian, c.forecast, model->iterations, c.seconds * 1e3,
			   model->remarks, ok ? "ok" : "FAIL");
	free(model);
	free(y.values);
	free(xreg.values);
	return ok;
}

static void
read_options(int argc, char **argv, Options *options)
{
	static const char *const methods[] = {"ml", "css", "css-ml"};
	int			i = 1;

	memset(options, 0, sizeof(*options));
	options->file = "models.csv";
	for (; i < argc && argv[i][0] == '-'; i++)
	{
		if (strcmp(argv[i], "-v") == 0)
			options->verbose = 1;
		else if (strcmp(argv[i], "-q") == 0)
			options->quiet = 1;
		else if (strcmp(argv[i], "-s") == 0)
			options->std_errors = 1;
		else if (strcmp(argv[i], "-a") == 0 && i + 1 < argc)
			options->allowed = atoi(argv[++i]);
		else if (strcmp(argv[i], "-f") == 0 && i + 1 < argc)
			options->file = argv[++i];
		else if (strcmp(argv[i], "-m") == 0 && i + 1 < argc)
		{
			int			m = 0;

			i++;
			while (m < 3 && strcmp(argv[i], methods[m]) != 0)
				m++;
			if (m == 3)
				die("no method %s", argv[i]);
			options->method = (AoMethod) m;
		}
		else
			die("unknown option %s", argv[i]);
	}
	if (i == argc)
		die("usage: %s [-m ml|css|css-ml] [-f FILE] [-a N] [-s] [-q] [-v] DIR [ID-PART]", argv[0]);
	options->dir = argv[i];
	options->part = i + 1 < argc ? argv[i + 1] : NULL;
}

int
main(int argc, char **argv)
{
	Options		options;
	int			n,
				tried = 0,
				failed = 0;
	double		seconds = 0;
	ReferenceModel *models;

	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(argc, argv, &options);
	models = reference_read(options.dir, options.file, &n);
	printf("%-36s %-5s %15s %10s %8s %8s %8s %8s %8s %6s %9s\n", "model", "check", "loglik",
		   "shortfall", "disagree", "coef/se", "se", "hessian", "fcst/se", "iter", "ms");
	for (int i = 0; i < n; i++)
	{
		if (options.part != NULL && strstr(models[i].id, options.part) == NULL)
			continue;
		if (isnan(best_known(&models[i], options.method)))
			continue;
		tried++;
		failed += !check_model(&models[i], &options, &seconds);
	}
	free(models);
	printf("%d models, %d failed, %.1f ms in fits\n", tried, failed, seconds * 1e3);
	return failed > options.allowed || tried == 0;
}

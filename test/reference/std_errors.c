/*
 * std_errors.c
 *		The library's standard errors against those of the independent likelihood
 *		(hessian.c), and the table that shows how these depend on the step.
 */
#include "std_errors.h"

#include <math.h>
#include <stdio.h>

#include "exact.h"

#define FIRST_STEP 0.02			/* in standard errors */
#define MOST_ATTEMPTS 6			/* each with half the step */
#define REMARKABLE 0.01			/* error of the first step that is worth a table */

/* Independent standard errors, from steps small enough to stay in the region; 0 if there
 * are none. */
static int
independent(ExactProblem *problem, const AoModel *model, const double *ours, double *step,
			ExactStdErrors *out)
{
	double		steps[EXACT_MAX_COEF];

	*step = FIRST_STEP;
	for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++, *step /= 2)
	{
		for (int i = 0; i < model->n_coef; i++)
			steps[i] = *step * ours[i];
		if (exact_std_errors(problem, ao_model_coef(model), steps, model->n_coef, out))
			return 1;
	}
	return 0;
}

/* Largest |a/b - 1| */
static double
largest_deviation(const double *a, const double *b, int n)
{
	double		largest = 0;

	for (int i = 0; i < n; i++)
		largest = fmax(largest, fabs(a[i] / b[i] - 1));
	return largest;
}

static void
print_table(const AoModel *model, const double *ours, double step, const ExactStdErrors *theirs)
{
	printf("    standard errors by the library, and by second differences of the independent likelihood\n"
		   "    with steps of so many standard errors, of none (limit), and what is not known of that\n"
		   "    %-9s %10s", "", "library");
	for (int level = 0; level <= EXACT_HALVINGS; level++)
		printf(" %10g", step / (1 << level));
	printf(" %10s %8s %10s\n", "limit", "+-", "deviation");
	for (int i = 0; i < model->n_coef; i++)
	{
		char		term[16];

		ao_model_term(model, i, term);
		printf("    %-9s %10.6f", term, ours[i]);
		for (int level = 0; level <= EXACT_HALVINGS; level++)
			printf(" %10.6f", theirs->at_step[level][i]);
		printf(" %10.6f %8.1e %10.1e\n", theirs->limit[i],
			   fabs(theirs->limit[i] / theirs->last[i] - 1), fabs(ours[i] / theirs->limit[i] - 1));
	}
}

double
std_error_deviation(const AoModel *model, const Table *y, const Table *xreg, double enough,
					int print)
{
	AoSpec		spec;
	ExactProblem *problem;
	ExactStdErrors theirs;
	const double *cov = ao_model_cov(model);
	double		ours[EXACT_MAX_COEF],
				step,
				deviation = 0;
	int			n = model->n_coef;

	if (n > EXACT_MAX_COEF)
		return INFINITY;
	for (int i = 0; i < n; i++)
	{
		ours[i] = sqrt(cov[i * (i + 1) / 2 + i]);
		if (!(ours[i] > 0))
			return 0;
	}
	ao_model_spec(model, &spec);
	problem = exact_new(y->values, y->n, xreg->values, xreg->k, &spec);
	if (independent(problem, model, ours, &step, &theirs) &&
		largest_deviation(theirs.limit, theirs.last, n) < enough / 10)
	{
		deviation = largest_deviation(ours, theirs.limit, n);
		if (print > 1 || (print && largest_deviation(theirs.at_step[0], theirs.limit, n) > REMARKABLE))
			print_table(model, ours, step, &theirs);
	}
	else if (print)
		printf("    no standard errors to compare with\n");
	exact_free(problem);
	return deviation;
}

/*
 * search.c
 *		Searches the highest likelihood of many models by brute force and an
 *		independent likelihood, and writes them in the format of models.csv.
 *
 * usage: search DIR [SERIES-PART]     reads DIR/search.csv: series,period,xreg
 *
 * The library's own likelihood and optimiser take no part.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "multistart.h"

#define DESCENTS 60
#define DESCENTS_GAPS 24		/* the dense likelihood is slow */
#define FEW_HITS 6				/* a peak found less often is searched for again */
#define SEARCHES 4

static const char *const plain_specs[] = {
	"(1,1,1)", "(2,1,2)", "(1,0,1) with mean", "(3,0,0) with mean", "(5,1,0)",
	"(0,2,2)", "(1,1,1) with drift", "(2,0,2) with mean", "(0,1,1)",
	"(1,0,0) without constant", "(2,1,1)", "(1,2,1)", "(3,1,2)", "(1,1,2)",
	"(2,0,1) with mean", "(0,0,2) with mean", "(4,0,2) with mean", "(2,1,2) with drift",
	"(3,0,1) without constant",
};

static const char *const seasonal_specs[] = {
	"(0,1,1)(0,1,1)", "(1,1,1)(1,0,1) with drift", "(2,1,1)(0,1,0)",
	"(1,0,1)(1,0,1) with mean", "(1,1,1)(1,1,1)", "(2,1,2)(0,1,1)",
	"(1,0,0)(0,1,1) with drift", "(2,0,0)(1,1,0)", "(0,1,1)(1,1,0)",
	"(3,0,0)(0,1,0) with drift", "(0,1,2)(0,1,2)", "(2,0,1)(0,1,1)",
	"(1,1,1)(2,0,0)", "(1,0,1)(0,1,1) with drift",
};

/* "(..)(..) with drift" with [m] after the brackets. */
static void
with_period(const char *spec, int m, char *out, size_t size)
{
	const char *end = strrchr(spec, ')') + 1;

	snprintf(out, size, "%.*s[%d]%s", (int) (end - spec), spec, m, end);
}

/* A series without blanks or commas: what follows SERIES__ in the id. */
static void
id_of(const char *series, const char *xreg, const char *spec, char *id, size_t size)
{
	size_t		n = (size_t) snprintf(id, size, "%s%s__", series, xreg[0] ? "+xreg" : "");

	for (; *spec && n + 1 < size; spec++)
		if (strchr("0123456789", *spec))
			id[n++] = *spec;
		else if (*spec == '[')
			id[n++] = 's';
		else if (*spec == ')' && spec[1] == '(')
			id[n++] = '_';
		else if (strncmp(spec, "drift", 5) == 0 || strncmp(spec, "mean", 4) == 0)
		{
			n += (size_t) snprintf(id + n, size - n, "_%s", spec);
			break;
		}
	id[n < size ? n : size - 1] = '\0';
}

static void
search_case(const char *series, const char *xreg_name, const char *spec_text,
			const Table *y, const Table *xreg)
{
	AoEnv		env;
	AoSpec		spec;
	ExactProblem *problem;
	double		arma[MAX_COEF],
				best = -INFINITY;
	char		id[NAME_LENGTH];
	int			descents = DESCENTS,
				hits = 0;

	plain_env(&env);
	if (ao_spec_parse(spec_text, strlen(spec_text), &spec, &env) != AO_OK)
		die("bad specification %s", spec_text);
	for (int64_t t = 0; t < y->n; t++)
		if (isnan(y->values[t]))
			descents = DESCENTS_GAPS;
	problem = exact_new(y->values, y->n, xreg->values, xreg->k, &spec);
	for (uint64_t seed = 1; seed <= SEARCHES && hits * DESCENTS < FEW_HITS * descents; seed++)
	{
		int			new_hits;
		double		found = multistart(problem, &spec, descents, seed, arma, &new_hits);

		hits = found > best + 0.01 ? new_hits : hits > new_hits ? hits : new_hits;
		best = fmax(best, found);
	}
	id_of(series, xreg_name, spec_text, id, sizeof(id));
	printf("%s,%s,\"%s\",%s,loglik_only,%d,,%.12g,,,%d\n", id, series, spec_text, xreg_name,
		   exact_n_used(problem), best, hits * DESCENTS / descents);
	exact_free(problem);
}

static void
search_series(const char *dir, const char *series, int period, const char *xreg_name)
{
	Table		y,
				xreg;
	char		spec[NAME_LENGTH];

	model_data_read(dir, series, xreg_name, &y, &xreg);
	for (size_t i = 0; i < sizeof(plain_specs) / sizeof(*plain_specs); i++)
		search_case(series, xreg_name, plain_specs[i], &y, &xreg);
	for (size_t i = 0; period > 1 && i < sizeof(seasonal_specs) / sizeof(*seasonal_specs); i++)
	{
		with_period(seasonal_specs[i], period, spec, sizeof(spec));
		search_case(series, xreg_name, spec, &y, &xreg);
	}
	free(y.values);
	free(xreg.values);
}

int
main(int argc, char **argv)
{
	CsvReader	csv;

	if (argc < 2)
		die("usage: %s DIR [SERIES-PART]", argv[0]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("id,series,spec,xreg,check,n_used,sigma2,loglik,css_sigma2,css_loglik,hits_of_60");
	csv_open(&csv, argv[1], "search.csv");
	while (csv_next(&csv))
		if (argc == 2 || strstr(csv.field[0], argv[2]) != NULL)
			search_series(argv[1], csv.field[0], atoi(csv.field[1]), csv.field[2]);
	return 0;
}

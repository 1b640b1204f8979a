/*
 * data.c
 *		Reader of test/data/reference: series, models and their best known
 *		optima.
 */
#define _POSIX_C_SOURCE 200809L

#include "data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void
die(const char *format, const char *argument)
{
	fprintf(stderr, format, argument);
	fputc('\n', stderr);
	exit(2);
}

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *
plain_alloc(void *arg, size_t bytes)
{
	(void) arg;
	return malloc(bytes);
}

static void
plain_free(void *arg, void *ptr)
{
	(void) arg;
	free(ptr);
}

static int
plain_poll(void *arg)
{
	(void) arg;
	return 0;
}

void
plain_env(AoEnv *env)
{
	memset(env, 0, sizeof(*env));
	env->alloc = plain_alloc;
	env->free = plain_free;
	env->poll = plain_poll;
	env->max_bytes = SIZE_MAX;
}

void
csv_open(CsvReader *csv, const char *dir, const char *name)
{
	char		path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	csv->file = fopen(path, "r");
	if (csv->file == NULL)
		die("cannot open %s", path);
	csv->n_fields = 0;
	if (!csv_next(csv))
		die("%s is empty", path);
}

/* Cuts off the field at *s, quoted or not; *s goes to the next one or NULL. */
static char *
next_field(char **s)
{
	char	   *start = *s;
	char	   *end;

	if (*start == '"')
	{
		start++;
		end = strchr(start, '"');
		if (end == NULL)
			die("unclosed quote in %s", *s);
		*end++ = '\0';
	}
	else
		end = start + strcspn(start, ",");
	*s = *end == ',' ? end + 1 : NULL;
	*end = '\0';
	return start;
}

int
csv_next(CsvReader *csv)
{
	char	   *s = csv->line;

	if (fgets(csv->line, sizeof(csv->line), csv->file) == NULL)
	{
		fclose(csv->file);
		return 0;
	}
	csv->line[strcspn(csv->line, "\r\n")] = '\0';
	csv->n_fields = 0;
	while (s != NULL)
	{
		if (csv->n_fields == MAX_FIELDS)
			die("too many fields: %s", csv->line);
		csv->field[csv->n_fields++] = next_field(&s);
	}
	return 1;
}

double
csv_number(const CsvReader *csv, int field)
{
	const char *text;
	char	   *end;
	double		value;

	if (field >= csv->n_fields)
		die("line too short: %s", csv->line);
	text = csv->field[field];
	if (*text == '\0' || strcmp(text, "NA") == 0)
		return NAN;
	value = strtod(text, &end);
	if (*end != '\0')
		die("not a number: %s", text);
	return value;
}

Table
table_read(const char *dir, const char *name)
{
	CsvReader	csv;
	Table		table = {NULL, 0, 0};
	int64_t		room = 0;

	csv_open(&csv, dir, name);
	table.k = csv.n_fields - 1;
	while (csv_next(&csv))
	{
		if (table.n == room)
		{
			room = 2 * room + 256;
			table.values = realloc(table.values, room * table.k * sizeof(double));
			if (table.values == NULL)
				die("out of memory for %s", name);
		}
		for (int j = 0; j < table.k; j++)
			table.values[table.n * table.k + j] = csv_number(&csv, j + 1);
		table.n++;
	}
	return table;
}

static void
copy_text(char *to, const CsvReader *csv, int field)
{
	if (field >= csv->n_fields || strlen(csv->field[field]) >= NAME_LENGTH)
		die("field missing or too long: %s", csv->line);
	strcpy(to, csv->field[field]);
}

static void
read_models(const char *dir, const char *name, ReferenceModel *models, int room, int *n)
{
	CsvReader	csv;

	csv_open(&csv, dir, name);
	for (*n = 0; csv_next(&csv); (*n)++)
	{
		ReferenceModel *m = &models[*n];

		if (*n == room)
			die("more models than there is room for in %s", dir);
		copy_text(m->id, &csv, 0);
		copy_text(m->series, &csv, 1);
		copy_text(m->spec, &csv, 2);
		copy_text(m->xreg, &csv, 3);
		m->check_all = strcmp(csv.field[4], "coef_se_forecast_at_best") == 0;
		m->n_used = (int64_t) csv_number(&csv, 5);
		m->sigma2 = csv_number(&csv, 6);
		m->loglik = csv_number(&csv, 7);
		m->css_sigma2 = csv_number(&csv, 8);
		m->css_loglik = csv_number(&csv, 9);
	}
}

static ReferenceModel *
find_model(ReferenceModel *models, int n, const char *id)
{
	for (int i = 0; i < n; i++)
		if (strcmp(models[i].id, id) == 0)
			return &models[i];
	return NULL;
}

static void
read_coefficients(const char *dir, ReferenceModel *models, int n)
{
	CsvReader	csv;

	csv_open(&csv, dir, "coefficients.csv");
	while (csv_next(&csv))
	{
		ReferenceModel *m = find_model(models, n, csv.field[0]);
		int			css = strcmp(csv.field[1], "css") == 0;
		ReferenceTerm *t;

		if (m == NULL)
			continue;
		t = css ? &m->css[m->n_css++] : &m->coef[m->n_coef++];
		if (m->n_coef > MAX_COEF || m->n_css > MAX_COEF || strlen(csv.field[2]) >= sizeof(t->term))
			die("too many or too long terms in %s", m->id);
		strcpy(t->term, csv.field[2]);
		t->estimate = csv_number(&csv, 3);
		t->std_error = csv_number(&csv, 4);
	}
}

static void
read_forecasts(const char *dir, ReferenceModel *models, int n)
{
	CsvReader	csv;

	csv_open(&csv, dir, "forecasts.csv");
	while (csv_next(&csv))
	{
		ReferenceModel *m = find_model(models, n, csv.field[0]);

		if (m == NULL)
			continue;
		if (m->h == MAX_STEPS)
			die("too many forecasts for %s", m->id);
		m->mean[m->h] = csv_number(&csv, 2);
		m->std_error[m->h] = csv_number(&csv, 3);
		m->h++;
	}
}

ReferenceModel *
reference_read(const char *dir, const char *name, int *n)
{
	int			room = 2000;
	ReferenceModel *models = calloc(room, sizeof(ReferenceModel));

	if (models == NULL)
		die("out of memory%s", "");
	read_models(dir, name, models, room, n);
	read_coefficients(dir, models, *n);
	read_forecasts(dir, models, *n);
	return models;
}

void
model_data_read(const char *dir, const char *series, const char *xreg_name, Table *y, Table *xreg)
{
	char		name[NAME_LENGTH + 16];

	snprintf(name, sizeof(name), "series/%s.csv", series);
	*y = table_read(dir, name);
	memset(xreg, 0, sizeof(*xreg));
	if (xreg_name[0] == '\0')
		return;
	snprintf(name, sizeof(name), "series/%s", xreg_name);
	*xreg = table_read(dir, name);
	if (xreg->n < y->n)
		die("%s has fewer rows than its series", xreg_name);
}

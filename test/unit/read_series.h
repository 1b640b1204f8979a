/*
 * read_series.h
 *		Series of test/data/reference for unit tests; a failure to read ends the
 *		program.  The tests run in the top folder.
 */
#ifndef READ_SERIES_H
#define READ_SERIES_H

#include "unit.h"

#define READ_MAX 2000

typedef struct ReadSeries
{
	double		y[READ_MAX];
	int64_t		n;
} ReadSeries;

/* The value column of series/NAME.csv; empty is missing. */
static inline void
read_series(ReadSeries *series, const char *name)
{
	char		text[200];
	FILE	   *file;

	snprintf(text, sizeof(text), "test/data/reference/series/%s.csv", name);
	file = fopen(text, "r");
	if (file == NULL || fgets(text, sizeof(text), file) == NULL)
	{
		fprintf(stderr, "%s cannot be read\n", text);
		exit(EXIT_FAILURE);
	}
	for (series->n = 0; fgets(text, sizeof(text), file) != NULL; series->n++)
	{
		const char *value = strchr(text, ',');

		if (series->n == READ_MAX || value == NULL)
			exit(EXIT_FAILURE);
		series->y[series->n] = value[1] == '\n' || value[1] == '\0' ? NAN : strtod(value + 1, NULL);
	}
	fclose(file);
}

#endif							/* READ_SERIES_H */

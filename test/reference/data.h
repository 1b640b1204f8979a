/*
 * data.h
 *		Reader of test/data/reference: series, models and their best known
 *		optima.  For test programs: every failure to read ends the program.
 */
#ifndef REFERENCE_DATA_H
#define REFERENCE_DATA_H

#include <stdint.h>
#include <stdio.h>

#include "ao.h"

#define MAX_FIELDS 16
#define MAX_COEF 40
#define MAX_STEPS 64
#define NAME_LENGTH 80

/* One line of a CSV file, cut into fields; the fields point into line. */
typedef struct CsvReader
{
	FILE	   *file;
	char		line[4096];
	char	   *field[MAX_FIELDS];
	int			n_fields;
} CsvReader;

/* Opens DIR/name and skips its header line. */
extern void csv_open(CsvReader *csv, const char *dir, const char *name);
/* Reads the next line; 0 at the end, where the file is closed. */
extern int	csv_next(CsvReader *csv);
/* A field as a number; an empty one or NA is NaN. */
extern double csv_number(const CsvReader *csv, int field);

/* Columns of numbers by rows; the t column of a series file is left out. */
typedef struct Table
{
	double	   *values;			/* n x k, malloc'd */
	int64_t		n;
	int			k;
} Table;

extern Table table_read(const char *dir, const char *name);

typedef struct ReferenceTerm
{
	char		term[16];
	double		estimate;
	double		std_error;		/* NaN where not identified */
} ReferenceTerm;

typedef struct ReferenceModel
{
	char		id[NAME_LENGTH];
	char		series[NAME_LENGTH];
	char		spec[NAME_LENGTH];
	char		xreg[NAME_LENGTH];	/* file name or empty */
	int			check_all;		/* coefficients and forecasts are comparable too */
	int64_t		n_used;
	double		sigma2;
	double		loglik;			/* best known, exact definition */
	double		css_sigma2;		/* NaN where R could not */
	double		css_loglik;
	int			n_coef;
	ReferenceTerm coef[MAX_COEF];
	int			n_css;
	ReferenceTerm css[MAX_COEF];
	int			h;
	double		mean[MAX_STEPS];
	double		std_error[MAX_STEPS];
} ReferenceModel;

/* All models of DIR/name; *n their number.  One malloc'd block.  The
 * coefficients and forecasts of those that are to be checked in full come
 * from coefficients.csv and forecasts.csv. */
extern ReferenceModel *reference_read(const char *dir, const char *name, int *n);
/* Series and regressors (k = 0 without) of a model. */
extern void model_data_read(const char *dir, const char *series, const char *xreg_name,
							Table *y, Table *xreg);

/* Services for the core: malloc, no polling, no memory limit. */
extern void plain_env(AoEnv *env);
/* Seconds of a monotonic clock. */
extern double now(void);
/* Message to standard error, end of the program. */
extern _Noreturn void die(const char *format, const char *argument);

#endif							/* REFERENCE_DATA_H */

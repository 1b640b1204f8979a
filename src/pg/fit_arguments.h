/*
 * fit_arguments.h
 *		The arguments that the functions of an array which estimate models share.
 */
#ifndef AO_FIT_ARGUMENTS_H
#define AO_FIT_ARGUMENTS_H

#include "auto.h"
#include "glue.h"

/* What f(y float8[], spec text, xreg float8[], options jsonb) was called with. */
typedef struct AoFitArguments
{
	AoSeries	y;
	AoSpec		spec;
	AoMatrix	xreg;
	int64		initial;		/* values that lambda "auto" looks at */
	AoFitOptions options;		/* its choice points to the next field */
	AoAutoOptions choice;
} AoFitArguments;

/*
 * Reads and checks arguments 0 (y), 1 (spec), xreg_arg and options_arg; false if there is
 * no series.  initial: as many of the first values may be looked at for lambda "auto".
 */
extern bool ao_pg_fit_arguments(FunctionCallInfo fcinfo, int xreg_arg, int options_arg,
								int64 initial, AoEnv *env, AoFitArguments *out);

/* Sets options and choice from a json object, or NULL: what it does not name has its
 * default.  y, spec and initial are there already. */
extern void ao_pg_fit_options(Jsonb *json, AoEnv *env, AoFitArguments *out);

#endif							/* AO_FIT_ARGUMENTS_H */

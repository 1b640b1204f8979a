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
	AoFitOptions options;		/* its choice points to the next field */
	AoAutoOptions choice;
} AoFitArguments;

/* Reads and checks arguments 0 to 3; false if there is no series. */
extern bool ao_pg_fit_arguments(FunctionCallInfo fcinfo, AoEnv *env, AoFitArguments *out);

#endif							/* AO_FIT_ARGUMENTS_H */

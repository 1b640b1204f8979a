/*
 * error.c
 *		The one table from the core's status to SQLSTATE, message and hint.
 *
 * In the texts %w is the first line of err.what, or the table's own words where
 * the core gave none; %p is err.pos, %n err.need, %h err.have and %k err.need in
 * kilobytes, rounded up.  What follows the first line of err.what is a hint that
 * goes before the table's.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "glue.h"

typedef struct StatusText
{
	int			sqlstate;
	const char *what;			/* for %w where the core gave none; a template itself */
	const char *message;
	const char *detail;			/* or NULL; left out where it needs a number that is 0 */
	const char *hint;			/* where the core gives none; or NULL */
} StatusText;

static const StatusText status_texts[] = {
	[AO_NO_MEMORY] = {
		ERRCODE_OUT_OF_MEMORY, NULL,
		"out of memory",
		NULL,
		"The operating system refused the workspace; use a smaller model or a shorter series."
	},
	[AO_OVER_MEMORY_LIMIT] = {
		ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL,
		"model needs more memory than arima_ops.max_fit_memory allows",
		"%n bytes of workspace are needed.",
		"Set arima_ops.max_fit_memory to at least %kkB, or use a smaller model or a shorter series."
	},
	[AO_CANCELLED] = {
		ERRCODE_QUERY_CANCELED, NULL,
		"canceling statement due to user request",
		NULL,
		NULL
	},
	[AO_BAD_SPEC] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "not understood",
		"invalid model specification: %w",
		"The fault is at position %p.",
		"Write \"(p,d,q)\" or \"(p,d,q)(P,D,Q)[m]\", then optionally \"with mean\", \"with drift\", \"with fourier(K)\" or \"without constant\"; or \"auto\", with a seasonal period \"auto[12]\"."
	},
	[AO_ORDER_TOO_LARGE] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "order",
		"model specification exceeds a limit: %w is %h, the limit is %n",
		NULL,
		"Use a smaller model."
	},
	[AO_SERIES_TOO_LONG] = {
		ERRCODE_INVALID_PARAMETER_VALUE, NULL,
		"series of %h values is too long, the limit is %n",
		NULL,
		"Use the recent part of the series, or values at a coarser time step."
	},
	[AO_TOO_FEW_VALUES] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "too few non-missing values: %h in the series, the model needs at least %n",
		"%w",
		NULL,
		"Give %n or more, or use a model with fewer terms and differences."
	},
	[AO_NOT_FINITE] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "infinite value in the series",
		"%w",
		"Element %p is infinite.",
		"Use NULL for a missing value."
	},
	[AO_OUT_OF_SCALE] = {
		ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "too large or too small",
		"values are out of scale: %w",
		"Element %p is out of scale.",
		"Multiply the series by a constant that brings its values between 1e-150 and 1e150."
	},
	[AO_BAD_XREG] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "they do not fit the model or the series",
		"invalid regressors: %w",
		NULL,
		"Give xreg one row for each value or step and one column for each regressor of the model; leave it out where the model has none."
	},
	[AO_COLLINEAR] = {
		ERRCODE_INVALID_PARAMETER_VALUE, NULL,
		"regressors are collinear",
		NULL,
		"Leave out a regressor that is a combination of others and of mean or drift, or that differencing makes zero."
	},
	[AO_BAD_MODEL] = {
		ERRCODE_INVALID_BINARY_REPRESENTATION, "not a model",
		"invalid arima_model value: %w",
		NULL,
		"Fit the model anew with arima_fit."
	},
	[AO_BAD_ARGUMENT] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "out of range",
		"invalid argument: %w",
		"Element %p of the series is at fault.",
		NULL
	},
	[AO_SERIES_TOO_SHORT] = {
		ERRCODE_INVALID_PARAMETER_VALUE, "this",
		"too few non-missing values: %h in the series, %w needs at least %n",
		NULL,
		"Give %n or more, or fewer lags or steps."
	}
};

/* Is every number that the template shows known (not zero)? */
static bool
numbers_known(const char *template, const AoError *err)
{
	return (strstr(template, "%p") == NULL || err->pos != 0) &&
		(strstr(template, "%n") == NULL || err->need != 0);
}

/* Appends the template, to the end of its line, with numbers and words put in. */
static void
append_filled(StringInfo out, const char *template, const StatusText *text, const AoError *err)
{
	for (const char *c = template; *c != '\0' && *c != '\n'; c++)
	{
		if (*c != '%')
		{
			appendStringInfoChar(out, *c);
			continue;
		}
		switch (*++c)
		{
			case 'w':
				append_filled(out, err->what != NULL ? err->what : text->what, text, err);
				break;
			case 'p':
				appendStringInfo(out, INT64_FORMAT, err->pos);
				break;
			case 'n':
				appendStringInfo(out, INT64_FORMAT, err->need);
				break;
			case 'h':
				appendStringInfo(out, INT64_FORMAT, err->have);
				break;
			case 'k':
				appendStringInfo(out, INT64_FORMAT, err->need / 1024 + (err->need % 1024 != 0));
				break;
			default:
				elog(ERROR, "unknown escape in message template \"%s\"", template);
		}
	}
}

/* A palloc'd text from the template; NULL from NULL. */
static const char *
fill(const char *template, const StatusText *text, const AoError *err)
{
	StringInfoData out;

	if (template == NULL)
		return NULL;
	initStringInfo(&out);
	append_filled(&out, template, text, err);
	return out.data;
}

/* The core's own hint, behind the first line of its words; NULL if it has none. */
static const char *
own_hint(const AoError *err)
{
	const char *line_end = err->what == NULL ? NULL : strchr(err->what, '\n');

	return line_end == NULL ? NULL : line_end + 1;
}

/* What to report for a status other than AO_OK; the texts are palloc'd. */
AoFault
ao_pg_fault(AoStatus status, const AoEnv *env)
{
	const StatusText *text;
	const char *hint = own_hint(&env->err);
	AoFault		fault;

	if (status <= AO_OK || (int) status >= (int) lengthof(status_texts))
		elog(ERROR, "unknown status %d of the numerical core", (int) status);

	text = &status_texts[status];
	fault.sqlstate = text->sqlstate;
	fault.message = fill(text->message, text, &env->err);
	fault.detail = NULL;
	if (text->detail != NULL && numbers_known(text->detail, &env->err))
		fault.detail = fill(text->detail, text, &env->err);
	fault.hint = fill(hint != NULL ? hint : text->hint, text, &env->err);
	return fault;
}

/* See glue.h. */
const char *
ao_pg_fault_text(const AoFault *fault)
{
	return fault->detail == NULL ? fault->message :
		psprintf("%s. %s", fault->message, fault->detail);
}

/* Reports the fault as an error. */
void
ao_pg_raise(const AoFault *fault)
{
	ereport(ERROR,
			(errcode(fault->sqlstate),
			 errmsg_internal("%s", fault->message),
			 fault->detail != NULL ? errdetail_internal("%s", fault->detail) : 0,
			 fault->hint != NULL ? errhint("%s", fault->hint) : 0));
}

/* Returns if the status is AO_OK, else reports it as an error. */
void
ao_pg_check(AoStatus status, const AoEnv *env)
{
	if (unlikely(status != AO_OK))
	{
		AoFault		fault = ao_pg_fault(status, env);

		ao_pg_raise(&fault);
	}
}

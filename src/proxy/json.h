/*
 * json.h
 *		The body of a request as Python's json module reads it.
 */
#ifndef ARIMA_RESTD_JSON_H
#define ARIMA_RESTD_JSON_H

#include "text.h"

typedef enum JsonOutcome
{
	JSON_READ,					/* well-formed; rewritten for PostgreSQL */
	JSON_INVALID,				/* json.JSONDecodeError, with message and position */
	JSON_UNREADABLE				/* another error: not UTF-8, too deep */
} JsonOutcome;

/* What Python says of a text that is no JSON: the position counts characters. */
typedef struct JsonFault
{
	const char *message;
	size_t		position;
} JsonFault;

/*
 * Checks a text of size bytes, which need not end with a zero, and writes it to out
 * so that PostgreSQL's json takes it: what Python reads and PostgreSQL does not is
 * rewritten.  NaN, Infinity and -Infinity become strings; the escapes of lone
 * surrogates and of NUL become U+FFFD.  Other \u escapes become their characters, so
 * that no letter of a name is hidden, and a server of another encoding takes them.
 */
extern JsonOutcome json_read(const char *text, size_t size, Text *out, JsonFault *fault);

#endif

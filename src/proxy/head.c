/*
 * head.c
 *		Whether the head of a request says the same to everyone who reads it.  What a
 *		proxy takes for the body could be another request here, or the other way round.
 */
#include "restd.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Is a name made of the characters that RFC 9110 has for one?  Another one a proxy may read otherwise. */
static bool
is_token(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char) name[i]) && (name[i] == '\0' || strchr("!#$%&'*+-.^_`|~", name[i]) == NULL))
			return false;
	return length > 0;
}

/*
 * Does a value stand on its name's line?  The library appends a line that goes on with
 * the one before, after a blank, to the name, in another place; what it then has for
 * name and value nobody else sees in the request.
 */
static bool
is_on_line(const char *name, size_t length, const char *value)
{
	uintptr_t	end = (uintptr_t) name + length;

	if ((uintptr_t) value <= end || (uintptr_t) value - end > (uintptr_t) options.max_header)
		return false;
	/* it puts a zero byte in place of the colon */
	for (const char *s = name + length; s < value; s++)
		if (*s != '\0' && *s != ':' && *s != ' ' && *s != '\t')
			return false;
	return true;
}

/*
 * Counts what says where a request ends, and a header that a proxy may read otherwise as
 * two of them.  Of a coding other than chunked the library knows no end: it would read
 * until the connection is cut.
 */
static enum MHD_Result
count_ends(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_length, const char *value, size_t value_length)
{
	int		   *ends = cls;

	(void) kind;
	if (value == NULL || !is_token(name, name_length) || !is_on_line(name, name_length, value) || memchr(value, '\r', value_length) != NULL
		|| (strcasecmp(name, "Transfer-Encoding") == 0 && strcasecmp(value, "chunked") != 0))
		*ends += 2;
	else if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
		*ends += 1;
	return MHD_YES;
}

/* See restd.h. */
bool
head_is_clear(struct MHD_Connection *connection)
{
	int			ends = 0;

	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, count_ends, &ends);
	return ends <= 1;
}

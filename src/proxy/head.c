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
 * Do so many line ends, each of CR and LF, come after this?  An old library takes a lone CR
 * for one, where others see the same line go on.  It puts a zero byte in place of each
 * character; of one byte nobody can say whether it was a CR or a lone LF: neither may be.
 */
static bool
is_ended(const char *end, int lines)
{
	for (int i = 0; IS_OLD_LIBRARY && i < 2 * lines; i++)
		if (end[i] != '\0')
			return false;
	return true;
}

/* What has been seen of a head. */
typedef struct Head
{
	int			ends;			/* what says where the request ends */
	const char *last;			/* the end of the last value; NULL: there is none */
} Head;

/*
 * Counts what says where a request ends, and a header that a proxy may read otherwise as
 * two of them.  Of a coding other than chunked the library knows no end: it would read
 * until the connection is cut.
 */
static enum MHD_Result
count_ends(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_length, const char *value, size_t value_length)
{
	Head	   *head = cls;

	(void) kind;
	if (value == NULL || !is_token(name, name_length) || !is_on_line(name, name_length, value) || memchr(value, '\r', value_length) != NULL
		|| !is_ended(value + value_length, 1) || (strcasecmp(name, "Transfer-Encoding") == 0 && strcasecmp(value, "chunked") != 0))
		head->ends += 2;
	else if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
		head->ends += 1;
	head->last = value != NULL ? value + value_length : NULL;
	return MHD_YES;
}

/* See restd.h. */
bool
head_is_clear(struct MHD_Connection *connection, enum MHD_ValueKind kind)
{
	Head		head = {0};

	MHD_get_connection_values_n(connection, kind, count_ends, &head);
	/* after the last one is an empty line, and then, in the same memory, what the library notes of the headers */
	return head.ends <= 1 && (head.last == NULL || is_ended(head.last, 2));
}

/* See restd.h: an old library takes one without a version, too, and replies to it without a head. */
bool
first_line_is_clear(const char *version)
{
	return !IS_OLD_LIBRARY || (version[0] != '\0' && is_ended(version + strlen(version), 1));
}

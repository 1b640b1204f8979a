/*
 * target.c
 *		Where a request goes, and whether it may go there.
 *
 * libcurl's URL parser is the only one: what is checked here is the handle that
 * is sent later, so that no two parsers can disagree about the host.
 */
#include "postgres.h"

#include <ctype.h>

#include "address.h"
#include "internal.h"

#define SEPARATORS ", \t\r\n"

/* One entry of a list of hosts. */
typedef struct Pattern
{
	bool		wildcard;		/* "*." stood before the host */
	char		host[AO_HTTP_HOST_SIZE];	/* lower case, no brackets */
	int			port;			/* 0: the usual ones; -1: any */
} Pattern;

/*
 * Might something take the name for a number?  There are readers that take
 * 2130706433, 0x7f.1 and 127.1 for 127.0.0.1.
 */
static bool
ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot == NULL ? host : dot + 1;

	return strncmp(last, "0x", 2) == 0 || last[strspn(last, "0123456789")] == '\0';
}

/* Is this a name of letters, digits, hyphens and dots, none of its parts empty? */
static bool
is_name(const char *host)
{
	size_t		size = strlen(host);

	if (size == 0 || ends_in_number(host))
		return false;
	for (size_t i = 0; i < size; i++)
	{
		if (host[i] == '.' && (i == 0 || i + 1 == size || host[i - 1] == '.'))
			return false;
		if (!isalnum((unsigned char) host[i]) && strchr(".-_", host[i]) == NULL)
			return false;
	}
	return true;
}

/* Copies host to lower case, without the brackets of an IPv6 address; false if too long. */
static bool
copy_host(char *to, const char *from, size_t size)
{
	if (size >= 2 && from[0] == '[' && from[size - 1] == ']')
	{
		from++;
		size -= 2;
	}
	if (size >= AO_HTTP_HOST_SIZE)
		return false;
	for (size_t i = 0; i < size; i++)
		to[i] = (char) tolower((unsigned char) from[i]);
	to[size] = '\0';
	return true;
}

/* The port after the colon at text; -1 for any, -2 if it is not one. */
static int
read_port(const char *text, size_t size)
{
	int			port;

	if (size == 2 && text[1] == '*')
		return -1;
	if (size < 2 || size > 6 || strspn(text + 1, "0123456789") < size - 1)
		return -2;
	port = atoi(text + 1);
	return port >= 1 && port <= 65535 ? port : -2;
}

/* Reads one entry; false if it is not one. */
static bool
read_pattern(const char *text, size_t size, Pattern *pattern)
{
	const char *colon = text + size;

	pattern->wildcard = size > 2 && strncmp(text, "*.", 2) == 0;
	if (pattern->wildcard)
	{
		text += 2;
		size -= 2;
	}
	/* the colon before a port is behind any bracket */
	while (colon > text && *colon != ':' && (colon == text + size || *colon != ']'))
		colon--;
	pattern->port = 0;
	if (*colon == ':' && colon > text && colon < text + size)
		pattern->port = read_port(colon, text + size - colon);
	else
		colon = text + size;
	return pattern->port != -2 && copy_host(pattern->host, text, colon - text) &&
		(is_name(pattern->host) || (!pattern->wildcard && ao_http_is_address(pattern->host)));
}

/* See internal.h. */
bool
ao_http_valid_list(const char *list, char *wrong, size_t wrong_size)
{
	Pattern		pattern;

	for (;;)
	{
		size_t		size;

		list += strspn(list, SEPARATORS);
		size = strcspn(list, SEPARATORS);
		if (size == 0)
			return true;
		if (!read_pattern(list, size, &pattern))
		{
			strlcpy(wrong, list, Min(size + 1, wrong_size));
			return false;
		}
		list += size;
	}
}

/* Does the entry cover the target? */
static bool
covers(const Pattern *pattern, const AoHttpTarget *target)
{
	size_t		size = strlen(target->host);
	size_t		tail = strlen(pattern->host);

	if (pattern->port > 0 && pattern->port != target->port)
		return false;
	if (pattern->port == 0 && target->port != (target->https ? 443 : 80))
		return false;
	if (!pattern->wildcard)
		return strcmp(pattern->host, target->host) == 0;
	return !target->literal && size > tail + 1 && target->host[size - tail - 1] == '.' &&
		strcmp(target->host + size - tail, pattern->host) == 0;
}

/* See internal.h. */
bool
ao_http_listed(const char *list, const AoHttpTarget *target)
{
	while (list != NULL)
	{
		Pattern		pattern;
		size_t		size;

		list += strspn(list, SEPARATORS);
		size = strcspn(list, SEPARATORS);
		if (size == 0)
			return false;
		if (read_pattern(list, size, &pattern) && covers(&pattern, target))
			return true;
		list += size;
	}
	return false;
}

/* See internal.h. */
bool
ao_http_plain_url(const char *url, const char **why)
{
	for (const char *c = url; *c != '\0'; c++)
	{
		if ((unsigned char) *c <= ' ' || (unsigned char) *c >= 0x7f || *c == '\\')
		{
			*why = "the URL has a blank, a backslash or a character that must be written as %XX";
			return false;
		}
	}
	return true;
}

/* A part of the URL, to be given to curl_free; NULL if it has none. */
static char *
url_part(const AoCurl *curl, CURLU *url, CURLUPart part)
{
	char	   *text = NULL;

	return curl->curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK ? text : NULL;
}

/* See internal.h. */
bool
ao_http_read_target(const AoCurl *curl, CURLU *url, AoHttpTarget *target, const char **why)
{
	char	   *scheme = url_part(curl, url, CURLUPART_SCHEME);
	char	   *host = url_part(curl, url, CURLUPART_HOST);
	char	   *port = url_part(curl, url, CURLUPART_PORT);
	char	   *user = url_part(curl, url, CURLUPART_USER);

	*why = NULL;
	if (scheme == NULL || host == NULL || port == NULL)
		*why = "the URL is not complete";
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		*why = "the URL is neither http nor https";
	else if (user != NULL)
		*why = "the URL has a user name in it";
	else if (!copy_host(target->host, host, strlen(host)) ||
			 !(is_name(target->host) || ao_http_is_address(target->host)))
		*why = "the URL has a malformed host";
	else
	{
		target->https = strcmp(scheme, "https") == 0;
		target->literal = ao_http_is_address(target->host);
		target->port = atoi(port);
	}
	curl->curl_free(scheme);
	curl->curl_free(host);
	curl->curl_free(port);
	curl->curl_free(user);
	return *why == NULL;
}

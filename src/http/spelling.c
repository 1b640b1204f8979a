/*
 * spelling.c
 *		A word in a text, however its characters are spelled there: as they are, or by
 *		the escape sequences of JSON, URLs and HTML.
 *
 * One may be in the other: an answer in JSON has the JSON, the URL or the page of a
 * server behind it as a text.  So what an escape sequence stands for may begin one
 * in turn.  And what looks like one may be meant as it stands, which is why a
 * spelling can have several ends; all are gone on from.
 */
#include "spelling.h"

#include <stdint.h>
#include <string.h>

#define MAX_ENDS 64
#define MAX_DEPTH 7				/* as JSON in JSON in JSON has it: seven backslashes and a quote */

/*
 * What is compared is units: Unicode characters, each half of a pair of surrogates,
 * and bytes beyond ASCII, which UTF-8 has several of for a character.
 */
#define BYTE_UNIT UINT32_C(0x80000000)

/* Where a spelling may end. */
typedef struct Ends
{
	int			n;
	const char *at[MAX_ENDS];
} Ends;

/* ---- escape sequences ---- */

/* The unit that a byte is. */
static uint32_t
unit_of(unsigned int byte)
{
	return byte < 0x80 ? byte : BYTE_UNIT | byte;
}

/* The value of a digit; 16 if it is none. */
static unsigned int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int) (c - '0');
	c = (char) (c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned int) (c - 'a' + 10) : 16;
}

/* Reads a number of some digits at least and at most; how many there are, 0 if too few. */
static size_t
read_number(const char *at, const char *end, unsigned int base, size_t least, size_t most, uint32_t *number)
{
	size_t		n = 0;

	*number = 0;
	for (; n < most && at + n < end && digit_of(at[n]) < base; n++)
		*number = *number * base + digit_of(at[n]);
	return n < least ? 0 : n;
}

/* Two hexadecimal digits as a byte. */
static size_t
read_byte(const char *at, const char *end, uint32_t *unit)
{
	size_t		n = read_number(at, end, 16, 2, 2, unit);

	*unit = unit_of(*unit);
	return n;
}

/* What is behind a backslash, unless that is a character which stands for itself. */
static size_t
read_backslashed(const char *at, const char *end, uint32_t *unit)
{
	static const char letters[] = "bfnrt";
	const char *letter;
	size_t		n;

	if (at == end || *at == '\0')
		return 0;
	if (*at == 'u')
	{
		n = read_number(at + 1, end, 16, 4, 4, unit);
		return n > 0 ? n + 1 : 0;
	}
	if (*at == 'x')
	{
		n = read_byte(at + 1, end, unit);
		return n > 0 ? n + 1 : 0;
	}
	letter = strchr(letters, *at);
	if (letter == NULL)
		return 0;
	*unit = (unsigned char) "\b\f\n\r\t"[letter - letters];
	return 1;
}

/* What is behind the ampersand of a character in HTML, to its semicolon. */
static size_t
read_entity(const char *at, const char *end, uint32_t *unit)
{
	static const struct
	{
		const char *name;
		unsigned char character;
	}			named[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
	size_t		n;
	size_t		prefix;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
	{
		n = strlen(named[i].name);
		if ((size_t) (end - at) >= n && memcmp(at, named[i].name, n) == 0)
		{
			*unit = named[i].character;
			return n;
		}
	}
	if (end - at < 2 || at[0] != '#')
		return 0;
	prefix = at[1] == 'x' || at[1] == 'X' ? 2 : 1;
	n = read_number(at + prefix, end, prefix == 2 ? 16 : 10, 1, 7, unit);
	return n > 0 && at + prefix + n < end && at[prefix + n] == ';' ? prefix + n + 1 : 0;
}

/* What stands behind a unit that may begin an escape sequence, and for which unit both stand; 0 if they are none. */
static size_t
read_escape(uint32_t opening, const char *at, const char *end, uint32_t *unit)
{
	switch (opening)
	{
		case '\\':
			return read_backslashed(at, end, unit);
		case '%':
			return read_byte(at, end, unit);
		case '&':
			return read_entity(at, end, unit);
		default:
			return 0;
	}
}

/* ---- ends ---- */

/* Adds an end, unless it is there. */
static void
add_end(Ends *ends, const char *at)
{
	for (int i = 0; i < ends->n; i++)
	{
		if (ends->at[i] == at)
			return;
	}
	if (ends->n < MAX_ENDS)
		ends->at[ends->n++] = at;
}

/* Adds where spellings of the wanted unit end, of which what is before "at" stands for the unit "read". */
static void
add_ends(uint32_t read, const char *at, const char *end, uint32_t wanted, int depth, Ends *ends)
{
	uint32_t	unit;
	size_t		size;

	if (read == wanted || (read == '+' && wanted == ' '))
		add_end(ends, at);
	if (depth == 0)
		return;
	size = read_escape(read, at, end, &unit);
	if (size > 0)
		add_ends(unit, at + size, end, wanted, depth - 1, ends);
	if (read == '\\' && at < end)
		add_ends(unit_of((unsigned char) *at), at + 1, end, wanted, depth - 1, ends);
}

/* Goes one unit on from each end. */
static void
go_on(Ends *ends, const char *end, uint32_t wanted)
{
	Ends		next;

	next.n = 0;
	for (int i = 0; i < ends->n; i++)
	{
		const char *at = ends->at[i];

		if (at < end)
			add_ends(unit_of((unsigned char) *at), at + 1, end, wanted, MAX_DEPTH, &next);
	}
	ends->n = next.n;
	memcpy(ends->at, next.at, sizeof(next.at[0]) * (size_t) next.n);
}

/* Adds the ends of others. */
static void
add_all(Ends *ends, const Ends *others)
{
	for (int i = 0; i < others->n; i++)
		add_end(ends, others->at[i]);
}

/* ---- words ---- */

/* The size of the character that a word begins with, and its number; what is not UTF-8 is a byte, as of Latin-1. */
static size_t
read_character(const unsigned char *word, uint32_t *character)
{
	size_t		size = word[0] >= 0xf0 ? 4 : word[0] >= 0xe0 ? 3 : word[0] >= 0xc0 ? 2 : 1;

	*character = word[0];
	if (size == 1)
		return 1;
	*character &= 0x7fU >> size;
	for (size_t i = 1; i < size; i++)
	{
		if ((word[i] & 0xc0) != 0x80)
		{
			*character = word[0];
			return 1;
		}
		*character = *character << 6 | (word[i] & 0x3f);
	}
	return size;
}

/* Goes one character on from each end: by its bytes, by its number, or by the two surrogates that JSON has for one beyond 16 bits. */
static void
pass_character(Ends *ends, const char *end, const unsigned char *bytes, size_t size, uint32_t character)
{
	Ends		by_number;

	if (character < 0x80)
	{
		go_on(ends, end, character);
		return;
	}
	by_number = *ends;
	go_on(&by_number, end, character);
	if (character > 0xffff)
	{
		Ends		by_pair = *ends;

		go_on(&by_pair, end, 0xd800 + ((character - 0x10000) >> 10));
		go_on(&by_pair, end, 0xdc00 + (character & 0x3ff));
		add_all(&by_number, &by_pair);
	}
	for (size_t i = 0; i < size; i++)
		go_on(ends, end, unit_of(bytes[i]));
	add_all(ends, &by_number);
}

/* See spelling.h. */
void
ao_http_openings(const char *word, bool openings[256])
{
	memset(openings, 0, 256 * sizeof(bool));
	openings[(unsigned char) word[0]] = true;
	openings['\\'] = openings['%'] = openings['&'] = true;
	openings['+'] = openings['+'] || word[0] == ' ';
}

/* See spelling.h. */
size_t
ao_http_spelled(const char *text, size_t size, const char *word)
{
	const unsigned char *rest = (const unsigned char *) word;
	size_t		longest = 0;
	Ends		ends;

	ends.n = 1;
	ends.at[0] = text;
	while (*rest != '\0' && ends.n > 0)
	{
		uint32_t	character;
		size_t		bytes = read_character(rest, &character);

		pass_character(&ends, text + size, rest, bytes, character);
		rest += bytes;
	}
	for (int i = 0; i < ends.n; i++)
	{
		if ((size_t) (ends.at[i] - text) > longest)
			longest = (size_t) (ends.at[i] - text);
	}
	return longest;
}

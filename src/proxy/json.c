/*
 * json.c
 *		The body of a request as Python's json module reads it: the same texts are
 *		taken, and of others the same thing is said, at the same character.
 *
 * FastAPI sends those words to the client, so they are part of the contract.
 * Nothing here calls itself: how deep a body nests is a matter of a bit array.
 */
#include "json.h"

#include <string.h>

#define MOST_DEPTH 990			/* of lists and objects; Python gives up near 1,000 */

typedef struct Scanner
{
	const char *start;
	const char *at;
	const char *end;
	Text	   *out;
	const char *copied;			/* up to here the text has been written out */
	JsonFault  *fault;
	int			depth;
	bool		in_object[MOST_DEPTH];
} Scanner;

/* Notes what is wrong, and where; always false. */
static bool
wrong(Scanner *scanner, const char *message, const char *where)
{
	size_t		position = 0;

	for (const char *s = scanner->start; s < where; s++)
		position += ((unsigned char) *s & 0xC0) != 0x80;
	scanner->fault->message = message;
	scanner->fault->position = position;
	return false;
}

static void
skip_blanks(Scanner *scanner)
{
	while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\t' || *scanner->at == '\n' || *scanner->at == '\r'))
		scanner->at++;
}

/* Is the next character this one? */
static bool
next_is(const Scanner *scanner, char c)
{
	return scanner->at < scanner->end && *scanner->at == c;
}

/* Writes other bytes in place of those from here to there. */
static void
replace(Scanner *scanner, const char *from, const char *to, const char *with)
{
	text_add(scanner->out, scanner->copied, (size_t) (from - scanner->copied));
	text_add_string(scanner->out, with);
	scanner->copied = to;
}

/* The number that four hexadecimal digits stand for, or -1. */
static int
four_digits(const char *s)
{
	int			number = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = s[i];

		if (c >= '0' && c <= '9')
			number = number * 16 + c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			number = number * 16 + (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return number;
}

/* Writes a character in place of the escape from there to at. */
static void
write_character(Scanner *scanner, const char *from, int code)
{
	char		with[5] = {0};

	if (code < 0x80)
		with[0] = (char) code;
	else if (code < 0x800)
	{
		with[0] = (char) (0xC0 | code >> 6);
		with[1] = (char) (0x80 | (code & 0x3F));
	}
	else if (code < 0x10000)
	{
		with[0] = (char) (0xE0 | code >> 12);
		with[1] = (char) (0x80 | (code >> 6 & 0x3F));
		with[2] = (char) (0x80 | (code & 0x3F));
	}
	else
	{
		with[0] = (char) (0xF0 | code >> 18);
		with[1] = (char) (0x80 | (code >> 12 & 0x3F));
		with[2] = (char) (0x80 | (code >> 6 & 0x3F));
		with[3] = (char) (0x80 | (code & 0x3F));
	}
	replace(scanner, from, scanner->at, with);
}

/* \uXXXX: at is at the u.  Two that are a pair count as one. */
static bool
read_unicode_escape(Scanner *scanner)
{
	const char *digits = scanner->at + 1;
	int			code;

	/* Python wants a character after the digits: the string has to end at some time */
	if (scanner->end - digits <= 4 || (code = four_digits(digits)) < 0)
		return wrong(scanner, "Invalid \\uXXXX escape", digits - 1);
	scanner->at = digits + 4;
	if (code >= 0xD800 && code <= 0xDBFF && scanner->end - scanner->at > 6
		&& scanner->at[0] == '\\' && scanner->at[1] == 'u')
	{
		int			low = four_digits(scanner->at + 2);

		if (low >= 0xDC00 && low <= 0xDFFF)
		{
			scanner->at += 6;
			code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00;
		}
	}
	if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
		code = 0xFFFD;
	/* those that would not be themselves without a backslash stay */
	if (code >= 0x20 && code != '"' && code != '\\')
		write_character(scanner, digits - 2, code);
	return true;
}

/* A string: at is at its quote. */
static bool
read_string(Scanner *scanner)
{
	const char *begin = scanner->at++;

	for (;;)
	{
		if (scanner->at >= scanner->end)
			return wrong(scanner, "Unterminated string starting at", begin);
		if (*scanner->at == '"')
			break;
		if ((unsigned char) *scanner->at < 0x20)
			return wrong(scanner, "Invalid control character at", scanner->at);
		if (*scanner->at++ != '\\')
			continue;
		if (scanner->at >= scanner->end)
			return wrong(scanner, "Unterminated string starting at", begin);
		if (*scanner->at == 'u')
		{
			if (!read_unicode_escape(scanner))
				return false;
		}
		else if (*scanner->at == '\0' || strchr("\"\\/bfnrt", *scanner->at) == NULL)
			return wrong(scanner, "Invalid \\escape", scanner->at - 1);
		else
			scanner->at++;
	}
	scanner->at++;
	return true;
}

static bool
digit_at(const Scanner *scanner, const char *s)
{
	return s < scanner->end && *s >= '0' && *s <= '9';
}

/* A number, as long as it is one: "1.x" is the number 1 and then something else. */
static bool
read_number(Scanner *scanner)
{
	const char *s = scanner->at;

	if (s < scanner->end && *s == '-')
		s++;
	if (!digit_at(scanner, s))
		return wrong(scanner, "Expecting value", scanner->at);
	if (*s++ != '0')
		while (digit_at(scanner, s))
			s++;
	if (s < scanner->end && *s == '.' && digit_at(scanner, s + 1))
		for (s++; digit_at(scanner, s);)
			s++;
	if (s < scanner->end && (*s == 'e' || *s == 'E'))
	{
		const char *exponent = s + 1;

		if (exponent < scanner->end && (*exponent == '-' || *exponent == '+'))
			exponent++;
		if (digit_at(scanner, exponent))
			for (s = exponent; digit_at(scanner, s);)
				s++;
	}
	scanner->at = s;
	return true;
}

/* A word, if it is there; other is what is written in its place, or NULL. */
static bool
read_word(Scanner *scanner, const char *word, const char *other)
{
	size_t		length = strlen(word);

	if ((size_t) (scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
		return false;
	if (other != NULL)
		replace(scanner, scanner->at, scanner->at + length, other);
	scanner->at += length;
	return true;
}

/* Anything but lists and objects. */
static bool
read_scalar(Scanner *scanner)
{
	static const char *const words[][2] = {
		{"null", NULL}, {"true", NULL}, {"false", NULL}, {"NaN", "\"NaN\""}, {"Infinity", "\"Infinity\""},
		{"-Infinity", "\"-Infinity\""}
	};

	if (next_is(scanner, '"'))
		return read_string(scanner);
	/* most are numbers, and most numbers no word for infinity */
	if (digit_at(scanner, scanner->at))
		return read_number(scanner);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (read_word(scanner, words[i][0], words[i][1]))
			return true;
	return read_number(scanner);
}

/* The name of a member and its colon. */
static bool
read_name(Scanner *scanner)
{
	if (!next_is(scanner, '"'))
		return wrong(scanner, "Expecting property name enclosed in double quotes", scanner->at);
	if (!read_string(scanner))
		return false;
	skip_blanks(scanner);
	if (!next_is(scanner, ':'))
		return wrong(scanner, "Expecting ':' delimiter", scanner->at);
	scanner->at++;
	skip_blanks(scanner);
	return true;
}

/*
 * After a value: closes what ends here, up to a comma.  When it gives true, another
 * value is expected, or, at depth 0, none.
 */
static bool
close_values(Scanner *scanner)
{
	while (scanner->depth > 0)
	{
		bool		object = scanner->in_object[scanner->depth - 1];

		skip_blanks(scanner);
		if (next_is(scanner, object ? '}' : ']'))
		{
			scanner->at++;
			scanner->depth--;
			continue;
		}
		if (!next_is(scanner, ','))
			return wrong(scanner, "Expecting ',' delimiter", scanner->at);
		scanner->at++;
		skip_blanks(scanner);
		return !object || read_name(scanner);
	}
	return true;
}

/*
 * Opens a list or an object.  False: something is wrong, or the nesting is too deep.
 * *value tells whether its first value follows, or it ended at once.
 */
static bool
open_value(Scanner *scanner, bool *value)
{
	bool		object = *scanner->at == '{';

	if (scanner->depth == MOST_DEPTH)
		return false;
	scanner->at++;
	skip_blanks(scanner);
	*value = !next_is(scanner, object ? '}' : ']');
	if (!*value)
	{
		scanner->at++;
		return true;
	}
	scanner->in_object[scanner->depth++] = object;
	return !object || read_name(scanner);
}

/* One value and all that is in it. */
static bool
read_value(Scanner *scanner)
{
	do
	{
		bool		value = false;

		if (next_is(scanner, '{') || next_is(scanner, '['))
		{
			if (!open_value(scanner, &value))
				return false;
		}
		else if (!read_scalar(scanner))
			return false;
		if (!value && !close_values(scanner))
			return false;
	} while (scanner->depth > 0);
	return true;
}

static bool
is_utf8(const char *s, const char *end)
{
	while (s < end)
	{
		int			length = utf8_length(s, end);

		if (length == 0)
			return false;
		s += length;
	}
	return true;
}

/* See json.h. */
JsonOutcome
json_read(const char *text, size_t size, Text *out, JsonFault *fault)
{
	Scanner		scanner = {.at = text, .end = text + size, .out = out, .fault = fault};

	fault->message = NULL;
	if (!is_utf8(text, scanner.end))
		return JSON_UNREADABLE;
	/* a mark of the byte order is no part of the text */
	if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		scanner.at += 3;
	scanner.start = scanner.copied = scanner.at;
	skip_blanks(&scanner);
	if (!read_value(&scanner))
		return fault->message != NULL ? JSON_INVALID : JSON_UNREADABLE;
	skip_blanks(&scanner);
	if (scanner.at < scanner.end)
	{
		wrong(&scanner, "Extra data", scanner.at);
		return JSON_INVALID;
	}
	text_add(out, scanner.copied, (size_t) (scanner.end - scanner.copied));
	return JSON_READ;
}

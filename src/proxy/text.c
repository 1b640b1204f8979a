/*
 * text.c
 *		A growing buffer of bytes, and what is written into it.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* See text.h. */
void *
need_memory(void *old, size_t size)
{
	void	   *memory = realloc(old, size > 0 ? size : 1);

	if (memory == NULL)
	{
		fputs("{\"level\":\"error\",\"event\":\"out of memory\"}\n", stderr);
		abort();
	}
	return memory;
}

/* See text.h. */
char *
need_copy(const char *string)
{
	size_t		size = strlen(string) + 1;

	return memcpy(need_memory(NULL, size), string, size);
}

/* Makes room for so many bytes more and the zero behind them. */
void
text_room(Text *text, size_t more)
{
	if (text->size + more + 1 > text->room)
	{
		text->room = (text->size + more + 1) * 3 / 2 + 64;
		text->data = need_memory(text->data, text->room);
	}
}

void
text_add(Text *text, const char *data, size_t size)
{
	text_room(text, size);
	if (size > 0)
		memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void
text_add_string(Text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_add_char(Text *text, char c)
{
	text_add(text, &c, 1);
}

/* See text.h. */
void
text_printf(Text *text, const char *format, ...)
{
	va_list		arguments;
	int			size;

	text_room(text, 128);
	va_start(arguments, format);
	size = vsnprintf(text->data + text->size, text->room - text->size, format, arguments);
	va_end(arguments);
	if (size < 0)
		return;
	if ((size_t) size >= text->room - text->size)
	{
		text_room(text, (size_t) size);
		va_start(arguments, format);
		vsnprintf(text->data + text->size, text->room - text->size, format, arguments);
		va_end(arguments);
	}
	text->size += (size_t) size;
}

/* See text.h. */
size_t
value_length(const char *value, size_t length)
{
	while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	return length;
}

/* See text.h.  Overlong forms, surrogates and what lies beyond U+10FFFF are none. */
int
utf8_length(const char *at, const char *end)
{
	const unsigned char *s = (const unsigned char *) at;
	ptrdiff_t	left = end - at;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xC2 && s[0] <= 0xDF)
		return left >= 2 && (s[1] & 0xC0) == 0x80 ? 2 : 0;
	if ((s[0] & 0xF0) == 0xE0)
	{
		if (left < 3 || (s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80)
			return 0;
		return (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ? 0 : 3;
	}
	if (s[0] >= 0xF0 && s[0] <= 0xF4)
	{
		if (left < 4 || (s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80 || (s[3] & 0xC0) != 0x80)
			return 0;
		return (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F) ? 0 : 4;
	}
	return 0;
}

/* See text.h. */
void
text_add_json(Text *text, const char *data, size_t size)
{
	const char *end = data + size;

	text_add_char(text, '"');
	for (const char *s = data; s < end;)
	{
		int			length = utf8_length(s, end);

		if (length == 0)
		{
			text_add_string(text, "\xEF\xBF\xBD");
			length = 1;
		}
		else if (*s == '"' || *s == '\\')
			text_printf(text, "\\%c", *s);
		else if (length == 1 && (unsigned char) *s < 0x20)
			text_printf(text, "\\u%04x", *s);
		else
			text_add(text, s, (size_t) length);
		s += length;
	}
	text_add_char(text, '"');
}

void
text_free(Text *text)
{
	free(text->data);
	*text = (Text) {0};
}

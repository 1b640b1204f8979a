/*
 * text.h
 *		A growing buffer of bytes, and what is written into it.
 */
#ifndef ARIMA_RESTD_TEXT_H
#define ARIMA_RESTD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts as {0}; data is NULL or has a zero byte after size bytes; free it with text_free. */
typedef struct Text
{
	char	   *data;
	size_t		size;
	size_t		room;
} Text;

/* Memory, or the end of the program: requests are bounded, so there is none to give back. */
extern void *need_memory(void *old, size_t size);
extern char *need_copy(const char *string);

extern void text_room(Text *text, size_t more);
extern void text_add(Text *text, const char *data, size_t size);
extern void text_add_string(Text *text, const char *string);
extern void text_add_char(Text *text, char c);
extern void text_printf(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
extern void text_add_json(Text *text, const char *data, size_t size);
extern void text_free(Text *text);

/* Length of a value of a header without the blanks after it, which are none of it (RFC 9110, 5.5). */
extern size_t value_length(const char *value, size_t length);

/* Length of the UTF-8 sequence at a place (1 to 4), or 0 where there is none. */
extern int utf8_length(const char *at, const char *end);

#endif

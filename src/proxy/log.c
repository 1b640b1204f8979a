/*
 * log.c
 *		The log: a JSON object a line on standard error, one write for each, so that
 *		the lines of several threads do not mix.
 */
#include "restd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* See restd.h. */
int64_t
clock_microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The time of day, in UTC. */
static void
add_time(Text *line)
{
	struct timespec now;
	struct tm	parts;
	char		seconds[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts);
	text_printf(line, "{\"time\":\"%s.%06ldZ\"", seconds, now.tv_nsec / 1000);
}

/* See restd.h. */
void
log_event(const char *level, const char *event, ...)
{
	Text		line = {0};
	va_list		fields;
	const char *name;

	add_time(&line);
	text_printf(&line, ",\"level\":\"%s\",\"event\":\"%s\"", level, event);
	va_start(fields, event);
	while ((name = va_arg(fields, const char *)) != NULL)
	{
		const char *value = va_arg(fields, const char *);

		text_printf(&line, ",\"%s\":", name + (*name == '#'));
		if (value == NULL)
			text_add_string(&line, "null");
		else if (*name == '#')
			text_add_string(&line, value);
		else
			text_add_json(&line, value, strlen(value));
	}
	va_end(fields);
	text_add_string(&line, "}\n");
	if (write(STDERR_FILENO, line.data, line.size) < 0)
	{
		/* nowhere to say so */
	}
	text_free(&line);
}

/* See restd.h: before there is anything to log, a word to who started the program. */
void
die(const char *format, ...)
{
	va_list		arguments;

	fputs("arima_restd: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

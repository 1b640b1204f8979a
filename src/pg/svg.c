/*
 * svg.c
 *		Parts of an SVG picture as text.  Everything that the picture gets from
 *		the user goes through ao_svg_escape or is a number.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "svg.h"

/* U+FFFE and U+FFFF in UTF-8, which XML does not allow */
static bool
is_noncharacter(const char *c, int len)
{
	return len == 3 && GetDatabaseEncoding() == PG_UTF8 &&
		memcmp(c, "\xEF\xBF", 2) == 0 && (unsigned char) c[2] >= 0xBE;
}

/* One character of len bytes, as markup shows it. */
static void
put_character(StringInfo out, const char *c, int len)
{
	switch (*c)
	{
		case '<':
			appendStringInfoString(out, "&lt;");
			break;
		case '>':
			appendStringInfoString(out, "&gt;");
			break;
		case '&':
			appendStringInfoString(out, "&amp;");
			break;
		case '"':
			appendStringInfoString(out, "&quot;");
			break;
		case '\'':
			appendStringInfoString(out, "&#39;");
			break;
		default:
			if ((unsigned char) *c < ' ' || *c == 0x7F || is_noncharacter(c, len))
				appendStringInfoChar(out, ' ');
			else
				appendBinaryStringInfo(out, c, len);
	}
}

/* See svg.h. */
void
ao_svg_escape(StringInfo out, const char *text, int len, int max_chars)
{
	int			shown = pg_mbcharcliplen(text, len, max_chars);

	for (int i = 0; i < shown;)
	{
		int			char_len = Min(pg_mblen(text + i), shown - i);

		put_character(out, text + i, char_len);
		i += char_len;
	}
	if (shown < len)
		appendStringInfoString(out, "...");
}

/* See svg.h. */
void
ao_svg_coordinate(StringInfo out, double pixel)
{
	double		tenths = rint(pixel * 10);

	if (fmod(tenths, 10) == 0)
		appendStringInfo(out, "%.0f", tenths / 10 + 0.0);
	else
		appendStringInfo(out, "%.1f", tenths / 10);
}

/* See svg.h. */
void
ao_svg_attribute(StringInfo out, const char *name, double pixel)
{
	appendStringInfo(out, " %s=\"", name);
	ao_svg_coordinate(out, pixel);
	appendStringInfoChar(out, '"');
}

/* The round number 1, 2 or 5 times a power of ten that is next above x > 0. */
static double
round_up(double x)
{
	double		power = pow(10, floor(log10(x))),
				times = x / power;

	return power * (times <= 1.0000001 ? 1 : times <= 2.0000001 ? 2 : times <= 5.0000001 ? 5 : 10);
}

/* See svg.h. */
SvgTicks
ao_svg_ticks(double low, double high, int want, double smallest)
{
	SvgTicks	ticks;
	double		largest = fmax(fabs(low), fabs(high));
	int			magnitude;

	ticks.step = round_up(fmax((high - low) / want, smallest));
	ticks.first = ceil(low / ticks.step - 1e-9) * ticks.step;
	ticks.count = (int) floor((high - ticks.first) / ticks.step + 1e-9) + 1;
	magnitude = (int) floor(log10(ticks.step) + 1e-9);
	ticks.exponent = largest >= 1e8 || magnitude < -5;
	if (ticks.exponent)
		ticks.digits = Max((int) floor(log10(largest) + 1e-9) - magnitude, 0);
	else
		ticks.digits = Max(-magnitude, 0);
	return ticks;
}

/* Digits in groups of three: 12,345,678.  In place; buf has room for the commas. */
static void
group_digits(char *buf)
{
	char	   *start = buf + (*buf == '-');
	int			whole = (int) strcspn(start, ".");

	for (int at = whole - 3; at > 0; at -= 3)
	{
		memmove(start + at + 1, start + at, strlen(start + at) + 1);
		start[at] = ',';
	}
}

/* See svg.h. */
char *
ao_svg_tick_text(const SvgTicks *ticks, double number)
{
	char	   *buf = palloc(64);

	if (fabs(number) < ticks->step * 1e-6)
		number = 0;
	if (ticks->exponent && number != 0)
	{
		char	   *mark;

		snprintf(buf, 64, "%.*e", ticks->digits, number);
		mark = strchr(buf, 'e');
		snprintf(mark + 1, (size_t) (buf + 64 - mark - 1), "%d", atoi(mark + 1));
		return buf;
	}
	snprintf(buf, 64, "%.*f", ticks->exponent ? 0 : ticks->digits, number);
	group_digits(buf);
	return buf;
}

/* The least and the greatest of values[from..to-1], in their order, as up to two
 * corners; one that breaks the line if there is none.  Returns how many. */
static int
extremes(const double *values, int64 from, int64 to, double x0, const SvgScale *x,
		 const SvgScale *y, SvgPoint *points)
{
	int64		least = -1;
	int64		greatest = -1;
	int64		first;
	int64		second;

	for (int64 t = from; t < to; t++)
	{
		if (isnan(values[t]))
			continue;
		if (least < 0 || values[t] < values[least])
			least = t;
		if (greatest < 0 || values[t] > values[greatest])
			greatest = t;
	}
	if (least < 0)
	{
		points[0] = (SvgPoint) {svg_at(x, x0 + (double) from), NAN};
		return 1;
	}
	first = Min(least, greatest);
	second = Max(least, greatest);
	points[0] = (SvgPoint) {svg_at(x, x0 + (double) first), svg_at(y, values[first])};
	points[1] = (SvgPoint) {svg_at(x, x0 + (double) second), svg_at(y, values[second])};
	return first == second ? 1 : 2;
}

/* See svg.h. */
SvgPoint *
ao_svg_line(const double *values, int64 n, double x0, const SvgScale *x, const SvgScale *y,
			int64 *count)
{
	int64		pixels = (int64) ceil((double) n * x->scale) + 1;
	int64		buckets = n > 2 * pixels ? pixels : n;
	SvgPoint   *points = palloc(sizeof(SvgPoint) * (size_t) (2 * buckets + 2));

	*count = 0;
	for (int64 i = 0; i < buckets; i++)
	{
		CHECK_FOR_INTERRUPTS();
		*count += extremes(values, i * n / buckets, (i + 1) * n / buckets, x0, x, y, points + *count);
	}
	return points;
}

/* See svg.h. */
void
ao_svg_path(StringInfo out, const SvgPoint *points, int64 count, bool backwards, char start)
{
	char		next = start;

	for (int64 i = 0; i < count; i++)
	{
		const SvgPoint *point = &points[backwards ? count - 1 - i : i];

		if (isnan(point->y))
		{
			next = 'M';
			continue;
		}
		appendStringInfoChar(out, next);
		ao_svg_coordinate(out, point->x);
		appendStringInfoChar(out, ' ');
		ao_svg_coordinate(out, point->y);
		next = 'L';
	}
}

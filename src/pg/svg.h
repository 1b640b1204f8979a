/*
 * svg.h
 *		Parts of an SVG picture as text: escaped words, coordinates, axes with
 *		round numbers, lines thinned to what a screen can show.
 */
#ifndef AO_SVG_H
#define AO_SVG_H

#include "lib/stringinfo.h"

/* A corner of a line in pixels; y is NaN where the line is broken. */
typedef struct SvgPoint
{
	double		x;
	double		y;
} SvgPoint;

/* From numbers to pixels along one axis: pixel = offset + (number - from) * scale. */
typedef struct SvgScale
{
	double		from;
	double		offset;
	double		scale;
} SvgScale;

/* Round numbers along an axis: first, first + step, ... and how they are written. */
typedef struct SvgTicks
{
	double		first;
	double		step;
	int			count;
	int			digits;			/* after the point */
	bool		exponent;		/* written as 1.5e9 */
} SvgTicks;

static inline double
svg_at(const SvgScale *scale, double number)
{
	return scale->offset + (number - scale->from) * scale->scale;
}

/* Text of the user: markup escaped, what XML does not allow made a blank, cut
 * to at most max_chars characters. */
extern void ao_svg_escape(StringInfo out, const char *text, int len, int max_chars);
/* A coordinate to a tenth of a pixel. */
extern void ao_svg_coordinate(StringInfo out, double pixel);
/* x="..." and the like, with a blank before it */
extern void ao_svg_attribute(StringInfo out, const char *name, double pixel);

/* About `want` round numbers from low to high, low < high; at least smallest apart. */
extern SvgTicks ao_svg_ticks(double low, double high, int want, double smallest);
/* A palloc'd number as an axis shows it. */
extern char *ao_svg_tick_text(const SvgTicks *ticks, double number);

/*
 * The line through n values, NaN breaking it, one each step of x from x0: palloc'd
 * corners, *count of them.  More than two values a pixel: the least and the
 * greatest of each pixel.
 */
extern SvgPoint *ao_svg_line(const double *values, int64 n, double x0, const SvgScale *x,
							 const SvgScale *y, int64 *count);
/* Path commands through the corners, from the last to the first if backwards; a
 * first corner is reached by `start`: 'M' or 'L'. */
extern void ao_svg_path(StringInfo out, const SvgPoint *points, int64 count, bool backwards, char start);

#endif							/* AO_SVG_H */

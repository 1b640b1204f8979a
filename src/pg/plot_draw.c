/*
 * plot_draw.c
 *		Draws what arima_plot has gathered: an SVG document for light and dark
 *		pages, without scripts or anything from elsewhere.
 *
 * All text that is not the user's is ASCII, so that it is the same in every
 * encoding of a database.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "plot.h"
#include "svg.h"

/* pixels */
#define WIDTH 960
#define HEIGHT 440
#define RIGHT 24				/* margins of the plot */
#define BOTTOM 40
#define TOP 76
#define CHARACTER 6.7			/* average width of a small one */
#define EDGE 5					/* between the data and the sides */

#define MAX_TITLE 90			/* characters */
#define MAX_LABEL 24
#define MAX_DOTS 60				/* values up to which each gets a dot */
#define FAR_ABOVE 1000			/* spans of the values */
#define MAX_HINTS 100			/* steps up to which each tells its numbers */

/* The picture on its way: plot, output, and where the data goes. */
typedef struct Canvas
{
	const Plot *plot;
	StringInfo	out;
	double		left;			/* of the plot's frame */
	SvgTicks	rows;			/* of the vertical axis */
	SvgScale	x;				/* times to pixels */
	SvgScale	y;				/* values to pixels */
} Canvas;

static const char style[] =
	"<style>"
	".ao text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:12px;fill:#57606a;font-variant-numeric:tabular-nums}"
	".ao .ao-title{font-size:17px;font-weight:600;fill:#1f2328}"
	".ao-page{fill:#fff}"
	".ao-grid{stroke:#eaeef2;stroke-width:1;fill:none}"
	".ao-base{stroke:#d0d7de;stroke-width:1;fill:none}"
	".ao-now{stroke:#8c959f;stroke-width:1;stroke-dasharray:3 4;fill:none}"
	".ao-actual,.ao-mean,.ao-back{fill:none;stroke-linejoin:round;stroke-linecap:round}"
	".ao-actual{stroke:#24292f;stroke-width:1.6}"
	".ao-mean{stroke:#0969da;stroke-width:2.2}"
	".ao-back{stroke:#d1570a;stroke-width:1.5}"
	".ao-fan{fill:#0969da;fill-opacity:.17;stroke:none}"
	".ao-dot{fill:#24292f}.ao-mean-dot{fill:#0969da}.ao-back-dot{fill:#d1570a}"
	".ao-hint{fill:#000;fill-opacity:0}"
	"@media (prefers-color-scheme:dark){"
	".ao text{fill:#8d96a0}.ao .ao-title{fill:#e6edf3}.ao-page{fill:#0d1117}.ao-grid{stroke:#21262d}"
	".ao-base{stroke:#3d444d}.ao-now{stroke:#6e7681}.ao-actual{stroke:#d1d9e0}.ao-mean{stroke:#4493f8}"
	".ao-back{stroke:#f0883e}.ao-fan{fill:#4493f8;fill-opacity:.2}"
	".ao-dot{fill:#d1d9e0}.ao-mean-dot{fill:#4493f8}.ao-back-dot{fill:#f0883e}"
	"}</style>\n";

/* A number for a reader. */
static char *
number_text(double number)
{
	return psprintf("%.6g", number);
}

/* "95 %", palloc'd */
static char *
level_text(double level)
{
	return psprintf("%.4g %%", 100 * level);
}

/* What the picture says to those who do not see it. */
static void
put_description(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	StringInfo	out = canvas->out;

	appendStringInfoString(out, "<title>");
	ao_svg_escape(out, plot->title, plot->title_len, MAX_TITLE);
	appendStringInfo(out, "</title>\n<desc>" INT64_FORMAT " values up to number " INT64_FORMAT,
					 Min(plot->now, plot->history.start + plot->history.values.n - 1) -
					 Max(plot->first, plot->history.start) + 1, plot->now);
	if (!isnan(plot_value(&plot->history, plot->now)))
		appendStringInfo(out, ", the last one %s", number_text(plot_value(&plot->history, plot->now)));
	if (plot->h > 0)
	{
		const AoForecast *end = &plot->fan[plot->n_levels - 1][plot->h - 1];

		appendStringInfo(out, "; forecast of %d step%s, at the end %s, %s interval from %s to %s",
						 plot->h, plot->h == 1 ? "" : "s", number_text(end->mean),
						 level_text(plot->levels[plot->n_levels - 1]), number_text(end->lower), number_text(end->upper));
	}
	if (plot->backtest.values.n > 0)
		appendStringInfo(out, "; backtest of " INT64_FORMAT " values", plot->backtest.values.n);
	appendStringInfoString(out, ".</desc>\n");
}

/* The vertical axis: what it must hold with some air, and never an empty span. */
static void
lay_out_rows(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	double		size = fmax(fabs(plot->low), fabs(plot->high)),
				span = plot->high - plot->low,
				air = 0.06 * span;

	if (size < 1e-280)
		air = 1;
	else if (span < 1e-9 * size)
		air = 0.1 * size;
	canvas->rows = ao_svg_ticks(plot->low - air, plot->high + air, 7, 0);
	canvas->y.from = plot->low - air;
	canvas->y.scale = -(HEIGHT - BOTTOM - TOP) / (span + 2 * air);
	canvas->y.offset = HEIGHT - BOTTOM;
}

/* Room on the left for the numbers of the rows, and the scale of time. */
static void
lay_out_columns(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	size_t		longest = 0;
	double		steps = (double) (plot->last - plot->first);

	for (int i = 0; i < canvas->rows.count; i++)
	{
		double		number = canvas->rows.first + i * canvas->rows.step;

		longest = Max(longest, strlen(ao_svg_tick_text(&canvas->rows, number)));
	}
	canvas->left = 24 + ceil(longest * CHARACTER);
	canvas->x.from = (double) plot->first;
	canvas->x.offset = canvas->left + EDGE;
	canvas->x.scale = WIDTH - RIGHT - canvas->left - 2 * EDGE;
	if (steps > 0)
		canvas->x.scale /= steps;
	else
		canvas->x.offset += canvas->x.scale / 2;
}

/* One line of the grid or the like. */
static void
put_straight(Canvas *canvas, const char *class, double x1, double y1, double x2, double y2)
{
	appendStringInfo(canvas->out, "<line class=\"%s\"", class);
	ao_svg_attribute(canvas->out, "x1", x1);
	ao_svg_attribute(canvas->out, "y1", y1);
	ao_svg_attribute(canvas->out, "x2", x2);
	ao_svg_attribute(canvas->out, "y2", y2);
	appendStringInfoString(canvas->out, "/>\n");
}

/* Start of a text element; anchor: start, middle or end. */
static void
open_text(Canvas *canvas, double x, double y, const char *anchor)
{
	appendStringInfoString(canvas->out, "<text");
	ao_svg_attribute(canvas->out, "x", x);
	ao_svg_attribute(canvas->out, "y", y);
	appendStringInfo(canvas->out, " text-anchor=\"%s\">", anchor);
}

/* The horizontal lines of the grid, with their numbers. */
static void
put_rows(Canvas *canvas)
{
	for (int i = 0; i < canvas->rows.count; i++)
	{
		double		number = canvas->rows.first + i * canvas->rows.step,
					y = rint(svg_at(&canvas->y, number)) + 0.5;

		put_straight(canvas, "ao-grid", canvas->left, y, WIDTH - RIGHT, y);
		open_text(canvas, canvas->left - 10, y + 4, "end");
		appendStringInfo(canvas->out, "%s</text>\n", ao_svg_tick_text(&canvas->rows, number));
	}
	put_straight(canvas, "ao-base", canvas->left, HEIGHT - BOTTOM + 0.5, WIDTH - RIGHT, HEIGHT - BOTTOM + 0.5);
}

/* Length in bytes of the longest label of the times that are shown. */
static int
longest_label(const Plot *plot)
{
	int			longest = 6;
	int64		from = Max(plot->first - plot->history.start, 0);

	for (int64 i = from; i < Min(plot->n_labels, from + 10000); i++)
	{
		if (!plot->label_nulls[i])
			longest = Max(longest, (int) VARSIZE_ANY_EXHDR(DatumGetPointer(plot->labels[i])));
	}
	return Min(longest, MAX_LABEL);
}

/* The text of a time: its label, the steps after the last one, or its number. */
static void
put_time(StringInfo out, const Plot *plot, int64 time)
{
	int64		at = time - plot->history.start;

	if (plot->labels == NULL)
	{
		SvgTicks	whole = {0, 1, 1, 0, false};

		appendStringInfoString(out, ao_svg_tick_text(&whole, (double) time));
	}
	else if (at < plot->n_labels && !plot->label_nulls[at])
	{
		text	   *label = DatumGetTextPP(plot->labels[at]);

		ao_svg_escape(out, VARDATA_ANY(label), (int) VARSIZE_ANY_EXHDR(label), MAX_LABEL);
	}
	else if (at >= plot->n_labels && time > plot->now)
		appendStringInfo(out, "+" INT64_FORMAT, time - plot->now);
}

/* Distance of the times that get a text: round, by whole seasons where some are
 * to be seen, and no denser than the texts allow. */
static int64
time_step(const Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	int			m = plot->model->m;
	double		room = WIDTH - RIGHT - canvas->left,
				span = (double) (plot->last - plot->first),
				texts = Min(10, floor(room / (longest_label(plot) * CHARACTER + 24))),
				least = Max(span / Max(texts, 2), 1);
	double		unit = m > 1 && span + 1 >= 3 * m ? m : 1;
	SvgTicks	ticks = ao_svg_ticks(0, least / unit * 2, 2, 1);

	return (int64) rint(ticks.step * unit);
}

/* The times along the bottom.  With labels the first of them is the origin, so
 * that seasons begin where the labels do; else zero is. */
static void
put_columns(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	int64		step = time_step(canvas);
	int64		origin = plot->labels != NULL ? plot->history.start : 0;
	int64		time = plot->first + (step - (plot->first - origin) % step) % step;

	StringInfoData words;

	initStringInfo(&words);
	for (; time <= plot->last; time += step)
	{
		double		x = svg_at(&canvas->x, (double) time);
		bool		beyond;

		resetStringInfo(&words);
		put_time(&words, plot, time);
		beyond = x + words.len * CHARACTER / 2 > WIDTH - 4;
		put_straight(canvas, "ao-base", rint(x) + 0.5, HEIGHT - BOTTOM, rint(x) + 0.5, HEIGHT - BOTTOM + 5);
		open_text(canvas, beyond ? WIDTH - 4 : x, HEIGHT - BOTTOM + 20, beyond ? "end" : "middle");
		appendStringInfo(canvas->out, "%s</text>\n", words.data);
	}
}

/* A dot on each value that the line leaves alone, or on each one of a few. */
static void
put_dots(Canvas *canvas, const char *class, const SvgPoint *points, int64 count)
{
	for (int64 i = 0; i < count; i++)
	{
		bool		alone = (i == 0 || isnan(points[i - 1].y)) && (i == count - 1 || isnan(points[i + 1].y));

		if (isnan(points[i].y) || (!alone && count > MAX_DOTS))
			continue;
		appendStringInfo(canvas->out, "<circle class=\"%s\"", class);
		ao_svg_attribute(canvas->out, "cx", points[i].x);
		ao_svg_attribute(canvas->out, "cy", points[i].y);
		appendStringInfoString(canvas->out, " r=\"2\"/>\n");
	}
}

/* A line through n values from time `start` on, and its dots. */
static void
put_line(Canvas *canvas, const char *class, const char *dot_class, const double *values, int64 n, int64 start)
{
	int64		count;
	SvgPoint   *points = ao_svg_line(values, n, (double) start, &canvas->x, &canvas->y, &count);

	appendStringInfo(canvas->out, "<path class=\"%s\" d=\"", class);
	ao_svg_path(canvas->out, points, count, false, 'M');
	appendStringInfoString(canvas->out, "\"/>\n");
	if (dot_class != NULL)
		put_dots(canvas, dot_class, points, count);
	pfree(points);
}

/* The part of a series that is shown. */
static void
put_series(Canvas *canvas, const char *class, const char *dot_class, const PlotSeries *series)
{
	int64		skip = Max(canvas->plot->first - series->start, 0);

	if (skip < series->values.n)
		put_line(canvas, class, dot_class, series->values.values + skip, series->values.n - skip, series->start + skip);
}

/* A column of the forecast, palloc'd, after the last value of the model's data
 * where that is known and shown; *start is the time of its first element.  What is
 * infinite is as far above the frame as no eye can tell. */
static double *
forecast_column(const Plot *plot, const AoForecast *fan, size_t field, int64 *n, int64 *start)
{
	const double above = plot->high + FAR_ABOVE * (plot->high - plot->low);
	double	   *column = palloc(sizeof(double) * (plot->h + 1));
	double		before = plot_value(&plot->history, plot->now);
	int			lead = !isnan(before) && plot->now >= plot->first;

	column[0] = before;
	for (int j = 0; j < plot->h; j++)
		column[lead + j] = fmin(*(const double *) ((const char *) &fan[j] + field), above);
	*n = plot->h + lead;
	*start = plot->now + 1 - lead;
	return column;
}

/* The interval of one level as an area. */
static void
put_interval(Canvas *canvas, int level)
{
	const Plot *plot = canvas->plot;
	int64		n;
	int64		start;
	int64		count;
	double	   *upper = forecast_column(plot, plot->fan[level], offsetof(AoForecast, upper), &n, &start);
	double	   *lower = forecast_column(plot, plot->fan[level], offsetof(AoForecast, lower), &n, &start);
	SvgPoint   *points = ao_svg_line(upper, n, (double) start, &canvas->x, &canvas->y, &count);

	appendStringInfoString(canvas->out, "<path class=\"ao-fan\" d=\"");
	ao_svg_path(canvas->out, points, count, false, 'M');
	points = ao_svg_line(lower, n, (double) start, &canvas->x, &canvas->y, &count);
	ao_svg_path(canvas->out, points, count, true, 'L');
	appendStringInfoString(canvas->out, "Z\"/>\n");
}

/* For the pointer: an unseen disc on each step that tells its numbers. */
static void
put_hints(Canvas *canvas)
{
	const Plot *plot = canvas->plot;

	for (int j = 0; j < plot->h && plot->h <= MAX_HINTS; j++)
	{
		const AoForecast *step = &plot->fan[plot->n_levels - 1][j];

		appendStringInfoString(canvas->out, "<circle class=\"ao-hint\"");
		ao_svg_attribute(canvas->out, "cx", svg_at(&canvas->x, (double) (plot->now + 1 + j)));
		ao_svg_attribute(canvas->out, "cy", svg_at(&canvas->y, step->mean));
		appendStringInfo(canvas->out, " r=\"7\"><title>step %d: %s (%s: %s to %s)</title></circle>\n",
						 j + 1, number_text(step->mean), level_text(plot->levels[plot->n_levels - 1]),
						 number_text(step->lower), number_text(step->upper));
	}
}

/* The intervals, the widest one at the bottom, and where they begin. */
static void
put_fan(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	double		x = rint(svg_at(&canvas->x, (double) plot->now)) + 0.5;

	for (int i = plot->n_levels - 1; i >= 0; i--)
		put_interval(canvas, i);
	if (plot->now >= plot->first)
		put_straight(canvas, "ao-now", x, TOP, x, HEIGHT - BOTTOM);
}

/* The forecast itself. */
static void
put_mean(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	int64		n;
	int64		start;
	double	   *mean = forecast_column(plot, plot->fan[0], offsetof(AoForecast, mean), &n, &start);

	put_line(canvas, "ao-mean", NULL, mean, n, start);
	if (plot->h == 1)
	{
		SvgPoint	point = {svg_at(&canvas->x, (double) plot->now + 1), svg_at(&canvas->y, plot->fan[0][0].mean)};

		put_dots(canvas, "ao-mean-dot", &point, 1);
	}
}

/* One entry of the legend, a line or an area, and what it is; moves x on. */
static void
put_legend_entry(Canvas *canvas, double *x, const char *class, int areas, const char *words)
{
	double		y = TOP - 22;

	if (areas == 0)
		put_straight(canvas, class, *x, y, *x + 18, y);
	for (int i = 0; i < areas; i++)
	{
		appendStringInfo(canvas->out, "<rect class=\"%s\"", class);
		ao_svg_attribute(canvas->out, "x", *x);
		ao_svg_attribute(canvas->out, "y", y - 6);
		appendStringInfoString(canvas->out, " width=\"18\" height=\"12\"/>\n");
	}
	open_text(canvas, *x + 25, y + 4, "start");
	appendStringInfo(canvas->out, "%s</text>\n", words);
	*x += 25 + strlen(words) * CHARACTER + 18;
}

/* What the lines and areas are, in a row under the title. */
static void
put_legend(Canvas *canvas)
{
	const Plot *plot = canvas->plot;
	double		x = canvas->left;

	put_legend_entry(canvas, &x, "ao-actual", 0, "actual");
	if (plot->backtest.values.n > 0)
		put_legend_entry(canvas, &x, "ao-back", 0, "backtest");
	if (plot->h == 0)
		return;
	put_legend_entry(canvas, &x, "ao-mean", 0, "forecast");
	for (int i = 0; i < plot->n_levels; i++)
		put_legend_entry(canvas, &x, "ao-fan", plot->n_levels - i,
						 psprintf("%s%s", level_text(plot->levels[i]), i == plot->n_levels - 1 ? " interval" : ""));
}

static void
put_title(Canvas *canvas)
{
	if (!canvas->plot->heading)
		return;
	appendStringInfoString(canvas->out, "<text class=\"ao-title\"");
	ao_svg_attribute(canvas->out, "x", canvas->left);
	appendStringInfoString(canvas->out, " y=\"30\">");
	ao_svg_escape(canvas->out, canvas->plot->title, canvas->plot->title_len, MAX_TITLE);
	appendStringInfoString(canvas->out, "</text>\n");
}

/* The window through which the data is seen: what is beyond the frame is cut off. */
static void
open_window(Canvas *canvas)
{
	appendStringInfoString(canvas->out, "<svg");
	ao_svg_attribute(canvas->out, "x", canvas->left);
	ao_svg_attribute(canvas->out, "y", TOP);
	ao_svg_attribute(canvas->out, "width", WIDTH - RIGHT - canvas->left);
	ao_svg_attribute(canvas->out, "height", HEIGHT - BOTTOM - TOP);
	appendStringInfoString(canvas->out, " overflow=\"hidden\" viewBox=\"");
	ao_svg_coordinate(canvas->out, canvas->left);
	appendStringInfo(canvas->out, " %d ", TOP);
	ao_svg_coordinate(canvas->out, WIDTH - RIGHT - canvas->left);
	appendStringInfo(canvas->out, " %d\">\n", HEIGHT - BOTTOM - TOP);
}

/* See plot.h. */
void
ao_plot_draw(StringInfo out, const Plot *plot)
{
	Canvas		canvas = {.plot = plot, .out = out};

	lay_out_rows(&canvas);
	lay_out_columns(&canvas);
	appendStringInfo(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ao\" role=\"img\" viewBox=\"0 0 %d %d\">\n",
					 WIDTH, HEIGHT);
	put_description(&canvas);
	appendStringInfoString(out, style);
	appendStringInfo(out, "<rect class=\"ao-page\" width=\"%d\" height=\"%d\"/>\n", WIDTH, HEIGHT);
	put_title(&canvas);
	put_legend(&canvas);
	put_rows(&canvas);
	put_columns(&canvas);
	open_window(&canvas);
	if (plot->h > 0)
		put_fan(&canvas);
	put_series(&canvas, "ao-actual", "ao-dot", &plot->history);
	put_series(&canvas, "ao-back", "ao-back-dot", &plot->backtest);
	if (plot->h > 0)
		put_mean(&canvas);
	put_hints(&canvas);
	appendStringInfoString(out, "</svg>\n</svg>\n");
}

/*
 * plot.h
 *		What arima_plot gathers and its drawing shows.
 */
#ifndef AO_PLOT_H
#define AO_PLOT_H

#include <math.h>

#include "lib/stringinfo.h"

#include "glue.h"

#define PLOT_MAX_LEVELS 5

/* A series and the time of its first value; time 1 is that of the model's first. */
typedef struct PlotSeries
{
	AoSeries	values;
	int64		start;
} PlotSeries;

typedef struct Plot
{
	const AoModel *model;
	PlotSeries	history;		/* all of it; shown from `first` on */
	PlotSeries	backtest;		/* n = 0: none */
	int			n_levels;
	double		levels[PLOT_MAX_LEVELS];	/* ascending */
	AoForecast *fan[PLOT_MAX_LEVELS];	/* [h] for each level */
	int			h;
	int64		now;			/* time of the model's last value */
	int64		first;			/* shown: first .. last */
	int64		last;
	double		low;			/* what the vertical axis must hold */
	double		high;
	const char *title;			/* not escaped */
	int			title_len;
	bool		heading;		/* shown above the picture */
	Datum	   *labels;			/* [n_labels] text of the times from history.start, or NULL */
	bool	   *label_nulls;
	int64		n_labels;
} Plot;

/* plot_draw.c: the picture, as the text of an SVG document */
extern void ao_plot_draw(StringInfo out, const Plot *plot);

/* The value at a time; NaN if there is none. */
static inline double
plot_value(const PlotSeries *series, int64 time)
{
	int64		i = time - series->start;

	return i >= 0 && i < series->values.n ? series->values.values[i] : NAN;
}

#endif							/* AO_PLOT_H */

/*
 * plot.c
 *		SQL function arima_plot: what is to be drawn, taken from the arguments.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "plot.h"

PGDLLEXPORT Datum arima_ops_plot(PG_FUNCTION_ARGS);

/* by default so many values before the forecast, and so many for each step */
#define PLOT_USUAL 60
#define PLOT_USUAL_FOR_STEP 5

/* An interval may stretch the axis by so many times what it spans without it. */
#define PLOT_STRETCH 2.0

/* The values can be drawn: none infinite or beyond the core's own limit. */
static void
check_values(const AoSeries *series)
{
	AoEnv		env;

	ao_pg_env(&env);
	for (int64 i = 0; i < series->n; i++)
	{
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		env.err.pos = i + 1;
		if (isinf(series->values[i]))
			ao_pg_check(AO_NOT_FINITE, &env);
		if (fabs(series->values[i]) > 1e150)
			ao_pg_check(AO_OUT_OF_SCALE, &env);
	}
}

/* Levels of the intervals, ascending. */
static void
take_levels(Plot *plot, const AoSeries *levels)
{
	ao_pg_check_levels(levels, PLOT_MAX_LEVELS);
	plot->n_levels = (int) levels->n;
	for (int i = 0; i < plot->n_levels; i++)
	{
		int			at = i;

		for (; at > 0 && plot->levels[at - 1] > levels->values[i]; at--)
			plot->levels[at] = plot->levels[at - 1];
		plot->levels[at] = levels->values[i];
	}
}

/*
 * The history's place in time: it begins with the model's own series if it is as
 * long or longer, else it is the newest part of that.
 */
static void
take_history(Plot *plot, ArrayType *y)
{
	PlotSeries *history = &plot->history;

	history->values = ao_pg_series(y, "y");
	check_values(&history->values);
	history->start = history->values.n >= plot->now ? 1 : plot->now - history->values.n + 1;
}

/* The backtest ends where the history does. */
static void
take_backtest(Plot *plot, ArrayType *array)
{
	int64		n = plot->history.values.n;

	plot->backtest.values = ao_pg_series(array, "backtest");
	check_values(&plot->backtest.values);
	if (plot->backtest.values.n > n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("backtest has more elements than y"),
				 errdetail("They have " INT64_FORMAT " and " INT64_FORMAT ".",
						   plot->backtest.values.n, n),
				 errhint("Give the forecasts of the last values of y, the last element being that of its last value.")));
	plot->backtest.start = plot->history.start + n - plot->backtest.values.n;
}

/* The forecasts of every level. */
static void
take_forecast(Plot *plot, FunctionCallInfo fcinfo, int arg)
{
	AoMatrix	xreg;
	AoEnv		env;

	if (plot->h == 0)
		return;
	ao_pg_env(&env);
	xreg = ao_pg_xreg(fcinfo, arg, plot->h);
	plot->fan[0] = palloc(sizeof(AoForecast) * plot->h * plot->n_levels);
	for (int i = 1; i < plot->n_levels; i++)
		plot->fan[i] = plot->fan[i - 1] + plot->h;
	ao_pg_check(ao_forecast_levels(plot->model, plot->h, plot->levels, plot->n_levels, xreg.values,
								   xreg.cols, &env, plot->fan[0]), &env);
}

/* Labels of the times. */
static void
take_labels(Plot *plot, ArrayType *array)
{
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("labels must be a one-dimensional array"),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("Give one label for each element of y.")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &plot->labels, &plot->label_nulls, &n);
	plot->n_labels = n;
}

/* Which times are shown: `values` before the forecast and all after it; by default
 * so many that the forecast has a fair share, or the backtest if that is longer. */
static void
take_span(Plot *plot, bool usual, int32 values)
{
	int64		end = plot->history.start + plot->history.values.n - 1;
	int64		before = values;

	if (!usual && values < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of values to show: %d", values),
				 errhint("last must be at least 1; NULL shows a number that suits the forecast.")));
	plot->last = Max(plot->now + plot->h, end);
	if (usual)
	{
		before = Max(PLOT_USUAL, PLOT_USUAL_FOR_STEP * (plot->last - plot->now));
		if (plot->backtest.values.n > 0)
			before = Max(before, plot->now - plot->backtest.start + 1);
	}
	plot->first = Max(plot->history.start, plot->now - before + 1);
	plot->first = Min(plot->first, plot->last);
}

/* Widens low..high by a value, if it is one. */
static void
include_value(Plot *plot, double value)
{
	if (isfinite(value))
	{
		plot->low = fmin(plot->low, value);
		plot->high = fmax(plot->high, value);
	}
}

static void
include_series(Plot *plot, const PlotSeries *series)
{
	for (int64 t = Max(plot->first, series->start); t < series->start + series->values.n; t++)
	{
		if (t % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		include_value(plot, plot_value(series, t));
	}
}

/* What the vertical axis must hold: all values, and of the intervals as much as
 * leaves the values their place. */
static void
take_range(Plot *plot)
{
	double		room;
	double		low;
	double		high;

	plot->low = get_float8_infinity();
	plot->high = -get_float8_infinity();
	include_series(plot, &plot->history);
	include_series(plot, &plot->backtest);
	room = (plot->high - plot->low) * PLOT_STRETCH;
	low = room > 0 ? plot->low - room : -get_float8_infinity();
	high = room > 0 ? plot->high + room : get_float8_infinity();
	for (int j = 0; j < plot->h; j++)
	{
		const AoForecast *widest = &plot->fan[plot->n_levels - 1][j];

		include_value(plot, widest->mean);
		include_value(plot, fmax(widest->lower, low));
		include_value(plot, fmin(widest->upper, high));
	}
	if (plot->low > plot->high)
		plot->low = plot->high = 0;
}

/* The title that a picture has when none is given. */
static void
default_title(Plot *plot)
{
	char	   *title = palloc(160);
	AoSpec		spec;

	ao_model_spec(plot->model, &spec);
	strcpy(title, "ARIMA");
	ao_spec_format(&spec, title + 5, 128);
	if (plot->h > 0)
		snprintf(title + strlen(title), 32, ", %d step%s ahead", plot->h, plot->h == 1 ? "" : "s");
	plot->title = title;
	plot->heading = true;
	plot->title_len = (int) strlen(title);
}

/* The user's title; an empty one leaves the picture without. */
static void
take_title(Plot *plot, text *title)
{
	plot->heading = VARSIZE_ANY_EXHDR(title) > 0;
	if (!plot->heading)
		return;
	plot->title = VARDATA_ANY(title);
	plot->title_len = (int) VARSIZE_ANY_EXHDR(title);
}

PG_FUNCTION_INFO_V1(arima_ops_plot);

/* arima_plot(model arima_model, y float8[], h int, title text, last int, levels
 * float8[], backtest float8[], labels text[], xreg float8[]): NULL if one of the
 * first three is; NULL elsewhere is the default */
Datum
arima_ops_plot(PG_FUNCTION_ARGS)
{
	static double usual_levels[] = {0.5, 0.8, 0.95};
	AoSeries	levels = {usual_levels, lengthof(usual_levels)};
	Plot		plot = {0};
	StringInfoData out;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();

	plot.model = PG_GETARG_AO_MODEL(0);
	plot.now = plot.model->n;
	plot.h = PG_GETARG_INT32(2);
	if (plot.h != 0)
		ao_pg_check_horizon(plot.h);
	if (!PG_ARGISNULL(5))
		levels = ao_pg_levels(PG_GETARG_ARRAYTYPE_P(5));
	take_levels(&plot, &levels);
	take_history(&plot, PG_GETARG_ARRAYTYPE_P(1));
	if (!PG_ARGISNULL(6))
		take_backtest(&plot, PG_GETARG_ARRAYTYPE_P(6));
	if (!PG_ARGISNULL(7))
		take_labels(&plot, PG_GETARG_ARRAYTYPE_P(7));
	take_forecast(&plot, fcinfo, 8);
	take_span(&plot, PG_ARGISNULL(4), PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4));
	take_range(&plot);
	default_title(&plot);
	if (!PG_ARGISNULL(3))
		take_title(&plot, PG_GETARG_TEXT_PP(3));

	initStringInfo(&out);
	ao_plot_draw(&out, &plot);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

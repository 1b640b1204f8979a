/*
 * explain.h
 *		What the parts of arima_explain share.
 */
#ifndef AO_EXPLAIN_H
#define AO_EXPLAIN_H

#include "lib/stringinfo.h"

#include "diagnostics.h"
#include "glue.h"

#define EXPLAIN_LONGEST 2000	/* steps looked ahead at most */

/* A model and what its words are made from. */
typedef struct Explained
{
	const AoModel *model;
	AoSpec		spec;
	AoRoot		roots[4];		/* ar, ma, sar, sma */
	double		half_life;		/* steps in which the AR part halves a deviation; 0 without one */
	int			h;
	bool		settles;		/* by step h the forecast is where it goes */
	AoForecast *steps;			/* [h] with 95 % intervals, means not adjusted, or NULL: not to be had */
} Explained;

/* A palloc'd number of the series for a reader. */
extern char *ao_explain_number(double number);

/* Is a root at frequency zero, or has the series so few of its cycles (it is n of its units long) that
 * it cannot tell them from none? */
extern bool ao_explain_like_a_trend(const AoRoot *root, double n);

/* explain_future.c: where the forecast goes, and how certain that is */
extern void ao_explain_future(StringInfo out, const Explained *ex);

/* explain_unusual.c: a warning of values that are too far from all others; nothing without such */
extern void ao_explain_unusual(StringInfo out, const Explained *ex, const AoSeries *y, const AoMatrix *xreg);

#endif							/* AO_EXPLAIN_H */

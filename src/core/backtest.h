/*
 * backtest.h
 *		Walk-forward validation: at each of a row of origins a model that has
 *		seen the values up to there, and no others, forecasts those after it.
 *
 * Origins are initial, initial + step, .. below n: counts of values used.  The
 * model is estimated at the first of them and at every refit_every-th after it,
 * on all values so far or on the last `window` of them, starting from the
 * coefficients before; at the origins in between its filter is rolled forward.
 * Where SEARCH_SHARE of the values of an estimate are new since the optimum was
 * last searched for, it is searched for again.
 */
#ifndef AO_BACKTEST_H
#define AO_BACKTEST_H

#include "ao.h"

typedef struct AoBacktest
{
	int64_t		initial;		/* first origin, 1 .. n-1 */
	int64_t		step;			/* between origins, >= 1 */
	int64_t		refit_every;	/* origins from one estimate to the next; 0: a single one */
	int64_t		window;			/* values of an estimate; 0: all */
	int			horizon;		/* forecasts of one origin; those beyond the series are left out */
	double		level;			/* of the intervals */
	bool		reselect;		/* with "auto": choose the model at every search, not only the first */
	const AoFitOptions *fit;
	const AoModel *model;		/* or NULL: parameters in place of the first estimate */
} AoBacktest;

/* Takes forecast `step` of an origin; actual is NaN where it is missing. */
typedef void (*AoBacktestSink) (void *arg, int64_t origin, int step, double actual,
								const AoForecast *forecast);

/* y: n values; xreg: n x k by rows, or NULL with k = 0.  spec is not looked at when a
 * model is given.  Rows go to the sink in order of origin and step, nothing is kept. */
AoStatus	ao_backtest(const double *y, int64_t n, const double *xreg, int k, const AoSpec *spec,
						const AoBacktest *how, AoEnv *env, AoBacktestSink sink, void *sink_arg);

#endif							/* AO_BACKTEST_H */

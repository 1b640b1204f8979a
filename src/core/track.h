/*
 * track.h
 *		The optimum of the exact likelihood followed while values are added to
 *		a complete series, and the filters at the estimates along the way.
 *
 * The likelihood of n+1 values is that of n values and one more step of the
 * filter.  So a set of points around the optimum - it and its neighbours - is
 * carried on from value to value at the cost of one step, and its second
 * differences give the way to where the optimum has moved (Newton).  Only when
 * that is too far for them is a new set placed, which costs a pass over all
 * values.  The estimates of several origins then share the lanes of one pass,
 * from which the states of their filters are taken.
 */
#ifndef AO_TRACK_H
#define AO_TRACK_H

#include "internal.h"

#define AO_TRACK_MAX_K 8		/* ARMA parameters that can be followed */
#define AO_TRACK_POINTS (1 + 2 * AO_TRACK_MAX_K + AO_TRACK_MAX_K * (AO_TRACK_MAX_K - 1) / 2)
#define AO_TRACK_PASSES ((AO_TRACK_POINTS + AO_MAX_POINTS - 1) / AO_MAX_POINTS)

typedef struct AoTrack
{
	AoEnv	   *env;
	AoArena		arena;
	AoShape		shape;
	AoDesign	design;			/* of the values at the opening */
	AoFitOptions fit;
	const double *y,			/* values, and n x k_xreg regressors */
			   *xreg;
	int			k_xreg;
	int64_t		end;			/* values that can be reached */
	double	   *z;				/* rows of the design, those to come included */
	bool		want_cov;		/* forecasts of more than one step */
	/* the points around the optimum */
	int			n_points,
				n_passes;
	AoPass		points[AO_TRACK_PASSES];
	bool		placed;
	double		limit;			/* gain in log-likelihood within which they serve */
	double	   *centre,			/* [k] unbounded parameters */
			   *step,			/* [k] to the optimum */
			   *gradient,		/* [k] */
			   *hessian,		/* [k][k] */
			   *values;			/* [n_points] */
	/* the filters of several estimates */
	AoPass		filters[3];		/* of 1, 2, 4 vectors */
	AoPass	   *filter;			/* the one in use */
	bool		one_by_one;		/* the covariance of the state is needed: one lane */
	double	   *state_cov;		/* [r][r] */
	double	   *cross,			/* work: of one lane */
			   *chol,
			   *gamma;			/* [AO_MAX_POINTS][n_beta] */
	AoModel    *model;			/* as the last ao_track_model left it */
} AoTrack;

/* Can it be done with this model, complete values and method? */
bool		ao_track_serves(const AoModel *model);
/* From a model of y[n], n values, on, up to y[end].  The track is the caller's. */
AoStatus	ao_track_open(AoTrack *tr, const AoModel *model, const double *y, int64_t n, int64_t end,
						  const double *xreg, bool want_cov, AoEnv *env);
void		ao_track_close(AoTrack *tr);
/* Coefficients [k] at the optimum of n values, n never less than before; *found says
 * whether there is one that this way leads to. */
AoStatus	ao_track_optimum(AoTrack *tr, int64_t n, double *coef, bool *found);
/* Says where the optimum is instead. */
void		ao_track_place(AoTrack *tr, const double *coef);

/* Filters of up to AO_MAX_POINTS estimates coef[][k] over the first n values; *served: how
 * many it came to, 0 where the filter loses its digits. */
AoStatus	ao_track_filters(AoTrack *tr, const double *coef, int count, int64_t n, int *served);
/* They move on to value n. */
AoStatus	ao_track_advance(AoTrack *tr, int64_t n);
/* Estimate i is of the values so far: its variance and regression into tr->model. */
AoStatus	ao_track_solve(AoTrack *tr, int i, const double *coef);
/* The state of estimate i after the values so far into tr->model. */
void		ao_track_state(AoTrack *tr, int i);

#endif							/* AO_TRACK_H */

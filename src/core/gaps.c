/*
 * gaps.c
 *		Missing values filled, for what cannot do without them.
 */
#include "values.h"

#include <math.h>
#include <string.h>

/* See internal.h. */
AoStatus
ao_count_gaps(const double *y, int64_t n, const double *xreg, int k, AoEnv *env, int64_t *gaps)
{
	AoPace		pace = {env, 0};
	bool		begun = false;

	*gaps = 0;
	for (int64_t t = 0; t < n; t++)
	{
		bool		missing = isnan(y[t]);

		begun = begun || !missing;
		for (int j = 0; j < k && !missing; j++)
			missing = isnan(xreg[t * k + j]);
		*gaps += begun && missing;
		AO_TRY(ao_pace(&pace, 1 + k));
	}
	return AO_OK;
}

/* Straight lines across the gaps of y, the nearest value at the ends; in place.
 * A series without any value stays as it is. */
static AoStatus
fill_straight(double *y, int64_t n, AoEnv *env)
{
	int64_t		last = -1;
	AoPace		pace = {env, 0};

	for (int64_t t = 0; t < n; t++)
	{
		AO_TRY(ao_pace(&pace, 1));
		if (isnan(y[t]))
			continue;
		for (int64_t g = last + 1; g < t; g++)
		{
			double		share = (double) (g - last) / (double) (t - last);

			y[g] = last < 0 ? y[t] : (1 - share) * y[last] + share * y[t];
		}
		last = t;
	}
	for (int64_t g = last + 1; last >= 0 && g < n; g++)
		y[g] = y[last];
	return AO_OK;
}

/* Takes the seasonal component of `filled` out of y, fills y's gaps there and
 * puts it back in; the result is in filled.  work: [2 n]. */
static AoStatus
fill_seasonal(const double *y, int64_t n, int m, double *filled, double *work, AoEnv *env)
{
	static const AoStlOptions robust = {AO_STL_WINDOW, true};
	double	   *seasonal = work,
			   *trend = work + n;
	AoPace		pace = {env, 0};

	AO_TRY(ao_stl(filled, n, m, &robust, env, seasonal, trend));
	for (int64_t t = 0; t < n; t++)
	{
		filled[t] = y[t] - seasonal[t];
		AO_TRY(ao_pace(&pace, 1));
	}
	AO_TRY(fill_straight(filled, n, env));
	for (int64_t t = 0; t < n; t++)
	{
		filled[t] = isnan(y[t]) ? filled[t] + seasonal[t] : y[t];
		AO_TRY(ao_pace(&pace, 1));
	}
	return AO_OK;
}

/* See tests.h. */
AoStatus
ao_fill_gaps(const double *y, int64_t n, int m, AoEnv *env, double *filled)
{
	AoValues	values;
	AoArena		arena;
	AoStatus	status;

	AO_TRY(ao_values_measure(y, n, &values, env));
	memcpy(filled, y, (size_t) n * sizeof(double));
	if (values.n == n)
		return AO_OK;
	AO_TRY(fill_straight(filled, n, env));
	if (m < 2 || values.n <= 2 * (int64_t) m)
		return AO_OK;
	AO_TRY(ao_arena_open(&arena, ao_arena_round((size_t) n, 2 * sizeof(double)), env));
	status = fill_seasonal(y, n, m, filled,
						   ao_arena_take(&arena, (size_t) n, 2 * sizeof(double)), env);
	ao_arena_close(&arena, env);
	return status;
}

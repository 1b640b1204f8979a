/*
 * model_words.c
 *		The words for what a model has: remarks, methods, kinds of interval.
 */
#include "postgres.h"

#include "model_json.h"

const AoRemarkName ao_pg_remark_names[AO_N_REMARKS] = {
	{AO_REMARK_CONSTANT, "constant", "degenerate: the differenced series is constant, and the model has no constant"},
	{AO_REMARK_NOT_CONVERGED, "not_converged", "not converged"},
	{AO_REMARK_AR_BOUNDARY, "ar_boundary", "an AR root is near the unit circle"},
	{AO_REMARK_MA_BOUNDARY, "ma_boundary", "an MA root is on or near the unit circle"},
	{AO_REMARK_CANCELLING, "cancelling", "an AR and an MA root nearly cancel"},
	{AO_REMARK_DEGENERATE, "degenerate", "degenerate: the series is constant or exactly explained"},
	{AO_REMARK_NO_COVARIANCE, "no_covariance", "no standard errors"},
	{AO_REMARK_BUDGET, "budget", "the choice of the model was ended by its budget"}};

const char *const ao_pg_method_names[AO_CSS_ML + 1] = {
	[AO_ML] = "ml",
	[AO_CSS] = "css",
	[AO_CSS_ML] = "css-ml"};

const char *const ao_pg_interval_names[AO_INTERVAL_CONFORMAL + 1] = {
	[AO_INTERVAL_NORMAL] = "normal",
	[AO_INTERVAL_STUDENT] = "student",
	[AO_INTERVAL_CONFORMAL] = "conformal"};

/* Which of the names it is; -1 if none. */
static int
find_name(const char *const *names, int n_names, const char *name, int len)
{
	for (int i = 0; i < n_names; i++)
	{
		if (len == (int) strlen(names[i]) && memcmp(name, names[i], len) == 0)
			return i;
	}
	return -1;
}

bool
ao_pg_method_named(const char *name, int len, AoMethod *method)
{
	int i = find_name(ao_pg_method_names, lengthof(ao_pg_method_names), name, len);

	if (i >= 0)
		*method = (AoMethod) i;
	return i >= 0;
}

bool
ao_pg_interval_named(const char *name, int len, AoIntervalKind *kind)
{
	int i = find_name(ao_pg_interval_names, lengthof(ao_pg_interval_names), name, len);

	if (i >= 0)
		*kind = (AoIntervalKind) i;
	return i >= 0;
}

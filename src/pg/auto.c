/*
 * auto.c
 *		The SQL function arima_candidates: what the automatic choice of the model
 *		looked at.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "fit_arguments.h"

PGDLLEXPORT Datum arima_ops_candidates(PG_FUNCTION_ARGS);

#define COLUMNS 7

/* A number, or NULL for one that there is not. */
static void
set_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = !isfinite(number);
	values[column] = nulls[column] ? (Datum) 0 : Float8GetDatum(number);
}

/* One row: tried, spec, criterion, loglik, reason, milliseconds, chosen. */
static void
put_candidate(Tuplestorestate *store, TupleDesc tupdesc, int tried, const AoCandidate *candidate)
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {false};
	char		spec[128];

	ao_spec_format(&candidate->spec, spec, sizeof(spec));
	values[0] = Int32GetDatum(tried);
	values[1] = CStringGetTextDatum(spec);
	set_number(values, nulls, 2, candidate->criterion);
	set_number(values, nulls, 3, candidate->loglik);
	nulls[4] = candidate->reason == NULL;
	values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(candidate->reason);
	values[5] = Float8GetDatum(candidate->milliseconds);
	values[6] = BoolGetDatum(candidate->chosen);
	tuplestore_putvalues(store, tupdesc, values, nulls);
}

static bool
same_spec(const AoSpec *a, const AoSpec *b)
{
	return a->p == b->p && a->d == b->d && a->q == b->q && a->P == b->P && a->D == b->D &&
		a->Q == b->Q && a->K == b->K && a->constant == b->constant;
}

/* Where no candidate could be compared the choice is the simplest model: marks
 * it among those tried, or makes *last a row of its own and returns true. */
static bool
mark_simplest(const AoModel *model, AoCandidate *list, int count, AoCandidate *last)
{
	AoSpec		spec;

	for (int i = 0; i < count; i++)
	{
		if (list[i].chosen)
			return false;
	}
	ao_model_spec(model, &spec);
	for (int i = 0; i < count; i++)
	{
		if (same_spec(&list[i].spec, &spec))
		{
			list[i].chosen = true;
			return false;
		}
	}
	memset(last, 0, sizeof(AoCandidate));
	last->spec = spec;
	last->criterion = NAN;
	last->loglik = model->loglik;
	last->reason = "the simplest model: no other could be compared";
	last->chosen = true;
	return true;
}

PG_FUNCTION_INFO_V1(arima_ops_candidates);

/* arima_candidates(y float8[], spec text, xreg float8[], options jsonb): the
 * models tried, in that order; no rows if y is NULL */
Datum
arima_ops_candidates(PG_FUNCTION_ARGS)
{
	AoFitArguments given;
	AoEnv		env;
	AoModel    *model;
	AoCandidate *list = NULL;
	AoCandidate last;
	int			count = 0;
	bool		has_last;
	bool		any = ao_pg_fit_arguments(fcinfo, 2, 3, PG_INT64_MAX, &env, &given);
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);

	if (!any)
		return (Datum) 0;
	if (!given.spec.is_auto)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are no candidates where the specification gives the orders"),
				 errhint("Give \"auto\", or with a seasonal period for example \"auto[12]\".")));
	ao_pg_check(ao_choose(given.y.values, given.y.n, given.xreg.values, given.xreg.cols,
						  given.spec.m, &given.options, &env, &model, &list, &count), &env);
	has_last = mark_simplest(model, list, count, &last);
	for (int i = 0; i < count; i++)
		put_candidate(store, tupdesc, i + 1, &list[i]);
	if (has_last)
		put_candidate(store, tupdesc, count + 1, &last);
	return (Datum) 0;
}

/*
 * model_read.c
 *		SQL functions that read a model: arima_coefficients, arima_stats,
 *		arima_summary.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "model_json.h"

PGDLLEXPORT Datum arima_ops_coefficients(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_stats(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_summary(PG_FUNCTION_ARGS);

/* One line of the coefficient table; NaN where unknown. */
typedef struct Coefficient
{
	char		term[16];
	double		estimate;
	double		std_error;
	double		z;				/* estimate / std_error */
	double		p_value;		/* two-sided, of z being standard normal */
} Coefficient;

static Coefficient
get_coefficient(const AoModel *model, int i)
{
	Coefficient result;

	ao_model_term(model, i, result.term);
	result.estimate = ao_model_coef(model)[i];
	result.std_error = sqrt(ao_model_cov(model)[(size_t) i * (i + 3) / 2]);
	result.z = result.std_error > 0 ? result.estimate / result.std_error : NAN;
	result.p_value = isnan(result.z) ? NAN : ao_normal_two_sided(result.z);
	return result;
}

/* "ok", or what the estimation remarked. */
static char *
status_text(const AoModel *model)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < AO_N_REMARKS; i++)
	{
		if ((model->remarks & ao_pg_remark_names[i].bit) != 0)
			appendStringInfo(&out, "%s%s", out.len > 0 ? "; " : "", ao_pg_remark_names[i].words);
	}
	if (out.len == 0)
		appendStringInfoString(&out, "ok");
	return out.data;
}

static void
set_text(Datum *values, int column, const char *text)
{
	values[column] = CStringGetTextDatum(text);
}

/* A number, or NULL for NaN. */
static void
set_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = isnan(number);
	values[column] = nulls[column] ? (Datum) 0 : Float8GetDatum(number);
}

/* arima_coefficients(model): one row per coefficient, in the model's order */
PG_FUNCTION_INFO_V1(arima_ops_coefficients);
Datum
arima_ops_coefficients(PG_FUNCTION_ARGS)
{
	AoModel    *model = PG_GETARG_AO_MODEL(0);
	TupleDesc	tupdesc;
	Tuplestorestate *store = ao_pg_srf_begin(fcinfo, &tupdesc);

	for (int i = 0; i < model->n_coef; i++)
	{
		Coefficient coefficient = get_coefficient(model, i);
		Datum		values[5];
		bool		nulls[5] = {false};

		set_text(values, 0, coefficient.term);
		set_number(values, nulls, 1, coefficient.estimate);
		set_number(values, nulls, 2, coefficient.std_error);
		set_number(values, nulls, 3, coefficient.z);
		set_number(values, nulls, 4, coefficient.p_value);
		tuplestore_putvalues(store, tupdesc, values, nulls);
	}
	return (Datum) 0;
}

/* The specification's canonical text, palloc'd. */
static char *
spec_text(const AoModel *model)
{
	char	   *text = palloc(128);
	AoSpec		spec;

	ao_model_spec(model, &spec);
	ao_spec_format(&spec, text, 128);
	return text;
}

/* arima_stats(model): one row on the model as a whole */
PG_FUNCTION_INFO_V1(arima_ops_stats);
Datum
arima_ops_stats(PG_FUNCTION_ARGS)
{
	AoModel    *model = PG_GETARG_AO_MODEL(0);
	TupleDesc	tupdesc;
	Datum		values[16];
	bool		nulls[16] = {false};
	double		aic;
	double		aicc;
	double		bic;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	ao_model_criteria(model, &aic, &aicc, &bic);
	set_text(values, 0, spec_text(model));
	values[1] = Int64GetDatum(model->n);
	values[2] = Int64GetDatum(model->n_missing);
	set_number(values, nulls, 3, model->sigma2);
	set_number(values, nulls, 4, model->loglik);
	set_number(values, nulls, 5, aic);
	set_number(values, nulls, 6, aicc);
	set_number(values, nulls, 7, bic);
	values[8] = BoolGetDatum((model->remarks & AO_REMARK_NOT_CONVERGED) == 0);
	set_text(values, 9, status_text(model));
	values[10] = Int64GetDatum(model->n_used);
	set_text(values, 11, ao_pg_method_names[model->method]);
	set_number(values, nulls, 12, model->has_lambda ? model->lambda : NAN);
	values[13] = Int32GetDatum(model->iterations);
	set_text(values, 14, ao_pg_interval_names[model->interval]);
	values[15] = BoolGetDatum(model->bias_adjust);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

/* A number in a column of the given width; "-" if unknown. */
static void
put_column(StringInfo out, int width, const char *format, double value)
{
	char		buf[64];

	if (isnan(value))
		strlcpy(buf, "-", sizeof(buf));
	else
		snprintf(buf, sizeof(buf), format, value);
	appendStringInfo(out, "  %*s", width, buf);
}

static void
put_coefficients(StringInfo out, const AoModel *model)
{
	if (model->n_coef == 0)
	{
		appendStringInfoString(out, "no coefficients\n");
		return;
	}
	appendStringInfo(out, "%-8s  %12s  %12s  %8s  %8s\n",
					 "term", "estimate", "std. error", "z", "p value");
	for (int i = 0; i < model->n_coef; i++)
	{
		Coefficient coefficient = get_coefficient(model, i);

		appendStringInfo(out, "%-8s", coefficient.term);
		put_column(out, 12, "%.5g", coefficient.estimate);
		put_column(out, 12, "%.4g", coefficient.std_error);
		put_column(out, 8, fabs(coefficient.z) < 1e5 ? "%.2f" : "%.1e", coefficient.z);
		if (coefficient.p_value < 0.0001)
			appendStringInfo(out, "  %8s", "< 0.0001");
		else
			put_column(out, 8, "%.4f", coefficient.p_value);
		appendStringInfoChar(out, '\n');
	}
}

/* "name value" after a separator; "-" if unknown. */
static void
put_named(StringInfo out, const char *name, const char *format, double value)
{
	appendStringInfoString(out, name);
	if (isnan(value))
		appendStringInfoString(out, " -");
	else
	{
		appendStringInfoChar(out, ' ');
		appendStringInfo(out, format, value);
	}
}

static void
put_likelihood(StringInfo out, const AoModel *model)
{
	double		aic;
	double		aicc;
	double		bic;

	ao_model_criteria(model, &aic, &aicc, &bic);
	put_named(out, "sigma^2", "%.5g", model->sigma2);
	put_named(out, "   log-likelihood", "%.2f", model->loglik);
	put_named(out, "\nAIC", "%.2f", aic);
	put_named(out, "   AICc", "%.2f", aicc);
	put_named(out, "   BIC", "%.2f", bic);
	appendStringInfoChar(out, '\n');
}

/* What the intervals are, where they are not normal. */
static void
put_interval(StringInfo out, const AoModel *model)
{
	if (model->interval == AO_INTERVAL_STUDENT)
		appendStringInfo(out, "intervals by Student's t with %d degrees of freedom\n", model->df);
	else if (model->interval == AO_INTERVAL_CONFORMAL && model->n_calibrated > 0)
		appendStringInfo(out, "conformal intervals, calibrated for %d steps\n", model->n_calibrated);
	else if (model->interval == AO_INTERVAL_CONFORMAL)
		appendStringInfo(out, "conformal intervals, but too few errors to calibrate them: by Student's t with %d degrees of freedom\n", model->df);
}

/* arima_summary(model): what there is to know, for a reader */
PG_FUNCTION_INFO_V1(arima_ops_summary);
Datum
arima_ops_summary(PG_FUNCTION_ARGS)
{
	static const char *const estimators[] = {
		[AO_ML] = "exact maximum likelihood",
		[AO_CSS] = "conditional least squares",
		[AO_CSS_ML] = "exact maximum likelihood, from conditional least squares"
	};
	AoModel    *model = PG_GETARG_AO_MODEL(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "ARIMA%s\n", spec_text(model));
	appendStringInfo(&out, "fitted by %s\n", estimators[model->method]);
	if (model->has_lambda)
		appendStringInfo(&out, "to values transformed by Box-Cox with lambda %.4g\n", model->lambda);
	if (model->bias_adjust)
		appendStringInfoString(&out, "forecasts are means, not medians\n");
	put_interval(&out, model);
	appendStringInfoChar(&out, '\n');
	put_coefficients(&out, model);
	appendStringInfoChar(&out, '\n');
	put_likelihood(&out, model);
	appendStringInfo(&out, "values " INT64_FORMAT "   missing " INT64_FORMAT "   used " INT64_FORMAT "\n",
					 model->n, model->n_missing, model->n_used);
	appendStringInfo(&out, "status: %s", status_text(model));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * fit.c
 *		SQL functions that make a model from an array: arima_fit, arima_refit,
 *		arima_append, and arima_residuals of one.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "model_json.h"

PGDLLEXPORT Datum arima_ops_fit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_refit(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_append(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_residuals(PG_FUNCTION_ARGS);

/* The options that arima_fit knows. */
typedef struct OptionKey
{
	const char *name;
	enum jbvType type;
	bool		or_text;		/* a string is taken too */
	bool		of_auto;		/* bounds the search of the specification "auto", no use to others */
} OptionKey;

static const OptionKey option_keys[] = {
	{"method", jbvString, false, false},
	{"lambda", jbvNumeric, true, false},
	{"max_p", jbvNumeric, false, true},
	{"max_q", jbvNumeric, false, true},
	{"max_P", jbvNumeric, false, true},
	{"max_Q", jbvNumeric, false, true},
	{"max_d", jbvNumeric, false, true},
	{"max_D", jbvNumeric, false, true},
	{"max_order", jbvNumeric, false, true},
	{"max_models", jbvNumeric, false, true},
	{"stepwise", jbvBool, false, true},
	{"ic", jbvString, false, true},
	{"time_budget_ms", jbvNumeric, false, true}
};

static const char option_hint[] =
	"The options are method, lambda, and for the specification \"auto\" max_p, max_q, max_P, max_Q, "
	"max_d, max_D, max_order, max_models, stepwise, ic and time_budget_ms.";

/* Does the JSON string or key equal the C string? */
static bool
jsonb_text_is(const JsonbValue *value, const char *text)
{
	return value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/* The option that key names; if none, that is an error. */
static const OptionKey *
find_option(const JsonbValue *key)
{
	for (int i = 0; i < (int) lengthof(option_keys); i++)
	{
		if (jsonb_text_is(key, option_keys[i].name))
			return &option_keys[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%.*s\"", key->val.string.len, key->val.string.val),
			 errhint("%s", option_hint)));
}

/* Reports an error unless key is an option that has a use with the
 * specification, and value has its type. */
static void
check_option(const JsonbValue *key, const JsonbValue *value, const AoSpec *spec)
{
	const OptionKey *option = find_option(key);

	if (option->of_auto && !spec->is_auto)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has no use where the specification gives the orders", option->name),
				 errhint("Leave it out: it belongs to the specification \"auto\".")));
	if (value->type != option->type && !(option->or_text && value->type == jbvString))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has a value of the wrong type", option->name),
				 errhint("It must be a %s.",
						 option->type == jbvString ? "string" :
						 option->type == jbvBool ? "boolean" :
						 option->or_text ? "number or \"auto\"" : "number")));
}

/* The estimation method that the JSON string names. */
static AoMethod
option_method(const JsonbValue *value)
{
	AoMethod	method;

	if (!ao_pg_method_named(value->val.string.val, value->val.string.len, &method))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown method \"%.*s\"", value->val.string.len, value->val.string.val),
				 errhint("The methods are \"%s\", \"%s\" and \"%s\".", ao_pg_method_names[AO_ML],
						 ao_pg_method_names[AO_CSS], ao_pg_method_names[AO_CSS_ML])));
	return method;
}

/* Takes the value of option lambda: a number, whose range the core checks, or "auto". */
static void
option_lambda(const JsonbValue *value, AoFitOptions *options, AoEnv *env)
{
	if (value->type == jbvNumeric)
	{
		options->has_lambda = true;
		options->lambda = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
															 NumericGetDatum(value->val.numeric)));
		return;
	}
	if (jsonb_text_is(value, "auto"))
	{
		env->err.what = "automatic choice of lambda\nGive it as a number, for example 0 for logarithms.";
		ao_pg_check(AO_NOT_YET, env);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid lambda \"%.*s\"", value->val.string.len, value->val.string.val),
			 errhint("Give the Box-Cox parameter as a number, not as a string.")));
}

/* Reads the options object for a fit of the specification; what it does not
 * name keeps its default. */
AoFitOptions
ao_pg_fit_options(Jsonb *json, const AoSpec *spec, AoEnv *env)
{
	AoFitOptions options = {.method = AO_ML};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example '{\"method\": \"css\"}'.")));

	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		check_option(&key, &value, spec);
		if (jsonb_text_is(&key, "method"))
			options.method = option_method(&value);
		else if (jsonb_text_is(&key, "lambda"))
			option_lambda(&value, &options, env);
	}
	return options;
}

/* Parses and checks a specification; a fault is an error with its position. */
void
ao_pg_spec(text *spec, AoSpec *out)
{
	AoEnv		env;

	ao_pg_env(&env);
	ao_pg_check(ao_spec_parse(VARDATA_ANY(spec), VARSIZE_ANY_EXHDR(spec), out, &env), &env);
}

PG_FUNCTION_INFO_V1(arima_ops_fit);

/* arima_fit(y float8[], spec text, xreg float8[], options jsonb) */
Datum
arima_ops_fit(PG_FUNCTION_ARGS)
{
	AoFitOptions options = {.method = AO_ML};
	AoEnv		env;
	AoSpec		spec;
	AoSeries	y;
	AoMatrix	xreg;
	AoModel    *model;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model specification must not be null"),
				 errhint("Give one, for example '(1,1,1)'.")));

	ao_pg_env(&env);
	ao_pg_spec(PG_GETARG_TEXT_PP(1), &spec);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "y");
	xreg = ao_pg_xreg(fcinfo, 2, y.n);
	if (!PG_ARGISNULL(3))
		options = ao_pg_fit_options(PG_GETARG_JSONB_P(3), &spec, &env);

	ao_pg_check(ao_fit(y.values, y.n, xreg.values, xreg.cols, &spec, &options, &env, &model), &env);
	PG_RETURN_AO_MODEL(model);
}

/* Applies a core function of a model, a series and regressors (arguments 0 to
 * 2) that gives a new model. */
static Datum
model_from_series(FunctionCallInfo fcinfo,
				  AoStatus (*apply) (const AoModel *, const double *, int64_t,
									 const double *, int, AoEnv *, AoModel **))
{
	AoEnv		env;
	AoModel    *model;
	AoModel    *result;
	AoSeries	y;
	AoMatrix	xreg;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	ao_pg_env(&env);
	model = PG_GETARG_AO_MODEL(0);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
	xreg = ao_pg_xreg(fcinfo, 2, y.n);
	ao_pg_check(apply(model, y.values, y.n, xreg.values, xreg.cols, &env, &result), &env);
	PG_RETURN_AO_MODEL(result);
}

PG_FUNCTION_INFO_V1(arima_ops_refit);

/* arima_refit(model arima_model, y float8[], xreg float8[]) */
Datum
arima_ops_refit(PG_FUNCTION_ARGS)
{
	return model_from_series(fcinfo, ao_refit);
}

PG_FUNCTION_INFO_V1(arima_ops_append);

/* arima_append(model arima_model, y float8[], xreg float8[]) */
Datum
arima_ops_append(PG_FUNCTION_ARGS)
{
	return model_from_series(fcinfo, ao_append);
}

PG_FUNCTION_INFO_V1(arima_ops_residuals);

/* arima_residuals(model arima_model, y float8[], xreg float8[]): standardised
 * innovations, NULL where there is none */
Datum
arima_ops_residuals(PG_FUNCTION_ARGS)
{
	AoEnv		env;
	AoModel    *model;
	AoSeries	y;
	AoMatrix	xreg;
	double	   *residuals;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	ao_pg_env(&env);
	model = PG_GETARG_AO_MODEL(0);
	y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(1), "y");
	xreg = ao_pg_xreg(fcinfo, 2, y.n);
	residuals = palloc_extended(sizeof(double) * Max(y.n, 1), MCXT_ALLOC_HUGE);
	ao_pg_check(ao_residuals(model, y.values, y.n, xreg.values, xreg.cols, &env, residuals), &env);
	PG_RETURN_ARRAYTYPE_P(ao_pg_array(residuals, y.n));
}

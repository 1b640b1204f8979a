/*
 * fit_arguments.c
 *		The arguments of arima_fit and arima_candidates: the specification, and the
 *		options as a JSON object.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "fit_arguments.h"
#include "model_json.h"
#include "tests.h"

#define MAX_TIME_BUDGET 1e9		/* ms */

/* Where lambda "auto" is looked for.  Not below 0, as arima_box_cox_lambda does: there the transformed scale
 * has an end, and the forecasts of a series that grows pass it. */
#define LOWEST_LAMBDA 0.0
#define HIGHEST_LAMBDA 2.0

/* An option that arima_fit knows. */
typedef struct Option
{
	const char *name;
	enum jbvType type;
	bool		or_text;		/* a string is taken too */
	bool		of_auto;		/* bounds the search of the specification "auto", no use to others */
	int			min,			/* of a whole number, which goes to offset in AoAutoOptions */
				max;
	size_t		offset;
} Option;

#define COUNT(name, min, max) {#name, jbvNumeric, false, true, min, max, offsetof(AoAutoOptions, name)}

static const Option option_table[] = {
	{"method", jbvString, false, false, 0, 0, 0},
	{"lambda", jbvNumeric, true, false, 0, 0, 0},
	{"bias_adjust", jbvBool, false, false, 0, 0, 0},
	{"interval", jbvString, false, false, 0, 0, 0},
	{"stepwise", jbvBool, false, true, 0, 0, 0},
	{"approximation", jbvBool, false, true, 0, 0, 0},
	{"ic", jbvString, false, true, 0, 0, 0},
	{"time_budget_ms", jbvNumeric, false, true, 0, 0, 0},
	{"fourier", jbvNumeric, true, true, 0, AO_MAX_FOURIER, offsetof(AoAutoOptions, fourier)},
	COUNT(max_p, 0, AO_AUTO_MAX_P),
	COUNT(max_q, 0, AO_AUTO_MAX_P),
	COUNT(max_P, 0, AO_AUTO_MAX_SEASONAL),
	COUNT(max_Q, 0, AO_AUTO_MAX_SEASONAL),
	COUNT(max_d, 0, AO_AUTO_MAX_D),
	COUNT(max_D, 0, AO_AUTO_MAX_SEASONAL_D),
	COUNT(max_order, 0, AO_AUTO_MAX_ORDER),
	COUNT(max_models, 1, AO_AUTO_MAX_MODELS)
};

static const char option_hint[] =
	"The options are method, lambda, bias_adjust, interval, and for the specification \"auto\" max_p, max_q, max_P, max_Q, "
	"max_d, max_D, max_order, max_models, stepwise, approximation, fourier, ic and time_budget_ms.";

static const struct
{
	const char *name;
	AoCriterion criterion;
}			criteria[] = {{"aicc", AO_AICC}, {"aic", AO_AIC}, {"bic", AO_BIC}};

/* Does the JSON string or key equal the C string? */
static bool
jsonb_text_is(const JsonbValue *value, const char *text)
{
	return value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/* The JSON number; infinite beyond the range of double precision. */
static double
jsonb_number(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

/* The option that key names; if none, that is an error. */
static const Option *
find_option(const JsonbValue *key)
{
	for (int i = 0; i < (int) lengthof(option_table); i++)
	{
		if (jsonb_text_is(key, option_table[i].name))
			return &option_table[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%.*s\"", key->val.string.len, key->val.string.val),
			 errhint("%s", option_hint)));
}

/* Reports an error unless the option has a use with the specification, and
 * value has its type. */
static void
check_option(const Option *option, const JsonbValue *value, const AoSpec *spec)
{
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
method_option(const JsonbValue *value)
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

/* The kind of interval that the JSON string names. */
static AoIntervalKind
interval_option(const JsonbValue *value)
{
	AoIntervalKind kind;

	if (!ao_pg_interval_named(value->val.string.val, value->val.string.len, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown kind of interval \"%.*s\"", value->val.string.len, value->val.string.val),
				 errhint("interval is \"%s\", \"%s\" or \"%s\".", ao_pg_interval_names[AO_INTERVAL_NORMAL],
						 ao_pg_interval_names[AO_INTERVAL_STUDENT],
						 ao_pg_interval_names[AO_INTERVAL_CONFORMAL])));
	return kind;
}

/* The information criterion that the JSON string names. */
static AoCriterion
criterion_option(const JsonbValue *value)
{
	for (int i = 0; i < (int) lengthof(criteria); i++)
	{
		if (jsonb_text_is(value, criteria[i].name))
			return criteria[i].criterion;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown information criterion \"%.*s\"", value->val.string.len, value->val.string.val),
			 errhint("ic is \"aicc\", \"aic\" or \"bic\".")));
}

/* Puts a whole number where the option says. */
static void
take_count(const Option *option, const JsonbValue *value, AoAutoOptions *choice)
{
	double		number = jsonb_number(value);

	if (!(number >= option->min && number <= option->max) || number != floor(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range", option->name),
				 errhint("It must be a whole number from %d to %d.", option->min, option->max)));
	*(int *) ((char *) choice + option->offset) = (int) number;
}

/* A time in milliseconds. */
static double
budget_option(const Option *option, const JsonbValue *value)
{
	double		number = jsonb_number(value);

	if (!(number >= 0 && number <= MAX_TIME_BUDGET))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range", option->name),
				 errhint("It must be from 0, which is no limit, to %.0f milliseconds.", MAX_TIME_BUDGET)));
	return number;
}

/* The parameter for the series.  What is missing at its ends has no part in where it is cut into pieces. */
static double
choose_lambda(const AoFitArguments *in, AoEnv *env)
{
	const double *y = in->y.values;
	int64		lead = 0,
				n = in->initial;
	double		lambda;
	AoStatus	status;

	while (n > 0 && isnan(y[n - 1]))
		n--;
	while (lead < n && isnan(y[lead]))
		lead++;
	status = ao_box_cox_lambda(y + lead, n - lead, in->spec.m, LOWEST_LAMBDA, HIGHEST_LAMBDA, env, &lambda);
	if (env->err.pos > 0)
		env->err.pos += lead;
	ao_pg_check(status, env);
	return lambda;
}

/* Takes the value of option lambda: a number, whose range the core checks, or
 * "auto", for which the series decides. */
static void
take_lambda(const JsonbValue *value, AoEnv *env, AoFitArguments *out)
{
	if (value->type == jbvNumeric)
		out->options.lambda = jsonb_number(value);
	else if (jsonb_text_is(value, "auto"))
		out->options.lambda = choose_lambda(out, env);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid lambda \"%.*s\"", value->val.string.len, value->val.string.val),
				 errhint("Give the Box-Cox parameter as a number, not as a string, or \"auto\".")));
	out->options.has_lambda = true;
}

/* Takes the value of option fourier: a number of pairs, or "auto". */
static void
take_fourier(const Option *option, const JsonbValue *value, AoAutoOptions *choice)
{
	if (value->type == jbvNumeric)
		take_count(option, value, choice);
	else if (jsonb_text_is(value, "auto"))
		choice->fourier = AO_FOURIER_AUTO;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of Fourier pairs \"%.*s\"", value->val.string.len, value->val.string.val),
				 errhint("Give it as a number, not as a string, or \"auto\".")));
}

/* Takes one option. */
static void
take_option(const Option *option, const JsonbValue *value, AoEnv *env, AoFitArguments *out)
{
	if (strcmp(option->name, "method") == 0)
		out->options.method = method_option(value);
	else if (strcmp(option->name, "lambda") == 0)
		take_lambda(value, env, out);
	else if (strcmp(option->name, "bias_adjust") == 0)
		out->options.bias_adjust = value->val.boolean;
	else if (strcmp(option->name, "interval") == 0)
	{
		out->options.interval = interval_option(value);
		out->options.has_interval = true;
	}
	else if (strcmp(option->name, "stepwise") == 0)
		out->choice.stepwise = value->val.boolean;
	else if (strcmp(option->name, "approximation") == 0)
		out->choice.approximation = value->val.boolean;
	else if (strcmp(option->name, "ic") == 0)
		out->choice.criterion = criterion_option(value);
	else if (strcmp(option->name, "time_budget_ms") == 0)
		out->choice.time_budget_ms = budget_option(option, value);
	else if (strcmp(option->name, "fourier") == 0)
		take_fourier(option, value, &out->choice);
	else
		take_count(option, value, &out->choice);
}

/* See fit_arguments.h. */
void
ao_pg_fit_options(Jsonb *json, AoEnv *env, AoFitArguments *out)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	out->choice = ao_auto_defaults;
	out->options = (AoFitOptions) {.method = AO_ML, .choice = &out->choice};
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example '{\"method\": \"css\"}'.")));

	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const Option *option;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		option = find_option(&key);
		check_option(option, &value, &out->spec);
		take_option(option, &value, env, out);
	}
}

/* Parses and checks a specification; a fault is an error with its position. */
void
ao_pg_spec(text *spec, AoSpec *out)
{
	AoEnv		env;

	ao_pg_env(&env);
	ao_pg_check(ao_spec_parse(VARDATA_ANY(spec), VARSIZE_ANY_EXHDR(spec), out, &env), &env);
}

/* See fit_arguments.h. */
bool
ao_pg_fit_arguments(FunctionCallInfo fcinfo, int xreg_arg, int options_arg, int64 initial,
					AoEnv *env, AoFitArguments *out)
{
	if (PG_ARGISNULL(0))
		return false;
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model specification must not be null"),
				 errhint("Give one, for example '(1,1,1)'.")));

	ao_pg_env(env);
	ao_pg_spec(PG_GETARG_TEXT_PP(1), &out->spec);
	out->y = ao_pg_series(PG_GETARG_ARRAYTYPE_P(0), "y");
	out->xreg = ao_pg_xreg(fcinfo, xreg_arg, out->y.n);
	out->initial = Max(0, Min(initial, out->y.n));
	ao_pg_fit_options(PG_ARGISNULL(options_arg) ? NULL : PG_GETARG_JSONB_P(options_arg), env, out);
	return true;
}

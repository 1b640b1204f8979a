/*
 * model_json.c
 *		The text form of arima_model: one JSON object, written with the
 *		shortest digits that give back the same double, read strictly.
 *
 * Every field is there exactly once and there are no others.  A number that
 * is not known is null; lambda, calibration and state_cov are null where the
 * model has none.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "model_internal.h"
#include "model_json.h"

/* Names of the fields, in the order of writing. */
enum
{
	FIELD_FORMAT, FIELD_SPEC, FIELD_METHOD, FIELD_N_XREG, FIELD_N, FIELD_N_MISSING, FIELD_N_GAP,
	FIELD_N_USED, FIELD_ESTIMATED_TO, FIELD_SIGMA2, FIELD_LOGLIK, FIELD_LAMBDA, FIELD_BIAS_ADJUST,
	FIELD_INTERVAL, FIELD_DF, FIELD_REMARKS, FIELD_ITERATIONS, FIELD_COEF, FIELD_COV,
	FIELD_CALIBRATION, FIELD_STATE, FIELD_STATE_COV, N_FIELDS
};

static const char *const field_names[N_FIELDS] = {
	"arima_model", "spec", "method", "n_xreg", "n", "n_missing", "n_gap", "n_used", "estimated_to", "sigma2", "loglik",
	"lambda", "bias_adjust", "interval", "df", "remarks", "iterations", "coef", "cov",
	"calibration", "state", "state_cov"
};

/* The fields of an object that has them all and nothing else. */
typedef JsonbValue *Fields[N_FIELDS];

/* ---- writing ---- */

static void
write_number(StringInfo out, double value)
{
	char		buf[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isnan(value))
	{
		appendStringInfoString(out, "null");
		return;
	}
	double_to_shortest_decimal_buf(value, buf);
	appendStringInfoString(out, buf);
}

/* A comma (but before the first field), the name and a colon. */
static void
write_name(StringInfo out, int field)
{
	appendStringInfo(out, "%s\"%s\":", field == FIELD_FORMAT ? "{" : ",", field_names[field]);
}

static void
write_int(StringInfo out, int field, int64 value)
{
	write_name(out, field);
	appendStringInfo(out, INT64_FORMAT, value);
}

static void
write_text(StringInfo out, int field, const char *value)
{
	write_name(out, field);
	appendStringInfo(out, "\"%s\"", value);
}

static void
write_double(StringInfo out, int field, double value)
{
	write_name(out, field);
	write_number(out, value);
}

static void
write_array(StringInfo out, int field, const double *values, size_t n)
{
	write_name(out, field);
	appendStringInfoChar(out, '[');
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		write_number(out, values[i]);
		CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoChar(out, ']');
}

static void
write_remarks(StringInfo out, uint16 remarks)
{
	const char *separator = "";

	write_name(out, FIELD_REMARKS);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < AO_N_REMARKS; i++)
	{
		if ((remarks & ao_pg_remark_names[i].bit) == 0)
			continue;
		appendStringInfo(out, "%s\"%s\"", separator, ao_pg_remark_names[i].key);
		separator = ",";
	}
	appendStringInfoChar(out, ']');
}

static void
write_coef(StringInfo out, const AoModel *model)
{
	const double *coef = ao_model_coef(model);
	char		term[16];

	write_name(out, FIELD_COEF);
	appendStringInfoChar(out, '{');
	for (int i = 0; i < model->n_coef; i++)
	{
		ao_model_term(model, i, term);
		appendStringInfo(out, "%s\"%s\":", i > 0 ? "," : "", term);
		write_number(out, coef[i]);
	}
	appendStringInfoChar(out, '}');
}

void
ao_pg_model_write(StringInfo out, const AoModel *model)
{
	const double *cov = ao_model_cov(model);
	const double *calibration = ao_model_calibration(model);
	const double *state = ao_model_state(model);
	const double *state_cov = ao_model_state_cov(model);
	const double *end = model->data + ao_model_data_len(model);
	AoSpec		spec;
	char		text[128];

	ao_model_spec(model, &spec);
	ao_spec_format(&spec, text, sizeof(text));
	write_int(out, FIELD_FORMAT, model->version);
	write_text(out, FIELD_SPEC, text);
	write_text(out, FIELD_METHOD, ao_pg_method_names[model->method]);
	write_int(out, FIELD_N_XREG, model->n_xreg);
	write_int(out, FIELD_N, model->n);
	write_int(out, FIELD_N_MISSING, model->n_missing);
	write_int(out, FIELD_N_GAP, model->n_gap);
	write_int(out, FIELD_N_USED, model->n_used);
	write_int(out, FIELD_ESTIMATED_TO, model->estimated_to);
	write_double(out, FIELD_SIGMA2, model->sigma2);
	write_double(out, FIELD_LOGLIK, model->loglik);
	write_double(out, FIELD_LAMBDA, model->has_lambda ? model->lambda : NAN);
	write_name(out, FIELD_BIAS_ADJUST);
	appendStringInfoString(out, model->bias_adjust ? "true" : "false");
	write_text(out, FIELD_INTERVAL, ao_pg_interval_names[model->interval]);
	write_int(out, FIELD_DF, model->df);
	write_remarks(out, model->remarks);
	write_int(out, FIELD_ITERATIONS, model->iterations);
	write_coef(out, model);
	write_array(out, FIELD_COV, cov, calibration - cov);
	if (model->n_calibrated > 0)
		write_array(out, FIELD_CALIBRATION, calibration, state - calibration);
	else
		write_double(out, FIELD_CALIBRATION, NAN);
	write_array(out, FIELD_STATE, state, state_cov - state);
	if (model->has_state_cov)
		write_array(out, FIELD_STATE_COV, state_cov, end - state_cov);
	else
		write_double(out, FIELD_STATE_COV, NAN);
	appendStringInfoChar(out, '}');
}

/* ---- reading ---- */

static _Noreturn void
bad_json(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid arima_model value"),
			 errdetail_internal("%s", detail)));
}

/* Refuses the named field; what goes on from "Field "x" ". */
static _Noreturn void
bad_field(const char *name, const char *what)
{
	bad_json(psprintf("Field \"%s\" %s.", name, what));
}

/* The container in a value, if it is an object or array of the given number of
 * elements; else an error. */
static JsonbContainer *
get_container(const JsonbValue *value, const char *name, bool object, size_t count)
{
	JsonbContainer *container = value->type == jbvBinary ? value->val.binary.data : NULL;

	if (container == NULL || JsonContainerIsObject(container) != object)
		bad_field(name, object ? "must be an object" : "must be an array");
	if ((size_t) JsonContainerSize(container) != count)
		bad_field(name, psprintf("must have %zu elements, it has %u", count,
								 (unsigned) JsonContainerSize(container)));
	return container;
}

/* The value of a key of an object; an error if it is not there. */
static JsonbValue *
get_member(JsonbContainer *object, const char *name)
{
	JsonbValue	key;
	JsonbValue *value;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	value = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
	if (value == NULL)
		bad_field(name, "is missing");
	return value;
}

/* Names a key that is not a field. */
static _Noreturn void
bad_unknown_field(JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		bool		known = token != WJB_KEY;
		char	   *name;

		if (known)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		for (int i = 0; i < N_FIELDS && !known; i++)
			known = strcmp(name, field_names[i]) == 0;
		if (!known)
			bad_json(psprintf("There is no field \"%s\".", name));
	}
	bad_json("There are too many fields.");
}

static void
get_fields(JsonbContainer *root, Fields fields)
{
	if (!JsonContainerIsObject(root))
		bad_json("A model is a JSON object.");
	for (int i = 0; i < N_FIELDS; i++)
		fields[i] = get_member(root, field_names[i]);
	if (JsonContainerSize(root) > N_FIELDS)
		bad_unknown_field(root);
}

/* A number, correctly rounded; null is NaN where it may be. */
static double
get_number(const JsonbValue *value, const char *name, bool null_ok)
{
	double		number;

	if (value->type == jbvNull && null_ok)
		return NAN;
	if (value->type != jbvNumeric)
		bad_field(name, "must be a number");
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	if (!isfinite(number))
		bad_field(name, "is beyond the range of double precision");
	return number;
}

/* A whole number between 0 and max (at most 2^53), or from -max of a time that may be before the series. */
static int64
get_int(Fields fields, int field, int64 max)
{
	double		number = get_number(fields[field], field_names[field], false);
	int64		min = field == FIELD_ESTIMATED_TO ? -max : 0;

	if (number != floor(number))
		bad_field(field_names[field], "must be a whole number");
	if (number < (double) min || number > (double) max)
		bad_field(field_names[field], psprintf("must be between " INT64_FORMAT " and " INT64_FORMAT, min, max));
	return (int64) number;
}

/* A string as palloc'd C string. */
static char *
get_text(const JsonbValue *value, const char *name)
{
	if (value->type != jbvString)
		bad_field(name, "must be a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
get_spec(Fields fields, AoSpec *spec)
{
	char	   *text = get_text(fields[FIELD_SPEC], field_names[FIELD_SPEC]);
	AoEnv		env;
	AoStatus	status;

	ao_pg_env(&env);
	status = ao_spec_parse(text, strlen(text), spec, &env);
	if (status != AO_OK)
		bad_field(field_names[FIELD_SPEC],
				  psprintf("is refused: %s", ao_pg_fault(status, &env).message));
	if (spec->is_auto)
		bad_field(field_names[FIELD_SPEC], "must give the orders");
}

static AoMethod
get_method(Fields fields)
{
	char	   *text = get_text(fields[FIELD_METHOD], field_names[FIELD_METHOD]);
	AoMethod	method;

	if (!ao_pg_method_named(text, strlen(text), &method))
		bad_field(field_names[FIELD_METHOD], "must be \"ml\", \"css\" or \"css-ml\"");
	return method;
}

static bool
get_bool(Fields fields, int field)
{
	if (fields[field]->type != jbvBool)
		bad_field(field_names[field], "must be true or false");
	return fields[field]->val.boolean;
}

static AoIntervalKind
get_interval(Fields fields)
{
	char	   *text = get_text(fields[FIELD_INTERVAL], field_names[FIELD_INTERVAL]);
	AoIntervalKind kind;

	if (!ao_pg_interval_named(text, strlen(text), &kind))
		bad_field(field_names[FIELD_INTERVAL], "must be \"normal\", \"student\" or \"conformal\"");
	return kind;
}

/* Steps that are calibrated: so many rows of fixed length, or null for none. */
static int
get_calibrated(Fields fields, AoIntervalKind kind)
{
	const JsonbValue *field = fields[FIELD_CALIBRATION];
	const char *name = field_names[FIELD_CALIBRATION];
	JsonbContainer *array = field->type == jbvBinary ? field->val.binary.data : NULL;
	int			size;

	if (field->type == jbvNull)
		return 0;
	if (kind != AO_INTERVAL_CONFORMAL)
		bad_field(name, "must be null unless the interval is \"conformal\"");
	if (array == NULL || !JsonContainerIsArray(array))
		bad_field(name, "must be an array or null");
	size = JsonContainerSize(array);
	if (size < 1 || size % AO_CALIBRATION_LEVELS != 0 || size / AO_CALIBRATION_LEVELS > AO_CALIBRATION_STEPS)
		bad_field(name, psprintf("must have %d elements for each of at most %d steps, it has %d",
								 AO_CALIBRATION_LEVELS, AO_CALIBRATION_STEPS, size));
	return size / AO_CALIBRATION_LEVELS;
}

/* The bit of one remark, which must be one that is not among those seen. */
static uint16
get_remark(const JsonbValue *value, uint16 seen)
{
	const char *name = field_names[FIELD_REMARKS];
	char	   *text;

	if (value->type != jbvString)
		bad_field(name, "must be an array of strings");
	text = get_text(value, name);
	for (int i = 0; i < AO_N_REMARKS; i++)
	{
		if (strcmp(text, ao_pg_remark_names[i].key) != 0)
			continue;
		if ((seen & ao_pg_remark_names[i].bit) != 0)
			bad_field(name, psprintf("has \"%s\" twice", text));
		return ao_pg_remark_names[i].bit;
	}
	bad_field(name, psprintf("has the unknown element \"%s\"", text));
}

static uint16
get_remarks(Fields fields)
{
	const JsonbValue *field = fields[FIELD_REMARKS];
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	uint16		remarks = 0;

	if (field->type != jbvBinary || !JsonContainerIsArray(field->val.binary.data))
		bad_field(field_names[FIELD_REMARKS], "must be an array");
	it = JsonbIteratorInit(field->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			remarks |= get_remark(&value, remarks);
	}
	return remarks;
}

/* The numbers of an array whose length has been checked. */
static void
get_array(JsonbContainer *array, const char *name, bool null_ok, double *out)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvNumeric && !(value.type == jbvNull && null_ok))
			bad_field(name, "must be an array of numbers");
		*out++ = get_number(&value, name, null_ok);
	}
}

/* Everything of fixed size, and the counts. */
static void
get_head(Fields fields, AoModel *head)
{
	AoSpec		spec;

	head->version = (uint16) get_int(fields, FIELD_FORMAT, PG_UINT16_MAX);
	if (head->version != AO_MODEL_VERSION)
		bad_field(field_names[FIELD_FORMAT], psprintf("is %d, this program reads version %d", head->version, AO_MODEL_VERSION));
	get_spec(fields, &spec);
	ao_model_set_spec(head, &spec, (int) get_int(fields, FIELD_N_XREG, AO_MAX_XREG));
	head->method = get_method(fields);
	head->n = get_int(fields, FIELD_N, AO_MAX_N);
	head->n_missing = get_int(fields, FIELD_N_MISSING, AO_MAX_N);
	head->n_gap = get_int(fields, FIELD_N_GAP, AO_MAX_N);
	head->n_used = get_int(fields, FIELD_N_USED, AO_MAX_N);
	head->estimated_to = get_int(fields, FIELD_ESTIMATED_TO, AO_MAX_N);
	head->sigma2 = get_number(fields[FIELD_SIGMA2], field_names[FIELD_SIGMA2], false);
	head->loglik = get_number(fields[FIELD_LOGLIK], field_names[FIELD_LOGLIK], true);
	head->has_lambda = fields[FIELD_LAMBDA]->type != jbvNull;
	if (head->has_lambda)
		head->lambda = get_number(fields[FIELD_LAMBDA], field_names[FIELD_LAMBDA], false);
	head->bias_adjust = get_bool(fields, FIELD_BIAS_ADJUST);
	head->interval = get_interval(fields);
	head->n_calibrated = get_calibrated(fields, head->interval);
	head->df = (int32) get_int(fields, FIELD_DF, AO_MAX_N);
	head->remarks = get_remarks(fields);
	head->iterations = (int32) get_int(fields, FIELD_ITERATIONS, PG_INT32_MAX);
	head->has_state_cov = fields[FIELD_STATE_COV]->type != jbvNull;
}

static void
get_coef(JsonbContainer *object, AoModel *model)
{
	double	   *coef = ao_model_coef(model);
	char		term[16];

	for (int i = 0; i < model->n_coef; i++)
	{
		ao_model_term(model, i, term);
		coef[i] = get_number(get_member(object, term), term, false);
	}
}

void
ao_pg_model_validate(AoModel *model, int sqlstate)
{
	AoEnv		env;
	AoStatus	status;

	ao_model_canonicalise(model);
	ao_pg_env(&env);
	status = ao_model_check(model, ao_model_size(model), &env);
	if (status != AO_OK)
	{
		AoFault		fault = ao_pg_fault(status, &env);

		fault.sqlstate = sqlstate;
		ao_pg_raise(&fault);
	}
}

/* Reads the object; memory is taken only once all lengths are known to fit. */
static AoModel *
read_model(JsonbContainer *root)
{
	Fields		fields;
	AoModel		head = {0};
	AoModel    *model;
	size_t		n_coef;
	size_t		n_state;
	JsonbContainer *coef;
	JsonbContainer *cov;
	JsonbContainer *state;
	JsonbContainer *state_cov = NULL;

	get_fields(root, fields);
	get_head(fields, &head);
	n_coef = head.n_coef;
	n_state = head.n_state;
	coef = get_container(fields[FIELD_COEF], field_names[FIELD_COEF], true, n_coef);
	cov = get_container(fields[FIELD_COV], field_names[FIELD_COV], false,
						n_coef * (n_coef + 1) / 2);
	state = get_container(fields[FIELD_STATE], field_names[FIELD_STATE], false, n_state);
	if (head.has_state_cov)
		state_cov = get_container(fields[FIELD_STATE_COV], field_names[FIELD_STATE_COV], false,
								  n_state * (n_state + 1) / 2);

	model = palloc0(ao_model_size(&head));
	*model = head;
	get_coef(coef, model);
	get_array(cov, field_names[FIELD_COV], true, ao_model_cov(model));
	if (head.n_calibrated > 0)
		get_array(fields[FIELD_CALIBRATION]->val.binary.data, field_names[FIELD_CALIBRATION], false,
				  ao_model_calibration(model));
	get_array(state, field_names[FIELD_STATE], false, ao_model_state(model));
	if (state_cov != NULL)
		get_array(state_cov, field_names[FIELD_STATE_COV], false, ao_model_state_cov(model));
	ao_pg_model_validate(model, ERRCODE_INVALID_TEXT_REPRESENTATION);
	return model;
}

AoModel *
ao_pg_model_from_jsonb(Jsonb *jsonb)
{
	return read_model(&jsonb->root);
}

/*
 * JSON text to jsonb.  What jsonb cannot hold (a number or string too large,
 * nesting too deep, a NUL character) is reported as bad input like the rest,
 * not under the SQLSTATE of the limit that it hit.
 */
static Jsonb *
parse_json(char *json)
{
	MemoryContext caller = CurrentMemoryContext;
	Jsonb	   *volatile result = NULL;

	PG_TRY();
	{
		result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	}
	PG_CATCH();
	{
		ErrorData  *error;
		int			category;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
		if (error->sqlerrcode != ERRCODE_INVALID_TEXT_REPRESENTATION &&
			(category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_PROGRAM_LIMIT_EXCEEDED))
		{
			FlushErrorState();
			bad_json(psprintf("It is not JSON that can be read: %s.", error->message));
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	return result;
}

/* Number of keys in a valid JSON text, at any depth: colons outside strings. */
static size_t
count_keys(const char *json)
{
	size_t		keys = 0;
	bool		in_string = false;

	for (const char *c = json; *c != '\0'; c++)
	{
		if (*c == '"')
			in_string = !in_string;
		else if (in_string && *c == '\\' && c[1] != '\0')
			c++;
		else if (!in_string && *c == ':')
			keys++;
	}
	return keys;
}

/* jsonb keeps the last of several equal keys, so that the text is counted to
 * find them. */
AoModel *
ao_pg_model_parse(char *json)
{
	AoModel    *model = ao_pg_model_from_jsonb(parse_json(json));

	if (count_keys(json) != (size_t) N_FIELDS + model->n_coef)
		bad_json("A field is there more than once.");
	return model;
}

/*
 * model_io.c
 *		The type arima_model: text and binary input and output, casts to and
 *		from JSON, and models as arguments and results.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "model_internal.h"
#include "model_json.h"

PGDLLEXPORT Datum arima_ops_model_in(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_out(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_recv(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_send(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_to_json(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_to_jsonb(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_from_json(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_model_from_jsonb(PG_FUNCTION_ARGS);

/*
 * Binary form, in network order:
 *   int16 version; int8 method, constant; int16 p, d, q, P, D, Q, m; int8 K, n_xreg;
 *   int8 has_state_cov, has_lambda; int16 remarks; int32 iterations;
 *   int8 interval, bias_adjust; int16 n_calibrated; int32 df;
 *   int64 n, n_missing, n_gap, n_used, estimated_to; float8 sigma2, loglik, lambda;
 *   float8 data[], as many as the orders need.
 */
#define HEAD_BYTES (2 + 2 * 1 + 7 * 2 + 2 * 1 + 2 * 1 + 2 + 4 + 2 * 1 + 2 + 4 + 5 * 8 + 3 * 8)

/* An argument as model, detoasted; its shape is checked, so that nothing is
 * read beyond it, and its values were when it came in. */
AoModel *
ao_pg_model(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM(datum);
	AoModel    *model = (AoModel *) value;
	AoEnv		env;
	AoStatus	status;

	ao_pg_env(&env);
	status = ao_model_check_shape(model, VARSIZE(value), &env);
	ao_pg_check(status, &env);
	return model;
}

/* A palloc'd model as result. */
Datum
ao_pg_model_datum(AoModel *model)
{
	SET_VARSIZE(model, ao_model_size(model));
	return PointerGetDatum(model);
}

/* The JSON form as palloc'd text. */
static StringInfoData
json_of(const AoModel *model)
{
	StringInfoData out;

	initStringInfo(&out);
	ao_pg_model_write(&out, model);
	return out;
}

/* arima_model_in(cstring); a specification where a model should be is a common slip */
PG_FUNCTION_INFO_V1(arima_ops_model_in);
Datum
arima_ops_model_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);

	if (text[strspn(text, " \t\r\n")] != '{')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid arima_model value"),
				 errdetail("A model as text is a JSON object."),
				 errhint("A specification is no model yet: arima_fit(y, '(1,1,1)') makes one.")));
	PG_RETURN_AO_MODEL(ao_pg_model_parse(text));
}

/* arima_model_out(arima_model) */
PG_FUNCTION_INFO_V1(arima_ops_model_out);
Datum
arima_ops_model_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(json_of(PG_GETARG_AO_MODEL(0)).data);
}

/* The fixed part from the wire, counts filled in; there must be HEAD_BYTES. */
static void
receive_head(StringInfo buf, AoModel *head)
{
	AoSpec		spec = {.is_auto = false};
	int			n_xreg;

	head->version = (uint16) pq_getmsgint(buf, 2);
	head->method = (uint8) pq_getmsgbyte(buf);
	spec.constant = (AoConstant) pq_getmsgbyte(buf);
	spec.p = (int16) pq_getmsgint(buf, 2);
	spec.d = (int16) pq_getmsgint(buf, 2);
	spec.q = (int16) pq_getmsgint(buf, 2);
	spec.P = (int16) pq_getmsgint(buf, 2);
	spec.D = (int16) pq_getmsgint(buf, 2);
	spec.Q = (int16) pq_getmsgint(buf, 2);
	spec.m = (int16) pq_getmsgint(buf, 2);
	spec.K = pq_getmsgbyte(buf);
	n_xreg = pq_getmsgbyte(buf);
	head->has_state_cov = (uint8) pq_getmsgbyte(buf);
	head->has_lambda = (uint8) pq_getmsgbyte(buf);
	head->remarks = (uint16) pq_getmsgint(buf, 2);
	head->iterations = (int32) pq_getmsgint(buf, 4);
	head->interval = (uint8) pq_getmsgbyte(buf);
	head->bias_adjust = (uint8) pq_getmsgbyte(buf);
	head->n_calibrated = (uint16) pq_getmsgint(buf, 2);
	head->df = (int32) pq_getmsgint(buf, 4);
	head->n = pq_getmsgint64(buf);
	head->n_missing = pq_getmsgint64(buf);
	head->n_gap = pq_getmsgint64(buf);
	head->n_used = pq_getmsgint64(buf);
	head->estimated_to = pq_getmsgint64(buf);
	head->sigma2 = pq_getmsgfloat8(buf);
	head->loglik = pq_getmsgfloat8(buf);
	head->lambda = pq_getmsgfloat8(buf);
	ao_model_set_spec(head, &spec, n_xreg);
}

/* Reports an error unless so many bytes of the value are still to be read. */
static void
check_bytes_left(StringInfo buf, size_t want, bool exactly)
{
	size_t		left = buf->len - buf->cursor;

	if (left < want || (exactly && left > want))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid arima_model value: wrong length"),
				 errdetail("%zu bytes are left where %zu are needed.", left, want)));
}

/* arima_model_recv(internal): every count is checked before memory is taken */
PG_FUNCTION_INFO_V1(arima_ops_model_recv);
Datum
arima_ops_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	AoModel		head = {0};
	AoModel    *model;
	AoEnv		env;
	AoStatus	status;
	size_t		len;

	check_bytes_left(buf, HEAD_BYTES, false);
	receive_head(buf, &head);
	ao_pg_env(&env);
	status = ao_model_check_shape(&head, ao_model_size(&head), &env);
	ao_pg_check(status, &env);
	len = ao_model_data_len(&head);
	check_bytes_left(buf, len * sizeof(float8), true);

	model = palloc0(ao_model_size(&head));
	*model = head;
	for (size_t i = 0; i < len; i++)
		model->data[i] = pq_getmsgfloat8(buf);
	ao_pg_model_validate(model, ERRCODE_INVALID_BINARY_REPRESENTATION);
	PG_RETURN_AO_MODEL(model);
}

/* arima_model_send(arima_model) */
PG_FUNCTION_INFO_V1(arima_ops_model_send);
Datum
arima_ops_model_send(PG_FUNCTION_ARGS)
{
	AoModel    *model = PG_GETARG_AO_MODEL(0);
	size_t		len = ao_model_data_len(model);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, model->version);
	pq_sendbyte(&buf, model->method);
	pq_sendbyte(&buf, model->constant);
	pq_sendint16(&buf, model->p);
	pq_sendint16(&buf, model->d);
	pq_sendint16(&buf, model->q);
	pq_sendint16(&buf, model->P);
	pq_sendint16(&buf, model->D);
	pq_sendint16(&buf, model->Q);
	pq_sendint16(&buf, model->m);
	pq_sendbyte(&buf, model->K);
	pq_sendbyte(&buf, model->n_xreg);
	pq_sendbyte(&buf, model->has_state_cov);
	pq_sendbyte(&buf, model->has_lambda);
	pq_sendint16(&buf, model->remarks);
	pq_sendint32(&buf, model->iterations);
	pq_sendbyte(&buf, model->interval);
	pq_sendbyte(&buf, model->bias_adjust);
	pq_sendint16(&buf, model->n_calibrated);
	pq_sendint32(&buf, model->df);
	pq_sendint64(&buf, model->n);
	pq_sendint64(&buf, model->n_missing);
	pq_sendint64(&buf, model->n_gap);
	pq_sendint64(&buf, model->n_used);
	pq_sendint64(&buf, model->estimated_to);
	pq_sendfloat8(&buf, model->sigma2);
	pq_sendfloat8(&buf, model->loglik);
	pq_sendfloat8(&buf, model->lambda);
	for (size_t i = 0; i < len; i++)
		pq_sendfloat8(&buf, model->data[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* arima_model_to_json(arima_model) */
PG_FUNCTION_INFO_V1(arima_ops_model_to_json);
Datum
arima_ops_model_to_json(PG_FUNCTION_ARGS)
{
	StringInfoData out = json_of(PG_GETARG_AO_MODEL(0));

	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* arima_model_to_jsonb(arima_model) */
PG_FUNCTION_INFO_V1(arima_ops_model_to_jsonb);
Datum
arima_ops_model_to_jsonb(PG_FUNCTION_ARGS)
{
	StringInfoData out = json_of(PG_GETARG_AO_MODEL(0));

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* arima_model_from_json(json) */
PG_FUNCTION_INFO_V1(arima_ops_model_from_json);
Datum
arima_ops_model_from_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_AO_MODEL(ao_pg_model_parse(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/* arima_model_from_jsonb(jsonb) */
PG_FUNCTION_INFO_V1(arima_ops_model_from_jsonb);
Datum
arima_ops_model_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_AO_MODEL(ao_pg_model_from_jsonb(PG_GETARG_JSONB_P(0)));
}

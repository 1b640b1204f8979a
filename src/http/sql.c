/*
 * sql.c
 *		Outgoing HTTP as SQL: requests are prepared by a function, sent by a
 *		procedure.
 *
 * Two steps, because of two rules.  No transaction may be open while the network
 * is waited for, so a procedure sends, which ends the transaction first; but such a
 * procedure cannot run with another's rights, so what it may send cannot be up to
 * its caller.  The function that prepares is run by SECURITY DEFINER functions
 * only, which make the requests from the tables.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "http.h"

/* Everything is hidden but what is marked; before 16 the mark was empty. */
#if PG_VERSION_NUM < 160000 && defined(__GNUC__)
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

PGDLLEXPORT Datum arima_ops_http_prepare(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_http_exchange(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum arima_ops_http_refusal(PG_FUNCTION_ARGS);

#define MAX_REQUESTS 10000
#define REQUEST_COLUMNS 5
#define RESPONSE_COLUMNS 9

/* What has been prepared in this session; gone if the transaction fails. */
static MemoryContext prepared_context = NULL;
static AoHttpRequest *prepared = NULL;
static int	n_prepared = 0;

/* Forgets what has been prepared. */
static void
forget_prepared(void)
{
	if (prepared_context != NULL)
		MemoryContextDelete(prepared_context);
	prepared_context = NULL;
	prepared = NULL;
	n_prepared = 0;
}

/* A transaction that fails takes its requests with it. */
static void
at_end_of_transaction(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_ABORT)
		forget_prepared();
}

/* Reports a request that is not complete. */
static void
incomplete(int i, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s of request %d is NULL", what, i + 1),
			 errhint("A request has a method and a URL; the rest may be NULL.")));
}

/* Takes the texts of an array apart. */
static const char **
read_texts(Datum array, int *n)
{
	Datum	   *values;
	bool	   *nulls;
	const char **texts;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	texts = palloc(sizeof(char *) * Max(count, 1));
	*n = 0;
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			texts[(*n)++] = TextDatumGetCString(values[i]);
	}
	return texts;
}

/* Takes a row of type arima_ops.http_request apart. */
static void
read_request(Datum datum, TupleDesc desc, int i, AoHttpRequest *request)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
	HeapTupleData tuple;
	Datum		values[REQUEST_COLUMNS];
	bool		nulls[REQUEST_COLUMNS];

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
	if (nulls[0])
		incomplete(i, "method");
	if (nulls[1])
		incomplete(i, "url");
	memset(request, 0, sizeof(*request));
	request->method = TextDatumGetCString(values[0]);
	request->url = TextDatumGetCString(values[1]);
	if (!nulls[2])
		request->headers = read_texts(values[2], &request->n_headers);
	if (!nulls[3])
	{
		bytea	   *body = DatumGetByteaPCopy(values[3]);

		request->body = VARDATA(body);
		request->body_size = VARSIZE(body) - VARHDRSZ;
	}
	request->retries = nulls[4] ? -1 : DatumGetInt32(values[4]);
}

/* Reads the requests into the current memory context, and tells how many there are. */
static AoHttpRequest *
read_requests(ArrayType *array, int *n)
{
	AoHttpRequest *requests;
	Oid			type = ARR_ELEMTYPE(array);
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);
	Datum	   *values;
	bool	   *nulls;
	int16		length;
	bool		by_value;
	char		align;

	if (desc->natts != REQUEST_COLUMNS)
		elog(ERROR, "type of requests has %d columns", desc->natts);
	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &values, &nulls, n);
	requests = palloc_extended(sizeof(AoHttpRequest) * Max(*n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			incomplete(i, "the row");
		read_request(values[i], desc, i, &requests[i]);
	}
	return requests;
}

PG_FUNCTION_INFO_V1(arima_ops_http_prepare);
/* http_prepare(requests): what the next http_exchange of this session sends. */
Datum
arima_ops_http_prepare(PG_FUNCTION_ARGS)
{
	static bool registered = false;
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	MemoryContext context,
				caller;
	AoHttpRequest *requests;

	if (count > MAX_REQUESTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d requests at once are too many, the limit is %d", count, MAX_REQUESTS),
				 errhint("Send them in several batches.")));
	if (!registered)
	{
		RegisterXactCallback(at_end_of_transaction, NULL);
		registered = true;
	}
	forget_prepared();
	context = AllocSetContextCreate(CurrentMemoryContext, "arima_ops http requests", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	requests = read_requests(array, &count);
	MemoryContextSwitchTo(caller);
	/* whole, they are the session's: who catches an error of one must not find the rest */
	MemoryContextSetParent(context, TopMemoryContext);
	prepared_context = context;
	prepared = requests;
	n_prepared = count;
	PG_RETURN_INT32(n_prepared);
}

/* A text datum, or NULL. */
static Datum
text_or_null(const char *text, bool *null)
{
	*null = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* A row of type arima_ops.http_response. */
static Datum
make_response(const AoHttpResponse *response, TupleDesc desc)
{
	Datum		values[RESPONSE_COLUMNS];
	bool		nulls[RESPONSE_COLUMNS] = {false};
	bytea	   *body;

	values[0] = Int32GetDatum(response->status);
	nulls[0] = response->fault != AO_HTTP_ANSWERED;
	values[1] = text_or_null(response->content_type, &nulls[1]);
	nulls[2] = response->body == NULL;
	if (!nulls[2])
	{
		body = palloc(VARHDRSZ + response->body_size);
		SET_VARSIZE(body, VARHDRSZ + response->body_size);
		memcpy(VARDATA(body), response->body, response->body_size);
		values[2] = PointerGetDatum(body);
	}
	values[3] = text_or_null(ao_http_fault_name(response->fault), &nulls[3]);
	values[4] = text_or_null(response->message, &nulls[4]);
	values[5] = Int32GetDatum(response->retry_after);
	nulls[5] = response->retry_after == 0;
	values[6] = text_or_null(response->url, &nulls[6]);
	values[7] = Int32GetDatum(response->attempts);
	values[8] = Int32GetDatum(response->milliseconds);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* The responses as an array; type is that of the array. */
static Datum
make_responses(const AoHttpResponse *responses, int n, Oid array_type)
{
	Oid			type = get_element_type(array_type);
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);
	Datum	   *rows = palloc(sizeof(Datum) * Max(n, 1));
	int16		length;
	bool		by_value;
	char		align;

	if (desc->natts != RESPONSE_COLUMNS)
		elog(ERROR, "type of responses has %d columns", desc->natts);
	get_typlenbyvalalign(type, &length, &by_value, &align);
	for (int i = 0; i < n; i++)
		rows[i] = make_response(&responses[i], desc);
	return PointerGetDatum(construct_array(rows, n, type, length, by_value, align));
}

/* Ends the transaction, so that nothing is held while the network is waited for. */
static void
end_transaction(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	SPI_commit();
	SPI_finish();
	MemoryContextSwitchTo(caller);
}

/* May this call end the transaction?  Not in a function or a transaction block. */
static bool
can_commit(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic && !IsSubTransaction();
}

PG_FUNCTION_INFO_V1(arima_ops_http_exchange);
/* http_exchange(INOUT responses): sends what has been prepared. */
Datum
arima_ops_http_exchange(PG_FUNCTION_ARGS)
{
	const AoHttpRequest *requests = prepared;
	int			n = n_prepared;
	AoHttpResponse *responses;
	TupleDesc	desc;
	Datum		value;
	bool		null = false;

	if (prepared_context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no HTTP requests have been prepared"),
				 errhint("arima_ops.http_prepare has to be called before, in the same session.")));
	/* from here on they go with this call, however it ends: triggers at commit may prepare others */
	MemoryContextSetParent(prepared_context, CurrentMemoryContext);
	prepared_context = NULL;
	if (can_commit(fcinfo))
		end_transaction();
	responses = palloc0(sizeof(AoHttpResponse) * Max(n, 1));
	ao_http_exchange(requests, n, responses);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	value = make_responses(responses, n, TupleDescAttr(desc, 0)->atttypid);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, &value, &null)));
}

PG_FUNCTION_INFO_V1(arima_ops_http_refusal);
/* http_refusal(url, headers): why a GET may not be sent, NULL if it may. */
Datum
arima_ops_http_refusal(PG_FUNCTION_ARGS)
{
	AoHttpRequest request = {.method = "GET", .retries = -1};
	char	   *why;

	request.url = text_to_cstring(PG_GETARG_TEXT_PP(0));
	request.headers = read_texts(PG_GETARG_DATUM(1), &request.n_headers);
	why = ao_http_refusal(&request);
	if (why == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(why));
}

/*
 * exchange.c
 *		Many requests at once: as many under way as the setting allows, retried
 *		with growing pauses, interruptible at every moment.
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "utils/memutils.h"

#include "internal.h"

#define POLL_MS 40				/* an interrupt waits no longer */

/* See http.h. */
const char *
ao_http_fault_name(AoHttpFault fault)
{
	static const char *const names[] = {
		NULL, "refused", "secret", "resolve", "connect", "timeout", "tls", "too_large", "broken"
	};

	return names[fault];
}

/* See internal.h. */
AoHttpHost *
ao_http_host(AoHttpExchange *x, const char *name)
{
	AoHttpHost *host;

	for (int i = 0; i < x->n_hosts; i++)
	{
		if (strcmp(x->hosts[i]->name, name) == 0)
			return x->hosts[i];
	}
	if (x->n_hosts == x->max_hosts)
	{
		x->max_hosts *= 2;
		x->hosts = repalloc(x->hosts, sizeof(AoHttpHost *) * x->max_hosts);
	}
	host = palloc0(sizeof(AoHttpHost));
	strlcpy(host->name, name, sizeof(host->name));
	host->pipe = -1;
	x->hosts[x->n_hosts++] = host;
	return host;
}

/* Reads the proxy's setting; a malformed one is an error. */
static void
read_proxy(AoHttpExchange *x)
{
	CURLU	   *url;
	const char *why = "it is not a URL";
	bool		usable;

	x->proxy = "";
	if (ao_http_proxy == NULL || ao_http_proxy[0] == '\0')
		return;
	url = x->curl->curl_url();
	usable = url != NULL && x->curl->curl_url_set(url, CURLUPART_URL, ao_http_proxy, 0) == CURLUE_OK &&
		ao_http_read_target(x->curl, url, &x->proxy_target, &why);
	x->curl->curl_url_cleanup(url);
	if (!usable)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("setting arima_ops.http_proxy cannot be used: %s", why),
				 errhint("Write \"http://host:port\".")));
	x->proxy = psprintf(strchr(x->proxy_target.host, ':') != NULL ? "%s://[%s]:%d" : "%s://%s:%d",
						x->proxy_target.https ? "https" : "http", x->proxy_target.host, x->proxy_target.port);
	x->proxy_host = ao_http_host(x, x->proxy_target.host);
}

/* Prepares an exchange; what it palloc's is in a memory context of its own. */
static AoHttpExchange *
open_exchange(const AoHttpRequest *requests, int n)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arima_ops http exchange",
												  ALLOCSET_DEFAULT_SIZES);
	AoHttpExchange *x = MemoryContextAllocZero(context, sizeof(AoHttpExchange));
	MemoryContext caller = MemoryContextSwitchTo(context);

	x->context = context;
	x->curl = ao_http_curl();
	x->max_hosts = 4;
	x->hosts = palloc(sizeof(AoHttpHost *) * x->max_hosts);
	x->n = n;
	x->transfers = palloc_extended(sizeof(AoHttpTransfer) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < n; i++)
		x->transfers[i].request = &requests[i];
	read_proxy(x);
	MemoryContextSwitchTo(caller);
	return x;
}

/* Gives everything back, whatever state it is in. */
static void
close_exchange(AoHttpExchange *x)
{
	for (int i = 0; i < x->n; i++)
		ao_http_transfer_free(x, &x->transfers[i]);
	for (int i = 0; i < x->n_hosts; i++)
		ao_http_resolve_stop(x->hosts[i]);
	if (x->multi != NULL)
		x->curl->curl_multi_cleanup(x->multi);
	ao_http_forget_secrets(&x->secrets);
	MemoryContextDelete(x->context);
}

/* Lets transfers begin whose time has come, as many as there is room for. */
static void
begin_due(AoHttpExchange *x)
{
	int64		now = ao_http_clock();

	for (int i = 0; i < x->n && x->n_running < ao_http_max_parallel; i++)
	{
		AoHttpTransfer *t = &x->transfers[i];

		if (t->state != AO_HTTP_WAITING || t->due > now || t->host->not_before > now)
			continue;
		t->state = AO_HTTP_RESOLVING;
		t->attempts++;
		if (t->begun == 0)
			t->begun = now;
		x->n_running++;
	}
}

/* Starts what waits for the addresses of its host, once these are known. */
static void
start_resolved(AoHttpExchange *x)
{
	for (int i = 0; i < x->n; i++)
	{
		AoHttpTransfer *t = &x->transfers[i];
		AoHttpHost *host = x->proxy_host != NULL ? x->proxy_host : t->host;

		if (t->state != AO_HTTP_RESOLVING)
			continue;
		/* one more try for those that come again, not one for each of them */
		if (host->state == AO_HTTP_HOST_NEW ||
			(host->state == AO_HTTP_HOST_FAILED && host->tries < t->attempts))
			ao_http_resolve_start(host);
		if (host->state == AO_HTTP_HOST_KNOWN)
			ao_http_transfer_start(x, t);
		else if (host->state == AO_HTTP_HOST_FAILED)
			ao_http_transfer_fail(x, t, host->fault, psprintf("host %s: %s", host->name, host->message),
								  host->fault != AO_HTTP_REFUSED);
	}
}

/* Does all that can be done without waiting. */
static void
work(AoHttpExchange *x)
{
	CURLMsg    *message;
	int			count;

	for (int i = 0; i < x->n_hosts; i++)
	{
		if (x->hosts[i]->state == AO_HTTP_HOST_RESOLVING)
			ao_http_resolve_continue(x->hosts[i]);
	}
	begin_due(x);
	start_resolved(x);
	x->curl->curl_multi_perform(x->multi, &count);
	while ((message = x->curl->curl_multi_info_read(x->multi, &count)) != NULL)
	{
		CURLcode	result = message->data.result;
		char	   *transfer = NULL;

		x->curl->curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		ao_http_transfer_finish(x, (AoHttpTransfer *) transfer, result);
	}
}

/* Milliseconds until a transfer that could begin is due, at most POLL_MS. */
static int
pause_length(const AoHttpExchange *x)
{
	int64		now = ao_http_clock();
	int64		pause = POLL_MS;

	for (int i = 0; i < x->n && x->n_running < ao_http_max_parallel; i++)
	{
		const AoHttpTransfer *t = &x->transfers[i];

		if (t->state == AO_HTTP_WAITING)
			pause = Min(pause, Max(Max(t->due, t->host->not_before) - now, 0));
		else if (t->state == AO_HTTP_RESOLVING && t->host->state == AO_HTTP_HOST_NEW)
			pause = 0;
	}
	return (int) pause;
}

/*
 * Waits until something happens, for a moment at most: a signal that comes just
 * before the wait does not end it, and PostgreSQL's latch cannot be given to
 * libcurl in all versions.
 */
static void
wait_a_moment(AoHttpExchange *x)
{
	struct curl_waitfd *pipes = palloc(sizeof(struct curl_waitfd) * (x->n_hosts + 1));
	unsigned int n_pipes = 0;

	for (int i = 0; i < x->n_hosts; i++)
	{
		if (x->hosts[i]->pipe >= 0)
		{
			pipes[n_pipes].fd = x->hosts[i]->pipe;
			pipes[n_pipes].events = CURL_WAIT_POLLIN;
			pipes[n_pipes++].revents = 0;
		}
	}
	pgstat_report_wait_start(PG_WAIT_EXTENSION);
	x->curl->curl_multi_poll(x->multi, pipes, n_pipes, pause_length(x), NULL);
	pgstat_report_wait_end();
	pfree(pipes);
	if (IsUnderPostmaster && !PostmasterIsAlive())
		proc_exit(1);
	CHECK_FOR_INTERRUPTS();
}

/* Copies a text that may be missing. */
static char *
copy_text(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

/* Puts what came of a transfer into the caller's memory context. */
static void
give_answer(AoHttpTransfer *t, AoHttpResponse *response)
{
	memset(response, 0, sizeof(*response));
	response->fault = t->fault;
	response->message = copy_text(t->message);
	response->url = copy_text(t->shown);
	response->attempts = t->attempts;
	response->milliseconds = t->begun == 0 ? 0 : (int) Min(t->ended - t->begun, INT_MAX);
	if (t->fault != AO_HTTP_ANSWERED)
		return;
	response->status = t->status;
	response->content_type = copy_text(t->content_type);
	response->retry_after = t->retry_after;
	response->body = palloc(t->size + 1);
	response->body_size = t->size;
	if (t->size > 0)
		memcpy(response->body, t->body, t->size);
	response->body[t->size] = '\0';
	free(t->body);
	t->body = NULL;
}

/* close_exchange as what PostgreSQL calls where an error, or the session's end, comes in between. */
static void
clean_up(int code, Datum exchange)
{
	(void) code;
	if (CurrentMemoryContext == ((AoHttpExchange *) DatumGetPointer(exchange))->context)
		MemoryContextSwitchTo(TopMemoryContext);
	close_exchange((AoHttpExchange *) DatumGetPointer(exchange));
}

/* Runs all transfers to their end. */
static void
run_exchange(AoHttpExchange *x)
{
	x->multi = x->curl->curl_multi_init();
	if (x->multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("libcurl could not be set up.")));
	for (int i = 0; i < x->n; i++)
		ao_http_transfer_check(x, &x->transfers[i]);
	while (x->n_done < x->n)
	{
		work(x);
		if (x->n_done < x->n)
			wait_a_moment(x);
	}
}

/* See http.h. */
void
ao_http_exchange(const AoHttpRequest *requests, int n, AoHttpResponse *responses)
{
	MemoryContext caller = CurrentMemoryContext;
	AoHttpExchange *x = open_exchange(requests, n);

	PG_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(x));
	{
		MemoryContextSwitchTo(x->context);
		run_exchange(x);
		MemoryContextSwitchTo(caller);
		for (int i = 0; i < n; i++)
			give_answer(&x->transfers[i], &responses[i]);
	}
	PG_END_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(x));
	close_exchange(x);
}

/* See http.h. */
char *
ao_http_refusal(const AoHttpRequest *request)
{
	MemoryContext caller = CurrentMemoryContext;
	AoHttpExchange *x = open_exchange(request, 1);
	char	   *why = NULL;

	PG_TRY();
	{
		MemoryContextSwitchTo(x->context);
		if (!ao_http_transfer_check(x, &x->transfers[0]))
			why = MemoryContextStrdup(caller, x->transfers[0].message);
	}
	PG_FINALLY();
	{
		MemoryContextSwitchTo(caller);
		close_exchange(x);
	}
	PG_END_TRY();
	return why;
}

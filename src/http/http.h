/*
 * http.h
 *		Outgoing HTTP from a server process: many requests at once, interruptible,
 *		to listed hosts only.
 *
 * The process never gains a thread: names are resolved by a short-lived child
 * process (resolve.c), since libcurl's own resolver starts a thread for each
 * name and waits for it even when cancelled.  This layer uses PostgreSQL and
 * libcurl, and nothing else of the extension.
 */
#ifndef AO_HTTP_H
#define AO_HTTP_H

#include "postgres.h"

/* Why there is no answer.  A status such as 404 is an answer. */
typedef enum AoHttpFault
{
	AO_HTTP_ANSWERED = 0,
	AO_HTTP_REFUSED,			/* not sent: URL or host not allowed, request malformed */
	AO_HTTP_SECRET,				/* not sent: a secret is missing or not for this host */
	AO_HTTP_RESOLVE,			/* the host's name has no address */
	AO_HTTP_CONNECT,			/* no connection */
	AO_HTTP_TIMEOUT,			/* time-out of connection or transfer */
	AO_HTTP_TLS,				/* certificate or protocol not acceptable */
	AO_HTTP_TOO_LARGE,			/* answer over arima_ops.http_max_size */
	AO_HTTP_BROKEN				/* connection lost, answer malformed */
} AoHttpFault;

/* What is to be sent.  {secret:NAME} in URL and headers stands for a secret. */
typedef struct AoHttpRequest
{
	const char *method;			/* GET, POST, PUT, PATCH, DELETE */
	const char *url;
	const char **headers;		/* "Name: value" */
	int			n_headers;
	const char *body;			/* or NULL */
	size_t		body_size;
	int			retries;		/* at most; -1: the setting */
} AoHttpRequest;

/* What came of it; palloc'd in the caller's memory context. */
typedef struct AoHttpResponse
{
	AoHttpFault fault;
	char	   *message;		/* of a fault, without secrets; else NULL */
	int			status;			/* 0 with a fault */
	char	   *content_type;	/* or NULL */
	char	   *body;			/* decompressed, ends with a zero byte; NULL with a fault */
	size_t		body_size;
	int			retry_after;	/* seconds that the server asks for, a day at most; newer libcurl says six hours; 0 none */
	char	   *url;			/* where the answer is from, without secrets */
	int			attempts;
	int			milliseconds;	/* from the first attempt to the end */
} AoHttpResponse;

/* settings.c: called once when the library is loaded */
extern void ao_http_define_settings(void);

/* exchange.c: sends all, waits for all; leaves by ereport only when interrupted
 * or out of memory.  Uses neither catalog nor snapshot. */
extern void ao_http_exchange(const AoHttpRequest *requests, int n, AoHttpResponse *responses);

/* Why the request may not be sent (palloc'd), NULL if it may.  Sends nothing. */
extern char *ao_http_refusal(const AoHttpRequest *request);

/* The word for a fault, NULL for none. */
extern const char *ao_http_fault_name(AoHttpFault fault);

#endif							/* AO_HTTP_H */

/*
 * internal.h
 *		What the files of this folder share.
 */
#ifndef AO_HTTP_INTERNAL_H
#define AO_HTTP_INTERNAL_H

#include "postgres.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <zlib.h>

#include "http.h"

/* ---- libcurl.c: the library, loaded when it is first needed ---- */

#define AO_CURL_FUNCTIONS(f) \
	f(curl_easy_cleanup) \
	f(curl_easy_getinfo) \
	f(curl_easy_init) \
	f(curl_easy_setopt) \
	f(curl_easy_strerror) \
	f(curl_free) \
	f(curl_global_init) \
	f(curl_multi_add_handle) \
	f(curl_multi_cleanup) \
	f(curl_multi_info_read) \
	f(curl_multi_init) \
	f(curl_multi_perform) \
	f(curl_multi_poll) \
	f(curl_multi_remove_handle) \
	f(curl_multi_strerror) \
	f(curl_slist_append) \
	f(curl_slist_free_all) \
	f(curl_url) \
	f(curl_url_cleanup) \
	f(curl_url_get) \
	f(curl_url_set)

typedef struct AoCurl
{
#define AO_CURL_MEMBER(name) __typeof__(name) *name;
	AO_CURL_FUNCTIONS(AO_CURL_MEMBER)
#undef AO_CURL_MEMBER
} AoCurl;

extern const AoCurl *ao_http_curl(void);

/* ---- settings.c ---- */

extern char *ao_http_allowed_hosts;
extern char *ao_http_secrets_file;
extern char *ao_http_ca_file;
extern char *ao_http_proxy;
extern int	ao_http_connect_timeout;	/* ms */
extern int	ao_http_timeout;	/* ms, of one attempt */
extern int	ao_http_max_size;	/* kB */
extern int	ao_http_max_parallel;
extern int	ao_http_retries;
extern int	ao_http_retry_delay;	/* ms, before the first retry; doubles */
extern int	ao_http_max_retry_delay;	/* ms */

/* ---- target.c: where a request goes, and whether it may ---- */

#define AO_HTTP_HOST_SIZE 256

typedef struct AoHttpTarget
{
	bool		https;
	bool		literal;		/* the host is an address */
	char		host[AO_HTTP_HOST_SIZE];	/* lower case; an IPv6 address without brackets */
	int			port;
} AoHttpTarget;

/* Reads scheme, host and port of a URL handle; false with *why set (palloc'd or
 * static) if it is not a URL that may be used at all. */
extern bool ao_http_read_target(const AoCurl *curl, CURLU *url, AoHttpTarget *target, const char **why);
/* Is the URL text plain enough to be given to libcurl? */
extern bool ao_http_plain_url(const char *url, const char **why);
/* Is the target matched by one of the patterns of a list? */
extern bool ao_http_listed(const char *list, const AoHttpTarget *target);
/* Is this a list of host patterns?  If not, the pattern at fault is in *wrong. */
extern bool ao_http_valid_list(const char *list, char *wrong, size_t wrong_size);

/* ---- secrets.c ---- */

typedef struct AoHttpSecret
{
	char	   *name;
	char	   *hosts;			/* one pattern, as of the allow-list */
	char	   *value;
	char	   *escaped;		/* the value as it is in a URL */
} AoHttpSecret;

typedef struct AoHttpSecrets
{
	bool		loaded;
	int			n;
	AoHttpSecret *items;		/* palloc'd */
	const char *fault;			/* why the file is of no use, or NULL */
} AoHttpSecrets;

extern bool ao_http_has_secret(const char *template);
/* The template with each secret replaced by a word, to be checked as a URL. */
extern char *ao_http_mask_secrets(const char *template);
/* The template with the secrets put in; NULL with *why set if one may not be. */
extern char *ao_http_fill_secrets(AoHttpSecrets *secrets, const char *template, bool in_url,
								  const AoHttpTarget *target, const char **why);
/* Overwrites what of the secrets is in the text by asterisks, however it is spelled: who reads it takes the escape sequences of JSON out. */
extern void ao_http_scrub(const AoHttpSecrets *secrets, char *text, size_t size);
extern void ao_http_forget_secrets(AoHttpSecrets *secrets);

/* ---- resolve.c ---- */

#define AO_HTTP_ADDRESSES_SIZE 1024

typedef enum AoHttpHostState
{
	AO_HTTP_HOST_NEW,
	AO_HTTP_HOST_RESOLVING,
	AO_HTTP_HOST_KNOWN,
	AO_HTTP_HOST_FAILED
} AoHttpHostState;

/* A host of the exchange; pinned: resolved once, whatever the name server says later. */
typedef struct AoHttpHost
{
	char		name[AO_HTTP_HOST_SIZE];
	AoHttpHostState state;
	AoHttpFault fault;			/* where FAILED */
	char		message[512];	/* where FAILED */
	char		addresses[AO_HTTP_ADDRESSES_SIZE];	/* where KNOWN: as libcurl wants them; empty for an address */
	int			tries;
	int64		deadline;		/* ms */
	int64		not_before;		/* ms: a server asked to be left alone till then */
	pid_t		child;
	int			pipe;			/* from the child; -1 none */
	char		line[128];		/* what has been read of a line */
	int			line_size;
} AoHttpHost;

extern void ao_http_resolve_start(AoHttpHost *host);
extern void ao_http_resolve_continue(AoHttpHost *host);
extern void ao_http_resolve_stop(AoHttpHost *host);

/* Milliseconds of a clock that only goes forward. */
extern int64 ao_http_clock(void);

/* ---- transfer.c: one request on its way ---- */

#define AO_HTTP_MAX_HEADER_SIZE 65536
#define AO_HTTP_MAX_RETRY_AFTER 86400	/* seconds: what is to be told or fetched waits a day at most for a server that asks for more */

typedef enum AoHttpState
{
	AO_HTTP_WAITING,			/* to be started, not before "due" */
	AO_HTTP_RESOLVING,
	AO_HTTP_RUNNING,
	AO_HTTP_DONE
} AoHttpState;

/* Why a transfer was ended while its answer came. */
typedef enum AoHttpStop
{
	AO_HTTP_NOT_STOPPED,
	AO_HTTP_STOP_SIZE,			/* of the body */
	AO_HTTP_STOP_HEADERS,		/* their size */
	AO_HTTP_STOP_MEMORY,
	AO_HTTP_STOP_CODING,		/* one that was not asked for */
	AO_HTTP_STOP_GARBLED		/* what was to be unpacked */
} AoHttpStop;

/* How the body comes. */
typedef enum AoHttpCoding
{
	AO_HTTP_PLAIN,
	AO_HTTP_PACKED,				/* as gzip or deflate */
	AO_HTTP_UNKNOWN_CODING
} AoHttpCoding;

typedef struct AoHttpTransfer
{
	const AoHttpRequest *request;
	AoHttpState state;
	int64		due;
	int64		begun;			/* first attempt; 0 none yet */
	int64		ended;
	int			attempts;
	int			hops;			/* redirects followed */
	AoHttpTarget target;
	AoHttpTarget first_target;	/* before any redirect */
	AoHttpHost *host;
	CURLU	   *url;			/* as it is sent */
	char	   *shown;			/* palloc'd: the URL for people, without secrets */
	CURL	   *easy;
	struct curl_slist *headers;
	struct curl_slist *resolved;
	/* filled by libcurl's callbacks, malloc'd */
	char	   *body;
	size_t		size;
	size_t		capacity;
	size_t		header_size;
	AoHttpStop	stop;
	AoHttpCoding coding;
	z_stream	packed;			/* if unpacking */
	bool		unpacking;
	size_t		packed_size;	/* of what has come to be unpacked */
	bool		whole;			/* what was packed has come to its end */
	int			pause_asked;	/* Retry-After in seconds; 0: none, or a date */
	char		curl_error[CURL_ERROR_SIZE];
	/* outcome */
	AoHttpFault fault;
	char	   *message;		/* palloc'd */
	int			status;
	int			retry_after;
	char	   *content_type;	/* palloc'd */
} AoHttpTransfer;

/* What all transfers of an exchange share. */
typedef struct AoHttpExchange
{
	const AoCurl *curl;
	CURLM	   *multi;
	MemoryContext context;
	int			n;
	AoHttpTransfer *transfers;
	int			n_running;		/* resolving or running */
	int			n_done;
	int			n_hosts;
	int			max_hosts;
	AoHttpHost **hosts;
	char	   *proxy;			/* URL for libcurl; "" for none */
	AoHttpTarget proxy_target;
	AoHttpHost *proxy_host;		/* or NULL */
	AoHttpSecrets secrets;
} AoHttpExchange;

/* Checks the request and works out where it goes; false if it ends here. */
extern bool ao_http_transfer_check(AoHttpExchange *x, AoHttpTransfer *t);
/* Hands the transfer to libcurl; its host's addresses are known. */
extern void ao_http_transfer_start(AoHttpExchange *x, AoHttpTransfer *t);
/* Takes from libcurl what came of it: the end, another attempt or a redirect. */
extern void ao_http_transfer_finish(AoHttpExchange *x, AoHttpTransfer *t, CURLcode result);
/* There is no answer: another attempt if there may be one, else the end.  The
 * message is palloc'd or static. */
extern void ao_http_transfer_fail(AoHttpExchange *x, AoHttpTransfer *t, AoHttpFault fault,
								  const char *message, bool repeatable);
/* Gives back what libcurl and malloc gave. */
extern void ao_http_transfer_free(AoHttpExchange *x, AoHttpTransfer *t);

/* ---- receive.c: the answer as it comes ---- */

/* Before and after an attempt. */
extern void ao_http_receive_begin(AoHttpTransfer *t);
extern void ao_http_receive_end(AoHttpTransfer *t);
/* Take a line of the headers and a piece of the body from libcurl; a return of less than size ends the transfer. */
extern size_t ao_http_take_header(char *data, size_t one, size_t size, void *arg);
extern size_t ao_http_take_body(char *data, size_t one, size_t size, void *arg);
/* Has a body that ended well for libcurl no end of what was packed in it? */
extern bool ao_http_is_cut_off(const AoHttpTransfer *t);

/* ---- exchange.c: the record of a host, made if need be ---- */

extern AoHttpHost *ao_http_host(AoHttpExchange *x, const char *name);

#endif							/* AO_HTTP_INTERNAL_H */

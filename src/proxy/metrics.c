/*
 * metrics.c
 *		GET /metrics: counters in the text format of Prometheus.
 */
#include "restd.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MOST_HANDLERS 64		/* routes, then files, then what is neither */
#define N_STATUSES 15
#define N_LATENCIES 14
#define N_SIZES 10

static const int statuses[N_STATUSES] = {200, 304, 307, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503};
/* microseconds */
static const int64_t latencies[N_LATENCIES] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000
};
static const size_t sizes[N_SIZES] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

typedef struct Histogram
{
	atomic_ullong counts[16];	/* of the buckets, each without those below; then what is above all */
	atomic_ullong sum;
} Histogram;

static atomic_ullong requests[MOST_HANDLERS][N_STATUSES + 1];
static Histogram durations[MOST_HANDLERS];
static Histogram batches;
static Histogram batch_durations;
static atomic_llong connections;
static atomic_llong databases;
static atomic_ullong database_connects;
static time_t started;

static void
count(atomic_ullong *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* The number of handler: of the route; behind these that of files, and of what is neither. */
static size_t
handler_number(const Request *request)
{
	size_t		n = route_number(request->route);

	if (request->asset != NULL)
		n = route_number(NULL) + 1;
	return n < MOST_HANDLERS ? n : MOST_HANDLERS - 1;
}

/* The process has begun. */
void
metrics_start(void)
{
	started = time(NULL);
}

/* A request is done. */
void
metrics_request(const Request *request)
{
	size_t		handler = handler_number(request);
	int64_t		duration = clock_microseconds() - request->start;
	int			status = 0;
	int			bucket = 0;

	while (status < N_STATUSES && statuses[status] != request->reply.status)
		status++;
	while (bucket < N_LATENCIES && duration > latencies[bucket])
		bucket++;
	count(&requests[handler][status], 1);
	count(&durations[handler].counts[bucket], 1);
	count(&durations[handler].sum, (uint64_t) duration);
}

void
metrics_batch(size_t n, int64_t microseconds)
{
	int			bucket = 0;
	int			latency = 0;

	while (bucket < N_SIZES && n > sizes[bucket])
		bucket++;
	while (latency < N_LATENCIES && microseconds > latencies[latency])
		latency++;
	count(&batches.counts[bucket], 1);
	count(&batches.sum, n);
	count(&batch_durations.counts[latency], 1);
	count(&batch_durations.sum, (uint64_t) microseconds);
}

void
metrics_database(int connected)
{
	atomic_fetch_add_explicit(&databases, connected, memory_order_relaxed);
	if (connected > 0)
		count(&database_connects, 1);
}

void
metrics_connection(int opened)
{
	atomic_fetch_add_explicit(&connections, opened, memory_order_relaxed);
}

/* ---- writing ---- */

static void
head(Text *text, const char *name, const char *type, const char *help)
{
	text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A metric of one value. */
static void
write_one(Text *text, const char *name, const char *type, const char *help, double value)
{
	head(text, name, type, help);
	text_printf(text, "%s %.17g\n", name, value);
}

static const char *
handler_name(size_t handler)
{
	const Route *route = route_at(handler);

	if (route != NULL)
		return route->path;
	return handler == route_number(NULL) ? "none" : "file";
}

static const char *
handler_method(size_t handler)
{
	const Route *route = route_at(handler);

	return route != NULL && strcmp(route->method, "POST") == 0 ? "post" : "get";
}

/* The buckets of a histogram; bounds in microseconds where scale is 1e6; label is "" or ends with a comma. */
static void
write_histogram(Text *text, const char *name, const char *label, Histogram *histogram, int n, double (*bound)(int), double scale)
{
	uint64_t	sum = 0;

	for (int i = 0; i <= n; i++)
	{
		sum += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
		if (i < n)
			text_printf(text, "%s_bucket{%sle=\"%g\"} %" PRIu64 "\n", name, label, bound(i), sum);
		else
			text_printf(text, "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name, label, sum);
	}
	if (*label != '\0')
	{
		int			length = (int) strlen(label) - 1;

		text_printf(text, "%s_sum{%.*s} %.15g\n", name, length, label, (double) atomic_load(&histogram->sum) / scale);
		text_printf(text, "%s_count{%.*s} %" PRIu64 "\n", name, length, label, sum);
	}
	else
		text_printf(text, "%s_sum %.15g\n%s_count %" PRIu64 "\n", name, (double) atomic_load(&histogram->sum) / scale, name, sum);
}

static double
latency_bound(int i)
{
	return (double) latencies[i] / 1e6;
}

static double
size_bound(int i)
{
	return (double) sizes[i];
}

static void
write_requests(Text *text)
{
	size_t		n = route_number(NULL) + 2;

	head(text, "http_requests_total", "counter", "Requests answered, by handler and status code.");
	for (size_t handler = 0; handler < n && handler < MOST_HANDLERS; handler++)
		for (int i = 0; i <= N_STATUSES; i++)
		{
			uint64_t	number = atomic_load_explicit(&requests[handler][i], memory_order_relaxed);
			char		status[16] = "other";

			if (i < N_STATUSES)
				snprintf(status, sizeof(status), "%d", statuses[i]);
			if (number > 0)
				text_printf(text, "http_requests_total{method=\"%s\",handler=\"%s\",code=\"%s\"} %" PRIu64 "\n",
							handler_method(handler), handler_name(handler), status, number);
		}
	head(text, "http_request_duration_seconds", "histogram", "Time from the head of a request to the end of its reply.");
	for (size_t handler = 0; handler < n && handler < MOST_HANDLERS; handler++)
	{
		char		label[256];

		snprintf(label, sizeof(label), "handler=\"%s\",", handler_name(handler));
		if (atomic_load_explicit(&durations[handler].sum, memory_order_relaxed) > 0)
			write_histogram(text, "http_request_duration_seconds", label, &durations[handler], N_LATENCIES, latency_bound, 1e6);
	}
}

/* A number of the process's own files under /proc, or -1. */
static double
open_files(void)
{
	DIR		   *folder = opendir("/proc/self/fd");
	double		n = -3;			/* itself and the two dots */

	if (folder == NULL)
		return -1;
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

static double
resident_memory(void)
{
	FILE	   *file = fopen("/proc/self/statm", "r");
	long		pages = 0;

	if (file == NULL)
		return -1;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double) pages * (double) sysconf(_SC_PAGESIZE);
}

static void
write_process(Text *text)
{
	struct rusage usage;
	struct rlimit limit = {0};

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &limit);
	write_one(text, "process_cpu_seconds_total", "counter", "Processor time used.",
			  (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	write_one(text, "process_resident_memory_bytes", "gauge", "Memory in use.", resident_memory());
	write_one(text, "process_open_fds", "gauge", "Open files.", open_files());
	write_one(text, "process_max_fds", "gauge", "Most files that may be open.", (double) limit.rlim_cur);
	write_one(text, "process_start_time_seconds", "gauge", "Start of the process, in seconds of Unix time.", (double) started);
}

/* See restd.h. */
void
metrics_write(Text *text)
{
	write_requests(text);
	write_one(text, "http_connections", "gauge", "Connections of clients.", (double) atomic_load(&connections));
	head(text, "arima_restd_batch_size", "histogram", "Predictions answered by one statement.");
	write_histogram(text, "arima_restd_batch_size", "", &batches, N_SIZES, size_bound, 1);
	head(text, "arima_restd_batch_duration_seconds", "histogram", "Time of a statement, with its commit.");
	write_histogram(text, "arima_restd_batch_duration_seconds", "", &batch_durations, N_LATENCIES, latency_bound, 1e6);
	write_one(text, "arima_restd_waiting_requests", "gauge", "Requests that wait for the database.", (double) work_waiting());
	write_one(text, "arima_restd_database_connections", "gauge", "Connections to the database.", (double) atomic_load(&databases));
	write_one(text, "arima_restd_database_connects_total", "counter", "Connections to the database that were tried.",
			  (double) atomic_load(&database_connects));
	head(text, "arima_restd_build_info", "gauge", "Version of the program.");
	text_printf(text, "arima_restd_build_info{version=\"%s\"} 1\n", ARIMA_OPS_VERSION);
	write_process(text);
}

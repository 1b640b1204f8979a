/*
 * work.c
 *		The workers: threads with a connection each, some for batches of predictions,
 *		some for what only reads.
 *
 * A prediction of a series whose prices another transaction is restating, or which it
 * removes, is put apart and asked for again and again: a statement that waited for that
 * transaction would keep the predictions of all other series waiting, too.
 */
#include "database.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PATIENCE 20000			/* microseconds, of many batches; before a second connection answers predictions, too */
#define PAUSE_MS 20				/* before predictions that were put apart are asked for again */

static Queue *predictions;
static Queue *apart;
static Queue *reads;
static pthread_t *threads;
static size_t n_threads;
static atomic_size_t n_running;	/* of them */

/* Answers what has waited so long that nobody may be there any more; gives the rest. */
static Request *
drop_overdue(Request *request, size_t *n)
{
	int64_t		oldest = clock_microseconds() - options.request_timeout * 1000;
	Request    *kept = NULL;
	Request   **last = &kept;

	*n = 0;
	for (Request *next; request != NULL; request = next)
	{
		next = request->next;
		if (request->start < oldest)
		{
			reply_unavailable(request, "The database does not answer in time");
			http_answer(request);
			continue;
		}
		*last = request;
		last = &request->next;
		++*n;
	}
	*last = NULL;
	return kept;
}

/* No database, or none for the role of their token: all are told so. */
static void
refuse_all(Request *request, bool connected)
{
	for (Request *next; request != NULL; request = next)
	{
		next = request->next;
		reply_unavailable(request, connected ? "The role of this token is not there for the server" : "The database cannot be reached");
		http_answer(request);
	}
}

static void
serve(Queue *queue, size_t most, bool reserve, void (*answer)(Database *, Request *, size_t))
{
	Database   *database = database_new();
	Request    *request;
	size_t		n;

	/* so that the first request does not wait for a connection; what is put apart is rare, and waits anyway */
	if (queue != apart)
		database_ready(database, NULL);
	while ((request = queue_take(queue, most, reserve, &n)) != NULL)
	{
		request = drop_overdue(request, &n);
		if (request != NULL && database_ready(database, request->token != NULL ? request->token->role : NULL))
			answer(database, request, n);
		else
			refuse_all(request, database_connected(database));
	}
	database_free(database);
	atomic_fetch_sub(&n_running, 1);
}

static void *
serve_predictions(void *argument)
{
	serve(predictions, (size_t) options.batch_size, false, predict_batch);
	return argument;
}

static void *
serve_held_up(void *argument)
{
	serve(predictions, (size_t) options.batch_size, true, predict_batch);
	return argument;
}

/* Where roles take turns a batch is one request: those that are answered are not paused for. */
static void
predict_again(Database *database, Request *first, size_t n)
{
	size_t		others = queue_length(apart);

	predict_batch(database, first, n);
	if (queue_length(apart) > others)
		nanosleep(&(struct timespec) {.tv_nsec = PAUSE_MS * 1000000}, NULL);
}

static void *
serve_apart(void *argument)
{
	serve(apart, (size_t) options.batch_size, false, predict_again);
	return argument;
}

static void
read_first(Database *database, Request *request, size_t n)
{
	(void) n;
	read_one(database, request);
	http_answer(request);
}

static void *
serve_reads(void *argument)
{
	serve(reads, 1, false, read_first);
	return argument;
}

static void
start(void *(*body)(void *), int64_t n)
{
	atomic_fetch_add(&n_running, (size_t) n);
	for (int64_t i = 0; i < n; i++)
	{
		if (pthread_create(&threads[n_threads], NULL, body, NULL) != 0)
			die("no thread can be started");
		n_threads++;
	}
}

void
work_start(void)
{
	database_start();
	predictions = queue_new((size_t) options.queue, PATIENCE);
	apart = queue_new((size_t) options.queue, PATIENCE);
	reads = queue_new((size_t) options.queue, PATIENCE);
	threads = need_memory(NULL, sizeof(pthread_t) * (size_t) (options.batch_workers + options.read_workers + 1));
	start(serve_predictions, 1);
	start(serve_held_up, options.batch_workers - 1);
	start(serve_apart, 1);
	start(serve_reads, options.read_workers);
}

static void
submit(Queue *queue, Request *request)
{
	if (!queue_put(queue, request))
	{
		reply_unavailable(request, "Too many requests are waiting");
		http_answer(request);
	}
}

/* The request's connection must be suspended: its answer may come at once. */
void
work_submit(Request *request)
{
	submit(request->route->kind == ROUTE_PREDICT ? predictions : reads, request);
}

/* See restd.h. */
void
work_submit_again(Request *request)
{
	submit(apart, request);
}

size_t
work_waiting(void)
{
	return queue_length(predictions) + queue_length(apart) + queue_length(reads);
}

/*
 * Ends the workers once their queues are empty; false: those that are left are connecting,
 * which may take long and is of no use any more.  The queues stay: a connection that is
 * still open may bring another request, which is then refused.
 */
bool
work_stop(void)
{
	size_t		left;

	queue_close(predictions);
	queue_close(apart);
	queue_close(reads);
	while ((left = atomic_load(&n_running)) > 0)
	{
		if (left == database_connecting())
			return false;
		nanosleep(&(struct timespec) {.tv_nsec = 5000000}, NULL);
	}
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return true;
}

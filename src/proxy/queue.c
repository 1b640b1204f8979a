/*
 * queue.c
 *		A queue of requests with a bound, from the threads of HTTP to the workers.
 *
 * One batch at a time is the fastest where processors are few: what comes while it runs
 * is the next.  So the first worker takes what there is at once, and the others are its
 * reserve, for when it is held up, by a lock or the disk, or cannot keep up.
 */
#include "restd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NEVER INT64_MAX

struct Queue
{
	pthread_mutex_t lock;
	pthread_cond_t filled;		/* for those that take at once */
	pthread_cond_t late;		/* for the reserve */
	int64_t		patience;
	int64_t		busy_since;		/* the first worker, NEVER: it is not */
	int			asleep;			/* of the reserve, until something is put */
	Request    *first;
	Request   **last;			/* where the next one is linked in */
	size_t		n;
	size_t		most;
	bool		closed;
};

/* See restd.h. */
Queue *
queue_new(size_t most, int64_t patience)
{
	Queue	   *queue = need_memory(NULL, sizeof(Queue));
	pthread_condattr_t clock;

	*queue = (Queue) {.most = most, .patience = patience, .busy_since = NEVER};
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->late, &clock);
	pthread_condattr_destroy(&clock);
	return queue;
}

/* See restd.h. */
bool
queue_put(Queue *queue, Request *request)
{
	bool		taken;

	pthread_mutex_lock(&queue->lock);
	taken = !queue->closed && queue->n < queue->most;
	if (taken)
	{
		request->next = NULL;
		*queue->last = request;
		queue->last = &request->next;
		queue->n++;
		pthread_cond_signal(&queue->filled);
		if (queue->asleep > 0)
			pthread_cond_signal(&queue->late);
	}
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

/* The database role that a request is answered with. */
static const char *
role_of(const Request *request)
{
	return request->token != NULL ? request->token->role : NULL;
}

static bool
same_role(const Request *a, const Request *b)
{
	const char *x = role_of(a);
	const char *y = role_of(b);

	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

/* Until there is something. */
static void
await_filled(Queue *queue)
{
	while (queue->first == NULL && !queue->closed)
		pthread_cond_wait(&queue->filled, &queue->lock);
}

/* Until something has waited, or the first worker's batch has run, for longer than the queue has patience. */
static void
await_late(Queue *queue)
{
	while (!queue->closed)
	{
		int64_t		turn;

		if (queue->first == NULL)
		{
			queue->asleep++;
			pthread_cond_wait(&queue->late, &queue->lock);
			queue->asleep--;
			continue;
		}
		turn = queue->patience + (queue->busy_since < queue->first->start ? queue->busy_since : queue->first->start);
		if (clock_microseconds() >= turn)
			return;
		pthread_cond_timedwait(&queue->late, &queue->lock,
							   &(struct timespec) {.tv_sec = turn / 1000000, .tv_nsec = turn % 1000000 * 1000});
	}
}

/* See restd.h: what is taken is linked by next, the oldest first. */
Request *
queue_take(Queue *queue, size_t most, bool reserve, size_t *n)
{
	Request    *first;
	Request    *end;

	pthread_mutex_lock(&queue->lock);
	if (reserve)
		await_late(queue);
	else
	{
		queue->busy_since = NEVER;
		await_filled(queue);
		queue->busy_since = clock_microseconds();
	}
	first = end = queue->first;
	*n = 0;
	if (first != NULL)
	{
		size_t		weight = first->weight;

		for (*n = 1; end->next != NULL && weight + end->next->weight <= most && same_role(first, end->next); ++*n)
		{
			end = end->next;
			weight += end->weight;
		}
		queue->first = end->next;
		if (queue->first == NULL)
			queue->last = &queue->first;
		else
			pthread_cond_signal(&queue->filled);
		end->next = NULL;
		queue->n -= *n;
	}
	pthread_mutex_unlock(&queue->lock);
	return first;
}

size_t
queue_length(Queue *queue)
{
	size_t		n;

	pthread_mutex_lock(&queue->lock);
	n = queue->n;
	pthread_mutex_unlock(&queue->lock);
	return n;
}

/* Wakes all who wait; what is in the queue can still be taken. */
void
queue_close(Queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_cond_broadcast(&queue->late);
	pthread_mutex_unlock(&queue->lock);
}

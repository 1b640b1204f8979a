/*
 * queue.c
 *		A queue of requests with a bound, from the threads of HTTP to the workers.
 */
#include "restd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Queue
{
	pthread_mutex_t lock;
	pthread_cond_t filled;
	Request    *first;
	Request   **last;			/* where the next one is linked in */
	size_t		n;
	size_t		most;
	int64_t		patience;
	int			running;		/* batches that are taken and not done */
	bool		left;			/* the last one taken left something behind */
	bool		closed;
};

/* See restd.h. */
Queue *
queue_new(size_t most, int64_t patience)
{
	Queue	   *queue = need_memory(NULL, sizeof(Queue));
	pthread_condattr_t clock;

	*queue = (Queue) {.most = most, .patience = patience};
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->filled, &clock);
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
		/* one worker knows of the others, or has them waiting for it */
		if (queue->n++ == 0 || queue->patience == 0)
			pthread_cond_signal(&queue->filled);
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

/*
 * Waits until there is something to take.  While a batch is running the next one only
 * grows: what two workers take at the same time are two small batches, whose cost is
 * mostly that of a batch.  But nobody waits longer than the queue has patience, and
 * what one batch has no room for goes into the next at once.
 */
static void
await_turn(Queue *queue)
{
	for (;;)
	{
		int64_t		turn;

		if (queue->first == NULL)
		{
			if (queue->closed)
				return;
			pthread_cond_wait(&queue->filled, &queue->lock);
			continue;
		}
		turn = queue->first->start + queue->patience;
		if (queue->running == 0 || queue->left || queue->closed || clock_microseconds() >= turn)
			return;
		pthread_cond_timedwait(&queue->filled, &queue->lock,
							   &(struct timespec) {.tv_sec = turn / 1000000, .tv_nsec = turn % 1000000 * 1000});
	}
}

/* See restd.h: what is taken is linked by next, the oldest first. */
Request *
queue_take(Queue *queue, size_t most, size_t *n)
{
	Request    *first;
	Request    *end;

	pthread_mutex_lock(&queue->lock);
	await_turn(queue);
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
		queue->left = queue->first != NULL;
		end->next = NULL;
		queue->n -= *n;
		queue->running++;
	}
	pthread_mutex_unlock(&queue->lock);
	return first;
}

/* See restd.h: who calls this takes the next ones, if there are any. */
void
queue_done(Queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->running--;
	pthread_mutex_unlock(&queue->lock);
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
	pthread_mutex_unlock(&queue->lock);
}

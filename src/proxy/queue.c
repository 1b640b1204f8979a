/*
 * queue.c
 *		A queue of requests with a bound, from the threads of HTTP to the workers.
 */
#include "restd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct Queue
{
	pthread_mutex_t lock;
	pthread_cond_t filled;
	Request    *first;
	Request   **last;			/* where the next one is linked in */
	size_t		n;
	size_t		most;
	bool		closed;
};

/* See restd.h. */
Queue *
queue_new(size_t most)
{
	Queue	   *queue = need_memory(NULL, sizeof(Queue));

	*queue = (Queue) {.most = most};
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
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
 * See restd.h: what is taken is linked by next, the oldest first.  A worker takes what
 * there is at once: while its batch waits for the disk, another one's is computed.
 */
Request *
queue_take(Queue *queue, size_t most, size_t *n)
{
	Request    *first;
	Request    *end;

	pthread_mutex_lock(&queue->lock);
	while (queue->first == NULL && !queue->closed)
		pthread_cond_wait(&queue->filled, &queue->lock);
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
	pthread_mutex_unlock(&queue->lock);
}

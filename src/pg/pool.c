/*
 * pool.c
 *		Parallel workers that do the same work on many items.
 *
 * Each worker has a queue of items and one of answers in shared memory.  The
 * leader never waits on one queue, so that no two processes wait for each other:
 * what does not fit into a queue is offered again the next time round.
 *
 * How long an item takes is known only afterwards: slow ones after quick ones go into a
 * queue as deep as it was for these.  So the leader keeps what it has sent, and takes an
 * item that is not begun back for a worker that has nothing left to do.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"

#include "pool.h"

PGDLLEXPORT void arima_ops_pool_worker(dsm_segment *segment, shm_toc *toc);

#define KEY_WORK UINT64CONST(1)
#define KEY_SHARED UINT64CONST(2)
#define KEY_ITEMS UINT64CONST(3)
#define KEY_ANSWERS UINT64CONST(4)
#define KEY_CLAIMS UINT64CONST(5)

#define QUEUE_SIZE ((Size) 131072)
#define LEAST_DEPTH 2			/* items that a worker may have before it: one that it works on, */
#define MOST_DEPTH 32			/* and as many as keep it busy while the leader sleeps */
#define AHEAD_US 2000.0
#define BUNDLE_US 1000.0		/* answers go together: each message wakes the leader, which */
#define BUNDLE_SIZE 32768		/* takes a processor from a worker */
#define MOST_WORKERS 1024
#define CLAIMS_SIZE (sizeof(pg_atomic_uint32) * MOST_DEPTH)

/* The functions of AoPoolWork: their addresses differ from process to process. */
static const AoPoolFunction work_functions[] = {
	[AO_POOL_FIT] = ao_pg_pool_fit,
	[AO_POOL_TRAIN] = ao_pg_pool_train
};

/* Whose an item on its way is: that of who is first to say so. */
typedef enum Claim
{
	CLAIM_NOBODY,
	CLAIM_WORKER,				/* begun */
	CLAIM_LEADER				/* taken back: the worker answers with nothing */
} Claim;

/* An item under way. */
typedef struct Underway
{
	void	   *ticket;
	char	   *data;			/* NULL: not kept, or taken back */
	Size		size;
	bool		taken_back;
} Underway;

/* A worker, as the leader sees it. */
typedef struct Worker
{
	shm_mq_handle *items;
	shm_mq_handle *answers;
	pg_atomic_uint32 *claims;	/* [MOST_DEPTH] in shared memory, of the ring */
	Underway	ring[MOST_DEPTH];	/* the items under way, from first on */
	int			first,
				count;
	int			taken_back;		/* of these, not answered yet */
	int			depth;			/* count goes up to this */
	const char *bundle;			/* in the queue: answers from here on */
	Size		bundle_left;	/* are not handed out yet; so many bytes */
	bool		unsent;			/* not all of the last item is in the queue */
} Worker;

struct AoPool
{
	ParallelContext *parallel;
	AoPoolWork	work;
	const void *shared;
	Size		shared_size;
	int			n_workers;
	Worker	   *workers;
	MemoryContext context;
	bool		has_own;		/* without workers: an answer of this process waits, */
	AoPoolAnswer own;
	MemoryContext own_context;	/* in here, until the next one */
};

/* What comes before the answers of a bundle, */
typedef struct Bundle
{
	int64		n_answers;
	double		us;				/* microseconds of work on them */
} Bundle;

/* each of which is its size and, aligned as by palloc, its bytes; of an item taken back, none. */
#define HEAD MAXALIGN(sizeof(Size))

/* Sends a message as shm_mq_send does in this version of PostgreSQL; at once. */
static shm_mq_result
send_message(shm_mq_handle *queue, Size size, const void *data, bool nowait)
{
#if PG_VERSION_NUM >= 150000
	return shm_mq_send(queue, size, data, nowait, true);
#else
	return shm_mq_send(queue, size, data, nowait);
#endif
}

/* Puts what every item needs, and the queues, into the shared memory of the context. */
static void
fill_shared_memory(AoPool *pool, ParallelContext *parallel)
{
	shm_toc    *toc = parallel->toc;
	AoPoolWork *work = shm_toc_allocate(toc, sizeof(AoPoolWork));
	char	   *shared = shm_toc_allocate(toc, pool->shared_size);
	char	   *items = shm_toc_allocate(toc, QUEUE_SIZE * parallel->nworkers);
	char	   *answers = shm_toc_allocate(toc, QUEUE_SIZE * parallel->nworkers);
	pg_atomic_uint32 *claims = shm_toc_allocate(toc, CLAIMS_SIZE * parallel->nworkers);

	*work = pool->work;
	memcpy(shared, pool->shared, pool->shared_size);
	shm_toc_insert(toc, KEY_WORK, work);
	shm_toc_insert(toc, KEY_SHARED, shared);
	shm_toc_insert(toc, KEY_ITEMS, items);
	shm_toc_insert(toc, KEY_ANSWERS, answers);
	shm_toc_insert(toc, KEY_CLAIMS, claims);
	for (int i = 0; i < parallel->nworkers; i++)
	{
		shm_mq	   *to = shm_mq_create(items + QUEUE_SIZE * i, QUEUE_SIZE);
		shm_mq	   *from = shm_mq_create(answers + QUEUE_SIZE * i, QUEUE_SIZE);

		shm_mq_set_sender(to, MyProc);
		shm_mq_set_receiver(from, MyProc);
		pool->workers[i].claims = claims + MOST_DEPTH * i;
		for (int j = 0; j < MOST_DEPTH; j++)
			pg_atomic_init_u32(&pool->workers[i].claims[j], CLAIM_NOBODY);
		pool->workers[i].items = shm_mq_attach(to, parallel->seg, NULL);
		pool->workers[i].answers = shm_mq_attach(from, parallel->seg, NULL);
	}
}

/* See pool.h. */
AoPool *
ao_pg_pool_begin(AoPoolWork work, const void *shared, Size shared_size, int workers)
{
	AoPool	   *pool = palloc0(sizeof(AoPool));
	ParallelContext *parallel;

	pool->work = work;
	pool->shared = shared;
	pool->shared_size = shared_size;
	pool->context = CurrentMemoryContext;
	pool->own_context = AllocSetContextCreate(pool->context, "arima_ops pool", ALLOCSET_DEFAULT_SIZES);
	/* a worker cannot lead others: it would leave the group of processes whose locks go together, and spoil it */
	if (workers == 0 || IsParallelWorker())
		return pool;

	EnterParallelMode();
	parallel = pool->parallel = CreateParallelContext("arima_ops", "arima_ops_pool_worker", workers);
	pool->workers = palloc0(sizeof(Worker) * workers);
	shm_toc_estimate_chunk(&parallel->estimator, sizeof(AoPoolWork));
	shm_toc_estimate_chunk(&parallel->estimator, shared_size);
	shm_toc_estimate_chunk(&parallel->estimator, QUEUE_SIZE * workers);
	shm_toc_estimate_chunk(&parallel->estimator, QUEUE_SIZE * workers);
	shm_toc_estimate_chunk(&parallel->estimator, CLAIMS_SIZE * workers);
	shm_toc_estimate_keys(&parallel->estimator, 5);
	InitializeParallelDSM(parallel);
	if (parallel->seg != NULL && parallel->nworkers > 0)
	{
		fill_shared_memory(pool, parallel);
		LaunchParallelWorkers(parallel);
		pool->n_workers = parallel->nworkers_launched;
	}
	for (int i = 0; i < pool->n_workers; i++)
	{
		shm_mq_set_handle(pool->workers[i].items, parallel->worker[i].bgwhandle);
		shm_mq_set_handle(pool->workers[i].answers, parallel->worker[i].bgwhandle);
		pool->workers[i].depth = LEAST_DEPTH;
	}
	return pool;
}

/* Why a worker's queue is at its end: an error of its own is raised in its place. */
static _Noreturn void
lost_worker(AoPool *pool)
{
	WaitForParallelWorkersToFinish(pool->parallel);
	CHECK_FOR_INTERRUPTS();
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("lost connection to a parallel worker"),
			 errhint("The server log may tell more; with workers => 0 all is done without any.")));
}

/* Offers what is left of the worker's last item; false if the queue is full. */
static bool
send_rest(AoPool *pool, Worker *worker)
{
	Underway   *last = &worker->ring[(worker->first + worker->count - 1) % MOST_DEPTH];
	shm_mq_result result;

	if (!worker->unsent)
		return true;
	result = send_message(worker->items, last->size, last->data, true);
	if (result == SHM_MQ_WOULD_BLOCK)
		return false;
	if (result == SHM_MQ_DETACHED)
		lost_worker(pool);
	worker->unsent = false;
	if (last->size > QUEUE_SIZE)
	{
		/* nearly all of it is read, so that it is as good as begun */
		pfree(last->data);
		last->data = NULL;
	}
	return true;
}

/* Sends an item to the worker, which has sent all others. */
static void
send_item(AoPool *pool, Worker *worker, Underway item)
{
	int			slot = (worker->first + worker->count++) % MOST_DEPTH;

	worker->ring[slot] = item;
	pg_atomic_write_u32(&worker->claims[slot], CLAIM_NOBODY);
	worker->unsent = true;
	(void) send_rest(pool, worker);
}

/* Does the work in this process; the answer waits until it is asked for. */
static void
work_here(AoPool *pool, const char *item, Size size, void *ticket)
{
	MemoryContext caller;

	MemoryContextReset(pool->own_context);
	caller = MemoryContextSwitchTo(pool->own_context);
	pool->own.ticket = ticket;
	pool->own.data = (*work_functions[pool->work]) (pool->shared, item, size, &pool->own.size);
	pool->has_own = true;
	MemoryContextSwitchTo(caller);
}

/* The worker with the least before it that can take an item; NULL if none can. */
static Worker *
free_worker(AoPool *pool)
{
	Worker	   *best = NULL;

	for (int i = 0; i < pool->n_workers; i++)
	{
		Worker	   *worker = &pool->workers[i];

		if (worker->count < worker->depth && (best == NULL || worker->count < best->count) &&
			send_rest(pool, worker))
			best = worker;
	}
	return best;
}

/* See pool.h. */
bool
ao_pg_pool_has_room(AoPool *pool)
{
	return pool->n_workers > 0 ? free_worker(pool) != NULL : !pool->has_own;
}

/* See pool.h. */
char *
ao_pg_pool_alloc(AoPool *pool, Size size)
{
	return MemoryContextAllocHuge(pool->context, size);
}

/* See pool.h. */
void
ao_pg_pool_put(AoPool *pool, char *item, Size size, void *ticket)
{
	Worker	   *worker = free_worker(pool);

	if (worker == NULL)
	{
		work_here(pool, item, size, ticket);
		pfree(item);
		return;
	}
	send_item(pool, worker, (Underway) {.ticket = ticket, .data = item, .size = size});
}

/* Takes the last item back that a worker has before it and has not begun; false if there is none. */
static bool
take_back(Worker *worker, Underway *item)
{
	for (int i = worker->count - 1 - worker->unsent; i > 0; i--)
	{
		int			slot = (worker->first + i) % MOST_DEPTH;
		uint32		claim = CLAIM_NOBODY;

		if (worker->ring[slot].data == NULL)
			continue;
		if (!pg_atomic_compare_exchange_u32(&worker->claims[slot], &claim, CLAIM_LEADER))
			return false;
		*item = worker->ring[slot];
		worker->ring[slot].data = NULL;
		worker->ring[slot].taken_back = true;
		worker->taken_back++;
		return true;
	}
	return false;
}

/* Gives the idle worker an item of the one that has most before it. */
static void
share_out(AoPool *pool, Worker *idle)
{
	Worker	   *most = idle;
	Underway	item;

	for (int i = 0; i < pool->n_workers; i++)
	{
		Worker	   *worker = &pool->workers[i];

		if (worker->count - worker->taken_back > most->count - most->taken_back)
			most = worker;
	}
	if (take_back(most, &item))
		send_item(pool, idle, item);
}

/* Is there an answer in the worker's bundle?  Looks for the next bundle where needed, whose time
 * says how many items the worker should have before it. */
static bool
has_answer(AoPool *pool, Worker *worker)
{
	Bundle		head;
	Size		size;
	void	   *data;
	shm_mq_result result;

	if (worker->bundle_left > 0)
		return true;
	if (worker->count == 0)
		return false;
	(void) send_rest(pool, worker);
	result = shm_mq_receive(worker->answers, &size, &data, true);
	if (result == SHM_MQ_DETACHED)
		lost_worker(pool);
	if (result != SHM_MQ_SUCCESS)
		return false;
	memcpy(&head, data, sizeof(head));
	worker->bundle = (char *) data + sizeof(head);
	worker->bundle_left = size - sizeof(head);
	worker->depth = (int) Min(MOST_DEPTH, LEAST_DEPTH + AHEAD_US * head.n_answers / Max(head.us, 1.0));
	return true;
}

/* The next answer of the worker's bundle; false if it is that of an item taken back. */
static bool
take_answer(Worker *worker, AoPoolAnswer *answer)
{
	Underway	item = worker->ring[worker->first];
	Size		used;

	memcpy(&answer->size, worker->bundle, sizeof(Size));
	used = HEAD + MAXALIGN(answer->size);
	if (item.taken_back)
		worker->taken_back--;
	else
	{
		answer->data = memcpy(palloc(answer->size), worker->bundle + HEAD, answer->size);
		answer->ticket = item.ticket;
	}
	if (item.data != NULL)
		pfree(item.data);
	worker->bundle += used;
	worker->bundle_left -= used;
	worker->first = (worker->first + 1) % MOST_DEPTH;
	worker->count--;
	return !item.taken_back;
}

/* See pool.h. */
bool
ao_pg_pool_get(AoPool *pool, AoPoolAnswer *answer)
{
	if (pool->has_own)
	{
		*answer = pool->own;
		pool->has_own = false;
		return true;
	}
	for (int i = 0; i < pool->n_workers; i++)
	{
		while (has_answer(pool, &pool->workers[i]))
			if (take_answer(&pool->workers[i], answer))
				return true;
	}
	/* there is nothing more to hand over, or it would have been */
	for (int i = 0; i < pool->n_workers; i++)
		if (pool->workers[i].count == 0)
			share_out(pool, &pool->workers[i]);
	return false;
}

/* See pool.h. */
bool
ao_pg_pool_empty(const AoPool *pool)
{
	for (int i = 0; i < pool->n_workers; i++)
	{
		if (pool->workers[i].count > 0)
			return false;
	}
	return !pool->has_own;
}

/* See pool.h. */
void
ao_pg_pool_wait(const AoPool *pool, long milliseconds)
{
	/* the last answers were of items taken back, and nothing will come any more */
	if (ao_pg_pool_empty(pool))
		return;
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* See pool.h.  Workers end when their queue does. */
void
ao_pg_pool_end(AoPool *pool)
{
	if (pool->parallel == NULL)
		return;
	for (int i = 0; i < pool->n_workers; i++)
		shm_mq_detach(pool->workers[i].items);
	WaitForParallelWorkersToFinish(pool->parallel);
	DestroyParallelContext(pool->parallel);
	ExitParallelMode();
}

/* See pool.h. */
int
ao_pg_workers_argument(FunctionCallInfo fcinfo, int arg)
{
	int			workers = PG_ARGISNULL(arg) ? max_parallel_workers_per_gather : PG_GETARG_INT32(arg);

	if (workers < 0 || workers > MOST_WORKERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of workers %d", workers),
				 errhint("Give 0 to %d, or NULL for max_parallel_workers_per_gather.", MOST_WORKERS)));
	return workers;
}

/* ---- in a worker ---- */

/* Adds an answer to the bundle. */
static void
bundle_answer(StringInfo bundle, Size size, const char *answer)
{
	static const char zeros[MAXIMUM_ALIGNOF];

	appendBinaryStringInfo(bundle, (const char *) &size, sizeof(size));
	appendBinaryStringInfo(bundle, zeros, HEAD - sizeof(size));
	appendBinaryStringInfo(bundle, answer, size);
	appendBinaryStringInfo(bundle, zeros, MAXALIGN(size) - size);
}

/* Sends what is in the bundle, if anything; false if nobody wants it. */
static bool
send_bundle(shm_mq_handle *out, StringInfo bundle, Bundle *head)
{
	bool		wanted;

	if (head->n_answers == 0)
		return true;
	memcpy(bundle->data, head, sizeof(*head));
	wanted = send_message(out, bundle->len, bundle->data, false) == SHM_MQ_SUCCESS;
	bundle->len = sizeof(*head);
	*head = (Bundle) {0};
	return wanted;
}

/* Works on an item, unless it was taken back, and puts the answer into the bundle. */
static void
work_on(AoPoolFunction function, const char *shared, const char *item, Size size, pg_atomic_uint32 *claim,
		StringInfo bundle, Bundle *head)
{
	instr_time	start,
				end;
	Size		answer_size = 0;
	char	   *answer = "";
	uint32		nobody = CLAIM_NOBODY;

	INSTR_TIME_SET_CURRENT(start);
	if (pg_atomic_compare_exchange_u32(claim, &nobody, CLAIM_WORKER))
		answer = function(shared, item, size, &answer_size);
	bundle_answer(bundle, answer_size, answer);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	head->n_answers++;
	head->us += INSTR_TIME_GET_DOUBLE(end) * 1e6;
}

/* Works on what comes until no more does, or nobody wants the answers, which are sent when they
 * have become many, or are all that there are. */
static void
work_through(AoPoolFunction function, const char *shared, pg_atomic_uint32 *claims, shm_mq_handle *in,
			 shm_mq_handle *out)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arima_ops pool",
												  ALLOCSET_DEFAULT_SIZES);
	Bundle		head = {0};
	StringInfoData bundle;
	Size		size;
	void	   *item;
	int			slot = 0;

	initStringInfo(&bundle);
	appendBinaryStringInfo(&bundle, (char *) &head, sizeof(head));
	for (;;)
	{
		shm_mq_result result = shm_mq_receive(in, &size, &item, head.n_answers > 0);

		if (result == SHM_MQ_SUCCESS)
		{
			MemoryContext caller = MemoryContextSwitchTo(context);

			work_on(function, shared, item, size, &claims[slot], &bundle, &head);
			slot = (slot + 1) % MOST_DEPTH;
			MemoryContextSwitchTo(caller);
			MemoryContextReset(context);
		}
		if ((result != SHM_MQ_SUCCESS || head.us >= BUNDLE_US || bundle.len >= BUNDLE_SIZE) &&
			!send_bundle(out, &bundle, &head))
			break;
		if (result == SHM_MQ_DETACHED)
			break;
	}
}

/* What a worker runs. */
void
arima_ops_pool_worker(dsm_segment *segment, shm_toc *toc)
{
	AoPoolWork *work = shm_toc_lookup(toc, KEY_WORK, false);
	char	   *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	char	   *items = shm_toc_lookup(toc, KEY_ITEMS, false);
	char	   *answers = shm_toc_lookup(toc, KEY_ANSWERS, false);
	pg_atomic_uint32 *claims = shm_toc_lookup(toc, KEY_CLAIMS, false);
	shm_mq	   *from = (shm_mq *) (items + QUEUE_SIZE * ParallelWorkerNumber);
	shm_mq	   *to = (shm_mq *) (answers + QUEUE_SIZE * ParallelWorkerNumber);
	shm_mq_handle *in;
	shm_mq_handle *out;

	shm_mq_set_receiver(from, MyProc);
	shm_mq_set_sender(to, MyProc);
	in = shm_mq_attach(from, segment, NULL);
	out = shm_mq_attach(to, segment, NULL);
	work_through(work_functions[*work], shared, claims + MOST_DEPTH * ParallelWorkerNumber, in, out);
}

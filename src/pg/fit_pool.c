/*
 * fit_pool.c
 *		Parallel workers that fit series.
 *
 * Each worker has a queue of series and one of answers in shared memory.  The
 * leader never waits on one queue, so that no two processes wait for each other:
 * what does not fit into a queue is offered again the next time round.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"

#include "fit_pool.h"

PGDLLEXPORT void arima_ops_fit_worker(dsm_segment *segment, shm_toc *toc);

#define KEY_SPEC UINT64CONST(1)
#define KEY_SERIES UINT64CONST(2)
#define KEY_ANSWERS UINT64CONST(3)

#define QUEUE_SIZE ((Size) 131072)
#define DEPTH 4					/* series that a worker may have before it */

/* What an answer begins with; a model or a text without its end follows. */
typedef struct AnswerHeader
{
	int64		is_model;
} AnswerHeader;

/* A worker, as the leader sees it. */
typedef struct Worker
{
	shm_mq_handle *series;
	shm_mq_handle *answers;
	void	   *tickets[DEPTH];	/* of the series under way, from first on, in a ring */
	int			first,
				count;
	char	   *unsent;			/* the last series where not all of it is in the queue */
	Size		unsent_size;
} Worker;

struct AoPool
{
	ParallelContext *parallel;
	text	   *spec;
	int			n_workers;
	Worker	   *workers;
	MemoryContext context;
	bool		has_own;		/* without workers: an answer of this process waits, */
	AoPoolAnswer own;
	MemoryContext own_context;	/* in here, until the next one */
};

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

/* Puts specification and queues into the shared memory of the context. */
static void
fill_shared_memory(AoPool *pool, ParallelContext *parallel)
{
	shm_toc    *toc = parallel->toc;
	text	   *spec = shm_toc_allocate(toc, VARSIZE(pool->spec));
	char	   *series = shm_toc_allocate(toc, QUEUE_SIZE * parallel->nworkers);
	char	   *answers = shm_toc_allocate(toc, QUEUE_SIZE * parallel->nworkers);

	memcpy(spec, pool->spec, VARSIZE(pool->spec));
	shm_toc_insert(toc, KEY_SPEC, spec);
	shm_toc_insert(toc, KEY_SERIES, series);
	shm_toc_insert(toc, KEY_ANSWERS, answers);
	for (int i = 0; i < parallel->nworkers; i++)
	{
		shm_mq	   *to = shm_mq_create(series + QUEUE_SIZE * i, QUEUE_SIZE);
		shm_mq	   *from = shm_mq_create(answers + QUEUE_SIZE * i, QUEUE_SIZE);

		shm_mq_set_sender(to, MyProc);
		shm_mq_set_receiver(from, MyProc);
		pool->workers[i].series = shm_mq_attach(to, parallel->seg, NULL);
		pool->workers[i].answers = shm_mq_attach(from, parallel->seg, NULL);
	}
}

/* See fit_pool.h. */
AoPool *
ao_pg_pool_begin(text *spec, int workers)
{
	AoPool	   *pool = palloc0(sizeof(AoPool));
	ParallelContext *parallel;

	pool->spec = spec;
	pool->context = CurrentMemoryContext;
	pool->own_context = AllocSetContextCreate(pool->context, "arima_ops fit", ALLOCSET_DEFAULT_SIZES);
	if (workers == 0)
		return pool;

	EnterParallelMode();
	parallel = pool->parallel = CreateParallelContext("arima_ops", "arima_ops_fit_worker", workers);
	pool->workers = palloc0(sizeof(Worker) * workers);
	shm_toc_estimate_chunk(&parallel->estimator, VARSIZE(spec));
	shm_toc_estimate_chunk(&parallel->estimator, QUEUE_SIZE * workers);
	shm_toc_estimate_chunk(&parallel->estimator, QUEUE_SIZE * workers);
	shm_toc_estimate_keys(&parallel->estimator, 3);
	InitializeParallelDSM(parallel);
	if (parallel->seg != NULL && parallel->nworkers > 0)
	{
		fill_shared_memory(pool, parallel);
		LaunchParallelWorkers(parallel);
		pool->n_workers = parallel->nworkers_launched;
	}
	for (int i = 0; i < pool->n_workers; i++)
	{
		shm_mq_set_handle(pool->workers[i].series, parallel->worker[i].bgwhandle);
		shm_mq_set_handle(pool->workers[i].answers, parallel->worker[i].bgwhandle);
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
			 errhint("The server log may tell more; with workers => 0 the fits are done without any.")));
}

/* Offers what is left of the worker's last series; false if the queue is full. */
static bool
send_rest(AoPool *pool, Worker *worker)
{
	shm_mq_result result;

	if (worker->unsent == NULL)
		return true;
	result = send_message(worker->series, worker->unsent_size, worker->unsent, true);
	if (result == SHM_MQ_WOULD_BLOCK)
		return false;
	if (result == SHM_MQ_DETACHED)
		lost_worker(pool);
	pfree(worker->unsent);
	worker->unsent = NULL;
	return true;
}

/* Fits the series in this process; the answer waits until it is asked for. */
static void
fit_here(AoPool *pool, const AoSeries *y, void *ticket)
{
	MemoryContext caller;
	AoFault		fault;

	MemoryContextReset(pool->own_context);
	caller = MemoryContextSwitchTo(pool->own_context);
	pool->own.ticket = ticket;
	pool->own.model = ao_pg_try_fit(y->values, y->n, pool->spec, &fault);
	pool->own.error = pool->own.model == NULL ? ao_pg_fault_text(&fault) : NULL;
	pool->has_own = true;
	MemoryContextSwitchTo(caller);
}

/* The worker with the least before it that can take a series; NULL if none can. */
static Worker *
free_worker(AoPool *pool)
{
	Worker	   *best = NULL;

	for (int i = 0; i < pool->n_workers; i++)
	{
		Worker	   *worker = &pool->workers[i];

		if (worker->count < DEPTH && (best == NULL || worker->count < best->count) &&
			send_rest(pool, worker))
			best = worker;
	}
	return best;
}

/* See fit_pool.h. */
bool
ao_pg_pool_has_room(AoPool *pool)
{
	return pool->n_workers > 0 ? free_worker(pool) != NULL : !pool->has_own;
}

/* See fit_pool.h. */
void
ao_pg_pool_put(AoPool *pool, const AoSeries *y, void *ticket)
{
	Worker	   *worker = free_worker(pool);

	if (worker == NULL)
	{
		fit_here(pool, y, ticket);
		return;
	}
	worker->unsent_size = sizeof(int64) + sizeof(double) * y->n;
	worker->unsent = MemoryContextAllocHuge(pool->context, worker->unsent_size);
	memcpy(worker->unsent, &y->n, sizeof(int64));
	memcpy(worker->unsent + sizeof(int64), y->values, sizeof(double) * y->n);
	worker->tickets[(worker->first + worker->count++) % DEPTH] = ticket;
	(void) send_rest(pool, worker);
}

/* Unpacks a message of size bytes. */
static void
read_answer(const char *data, Size size, AoPoolAnswer *answer)
{
	AnswerHeader header;
	Size		length = size - sizeof(header);

	memcpy(&header, data, sizeof(header));
	data += sizeof(header);
	answer->model = header.is_model ? memcpy(palloc(length), data, length) : NULL;
	answer->error = header.is_model ? NULL : pnstrdup(data, length);
}

/* See fit_pool.h. */
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
		Worker	   *worker = &pool->workers[i];
		shm_mq_result result;
		Size		size;
		void	   *data;

		if (worker->count == 0)
			continue;
		(void) send_rest(pool, worker);
		result = shm_mq_receive(worker->answers, &size, &data, true);
		if (result == SHM_MQ_DETACHED)
			lost_worker(pool);
		if (result != SHM_MQ_SUCCESS)
			continue;
		read_answer(data, size, answer);
		answer->ticket = worker->tickets[worker->first];
		worker->first = (worker->first + 1) % DEPTH;
		worker->count--;
		return true;
	}
	return false;
}

/* See fit_pool.h. */
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

/* See fit_pool.h. */
void
ao_pg_pool_wait(long milliseconds)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* See fit_pool.h.  Workers end when their queue does. */
void
ao_pg_pool_end(AoPool *pool)
{
	if (pool->parallel == NULL)
		return;
	for (int i = 0; i < pool->n_workers; i++)
		shm_mq_detach(pool->workers[i].series);
	WaitForParallelWorkersToFinish(pool->parallel);
	DestroyParallelContext(pool->parallel);
	ExitParallelMode();
}

/* ---- in a worker ---- */

/* Fits a series and sends the answer; false if nobody wants it. */
static bool
answer_series(const char *data, text *spec, shm_mq_handle *answers)
{
	AnswerHeader header;
	AoFault		fault;
	AoModel    *model;
	int64		n;
	const void *body;
	Size		length;
	char	   *message;

	memcpy(&n, data, sizeof(n));
	model = ao_pg_try_fit((const double *) (data + sizeof(n)), n, spec, &fault);
	header.is_model = model != NULL;
	if (model != NULL)
	{
		body = DatumGetPointer(ao_pg_model_datum(model));
		length = VARSIZE(body);
	}
	else
	{
		body = ao_pg_fault_text(&fault);
		length = strlen(body);
	}
	message = palloc(sizeof(header) + length);
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), body, length);
	return send_message(answers, sizeof(header) + length, message, false) == SHM_MQ_SUCCESS;
}

/* What a worker runs: fits what comes until no more does. */
void
arima_ops_fit_worker(dsm_segment *segment, shm_toc *toc)
{
	text	   *spec = shm_toc_lookup(toc, KEY_SPEC, false);
	char	   *series = shm_toc_lookup(toc, KEY_SERIES, false);
	char	   *answers = shm_toc_lookup(toc, KEY_ANSWERS, false);
	shm_mq	   *from = (shm_mq *) (series + QUEUE_SIZE * ParallelWorkerNumber);
	shm_mq	   *to = (shm_mq *) (answers + QUEUE_SIZE * ParallelWorkerNumber);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arima_ops fit",
												  ALLOCSET_DEFAULT_SIZES);
	shm_mq_handle *in;
	shm_mq_handle *out;
	bool		wanted = true;
	Size		size;
	void	   *data;

	shm_mq_set_receiver(from, MyProc);
	shm_mq_set_sender(to, MyProc);
	in = shm_mq_attach(from, segment, NULL);
	out = shm_mq_attach(to, segment, NULL);
	while (wanted && shm_mq_receive(in, &size, &data, false) == SHM_MQ_SUCCESS)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		wanted = answer_series(data, spec, out);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
}

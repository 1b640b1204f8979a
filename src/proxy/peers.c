/*
 * peers.c
 *		The clients' connections and their times.
 */
#include "restd.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TICK 20000				/* microseconds: the kernel's times are not finer, at worst */

/* A connection.  The list is for the first thread, which closes what takes too long. */
typedef struct Peer
{
	struct Peer *previous;
	struct Peer *next;
	int			socket;
	atomic_int	state;
	_Atomic int64_t since;
} Peer;

static pthread_mutex_t peers_lock = PTHREAD_MUTEX_INITIALIZER;
static Peer *peers;

/* See restd.h. */
void
peer_set_state(Peer *peer, PeerState state)
{
	if (peer != NULL)
	{
		atomic_store_explicit(&peer->since, clock_microseconds(), memory_order_relaxed);
		/* who sees the state sees its time */
		atomic_store_explicit(&peer->state, (int) state, memory_order_release);
	}
}

/* See restd.h. */
Peer *
peer_new(int socket)
{
	Peer	   *peer = need_memory(NULL, sizeof(Peer));

	*peer = (Peer) {.socket = socket};
	peer_set_state(peer, PEER_NEW);
	pthread_mutex_lock(&peers_lock);
	peer->next = peers;
	if (peers != NULL)
		peers->previous = peer;
	peers = peer;
	pthread_mutex_unlock(&peers_lock);
	return peer;
}

/* See restd.h. */
void
peer_end(Peer *peer)
{
	pthread_mutex_lock(&peers_lock);
	if (peer->previous != NULL)
		peer->previous->next = peer->next;
	else
		peers = peer->next;
	if (peer->next != NULL)
		peer->next->previous = peer->previous;
	pthread_mutex_unlock(&peers_lock);
	free(peer);
}

/* See restd.h: where the first bytes have been seen before, its time runs already. */
void
peer_begins(Peer *peer)
{
	if (peer != NULL && atomic_load_explicit(&peer->state, memory_order_acquire) != PEER_READING)
		peer_set_state(peer, PEER_READING);
}

/*
 * Has a request begun to come?  The library tells when its first line is whole; of bytes
 * before that only the kernel knows, for TCP.
 */
static bool
has_begun(const Peer *peer, int state, int64_t now, int64_t since)
{
	struct tcp_info info = {0};
	socklen_t	size = sizeof(info);

	if (getsockopt(peer->socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	if (state == PEER_NEW)
		return info.tcpi_bytes_received > 0;
	return now - (int64_t) info.tcpi_last_data_recv * 1000 > since + TICK;
}

/* Starts the time of a request that has begun; when the first line has just come, that has done it. */
static void
look_for_request(Peer *peer, int state, int64_t now, int64_t since)
{
	bool		idle = state == PEER_NEW || state == PEER_IDLE;

	if (idle && has_begun(peer, state, now, since) && atomic_compare_exchange_strong(&peer->state, &state, PEER_READING))
		atomic_store_explicit(&peer->since, now, memory_order_relaxed);
}

/*
 * Ends the connections that do not get on, once a second: libmicrohttpd's own
 * time-out starts again with each byte, which a slow writer would make use of.
 */
void
peers_check_times(void)
{
	int64_t		now = clock_microseconds();

	pthread_mutex_lock(&peers_lock);
	for (Peer *peer = peers; peer != NULL; peer = peer->next)
	{
		int			state = atomic_load_explicit(&peer->state, memory_order_acquire);
		int64_t		since = atomic_load_explicit(&peer->since, memory_order_relaxed);
		int64_t		limit = state == PEER_IDLE ? options.idle_timeout + 1000 : options.request_timeout;

		if (state != PEER_WAITING && now - since > limit * 1000)
			shutdown(peer->socket, SHUT_RDWR);
		else
			look_for_request(peer, state, now, since);
	}
	pthread_mutex_unlock(&peers_lock);
}

/*
 * rate.c
 *		How often a client may ask: a bucket for each token or address that fills with
 *		options.rate requests a second, up to a second's worth.  A request that asks for
 *		much counts as several, which is known when its body is there: what the bucket
 *		then lacks, the client's next requests wait for.
 *
 * Buckets are in a table of fixed size by hash: clients that share one share its
 * requests, which with thousands of buckets is rare, and memory has a bound.
 */
#include "restd.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#define N_BUCKETS 8192

typedef struct Bucket
{
	int64_t		filled_at;		/* microseconds */
	double		requests;
} Bucket;

static Bucket buckets[N_BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t
hash_bytes(const void *data, size_t size)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const unsigned char *) data)[i]) * UINT64_C(1099511628211);
	return hash ^ hash >> 32;
}

/* Of an IPv6 address the network counts, of which a client has all addresses; of an IPv4 address in one, that. */
static uint64_t
hash_client(const Request *request)
{
	const struct sockaddr *address;

	if (request->token != NULL)
		return hash_bytes(request->token->hash, sizeof(request->token->hash));
	address = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	if (address->sa_family == AF_INET6)
	{
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *) address)->sin6_addr;

		return IN6_IS_ADDR_V4MAPPED(v6) ? hash_bytes(v6->s6_addr + 12, 4) : hash_bytes(v6, 8);
	}
	/* a Unix socket's clients have no address */
	return address->sa_family == AF_INET ? hash_bytes(&((const struct sockaddr_in *) address)->sin_addr, 4) : 0;
}

static Bucket *
bucket_of(const Request *request)
{
	return &buckets[hash_client(request) % N_BUCKETS];
}

/* See restd.h. */
bool
rate_allows(const Request *request)
{
	Bucket	   *bucket;
	int64_t		now;
	bool		allowed;

	if (options.rate == 0 || (request->route != NULL && request->route->open))
		return true;
	bucket = bucket_of(request);
	now = clock_microseconds();
	pthread_mutex_lock(&lock);
	bucket->requests += (double) (now - bucket->filled_at) * (double) options.rate / 1e6;
	if (bucket->requests > (double) options.rate)
		bucket->requests = (double) options.rate;
	bucket->filled_at = now;
	allowed = bucket->requests >= 1;
	if (allowed)
		bucket->requests -= 1;
	pthread_mutex_unlock(&lock);
	return allowed;
}

/* See restd.h. */
void
rate_charge(const Request *request, size_t more)
{
	if (options.rate == 0 || more == 0)
		return;
	pthread_mutex_lock(&lock);
	bucket_of(request)->requests -= (double) more;
	pthread_mutex_unlock(&lock);
}

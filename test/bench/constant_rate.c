/*
 * constant_rate.c
 *		A client that asks at a constant rate, whatever the answers take: the latency
 *		of a request is counted from the moment at which it was due, so that one that
 *		had to wait for others is not left out.
 *
 * usage: constant_rate PORT PATH BODY CONNECTIONS RATE SECONDS
 *
 * Prints a line: FIGURES, answers a second, median and 99th percentile in ms, the
 * longest, and how many answers were no 200.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 1024
#define ROOM 16384				/* for an answer with its head */

typedef struct Connection
{
	int64_t		due;			/* of the request that is under way, 0: none */
	size_t		n;				/* bytes of its answer so far */
	char		answer[ROOM + 1];
} Connection;

static Connection *connections;
static struct pollfd polled[MOST_CONNECTIONS];
static int	n_connections;
static char *request;
static size_t request_size;
static double *latencies;		/* ms */
static size_t n_latencies;
static long errors;

static _Noreturn void
fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Nanoseconds of a clock that only goes forward. */
static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

static void
open_connections(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	connections = calloc((size_t) n_connections, sizeof(Connection));
	if (connections == NULL)
		fail("calloc");
	for (int i = 0; i < n_connections; i++)
	{
		int			fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0
			|| setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) {1}, sizeof(int)) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
			fail("connect");
		polled[i] = (struct pollfd) {.fd = fd, .events = POLLIN};
	}
}

/* The connection whose turn it is, if it is free: in turn, so that all are used; -1: none is free. */
static int
free_connection(void)
{
	static int	last = 0;

	for (int i = 1; i <= n_connections; i++)
	{
		int			candidate = (last + i) % n_connections;

		if (connections[candidate].due == 0)
			return last = candidate;
	}
	return -1;
}

static void
ask(int i, int64_t due)
{
	if (write(polled[i].fd, request, request_size) != (ssize_t) request_size)
		fail("write");
	connections[i].due = due;
	connections[i].n = 0;
}

/* Is the answer whole?  Then it is counted. */
static bool
take_answer(Connection *connection)
{
	const char *body = strstr(connection->answer, "\r\n\r\n");
	const char *length = body != NULL ? strcasestr(connection->answer, "\r\nContent-Length:") : NULL;

	if (length == NULL || connection->n < (size_t) (body + 4 - connection->answer) + strtoul(length + 17, NULL, 10))
		return false;
	latencies[n_latencies++] = (double) (now() - connection->due) / 1e6;
	errors += strncmp(connection->answer, "HTTP/1.1 200", 12) != 0;
	connection->due = 0;
	return true;
}

static void
read_some(int i)
{
	Connection *connection = &connections[i];
	ssize_t		got = read(polled[i].fd, connection->answer + connection->n, ROOM - connection->n);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		fail("the connection has ended");
	connection->n += (size_t) got;
	connection->answer[connection->n] = '\0';
	(void) take_answer(connection);
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Request number k is due k / rate after the start.  Ends when all are answered. */
static void
run(size_t n, double rate)
{
	int64_t		start = now();
	size_t		asked = 0;

	while (n_latencies < n)
	{
		int64_t		due = start + (int64_t) ((double) asked * 1e9 / rate);
		int64_t		wait;
		int			free_one;

		while (asked < n && due <= now() && (free_one = free_connection()) >= 0)
		{
			ask(free_one, due);
			due = start + (int64_t) ((double) ++asked * 1e9 / rate);
		}
		wait = asked < n ? due - now() : 1000000000;
		/* late: all connections are busy, and the next thing to come is an answer */
		if (wait <= 0)
			wait = 1000000000;
		if (ppoll(polled, (nfds_t) n_connections, &(struct timespec) {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000}, NULL) < 0)
			fail("ppoll");
		for (int i = 0; i < n_connections; i++)
			if (polled[i].revents != 0)
				read_some(i);
	}
	printf("FIGURES %.1f ", (double) n * 1e9 / (double) (now() - start));
}

int
main(int argc, char **argv)
{
	double		rate;
	size_t		n;

	if (argc != 7 || (n_connections = atoi(argv[4])) < 1 || n_connections > MOST_CONNECTIONS || (rate = atof(argv[5])) <= 0
		|| (n = (size_t) (rate * atof(argv[6]))) < 100)
	{
		fprintf(stderr, "usage: %s PORT PATH BODY CONNECTIONS RATE SECONDS\n", argv[0]);
		return 2;
	}
	latencies = malloc(sizeof(double) * n);
	if (latencies == NULL || asprintf(&request, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
									  argv[2], strlen(argv[3]), argv[3]) < 0)
		fail("memory");
	request_size = strlen(request);
	open_connections((uint16_t) atoi(argv[1]));
	run(n, rate);
	qsort(latencies, n, sizeof(double), compare);
	printf("%.3f %.3f %.3f %ld\n", latencies[n / 2], latencies[n - 1 - n / 100], latencies[n - 1], errors);
	return 0;
}

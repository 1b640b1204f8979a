/*
 * resolve.c
 *		Addresses of a host, found by a child process.
 *
 * getaddrinfo cannot be interrupted, and libcurl's way around that is a thread,
 * which a server process must not have.  A child costs a few milliseconds, can be
 * killed, and keeps the threads and memory of whatever resolves names here out of
 * this process.  It gives an address a line, then a line "." or "!" with a reason.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "address.h"
#include "internal.h"

#define CHILD_SECONDS 120		/* where nothing else ends an orphan */

/* See internal.h. */
int64
ao_http_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Writes a line to the pipe; nothing can be done where that fails. */
static void
say(int out, const char *word)
{
	char		line[128];
	int			size = snprintf(line, sizeof(line), "%s\n", word);

	if (write(out, line, Min(size, (int) sizeof(line) - 1)) < 0)
		_exit(1);
}

/*
 * What the child does.  It touches nothing of PostgreSQL: no memory context, no
 * shared memory, no exit handler.  The parent's files, the client's connection
 * among them, are closed, and it dies with its parent.
 */
static _Noreturn void
resolve_in_child(const char *name, int out)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	sigset_t	none;
	int			status;

#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	for (int signal_number = 1; signal_number < 32; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(CHILD_SECONDS);
	for (int file = 3; file < 1024; file++)
	{
		if (file != out)
			close(file);
	}
	status = getaddrinfo(name, NULL, &hints, &list);
	for (struct addrinfo *a = list; status == 0 && a != NULL; a = a->ai_next)
	{
		char		address[INET6_ADDRSTRLEN];
		const void *binary = a->ai_family == AF_INET ?
			(const void *) &((struct sockaddr_in *) a->ai_addr)->sin_addr :
			(const void *) &((struct sockaddr_in6 *) a->ai_addr)->sin6_addr;

		if ((a->ai_family == AF_INET || a->ai_family == AF_INET6) &&
			inet_ntop(a->ai_family, binary, address, sizeof(address)) != NULL)
			say(out, address);
	}
	if (status != 0)
	{
		char		reason[100] = "!";

		strlcat(reason, gai_strerror(status), sizeof(reason));
		say(out, reason);
	}
	else
		say(out, ".");
	_exit(0);
}

/* Ends the resolution with a fault. */
static void
host_fails(AoHttpHost *host, AoHttpFault fault, const char *reason)
{
	ao_http_resolve_stop(host);
	host->state = AO_HTTP_HOST_FAILED;
	host->fault = fault;
	snprintf(host->message, sizeof(host->message), "%s: %s",
			 fault == AO_HTTP_REFUSED ? "host not allowed" : "host not found", reason);
}

/* See internal.h.  Starts the child; an address needs none. */
void
ao_http_resolve_start(AoHttpHost *host)
{
	int			ends[2];
	sigset_t	all,
				before;

	host->state = AO_HTTP_HOST_RESOLVING;
	host->tries++;
	host->addresses[0] = host->message[0] = '\0';
	host->line_size = 0;
	host->deadline = ao_http_clock() + ao_http_connect_timeout;
	if (ao_http_is_address(host->name))
	{
		host->state = AO_HTTP_HOST_KNOWN;
		return;
	}
	if (pipe(ends) != 0)
	{
		host_fails(host, AO_HTTP_RESOLVE, strerror(errno));
		return;
	}
	/* a signal to the whole process group must not meet PostgreSQL's handlers in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	host->child = fork();
	if (host->child == 0)
		resolve_in_child(host->name, ends[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	host->pipe = ends[0];
	fcntl(host->pipe, F_SETFL, O_NONBLOCK);
	fcntl(host->pipe, F_SETFD, FD_CLOEXEC);
	if (host->child < 0)
		host_fails(host, AO_HTTP_RESOLVE, "no process could be started to look it up");
}

/* Notes an address, as libcurl wants it; no more than there is room for. */
static void
add_address(AoHttpHost *host, const char *address)
{
	bool		v6 = strchr(address, ':') != NULL;
	size_t		used = strlen(host->addresses);

	if (sizeof(host->addresses) - used < INET6_ADDRSTRLEN + 4)
		return;
	snprintf(host->addresses + used, sizeof(host->addresses) - used, "%s%s%s%s",
			 used > 0 ? "," : "", v6 ? "[" : "", address, v6 ? "]" : "");
}

/* Takes a line from the child. */
static void
take_line(AoHttpHost *host, const char *line)
{
	if (line[0] == '!')
		host_fails(host, AO_HTTP_RESOLVE, line + 1);
	else if (line[0] != '.')
	{
		if (!ao_http_special_address(line))
			add_address(host, line);
		else if (host->addresses[0] == '\0')
			snprintf(host->message, sizeof(host->message), "its name leads to %s", line);
	}
	else if (host->addresses[0] != '\0')
	{
		ao_http_resolve_stop(host);
		host->state = AO_HTTP_HOST_KNOWN;
	}
	else
	{
		char		reason[sizeof(host->message)];

		strlcpy(reason, host->message, sizeof(reason));
		host_fails(host, reason[0] != '\0' ? AO_HTTP_REFUSED : AO_HTTP_RESOLVE,
				   reason[0] != '\0' ? reason : "it has no address");
	}
}

/* See internal.h.  Reads what the child has written by now; never waits. */
void
ao_http_resolve_continue(AoHttpHost *host)
{
	char		buffer[512];
	ssize_t		size;

	while (host->state == AO_HTTP_HOST_RESOLVING &&
		   (size = read(host->pipe, buffer, sizeof(buffer))) >= 0)
	{
		if (size == 0)
			host_fails(host, AO_HTTP_RESOLVE, "the process that looked it up died");
		for (ssize_t i = 0; i < size && host->state == AO_HTTP_HOST_RESOLVING; i++)
		{
			if (buffer[i] != '\n')
			{
				if (host->line_size < (int) sizeof(host->line) - 1)
					host->line[host->line_size++] = buffer[i];
				continue;
			}
			host->line[host->line_size] = '\0';
			host->line_size = 0;
			take_line(host, host->line);
		}
	}
	if (host->state == AO_HTTP_HOST_RESOLVING && ao_http_clock() > host->deadline)
		host_fails(host, AO_HTTP_TIMEOUT, "the name server did not answer in time");
}

/* See internal.h.  Ends the child, if there is one. */
void
ao_http_resolve_stop(AoHttpHost *host)
{
	if (host->child > 0)
	{
		kill(host->child, SIGKILL);
		while (waitpid(host->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	host->child = 0;
	if (host->pipe >= 0)
		close(host->pipe);
	host->pipe = -1;
}

/*
 * main.c
 *		arima_restd: forecasts over HTTP from a database with the extension arima_ops.
 *		Start, signals, end.
 */
#include "restd.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Splits "host:port" or "[address]:port" where its last colon is. */
static void
split_address(char *whole, char **host, char **port)
{
	char	   *colon = strrchr(whole, ':');

	if (colon == NULL || colon[1] == '\0')
		die("listen must be an address and a port, such as 127.0.0.1:8000, not \"%s\"", whole);
	/* getaddrinfo would take the number modulo 65536 */
	if (strspn(colon + 1, "+-0123456789") == strlen(colon + 1) && (!isdigit((unsigned char) colon[1]) || strtoul(colon + 1, NULL, 10) > 65535))
		die("listen must have a port from 0 to 65535, not \"%s\"", colon + 1);
	*colon = '\0';
	*host = whole;
	*port = colon + 1;
	if (*whole == '[' && colon > whole && colon[-1] == ']')
	{
		colon[-1] = '\0';
		*host = whole + 1;
	}
	if (**host == '\0' || strcmp(*host, "*") == 0)
		*host = NULL;
}

/* A socket that listens; systemd may have made it (sd_listen_fds(3)). */
static int
listen_socket(void)
{
	const char *passed = getenv("LISTEN_FDS");
	const char *passed_to = getenv("LISTEN_PID");
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *addresses;
	char	   *whole = need_copy(options.listen);
	char	   *host;
	char	   *port;
	int			fault;
	int			made = -1;

	if (passed != NULL && passed_to != NULL && atoi(passed) > 0 && atoi(passed_to) == (int) getpid())
	{
		free(whole);
		return 3;
	}
	split_address(whole, &host, &port);
	fault = getaddrinfo(host, port, &hints, &addresses);
	if (fault != 0)
		die("listen %s: %s", options.listen, gai_strerror(fault));
	made = socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &(int) {1}, sizeof(int));
	if (made < 0 || bind(made, addresses->ai_addr, addresses->ai_addrlen) != 0 || listen(made, 1024) != 0)
		die("listen %s: %s", options.listen, strerror(errno));
	freeaddrinfo(addresses);
	free(whole);
	return made;
}

/* The address that a socket has got, as text. */
static void
log_listening(int listening)
{
	struct sockaddr_storage address;
	socklen_t	size = sizeof(address);
	char		host[64] = "";
	char		port[16] = "";

	getsockname(listening, (struct sockaddr *) &address, &size);
	getnameinfo((struct sockaddr *) &address, size, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	log_event("info", "listening", "version", ARIMA_OPS_VERSION, "address", host,
			  "#port", address.ss_family == AF_INET || address.ss_family == AF_INET6 ? port : NULL, (char *) NULL);
}

/* Gives up the rights of root, or the program. */
static void
leave_root(void)
{
	struct passwd *user;

	if (geteuid() != 0)
		return;
	if (*options.user == '\0')
		die("does not run as root: start it as another user, or name one with --user");
	user = getpwnam(options.user);
	if (user == NULL || user->pw_uid == 0)
		die("user \"%s\" is not there, or is root", options.user);
	if (initgroups(options.user, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		die("cannot become user \"%s\": %s", options.user, strerror(errno));
}

/* As many open files as the limit allows: each client's connection is one. */
static void
raise_limit(void)
{
	struct rlimit limit;
	int64_t		wanted = options.max_connections + options.batch_workers + options.read_workers + 64;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_max != RLIM_INFINITY && (int64_t) limit.rlim_max < wanted && geteuid() == 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit) {(rlim_t) wanted, (rlim_t) wanted});
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max != RLIM_INFINITY && (int64_t) limit.rlim_max < wanted)
	{
		options.max_connections -= wanted - (int64_t) limit.rlim_max;
		if (options.max_connections < 1)
			die("the limit of open files, %" PRIu64 ", is too small", (uint64_t) limit.rlim_max);
		log_event("warning", "fewer connections than max-connections: the limit of open files is lower", (char *) NULL);
	}
}

/* Tells systemd, where it has started us (sd_notify(3)). */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int			made;

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return;
	strcpy(address.sun_path, path);
	if (*path == '@')
		address.sun_path[0] = '\0';
	made = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (made < 0)
		return;
	if (sendto(made, state, strlen(state), 0, (struct sockaddr *) &address,
			   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		log_event("warning", "systemd was not told", "message", strerror(errno), (char *) NULL);
	close(made);
}

/* Until a signal asks to end: which one. */
static int
wait_for_end(const sigset_t *signals)
{
	for (;;)
	{
		int			got = sigtimedwait(signals, NULL, &(struct timespec) {.tv_sec = 1});

		if (got == SIGHUP)
			auth_load();
		else if (got > 0)
			return got;
		peers_check_times();
	}
}

int
main(int n_arguments, char **arguments)
{
	sigset_t	signals;
	int			listening;
	bool		answered;
	bool		ended;

	metrics_start();
	options_read(n_arguments, arguments);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	listening = listen_socket();
	leave_root();
	auth_load();
	work_start();
	http_start(listening);
	log_listening(listening);
	notify("READY=1");
	log_event("info", "stopping", "signal", wait_for_end(&signals) == SIGTERM ? "TERM" : "INT", (char *) NULL);
	notify("STOPPING=1");
	answered = http_drain(options.stop_timeout);
	ended = work_stop();
	/* requests that wait for a worker are suspended, which the library does not stop with */
	if (ended)
		http_stop();
	log_event("info", "stopped", "#all_answered", answered ? "true" : "false", (char *) NULL);
	if (!ended)
		_exit(answered ? 0 : 1);
	return answered ? 0 : 1;
}

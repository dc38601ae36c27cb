/*
 * Resolving and connecting. Sends no byte.
 */
#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <unistd.h>

#include "progress.h"

/* 0, or the errno with which a connect in progress ended. */
static int await_connect(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	int64_t deadline = clock_ms() + DIAL_TIMEOUT_MS;
	int error = 0;
	socklen_t size = sizeof(error);

	for (;;) {
		int64_t left = deadline - clock_ms();
		int ready = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
		if (ready == 0)
			return ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return errno;
		if (ready > 0)
			break;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return error;
}

/* A session may be quiet for hours: a peer that vanished is noticed in some two minutes. */
static void keep_alive(int fd)
{
	static const int on = 1, idle_s = 60, interval_s = 15, probes = 4;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* A connected socket or -1 with errno. */
static int dial_address(const struct addrinfo *address)
{
	int error = 0;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno == EINPROGRESS ? await_connect(fd) : errno;
	if (error) {
		close(fd);
		errno = error;
		return -1;
	}
	keep_alive(fd);
	return fd;
}

/* Adds what one address answered: "; 127.0.0.1: Connection refused". */
static void say_failed(struct refusal *why, const char *joint, const struct addrinfo *address,
		       int error)
{
	char host[NI_MAXHOST];
	size_t used = strlen(why->text);

	if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host), NULL, 0,
			NI_NUMERICHOST) != 0)
		snprintf(host, sizeof(host), "?");
	snprintf(why->text + used, sizeof(why->text) - used, "%s%s: %s", joint, host,
		 strerror(error));
}

int dial(const struct endpoint *endpoint, struct refusal *why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	char text[ENDPOINT_TEXT_SIZE];
	int fd = -1;
	/* This machine, also where no resolver was told (RFC 6761, 6.3): NULL is loopback. */
	const char *host = strcasecmp(endpoint->host, "localhost") == 0 ? NULL : endpoint->host;

	endpoint_format(endpoint, text);
	int error = getaddrinfo(host, endpoint->port, &hints, &addresses);
	if (error != 0) {
		refusal_say(why, "cannot connect to %s: %s", text,
			    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	refusal_say(why, "cannot connect to %s", text);
	for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next) {
		fd = dial_address(a);
		if (fd < 0)
			say_failed(why, a == addresses ? ": " : "; ", a, errno);
	}
	freeaddrinfo(addresses);
	return fd;
}

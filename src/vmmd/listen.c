/* ADDR:PORT to a listening socket. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define BACKLOG	    1024
#define TRIES	    50 /* a predecessor's gate may hold the port for a moment */
#define TRY_WAIT_US 100000

static struct addrinfo *parse(const char *text)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	const char *colon = strrchr(text, ':');
	struct addrinfo *found = NULL;
	char host[64];
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (n == 0 || n >= sizeof(host) || colon[1] == 0)
		log_fatal("--listen %s: ADDR:PORT is wanted, like 192.0.2.1:1025 or [::]:1025",
			  text);
	if (text[0] == '[' && text[n - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)n - 2, text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)n, text);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		log_fatal("--listen %s: \"%s\" and \"%s\" are no address and port", text, host,
			  colon + 1);
	return found;
}

static int open_one(const char *text)
{
	struct addrinfo *address = parse(text);
	int on = 1, off = 0;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		log_fatal("--listen %s: %s", text, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->ai_family == AF_INET6) /* [::] serves IPv4 too */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	for (int i = 0; bind(fd, address->ai_addr, address->ai_addrlen) < 0; i++) {
		if (errno != EADDRINUSE || i == TRIES)
			log_fatal("--listen %s: %s", text, strerror(errno));
		usleep(TRY_WAIT_US);
	}
	freeaddrinfo(address);
	if (listen(fd, BACKLOG) < 0)
		log_fatal("--listen %s: %s", text, strerror(errno));
	return fd;
}

void listen_open(struct daemon *d)
{
	if (d->options->check) {
		/* The port may be a running vmmd's; a socket that nobody knows of checks the rest.
		 */
		for (unsigned i = 0; i < d->options->nlisten; i++)
			freeaddrinfo(parse(d->options->listen[i]));
		d->listener[d->nlisteners++] = open_one("127.0.0.1:0");
		return;
	}
	for (unsigned i = 0; i < d->options->nlisten; i++)
		d->listener[d->nlisteners++] = open_one(d->options->listen[i]);
}

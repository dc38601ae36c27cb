/* ADDR:PORT to a listening socket, and those that are handed over. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handed.h"
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

/* FD is one of D's from here on. */
static void add(struct daemon *d, int fd, const char *address)
{
	struct listener *listener = &d->listener[d->nlisteners++];

	listener->fd = fd;
	snprintf(listener->address, sizeof(listener->address), "%s", address);
}

/* With -n they are looked at and left alone: the port may be a running vmmd's. */
static unsigned take_handed(struct daemon *d)
{
	struct refusal why = {{0}};
	int n = handed_count(LISTEN_MAX - d->options->nlisten, &why);

	for (int i = 0; i < n; i++) {
		char address[LISTENER_SIZE];
		int fd = handed_take((unsigned)i, address, sizeof(address), &why);

		if (fd < 0)
			log_fatal("%s", why.text);
		if (!d->options->check)
			add(d, fd, address);
	}
	if (n < 0)
		log_fatal("%s", why.text);
	handed_forget();
	return (unsigned)n;
}

void listen_open(struct daemon *d)
{
	static const char *const by_default[] = {"[::]:1025"};
	const char *const *given = d->options->listen;
	unsigned n = d->options->nlisten;

	if (take_handed(d) == 0 && n == 0) {
		given = by_default;
		n = 1;
	}
	for (unsigned i = 0; i < n; i++) {
		if (d->options->check)
			freeaddrinfo(parse(given[i]));
		else
			add(d, open_one(given[i]), given[i]);
	}
	/* A socket that nobody knows of checks the rest. */
	if (d->options->check)
		add(d, open_one("127.0.0.1:0"), "127.0.0.1:0");
}

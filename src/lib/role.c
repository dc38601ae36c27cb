/* The beginning of every role: options, channel, sandbox. */
#include "role.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define JOIN_MAX 8

/* Set once by role_start for role_confine. */
static struct {
	int join[JOIN_MAX];
	size_t njoin;
	uid_t uid;
	enum sandbox_keep keep;
} place;

static void usage(const char *name)
{
	printf("%s is a part of vmm that vmmd starts; see vmmd(8).\n", name);
	exit(0);
}

static long option_number(const char *name, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == 0 || *end != 0 || value < 0 || value > 0x7fffffff)
		log_fatal("--%s: \"%s\" is not a number", name, text);
	return value;
}

static bool is_channel(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

void role_start(int argc, char **argv, const char *name, enum link link, struct channel *up)
{
	static const struct option options[] = {
	    {"uid", required_argument, NULL, 'u'},
	    {"join", required_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	bool verbose = false;
	int option;

	while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (option == 'u')
			place.uid = (uid_t)option_number("uid", optarg);
		else if (option == 'j' && place.njoin < JOIN_MAX)
			place.join[place.njoin++] = (int)option_number("join", optarg);
		else if (option == 'v')
			verbose = true;
		else
			usage(name);
	}
	log_init(name, verbose);
	if (!is_channel(ROLE_CHANNEL_FD))
		log_fatal(
		    "descriptor %d is no channel: this program is started by vmmd(8), not by hand",
		    ROLE_CHANNEL_FD);
	channel_init(up, ROLE_CHANNEL_FD, link, SIDE_LOWER);
	umask(077);
}

void role_keep(enum sandbox_keep keep)
{
	place.keep = keep;
}

void role_confine(const struct sandbox_rule *rules, size_t nrules)
{
	int error = sandbox_isolate(place.join, place.njoin, place.uid, place.keep);

	if (error < 0)
		log_fatal("cannot enter the sandbox: %s", strerror(-error));
	for (size_t i = 0; i < place.njoin; i++)
		close(place.join[i]);
	error = sandbox_restrict(rules, nrules);
	if (error < 0)
		log_fatal("cannot restrict system calls: %s", strerror(-error));
}

void role_fail(struct channel *up, const char *format, ...)
{
	struct msg_detail why = {0};
	va_list args;

	va_start(args, format);
	vsnprintf(why.detail, sizeof(why.detail), format, args);
	va_end(args);
	channel_send(up, MSG_ROLE_FAILED, &why, NULL);
	_exit(1);
}

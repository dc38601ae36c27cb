/* What vmmd sends, taken in turns. */
#include "upward.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "log.h"

/* What vmmd may have done before the others get their turn. */
#define TURN_MESSAGES 64

/* Its last use of UP's event, whose callback this is. */
static void end(struct upward *up)
{
	if (up->outlived)
		upward_close(up);
	else
		event_base_loopbreak(up->base);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static struct incoming in;
	struct upward *up = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < TURN_MESSAGES; i++) {
		switch (channel_recv(&up->channel, &in)) {
		case CHANNEL_AGAIN:
			return;
		case CHANNEL_MESSAGE:
			up->message(up->owner, &in);
			incoming_close(&in);
			break;
		case CHANNEL_BAD:
			log_error("vmmd sent %s", in.problem);
			up->failed = true;
			event_base_loopbreak(up->base);
			return;
		case CHANNEL_EOF:
			end(up);
			return;
		}
	}
}

int upward_open(struct upward *up, struct event_base *base, const struct channel *channel)
{
	int error;

	up->base = base;
	up->channel = *channel;
	error = channel_set_nonblocking(&up->channel);
	if (error < 0)
		return error;
	up->readable = event_new(base, up->channel.fd, EV_READ | EV_PERSIST, on_readable, up);
	return up->readable && event_add(up->readable, NULL) == 0 ? 0 : -ENOMEM;
}

void upward_close(struct upward *up)
{
	if (up->readable)
		event_free(up->readable);
	up->readable = NULL;
	channel_close(&up->channel);
}

void upward_many_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("the limit of descriptors stays at its default: %s", strerror(errno));
}

/* The channel to vmmd. */
#include "control.h"

#include <unistd.h>

#include "context.h"
#include "listener.h"
#include "log.h"
#include "role.h"

static void load_certificate(struct listener *l, struct incoming *in)
{
	struct refusal why = {{0}};

	if (!context_load(l->nursery.tls, in->fd[0], in->fd[1], &why))
		role_fail(l->up, "%s", why.text);
	l->has_certificate = true;
}

static void handle(struct listener *l, struct incoming *in)
{
	switch (in->type) {
	case MSG_GATE_CERTIFICATE:
		load_certificate(l, in);
		break;
	case MSG_GATE_LISTEN:
		if (!listener_add(l, channel_take(in, 0)))
			role_fail(l->up, "%s: there are more than %d addresses to listen on",
				  in->body.peer.peer, LISTENERS_MAX);
		break;
	case MSG_GATE_AUTH:
		listener_set_auth(l, channel_take(in, 0));
		break;
	case MSG_GATE_DRAIN:
		listener_drain(l);
		break;
	}
}

static void say_ready(struct listener *l)
{
	if (l->ready || !l->has_certificate || l->nsockets == 0 || l->nursery.auth.fd < 0)
		return;
	if (channel_send(l->up, MSG_ROLE_READY, &(struct msg_empty){0}, NULL) < 0)
		return;
	l->up->state = STATE_READY;
	listener_open(l);
}

bool control_receive(struct listener *l)
{
	static struct incoming in;

	for (;;) {
		switch (channel_recv(l->up, &in)) {
		case CHANNEL_AGAIN:
			say_ready(l);
			return true;
		case CHANNEL_EOF:
			return false;
		case CHANNEL_BAD:
			log_error("vmmd sent %s", in.problem);
			return false;
		case CHANNEL_MESSAGE:
			handle(l, &in);
			incoming_close(&in);
		}
	}
}

/* The channel to vmmd. */
#include "control.h"

#include <unistd.h>

#include "context.h"
#include "listener.h"
#include "log.h"
#include "role.h"

#define COUNTS_SAID_MS 1000

static void load_certificate(struct listener *l, struct incoming *in)
{
	struct refusal why = {{0}};

	if (!context_load(l->nursery.tls, in->fd[0], in->fd[1], &why))
		role_fail(l->up, "%s", why.text);
	l->has_certificate = true;
	channel_send(l->up, MSG_ROLE_EXPIRES,
		     &(struct msg_expires){context_expires(l->nursery.tls)}, NULL);
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

bool control_owes_counts(const struct listener *l)
{
	const struct msg_gate_counts *counts = &l->connections.untold;

	return counts->connections > 0 || counts->handshakes_lost > 0;
}

/* A vmmd that does not keep up is told later, and all at once. */
void control_say_counts(struct listener *l, int64_t now_ms)
{
	struct msg_gate_counts *counts = &l->connections.untold;

	if (!control_owes_counts(l) || now_ms - l->counts_said_ms < COUNTS_SAID_MS ||
	    channel_send(l->up, MSG_GATE_COUNTS, counts, NULL) < 0)
		return;
	*counts = (struct msg_gate_counts){0};
	l->counts_said_ms = now_ms;
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

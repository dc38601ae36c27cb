/*
 * From one instance of a role to the next: when a successor takes over, and what the one before it
 * still finishes.
 *
 * Of two vmm_auths only the current one stores lists, so that each chain is held against all of
 * them: a successor reads what is stored before it judges a chain, and takes over when nothing that
 * its predecessor was pushed is under way any more. The predecessor then judges what it was handed
 * before, and vmmd holds such a session against the lists of the successor.
 */
#include <signal.h>

#include "family.h"
#include "log.h"
#include "notify.h"
#include "process.h"

/* For a list under way; vmm_auth's process for it may have a minute, and another one follows it. */
#define LISTS_S 180
/* For a chain that was begun; on the slowest line the gate gives the longest one 34 minutes. */
#define CHAINS_S 3600

static void wait_for(struct role *role, int seconds)
{
	event_add(role->patience, &(struct timeval){.tv_sec = seconds});
}

static void retire(struct role *role)
{
	role->retired = true;
	if (role->kind == ROLE_GATE) {
		/* It serves its workers to their end. */
		role_send(role, MSG_GATE_DRAIN, &(struct msg_empty){0}, NULL);
	} else if (role->kind == ROLE_AUTH && role->pushes == 0) {
		role_send(role, MSG_AUTH_DRAIN, &(struct msg_empty){0}, NULL);
		wait_for(role, CHAINS_S);
	} else {
		/* The others hold nothing that matters. */
		process_signal(role->pidfd, SIGKILL);
	}
}

static void announce_when_complete(struct daemon *d)
{
	for (int kind = 0; kind < ROLE_KINDS; kind++)
		if (d->slot[kind].current == NULL)
			return;
	if (d->announced)
		return;
	d->announced = true;
	if (d->options->check) {
		event_base_loopbreak(d->base);
		return;
	}
	log_notice("ready");
	notify("READY=1");
}

static void take_over(struct role *role)
{
	struct role_slot *slot = &role->daemon->slot[role->kind];
	struct role *old = slot->current;

	event_del(role->patience);
	slot->next = NULL;
	slot->current = role;
	slot->ever_ready = true;
	slot->expires = role->expires;
	role->term = ++slot->terms;
	if (old)
		retire(old);
	role_types[role->kind].takes_over(role);
	announce_when_complete(role->daemon);
}

void role_hand_over(struct daemon *d, enum role_kind kind)
{
	const struct role_slot *slot = &d->slot[kind];

	if (slot->next && (!slot->current || slot->current->pushes == 0))
		take_over(slot->next);
}

void role_ready(struct role *role)
{
	struct role_slot *slot = &role->daemon->slot[role->kind];

	role->up.state = STATE_READY;
	log_debug("%s (pid %d) is ready", role_types[role->kind].name, (int)role->pid);
	if (slot->next)
		retire(slot->next);
	slot->next = role;
	wait_for(role, LISTS_S);
	role_hand_over(role->daemon, role->kind);
}

void role_patience_ends(evutil_socket_t fd, short what, void *arg)
{
	struct role *role = arg;

	(void)fd;
	(void)what;
	if (role->retired)
		process_signal(role->pidfd, SIGKILL);
	else
		take_over(role);
}

/*
 * How the roles are wired: what each is given when it starts, who is introduced to whom, and what
 * becomes of the messages that they send.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "eventlog.h"
#include "family.h"
#include "links.h"
#include "log.h"
#include "logfiles.h"
#include "process.h"
#include "revoke.h"
#include "stats.h"

static int send_file(struct role *role, uint32_t type, const char *const *path, unsigned n)
{
	int fds[MESSAGE_FDS_MAX], error = 0;
	unsigned opened;

	for (opened = 0; opened < n; opened++) {
		fds[opened] = open(path[opened], O_RDONLY | O_CLOEXEC);
		if (fds[opened] < 0) {
			error = -errno;
			log_error("%s: %s", path[opened], strerror(errno));
			break;
		}
	}
	if (error == 0)
		error = role_send(role, type, &(struct msg_empty){0}, fds);
	while (opened > 0)
		close(fds[--opened]);
	return error;
}

/* A new channel between AUTH and GATE; either may be missing, then the other's start does it. */
static int introduce(struct role *auth, struct role *gate)
{
	struct channel upper, lower;
	int error;

	if (auth == NULL || gate == NULL)
		return 0;
	error = channel_pair(LINK_CHAINS, &upper, &lower);
	if (error < 0)
		return error;
	error = role_send(auth, MSG_AUTH_GATE, &(struct msg_empty){0}, &upper.fd);
	if (error == 0)
		error = role_send(gate, MSG_GATE_AUTH, &(struct msg_empty){0}, &lower.fd);
	channel_close(&upper);
	channel_close(&lower);
	return error;
}

static int set_up_auth(struct role *role)
{
	const struct daemon *d = role->daemon;
	int fds[] = {open(d->options->ca, O_RDONLY | O_CLOEXEC), d->revocations_fd}, error;

	if (fds[0] < 0) {
		error = -errno;
		log_error("%s: %s", d->options->ca, strerror(errno));
		return error;
	}
	error = role_send(role, MSG_AUTH_CA, &(struct msg_empty){0}, fds);
	close(fds[0]);
	return error;
}

static int set_up_gate(struct role *role)
{
	const struct daemon *d = role->daemon;
	const char *const files[] = {d->options->cert, d->options->key};
	int error = send_file(role, MSG_GATE_CERTIFICATE, files, 2);

	for (unsigned i = 0; i < d->nlisteners && error == 0; i++) {
		struct msg_peer msg = {{0}};

		snprintf(msg.peer, sizeof(msg.peer), "%s", d->listener[i].address);
		error = role_send(role, MSG_GATE_LISTEN, &msg, &d->listener[i].fd);
	}
	return error < 0 ? error : introduce(d->slot[ROLE_AUTH].current, role);
}

/* The sockets of interfaces are of no use where there are no taps. */
static int send_links(struct role *role)
{
	int fd, error;

	if (role->daemon->no_taps.text[0])
		return 0;
	fd = links_open();
	if (fd < 0)
		return fd;
	error = role_send(role, MSG_STATS_LINKS, &(struct msg_empty){0}, &fd);
	close(fd);
	return error;
}

static int set_up_stats(struct role *role)
{
	static const char *const host[] = {"/proc/stat", "/proc/meminfo"};
	struct msg_stats_interval interval = {.seconds = role->daemon->options->stats_interval};
	int error = send_links(role);

	if (error == 0)
		error = send_file(role, MSG_STATS_HOST, host, 2);
	return error < 0 ? error : role_send(role, MSG_STATS_INTERVAL, &interval, NULL);
}

static int set_up_nothing(struct role *role)
{
	(void)role;
	return 0;
}

static void auth_takes_over(struct role *role)
{
	struct daemon *d = role->daemon;

	revocation_lost(d);
	/* A retired gate has connections to serve that had come before it was. */
	for (struct role *r = d->roles; r; r = r->next)
		if (r->kind == ROLE_GATE && !process_ended(r->pidfd))
			introduce(role, r);
}

static void nothing(struct role *role)
{
	(void)role;
}

static void console_takes_over(struct role *role)
{
	console_announce_all(role->daemon);
}

static void stats_takes_over(struct role *role)
{
	stats_announce_all(role->daemon);
}

static void take_session(struct role *role, struct incoming *msg)
{
	struct msg_session_open *open = &msg->body.session_open;

	open->generation = revocations_generation(role->term, open->generation);
	session_open(role->daemon, msg);
}

static void take_list(struct role *role, struct incoming *msg)
{
	struct msg_revocation_list *list = &msg->body.revocation_list;
	const char *problem;

	list->generation = revocations_generation(role->term, list->generation);
	problem = revocation_list(role->daemon, msg);
	if (problem) {
		log_error("vmm_auth (pid %d) sent %s: it is ended", (int)role->pid, problem);
		process_signal(role->pidfd, SIGKILL);
	}
}

/* What waited for the last of them goes on. */
static void push_answered(struct role *role)
{
	if (role->pushes > 0)
		role->pushes--;
	role_hand_over(role->daemon, role->kind);
}

static void from_auth(struct role *role, struct incoming *msg)
{
	switch (msg->type) {
	case MSG_SESSION_OPEN:
		take_session(role, msg);
		break;
	case MSG_SESSION_REFUSED:
		eventlog_refused(role->daemon, &msg->body.session_refused);
		break;
	case MSG_REVOCATION_REFUSED:
		revocation_refused(role->daemon, &msg->body.revocation_refused);
		push_answered(role);
		break;
	case MSG_REVOCATION_LIST:
		take_list(role, msg);
		if (msg->body.revocation_list.session)
			push_answered(role);
		break;
	case MSG_IMAGE_DIGEST:
		session_note_digest(role->daemon, msg->body.image_digest.session,
				    msg->body.image_digest.sha256);
		break;
	}
}

static void from_gate(struct role *role, struct incoming *msg)
{
	struct daemon *d = role->daemon;

	if (msg->type == MSG_GATE_COUNTS) {
		d->gate_counts.connections += msg->body.gate_counts.connections;
		d->gate_counts.handshakes_lost += msg->body.gate_counts.handshakes_lost;
	} else if (msg->type == MSG_GATE_TAINTED && role == d->slot[ROLE_GATE].current) {
		log_warning("a worker of vmm_gate died of signal %u: the gate is executed anew",
			    msg->body.signal.signal);
		role_restart(d, ROLE_GATE);
	}
}

static void from_log(struct role *role, struct incoming *msg)
{
	/* It sends nothing else. */
	if (eventlog_loaded(role->daemon, msg->body.log_loaded.seq))
		return;
	log_error("vmm_log (pid %d) says it has what it was never sent: it is ended",
		  (int)role->pid);
	process_signal(role->pidfd, SIGKILL);
}

static void log_takes_over(struct role *role)
{
	eventlog_resend(role->daemon);
}

/* Of vmm_console and vmm_stats. */
static void from_silent(struct role *role, struct incoming *msg)
{
	(void)role;
	(void)msg;
}

const struct role_type role_types[ROLE_KINDS] = {
    [ROLE_AUTH] = {"vmm_auth", LINK_AUTH, set_up_auth, from_auth, auth_takes_over},
    [ROLE_GATE] = {"vmm_gate", LINK_GATE, set_up_gate, from_gate, nothing},
    [ROLE_CONSOLE] = {"vmm_console", LINK_CONSOLE, set_up_nothing, from_silent, console_takes_over},
    [ROLE_LOG] = {"vmm_log", LINK_LOG, logfiles_set_up, from_log, log_takes_over},
    [ROLE_STATS] = {"vmm_stats", LINK_STATS, set_up_stats, from_silent, stats_takes_over},
};

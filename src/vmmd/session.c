/*
 * Sessions: taken over from vmm_auth, read one request at a time, answered in order, ended at the
 * first expiry of their chain.
 */
#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "authority.h"
#include "bridges.h"
#include "eventlog.h"
#include "log.h"
#include "revoke.h"
#include "volumes.h"

#define BATCH	   16 /* requests taken in one turn */

#define COMMAND	   (1u << LEAF_COMMAND)
#define VM	   (1u << LEAF_VM)
#define REVOCATION (1u << LEAF_REVOCATION)
#define ANYONE	   (COMMAND | VM | REVOCATION)

/* Who may ask what: the shapes of leaf, and a permission (0: none needed beyond the shape). */
static const struct request_type {
	uint32_t kinds, permission;
	void (*handle)(struct session *, const union message_body *);
} request_types[MSG_TYPES] = {
    [MSG_WHOAMI] = {ANYONE, 0, session_whoami},
    [MSG_VM_LIST] = {COMMAND, PERMIT_INFO, session_vm_list},
    [MSG_VM_START] = {VM, 0, session_vm_start},
    [MSG_VM_DESTROY] = {COMMAND, PERMIT_IMAGE, session_vm_destroy},
    [MSG_CONSOLE_OPEN] = {COMMAND, PERMIT_CONSOLE, session_console_open},
    [MSG_LOG_OPEN] = {COMMAND, PERMIT_LOG, session_log_open},
    [MSG_STATISTICS] = {COMMAND, PERMIT_STATISTICS, session_statistics},
    [MSG_REVOKE] = {REVOCATION, 0, session_revoke},
    [MSG_VOLUME_LIST] = {COMMAND, PERMIT_BLOCK, session_volume_list},
    [MSG_VOLUME_CREATE] = {COMMAND, PERMIT_BLOCK, session_volume_create},
    [MSG_VOLUME_DESTROY] = {COMMAND, PERMIT_BLOCK, session_volume_destroy},
    [MSG_VOLUME_READ] = {COMMAND, PERMIT_BLOCK, session_volume_read},
    [MSG_VOLUME_WRITE] = {COMMAND, PERMIT_BLOCK, session_volume_write},
    [MSG_VOLUME_WRITTEN] = {COMMAND, PERMIT_BLOCK, session_volume_written},
};

void session_reply(struct session *session, uint32_t type, const void *body, const int *fds)
{
	/* A worker that is gone shows as the end of its channel. */
	if (session && outbox_send(&session->box, &session->channel, type, body, fds) == 0 &&
	    session->box.first)
		event_add(session->writable, NULL);
}

void session_end_reply(struct session *session, uint32_t id)
{
	if (session && push_vm_gone(session, id, NULL))
		return;
	session_reply(session, MSG_REPLY_END, &(struct msg_id){.id = id}, NULL);
}

void session_error(struct session *session, uint32_t id, uint32_t status, const char *word,
		   const char *format, ...)
{
	struct msg_reply_error error = {.id = id, .status = status};
	va_list args;

	snprintf(error.word, sizeof(error.word), "%s", word);
	va_start(args, format);
	vsnprintf(error.detail, sizeof(error.detail), format, args);
	va_end(args);
	if (session && push_vm_gone(session, id, error.detail))
		return;
	session_reply(session, MSG_REPLY_ERROR, &error, NULL);
}

/* Every request begins with its id. */
static uint32_t id_of(const union message_body *body)
{
	return body->id.id;
}

static const char *kind_name(uint32_t kind)
{
	static const char *const names[] = {"command", "VM", "revocation"};

	return names[kind];
}

static void dispatch(struct session *session, struct incoming *in)
{
	const struct request_type *type = &request_types[in->type];
	const struct request *r = &session->request;

	if (!authority_lasts(session))
		session_error(session, id_of(&in->body), session->refused.status,
			      session->refused.word, "%s", session->refused.detail);
	else if (!(type->kinds & 1u << r->kind))
		session_error(session, id_of(&in->body), 403, "permission",
			      "a %s certificate cannot do that", kind_name(r->kind));
	else if (type->permission && !(r->permissions & (type->permission | PERMIT_ALL)))
		session_error(session, id_of(&in->body), 403, "permission",
			      "the certificate lacks the permission %s",
			      permission_name(type->permission));
	else
		type->handle(session, &in->body);
}

static void handle(struct session *session, struct incoming *in)
{
	if (in->type == MSG_HELLO) {
		/* The handshake is complete: whoever it is holds the key. */
		session->channel.state = STATE_READY;
		authority_login(session);
	} else {
		dispatch(session, in);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static struct incoming in;
	struct session *session = arg;

	(void)fd;
	(void)what;
	/* A session whose answers wait is not asked for more questions; others have their turn. */
	for (int i = 0; session->box.first == NULL && !session->closing[0]; i++) {
		if (i == BATCH)
			return;
		switch (channel_recv(&session->channel, &in)) {
		case CHANNEL_MESSAGE:
			handle(session, &in);
			incoming_close(&in);
			break;
		case CHANNEL_AGAIN:
			return;
		case CHANNEL_BAD:
			log_error("the session of %s from %s sent %s: it is ended",
				  session->request.leaf.name, session->peer, in.problem);
			session_close(session, NULL);
			return;
		case CHANNEL_EOF:
			session_close(session, NULL);
			return;
		}
	}
	event_del(session->readable);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;
	int error = outbox_flush(&session->box, &session->channel);

	(void)fd;
	(void)what;
	if (error == -EAGAIN)
		event_add(session->writable, NULL);
	else if (error < 0)
		session_close(session, NULL);
	else if (session->closing[0])
		session_close(session, session->closing);
	else
		event_add(session->readable, NULL);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	session_close(arg, "a certificate of the chain has expired");
}

static bool watch(struct session *session)
{
	struct event_base *base = session->daemon->base;
	int64_t left = session->request.expires - time(NULL);
	int fd = session->channel.fd;

	session->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, session);
	session->writable = event_new(base, fd, EV_WRITE, on_writable, session);
	session->expiry = evtimer_new(base, on_expiry, session);
	if (!session->readable || !session->writable || !session->expiry)
		return false;
	event_add(session->readable, NULL);
	event_add(session->expiry, &(struct timeval){.tv_sec = left < 0 ? 0 : left});
	return channel_set_nonblocking(&session->channel) == 0;
}

void session_open(struct daemon *d, struct incoming *in)
{
	const struct msg_session_open *msg = &in->body.session_open;
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL) {
		log_error("no memory for a session of %s", msg->request.leaf.name);
		return;
	}
	session->daemon = d;
	session->number = msg->session;
	memcpy(session->peer, msg->peer, sizeof(session->peer));
	session->generation = msg->generation;
	session->request = msg->request;
	request_scope(&session->request, &session->scope);
	channel_init(&session->channel, channel_take(in, 0), LINK_SESSION, SIDE_UPPER);
	outbox_init(&session->box);
	session->image_fd = session->request.kind != LEAF_COMMAND ? channel_take(in, 1) : -1;
	session->next = d->sessions;
	d->sessions = session;
	authority_begin(session);
	if (d->stopping || !watch(session))
		session_close(session, NULL);
}

struct session *session_find(struct daemon *d, uint64_t number)
{
	for (struct session *s = d->sessions; s; s = s->next)
		if (s->number == number)
			return s;
	return NULL;
}

void session_note_digest(struct daemon *d, uint64_t number, const uint8_t *sha256)
{
	struct session *session = session_find(d, number);

	if (session) {
		memcpy(session->sha256, sha256, DIGEST_SIZE);
		session->digest_known = true;
	}
	vm_note_digest(d, number, sha256);
}

/* Who asks again when vmmd is back is welcome; who has lost its authority is not. */
static void say_end(struct session *session, const char *why)
{
	struct msg_session_end msg = {.status = session->daemon->stopping ? 503 : 403};

	snprintf(msg.word, sizeof(msg.word), "%s",
		 session->daemon->stopping ? "unavailable" : "session-ended");
	snprintf(msg.detail, sizeof(msg.detail), "%s", why);
	channel_send(&session->channel, MSG_SESSION_END, &msg, NULL);
}

/* SESSION is in no list any more. */
static void end(struct session *session, const char *why)
{
	if (session->channel.state == STATE_READY) {
		if (why)
			say_end(session, why);
		if (session->logged_in)
			eventlog_session(session, ENTRY_LOGOUT, why);
	}
	volumes_session_gone(session);
	if (session->readable)
		event_free(session->readable);
	if (session->writable)
		event_free(session->writable);
	if (session->expiry)
		event_free(session->expiry);
	outbox_clear(&session->box);
	channel_close(&session->channel);
	if (session->image_fd >= 0)
		close(session->image_fd);
	free(session);
}

void session_close(struct session *session, const char *why)
{
	struct daemon *d = session->daemon;
	struct session **at = &d->sessions;

	while (*at && *at != session)
		at = &(*at)->next;
	if (*at)
		*at = session->next;
	end(session, why);
	bridges_settle(d);
}

void session_close_answered(struct session *session, const char *why)
{
	snprintf(session->closing, sizeof(session->closing), "%s", why);
	event_del(session->readable);
	event_add(session->writable, NULL);
}

void sessions_close_all(struct daemon *d, const char *why)
{
	while (d->sessions) {
		struct session *session = d->sessions;

		d->sessions = session->next;
		end(session, why);
	}
	bridges_settle(d);
}

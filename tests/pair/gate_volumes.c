/* What gate_upper's vmmd and vmm_volume do with volumes. */
#include "gate_volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate_replies.h"

#define MB     (UINT64_C(1) << 20)
#define PERIOD 65521

struct transfer {
	uint64_t bytes, size;
	struct channel session; /* a copy: not to be closed */
	uint32_t id;
	int socket;
	bool write, stopped, written, wrong, ended;
	char path[PATH_TEXT_SIZE];
};

static struct transfer transfers[VOLUME_TRANSFERS_MAX];
static unsigned ntransfers;

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at % PERIOD * 31 >> 2);
}

/* The transfer's socket is made; the other end goes to the worker. */
static void begin(const struct channel *session, uint32_t id, const char *path, bool write,
		  uint64_t size)
{
	struct msg_reply_data reply = {id, size};
	struct transfer *t = &transfers[ntransfers];
	int pair[2];

	if (ntransfers == VOLUME_TRANSFERS_MAX ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	ntransfers++;
	*t = (struct transfer){.session = *session, .id = id, .socket = pair[0], .write = write};
	t->size = size;
	t->stopped = !strcmp(path, "stopped");
	snprintf(t->path, sizeof(t->path), "%s", path);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	channel_send(&t->session, MSG_REPLY_DATA, &reply, &pair[1]);
	close(pair[1]);
}

static void end(struct transfer *t)
{
	close(t->socket);
	*t = transfers[--ntransfers];
}

static void fail(struct transfer *t)
{
	send_error(&t->session, t->id, 503, "unavailable", "the disk is full");
}

/* Requests. */

static void write_received(struct channel *session, const struct msg_volume_write *ask)
{
	uint64_t size = strcmp(ask->path, "small") ? 1024 * MB : MB;
	char detail[128];

	say("write %.64s %lld\n", ask->path, (long long)ask->size);
	if (!strcmp(ask->path, "taken")) {
		send_error(session, ask->id, 409, "in-use", "taken is in use by dev/hello");
	} else if (ask->size != VOLUME_SIZE_UNKNOWN && ask->size > size) {
		snprintf(detail, sizeof(detail), "it holds %llu bytes; %llu are more",
			 (unsigned long long)size, (unsigned long long)ask->size);
		send_error(session, ask->id, 413, "too-large", detail);
	} else {
		begin(session, ask->id, ask->path, true, size);
	}
}

static void read_received(struct channel *session, const struct msg_vm_path *ask)
{
	bool sized = !strncmp(ask->path, "mb", 2);
	uint64_t mb = sized ? strtoul(ask->path + 2, NULL, 10) : 1;

	say("read %s\n", ask->path);
	if (!strcmp(ask->path, "absent"))
		send_error(session, ask->id, 404, "not-found", "there is no absent");
	else
		begin(session, ask->id, ask->path, false, mb * MB);
}

static void written_received(const struct channel *session, uint32_t id)
{
	for (unsigned i = 0; i < ntransfers; i++) {
		if (transfers[i].session.fd == session->fd && transfers[i].id == id)
			transfers[i].written = true;
	}
}

bool volumes_request(const struct channel *from, const struct incoming *in)
{
	struct channel session = *from;

	switch (in->type) {
	case MSG_VOLUME_LIST:
		say("volumes %s\n", in->body.vm_path.path);
		send_volumes(&session, &in->body.vm_path);
		return true;
	case MSG_VOLUME_CREATE:
		say("create %s %u\n", in->body.volume_create.path, in->body.volume_create.size_mb);
		send_created(&session, &in->body.volume_create);
		return true;
	case MSG_VOLUME_DESTROY:
		say("destroy-volume %s\n", in->body.vm_path.path);
		send_end(&session, in->body.vm_path.id);
		return true;
	case MSG_VOLUME_READ:
		read_received(&session, &in->body.vm_path);
		return true;
	case MSG_VOLUME_WRITE:
		write_received(&session, &in->body.volume_write);
		return true;
	case MSG_VOLUME_WRITTEN:
		written_received(&session, in->body.id.id);
		return true;
	default:
		return false;
	}
}

/* Data. */

static bool has_message(const struct channel *session)
{
	struct pollfd fd = {.fd = session->fd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0 && (fd.revents & POLLIN);
}

/* The socket has ended; what was sent before that, on the session, is read first. */
static void judge(struct transfer *t)
{
	if (has_message(&t->session))
		return;
	say("%s %s %llu %s\n", t->written ? "stored" : "broken", t->path,
	    (unsigned long long)t->bytes, t->wrong ? "wrong" : "right");
	if (t->written)
		send_end(&t->session, t->id);
	end(t);
}

/* Once a transfer ended this way its place is another's. */
static bool has_failed(struct transfer *t)
{
	bool late = !strcmp(t->path, "late"), dead = !strcmp(t->path, "dead");

	if (!(late && t->bytes >= MB) && !(dead && t->bytes > 0))
		return false;
	if (late)
		fail(t);
	shutdown(t->socket, SHUT_RD);
	if (late)
		end(t);
	else
		t->stopped = true;
	return true;
}

static void read_data(struct transfer *t)
{
	static uint8_t bytes[1 << 18];
	ssize_t n = 1;

	if (t->ended) {
		judge(t);
		return;
	}
	for (unsigned turn = 0; turn < 16 && n > 0; turn++) {
		n = read(t->socket, bytes, sizeof(bytes));
		for (ssize_t i = 0; i < n; i++)
			t->wrong |= bytes[i] != pattern(t->bytes + (uint64_t)i);
		if (n > 0)
			t->bytes += (uint64_t)n;
		if (n > 0 && has_failed(t))
			return;
	}
	t->ended = n == 0;
}

static void sent(struct transfer *t)
{
	if (!t->ended && !strcmp(t->path, "held")) {
		t->ended = t->stopped = true;
		return;
	}
	say("sent %s %llu\n", t->path, (unsigned long long)t->bytes);
	send_end(&t->session, t->id);
	end(t);
}

static void write_data(struct transfer *t)
{
	static uint8_t bytes[1 << 18];
	uint64_t size = strcmp(t->path, "short") ? t->size : t->size / 2;
	ssize_t n = 1;

	for (unsigned turn = 0; turn < 16 && t->bytes < size && n > 0; turn++) {
		size_t some = size - t->bytes < sizeof(bytes) ? (size_t)(size - t->bytes)
							      : sizeof(bytes);

		for (size_t i = 0; i < some; i++)
			bytes[i] = pattern(t->bytes + i);
		n = write(t->socket, bytes, some);
		if (n > 0)
			t->bytes += (uint64_t)n;
	}
	if (t->bytes == size || (n < 0 && errno != EAGAIN))
		sent(t);
}

unsigned volumes_poll(struct pollfd *fds)
{
	for (unsigned i = 0; i < ntransfers; i++) {
		const struct transfer *t = &transfers[i];

		fds[i] = (struct pollfd){.fd = t->stopped ? -1 : t->socket,
					 .events = t->write ? POLLIN : POLLOUT};
	}
	return ntransfers;
}

void volumes_turn(void)
{
	for (unsigned i = ntransfers; i-- > 0;) {
		if (transfers[i].stopped)
			continue;
		if (transfers[i].write)
			read_data(&transfers[i]);
		else
			write_data(&transfers[i]);
	}
}

void volumes_command(const char *line)
{
	bool go = !strncmp(line, "go ", 3), refuse = !strncmp(line, "fail ", 5);

	for (unsigned i = ntransfers; i-- > 0;) {
		if (go && !strcmp(transfers[i].path, line + 3))
			transfers[i].stopped = false;
		if (refuse && !strcmp(transfers[i].path, line + 5)) {
			fail(&transfers[i]);
			end(&transfers[i]);
		}
	}
}

void volumes_session_gone(const struct channel *session)
{
	for (unsigned i = ntransfers; i-- > 0;) {
		struct transfer *t = &transfers[i];

		if (t->session.fd != session->fd)
			continue;
		say("%s %s %llu %s\n", t->write ? "broken" : "left", t->path,
		    (unsigned long long)t->bytes, t->wrong ? "wrong" : "right");
		end(t);
	}
}

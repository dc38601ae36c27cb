/*
 * One reader: a position in a VM's ring, moved on as fast as its socket takes lines. Never waits;
 * one that does not keep up falls behind, and is told how many lines it missed.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "console.h"
#include "log.h"

struct reader {
	struct reader *next; /* of its VM's */
	struct vm *vm;
	struct channel channel;
	struct event *readable, *writable;
	uint64_t at;	/* number of the line to send next */
	uint64_t until; /* the first one not to send; of no meaning when it follows */
	bool follow;
	bool detached; /* somebody else has the console now */
};

/* What became of one attempt to get a reader further. */
enum step { STEP_SENT, STEP_BLOCKED, STEP_UP_TO_DATE, STEP_DONE };

static void reader_free(struct reader *reader)
{
	struct reader **link = &reader->vm->readers;
	while (*link != reader)
		link = &(*link)->next;
	*link = reader->next;
	if (reader->vm->follower == reader)
		reader->vm->follower = NULL;
	if (reader->readable)
		event_free(reader->readable);
	if (reader->writable)
		event_free(reader->writable);
	channel_close(&reader->channel);
	free(reader);
}

/* THEN when it was sent. */
static enum step reader_send(struct reader *reader, uint32_t type, const void *body, enum step then)
{
	int error = channel_send(&reader->channel, type, body, NULL);
	if (error == -EAGAIN || error == -ENOBUFS)
		return STEP_BLOCKED;
	return error < 0 ? STEP_DONE : then;
}

/* Lines that were overwritten before the reader got to them, up to the one numbered TO. */
static enum step reader_send_gap(struct reader *reader, uint64_t to)
{
	struct msg_gap gap = {.lines = to - reader->at};
	enum step step = reader_send(reader, MSG_GAP, &gap, STEP_SENT);
	if (step == STEP_SENT)
		reader->at = to;
	return step;
}

static enum step reader_send_line(struct reader *reader)
{
	struct msg_line line = {0};
	if (!ring_line(&reader->vm->ring, reader->at, &line.time_us, line.bytes, &line.size))
		return STEP_DONE;
	enum step step = reader_send(reader, MSG_LINE, &line, STEP_SENT);
	if (step == STEP_SENT)
		reader->at++;
	return step;
}

static enum step reader_step(struct reader *reader)
{
	struct vm *vm = reader->vm;
	uint64_t first = ring_first(&vm->ring), next = ring_next(&vm->ring);
	uint64_t until = reader->follow || reader->until > next ? next : reader->until;

	if (reader->detached)
		return reader_send(reader, MSG_DETACHED, &(struct msg_empty){0}, STEP_DONE);
	/* A ring that started over, or another one, is read from its beginning. */
	if (reader->at > next)
		reader->at = first;
	if (reader->at < until && reader->at < first)
		return reader_send_gap(reader, first < until ? first : until);
	if (reader->at < until)
		return reader_send_line(reader);
	if (vm->ended) {
		struct msg_ended ended = {.end = vm->end, .end_value = vm->end_value};
		return reader_send(reader, MSG_ENDED, &ended, STEP_DONE);
	}
	return reader->follow ? STEP_UP_TO_DATE : STEP_DONE;
}

/* Sends a turn's worth; the reader may be gone after. */
static void reader_pump(struct reader *reader)
{
	enum step step = STEP_SENT;
	for (unsigned i = 0; i < TURN_SENDS && step == STEP_SENT; i++)
		step = reader_step(reader);
	if (step == STEP_DONE)
		reader_free(reader);
	else if (step != STEP_UP_TO_DATE)
		event_add(reader->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reader_pump(arg);
}

/* A reader has nothing to say: whatever comes, its end of file above all, ends it. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static struct incoming in;
	struct reader *reader = arg;
	(void)fd;
	(void)what;
	switch (channel_recv(&reader->channel, &in)) {
	case CHANNEL_AGAIN:
		return;
	case CHANNEL_BAD:
		log_warning("console %s: a reader sent %s", reader->vm->id, in.problem);
		break;
	case CHANNEL_MESSAGE:
		incoming_close(&in);
		break;
	case CHANNEL_EOF:
		break;
	}
	reader_free(reader);
}

static struct reader *reader_new(struct vm *vm, int socket)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	if (!reader) {
		close(socket);
		return NULL;
	}
	reader->vm = vm;
	reader->next = vm->readers;
	vm->readers = reader;
	channel_init(&reader->channel, socket, LINK_READER, SIDE_UPPER);
	reader->readable = event_new(vm->base, socket, EV_READ | EV_PERSIST, on_readable, reader);
	reader->writable = event_new(vm->base, socket, EV_WRITE, on_writable, reader);
	if (!reader->readable || !reader->writable ||
	    channel_set_nonblocking(&reader->channel) < 0 ||
	    event_add(reader->readable, NULL) < 0) {
		reader_free(reader);
		return NULL;
	}
	return reader;
}

/* READER gets the console from whoever has it. */
static void reader_take(struct reader *reader)
{
	struct reader *old = reader->vm->follower;
	reader->vm->follower = reader;
	if (!old)
		return;
	old->detached = true;
	reader_pump(old);
}

void reader_start(struct vm *vm, int socket, const struct msg_console_read *ask)
{
	struct reader *reader = reader_new(vm, socket);
	if (!reader) {
		log_error("console %s: no resources for a reader", vm->id);
		return;
	}
	reader->at = ring_seek(&vm->ring, ask->since_us, ask->lines);
	reader->until = ring_next(&vm->ring);
	reader->follow = ask->follow != 0;
	if (reader->follow && !vm->ended)
		reader_take(reader);
	reader_pump(reader);
}

void readers_wake(struct vm *vm)
{
	for (struct reader *reader = vm->readers, *next; reader; reader = next) {
		next = reader->next;
		/* One that waits for its socket goes on by itself. */
		if (!event_pending(reader->writable, EV_WRITE, NULL))
			reader_pump(reader);
	}
}

void readers_free(struct vm *vm)
{
	for (struct reader *reader = vm->readers, *next; reader; reader = next) {
		next = reader->next;
		reader_free(reader);
	}
}

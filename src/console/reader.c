/*
 * One reader: a position in a VM's ring, moved on as fast as its socket takes lines. Never waits;
 * one that does not keep up falls behind, and is told how many lines it missed.
 */
#include <stdlib.h>
#include <unistd.h>

#include "console.h"
#include "log.h"

struct reader {
	struct reader *next; /* of its VM's */
	struct vm *vm;
	struct stream stream;
	uint64_t at;	/* number of the line to send next */
	uint64_t until; /* the first one not to send; of no meaning when it follows */
	bool follow;
	bool detached; /* somebody else has the console now */
};

static void reader_free(struct reader *reader)
{
	struct reader **link = &reader->vm->readers;
	while (*link != reader)
		link = &(*link)->next;
	*link = reader->next;
	if (reader->vm->follower == reader)
		reader->vm->follower = NULL;
	stream_close(&reader->stream);
	free(reader);
}

/* Lines that were overwritten before the reader got to them, up to the one numbered TO. */
static enum stream_step reader_send_gap(struct reader *reader, uint64_t to)
{
	struct msg_gap gap = {.lines = to - reader->at};
	enum stream_step step = stream_send(&reader->stream, MSG_GAP, &gap, STREAM_SENT);
	if (step != STREAM_SENT)
		return step;
	reader->at = to;
	if (reader->follow) {
		reader->vm->lost += gap.lines;
		page_store(reader->vm);
	}
	return step;
}

static enum stream_step reader_send_line(struct reader *reader)
{
	struct msg_line line = {0};
	if (!ring_line(&reader->vm->ring, reader->at, &line.time_us, line.bytes, &line.size))
		return STREAM_DONE;
	enum stream_step step = stream_send(&reader->stream, MSG_LINE, &line, STREAM_SENT);
	if (step == STREAM_SENT)
		reader->at++;
	return step;
}

static enum stream_step reader_step(void *owner)
{
	struct reader *reader = owner;
	struct vm *vm = reader->vm;
	uint64_t first = ring_first(&vm->ring), next = ring_next(&vm->ring);
	uint64_t until = reader->follow || reader->until > next ? next : reader->until;

	if (reader->detached)
		return stream_send(&reader->stream, MSG_DETACHED, &(struct msg_empty){0},
				   STREAM_DONE);
	/* A ring that started over, or another one, is read from its beginning. */
	if (reader->at > next)
		reader->at = first;
	if (reader->at < until && reader->at < first)
		return reader_send_gap(reader, first < until ? first : until);
	if (reader->at < until)
		return reader_send_line(reader);
	if (vm->ended) {
		struct msg_ended ended = {.end = vm->end, .end_value = vm->end_value};
		return stream_send(&reader->stream, MSG_ENDED, &ended, STREAM_DONE);
	}
	return reader->follow ? STREAM_UP_TO_DATE : STREAM_DONE;
}

static void reader_over(void *owner, const char *problem)
{
	struct reader *reader = owner;
	if (problem)
		log_warning("console %s: a reader sent %s", reader->vm->id, problem);
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
	reader->stream = (struct stream){.step = reader_step, .over = reader_over, .owner = reader};
	if (stream_open(&reader->stream, vm->base, socket) < 0) {
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
	stream_pump(&old->stream);
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
	stream_pump(&reader->stream);
}

void readers_wake(struct vm *vm)
{
	for (struct reader *reader = vm->readers, *next; reader; reader = next) {
		next = reader->next;
		stream_wake(&reader->stream);
	}
}

void readers_free(struct vm *vm)
{
	for (struct reader *reader = vm->readers, *next; reader; reader = next) {
		next = reader->next;
		reader_free(reader);
	}
}

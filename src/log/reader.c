/* One reader: the entries of its scope, out of all rings in the order of their numbers. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"

struct reader {
	struct reader *next;
	struct keeper *keeper;
	struct stream stream;
	struct path scope;
	int64_t since_us;
	uint64_t until; /* number of the last entry to send */
	bool follow;
	uint64_t missed;
	unsigned nat;
	uint64_t *at; /* where to go on in each ring, by its number */
};

static void reader_free(struct reader *reader)
{
	struct reader **link = &reader->keeper->readers;

	while (*link != reader)
		link = &(*link)->next;
	*link = reader->next;
	stream_close(&reader->stream);
	free(reader->at);
	free(reader);
}

static void reader_over(void *owner, const char *problem)
{
	if (problem)
		log_warning("a reader sent %s", problem);
	reader_free(owner);
}

/* Whether READER may see anything of TOP's ring: what it is about is told entry by entry. */
static bool reader_concerned(const struct reader *reader, const struct top *top)
{
	return reader->scope.depth == 0 || top == reader->keeper->host ||
	       label_equal(&top->label, &reader->scope.node[0].label);
}

/* Whether READER is to see ENTRY. */
static bool reader_wants(const struct reader *reader, const struct log_entry *entry)
{
	return entry->seq <= reader->until && entry->time_us >= reader->since_us &&
	       path_within(&entry->path, &reader->scope);
}

static bool decode(const struct history_entry *found, struct log_entry *out)
{
	return wire_decode(entry_fields, found->bytes, found->n, out, sizeof(*out));
}

static uint64_t position(const struct reader *reader, const struct top *top)
{
	return top->number < reader->nat ? reader->at[top->number] : 0;
}

static bool positions_grow(struct reader *reader)
{
	unsigned n = reader->keeper->ntops;
	uint64_t *at = reader->nat < n ? realloc(reader->at, n * sizeof(*at)) : reader->at;

	if (at == NULL)
		return n == 0;
	memset(at + reader->nat, 0, (n - reader->nat) * sizeof(*at));
	reader->at = at;
	reader->nat = n;
	return true;
}

/* The entry with the lowest number that READER has not got to yet, and its ring; NULL: none. */
static struct top *reader_next(const struct reader *reader, struct history_entry *out)
{
	struct top *found = NULL;
	struct history_entry entry;

	for (struct top *top = reader->keeper->tops; top; top = top->next) {
		if (!reader_concerned(reader, top) ||
		    !history_read(&top->history, position(reader, top), &entry))
			continue;
		if (found == NULL || entry.seq < out->seq) {
			found = top;
			*out = entry;
		}
	}
	return found;
}

static enum stream_step reader_send_gap(struct reader *reader)
{
	struct msg_gap gap = {.lines = reader->missed};
	enum stream_step step = stream_send(&reader->stream, MSG_GAP, &gap, STREAM_SENT);

	if (step == STREAM_SENT)
		reader->missed = 0;
	return step;
}

static enum stream_step reader_step(void *owner)
{
	static struct log_entry entry;
	struct reader *reader = owner;
	enum stream_step step = STREAM_SENT;
	struct history_entry next;
	struct top *top;

	if (!positions_grow(reader))
		return STREAM_DONE;
	if (reader->missed > 0)
		return reader_send_gap(reader);
	top = reader_next(reader, &next);
	if (top == NULL || next.seq > reader->until)
		return reader->follow ? STREAM_UP_TO_DATE : STREAM_DONE;
	if (decode(&next, &entry) && reader_wants(reader, &entry)) {
		entry_relative(&entry, &reader->scope);
		step = stream_send(&reader->stream, MSG_ENTRY, &entry, STREAM_SENT);
	}
	if (step == STREAM_SENT)
		reader->at[top->number] = next.after;
	return step;
}

void reader_start(struct keeper *keeper, int socket, const struct msg_log_read *ask)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL) {
		close(socket);
		log_error("no memory for a reader");
		return;
	}
	reader->keeper = keeper;
	reader->scope = ask->scope;
	reader->since_us = ask->since_us;
	reader->follow = ask->follow != 0;
	reader->until = reader->follow ? UINT64_MAX : keeper->last;
	reader->next = keeper->readers;
	keeper->readers = reader;
	reader->stream = (struct stream){.step = reader_step, .over = reader_over, .owner = reader};
	if (stream_open(&reader->stream, keeper->base, socket) < 0) {
		log_error("no resources for a reader");
		reader_free(reader);
		return;
	}
	stream_pump(&reader->stream);
}

void readers_wake(struct keeper *keeper, const struct top *top)
{
	for (struct reader *reader = keeper->readers, *next; reader; reader = next) {
		next = reader->next;
		if (reader_concerned(reader, top))
			stream_wake(&reader->stream);
	}
}

void readers_miss(struct keeper *keeper, const struct top *top)
{
	static struct log_entry entry;
	struct history_entry oldest;
	bool decoded = false;

	if (!history_read(&top->history, 0, &oldest))
		return;
	for (struct reader *reader = keeper->readers; reader; reader = reader->next) {
		if (!reader_concerned(reader, top) || position(reader, top) > oldest.at)
			continue;
		decoded = decoded || decode(&oldest, &entry);
		reader->missed += decoded && reader_wants(reader, &entry);
	}
}

void readers_free(struct keeper *keeper)
{
	for (struct reader *reader = keeper->readers, *next; reader; reader = next) {
		next = reader->next;
		reader_free(reader);
	}
}

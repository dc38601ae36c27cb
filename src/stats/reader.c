/* One reader: a SAMPLE for each VM that it may see, the family where it was asked for, the end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "stats.h"

struct reader {
	struct reader *next;
	struct stats *stats;
	struct stream stream;
	struct path path;
	uint32_t skip;
	struct vm *at;	/* the next one to look at; NULL: there is none left */
	uint64_t until; /* number of the last VM to tell of */
	uint32_t nfamily;
	struct family_reading family[1];
};

static void reader_free(struct reader *reader)
{
	struct reader **link = &reader->stats->readers;

	while (*link != reader)
		link = &(*link)->next;
	*link = reader->next;
	stream_close(&reader->stream);
	free(reader);
}

static void reader_over(void *owner, const char *problem)
{
	if (problem)
		log_warning("a reader sent %s", problem);
	reader_free(owner);
}

static enum stream_step send_sample(struct reader *reader, const struct vm *vm)
{
	static struct msg_sample sample;
	uint32_t depth = vm->is.path.depth;
	uint32_t skip = reader->skip < depth ? reader->skip : depth;

	sample = (struct msg_sample){.path = {.depth = depth - skip},
				     .pid = vm->is.pid,
				     .cpuid = vm->is.cpuid,
				     .memory_mb = vm->is.memory_mb,
				     .started_us = vm->is.started_us,
				     .ntaps = vm->is.ntaps,
				     .now = vm->now,
				     .before = vm->earlier};
	memcpy(sample.path.node, vm->is.path.node + skip,
	       sample.path.depth * sizeof(sample.path.node[0]));
	memcpy(sample.target, vm->is.target, sizeof(sample.target));
	memcpy(sample.tap, vm->is.tap, sizeof(sample.tap));
	return stream_send(&reader->stream, MSG_SAMPLE, &sample, STREAM_SENT);
}

/* The family as vmmd sent it, and what the host has now. */
static enum stream_step send_family(struct reader *reader)
{
	struct family_reading *family = &reader->family[0];
	struct host_usage host;
	enum stream_step step;

	family->host_known = host_usage_read(reader->stats->host_stat, reader->stats->host_memory,
					     &host);
	if (family->host_known) {
		family->host_cpus = host.cpus;
		family->host_user_us = host.user_us;
		family->host_system_us = host.system_us;
		family->host_idle_us = host.idle_us;
		family->host_memory = host.memory;
		family->host_available = host.available;
	}
	step = stream_send(&reader->stream, MSG_FAMILY, family, STREAM_SENT);
	if (step == STREAM_SENT)
		reader->nfamily = 0;
	return step;
}

static enum stream_step reader_step(void *owner)
{
	struct reader *reader = owner;
	struct vm *vm = reader->at;
	enum stream_step step;

	while (vm && vm->number <= reader->until && !path_within(&vm->is.path, &reader->path))
		vm = vm->after;
	reader->at = vm && vm->number <= reader->until ? vm : NULL;
	if (reader->at) {
		step = send_sample(reader, vm);
		if (step == STREAM_SENT)
			reader->at = vm->after;
		return step;
	}
	if (reader->nfamily > 0)
		return send_family(reader);
	return stream_send(&reader->stream, MSG_SAMPLES_END, &(struct msg_empty){0}, STREAM_DONE);
}

void reader_start(struct stats *stats, int socket, const struct msg_stats_read *ask)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL) {
		close(socket);
		log_error("no memory for a reader");
		return;
	}
	reader->stats = stats;
	reader->path = ask->path;
	reader->skip = ask->skip;
	reader->nfamily = ask->nfamily;
	reader->family[0] = ask->family[0];
	reader->at = stats->table.first;
	reader->until = stats->table.numbers;
	reader->next = stats->readers;
	stats->readers = reader;
	reader->stream = (struct stream){.step = reader_step, .over = reader_over, .owner = reader};
	if (stream_open(&reader->stream, stats->base, socket) < 0) {
		log_error("no resources for a reader");
		reader_free(reader);
		return;
	}
	stream_pump(&reader->stream);
}

void readers_pass(struct stats *stats, const struct vm *vm)
{
	for (struct reader *reader = stats->readers; reader; reader = reader->next)
		if (reader->at == vm)
			reader->at = vm->after;
}

void readers_free(struct stats *stats)
{
	for (struct reader *reader = stats->readers, *next; reader; reader = next) {
		next = reader->next;
		reader_free(reader);
	}
}

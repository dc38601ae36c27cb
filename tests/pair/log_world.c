/* See log_world.h. */
#include "log_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

struct keeper keeper;
struct channel vmmd;
struct incoming in;
int ring[RINGS];

static struct event_base *base;

int rings_new(void **state)
{
	(void)state;
	for (int i = 0; i < RINGS; i++) {
		ring[i] = memfd_create("ring", MFD_CLOEXEC);
		assert_int_not_equal(ring[i], -1);
		assert_int_equal(ftruncate(ring[i], HISTORY_SIZE), 0);
	}
	return 0;
}

int rings_free(void **state)
{
	(void)state;
	for (int i = 0; i < RINGS; i++)
		close(ring[i]);
	return 0;
}

/* As vmmd does: the host's last. */
static void send_rings(void)
{
	struct msg_log_ring msg = {0};

	memset(msg.top.byte, 0xff, LABEL_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_LOG_RING, &msg, &ring[1]), 0);
	msg.top = path_of("alice").node[0].label;
	assert_int_equal(channel_send(&vmmd, MSG_LOG_RING, &msg, &ring[2]), 0);
	msg.top = path_of("bob").node[0].label;
	assert_int_equal(channel_send(&vmmd, MSG_LOG_RING, &msg, &ring[3]), 0);
	memset(msg.top.byte, 0, LABEL_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_LOG_RING, &msg, &ring[0]), 0);
}

/* The first words of a keeper. */
static uint64_t expect_ready(void)
{
	uint64_t seq;

	assert_int_equal(channel_recv(&vmmd, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_LOG_LOADED);
	seq = in.body.log_loaded.seq;
	assert_int_equal(channel_recv(&vmmd, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_ROLE_READY);
	vmmd.state = STATE_READY;
	return seq;
}

uint64_t keeper_up(void)
{
	struct channel lower;

	base = event_base_new();
	assert_non_null(base);
	assert_int_equal(channel_pair(LINK_LOG, &vmmd, &lower), 0);
	assert_int_equal(channel_set_nonblocking(&vmmd), 0);
	assert_int_equal(keeper_start(&keeper, base, &lower), 0);
	send_rings();
	settle();
	return expect_ready();
}

void keeper_down(void)
{
	keeper_stop(&keeper);
	channel_close(&vmmd);
	event_base_free(base);
}

pid_t program_start(uint64_t *loaded)
{
	struct channel lower;
	pid_t pid;

	assert_int_equal(channel_pair(LINK_LOG, &vmmd, &lower), 0);
	pid = program_execute(VMM_LOG, &lower);
	send_rings();
	*loaded = expect_ready();
	return pid;
}

void settle(void)
{
	for (int i = 0; base && i < 100; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

void send_entry(uint32_t type, const char *path, int64_t time_us)
{
	struct log_entry entry = {.seq = (uint64_t)time_us,
				  .time_us = time_us,
				  .type = type,
				  .path = path_of(path),
				  .by = path_of("alice/admin")};

	snprintf(entry.detail, sizeof(entry.detail), "a detail");
	assert_int_equal(channel_send(&vmmd, MSG_LOG_ENTRY, &entry, NULL), 0);
}

struct channel reader_of(const char *scope, int64_t since_us, bool follow)
{
	const struct msg_log_read ask = {
	    .scope = path_of(scope), .since_us = since_us, .follow = follow};
	struct channel upper, reader;

	assert_int_equal(channel_pair(LINK_READER, &upper, &reader), 0);
	assert_int_equal(channel_set_nonblocking(&reader), 0);
	assert_int_equal(channel_send(&vmmd, MSG_LOG_READ, &ask, &upper.fd), 0);
	channel_close(&upper);
	return reader;
}

void expect_entry(struct channel *reader, const char *path, uint64_t seq)
{
	char text[PATH_TEXT_SIZE];

	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_ENTRY);
	path_format(&in.body.entry.path, 0, text);
	assert_string_equal(text, path);
	assert_int_equal(in.body.entry.seq, seq);
}

void expect_gap(struct channel *reader, uint64_t entries)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_GAP);
	assert_int_equal(in.body.gap.lines, entries);
}

void expect_nothing(struct channel *reader)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_AGAIN);
}

void expect_closed(struct channel *reader)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_EOF);
	channel_close(reader);
}

uint64_t acknowledged(void)
{
	uint64_t seq = 0;

	for (; channel_recv(&vmmd, &in) == CHANNEL_MESSAGE; settle()) {
		assert_int_equal(in.type, MSG_LOG_LOADED);
		assert_true(in.body.log_loaded.seq >= seq);
		seq = in.body.log_loaded.seq;
	}
	return seq;
}

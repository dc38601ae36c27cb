/* See stats_world.h. */
#include "stats_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "descriptors.h"
#include "process.h"
#include "program.h"

struct stats stats;
struct channel vmmd;
struct incoming in;

static struct event_base *base;
static unsigned descriptors_before;

int world_up(void **state)
{
	struct channel lower;

	(void)state;
	upward_many_descriptors();
	descriptors_before = descriptors_open();
	base = event_base_new();
	assert_non_null(base);
	assert_int_equal(channel_pair(LINK_STATS, &vmmd, &lower), 0);
	assert_int_equal(channel_set_nonblocking(&vmmd), 0);
	assert_int_equal(stats_start(&stats, base, &lower), 0);
	return 0;
}

int world_down(void **state)
{
	(void)state;
	stats_stop(&stats);
	channel_close(&vmmd);
	event_base_free(base);
	base = NULL;
	assert_int_equal(descriptors_open(), descriptors_before);
	return 0;
}

void send_interval(uint32_t seconds)
{
	const struct msg_stats_interval msg = {.seconds = seconds};

	assert_int_equal(channel_send(&vmmd, MSG_STATS_INTERVAL, &msg, NULL), 0);
	settle();
	assert_int_equal(channel_recv(&vmmd, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_ROLE_READY);
	vmmd.state = STATE_READY;
}

/* As vmmd is when it starts a role. */
static void become_vmmd(void)
{
	if (process_keep_needed_capabilities() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(98);
}

pid_t program_start(uid_t uid, uint32_t seconds)
{
	struct channel lower;
	char option[32];
	pid_t pid;

	snprintf(option, sizeof(option), "--uid=%u", (unsigned)uid);
	assert_int_equal(channel_pair(LINK_STATS, &vmmd, &lower), 0);
	pid = program_execute_as(VMM_STATS, &lower, option, uid > 0 ? become_vmmd : NULL);
	send_interval(seconds);
	return pid;
}

void settle(void)
{
	for (int i = 0; base && i < 100; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

void next_round(void)
{
	settle();
	sample_all(&stats);
}

struct guest guest_new(const char *path)
{
	struct guest guest = {.is = {.path = path_of(path),
				     .pid = 4242,
				     .cpuid = 1,
				     .memory_mb = 32,
				     .target = "spt",
				     .started_us = 1000000,
				     .nblocks = 1}};

	strncpy((char *)guest.is.path_id, path, DIGEST_SIZE - 1);
	for (int i = 0; i < VM_FILES; i++) {
		guest.file[i] = memfd_create("file", MFD_CLOEXEC);
		assert_int_not_equal(guest.file[i], -1);
	}
	return guest;
}

void guest_free(struct guest *guest)
{
	for (int i = 0; i < VM_FILES; i++)
		close(guest->file[i]);
}

static void put(int fd, const char *text)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
}

void guest_used(const struct guest *guest, unsigned n)
{
	char text[512];

	snprintf(text, sizeof(text), "4242 (a )) S 1 1 1 0 -1 0 %u 0 %u 0 %u %u 0 0 20 0 1\n",
		 3 * n, 4 * n, n, 2 * n);
	put(guest->file[VM_STAT], text);
	snprintf(text, sizeof(text),
		 "Name:\tx\nVmHWM:\t%u kB\nVmRSS:\t%u kB\nRssAnon:\t1 kB\nRssFile:\t%u kB\n"
		 "RssShmem:\t%u kB\nvoluntary_ctxt_switches:\t%u\n"
		 "nonvoluntary_ctxt_switches:\t%u\n",
		 7 * n, 6 * n, n, 2 * n, 8 * n, 9 * n);
	put(guest->file[VM_STATUS], text);
}

void guest_moved(const struct guest *guest, uint64_t read, uint64_t written)
{
	char text[128];

	snprintf(text, sizeof(text), "rchar: %llu\nwchar: %llu\nsyscr: 1\n",
		 (unsigned long long)read, (unsigned long long)written);
	put(guest->file[VM_IO], text);
}

void guest_counted(const struct guest *guest, const struct statpage *page)
{
	assert_int_equal(pwrite(guest->file[VM_PAGE], page, sizeof(*page), 0), sizeof(*page));
}

void guest_add(const struct guest *guest)
{
	assert_int_equal(channel_send(&vmmd, MSG_STATS_ADD, &guest->is, guest->file), 0);
}

void guest_remove(const struct guest *guest)
{
	struct msg_stats_remove msg;

	memcpy(msg.path_id, guest->is.path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_STATS_REMOVE, &msg, NULL), 0);
}

static struct channel ask(const struct msg_stats_read *msg)
{
	struct channel upper, reader;

	assert_int_equal(channel_pair(LINK_READER, &upper, &reader), 0);
	if (base)
		assert_int_equal(channel_set_nonblocking(&reader), 0);
	assert_int_equal(channel_send(&vmmd, MSG_STATS_READ, msg, &upper.fd), 0);
	channel_close(&upper);
	return reader;
}

struct channel reader_of(const char *path, uint32_t skip)
{
	const struct msg_stats_read msg = {.path = path_of(path), .skip = skip};

	return ask(&msg);
}

struct channel family_reader(const struct family_reading *family)
{
	const struct msg_stats_read msg = {.nfamily = 1, .family = {*family}};

	return ask(&msg);
}

void expect_sample(struct channel *reader, const char *path)
{
	char text[PATH_TEXT_SIZE];

	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_SAMPLE);
	path_format(&in.body.sample.path, 0, text);
	assert_string_equal(text, path);
}

void expect_end(struct channel *reader)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_SAMPLES_END);
	assert_int_equal(channel_recv(reader, &in), CHANNEL_EOF);
	channel_close(reader);
}

void expect_nothing(struct channel *reader)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_AGAIN);
}

void read_now(const char *path, struct reading *now, struct reading *before)
{
	struct channel reader = reader_of(path, 0);

	settle();
	expect_sample(&reader, path);
	*now = in.body.sample.now;
	if (before)
		*before = in.body.sample.before;
	expect_end(&reader);
}

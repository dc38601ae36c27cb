/* See console_world.h. */
#include "console_world.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "descriptors.h"

struct console console;
struct event_base *base;
struct channel vmmd;
struct incoming in;

static unsigned descriptors_before;

void console_up(void)
{
	struct channel lower;
	base = event_base_new();
	assert_non_null(base);
	assert_int_equal(channel_pair(LINK_CONSOLE, &vmmd, &lower), 0);
	lower.state = STATE_READY;
	assert_int_equal(console_start(&console, base, &lower), 0);
}

void console_down(void)
{
	console_stop(&console);
	channel_close(&vmmd);
	event_base_free(base);
}

int world_setup(void **state)
{
	(void)state;
	descriptors_before = descriptors_open();
	console_up();
	return 0;
}

int world_teardown(void **state)
{
	(void)state;
	console_down();
	assert_int_equal(descriptors_open(), descriptors_before);
	return 0;
}

/* Turns the loop until all that is ready was handled. */
void settle(void)
{
	for (int i = 0; i < 100; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

struct guest guest_new(uint8_t id)
{
	struct guest guest = {.path_id = {id, 1, 2, 3, id}};
	assert_int_equal(pipe2(guest.fifo, O_CLOEXEC), 0);
	assert_int_equal(fcntl(guest.fifo[0], F_SETFL, O_NONBLOCK), 0);
	guest.ring = memfd_create("ring", MFD_CLOEXEC);
	assert_int_not_equal(guest.ring, -1);
	assert_int_equal(ftruncate(guest.ring, RING_SIZE), 0);
	guest.page = memfd_create("page", MFD_CLOEXEC);
	assert_int_not_equal(guest.page, -1);
	assert_int_equal(ftruncate(guest.page, STATPAGE_SIZE), 0);
	return guest;
}

void guest_free(struct guest *guest)
{
	close(guest->fifo[0]);
	close(guest->fifo[1]);
	close(guest->ring);
	close(guest->page);
}

void guest_add(const struct guest *guest, bool redeployed)
{
	struct msg_console_vm msg = {.redeployed = redeployed};
	int fds[] = {guest->fifo[0], guest->ring, guest->page};
	memcpy(msg.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_ADD, &msg, fds), 0);
}

void guest_end(const struct guest *guest, uint32_t end, uint32_t value)
{
	struct msg_console_ended msg = {.end = end, .end_value = value};
	memcpy(msg.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_ENDED, &msg, NULL), 0);
}

void guest_drop(const struct guest *guest)
{
	struct msg_console_drop msg;
	memcpy(msg.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_DROP, &msg, NULL), 0);
}

struct statpage guest_page(const struct guest *guest)
{
	struct statpage page;
	assert_int_equal(pread(guest->page, &page, sizeof(page), 0), sizeof(page));
	return page;
}

void guest_say(const struct guest *guest, const char *text)
{
	assert_int_equal(write(guest->fifo[1], text, strlen(text)), strlen(text));
}

void read_ask(const struct guest *guest, struct msg_console_read ask, struct channel *reader)
{
	struct channel upper;
	assert_int_equal(channel_pair(LINK_READER, &upper, reader), 0);
	assert_int_equal(channel_set_nonblocking(reader), 0);
	memcpy(ask.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_READ, &ask, &upper.fd), 0);
	channel_close(&upper);
}

struct channel reader_of(const struct guest *guest, bool follow)
{
	struct channel reader;
	read_ask(guest, (struct msg_console_read){.follow = follow}, &reader);
	return reader;
}

void expect_line(struct channel *reader, const char *text)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_LINE);
	assert_int_equal(in.body.line.size, strlen(text));
	assert_memory_equal(in.body.line.bytes, text, strlen(text));
	assert_true(in.body.line.time_us > INT64_C(1500000000000000));
}

void expect(struct channel *reader, uint32_t type)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, type);
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

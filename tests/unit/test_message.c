/*
 * Generated from the table of messages: for every row a round trip of random contents, every
 * truncation, a trailing byte, the wrong sender, the wrong channel, the wrong state, a stray and a
 * missing descriptor. Nothing here names a message.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel.h"
#include "descriptors.h"

static union message_body sent, decoded;
static struct incoming in;
static uint8_t bytes[MESSAGE_MAX + 1], again[MESSAGE_MAX];

static void fill(const struct field *fields, void *base, bool full);

static void fill_strings(struct strings *list, bool full)
{
	char item[40];

	for (unsigned i = 0; i < (full ? 200 : 3); i++) {
		memset(item, 'a' + (char)(i % 26), sizeof(item));
		item[full ? 38 : i] = 0;
		if (strings_add(list, item) < 0)
			break;
	}
}

/* Random contents within a field's bounds; FULL: as long as it may be. */
static void fill_field(const struct field *f, void *base, bool full)
{
	char *at = (char *)base + f->offset;
	uint32_t *count = (uint32_t *)((char *)base + f->count);
	size_t n;

	switch (f->type) {
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_BYTES:
		for (size_t i = 0; i < f->size; i++)
			at[i] = (char)rand();
		break;
	case FIELD_STRING:
		n = full ? f->size - 1 : (size_t)rand() % f->size;
		memset(at, 'x', n);
		break;
	case FIELD_BUFFER:
		*count = full ? (uint32_t)f->size : (uint32_t)rand() % (uint32_t)(f->size + 1);
		memset(at, 0, *count);
		break;
	case FIELD_STRINGS:
		fill_strings((struct strings *)at, full);
		break;
	case FIELD_STRUCT:
		fill(f->element, at, full);
		break;
	case FIELD_LIST:
		n = f->size / f->stride;
		*count = full ? (uint32_t)n : (uint32_t)((size_t)rand() % (n + 1));
		for (uint32_t i = 0; i < *count; i++)
			fill(f->element, at + i * f->stride, full);
		break;
	}
}

static void fill(const struct field *fields, void *base, bool full)
{
	for (const struct field *f = fields; f->name; f++)
		fill_field(f, base, full);
}

static ssize_t encode_random(const struct message *m, bool full)
{
	memset(&sent, 0, sizeof(sent));
	fill(m->fields, &sent, full);
	return wire_encode(m->fields, &sent, bytes, MESSAGE_MAX - 4);
}

static void every_message_round_trips(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		const struct message *m = message_find(type);

		assert_non_null(m->name);
		for (int i = 0; i < 20; i++) {
			ssize_t n = encode_random(m, i == 0);

			assert_true(n >= 0);
			assert_true(wire_decode(m->fields, bytes, (size_t)n, &decoded, m->size));
			assert_int_equal(wire_encode(m->fields, &decoded, again, sizeof(again)), n);
			assert_memory_equal(bytes, again, n);
		}
	}
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		const struct message *m = message_find(type);
		ssize_t n = encode_random(m, false);
		ssize_t step = n > 2000 ? 97 : 1;

		for (ssize_t cut = 0; cut < n; cut += step)
			assert_false(wire_decode(m->fields, bytes, (size_t)cut, &decoded, m->size));
		bytes[n] = 0;
		assert_false(wire_decode(m->fields, bytes, (size_t)n + 1, &decoded, m->size));
	}
}

/* A count, a length or a character out of bounds, anywhere: refused or decoded, never a crash. */
static void mutations_do_not_crash(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		const struct message *m = message_find(type);
		ssize_t n = encode_random(m, false);

		for (int i = 0; i < 500 && n > 0; i++) {
			size_t at = (size_t)rand() % (size_t)n;
			uint8_t old = bytes[at];

			bytes[at] = (uint8_t)rand();
			wire_decode(m->fields, bytes, (size_t)n, &decoded, m->size);
			bytes[at] = old;
		}
	}
}

static enum link link_of(const struct message *m)
{
	return (enum link)(m->links & -m->links);
}

static enum state state_of(const struct message *m)
{
	return (enum state)(m->states & -m->states);
}

static enum side other(enum side side)
{
	return side == SIDE_UPPER ? SIDE_LOWER : SIDE_UPPER;
}

static void the_table_refuses_what_it_does_not_name(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		const struct message *m = message_find(type);
		enum side to = other(m->from);

		assert_null(message_refusal(type, link_of(m), to, state_of(m), m->fds));
		assert_non_null(message_refusal(type, link_of(m), m->from, state_of(m), m->fds));
		assert_non_null(message_refusal(type, link_of(m), to, state_of(m), m->fds + 1));
		if (m->fds > 0)
			assert_non_null(message_refusal(type, link_of(m), to, state_of(m), 0));
		for (unsigned bit = 0; bit < 7; bit++)
			if (!(m->links & 1u << bit))
				assert_non_null(message_refusal(type, (enum link)(1u << bit), to,
								state_of(m), m->fds));
		for (unsigned s = STATE_NEW; s <= STATE_READY; s <<= 1)
			if (!(m->states & s))
				assert_non_null(
				    message_refusal(type, link_of(m), to, (enum state)s, m->fds));
	}
	assert_non_null(message_refusal(0, LINK_GATE, SIDE_UPPER, STATE_READY, 0));
	assert_non_null(message_refusal(MSG_TYPES, LINK_GATE, SIDE_UPPER, STATE_READY, 0));
}

static void pair_for(const struct message *m, struct channel *from, struct channel *to)
{
	struct channel upper, lower;

	assert_int_equal(channel_pair(link_of(m), &upper, &lower), 0);
	*from = m->from == SIDE_UPPER ? upper : lower;
	*to = m->from == SIDE_UPPER ? lower : upper;
	to->state = state_of(m);
	assert_int_equal(channel_set_nonblocking(to), 0);
}

static void every_message_crosses_a_channel(void **state)
{
	int fds[MESSAGE_FDS_MAX];

	(void)state;
	for (unsigned i = 0; i < MESSAGE_FDS_MAX; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		const struct message *m = message_find(type);
		struct channel from, to;
		unsigned before = descriptors_open();

		pair_for(m, &from, &to);
		assert_true(encode_random(m, true) >= 0);
		assert_int_equal(channel_send(&from, type, &sent, fds), 0);
		assert_int_equal(channel_recv(&to, &in), CHANNEL_MESSAGE);
		assert_int_equal(in.type, type);
		assert_int_equal(in.nfds, m->fds);
		incoming_close(&in);
		assert_int_equal(channel_recv(&to, &in), CHANNEL_AGAIN);
		/* Nobody sends what is the other side's to send. */
		assert_int_equal(channel_send(&to, type, &sent, fds), -EPROTO);
		channel_close(&from);
		assert_int_equal(channel_recv(&to, &in), CHANNEL_EOF);
		channel_close(&to);
		assert_int_equal(descriptors_open(), before);
	}
	for (unsigned i = 0; i < MESSAGE_FDS_MAX; i++)
		close(fds[i]);
}

/* A peer that does not use channel_send: raw datagrams with descriptors nobody asked for. */
static void stray_descriptors_are_closed(void **state)
{
	(void)state;
	for (unsigned extra = 1; extra <= 5; extra++) {
		struct channel upper, lower;
		uint32_t type = MSG_HELLO;
		char control[CMSG_SPACE(sizeof(int) * 5)] = {0};
		struct iovec iov = {.iov_base = &type, .iov_len = sizeof(type)};
		struct msghdr hdr = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = CMSG_SPACE(sizeof(int) * extra)};
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
		unsigned before = descriptors_open();

		assert_int_equal(channel_pair(LINK_SESSION, &upper, &lower), 0);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * extra);
		for (unsigned i = 0; i < extra; i++)
			((int *)CMSG_DATA(cmsg))[i] = STDERR_FILENO;
		assert_int_equal(sendmsg(lower.fd, &hdr, 0), (ssize_t)sizeof(type));
		assert_int_equal(channel_recv(&upper, &in), CHANNEL_BAD);
		assert_non_null(in.problem);
		channel_close(&upper);
		channel_close(&lower);
		assert_int_equal(descriptors_open(), before);
	}
}

/* A role that fails says why and ends, whatever else was on its way to it. */
static void last_words_come_before_the_end(void **state)
{
	struct channel upper, lower;
	struct msg_detail why = {"no key"};

	(void)state;
	assert_int_equal(channel_pair(LINK_GATE, &upper, &lower), 0);
	upper.state = lower.state = STATE_READY;
	assert_int_equal(channel_send(&upper, MSG_GATE_DRAIN, &(struct msg_empty){0}, NULL), 0);
	assert_int_equal(channel_send(&lower, MSG_ROLE_FAILED, &why, NULL), 0);
	channel_close(&lower);
	assert_int_equal(channel_recv(&upper, &in), CHANNEL_MESSAGE);
	assert_string_equal(in.body.detail.detail, "no key");
	assert_int_equal(channel_recv(&upper, &in), CHANNEL_EOF);
	channel_close(&upper);
}

static void over_long_datagrams_are_refused(void **state)
{
	struct channel upper, lower;

	(void)state;
	assert_int_equal(channel_pair(LINK_SESSION, &upper, &lower), 0);
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = MSG_HELLO;
	assert_int_equal(send(lower.fd, bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
	assert_int_equal(channel_recv(&upper, &in), CHANNEL_BAD);
	assert_int_equal(send(lower.fd, bytes, 3, 0), 3);
	assert_int_equal(channel_recv(&upper, &in), CHANNEL_BAD);
	channel_close(&upper);
	channel_close(&lower);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_round_trips),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(mutations_do_not_crash),
	    cmocka_unit_test(the_table_refuses_what_it_does_not_name),
	    cmocka_unit_test(every_message_crosses_a_channel),
	    cmocka_unit_test(stray_descriptors_are_closed),
	    cmocka_unit_test(last_words_come_before_the_end),
	    cmocka_unit_test(over_long_datagrams_are_refused),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

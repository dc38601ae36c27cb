/* Who sees which VMs, while they come and go. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "stats_world.h"

#define MANY 1000

static void each_scope_sees_its_own(void **state)
{
	static const char *const paths[] = {"alice/hello", "bob/vm", "alice/dan/vm",
					    "alice/dan/ca/x"};
	struct channel all, alice, dan, one, nobody;

	(void)state;
	send_interval(NEVER);
	for (int i = 0; i < 4; i++) {
		struct guest guest = guest_new(paths[i]);

		guest_add(&guest);
		guest_free(&guest);
	}
	all = reader_of("", 0);
	alice = reader_of("alice", 1);
	dan = reader_of("alice/dan", 1); /* asked for from alice's scope */
	one = reader_of("bob/vm", 2);
	nobody = reader_of("carol", 1);
	settle();
	for (int i = 0; i < 4; i++)
		expect_sample(&all, paths[i]);
	expect_end(&all);
	expect_sample(&alice, "hello");
	expect_sample(&alice, "dan/vm");
	expect_sample(&alice, "dan/ca/x");
	assert_string_equal(in.body.sample.path.node[2].name, "x");
	assert_int_equal(in.body.sample.path.node[0].label.byte[0], 'd');
	expect_end(&alice);
	expect_sample(&dan, "dan/vm");
	expect_sample(&dan, "dan/ca/x");
	expect_end(&dan);
	expect_sample(&one, "");
	expect_end(&one);
	expect_end(&nobody);
}

/* More to skip than there is: nothing is shown of above. */
static void what_is_skipped_is_not_shown(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct channel reader;

	(void)state;
	send_interval(NEVER);
	guest_add(&guest);
	reader = reader_of("alice/vm", 9);
	settle();
	expect_sample(&reader, "");
	assert_int_equal(in.body.sample.path.node[0].name[0], 0);
	expect_end(&reader);
	guest_free(&guest);
}

static void name_of(char out[32], unsigned n)
{
	snprintf(out, 32, "alice/vm%u", n);
}

/* VMs FROM to below TO, all of one guest's files. */
static void add_some(struct guest *guest, unsigned from, unsigned to)
{
	char name[32];

	for (unsigned n = from; n < to; n++) {
		name_of(name, n);
		guest->is.path = path_of(name);
		memset(guest->is.path_id, 0, DIGEST_SIZE);
		memcpy(guest->is.path_id, name + 6, strlen(name) - 6);
		guest->is.pid = n;
		guest_add(guest);
		if (n % 16 == 15)
			settle();
	}
	settle();
}

static void remove_one(struct guest *guest, unsigned n)
{
	char name[32];

	name_of(name, n);
	memset(guest->is.path_id, 0, DIGEST_SIZE);
	memcpy(guest->is.path_id, name + 6, strlen(name) - 6);
	guest_remove(guest);
	settle();
}

/* What is left in READER, by the VM's number; false: it does not come to its end. */
static bool drain(struct channel *reader, unsigned times[2 * MANY])
{
	enum channel_result result;

	while ((result = channel_recv(reader, &in)) != CHANNEL_EOF) {
		settle();
		if (result == CHANNEL_AGAIN)
			continue;
		assert_int_equal(result, CHANNEL_MESSAGE);
		if (in.type == MSG_SAMPLES_END)
			return true;
		assert_int_equal(in.type, MSG_SAMPLE);
		times[in.body.sample.pid]++;
	}
	return false;
}

static void a_thousand_are_told(void **state)
{
	struct guest guest = guest_new("alice/vm");
	unsigned times[2 * MANY] = {0};
	struct channel reader;

	(void)state;
	send_interval(NEVER);
	add_some(&guest, 0, MANY);
	next_round();
	reader = reader_of("", 0);
	assert_true(drain(&reader, times));
	for (unsigned n = 0; n < MANY; n++)
		assert_int_equal(times[n], 1);
	channel_close(&reader);
	for (unsigned n = 0; n < MANY; n++)
		remove_one(&guest, n);
	assert_null(stats.table.first);
	assert_null(stats.table.last);
	guest_free(&guest);
}

/* A reader that has not read yet: its socket is full, and it stands somewhere in the middle. */
static struct channel stuck_reader(struct guest *guest)
{
	struct channel reader;

	send_interval(NEVER);
	add_some(guest, 0, MANY);
	reader = reader_of("alice", 1);
	settle();
	assert_non_null(stats.readers);
	return reader;
}

static void vms_go_while_they_are_read(void **state)
{
	struct guest guest = guest_new("alice/vm");
	unsigned times[2 * MANY] = {0};
	struct channel reader = stuck_reader(&guest);

	(void)state;
	/* Every second one, wherever the reader is, and the last. */
	for (unsigned n = 1; n < MANY; n += 2)
		remove_one(&guest, n);
	assert_true(drain(&reader, times));
	for (unsigned n = 0; n < MANY; n += 2)
		assert_int_equal(times[n], 1);
	for (unsigned n = 1; n < MANY; n += 2)
		assert_in_range(times[n], 0, 1);
	assert_int_equal(times[MANY - 1], 0);
	channel_close(&reader);
	guest_free(&guest);
}

static void all_go_while_they_are_read(void **state)
{
	struct guest guest = guest_new("alice/vm");
	unsigned times[2 * MANY] = {0};
	struct channel reader = stuck_reader(&guest);

	(void)state;
	for (unsigned n = MANY; n-- > 0;)
		remove_one(&guest, n);
	assert_null(stats.table.first);
	assert_true(drain(&reader, times));
	channel_close(&reader);
	guest_free(&guest);
}

static void vms_come_while_they_are_read(void **state)
{
	struct guest guest = guest_new("alice/vm");
	unsigned times[2 * MANY] = {0};
	struct channel reader = stuck_reader(&guest);

	(void)state;
	add_some(&guest, MANY, MANY + 50);
	/* In the place of those that are there: told of once, as what they are then. */
	add_some(&guest, MANY - 50, MANY);
	next_round();
	assert_true(drain(&reader, times));
	for (unsigned n = 0; n < MANY; n++)
		assert_int_equal(times[n], 1);
	for (unsigned n = MANY; n < MANY + 50; n++)
		assert_int_equal(times[n], 0);
	channel_close(&reader);
	guest_free(&guest);
}

/* Nobody waits for one that does not read. */
static void a_stuck_reader_is_in_nobodys_way(void **state)
{
	struct guest guest = guest_new("alice/vm");
	unsigned times[2 * MANY] = {0};
	struct channel stuck = stuck_reader(&guest), other = reader_of("", 0);

	(void)state;
	assert_true(drain(&other, times));
	channel_close(&other);
	next_round();
	channel_close(&stuck);
	settle();
	assert_null(stats.readers);
	guest_free(&guest);
}

/* Of a vmm_stats that ends in the middle: the end is not what is said. */
static void an_answer_may_be_incomplete(void **state)
{
	struct guest guest = guest_new("alice/vm");
	unsigned times[2 * MANY] = {0};
	struct channel reader = stuck_reader(&guest);

	(void)state;
	readers_free(&stats);
	assert_false(drain(&reader, times));
	assert_int_equal(times[MANY - 1], 0);
	channel_close(&reader);
	guest_free(&guest);
}

static void a_reader_that_talks_is_let_go(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct channel reader = stuck_reader(&guest);

	(void)state;
	assert_int_equal(send(reader.fd, "nonsense", 8, 0), 8);
	settle();
	assert_null(stats.readers);
	assert_false(stats.up.failed);
	channel_close(&reader);
	guest_free(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(each_scope_sees_its_own),
	    WORLD_TEST(what_is_skipped_is_not_shown),
	    WORLD_TEST(a_thousand_are_told),
	    WORLD_TEST(vms_go_while_they_are_read),
	    WORLD_TEST(all_go_while_they_are_read),
	    WORLD_TEST(vms_come_while_they_are_read),
	    WORLD_TEST(a_stuck_reader_is_in_nobodys_way),
	    WORLD_TEST(an_answer_may_be_incomplete),
	    WORLD_TEST(a_reader_that_talks_is_let_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* vmm_stats's code on a loop of the test's: what is read of a VM, and what is kept of it. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stats_world.h"

#define ALL_BUT_KVM (READ_PROCESS | READ_BLOCK | READ_CONSOLE | READ_NETWORK)

static void expect_used(const struct reading *reading, unsigned n)
{
	assert_int_equal(reading->user_us, 10000 * n);
	assert_int_equal(reading->system_us, 20000 * n);
	assert_int_equal(reading->minor_faults, 3 * n);
	assert_int_equal(reading->major_faults, 4 * n);
	assert_int_equal(reading->resident, 6 * 1024 * n);
	assert_int_equal(reading->shared, 3 * 1024 * n);
	assert_int_equal(reading->peak, 7 * 1024 * n);
	assert_int_equal(reading->voluntary_switches, 8 * n);
	assert_int_equal(reading->involuntary_switches, 9 * n);
}

static void it_is_ready_with_the_interval(void **state)
{
	(void)state;
	settle();
	expect_nothing(&vmmd);
	send_interval(NEVER);
	/* It comes once. */
	assert_int_equal(channel_send(&vmmd, MSG_STATS_INTERVAL,
				      &(struct msg_stats_interval){.seconds = 1}, NULL),
			 0);
	settle();
	assert_true(stats.up.failed);
}

static void a_vm_is_read_when_it_comes(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct channel reader;

	(void)state;
	send_interval(NEVER);
	guest_used(&guest, 5);
	guest_add(&guest);
	reader = reader_of("", 0);
	settle();
	expect_sample(&reader, "alice/vm");
	assert_int_equal(in.body.sample.pid, 4242);
	assert_int_equal(in.body.sample.cpuid, 1);
	assert_int_equal(in.body.sample.memory_mb, 32);
	assert_string_equal(in.body.sample.target, "spt");
	assert_int_equal(in.body.sample.started_us, 1000000);
	assert_int_equal(in.body.sample.now.parts, READ_PROCESS | READ_NETWORK);
	assert_true(in.body.sample.now.time_us > 0);
	assert_int_equal(in.body.sample.before.time_us, 0);
	expect_used(&in.body.sample.now, 5);
	expect_end(&reader);
	guest_free(&guest);
}

static void two_readings_are_kept(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct reading now, before, first;

	(void)state;
	send_interval(NEVER);
	for (unsigned n = 1; n <= 3; n++) {
		guest_used(&guest, n);
		if (n == 1)
			guest_add(&guest);
		else
			next_round();
		read_now("alice/vm", &now, &before);
		expect_used(&now, n);
		expect_used(&before, n - 1);
		assert_true(now.time_us >= before.time_us);
		if (n == 1)
			first = now;
		/* Where nobody sets the clock it is the same time that was said. */
		if (n == 2)
			assert_in_range(before.time_us, first.time_us - 1000000,
					first.time_us + 1000000);
	}
	guest_free(&guest);
}

/* The interval's own doing. */
static void rounds_come_by_themselves(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct reading now, before = {0};

	(void)state;
	send_interval(1);
	guest_used(&guest, 1);
	guest_add(&guest);
	settle();
	guest_used(&guest, 2);
	while (before.time_us == 0) {
		usleep(10000);
		read_now("alice/vm", &now, &before);
	}
	expect_used(&before, 1);
	expect_used(&now, 2);
	assert_true(now.time_us > before.time_us);
	guest_free(&guest);
}

/* Of files that end, a process that is gone, a page that was never there. */
static void what_cannot_be_read_stays(void **state)
{
	const struct statpage page = {.console = 1, .console_bytes = 70};
	struct guest guest = guest_new("alice/vm");
	struct reading now, before;

	(void)state;
	send_interval(NEVER);
	guest_used(&guest, 5);
	guest_moved(&guest, 5120, 1024 + 70);
	guest_counted(&guest, &page);
	guest_add(&guest);
	settle();
	for (int i = 0; i < VM_FILES; i++)
		assert_int_equal(ftruncate(guest.file[i], 0), 0);
	next_round();
	next_round();
	read_now("alice/vm", &now, &before);
	assert_int_equal(now.parts, ALL_BUT_KVM);
	expect_used(&now, 5);
	expect_used(&before, 5);
	assert_int_equal(now.console_bytes, 70);
	assert_int_equal(now.block_read, 5120);
	assert_int_equal(now.block_written, 1024);
	guest_free(&guest);
}

static void what_cannot_be_had_is_no_part(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct reading now;

	(void)state;
	send_interval(NEVER);
	for (int i = 0; i < VM_FILES; i++) {
		close(guest.file[i]);
		guest.file[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	guest.is.ntaps = 1;
	strcpy(guest.is.tap[0].name, "nosuch0");
	guest_add(&guest);
	next_round();
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, 0);
	assert_true(now.time_us > 0);
	guest_free(&guest);
}

/* Each of what spt's numbers of volumes take. */
static void an_spt_guest_has_block_when_the_rest_is_known(void **state)
{
	const struct statpage page = {.console = 1};
	struct guest guest = guest_new("alice/vm");
	struct reading now;

	(void)state;
	send_interval(NEVER);
	guest_moved(&guest, 512, 512);
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts & READ_BLOCK, 0); /* what it printed is not known */
	guest_counted(&guest, &page);
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_BLOCK | READ_CONSOLE | READ_NETWORK);
	assert_int_equal(now.block_read, 512);
	guest.is.nblocks = 0;
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_CONSOLE | READ_NETWORK);
	guest_free(&guest);
}

static void an_hvt_guest_is_counted_by_its_monitor(void **state)
{
	struct statpage page = {.monitor = 1,
				.kvm_exits = 11,
				.block_read = 1024,
				.block_written = 512,
				.console = 1,
				.console_start = 999,
				.console_bytes = 12,
				.console_lost = 3};
	struct guest guest = guest_new("alice/vm");
	struct reading now;

	(void)state;
	send_interval(NEVER);
	strcpy(guest.is.target, "hvt");
	guest_moved(&guest, 1 << 20, 1 << 20); /* is of no interest */
	guest_counted(&guest, &page);
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_BLOCK | READ_KVM | READ_CONSOLE | READ_NETWORK);
	assert_int_equal(now.kvm_exits, 11);
	assert_int_equal(now.block_read, 1024);
	assert_int_equal(now.block_written, 512);
	assert_int_equal(now.console_bytes, 12);
	assert_int_equal(now.console_lost, 3);
	/* A monitor that does not count is no monitor's numbers; one without volumes has none. */
	page.monitor = 2;
	guest_counted(&guest, &page);
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_CONSOLE | READ_NETWORK);
	page.monitor = 1;
	guest.is.nblocks = 0;
	guest_counted(&guest, &page);
	guest_add(&guest);
	read_now("alice/vm", &now, NULL);
	assert_int_equal(now.parts, READ_KVM | READ_CONSOLE | READ_NETWORK);
	guest_free(&guest);
}

/* Whoever writes a page may have been taken over: its numbers do not go back, and are its own. */
static void a_page_is_not_believed(void **state)
{
	const struct statpage high = {1, 100, 100, 100, {0}, 1, 100, 100, 100};
	const struct statpage low = {1, 5, 6, 7, {0}, 1, 8, 9, 10};
	struct guest liar = guest_new("alice/liar"), other = guest_new("alice/other");
	struct statpage most;
	struct reading now;

	(void)state;
	send_interval(NEVER);
	strcpy(liar.is.target, "hvt");
	guest_counted(&liar, &high);
	guest_used(&other, 1);
	guest_add(&liar);
	guest_add(&other);
	settle();
	guest_counted(&liar, &low);
	next_round();
	read_now("alice/liar", &now, NULL);
	assert_int_equal(now.kvm_exits, 100);
	assert_int_equal(now.block_read, 100);
	assert_int_equal(now.block_written, 100);
	assert_int_equal(now.console_bytes, 100);
	assert_int_equal(now.console_lost, 100);
	memset(&most, 0xff, sizeof(most));
	most.monitor = most.console = 1;
	guest_counted(&liar, &most);
	next_round();
	read_now("alice/liar", &now, NULL);
	assert_int_equal(now.kvm_exits, UINT64_MAX);
	read_now("alice/other", &now, NULL);
	expect_used(&now, 1);
	guest_free(&liar);
	guest_free(&other);
}

static void send_drops(const struct guest *guest, uint32_t ntaps, uint64_t first, uint64_t second)
{
	struct msg_stats_drops msg = {.ntaps = ntaps, .tap = {{first}, {second}}};

	memcpy(msg.path_id, guest->is.path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_STATS_DROPS, &msg, NULL), 0);
}

/* And in the first one, of a VM that had them before we came: never back, not even until the next.
 */
static void drops_are_in_the_next_reading(void **state)
{
	struct guest guest = guest_new("alice/vm"), none = guest_new("alice/none");
	struct reading now, before;

	(void)state;
	send_interval(NEVER);
	guest.is.ntaps = 1;
	strcpy(guest.is.tap[0].name, "vmm1-0");
	guest_add(&guest);
	settle();
	send_drops(&guest, 2, 7, 9); /* it has no second one */
	send_drops(&none, 1, 7, 9);
	settle();
	read_now("alice/vm", &now, &before);
	assert_int_equal(now.ntaps, 1);
	assert_int_equal(now.tap[0].dropped, 7);
	assert_int_equal(now.tap[1].dropped, 0);
	next_round();
	send_drops(&guest, 1, 10, 0);
	settle();
	read_now("alice/vm", &now, &before);
	assert_int_equal(now.tap[0].dropped, 7);
	send_drops(&guest, 0, 0, 0);
	next_round();
	read_now("alice/vm", &now, &before);
	assert_int_equal(before.tap[0].dropped, 7);
	assert_int_equal(now.tap[0].dropped, 10);
	guest_free(&guest);
	guest_free(&none);
}

/* One that takes another's place begins anew, and what was the other's is closed. */
static void a_vm_takes_anothers_place(void **state)
{
	struct guest old = guest_new("alice/vm"), new = guest_new("alice/vm");
	struct reading now, before;

	(void)state;
	send_interval(NEVER);
	old.is.ntaps = new.is.ntaps = 2;
	strcpy(old.is.tap[0].name, "vmm1-0");
	strcpy(old.is.tap[1].name, "vmm1-1");
	strcpy(new.is.tap[0].name, "vmm2-0");
	strcpy(new.is.tap[1].name, "vmm2-1");
	guest_used(&old, 9);
	guest_add(&old);
	send_drops(&old, 2, 5, 6);
	next_round();
	assert_non_null(table_find_tap(&stats.table, "vmm1-1"));
	guest_used(&new, 1);
	guest_add(&new);
	read_now("alice/vm", &now, &before);
	expect_used(&now, 1);
	assert_int_equal(before.time_us, 0);
	assert_int_equal(now.tap[0].dropped, 0);
	assert_null(table_find_tap(&stats.table, "vmm1-0"));
	assert_null(table_find_tap(&stats.table, "vmm1-1"));
	assert_ptr_equal(table_find_tap(&stats.table, "vmm2-1")->vm,
			 table_find(&stats.table, new.is.path_id));
	guest_remove(&new);
	settle();
	assert_null(table_find(&stats.table, new.is.path_id));
	assert_null(table_find_tap(&stats.table, "vmm2-1"));
	guest_free(&old);
	guest_free(&new);
}

static void nonsense_from_vmmd_ends_it(void **state)
{
	(void)state;
	assert_int_equal(send(vmmd.fd, "nonsense", 8, 0), 8);
	settle();
	assert_true(stats.up.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(it_is_ready_with_the_interval),
	    WORLD_TEST(a_vm_is_read_when_it_comes),
	    WORLD_TEST(two_readings_are_kept),
	    WORLD_TEST(rounds_come_by_themselves),
	    WORLD_TEST(what_cannot_be_read_stays),
	    WORLD_TEST(what_cannot_be_had_is_no_part),
	    WORLD_TEST(an_spt_guest_has_block_when_the_rest_is_known),
	    WORLD_TEST(an_hvt_guest_is_counted_by_its_monitor),
	    WORLD_TEST(a_page_is_not_believed),
	    WORLD_TEST(drops_are_in_the_next_reading),
	    WORLD_TEST(a_vm_takes_anothers_place),
	    WORLD_TEST(nonsense_from_vmmd_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

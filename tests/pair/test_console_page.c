/* What vmm_console counts of a VM, on its statistics page. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "console_world.h"

static void assert_counted(const struct guest *guest, uint64_t bytes, uint64_t lost)
{
	const struct statpage page = guest_page(guest);

	assert_int_equal(page.console, 1);
	assert_int_equal(page.console_bytes, bytes);
	assert_int_equal(page.console_lost, lost);
}

/* From the VM's start on, whatever the ring had; the monitor's half is not ours. */
static void what_a_guest_prints_is_counted(void **state)
{
	struct guest guest = guest_new(1), next = guest_new(1);
	struct statpage page = {.monitor = 1, .kvm_exits = 7};
	(void)state;
	assert_int_equal(pwrite(guest.page, &page, sizeof(page), 0), sizeof(page));
	guest_add(&guest, false);
	settle();
	assert_counted(&guest, 0, 0);
	guest_say(&guest, "a line\nand ");
	settle();
	assert_counted(&guest, 11, 0);
	assert_int_equal(guest_page(&guest).kvm_exits, 7);

	close(next.ring);
	next.ring = dup(guest.ring);
	guest_say(&guest, "the rest\n");
	guest_add(&next, true);
	guest_say(&next, "new\n");
	settle();
	assert_counted(&guest, 20, 0);
	assert_counted(&next, 4, 0);
	assert_int_equal(guest_page(&next).console_start, 20);
	guest_free(&guest);
	guest_free(&next);
}

/* Another console goes on, also with what is read in its first turn. */
static void a_page_outlives_its_console(void **state)
{
	struct guest guest = guest_new(1);
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\n");
	settle();
	console_down();
	guest_say(&guest, "two\n");
	console_up();
	guest_add(&guest, false);
	settle();
	assert_counted(&guest, 8, 0);

	/* A ring that is lost begins anew, what was counted does not. */
	for (int i = 0; i < 3; i++) {
		console_down();
		if (i == 0)
			assert_int_equal(ftruncate(guest.ring, 0), 0);
		assert_int_equal(ftruncate(guest.ring, RING_SIZE), 0);
		console_up();
		guest_add(&guest, false);
		guest_say(&guest, "more\n");
		settle();
		assert_counted(&guest, 8 + 5 * ((uint64_t)i + 1), 0);
	}
	guest_free(&guest);
}

static void a_page_that_is_none_is_done_without(void **state)
{
	const int pages[] = {open("/dev/null", O_RDWR | O_CLOEXEC), memfd_create("page", 0)};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct guest guest = guest_new(1);
		struct channel reader;

		close(guest.page);
		guest.page = pages[i];
		guest_add(&guest, false);
		guest_say(&guest, "one\n");
		reader = reader_of(&guest, true);
		settle();
		expect_line(&reader, "one");
		assert_int_equal(lseek(guest.page, 0, SEEK_END), 0);
		channel_close(&reader);
		guest_drop(&guest);
		settle();
		guest_free(&guest);
	}
}

/* Says N lines, more at once than the ring keeps of them where it can. */
static void say_many(const struct guest *guest, int n)
{
	for (int i = 0; i < n; i++) {
		guest_say(guest, "a line that somebody who is too slow will not see\n");
		if (i % 500 == 0)
			settle();
	}
	settle();
}

/* Lines that READER is told it missed, up to now. */
static uint64_t lines_missed(struct channel *reader)
{
	uint64_t missed = 0;

	for (settle(); channel_recv(reader, &in) == CHANNEL_MESSAGE; settle())
		missed += in.type == MSG_GAP ? in.body.gap.lines : 0;
	return missed;
}

/* Those that a reader who follows missed; who reads what there was has missed nothing live. */
static void what_a_follower_misses_is_counted(void **state)
{
	struct guest guest = guest_new(1);
	struct channel follower, replay;
	uint64_t missed;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "first\n");
	settle();
	replay = reader_of(&guest, false);
	follower = reader_of(&guest, true);
	say_many(&guest, 5000);
	assert_int_equal(guest_page(&guest).console_lost, 0);
	missed = lines_missed(&follower);
	assert_in_range(missed, 1, 5000);
	assert_int_equal(guest_page(&guest).console_lost, missed);
	(void)lines_missed(&replay);
	assert_int_equal(guest_page(&guest).console_lost, missed);
	channel_close(&follower);
	channel_close(&replay);
	settle();
	guest_free(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(what_a_guest_prints_is_counted),
	    WORLD_TEST(a_page_outlives_its_console),
	    WORLD_TEST(a_page_that_is_none_is_done_without),
	    WORLD_TEST(what_a_follower_misses_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

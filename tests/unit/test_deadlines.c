/* When a session ends by itself, with a clock of the test's own (SECURITY row 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "deadlines.h"

#define START 1000000

static struct deadlines deadlines;
static struct activity activity;

static int setup(void **state)
{
	(void)state;
	deadlines_init(&deadlines, START);
	activity = (struct activity){0};
	return 0;
}

static enum deadline at(int64_t after)
{
	return deadlines_check(&deadlines, &activity, START + after);
}

static int wait_at(int64_t after)
{
	return deadlines_wait(&deadlines, &activity, START + after);
}

static void test_idle(void **state)
{
	(void)state;
	assert_int_equal(at(0), DEADLINE_NONE);
	assert_int_equal(wait_at(0), IDLE_MS);
	activity.busy = true;
	assert_int_equal(at(100), DEADLINE_NONE);
	assert_int_equal(at(10 * IDLE_MS), DEADLINE_NONE);
	activity.busy = false;
	assert_int_equal(at(11 * IDLE_MS - 1), DEADLINE_NONE);
	assert_int_equal(wait_at(11 * IDLE_MS - 1), 1);
	assert_int_equal(at(11 * IDLE_MS), DEADLINE_LEAVE);
	assert_int_equal(at(11 * IDLE_MS), DEADLINE_NONE);
	assert_int_equal(wait_at(11 * IDLE_MS), GOODBYE_MS);
	assert_int_equal(at(11 * IDLE_MS + GOODBYE_MS), DEADLINE_DROP);
}

static void test_without_authority(void **state)
{
	(void)state;
	activity.refused = true;
	assert_int_equal(wait_at(0), REFUSED_MS);
	assert_int_equal(at(REFUSED_MS - 1), DEADLINE_NONE);
	assert_int_equal(at(REFUSED_MS), DEADLINE_LEAVE);
}

static void test_reader_without_progress(void **state)
{
	(void)state;
	activity.busy = activity.blocked = true;
	assert_int_equal(at(0), DEADLINE_NONE);
	assert_int_equal(wait_at(0), STALL_MS);
	assert_int_equal(at(STALL_MS - 1), DEADLINE_NONE);
	assert_int_equal(at(STALL_MS), DEADLINE_DROP);
}

static void test_reader_of_a_byte_a_second(void **state)
{
	(void)state;
	activity.busy = activity.blocked = true;
	for (int64_t s = 0; s < STALL_MS / 1000; s++) {
		activity.progress++;
		assert_int_equal(at(1000 * s), DEADLINE_NONE);
	}
	assert_int_equal(at(STALL_MS), DEADLINE_DROP);
}

static void test_slow_reader(void **state)
{
	(void)state;
	activity.busy = activity.blocked = true;
	for (int64_t s = 0; s < 100 * STALL_MS / 1000; s++) {
		activity.progress += 100;
		assert_int_equal(at(1000 * s), DEADLINE_NONE);
	}
}

static void test_stall_that_ends(void **state)
{
	(void)state;
	activity.busy = activity.blocked = true;
	assert_int_equal(at(0), DEADLINE_NONE);
	activity.blocked = false;
	assert_int_equal(at(STALL_MS), DEADLINE_NONE);
	activity.blocked = true;
	assert_int_equal(at(STALL_MS + 1), DEADLINE_NONE);
	assert_int_equal(at(2 * STALL_MS), DEADLINE_NONE);
	assert_int_equal(at(2 * STALL_MS + 1), DEADLINE_DROP);
}

static void test_a_silent_console_is_no_stall(void **state)
{
	(void)state;
	activity.busy = true;
	for (int64_t s = 0; s < 100; s++)
		assert_int_equal(at(s * IDLE_MS), DEADLINE_NONE);
}

static void test_vmmd_ends_it(void **state)
{
	(void)state;
	activity.busy = activity.ended = true;
	assert_int_equal(at(10), DEADLINE_NONE);
	assert_int_equal(wait_at(10), ENDED_MS);
	activity.busy = false; /* the answers are out */
	assert_int_equal(at(20), DEADLINE_LEAVE);
	assert_int_equal(wait_at(20), ENDED_MS - 10);
	assert_int_equal(at(9 + ENDED_MS), DEADLINE_NONE);
	assert_int_equal(at(10 + ENDED_MS), DEADLINE_DROP);
}

/* Whoever lost its authority is gone within a second, though it takes none of its last words. */
static void test_vmmd_ends_it_and_the_client_does_not_read(void **state)
{
	(void)state;
	activity.busy = activity.ended = activity.blocked = true;
	assert_int_equal(at(10), DEADLINE_NONE);
	assert_int_equal(at(9 + ENDED_MS), DEADLINE_NONE);
	assert_int_equal(wait_at(9 + ENDED_MS), 1);
	assert_int_equal(at(10 + ENDED_MS), DEADLINE_DROP);
}

/* An answer that was under way when it was time to leave gives no more than that second either. */
static void test_vmmd_ends_it_while_it_leaves(void **state)
{
	(void)state;
	activity.done = true;
	assert_int_equal(at(0), DEADLINE_LEAVE);
	activity.busy = activity.ended = true;
	assert_int_equal(at(5), DEADLINE_NONE);
	assert_int_equal(wait_at(5), ENDED_MS);
	assert_int_equal(at(5 + ENDED_MS), DEADLINE_DROP);
}

/* What is left has its time, and poll does not spin meanwhile. */
static void test_leaving_while_busy(void **state)
{
	(void)state;
	activity.done = true;
	assert_int_equal(at(0), DEADLINE_LEAVE);
	activity.busy = true;
	assert_int_equal(at(10 * IDLE_MS), DEADLINE_NONE);
	assert_int_equal(wait_at(10 * IDLE_MS), -1);
	activity.busy = false;
	assert_int_equal(at(10 * IDLE_MS + 1), DEADLINE_DROP);
}

static void test_once(void **state)
{
	(void)state;
	activity.busy = true;
	assert_int_equal(at(0), DEADLINE_NONE);
	activity.done = true;
	assert_int_equal(at(1), DEADLINE_NONE);
	activity.busy = false;
	assert_int_equal(at(2), DEADLINE_LEAVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_idle, setup),
	    cmocka_unit_test_setup(test_without_authority, setup),
	    cmocka_unit_test_setup(test_reader_without_progress, setup),
	    cmocka_unit_test_setup(test_reader_of_a_byte_a_second, setup),
	    cmocka_unit_test_setup(test_slow_reader, setup),
	    cmocka_unit_test_setup(test_stall_that_ends, setup),
	    cmocka_unit_test_setup(test_a_silent_console_is_no_stall, setup),
	    cmocka_unit_test_setup(test_vmmd_ends_it, setup),
	    cmocka_unit_test_setup(test_vmmd_ends_it_and_the_client_does_not_read, setup),
	    cmocka_unit_test_setup(test_vmmd_ends_it_while_it_leaves, setup),
	    cmocka_unit_test_setup(test_leaving_while_busy, setup),
	    cmocka_unit_test_setup(test_once, setup),
	};

	return cmocka_run_group_tests_name("deadlines", tests, NULL, NULL);
}

/* What of an spt guest's bytes is its volumes'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stats.h"

static void expect(const struct reading *reading, uint64_t read, uint64_t written)
{
	assert_int_equal(reading->block_read, read);
	assert_int_equal(reading->block_written, written);
}

static void the_rest_is_the_volumes(void **state)
{
	struct reading reading = {.ntaps = 2,
				  .console_bytes = 100,
				  .tap = {{.received_bytes = 1000, .sent_bytes = 60},
					  {.received_bytes = 500, .sent_bytes = 40}}};
	const struct process_io io = {.read = 1500 + 8 * 512, .written = 200 + 3 * 512};

	(void)state;
	spt_block(&io, &reading);
	expect(&reading, 8 * 512, 3 * 512);
}

static void it_is_whole_sectors(void **state)
{
	struct reading reading = {.console_bytes = 7};
	struct process_io io = {.read = 511, .written = 518};

	(void)state;
	spt_block(&io, &reading);
	expect(&reading, 0, 0);
	io.written++;
	spt_block(&io, &reading);
	expect(&reading, 0, 512);
}

/* Frames and lines that came after the io was read, or more than it can be: not below nothing. */
static void it_is_never_negative(void **state)
{
	struct reading reading = {.ntaps = DEVICES_MAX, .console_bytes = UINT64_MAX};
	const struct process_io io = {.read = 4096, .written = 4096};

	(void)state;
	for (unsigned i = 0; i < DEVICES_MAX; i++)
		reading.tap[i].received_bytes = reading.tap[i].sent_bytes = UINT64_MAX / 2;
	spt_block(&io, &reading);
	expect(&reading, 0, 0);
}

/* Behind the last tap there is nothing to subtract. */
static void taps_that_are_not_do_not_count(void **state)
{
	struct reading reading = {.ntaps = 1, .tap = {{0}, {.received_bytes = 4096}}};
	const struct process_io io = {.read = 4096};

	(void)state;
	spt_block(&io, &reading);
	expect(&reading, 4096, 0);
}

static void it_never_goes_back(void **state)
{
	struct reading reading = {0};
	struct process_io io = {.read = 8192, .written = 8192};

	(void)state;
	spt_block(&io, &reading);
	expect(&reading, 8192, 8192);
	/* What was printed before has been read from the FIFO now. */
	reading.console_bytes = 4096;
	spt_block(&io, &reading);
	expect(&reading, 8192, 8192);
	io.written += 8192;
	spt_block(&io, &reading);
	expect(&reading, 8192, 12288);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_rest_is_the_volumes),
	    cmocka_unit_test(it_is_whole_sectors),
	    cmocka_unit_test(it_is_never_negative),
	    cmocka_unit_test(taps_that_are_not_do_not_count),
	    cmocka_unit_test(it_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

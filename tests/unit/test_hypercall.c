/*
 * src/monitor/hypercall.c behind src/monitor/memory.c's door: what a guest may pass, to the byte,
 * and that what it may not ends in GUEST_FAULTED, with nothing read or written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hvt.h"
#include "hypercall_world.h"

static struct devices no_devices;

static void test_readable(void **state)
{
	static const struct {
		uint64_t address, len;
		bool ok;
	} cases[] = {
	    {0, 1, false},
	    {MEMORY_BOOT_INFO - 1, 1, false},
	    {MEMORY_BOOT_INFO - 1, 2, false},
	    {MEMORY_BOOT_INFO, 1, true},
	    {TEXT, 0x1000, true},
	    {RODATA, 0x1000, true},
	    {RODATA, 0x1001, false},
	    {HIDDEN, 1, false},
	    {DATA - 1, 2, false},
	    {DATA, SIZE - DATA, true},
	    {DATA, SIZE - DATA + 1, false},
	    {SIZE - 1, 1, true},
	    {SIZE, 0, true},
	    {SIZE, 1, false},
	    {SIZE + 1, 0, false},
	    {DATA, UINT64_MAX, false},
	    {DATA, UINT64_MAX - DATA + 1, false},
	    {UINT64_MAX, 1, false},
	    {UINT64_MAX, UINT64_MAX, false},
	};
	struct guest_memory *memory = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *at = memory_readable(memory, cases[i].address, cases[i].len);

		assert_ptr_equal(at, cases[i].ok ? memory->bytes + cases[i].address : NULL);
	}
}

static void test_writable(void **state)
{
	static const struct {
		uint64_t address, len;
		bool ok;
	} cases[] = {
	    {0, 1, false},	  {MEMORY_BOOT_INFO, 1, false}, {TEXT - 1, 1, false},
	    {TEXT, 1, false},	  {RODATA, 1, false},		{HIDDEN, 1, false},
	    {DATA - 1, 1, false}, {DATA - 1, 2, false},		{DATA, 0x2000, true},
	    {SIZE - 8, 8, true},  {SIZE - 7, 8, false},		{UINT64_MAX - 3, 8, false},
	};
	struct guest_memory *memory = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *at = memory_writable(memory, cases[i].address, cases[i].len);

		assert_ptr_equal(at, cases[i].ok ? memory->bytes + cases[i].address : NULL);
	}
}

static void test_numbers(void **state)
{
	assert_faults(*state, &no_devices, 0, DATA, "hypercall 0 does not exist");
	assert_faults(*state, &no_devices, HVT_CALLS, DATA, "hypercall 9 does not exist");
	assert_faults(*state, &no_devices, UINT32_MAX, DATA, "hypercall 4294967295 does not exist");
}

static void test_arguments(void **state)
{
	/* Read-only memory will do for a call without an answer. */
	struct hypercall_end end = {0};

	assert_int_equal(hypercall(*state, &no_devices, HVT_HALT, RODATA, &end), GUEST_HALTED);
	assert_int_equal(end.status, 0);
	assert_faults(*state, &no_devices, HVT_WALLTIME, RODATA,
		      "hypercall walltime: 0x101000 is no address for its arguments");
	assert_faults(*state, &no_devices, HVT_POLL, SIZE - 8,
		      "hypercall poll: 0x3ffff8 is no address for its arguments");
	assert_faults(*state, &no_devices, HVT_PUTS, 0,
		      "hypercall puts: 0x0 is no address for its arguments");
	assert_faults(*state, &no_devices, HVT_HALT, 0xffffffff,
		      "hypercall halt: 0xffffffff is no address for its arguments");
}

/* The structure need not be aligned; the answer goes where the question was. */
static void test_walltime_and_poll(void **state)
{
	struct guest_memory *memory = *state;
	struct hvt_walltime walltime;
	struct hvt_poll poll = {.timeout_nsecs = 1, .ready_set = 7, .ret = 7};
	struct hypercall_end end;

	assert_int_equal(hypercall(memory, &no_devices, HVT_WALLTIME, DATA + 3, &end), GUEST_RUNS);
	memcpy(&walltime, memory->bytes + DATA + 3, sizeof(walltime));
	assert_true(walltime.nsecs > UINT64_C(1500000000) * 1000000000);
	memcpy(memory->bytes + DATA + 5, &poll, sizeof(poll));
	assert_int_equal(hypercall(memory, &no_devices, HVT_POLL, DATA + 5, &end), GUEST_RUNS);
	memcpy(&poll, memory->bytes + DATA + 5, sizeof(poll));
	assert_int_equal(poll.ready_set, 0);
	assert_int_equal(poll.ret, 0);
}

static enum hypercall_outcome puts_at(struct guest_memory *memory, uint64_t data, uint64_t len,
				      struct hypercall_end *end)
{
	struct hvt_puts call = {.data = data, .len = len};

	memcpy(memory->bytes + DATA, &call, sizeof(call));
	return hypercall(memory, &no_devices, HVT_PUTS, DATA, end);
}

static void test_puts(void **state)
{
	struct guest_memory *memory = *state;
	struct hypercall_end end;
	int pipe_fd[2], saved = dup(STDOUT_FILENO);
	char got[16] = "";

	assert_int_equal(pipe(pipe_fd), 0);
	memcpy(memory->bytes + SIZE - 5, "hello", 5);
	dup2(pipe_fd[1], STDOUT_FILENO);
	assert_int_equal(puts_at(memory, SIZE - 5, 5, &end), GUEST_RUNS);
	assert_int_equal(puts_at(memory, 0, 0, &end), GUEST_RUNS);
	assert_int_equal(puts_at(memory, SIZE - 5, 6, &end), GUEST_FAULTED);
	dup2(saved, STDOUT_FILENO);
	assert_string_equal(end.why, "hypercall puts: 6 bytes at 0x3ffffb are not its to read");
	assert_int_equal(read(pipe_fd[0], got, sizeof(got)), 5);
	assert_string_equal(got, "hello");
	close(saved);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void test_halt(void **state)
{
	struct guest_memory *memory = *state;
	struct hvt_halt call = {.cookie = UINT64_MAX, .exit_status = 255};
	struct hypercall_end end;

	memcpy(memory->bytes + DATA, &call, sizeof(call));
	assert_int_equal(hypercall(memory, &no_devices, HVT_HALT, DATA, &end), GUEST_HALTED);
	assert_int_equal(end.status, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_readable),
	    cmocka_unit_test(test_writable),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_walltime_and_poll),
	    cmocka_unit_test(test_puts),
	    cmocka_unit_test(test_halt),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}

/* What /proc says, as it is and as it is not supposed to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "usage.h"

#define STAT_HEAD "4242 (vmm_monitor) S 1 4242 4242 0 -1 4194560 "
#define STAT_TAIL                                                                                  \
	" 0 0 20 0 1 0 136565 17690624 224 18446744073709551615 1 2 3 4 5 0 0 0 1073747160 1 0 0 " \
	"17 1 0 0 0 0 0\n"

static const char status[] = "Name:\tvmm_monitor\n"
			     "Umask:\t0077\n"
			     "State:\tS (sleeping)\n"
			     "Uid:\t1879048195\t1879048195\t1879048195\t1879048195\n"
			     "VmPeak:\t   17276 kB\n"
			     "VmSize:\t   17276 kB\n"
			     "VmHWM:\t    1024 kB\n"
			     "VmRSS:\t     896 kB\n"
			     "RssAnon:\t     100 kB\n"
			     "RssFile:\t     700 kB\n"
			     "RssShmem:\t      96 kB\n"
			     "Threads:\t1\n"
			     "voluntary_ctxt_switches:\t150\n"
			     "nonvoluntary_ctxt_switches:\t545\n";

static const char io[] = "rchar: 1256\nwchar: 333\nsyscr: 3\nsyscw: 2\nread_bytes: 0\n"
			 "write_bytes: 0\ncancelled_write_bytes: 0\n";

static const char cpus[] = "cpu  100 5 20 3000 7 2 1 9 50 0\n"
			   "cpu0 50 5 10 1500 7 1 1 9 50 0\n"
			   "cpu1 50 0 10 1500 0 1 0 0 0 0\n"
			   "intr 200 0 1\nctxt 3\nbtime 1500000000\ncpus 7\n";

static const char memory[] = "MemTotal:       16384000 kB\n"
			     "MemFree:         1000000 kB\n"
			     "MemAvailable:    8192000 kB\n";

static void a_process_is_read(void **state)
{
	struct process_usage usage = {0};
	struct process_io moved = {0};

	(void)state;
	assert_true(usage_parse_stat(STAT_HEAD "60 1 2 3 150 25" STAT_TAIL, &usage));
	assert_int_equal(usage.minor_faults, 60);
	assert_int_equal(usage.major_faults, 2);
	assert_int_equal(usage.user_us, 1500000);
	assert_int_equal(usage.system_us, 250000);
	assert_true(usage_parse_status(status, &usage));
	assert_int_equal(usage.resident, 896 * 1024);
	assert_int_equal(usage.shared, 796 * 1024);
	assert_int_equal(usage.peak, 1024 * 1024);
	assert_int_equal(usage.voluntary_switches, 150);
	assert_int_equal(usage.involuntary_switches, 545);
	assert_int_equal(usage.user_us, 1500000); /* the other half's stays */
	assert_true(usage_parse_io(io, &moved));
	assert_int_equal(moved.read, 1256);
	assert_int_equal(moved.written, 333);
}

static void a_host_is_read(void **state)
{
	struct host_usage host = {0};

	(void)state;
	assert_true(usage_parse_cpus(cpus, &host));
	assert_int_equal(host.cpus, 2);
	assert_int_equal(host.user_us, 1050000);
	assert_int_equal(host.system_us, 230000);
	assert_int_equal(host.idle_us, 30070000);
	assert_true(usage_parse_memory(memory, &host));
	assert_int_equal(host.memory, UINT64_C(16384000) * 1024);
	assert_int_equal(host.available, UINT64_C(8192000) * 1024);
}

/* A program is called what it likes, and looks like the rest of the line. */
static void a_name_is_no_field(void **state)
{
	static const char *const names[] = {"a b", ") S 9 9 9", "((", "1 (x) R 1", ")", "", "a\nb"};
	struct process_usage usage = {0};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "7 (%s) R 1 7 7 0 -1 4 60 1 2 3 150 25%s", names[i],
			 STAT_TAIL);
		assert_true(usage_parse_stat(text, &usage));
		assert_int_equal(usage.minor_faults, 60);
		assert_int_equal(usage.system_us, 250000);
	}
	/* In status a line's feed in a name is written \n: it begins no line. */
	snprintf(text, sizeof(text), "Name:\tx\\nVmRSS:\t7 kB\nxVmRSS:\t8 kB\n%s", status);
	assert_true(usage_parse_status(text, &usage));
	assert_int_equal(usage.resident, 896 * 1024);
}

static void expect_no_stat(const char *text)
{
	const struct process_usage before = {.user_us = 1, .minor_faults = 2};
	struct process_usage usage = before;

	assert_false(usage_parse_stat(text, &usage));
	assert_memory_equal(&usage, &before, sizeof(usage));
}

static void what_is_no_stat_changes_nothing(void **state)
{
	(void)state;
	expect_no_stat("");
	expect_no_stat("\n");
	expect_no_stat("4242 (vmm_monitor");
	expect_no_stat("4242 (vmm_monitor)");
	expect_no_stat("4242 (vmm_monitor) ");
	expect_no_stat("4242 (vmm_monitor) S");
	expect_no_stat(STAT_HEAD);
	expect_no_stat(STAT_HEAD "60 1 2 3 150");
	expect_no_stat(STAT_HEAD "60 1 2 3 150 ");
	expect_no_stat(STAT_HEAD "60 1 2 3 150 x" STAT_TAIL);
	expect_no_stat(STAT_HEAD "60 1 2 3 18446744073709551616 25" STAT_TAIL);
	/* In microseconds it is too much. */
	expect_no_stat(STAT_HEAD "60 1 2 3 18446744073709551615 25" STAT_TAIL);
	expect_no_stat(STAT_HEAD "99999999999999999999999999 1 2 3 150 25" STAT_TAIL);
}

/* Status without one of the lines that are read. */
static void each_line_is_needed(void **state)
{
	static const char *const needed[] = {
	    "VmHWM", "VmRSS", "RssFile", "RssShmem", "voluntary_ctxt_switches", "nonvoluntary"};
	const struct process_usage before = {.resident = 5};

	(void)state;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		struct process_usage usage = before;
		char text[sizeof(status)];
		char *line;

		memcpy(text, status, sizeof(status));
		line = strstr(text, needed[i]);
		assert_non_null(line);
		*line = '-';
		assert_false(usage_parse_status(text, &usage));
		assert_memory_equal(&usage, &before, sizeof(usage));
	}
}

static void what_is_cut_short_or_too_long_changes_nothing(void **state)
{
	struct process_usage usage = {0};
	struct process_io moved = {0};
	struct host_usage host = {0};
	char text[256];

	(void)state;
	for (size_t n = 0; n < sizeof(status) - sizeof("545\n"); n++) {
		char part[sizeof(status)] = {0};

		memcpy(part, status, n);
		assert_false(usage_parse_status(part, &usage));
	}
	assert_false(usage_parse_io("rchar: 1\n", &moved));
	assert_false(usage_parse_io("rchar: 1\nwchar: -1\n", &moved));
	assert_false(usage_parse_io("rchar: 1\nwchar: 18446744073709551616\n", &moved));
	assert_false(usage_parse_cpus("cpu0 1 2 3 4 5 6 7\n", &host));
	assert_false(usage_parse_cpus("cpu  1 2 3 4 5 6\n", &host));
	assert_false(usage_parse_cpus("intr 1\n", &host));
	assert_false(usage_parse_memory("MemTotal: 1 kB\n", &host));
	snprintf(text, sizeof(text), "MemTotal: 1 kB\nMemAvailable: %s kB\n",
		 "18014398509481984"); /* 2^54: bytes are 2^64 */
	assert_false(usage_parse_memory(text, &host));
	assert_int_equal(usage.resident | moved.read | host.cpus | host.memory, 0);
}

static int file_of(const char *text, size_t n)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, n), n);
	return fd;
}

/* From the start each time; nothing there is no reading, as is more than there should be. */
static void descriptors_are_read_anew(void **state)
{
	static char much[400000];
	struct process_io moved = {0};
	int fd = file_of(io, sizeof(io) - 1);

	(void)state;
	assert_true(process_io_read(fd, &moved));
	assert_int_equal(pwrite(fd, "rchar: 9999", 11, 0), 11);
	assert_true(process_io_read(fd, &moved));
	assert_int_equal(moved.read, 9999);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_false(process_io_read(fd, &moved));
	assert_false(process_io_read(-1, &moved));
	memset(much, 'x', sizeof(much));
	memcpy(much + sizeof(much) - sizeof(io), io, sizeof(io));
	assert_int_equal(pwrite(fd, much, sizeof(much), 0), sizeof(much));
	assert_false(process_io_read(fd, &moved));
	assert_int_equal(moved.read, 9999);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_process_is_read),
	    cmocka_unit_test(a_host_is_read),
	    cmocka_unit_test(a_name_is_no_field),
	    cmocka_unit_test(what_is_no_stat_changes_nothing),
	    cmocka_unit_test(each_line_is_needed),
	    cmocka_unit_test(what_is_cut_short_or_too_long_changes_nothing),
	    cmocka_unit_test(descriptors_are_read_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

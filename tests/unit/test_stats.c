/*
 * vmmd's side of statistics, stats.c: vmm_stats is told of what runs, with what is to be read of
 * it, and of drops that are more. The role, records, rules and processes' ends are the test's.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "process.h"
#include "roles.h"
#include "stats.h"
#include "tap_rules.h"

#define NOBODYS_PID 0x7fffffff

static const struct options options = {.stats_interval = 3600};
static struct daemon d;
static bool ended, down;

/* What vmm_stats was told. */
static unsigned added, removed, drops;
static struct msg_stats_vm vm_told;
static struct msg_stats_drops drops_told;
static char files[4][64]; /* what can be read of each, from its start */
static bool is_null[4];

/* What rules count. */
static struct {
	const char *tap;
	uint64_t frames;
} counters[4];

int record_open_page(int dir_fd, int flags)
{
	int fd;

	assert_int_equal(flags, O_RDONLY);
	if (dir_fd < 0)
		return -ENOENT;
	fd = memfd_create("page", MFD_CLOEXEC);
	assert_int_equal(pwrite(fd, "counted", 7, 0), 7);
	return fd;
}

bool process_ended(int pidfd)
{
	assert_int_equal(pidfd, -1);
	return ended;
}

int tap_rules_drops(tap_drops_fn *tell, void *arg)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (counters[i].tap)
			tell(arg, counters[i].tap, counters[i].frames);
	return 0;
}

static void take_files(const int *fds)
{
	struct stat null, st;

	assert_int_equal(fstat(d.null_fd, &null), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(fstat(fds[i], &st), 0);
		is_null[i] = st.st_rdev == null.st_rdev && S_ISCHR(st.st_mode);
		memset(files[i], 0, sizeof(files[i]));
		assert_true(pread(fds[i], files[i], sizeof(files[i]) - 1, 0) >= 0);
	}
}

int roles_tell_stats(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	assert_ptr_equal(daemon, &d);
	if (type == MSG_STATS_ADD) {
		vm_told = *(const struct msg_stats_vm *)body;
		take_files(fds);
		added++;
	} else if (type == MSG_STATS_DROPS) {
		drops_told = *(const struct msg_stats_drops *)body;
		drops++;
	} else {
		assert_int_equal(type, MSG_STATS_REMOVE);
		removed++;
	}
	return down ? -ESRCH : 0;
}

void log_fatal(const char *format, ...)
{
	fail_msg("%s", format);
	abort();
}

int roles_tell_console(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon, (void)type, (void)body, (void)fds;
	return 0;
}

/* A VM with taps of these names. */
static struct vm *add_vm(uint8_t id, enum vm_state state, const char *tap, const char *other)
{
	struct request r = {.depth = 1, .vm = {.cpuid = 1, .memory_mb = 32, .nblocks = 2}};
	struct vm *vm;

	snprintf(r.leaf.name, NAME_SIZE, "vm%u", id);
	r.leaf.label.byte[0] = r.path_id[0] = id;
	vm = vm_new(&d, &r);
	assert_non_null(vm);
	vm->record.state = state;
	vm->record.pid = (uint32_t)getpid();
	for (const char *const *name = (const char *const[]){tap, other, NULL}; *name; name++)
		snprintf(vm->record.tap[vm->record.ntaps++].name, BRIDGE_NAME_SIZE, "%s", *name);
	return vm;
}

/* The lowest number that is free: the same again when nothing is left open. */
static int free_descriptor(void)
{
	int fd = dup(d.null_fd);

	close(fd);
	return fd;
}

static int free_before;

static int set_up(void **state)
{
	(void)state;
	memset(&d, 0, sizeof(d));
	memset(counters, 0, sizeof(counters));
	ended = down = false;
	added = removed = drops = 0;
	d.options = &options;
	d.null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	d.base = event_base_new();
	free_before = free_descriptor();
	return d.base ? 0 : -1;
}

static int note_timer(const struct event_base *base, const struct event *event, void *arg)
{
	(void)base;
	memcpy(arg, (const void *)&event, sizeof(void *));
	return 0;
}

/* NULL: there is none. */
static struct event *interval_timer(void)
{
	struct event *timer = NULL;

	event_base_foreach_event(d.base, note_timer, &timer);
	return timer;
}

static int tear_down(void **state)
{
	struct event *timer = interval_timer();

	(void)state;
	if (timer)
		event_free(timer);
	while (d.vms)
		vm_free(d.vms);
	assert_int_equal(free_descriptor(), free_before);
	event_base_free(d.base);
	close(d.null_fd);
	return 0;
}

/* As if it was over. */
static void next_interval(void)
{
	struct event *timer = interval_timer();

	if (timer)
		event_active(timer, EV_TIMEOUT, 0);
	event_base_loop(d.base, EVLOOP_NONBLOCK);
}

static void assert_drops(uint8_t id, uint64_t first, uint64_t second)
{
	assert_int_equal(drops_told.path_id[0], id);
	assert_int_equal(drops_told.ntaps, 2);
	assert_int_equal(drops_told.tap[0].frames, first);
	assert_int_equal(drops_told.tap[1].frames, second);
}

static void a_vm_is_told_with_what_is_read_of_it(void **state)
{
	struct vm *vm = add_vm(1, VM_RUNNING, NULL, NULL);
	char line[64];

	(void)state;
	vm->record.started_us = 1234;
	snprintf(vm->record.target, TARGET_SIZE, "hvt");
	vm->dir_fd = dup(d.null_fd);
	stats_add(vm);
	assert_int_equal(added, 1);
	assert_int_equal(vm_told.path.depth, 2);
	assert_string_equal(vm_told.path.node[1].name, "vm1");
	assert_int_equal(vm_told.pid, getpid());
	assert_int_equal(vm_told.memory_mb, 32);
	assert_int_equal(vm_told.nblocks, 2);
	assert_int_equal(vm_told.started_us, 1234);
	assert_string_equal(vm_told.target, "hvt");
	snprintf(line, sizeof(line), "%d (test_stats) ", getpid());
	assert_memory_equal(files[0], line, strlen(line));
	assert_memory_equal(files[1], "Name:\ttest_stats\n", 17);
	assert_memory_equal(files[2], "rchar: ", 7);
	assert_string_equal(files[3], "counted");
	stats_remove(vm);
	assert_int_equal(removed, 1);
}

/* A VM that an older vmmd started has no page, say. */
static void what_is_not_there_is_empty(void **state)
{
	struct vm *vm = add_vm(1, VM_RUNNING, NULL, NULL);

	(void)state;
	stats_add(vm);
	for (int i = 0; i < 4; i++)
		assert_int_equal(is_null[i], i == 3);
	vm->record.pid = NOBODYS_PID;
	stats_add(vm);
	for (int i = 0; i < 4; i++)
		assert_true(is_null[i]);
	assert_int_equal(added, 2);
}

/* Its pid may be somebody else's already. */
static void what_has_ended_is_not_told(void **state)
{
	struct vm *vm = add_vm(1, VM_RUNNING, NULL, NULL);

	(void)state;
	ended = true;
	stats_add(vm);
	assert_int_equal(added, 0);
}

static void who_takes_over_is_told_of_what_runs(void **state)
{
	(void)state;
	add_vm(1, VM_STARTING, NULL, NULL);
	add_vm(2, VM_RUNNING, "vmm2-0", "vmm2-1");
	add_vm(3, VM_ENDED, NULL, NULL);
	add_vm(4, VM_STOPPING, "vmm4-0", "vmm4-1")->dropped[1] = 5;
	stats_announce_all(&d);
	assert_int_equal(added, 2);
	assert_int_equal(vm_told.path_id[0], 4);
	assert_int_equal(drops, 1);
	assert_drops(4, 0, 5);
	down = true;
	stats_announce_all(&d);
	assert_int_equal(drops, 1);
}

/* Told when they are more, whatever else the host counts; what is counted anew is not taken back.
 */
static void drops_are_told_when_they_are_more(void **state)
{
	struct vm *vm = add_vm(2, VM_RUNNING, "vmm2-0", "vmm2-1");

	(void)state;
	add_vm(1, VM_RUNNING, "vmm1-0", "vmm1-1");
	add_vm(3, VM_ENDED, "vmm3-0", "vmm3-1");
	counters[0].tap = "vmm2-1";
	counters[0].frames = 7;
	counters[1].tap = "vmm3-0";
	counters[1].frames = 9;
	counters[2].tap = "somebody's";
	stats_open(&d);
	assert_int_equal(drops, 1);
	assert_drops(2, 0, 7);
	next_interval();
	assert_int_equal(drops, 1);
	counters[0].frames = 2;
	next_interval();
	assert_int_equal(drops, 1);
	assert_int_equal(vm->dropped[1], 7);
	counters[3].tap = "vmm2-0";
	counters[3].frames = 1;
	next_interval();
	assert_int_equal(drops, 2);
	assert_drops(2, 1, 7);
	counters[0].frames = 8;
	next_interval();
	assert_drops(2, 1, 8);
}

static void without_taps_nothing_is_looked_at(void **state)
{
	(void)state;
	counters[0].tap = "vmm1-0";
	counters[0].frames = 7;
	add_vm(1, VM_RUNNING, "vmm1-0", "vmm1-1");
	snprintf(d.no_taps.text, sizeof(d.no_taps.text), "none");
	stats_open(&d);
	next_interval();
	assert_int_equal(drops, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_vm_is_told_with_what_is_read_of_it), TEST(what_is_not_there_is_empty),
	    TEST(what_has_ended_is_not_told),		TEST(who_takes_over_is_told_of_what_runs),
	    TEST(drops_are_told_when_they_are_more),	TEST(without_taps_nothing_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

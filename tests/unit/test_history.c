/*
 * The event log's ring, history.c: held against a plain list, started over when it is damaged, and
 * killed after every single instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "history.h"
#include "stepping.h"

#define ENTRIES_MAX 200000

/* What was added, by the simplest means: entry N has the number SEQ(N) and bytes that follow from
 * it. */
struct model {
	unsigned n;
	size_t size[ENTRIES_MAX];
};

static uint64_t region[HISTORY_SIZE / 8];
static struct model model;
static struct history ring;

static uint64_t seq_of(unsigned n)
{
	return 1000 + 3 * (uint64_t)n;
}

static void fill(unsigned n, size_t size, uint8_t *out)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(n + i * 7);
}

/* The oldest entries make room. How many. */
static unsigned append(struct history *history, unsigned n, size_t size)
{
	static uint8_t bytes[HISTORY_ENTRY_MAX];
	unsigned lost = 0;

	for (; !history_fits(history, size); lost++)
		history_drop(history);
	fill(n, size, bytes);
	assert_in_range(history_reach(history, size), 1, HISTORY_SIZE);
	history_add(history, seq_of(n), bytes, size);
	return lost;
}

static void add(size_t size)
{
	append(&ring, model.n, size);
	model.size[model.n++] = size;
}

/* HISTORY has the entries from some one on up to model entry LAST, whole and in order. How many. */
static unsigned expect_until(const struct history *history, unsigned last)
{
	static uint8_t bytes[HISTORY_ENTRY_MAX];
	struct history_entry entry;
	unsigned first = 0, n = 0;

	for (uint64_t at = 0; history_read(history, at, &entry); at = entry.after, n++) {
		if (n == 0)
			first = (unsigned)((entry.seq - 1000) / 3);
		assert_int_equal(entry.seq, seq_of(first + n));
		assert_int_equal(entry.n, model.size[first + n]);
		fill(first + n, entry.n, bytes);
		assert_memory_equal(entry.bytes, bytes, entry.n);
	}
	assert_int_equal(n == 0 ? 0 : first + n, last);
	assert_int_equal(history->last, n == 0 ? 0 : seq_of(last - 1));
	return n;
}

static int fresh(void **state)
{
	(void)state;
	memset(region, 0, sizeof(region));
	model.n = 0;
	assert_int_equal(history_attach(&ring, region), HISTORY_NEW);
	return 0;
}

static void it_keeps_the_last_ones(void **state)
{
	unsigned seed = 1, kept;

	(void)state;
	assert_int_equal(expect_until(&ring, 0), 0);
	assert_true(history_reach(&ring, 100) < 4096);
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1103515245u + 12345u;
		add(i % 500 == 7 ? HISTORY_ENTRY_MAX : 1 + (seed >> 16) % 600);
		if (i % 97 == 0) {
			kept = expect_until(&ring, model.n);
			assert_true(i < 500 || kept > 300);
		}
	}
	assert_int_equal(history_attach(&ring, region), HISTORY_CONTINUED);
	expect_until(&ring, model.n);
	add(17);
	expect_until(&ring, model.n);
}

static void all_sizes_fit_at_all_places(void **state)
{
	(void)state;
	for (size_t step = 1; step < 64; step++)
		for (unsigned i = 0; i < 600; i++)
			add(1 + (i * step) % 1500);
	expect_until(&ring, model.n);
}

/* A position stays good, and points to the first one that is left. */
static void a_position_outlives_its_entry(void **state)
{
	struct history_entry entry;

	(void)state;
	add(100);
	assert_true(history_read(&ring, 0, &entry));
	while (ring.last < seq_of(20000))
		add(100);
	assert_true(history_read(&ring, entry.after, &entry));
	assert_true(entry.seq > seq_of(10000));
	while (history_read(&ring, entry.after, &entry))
		continue;
	assert_int_equal(entry.seq, ring.last);
	assert_false(history_read(&ring, entry.after, &entry));
	add(5);
	assert_true(history_read(&ring, entry.after, &entry));
	assert_int_equal(entry.n, 5);
}

/* Whatever stands there: a ring that works, and nothing outside of it is touched (sanitizers). */
static void damage_is_survived(void **state)
{
	static uint64_t copy[HISTORY_SIZE / 8];
	unsigned damaged = 0, seed = 9;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		add(1 + i % 300);
	memcpy(copy, region, sizeof(copy));
	for (unsigned round = 0; round < 4000; round++) {
		size_t at;

		memcpy(region, copy, sizeof(region));
		seed = seed * 1103515245u + 12345u;
		/* The header as often as everything else. */
		at = round % 2 ? seed % 24 : seed % sizeof(region);
		((uint8_t *)region)[at] ^= (uint8_t)(1u << (seed >> 28) % 8);
		damaged += history_attach(&ring, region) == HISTORY_DAMAGED;
		for (unsigned i = 0; i < 50; i++)
			append(&ring, (unsigned)(ring.last / 3), HISTORY_ENTRY_MAX);
	}
	assert_in_range(damaged, 100, 3999);
}

#define SCRIPT 12

/* Shared with the keeper. */
struct shared {
	uint64_t region[HISTORY_SIZE / 8];
	volatile unsigned added; /* entries that are certainly in */
};

struct trace {
	struct shared *shared;
	uint64_t seen[HISTORY_SIZE / 8];
	unsigned first, checks; /* entries before the script; looks at something new */
};

static void keeper_run(void *arg)
{
	struct trace *trace = arg;
	struct history history;

	history_attach(&history, trace->shared->region);
	stepping_begin();
	for (unsigned i = 0; i < SCRIPT; i++) {
		append(&history, trace->first + i, model.size[trace->first + i]);
		trace->shared->added++;
	}
}

/* Attaches to a copy of what the keeper would leave if it were killed now. */
static void check_leftovers(void *arg)
{
	static uint64_t copy[HISTORY_SIZE / 8];
	struct trace *trace = arg;
	unsigned certain = trace->first + trace->shared->added;
	struct history history;

	if (memcmp(trace->seen, trace->shared->region, sizeof(copy)) == 0)
		return;
	memcpy(trace->seen, trace->shared->region, sizeof(copy));
	memcpy(copy, trace->seen, sizeof(copy));
	trace->checks++;
	assert_int_equal(history_attach(&history, copy), HISTORY_CONTINUED);
	/* The one under way is there whole or not at all. */
	expect_until(&history, certain + (history.last >= seq_of(certain)));
	append(&history, model.n + 1, 100);
}

static void a_keeper_killed_anywhere_loses_nothing(void **state)
{
	static const size_t sizes[SCRIPT] = {9, 200, 1, 16, 333, 64, 8, 700, 24, 5, 90, 1200};
	static struct trace trace;

	(void)state;
	/* From the start; then across the end of the data, where the oldest ones make room. */
	for (unsigned warm = 0; warm < 2; warm++) {
		trace = (struct trace){0};
		trace.shared = mmap(NULL, sizeof(*trace.shared), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(trace.shared, MAP_FAILED);
		assert_int_equal(history_attach(&ring, trace.shared->region), HISTORY_NEW);
		model.n = 0;
		while (warm && history_reach(&ring, 2000) < HISTORY_SIZE)
			add(100);
		while (warm && history_reach(&ring, 400) < HISTORY_SIZE)
			add(100);
		trace.first = model.n;
		for (unsigned i = 0; i < SCRIPT; i++)
			model.size[model.n + i] = sizes[i];
		stepping_through(keeper_run, check_leftovers, &trace);
		assert_int_equal(trace.shared->added, SCRIPT);
		assert_in_range(trace.checks, 3 * SCRIPT, UINT32_MAX);
		munmap(trace.shared, sizeof(*trace.shared));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(it_keeps_the_last_ones, fresh),
	    cmocka_unit_test_setup(all_sizes_fit_at_all_places, fresh),
	    cmocka_unit_test_setup(a_position_outlives_its_entry, fresh),
	    cmocka_unit_test_setup(damage_is_survived, fresh),
	    cmocka_unit_test_setup(a_keeper_killed_anywhere_loses_nothing, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

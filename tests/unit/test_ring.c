/* The console ring: ring.c. What a killed keeper leaves is test_ring_kill.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ring.h"

#define NOW INT64_C(1700000000000000)

static uint64_t region[RING_SIZE / 8];

static struct ring ring_fresh(void)
{
	struct ring ring;
	memset(region, 0, sizeof(region));
	assert_int_equal(ring_attach(&ring, region, NOW), RING_NEW);
	return ring;
}

static void append(struct ring *ring, const char *bytes, size_t size, int64_t now)
{
	while (size > 0) {
		size_t room;
		uint8_t *space = ring_space(ring, &room);
		size_t n = size < room ? size : room;
		assert_true(space[0] == 0 && memcmp(space, space + 1, room - 1) == 0);
		memcpy(space, bytes, n);
		ring_commit(ring, n, now);
		bytes += n;
		size -= n;
	}
}

static void say(struct ring *ring, const char *text)
{
	append(ring, text, strlen(text), NOW);
}

static void assert_line(const struct ring *ring, uint64_t seq, const char *expected)
{
	static uint8_t bytes[RING_LINE_MAX];
	uint32_t size;
	int64_t time_us;
	assert_true(ring_line(ring, seq, &time_us, bytes, &size));
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(bytes, expected, size);
}

static void lines_end_with_a_newline(void **state)
{
	struct ring ring = ring_fresh();
	uint8_t bytes[RING_LINE_MAX];
	uint32_t size;
	int64_t time_us;
	(void)state;
	assert_int_equal(ring_next(&ring), 0);
	assert_false(ring_line(&ring, 0, &time_us, bytes, &size));
	say(&ring, "one\ntw");
	assert_int_equal(ring_next(&ring), 1);
	say(&ring, "o\r");
	assert_int_equal(ring_next(&ring), 1);
	append(&ring, "\n\n\r\na\rb\r\r\nrest", 14, NOW + 5);
	assert_int_equal(ring_first(&ring), 0);
	assert_int_equal(ring_next(&ring), 5);
	assert_line(&ring, 0, "one");
	assert_line(&ring, 1, "two");
	assert_line(&ring, 2, "");
	assert_line(&ring, 3, "");
	assert_line(&ring, 4, "a\rb\r");
	assert_true(ring_line(&ring, 1, &time_us, bytes, &size));
	assert_int_equal(time_us, NOW + 5);
	assert_false(ring_line(&ring, 5, &time_us, bytes, &size));
}

static void every_byte_but_newline_is_kept(void **state)
{
	struct ring ring = ring_fresh();
	char all[256], bytes[RING_LINE_MAX];
	uint32_t size;
	int64_t time_us;
	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)(i == '\n' ? 'n' : i);
	append(&ring, all, sizeof(all), NOW);
	append(&ring, "\0\n", 2, NOW);
	assert_true(ring_line(&ring, 0, &time_us, (uint8_t *)bytes, &size));
	assert_int_equal(size, 257);
	assert_memory_equal(bytes, all, 256);
	assert_int_equal(bytes[256], 0);
}

static void long_lines_are_cut(void **state)
{
	struct ring ring = ring_fresh();
	static char text[3 * RING_LINE_MAX + 1];
	static char expected[RING_LINE_MAX + 1];
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memset(expected, 'x', RING_LINE_MAX);
	/* Exactly the longest, then its newline: one line. */
	append(&ring, text, RING_LINE_MAX, NOW);
	assert_int_equal(ring_next(&ring), 0);
	say(&ring, "\n");
	assert_int_equal(ring_next(&ring), 1);
	assert_line(&ring, 0, expected);
	/* One more: two lines. */
	append(&ring, text, RING_LINE_MAX + 1, NOW);
	assert_int_equal(ring_next(&ring), 2);
	say(&ring, "\n");
	assert_line(&ring, 1, expected);
	assert_line(&ring, 2, "x");
	/* Without any newline, byte by byte. */
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		append(&ring, text, 1, NOW);
	assert_int_equal(ring_next(&ring), 5);
	ring_flush(&ring, NOW);
	assert_int_equal(ring_next(&ring), 6);
	assert_line(&ring, 5, expected);
}

static void an_end_flushes_the_rest(void **state)
{
	struct ring ring = ring_fresh();
	(void)state;
	ring_flush(&ring, NOW);
	assert_int_equal(ring_next(&ring), 0);
	say(&ring, "a\nb\r");
	ring_flush(&ring, NOW);
	ring_flush(&ring, NOW);
	assert_int_equal(ring_next(&ring), 2);
	assert_line(&ring, 1, "b\r");
	say(&ring, "c\n");
	assert_line(&ring, 2, "c");
}

static void a_marker_stands_between_two_vms(void **state)
{
	struct ring ring = ring_fresh();
	(void)state;
	ring_mark(&ring, NOW);
	assert_int_equal(ring_next(&ring), 0);
	say(&ring, "a\nb");
	ring_mark(&ring, NOW);
	ring_mark(&ring, NOW);
	say(&ring, "c\n");
	assert_int_equal(ring_next(&ring), 4);
	assert_line(&ring, 1, "b");
	assert_line(&ring, 2, RING_MARKER);
	assert_line(&ring, 3, "c");
	/* A later keeper sees it too. */
	assert_int_equal(ring_attach(&ring, region, NOW), RING_CONTINUED);
	assert_line(&ring, 2, RING_MARKER);
	assert_int_equal(ring_next(&ring), 4);
}

static void the_oldest_lines_go_by_count(void **state)
{
	struct ring ring = ring_fresh();
	char text[32];
	(void)state;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof(text), "line %d\n", i);
		say(&ring, text);
	}
	assert_int_equal(ring_next(&ring), 3000);
	assert_int_equal(ring_first(&ring), 3000 - RING_LINES);
	assert_line(&ring, 3000 - RING_LINES, "line 1976");
	assert_line(&ring, 2999, "line 2999");
}

static void the_oldest_lines_go_by_size(void **state)
{
	struct ring ring = ring_fresh();
	static char text[1000], expected[1000];
	(void)state;
	for (int i = 0; i < 2000; i++) {
		memset(text, 'a' + i % 26, sizeof(text));
		text[sizeof(text) - 1] = '\n';
		append(&ring, text, sizeof(text), NOW);
		uint64_t kept = ring_next(&ring) - ring_first(&ring);
		if (i >= 300)
			assert_in_range(kept * 1000, RING_DATA - 1000, RING_AREA);
		for (uint64_t n = ring_first(&ring); n < ring_next(&ring); n += 53) {
			memset(expected, 'a' + (int)(n % 26), 999);
			assert_line(&ring, n, expected);
		}
	}
	/* What has no newline pushes others out too. */
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 300; i++)
		append(&ring, text, sizeof(text), NOW);
	assert_in_range(ring_next(&ring) - ring_first(&ring), 64, 73);
}

static void readers_start_where_they_ask(void **state)
{
	struct ring ring = ring_fresh();
	(void)state;
	for (int i = 0; i < 10; i++)
		append(&ring, "x\n", 2, NOW + i * 10);
	assert_int_equal(ring_seek(&ring, 0, 0), 0);
	assert_int_equal(ring_seek(&ring, 0, 3), 7);
	assert_int_equal(ring_seek(&ring, 0, 10), 0);
	assert_int_equal(ring_seek(&ring, 0, 11), 0);
	assert_int_equal(ring_seek(&ring, NOW + 40, 0), 4);
	assert_int_equal(ring_seek(&ring, NOW + 41, 0), 5);
	assert_int_equal(ring_seek(&ring, NOW + 40, 3), 7);
	assert_int_equal(ring_seek(&ring, NOW + 80, 3), 8);
	assert_int_equal(ring_seek(&ring, NOW + 91, 0), 10);
	assert_int_equal(ring_seek(&ring, INT64_MAX, 5), 10);
	assert_int_equal(ring_seek(&ring, INT64_MIN, 0), 0);
	for (int i = 0; i < RING_LINES; i++)
		append(&ring, "y\n", 2, NOW + 1000);
	assert_int_equal(ring_seek(&ring, 0, 0), 10);
	assert_int_equal(ring_seek(&ring, NOW, UINT32_MAX), 10);
}

static void what_was_read_is_found(void **state)
{
	struct ring ring = ring_fresh();
	size_t room;
	(void)state;
	say(&ring, "a\nb");
	/* Read, never committed. */
	memcpy(ring_space(&ring, &room), "c\nd\0\n\0e\0\0", 9);
	assert_int_equal(ring_attach(&ring, region, NOW + 7), RING_CONTINUED);
	assert_int_equal(ring_next(&ring), 3);
	assert_line(&ring, 1, "bc");
	say(&ring, "f\n");
	uint8_t bytes[RING_LINE_MAX];
	uint32_t size;
	int64_t time_us;
	assert_true(ring_line(&ring, 2, &time_us, bytes, &size));
	assert_int_equal(size, 2);
	assert_memory_equal(bytes, "d\0", 2);
	assert_int_equal(time_us, NOW + 7);
	/* The NUL bytes at the very end of that read are the ones that are lost. */
	assert_true(ring_line(&ring, 3, &time_us, bytes, &size));
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, "\0ef", 3);
}

/* Whatever the region holds: an attach that stays inside of it, and a ring that works. */
static void use_damaged(uint64_t *damaged)
{
	static uint8_t bytes[RING_LINE_MAX];
	struct ring ring;
	int64_t time_us;
	uint32_t size;

	(void)ring_attach(&ring, damaged, NOW);
	uint64_t first = ring_first(&ring), next = ring_next(&ring);
	assert_in_range(next - first, 0, RING_LINES);
	for (uint64_t n = first; n < next; n++)
		assert_true(ring_line(&ring, n, &time_us, bytes, &size));
	(void)ring_seek(&ring, NOW, 10);
	ring_flush(&ring, NOW);
	for (int i = 0; i < 40; i++)
		say(&ring, "the quick brown fox jumps over the lazy dog\n");
	assert_line(&ring, ring_next(&ring) - 1, "the quick brown fox jumps over the lazy dog");
	assert_int_equal(ring_attach(&ring, damaged, NOW), RING_CONTINUED);
}

static void damaged_rings_start_over(void **state)
{
	/* Of its exact size on the heap, so that a sanitizer sees every step outside. */
	uint64_t *damaged = malloc(RING_SIZE);
	struct ring ring;
	unsigned damaged_found = 0;
	(void)state;
	assert_non_null(damaged);
	srand(1);
	memset(damaged, 0, RING_SIZE);
	assert_int_equal(ring_attach(&ring, damaged, NOW), RING_NEW);
	for (int round = 0; round < 20000; round++) {
		uint8_t *byte = (uint8_t *)damaged;
		/* The header's fields, then slots in use; whole bytes and single bits. */
		for (int i = rand() % 4; i >= 0; i--) {
			size_t at = rand() % 2 ? (size_t)rand() % 40
					       : 4096 + (size_t)rand() % (32 * RING_LINES);
			byte[at] = (uint8_t)(rand() % 2 ? rand() : byte[at] ^ 1 << rand() % 8);
		}
		damaged_found += ring_attach(&ring, damaged, NOW) == RING_DAMAGED;
		use_damaged(damaged);
	}
	assert_in_range(damaged_found, 1000, 20000);

	for (int round = 0; round < 30; round++) {
		for (size_t i = 0; i < RING_SIZE; i++)
			((uint8_t *)damaged)[i] = (uint8_t)rand();
		assert_int_equal(ring_attach(&ring, damaged, NOW), RING_DAMAGED);
		use_damaged(damaged);
	}
	free(damaged);
}

static void inconsistent_positions_are_seen(void **state)
{
	/* Of the header: magic, head, clean, first, next; of a slot: number, start, time, sizes. */
	static const struct {
		size_t word;
		uint64_t value;
	} damage[] = {
	    {0, 0},
	    {0, 1},
	    {1, UINT64_MAX},
	    {1, 0},
	    {1, 2},
	    {2, 0},
	    {2, 1 << 20},
	    {2, UINT64_MAX},
	    {3, 4},
	    {3, UINT64_MAX},
	    {3, 3},

	    {4, 4},
	    {4, UINT64_MAX},
	    {512, 1},
	    {513, 1},
	    {513, UINT64_MAX},
	    {515, 5000},
	    {515, UINT32_MAX},
	    {515, 1 | UINT64_C(3) << 32},
	    {515, 1 | UINT64_C(2) << 48 | UINT64_C(1) << 32},
	    {516, 0},
	    {517, 1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		struct ring ring = ring_fresh();
		say(&ring, "a\nb\nc\n");
		region[damage[i].word] = damage[i].value;
		if (ring_attach(&ring, region, NOW) != RING_DAMAGED)
			fail_msg("damage %zu went unseen", i);
		assert_int_equal(ring_next(&ring), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_end_with_a_newline),
	    cmocka_unit_test(every_byte_but_newline_is_kept),
	    cmocka_unit_test(long_lines_are_cut),
	    cmocka_unit_test(an_end_flushes_the_rest),
	    cmocka_unit_test(a_marker_stands_between_two_vms),
	    cmocka_unit_test(the_oldest_lines_go_by_count),
	    cmocka_unit_test(the_oldest_lines_go_by_size),
	    cmocka_unit_test(readers_start_where_they_ask),
	    cmocka_unit_test(what_was_read_is_found),
	    cmocka_unit_test(damaged_rings_start_over),
	    cmocka_unit_test(inconsistent_positions_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * vmmd's side of the event log, eventlog.c: entries are numbered, kept until vmm_log has them, and
 * sent again. The roles and the clock are played here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "eventlog.h"
#include "log.h"
#include "logfiles.h"
#include "readers.h"
#include "roles.h"

#define SENT_MAX 200000

static struct daemon d;
static int64_t clock_us;
static bool up; /* whether there is a vmm_log */
static unsigned nsent, warnings;
static struct {
	uint64_t seq;
	char detail[16];
} sent[SENT_MAX];

int64_t now_us(void)
{
	return clock_us;
}

int roles_tell_log(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	const struct log_entry *entry = body;

	(void)daemon;
	(void)fds;
	assert_int_equal(type, MSG_LOG_ENTRY);
	if (!up)
		return -ESRCH;
	assert_in_range(nsent, 0, SENT_MAX - 1);
	sent[nsent].seq = entry->seq;
	snprintf(sent[nsent].detail, sizeof(sent[0].detail), "%.15s", entry->detail);
	nsent++;
	return 0;
}

void logfiles_need(struct daemon *daemon, const struct log_entry *entry)
{
	(void)daemon;
	(void)entry;
}

void session_stream(struct session *session, uint32_t id, const char *name, roles_tell_fn *tell,
		    uint32_t type, const void *body)
{
	(void)session;
	(void)id;
	(void)name;
	(void)tell;
	(void)type;
	(void)body;
}

void log_line(enum log_level level, const char *format, ...)
{
	(void)format;
	warnings += level == LOG_LEVEL_WARNING;
}

static void add(unsigned n)
{
	struct log_entry entry = {.type = ENTRY_FAILED};

	snprintf(entry.detail, sizeof(entry.detail), "%u", n);
	eventlog_add(&d, &entry);
	assert_int_equal(entry.time_us, clock_us);
}

/* A vmm_log that has everything up to SEQ becomes ready. */
static void start_log(uint64_t seq)
{
	assert_true(eventlog_loaded(&d, seq));
	up = true;
	eventlog_resend(&d);
}

/* What was sent are the entries FIRST to LAST, with growing numbers above AFTER. */
static void expect_sent(unsigned first, unsigned last, uint64_t after)
{
	assert_int_equal(nsent, last - first + 1);
	for (unsigned i = 0; i < nsent; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", first + i);
		assert_string_equal(sent[i].detail, text);
		assert_true(sent[i].seq > after);
		after = sent[i].seq;
	}
	nsent = 0;
}

static int fresh(void **state)
{
	(void)state;
	up = false;
	nsent = warnings = 0;
	clock_us = INT64_C(1700000000000000);
	d = (struct daemon){0};
	return 0;
}

static int emptied(void **state)
{
	(void)state;
	assert_true(eventlog_loaded(&d, d.eventlog.last));
	assert_null(d.eventlog.first);
	assert_int_equal(d.eventlog.unkept_bytes, 0);
	return 0;
}

static void numbers_are_the_clock_s(void **state)
{
	(void)state;
	start_log(0);
	add(1);
	add(2);
	clock_us += 1000;
	add(3);
	clock_us -= INT64_C(100000000000000);
	add(4);
	assert_int_equal(sent[0].seq, 1700000000000000);
	assert_int_equal(sent[1].seq, 1700000000000001);
	assert_int_equal(sent[2].seq, 1700000000001000);
	assert_int_equal(sent[3].seq, 1700000000001001);
	expect_sent(1, 4, 0);
}

/* A restarted vmmd whose clock went back: numbers go on where the rings end. */
static void what_happens_before_the_first_log_waits(void **state)
{
	const uint64_t earlier = UINT64_C(1800000000000000);

	(void)state;
	add(1);
	add(2);
	assert_true(eventlog_loaded(&d, earlier));
	add(3); /* between its first words and its readiness */
	assert_int_equal(nsent, 0);
	up = true;
	eventlog_resend(&d);
	expect_sent(1, 3, earlier);
	add(4);
	expect_sent(4, 4, earlier + 3);
}

static void a_new_log_gets_what_the_old_one_did_not_acknowledge(void **state)
{
	uint64_t second;

	(void)state;
	start_log(0);
	for (unsigned i = 1; i <= 5; i++)
		add(i);
	second = sent[1].seq;
	expect_sent(1, 5, 0);
	assert_true(eventlog_loaded(&d, second));
	up = false;
	add(6);
	/* It wrote the third one, but did not come to say so. */
	start_log(second + 1);
	expect_sent(4, 6, second);
	assert_true(eventlog_loaded(&d, d.eventlog.last));
	up = false;
	start_log(d.eventlog.last);
	assert_int_equal(nsent, 0);
}

static void a_log_that_lies_is_found_out(void **state)
{
	(void)state;
	assert_false(eventlog_loaded(&d, UINT64_MAX));
	assert_false(eventlog_loaded(&d, UINT64_MAX / 2));
	start_log(0);
	add(1);
	assert_false(eventlog_loaded(&d, d.eventlog.last + 1));
	add(2);
	expect_sent(1, 2, 0);
}

/* While there is no vmm_log: the newest ones are kept, and that some were lost is said. */
static void what_is_kept_is_bounded(void **state)
{
	const unsigned n = 50000;
	unsigned kept;

	(void)state;
	start_log(0);
	up = false;
	for (unsigned i = 1; i <= n; i++)
		add(i);
	assert_int_equal(warnings, 1);
	assert_in_range(d.eventlog.unkept_bytes, 1000000, 1 << 20);
	start_log(0);
	assert_int_equal(warnings, 2);
	kept = nsent;
	assert_in_range(kept, 2000, n - 1);
	expect_sent(n - kept + 1, n, 0);
}

static void a_refusal_without_a_path_has_a_name(void **state)
{
	struct msg_session_refused msg = {.peer = "[::1]:7", .name = "eve", .detail = "expired"};

	(void)state;
	start_log(0);
	eventlog_refused(&d, &msg);
	assert_string_equal(sent[0].detail, "eve: expired");
	msg.name[0] = 0;
	eventlog_refused(&d, &msg);
	assert_string_equal(sent[1].detail, "expired");
	msg.path.depth = 1;
	snprintf(msg.name, sizeof(msg.name), "eve");
	eventlog_refused(&d, &msg);
	assert_string_equal(sent[2].detail, "expired");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, emptied)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(numbers_are_the_clock_s),
	    TEST(what_happens_before_the_first_log_waits),
	    TEST(a_new_log_gets_what_the_old_one_did_not_acknowledge),
	    TEST(a_log_that_lies_is_found_out),
	    TEST(what_is_kept_is_bounded),
	    TEST(a_refusal_without_a_path_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

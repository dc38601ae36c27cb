/*
 * The console ring, ring.c, when its keeper is killed: one is traced through a script of appends
 * and could be killed after every single instruction. Whatever it leaves must hold exactly the
 * bytes that its pipe gave out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring.h"
#include "stepping.h"

#define NOW INT64_C(1700000000000000)

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

/* What the guest wrote, read as lines by the simplest means: the model for the trace below. */
struct model {
	unsigned count;
	struct {
		const char *text;
		size_t size;
	} line[6000];
};

static void model_add(struct model *model, const char *text, size_t size)
{
	assert_in_range(model->count, 0, 5999);
	model->line[model->count].text = text;
	model->line[model->count++].size = size;
}

static void model_text(struct model *model, const char *text, size_t size)
{
	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t n = newline ? (size_t)(newline - text) : size;
		if (n > RING_LINE_MAX) {
			model_add(model, text, RING_LINE_MAX);
			text += RING_LINE_MAX;
			size -= RING_LINE_MAX;
			continue;
		}
		model_add(model, text, n > 0 && newline && text[n - 1] == '\r' ? n - 1 : n);
		n += newline ? 1 : 0;
		text += n;
		size -= n;
	}
}

enum op_kind { OP_READ, OP_MARK };

/* A script for the keeper: reads of so many bytes from its pipe, and redeployments. */
struct op {
	enum op_kind kind;
	size_t size;
};

#define OPS 20

/* Shared with the traced keeper. */
struct shared {
	uint64_t region[RING_SIZE / 8];
	volatile unsigned op; /* that it is at */
};

struct trace {
	struct shared *shared;
	int pipe[2];
	struct op op[OPS];
	char *input;
	size_t input_size;
	size_t warm_lines, warm_size; /* written before by an earlier keeper */
	uint64_t seen[RING_SIZE / 8]; /* the region when it was last checked */
	unsigned checks;
};

static void keeper_read(struct ring *ring, const struct trace *trace, size_t size)
{
	while (size > 0) {
		size_t room;
		uint8_t *space = ring_space(ring, &room);
		ssize_t n = read(trace->pipe[0], space, size < room ? size : room);
		if (n <= 0)
			_exit(1);
		ring_commit(ring, (size_t)n, NOW);
		size -= (size_t)n;
	}
}

/* Does the whole script. */
static void keeper_run(void *arg)
{
	struct trace *trace = arg;
	struct ring ring;
	ring_attach(&ring, trace->shared->region, NOW);
	stepping_begin();
	for (unsigned i = 0; i < OPS; i++) {
		trace->shared->op = i;
		if (trace->op[i].kind == OP_MARK)
			ring_mark(&ring, NOW);
		else
			keeper_read(&ring, trace, trace->op[i].size);
	}
}

/* The lines that must be there after CONSUMED bytes and the first OPS_DONE operations. */
static void model_make(struct model *model, const struct trace *trace, size_t consumed,
		       unsigned ops_done)
{
	static char warm[RING_LINE_MAX];
	size_t from = 0, to = 0;
	model->count = 0;
	memset(warm, 'w', sizeof(warm));
	for (size_t i = 0; i < trace->warm_lines; i++)
		model_add(model, warm, trace->warm_size - 1);
	for (unsigned i = 0; i < ops_done && i < OPS; i++) {
		if (trace->op[i].kind == OP_READ) {
			to += trace->op[i].size;
			continue;
		}
		to = to < consumed ? to : consumed;
		model_text(model, trace->input + from, to - from);
		model_add(model, RING_MARKER, sizeof(RING_MARKER) - 1);
		from = to;
	}
	model_text(model, trace->input + from, consumed - from);
}

static bool ring_equals(const struct ring *ring, const struct model *model)
{
	static uint8_t bytes[RING_LINE_MAX];
	int64_t time_us;
	uint32_t size;
	if (ring_next(ring) != model->count)
		return false;
	for (uint64_t n = ring_first(ring); n < ring_next(ring); n++)
		if (!ring_line(ring, n, &time_us, bytes, &size) || size != model->line[n].size ||
		    memcmp(bytes, model->line[n].text, size) != 0)
			return false;
	return true;
}

/* Attaches to a copy of what the keeper would leave if it were killed now. */
static void check_leftovers(void *arg)
{
	struct trace *trace = arg;
	static uint64_t copy[RING_SIZE / 8];
	static struct model model;
	struct ring ring;
	int unread = 0;

	if (memcmp(trace->seen, trace->shared->region, RING_SIZE) == 0)
		return;
	memcpy(trace->seen, trace->shared->region, RING_SIZE);
	memcpy(copy, trace->seen, RING_SIZE);
	trace->checks++;
	assert_int_equal(ioctl(trace->pipe[0], FIONREAD, &unread), 0);
	size_t consumed = trace->input_size - (size_t)unread;
	unsigned op = trace->shared->op;

	assert_int_equal(ring_attach(&ring, copy, NOW), RING_CONTINUED);
	ring_flush(&ring, NOW);
	model_make(&model, trace, consumed, op);
	bool as_before = ring_equals(&ring, &model);
	if (!as_before && trace->op[op].kind == OP_MARK) {
		model_make(&model, trace, consumed, op + 1);
		as_before = ring_equals(&ring, &model);
	}
	assert_true(as_before);
	/* And the next keeper can go on. */
	say(&ring, "more\n");
	assert_line(&ring, ring_next(&ring) - 1, "more");
}

/* Input of all kinds of lines, without NUL: what_was_read_is_found has those. */
static void trace_script(struct trace *trace)
{
	static const size_t sizes[] = {1, 7, 60, 300, 2, 4200, 13, 40, 1, 500};
	unsigned seed = 7;
	trace->input_size = 0;
	for (unsigned i = 0; i < OPS; i++) {
		bool mark = i % 9 == 4;
		trace->op[i] = (struct op){mark ? OP_MARK : OP_READ, mark ? 0 : sizes[i % 10]};
		trace->input_size += trace->op[i].size;
	}
	trace->input = malloc(trace->input_size);
	assert_non_null(trace->input);
	for (size_t i = 0; i < trace->input_size; i++) {
		seed = seed * 1103515245u + 12345u;
		unsigned draw = seed >> 16 & 0xff;
		/* Stretches without a newline too, longer than a line may be. */
		bool dense = i < 400 || i > 5000;
		trace->input[i] = (char)(dense && draw < 8 ? '\n' : draw < 16 ? '\r' : draw | 1);
		if (!dense && trace->input[i] == '\n')
			trace->input[i] = 'z';
	}
}

/* Lines of an earlier keeper come first, so that the trace crosses the end of the area. */
static void trace_warm(struct trace *trace, struct ring *ring)
{
	static char line[RING_LINE_MAX];
	memset(line, 'w', sizeof(line));
	line[trace->warm_size - 1] = '\n';
	for (size_t i = 0; i < trace->warm_lines; i++)
		append(ring, line, trace->warm_size, NOW);
}

static void trace_after(size_t warm_lines, size_t warm_size)
{
	static struct trace trace;
	struct ring ring;
	trace = (struct trace){.warm_lines = warm_lines, .warm_size = warm_size};
	trace.shared = mmap(NULL, sizeof(*trace.shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(trace.shared, MAP_FAILED);
	assert_int_equal(ring_attach(&ring, trace.shared->region, NOW), RING_NEW);
	trace_warm(&trace, &ring);
	trace_script(&trace);
	assert_int_equal(pipe(trace.pipe), 0);
	assert_int_equal(write(trace.pipe[1], trace.input, trace.input_size), trace.input_size);
	stepping_through(keeper_run, check_leftovers, &trace);
	assert_in_range(trace.checks, 100, UINT32_MAX);
	free(trace.input);
	close(trace.pipe[0]);
	close(trace.pipe[1]);
	munmap(trace.shared, sizeof(*trace.shared));
}

static void a_keeper_killed_anywhere_loses_nothing(void **state)
{
	(void)state;
	trace_after(0, 64);
}

static void nor_where_the_area_ends_and_lines_go_by_count(void **state)
{
	(void)state;
	trace_after((RING_AREA - 3000) / 64, 64);
}

static void nor_where_lines_go_by_size(void **state)
{
	(void)state;
	trace_after((RING_AREA - 4000) / 4000, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_keeper_killed_anywhere_loses_nothing),
	    cmocka_unit_test(nor_where_the_area_ends_and_lines_go_by_count),
	    cmocka_unit_test(nor_where_lines_go_by_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The console ring. Positions are counts of bytes since the ring began; position P lies at P %
 * RING_AREA of the data. In order of position:
 *
 *    start of line `first` .. end of the last line   lines, each with a slot in the index
 *                          .. head                   the beginning of the next line ("pending")
 *                          .. clean                  zeros, or a read that was not committed
 *
 * The end of the last line is what its slot says, so that one store of `next` adds a line and moves
 * the beginning of the pending one. Only stores' order as the compiler emits it matters here: a
 * killed process has done everything before some instruction and nothing after it.
 */
#include "ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#define RING_MAGIC   UINT64_C(0x31676e69726d6d76) /* "vmmring1" */
#define POSITION_MAX (UINT64_MAX / 4)

struct ring_header {
	uint64_t magic;
	uint64_t head;	/* bytes committed */
	uint64_t clean; /* the space up to here was zeroed */
	uint64_t first; /* number of the oldest line kept */
	uint64_t next;	/* number of the line to come */
	uint64_t unused[507];
};

#define SLOT_MARKER 1

struct ring_slot {
	uint64_t number;
	uint64_t start;
	int64_t time_us;
	uint32_t size;
	uint16_t trail; /* bytes of the newline: 0 to 2 */
	uint16_t flags;
};

static_assert(sizeof(struct ring_header) == 4096, "the header is one page");
static_assert(sizeof(struct ring_slot) == 32, "the index is 32 bytes a line");
static_assert(RING_AREA > 2 * (RING_WINDOW + 2 * RING_LINE_MAX), "the last line always stays");

/* One store that counts: everything before it is done, nothing after it has begun. */
static void publish(uint64_t *field, uint64_t value)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)field = value;
	atomic_signal_fence(memory_order_seq_cst);
}

static struct ring_slot *slot_of(const struct ring *ring, uint64_t number)
{
	return &ring->slots[number % RING_LINES];
}

static uint8_t byte_at(const struct ring *ring, uint64_t position)
{
	return ring->data[position % RING_AREA];
}

/* The bytes from position FROM on that lie in one piece, up to TO. */
static size_t straight(uint64_t from, uint64_t to)
{
	uint64_t rest = RING_AREA - from % RING_AREA;
	return (size_t)(to - from < rest ? to - from : rest);
}

/* The position of the first newline from FROM on, TO when there is none before. */
static uint64_t newline_find(const struct ring *ring, uint64_t from, uint64_t to)
{
	while (from < to) {
		const uint8_t *piece = ring->data + from % RING_AREA;
		size_t size = straight(from, to);
		const uint8_t *found = memchr(piece, '\n', size);
		if (found)
			return from + (uint64_t)(found - piece);
		from += size;
	}
	return to;
}

static uint64_t slot_end(const struct ring_slot *slot)
{
	return slot->start + slot->size + slot->trail;
}

/* Where the line that is not complete yet begins. */
static uint64_t pending_start(const struct ring *ring)
{
	uint64_t next = ring->header->next;
	return next == 0 ? 0 : slot_end(slot_of(ring, next - 1));
}

static void line_add(struct ring *ring, const struct ring_slot *line)
{
	struct ring_header *h = ring->header;
	if (h->next - h->first == RING_LINES)
		publish(&h->first, h->first + 1);
	*slot_of(ring, h->next) = *line;
	publish(&h->next, h->next + 1);
}

/*
 * The line that begins at START and is complete at position END or before, into OUT. A line of
 * exactly RING_LINE_MAX bytes waits for the byte after it, which may be its newline.
 */
static bool line_cut(struct ring *ring, uint64_t start, uint64_t end, struct ring_slot *out)
{
	uint64_t stop = end - start > RING_LINE_MAX ? start + RING_LINE_MAX + 1 : end;
	uint64_t at = newline_find(ring, ring->scanned > start ? ring->scanned : start, stop);

	if (at == stop && end - start <= RING_LINE_MAX) {
		ring->scanned = at;
		return false;
	}
	out->start = start;
	out->size = (uint32_t)(at - start);
	out->trail = 1;
	if (at == stop) {
		out->size = RING_LINE_MAX;
		out->trail = 0;
	} else if (out->size > 0 && byte_at(ring, at - 1) == '\r') {
		out->size--;
		out->trail = 2;
	}
	ring->scanned = slot_end(out);
	return true;
}

static void lines_cut(struct ring *ring, int64_t now_us)
{
	struct ring_slot line = {.time_us = now_us};
	while (line_cut(ring, pending_start(ring), ring->header->head, &line)) {
		line.number = ring->header->next;
		line_add(ring, &line);
	}
}

/* The index says what this code would have written: line after line without a hole, within the
 * data. */
static bool index_valid(const struct ring *ring)
{
	const struct ring_header *h = ring->header;
	uint64_t expected = 0;

	for (uint64_t n = h->first; n < h->next; n++) {
		const struct ring_slot *slot = slot_of(ring, n);
		if (slot->number != n || slot->size > RING_LINE_MAX || slot->trail > 2 ||
		    slot->flags > SLOT_MARKER || slot->start > h->head)
			return false;
		if (n == h->first ? slot->start + RING_AREA < h->clean : slot->start != expected)
			return false;
		expected = slot_end(slot);
	}
	return expected <= h->head && h->head - expected <= RING_LINE_MAX + RING_WINDOW;
}

static bool header_valid(const struct ring_header *h)
{
	if (h->magic != RING_MAGIC || h->head > POSITION_MAX || h->next > POSITION_MAX)
		return false;
	if (h->clean < h->head || h->clean - h->head > RING_WINDOW)
		return false;
	/* Once there was a line, there is always one. */
	return h->next == 0 ? h->first == 0
			    : h->first < h->next && h->next - h->first <= RING_LINES;
}

static bool all_zero(const struct ring_header *h)
{
	return h->magic == 0 && h->head == 0 && h->clean == 0 && h->first == 0 && h->next == 0;
}

/* An empty ring; the magic comes last, so that a keeper killed here leaves none. */
static void ring_reset(struct ring *ring)
{
	publish(&ring->header->magic, 0);
	memset(ring->header, 0, sizeof(*ring->header));
	publish(&ring->header->magic, RING_MAGIC);
}

enum ring_found ring_attach(struct ring *ring, void *region, int64_t now_us)
{
	ring->header = region;
	ring->slots = (struct ring_slot *)(void *)((uint8_t *)region + sizeof(struct ring_header));
	ring->data = (uint8_t *)(ring->slots + RING_LINES);
	ring->scanned = 0;

	struct ring_header *h = ring->header;
	if (!header_valid(h) || !index_valid(ring)) {
		enum ring_found found = all_zero(h) ? RING_NEW : RING_DAMAGED;
		ring_reset(ring);
		return found;
	}
	uint64_t head = h->clean;
	while (head > h->head && byte_at(ring, head - 1) == 0)
		head--;
	publish(&h->head, head);
	lines_cut(ring, now_us);
	return RING_CONTINUED;
}

size_t ring_reach(const void *region)
{
	const struct ring_header *h = region;
	uint64_t data = h->clean > h->head ? h->clean : h->head;

	data = data > RING_DATA ? RING_AREA : data + RING_WINDOW;
	return sizeof(*h) + RING_LINES * sizeof(struct ring_slot) + (size_t)data;
}

/* Drops the lines whose data lies before position KEEP. */
static void lines_evict(struct ring *ring, uint64_t keep)
{
	uint64_t first = ring->header->first;
	while (first < ring->header->next && slot_of(ring, first)->start < keep)
		first++;
	if (first != ring->header->first)
		publish(&ring->header->first, first);
}

static void zero(struct ring *ring, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t size = straight(from, to);
		memset(ring->data + from % RING_AREA, 0, size);
		from += size;
	}
}

uint8_t *ring_space(struct ring *ring, size_t *size)
{
	struct ring_header *h = ring->header;
	uint64_t clean = h->head + RING_WINDOW;

	if (clean > h->clean) {
		if (clean > RING_AREA)
			lines_evict(ring, clean - RING_AREA);
		zero(ring, h->clean, clean);
		publish(&h->clean, clean);
	}
	*size = straight(h->head, clean);
	return ring->data + h->head % RING_AREA;
}

void ring_commit(struct ring *ring, size_t n, int64_t now_us)
{
	publish(&ring->header->head, ring->header->head + n);
	lines_cut(ring, now_us);
}

void ring_flush(struct ring *ring, int64_t now_us)
{
	uint64_t start = pending_start(ring), head = ring->header->head;
	if (start == head)
		return;
	struct ring_slot line = {
	    .number = ring->header->next,
	    .start = start,
	    .time_us = now_us,
	    .size = (uint32_t)(head - start),
	};
	line_add(ring, &line);
}

void ring_mark(struct ring *ring, int64_t now_us)
{
	ring_flush(ring, now_us);
	uint64_t next = ring->header->next;
	if (next == 0 || slot_of(ring, next - 1)->flags == SLOT_MARKER)
		return;
	struct ring_slot line = {
	    .number = next,
	    .start = ring->header->head,
	    .time_us = now_us,
	    .flags = SLOT_MARKER,
	};
	line_add(ring, &line);
}

uint64_t ring_position(const struct ring *ring)
{
	return ring->header->head;
}

uint64_t ring_first(const struct ring *ring)
{
	return ring->header->first;
}

uint64_t ring_next(const struct ring *ring)
{
	return ring->header->next;
}

uint64_t ring_seek(const struct ring *ring, int64_t since_us, uint32_t lines)
{
	uint64_t next = ring->header->next, at = ring->header->first;
	while (at < next && slot_of(ring, at)->time_us < since_us)
		at++;
	return lines > 0 && next - at > lines ? next - lines : at;
}

bool ring_line(const struct ring *ring, uint64_t seq, int64_t *time_us, uint8_t *bytes,
	       uint32_t *size)
{
	if (seq < ring->header->first || seq >= ring->header->next)
		return false;
	const struct ring_slot *slot = slot_of(ring, seq);
	*time_us = slot->time_us;
	if (slot->flags == SLOT_MARKER) {
		*size = sizeof(RING_MARKER) - 1;
		memcpy(bytes, RING_MARKER, *size);
		return true;
	}
	*size = slot->size;
	size_t piece = straight(slot->start, slot->start + slot->size);
	memcpy(bytes, ring->data + slot->start % RING_AREA, piece);
	memcpy(bytes + piece, ring->data, slot->size - piece);
	return true;
}

/*
 * The event log's ring. Positions are counts of bytes since the ring began; position P lies at P %
 * DATA of the data. Records lie between `first` and `head`, one behind the other, each in one
 * piece: one that would cross the end of the data starts over at its beginning, behind a filler.
 *
 * `head` is stored last, so that one store adds a record; `first` is moved on before the space is
 * used again. Only stores' order as the compiler emits it matters: a killed process has done
 * everything before some instruction and nothing after it.
 */
#include "history.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#define HISTORY_MAGIC UINT64_C(0x31676f6c746e7665) /* "evntlog1" */
#define POSITION_MAX  (UINT64_MAX / 4)
#define ALIGNMENT     8

struct history_header {
	uint64_t magic;
	uint64_t first; /* position of the oldest record */
	uint64_t head;	/* and behind the newest */
	uint64_t unused[5];
};

#define DATA (HISTORY_SIZE - sizeof(struct history_header))

/* What every record begins with; a filler has no more than these. */
struct record_size {
	uint32_t size; /* all of it, a multiple of ALIGNMENT */
	uint32_t n;    /* bytes of the entry; 0: a filler */
};

struct record {
	struct record_size size;
	uint64_t seq;
	uint8_t bytes[];
};

static_assert(DATA % ALIGNMENT == 0, "a filler fits wherever a record does not");
static_assert(sizeof(struct record_size) == ALIGNMENT, "the smallest gap holds a filler");
static_assert(DATA > 4 * HISTORY_ENTRY_MAX, "several of the longest entries are kept");

/* One store that counts: everything before it is done, nothing after it has begun. */
static void publish(uint64_t *field, uint64_t value)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)field = value;
	atomic_signal_fence(memory_order_seq_cst);
}

static uint64_t record_bytes(size_t n)
{
	return (sizeof(struct record) + n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct record *record_at(const struct history *history, uint64_t position)
{
	return (struct record *)(void *)(history->data + position % DATA);
}

/* Bytes of the filler before a record of SIZE bytes at POSITION. */
static uint64_t filler_bytes(uint64_t position, uint64_t size)
{
	uint64_t rest = DATA - position % DATA;

	return rest < size ? rest : 0;
}

static bool is_filler(const struct record *record)
{
	return record->size.n == 0;
}

/* Whether this code could have written the record at POSITION, newer than *LAST. */
static bool record_valid(const struct history *history, uint64_t position, uint64_t *last)
{
	const struct record *record = record_at(history, position);
	uint64_t rest = history->header->head - position, straight = DATA - position % DATA;

	if (record->size.size > rest || record->size.size > straight)
		return false;
	if (is_filler(record)) /* up to the end of the data, and a record comes after it */
		return record->size.size == straight && straight < rest &&
		       straight < record_bytes(HISTORY_ENTRY_MAX);
	if (record->size.n > HISTORY_ENTRY_MAX ||
	    record->size.size != record_bytes(record->size.n) || record->seq <= *last)
		return false;
	*last = record->seq;
	return true;
}

static bool history_valid(struct history *history)
{
	const struct history_header *h = history->header;

	history->last = 0;
	if (h->magic != HISTORY_MAGIC || h->head > POSITION_MAX || h->first > h->head ||
	    h->head - h->first > DATA || h->first % ALIGNMENT != 0 || h->head % ALIGNMENT != 0)
		return false;
	for (uint64_t at = h->first; at < h->head; at += record_at(history, at)->size.size)
		if (!record_valid(history, at, &history->last))
			return false;
	return true;
}

enum history_found history_attach(struct history *history, void *region)
{
	struct history_header *h = region;
	enum history_found found;

	history->header = h;
	history->data = (uint8_t *)(h + 1);
	if (history_valid(history))
		return HISTORY_CONTINUED;
	found = h->magic == 0 && h->first == 0 && h->head == 0 ? HISTORY_NEW : HISTORY_DAMAGED;
	/* The magic comes last: a keeper killed here leaves none. */
	publish(&h->magic, 0);
	memset(h, 0, sizeof(*h));
	publish(&h->magic, HISTORY_MAGIC);
	history->last = 0;
	return found;
}

/* Where the head is after adding an entry of N bytes. */
static uint64_t head_after(const struct history *history, size_t n)
{
	uint64_t head = history->header->head, size = record_bytes(n);

	return head + filler_bytes(head, size) + size;
}

size_t history_reach(const struct history *history, size_t n)
{
	uint64_t head = head_after(history, n);

	return head > DATA ? HISTORY_SIZE : sizeof(struct history_header) + (size_t)head;
}

bool history_fits(const struct history *history, size_t n)
{
	return head_after(history, n) - history->header->first <= DATA;
}

void history_drop(struct history *history)
{
	uint64_t first = history->header->first;

	if (is_filler(record_at(history, first)))
		first += record_at(history, first)->size.size;
	publish(&history->header->first, first + record_at(history, first)->size.size);
}

void history_add(struct history *history, uint64_t seq, const uint8_t *bytes, size_t n)
{
	uint64_t head = history->header->head, size = record_bytes(n);
	uint64_t filler = filler_bytes(head, size);
	struct record *record;

	if (filler > 0)
		record_at(history, head)->size = (struct record_size){.size = (uint32_t)filler};
	record = record_at(history, head + filler);
	record->size = (struct record_size){.size = (uint32_t)size, .n = (uint32_t)n};
	record->seq = seq;
	memcpy(record->bytes, bytes, n);
	publish(&history->header->head, head + filler + size);
	history->last = seq;
}

bool history_read(const struct history *history, uint64_t at, struct history_entry *out)
{
	const struct history_header *h = history->header;
	const struct record *record;

	if (at < h->first)
		at = h->first;
	if (at < h->head && is_filler(record_at(history, at)))
		at += record_at(history, at)->size.size;
	if (at >= h->head)
		return false;
	record = record_at(history, at);
	*out = (struct history_entry){.seq = record->seq,
				      .bytes = record->bytes,
				      .n = record->size.n,
				      .at = at,
				      .after = at + record->size.size};
	return true;
}

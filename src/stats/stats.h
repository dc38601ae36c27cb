/*
 * vmm_stats: reads of every VM what it uses, when it is new and then at each interval, and tells
 * the last two readings to whom vmmd allows it. One thread; it opens nothing, vmmd hands it every
 * descriptor.
 *
 *   stats.c      the messages of vmmd, the interval
 *   table.c      the VMs, by path and in the order in which they came; their taps, by name
 *   sample.c     one reading, out of descriptors
 *   spt_block.c  of that, what an spt guest read and wrote of its volumes
 *   reader.c     one reader: readings to socket
 *   rules.c      its system calls
 *
 * A reader has a place in the list of VMs and never makes anybody wait; VMs may come and go
 * meanwhile. It is told of those that were there when it came and are when it gets to them.
 */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "links.h"
#include "stream.h"
#include "upward.h"
#include "usage.h"

#define TABLE_BUCKETS 1024

/* What comes with STATS_ADD, in that order. */
enum vm_file { VM_STAT, VM_STATUS, VM_IO, VM_PAGE, VM_FILES };

struct vm;
struct reader;

struct tap {
	struct tap *next; /* in its bucket */
	struct vm *vm;
	bool counted; /* COUNTS is what the kernel has said */
	struct link_counts counts;
};

struct vm {
	struct vm *next;	   /* in its bucket */
	struct vm *before, *after; /* in the order in which they came */
	uint64_t number;	   /* grows in that order */
	struct msg_stats_vm is;
	int fd[VM_FILES];
	struct tap tap[DEVICES_MAX]; /* as many as IS has */
	uint64_t dropped[DEVICES_MAX];
	bool io_known;
	struct process_io io;
	int64_t sampled_us; /* by the clock that is never set */
	struct reading now, earlier;
};

struct table {
	struct vm *vms[TABLE_BUCKETS];
	struct tap *taps[TABLE_BUCKETS];
	struct vm *first, *last;
	uint64_t numbers; /* that were given */
};

struct stats {
	struct event_base *base;
	struct upward up;
	struct event *interval;
	int links;		    /* -1: no interfaces here */
	int host_stat, host_memory; /* -1: not told */
	struct table table;
	struct reader *readers;
};

/*
 * Serves UP, which it takes over, on BASE until the channel ends; then it breaks BASE's loop. With
 * the interval, which vmmd sends last, it says that it is ready. 0, or -errno without memory.
 */
int stats_start(struct stats *stats, struct event_base *base, const struct channel *up);
/* Forgets everything and closes the channel. */
void stats_stop(struct stats *stats);

/*
 * A VM that runs, with its descriptors, which are taken over; it takes the place of one of the same
 * path. NULL without memory, the descriptors closed.
 */
struct vm *table_add(struct table *table, const struct msg_stats_vm *is, const int fd[VM_FILES]);
/* NULL: there is none. */
struct vm *table_find(const struct table *table, const uint8_t path_id[DIGEST_SIZE]);
struct tap *table_find_tap(const struct table *table, const char *name);
/* Closes its descriptors; no reader is at it. */
void table_remove(struct table *table, struct vm *vm);

/* Reads VM alone; then all of them. */
void sample_one(struct stats *stats, struct vm *vm);
void sample_all(struct stats *stats);

/*
 * What the guest of READING has read from and written to its volumes, into it: out of IO, which is
 * at most as old as the rest.
 */
void spt_block(const struct process_io *io, struct reading *reading);

/* Starts to tell the reader at SOCKET, which it takes over, what ASK says. */
void reader_start(struct stats *stats, int socket, const struct msg_stats_read *ask);
/* VM is about to go: whoever is at it goes on behind it. */
void readers_pass(struct stats *stats, const struct vm *vm);
void readers_free(struct stats *stats);

#endif

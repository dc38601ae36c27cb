/*
 * vmm_console: reads what every guest prints from its FIFO into its ring, replays and streams it to
 * readers. One process for all VMs, one thread, no file of its own: vmmd hands it every descriptor.
 *
 *   console.c   the VMs by path, the messages of vmmd
 *   vm.c        one VM: FIFO to ring
 *   reader.c    one reader: ring to socket
 *   page.c      what is counted of one VM
 *
 * A guest is never made to wait for a reader: readers have a position in the ring, and what is
 * overwritten before they got there is told as a gap.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "region.h"
#include "ring.h"
#include "stream.h"
#include "upward.h"

#define CONSOLE_BUCKETS 4096
/* What one VM may have done before the others get their turn. */
#define TURN_BYTES (64 * 1024)

struct reader;

struct vm {
	struct vm *next; /* in its bucket */
	struct event_base *base;
	uint8_t path_id[DIGEST_SIZE];
	char id[13]; /* how the name of its directory starts, for the log */
	int fifo;    /* -1: closed, the VM has ended */
	struct event *readable;
	int page;	      /* statistics; -1: none */
	uint64_t start, lost; /* the ring's position when the VM started; lines missed */
	struct region region; /* RING_SIZE bytes */
	struct ring ring;
	bool ended;
	uint32_t end, end_value;
	struct reader *readers;
	struct reader *follower; /* one of them: it has the console */
};

struct console {
	struct event_base *base;
	struct upward up;
	struct vm *bucket[CONSOLE_BUCKETS];
};

/* Serves UP, which it takes over, on BASE; nonsense there breaks BASE's loop. 0, or -errno without
 * memory. */
int console_start(struct console *console, struct event_base *base, const struct channel *up);
/*
 * Whether there is anything to do: vmmd is there, or a guest that may still print. Guests outlive
 * vmmd, and what one of them says in between is lost if nobody has its FIFO open when it ends.
 */
bool console_needed(const struct console *console);
/* Forgets every VM and closes the channel. */
void console_stop(struct console *console);

/* A VM that is not read yet; NULL without memory. */
struct vm *vm_new(struct event_base *base, const uint8_t *path_id);
/* Closes its readers, FIFO and ring; the ring's file keeps the lines. */
void vm_free(struct vm *vm);
/*
 * The VM runs: reads FIFO into the ring in the file RING, instead of earlier ones, and counts on
 * PAGE, which may be /dev/null. Takes the descriptors over. 0 or -errno; a ring that cannot be
 * mapped is replaced by memory, with a warning.
 */
int vm_run(struct vm *vm, int fifo, int ring, int page, bool redeployed);
/* The VM ended: reads the rest, tells the readers. */
void vm_end(struct vm *vm, uint32_t end, uint32_t end_value);

/*
 * VM counts on PAGE, which it takes over, from now on, or goes on to; after that what it has
 * counted is stored, and the page closed. VM has its ring.
 */
void page_take(struct vm *vm, int page);
void page_store(struct vm *vm);
void page_close(struct vm *vm);

/*
 * Starts to replay VM's ring to the reader at SOCKET, which it takes over, as ASK says. One that
 * follows gets the console; who had it is told.
 */
void reader_start(struct vm *vm, int socket, const struct msg_console_read *ask);
/* VM has new lines, or ended: sends what its readers take. */
void readers_wake(struct vm *vm);
void readers_free(struct vm *vm);

#endif

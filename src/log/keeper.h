/*
 * vmm_log: keeps the event log in rings, shows each reader what is its scope's, and copies
 * everything to a file and to syslog where vmmd was asked for that. One thread, no file of its own:
 * vmmd hands it every descriptor.
 *
 *   keeper.c   the messages of vmmd, entries into rings
 *   reader.c   one reader: rings to socket
 *   sinks.c    the file and syslog
 *
 * A reader has a position in each ring and never makes anybody wait: entries that are overwritten
 * before it got to them, and that it would have seen, are told as a gap.
 */
#ifndef VMM_KEEPER_H
#define VMM_KEEPER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "history.h"
#include "region.h"
#include "stream.h"
#include "upward.h"

struct reader;

/* The ring of one top delegation, or one of the two others (entry.h says which). */
struct top {
	struct top *next;
	unsigned number; /* from 0, in the order in which vmmd sent them */
	struct label label;
	struct region region;
	struct history history;
};

/* Where everything is copied to. */
struct sink {
	int fd; /* -1: there is none */
	uint64_t lost;
	bool torn; /* the last line in the file lacks its end */
};

struct keeper {
	struct event_base *base;
	struct upward up;
	struct event *acknowledge; /* pending: vmmd is to be told of `last` */
	uint64_t last;		   /* number of the newest entry */
	struct top *tops, *host;
	unsigned ntops;
	struct reader *readers;
	struct sink file, syslog;
};

/*
 * Serves UP, which it takes over, on BASE until the channel ends; then it breaks BASE's loop. With
 * the host's ring, which vmmd sends last, it says that it is ready. 0, or -errno without memory.
 */
int keeper_start(struct keeper *keeper, struct event_base *base, const struct channel *up);
/* Forgets everything and closes the channel; the rings' files keep the entries. */
void keeper_stop(struct keeper *keeper);

/* Starts to send entries to the reader at SOCKET, which it takes over, as ASK says. */
void reader_start(struct keeper *keeper, int socket, const struct msg_log_read *ask);
/* TOP has a new entry: sends what the readers that may see it take. */
void readers_wake(struct keeper *keeper, const struct top *top);
/* TOP's oldest entry is about to be lost: counted for whom it would have been sent to. */
void readers_miss(struct keeper *keeper, const struct top *top);
void readers_free(struct keeper *keeper);

/* FD, which it takes over, replaces SINK's. */
void sink_set(struct sink *sink, int fd);
void sinks_write(struct keeper *keeper, const struct log_entry *entry);

#endif

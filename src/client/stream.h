/*
 * Streams of the server's, consoles and the event log, that are shown as they come while other
 * commands go on. Each is shown until the server ends it, or Ctrl-C, or detach.
 */
#ifndef VMM_STREAM_H
#define VMM_STREAM_H

#include "client.h"

enum stream_kind { STREAM_CONSOLE, STREAM_LOG };

struct stream {
	struct stream *next;
	struct client *client;
	enum stream_kind kind;
	struct exchange exchange;   /* for the request: its lines are shown */
	char name[NAMES_PATH_SIZE]; /* of a console, as shown; "" */
	bool ended;		    /* the server said so, or it makes no sense to go on */
};

/* One more, not asked for yet. NULL, told: there is one already, or no memory. */
struct stream *stream_add(struct client *client, enum stream_kind kind, const char *name);
/* Of those not ended; NULL: none. */
struct stream *stream_find(const struct client *client, enum stream_kind kind, const char *name);
/* Ends it, if need be, and frees it. */
void stream_drop(struct stream *stream);
/* One entry as a line, as words or as JSON. */
void stream_show(struct client *client, enum stream_kind kind, const char *name,
		 const json_t *entry);

/* Frees streams that are over. After it, whether there is any. */
bool streams_open(struct client *client);
/* Ends all of them; SAY: a line each. */
void streams_end(struct client *client, bool say);

#endif

/*
 * One request and its response, between the HTTP/2 stream it came on and the messages to vmmd it
 * became. Ends with its stream: what vmmd says after that is dropped.
 */
#ifndef VMM_GATE_EXCHANGE_H
#define VMM_GATE_EXCHANGE_H

#include <jansson.h>

#include "channel.h"
#include "http2.h"
#include "outbox.h"
#include "query.h"
#include "routes.h"
#include "text.h"

struct dump;
struct feed;
struct survey;
struct upload;

struct exchange {
	struct desk *desk;
	struct exchange *next;
	struct http2_stream *stream;
	const struct route *route;
	uint32_t id; /* in messages; 0: vmmd was not asked */
	bool answered;
	struct target target;
	char path[PATH_TEXT_SIZE]; /* the VM's, as it was written */

	/* What replies gather until the answer. */
	json_t *json;
	struct text text;
	struct feed *feed;
	bool follow; /* its query said so */
	struct dump *dump;
	struct upload *upload; /* until it is answered */
	struct survey *survey; /* likewise */
};

/* The exchanges of one session. */
struct desk {
	struct channel session; /* to vmmd; closed: there is nobody to ask */
	struct outbox outbox;
	struct exchange *exchanges;
	uint32_t last_id;
	uint64_t answered; /* how many were, so far */
	/* Set: every request is answered with this, none is passed on. */
	bool refused;
	int status;
	struct msg_verdict refusal;
};

/* What HTTP/2 calls; its argument is the desk. */
extern const struct http2_events desk_events;

void desk_init(struct desk *desk, struct channel session);
/* From here on every request, those that wait too, gets STATUS, WORD and DETAIL. */
void desk_refuse(struct desk *desk, int status, const char *word, const char *detail);
/* Reads what vmmd says; false when the session is over: desk_refuse was called, with why. */
bool desk_receive(struct desk *desk);
/* Whether a request is being worked on (one that has not come whole does not count). */
bool desk_busy(const struct desk *desk);

/* Sends what waits for vmmd, as far as possible. */
void desk_flush(struct desk *desk);

/* Asks vmmd; the reply comes to the route. */
void exchange_ask(struct exchange *exchange, uint32_t type, void *body);
/* Likewise with a struct msg_vm_path: the request's own. */
void exchange_ask_path(struct exchange *exchange, uint32_t type);
/* Tells vmmd more of what it was asked; BODY has the exchange's id. */
void exchange_tell(struct exchange *exchange, uint32_t type, const void *body);
/* Answers with a problem, once. */
void exchange_problem(struct exchange *exchange, int status, const char *word, const char *detail);

/* The descriptor to poll for EVENTS beside the session's; -1: none now. Then it is READY. */
int exchange_wants(const struct exchange *exchange, short *events);
void exchange_ready(struct exchange *exchange);

#endif

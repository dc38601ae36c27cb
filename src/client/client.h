/*
 * What the commands share: the session, the names, where output goes. Private to vmm_client.
 */
#ifndef VMM_CLIENT_H
#define VMM_CLIENT_H

#include <jansson.h>

#include "catalog.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "percent.h"
#include "prompt.h"
#include "session.h"

struct stream;
struct transfer;

struct client {
	const struct options *options;
	struct session session;
	struct names names;
	struct output out, err;
	struct prompt prompt;
	struct catalog catalog;	    /* what to complete */
	struct stream *streams;	    /* that go on, stream.c's */
	struct transfer *transfers; /* likewise, transfer.c's */
	enum status status;	    /* to exit with */
	bool interrupted;	    /* Ctrl-C, and nothing typed since */
	bool quit;		    /* no more commands */
};

/* What is about to be printed stands alone: prompt and progress are taken off the screen. */
void client_quiet(struct client *client);
/* failed REASON, on standard error; the client then exits with STATUS unless a worse one is set. */
void client_fail(struct client *client, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What the server said instead of doing it, from its problem document. */
void client_refused(struct client *client, const struct exchange *exchange);
/* The same for who tells it otherwise: in WHY, and what the client would exit with. */
enum status client_refusal(const struct client *client, const struct exchange *exchange,
			   struct refusal *why);
/* Whether EXCHANGE, which is over, has an answer of the class 200. */
bool client_granted(const struct exchange *exchange);
/* A wait ended otherwise than with TURN_ON: says so where it is an error, and quits where the
 * session or the program is over. */
void client_turned(struct client *client, enum turn turn, const struct refusal *why);

/*
 * METHOD on TARGET, percent-encoded. True: EXCHANGE has an answer of the class 200; else the
 * failure was told. To be freed either way.
 */
bool client_request(struct client *client, const char *method, const char *target,
		    struct exchange *exchange);
enum client_asked { ASK_VM, ASK_VOLUME, ASK_VOLUMES };
/*
 * METHOD on /vms/TYPED SUFFIX, or /volumes/TYPED SUFFIX, TYPED looked up in the .db and then by the
 * server: of a volume what is above it, of where volumes are all of it. Else as client_request.
 */
bool client_ask(struct client *client, enum client_asked what, const char *method,
		const char *typed, const char *suffix, struct exchange *exchange);
/* Likewise; TARGET is what was asked for in the end, to be asked for again. */
#define CLIENT_TARGET_SIZE (PERCENT_PATH_SIZE + 64)
bool client_ask_at(struct client *client, enum client_asked what, const char *method,
		   const char *typed, const char *suffix, struct exchange *exchange,
		   char target[CLIENT_TARGET_SIZE]);
/* The exchange's body; NULL, told, when it is no JSON. To be released. */
json_t *client_json(struct client *client, const struct exchange *exchange);
/* OBJECT as it is, on one line. */
void client_print_json(struct client *client, const json_t *object);
/* One object as a line. */
typedef void client_format(const struct output *output, const struct names *names,
			   const json_t *object);
/* Asks for an array, as client_ask, and prints each of its objects; a person who sees nothing is
 * told NONE. */
void client_list(struct client *client, enum client_asked what, const char *typed,
		 const char *suffix, client_format *format, const char *none);
/* What there is to say of something done for which the server has no object. */
void client_success(struct client *client, const char *done);

#endif

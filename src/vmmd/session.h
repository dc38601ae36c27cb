/*
 * A session: the socket that vmm_auth handed over together with the verified request. What arrives
 * on it is bounded by that request for ever; vmmd takes commands from nowhere else.
 */
#ifndef VMM_SESSION_H
#define VMM_SESSION_H

#include "channel.h"
#include "daemon.h"
#include "outbox.h"

/* Why a session has no authority. */
struct refused {
	uint32_t status; /* HTTP; 0: it has */
	char word[WORD_SIZE];
	char detail[DETAIL_SIZE];
	bool logged;
};

/* A revocation list that SESSION pushed: with vmm_auth, or ending what it matches. */
enum push_state { PUSH_NONE, PUSH_SENT, PUSH_ENDING };

struct push {
	enum push_state state;
	uint32_t id;
	unsigned left;		   /* VMs and volumes that are not gone yet */
	char problem[DETAIL_SIZE]; /* why one of them does not go */
	bool close;		   /* the list matches the session itself */
};

struct session {
	struct session *next;
	struct daemon *daemon;
	uint64_t number; /* vmm_auth's, random */
	char peer[PEER_SIZE];
	struct request request;
	struct path scope;
	uint64_t generation; /* of the revocation lists that the chain was held against */
	struct refused refused;
	bool logged_in;
	int image_fd; /* the chain's memfd, of a VM or revocation certificate; else -1 */
	struct push push;
	char closing[DETAIL_SIZE]; /* why it ends once it has its answers; empty: it does not */
	struct channel channel;	   /* UPPER */
	struct outbox box;
	struct event *readable, *writable, *expiry;
	bool digest_known;
	uint8_t sha256[DIGEST_SIZE];
};

/* Takes a session over from vmm_auth: IN is a SESSION_OPEN. */
void session_open(struct daemon *d, struct incoming *in);
struct session *session_find(struct daemon *d, uint64_t number);
void session_note_digest(struct daemon *d, uint64_t number, const uint8_t *sha256);
/* Ends SESSION, telling its client WHY (NULL: it is gone already). */
void session_close(struct session *session, const char *why);
/* The same once what it was answered is on its way; until then it asks nothing. */
void session_close_answered(struct session *session, const char *why);
void sessions_close_all(struct daemon *d, const char *why);

/* Answers. They do nothing for a session that is gone (NULL). */
void session_reply(struct session *session, uint32_t type, const void *body, const int *fds);
void session_end_reply(struct session *session, uint32_t id);
void session_error(struct session *session, uint32_t id, uint32_t status, const char *word,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* whoami.c: the handler of WHOAMI. */
void session_whoami(struct session *session, const union message_body *body);

/* vms.c: the handlers of requests about VMs. */
void session_vm_list(struct session *session, const union message_body *body);
void session_vm_start(struct session *session, const union message_body *body);
void session_vm_destroy(struct session *session, const union message_body *body);
void session_console_open(struct session *session, const union message_body *body);
void session_statistics(struct session *session, const union message_body *body);

#endif

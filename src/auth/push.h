/*
 * Taking one pushed revocation list: chain to table to disk, in a process of its own. It reads
 * 16 MB from outside and waits for the disk; a fault or a stuck disk costs this one push.
 */
#ifndef VMM_AUTH_PUSH_H
#define VMM_AUTH_PUSH_H

#include "lists.h"
#include "message.h"

enum push_result {
	PUSH_NOTHING, /* it ended without a word */
	PUSH_REFUSED,
	PUSH_STORED,
	PUSH_UNSURE, /* stored, but may be gone after a power failure */
};

/* In memory shared with the process: what became of it. */
struct push_outcome {
	uint32_t result;	 /* enum push_result */
	uint8_t id[DIGEST_SIZE]; /* of the table, known before it is stored */
	uint32_t status;	 /* HTTP, unless stored */
	char word[WORD_SIZE];
	char detail[DETAIL_SIZE];
};

/* Judges the chain of SIZE bytes at MESSAGE against LISTS at NOW and stores its list. */
void push_take(const uint8_t *message, size_t size, X509 *root, time_t now, struct lists *lists,
	       struct push_outcome *out);

/* The child of a fork: gives up what it does not need, takes the list of the chain MEMFD, exits. */
_Noreturn void push_process(int memfd, X509 *root, struct lists *lists, struct push_outcome *out);

#endif

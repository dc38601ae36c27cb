/*
 * The revocation lists in force, in memory: what the directory holds, or held: a file that somebody
 * takes away is no reason to forget what was revoked.
 */
#ifndef VMM_AUTH_LISTS_H
#define VMM_AUTH_LISTS_H

#include "store.h"
#include "verify.h"

struct list {
	struct table table;
	struct store_mark mark; /* of the file that it was read from */
};

struct lists {
	int directory;
	uint64_t generation; /* of the one announced last; 0: none was */
	uint64_t bytes;	     /* of memory, in all */
	struct list *list;   /* sorted by id */
	size_t count, room;
	bool settled;		/* all that was in the directory at LOOKED is here */
	struct timespec looked; /* the directory's time then */
	/* A list came that is new here. */
	void (*taken)(void *arg, const struct table *table);
	void *arg;
};

/*
 * Takes what is new in the directory since the last time; cheap when nothing is. FIRST: also
 * removes what was left unfinished. False with WHY, a sentence: then what is revoked is not known.
 */
bool lists_refresh(struct lists *lists, bool first, struct refusal *why);
/* The one with ID, NULL: none. */
const struct table *lists_find(const struct lists *lists, const uint8_t id[DIGEST_SIZE]);
/* What the lists of the top delegation that SCOPE is in (the root's own: no delegation) cost,
 * without the one with ID. */
uint64_t lists_cost(const struct lists *lists, const struct path *scope,
		    const uint8_t id[DIGEST_SIZE]);
/* For struct revocation; ARG is the lists. */
bool lists_revoked(void *arg, const struct path *scope, const EVP_PKEY *key,
		   const ASN1_INTEGER *serial);

#endif

/*
 * Revocation lists as vmm_auth tells them: labels in a sealed memfd. Those of the last while are
 * kept, for a chain may have been judged, in a process of its own, before its issuer's list came.
 */
#ifndef VMM_REVOCATIONS_H
#define VMM_REVOCATIONS_H

#include <stdint.h>
#include <sys/types.h>

#include "path.h"

/* A judging process of vmm_auth lives 20 s at most; its word may then wait here. */
#define REVOCATIONS_KEPT_US (60ll * 1000000)
/* Beyond so many lists, or bytes in all, the oldest go sooner. */
#define REVOCATIONS_MAX	      256
#define REVOCATIONS_BYTES_MAX (64u << 20)

struct revocation {
	struct revocation *next;
	int64_t told_us;
	uint64_t generation; /* as revocations_generation has it */
	struct path scope;
	size_t count;
	const struct label *labels; /* mapped, sorted; NULL when there are none */
};

struct revocations {
	struct revocation *first; /* the newest */
	uint64_t forgotten; /* a chain held against lists older than this has to be held again */
};

/*
 * Maps the memfd FD, which stays the caller's, with COUNT labels; NULL with *PROBLEM, a phrase,
 * when it is not what vmm_auth has to send, or without memory.
 */
struct revocation *revocation_map(int fd, size_t count, const struct path *scope,
				  const char **problem);
void revocation_free(struct revocation *list);
/* The node of PATH that LIST takes back; NULL: none. */
const struct node *revocation_matches(const struct revocation *list, const struct path *path);

/* "dan was revoked by alice", why what is at PATH or below ends, into OUT. */
void revocation_say(const struct revocation *list, const struct path *path, char *out, size_t size);

/* Keeps LIST, which becomes its own, told at NOW_US; forgets what is too much with it. */
void revocations_keep(struct revocations *lists, struct revocation *list, uint64_t generation,
		      int64_t now_us);
/* Forgets those that were told REVOCATIONS_KEPT_US before NOW_US. */
void revocations_forget_old(struct revocations *lists, int64_t now_us);
/* A list told lately that takes a node of PATH back; NULL: none. */
const struct revocation *revocations_find(const struct revocations *lists, const struct path *path);
/*
 * GENERATION as the vmm_auth that was the TERM-th in office counts it, in one order with those of
 * all others: each held its chains against all that was stored in the terms before.
 */
uint64_t revocations_generation(uint32_t term, uint64_t generation);

#endif

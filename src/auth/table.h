/*
 * One revocation list as it is stored: what the issuer with a certain path and key took back. A
 * table is one block of bytes, the file's; it is read once and looked up in memory, because a
 * mapped file could be cut short under us.
 *
 *   "vmm-revoked\n", format 1, the issuer's key, the list's number, the issuer's path,
 *   the labels taken back, sorted, SHA-256 of all that
 *
 * Pure: no file, no clock.
 */
#ifndef VMM_AUTH_TABLE_H
#define VMM_AUTH_TABLE_H

#include "crl.h"
#include "request.h"

/* A top delegation's tables together, in files of whole blocks. */
#define TABLES_MAX	(UINT64_C(64) << 20)
#define TABLE_BLOCK	4096
#define TABLE_NAME_SIZE (2 * DIGEST_SIZE + 1)

struct table {
	uint8_t id[DIGEST_SIZE]; /* SHA-256 of the path's labels and the key: the file's name */
	struct path scope;	 /* the issuer's */
	uint8_t key[DIGEST_SIZE];
	uint8_t number[CRL_NUMBER_SIZE];
	uint32_t count;
	const struct label *label; /* inside of BYTES */
	uint8_t *bytes;
	size_t size;
};

/* Makes LIST of the issuer at SCOPE with KEY a table, to be freed; false: no memory. */
bool table_make(const struct path *scope, const uint8_t key[DIGEST_SIZE], const struct crl *list,
		struct table *out);
/* Takes BYTES (from malloc) over; false with WHY, a phrase, when they are no table. */
bool table_open(uint8_t *bytes, size_t size, struct table *out, struct refusal *why);
void table_free(struct table *table);

void table_id(const struct path *scope, const uint8_t key[DIGEST_SIZE], uint8_t out[DIGEST_SIZE]);
void table_name(const uint8_t id[DIGEST_SIZE], char out[TABLE_NAME_SIZE]);
bool table_holds(const struct table *table, const struct label *label);
/* The number's lowest 64 bits. */
uint64_t table_number(const struct table *table);
/* What a table of SIZE bytes counts for. */
uint64_t table_cost(size_t size);

#endif

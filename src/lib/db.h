/*
 * An issuer's .db: what it signed, one line a certificate: the serial number in decimal, a space,
 * the name. vmm_ca reuses the serial of a name that is signed again, vmm_client turns names into
 * labels and back. A revoked certificate's line is taken out.
 *
 * All functions that may fail return false and fill WHY with one line that names file and line.
 */
#ifndef VMM_DB_H
#define VMM_DB_H

#include <openssl/asn1.h>

#include "path.h"
#include "policy.h"

#define DB_SIZE_MAX (64u << 20)

struct db_entry {
	ASN1_INTEGER *serial; /* positive, at most 20 bytes */
	struct label label;
	char name[NAME_SIZE]; /* checked with name_problem */
};

/* In the order of the file. No serial is there twice; a name may be, in files of other tools. */
struct db {
	struct db_entry *entry;
	size_t count;
};

/* Reads the file at PATH; to be freed. A file that is absent is an error, an empty one is not. */
bool db_load(const char *path, struct db *out, struct refusal *why);
/* TEXT as db_load reads it from PATH. */
bool db_parse(const char *path, const char *text, size_t len, struct db *out, struct refusal *why);
void db_free(struct db *db);

/* The first entry called NAME; with AFTER the next one past it. NULL: none. */
const struct db_entry *db_find_name(const struct db *db, const char *name,
				    const struct db_entry *after);
/* Likewise for a label that starts with TEXT, LEN (6 to 64) hex digits. */
const struct db_entry *db_find_prefix(const struct db *db, const char *text, size_t len,
				      const struct db_entry *after);
/* The entry of exactly that label, of that serial; NULL: none. */
const struct db_entry *db_find_label(const struct db *db, const struct label *label);
const struct db_entry *db_find_serial(const struct db *db, const ASN1_INTEGER *serial);

/* Appends a line; refused when SERIAL is there already or NAME breaks the grammar. */
bool db_add(struct db *db, const ASN1_INTEGER *serial, const char *name, struct refusal *why);
/* Takes every line of NAME out; how many they were. */
size_t db_retire(struct db *db, const char *name);
/* The file's text, of *LEN bytes and NUL-terminated; to be freed with free(). NULL: no memory. */
char *db_format(const struct db *db, size_t *len);

/*
 * Opens PATH, made empty (0666 less the umask) when absent, and waits until nobody else holds it.
 * The descriptor, whose closing lets go; -1 with WHY. PATH may be replaced by rename while it is
 * held: the next holder sees the new file.
 */
int db_lock(const char *path, struct refusal *why);

#endif

/*
 * The directory of stored revocation lists: one file a table, called by its id. A file is replaced
 * as a whole or not at all, so that whatever fails, and whenever this is killed, the old set is
 * there or the new one. Another vmm_auth may work on the same directory: a predecessor's last
 * process.
 */
#ifndef VMM_AUTH_STORE_H
#define VMM_AUTH_STORE_H

#include <sys/stat.h>

#include "table.h"

/* Which file was read: it changes when the list does. */
struct store_mark {
	ino_t inode;
	struct timespec changed;
};

/*
 * Calls VISIT for every list in DIRECTORY until it returns false. CLEAN: removes what writers left
 * unfinished. False when VISIT said so, or with WHY when the directory cannot be read.
 */
bool store_each(int directory, bool clean, bool (*visit)(void *arg, const char *name), void *arg,
		struct refusal *why);
/* What NAME is now; 0 or -errno. */
int store_look(int directory, const char *name, struct store_mark *out);
/* Reads and checks the list NAME, to be freed; false with WHY, a sentence that names the file. */
bool store_read(int directory, const char *name, struct table *out, struct store_mark *mark,
		struct refusal *why);

enum stored {
	STORED,
	STORED_UNSURELY, /* it is there, but may be gone after a power failure */
	STORED_NOT,	 /* what was there is there */
	STORED_NEWER,	 /* what is there has this number or a higher one */
};

/* Puts TABLE in its place; WHY for anything but STORED. */
enum stored store_write(int directory, const struct table *table, struct refusal *why);

#endif

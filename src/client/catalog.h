/*
 * What can be completed: names that the server knows. Asked for beside everything else and told to
 * nobody; what is in it may be a moment old. Prints nothing.
 */
#ifndef VMM_CATALOG_H
#define VMM_CATALOG_H

#include <jansson.h>

#include "names.h"
#include "output.h"
#include "session.h"

enum known { KNOWN_VM, KNOWN_DELEGATION, KNOWN_VOLUME };

struct known_name {
	enum known kind;
	bool running; /* a VM */
	char *word;   /* as it is typed: shown, and between quotes where it needs them */
};

struct catalog {
	struct known_name *name;
	size_t count, room;
	struct exchange whoami, vms, volumes; /* under way */
	bool asking;
	bool stale;	 /* to be asked for again */
	bool may_info;	 /* the certificate permits to ask for VMs, */
	bool may_volume; /* for volumes */
};

/* WORD (at most NAMES_PATH_SIZE + 2 bytes) is PATH for a command line; false: it needs quotes of
 * both kinds. */
bool catalog_quote(const char *path, char *word);
/* What the server answered; NULL: nothing. */
struct catalog_answers {
	json_t *whoami, *vms, *volumes; /* of GET /, /vms and /volumes */
};
/* Replaces what is known by what ANSWERS have, but for names that OUTPUT would not show as they
 * are. */
void catalog_fill(struct catalog *catalog, const struct names *names, const struct output *output,
		  const struct catalog_answers *answers);
const struct known_name *catalog_find(const struct catalog *catalog, const char *word);
/* Takes what came, asks again when it is stale. Does not wait. */
void catalog_turn(struct catalog *catalog, struct session *session, const struct names *names,
		  const struct output *output);
/* After the session's end. */
void catalog_free(struct catalog *catalog);

#endif

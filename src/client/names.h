/*
 * What VMs are called here: the issuer's .db (--db) translates between the server's labels and the
 * names its owner gave. Without one the server's names are shown, and it looks up what is typed.
 */
#ifndef VMM_NAMES_H
#define VMM_NAMES_H

#include <stdbool.h>

#include "db.h"

/* A path as label digits at most: every node's whole label and what joins them. */
#define NAMES_PATH_SIZE \
	(PATH_TEXT_SIZE > PATH_DEPTH_MAX * 65 ? PATH_TEXT_SIZE : PATH_DEPTH_MAX * 65)

struct names {
	struct db db; /* empty without --db */
};

/*
 * The name to show for a VM that the server calls PATH (names joined with '/') and LABEL (digits
 * joined with '.'): node by node the .db's name, else the server's.
 */
void names_show(const struct names *names, const char *path, const char *label,
		char out[NAMES_PATH_SIZE]);
/* Likewise for what a person TYPED: names as they are, label prefixes by their .db name. */
void names_show_typed(const struct names *names, const char *typed, char out[NAMES_PATH_SIZE]);

/* Likewise for a volume, whose LABEL is its delegation's: its own name is nobody's but its own. */
void names_show_volume(const struct names *names, const char *path, const char *label,
		       char out[NAMES_PATH_SIZE]);

enum names_result {
	NAMES_FOUND,   /* at least one node of it is in the .db: OUT has the label there */
	NAMES_UNKNOWN, /* none is: OUT is TYPED, for the server to look up */
	NAMES_REFUSED, /* too long, ambiguous, or no name: WHY has one line */
};

/* What to ask the server for when a person TYPED this. */
enum names_result names_find(const struct names *names, const char *typed,
			     char out[NAMES_PATH_SIZE], struct refusal *why);
/* Likewise for a volume. */
enum names_result names_find_volume(const struct names *names, const char *typed,
				    char out[NAMES_PATH_SIZE], struct refusal *why);

#endif

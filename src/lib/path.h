/*
 * Names, labels and paths: how delegations, VMs and volumes are called.
 *
 * A certificate's label is the SHA-256 of the magnitude of its serial number, a path is the nodes
 * from the top delegation down. People see names joined with '/', or label prefixes joined with
 * '.'. Pure functions; doc/identity.md has the rules.
 */
#ifndef VMM_PATH_H
#define VMM_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LABEL_SIZE	 32
#define LABEL_DIGITS_MIN 6
#define LABEL_DIGITS_MAX 64
#define NAME_SIZE	 65 /* 64 bytes of UTF-8 and a NUL */
#define PATH_DEPTH_MAX	 16 /* as many certificates as a chain may hold */
#define PATH_TEXT_SIZE	 (PATH_DEPTH_MAX * NAME_SIZE + 1)

struct label {
	uint8_t byte[LABEL_SIZE];
};

struct node {
	struct label label;
	char name[NAME_SIZE];
};

struct path {
	uint32_t depth; /* 0: the root, which is nobody's VM */
	struct node node[PATH_DEPTH_MAX];
};

/* What is wrong with a name of LEN bytes, as a phrase ("is longer than 64 bytes"); NULL: nothing.
 */
const char *name_problem(const char *name, size_t len);
/* Likewise with a volume's. */
const char *volume_name_problem(const char *name, size_t len);
/* Whether NAME is what comes behind a path in requests, and so nobody's. */
bool name_reserved(const char *name, size_t len);

bool label_equal(const struct label *a, const struct label *b);
/* The first DIGITS hex digits of LABEL and a NUL into OUT (DIGITS + 1 bytes). */
void label_format(const struct label *label, unsigned digits, char *out);
/* Whether TEXT of LEN bytes is 6 to 64 hex digits, either case, that LABEL starts with. */
bool label_matches(const struct label *label, const char *text, size_t len);
/* Hex digits, at least LABEL_DIGITS_MIN, that tell A from B; LABEL_DIGITS_MAX when they are equal.
 */
unsigned label_digits_between(const struct label *a, const struct label *b);

bool path_equal(const struct path *a, const struct path *b);
/* Whether PATH is SCOPE itself or below it, by label. */
bool path_within(const struct path *path, const struct path *scope);
/* PATH's nodes below the first SKIP ones, names joined with '/', into OUT (PATH_TEXT_SIZE bytes).
 */
void path_format(const struct path *path, unsigned skip, char *out);
/*
 * The first DIGITS hex digits of each of PATH's labels, joined with '.', into OUT, which has DIGITS
 * + 1 bytes for each of PATH_DEPTH_MAX.
 */
void path_labels(const struct path *path, unsigned digits, char *out);
/*
 * Whether TEXT, a path as a person writes it relative to the first SKIP nodes, names PATH whole:
 * components joined with '/', each a name or a label prefix; a component that is no name may be
 * several label prefixes joined with '.'. "" and "/" name the scope itself.
 */
bool path_named(const struct path *path, unsigned skip, const char *text);
/* The same with names alone. A text that is somebody's name wins over a label that starts so: look
 * with this one first. */
bool path_named_by_names(const struct path *path, unsigned skip, const char *text);

#endif

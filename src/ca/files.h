/*
 * Files in and out. What a command writes appears whole or not at all: its files are collected in
 * memory, then all written beside their destinations, then all put in place.
 */
#ifndef CA_FILES_H
#define CA_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

#define OUTPUTS_MAX 8

struct blob {
	uint8_t *data;
	size_t size;
};

/* All of the regular file at PATH, at most MAX bytes; to be freed with free(). */
bool file_read(const char *path, size_t max, struct blob *out, struct refusal *why);
/* Whether something is at PATH, a dangling symbolic link included. */
bool file_exists(const char *path);
/* STEM followed by SUFFIX into OUT (PATH_MAX bytes). */
bool file_name(const char *stem, const char *suffix, char *out, struct refusal *why);

/* PATH without SUFFIX, with which it ends, into OUT (PATH_MAX bytes). */
bool file_stem(const char *path, const char *suffix, char *out, struct refusal *why);

enum output_kind {
	OUTPUT_REPLACE, /* a regular file that is there is replaced */
	OUTPUT_NEW,	/* nothing may be there */
	OUTPUT_KEY,	/* likewise, and only the owner may read it: mode 0400 */
};

struct output {
	char path[PATH_MAX];
	char staged[PATH_MAX]; /* where it is written first */
	uint8_t *data;
	size_t size;
	enum output_kind kind;
	bool fresh; /* nothing was there */
};

/* Begins zeroed; ends with outputs_end. */
struct outputs {
	unsigned count;
	struct output file[OUTPUTS_MAX];
};

/* Collects a copy of SIZE bytes for PATH, where KIND must allow it. */
bool outputs_add(struct outputs *outputs, const char *path, enum output_kind kind, const void *data,
		 size_t size, struct refusal *why);
/*
 * Writes all, puts them in place in the order in which they were added. When one fails, the new
 * ones go again.
 */
bool outputs_commit(struct outputs *outputs, struct refusal *why);
void outputs_end(struct outputs *outputs);

#endif

/*
 * The command line. Looks at words alone: no file is opened here.
 */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"

struct options {
	const char *db; /* NULL: none */
	bool json, force, help, version;
	const char **command; /* of -c, in order; to be freed with options_free */
	size_t ncommands;
	const char *ca, *bundle, *key;
	struct endpoint server;
};

/* What --help prints, before the commands. */
extern const char options_help[];

/*
 * Words of ARGV are kept, not copied; ARGV is permuted. False with one line in WHY that says what
 * is wrong. With HELP or VERSION nothing else is looked at.
 */
bool options_parse(int argc, char **argv, struct options *out, struct refusal *why);
void options_free(struct options *options);

#endif

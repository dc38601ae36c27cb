/*
 * Command lines: a table of options per command is parsed into one structure and printed by --help.
 */
#ifndef CA_ARGS_H
#define CA_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

#define ITEMS_MAX 1024 /* an option given several times; positional arguments */
#define DAYS_MAX  36500

struct number {
	bool given;
	uint32_t value;
};

struct items {
	size_t count;
	const char *item[ITEMS_MAX];
};

/* Every option of every command; what was not given is zero. Points into argv. */
struct args {
	const char *dir, *name, *key, *issuer, *issuer_key, *ca, *db, *image;
	struct number days, path_length, vms, memory, storage;
	struct items cpu, bridge, permission, net, block, arg, server;
	bool force, compress, detached, expiring, help;
	struct items rest;
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_ITEMS };

struct option {
	const char *name;  /* without its dashes; NULL ends a table */
	const char *value; /* what --help calls it */
	const char *help;  /* NULL: not shown */
	enum option_kind kind;
	size_t offset; /* in struct args */
	uint32_t min, max;
};

#define FLAG(n, field, h)                                                   \
	{                                                                   \
		n, NULL, h, OPTION_FLAG, offsetof(struct args, field), 0, 0 \
	}
#define TEXT(n, field, v, h)                                             \
	{                                                                \
		n, v, h, OPTION_TEXT, offsetof(struct args, field), 0, 0 \
	}
#define NUMBER(n, field, v, low, high, h)                                       \
	{                                                                       \
		n, v, h, OPTION_NUMBER, offsetof(struct args, field), low, high \
	}
#define ITEMS(n, field, v, h)                                             \
	{                                                                 \
		n, v, h, OPTION_ITEMS, offsetof(struct args, field), 0, 0 \
	}
#define OPTIONS_END                                    \
	{                                              \
		NULL, NULL, NULL, OPTION_FLAG, 0, 0, 0 \
	}

/*
 * TEXT as a decimal number within MIN and MAX: digits only, no sign, space or leading zero. False
 * with WHY, which names FIELD and both bounds. All integers of a command line come through here.
 */
bool number_parse(const char *field, const char *text, uint32_t min, uint32_t max, uint32_t *out,
		  struct refusal *why);

/* Parses ARGV (a NULL-terminated list) by OPTIONS. Options stand anywhere before a "--". */
bool args_parse(const struct option *options, char **argv, struct args *out, struct refusal *why);
/* One line an option to standard output. */
void args_help(const struct option *options);

#endif

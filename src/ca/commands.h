/*
 * The commands: one constant each, listed in main.c's table.
 */
#ifndef CA_COMMANDS_H
#define CA_COMMANDS_H

#include "args.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *arguments; /* of the usage line */
	const char *summary;   /* one line of "help" */
	const char *text;      /* of its own --help */
	const struct option *options;
	size_t rest_min, rest_max; /* positional arguments */
	/* An exit status; WHY is filled unless it is EXIT_DONE. */
	int (*run)(const struct args *args, struct refusal *why);
};

extern const struct command command_init, command_server, command_delegation, command_command,
    command_vm, command_sign, command_revoke, command_show, command_list;

#endif

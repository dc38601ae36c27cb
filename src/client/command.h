/*
 * The commands of a session with a command certificate. One table drives dispatch, help and
 * completion; a command is a row and its function.
 */
#ifndef VMM_COMMAND_H
#define VMM_COMMAND_H

#include "client.h"
#include "words.h"

/* What a command's arguments can be completed to. */
enum completes {
	COMPLETES_NOTHING,
	COMPLETES_ANY,
	COMPLETES_ANY_RUNNING, /* VMs, and delegations */
	COMPLETES_VM,
	COMPLETES_RUNNING,
	COMPLETES_ATTACHED,
	COMPLETES_VOLUME, /* and delegations; the first argument alone */
};

struct command {
	const char *name;
	const char *arguments; /* for help: "[PATH]" */
	const char *option;    /* the only one it has; NULL: none */
	enum completes completes;
	const char *summary;
	int least, most; /* arguments */
	/* Tells its failures itself; WORDS has name and arguments. */
	void (*run)(struct client *client, const struct words *words);
};

/* Ended by a row without a name. */
extern const struct command commands[];

/* Runs LINE, which it takes apart. An empty one is no command. */
void command_run(struct client *client, char *line);
/* Their names and arguments, a line each: for --help, and by it for completion in a shell. */
void commands_print(FILE *to);
/* The row of NAME; NULL: none. */
const struct command *command_find(const char *name);

void cmd_info(struct client *client, const struct words *words);
void cmd_attach(struct client *client, const struct words *words);
void cmd_detach(struct client *client, const struct words *words);
void cmd_destroy(struct client *client, const struct words *words);
void cmd_log(struct client *client, const struct words *words);
void cmd_statistics(struct client *client, const struct words *words);
void cmd_top(struct client *client, const struct words *words);
void cmd_volumes(struct client *client, const struct words *words);
void cmd_create_block(struct client *client, const struct words *words);
void cmd_destroy_block(struct client *client, const struct words *words);
void cmd_upload_block(struct client *client, const struct words *words);
void cmd_dump_block(struct client *client, const struct words *words);
void cmd_quota(struct client *client, const struct words *words);
void cmd_help(struct client *client, const struct words *words);
void cmd_quit(struct client *client, const struct words *words);

#endif

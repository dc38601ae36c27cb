/*
 * The commands of a session with a command certificate. One table drives dispatch, help and
 * completion; a command is a row and its function.
 */
#ifndef VMM_COMMAND_H
#define VMM_COMMAND_H

#include "client.h"
#include "words.h"

struct command {
	const char *name;
	const char *arguments; /* for help: "[PATH]" */
	const char *summary;
	int least, most; /* arguments */
	/* Tells its failures itself; WORDS has name and arguments. */
	void (*run)(struct client *client, const struct words *words);
};

/* Ended by a row without a name. */
extern const struct command commands[];

/* Runs LINE, which it takes apart. An empty one is no command. */
void command_run(struct client *client, char *line);
/* For completion: name number N of those that START begins; NULL past the last. */
const char *command_starting(const char *start, size_t n);

void cmd_info(struct client *client, const struct words *words);
void cmd_attach(struct client *client, const struct words *words);
void cmd_detach(struct client *client, const struct words *words);
void cmd_destroy(struct client *client, const struct words *words);
void cmd_help(struct client *client, const struct words *words);
void cmd_quit(struct client *client, const struct words *words);

/* Frees consoles whose stream is over. After it, whether any is attached. */
bool consoles_open(struct client *client);
/* Ends all of them; SAY: a line each. */
void consoles_detach(struct client *client, bool say);

#endif

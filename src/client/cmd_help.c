/*
 * help and quit: what needs no server.
 */
#include "command.h"

void cmd_help(struct client *client, const struct words *words)
{
	(void)words;
	for (const struct command *command = commands; command->name; command++)
		fprintf(client->out.to, "%-8s%-8s%s\n", command->name, command->arguments,
			command->summary);
}

void cmd_quit(struct client *client, const struct words *words)
{
	(void)words;
	client->quit = true;
}

/*
 * help and quit: what needs no server.
 */
#include "command.h"

void commands_print(FILE *to)
{
	for (const struct command *command = commands; command->name; command++)
		fprintf(to, "  %s%s%s\n", command->name, *command->arguments ? " " : "",
			command->arguments);
}

void cmd_help(struct client *client, const struct words *words)
{
	(void)words;
	for (const struct command *command = commands; command->name; command++) {
		json_t *row = client->options->json
				  ? json_pack("{s:s, s:s, s:s}", "command", command->name,
					      "arguments", command->arguments, "summary",
					      command->summary)
				  : NULL;
		if (row)
			client_print_json(client, row);
		else
			fprintf(client->out.to, "%-15s%-14s%s\n", command->name, command->arguments,
				command->summary);
		json_decref(row);
	}
}

void cmd_quit(struct client *client, const struct words *words)
{
	(void)words;
	client->quit = true;
}

/*
 * The table of commands, and finding a line's row in it. What a command does is in its own file.
 */
#include "command.h"

#include <string.h>

const struct command commands[] = {
    {"info", "[PATH]", NULL, COMPLETES_ANY, "the VMs here, or those at PATH", 0, 1, cmd_info},
    {"log", "[-f] [SINCE]", "-f", COMPLETES_NOTHING,
     "what happened, since a time or -600s; -f: and what will", 0, 2, cmd_log},
    {"attach", "PATH", NULL, COMPLETES_VM, "shows PATH's console, what was printed and will be", 1,
     1, cmd_attach},
    {"detach", "PATH", NULL, COMPLETES_ATTACHED, "shows it no longer", 1, 1, cmd_detach},
    {"destroy", "PATH", NULL, COMPLETES_RUNNING, "ends the VM", 1, 1, cmd_destroy},
    {"statistics", "[PATH]", NULL, COMPLETES_ANY_RUNNING,
     "what the VMs here, or those at PATH, use", 0, 1, cmd_statistics},
    {"top", "[PATH]", NULL, COMPLETES_ANY_RUNNING,
     "the same as a table that goes on; ? in it says more", 0, 1, cmd_top},
    {"volumes", "[PATH]", NULL, COMPLETES_VOLUME, "the volumes here, or those at PATH", 0, 1,
     cmd_volumes},
    {"create-block", "PATH MB", NULL, COMPLETES_VOLUME, "makes a volume of so many MB, all zeros",
     2, 2, cmd_create_block},
    {"destroy-block", "PATH", NULL, COMPLETES_VOLUME, "ends the volume, and what is in it", 1, 1,
     cmd_destroy_block},
    {"upload-block", "PATH FILE", NULL, COMPLETES_VOLUME, "fills the volume with FILE", 2, 2,
     cmd_upload_block},
    {"dump-block", "PATH FILE", NULL, COMPLETES_VOLUME, "copies the volume into a new FILE", 2, 2,
     cmd_dump_block},
    {"quota", "", NULL, COMPLETES_NOTHING, "what is granted, used and free", 0, 0, cmd_quota},
    {"help", "", NULL, COMPLETES_NOTHING, "this list", 0, 0, cmd_help},
    {"quit", "", NULL, COMPLETES_NOTHING, "ends the session; so does Ctrl-D", 0, 0, cmd_quit},
    {NULL, NULL, NULL, COMPLETES_NOTHING, NULL, 0, 0, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

void command_run(struct client *client, char *line)
{
	struct words words;
	struct refusal why;

	if (!words_split(line, &words, &why)) {
		client_fail(client, STATUS_REFUSED, "%s", why.text);
		return;
	}
	if (words.count == 0)
		return;
	const char *name = words.word[0];
	const struct command *command = command_find(name);
	if (command && words.count - 1 >= command->least && words.count - 1 <= command->most)
		command->run(client, &words);
	else if (command)
		client_fail(client, STATUS_REFUSED, "%s: wanted is: %s%s%s", name, name,
			    *command->arguments ? " " : "", command->arguments);
	else
		client_fail(client, STATUS_REFUSED, "%s: no such command; help lists them", name);
}

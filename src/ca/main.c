/*
 * vmm_ca makes keys, requests, certificates and revocations, and shows what a certificate says.
 * Everything happens in the user's own files: no daemon, no network. This file only finds the
 * command; each has its own.
 *
 * Exit status: 0 done, 1 refused, 2 usage.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "token.h"

static const struct command *const commands[] = {
    &command_init, &command_server, &command_delegation, &command_command, &command_vm,
    &command_sign, &command_revoke, &command_show,	 &command_list,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	fprintf(stderr, "vmm_ca: there is no command '%.64s'; vmm_ca help lists them\n", name);
	return EXIT_USAGE;
}

static int command_help(const struct command *command)
{
	printf("usage: vmm_ca %s %s\n\n%s\n", command->name, command->arguments, command->text);
	if (command->options->name != NULL) {
		printf("\n");
		args_help(command->options);
	}
	return EXIT_DONE;
}

static int help(const char *name)
{
	const struct command *command;

	if (name != NULL) {
		command = command_find(name);
		return command == NULL ? unknown_command(name) : command_help(command);
	}
	printf("usage: vmm_ca COMMAND [ARGUMENT]...\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-12s %s\n\n", "help", "explain a command");
	printf("vmm_ca COMMAND --help says more. Exit status: 0 done, 1 refused, 2 usage.\n");
	return EXIT_DONE;
}

static int command_run(const struct command *command, char **argv)
{
	static struct args args;
	struct refusal why = {{0}};
	int status = EXIT_USAGE;

	if (args_parse(command->options, argv, &args, &why)) {
		if (args.help)
			return command_help(command);
		if (args.rest.count < command->rest_min || args.rest.count > command->rest_max)
			refusal_say(
			    &why,
			    "%zu arguments beside the options, not %zu; vmm_ca %s --help says more",
			    command->rest_min, args.rest.count, command->name);
		else
			status = command->run(&args, &why);
		tokens_end();
	}
	if (status == EXIT_DONE && (fflush(stdout) != 0 || ferror(stdout))) {
		status = EXIT_REFUSED;
		refusal_say(&why, "standard output: cannot be written");
	}
	if (status == EXIT_USAGE)
		fprintf(stderr, "vmm_ca %s: %s\n", command->name, why.text);
	else if (status != EXIT_DONE)
		fprintf(stderr, "vmm_ca: %s\n", why.text);
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command;

	/* A file that may not grow is an error like a full disk, not a death halfway. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		fprintf(stderr, "vmm_ca: which command? vmm_ca help lists them\n");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return help(argv[2]);
	if (strcmp(argv[1], "--version") == 0) {
		printf("vmm_ca %s\n", VMM_VERSION);
		return EXIT_DONE;
	}
	command = command_find(argv[1]);
	return command == NULL ? unknown_command(argv[1]) : command_run(command, argv + 2);
}

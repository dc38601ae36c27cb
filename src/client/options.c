/*
 * Options and arguments of vmm_client. Prints nothing itself.
 */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>

const char options_help[] =
    "usage: vmm_client [--db FILE] [--json] [-c COMMAND]... [--force]\n"
    "                  CACERT BUNDLE KEY HOST:PORT\n"
    "\n"
    "Talks to a vmmd. What it does depends on the first certificate in BUNDLE:\n"
    "  a VM certificate          starts the VM that is in it\n"
    "  a revocation certificate  hands its list to the server\n"
    "  a command certificate     runs the -c commands, or those typed at the prompt\n"
    "\n"
    "  CACERT          the CA's certificate; it signed the server's, directly\n"
    "  BUNDLE          the certificate to log in with, then its issuers; no CA\n"
    "  KEY             its private key: a file, or a pkcs11: URI\n"
    "  HOST:PORT       where vmmd is; [IPV6]:PORT for an address\n"
    "  -c COMMAND      runs COMMAND instead of prompting; several run in order\n"
    "  --db FILE       the issuer's .db: names to call VMs by\n"
    "  --json          prints the server's objects, one a line\n"
    "  --force         replaces the VM when it is running already\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 refused, 2 usage, 3 cannot connect, 4 TLS or certificate\n"
    "\n"
    "The commands, which -c help explains:\n";

enum { OPTION_DB = 256, OPTION_JSON, OPTION_FORCE, OPTION_IMAGE, OPTION_HELP, OPTION_VERSION };

static const struct option long_options[] = {
    {"db", required_argument, NULL, OPTION_DB},
    {"json", no_argument, NULL, OPTION_JSON},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"image", required_argument, NULL, OPTION_IMAGE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* getopt says ':' for an argument that is missing, '?' for everything else. */
static bool say_wrong(int option, char *const *argv, struct refusal *why)
{
	const char *problem = option == ':' ? "wants an argument"
					    : "no such option, or it takes no argument";
	if (optopt > 0 && optopt < OPTION_DB)
		return refusal_say(why, "-%c: %s", optopt, problem);
	return refusal_say(why, "%s: %s", argv[optind - 1], problem);
}

static bool take_option(int option, char *const *argv, struct options *out, struct refusal *why)
{
	switch (option) {
	case 'c':
		out->command[out->ncommands++] = optarg;
		break;
	case OPTION_DB:
		out->db = optarg;
		break;
	case OPTION_JSON:
		out->json = true;
		break;
	case OPTION_FORCE:
		out->force = true;
		break;
	case OPTION_HELP:
		out->help = true;
		break;
	case OPTION_VERSION:
		out->version = true;
		break;
	case OPTION_IMAGE:
		return refusal_say(why, "--image: detached images are not in this version");
	default:
		return say_wrong(option, argv, why);
	}
	return true;
}

static bool take_arguments(char *const *argument, int count, struct options *out,
			   struct refusal *why)
{
	if (count != 4)
		return refusal_say(why, "%d arguments, but CACERT BUNDLE KEY HOST:PORT are wanted",
				   count);
	out->ca = argument[0];
	out->bundle = argument[1];
	out->key = argument[2];
	return endpoint_parse(argument[3], &out->server, why);
}

bool options_parse(int argc, char **argv, struct options *out, struct refusal *why)
{
	int option;

	*out = (struct options){.command = calloc((size_t)argc + 1, sizeof(char *))};
	if (!out->command)
		return refusal_say(why, "no memory");
	optind = 0; /* from the start, whoever called getopt before */
	while ((option = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1)
		if (!take_option(option, argv, out, why))
			return false;
	if (out->help || out->version)
		return true;
	return take_arguments(argv + optind, argc - optind, out, why);
}

void options_free(struct options *options)
{
	free(options->command);
}

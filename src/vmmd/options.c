/* Reads the command line; what it names is opened elsewhere. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"
#include "unprivileged.h"

static const char help[] =
    "usage: vmmd --ca cacert.pem --cert server.pem --key server.key [OPTION]...\n"
    "Runs virtual machines for whoever holds a certificate that says so; see vmmd(8).\n\n"
    "  --ca FILE            the certificate authority that everybody's chain ends in\n"
    "  --cert FILE          this host's certificate, signed by it\n"
    "  --key FILE           and its private key\n"
    "  --listen ADDR:PORT   where to serve, up to 8 times (default [::]:1025, or what\n"
    "                       a service manager hands over)\n"
    "  --run-dir DIR        sockets, records and consoles, in memory (default /run/vmm)\n"
    "  --state-dir DIR      what outlives a reboot: revocations (default /var/lib/vmm)\n"
    "  --volume-dir DIR     where volumes are (default \"volumes\" in the state directory)\n"
    "  --storage KIND       refuse another than this: dir, btrfs or zfs\n"
    "  --create-bridges     make external bridges that are not there, too\n"
    "  --max-memory MB      for all VMs together (default the host's, less a reserve)\n"
    "  --uid-base N         first of the uids for roles and VMs (default 0x70000000)\n"
    "  --log-file FILE      append the event log to it, too; SIGHUP opens it anew\n"
    "  --syslog             and send it to syslog\n"
    "  --stats-interval SECONDS\n"
    "                       between two readings of each VM (default 10)\n"
    "  -n                   check everything, start nothing\n"
    "  -v                   say more\n"
    "  --help, --version\n";

_Noreturn static void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void usage_error(const char *format, ...)
{
	va_list args;

	fputs("vmmd: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(" (vmmd --help tells the options)\n", stderr);
	exit(2);
}

static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (*text < '0' || *text > '9' || *end != 0 || value < least || value > most)
		usage_error("%s: \"%s\" is not a number from %llu to %llu", option, text,
			    (unsigned long long)least, (unsigned long long)most);
	return value;
}

enum {
	CA = 256,
	CERT,
	KEY,
	LISTEN,
	RUN_DIR,
	STATE_DIR,
	VOLUME_DIR,
	STORAGE,
	CREATE_BRIDGES,
	MAX_MEMORY,
	UID_BASE,
	LOG_FILE,
	SYSLOG,
	STATS_INTERVAL,
	HELP,
	VERSION
};

/* Where an option's value is kept as it is given; NULL: it is not. */
static const char **place_of(struct options *o, int option)
{
	switch (option) {
	case CA:
		return &o->ca;
	case CERT:
		return &o->cert;
	case KEY:
		return &o->key;
	case RUN_DIR:
		return &o->run_dir;
	case STATE_DIR:
		return &o->state_dir;
	case VOLUME_DIR:
		return &o->volume_dir;
	case STORAGE:
		return &o->storage;
	case LOG_FILE:
		return &o->log_file;
	default:
		return NULL;
	}
}

static void take(struct options *o, int option)
{
	const char **place = place_of(o, option);

	if (place)
		*place = optarg;
	switch (option) {
	case LISTEN:
		if (o->nlisten == LISTEN_MAX)
			usage_error("--listen: at most %d addresses", LISTEN_MAX);
		o->listen[o->nlisten++] = optarg;
		break;
	case CREATE_BRIDGES:
		o->create_bridges = true;
		break;
	case MAX_MEMORY:
		o->max_memory_mb = number("--max-memory", optarg, 1, POLICY_NUMBER_MAX);
		break;
	case UID_BASE:
		o->uid_base = (uint32_t)number("--uid-base", optarg, 65536, 0x7fe00000);
		break;
	case SYSLOG:
		o->syslog = true;
		break;
	case STATS_INTERVAL:
		o->stats_interval = (uint32_t)number("--stats-interval", optarg, 1, 3600);
		break;
	case 'n':
		o->check = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case HELP:
		fputs(help, stdout);
		exit(0);
	case VERSION:
		puts("vmmd " VMM_VERSION);
		exit(0);
	}
}

void options_read(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
	    {"ca", required_argument, NULL, CA},
	    {"cert", required_argument, NULL, CERT},
	    {"key", required_argument, NULL, KEY},
	    {"listen", required_argument, NULL, LISTEN},
	    {"run-dir", required_argument, NULL, RUN_DIR},
	    {"state-dir", required_argument, NULL, STATE_DIR},
	    {"volume-dir", required_argument, NULL, VOLUME_DIR},
	    {"storage", required_argument, NULL, STORAGE},
	    {"create-bridges", no_argument, NULL, CREATE_BRIDGES},
	    {"max-memory", required_argument, NULL, MAX_MEMORY},
	    {"uid-base", required_argument, NULL, UID_BASE},
	    {"log-file", required_argument, NULL, LOG_FILE},
	    {"syslog", no_argument, NULL, SYSLOG},
	    {"stats-interval", required_argument, NULL, STATS_INTERVAL},
	    {"help", no_argument, NULL, HELP},
	    {"version", no_argument, NULL, VERSION},
	    {NULL, 0, NULL, 0},
	};
	int option;

	*out = (struct options){.run_dir = "/run/vmm",
				.state_dir = "/var/lib/vmm",
				.uid_base = 0x70000000,
				.stats_interval = 10};
	if (geteuid() != 0) {
		out->run_dir = unprivileged_run_dir();
		out->state_dir = unprivileged_state_dir();
	}
	opterr = 0; /* one line is enough, and it is ours */
	while ((option = getopt_long(argc, argv, ":nv", options, NULL)) != -1) {
		if (option == '?' && optopt)
			usage_error("-%c is not an option", optopt);
		if (option == '?')
			usage_error("%s is not an option", argv[optind - 1]);
		if (option == ':')
			usage_error("%s: its value is missing", argv[optind - 1]);
		take(out, option);
	}
	if (optind < argc)
		usage_error("\"%s\" is not an option", argv[optind]);
	if (!out->ca || !out->cert || !out->key)
		usage_error("%s is missing", !out->ca ? "--ca" : !out->cert ? "--cert" : "--key");
}

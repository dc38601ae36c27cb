/*
 * Bridges, taps and rules (src/os/interfaces.h, src/os/tap_rules.h), driven by tests/e2e through
 * pipes: a line is a command, a line answers it. Numbers are what the functions return. It holds
 * the taps that it made, by the numbers of their descriptors.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interfaces.h"
#include "tap_rules.h"

#define FRAME_MAX 16384
#define WORDS	  6

static unsigned number(const char *word)
{
	return strtoul(word, NULL, 10);
}

static size_t unhex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;
	unsigned byte;

	while (n < size && sscanf(text + 2 * n, "%2x", &byte) == 1)
		out[n++] = byte;
	return n;
}

static void tell_interface(int error, const struct interface *i)
{
	static const char *const kinds[] = {"bridge", "tap", "other"};

	if (error < 0)
		printf("%d\n", error);
	else
		printf("0 %d %s %u %d %d\n", i->index, kinds[i->kind], i->mtu, i->up, i->master);
}

static void find(char **word)
{
	struct interface found = {0};

	tell_interface(interface_find(word[1], &found), &found);
}

static void make_bridge(char **word)
{
	struct interface made = {0};

	tell_interface(bridge_make(word[1], number(word[2]) != 0, &made), &made);
}

static void remove_bridge(char **word)
{
	printf("%d\n", bridge_remove(word[1], (int)number(word[2])));
}

/* NAME INDEX MTU: of a bridge, as it may be or not. */
static void make_tap(char **word)
{
	struct interface bridge = {.index = (int)number(word[2]), .mtu = number(word[3])};
	int fd = -1, error = tap_make(word[1], &bridge, &fd);

	printf("%d %d\n", error, fd);
}

static void let_up(char **word)
{
	printf("%d\n", tap_up(word[1]));
}

static void remove_tap(char **word)
{
	printf("%d\n", tap_remove(word[1]));
}

static void let_go(char **word)
{
	printf("%d\n", close((int)number(word[1])));
}

/* FD FRAME: how many bytes of it were taken. */
static void send_frame(char **word)
{
	static uint8_t frame[FRAME_MAX];
	size_t n = word[2] ? unhex(word[2], frame, sizeof(frame)) : 0;
	ssize_t sent = write((int)number(word[1]), frame, n);

	printf("%d\n", sent < 0 ? -errno : (int)sent);
}

/* FD: a frame, or nothing if there is none. */
static void receive(char **word)
{
	static uint8_t frame[FRAME_MAX];
	ssize_t n = read((int)number(word[1]), frame, sizeof(frame));

	for (ssize_t i = 0; i < n; i++)
		printf("%02x", frame[i]);
	printf("\n");
}

/* TAP MAC [FIRST LAST [DROPPED]] */
static void install(char **word)
{
	struct tap_rules rules = {.tap = word[1], .ranged = word[3] != NULL};

	unhex(word[2], rules.mac, sizeof(rules.mac));
	if (rules.ranged) {
		unhex(word[3], rules.first, sizeof(rules.first));
		unhex(word[4], rules.last, sizeof(rules.last));
		rules.dropped = word[5] ? number(word[5]) : 0;
	}
	printf("%d\n", tap_rules_install(&rules));
}

static void remove_rules(char **word)
{
	printf("%d\n", tap_rules_remove(word[1]));
}

static void there(char **word)
{
	printf("%d\n", tap_rules_there(word[1]));
}

static void tell_drops(void *arg, const char *tap, uint64_t frames)
{
	(void)arg;
	printf(" %s=%llu", tap, (unsigned long long)frames);
}

static void drops(char **word)
{
	int error = tap_rules_drops(tell_drops, NULL);

	(void)word;
	printf(" %d\n", error);
}

static void possible(char **word)
{
	(void)word;
	printf("%d\n", tap_rules_possible());
}

static void watch(char **word)
{
	(void)word;
	printf("%d\n", tap_rules_watch());
}

static void tell_removed(void *arg, const char *table)
{
	(void)arg;
	printf("%s ", table ? table : "-");
}

/* FD: tables that were removed; "-" where some were missed. */
static void removed(char **word)
{
	tap_rules_removed((int)number(word[1]), tell_removed, NULL);
	printf("\n");
}

static const struct command {
	const char *name;
	void (*run)(char **word);
	int words; /* at least */
} commands[] = {
    {"find", find, 1},	     {"bridge", make_bridge, 2},  {"unbridge", remove_bridge, 2},
    {"tap", make_tap, 3},    {"up", let_up, 1},		  {"untap", remove_tap, 1},
    {"close", let_go, 1},    {"send", send_frame, 1},	  {"receive", receive, 1},
    {"rules", install, 2},   {"unrule", remove_rules, 1}, {"there", there, 1},
    {"drops", drops, 0},     {"possible", possible, 0},	  {"watch", watch, 0},
    {"removed", removed, 1},
};

static void run(char *line)
{
	char *word[WORDS + 1] = {NULL}, *rest = NULL;
	int n = 0;

	for (char *at = strtok_r(line, " \n", &rest); at && n < WORDS;
	     at = strtok_r(NULL, " \n", &rest))
		word[n++] = at;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (n > commands[i].words && word[0] && strcmp(word[0], commands[i].name) == 0)
			commands[i].run(word);
	fflush(stdout);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		run(line);
	free(line);
	return 0;
}

/*
 * attach and detach: consoles that are shown as they are written, while other commands go on.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "format.h"

struct console {
	struct console *next;
	struct client *client;
	struct exchange exchange;
	char name[NAMES_PATH_SIZE]; /* as shown */
	bool ended;		    /* the server said so, or it makes no sense to go on */
};

static void on_line(void *arg, const char *line, size_t len)
{
	struct console *console = arg;
	struct client *client = console->client;
	enum console_entry kind;

	if (console->ended)
		return;
	json_t *entry = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	if (!entry) {
		client_fail(client, STATUS_CONNECT, "console %s: the server sent no JSON",
			    console->name);
		console->ended = true;
		return;
	}
	prompt_hide(&client->prompt);
	kind = console_entry(entry);
	if (client->options->json)
		client_print_json(client, entry);
	else
		format_console(&client->out, console->name, entry);
	console->ended = kind == CONSOLE_DETACHED || kind == CONSOLE_ENDED;
	json_decref(entry);
}

static struct console **console_find(struct client *client, const char *name)
{
	struct console **at = &client->consoles;
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void console_free(struct console **at)
{
	struct console *console = *at;
	*at = console->next;
	session_forget(&console->client->session, &console->exchange);
	exchange_free(&console->exchange);
	free(console);
}

static struct console *console_new(struct client *client, const char *name)
{
	struct console *console = calloc(1, sizeof(*console));
	if (!console)
		return NULL;
	console->client = client;
	console->exchange.line = on_line;
	console->exchange.arg = console;
	snprintf(console->name, sizeof(console->name), "%s", name);
	return console;
}

bool consoles_open(struct client *client)
{
	struct console **at = &client->consoles;
	while (*at) {
		struct console *console = *at;
		if (!console->ended && !console->exchange.over) {
			at = &console->next;
			continue;
		}
		if (!console->ended)
			client_fail(client, STATUS_CONNECT,
				    "console %s: the server ended it without saying why",
				    console->name);
		console_free(at);
	}
	return client->consoles != NULL;
}

void consoles_detach(struct client *client, bool say)
{
	while (client->consoles) {
		if (say) {
			prompt_hide(&client->prompt);
			fputs("console ", client->out.to);
			output_text(&client->out, client->consoles->name);
			fputs(": detached\n", client->out.to);
		}
		console_free(&client->consoles);
	}
}

void cmd_attach(struct client *client, const struct words *words)
{
	char name[NAMES_PATH_SIZE];
	const char *typed = words->word[1];

	consoles_open(client);
	names_show_typed(&client->names, typed, name);
	if (*console_find(client, name)) {
		client_fail(client, STATUS_REFUSED, "%s: attached already", name);
		return;
	}
	struct console *console = console_new(client, name);
	if (!console) {
		client_fail(client, STATUS_REFUSED, "no memory");
		return;
	}
	console->next = client->consoles;
	client->consoles = console;
	if (!client_ask(client, "GET", typed, "/console?follow", &console->exchange))
		console_free(console_find(client, name));
}

void cmd_detach(struct client *client, const struct words *words)
{
	char name[NAMES_PATH_SIZE];

	consoles_open(client);
	names_show_typed(&client->names, words->word[1], name);
	struct console **at = console_find(client, name);
	if (!*at) {
		client_fail(client, STATUS_REFUSED, "%s: not attached", name);
		return;
	}
	console_free(at);
	if (!client->options->json)
		fputs("success\n", client->out.to);
}

/*
 * Loops around commands: they run one after the other, streams beside them.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "complete.h"
#include "progress.h"
#include "stream.h"
#include "transfer.h"

/* Ctrl-C ends what goes on or is being typed; twice, with nothing in between, the session. */
static void interrupted(struct client *client)
{
	bool person = prompt_active(&client->prompt);
	transfers_hide(client);
	bool busy = prompt_cancel(&client->prompt) || client->streams || client->transfers;

	streams_end(client, person);
	transfers_end(client);
	client->quit = client->interrupted && !busy;
	if (person && !busy && !client->quit)
		fputs("Ctrl-C again ends the session; so do Ctrl-D and quit\n", client->out.to);
	client->interrupted = true;
}

/* A turn without an answer to wait for brought this. */
static void turned(struct client *client, enum turn turn)
{
	switch (turn) {
	case TURN_OVER:
		client_turned(client, turn, &client->session.why);
		break;
	case TURN_INTERRUPT:
		interrupted(client);
		break;
	case TURN_TERMINATE:
	case TURN_NO_OUTPUT:
		client->quit = true;
		break;
	case TURN_INPUT:
		client->interrupted = false;
		transfers_hide(client);
		prompt_show(&client->prompt);
		prompt_read(&client->prompt);
		break;
	case TURN_ON:
	case TURN_TIMEOUT:
		break;
	}
}

/* How long a turn may be: while there is something to show, not long. */
static int turn_ms(const struct client *client)
{
	return client->transfers ? PROGRESS_EVERY_MS : -1;
}

/* Until the last transfer, and the last stream, ended, or was ended. */
static void watch(struct client *client, bool streams)
{
	for (;;) {
		bool open = transfers_open(client) || (streams_open(client) && streams);

		if (client->quit || !open)
			return;
		transfers_show(client);
		turned(client, session_turn(&client->session, -1, STDOUT_FILENO, turn_ms(client)));
	}
}

void run_commands(struct client *client)
{
	for (size_t i = 0; i < client->options->ncommands && !client->quit; i++) {
		char *line = strdup(client->options->command[i]);
		if (line)
			command_run(client, line);
		else
			client_fail(client, STATUS_REFUSED, "no memory");
		free(line);
		watch(client, true);
	}
}

static bool may(const json_t *whoami, const char *what)
{
	size_t i;
	json_t *permission;

	json_array_foreach(json_object_get(whoami, "permissions"), i, permission)
	{
		const char *word = json_string_value(permission);
		if (word && (strcmp(word, "all") == 0 || strcmp(word, what) == 0))
			return true;
	}
	return false;
}

/* Whether the server lets us in, said before anything is typed. */
static bool is_welcome(struct client *client)
{
	struct exchange exchange = {0};
	bool welcome = client_request(client, "GET", "/", &exchange);
	json_t *whoami = welcome ? client_json(client, &exchange) : NULL;

	client->catalog.stale = true;
	client->catalog.may_info = prompt_active(&client->prompt) && may(whoami, "info");
	client->catalog.may_volume = prompt_active(&client->prompt) && may(whoami, "block");
	json_decref(whoami);
	exchange_free(&exchange);
	return welcome;
}

/* The prompt, or in its place, while nothing is typed, how far a transfer is. */
static void show(struct client *client)
{
	if (prompt_active(&client->prompt) && !client->prompt.typing && !client->prompt.plain &&
	    transfers_due(client)) {
		prompt_hide(&client->prompt);
		fflush(stdout);
		transfers_show(client);
	} else {
		prompt_show(&client->prompt);
	}
}

static void read_lines(struct client *client)
{
	while (!client->quit) {
		/* Lines of a script are one after the other. */
		if (!prompt_active(&client->prompt))
			watch(client, false);
		transfers_open(client);
		streams_open(client);
		catalog_turn(&client->catalog, &client->session, &client->names, &client->out);
		char *line = prompt_line(&client->prompt);
		if (line) {
			command_run(client, line);
			client->catalog.stale = true;
		} else if (client->prompt.ended) {
			break;
		} else {
			show(client);
			turned(client, session_turn(&client->session, STDIN_FILENO, STDOUT_FILENO,
						    turn_ms(client)));
		}
		free(line);
	}
}

void run_input(struct client *client)
{
	prompt_open(&client->prompt, complete_word, client);
	bool person = prompt_active(&client->prompt);
	if (is_welcome(client)) {
		read_lines(client);
		if (!person)
			watch(client, true);
		/* A person saw what was refused. */
		if (person && client->status == STATUS_REFUSED)
			client->status = STATUS_DONE;
		if (person && client->prompt.ended)
			fputc('\n', client->out.to);
	}
	prompt_close(&client->prompt);
}

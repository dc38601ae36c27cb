/*
 * Loops around commands: they run one after the other, streams beside them.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "complete.h"
#include "stream.h"

/* Ctrl-C ends what goes on or is being typed; twice, with nothing in between, the session. */
static void interrupted(struct client *client)
{
	bool person = prompt_active(&client->prompt);
	bool busy = prompt_cancel(&client->prompt) || client->streams;

	streams_end(client, person);
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
		prompt_read(&client->prompt);
		break;
	case TURN_ON:
	case TURN_TIMEOUT:
		break;
	}
}

/* Until the last stream ended, or was ended. */
static void watch_streams(struct client *client)
{
	while (!client->quit && streams_open(client))
		turned(client, session_turn(&client->session, -1, STDOUT_FILENO, -1));
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
		watch_streams(client);
	}
}

/* Without permission for it, names are not asked for. */
static bool may_list(const json_t *whoami)
{
	size_t i;
	json_t *permission;

	json_array_foreach(json_object_get(whoami, "permissions"), i, permission)
	{
		const char *word = json_string_value(permission);
		if (word && (strcmp(word, "all") == 0 || strcmp(word, "info") == 0))
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
	client->catalog.may_ask = prompt_active(&client->prompt) && may_list(whoami);
	json_decref(whoami);
	exchange_free(&exchange);
	return welcome;
}

static void read_lines(struct client *client)
{
	while (!client->quit) {
		streams_open(client);
		catalog_turn(&client->catalog, &client->session, &client->names, &client->out);
		char *line = prompt_line(&client->prompt);
		if (line) {
			command_run(client, line);
			client->catalog.stale = true;
		} else if (client->prompt.ended) {
			break;
		} else {
			prompt_show(&client->prompt);
			turned(client,
			       session_turn(&client->session, STDIN_FILENO, STDOUT_FILENO, -1));
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
			watch_streams(client);
		/* A person saw what was refused. */
		if (person && client->status == STATUS_REFUSED)
			client->status = STATUS_DONE;
		if (person && client->prompt.ended)
			fputc('\n', client->out.to);
	}
	prompt_close(&client->prompt);
}

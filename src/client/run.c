/*
 * Loops around commands: they run one after the other, consoles beside them.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

/* A turn without an answer to wait for brought this. */
static void turned(struct client *client, enum turn turn)
{
	switch (turn) {
	case TURN_OVER:
		client_turned(client, turn, &client->session.why);
		break;
	case TURN_INTERRUPT:
		prompt_cancel(&client->prompt);
		consoles_detach(client, prompt_active(&client->prompt));
		break;
	case TURN_TERMINATE:
	case TURN_NO_OUTPUT:
		client->quit = true;
		break;
	case TURN_INPUT:
		prompt_read(&client->prompt);
		break;
	case TURN_ON:
	case TURN_TIMEOUT:
		break;
	}
}

/* Until the last console ended, or was ended. */
static void watch_consoles(struct client *client)
{
	while (!client->quit && consoles_open(client))
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
		watch_consoles(client);
	}
}

static const char *complete(void *arg, bool first, const char *start, size_t n)
{
	const struct client *client = arg;
	const struct db *db = &client->names.db;

	if (first)
		return command_starting(start, n);
	for (size_t i = 0; i < db->count; i++)
		if (strncmp(db->entry[i].name, start, strlen(start)) == 0 && n-- == 0)
			return db->entry[i].name;
	return NULL;
}

/* Whether the server lets us in, said before anything is typed. */
static bool is_welcome(struct client *client)
{
	struct exchange exchange = {0};
	struct refusal why;
	enum turn turn = TURN_OVER;

	if (session_send(&client->session, &exchange, "GET", "/"))
		turn = session_await(&client->session, &exchange, &why);
	else
		why = client->session.why;
	client_turned(client, turn, &why);
	bool welcome = turn == TURN_ON && exchange.status == 200;
	if (turn == TURN_ON && !welcome)
		client_refused(client, &exchange);
	exchange_free(&exchange);
	return welcome;
}

static void read_lines(struct client *client)
{
	while (!client->quit) {
		consoles_open(client);
		char *line = prompt_line(&client->prompt);
		if (line)
			command_run(client, line);
		else if (client->prompt.ended)
			break;
		else {
			prompt_show(&client->prompt);
			turned(client,
			       session_turn(&client->session, STDIN_FILENO, STDOUT_FILENO, -1));
		}
		free(line);
	}
}

void run_input(struct client *client)
{
	prompt_open(&client->prompt, complete, client);
	bool person = prompt_active(&client->prompt);
	if (is_welcome(client)) {
		read_lines(client);
		if (!person)
			watch_consoles(client);
		/* A person saw what was refused. */
		if (person && client->status == STATUS_REFUSED)
			client->status = STATUS_DONE;
		if (person && client->prompt.ended)
			fputc('\n', client->out.to);
	}
	prompt_close(&client->prompt);
}

/*
 * attach and detach: consoles that are shown as they are written, while other commands go on.
 */
#include "command.h"
#include "stream.h"

void cmd_attach(struct client *client, const struct words *words)
{
	char name[NAMES_PATH_SIZE];
	const char *typed = words->word[1];

	names_show_typed(&client->names, typed, name);
	struct stream *stream = stream_add(client, STREAM_CONSOLE, name);
	if (stream &&
	    !client_ask(client, ASK_VM, "GET", typed, "/console?follow", &stream->exchange))
		stream_drop(stream);
}

void cmd_detach(struct client *client, const struct words *words)
{
	char name[NAMES_PATH_SIZE];

	streams_open(client);
	names_show_typed(&client->names, words->word[1], name);
	struct stream *stream = stream_find(client, STREAM_CONSOLE, name);
	if (!stream) {
		client_fail(client, STATUS_REFUSED, "%s: not attached", name);
		return;
	}
	stream_drop(stream);
	client_success(client, words->word[0]);
}

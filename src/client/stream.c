/*
 * The list of streams, and what becomes of an entry. How one looks is in format.c.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

/* What comes first in a line about it. */
static void say_which(const struct output *output, enum stream_kind kind, const char *name)
{
	fputs(kind == STREAM_CONSOLE ? "console " : "log", output->to);
	output_styled(output, STYLE_NAME, name);
}

void stream_show(struct client *client, enum stream_kind kind, const char *name,
		 const json_t *entry)
{
	client_quiet(client);
	if (client->options->json)
		client_print_json(client, entry);
	else if (kind == STREAM_CONSOLE)
		format_console(&client->out, name, entry);
	else
		format_log(&client->out, &client->names, entry);
}

static void fail(struct stream *stream, const char *what)
{
	bool console = stream->kind == STREAM_CONSOLE;
	client_fail(stream->client, STATUS_CONNECT, "%s%s: %s", console ? "console " : "log",
		    stream->name, what);
	stream->ended = true;
}

/* Whether a stream ends as it should: its VM did, or another session took it. */
static bool is_orderly(const json_t *entry)
{
	const char *why = json_string_value(json_object_get(entry, "detached"));
	return json_is_object(json_object_get(entry, "ended")) ||
	       (why && strcmp(why, "attached elsewhere") == 0);
}

static void on_line(void *arg, const char *line, size_t len)
{
	struct stream *stream = arg;
	enum stream_entry kind;

	if (stream->ended)
		return;
	json_t *entry = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	if (!entry) {
		fail(stream, "the server sent no JSON");
		return;
	}
	kind = stream_entry(entry);
	stream->ended = kind == STREAM_DETACHED || kind == STREAM_ENDED;
	stream_show(stream->client, stream->kind, stream->name, entry);
	if (stream->ended && !is_orderly(entry) && stream->client->status < STATUS_REFUSED)
		stream->client->status = STATUS_REFUSED;
	json_decref(entry);
}

struct stream *stream_find(const struct client *client, enum stream_kind kind, const char *name)
{
	struct stream *stream = client->streams;
	while (stream && (stream->kind != kind || strcmp(stream->name, name) != 0))
		stream = stream->next;
	return stream;
}

static void stream_free(struct stream **at)
{
	struct stream *stream = *at;

	*at = stream->next;
	session_forget(&stream->client->session, &stream->exchange);
	exchange_free(&stream->exchange);
	free(stream);
}

void stream_drop(struct stream *stream)
{
	struct stream **at = &stream->client->streams;

	while (*at != stream)
		at = &(*at)->next;
	stream_free(at);
}

struct stream *stream_add(struct client *client, enum stream_kind kind, const char *name)
{
	streams_open(client);
	if (stream_find(client, kind, name)) {
		client_fail(client, STATUS_REFUSED, "%s: %s already",
			    kind == STREAM_CONSOLE ? name : "log -f",
			    kind == STREAM_CONSOLE ? "attached" : "goes on");
		return NULL;
	}
	struct stream *stream = calloc(1, sizeof(*stream));
	if (!stream) {
		client_fail(client, STATUS_REFUSED, "no memory");
		return NULL;
	}
	stream->client = client;
	stream->kind = kind;
	stream->exchange.line = on_line;
	stream->exchange.arg = stream;
	snprintf(stream->name, sizeof(stream->name), "%s", name);
	stream->next = client->streams;
	client->streams = stream;
	return stream;
}

bool streams_open(struct client *client)
{
	struct stream **at = &client->streams;

	while (*at) {
		struct stream *stream = *at;
		if (!stream->ended && stream->exchange.over)
			fail(stream, "the server ended it without saying why");
		if (stream->ended)
			stream_free(at);
		else
			at = &stream->next;
	}
	return client->streams != NULL;
}

void streams_end(struct client *client, bool say)
{
	while (client->streams) {
		const struct stream *stream = client->streams;
		if (say && !client->options->json) {
			client_quiet(client);
			say_which(&client->out, stream->kind, stream->name);
			fputs(": detached\n", client->out.to);
		}
		stream_free(&client->streams);
	}
}

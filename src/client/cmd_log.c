/*
 * log: the event log, what is kept of it, and with -f what will be.
 */
#include <string.h>

#include "command.h"
#include "percent.h"
#include "stream.h"

#define SINCE_SIZE 192 /* three times what any time takes */

/* The words after log, in any order, as a target; false: told what is wrong. */
static bool target_make(struct client *client, const struct words *words, bool *follow,
			char *target, size_t size)
{
	const char *since = NULL;
	char value[SINCE_SIZE];

	*follow = false;
	for (int i = 1; i < words->count; i++) {
		if (strcmp(words->word[i], "-f") == 0) {
			*follow = true;
		} else if (!since) {
			since = words->word[i];
		} else {
			client_fail(client, STATUS_REFUSED, "log: wanted is: log [-f] [SINCE]");
			return false;
		}
	}
	percent_value(since ? since : "", value, sizeof(value));
	snprintf(target, size, "/log%s%s%s%s", since || *follow ? "?" : "", since ? "since=" : "",
		 value, *follow ? (since ? "&follow" : "follow") : "");
	return true;
}

static void log_follow(struct client *client, const char *target)
{
	struct stream *stream = stream_add(client, STREAM_LOG, "");
	if (stream && !client_request(client, "GET", target, &stream->exchange))
		stream_drop(stream);
}

/* BODY is taken apart. False: told. */
static bool entries_show(struct client *client, char *body)
{
	char *rest = NULL;

	for (char *line = strtok_r(body, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_t *entry = json_loads(line, JSON_ALLOW_NUL, NULL);
		if (!entry) {
			client_fail(client, STATUS_CONNECT, "log: the server sent no JSON");
			return false;
		}
		stream_show(client, STREAM_LOG, "", entry);
		json_decref(entry);
	}
	return true;
}

static void log_show(struct client *client, const char *target)
{
	struct exchange exchange = {0};

	if (client_request(client, "GET", target, &exchange) &&
	    (!exchange.body || entries_show(client, exchange.body)) && !client->options->json)
		client_success(client, "log");
	exchange_free(&exchange);
}

void cmd_log(struct client *client, const struct words *words)
{
	char target[SINCE_SIZE + 32];
	bool follow;

	if (!target_make(client, words, &follow, target, sizeof(target)))
		return;
	if (follow)
		log_follow(client, target);
	else
		log_show(client, target);
}

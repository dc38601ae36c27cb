/*
 * Failures, requests and JSON as all commands do them. Knows no command.
 */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "percent.h"
#include "transfer.h"

void client_quiet(struct client *client)
{
	transfers_hide(client);
	prompt_hide(&client->prompt);
}

void client_fail(struct client *client, enum status status, const char *format, ...)
{
	struct refusal why;
	va_list args;

	va_start(args, format);
	vsnprintf(why.text, sizeof(why.text), format, args);
	va_end(args);
	client_quiet(client);
	fflush(client->out.to);
	output_styled(&client->err, STYLE_FAILED, "failed");
	fputc(' ', client->err.to);
	output_text(&client->err, why.text);
	fputc('\n', client->err.to);
	if (status > client->status)
		client->status = status;
}

enum status client_refusal(const struct client *client, const struct exchange *exchange,
			   struct refusal *why)
{
	json_t *problem = json_loadb(exchange->body ? exchange->body : "", exchange->size, 0, NULL);
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	enum status status = STATUS_REFUSED;

	if (detail) {
		snprintf(why->text, sizeof(why->text), "%s", detail);
	} else if (exchange->status >= 400) {
		refusal_say(why, "the server answers HTTP %d", exchange->status);
	} else {
		refusal_say(why, "%s: no whole answer (HTTP %d)", client->session.authority,
			    exchange->status);
		status = STATUS_CONNECT;
	}
	json_decref(problem);
	return status;
}

void client_refused(struct client *client, const struct exchange *exchange)
{
	struct refusal why;
	enum status status = client_refusal(client, exchange, &why);

	client_fail(client, status, "%s", why.text);
}

void client_turned(struct client *client, enum turn turn, const struct refusal *why)
{
	switch (turn) {
	case TURN_OVER:
		client_fail(client, client->session.status, "%s", why->text);
		client->quit = true;
		break;
	case TURN_TIMEOUT:
		client_fail(client, STATUS_CONNECT, "%s", why->text);
		client->quit = true;
		break;
	case TURN_INTERRUPT:
	case TURN_TERMINATE:
		client_fail(client, STATUS_REFUSED, "%s", why->text);
		/* At the prompt, Ctrl-C is for the command alone. */
		client->interrupted = true;
		client->quit = turn == TURN_TERMINATE || !prompt_active(&client->prompt);
		break;
	case TURN_ON:
	case TURN_INPUT:
	case TURN_NO_OUTPUT:
		break;
	}
}

/* One request, waited for; false: told why there is no answer. */
static bool exchange_with(struct client *client, const char *method, const char *target,
			  struct exchange *exchange)
{
	struct refusal why;
	enum turn turn = TURN_OVER;

	if (session_send(&client->session, exchange, method, target))
		turn = session_await(&client->session, exchange, &why);
	else
		why = client->session.why;
	client_turned(client, turn, &why);
	return turn == TURN_ON;
}

bool client_granted(const struct exchange *exchange)
{
	return exchange->status >= 200 && exchange->status < 300 &&
	       (exchange->complete || exchange->line);
}

/* Whether the answer is yes; else it is told. */
static bool is_granted(struct client *client, const struct exchange *exchange)
{
	if (client_granted(exchange))
		return true;
	client_refused(client, exchange);
	return false;
}

bool client_request(struct client *client, const char *method, const char *target,
		    struct exchange *exchange)
{
	return exchange_with(client, method, target, exchange) && is_granted(client, exchange);
}

static bool exchange_at(struct client *client, enum client_asked what, const char *method,
			const char *path, const char *suffix, struct exchange *exchange,
			char target[CLIENT_TARGET_SIZE])
{
	char encoded[PERCENT_PATH_SIZE];

	percent_path(path, encoded, sizeof(encoded));
	snprintf(target, CLIENT_TARGET_SIZE, "/%s%s%s", what == ASK_VM ? "vms" : "volumes", encoded,
		 suffix);
	return exchange_with(client, method, target, exchange);
}

bool client_ask_at(struct client *client, enum client_asked what, const char *method,
		   const char *typed, const char *suffix, struct exchange *exchange,
		   char target[CLIENT_TARGET_SIZE])
{
	char path[NAMES_PATH_SIZE];
	struct refusal why;
	enum names_result found = what == ASK_VOLUME
				      ? names_find_volume(&client->names, typed, path, &why)
				      : names_find(&client->names, typed, path, &why);

	if (found == NAMES_REFUSED) {
		client_fail(client, STATUS_REFUSED, "%s", why.text);
		return false;
	}
	if (!exchange_at(client, what, method, path, suffix, exchange, target))
		return false;
	/* What the .db calls so may not run while the server knows another by that name. */
	if (exchange->status == 404 && found == NAMES_FOUND &&
	    !exchange_at(client, what, method, typed, suffix, exchange, target))
		return false;
	return is_granted(client, exchange);
}

bool client_ask(struct client *client, enum client_asked what, const char *method,
		const char *typed, const char *suffix, struct exchange *exchange)
{
	char target[CLIENT_TARGET_SIZE];

	return client_ask_at(client, what, method, typed, suffix, exchange, target);
}

json_t *client_json(struct client *client, const struct exchange *exchange)
{
	json_error_t error;
	json_t *json = json_loadb(exchange->body ? exchange->body : "", exchange->size,
				  JSON_ALLOW_NUL, &error);
	if (!json)
		client_fail(client, STATUS_CONNECT, "%s: the answer is no JSON: %s",
			    client->session.authority, error.text);
	return json;
}

void client_print_json(struct client *client, const json_t *object)
{
	/* 15 digits, as the server writes: more would be a number that it did not say. */
	json_dumpf(object, client->out.to,
		   JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
	fputc('\n', client->out.to);
}

void client_list(struct client *client, enum client_asked what, const char *typed,
		 const char *suffix, client_format *format, const char *none)
{
	struct exchange exchange = {0};
	size_t i;
	json_t *object, *list = NULL;

	if (client_ask(client, what, "GET", typed, suffix, &exchange))
		list = client_json(client, &exchange);
	json_array_foreach(list, i, object)
	{
		if (client->options->json)
			client_print_json(client, object);
		else
			format(&client->out, &client->names, object);
	}
	if (list && json_array_size(list) == 0 && prompt_active(&client->prompt))
		fprintf(client->out.to, "%s\n", none);
	json_decref(list);
	exchange_free(&exchange);
}

void client_success(struct client *client, const char *done)
{
	json_t *object = client->options->json ? json_pack("{s:s}", "success", done) : NULL;

	if (object)
		client_print_json(client, object);
	else
		fputs("success\n", client->out.to);
	json_decref(object);
}

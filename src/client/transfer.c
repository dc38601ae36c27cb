/*
 * The list of transfers.
 */
#include "transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "newfile.h"
#include "percent.h"
#include "progress.h"
#include "source.h"

/* Without any progress; that much a server may have to write to its disk at the end. */
#define PATIENCE_MS    300000
#define SHOWN_NAME_MAX 40

struct transfer {
	struct transfer *next;
	struct client *client;
	enum transfer_kind kind;
	const char *command;
	struct exchange exchange;
	char path[NAMES_PATH_SIZE];  /* as it is asked for */
	char typed[NAMES_PATH_SIZE]; /* when that is not there: this is tried; "" */
	struct source source;	     /* of an upload */
	struct newfile *file;	     /* of a dump */
	uint64_t moved;
	int64_t moved_ms;
	struct refusal why; /* it failed here */
	bool failed;
	char title[64];
	struct progress progress;
};

/* Contents. */

static void moved(struct transfer *transfer, size_t size)
{
	transfer->moved += size;
	transfer->moved_ms = clock_ms();
}

static ssize_t on_wanted(void *arg, uint8_t *out, size_t size, bool *last)
{
	struct transfer *transfer = arg;
	ssize_t n = source_read(&transfer->source, out, size);

	if (n < 0) {
		transfer->failed = true;
		refusal_say(&transfer->why, "%s: what is sent cannot be read on: %s",
			    transfer->title,
			    n == -EPIPE ? "it has become shorter" : strerror((int)-n));
		return HTTP2_FAIL;
	}
	moved(transfer, (size_t)n);
	*last = transfer->source.at == transfer->source.size;
	return n;
}

static bool on_bytes(void *arg, const uint8_t *bytes, size_t size)
{
	struct transfer *transfer = arg;

	if (transfer->moved == 0)
		transfer->progress.total = transfer->exchange.announced;
	moved(transfer, size);
	transfer->failed = !newfile_put(transfer->file, bytes, size, &transfer->why);
	return !transfer->failed;
}

/* The beginning. */

static void transfer_send(struct transfer *transfer)
{
	char encoded[PERCENT_PATH_SIZE], target[PERCENT_PATH_SIZE + 64];
	struct exchange *exchange = &transfer->exchange;
	bool upload = transfer->kind == TRANSFER_UPLOAD;

	percent_path(transfer->path, encoded, sizeof(encoded));
	snprintf(target, sizeof(target), "/volumes%s/data", encoded);
	exchange->arg = transfer;
	transfer->moved = 0;
	if (upload) {
		exchange->request = (struct http2_body){.read = on_wanted, .arg = transfer};
		exchange->request_size = transfer->source.size;
		source_rewind(&transfer->source);
	} else {
		exchange->bytes = on_bytes;
	}
	if (!session_send(&transfer->client->session, exchange, upload ? "PUT" : "GET", target))
		exchange->over = true;
}

static bool file_open(struct transfer *transfer, const char *file)
{
	if (transfer->kind == TRANSFER_UPLOAD)
		return source_open(&transfer->source, file, &transfer->why);
	transfer->file = newfile_open(file, &transfer->why);
	return transfer->file != NULL;
}

/* What is typed may be long, or drive a terminal. */
static void title_make(struct transfer *transfer, const char *typed)
{
	bool fits = strlen(typed) <= SHOWN_NAME_MAX &&
		    output_is_plain(&transfer->client->err, typed);

	snprintf(transfer->title, sizeof(transfer->title), "%s%s%s", transfer->command,
		 fits ? " " : "", fits ? typed : "");
}

static void transfer_free(struct transfer *transfer)
{
	session_forget(&transfer->client->session, &transfer->exchange);
	exchange_free(&transfer->exchange);
	source_close(&transfer->source);
	newfile_close(transfer->file);
	free(transfer);
}

void transfer_start(struct client *client, enum transfer_kind kind, const char *command,
		    const char *typed, const char *file)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	enum names_result found;

	if (!transfer) {
		client_fail(client, STATUS_REFUSED, "no memory");
		return;
	}
	transfer->client = client;
	transfer->kind = kind;
	transfer->command = command;
	transfer->source.fd = -1;
	transfer->exchange.over = true;
	transfer->moved_ms = clock_ms();
	title_make(transfer, typed);
	found = names_find_volume(&client->names, typed, transfer->path, &transfer->why);
	if (found == NAMES_FOUND)
		snprintf(transfer->typed, sizeof(transfer->typed), "%s", typed);
	if (found == NAMES_REFUSED || !file_open(transfer, file)) {
		client_fail(client, STATUS_REFUSED, "%s", transfer->why.text);
		transfer_free(transfer);
		return;
	}
	progress_start(&transfer->progress, transfer->title, transfer->source.size);
	transfer_send(transfer);
	transfer->next = client->transfers;
	client->transfers = transfer;
}

/* The end. */

static void say_done(const struct transfer *transfer)
{
	struct client *client = transfer->client;

	client_quiet(client);
	if (!prompt_active(&client->prompt) || client->options->json) {
		client_success(client, transfer->command);
		return;
	}
	/* At a prompt it may be one of several. */
	fputs("success ", client->out.to);
	output_text(&client->out, transfer->title);
	fputc('\n', client->out.to);
}

/* The server has said all; false: it is asked once more. */
static bool answered(struct transfer *transfer)
{
	const struct exchange *exchange = &transfer->exchange;
	struct client *client = transfer->client;

	if (exchange->status == 404 && *transfer->typed) {
		snprintf(transfer->path, sizeof(transfer->path), "%s", transfer->typed);
		*transfer->typed = '\0';
		transfer_send(transfer);
		return false;
	}
	if (exchange->status >= 300)
		client_refused(client, exchange);
	else if (exchange->status < 200 || !exchange->complete)
		client_fail(client, STATUS_CONNECT, "%s: the server broke it off", transfer->title);
	else if (transfer->file && !newfile_keep(transfer->file, &transfer->why))
		client_fail(client, STATUS_REFUSED, "%s", transfer->why.text);
	else
		say_done(transfer);
	return true;
}

/* Whether it is over, which was told. */
static bool is_over(struct transfer *transfer)
{
	struct client *client = transfer->client;

	if (transfer->failed)
		client_fail(client, STATUS_REFUSED, "%s", transfer->why.text);
	else if (client->session.over && !transfer->exchange.complete)
		client_fail(client, client->session.status, "%s: not done: %s", transfer->title,
			    client->session.why.text);
	else if (transfer->exchange.over)
		return answered(transfer);
	else if (clock_ms() - transfer->moved_ms > PATIENCE_MS)
		client_fail(client, STATUS_CONNECT, "%s: nothing has moved for %d s",
			    transfer->title, PATIENCE_MS / 1000);
	else
		return false;
	return true;
}

bool transfers_open(struct client *client)
{
	struct transfer **at = &client->transfers;

	while (*at) {
		struct transfer *transfer = *at;

		if (!is_over(transfer)) {
			at = &transfer->next;
			continue;
		}
		*at = transfer->next;
		transfer_free(transfer);
	}
	return client->transfers != NULL;
}

void transfers_end(struct client *client)
{
	while (client->transfers) {
		struct transfer *transfer = client->transfers;

		client_fail(client, STATUS_REFUSED, "%s: interrupted", transfer->title);
		client->transfers = transfer->next;
		transfer_free(transfer);
	}
}

/* How far it is. */

bool transfers_due(const struct client *client)
{
	return client->transfers && progress_due(&client->transfers->progress);
}

void transfers_show(struct client *client)
{
	if (client->transfers)
		progress_show(&client->transfers->progress, client->transfers->moved);
}

void transfers_hide(struct client *client)
{
	for (struct transfer *t = client->transfers; t; t = t->next)
		progress_end(&t->progress);
}

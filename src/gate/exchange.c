/* Requests from their stream to vmmd, replies back. Decides nothing about permissions. */
#include "exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "dump.h"
#include "feed.h"
#include "handlers.h"
#include "survey.h"
#include "upload.h"

void exchange_problem(struct exchange *x, int status, const char *word, const char *detail)
{
	if (x->answered)
		return;
	x->answered = true;
	upload_close(x->upload);
	survey_close(x->survey);
	x->upload = NULL;
	x->survey = NULL;
	answer_problem(x->stream, status, word, "%s", detail);
}

void exchange_ask(struct exchange *x, uint32_t type, void *body)
{
	struct desk *desk = x->desk;

	if (++desk->last_id == 0)
		desk->last_id = 1;
	x->id = desk->last_id;
	memcpy(body, &x->id, sizeof(x->id)); /* every request's structure begins with it */
	exchange_tell(x, type, body);
}

void exchange_ask_path(struct exchange *x, uint32_t type)
{
	struct msg_vm_path ask = {0};

	memcpy(ask.path, x->path, sizeof(ask.path));
	exchange_ask(x, type, &ask);
}

void exchange_tell(struct exchange *x, uint32_t type, const void *body)
{
	struct desk *desk = x->desk;

	if (outbox_send(&desk->outbox, &desk->session, type, body, NULL) < 0)
		exchange_problem(x, 503, "unavailable", "vmmd does not answer; try again");
}

/* A request comes. */

/* Whether a browser says that another site's page made this request. */
static bool is_cross_site(const struct http2_stream *stream)
{
	const char *site = http2_header(stream, "sec-fetch-site");
	const char *origin = http2_header(stream, "origin");
	const char *authority = http2_header(stream, ":authority");

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	if (!authority)
		authority = http2_header(stream, "host");
	return origin && (!authority || strncasecmp(origin, "https://", 8) != 0 ||
			  strcasecmp(origin + 8, authority) != 0);
}

static void refuse_method(struct exchange *x, const struct route *route, const char *method)
{
	char methods[64], detail[DETAIL_SIZE];

	route_methods(route, methods, sizeof(methods));
	snprintf(detail, sizeof(detail), "%.16s is no method of %s, which has %s", method,
		 route->pattern, methods);
	exchange_problem(x, 400, "bad-request", detail);
}

static void refuse_path(struct exchange *x)
{
	const char *name = route_misnamed(&x->target);
	char detail[DETAIL_SIZE];

	if (!name) {
		exchange_problem(x, 404, "not-found", "there is nothing at this path");
		return;
	}
	snprintf(detail, sizeof(detail), "%s is no name for a volume: it %s", name,
		 name_problem(name, strlen(name)));
	exchange_problem(x, 400, "bad-request", detail);
}

/* Finds the exchange's route, or answers. */
static void request_route(struct exchange *x)
{
	const char *method = http2_header(x->stream, ":method");
	const char *raw = http2_header(x->stream, ":path");
	const char *problem = raw ? target_parse(raw, &x->target) : "the request has no path";
	const struct route *route = NULL;

	if (is_cross_site(x->stream)) {
		exchange_problem(x, 403, "permission", "the request comes from another site");
		return;
	}
	if (problem) {
		exchange_problem(x, 400, "bad-request", problem);
		return;
	}
	switch (route_find(method ? method : "", &x->target, &route, x->path)) {
	case ROUTE_FOUND:
		x->route = route;
		break;
	case ROUTE_METHOD:
		refuse_method(x, route, method ? method : "");
		break;
	case ROUTE_NONE:
		refuse_path(x);
		break;
	}
}

static void check_parameters(struct exchange *x)
{
	const char *stray = x->route ? route_stray_parameter(x->route, &x->target) : NULL;
	char detail[DETAIL_SIZE];

	if (!stray)
		return;
	snprintf(detail, sizeof(detail), "\"%.64s\" is no parameter of %s %s", stray,
		 x->route->method, x->route->pattern);
	exchange_problem(x, 400, "bad-request", detail);
}

static void on_head(void *arg, struct http2_stream *stream)
{
	struct desk *desk = arg;
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x) {
		http2_cancel(stream);
		return;
	}
	x->desk = desk;
	x->stream = stream;
	x->next = desk->exchanges;
	desk->exchanges = x;
	http2_set_user(stream, x);
	if (desk->refused) {
		exchange_problem(x, desk->status, desk->refusal.word, desk->refusal.detail);
		return;
	}
	request_route(x);
	check_parameters(x);
	if (x->route && x->route->body && !x->answered)
		x->route->start(x);
}

static void on_body(void *arg, struct http2_stream *stream, const uint8_t *bytes, size_t size)
{
	struct exchange *x = http2_user(stream);

	(void)arg;
	if (!x || size == 0)
		return;
	if (x->route && x->route->body)
		x->route->body(x, bytes, size);
	else if (x->route && x->route->start == start_start)
		exchange_problem(x, 413, "too-large",
				 "this server takes the image in the certificate, not in a body");
	else
		exchange_problem(x, 400, "bad-request", "this request has no body");
}

static void on_end(void *arg, struct http2_stream *stream)
{
	struct exchange *x = http2_user(stream);

	(void)arg;
	if (!x || !x->route || x->answered)
		return;
	if (x->route->body)
		x->route->body(x, NULL, 0);
	else
		x->route->start(x);
}

static void on_closed(void *arg, struct http2_stream *stream, bool complete)
{
	struct desk *desk = arg;
	struct exchange *x = http2_user(stream);

	if (!x)
		return;
	for (struct exchange **at = &desk->exchanges; *at; at = &(*at)->next) {
		if (*at == x) {
			*at = x->next;
			break;
		}
	}
	desk->answered += complete;
	feed_close(x->feed);
	dump_close(x->dump);
	upload_close(x->upload);
	survey_close(x->survey);
	json_decref(x->json);
	text_free(&x->text);
	free(x);
}

const struct http2_events desk_events = {on_head, on_body, on_end, on_closed};

/* What goes on beside messages. */

int exchange_wants(const struct exchange *x, short *events)
{
	*events = x->upload ? POLLOUT : POLLIN;
	if (x->feed)
		return feed_wants(x->feed);
	if (x->dump)
		return dump_wants(x->dump);
	if (x->survey)
		return survey_wants(x->survey);
	return x->upload ? upload_wants(x->upload) : -1;
}

void exchange_ready(struct exchange *x)
{
	if (x->feed)
		feed_receive(x->feed);
	else if (x->dump)
		dump_receive(x->dump);
	else if (x->survey)
		survey_receive(x);
	else if (x->upload)
		volume_write_ready(x);
}

/* The desk. */

void desk_init(struct desk *desk, struct channel session)
{
	*desk = (struct desk){.session = session};
	outbox_init(&desk->outbox);
}

void desk_refuse(struct desk *desk, int status, const char *word, const char *detail)
{
	desk->refused = true;
	desk->status = status;
	snprintf(desk->refusal.word, sizeof(desk->refusal.word), "%s", word);
	snprintf(desk->refusal.detail, sizeof(desk->refusal.detail), "%s", detail);
	channel_close(&desk->session);
	outbox_clear(&desk->outbox);
	for (struct exchange *x = desk->exchanges; x; x = x->next) {
		if (x->feed)
			feed_end(x->feed, detail);
		if (x->dump)
			dump_abort(x->dump);
		exchange_problem(x, status, word, detail);
	}
}

/* STATUS is vmmd's, of an error. */
static int error_status(uint32_t status)
{
	return status >= 400 && status < 600 ? (int)status : 503;
}

static void session_ended(struct desk *desk, const struct msg_session_end *end)
{
	desk_refuse(desk, error_status(end->status), end->word, end->detail);
}

static void reply_received(struct desk *desk, struct incoming *in)
{
	const struct msg_reply_error *error = &in->body.reply_error;
	struct exchange *x = desk->exchanges;

	while (x && x->id != in->body.id.id) /* every reply's structure begins with it */
		x = x->next;
	if (!x || (x->answered && !x->dump))
		return;
	if (in->type != MSG_REPLY_ERROR)
		x->route->reply(x, in);
	else
		exchange_problem(x, error_status(error->status), error->word, error->detail);
}

bool desk_receive(struct desk *desk)
{
	static struct incoming in;

	/* One pass at a time: the HTTP side must not starve behind a long list. */
	for (int i = 0; i < 64; i++) {
		switch (channel_recv(&desk->session, &in)) {
		case CHANNEL_AGAIN:
			return true;
		case CHANNEL_EOF:
		case CHANNEL_BAD:
			desk_refuse(desk, 503, "unavailable",
				    "vmmd ended this session; connect again");
			return false;
		case CHANNEL_MESSAGE:
			if (in.type == MSG_SESSION_END) {
				session_ended(desk, &in.body.session_end);
				return false;
			}
			reply_received(desk, &in);
			incoming_close(&in);
		}
	}
	return true;
}

void desk_flush(struct desk *desk)
{
	if (desk->outbox.first && desk->session.fd >= 0)
		outbox_flush(&desk->outbox, &desk->session); /* its end is seen by reading */
	if (desk->outbox.first)
		return;
	for (struct exchange *x = desk->exchanges; x; x = x->next) {
		if (x->upload)
			upload_finish(x->upload);
	}
}

bool desk_busy(const struct desk *desk)
{
	for (const struct exchange *x = desk->exchanges; x; x = x->next) {
		if (x->id != 0 || x->answered)
			return true;
	}
	return false;
}

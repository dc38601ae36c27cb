/*
 * top: the statistics as a table that goes on, until a key ends it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "hold.h"
#include "progress.h"
#include "screen.h"
#include "signals.h"

#define TIME_SIZE  24
#define WORRIED_MS 5000 /* without an answer: that is said */
#define WORRIES_MS 1000 /* so often */
#define SCOPE_SIZE NAMES_PATH_SIZE
#define INSTEAD	   "statistics prints the same as lines"

struct top {
	struct client *client;
	struct exchange exchange;
	char target[CLIENT_TARGET_SIZE];
	bool asking;
	int64_t asked_ms, next_ms; /* when it was, or is to be, asked for */
	struct top_rows rows;
	struct top_view view;
	size_t shown; /* rows that there is room for */
	char scope[SCOPE_SIZE], time[TIME_SIZE];
	bool troubled; /* the last answer was none: */
	struct refusal trouble;
	bool leave;
	enum turn end; /* why, and in words */
	struct refusal why;
};

static void time_say(char out[TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm utc;

	strftime(out, TIME_SIZE, "%H:%M:%S UTC", gmtime_r(&now, &utc));
}

/* What came, in order. */
static void rows_take(struct top *top, const json_t *list)
{
	top->troubled = !top_rows_take(&top->rows, list, &top->client->names, &top->client->out);
	if (top->troubled)
		refusal_say(&top->trouble, "no memory");
	top_rows_sort(&top->rows, top->view.sort, top->view.reverse);
	time_say(top->time);
}

/* Rows, or why there are none; and when to ask again. */
static void answer_take(struct top *top)
{
	const struct exchange *exchange = &top->exchange;
	bool granted = client_granted(exchange) && exchange->body;
	json_t *list = granted ? json_loadb(exchange->body, exchange->size, JSON_ALLOW_NUL, NULL)
			       : NULL;

	top->asking = false;
	top->next_ms = clock_ms() + top_view_delay_s(&top->view) * 1000;
	if (list) {
		rows_take(top, list);
	} else {
		top->troubled = true;
		client_refusal(top->client, exchange, &top->trouble);
	}
	if (granted && !list)
		refusal_say(&top->trouble, "%s: the answer is no JSON",
			    top->client->session.authority);
	json_decref(list);
}

static void leave(struct top *top, enum turn end, const struct refusal *why)
{
	top->leave = true;
	top->end = end;
	if (why)
		top->why = *why;
}

static void ask(struct top *top)
{
	struct session *session = &top->client->session;

	top->asked_ms = clock_ms();
	top->asking = session_send(session, &top->exchange, "GET", top->target);
	if (!top->asking)
		leave(top, TURN_OVER, &session->why);
}

/* Asks when it is time, takes what came. An answer that does not come is waited for, and said. */
static void poll_server(struct top *top)
{
	int64_t waited = clock_ms() - top->asked_ms;
	struct refusal why;

	if (top->asking && top->exchange.over) {
		answer_take(top);
	} else if (top->asking && waited > SESSION_PATIENCE_MS) {
		refusal_say(&why, "%s: no answer for %d s", top->client->session.authority,
			    SESSION_PATIENCE_MS / 1000);
		leave(top, TURN_TIMEOUT, &why);
	} else if (top->asking && waited > WORRIED_MS) {
		top->troubled = true;
		refusal_say(&top->trouble, "no answer for %d s", (int)(waited / 1000));
	} else if (!top->asking && clock_ms() >= top->next_ms) {
		ask(top);
	}
}

static void draw(struct top *top)
{
	const struct canvas canvas = screen_canvas();
	struct top_words words = {.scope = top->scope, .time = top->time};
	char *problem = top->troubled ? output_escaped(&top->client->out, top->trouble.text) : NULL;

	words.problem = problem;
	top->shown = top_draw_rows(canvas.height);
	top_view_bound(&top->view, top->rows.count, top->shown);
	top_draw(&canvas, &top->rows, &top->view, &words);
	screen_show();
	free(problem);
}

static void act(struct top *top, enum top_act act)
{
	switch (act) {
	case TOP_LEAVE:
		leave(top, TURN_ON, NULL);
		break;
	case TOP_STOP:
		screen_stop();
		break;
	case TOP_REDRAW:
		screen_redraw();
		break;
	case TOP_ASK:
		top->next_ms = clock_ms();
		break;
	case TOP_DRAW:
		top_rows_sort(&top->rows, top->view.sort, top->view.reverse);
		break;
	}
}

static void keys_take(struct top *top)
{
	int key;

	while (!top->leave && (key = screen_key()) != SCREEN_NO_KEY)
		act(top, top_view_key(&top->view, key, top->rows.count, top->shown));
}

static void turned(struct top *top, enum turn turn)
{
	switch (turn) {
	case TURN_INPUT:
		keys_take(top);
		break;
	case TURN_OVER:
		leave(top, turn, &top->client->session.why);
		break;
	case TURN_TERMINATE:
	case TURN_NO_OUTPUT:
		top->client->quit = true;
		leave(top, TURN_ON, NULL);
		break;
	case TURN_INTERRUPT:
		leave(top, TURN_ON, NULL);
		break;
	case TURN_ON:
	case TURN_TIMEOUT:
		break;
	}
}

static int turn_ms(const struct top *top)
{
	int64_t left = top->next_ms - clock_ms();

	return top->asking ? WORRIES_MS : left > 0 ? (int)left : 0;
}

static void watch(struct top *top, struct hold *hold)
{
	while (!top->leave) {
		draw(top);
		turned(top, session_turn(&top->client->session, STDIN_FILENO, STDOUT_FILENO,
					 turn_ms(top)));
		if (signals_take(SIGNAL_CONTINUE))
			screen_redraw();
		if (!top->leave)
			poll_server(top);
		hold_bound(hold, top->client);
	}
}

/* Until it is left; then the terminal is as it was. */
static void show(struct top *top)
{
	struct client *client = top->client;
	const char *type = getenv("TERM");
	struct hold hold;

	client_quiet(client);
	if (!hold_begin(&hold, client))
		return;
	bool open = screen_open(client->out.colour);
	if (open) {
		watch(top, &hold);
		screen_close();
	}
	hold_end(&hold, client);
	if (!open)
		client_fail(client, STATUS_REFUSED, "top: nothing is known of a terminal %s; %s",
			    type ? type : "", INSTEAD);
	client_turned(client, top->end, &top->why);
}

/* The name of the session's own delegation; "": it is the host. */
static const char *own_name(const json_t *whoami)
{
	const char *name = NULL;
	json_t *level;
	size_t i;

	json_array_foreach(json_object_get(whoami, "delegations"), i, level)
	{
		const char *relation = json_string_value(json_object_get(level, "relation"));
		if (relation && strcmp(relation, "own") == 0)
			name = json_string_value(json_object_get(level, "name"));
	}
	return name ? name : "";
}

static void scope_set(struct top *top, const char *name)
{
	char *escaped = output_escaped(&top->client->out, *name ? name : "this host");

	snprintf(top->scope, sizeof(top->scope), "%s", escaped ? escaped : "?");
	free(escaped);
}

/* Whose VMs they are: of what was typed, or else the session's. False: told. */
static bool scope_find(struct top *top, const char *typed)
{
	struct exchange exchange = {0};
	json_t *whoami = NULL;
	char shown[NAMES_PATH_SIZE];

	if (*typed) {
		names_show_typed(&top->client->names, typed, shown);
		scope_set(top, shown);
		return true;
	}
	if (client_request(top->client, "GET", "/", &exchange))
		whoami = client_json(top->client, &exchange);
	scope_set(top, own_name(whoami));
	bool found = whoami;
	json_decref(whoami);
	exchange_free(&exchange);
	return found;
}

/* The first answer is waited for before there is a screen, and refusals are told. */
static bool start(struct top *top, const char *typed)
{
	json_t *list = NULL;

	top_view_start(&top->view);
	if (client_ask_at(top->client, ASK_VM, "GET", typed, "/statistics", &top->exchange,
			  top->target))
		list = client_json(top->client, &top->exchange);
	if (list)
		rows_take(top, list);
	top->next_ms = clock_ms() + top_view_delay_s(&top->view) * 1000;
	json_decref(list);
	return list && scope_find(top, typed);
}

void cmd_top(struct client *client, const struct words *words)
{
	struct top top = {.client = client};

	if (client->options->json || terminal_is_plain() || !isatty(STDIN_FILENO) ||
	    !isatty(STDOUT_FILENO)) {
		client_fail(client, STATUS_REFUSED,
			    client->options->json ? "top: there is none with --json; %s"
						  : "top: this is no terminal that has screens; %s",
			    INSTEAD);
		return;
	}
	if (start(&top, words->count > 1 ? words->word[1] : ""))
		show(&top);
	session_forget(&client->session, &top.exchange);
	exchange_free(&top.exchange);
	top_rows_free(&top.rows);
}

/* The routes that have one answer: who am I, VMs listed, started, destroyed, certificates revoked.
 */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "render.h"

/* A list longer than this is asked for in parts. */
#define LIST_MAX (32u << 20)

static void out_of_memory(struct exchange *x)
{
	exchange_problem(x, 503, "unavailable", "no memory for the answer; ask for less");
}

/* GET / */

void whoami_start(struct exchange *x)
{
	struct msg_id ask = {0};

	exchange_ask(x, MSG_WHOAMI, &ask);
}

void whoami_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_WHOAMI && !x->json)
		x->json = render_whoami(&in->body.reply_whoami);
	else if (in->type == MSG_REPLY_LEVEL && x->json)
		render_level(x->json, &in->body.reply_level);
	if (!x->json) {
		out_of_memory(x);
	} else if (in->type == MSG_REPLY_END) {
		x->answered = true;
		answer_json(x->stream, 200, json_incref(x->json), NULL);
	}
}

/* GET /vms, GET /vms/PATH */

void list_start(struct exchange *x)
{
	struct msg_vm_path ask = {0};

	memcpy(ask.path, x->path, sizeof(ask.path));
	exchange_ask(x, MSG_VM_LIST, &ask);
}

/* Texts are kept rather than values: a list of VMs is several times smaller so. */
static bool text_append(struct exchange *x, const char *text)
{
	size_t size = strlen(text);

	if (x->text_size + size > x->text_room) {
		size_t room = 2 * (x->text_size + size) + 1024;
		char *more = room > LIST_MAX ? NULL : realloc(x->text, room);

		if (!more)
			return false;
		x->text = more;
		x->text_room = room;
	}
	memcpy(x->text + x->text_size, text, size);
	x->text_size += size;
	return true;
}

/* Appends VALUE, which is taken, to a list that begins with BEGIN. */
static void list_append(struct exchange *x, const char *begin, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (!text || !text_append(x, x->text_size ? "," : begin) || !text_append(x, text))
		out_of_memory(x);
	free(text);
	json_decref(value);
}

/* Answers with the list: what there is of it, or BEGIN, and END. */
static void list_answer(struct exchange *x, const char *begin, const char *end)
{
	if ((x->text_size == 0 && !text_append(x, begin)) || !text_append(x, end)) {
		out_of_memory(x);
		return;
	}
	x->answered = true;
	answer_text(x->stream, 200, x->text, x->text_size);
}

void list_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_VM)
		list_append(x, "[", render_vm(&in->body.reply_vm));
	else if (in->type == MSG_REPLY_END)
		list_answer(x, "[", "]\n");
}

/* POST /revocations */

void revoke_start(struct exchange *x)
{
	struct msg_id ask = {0};

	exchange_ask(x, MSG_REVOKE, &ask);
}

void revoke_reply(struct exchange *x, struct incoming *in)
{
	static const char begin[] = "{\"ended\":[";

	if (in->type == MSG_REPLY_ENDED)
		list_append(x, begin, render_revoked(&in->body.reply_ended));
	else if (in->type == MSG_REPLY_END)
		list_answer(x, begin, "]}\n");
}

/* POST /vms */

void start_start(struct exchange *x)
{
	const char *value = target_parameter(&x->target, "force");
	struct msg_vm_start ask = {0};
	bool force = false;

	if (value && !flag_parse(value, &force)) {
		exchange_problem(x, 400, "bad-request", "force is given as force, or force=0");
		return;
	}
	ask.force = force;
	exchange_ask(x, MSG_VM_START, &ask);
}

void start_reply(struct exchange *x, struct incoming *in)
{
	char location[4 * PATH_TEXT_SIZE] = "/vms/";

	if (in->type == MSG_REPLY_VM && !x->json) {
		x->json = render_vm(&in->body.reply_vm);
		if (!x->json)
			out_of_memory(x);
	} else if (in->type == MSG_REPLY_END && x->json) {
		const char *path = json_string_value(json_object_get(x->json, "path"));
		bool fits = path && path_encode(path, location + 5, sizeof(location) - 5);

		x->answered = true;
		answer_json(x->stream, 201, json_incref(x->json), fits ? location : NULL);
	}
}

/* DELETE /vms/PATH */

void destroy_start(struct exchange *x)
{
	struct msg_vm_path ask = {0};

	memcpy(ask.path, x->path, sizeof(ask.path));
	exchange_ask(x, MSG_VM_DESTROY, &ask);
}

void destroy_reply(struct exchange *x, struct incoming *in)
{
	if (in->type != MSG_REPLY_END)
		return;
	x->answered = true;
	answer_nothing(x->stream);
}

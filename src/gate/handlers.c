/* The routes that have one answer: who am I, VMs listed, started, destroyed, certificates revoked.
 */
#include "handlers.h"

#include "answer.h"
#include "gather.h"
#include "render.h"

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
		gather_failed(x);
	} else if (in->type == MSG_REPLY_END) {
		x->answered = true;
		answer_json(x->stream, 200, json_incref(x->json), NULL);
	}
}

/* GET /vms, GET /vms/PATH */

void list_start(struct exchange *x)
{
	exchange_ask_path(x, MSG_VM_LIST);
}

void list_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_VM)
		gather_append(x, "[", render_vm(&in->body.reply_vm));
	else if (in->type == MSG_REPLY_END)
		gather_answer(x, "[", "]\n");
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
		gather_append(x, begin, render_revoked(&in->body.reply_ended));
	else if (in->type == MSG_REPLY_END)
		gather_answer(x, begin, "]}\n");
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
	if (in->type == MSG_REPLY_VM)
		gather_object(x, render_vm(&in->body.reply_vm));
	else if (in->type == MSG_REPLY_END)
		gather_created(x, "/vms/");
}

/* DELETE /vms/PATH */

void destroy_start(struct exchange *x)
{
	exchange_ask_path(x, MSG_VM_DESTROY);
}

void destroy_reply(struct exchange *x, struct incoming *in)
{
	if (in->type != MSG_REPLY_END)
		return;
	x->answered = true;
	answer_nothing(x->stream);
}

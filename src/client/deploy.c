/*
 * Starting the VM of a VM certificate. Image and configuration went with the handshake; this is the
 * word to use them.
 */
#include "deploy.h"

/* The article's line comes first, whatever else there is to say. */
static void say_started(const struct output *out, const json_t *vm)
{
	const json_t *pid = json_object_get(vm, "replaced");

	fputs("success VM started\n", out->to);
	if (json_is_integer(pid))
		fprintf(out->to, "replaced %" JSON_INTEGER_FORMAT "\n", json_integer_value(pid));
}

void deploy(struct client *client)
{
	struct exchange exchange = {0};
	const char *path = client->options->force ? "/vms?force" : "/vms";

	if (client_request(client, "POST", path, &exchange)) {
		json_t *vm = client_json(client, &exchange);
		if (vm && client->options->json)
			client_print_json(client, vm);
		else if (vm)
			say_started(&client->out, vm);
		json_decref(vm);
	}
	exchange_free(&exchange);
}

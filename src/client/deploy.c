/*
 * Starting the VM of a VM certificate. Image and configuration went with the handshake; this is the
 * word to use them.
 */
#include "deploy.h"

void deploy(struct client *client)
{
	struct exchange exchange = {0};
	struct refusal why;
	const char *path = client->options->force ? "/vms?force" : "/vms";
	enum turn turn = TURN_OVER;

	if (session_send(&client->session, &exchange, "POST", path))
		turn = session_await(&client->session, &exchange, &why);
	else
		why = client->session.why;
	client_turned(client, turn, &why);
	if (turn == TURN_ON && exchange.status == 201 && client->options->json) {
		json_t *vm = client_json(client, &exchange);
		if (vm)
			client_print_json(client, vm);
		json_decref(vm);
	} else if (turn == TURN_ON && exchange.status == 201) {
		fputs("success VM started\n", client->out.to);
	} else if (turn == TURN_ON) {
		client_refused(client, &exchange);
	}
	exchange_free(&exchange);
}

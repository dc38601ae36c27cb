/*
 * Pushing a revocation list. It went with the handshake; the server answers when it is stored and
 * what it revokes has ended.
 */
#include "revoke.h"

#include "format.h"

void revocation_push(struct client *client)
{
	struct exchange exchange = {0};
	json_t *one, *answer = NULL;
	size_t i;

	if (client_request(client, "POST", "/revocations", &exchange))
		answer = client_json(client, &exchange);
	if (answer && !client->options->json)
		fputs("success\n", client->out.to);
	json_array_foreach(json_object_get(answer, "ended"), i, one)
	{
		if (client->options->json)
			client_print_json(client, one);
		else
			format_revoked(&client->out, &client->names, one);
	}
	json_decref(answer);
	exchange_free(&exchange);
}

/*
 * destroy: ends a VM. The server answers when it is gone.
 */
#include "command.h"

void cmd_destroy(struct client *client, const struct words *words)
{
	struct exchange exchange = {0};

	if (client_ask(client, "DELETE", words->word[1], "", &exchange) && !client->options->json)
		fputs("success\n", client->out.to);
	exchange_free(&exchange);
}

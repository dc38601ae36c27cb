/*
 * destroy: ends a VM. The server answers when it is gone.
 */
#include "command.h"

void cmd_destroy(struct client *client, const struct words *words)
{
	struct exchange exchange = {0};

	if (client_ask(client, ASK_VM, "DELETE", words->word[1], "", &exchange))
		client_success(client, words->word[0]);
	exchange_free(&exchange);
}

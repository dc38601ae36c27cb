/*
 * quota: what is granted, used and free, here, below and above.
 */
#include "command.h"
#include "quota.h"

void cmd_quota(struct client *client, const struct words *words)
{
	struct exchange exchange = {0};
	json_t *level, *root = NULL;
	size_t i;
	(void)words;

	if (client_request(client, "GET", "/", &exchange))
		root = client_json(client, &exchange);
	const json_t *levels = json_object_get(root, "delegations");
	if (!client->options->json && !format_quota(&client->out, &client->names, levels))
		client_fail(client, STATUS_REFUSED, "no memory");
	json_array_foreach(levels, i, level)
	{
		if (client->options->json)
			client_print_json(client, level);
	}
	json_decref(root);
	exchange_free(&exchange);
}

/*
 * info: which VMs there are.
 */
#include "command.h"
#include "format.h"

void cmd_info(struct client *client, const struct words *words)
{
	struct exchange exchange = {0};
	const char *path = words->count > 1 ? words->word[1] : "";
	size_t i;
	json_t *vm, *list = NULL;

	if (client_ask(client, ASK_VM, "GET", path, "", &exchange))
		list = client_json(client, &exchange);
	json_array_foreach(list, i, vm)
	{
		if (client->options->json)
			client_print_json(client, vm);
		else
			format_vm(&client->out, &client->names, vm);
	}
	if (list && json_array_size(list) == 0 && prompt_active(&client->prompt))
		fputs("info: no VMs\n", client->out.to);
	json_decref(list);
	exchange_free(&exchange);
}

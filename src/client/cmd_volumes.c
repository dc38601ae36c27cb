/*
 * volumes, create-block and destroy-block: which there are.
 */
#include "command.h"
#include "format.h"
#include "percent.h"

void cmd_volumes(struct client *client, const struct words *words)
{
	struct exchange exchange = {0};
	const char *path = words->count > 1 ? words->word[1] : "";
	size_t i;
	json_t *volume, *list = NULL;

	if (client_ask(client, ASK_VOLUMES, "GET", path, "", &exchange))
		list = client_json(client, &exchange);
	json_array_foreach(list, i, volume)
	{
		if (client->options->json)
			client_print_json(client, volume);
		else
			format_volume(&client->out, &client->names, volume);
	}
	if (list && json_array_size(list) == 0 && prompt_active(&client->prompt))
		fputs("volumes: none\n", client->out.to);
	json_decref(list);
	exchange_free(&exchange);
}

/* METHOD on a volume, with nothing to tell but that it was done. */
static void ask(struct client *client, const char *method, const struct words *words,
		const char *suffix)
{
	struct exchange exchange = {0};

	if (client_ask(client, ASK_VOLUME, method, words->word[1], suffix, &exchange))
		client_success(client, words->word[0]);
	exchange_free(&exchange);
}

void cmd_create_block(struct client *client, const struct words *words)
{
	char value[32], suffix[48];

	percent_value(words->word[2], value, sizeof(value));
	snprintf(suffix, sizeof(suffix), "?size=%s", value);
	ask(client, "PUT", words, suffix);
}

void cmd_destroy_block(struct client *client, const struct words *words)
{
	ask(client, "DELETE", words, "");
}

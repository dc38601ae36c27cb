/*
 * volumes, create-block and destroy-block: which there are.
 */
#include "command.h"
#include "format.h"
#include "percent.h"

void cmd_volumes(struct client *client, const struct words *words)
{
	client_list(client, ASK_VOLUMES, words->count > 1 ? words->word[1] : "", "", format_volume,
		    "volumes: none");
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

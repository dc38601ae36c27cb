/*
 * The client's output into memory, and back.
 */
#include "hold.h"

#include <stdlib.h>

bool hold_begin(struct hold *hold, struct client *client)
{
	*hold = (struct hold){.out = client->out.to, .err = client->err.to};
	FILE *out = open_memstream(&hold->out_text, &hold->out_size);
	FILE *err = open_memstream(&hold->err_text, &hold->err_size);
	if (out && err) {
		client->out.to = out;
		client->err.to = err;
		return true;
	}
	if (out)
		fclose(out);
	if (err)
		fclose(err);
	free(hold->out_text);
	free(hold->err_text);
	client_fail(client, STATUS_REFUSED, "no memory");
	return false;
}

void hold_bound(struct hold *hold, struct client *client)
{
	if (ftell(client->out.to) < HOLD_MAX || fflush(client->out.to) != 0)
		return;
	for (size_t i = 0; i < hold->out_size; i++)
		hold->lost += hold->out_text[i] == '\n';
	rewind(client->out.to);
}

void hold_end(struct hold *hold, struct client *client)
{
	long size = ftell(client->out.to);

	fclose(client->out.to);
	fclose(client->err.to);
	client->out.to = hold->out;
	client->err.to = hold->err;
	if (hold->lost > 0)
		fprintf(client->out.to, "gap: %zu lines that came meanwhile are not shown\n",
			hold->lost);
	fwrite(hold->out_text, 1, size > 0 ? (size_t)size : 0, client->out.to);
	fflush(client->out.to);
	fwrite(hold->err_text, 1, hold->err_size, client->err.to);
	free(hold->out_text);
	free(hold->err_text);
}

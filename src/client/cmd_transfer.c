/*
 * upload-block and dump-block: what is in a volume. They begin here; how they end, transfer.c
 * tells.
 */
#include "command.h"
#include "transfer.h"

void cmd_upload_block(struct client *client, const struct words *words)
{
	transfer_start(client, TRANSFER_UPLOAD, "upload-block", words->word[1], words->word[2]);
}

void cmd_dump_block(struct client *client, const struct words *words)
{
	transfer_start(client, TRANSFER_DUMP, "dump-block", words->word[1], words->word[2]);
}

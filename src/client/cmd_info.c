/*
 * info: which VMs there are.
 */
#include "command.h"
#include "format.h"

void cmd_info(struct client *client, const struct words *words)
{
	client_list(client, ASK_VM, words->count > 1 ? words->word[1] : "", format_vm,
		    "info: no VMs");
}

/*
 * info: which VMs there are.
 */
#include "command.h"
#include "format.h"

void cmd_info(struct client *client, const struct words *words)
{
	bool some = words->count > 1;

	client_list(client, ASK_VM, some ? words->word[1] : "", some ? format_vm_macs : format_vm,
		    "info: no VMs");
}

/*
 * info and statistics: which VMs there are, and what each of them uses.
 */
#include "command.h"
#include "format.h"
#include "statistics.h"

void cmd_info(struct client *client, const struct words *words)
{
	client_list(client, ASK_VM, words->count > 1 ? words->word[1] : "", "", format_vm,
		    "info: no VMs");
}

void cmd_statistics(struct client *client, const struct words *words)
{
	client_list(client, ASK_VM, words->count > 1 ? words->word[1] : "", "/statistics",
		    format_statistics, "statistics: no VMs");
}

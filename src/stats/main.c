/*
 * vmm_stats's beginning and end. It opens nothing: what there is to read of each VM, and readers,
 * come from vmmd.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "role.h"
#include "rules.h"
#include "stats.h"

int main(int argc, char **argv)
{
	static struct stats stats;
	struct channel up;

	role_start(argc, argv, "vmm_stats", LINK_STATS, &up);
	upward_many_descriptors();
	struct event_base *base = event_base_new();
	if (!base)
		role_fail(&up, "vmm_stats: no event loop: %s", strerror(errno));
	role_keep(SANDBOX_READ_PROCESSES);
	role_confine(stats_rules, stats_nrules);

	int error = stats_start(&stats, base, &up);
	if (error < 0)
		role_fail(&up, "vmm_stats: %s", strerror(-error));
	event_base_dispatch(base);
	/* Nothing to tidy up: vmmd is gone. */
	_exit(stats.up.failed ? 1 : 0);
}

/* The family's own numbers (stats.h), most of them counted where they come up. */
#include <stdio.h>

#include "family.h"
#include "session.h"
#include "stats.h"

static void describe_role(const struct role_slot *slot, const struct role_type *type,
			  struct role_state *out)
{
	snprintf(out->name, sizeof(out->name), "%s", type->name);
	out->up = slot->current != NULL;
	out->restarts = slot->restarts;
}

void stats_family(const struct daemon *d, struct family_reading *out)
{
	const uint64_t *logged = d->eventlog.counted;
	const struct usage used = vm_usage(d, &(struct path){.depth = 0});

	*out = (struct family_reading){
	    .time_us = now_us(),
	    .started_us = d->started_us,
	    .nroles = ROLE_KINDS,
	    .logins = logged[ENTRY_LOGIN],
	    .refusals = logged[ENTRY_REFUSED],
	    .connections = d->gate_counts.connections,
	    .handshakes_lost = d->gate_counts.handshakes_lost,
	    .ca_expires = d->slot[ROLE_AUTH].expires,
	    .server_expires = d->slot[ROLE_GATE].expires,
	    .vms = used.vms,
	    .vms_started = logged[ENTRY_STARTED],
	    .vms_failed = logged[ENTRY_FAILED],
	    .memory_mb = d->host.memory_mb,
	    .memory_used_mb = used.memory_mb,
	    .block_used_mb = used.block_mb,
	};
	for (int kind = 0; kind < ROLE_KINDS; kind++)
		describe_role(&d->slot[kind], &role_types[kind], &out->role[kind]);
	for (const struct session *s = d->sessions; s; s = s->next)
		out->sessions++;
}

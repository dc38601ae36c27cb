/* What gate_upper says in the place of vmmd, vmm_console and vmm_log: always the same, by what is
 * asked. */
#ifndef GATE_REPLIES_H
#define GATE_REPLIES_H

#include "channel.h"

/* A line for the test; gate_upper's. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

void send_end(struct channel *session, uint32_t id);
void send_whoami(struct channel *session, uint32_t id);
void send_vm(struct channel *session, uint32_t id, const char *path);
/* Two VMs; of "many" 300, of "absent" none. */
void send_vms(struct channel *session, const struct msg_vm_path *ask);
void send_error(struct channel *session, uint32_t id, uint32_t status, const char *word,
		const char *detail);
/* Two volumes, one of them with a VM; of "absent" none. */
void send_volumes(struct channel *session, const struct msg_vm_path *ask);
/* "taken" is so; any other is there now. */
void send_created(struct channel *session, const struct msg_volume_create *ask);
void send_revoked(struct channel *session, uint32_t id);

/* What a console has is in the path: "ended", "killed", "unknown", "detached", "restart": true, it
 * is over; "raw"; "slow": a replay that does not come to its end; else a line and then nothing. */
bool play_console(struct channel *reader, const char *path);
/* An entry of each type, and a gap. */
void play_log(struct channel *reader);

#endif

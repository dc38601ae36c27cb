/*
 * The family: vmm_auth, vmm_gate, vmm_console, vmm_log and vmm_stats are started, wired to each
 * other, watched and started again. A successor of a role takes over only when it has said that it
 * is ready.
 */
#ifndef VMM_ROLES_H
#define VMM_ROLES_H

#include "daemon.h"
#include "message.h"

/* Opens the programs of the roles, of the monitor and of the copier of volumes, found beside vmmd
 * or in ../libexec/vmm. 0 or -1, said. */
int roles_find(struct daemon *d);
/* Ends roles that a killed vmmd left behind; returns when they are gone. */
void roles_end_leftovers(struct daemon *d);
void roles_start(struct daemon *d);
/* Starts successors of those that have certificates, with these and the programs opened anew. */
void roles_reload(struct daemon *d);
/* Ends them all and waits. */
void roles_stop(struct daemon *d);
/* Sends to the role: 0, or -ESRCH when it is down (it learns of everything when it is back). */
int roles_tell_console(struct daemon *d, uint32_t type, const void *body, const int *fds);
int roles_tell_log(struct daemon *d, uint32_t type, const void *body, const int *fds);
int roles_tell_stats(struct daemon *d, uint32_t type, const void *body, const int *fds);
/* Sends a session's chain, which stays the caller's, to vmm_auth, which owes an answer; likewise.
 */
int roles_push_list(struct daemon *d, const struct msg_revocation_push *push, int chain);

#endif

/*
 * What vmm_gate, vmm_auth, vmm_console, vmm_log and vmm_stats have in common: vmmd executes them
 * with their channel on descriptor 3, and tells them which namespaces to join and, when it is root,
 * which uid to take.
 *
 * A role's main begins with role_start, then loads what it needs, while it still may; with
 * role_confine it becomes nobody. After that it receives its set-up messages, sends MSG_ROLE_READY
 * and runs until its channel ends.
 */
#ifndef VMM_ROLE_H
#define VMM_ROLE_H

#include "channel.h"
#include "sandbox.h"

#define ROLE_CHANNEL_FD 3

/*
 * Reads the role's options (--uid=N, --join=FD for each namespace, -v, as vmmd gives them; --help
 * for the curious), sets up the log and UP. Exits with one line when it was not vmmd that started
 * the program.
 */
void role_start(int argc, char **argv, const char *name, enum link link, struct channel *up);
/* What role_confine shall leave of root's rights; without this call nothing. */
void role_keep(enum sandbox_keep keep);
/*
 * Joins the empty namespaces, takes the role's uid, gives up every capability but that, then allows
 * only RULES. Exits when any of it fails.
 */
void role_confine(const struct sandbox_rule *rules, size_t nrules);
/* Tells vmmd why the role cannot work (MSG_ROLE_FAILED) and exits. */
_Noreturn void role_fail(struct channel *up, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/*
 * What vmm_gate, vmm_auth and vmm_console have in common: vmmd executes them with their channel on
 * descriptor 3 and, when it is root, tells them a uid and an empty mount namespace to enter.
 *
 *   int main(int argc, char **argv)
 *   {
 *           struct channel up;
 *           role_start(argc, argv, "vmm_console", LINK_CONSOLE, &up);   // still root: load,
 * nothing else role_confine(rules, nrules);                               // from here on nobody
 *           ... receive set-up messages, send MSG_ROLE_READY, run until the channel ends
 *   }
 */
#ifndef VMM_ROLE_H
#define VMM_ROLE_H

#include "channel.h"
#include "sandbox.h"

#define ROLE_CHANNEL_FD 3

/*
 * Reads the role's options (--uid=N --mount-ns=FD -v, as vmmd gives them; --help for the curious),
 * sets up the log and UP. Exits with one line when it was not vmmd that started the program.
 */
void role_start(int argc, char **argv, const char *name, enum link link, struct channel *up);
/* Enters the empty root and the role's uid, gives up every capability, then allows only RULES.
 * Exits when any of it fails. Namespaces without network were joined before the role was executed.
 */
void role_confine(const struct sandbox_rule *rules, size_t nrules);
/* Tells vmmd why the role cannot work (MSG_ROLE_FAILED) and exits. */
_Noreturn void role_fail(struct channel *up, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/*
 * What vmm_log works with: rings in the runtime directory's "log", one for each top delegation that
 * something happened below, and the two others that entry.h knows, named by their label in hex; the
 * file of --log-file; syslog's socket.
 */
#ifndef VMM_LOGFILES_H
#define VMM_LOGFILES_H

#include "entry.h"
#include "family.h"

/* Opens them; a failure that is the operator's to mend ends vmmd. With -n it only looks. */
void logfiles_open(struct daemon *d);
/* Hands all of them to a new vmm_log, the host's ring last. 0 or -errno. */
int logfiles_set_up(struct role *role);
/* Sees to it that vmm_log has been given the ring that ENTRY belongs to. */
void logfiles_need(struct daemon *d, const struct log_entry *entry);
/* Opens the file and connects to syslog anew; what fails is said, and the old one serves on. */
void logfiles_reopen(struct daemon *d);
/* Removes the rings and their directory. */
void logfiles_remove(struct daemon *d);

#endif

/* vmmd as an ordinary user: what is different, and said at its start. */
#ifndef VMM_UNPRIVILEGED_H
#define VMM_UNPRIVILEGED_H

#include "daemon.h"

/*
 * The directories an ordinary user's vmmd has by default, after the XDG Base Directory
 * Specification: $XDG_RUNTIME_DIR/vmm, $XDG_STATE_HOME/vmm. Never fails: what is not set has its
 * usual place.
 */
const char *unprivileged_run_dir(void);
const char *unprivileged_state_dir(void);

/* A line for each thing that this vmmd goes without. NAMESPACES: 0, or why there are none. */
void unprivileged_say(const struct daemon *d, int namespaces);

#endif

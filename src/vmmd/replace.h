/*
 * Force-create: a VM that takes the place of a running one on its path. It is a VM of its own, with
 * `replaced` pointing at the one that runs, and the path is the older one's until that has ended:
 * its record, its row, its console. Both are in one directory; the new one's record and FIFO have
 * names of their own until then. (One FIFO for both would let the new one's first bytes come before
 * the line that marks its start.)
 *
 *   made       its monitor loads and checks the image and says that it is ready; whatever goes
 *              wrong up to here leaves the old one untouched
 *   waits      it was ready: the old one is being stopped. It waits for a byte in the FIFO "go"
 *   let go     the old one is gone, its record is replaced by the new one's, the byte is written
 *
 * A vmmd that was killed finds in the two records how far this was. Before the old one is being
 * stopped the new one ends, after that it is let go by the next vmmd: the FIFO stays open in the
 * monitor, so that its wait does not end with vmmd.
 */
#ifndef VMM_REPLACE_H
#define VMM_REPLACE_H

#include "vm.h"

/* Opens the FIFO "go" for VM, made anew with FRESH; 0 or -errno. */
int replace_open_go(struct vm *vm, bool fresh);
/* VM, which has a go_fd, has said that it is ready: the one it replaces, if that still runs, is
 * stopped, else VM is let go. */
void replace_ready(struct vm *vm);
/* The one that VM replaces has ended, however: the path is VM's. VM may be let go. */
void replace_old_ended(struct vm *vm);
/* Whether VM's start has already cost the one before it its life. */
bool replace_has_stopped(const struct vm *vm);

#endif

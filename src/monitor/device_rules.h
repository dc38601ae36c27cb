/* Which system calls the devices of a guest take, for a sandbox: on their descriptors alone. */
#ifndef VMM_MONITOR_DEVICE_RULES_H
#define VMM_MONITOR_DEVICE_RULES_H

#include "attach.h"
#include "sandbox.h"

#define DEVICE_RULES 4 /* of one device, at most */

/*
 * Into RULES, which has room; how many. CHUNKS: disks are also reached in block.h's larger pieces,
 * not by the sector only. Nothing can be read or written past a disk's end.
 */
size_t device_rules(const struct devices *devices, bool chunks, struct sandbox_rule *rules);

#endif

/*
 * Network devices of VMs: for each a tap in its bridge (interfaces.h), locked to its MAC and
 * addresses (tap_rules.h) before the guest's first instruction. A tap is named by its VM's uid,
 * which is not used again soon, and its place: vmm4711-0.
 */
#ifndef VMM_TAPS_H
#define VMM_TAPS_H

#include "lifecycle.h"

/*
 * Everything that can refuse R's network: the host cannot have taps, a bridge is not there, tokens
 * that make no sense, no address free. False with ERROR. Bridges that vmmd makes are there after
 * it.
 */
bool taps_check(struct daemon *d, const struct request *r, const struct vm *old,
		struct start_error *error);
/*
 * Fills VM's record: a name, a bridge and, where a token wants one, an address for each tap. OLD's
 * addresses, of the VM that it replaces, are kept.
 */
void taps_plan(struct vm *vm, const struct vm *old);
/* Makes the taps of VM's record, down; FDS gets one for each. 0 or -errno with none left. */
int taps_make(const struct vm *vm, int *fds);
/*
 * The monitor has said that tap K is the manifest's DEVICE: MAC, rules, up. 0 or -errno. What is
 * known then is in the record.
 */
int taps_lock(struct vm *vm, uint32_t k, const char *device);
/* Removes taps and rules, whatever there is of them. */
void taps_remove(const struct vm_record *record, const struct daemon *d);

#endif

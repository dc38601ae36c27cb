/*
 * Network devices of VMs: for each a tap in its bridge (interfaces.h), locked to its MAC and
 * addresses (tap_rules.h) before the guest's first instruction. A tap is named by its VM's uid,
 * which is not used again soon, and its place: vmm4711-0.
 */
#ifndef VMM_TAPS_H
#define VMM_TAPS_H

#include "lifecycle.h"
#include "tokens.h"

/* Finds out whether this host can have them, and says what is missing. */
void taps_open(struct daemon *d);
/* Whether an interface has a name that a VM's taps would have; its UID is relative to the VMs'
 * first. */
bool taps_named(uint32_t uid);

/*
 * Everything that can refuse R's network: the host cannot have taps, a bridge is not there, tokens
 * that make no sense, no address free. False with ERROR. Bridges that vmmd makes are there after
 * it.
 */
bool taps_check(struct daemon *d, const struct request *r, const struct vm *old,
		struct start_error *error);
/*
 * Fills VM's record, which has its uid: a name, a bridge and, where a token wants one, an address
 * for each tap. OLD's addresses, of the VM that it replaces, are kept. Nothing ran in between since
 * taps_check.
 */
void taps_plan(struct vm *vm, const struct vm *old);
/*
 * What is known of VM's network devices, for its arguments: a MAC is zero as long as the device's
 * name is not known. False: its delegation grants a bridge no more.
 */
bool taps_tokens(const struct vm *vm, struct token_net *net);
/* Makes the taps of VM's record, down; FDS gets one for each. 0 or -errno with none left. */
int taps_make(const struct vm *vm, int *fds);
/*
 * The monitor has said which device tap K is, as the record has it: its MAC, which is in the record
 * then, its rules, and its MTU. 0 or -errno.
 */
int taps_lock(struct vm *vm, uint32_t k, uint32_t *mtu);
/* Lets frames through, when the guest is let go. 0 or -errno. */
int taps_up(const struct vm *vm);
/* Whether TABLE is that of a live VM's locked tap, and is gone. */
bool taps_lost(const struct daemon *d, const char *table);
/*
 * Puts back the rules of all such taps, and says so. Where that cannot be the tap goes: no guest
 * sends without rules.
 */
void taps_relock(const struct daemon *d);
/* Removes taps and rules, whatever there is of them. */
void taps_remove(const struct vm_record *record, const struct daemon *d);

#endif

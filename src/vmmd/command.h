/* The monitor's argument vector, as it is started and as `info` shows it. */
#ifndef VMM_COMMAND_H
#define VMM_COMMAND_H

#include "vm.h"

/* Descriptors of a monitor; KVM only where this host has it, GO for one that replaces another,
 * STATS the statistics page. Then one for each network device, in the certificate's order, then one
 * for each volume. */
enum {
	COMMAND_IMAGE_FD = 3,
	COMMAND_STATUS_FD,
	COMMAND_KVM_FD,
	COMMAND_GO_FD,
	COMMAND_STATS_FD,
	COMMAND_DEVICE_FD,
	COMMAND_FDS_MAX = COMMAND_DEVICE_FD + 2 * DEVICES_MAX
};

/* Pointers for command_argv: options, what stands between them and the guest's arguments, these, a
 * NULL. */
#define COMMAND_ARGV_MAX (ARGV_COUNT_MAX + 2 * DEVICES_MAX + 11)

/*
 * Fills the command of VM's record in: devices by the names that are known, the guest's arguments
 * with their tokens. False with WHY.
 */
bool command_make(struct vm *vm, struct refusal *why);
/* Its words, and a NULL, into ARGV (COMMAND_ARGV_MAX pointers). */
void command_argv(struct strings *command, char **argv);
/* The first of the guest's arguments; NULL: it has none. */
const char *command_guest(const struct strings *command);

#endif

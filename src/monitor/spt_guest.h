/*
 * An spt guest: this process itself, confined to a list of system calls (spt_guest.c). Every
 * function exits with one line when the kernel refuses.
 */
#ifndef VMM_MONITOR_SPT_GUEST_H
#define VMM_MONITOR_SPT_GUEST_H

#include "attach.h"
#include "memory.h"

/* What a guest waits with, both open. */
struct spt_waiting {
	int epollfd;
	int timerfd; /* watched by EPOLLFD, as are network devices */
};

/* Nothing that is mapped from now on becomes executable by being readable. */
void spt_prepare(void);
void spt_waiting_open(struct spt_waiting *waiting, const struct devices *devices);
/*
 * Says that it is ready, gives everything up but the guest's MEMORY and DEVICES, waits for a byte
 * on GO_FD (-1: does not) and starts the guest at ENTRY with the address of its boot information.
 * Ends with it.
 */
_Noreturn void spt_run(const struct guest_memory *memory, const struct devices *devices,
		       uint64_t entry, const struct spt_waiting *waiting, int go_fd);

#endif

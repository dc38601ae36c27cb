/*
 * The Solo5 spt ABI, version 2, on x86-64, as Solo5's spt_abi.h defines it: what the monitor and a
 * guest agree on. Included by src/monitor and by guest/; declares only.
 *
 * A guest is a process: its memory is at its own addresses in it, of which the first 64 KB are not
 * mapped. It starts with one argument (struct spt_boot_info) in rdi and its stack at the end of its
 * memory, and calls the host's kernel itself: write to descriptor 1, clock_gettime, epoll_pwait and
 * timerfd_settime on the two descriptors it is given, arch_prctl to set its TLS register,
 * exit_group.
 */
#ifndef VMM_SPT_H
#define VMM_SPT_H

#include <stdint.h>

#define SPT_ABI_VERSION	 2
#define SPT_MEMORY_BASE	 0x10000 /* the lowest address that a process may map */
#define SPT_BOOT_INFO	 0x11000
#define SPT_CMDLINE_SIZE 8192  /* terminator included */
#define SPT_TIMER_EVENT	 (~1u) /* what epoll says when it is the timer */

struct spt_boot_info {
	uint64_t memory_size;
	uint64_t kernel_end;
	uint64_t cmdline; /* addresses */
	uint64_t mft;
	int32_t epollfd; /* waits for the devices and the timer */
	int32_t timerfd;
};

#endif

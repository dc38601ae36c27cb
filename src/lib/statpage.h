/*
 * The statistics page of one VM: a file of one page in its directory, in which its monitor and
 * vmm_console count what nobody else sees, and which outlives them all as the VM's counters.
 * vmm_stats reads it with pread, never through a mapping: whoever has it for writing could cut it
 * short. Counters are stored whole, with one 64-bit store each or one write; all start at zero.
 */
#ifndef VMM_STATPAGE_H
#define VMM_STATPAGE_H

#include <stdint.h>

#define STATPAGE_SIZE 4096

struct statpage {
	/* The monitor's, of an hvt guest. */
	uint64_t monitor; /* 1: it counts here */
	uint64_t kvm_exits;
	uint64_t block_read, block_written; /* bytes */
	uint64_t unused[4];
	/* vmm_console's, on a cache line of their own, stored together. */
	uint64_t console;	/* 1: it counts here, and START is good */
	uint64_t console_start; /* the ring's position when the VM started; BYTES beyond it */
	uint64_t console_bytes; /* since then */
	uint64_t console_lost;	/* lines that readers who follow missed */
};

#endif

/*
 * The Solo5 hvt ABI, version 2, on x86-64, as Solo5's hvt_abi.h defines it: what the monitor and a
 * guest agree on. Included by src/monitor and by guest/; declares only.
 *
 * A guest starts in long mode with its memory mapped one to one, one argument (struct
 * hvt_boot_info) in rdi and its stack at the end of its memory. It makes a hypercall by writing
 * (32 bits) the address of the call's structure to port HVT_PORT + number.
 */
#ifndef VMM_HVT_H
#define VMM_HVT_H

#include <stdint.h>

#define HVT_ABI_VERSION	 2
#define HVT_PORT	 0x500
#define HVT_CMDLINE_SIZE 8192 /* terminator included */

/* Addresses are the guest's, all of them. */
struct hvt_boot_info {
	uint64_t memory_size;
	uint64_t kernel_end;
	uint64_t cpu_cycle_freq; /* Hz */
	uint64_t cmdline;
	uint64_t mft;
	/* Ring I/O, offered by newer tenders; zero: none. */
	uint32_t host_features;
	uint32_t guest_features;
	uint64_t net_ring;
};

enum hvt_call {
	HVT_WALLTIME = 1,
	HVT_PUTS,
	HVT_POLL,
	HVT_BLOCK_WRITE,
	HVT_BLOCK_READ,
	HVT_NET_WRITE,
	HVT_NET_READ,
	HVT_HALT,
	HVT_CALLS
};

struct hvt_walltime {
	uint64_t nsecs; /* out: since 1970 */
};

struct hvt_puts {
	uint64_t data;
	uint64_t len;
};

struct hvt_poll {
	uint64_t timeout_nsecs; /* from now */
	uint64_t ready_set;	/* out: bit N: device N of the manifest */
	int32_t ret;		/* out: how many are ready */
};

/* HVT_BLOCK_WRITE, HVT_BLOCK_READ. HANDLE is the device's place in the manifest. */
struct hvt_block {
	uint64_t handle;
	uint64_t offset; /* bytes; a multiple of the sector size, as is LEN */
	uint64_t data;
	uint64_t len;
	int32_t ret; /* out: enum hvt_result */
};

/* HVT_NET_WRITE, HVT_NET_READ: one frame. */
struct hvt_net {
	uint64_t handle;
	uint64_t data;
	uint64_t len; /* reading: the room, out: the frame's length */
	int32_t ret;  /* out: enum hvt_result */
};

/* Solo5's solo5_result_t. */
enum hvt_result { HVT_OK, HVT_AGAIN, HVT_INVALID, HVT_UNSPECIFIED };

struct hvt_halt {
	uint64_t cookie; /* a hint for debuggers, 0: none */
	int32_t exit_status;
};

#endif

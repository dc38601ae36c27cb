/*
 * What vmm_stats reads of one VM, and what is known of the family and its host. Numbers only grow
 * while the VM, or vmmd, lives, but for those of memory. Fixed sizes, no pointers; message.h
 * carries them.
 */
#ifndef VMM_READING_H
#define VMM_READING_H

#include <stdint.h>

#include "request.h"

#define ROLES_MAX     8
#define ROLE_NAME_MAX 16

/* Which parts of a reading there are: the others could not be had on this host, or of this VM. */
enum reading_part {
	READ_PROCESS = 1 << 0, /* CPU time, memory, faults, switches */
	READ_BLOCK = 1 << 1,
	READ_KVM = 1 << 2, /* an hvt guest */
	READ_CONSOLE = 1 << 3,
	READ_NETWORK = 1 << 4,
};

/* A tap, as the guest sees it; bytes are those of whole Ethernet frames. */
struct tap_reading {
	uint64_t received_bytes, received_packets;
	uint64_t sent_bytes, sent_packets; /* all that it sent, also what was then dropped */
	uint64_t dropped;		   /* frames that its rules let not pass */
};

struct reading {
	int64_t time_us; /* since 1970; 0: there is no reading */
	uint32_t parts;	 /* enum reading_part */
	uint64_t user_us, system_us;
	uint64_t minor_faults, major_faults;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t resident, shared, peak;      /* bytes of memory: now, of it not its own, at most */
	uint64_t block_read, block_written;   /* bytes, of all its volumes */
	uint64_t kvm_exits;		      /* of its CPU to the monitor */
	uint64_t console_bytes, console_lost; /* printed; lines that somebody following missed */
	uint32_t ntaps;
	struct tap_reading tap[DEVICES_MAX];
};

/* One role of the family. */
struct role_state {
	char name[ROLE_NAME_MAX]; /* "vmm_gate" */
	uint32_t up;
	uint64_t restarts; /* since vmmd started */
};

/* vmmd and its family since vmmd started, and the host. */
struct family_reading {
	int64_t time_us, started_us; /* now; vmmd's start */
	uint32_t nroles;
	struct role_state role[ROLES_MAX];
	uint32_t sessions;	  /* open now */
	uint64_t logins;	  /* handshakes that led to a session with authority */
	uint64_t refusals;	  /* that led to one without */
	uint64_t connections;	  /* accepted by the gate */
	uint64_t handshakes_lost; /* that came to nothing: an alert, silence, a deadline */
	int64_t ca_expires, server_expires; /* seconds since 1970; 0: not known yet */
	uint32_t vms;			    /* live now */
	uint64_t vms_started, vms_failed;   /* started; that did not come up or were refused */
	uint64_t memory_mb, memory_used_mb; /* for VMs: the host's limit; of it in use */
	uint64_t block_used_mb;		    /* of all volumes */
	/* Of the host; HOST_KNOWN 0: vmmd could not say. */
	uint32_t host_known, host_cpus;
	uint64_t host_user_us, host_system_us, host_idle_us; /* of all CPUs together */
	uint64_t host_memory, host_available;		     /* bytes */
};

#endif

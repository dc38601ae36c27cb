/*
 * The root process: what vmmd knows, and the parts it is made of. It owns the resource tree, spawns
 * and reaps; it parses no TLS, HTTP, DER or ELF and takes commands only from session sockets.
 */
#ifndef VMM_DAEMON_H
#define VMM_DAEMON_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "namespaces.h"
#include "options.h"
#include "policy.h"
#include "revocations.h"
#include "tree.h"

enum role_kind { ROLE_AUTH, ROLE_GATE, ROLE_CONSOLE, ROLE_LOG, ROLE_STATS, ROLE_KINDS };

struct log_top;
struct role;
struct session;
struct unkept;
struct vm;
struct volumes;

struct role_slot {
	struct daemon *daemon;
	int program;	       /* descriptor of its binary */
	struct role *current;  /* NULL: none is up */
	struct role *next;     /* is ready, and waits for the current one; NULL: none does */
	uint32_t terms;	       /* how many have been current */
	struct event *restart; /* pending when one died */
	unsigned failures;     /* in a row */
	bool ever_ready;
	uint64_t
	    restarts;	 /* starts after the first that no reload asked for, also those that fail */
	int64_t expires; /* the certificate that it works with; 0: none, or not known yet */
};

/* Towards vmm_log; eventlog.c and logfiles.c know the rest. */
struct eventlog {
	bool numbered;		     /* what the rings had was said: LAST is good */
	uint64_t last;		     /* number of the newest entry */
	struct unkept *first, **end; /* entries that vmm_log has not said it has */
	size_t unkept_bytes;
	uint64_t lost;		       /* of them, since this was last said */
	int dir_fd;		       /* the runtime directory's "log"; -1: nothing is kept */
	struct log_top *tops;	       /* those that have a ring there */
	int file, syslog;	       /* -1: none */
	uint64_t counted[ENTRY_TYPES]; /* entries of each type, since vmmd started */
};

#define LISTENER_SIZE 64

struct listener {
	int fd;
	char address[LISTENER_SIZE]; /* "[::]:1025" */
};

struct daemon {
	const struct options *options;
	bool root; /* else an ordinary user's, with less: unprivileged.c says what */
	struct event_base *base;
	struct namespaces namespaces;
	int null_fd, monitor_fd, copier_fd;
	int run_fd, vms_fd; /* the runtime directory, its "vms" */
	bool run_mounted;
	char boot_id[37];
	struct role_slot slot[ROLE_KINDS];
	struct eventlog eventlog;
	int64_t started_us;
	struct msg_gate_counts gate_counts; /* of all gates together */
	int drops_error;    /* of the last look at what taps' rules dropped, which was said */
	struct role *roles; /* every one that lives, retired ones too */
	struct listener listener[LISTEN_MAX];
	unsigned nlisteners;
	struct session *sessions;
	struct vm *vms;
	struct policy host; /* what the host itself grants: memory, and the cpuids it has */
	struct tree tree;   /* of labels */
	struct revocations revocations;
	int state_fd;	    /* the state directory, which is locked */
	int revocations_fd; /* the directory, vmm_auth's own */
	struct volumes *volumes;
	struct refusal no_taps; /* why this vmmd has no network devices; empty: it has */
	int bridges_fd;	   /* the runtime directory's "bridges"; -1: no taps, or not open yet */
	uint32_t uid_next; /* of the next VM, relative to the base */
	bool announced;	   /* READY was said */
	bool stopping;
};

/* uids: the roles take the first ones from --uid-base, VMs the rest, in turn. */
#define UIDS_FOR_ROLES 16
#define UIDS_FOR_VMS   (1 << 20)

int64_t now_us(void); /* microseconds since 1970 */

#endif

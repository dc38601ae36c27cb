/*
 * A virtual machine as vmmd knows it, and the list of them: running, or ended lately.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "daemon.h"
#include "message.h"
#include "record.h"

#define ENDED_KEPT 64 /* a top delegation */

/* Somebody who waits for a VM to start or to be gone. The session may have ended: found by number.
 */
struct waiter {
	struct waiter *next;
	uint64_t session;
	uint32_t id;
};

struct vm {
	struct vm *next;
	struct daemon *daemon;
	struct vm_record record;
	struct path path;
	char name[PATH_TEXT_SIZE]; /* of the whole path, for the log */
	struct vm *replaced;	   /* the one before on this path, until this one runs */
	uint32_t replaced_pid;	   /* of the running one whose place it took; 0: none ran */
	bool yields;		   /* another takes its place: counted with that one */
	uint64_t session;	   /* that started it */
	int dir_fd, fifo_fd;	   /* -1: closed */
	int pidfd, status_fd;
	int go_fd;			 /* a byte there starts the guest; -1: it needs none */
	int note_fd;			 /* who the process is, while it is spawned; -1 */
	bool kvm;			 /* its monitor is given /dev/kvm */
	bool replaces;			 /* it waits for a byte from go_fd */
	uint64_t dropped[DEVICES_MAX];	 /* frames, by the rules of each tap, as was read last */
	bool dropped_more;		 /* vmm_stats has not been told */
	uint32_t nets_said, blocks_said; /* devices whose names its monitor has said, a bit each */
	struct event *exited, *status, *timer;
	char status_text[DETAIL_SIZE]; /* why it did not start */
	bool unavailable;	       /* which the host is to blame for */
	unsigned kills;		       /* signals sent to end it */
	unsigned reap_waits; /* looks at an ended process whose parent has not reaped it */
	struct waiter *starting, *stopping;
};

/* A VM for REQUEST, in the list, holding its resources from now on; NULL without memory. */
struct vm *vm_new(struct daemon *d, const struct request *request);
/* Out of the list, everything closed; its directory stays. */
void vm_free(struct vm *vm);
/*
 * The VM on the path with this id that is not ended (of two the one that runs, not the one that
 * takes its place), or the ended one; NULL.
 */
struct vm *vm_find_live(const struct daemon *d, const uint8_t *path_id);
struct vm *vm_find_ended(const struct daemon *d, const uint8_t *path_id);
bool vm_is_live(const struct vm *vm);
/* Whether VM is the one that its path shows: it may share it with the one before or after it. */
bool vm_is_shown(const struct vm *vm);
/* Whether VM is to replace one that still runs. */
bool vm_is_beside(const struct vm *vm);
/* The one that is to take VM's place; NULL. */
struct vm *vm_successor(const struct vm *vm);
/* Writes VM's record; 0 or -errno. */
int vm_store(const struct vm *vm);
/* Likewise. A failure is said: the VM goes on. */
void vm_save(const struct vm *vm);
/* What live VMs and volumes below PATH use; everything for depth 0. Two on one path count as one,
 * with the larger memory. */
struct usage vm_usage(const struct daemon *d, const struct path *path);
/* The digest of the image that a session brought, told later. */
void vm_note_digest(struct daemon *d, uint64_t session, const uint8_t *sha256);
/* Its row for a session whose scope is SKIP nodes deep. */
void vm_describe(const struct vm *vm, unsigned skip, struct msg_reply_vm *out);
/* Labels of VM's path below SKIP nodes, each as long as it takes to be unique, into OUT. */
void vm_label_path(const struct daemon *d, const struct path *path, unsigned skip, char *out);
/* Removes the oldest ended VMs of VM's top delegation beyond ENDED_KEPT. */
void vm_trim_ended(struct vm *vm);
/* Forgets an ended VM: console, directory, memory. */
void vm_forget(struct vm *vm);
void waiter_add(struct waiter **list, uint64_t session, uint32_t id);
void waiters_free(struct waiter **list);

#endif

/*
 * A VM's life: started from a session's image, watched, ended, and its resources returned.
 */
#ifndef VMM_LIFECYCLE_H
#define VMM_LIFECYCLE_H

#include "session.h"
#include "vm.h"

/* Why a start was refused before anything was made: an HTTP status, a word, a sentence. */
struct start_error {
	uint32_t status;
	const char *word;
	struct refusal why;
};

/* Fills ERROR; false, so that it can be returned. */
bool start_refuse(struct start_error *error, uint32_t status, const char *word, const char *format,
		  ...) __attribute__((format(printf, 4, 5)));

/*
 * Spawns the monitor for SESSION's certificate; the session is answered when it says that it is
 * ready or what is wrong. With FORCE it takes the place of one that runs (replace.h), and the
 * session is answered when it has. False with ERROR: nothing was left behind.
 */
bool vm_start(struct session *session, uint32_t id, bool force, struct start_error *error);
/* Ends, as if it had never been, every start that has cost nobody anything yet. */
void vms_abandon_starting(struct daemon *d);
/* VM's monitor has said that it is ready: it runs, or waits for the one it replaces. */
void vm_ready(struct vm *vm);
/* VM does not come to run: it is killed, and who waits for it is told WHY. */
void vm_fail_start(struct vm *vm, const char *why);
/* VM's guest runs: said, written down, answered. */
void vm_started(struct vm *vm);
/*
 * Ends VM, and what is about to take its place: SIGTERM, after a second SIGKILL; answers (SESSION,
 * ID) when it is gone. CAUSE and BY (NULL: nobody) are kept; the first ones count.
 */
void vm_stop(struct vm *vm, enum stop_cause cause, const struct path *by, struct session *session,
	     uint32_t id);
/* Ends VM alone. */
void vm_end(struct vm *vm, enum stop_cause cause, const struct path *by);
/*
 * Forgets a VM that never came to run: the one before it on its path, if any, is again what the
 * path shows.
 */
void vm_take_back(struct vm *vm);
/* Watches the process of an adopted or just spawned VM; 0 or -errno. */
int vm_watch(struct vm *vm);

/* The next uid of the range, for a process that shares it with no other one. */
uint32_t next_uid(struct daemon *d);

/* Finds what a killed vmmd left in the runtime directory: adopts, reaps, removes. */
void vms_adopt(struct daemon *d);

#endif

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

/*
 * Spawns the monitor for SESSION's certificate; the session is answered when it says that it is
 * ready or what is wrong. False with ERROR: nothing was left behind.
 */
bool vm_start(struct session *session, uint32_t id, struct start_error *error);
/*
 * Ends VM because of CAUSE, by BY (NULL: nobody in particular): SIGTERM, after a second SIGKILL;
 * answers (SESSION, ID) when it is gone.
 */
void vm_stop(struct vm *vm, enum stop_cause cause, const struct path *by, struct session *session,
	     uint32_t id);
/*
 * Forgets a VM that never came to run: the ended one on its path, if any, is again what the path
 * shows.
 */
void vm_take_back(struct vm *vm);
/* Watches the process of an adopted or just spawned VM; 0 or -errno. */
int vm_watch(struct vm *vm);

/* Finds what a killed vmmd left in the runtime directory: adopts, reaps, removes. */
void vms_adopt(struct daemon *d);

#endif

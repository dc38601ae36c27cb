/*
 * Volumes: the list of them, as the volume directory has it, and what is done with them. Each
 * belongs to a delegation and is a file in the file system of that one's top delegation
 * (storage.h):
 *
 *   <top label>/<label>/.../NAME.vol    labels in hex, those of the delegation below its top
 *   <top label>/<label>/.../name        that delegation's name, for people
 *
 * Who has a volume is not written down: it is the live VM whose certificate names it.
 */
#ifndef VMM_VOLUMES_H
#define VMM_VOLUMES_H

#include "lifecycle.h"
#include "revocations.h"
#include "session.h"

/* Opens the volume directory, says its driver and lists what it has; ends vmmd with one line. */
void volumes_open(struct daemon *d);
/* -n: whether it could be. */
void volumes_check(struct daemon *d);

/* MB of volumes at PATH and below, those that are being made included; all for depth 0. */
uint64_t volumes_used_mb(const struct daemon *d, const struct path *path);

/*
 * Opens the volumes that R, a VM, names, in its own delegation, one descriptor for each block
 * device into FDS. OLD is the VM that it is to replace, which may have them; NULL: none. False with
 * ERROR, with none open.
 */
bool volumes_lend(struct daemon *d, const struct request *r, const struct vm *old, int *fds,
		  struct start_error *error);
/* A VM has ended: what waited for that goes on. */
void volumes_released(struct daemon *d);

/*
 * Destroys every volume of a delegation that LIST takes back, each as soon as no VM has it, and
 * tells PUSHER (NULL: nobody) of each: at once that it ends, with push_vm_gone when it is gone.
 * Also for what is found when vmmd starts.
 */
void volumes_revoke(struct daemon *d, const struct revocation *list, struct session *pusher);
/* The event loop is about to end: work in other processes is waited for. */
void volumes_close(struct daemon *d);

/* A session is gone: what it was writing is dropped. */
void volumes_session_gone(struct session *session);

/* Handlers of requests. */
void session_volume_list(struct session *session, const union message_body *body);
void session_volume_create(struct session *session, const union message_body *body);
void session_volume_destroy(struct session *session, const union message_body *body);
void session_volume_read(struct session *session, const union message_body *body);
void session_volume_write(struct session *session, const union message_body *body);
void session_volume_written(struct session *session, const union message_body *body);

#endif

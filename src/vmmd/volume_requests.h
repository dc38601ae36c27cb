/*
 * What sessions ask about volumes, beside their contents (transfer.h): volumes.h declares the
 * handlers. Here is what they have in common.
 */
#ifndef VMM_VOLUME_REQUESTS_H
#define VMM_VOLUME_REQUESTS_H

#include "session.h"
#include "vm.h"
#include "volume.h"

/*
 * The volume of SESSION's scope that TEXT names, its delegation's path and its own name; NULL: the
 * session was answered.
 */
struct volume *volume_asked(struct session *session, uint32_t id, const char *text);
/* Whether nobody has VOLUME; else the session was answered who does. */
bool volume_is_idle(struct session *session, uint32_t id, const struct volume *volume);
/* What is wrong with the disk, as a tenant may know it. */
const char *disk_problem(int error);
/*
 * For a job: makes what is to become VOLUME, or its contents, with its directory and file system
 * where need be, within what its top delegation is granted now. The directory, or -errno with WHY.
 */
int volume_begin(const struct daemon *d, const struct volume *volume, struct refusal *why);
/* Into the event log: every volume of PLACE is gone. */
void volumes_log_destroyed(struct daemon *d, const struct place *place);
/* For a job: ERROR of what was done to VOLUME, said in WHY. */
int volume_fail(const struct volume *volume, const char *what, int error, struct refusal *why);

#endif

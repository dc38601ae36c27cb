/*
 * A file that gets its name when it is whole: until then it has a temporary one beside it, and is
 * gone when it never becomes so. What has that name already is never overwritten. Zeros are holes.
 */
#ifndef VMM_NEWFILE_H
#define VMM_NEWFILE_H

#include "policy.h"
#include "sparse.h"

struct newfile {
	char *path, *temporary;
	struct sparse sparse;
};

/* Readable for its owner alone. NULL with WHY: there is one already, or it cannot be made. */
struct newfile *newfile_open(const char *path, struct refusal *why);
bool newfile_put(struct newfile *file, const void *bytes, size_t size, struct refusal *why);
/* All was put: on the disk, and by its name. */
bool newfile_keep(struct newfile *file, struct refusal *why);
/* Frees FILE (NULL: nothing); without newfile_keep it never was. */
void newfile_close(struct newfile *file);

#endif

/* Files that roles map and vmmd makes. */
#ifndef VMM_RINGFILE_H
#define VMM_RINGFILE_H

#include <stddef.h>

/* NAME in DIR_FD, SIZE bytes, made of zeros if need be; its descriptor or -errno. */
int ringfile_open(int dir_fd, const char *name, size_t size);

#endif

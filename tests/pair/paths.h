/* Paths as tests write them. */
#ifndef VMM_PAIR_PATHS_H
#define VMM_PAIR_PATHS_H

#include "path.h"

/* "alice/dan/hello": each name's label is made of it. */
struct path path_of(const char *text);

#endif

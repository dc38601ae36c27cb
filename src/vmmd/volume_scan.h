/*
 * What the volume directory has, when vmmd starts: removes what was half made, leaves alone what it
 * does not understand, and says so.
 */
#ifndef VMM_VOLUME_SCAN_H
#define VMM_VOLUME_SCAN_H

#include "volume.h"

/* Into ALL, whose storage is open; 0 or -errno. */
int volumes_scan(struct volumes *all);

#endif

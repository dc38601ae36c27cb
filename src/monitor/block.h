/* Files and block devices as a guest's disks. */
#ifndef VMM_MONITOR_BLOCK_H
#define VMM_MONITOR_BLOCK_H

#include "attach.h"

#define BLOCK_CHUNK 0x10000 /* bytes; a multiple of every sector size */

/*
 * DEVICE's descriptor, for reading and writing, and its capacity. Exits with one line when it is
 * none, empty, or does not divide into sectors.
 */
void block_attach(struct device *device, const struct given *given);

/*
 * Whether [OFFSET, OFFSET + LEN) are sectors of DEVICE.
 */
bool block_within(const struct device *device, uint64_t offset, uint64_t len);
/*
 * All of LEN bytes, which are within: system calls of a sector, or of up to BLOCK_CHUNK where as
 * much as that is left before the end, so that a sandbox can tell by offset and length that none
 * goes past it. False: the host could not.
 */
bool block_read(const struct device *device, uint64_t offset, void *data, uint64_t len);
bool block_write(const struct device *device, uint64_t offset, const void *data, uint64_t len);

#endif

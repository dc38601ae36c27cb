/*
 * How vmmd starts vmm_volume, and what that says: "vmm_volume read SIZE" sends the SIZE bytes of
 * FILE to SOCKET, "vmm_volume write SIZE" writes what comes from SOCKET until its end, at most SIZE
 * bytes, to FILE, which has that length and is all zeros.
 */
#ifndef VMM_COPIER_H
#define VMM_COPIER_H

/*
 * Its descriptors. STATUS is a pipe: a line about what went wrong with FILE; who reads it is vmmd,
 * without which a copier ends.
 */
enum { COPIER_FILE_FD = 3, COPIER_SOCKET_FD, COPIER_STATUS_FD, COPIER_FDS };

/* Its exit status. */
enum copier_end {
	COPIER_DONE,	     /* every byte is where it belongs; those written are on the disk */
	COPIER_FAILED,	     /* STATUS has a line */
	COPIER_TOO_MUCH = 3, /* more than SIZE bytes came */
	COPIER_SILENT,	     /* the other end did nothing for COPIER_PATIENCE_MS */
	COPIER_ALONE,	     /* the other end, or vmmd, is gone */
};

#define COPIER_PATIENCE_MS 60000

#endif

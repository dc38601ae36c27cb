/*
 * What vmmd must know of a VM after it was killed, in the VM's directory below the runtime
 * directory: "record" (this, encoded by wire.h), "fifo" (the console), "ring" (its lines).
 * Directories are named by the path's id in hex.
 */
#ifndef VMM_RECORD_H
#define VMM_RECORD_H

#include "daemon.h"
#include "message.h"

struct vm_record {
	uint32_t format;
	char boot_id[37];	/* a pid means something during one boot only */
	struct request request; /* with what every ancestor was granted */
	uint32_t state;		/* enum vm_state */
	uint32_t pid, uid;	/* pid 0: about to be spawned */
	uint64_t start_ticks;
	int64_t started_us, ended_us;
	uint32_t end, end_value; /* enum vm_end */
	uint32_t digest_known;
	uint8_t sha256[DIGEST_SIZE];
	char target[TARGET_SIZE];
	struct strings command;
};

#define RECORD_FORMAT 1

/* The directory for PATH_ID, made if need be; its descriptor or -errno. */
int record_open_dir(const struct daemon *d, const uint8_t *path_id);
/* Replaces the record in DIR_FD; 0 or -errno. */
int record_write(int dir_fd, const struct vm_record *record);
/* 0, or -errno; -EBADMSG for one that does not decode. */
int record_read(int dir_fd, struct vm_record *out);
/* Removes the directory and what is in it. */
void record_remove_dir(const struct daemon *d, const uint8_t *path_id);
void record_dir_name(const uint8_t *path_id, char *out); /* 65 bytes */
/* And back: whether NAME is 64 hex digits, and the DIGEST_SIZE bytes that they are. */
bool record_dir_id(const char *name, uint8_t *id);

#endif

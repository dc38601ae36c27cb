/*
 * What vmmd must know of a VM after it was killed, in the VM's directory below the runtime
 * directory: "record" (this, encoded by wire.h), "fifo" (the console), "ring" (its lines), "page"
 * (statpage.h); while one VM takes another one's place (replace.h) the new one's: "next",
 * "next.fifo", "next.page", "go". "spawned": which process a VM is, from before its record can say
 * so. Directories are named by the path's id in hex.
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
	uint32_t pid, uid;	/* pid 0: about to be spawned; "spawned" may know */
	uint64_t start_ticks;
	int64_t started_us, ended_us;
	uint32_t end, end_value; /* enum vm_end */
	uint32_t cause;		 /* enum stop_cause; from when it is being stopped on */
	struct path by;		 /* who stopped it; depth 0: nobody that has a path */
	uint32_t waits;		 /* it has said that it is ready, and is not let go yet */
	uint64_t oom_kills;	 /* of the host when it started */
	uint32_t digest_known;
	uint8_t sha256[DIGEST_SIZE];
	char target[TARGET_SIZE];
	struct strings command;
	uint32_t ntaps; /* as many as REQUEST has network devices, in that order */
	struct tap_info tap[DEVICES_MAX];
};

#define RECORD_FORMAT 3

#define RECORD_NAME   "record"
#define RECORD_NEXT   "next"
#define FIFO_NAME     "fifo"
#define FIFO_NEXT     "next.fifo"
#define PAGE_NAME     "page"
#define PAGE_NEXT     "next.page"

/* The directory for PATH_ID, made if need be; its descriptor or -errno. */
int record_open_dir(const struct daemon *d, const uint8_t *path_id);
/* Replaces the record NAME in DIR_FD; 0 or -errno. */
int record_write(int dir_fd, const char *name, const struct vm_record *record);
/* 0, or -errno; -EBADMSG for one that does not decode. */
int record_read(int dir_fd, const char *name, struct vm_record *out);
/* The next one's FIFO and page become the FIFO and the page, its record the record; 0 or -errno. */
int record_promote(int dir_fd);
/* Removes what belongs to a next one. */
void record_remove_next(int dir_fd);
/* The file "spawned" in DIR_FD, with nothing in it yet where FRESH; its descriptor or -errno. */
int record_open_spawned(int dir_fd, bool fresh);
/* A FIFO in DIR_FD, made anew with FRESH, for reading and writing; its descriptor or -errno. */
int record_open_fifo(int dir_fd, const char *name, bool fresh);
/* A statistics page in DIR_FD, made anew, all zeros; its descriptor or -errno. */
int record_make_page(int dir_fd, const char *name);
/* The VM's own, open as FLAGS say; a VM of an earlier version has none. */
int record_open_page(int dir_fd, int flags);
/* Removes the directory and what is in it. */
void record_remove_dir(const struct daemon *d, const uint8_t *path_id);
void record_dir_name(const uint8_t *path_id, char *out); /* 65 bytes */
/* And back: whether NAME is 64 hex digits, and the DIGEST_SIZE bytes that they are. */
bool record_dir_id(const char *name, uint8_t *id);

#endif

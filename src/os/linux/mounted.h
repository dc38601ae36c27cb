/*
 * What a directory is on, as /proc/self/mountinfo (proc_pid_mountinfo(5)) has it.
 */
#ifndef VMM_MOUNTED_H
#define VMM_MOUNTED_H

struct mounted {
	char type[64];	  /* "ext4", "fuse.zfs" */
	char source[512]; /* a device; for zfs the dataset */
};

/*
 * The mount that FD was opened through; 0 or -errno, -ENOENT and *OUT as it was for one that is not
 * listed: in a chroot that of the root directory itself. Does not block.
 */
int mounted_at(int fd, struct mounted *out);

#endif

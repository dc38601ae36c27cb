/* Slots, as POSIX record locks: those belong to a process, and go with it. */
#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#define RETRY_MS 20

int slots_new(void)
{
	int fd = memfd_create("slots", MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int lock(int slots, int slot, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1};

	return fcntl(slots, F_SETLK, &lock);
}

int slot_take(int slots)
{
	for (;;) {
		for (int slot = 0; slot < SLOTS; slot++) {
			if (lock(slots, slot, F_WRLCK) == 0)
				return slot;
			if (errno != EAGAIN && errno != EACCES)
				return -errno;
		}
		poll(NULL, 0, RETRY_MS);
	}
}

void slot_return(int slots, int slot)
{
	lock(slots, slot, F_UNLCK);
}

/* MSG_REVOCATION_LIST, see announce.h. */
#include "announce.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The labels, which nobody changes any more; -errno. */
static int labels_memfd(const struct table *table)
{
	const uint8_t *at = (const uint8_t *)table->label;
	size_t size = (size_t)table->count * LABEL_SIZE;
	int fd = memfd_create("revoked", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;

	if (fd < 0)
		return -errno;
	while (size > 0 && error == 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno != EINTR)
			error = -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	if (error == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		error = -errno;
	if (error < 0)
		close(fd);
	return error < 0 ? error : fd;
}

void announce(struct channel *up, struct lists *lists, const struct table *table,
	      const struct push *push)
{
	static struct msg_revocation_list msg;
	char path[PATH_TEXT_SIZE];
	int fd = labels_memfd(table), error = fd;

	msg = (struct msg_revocation_list){.session = push ? push->session : 0,
					   .id = push ? push->id : 0,
					   .generation = ++lists->generation,
					   .number = table_number(table),
					   .count = table->count,
					   .scope = table->scope};
	if (fd >= 0) {
		/* An ordinary user may have only so many descriptors under way. */
		while ((error = channel_send(up, MSG_REVOCATION_LIST, &msg, &fd)) == -EAGAIN)
			usleep(1000);
		close(fd);
	}
	path_format(&table->scope, 0, path);
	if (error < 0)
		log_fatal("cannot tell vmmd what %s revoked: %s", path[0] ? path : "the CA",
			  strerror(-error));
	log_debug("list %llu of %s revokes %u", (unsigned long long)msg.number,
		  path[0] ? path : "the CA", table->count);
}

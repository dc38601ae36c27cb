/* Files with holes. */
#include "sparse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void sparse_init(struct sparse *sparse, int fd)
{
	sparse->fd = fd;
	sparse->size = 0;
	sparse->used = 0;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static int write_at(int fd, const uint8_t *bytes, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, bytes, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* Bytes at FROM of the buffer, to the end of the first block of the other kind. */
static size_t run_length(const struct sparse *sparse, size_t from, bool *zero)
{
	size_t at = from;

	while (at < sparse->used) {
		size_t left = sparse->used - at, size = left < SPARSE_BLOCK ? left : SPARSE_BLOCK;
		bool is = is_zero(sparse->buffer + at, size);

		if (at == from)
			*zero = is;
		else if (is != *zero)
			break;
		at += size;
	}
	return at - from;
}

static int flush(struct sparse *sparse)
{
	uint64_t start = sparse->size - sparse->used;
	int error = 0;

	for (size_t from = 0, size; from < sparse->used && error == 0; from += size) {
		bool zero = false;

		size = run_length(sparse, from, &zero);
		if (!zero)
			error = write_at(sparse->fd, sparse->buffer + from, size, start + from);
	}
	sparse->used = 0;
	return error;
}

int sparse_put(struct sparse *sparse, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		size_t room = sizeof(sparse->buffer) - sparse->used;
		size_t n = size < room ? size : room;
		int error;

		memcpy(sparse->buffer + sparse->used, at, n);
		sparse->used += n;
		sparse->size += n;
		at += n;
		size -= n;
		error = sparse->used == sizeof(sparse->buffer) ? flush(sparse) : 0;
		if (error < 0)
			return error;
	}
	return 0;
}

int sparse_end(struct sparse *sparse)
{
	int error = flush(sparse);

	if (error == 0 && ftruncate(sparse->fd, (off_t)sparse->size) < 0)
		error = -errno;
	return error;
}

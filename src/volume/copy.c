/* Both loops: wait, move a buffer, count. */
#include "copy.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (256 * 1024)
#define BLOCK_SIZE  4096 /* of zeros: what most file systems can leave out */

static uint8_t buffer[BUFFER_SIZE];
static const uint8_t zeros[BUFFER_SIZE];

static enum copier_end fail(struct copy *copy, const char *step)
{
	copy->step = step;
	return COPIER_FAILED;
}

/* Until the socket is ready for EVENTS. */
static enum copier_end await(const struct copy *copy, short events)
{
	struct pollfd fds[] = {{.fd = copy->socket, .events = events}, {.fd = copy->status}};
	int n;

	do
		n = poll(fds, 2, copy->patience_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return COPIER_SILENT;
	return n < 0 || fds[1].revents ? COPIER_ALONE : COPIER_DONE;
}

static enum copier_end send_all(const struct copy *copy, const uint8_t *bytes, size_t size)
{
	enum copier_end end = COPIER_DONE;

	while (size > 0 && (end = await(copy, POLLOUT)) == COPIER_DONE) {
		ssize_t n = send(copy->socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return COPIER_ALONE;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return end;
}

/* Bytes AT to END, which are there. */
static enum copier_end send_data(struct copy *copy, uint64_t at, uint64_t end)
{
	enum copier_end result = COPIER_DONE;

	while (at < end && result == COPIER_DONE) {
		size_t want = end - at < sizeof(buffer) ? (size_t)(end - at) : sizeof(buffer);
		ssize_t n = pread(copy->file, buffer, want, (off_t)at);

		if (n == 0)
			errno = ENODATA;
		if (n <= 0)
			return fail(copy, "the volume cannot be read");
		result = send_all(copy, buffer, (size_t)n);
		at += (uint64_t)n;
	}
	return result;
}

static enum copier_end send_zeros(const struct copy *copy, uint64_t size)
{
	enum copier_end end = COPIER_DONE;

	while (size > 0 && end == COPIER_DONE) {
		size_t n = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

		end = send_all(copy, zeros, n);
		size -= n;
	}
	return end;
}

/* Where what WHENCE looks for begins, from AT on; the end where there is none. */
static bool find(const struct copy *copy, uint64_t at, int whence, uint64_t *found)
{
	off_t to = lseek(copy->file, (off_t)at, whence);

	if (to < 0 && errno != ENXIO)
		return false;
	*found = to < 0 || (uint64_t)to > copy->size ? copy->size : (uint64_t)to;
	return true;
}

enum copier_end copy_out(struct copy *copy)
{
	enum copier_end end = COPIER_DONE;
	uint64_t at = 0, data, hole;

	while (at < copy->size && end == COPIER_DONE) {
		if (!find(copy, at, SEEK_DATA, &data) || !find(copy, data, SEEK_HOLE, &hole))
			return fail(copy, "the volume cannot be read");
		end = send_zeros(copy, data - at);
		if (end == COPIER_DONE)
			end = send_data(copy, data, hole);
		at = hole;
	}
	return end;
}

/* Fills the buffer with as many as WANT bytes; fewer: the end came, or *END says why not. */
static size_t receive(const struct copy *copy, size_t want, enum copier_end *end)
{
	size_t have = 0;

	*end = COPIER_DONE;
	while (have < want && (*end = await(copy, POLLIN)) == COPIER_DONE) {
		ssize_t n = recv(copy->socket, buffer + have, want - have, MSG_DONTWAIT);

		if (n == 0)
			break;
		if (n > 0)
			have += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR) {
			*end = COPIER_ALONE;
			break;
		}
	}
	return have;
}

static bool is_zero(const uint8_t *block, size_t size)
{
	return block[0] == 0 && memcmp(block, block + 1, size - 1) == 0;
}

static size_t block_at(size_t at, size_t size)
{
	return size - at < BLOCK_SIZE ? size - at : BLOCK_SIZE;
}

static bool write_all(const struct copy *copy, const uint8_t *bytes, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(copy->file, bytes, size, (off_t)at);

		if (n <= 0)
			return false;
		bytes += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

/* The buffer's first SIZE bytes to AT, without its blocks of zeros. */
static bool write_blocks(const struct copy *copy, size_t size, uint64_t at)
{
	size_t from = 0, to;

	while (from < size) {
		if (is_zero(buffer + from, block_at(from, size))) {
			from += block_at(from, size);
			continue;
		}
		for (to = from; to < size && !is_zero(buffer + to, block_at(to, size));)
			to += block_at(to, size);
		if (!write_all(copy, buffer + from, to - from, at + from))
			return false;
		from = to;
	}
	return true;
}

enum copier_end copy_in(struct copy *copy)
{
	enum copier_end end;
	uint64_t at = 0;
	size_t want, n;

	do {
		want = copy->size - at < sizeof(buffer) ? (size_t)(copy->size - at)
							: sizeof(buffer);
		n = receive(copy, want, &end);
		if (end != COPIER_DONE)
			return end;
		if (!write_blocks(copy, n, at))
			return fail(copy, "the volume cannot be written");
		at += n;
	} while (n == want && at < copy->size);
	/* All of it is there: the end must follow. */
	if (n == want && receive(copy, 1, &end) > 0)
		return COPIER_TOO_MUCH;
	if (end == COPIER_DONE && fsync(copy->file) < 0)
		return fail(copy, "the volume cannot be written");
	return end;
}

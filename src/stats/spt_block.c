/*
 * Volumes of an spt guest. It makes its system calls itself, on descriptors that nobody else
 * watches: no one counts what it reads and writes but the kernel, which counts all of its bytes
 * together (rchar and wchar of /proc/PID/io). What else there is among them is known: frames that
 * it received and sent, and what it printed. The rest is its volumes'.
 *
 * The rest is read earlier than what is subtracted from it, so that it is rather too small; too
 * large only for as long as printed bytes wait in the console's FIFO. Volumes are read and written
 * by sectors, so it is rounded down to these; what the monitor itself read and wrote before it
 * became the guest, one or two KB, is in it.
 */
#include "stats.h"

#define SECTOR 512

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* A count of whole sectors never goes back. */
static void grow(uint64_t *count, uint64_t bytes)
{
	bytes -= bytes % SECTOR;
	if (bytes > *count)
		*count = bytes;
}

void spt_block(const struct process_io *io, struct reading *reading)
{
	uint64_t read = io->read, written = io->written;

	for (unsigned i = 0; i < reading->ntaps; i++) {
		read = less(read, reading->tap[i].received_bytes);
		written = less(written, reading->tap[i].sent_bytes);
	}
	grow(&reading->block_read, read);
	grow(&reading->block_written, less(written, reading->console_bytes));
}

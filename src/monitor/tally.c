/* The statistics page (tally.h). */
#include "tally.h"

#include "report.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct statpage unseen;

struct statpage *tally_open(int fd)
{
	void *page;

	if (fd < 0)
		return &unseen;
	if (lseek(fd, 0, SEEK_END) < STATPAGE_SIZE)
		report_fatal("--stats: descriptor %d: is no file of %d bytes", fd, STATPAGE_SIZE);
	page = mmap(NULL, STATPAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		report_fatal("--stats: descriptor %d: %s", fd, strerror(errno));
	close(fd);
	return page;
}

void tally_close(struct statpage *page)
{
	if (page != &unseen)
		munmap(page, STATPAGE_SIZE);
}

/*
 * rounds VMM_STATS UID VMS TAPS ROUNDS: what vmm_stats, under UID where that is not 0, uses of a
 * CPU for a round of VMS, of which the first TAPS have a tap each; beside it the floor, one read of
 * every file that there is to read. Microseconds, two numbers.
 *
 * Plays vmmd for bench/stats. The VMs are processes that sleep, with all that an spt guest with a
 * volume has to be asked for.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "links.h"
#include "statpage.h"
#include "upward.h"

#define FILES	  4 /* of a VM */
#define LOOK_US	  50000
#define TEXT_SIZE 8192

static struct channel vmmd;
static struct incoming in;

static void tell(uint32_t type, const void *body, const int *fds)
{
	int error = channel_send(&vmmd, type, body, fds);

	if (error < 0)
		errx(1, "vmm_stats is told nothing: %s", strerror(-error));
}

static pid_t start_stats(const char *program, const char *uid)
{
	struct channel lower;
	char option[32];
	pid_t pid;

	snprintf(option, sizeof(option), "--uid=%s", uid);
	if (channel_pair(LINK_STATS, &vmmd, &lower) < 0 || (pid = fork()) < 0)
		err(1, "%s", program);
	if (pid == 0) {
		int copy = fcntl(lower.fd, F_DUPFD, 10);

		if (copy >= 0 && dup2(copy, 3) == 3 && close(copy) == 0)
			execl(program, program, option, (char *)NULL);
		err(1, "%s", program);
	}
	channel_close(&lower);
	return pid;
}

static void set_up(bool with_links)
{
	const struct msg_stats_interval interval = {.seconds = 1};
	int links = with_links ? links_open() : -1;

	if (with_links && links < 0)
		errx(1, "no socket for interfaces: %s", strerror(-links));
	if (with_links)
		tell(MSG_STATS_LINKS, &(struct msg_empty){0}, &links);
	tell(MSG_STATS_INTERVAL, &interval, NULL);
	if (channel_recv(&vmmd, &in) != CHANNEL_MESSAGE || in.type != MSG_ROLE_READY)
		errx(1, "vmm_stats does not become ready");
	vmmd.state = STATE_READY;
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "a process that sleeps");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void open_files(pid_t pid, int files[FILES])
{
	static const char *const names[] = {"stat", "status", "io"};
	const struct statpage page = {.console = 1};
	char path[64];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, names[i]);
		files[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (files[i] < 0)
			err(1, "%s", path);
	}
	files[3] = memfd_create("page", MFD_CLOEXEC);
	if (files[3] < 0 || write(files[3], &page, sizeof(page)) != sizeof(page))
		err(1, "a page");
}

/* It lives as long as this process. */
static void make_tap(const char *name)
{
	struct ifreq wanted = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(wanted.ifr_name, sizeof(wanted.ifr_name), "%s", name);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &wanted) < 0)
		err(1, "tap %s", name);
}

static void start_vm(unsigned number, bool tap, int files[FILES])
{
	struct msg_stats_vm vm = {.path = {.depth = 2}, .target = "spt", .nblocks = 1};

	vm.pid = (uint32_t)start_sleeper();
	open_files((pid_t)vm.pid, files);
	memcpy(vm.path_id, &number, sizeof(number));
	memcpy(vm.path.node[1].label.byte, &number, sizeof(number));
	strcpy(vm.path.node[0].name, "bench");
	snprintf(vm.path.node[1].name, sizeof(vm.path.node[1].name), "vm%u", number);
	if (tap) {
		vm.ntaps = 1;
		snprintf(vm.tap[0].name, sizeof(vm.tap[0].name), "vmm%u-0", number);
		make_tap(vm.tap[0].name);
	}
	tell(MSG_STATS_ADD, &vm, files);
}

/* When the last VM, of which alone there is talk, was read, once all was; every part of it has to
 * be there. */
static int64_t last_reading(unsigned vms)
{
	const uint32_t parts = READ_PROCESS | READ_BLOCK | READ_CONSOLE | READ_NETWORK;
	struct msg_stats_read ask = {.path = {.depth = 2}, .skip = 1};
	struct channel upper, reader;
	int64_t time_us;

	vms--;
	memcpy(ask.path.node[1].label.byte, &vms, sizeof(vms));
	if (channel_pair(LINK_READER, &upper, &reader) < 0)
		err(1, "a reader");
	tell(MSG_STATS_READ, &ask, &upper.fd);
	channel_close(&upper);
	if (channel_recv(&reader, &in) != CHANNEL_MESSAGE || in.type != MSG_SAMPLE)
		errx(1, "no reading comes");
	if (in.body.sample.now.parts != parts)
		errx(1, "a reading has parts 0x%x", in.body.sample.now.parts);
	time_us = in.body.sample.now.time_us;
	channel_close(&reader);
	return time_us;
}

/* Nanoseconds of a CPU. */
static uint64_t used_by(pid_t pid)
{
	char path[64];
	unsigned long long ns;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL || fscanf(file, "%llu", &ns) != 1)
		err(1, "%s", path);
	fclose(file);
	return ns;
}

/* Microseconds of a CPU for each of ROUNDS, from the end of one on. */
static double measure(pid_t pid, unsigned vms, unsigned rounds)
{
	int64_t last = last_reading(vms);
	uint64_t before = 0;

	for (unsigned seen = 0; seen <= rounds;) {
		int64_t now;

		usleep(LOOK_US);
		now = last_reading(vms);
		if (now == last)
			continue;
		last = now;
		if (seen++ == 0)
			before = used_by(pid);
	}
	return (double)(used_by(pid) - before) / rounds / 1e3;
}

static double floor_of(const int *files, unsigned n, unsigned rounds)
{
	char text[TEXT_SIZE];
	struct timespec before, after;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	for (unsigned i = 0; i < rounds * n; i++)
		if (pread(files[i % n], text, sizeof(text), 0) <= 0)
			err(1, "a file");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	return ((double)(after.tv_sec - before.tv_sec) * 1e6 +
		(double)(after.tv_nsec - before.tv_nsec) / 1e3) /
	       rounds;
}

int main(int argc, char **argv)
{
	unsigned vms, taps, rounds;
	double used;
	int *files;
	pid_t pid;

	if (argc != 6)
		errx(2, "usage: rounds VMM_STATS UID VMS TAPS ROUNDS");
	vms = (unsigned)atoi(argv[3]);
	taps = (unsigned)atoi(argv[4]);
	rounds = (unsigned)atoi(argv[5]);
	files = calloc(vms, FILES * sizeof(*files));
	if (vms == 0 || rounds == 0 || files == NULL)
		errx(2, "there must be VMs and rounds");
	upward_many_descriptors();
	pid = start_stats(argv[1], argv[2]);
	set_up(taps > 0);
	for (unsigned i = 0; i < vms; i++)
		start_vm(i, i < taps, files + (size_t)FILES * i);
	used = measure(pid, vms, rounds);
	printf("%.0f %.0f\n", used, floor_of(files, FILES * vms, rounds));
	free(files);
	return 0;
}

/*
 * The side of a guest that faces a Solo5 spt tender (vmm_monitor, solo5-spt) on x86-64: its start
 * and the system calls that it may make (lib/spt.h).
 */
#include "spt.h"

#include "guest.h"
#include "image.h"

IMAGE_FOR(TARGET_SPT, SPT_ABI_VERSION);

const int tender_kills = 1;

#define STDOUT		1
#define SYS_READ	0
#define SYS_WRITE	1
#define SYS_PREAD	17
#define SYS_PWRITE	18
#define SYS_ARCH_PRCTL	158
#define SYS_GETTIME	228
#define SYS_EXIT_GROUP	231
#define SYS_EPOLL_PWAIT 281
#define SYS_SETTIME	286
#define CLOCK_WALL	0
#define CLOCK_MONOTONIC 1
#define SET_FS		0x1002
#define ABSOLUTE	1
#define TRY_AGAIN	11
#define EVENTS_MAX	64 /* as many as a manifest has entries: its first is no device */

struct timespec {
	uint64_t sec, nsec;
};

struct epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

static int epollfd, timerfd;
static uint64_t monotonic_at_start;

static uint64_t gettime(uint64_t clock)
{
	struct timespec now = {0, 0};

	syscall3(SYS_GETTIME, clock, (uintptr_t)&now, 0);
	return now.sec * NSECS + now.nsec;
}

void console_write(const char *bytes, size_t len)
{
	syscall3(SYS_WRITE, STDOUT, (uintptr_t)bytes, len);
}

uint64_t clock_monotonic(void)
{
	return gettime(CLOCK_MONOTONIC) - monotonic_at_start;
}

uint64_t clock_wall(void)
{
	return gettime(CLOCK_WALL);
}

/* A timer that is set to nothing never rings: at least one nanosecond after the host's start. */
struct ready poll_devices(uint64_t monotonic)
{
	uint64_t until = monotonic_at_start + monotonic;
	struct timespec timer[2] = {{0, 0}, {until / NSECS, until % NSECS | 1}};
	struct epoll_event events[EVENTS_MAX];
	struct ready ready = {0, 0};
	int64_t n;

	syscall4(SYS_SETTIME, (uint64_t)timerfd, ABSOLUTE, (uintptr_t)timer, 0);
	n = syscall6(SYS_EPOLL_PWAIT, (uint64_t)epollfd, (uintptr_t)events, EVENTS_MAX, UINT64_MAX,
		     0, 0);
	for (int64_t i = 0; i < n; i++)
		if (events[i].data != SPT_TIMER_EVENT) {
			ready.set |= UINT64_C(1) << events[i].data;
			ready.count++;
		}
	return ready;
}

enum device_result net_read(const struct net_device *net, void *frame, size_t room, size_t *len)
{
	int64_t n = syscall3(SYS_READ, (uint64_t)net->descriptor, (uintptr_t)frame, room);

	if (n < 0)
		return n == -TRY_AGAIN ? DEVICE_AGAIN : DEVICE_UNSPECIFIED;
	*len = (size_t)n;
	return DEVICE_OK;
}

static enum device_result whole(int64_t n, size_t len)
{
	return n >= 0 && (size_t)n == len ? DEVICE_OK : DEVICE_UNSPECIFIED;
}

enum device_result net_write(const struct net_device *net, const void *frame, size_t len)
{
	return whole(syscall3(SYS_WRITE, (uint64_t)net->descriptor, (uintptr_t)frame, len), len);
}

enum device_result block_read(const struct block_device *block, uint64_t offset, void *data,
			      size_t len)
{
	return whole(syscall4(SYS_PREAD, (uint64_t)block->descriptor, (uintptr_t)data, len, offset),
		     len);
}

enum device_result block_write(const struct block_device *block, uint64_t offset, const void *data,
			       size_t len)
{
	return whole(
	    syscall4(SYS_PWRITE, (uint64_t)block->descriptor, (uintptr_t)data, len, offset), len);
}

void sleep_until(uint64_t monotonic)
{
	while (clock_monotonic() < monotonic)
		poll_devices(monotonic);
}

void tls_set(uint64_t base)
{
	syscall3(SYS_ARCH_PRCTL, SET_FS, base, 0);
}

void guest_exit(int status)
{
	for (;;)
		syscall3(SYS_EXIT_GROUP, (uint64_t)status, 0, 0);
}

_Noreturn void guest_start(const struct spt_boot_info *info);

/* The tender has set the stack up, and passes its one argument as to a function. */
void guest_start(const struct spt_boot_info *info)
{
	/* Behind what a function saves first. */
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0) + sizeof(uintptr_t);

	epollfd = info->epollfd;
	timerfd = info->timerfd;
	monotonic_at_start = gettime(CLOCK_MONOTONIC);
	guest_exit(guest_run(&(struct boot_info){
	    .at = (uintptr_t)info,
	    .memory_size = info->memory_size,
	    .kernel_end = info->kernel_end,
	    .cmdline = (const char *)(uintptr_t)info->cmdline,
	    .manifest = (const void *)(uintptr_t)info->mft,
	    .stack = stack,
	    .waiting = info->epollfd,
	}));
}

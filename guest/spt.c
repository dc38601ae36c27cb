/*
 * The side of a guest that faces a Solo5 spt tender (vmm_monitor, solo5-spt) on x86-64: its start
 * and the system calls that it may make (lib/spt.h).
 */
#include "spt.h"

#include "guest.h"
#include "image.h"

IMAGE_FOR(TARGET_SPT, SPT_ABI_VERSION);

#define STDOUT		1
#define SYS_WRITE	1
#define SYS_ARCH_PRCTL	158
#define SYS_GETTIME	228
#define SYS_EXIT_GROUP	231
#define SYS_EPOLL_PWAIT 281
#define SYS_SETTIME	286
#define CLOCK_WALL	0
#define CLOCK_MONOTONIC 1
#define SET_FS		0x1002
#define ABSOLUTE	1

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
unsigned poll_devices(uint64_t monotonic)
{
	uint64_t until = monotonic_at_start + monotonic;
	struct timespec timer[2] = {{0, 0}, {until / NSECS, until % NSECS | 1}};
	struct epoll_event event = {0, 0};
	int64_t n;

	syscall4(SYS_SETTIME, (uint64_t)timerfd, ABSOLUTE, (uintptr_t)timer, 0);
	n = syscall6(SYS_EPOLL_PWAIT, (uint64_t)epollfd, (uintptr_t)&event, 1, UINT64_MAX, 0, 0);
	return n == 1 && event.data == SPT_TIMER_EVENT ? 0 : 1;
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

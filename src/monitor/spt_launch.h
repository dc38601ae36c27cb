/*
 * The last steps before an spt guest and the last word after it: spt_x86_64.c, which stands alone.
 * Once spt_leave runs, nothing of the monitor's is mapped any more but its read-only part and the
 * pages of struct spt_launch; the code behind this header may use no libc, no thread-local data, no
 * data that was ever written.
 */
#ifndef VMM_MONITOR_SPT_LAUNCH_H
#define VMM_MONITOR_SPT_LAUNCH_H

#include <linux/filter.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#define SPT_STACK_SIZE	0x10000 /* a signal's frame takes what the processor has of registers */
#define SPT_PROGRAM_MAX 4096	/* the kernel's limit: with all 63 devices it takes some 2000 */

/* As FXRSTOR wants it. */
struct spt_fpu {
	uint16_t control, status;
	uint8_t tags[20];
	uint32_t mxcsr;
	uint8_t rest[484];
} __attribute__((aligned(16)));

/* A mapping of its own, whole pages. */
struct spt_launch {
	uint8_t stack[SPT_STACK_SIZE]; /* for spt_leave, then for signals */
	struct spt_fpu fpu;
	uint64_t entry, stack_end, argument; /* the guest's */
	uintptr_t memory_end;		     /* everything of the process from here on goes, but */
	uintptr_t kept, kept_end;	     /* our read-only part */
	int go_fd;			     /* a byte there starts the guest; -1: it starts */
	uint16_t nprogram;
	struct sock_filter program[SPT_PROGRAM_MAX]; /* the guest's system calls */
};

/*
 * Unmaps, closes the sandbox, waits where it has to, starts the guest. Says so on the console when
 * the kernel refuses; a wait that ends without a byte ends the process.
 */
_Noreturn void spt_leave(const struct spt_launch *launch);
/*
 * For sigaction: says which fault it was on descriptor 2 and ends the process by that same signal,
 * whose handler must be reset by then and not blocked.
 */
void spt_fault(int signal, siginfo_t *info, void *context);
/* For SIGPIPE: the console is closed; exit status 1. */
void spt_console_closed(int signal, siginfo_t *info, void *context);

/* Where a system call of spt_say returns to: the only place that may write to descriptor 2. */
extern const char spt_said[] __attribute__((visibility("hidden")));

#endif

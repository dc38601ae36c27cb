/*
 * Into an spt guest and out of it on x86-64 (spt_launch.h). Compiled freestanding, in general
 * registers, without stack protector: the guest owns fs, vectors and everything that is writable.
 *
 * The guest has no way to change how signals are handled, so that its faults end here. It returns
 * to nothing: there is no sigreturn in its list of system calls.
 */
#include "spt_launch.h"

#include <asm/prctl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define PAGE	    4096
#define ADDRESS_END 0x7ffffffff000u /* of a process with 47 bits */
#define LINE_SIZE   256
#define ALIGN_CHECK 0x40000u /* in rflags: unaligned accesses are faults */
#define UNMAPPED    8	     /* an address where nothing can be */

struct line {
	size_t len;
	char bytes[LINE_SIZE];
};

/* System V arguments are the kernel's, but for the fourth. */
long spt_say(int fd, const char *bytes, size_t len) __attribute__((visibility("hidden")));
__asm__(".pushsection .text\n"
	".globl spt_say, spt_said\n"
	".hidden spt_say, spt_said\n"
	".type spt_say, @function\n"
	"spt_say:\n"
	"	movl $1, %eax\n"
	"	syscall\n"
	"spt_said:\n"
	"	ret\n"
	".size spt_say, . - spt_say\n"
	".popsection\n");

static long call(long number, uint64_t a, uint64_t b, uint64_t c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static void put(struct line *line, const char *text)
{
	while (*text != '\0' && line->len < sizeof(line->bytes))
		line->bytes[line->len++] = *text++;
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	while (n > 0 && line->len < sizeof(line->bytes))
		line->bytes[line->len++] = digits[--n];
}

static void put_hex(struct line *line, const char *name, uint64_t value)
{
	put(line, name);
	put(line, "0x");
	put_number(line, value, 16);
}

static _Noreturn void finish(void)
{
	for (;;)
		call(SYS_exit_group, 1, 0, 0);
}

/* Pieces, as what the kernel has sealed (its vdso) makes the call fail as a whole: that stays. */
static void unmap(uintptr_t from, uintptr_t to)
{
	uintptr_t size = to - from;

	while (from < to) {
		if (size > to - from)
			size = to - from;
		if (call(SYS_munmap, from, size, 0) == 0 || size == PAGE) {
			from += size;
			size = to - from;
		} else {
			size = (size / 2 + PAGE - 1) & -(uintptr_t)PAGE;
		}
	}
}

static void unmap_all_but(const struct spt_launch *launch)
{
	uintptr_t ours = (uintptr_t)launch, ours_end = ours + sizeof(*launch);

	ours_end = (ours_end + PAGE - 1) & -(uintptr_t)PAGE;
	if (ours < launch->kept) {
		unmap(launch->memory_end, ours);
		unmap(ours_end, launch->kept);
		unmap(launch->kept_end, ADDRESS_END);
	} else {
		unmap(launch->memory_end, launch->kept);
		unmap(launch->kept_end, ours);
		unmap(ours_end, ADDRESS_END);
	}
}

static long install(const struct spt_launch *launch)
{
	struct sock_fprog prog;

	prog.len = launch->nprogram;
	prog.filter = (struct sock_filter *)(uintptr_t)launch->program;
	return call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (uintptr_t)&prog);
}

/* As a tender's guest finds them: nothing of ours in any register. */
static _Noreturn void enter(const struct spt_launch *launch)
{
	__asm__ volatile("fxrstor64 %c[fpu](%%rdi)\n\t"
			 "pushq $2\n\t"
			 "popfq\n\t"
			 "movq %c[stack](%%rdi), %%rsp\n\t"
			 "movq %c[entry](%%rdi), %%rax\n\t"
			 "movq %c[argument](%%rdi), %%rdi\n\t"
			 "xorl %%ebx, %%ebx\n\t"
			 "xorl %%ecx, %%ecx\n\t"
			 "xorl %%edx, %%edx\n\t"
			 "xorl %%esi, %%esi\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "xorl %%r8d, %%r8d\n\t"
			 "xorl %%r9d, %%r9d\n\t"
			 "xorl %%r10d, %%r10d\n\t"
			 "xorl %%r11d, %%r11d\n\t"
			 "xorl %%r12d, %%r12d\n\t"
			 "xorl %%r13d, %%r13d\n\t"
			 "xorl %%r14d, %%r14d\n\t"
			 "xorl %%r15d, %%r15d\n\t"
			 "jmpq *%%rax"
			 :
			 : "D"(launch), [fpu] "i"(offsetof(struct spt_launch, fpu)),
			   [stack] "i"(offsetof(struct spt_launch, stack_end)),
			   [entry] "i"(offsetof(struct spt_launch, entry)),
			   [argument] "i"(offsetof(struct spt_launch, argument))
			 : "memory");
	__builtin_unreachable();
}

/* Nothing is left to give up: the next instruction is the guest's, or there is none. */
static void wait_for_go(int fd)
{
	char byte;

	if (fd < 0)
		return;
	if (call(SYS_read, (uint64_t)fd, (uintptr_t)&byte, 1) != 1)
		finish();
	call(SYS_close, (uint64_t)fd, 0, 0);
}

static _Noreturn void leave(const struct spt_launch *launch)
{
	static const char why[] = "vmm_monitor: the kernel does not let an spt guest start\n";

	unmap_all_but(launch);
	if (call(SYS_arch_prctl, ARCH_SET_FS, 0, 0) == 0 && install(launch) == 0) {
		wait_for_go(launch->go_fd);
		enter(launch);
	}
	spt_say(2, why, sizeof(why) - 1);
	finish();
}

void spt_leave(const struct spt_launch *launch)
{
	/* Off the stack that goes. Aligned as behind a call. */
	__asm__ volatile("movq %1, %%rsp\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "callq *%0"
			 :
			 : "r"(leave), "r"(launch->stack + SPT_STACK_SIZE), "D"(launch)
			 : "memory");
	__builtin_unreachable();
}

/* The same again, which nobody handles any more: the process ends as if nobody had. */
static void repeat(int signal)
{
	if (signal == SIGSYS)
		call(SYS_getpid, 0, 0, 0);
	else if (signal == SIGILL)
		__asm__ volatile("ud2");
	else if (signal == SIGTRAP)
		__asm__ volatile("int3");
	else if (signal == SIGFPE)
		__asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
	else if (signal == SIGBUS)
		__asm__ volatile("pushq %0\n\tpopfq\n\tmovl 1(%%rsp), %%eax"
				 :
				 : "i"(ALIGN_CHECK)
				 : "rax", "memory");
	else
		__asm__ volatile("movb %c0, %%al" : : "i"(UNMAPPED) : "rax");
}

/* Arrays, not pointers, which relocation would have written to. */
static const char names[][8] = {
    [SIGSEGV] = "SIGSEGV", [SIGBUS] = "SIGBUS", [SIGILL] = "SIGILL",
    [SIGFPE] = "SIGFPE",   [SIGSYS] = "SIGSYS", [SIGTRAP] = "SIGTRAP",
};

/* Which call it was, or which address, where the processor says so. */
static void put_cause(struct line *line, int signal, const siginfo_t *info)
{
	if (signal == SIGSYS) {
		put(line, ": system call ");
		put_number(line, (uint32_t)info->si_syscall, 10);
		put(line,
		    info->si_arch == AUDIT_ARCH_X86_64 ? " is not its to make" : " of 32-bit code");
	} else if (signal == SIGSEGV && info->si_code != SI_KERNEL) {
		put_hex(line, " at ", (uintptr_t)info->si_addr);
	}
}

void spt_fault(int signal, siginfo_t *info, void *context)
{
	const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
	struct line line;

	/* The guest may have left it set. */
	__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" : : "i"(~ALIGN_CHECK) : "memory");
	line.len = 0;
	put(&line, "vmm_monitor: guest fault: ");
	put(&line, names[signal]);
	put_cause(&line, signal, info);
	put_hex(&line, ": rip=", (uint64_t)registers[REG_RIP]);
	put_hex(&line, " rsp=", (uint64_t)registers[REG_RSP]);
	put_hex(&line, " rflags=", (uint64_t)registers[REG_EFL]);
	put(&line, "\n");
	spt_say(2, line.bytes, line.len);
	repeat(signal);
	finish();
}

void spt_console_closed(int signal, siginfo_t *info, void *context)
{
	static const char why[] = "vmm_monitor: cannot write to the console: Broken pipe\n";

	(void)signal;
	(void)info;
	(void)context;
	spt_say(2, why, sizeof(why) - 1);
	finish();
}

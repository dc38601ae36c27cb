/*
 * Makes a process an spt guest (spt_guest.h): which system calls it has, what its faults become.
 * What cannot be done with libc around is in spt_x86_64.c. All of this is before the guest: of its
 * own, this file has nothing that the guest could call or read.
 */
#include "spt_guest.h"

#include "device_rules.h"
#include "report.h"
#include "sandbox.h"
#include "spt.h"
#include "spt_launch.h"

#include <asm/prctl.h>
#include <errno.h>
#include <linux/elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define AUTODISARM  (1u << 31) /* SS_AUTODISARM, which only the kernel's header has */
#define FPU_CONTROL 0x37f      /* as after FNINIT: all exceptions masked, 64-bit precision */
#define FPU_MXCSR   0x1f80
#define OWN_RULES   10

_Static_assert(offsetof(struct spt_fpu, mxcsr) == 24 && sizeof(struct spt_fpu) == 512,
	       "the format of FXSAVE");

/* The program itself, as the linker laid it out. */
extern const Elf64_Ehdr ehdr __asm__("__ehdr_start") __attribute__((visibility("hidden")));

void spt_prepare(void)
{
	int persona = personality(0xffffffff);

	if (persona < 0 || personality((unsigned)persona & ~(unsigned)READ_IMPLIES_EXEC) < 0)
		report_fatal("personality: %s", strerror(errno));
}

static int watch(int epollfd, int fd, uint64_t data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};

	return epoll_ctl(epollfd, EPOLL_CTL_ADD, fd, &event);
}

void spt_waiting_open(struct spt_waiting *waiting, const struct devices *devices)
{
	waiting->epollfd = epoll_create1(EPOLL_CLOEXEC);
	waiting->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (waiting->epollfd < 0 || waiting->timerfd < 0 ||
	    watch(waiting->epollfd, waiting->timerfd, SPT_TIMER_EVENT) < 0)
		report_fatal("cannot make a timer to wait with: %s", strerror(errno));
	for (unsigned k = 0; k < devices->nnets; k++) {
		const struct device *net = &devices->at[devices->net[k]];

		if (watch(waiting->epollfd, net->fd, devices->net[k]) < 0)
			report_fatal("cannot wait for network device %s: %s", net->name,
				     strerror(errno));
	}
}

/*
 * No call here can map, open or change a signal's handling or mask: epoll_pwait could do the
 * latter, hence its fifth argument. sigreturn could too, so there is none. GO_FD is the number of
 * no descriptor any more when the guest runs.
 */
static size_t make_rules(const struct spt_waiting *waiting, const struct devices *devices,
			 int go_fd, struct sandbox_rule *rules)
{
	const uint64_t epollfd = (uint64_t)waiting->epollfd, timerfd = (uint64_t)waiting->timerfd;
	const uint64_t go = (uint64_t)go_fd;
	const struct sandbox_rule own[OWN_RULES] = {
	    SANDBOX_ALLOW_IF(write, "the console", {0, SANDBOX_EQ, STDOUT_FILENO}),
	    SANDBOX_ALLOW_IF(write, "a fault's report (spt_say alone)",
			     {0, SANDBOX_EQ, STDERR_FILENO}),
	    SANDBOX_ALLOW(exit_group, "the end"),
	    SANDBOX_ALLOW_IF(clock_gettime, "the clock", {0, SANDBOX_EQ, CLOCK_MONOTONIC}),
	    SANDBOX_ALLOW_IF(clock_gettime, "the time", {0, SANDBOX_EQ, CLOCK_REALTIME}),
	    SANDBOX_ALLOW_IF(timerfd_settime, "until when to wait", {0, SANDBOX_EQ, timerfd}),
	    SANDBOX_ALLOW_PLAIN(epoll_pwait, 0, epollfd, 4, "waits"),
	    SANDBOX_ALLOW_IF(arch_prctl, "the TLS register", {0, SANDBOX_EQ, ARCH_SET_FS}),
	    SANDBOX_ALLOW_IF(read, "waits for its turn", {0, SANDBOX_EQ, go}),
	    SANDBOX_ALLOW_IF(close, "that descriptor, before the guest", {0, SANDBOX_EQ, go}),
	};
	size_t n = OWN_RULES - (go_fd < 0 ? 2 : 0);

	memcpy(rules, own, n * sizeof(own[0]));
	return n + device_rules(devices, false, rules + n);
}

/*
 * Comes before the list of calls, which lets descriptor 2 be written to for spt_fault's sake: only
 * spt_say may. How many instructions.
 */
static size_t write_report_check(struct sock_filter *out)
{
	const uint64_t said = (uintptr_t)spt_said;
	const uint32_t low = offsetof(struct seccomp_data, instruction_pointer);
	const struct sock_filter check[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 7),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STDERR_FILENO, 0, 5),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)said, 0, 2),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low + sizeof(uint32_t)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(said >> 32), 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};

	memcpy(out, check, sizeof(check));
	return sizeof(check) / sizeof(check[0]);
}

static void write_program(struct spt_launch *launch, const struct spt_waiting *waiting,
			  const struct devices *devices)
{
	static struct sandbox_rule rules[OWN_RULES + MFT_ENTRIES_MAX * DEVICE_RULES];
	size_t nrules = make_rules(waiting, devices, launch->go_fd, rules);
	size_t check = write_report_check(launch->program);
	size_t room = (SPT_PROGRAM_MAX - check) * sizeof(struct sock_filter);
	ssize_t n = sandbox_program(rules, nrules, launch->program + check, room);

	if (n < 0)
		report_fatal("cannot make the list of system calls: %s", strerror((int)-n));
	launch->nprogram = (uint16_t)(check + (size_t)n / sizeof(launch->program[0]));
}

/* Of the program's segments the read-only ones, which come first. */
static void find_kept(struct spt_launch *launch)
{
	const uint8_t *base = (const uint8_t *)&ehdr;
	const Elf64_Phdr *header = (const Elf64_Phdr *)(const void *)(base + ehdr.e_phoff);
	uint64_t end = 0;

	for (unsigned i = 0; i < ehdr.e_phnum && (header[i].p_flags & PF_W) == 0; i++)
		if (header[i].p_type == PT_LOAD)
			end = header[i].p_vaddr + header[i].p_memsz;
	launch->kept = (uintptr_t)base;
	launch->kept_end = launch->kept + ((end + ELF_PAGE_SIZE - 1) & -(uint64_t)ELF_PAGE_SIZE);
}

static struct spt_launch *make_launch(const struct guest_memory *memory, uint64_t entry)
{
	struct spt_launch *launch = mmap(NULL, sizeof(*launch), PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (launch == MAP_FAILED)
		report_fatal("cannot map a stack for signals: %s", strerror(errno));
	launch->fpu.control = FPU_CONTROL;
	launch->fpu.mxcsr = FPU_MXCSR;
	launch->entry = entry;
	launch->stack_end = memory->size - 8; /* as if called */
	launch->argument = SPT_BOOT_INFO;
	launch->memory_end = memory->size;
	find_kept(launch);
	return launch;
}

/*
 * On a stack of its own, which is never taken for one in use: a guest's stack pointer says nothing.
 * Each once: what a handler does wrong ends the process.
 */
static void catch_faults(struct spt_launch *launch)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	const stack_t stack = {
	    .ss_sp = launch->stack,
	    .ss_size = sizeof(launch->stack),
	    .ss_flags = (int)AUTODISARM,
	};
	struct sigaction action = {
	    .sa_sigaction = spt_fault,
	    .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESETHAND),
	};
	int error = sigaltstack(&stack, NULL);

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		error |= sigaction(faults[i], &action, NULL);
	action.sa_sigaction = spt_console_closed;
	error |= sigaction(SIGPIPE, &action, NULL);
	if (error != 0)
		report_fatal("cannot catch a guest's faults: %s", strerror(errno));
}

/* The kernel writes to it whenever it likes, and it will be gone. */
static void forget_rseq(void)
{
	const uint8_t *thread = __builtin_thread_pointer();

	if (__rseq_size > 0 && syscall(SYS_rseq, thread + __rseq_offset, sizeof(struct rseq),
				       RSEQ_FLAG_UNREGISTER, RSEQ_SIG) < 0)
		report_fatal("rseq: %s", strerror(errno));
}

void spt_run(const struct guest_memory *memory, const struct devices *devices, uint64_t entry,
	     const struct spt_waiting *waiting, int go_fd)
{
	struct spt_launch *launch = make_launch(memory, entry);
	int error = sandbox_isolate(NULL, 0, 0, SANDBOX_KEEP_NOTHING);

	if (error < 0)
		report_fatal("cannot enter the sandbox: %s", strerror(-error));
	launch->go_fd = go_fd;
	write_program(launch, waiting, devices);
	catch_faults(launch);
	forget_rseq();
	report_ready();
	spt_leave(launch);
}

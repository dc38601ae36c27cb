/*
 * Processes, told apart by pid and start time, watched through pidfds.
 */
#ifndef VMM_PROCESS_H
#define VMM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "message.h"

/* When PID started, in clock ticks since boot; 0: there is no such process. */
uint64_t process_start_ticks(pid_t pid);
/* A pidfd for PID if it is still the process that started at TICKS; -1: it is not. */
int process_open(pid_t pid, uint64_t ticks);
/* Likewise for the process that spawn noted in FD. */
int process_noted(int fd);
/* 0 or -errno; -ESRCH when it has ended. */
int process_signal(int pidfd, int signal);
/* Whether it has ended (a zombie has). */
bool process_ended(int pidfd);
/*
 * How an ended process ended. A child is reaped. What its parent, somebody else, has not reaped yet
 * is END_NONE: ask again; what the kernel cannot tell is END_UNKNOWN.
 */
enum vm_end process_end(int pidfd, uint32_t *value);
/* Waits until a child has ended, and reaps it. */
void process_wait(int pidfd);
/* Whether this process may run on CPU. */
bool process_cpu_allowed(unsigned cpu);
/* How often this kernel has killed a process for want of memory. */
uint64_t host_oom_kills(void);
/* Memory of the host in MB. */
uint64_t host_memory_mb(void);
/* This boot's id into ID (37 bytes, NUL-terminated). */
int host_boot_id(char *id);
/*
 * Gives up every capability but those vmmd works with, and what a role gets from it; root stays the
 * uid. 0 or -errno.
 */
int process_keep_needed_capabilities(void);

#endif

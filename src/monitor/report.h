/*
 * What the monitor says about itself: to vmmd on the status channel while there is one, else one
 * line on stderr, which is the guest's console under vmmd. Needs no system call but write and
 * exit_group, so that it works in the sandbox. The channel is the process's, hence the one file
 * with a static.
 */
#ifndef VMM_MONITOR_REPORT_H
#define VMM_MONITOR_REPORT_H

#include <stdint.h>

/* From now on until report_ready, FD is where errors go. */
void report_to(int fd);
/* A line on the status channel, "target hvt". Nothing without one. */
void report_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "ready", and the end of the status channel. */
void report_ready(void);
/* A line on stderr. */
void report_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "error TEXT" on the status channel; where nobody hears that, a line on stderr. Then exit(1). */
_Noreturn void report_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* All of LEN bytes; 0 or -errno. */
int write_all(int fd, const void *bytes, uint64_t len);

#endif

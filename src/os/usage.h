/*
 * What processes and their host have used, in the system's own words (on Linux: files of /proc).
 * Who reads them has them open already, whatever they are: each call reads from the start. The
 * parsers take a file's text, NUL-terminated, and are pure; false: it does not say all of that, and
 * OUT is as it was.
 */
#ifndef VMM_USAGE_H
#define VMM_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct process_usage {
	uint64_t user_us, system_us;
	uint64_t minor_faults, major_faults;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t resident, shared, peak; /* bytes of memory: now, of it not its own, at most */
};

/* Bytes that its system calls have read and written, of files and everything else. */
struct process_io {
	uint64_t read, written;
};

struct host_usage {
	uint32_t cpus;
	uint64_t user_us, system_us, idle_us; /* of all of them together */
	uint64_t memory, available;	      /* bytes */
};

/* Of /proc/PID/stat and /proc/PID/status, half each. */
bool usage_parse_stat(const char *text, struct process_usage *out);
bool usage_parse_status(const char *text, struct process_usage *out);
/* Of /proc/PID/io. */
bool usage_parse_io(const char *text, struct process_io *out);
/* Of /proc/stat and /proc/meminfo, likewise. */
bool usage_parse_cpus(const char *text, struct host_usage *out);
bool usage_parse_memory(const char *text, struct host_usage *out);

/*
 * The same from descriptors. False: there is nothing to read any more, as of a process that has
 * ended, or this process may not; OUT is as it was.
 */
bool process_usage_read(int stat, int status, struct process_usage *out);
bool process_io_read(int io, struct process_io *out);
bool host_usage_read(int stat, int meminfo, struct host_usage *out);

#endif

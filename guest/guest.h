/*
 * What the unikernels here are written against. A guest defines guest_main; lib.c has what any
 * guest needs, hvt.c and spt.c are the tender's side: start, console, clock, sleep, end. No libc,
 * no floating point, no interrupts: a processor exception ends the guest.
 */
#ifndef VMM_GUEST_H
#define VMM_GUEST_H

#include <stddef.h>
#include <stdint.h>

#define NSECS	     UINT64_C(1000000000)
#define HOUR	     (3600 * NSECS)
#define ARGS_MAX     64
#define CMDLINE_SIZE 8192 /* terminator included, under every tender */
#define ABORTED	     255  /* exit status of a guest that gave up */

/* ARGV has ARGC words of the command line and a NULL. Its result is the exit status. */
int guest_main(int argc, char **argv);

/* The image and its memory, as the linker script and the tender made them. */
struct layout {
	uintptr_t text, text_end, rodata_end, data_end;
	uintptr_t memory_end;
};

/* What the tender says of itself; addresses are the guest's. */
struct boot_info {
	uintptr_t at; /* where it was */
	uint64_t memory_size, kernel_end;
	const char *cmdline;
	const void *manifest;
	uintptr_t stack; /* as it was at the start */
	int waiting;	 /* a descriptor to wait with; -1: hvt has none */
};

/*
 * What came of a call on a device; Solo5's solo5_result_t. A tender answers a call that is not the
 * guest's to make with DEVICE_INVALID or, where the guest is a process, ends it.
 */
enum device_result { DEVICE_OK, DEVICE_AGAIN, DEVICE_INVALID, DEVICE_UNSPECIFIED };

/* Devices of the manifest. HANDLE is their place in it, DESCRIPTOR the host's (hvt: none). */
struct net_device {
	const char *name;
	unsigned handle;
	int descriptor;
	uint16_t mtu; /* without the Ethernet header */
	uint8_t mac[6];
};

struct block_device {
	const char *name;
	unsigned handle;
	int descriptor;
	uint64_t capacity; /* bytes */
	uint16_t sector_size;
};

/* HANDLE's bit is set in SET for each device with a frame to read; their number besides. */
struct ready {
	uint64_t set;
	unsigned count;
};

/* lib.c */
/* What follows PREFIX in TEXT, NULL when TEXT starts otherwise. */
const char *after_prefix(const char *text, const char *prefix);
/* The decimal digits at TEXT; what else it holds is ignored. */
uint64_t number_parse(const char *text);
/* Formats %s, %d (uint64_t), %x (uint64_t) and %% and writes it to the console at once, cut at 256.
 */
void print(const char *format, ...);
/* Whether A and B are the same text. */
int same(const char *a, const char *b);
_Noreturn void sleep_for_ever(void);
/* Keeps BOOT, cuts its command line into words and runs guest_main. */
int guest_run(const struct boot_info *boot);
struct boot_info guest_boot(void);
struct layout guest_layout(void);
/* System calls of Linux, for who is a process of it. */
int64_t syscall6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		 uint64_t f);
int64_t syscall4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
int64_t syscall3(uint64_t number, uint64_t a, uint64_t b, uint64_t c);

/* devices.c */
/* The N-th device of its kind, in the manifest's order. 0: there are not as many. */
int net_find(unsigned n, struct net_device *out);
int block_find(unsigned n, struct block_device *out);

/* hvt.c, spt.c; another tender is another file with these. */
void console_write(const char *bytes, size_t len);
uint64_t clock_monotonic(void); /* nanoseconds since the start */
uint64_t clock_wall(void);	/* nanoseconds since 1970 */
void sleep_until(uint64_t monotonic);
/* Waits once, until then or a network device is ready. */
struct ready poll_devices(uint64_t monotonic);
/* One frame, of at most ROOM bytes, into FRAME. DEVICE_AGAIN: there is none. */
enum device_result net_read(const struct net_device *net, void *frame, size_t room, size_t *len);
enum device_result net_write(const struct net_device *net, const void *frame, size_t len);
/* One sector each, at a multiple of the sector size; what else is tried, the tender judges. */
enum device_result block_read(const struct block_device *block, uint64_t offset, void *data,
			      size_t len);
enum device_result block_write(const struct block_device *block, uint64_t offset, const void *data,
			       size_t len);
void tls_set(uint64_t base); /* of fs */
_Noreturn void guest_exit(int status);
/* Whether a call on a device that is not its to make ends a guest, instead of an answer. */
extern const int tender_kills;

#endif

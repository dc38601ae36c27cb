/* vmmd's command line. */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define LISTEN_MAX 8

struct options {
	const char *ca, *cert, *key;
	const char *listen[LISTEN_MAX];
	unsigned nlisten;
	const char *run_dir, *state_dir;
	const char *volume_dir; /* NULL: "volumes" in the state directory */
	const char *storage;	/* the driver that is insisted on; NULL: what is there */
	bool create_bridges;	/* external ones too */
	uint64_t max_memory_mb; /* 0: what the host has less a reserve */
	uint32_t uid_base;
	const char *log_file; /* NULL: none */
	bool syslog;
	uint32_t stats_interval; /* seconds */
	bool check;		 /* -n */
	bool verbose;
};

/* Exits on --help, --version (0) and on mistakes (2), with one line. */
void options_read(int argc, char **argv, struct options *out);

#endif

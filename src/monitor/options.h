/*
 * The command line: by hand as Solo5's tenders take it, under vmmd with descriptors for
 * everything that would have to be opened.
 */
#ifndef VMM_MONITOR_OPTIONS_H
#define VMM_MONITOR_OPTIONS_H

#include "given.h"

struct options {
	uint64_t memory;	/* bytes, as asked for */
	const char *image_path; /* NULL: in IMAGE_FD */
	int image_fd;
	uint64_t image_offset, image_length;
	int status_fd;	/* -1: by hand */
	int kvm_fd;	/* -1: none */
	int go_fd;	/* -1: the guest starts at once */
	int stats_fd;	/* -1: nobody looks at what is counted */
	bool nx;	/* hvt: what is no code is not executable; spt is always so */
	bool exec_heap; /* spt: but for what is no segment */
	/* Devices, and what some have of their own. */
	struct given_list nets, macs, blocks, sectors;
	char **args; /* the guest's, NULL-terminated */
};

/* Exits by itself after --help and --version, and with one line when ARGV is wrong. */
void options_parse(char **argv, struct options *out);

#endif

/*
 * The command line: by hand as Solo5's solo5-hvt takes it, under vmmd with descriptors for
 * everything that would have to be opened.
 */
#ifndef VMM_MONITOR_OPTIONS_H
#define VMM_MONITOR_OPTIONS_H

#include <stdint.h>

struct options {
	uint64_t memory;	/* bytes */
	const char *image_path; /* NULL: in IMAGE_FD */
	int image_fd;
	uint64_t image_offset, image_length;
	int status_fd; /* -1: by hand */
	int kvm_fd;    /* -1: to be opened */
	char **args;   /* the guest's, NULL-terminated */
};

/* Exits by itself after --help and --version, and with one line when ARGV is wrong. */
void options_parse(char **argv, struct options *out);

#endif

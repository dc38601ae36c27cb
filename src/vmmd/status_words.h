/*
 * What a monitor says of its start, a line each (doc/monitor.md). Pure: words from a process that
 * has looked at hostile bytes become a number and a text that are what they should be.
 */
#ifndef VMM_STATUS_WORDS_H
#define VMM_STATUS_WORDS_H

#include "message.h"

enum status_word {
	STATUS_BAD,    /* nothing that a monitor says; TEXT is empty */
	STATUS_TARGET, /* TEXT: 1 to TARGET_SIZE - 1 lower case letters */
	STATUS_NET,    /* option INDEX, below DEVICES_MAX, is device TEXT: letters and digits */
	STATUS_BLOCK,  /* likewise */
	STATUS_READY,
	STATUS_ERROR, /* TEXT: printable ASCII, cut where it does not fit */
};

struct status_line {
	enum status_word word;
	uint32_t index;
	char text[DETAIL_SIZE];
};

/* One line of N bytes, with or without its newline. */
void status_parse(const char *bytes, size_t n, struct status_line *out);

#endif

/* The devices that the command line gives (options.h), before the image says which it has. Pure. */
#ifndef VMM_MONITOR_GIVEN_H
#define VMM_MONITOR_GIVEN_H

#include "elf.h"

#define GIVEN_MAX (MFT_ENTRIES_MAX - 1) /* of one kind: more no image has */

/* One option, "--net:NAME=SOURCE". */
struct given {
	char name[MFT_NAME_SIZE]; /* "": the manifest is to choose */
	const char *source;	  /* a path or an interface, or "@FD" */
	int fd;			  /* -1: SOURCE is to be opened */
	union {			  /* instead of SOURCE, where the option is about a property */
		uint8_t mac[6];
		uint16_t sector;
	};
};

struct given_list {
	unsigned count;
	struct given item[GIVEN_MAX];
};

/*
 * Each adds what stands behind an option's name, ":NAME=..." or "=..." where there need be none, to
 * LIST. False: it is malformed.
 */
bool given_add_source(struct given_list *list, const char *text);
bool given_add_mac(struct given_list *list, const char *text);
bool given_add_sector(struct given_list *list, const char *text);

#endif

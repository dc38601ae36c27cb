/*
 * A request target taken apart: "/vms/dev/hello/console?lines=10&follow". Strict, and bounded by
 * the structure. Pure.
 */
#ifndef VMM_GATE_QUERY_H
#define VMM_GATE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"

#define TARGET_COMPONENTS_MAX (PATH_DEPTH_MAX + 4)
#define TARGET_TEXT_SIZE      2048 /* decoded, separators included */
#define QUERY_MAX	      8

struct target {
	unsigned ncomponents;
	const char *component[TARGET_COMPONENTS_MAX]; /* decoded */
	unsigned nparameters;
	struct parameter {
		const char *name, *value; /* decoded; VALUE "" without "=" */
	} parameter[QUERY_MAX];
	char text[TARGET_TEXT_SIZE]; /* what the pointers lead to */
};

/*
 * Takes RAW (":path") apart. NULL, or what is wrong with it, as a sentence. Refused: a component
 * that is empty, that is not UTF-8, or that has a '/', NUL or control character once decoded; a
 * parameter named twice; what exceeds the bounds above.
 */
const char *target_parse(const char *raw, struct target *out);
/* The parameter's value; NULL: it is not there. */
const char *target_parameter(const struct target *target, const char *name);

/* "follow", "follow=1", "follow=true" and their opposites; false when it is none of them. */
bool flag_parse(const char *value, bool *out);
/* A decimal number from LOW to HIGH, digits only. */
bool number_parse(const char *value, uint32_t low, uint32_t high, uint32_t *out);
/* COMPONENTS joined with '/', percent-encoded where a path needs it, into OUT. False: no room. */
bool path_encode(const char *path, char *out, size_t size);

#endif

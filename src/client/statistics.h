/*
 * What the server reads of a VM (GET /vms/statistics), as lines. Pure, as format.h; what a host
 * cannot tell, or what there is not yet, is "-".
 */
#ifndef VMM_STATISTICS_H
#define VMM_STATISTICS_H

#include "format.h"

/* statistics NAME: FACTS, a line for each part: the newest values, and rates since the reading
 * before it. */
void format_statistics(const struct output *output, const struct names *names, const json_t *vm);
/* The number KEY of VM's object GROUP (NULL: its own); UNITS_NONE where there is none. */
double statistics_number(const json_t *vm, const char *group, const char *key);
/* KEY summed over VM's taps, 0 without any; UNITS_NONE where it is not known of them. */
double statistics_taps(const json_t *vm, const char *key);

#endif

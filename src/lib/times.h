/* Times as people and the HTTP interface have them. Pure: now is an argument. */
#ifndef VMM_TIMES_H
#define VMM_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#define TIME_TEXT_SIZE 40

/* RFC 3339, UTC, microseconds: "2017-07-10T09:43:39.000000Z" into OUT (TIME_TEXT_SIZE bytes). */
void time_format(int64_t time_us, char *out);
/* "2017-07-10 09:43:39 +00:00", as the client prints it. */
void time_format_plain(int64_t time_us, char *out);
/*
 * SINCE: an RFC 3339 time, or "-600s" for so long before NOW_US. Microseconds since 1970, at least
 * 0; false when it is neither.
 */
bool time_parse(const char *text, int64_t now_us, int64_t *out);

#endif

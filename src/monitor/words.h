/* Words of the command line and of vmmd's answers. Pure. */
#ifndef VMM_MONITOR_WORDS_H
#define VMM_MONITOR_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Digits up to END (which must follow) of a number not above MAX; where END is, or NULL. */
const char *parse_number(const char *text, char end, uint64_t max, uint64_t *out);
/* "@FD" up to END; where END is, or NULL. */
const char *parse_fd(const char *text, char end, int *out);
/* "02:00:00:00:00:01" up to END, of one host, not zero; where END is, or NULL. */
const char *parse_mac(const char *text, char end, uint8_t out[6]);

#endif

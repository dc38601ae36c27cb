/*
 * DER (X.690), one element at a time: definite and shortest lengths, shortest integers, exact
 * types. Neither side allocates; a reader's results lie inside of what it reads. Errors stick: once
 * PROBLEM is set every call does nothing, so it is looked at once, at the end.
 */
#ifndef VMM_DER_H
#define VMM_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The identifier octets of the types in use. */
#define DER_BOOLEAN	0x01
#define DER_INTEGER	0x02
#define DER_BIT_STRING	0x03
#define DER_OCTETS	0x04
#define DER_OID		0x06
#define DER_UTF8	0x0c
#define DER_UTC_TIME	0x17
#define DER_TIME	0x18 /* GeneralizedTime */
#define DER_SEQUENCE	0x30
#define DER_EXPLICIT(n) (0xa0 | (n)) /* [N] EXPLICIT, N up to 30 */

struct der {
	const uint8_t *at, *end;
	const char **problem; /* a phrase ("has trailing bytes"), shared with the readers entered */
};

/* A reader of SIZE bytes; *PROBLEM is cleared. */
struct der der_init(const uint8_t *bytes, size_t size, const char **problem);
/* Whether something is left to read, and nothing went wrong. */
bool der_more(const struct der *in);
/* Whether an element of TYPE is next. */
bool der_is(const struct der *in, uint8_t type);
/* Past the next element, which must be of TYPE; a reader of what is inside. */
struct der der_enter(struct der *in, uint8_t type);
/* The same for a UTF8String: valid, without NUL. */
struct der der_text(struct der *in);
/* The next element, an INTEGER of 0 to 2^64 - 1. */
uint64_t der_number(struct der *in);
/* The next element, an INTEGER of 0 or more; a reader of its magnitude, empty for 0. */
struct der der_magnitude(struct der *in);
/* Past a BOOLEAN that is next: it is DEFAULT FALSE, so it must be TRUE. Whether there was one. */
bool der_flag(struct der *in);
/* Whether a time is next; the next element, one as RFC 5280 writes it, in seconds since 1970. */
bool der_is_time(const struct der *in);
int64_t der_time(struct der *in);
/* Nothing may be left. */
void der_end(struct der *in);

/* What is written, from the first byte of BYTES. It does not fit: FAILED. */
struct der_out {
	uint8_t *bytes;
	size_t size, room;
	bool failed;
};

void der_put(struct der_out *out, uint8_t type, const void *content, size_t size);
void der_put_number(struct der_out *out, uint64_t number);
/* Everything from byte START on becomes the inside of one element of TYPE. */
void der_wrap(struct der_out *out, size_t start, uint8_t type);

#endif

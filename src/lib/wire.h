/*
 * Encoding of fixed C structures for messages and records. A structure is described by a table of
 * fields; one encoder and one decoder walk it. Integers are little-endian, strings and buffers
 * carry a 32-bit length, lists a 32-bit count. Decoding is strict: a truncated value, a length
 * above its bound, a string that holds a NUL or is no UTF-8, and trailing bytes are all errors.
 */
#ifndef VMM_WIRE_H
#define VMM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum field_type {
	FIELD_U32,
	FIELD_U64,     /* and int64_t */
	FIELD_STRING,  /* char[SIZE], NUL-terminated */
	FIELD_BYTES,   /* uint8_t[SIZE], all of them */
	FIELD_BUFFER,  /* uint8_t[SIZE], as many as the uint32_t at COUNT says */
	FIELD_STRINGS, /* struct strings (request.h) */
	FIELD_STRUCT,  /* one element of ELEMENT's fields */
	FIELD_LIST,    /* array of SIZE bytes, as many elements as the uint32_t at COUNT says */
};

struct field {
	const char *name; /* NULL ends a table */
	enum field_type type;
	size_t offset;
	size_t size;
	size_t count;		     /* offset of the count, of BUFFER and LIST */
	size_t stride;		     /* bytes of one element, of LIST */
	const struct field *element; /* of STRUCT and LIST */
};

#define FIELD_SIZE(S, m) sizeof(((S *)0)->m)
#define WIRE_U32(S, m)                                                      \
	{                                                                   \
#m, FIELD_U32, offsetof(S, m), FIELD_SIZE(S, m), 0, 0, NULL \
	}
#define WIRE_U64(S, m)                                                      \
	{                                                                   \
#m, FIELD_U64, offsetof(S, m), FIELD_SIZE(S, m), 0, 0, NULL \
	}
#define WIRE_STRING(S, m)                                                      \
	{                                                                      \
#m, FIELD_STRING, offsetof(S, m), FIELD_SIZE(S, m), 0, 0, NULL \
	}
#define WIRE_BYTES(S, m)                                                      \
	{                                                                     \
#m, FIELD_BYTES, offsetof(S, m), FIELD_SIZE(S, m), 0, 0, NULL \
	}
#define WIRE_BUFFER(S, m, n)                                                                \
	{                                                                                   \
#m, FIELD_BUFFER, offsetof(S, m), FIELD_SIZE(S, m), offsetof(S, n), 0, NULL \
	}
#define WIRE_STRINGS(S, m)                                                      \
	{                                                                       \
#m, FIELD_STRINGS, offsetof(S, m), FIELD_SIZE(S, m), 0, 0, NULL \
	}
#define WIRE_STRUCT(S, m, e)                                                \
	{                                                                   \
#m, FIELD_STRUCT, offsetof(S, m), FIELD_SIZE(S, m), 0, 0, e \
	}
#define WIRE_LIST(S, m, n, e)                                                     \
	{                                                                         \
#m, FIELD_LIST, offsetof(S, m), FIELD_SIZE(S, m), offsetof(S, n), \
		    FIELD_SIZE(S, m[0]), e                                        \
	}
#define WIRE_END                                  \
	{                                         \
		NULL, FIELD_U32, 0, 0, 0, 0, NULL \
	}

/* Bytes written to OUT, or -1 when they do not fit or IN holds a count above its bound. */
ssize_t wire_encode(const struct field *fields, const void *in, void *out, size_t size);
/* Fills OUT (SIZE bytes, zeroed first) from exactly LEN bytes; false: malformed, OUT is undefined.
 */
bool wire_decode(const struct field *fields, const void *in, size_t len, void *out, size_t size);

#endif

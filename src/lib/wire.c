/*
 * Walks a table of fields to encode or decode a structure. Both directions keep one cursor with a
 * sticky error, checked once at the end. No allocation, no host pointers in what is written.
 */
#include "wire.h"

#include <endian.h>
#include <string.h>

#include "request.h"
#include "utf8.h"

struct cursor {
	uint8_t *out;	   /* encoding */
	const uint8_t *in; /* decoding */
	size_t left;
	bool bad;
};

static void put(struct cursor *c, const void *bytes, size_t n)
{
	if (c->bad || n > c->left) {
		c->bad = true;
		return;
	}
	memcpy(c->out, bytes, n);
	c->out += n;
	c->left -= n;
}

static void put_u32(struct cursor *c, uint32_t value)
{
	value = htole32(value);
	put(c, &value, sizeof(value));
}

static void put_u64(struct cursor *c, uint64_t value)
{
	value = htole64(value);
	put(c, &value, sizeof(value));
}

/* A length or a count above its bound is a bug of the sender: nothing is sent. */
static void put_counted(struct cursor *c, const void *bytes, size_t n, size_t bound)
{
	c->bad |= n > bound;
	put_u32(c, (uint32_t)n);
	put(c, bytes, n);
}

static void get(struct cursor *c, void *bytes, size_t n)
{
	if (c->bad || n > c->left) {
		c->bad = true;
		return;
	}
	memcpy(bytes, c->in, n);
	c->in += n;
	c->left -= n;
}

static uint32_t get_u32(struct cursor *c)
{
	uint32_t value = 0;

	get(c, &value, sizeof(value));
	return le32toh(value);
}

static uint64_t get_u64(struct cursor *c)
{
	uint64_t value = 0;

	get(c, &value, sizeof(value));
	return le64toh(value);
}

/* A count not above BOUND; 0 with the error set when it is. */
static uint32_t get_count(struct cursor *c, size_t bound)
{
	uint32_t n = get_u32(c);

	if (c->bad || n > bound) {
		c->bad = true;
		return 0;
	}
	return n;
}

static void get_string(struct cursor *c, char *out, size_t size)
{
	uint32_t n = get_count(c, size - 1);

	get(c, out, n);
	if (c->bad || memchr(out, 0, n) || !utf8_valid(out, n))
		c->bad = true;
	else
		out[n] = 0;
}

/* Back to back strings: their bytes end in a NUL and hold exactly COUNT of them, or are none. */
static void get_strings(struct cursor *c, struct strings *out)
{
	uint32_t nul = 0;

	out->count = get_u32(c);
	out->size = get_count(c, sizeof(out->bytes));
	get(c, out->bytes, out->size);
	if (c->bad)
		return;
	for (uint32_t i = 0; i < out->size; i++)
		nul += out->bytes[i] == 0;
	if (nul != out->count || (out->size > 0 && out->bytes[out->size - 1] != 0))
		c->bad = true;
}

static uint32_t *count_of(void *base, const struct field *f)
{
	return (uint32_t *)((char *)base + f->count);
}

static void encode(struct cursor *c, const struct field *fields, void *base);
static void decode(struct cursor *c, const struct field *fields, void *base);

static void encode_field(struct cursor *c, const struct field *f, void *base)
{
	char *at = (char *)base + f->offset;
	struct strings *list = (struct strings *)at;

	switch (f->type) {
	case FIELD_U32:
		put_u32(c, *(uint32_t *)at);
		break;
	case FIELD_U64:
		put_u64(c, *(uint64_t *)at);
		break;
	case FIELD_STRING:
		put_counted(c, at, strnlen(at, f->size), f->size - 1);
		break;
	case FIELD_BYTES:
		put(c, at, f->size);
		break;
	case FIELD_BUFFER:
		put_counted(c, at, *count_of(base, f), f->size);
		break;
	case FIELD_STRINGS:
		put_u32(c, list->count);
		put_counted(c, list->bytes, list->size, sizeof(list->bytes));
		break;
	case FIELD_STRUCT:
		encode(c, f->element, at);
		break;
	case FIELD_LIST:
		c->bad |= *count_of(base, f) > f->size / f->stride;
		put_u32(c, *count_of(base, f));
		for (uint32_t i = 0; !c->bad && i < *count_of(base, f); i++)
			encode(c, f->element, at + i * f->stride);
		break;
	}
}

static void decode_field(struct cursor *c, const struct field *f, void *base)
{
	char *at = (char *)base + f->offset;

	switch (f->type) {
	case FIELD_U32:
		*(uint32_t *)at = get_u32(c);
		break;
	case FIELD_U64:
		*(uint64_t *)at = get_u64(c);
		break;
	case FIELD_STRING:
		get_string(c, at, f->size);
		break;
	case FIELD_BYTES:
		get(c, at, f->size);
		break;
	case FIELD_BUFFER:
		*count_of(base, f) = get_count(c, f->size);
		get(c, at, *count_of(base, f));
		break;
	case FIELD_STRINGS:
		get_strings(c, (struct strings *)at);
		break;
	case FIELD_STRUCT:
		decode(c, f->element, at);
		break;
	case FIELD_LIST:
		*count_of(base, f) = get_count(c, f->size / f->stride);
		for (uint32_t i = 0; !c->bad && i < *count_of(base, f); i++)
			decode(c, f->element, at + i * f->stride);
		break;
	}
}

static void encode(struct cursor *c, const struct field *fields, void *base)
{
	for (const struct field *f = fields; f->name && !c->bad; f++)
		encode_field(c, f, base);
}

static void decode(struct cursor *c, const struct field *fields, void *base)
{
	for (const struct field *f = fields; f->name && !c->bad; f++)
		decode_field(c, f, base);
}

ssize_t wire_encode(const struct field *fields, const void *in, void *out, size_t size)
{
	struct cursor c = {.out = out, .left = size};
	/* One walk serves both directions; encoding only reads. */
	union {
		const void *in;
		void *base;
	} from = {.in = in};

	encode(&c, fields, from.base);
	return c.bad ? -1 : (ssize_t)(size - c.left);
}

bool wire_decode(const struct field *fields, const void *in, size_t len, void *out, size_t size)
{
	struct cursor c = {.in = in, .left = len};

	memset(out, 0, size);
	decode(&c, fields, out);
	return !c.bad && c.left == 0;
}

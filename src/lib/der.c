/*
 * Strict DER for the few types that the certificate extensions use. Anything that BER would allow
 * as a second way to write the same value is refused with a phrase that names it.
 */
#include "der.h"

#include <string.h>

#include "utf8.h"

#define HEADER_MAX 6 /* type, length of the length, four bytes of length */

struct der der_init(const uint8_t *bytes, size_t size, const char **problem)
{
	*problem = NULL;
	return (struct der){.at = bytes, .end = bytes + size, .problem = problem};
}

bool der_more(const struct der *in)
{
	return !*in->problem && in->at < in->end;
}

bool der_is(const struct der *in, uint8_t type)
{
	return der_more(in) && *in->at == type;
}

static size_t der_fail(struct der *in, const char *problem)
{
	if (!*in->problem)
		*in->problem = problem;
	in->at = in->end;
	return 0;
}

/* The length octets: how many bytes the element's inside has, all of them present. */
static size_t der_length(struct der *in)
{
	if (in->at == in->end)
		return der_fail(in, "is truncated");
	size_t length = *in->at++;
	if (length == 0x80)
		return der_fail(in, "has an indefinite length");
	if (length > 0x80) {
		size_t n = length & 0x7f;
		if (n > 4)
			return der_fail(in, "has a length of more than four bytes");
		if (n > (size_t)(in->end - in->at))
			return der_fail(in, "is truncated");
		length = 0;
		for (size_t i = 0; i < n; i++)
			length = length << 8 | *in->at++;
		if (length < 0x80 || length >> (8 * (n - 1)) == 0)
			return der_fail(in, "has a length that is not written the shortest way");
	}
	if (length > (size_t)(in->end - in->at))
		return der_fail(in, "is truncated");
	return length;
}

struct der der_enter(struct der *in, uint8_t type)
{
	struct der inside = {.at = in->end, .end = in->end, .problem = in->problem};
	if (*in->problem)
		return inside;
	if (in->at == in->end)
		der_fail(in, "is truncated");
	else if (*in->at != type)
		der_fail(in, "has an element of the wrong type");
	else
		in->at++;
	size_t length = *in->problem ? 0 : der_length(in);
	inside.at = in->at;
	in->at += length;
	inside.end = in->at;
	return inside;
}

struct der der_text(struct der *in)
{
	struct der text = der_enter(in, DER_UTF8);
	size_t size = (size_t)(text.end - text.at);
	if (*in->problem)
		return text;
	if (!utf8_valid((const char *)text.at, size))
		der_fail(in, "has a text that is not UTF-8");
	else if (memchr(text.at, 0, size))
		der_fail(in, "has a text with a NUL");
	return text;
}

uint64_t der_number(struct der *in)
{
	struct der digits = der_enter(in, DER_INTEGER);
	size_t size = (size_t)(digits.end - digits.at);
	uint64_t number = 0;
	if (*in->problem)
		return 0;
	if (size == 0)
		return der_fail(in, "has an integer without a byte");
	if (size > 1 && ((digits.at[0] == 0 && digits.at[1] < 0x80) ||
			 (digits.at[0] == 0xff && digits.at[1] >= 0x80)))
		return der_fail(in, "has an integer that is not written the shortest way");
	if (digits.at[0] >= 0x80)
		return der_fail(in, "is negative");
	if (size > 9 || (size == 9 && digits.at[0] != 0))
		return der_fail(in, "is 2^64 or more");
	while (digits.at < digits.end)
		number = number << 8 | *digits.at++;
	return number;
}

void der_end(struct der *in)
{
	if (der_more(in))
		der_fail(in, "has trailing bytes");
}

/* Type and length of an element of SIZE bytes into HEADER; how many bytes that took, 0 when the
 * length does not fit. */
static size_t header_make(uint8_t header[HEADER_MAX], uint8_t type, size_t size)
{
	size_t bytes = 0;
	if (size > UINT32_MAX)
		return 0;
	header[0] = type;
	if (size < 0x80) {
		header[1] = (uint8_t)size;
		return 2;
	}
	while (size >> (8 * bytes) != 0)
		bytes++;
	header[1] = (uint8_t)(0x80 | bytes);
	for (size_t i = 0; i < bytes; i++)
		header[2 + i] = (uint8_t)(size >> (8 * (bytes - 1 - i)));
	return 2 + bytes;
}

void der_wrap(struct der_out *out, size_t start, uint8_t type)
{
	uint8_t header[HEADER_MAX];
	size_t size = out->size - start, header_size = header_make(header, type, size);
	if (out->failed || header_size == 0 || header_size > out->room - out->size) {
		out->failed = true;
		return;
	}
	memmove(out->bytes + start + header_size, out->bytes + start, size);
	memcpy(out->bytes + start, header, header_size);
	out->size += header_size;
}

void der_put(struct der_out *out, uint8_t type, const void *content, size_t size)
{
	size_t start = out->size;
	if (out->failed || size > out->room - out->size) {
		out->failed = true;
		return;
	}
	if (size > 0)
		memcpy(out->bytes + start, content, size);
	out->size += size;
	der_wrap(out, start, type);
}

void der_put_number(struct der_out *out, uint64_t number)
{
	uint8_t content[9] = {0};
	size_t size = 1;
	while (size < sizeof(content) && number >> (8 * size - 1) != 0)
		size++;
	for (size_t i = 0; i < size; i++)
		content[size - 1 - i] = i < 8 ? (uint8_t)(number >> (8 * i)) : 0;
	der_put(out, DER_INTEGER, content, size);
}

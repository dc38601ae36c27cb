/*
 * Strict DER for the few types that the certificate extensions use. Anything that BER would allow
 * as a second way to write the same value is refused with a phrase that names it.
 */
#include "der.h"

#include <string.h>
#include <time.h>

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

struct der der_magnitude(struct der *in)
{
	struct der digits = der_enter(in, DER_INTEGER);
	size_t size = (size_t)(digits.end - digits.at);
	if (*in->problem)
		return digits;
	if (size == 0)
		der_fail(in, "has an integer without a byte");
	else if (size > 1 && ((digits.at[0] == 0 && digits.at[1] < 0x80) ||
			      (digits.at[0] == 0xff && digits.at[1] >= 0x80)))
		der_fail(in, "has an integer that is not written the shortest way");
	else if (digits.at[0] >= 0x80)
		der_fail(in, "is negative");
	else if (digits.at[0] == 0)
		digits.at++;
	return digits;
}

uint64_t der_number(struct der *in)
{
	struct der digits = der_magnitude(in);
	uint64_t number = 0;
	if (*in->problem)
		return 0;
	if (digits.end - digits.at > 8)
		return der_fail(in, "is 2^64 or more");
	while (digits.at < digits.end)
		number = number << 8 | *digits.at++;
	return number;
}

bool der_flag(struct der *in)
{
	if (!der_is(in, DER_BOOLEAN))
		return false;
	struct der value = der_enter(in, DER_BOOLEAN);
	if (!*in->problem && (value.end - value.at != 1 || *value.at != 0xff))
		der_fail(in, "has a flag that is not TRUE");
	return !*in->problem;
}

bool der_is_time(const struct der *in)
{
	return der_is(in, DER_UTC_TIME) || der_is(in, DER_TIME);
}

/* COUNT digits of a time; -1 when one is none. */
static int time_digits(const uint8_t *at, int count)
{
	int number = 0;
	for (int i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return -1;
		number = 10 * number + at[i] - '0';
	}
	return number;
}

/* From the month on, "MMDDHHMMSSZ"; the kind with fractions and zones is none of RFC 5280's. */
static bool time_fields(const uint8_t *at, struct tm *out)
{
	int field[5];
	for (int i = 0; i < 5; i++) {
		field[i] = time_digits(at + 2 * (size_t)i, 2);
		if (field[i] < 0)
			return false;
	}
	out->tm_mon = field[0] - 1;
	out->tm_mday = field[1];
	out->tm_hour = field[2];
	out->tm_min = field[3];
	out->tm_sec = field[4];
	return at[10] == 'Z' && out->tm_hour < 24 && out->tm_min < 60 && out->tm_sec < 60;
}

int64_t der_time(struct der *in)
{
	bool utc = der_is(in, DER_UTC_TIME);
	struct der text = der_enter(in, utc ? DER_UTC_TIME : DER_TIME);
	int year_size = utc ? 2 : 4;
	struct tm tm = {0};
	if (*in->problem)
		return 0;
	int year = text.end - text.at == year_size + 11 ? time_digits(text.at, year_size) : -1;
	if (year < 0 || !time_fields(text.at + year_size, &tm))
		return (int64_t)der_fail(in, "has a date that is malformed");
	if (utc)
		year += year < 50 ? 2000 : 1900;
	tm.tm_year = year - 1900;
	struct tm same = tm;
	int64_t seconds = timegm(&same);
	/* The 31st of a month of 30 days comes back as the first of the next one. */
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday)
		return (int64_t)der_fail(in, "has a date that is malformed");
	return seconds;
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

/*
 * Walks the lengths of a TLS 1.3 Certificate message:
 *
 *   request context  8-bit length, empty in a handshake
 *   entries          24-bit length of all; each is
 *     certificate      24-bit length, at least one byte
 *     extensions       16-bit length, of no interest here
 */
#include "certmsg.h"

#include <stdbool.h>

struct reader {
	const uint8_t *at;
	size_t left;
};

/* A vector: a length of BYTES bytes and as much after it, which *INSIDE gets. */
static bool take(struct reader *in, unsigned bytes, struct reader *inside)
{
	size_t length = 0;
	if (in->left < bytes)
		return false;
	for (unsigned i = 0; i < bytes; i++)
		length = length << 8 | in->at[i];
	if (in->left - bytes < length)
		return false;
	*inside = (struct reader){.at = in->at + bytes, .left = length};
	in->at += bytes + length;
	in->left -= bytes + length;
	return true;
}

int certmsg_entries(const uint8_t *message, size_t len, struct certmsg_entry *entry, int max)
{
	struct reader in = {.at = message, .left = len}, context, entries, certificate, extensions;
	int n = 0;
	if (!take(&in, 1, &context) || context.left > 0 || !take(&in, 3, &entries) || in.left > 0)
		return -1;
	while (entries.left > 0) {
		if (!take(&entries, 3, &certificate) || certificate.left == 0 ||
		    !take(&entries, 2, &extensions))
			return -1;
		if (n < max)
			entry[n] = (struct certmsg_entry){certificate.at, certificate.left};
		n++;
	}
	return n;
}

/*
 * The framing of a TLS 1.3 Certificate message (RFC 8446, 4.4.2), body only: counted by the gate
 * before OpenSSL parses it, walked by vmm_auth. Looks at lengths, never into a certificate.
 */
#ifndef VMM_CERTMSG_H
#define VMM_CERTMSG_H

#include <stddef.h>
#include <stdint.h>

struct certmsg_entry {
	const uint8_t *der; /* inside of the message */
	size_t size;
};

/*
 * The entries of MESSAGE into ENTRY (at most MAX are stored); how many there are, or -1 when the
 * lengths do not add up to exactly LEN or the request context is not empty.
 */
int certmsg_entries(const uint8_t *message, size_t len, struct certmsg_entry *entry, int max);

#endif

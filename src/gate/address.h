/*
 * Where a connection comes from: as text for people, and as the unit that limits are counted by.
 */
#ifndef VMM_GATE_ADDRESS_H
#define VMM_GATE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "message.h"

/* An IPv4 address, mapped or not; or an IPv6 network of 64 bits, as one customer has it. */
struct source {
	uint8_t bytes[16];
};

void source_from(const struct sockaddr_storage *address, struct source *out);
bool source_equal(const struct source *a, const struct source *b);
/* "192.0.2.1:1025" or "[2001:db8::1]:1025" into OUT (PEER_SIZE bytes). */
void address_format(const struct sockaddr_storage *address, char *out);

#endif

/* Addresses of peers. Pure. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* What prefixes an IPv4 address that came in on an IPv6 socket. */
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* The address as 16 bytes; IPv4 as mapped. */
static void address_bytes(const struct sockaddr_storage *address, uint8_t out[16], uint16_t *port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->ss_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &v4.sin_addr, 4);
		*port = ntohs(v4.sin_port);
	} else {
		memcpy(&v6, address, sizeof(v6));
		memcpy(out, &v6.sin6_addr, 16);
		*port = ntohs(v6.sin6_port);
	}
}

void source_from(const struct sockaddr_storage *address, struct source *out)
{
	uint16_t port;

	address_bytes(address, out->bytes, &port);
	if (memcmp(out->bytes, mapped, sizeof(mapped)) != 0)
		memset(out->bytes + 8, 0, 8);
}

bool source_equal(const struct source *a, const struct source *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void address_format(const struct sockaddr_storage *address, char *out)
{
	char text[INET6_ADDRSTRLEN] = "?";
	uint8_t bytes[16];
	uint16_t port;

	address_bytes(address, bytes, &port);
	if (!memcmp(bytes, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, bytes + sizeof(mapped), text, sizeof(text));
		snprintf(out, PEER_SIZE, "%s:%u", text, port);
	} else {
		inet_ntop(AF_INET6, bytes, text, sizeof(text));
		snprintf(out, PEER_SIZE, "[%s]:%u", text, port);
	}
}

/* See mac.h. */
#include "mac.h"

#include <sha256.h>
#include <stdio.h>
#include <string.h>

void mac_make(const struct path *path, const char *device, uint8_t mac[MAC_SIZE])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX hash;

	SHA256Init(&hash);
	for (unsigned i = 0; i < path->depth; i++)
		SHA256Update(&hash, path->node[i].label.byte, sizeof(path->node[i].label.byte));
	SHA256Update(&hash, (const uint8_t *)device, strlen(device));
	SHA256Final(digest, &hash);
	memcpy(mac, digest, MAC_SIZE);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
}

void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

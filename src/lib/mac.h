/* Ethernet addresses of guests, which follow from who they are. Pure. */
#ifndef VMM_MAC_H
#define VMM_MAC_H

#include "path.h"

#define MAC_SIZE      6
#define MAC_TEXT_SIZE 18 /* "02:00:00:00:00:01" and a NUL */

/*
 * The first six bytes of SHA-256 over the labels of PATH, a VM's, from the top down, and the name
 * of the device, the first of them made locally administered and unicast.
 */
void mac_make(const struct path *path, const char *device, uint8_t mac[MAC_SIZE]);
void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);

#endif

/*
 * Whether the devices given are those that an image's manifest declares.
 */
#ifndef CA_MANIFEST_H
#define CA_MANIFEST_H

#include "elf.h"
#include "policy.h"
#include "request.h"

/*
 * Every device declared must be given and every one given declared. Those given without a name take
 * the ones that nobody named, in the manifest's order.
 */
bool manifest_check(const struct elf_image *image, const struct vm_config *vm, struct refusal *why);

#endif

/* What a path that a person wrote means within a session's scope. */
#ifndef VMM_LOOKUP_H
#define VMM_LOOKUP_H

#include "vm.h"

enum lookup_result { LOOKUP_ONE, LOOKUP_NONE, LOOKUP_AMBIGUOUS };

/*
 * The one VM or delegation in SCOPE that TEXT names, into PATH; a delegation is known by the VMs
 * below it. "" is the scope itself. AMBIGUOUS: the labels of what matched, comma-separated, into
 * LABELS.
 */
enum lookup_result lookup_path(const struct daemon *d, const struct path *scope, const char *text,
			       struct path *path, char *labels, size_t size);
/* The VM at PATH: the live one, else the ended one, else NULL. */
struct vm *lookup_vm(const struct daemon *d, const struct path *path);

#endif

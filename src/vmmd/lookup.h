/* What a path that a person wrote means within a session's scope. */
#ifndef VMM_LOOKUP_H
#define VMM_LOOKUP_H

#include "session.h"
#include "vm.h"

enum lookup_result { LOOKUP_ONE, LOOKUP_NONE, LOOKUP_AMBIGUOUS };

#define LABELS_SIZE (DETAIL_SIZE / 2) /* of those that an answer names */

/*
 * The one VM or delegation in SCOPE that TEXT names, into PATH; a delegation is known by a VM or a
 * volume below it or by the tree of labels. "" is the scope itself. A text that is somebody's name
 * wins over a label that starts so. Of several of a name, as after one was taken back and signed
 * again, the one where a VM lives is meant, else the newest; labels are exact. AMBIGUOUS: the
 * labels of what matched, comma-separated, into LABELS.
 */
enum lookup_result lookup_path(const struct daemon *d, const struct path *scope, const char *text,
			       struct path *path, char *labels, size_t size);
/* The same among delegations alone. */
enum lookup_result lookup_delegation(const struct daemon *d, const struct path *scope,
				     const char *text, struct path *path, char *labels,
				     size_t size);
/* The VM at PATH: the live one, else the ended one, else NULL. */
struct vm *lookup_vm(const struct daemon *d, const struct path *path);
/*
 * vms.c: whether FOUND, of TEXT, is one; else SESSION was answered: what is not there and what is
 * outside of its scope are the same.
 */
bool session_found(struct session *session, uint32_t id, enum lookup_result found, const char *text,
		   const char *labels);

#endif

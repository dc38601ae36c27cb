/*
 * Taking back: what a revocation list, verified and stored by vmm_auth, ends here.
 */
#ifndef VMM_REVOKE_H
#define VMM_REVOKE_H

#include "session.h"

/* The handler of REVOKE: the session's chain goes to vmm_auth, whose word comes back below. */
void session_revoke(struct session *session, const union message_body *body);
/* vmm_auth's REVOCATION_REFUSED and REVOCATION_LIST. */
void revocation_refused(struct daemon *d, const struct msg_revocation_refused *msg);
/* NULL, or what is wrong with the list, as a phrase: vmm_auth does not do its work. */
const char *revocation_list(struct daemon *d, struct incoming *in);
/* The vmm_auth that was asked is gone: whoever waits for its word is told. */
void revocation_lost(struct daemon *d);
/* Tells PUSHER (NULL: nobody) of the volume NAME of OWNER; push_vm_gone is to follow. */
void push_volume_ends(struct session *pusher, const struct path *owner, const char *name);
/*
 * For session.c and volumes: whether (SESSION, ID) is a push that ends VMs and volumes. Then one of
 * them is gone, or PROBLEM says why not (NULL: it is), and the push is answered after the last.
 */
bool push_vm_gone(struct session *session, uint32_t id, const char *problem);

#endif

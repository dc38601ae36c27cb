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
void revocation_list(struct daemon *d, struct incoming *in);

#endif

/* Revocation. */
#include "revoke.h"

void session_revoke(struct session *session, const union message_body *body)
{
	session_error(session, body->id.id, 503, "unavailable", "no revocation yet");
}

void revocation_refused(struct daemon *d, const struct msg_revocation_refused *msg)
{
	(void)d;
	(void)msg;
}

void revocation_list(struct daemon *d, struct incoming *in)
{
	(void)d;
	(void)in;
}

/* vmmd's volumes, for tests of sessions that have none. */
#include "volumes.h"

void volumes_revoke(struct daemon *d, const struct revocation *list, struct session *pusher)
{
	(void)d, (void)list, (void)pusher;
}

void volumes_session_gone(struct session *session)
{
	(void)session;
}

/* Every one of them is answered alike: it got so far. */
#define NO_VOLUMES(name)                                                                    \
	void name(struct session *session, const union message_body *body)                  \
	{                                                                                   \
		session_error(session, body->id.id, 503, "unavailable", "no volumes here"); \
	}
NO_VOLUMES(session_volume_list)
NO_VOLUMES(session_volume_create)
NO_VOLUMES(session_volume_destroy)
NO_VOLUMES(session_volume_read)
NO_VOLUMES(session_volume_write)
NO_VOLUMES(session_volume_written)

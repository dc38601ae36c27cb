#include "volumes.h"

void volumes_open(struct daemon *d)
{
	(void)d;
}
void volumes_check(struct daemon *d)
{
	(void)d;
}
uint64_t volumes_used_mb(const struct daemon *d, const struct path *path)
{
	(void)d, (void)path;
	return 0;
}
bool volumes_lend(struct daemon *d, const struct request *r, const struct vm *old, int *fds,
		  struct start_error *error)
{
	(void)d, (void)r, (void)old, (void)fds, (void)error;
	return true;
}
void volumes_released(struct daemon *d)
{
	(void)d;
}
void volumes_revoke(struct daemon *d, const struct revocation *list, struct session *pusher)
{
	(void)d, (void)list, (void)pusher;
}
void volumes_close(struct daemon *d)
{
	(void)d;
}
void volumes_session_gone(struct session *session)
{
	(void)session;
}

static void not_yet(struct session *session, const union message_body *body)
{
	session_error(session, body->id.id, 503, "unavailable", "volumes are not in this version");
}

void session_volume_list(struct session *session, const union message_body *body)
{
	not_yet(session, body);
}
void session_volume_create(struct session *session, const union message_body *body)
{
	not_yet(session, body);
}
void session_volume_destroy(struct session *session, const union message_body *body)
{
	not_yet(session, body);
}
void session_volume_read(struct session *session, const union message_body *body)
{
	not_yet(session, body);
}
void session_volume_write(struct session *session, const union message_body *body)
{
	not_yet(session, body);
}
void session_volume_written(struct session *session, const union message_body *body)
{
	not_yet(session, body);
}

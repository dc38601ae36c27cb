/* sd_notify(3)'s protocol, the sending side. */
#ifndef VMM_NOTIFY_H
#define VMM_NOTIFY_H

/* STATE ("READY=1") to whoever $NOTIFY_SOCKET names; nothing when it names nobody. */
void notify(const char *state);

#endif

/* Rules that somebody took away (relock.h). */
#include "relock.h"

#include <string.h>

#include "bridges.h"
#include "log.h"
#include "tap_rules.h"
#include "taps.h"

/* What is to be looked at. */
struct lost {
	struct daemon *d;
	bool taps, bridges;
};

/*
 * A table was removed, by whomever: our own ones too, when they are replaced and when a VM ends.
 * What is put back is all that is gone, at the first one that is: tables go together, and it is
 * said once.
 */
static void look_at(void *arg, const char *table)
{
	struct lost *lost = arg;

	if (table == NULL)
		lost->taps = lost->bridges = true;
	else if (strncmp(table, BRIDGE_TABLE, strlen(BRIDGE_TABLE)) == 0)
		lost->bridges = true;
	else if (!lost->taps)
		lost->taps = taps_lost(lost->d, table);
}

static void put_back(const struct lost *lost)
{
	if (lost->taps)
		taps_relock(lost->d);
	if (lost->bridges)
		bridges_relock(lost->d);
}

static void on_removed(evutil_socket_t fd, short what, void *arg)
{
	struct lost lost = {.d = arg};

	(void)what;
	tap_rules_removed(fd, look_at, &lost);
	put_back(&lost);
}

void relock_open(struct daemon *d)
{
	struct event *event;
	int fd;

	if (d->no_taps.text[0])
		return;
	fd = tap_rules_watch();
	if (fd < 0) {
		log_warning("vmmd cannot hear of rules that somebody removes: %s; do not empty the "
			    "host's rule set while VMs run",
			    strerror(-fd));
	} else {
		event = event_new(d->base, fd, EV_READ | EV_PERSIST, on_removed, d);
		if (event == NULL || event_add(event, NULL) < 0)
			log_fatal("out of memory");
	}
	put_back(&(struct lost){.d = d, .taps = true, .bridges = true});
}

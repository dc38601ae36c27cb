/*
 * One line of vmm_ca list, see listed.h.
 */
#include "listed.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

enum listed_state listed_state(const struct listed *listed, int64_t now, unsigned days)
{
	if (listed->revoked)
		return LISTED_REVOKED;
	if (listed->until == UNTIL_UNKNOWN)
		return LISTED_UNKNOWN;
	/* Its last second is one of its own. */
	if (listed->until < now)
		return LISTED_EXPIRED;
	return listed->until - now <= (int64_t)days * DAY_S ? LISTED_EXPIRING : LISTED_VALID;
}

void listed_words(const struct listed *listed, int64_t now, unsigned days, char *out, size_t size)
{
	static const char *const words[] = {
	    [LISTED_UNKNOWN] = "its certificate is not here",
	    [LISTED_VALID] = "valid",
	    [LISTED_EXPIRED] = "expired",
	    [LISTED_REVOKED] = "revoked",
	};
	enum listed_state state = listed_state(listed, now, days);
	long long left;

	if (state != LISTED_EXPIRING) {
		snprintf(out, size, "%s", words[state]);
		return;
	}
	left = (listed->until - now) / DAY_S;
	if (left == 0)
		snprintf(out, size, "expires within a day");
	else
		snprintf(out, size, "expires in %lld day%s", left, left == 1 ? "" : "s");
}

int listed_compare(const void *a, const void *b)
{
	const struct listed *left = a, *right = b;

	if (left->until != right->until)
		return left->until < right->until ? -1 : 1;
	return strcmp(left->name, right->name);
}

/*
 * What an issuer is asked to sign, and whether it may.
 */
#ifndef CA_GRANT_H
#define CA_GRANT_H

#include "issuer.h"

/* What is to be granted to whom. Borrows everything. */
struct grant {
	const char *name;
	EVP_PKEY *key; /* the subject's, public is enough */
	const struct cert_content *content;
	enum cert_shape shape;
	struct number days, path_length;
};

/*
 * Refuses what the issuer, opened, cannot grant or what would be refused at deployment. Looks at no
 * file but those read already.
 */
bool grant_check(const struct issuer *issuer, const struct grant *grant, struct refusal *why);

/* Whether VM lies within PARENT, which is PARENT_NAME's, and its arguments can be filled in there.
 */
bool vm_allowed(const struct vm_config *vm, const struct policy *parent, const char *parent_name,
		struct refusal *why);

#endif

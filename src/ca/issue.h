/*
 * Issuing: the certificate that says what is granted, and the files that it comes in.
 */
#ifndef CA_ISSUE_H
#define CA_ISSUE_H

#include "grant.h"

#define DAYS_SIGNED 365

/* An issuance in progress. Begins with issuance_begin, ends with issuance_end whatever happened. */
struct issuance {
	struct issuer issuer;
	X509 *cert;
	struct outputs outputs;
};

void issuance_begin(struct issuance *issuance);
void issuance_end(struct issuance *issuance);

/*
 * For an issuer whose files are named: opens it, checks GRANT, locks the .db, finds the serial
 * number that the name has or draws one, signs, prints what is granted, and collects the .db,
 * STEM.pem and STEM.bundle. Left to the caller: to add more, to commit.
 */
bool issue(struct issuance *issuance, const struct grant *grant, const char *stem,
	   struct refusal *why);
/* The part for an issuer that is open: signs with SERIAL, prints, collects STEM.pem and
 * STEM.bundle.
 */
bool issue_certificate(struct issuance *issuance, const struct grant *grant,
		       const ASN1_INTEGER *serial, const char *stem, struct refusal *why);
/* A serial number whose label shares its first digits with none in DB. */
ASN1_INTEGER *serial_draw(const struct db *db, struct refusal *why);

#endif

/*
 * The end that delegation, command and vm share: a key, a request, and with --issuer what signing
 * gives, in files called after the name.
 */
#ifndef CA_ASK_H
#define CA_ASK_H

#include "args.h"
#include "cert.h"

#define ASK_OPTIONS                                                                              \
	TEXT("key", key, "FILE", "use this key (a file or a pkcs11: URI), make none"),           \
	    TEXT("issuer", issuer, "X", "sign too, with X.pem, X.key and X.db; ca: cacert.pem"), \
	    TEXT("issuer-key", issuer_key, "KEY", "with --issuer: its key, instead of X.key"),   \
	    NUMBER("days", days, "N", 1, DAYS_MAX,                                               \
		   "with --issuer: how long it is valid; default: 365")

/* An exit status; WHY is filled unless it is EXIT_DONE. SHAPE is what CONTENT is meant to be. */
int ask(const struct args *args, const char *name, const struct cert_content *content,
	enum cert_shape shape, struct refusal *why);

#endif

/*
 * Why TLS failed, in words that tell a person which file to look at.
 */
#ifndef VMM_TLS_WORDS_H
#define VMM_TLS_WORDS_H

#include "tls.h"

/* What is wrong with the server's certificate (TLS->verify_error). */
void tls_say_untrusted(const struct tls *tls, struct refusal *why);
/* What the server's alert means (TLS->alert). */
void tls_say_alert(const struct tls *tls, struct refusal *why);

#endif

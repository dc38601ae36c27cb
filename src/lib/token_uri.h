/*
 * pkcs11: URIs (RFC 7512), which name a private key on a token, and the PIN that they lead to.
 * Talks to no token.
 */
#ifndef VMM_TOKEN_URI_H
#define VMM_TOKEN_URI_H

#include <libp11.h>
#include <p11-kit/uri.h>
#include <stdbool.h>

#include "policy.h"

#define TOKEN_WORDS_SIZE 200
#define TOKEN_PIN_SIZE	 256 /* with its NUL; tokens take far less */

/* Whether NAME, a key argument, is such a URI; else it is a file. */
bool token_uri_is(const char *name);
/* NAME, a key argument, as it may be shown: of a URI nothing from the first PIN or '?' on. */
void token_uri_words(const char *name, char out[TOKEN_WORDS_SIZE]);

/*
 * To be freed with p11_kit_uri_free; NULL with WHY. Taken are token, manufacturer, model, serial,
 * object, id, type, and behind the '?' module-path, pin-value, pin-source: a URI that asks for more
 * is refused, as it might mean another key.
 */
P11KitUri *token_uri_parse(const char *text, struct refusal *why);
/* Whether it means TOKEN; whether it means the private key KEY on it. */
bool token_uri_means_token(const P11KitUri *uri, const PKCS11_TOKEN *token);
bool token_uri_means_key(const P11KitUri *uri, const PKCS11_KEY *key);

/*
 * TOKEN's PIN as URI has it: its pin-value, its pin-source (file:/PATH or /PATH, less the newline
 * at its end), or else from the terminal, without echo. False with WHY, also for a token that a
 * wrong PIN has locked or, unless somebody types it, would lock now. The caller wipes PIN.
 */
bool token_pin(const P11KitUri *uri, const PKCS11_TOKEN *token, char pin[TOKEN_PIN_SIZE],
	       struct refusal *why);

#endif

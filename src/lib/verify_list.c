/* The list in a revocation certificate, of a chain that was found good. */
#include <openssl/err.h>

#include "verify.h"
#include "verify_private.h"

bool verify_list(const uint8_t *message, size_t len, X509 *root, time_t now, struct crl *list,
		 uint8_t key_id[DIGEST_SIZE], struct refusal *why)
{
	struct chain chain;
	enum alert alert;
	struct cert_content content = {0};
	struct refusal detail;
	*list = (struct crl){0};
	bool good = chain_open(message, len, root, &chain, &alert, why) &&
		    cert_decode(X509_get0_extensions(chain.cert[0]), &content, why);
	if (good) {
		X509 *issuer = chain_issuer(&chain, 0);
		good = content.crl &&
		       crl_read(content.crl, content.crl_size, issuer, now, list, &detail);
		if (!good)
			refusal_say(why, "the revocation list %s",
				    content.crl ? detail.text : "is missing");
		else if (!cert_key_id(X509_get0_pubkey(issuer), key_id))
			good = refusal_say(why, "out of memory");
	}
	if (!good)
		crl_free(list);
	chain_close(&chain);
	return good;
}

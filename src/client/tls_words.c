/*
 * Words for verification errors and alerts. Decides nothing.
 */
#include "tls_words.h"

static bool signer_is_unknown(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

void tls_say_untrusted(const struct tls *tls, struct refusal *why)
{
	const char *ca = tls->options->ca;
	int error = tls->verify_error;

	if (error == X509_V_ERR_CERT_CHAIN_TOO_LONG)
		refusal_say(why,
			    "TLS: the server's certificate is signed by %s, not directly by the "
			    "CA in %s: this is not the server",
			    tls->delegation, ca);
	else if (signer_is_unknown(error))
		refusal_say(why, "TLS: the server's certificate is not signed by the CA in %s", ca);
	else if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		refusal_say(why, "TLS: the server's certificate does not name %s",
			    tls->options->server.host);
	else if (error == X509_V_ERR_INVALID_PURPOSE)
		refusal_say(why, "TLS: the server's certificate is no server's (serverAuth is not "
				 "among its extended key usages)");
	else
		refusal_say(why, "TLS: the server's certificate, or the CA in %s: %s", ca,
			    X509_verify_cert_error_string(error));
}

/* Alerts that a server sends when it does not take a client, by RFC 8446's numbers. */
static const struct {
	int alert;
	bool chain; /* about what is in BUNDLE */
	const char *words;
} alerts[] = {
    {SSL_AD_HANDSHAKE_FAILURE, false, "the server finds no common parameters"},
    {SSL_AD_BAD_CERTIFICATE, true, "the server finds something wrong with the chain"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, true, "the server does not support the chain's keys"},
    {SSL_AD_CERTIFICATE_REVOKED, true, "the server says that the chain is revoked"},
    {SSL_AD_CERTIFICATE_EXPIRED, true, "the server says that the chain is expired"},
    {SSL_AD_CERTIFICATE_UNKNOWN, true, "the server does not accept the chain"},
    {SSL_AD_UNKNOWN_CA, true, "the server does not know this CA"},
    {SSL_AD_ACCESS_DENIED, true, "the server denies access"},
    {SSL_AD_DECODE_ERROR, true, "the server cannot decode the chain"},
    {SSL_AD_DECRYPT_ERROR, true, "the server finds a wrong signature in the chain"},
    {SSL_AD_PROTOCOL_VERSION, false, "the server does not speak TLS 1.3"},
    {SSL_AD_INTERNAL_ERROR, false, "the server has an error of its own"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, false, "the server does not speak HTTP/2"},
};

void tls_say_alert(const struct tls *tls, struct refusal *why)
{
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
		if (alerts[i].alert != tls->alert)
			continue;
		if (alerts[i].chain)
			refusal_say(why, "TLS: %s (%s)", alerts[i].words, tls->options->bundle);
		else
			refusal_say(why, "TLS: %s", alerts[i].words);
		return;
	}
	refusal_say(why, "TLS: the server ended it with alert %d: %s", tls->alert,
		    SSL_alert_desc_string_long(tls->alert));
}

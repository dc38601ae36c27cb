/*
 * The host's own certificate, see server.h.
 */
#include "server.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "path.h"
#include "x509.h"

#define HOST_SIZE 254 /* a DNS name has at most 253 characters */

/* What a client may connect to, as a subject alternative name; NULL with WHY. */
static GENERAL_NAME *host_name(const char *text, struct refusal *why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t len = strlen(text);
	struct in6_addr address;

	if (inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1)
		return a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_IPADD, text, 0);
	if (len > 0 && len < HOST_SIZE && strspn(text, allowed) == len && text[0] != '-' &&
	    text[0] != '.')
		return a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, text, 0);
	refusal_say(why, "server: '%.64s' is neither a host name nor an IP address", text);
	return NULL;
}

static bool hosts_add(GENERAL_NAMES *hosts, const char *text, struct refusal *why)
{
	GENERAL_NAME *name = host_name(text, why);

	if (name == NULL)
		return false;
	if (sk_GENERAL_NAME_push(hosts, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return refusal_say(why, "server: out of memory");
}

static bool add_hosts(X509 *cert, const struct items *names, struct refusal *why)
{
	GENERAL_NAMES *hosts = sk_GENERAL_NAME_new_null();
	bool ok = hosts != NULL || refusal_say(why, "server: out of memory");

	for (size_t i = 0; ok && i < names->count; i++)
		ok = hosts_add(hosts, names->item[i], why);
	if (ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, hosts, 0, X509V3_ADD_DEFAULT) != 1)
		ok = refusal_say(why, "server: out of memory");
	sk_GENERAL_NAME_pop_free(hosts, GENERAL_NAME_free);
	return ok;
}

/* This host's name where that is one, and what it calls itself. */
static void default_names(struct items *out, char host[HOST_SIZE])
{
	struct refusal ignored;
	GENERAL_NAME *name = NULL;

	out->count = 0;
	if (gethostname(host, HOST_SIZE) == 0 && memchr(host, '\0', HOST_SIZE) != NULL)
		name = host_name(host, &ignored);
	if (name != NULL && strcmp(host, "localhost") != 0)
		out->item[out->count++] = host;
	GENERAL_NAME_free(name);
	out->item[out->count++] = "localhost";
	out->item[out->count++] = "127.0.0.1";
	out->item[out->count++] = "::1";
}

static bool server_fill(X509 *cert, const struct items *names, EVP_PKEY *key, unsigned days,
			X509 *ca, struct refusal *why)
{
	static const struct standard_extension exts[] = {
	    {NID_basic_constraints, "critical,CA:FALSE"},
	    {NID_key_usage, "critical,digitalSignature"},
	    {NID_ext_key_usage, "serverAuth"},
	    {0, NULL},
	};
	const char *first = names->item[0];
	/* Who connects looks at the alternative names; a long one does not fit into this one. */
	const char *name = name_problem(first, strlen(first)) == NULL ? first : "server";
	ASN1_INTEGER *serial = x509_serial();
	bool ok;

	ok = serial != NULL && x509_fill(cert, serial, X509_get_subject_name(ca), name, key) &&
	     x509_set_dates(cert, time(NULL), days) && x509_clip_dates(cert, ca) &&
	     x509_extend(cert, ca, exts);
	ASN1_INTEGER_free(serial);
	if (!ok)
		return refusal_say(why, "server: OpenSSL cannot make the certificate");
	if (X509_NAME_cmp(X509_get_subject_name(cert), X509_get_subject_name(ca)) == 0)
		return refusal_say(why, "server: %s is the name of the CA too; give the CA another",
				   name);
	return add_hosts(cert, names, why);
}

X509 *server_certificate(const struct items *names, EVP_PKEY *key, unsigned days, X509 *ca,
			 EVP_PKEY *ca_key, struct refusal *why)
{
	struct items defaults;
	char host[HOST_SIZE];
	X509 *cert = X509_new();
	bool ok = cert != NULL || refusal_say(why, "server: out of memory");

	if (names->count == 0) {
		default_names(&defaults, host);
		names = &defaults;
	}
	ok = ok && server_fill(cert, names, key, days, ca, why);
	if (ok && X509_sign(cert, ca_key, key_digest(ca_key)) <= 0)
		ok = refusal_say(why, "server: OpenSSL cannot sign with the CA's key");
	if (ok)
		return cert;
	X509_free(cert);
	return NULL;
}

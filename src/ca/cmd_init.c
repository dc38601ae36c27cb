/*
 * vmm_ca init and vmm_ca server: the root CA and the host's certificate.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "describe.h"
#include "issuer.h"
#include "keys.h"
#include "pem.h"
#include "server.h"
#include "x509.h"

#define DAYS_CA	     3650
#define NAME_DEFAULT "vmm CA"

/* A CA in the making, or one that is read to renew its server's certificate. */
struct authority {
	EVP_PKEY *key, *server_key;
	X509 *cert, *server;
	struct outputs outputs;
};

static void authority_free(struct authority *ca)
{
	outputs_end(&ca->outputs);
	X509_free(ca->cert);
	X509_free(ca->server);
	EVP_PKEY_free(ca->key);
	EVP_PKEY_free(ca->server_key);
}

/* "DIR/FILE", "FILE" without a directory. */
static bool in_dir(const char *dir, const char *file, char out[PATH_MAX], struct refusal *why)
{
	if (dir == NULL)
		return file_name(file, "", out, why);
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s", dir, file) < PATH_MAX)
		return true;
	return refusal_say(why, "%.100s...: the path is too long", dir);
}

static X509 *root_make(const char *name, EVP_PKEY *key, unsigned days)
{
	static const struct standard_extension exts[] = {
	    {NID_basic_constraints, "critical,CA:TRUE"},
	    {NID_key_usage, "critical,keyCertSign,cRLSign"},
	    {0, NULL},
	};
	ASN1_INTEGER *serial = x509_serial();
	X509 *cert = X509_new();
	bool ok;

	ok = serial != NULL && cert != NULL && x509_fill(cert, serial, NULL, name, key) &&
	     x509_set_dates(cert, time(NULL), days) && x509_extend(cert, cert, exts) &&
	     X509_sign(cert, key, key_digest(key)) > 0;
	ASN1_INTEGER_free(serial);
	if (ok)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool authority_make(struct authority *ca, const struct args *args, struct refusal *why)
{
	const char *name = args->name == NULL ? NAME_DEFAULT : args->name;
	const char *problem = name_problem(name, strlen(name));

	if (problem != NULL)
		return refusal_say(why, "name: '%.64s' %s", name, problem);
	ca->key = args->key != NULL ? key_load(args->key, why) : key_generate(why);
	ca->server_key = ca->key == NULL ? NULL : key_generate(why);
	if (ca->server_key == NULL)
		return false;
	ca->cert = root_make(name, ca->key, args->days.given ? args->days.value : DAYS_CA);
	if (ca->cert == NULL)
		return refusal_say(why, "%s: OpenSSL cannot make the certificate", name);
	ca->server = server_certificate(&args->server, ca->server_key, DAYS_SERVER, ca->cert,
					ca->key, why);
	return ca->server != NULL;
}

/*
 * All five are new: none of an older CA's files goes with this one's. A key that was there already
 * stays where it is.
 */
static bool authority_output(struct authority *ca, const struct args *args, struct refusal *why)
{
	const char *dir = args->dir;
	char path[PATH_MAX];
	struct outputs *out = &ca->outputs;

	if (args->key == NULL &&
	    (!in_dir(dir, "ca.key", path, why) || !key_output(ca->key, path, out, why)))
		return false;
	return in_dir(dir, "cacert.pem", path, why) &&
	       pem_chain_output(ca->cert, NULL, path, OUTPUT_NEW, out, why) &&
	       in_dir(dir, "ca.db", path, why) && outputs_add(out, path, OUTPUT_NEW, "", 0, why) &&
	       in_dir(dir, "server.key", path, why) && key_output(ca->server_key, path, out, why) &&
	       in_dir(dir, "server.pem", path, why) &&
	       pem_chain_output(ca->server, NULL, path, OUTPUT_NEW, out, why) &&
	       outputs_commit(out, why);
}

static int init_run(const struct args *args, struct refusal *why)
{
	struct authority ca = {0};
	bool made = false, ok;

	if (args->dir != NULL) {
		made = mkdir(args->dir, 0777) == 0;
		if (!made && errno != EEXIST) {
			refusal_say(why, "%.300s: %s", args->dir, strerror(errno));
			return EXIT_REFUSED;
		}
	}
	ok = authority_make(&ca, args, why) && authority_output(&ca, args, why);
	if (ok) {
		describe_certificate(ca.cert);
		describe_certificate(ca.server);
	}
	authority_free(&ca);
	if (!ok && made)
		(void)rmdir(args->dir);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option init_options[] = {
    TEXT("dir", dir, "DIR", "where the files go, made when absent; default: here"),
    TEXT("name", name, "NAME", "the CA's name; default: " NAME_DEFAULT),
    NUMBER("days", days, "N", 1, DAYS_MAX, "how long the CA is valid; default: 3650"),
    TEXT("key", key, "KEY", "the CA's key (a file or a pkcs11: URI), no ca.key is made"),
    ITEMS("server", server, "NAME",
	  "host name or address of the server, several times for several;\n"
	  "                             default: this host's name, localhost, 127.0.0.1, ::1"),
    OPTIONS_END,
};

const struct command command_init = {
    .name = "init",
    .arguments = "[--dir DIR] [--name NAME] [--days N] [--key KEY] [--server NAME]...",
    .summary = "make a CA and its server's certificate",
    .text = "Writes ca.key, cacert.pem, ca.db, server.key and server.pem, and overwrites none.\n"
	    "The server's certificate is valid for 365 days.",
    .options = init_options,
    .run = init_run,
};

static bool server_read(struct authority *ca, const struct args *args, struct refusal *why)
{
	char cert[PATH_MAX], key[PATH_MAX], server[PATH_MAX];

	if (!in_dir(args->dir, "cacert.pem", cert, why) || !in_dir(args->dir, "ca.key", key, why) ||
	    !in_dir(args->dir, "server.key", server, why) ||
	    (args->key != NULL && !file_name(args->key, "", key, why)))
		return false;
	ca->cert = pem_certificate_load(cert, why);
	if (ca->cert == NULL)
		return false;
	if (X509_self_signed(ca->cert, 1) != 1)
		return refusal_say(why, "%.300s: is no root CA, the server's must be signed by it",
				   cert);
	ca->key = key_load(key, why);
	ca->server_key = ca->key == NULL ? NULL : key_load(server, why);
	if (ca->server_key == NULL)
		return false;
	return key_belongs(ca->key, key, ca->cert, cert, why);
}

static int server_run(const struct args *args, struct refusal *why)
{
	unsigned days = args->days.given ? args->days.value : DAYS_SERVER;
	struct authority ca = {0};
	char path[PATH_MAX];
	bool ok;

	ok = server_read(&ca, args, why) && in_dir(args->dir, "server.pem", path, why);
	if (ok)
		ca.server = server_certificate(&args->rest, ca.server_key, days, ca.cert, ca.key,
					       why);
	ok = ok && ca.server != NULL &&
	     pem_chain_output(ca.server, NULL, path, OUTPUT_REPLACE, &ca.outputs, why) &&
	     outputs_commit(&ca.outputs, why);
	if (ok)
		describe_certificate(ca.server);
	authority_free(&ca);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option server_options[] = {
    TEXT("dir", dir, "DIR", "where the CA's files are; default: here"),
    NUMBER("days", days, "N", 1, DAYS_MAX, "how long it is valid; default: 365"),
    TEXT("key", key, "KEY", "the CA's key (a file or a pkcs11: URI), instead of ca.key"),
    OPTIONS_END,
};

const struct command command_server = {
    .name = "server",
    .arguments = "NAME... [--dir DIR] [--days N] [--key KEY]",
    .summary = "renew the server's certificate",
    .text = "Writes server.pem anew, for server.key and the host names and addresses given,\n"
	    "signed by cacert.pem's ca.key.",
    .options = server_options,
    .rest_min = 1,
    .rest_max = 64,
    .run = server_run,
};

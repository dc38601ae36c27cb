/*
 * Who signs: the root CA or a delegation, its key, the delegations above it and its .db.
 */
#ifndef CA_ISSUER_H
#define CA_ISSUER_H

#include "args.h"
#include "cert.h"
#include "db.h"
#include "files.h"

/* KEY may be a pkcs11: URI. */
struct issuer_files {
	char cert[PATH_MAX], key[PATH_MAX], db[PATH_MAX], bundle[PATH_MAX], crl[PATH_MAX];
};

/* Begins zeroed with LOCK -1; ends with issuer_close. */
struct issuer {
	struct issuer_files files;
	X509 *cert;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /* itself and the delegations above; the root: none */
	bool root;
	char name[NAME_SIZE];
	struct policy policy; /* of a delegation */
	struct db db;	      /* once locked */
	int lock;
	bool made_db; /* there was none before it was locked */
};

/*
 * The files of X as --issuer means it: X.pem, X.key, X.db; "ca" is cacert.pem, ca.key, ca.db. KEY,
 * a file or a pkcs11: URI, instead of X.key unless NULL.
 */
bool issuer_files_of(const char *x, const char *key, struct issuer_files *out, struct refusal *why);
/* The files as --ca, --key and --db name them. */
bool issuer_files_given(const struct args *args, struct issuer_files *out, struct refusal *why);

/*
 * Reads certificate, key and bundle, and checks that they belong together and may sign: nothing
 * that it signs could be used otherwise.
 */
bool issuer_open(struct issuer *issuer, struct refusal *why);
/* Waits for the .db, made when absent, and reads it. Held until issuer_close. */
bool issuer_lock(struct issuer *issuer, struct refusal *why);
/* Collects the .db as it is now. */
bool issuer_output_db(const struct issuer *issuer, struct outputs *outputs, struct refusal *why);
void issuer_close(struct issuer *issuer);

#endif

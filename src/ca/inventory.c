/*
 * What an issuer signed, see inventory.h. Reads files, decides nothing.
 */
#include "inventory.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crl.h"
#include "pem.h"
#include "x509.h"
#include "x509_time.h"

#define SUFFIX ".pem"

static const char *kind_of(X509 *cert)
{
	struct cert_content content;
	struct refusal ignored;
	bool ca = X509_check_ca(cert) == 1;

	if (!cert_decode(X509_get0_extensions(cert), &content, &ignored))
		return "unreadable";
	if (content.present == 0 && ca)
		return "root CA";
	if (content.present == 0)
		return (X509_get_extended_key_usage(cert) & XKU_SSL_SERVER) != 0 ? "server"
										 : "other";
	switch (cert_shape(&content, ca, &ignored)) {
	case SHAPE_DELEGATION:
		return "delegation";
	case SHAPE_VM:
		return "VM";
	case SHAPE_COMMAND:
		return "command";
	case SHAPE_REVOCATION:
		return "revocation";
	case SHAPE_NONE:
		break;
	}
	return "other";
}

/* What CERT says, unless a later one of its serial number has been read: that one counts. */
static void item_fill(struct listed *item, X509 *cert)
{
	int64_t since = x509_seconds(X509_get0_notBefore(cert));

	if (item->kind != NULL && item->since >= since)
		return;
	subject_words(X509_get_subject_name(cert), item->name);
	item->kind = kind_of(cert);
	item->since = since;
	item->until = x509_seconds(X509_get0_notAfter(cert));
}

static struct listed *item_find(const struct inventory *inventory, const struct label *label)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (label_equal(&inventory->item[i].label, label))
			return &inventory->item[i];
	return NULL;
}

/* A line for LABEL, to be filled; NULL: no memory. */
static struct listed *item_add(struct inventory *inventory, const struct label *label)
{
	struct listed *item = inventory->item;

	if (inventory->count == inventory->room) {
		size_t room = 2 * inventory->room + 16;

		item = reallocarray(item, room, sizeof(*item));
		if (item == NULL)
			return NULL;
		inventory->item = item;
		inventory->room = room;
	}
	item = &inventory->item[inventory->count++];
	*item = (struct listed){.label = *label, .until = UNTIL_UNKNOWN};
	return item;
}

static bool add_issued(const struct db *db, struct inventory *out)
{
	for (size_t i = 0; i < db->count; i++) {
		struct listed *item = item_add(out, &db->entry[i].label);

		if (item == NULL)
			return false;
		snprintf(item->name, sizeof(item->name), "%s", db->entry[i].name);
	}
	return true;
}

static bool add_revoked(X509_CRL *crl, struct inventory *out)
{
	STACK_OF(X509_REVOKED) *revoked = crl == NULL ? NULL : X509_CRL_get_REVOKED(crl);
	struct refusal ignored;
	struct label label;

	for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
		struct listed *item;

		if (!cert_label(X509_REVOKED_get0_serialNumber(entry), &label, &ignored))
			continue;
		item = item_find(out, &label);
		if (item == NULL)
			item = item_add(out, &label);
		if (item == NULL)
			return false;
		item->revoked = true;
	}
	return true;
}

/* CERT, where ISSUER signed it and it is listed; the server's is in no .db and gets a line. */
static bool add_certificate(const struct issuer *issuer, X509 *cert, struct inventory *out)
{
	struct refusal ignored;
	struct listed *item;
	struct label label;

	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer->cert)) != 0 ||
	    X509_verify(cert, X509_get0_pubkey(issuer->cert)) != 1 ||
	    !cert_label(X509_get0_serialNumber(cert), &label, &ignored)) {
		ERR_clear_error();
		return true;
	}
	item = item_find(out, &label);
	if (item == NULL && strcmp(kind_of(cert), "server") != 0)
		return true;
	if (item == NULL)
		item = item_add(out, &label);
	if (item == NULL)
		return false;
	item_fill(item, cert);
	return true;
}

static bool add_itself(const struct issuer *issuer, struct inventory *out)
{
	struct refusal ignored;
	struct listed *item;
	struct label label;

	if (!cert_label(X509_get0_serialNumber(issuer->cert), &label, &ignored))
		return true;
	item = item_add(out, &label);
	if (item != NULL)
		item_fill(item, issuer->cert);
	return item != NULL;
}

static bool add_file(const struct issuer *issuer, const char *dir, const char *name,
		     struct inventory *out)
{
	size_t len = strlen(name), cut = strlen(SUFFIX);
	struct refusal ignored;
	char path[PATH_MAX];
	X509 *cert;
	bool ok;

	if (len <= cut || strcmp(name + len - cut, SUFFIX) != 0 ||
	    snprintf(path, sizeof(path), "%s%s", dir, name) >= PATH_MAX)
		return true;
	/* What else may be called so is nothing to us. */
	cert = pem_certificate_load(path, &ignored);
	ok = cert == NULL || add_certificate(issuer, cert, out);
	X509_free(cert);
	return ok;
}

/* DIR is empty or ends with a slash. */
static bool add_folder(const struct issuer *issuer, const char *dir, struct inventory *out,
		       struct refusal *why)
{
	const char *opened = dir[0] == '\0' ? "." : dir;
	DIR *folder = opendir(opened);
	const struct dirent *entry;
	bool ok = true;

	if (folder == NULL)
		return refusal_say(why, "%.300s: %s", opened, strerror(errno));
	while (ok && (entry = readdir(folder)) != NULL)
		ok = add_file(issuer, dir, entry->d_name, out);
	closedir(folder);
	return ok || refusal_say(why, "%.300s: out of memory", opened);
}

bool inventory_read(const struct issuer *issuer, struct inventory *out, struct refusal *why)
{
	const char *db = issuer->files.db, *slash = strrchr(db, '/');
	char dir[PATH_MAX], carrier[PATH_MAX];
	X509_CRL *crl;
	bool ok;

	snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 0 : (int)(slash - db) + 1, db);
	if (!file_name(dir, "revoke.pem", carrier, why) || !crl_last(issuer, carrier, &crl, why))
		return false;
	ok = (add_issued(&issuer->db, out) && add_itself(issuer, out) && add_revoked(crl, out)) ||
	     refusal_say(why, "%.300s: out of memory", db);
	X509_CRL_free(crl);
	return ok && add_folder(issuer, dir, out, why);
}

void inventory_free(struct inventory *inventory)
{
	free(inventory->item);
	*inventory = (struct inventory){0};
}

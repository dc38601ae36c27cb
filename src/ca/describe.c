/*
 * Certificates in words, see describe.h. Shows, decides nothing.
 */
#include "describe.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "elf.h"
#include "words.h"
#include "x509.h"
#include "x509_time.h"

static void row(const char *field, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void row(const char *field, const char *format, ...)
{
	va_list args;

	printf("  %-12s ", field);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

const char *shape_words(enum cert_shape shape)
{
	switch (shape) {
	case SHAPE_DELEGATION:
		return "a delegation";
	case SHAPE_VM:
		return "a VM certificate";
	case SHAPE_COMMAND:
		return "a command certificate";
	case SHAPE_REVOCATION:
		return "a revocation certificate";
	case SHAPE_NONE:
		break;
	}
	return "no certificate of vmm's";
}

static void describe_policy(const struct policy *policy)
{
	char text[256];

	row("vms", "%u", policy->vms);
	row("memory", "%u MB", policy->memory_mb);
	cpuset_format(&policy->cpus, text, sizeof(text));
	row("cpuids", "%s", text);
	row("block", "%u MB", policy->block_mb);
	for (uint32_t i = 0; i < policy->nbridges; i++) {
		bridge_format(&policy->bridge[i], text, sizeof(text));
		row("bridge", "%s", text);
	}
}

static void describe_permissions(uint32_t permissions)
{
	printf("  %-12s", "permissions");
	for (unsigned n = 0; n < 32; n++)
		if ((permissions & UINT32_C(1) << n) != 0)
			printf(" %s", permission_name(UINT32_C(1) << n));
	putchar('\n');
}

static void describe_devices(const struct vm_config *vm)
{
	for (uint32_t i = 0; i < vm->nnets; i++)
		row("network", "%s%s%s", vm->net[i].device,
		    vm->net[i].device[0] == '\0' ? "" : " on ", vm->net[i].bridge);
	for (uint32_t i = 0; i < vm->nblocks; i++)
		row("block", "%s%s%s", vm->block[i].device,
		    vm->block[i].device[0] == '\0' ? "" : " on ", vm->block[i].volume);
}

static void describe_arguments(const struct strings *argv)
{
	const char *arg = NULL;

	if (argv->count == 0)
		return;
	printf("  %-12s", "arguments");
	while ((arg = strings_next(argv, arg)) != NULL) {
		putchar(' ');
		print_quoted(arg);
	}
	putchar('\n');
}

/* What the embedded bytes are. */
static void describe_elf(const struct cert_content *content)
{
	struct elf_image image;
	char why[ELF_WHY_SIZE];

	if (!elf_read(content->image, content->vm.image.size, &image, why)) {
		row("", "no image that runs: %s", why);
		return;
	}
	row("target", "%s, ABI version %u, %s", elf_target_name(image.target), image.abi_version,
	    elf_machine_name(image.machine));
	for (unsigned i = 0; i < image.ndevices; i++)
		row("wants", "%s device %s", mft_type_name(image.device[i].type),
		    image.device[i].name);
}

static void describe_image(const struct cert_content *content)
{
	static const char *const forms[] = {
	    [IMAGE_EMBEDDED] = "embedded",
	    [IMAGE_COMPRESSED] = "embedded, compressed",
	    [IMAGE_DETACHED] = "detached",
	};
	const struct image *image = &content->vm.image;

	row("image", "%llu bytes, %s", (unsigned long long)image->size, forms[image->form]);
	if (image->form == IMAGE_EMBEDDED)
		describe_elf(content);
}

static void describe_embedded_crl(const struct cert_content *content)
{
	const unsigned char *der = content->crl;
	X509_CRL *crl = d2i_X509_CRL(NULL, &der, (long)content->crl_size);

	ERR_clear_error();
	if (crl == NULL)
		row("list", "unreadable");
	else
		describe_crl(crl);
	X509_CRL_free(crl);
}

static void describe_content(enum cert_shape shape, const struct cert_content *content)
{
	if (shape == SHAPE_DELEGATION) {
		describe_policy(&content->policy);
		return;
	}
	describe_permissions(content->permissions);
	if (shape == SHAPE_REVOCATION)
		describe_embedded_crl(content);
	if (shape != SHAPE_VM)
		return;
	row("memory", "%u MB", content->vm.memory_mb);
	row("cpuid", "%u", content->vm.cpuid);
	describe_devices(&content->vm);
	describe_arguments(&content->vm.argv);
	describe_image(content);
}

static void describe_frame(X509 *cert)
{
	char first[TIME_SIZE], last[TIME_SIZE], key[64], hex[13];
	struct refusal ignored;
	struct label label;

	printf("  %-12s ", "serial");
	print_serial(X509_get0_serialNumber(cert));
	if (cert_label(X509_get0_serialNumber(cert), &label, &ignored)) {
		label_format(&label, sizeof(hex) - 1, hex);
		printf(", label %s", hex);
	}
	putchar('\n');
	time_words(x509_seconds(X509_get0_notBefore(cert)), first);
	time_words(x509_seconds(X509_get0_notAfter(cert)), last);
	row("valid", "%s to %s", first, last);
	key_words(X509_get0_pubkey(cert), key, sizeof(key));
	row("key", "%s", key);
}

static void describe_path_length(X509 *cert)
{
	long length = X509_get_pathlen(cert);

	if (length < 0)
		row("path length", "any number of delegations may follow");
	else
		row("path length", "%ld", length);
}

static void describe_names(X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);

	for (int i = 0; out != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		printf("  %-12s ", "host");
		GENERAL_NAME_print(out, sk_GENERAL_NAME_value(names, i));
		putchar('\n');
	}
	BIO_free(out);
	GENERAL_NAMES_free(names);
}

/* One that carries nothing of ours: our root, our server, or somebody else's. */
static void describe_plain(const char *name, const char *issuer, X509 *cert)
{
	bool ca = X509_check_ca(cert) == 1;

	if (ca && X509_self_signed(cert, 0) == 1)
		printf("%s: a root CA\n", name);
	else if (!ca && (X509_get_extended_key_usage(cert) & XKU_SSL_SERVER) != 0)
		printf("%s: a server certificate signed by %s\n", name, issuer);
	else
		printf("%s: no certificate of vmm's, signed by %s\n", name, issuer);
	describe_frame(cert);
	describe_names(cert);
}

void describe_certificate(X509 *cert)
{
	char name[SUBJECT_SIZE], issuer[SUBJECT_SIZE];
	bool ca = X509_check_ca(cert) == 1;
	enum cert_shape shape = SHAPE_NONE;
	struct cert_content content;
	struct refusal why;

	subject_words(X509_get_subject_name(cert), name);
	subject_words(X509_get_issuer_name(cert), issuer);
	if (cert_decode(X509_get0_extensions(cert), &content, &why)) {
		if (content.present == 0) {
			describe_plain(name, issuer, cert);
			return;
		}
		shape = cert_shape(&content, ca, &why);
	}
	printf("%s: %s signed by %s\n", name, shape_words(shape), issuer);
	describe_frame(cert);
	if (shape == SHAPE_NONE) {
		row("problem", "%s", why.text);
		return;
	}
	if (shape == SHAPE_DELEGATION)
		describe_path_length(cert);
	describe_content(shape, &content);
}

void describe_request(const char *name, EVP_PKEY *key, enum cert_shape shape,
		      const struct cert_content *content)
{
	char text[64];

	printf("%s: a request for %s\n", name, shape_words(shape));
	key_words(key, text, sizeof(text));
	row("key", "%s", text);
	describe_content(shape, content);
}

static void describe_revoked(const X509_REVOKED *revoked)
{
	char when[TIME_SIZE], hex[13] = "?";
	struct refusal ignored;
	struct label label;

	time_words(x509_seconds(X509_REVOKED_get0_revocationDate(revoked)), when);
	if (cert_label(X509_REVOKED_get0_serialNumber(revoked), &label, &ignored))
		label_format(&label, sizeof(hex) - 1, hex);
	printf("  %-12s serial ", "revoked");
	print_serial(X509_REVOKED_get0_serialNumber(revoked));
	printf(", label %s, %s\n", hex, when);
}

void describe_crl(X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	char issuer[SUBJECT_SIZE], when[TIME_SIZE], *count;

	subject_words(X509_CRL_get_issuer(crl), issuer);
	time_words(x509_seconds(X509_CRL_get0_lastUpdate(crl)), when);
	count = number == NULL ? NULL : i2s_ASN1_INTEGER(NULL, number);
	row("list", "number %s of %s, made %s, %d revoked", count == NULL ? "?" : count, issuer,
	    when, sk_X509_REVOKED_num(revoked));
	for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++)
		describe_revoked(sk_X509_REVOKED_value(revoked, i));
	OPENSSL_free(count);
	ASN1_INTEGER_free(number);
}

/*
 * The certificate decoder and the verifier at the other end of a pipe: reads one line a step, for
 * test_decode.py and tests/e2e/test_policy_model.py, and answers with a line.
 *
 *	E CA ARC=HEX...		what a certificate with these extensions says, in this order; CA is
 *				1 for an issuer's: "delegation VMS MEMORY BLOCK CPUIDS BRIDGES" with
 *				bridges as policy.h writes them, "vm MEMORY CPUID", "other", or
 *				"refused: WHY"
 *	C ROOT CERTIFICATE...	the verdict on a chain, in hex, leaf first: "accepted", "refused:
 *WHY" or "alert: WHY"
 */
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "verify.h"

#define OURS	     "1.3.6.1.4.1.49836.42."
#define ANSWERS_SIZE (16 << 20) /* answers wait, so that nobody waits for a pipe */
#define OID_SIZE     64
#define BRIDGE_TEXT  96

static struct cert_content content; /* both are too large for a stack */
static struct verify_result result;

static _Noreturn void bad_line(const char *what)
{
	fprintf(stderr, "cert_driver: %s\n", what);
	exit(2);
}

/* In place; how many bytes. */
static size_t unhex(char *text)
{
	size_t n = 0;
	for (; text[2 * n]; n++) {
		unsigned byte;
		if (sscanf(text + 2 * n, "%2x", &byte) != 1)
			bad_line("this is no hex");
		text[n] = (char)byte;
	}
	return n;
}

static void add_extension(STACK_OF(X509_EXTENSION) * exts, char *arc)
{
	char oid[OID_SIZE], *value = strchr(arc, '=');
	if (!value)
		bad_line("an extension has no value");
	*value++ = '\0';
	(void)snprintf(oid, sizeof(oid), OURS "%s", arc);
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	if (!object || !data ||
	    !ASN1_OCTET_STRING_set(data, (const uint8_t *)value, (int)unhex(value)))
		bad_line("an extension cannot be made");
	X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, data);
	if (!ext || !sk_X509_EXTENSION_push(exts, ext))
		bad_line("an extension cannot be made");
	ASN1_OCTET_STRING_free(data);
	ASN1_OBJECT_free(object);
}

static void say_delegation(const struct policy *policy)
{
	printf("delegation %" PRIu32 " %" PRIu32 " %" PRIu32 " ", policy->vms, policy->memory_mb,
	       policy->block_mb);
	const char *separator = "";
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (!cpuset_has(&policy->cpus, cpu))
			continue;
		printf("%s%u", separator, cpu);
		separator = ",";
	}
	putchar(' ');
	for (uint32_t i = 0; i < policy->nbridges; i++) {
		char text[BRIDGE_TEXT];
		bridge_format(&policy->bridge[i], text, sizeof(text));
		printf("%s%s", i > 0 ? "," : "", text);
	}
	putchar('\n');
}

static void decode(char *line)
{
	struct refusal why;
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	bool is_ca = strcmp(strsep(&line, " "), "1") == 0;
	enum cert_shape shape = SHAPE_NONE;

	while (line)
		add_extension(exts, strsep(&line, " "));
	if (cert_decode(exts, &content, &why))
		shape = cert_shape(&content, is_ca, &why);
	if (shape == SHAPE_NONE)
		printf("refused: %s\n", why.text);
	else if (shape == SHAPE_DELEGATION)
		say_delegation(&content.policy);
	else if (shape == SHAPE_VM)
		printf("vm %" PRIu32 " %" PRIu32 "\n", content.vm.memory_mb, content.vm.cpuid);
	else
		puts("other");
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

/* SIZE in three bytes at AT, as TLS has it. */
static void put_size(uint8_t *at, size_t size)
{
	at[0] = (uint8_t)(size >> 16);
	at[1] = (uint8_t)(size >> 8);
	at[2] = (uint8_t)size;
}

/* The TLS 1.3 Certificate message for the chain in LINE. */
static uint8_t *message_make(char *line, size_t *size)
{
	uint8_t *message = calloc(1, strlen(line) + 16);
	size_t used = 4; /* no context, and the size of the list */

	if (!message)
		bad_line("out of memory");
	while (line) {
		char *hex = strsep(&line, " ");
		size_t len = unhex(hex);
		put_size(message + used, len);
		memcpy(message + used + 3, hex, len);
		used += 3 + len + 2; /* no extensions */
	}
	put_size(message + 1, used - 4);
	*size = used;
	return message;
}

static void judge(char *line)
{
	static const char *const words[] = {
	    [VERDICT_ACCEPT] = "accepted", [VERDICT_REFUSE] = "refused", [VERDICT_ALERT] = "alert"};
	char *hex = strsep(&line, " ");
	const uint8_t *der = (const uint8_t *)hex;
	X509 *root = d2i_X509(NULL, &der, (long)unhex(hex));
	size_t size;

	if (!root || !line)
		bad_line("a root and a chain are wanted");
	uint8_t *message = message_make(line, &size);
	verify_message(message, size, root, time(NULL), NULL, &result);
	printf("%s: %s\n", words[result.verdict.verdict], result.verdict.detail);
	free(message);
	X509_free(root);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	static char answers[ANSWERS_SIZE];
	(void)setvbuf(stdout, answers, _IOFBF, sizeof(answers));
	while ((len = getline(&line, &size, stdin)) > 0) {
		line[len - 1] = '\0';
		if (!*line)
			(void)fflush(stdout);
		else if (strncmp(line, "E ", 2) == 0)
			decode(line + 2);
		else if (strncmp(line, "C ", 2) == 0)
			judge(line + 2);
		else
			bad_line("there is no such step");
	}
	free(line);
	return 0;
}

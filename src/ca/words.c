/*
 * How single values read, see words.h.
 */
#include "words.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cert.h"
#include "utf8.h"

void time_words(int64_t seconds, char out[TIME_SIZE])
{
	time_t when = seconds;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(out, TIME_SIZE, "%Y-%m-%d %H:%M:%S +00:00", &tm) == 0)
		snprintf(out, TIME_SIZE, "no time");
}

void subject_words(const X509_NAME *subject, char out[SUBJECT_SIZE])
{
	struct refusal ignored;
	char name[NAME_SIZE];

	if (cert_name(subject, name, &ignored))
		snprintf(out, SUBJECT_SIZE, "%s", name);
	else if (X509_NAME_oneline(subject, out, SUBJECT_SIZE) == NULL)
		snprintf(out, SUBJECT_SIZE, "?");
	ERR_clear_error();
}

void key_words(EVP_PKEY *key, char *out, size_t size)
{
	if (key == NULL)
		snprintf(out, size, "unreadable");
	else if (EVP_PKEY_is_a(key, "EC"))
		snprintf(out, size, "P-%d", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_is_a(key, "ED25519"))
		snprintf(out, size, "Ed25519");
	else
		snprintf(out, size, "%s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

void print_serial(const ASN1_INTEGER *serial)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = number == NULL ? NULL : BN_bn2hex(number);

	for (char *digit = hex; digit != NULL && *digit != '\0'; digit++)
		putchar(tolower((unsigned char)*digit));
	OPENSSL_free(hex);
	BN_free(number);
}

void print_quoted(const char *text)
{
	size_t len = strlen(text), at = 0;

	putchar('\'');
	while (at < len) {
		size_t next = at;
		int32_t c = utf8_next(text, len, &next);

		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '\'' || c == '\\')
			for (next = c < 0 ? at + 1 : next; at < next; at++)
				printf("\\x%02x", (unsigned char)text[at]);
		else
			printf("%.*s", (int)(next - at), text + at);
		at = next;
	}
	putchar('\'');
}

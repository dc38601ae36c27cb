/* Reads the CA's file, inside of the sandbox: who can write it may give orders, but not more. */
#include "ca.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

#define FILE_MAX 65536

/* Bytes read into BUFFER, -1 with WHY. */
static ssize_t file_read(int fd, char *buffer, size_t size, struct refusal *why)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, buffer + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			(void)refusal_say(why, "cannot be read: %s", strerror(errno));
			return -1;
		}
		if (n == 0)
			return (ssize_t)used;
		used += (size_t)n;
	}
	(void)refusal_say(why, "is longer than %zu bytes", size - 1);
	return -1;
}

static X509 *parse(const char *text, size_t size, struct refusal *why)
{
	BIO *bio = BIO_new_mem_buf(text, (int)size);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	X509 *second = cert ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	if (!cert)
		(void)refusal_say(why, "holds no certificate in PEM");
	if (second) {
		(void)refusal_say(why, "holds more than one certificate");
		X509_free(cert);
		cert = NULL;
	}
	X509_free(second);
	BIO_free(bio);
	ERR_clear_error();
	return cert;
}

X509 *ca_read(int fd, struct refusal *why)
{
	static char text[FILE_MAX + 1];
	struct refusal detail;
	ssize_t size = file_read(fd, text, sizeof(text), why);
	X509 *cert = size < 0 ? NULL : parse(text, (size_t)size, why);

	if (cert && !verify_root(cert, &detail)) {
		(void)refusal_say(why, "holds a certificate that cannot be the CA: %s",
				  detail.text);
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

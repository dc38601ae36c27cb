/*
 * pkcs11: URIs and PINs, see token_uri.h.
 */
#include "token_uri.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ui.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCHEME	    "pkcs11:"
#define FILE_SCHEME "file:"

bool token_uri_is(const char *name)
{
	return strncmp(name, SCHEME, strlen(SCHEME)) == 0;
}

void token_uri_words(const char *name, char out[TOKEN_WORDS_SIZE])
{
	size_t len = strlen(name);

	if (token_uri_is(name)) {
		len = strcspn(name, "?");
		for (const char *at = name; (at = strstr(at, "pin-")) != NULL; at++)
			if (strchr(":;&", at[-1]) != NULL && (size_t)(at - name) < len)
				len = (size_t)(at - name) - (at[-1] != ':');
	}
	snprintf(out, TOKEN_WORDS_SIZE, "%.*s", (int)len, name);
}

P11KitUri *token_uri_parse(const char *text, struct refusal *why)
{
	char words[TOKEN_WORDS_SIZE];
	P11KitUri *uri = p11_kit_uri_new();

	token_uri_words(text, words);
	if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, uri) != P11_KIT_URI_OK)
		refusal_say(why, "%s: is no pkcs11: URI as RFC 7512 has it", words);
	else if (p11_kit_uri_any_unrecognized(uri) || p11_kit_uri_get_module_name(uri) != NULL)
		refusal_say(
		    why,
		    "%s: taken are token, manufacturer, model, serial, object, id and type, "
		    "behind a '?' module-path, pin-value and pin-source",
		    words);
	else
		return uri;
	p11_kit_uri_free(uri);
	return NULL;
}

/* A field as tokens have it: padded with blanks, without NUL. */
static void field_fill(unsigned char *field, size_t size, const char *text)
{
	size_t len = text == NULL ? 0 : strnlen(text, size);

	memset(field, ' ', size);
	if (len > 0)
		memcpy(field, text, len);
}

bool token_uri_means_token(const P11KitUri *uri, const PKCS11_TOKEN *token)
{
	CK_TOKEN_INFO info = {0};

	field_fill(info.label, sizeof(info.label), token->label);
	field_fill(info.manufacturerID, sizeof(info.manufacturerID), token->manufacturer);
	field_fill(info.model, sizeof(info.model), token->model);
	field_fill(info.serialNumber, sizeof(info.serialNumber), token->serialnr);
	return p11_kit_uri_match_token_info(uri, &info) == 1;
}

bool token_uri_means_key(const P11KitUri *uri, const PKCS11_KEY *key)
{
	CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
	const CK_ATTRIBUTE attributes[] = {
	    {CKA_CLASS, &kind, sizeof(kind)},
	    {CKA_LABEL, key->label, key->label == NULL ? 0 : strlen(key->label)},
	    {CKA_ID, key->id, key->id_len},
	};

	return p11_kit_uri_match_attributes(uri, attributes,
					    sizeof(attributes) / sizeof(attributes[0])) == 1;
}

/* The first line of the file at PATH. */
static bool pin_read(const char *path, char pin[TOKEN_PIN_SIZE], struct refusal *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t size = fd < 0 ? -1 : read(fd, pin, TOKEN_PIN_SIZE);
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (size < 0)
		return refusal_say(why, "pin-source: %.300s: %s", path, strerror(error));
	if (size == TOKEN_PIN_SIZE)
		return refusal_say(why, "pin-source: %.300s: holds more than a PIN", path);
	pin[size] = '\0';
	pin[strcspn(pin, "\r\n")] = '\0';
	return pin[0] != '\0' || refusal_say(why, "pin-source: %.300s: holds no PIN", path);
}

static bool pin_from_source(const char *source, char pin[TOKEN_PIN_SIZE], struct refusal *why)
{
	const char *path = source;

	if (strncmp(path, FILE_SCHEME, strlen(FILE_SCHEME)) == 0)
		path += strlen(FILE_SCHEME);
	if (strncmp(path, "///", 3) == 0)
		path += 2;
	if (path[0] != '/')
		return refusal_say(why, "pin-source: '%.100s' is not file: and an absolute path",
				   source);
	return pin_read(path, pin, why);
}

static bool pin_ask(const PKCS11_TOKEN *token, char pin[TOKEN_PIN_SIZE], struct refusal *why)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct refusal prompt; /* without control characters, whatever the token calls itself */

	/* OpenSSL would read a line of standard input instead, which may be anything. */
	if (terminal < 0)
		return refusal_say(
		    why,
		    "token '%.64s' wants its PIN, and there is no terminal to ask on: "
		    "pin-source=file:/PATH in the URI names a file that has it",
		    token->label);
	close(terminal);
	refusal_say(&prompt, "PIN of token '%.64s'%s: ", token->label,
		    token->userPinFinalTry ? " (the last try, a wrong one locks it)" : "");
	if (UI_UTIL_read_pw_string(pin, TOKEN_PIN_SIZE - 1, prompt.text, 0) == 0 && pin[0] != '\0')
		return true;
	return refusal_say(why, "token '%.64s': no PIN was typed", token->label);
}

bool token_pin(const P11KitUri *uri, const PKCS11_TOKEN *token, char pin[TOKEN_PIN_SIZE],
	       struct refusal *why)
{
	const char *value = p11_kit_uri_get_pin_value(uri);
	const char *source = p11_kit_uri_get_pin_source(uri);

	if (token->userPinLocked)
		return refusal_say(why, "token '%.64s': wrong PINs have locked it", token->label);
	if (value == NULL && source == NULL)
		return pin_ask(token, pin, why);
	if (token->userPinFinalTry)
		return refusal_say(
		    why,
		    "token '%.64s': the next wrong PIN locks it; leave %s out of the "
		    "URI and type it",
		    token->label, value != NULL ? "pin-value" : "pin-source");
	if (value == NULL)
		return pin_from_source(source, pin, why);
	if (snprintf(pin, TOKEN_PIN_SIZE, "%s", value) < TOKEN_PIN_SIZE)
		return true;
	return refusal_say(why, "pin-value: is longer than a PIN");
}

/*
 * Keys on tokens, see token.h.
 */
#include "token.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* p11-kit is a PKCS#11 module itself, that of all modules that the host has a line for. */
#define MODULE_DEFAULT "libp11-kit.so.0"
/* Of what is there, as much is named as a line has room for. */
#define NAMES_SIZE 200

/* A module that is loaded, once in the process: finishing it would finish it for all. */
struct module {
	struct module *next;
	PKCS11_CTX *context;
	PKCS11_SLOT *slots;
	unsigned count;
	char path[];
};

static struct module *modules;

/* Appends 'NAME' to the list in OUT; no more once it is full. */
static void names_add(char out[NAMES_SIZE], const char *name)
{
	size_t len = strlen(out);

	snprintf(out + len, NAMES_SIZE - len, "%s'%.64s'", len == 0 ? "" : ", ",
		 name == NULL ? "" : name);
}

/* What libp11 says of the last failure, "no reason" when it says nothing. */
static const char *reason_words(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return words == NULL ? "no reason is given" : words;
}

static const char *module_path(const P11KitUri *uri)
{
	const char *path = p11_kit_uri_get_module_path(uri);

	if (path == NULL)
		path = getenv("PKCS11_PROVIDER_MODULE");
	if (path == NULL)
		path = getenv("PKCS11_MODULE_PATH");
	return path == NULL ? MODULE_DEFAULT : path;
}

static void module_free(struct module *module)
{
	if (module->slots != NULL)
		PKCS11_release_all_slots(module->context, module->slots, module->count);
	PKCS11_CTX_unload(module->context);
	PKCS11_CTX_free(module->context);
	free(module);
}

/* A handle on the library at PATH, if that is a module; libp11 would say why not on its own. */
static void *module_open(const char *path, struct refusal *why)
{
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);

	if (library == NULL) {
		refusal_say(why, "no PKCS#11 module: %.400s", dlerror());
		return NULL;
	}
	if (dlsym(library, "C_GetFunctionList") != NULL)
		return library;
	dlclose(library);
	refusal_say(why, "%.300s: is a library, but no PKCS#11 module", path);
	return NULL;
}

static bool module_slots(struct module *module, struct refusal *why)
{
	unsigned count = 0;

	/* Of none it cannot make a list. */
	if (PKCS11_enumerate_slots(module->context, NULL, &count) == 0 &&
	    (count == 0 ||
	     PKCS11_enumerate_slots(module->context, &module->slots, &module->count) == 0))
		return true;
	return refusal_say(why, "%.200s: does not tell its tokens: %s", module->path,
			   reason_words());
}

static struct module *module_load(const char *path, struct refusal *why)
{
	struct module *module = calloc(1, sizeof(*module) + strlen(path) + 1);

	if (module != NULL)
		module->context = PKCS11_CTX_new();
	if (module == NULL || module->context == NULL) {
		free(module);
		refusal_say(why, "%.200s: out of memory", path);
		return NULL;
	}
	memcpy(module->path, path, strlen(path));
	if (PKCS11_CTX_load(module->context, path) != 0) {
		refusal_say(why, "%.200s: does not start: %s", path, reason_words());
		PKCS11_CTX_free(module->context);
		free(module);
		return NULL;
	}
	if (module_slots(module, why))
		return module;
	module_free(module);
	return NULL;
}

static struct module *module_for(const P11KitUri *uri, struct refusal *why)
{
	const char *path = module_path(uri);
	struct module *module = modules;
	void *library;

	while (module != NULL && strcmp(module->path, path) != 0)
		module = module->next;
	if (module != NULL)
		return module;
	library = module_open(path, why);
	if (library == NULL)
		return NULL;
	module = module_load(path, why);
	dlclose(library);
	if (module == NULL)
		return NULL;
	module->next = modules;
	modules = module;
	return module;
}

/* Why there is no token for WORDS among those of MODULE, NAMES. */
static void say_no_token(const char *words, const struct module *module, const char *names,
			 struct refusal *why)
{
	if (names[0] != '\0')
		refusal_say(why, "%s: no such token; there is %s", words, names);
	else if (strcmp(module->path, MODULE_DEFAULT) == 0)
		refusal_say(why,
			    "%s: there is no token; its module comes in a package (opensc-pkcs11 "
			    "for smart cards, softhsm2 for one in files), or module-path names it",
			    words);
	else
		refusal_say(why, "%s: there is no token by %.200s", words, module->path);
}

static PKCS11_SLOT *token_find(const struct module *module, const P11KitUri *uri, const char *words,
			       struct refusal *why)
{
	char all[NAMES_SIZE] = "", meant[NAMES_SIZE] = "";
	PKCS11_SLOT *found = NULL;
	unsigned matches = 0;

	for (unsigned i = 0; i < module->count; i++) {
		const PKCS11_TOKEN *token = module->slots[i].token;

		if (token == NULL || !token->initialized)
			continue;
		names_add(all, token->label);
		if (!token_uri_means_token(uri, token))
			continue;
		names_add(meant, token->label);
		found = &module->slots[i];
		matches++;
	}
	if (matches == 1)
		return found;
	if (matches == 0)
		say_no_token(words, module, all, why);
	else
		refusal_say(why, "%s: means %u tokens, %s: token= or serial= names one", words,
			    matches, meant);
	return NULL;
}

/* Why the login failed, by the PKCS#11 return value in OpenSSL's queue. */
static bool say_login_failed(const char *label, struct refusal *why)
{
	unsigned long error = ERR_peek_last_error();
	CK_RV value = ERR_GET_LIB(error) == ERR_get_CKR_code() ? (CK_RV)ERR_GET_REASON(error)
							       : CKR_OK;

	switch (value) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		ERR_clear_error();
		return refusal_say(
		    why,
		    "token '%.64s': wrong PIN; it was tried once, several wrong ones "
		    "lock a token",
		    label);
	case CKR_PIN_LOCKED:
		ERR_clear_error();
		return refusal_say(why, "token '%.64s': wrong PINs have locked it", label);
	default:
		return refusal_say(why, "token '%.64s': does not let us in: %s", label,
				   reason_words());
	}
}

static bool token_login(PKCS11_SLOT *slot, const P11KitUri *uri, struct refusal *why)
{
	char pin[TOKEN_PIN_SIZE] = "";
	int done = 0;
	bool ok;

	if (!slot->token->loginRequired || (PKCS11_is_logged_in(slot, 0, &done) == 0 && done == 1))
		return true;
	ok = token_pin(uri, slot->token, pin, why) &&
	     (PKCS11_login(slot, 0, pin) == 0 || say_login_failed(slot->token->label, why));
	OPENSSL_cleanse(pin, sizeof(pin));
	return ok;
}

static PKCS11_KEY *key_find(PKCS11_TOKEN *token, const P11KitUri *uri, const char *words,
			    struct refusal *why)
{
	char all[NAMES_SIZE] = "";
	PKCS11_KEY *keys = NULL, *found = NULL;
	unsigned count = 0, matches = 0;

	if (PKCS11_enumerate_keys(token, &keys, &count) != 0) {
		/* It gives up at the first key of a kind that it does not know. */
		refusal_say(why,
			    "token '%.64s': its keys cannot be listed: %s; libp11 lists no token "
			    "with a key on it that is neither EC nor RSA, as Ed25519",
			    token->label, reason_words());
		return NULL;
	}
	for (unsigned i = 0; i < count; i++) {
		names_add(all, keys[i].label);
		if (!token_uri_means_key(uri, &keys[i]))
			continue;
		found = &keys[i];
		matches++;
	}
	if (matches == 1)
		return found;
	if (matches > 1)
		refusal_say(why, "%s: means %u private keys: object= or id= names one", words,
			    matches);
	else if (count == 0)
		refusal_say(why, "%s: there is no private key on token '%.64s'", words,
			    token->label);
	else
		refusal_say(why, "%s: no such private key on token '%.64s'; there is %s", words,
			    token->label, all);
	return NULL;
}

/* KEY as OpenSSL has it, with its public half: nothing can be signed for a key without. */
static EVP_PKEY *key_use(PKCS11_KEY *key, const char *words, struct refusal *why)
{
	EVP_PKEY *used = PKCS11_get_private_key(key);

	if (used != NULL && i2d_PUBKEY(used, NULL) > 0)
		return used;
	ERR_clear_error();
	EVP_PKEY_free(used);
	refusal_say(why, "%s: neither its public key nor a certificate is beside it on the token",
		    words);
	return NULL;
}

static EVP_PKEY *key_of(const P11KitUri *uri, const char *words, struct refusal *why)
{
	struct module *module = module_for(uri, why);
	PKCS11_SLOT *slot = module == NULL ? NULL : token_find(module, uri, words, why);
	PKCS11_KEY *key = NULL;

	if (slot != NULL && token_login(slot, uri, why))
		key = key_find(slot->token, uri, words, why);
	return key == NULL ? NULL : key_use(key, words, why);
}

EVP_PKEY *token_key(const char *uri, struct refusal *why)
{
	P11KitUri *parsed = token_uri_parse(uri, why);
	char words[TOKEN_WORDS_SIZE];
	EVP_PKEY *key;

	if (parsed == NULL)
		return NULL;
	token_uri_words(uri, words);
	ERR_clear_error();
	key = key_of(parsed, words, why);
	p11_kit_uri_free(parsed);
	return key;
}

void tokens_end(void)
{
	while (modules != NULL) {
		struct module *module = modules;

		modules = module->next;
		module_free(module);
	}
}

/* See tokens.h. */
#include "tokens.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum word { WORD_ADDRESS, WORD_ROUTER, WORD_NETMASK, WORD_MAC, WORDS };

static const char *const words[WORDS] = {"address", "router", "netmask", "mac"};

struct token {
	enum word word;
	const char *bridge; /* as it is in the text, LEN bytes; NULL: it says none */
	size_t len;
	size_t size; /* of the token, braces included */
};

/* The token that begins at TEXT, if one does. */
static bool token_at(const char *text, struct token *out)
{
	const char *end = *text == '{' ? strchr(text, '}') : NULL;

	if (end == NULL)
		return false;
	out->size = (size_t)(end - text) + 1;
	for (unsigned i = 0; i < WORDS; i++) {
		const char *rest = text + 1 + strlen(words[i]);

		if (strncmp(text + 1, words[i], strlen(words[i])) != 0 ||
		    (*rest != '}' && *rest != ':'))
			continue;
		out->word = (enum word)i;
		out->bridge = *rest == ':' ? rest + 1 : NULL;
		out->len = out->bridge ? (size_t)(end - out->bridge) : 0;
		return true;
	}
	return false;
}

/* The first token in TEXT; NULL: there is none. */
static const char *token_find(const char *text, struct token *out)
{
	for (text = strchr(text, '{'); text; text = strchr(text + 1, '{'))
		if (token_at(text, out))
			return text;
	return NULL;
}

static bool token_names(const struct token *token, const char *bridge)
{
	return token->bridge == NULL ||
	       (strlen(bridge) == token->len && memcmp(bridge, token->bridge, token->len) == 0);
}

/* How many devices of VM TOKEN may be for; the first of them in *NET. */
static unsigned token_nets(const struct vm_config *vm, const struct token *token, uint32_t *net)
{
	unsigned n = 0;

	for (uint32_t i = vm->nnets; i > 0; i--) {
		if (!token_names(token, vm->net[i - 1].bridge))
			continue;
		*net = i - 1;
		n++;
	}
	return n;
}

static bool token_check(const struct vm_config *vm, const struct policy *bridges, const char *text,
			const struct token *token, uint32_t *wanted, struct refusal *why)
{
	const struct bridge *bridge;
	uint32_t net = 0;
	unsigned n = token_nets(vm, token, &net);
	int size = (int)token->size;

	if (n == 0)
		return refusal_say(why, "argv: %.*s: the VM has no network device%s", size, text,
				   token->bridge ? " on that bridge" : "");
	if (n > 1)
		return refusal_say(
		    why, "argv: %.*s: the VM has %u network devices%s", size, text, n,
		    token->bridge ? " on that bridge" : ": say which, {WORD:BRIDGE}");
	bridge = policy_bridge(bridges, vm->net[net].bridge);
	if (bridge == NULL)
		return refusal_say(why, "argv: %.*s: bridge %s is not granted", size, text,
				   vm->net[net].bridge);
	if (token->word != WORD_MAC && !bridge->external)
		return refusal_say(why, "argv: %.*s: bridge %s is internal, it has no addresses",
				   size, text, bridge->name);
	if (token->word == WORD_ADDRESS)
		*wanted |= 1u << net;
	return true;
}

bool tokens_check(const struct vm_config *vm, const struct policy *bridges, uint32_t *wanted,
		  struct refusal *why)
{
	const char *arg = NULL, *at;
	struct token token;

	*wanted = 0;
	while ((arg = strings_next(&vm->argv, arg)) != NULL)
		for (at = token_find(arg, &token); at; at = token_find(at + token.size, &token))
			if (!token_check(vm, bridges, at, &token, wanted, why))
				return false;
	return true;
}

static void token_value(const struct token *token, const struct token_net *net, char *out,
			size_t size)
{
	switch (token->word) {
	case WORD_ADDRESS:
		inet_ntop(AF_INET, net->address, out, (socklen_t)size);
		break;
	case WORD_ROUTER:
		inet_ntop(AF_INET, net->bridge->router, out, (socklen_t)size);
		break;
	case WORD_NETMASK:
		snprintf(out, size, "%u", net->bridge->prefix);
		break;
	default:
		mac_format(net->mac, out);
	}
}

/* ARG with its tokens filled in; false: no room. */
static bool arg_expand(const struct vm_config *vm, const struct token_net *nets, const char *arg,
		       char *out, size_t size)
{
	char value[INET_ADDRSTRLEN > MAC_TEXT_SIZE ? INET_ADDRSTRLEN : MAC_TEXT_SIZE];
	struct token token;
	const char *at;
	uint32_t net = 0;
	int n;

	while ((at = token_find(arg, &token)) != NULL) {
		token_nets(vm, &token, &net);
		token_value(&token, &nets[net], value, sizeof(value));
		n = snprintf(out, size, "%.*s%s", (int)(at - arg), arg, value);
		if (n < 0 || (size_t)n >= size)
			return false;
		out += n;
		size -= (size_t)n;
		arg = at + token.size;
	}
	n = snprintf(out, size, "%s", arg);
	return n >= 0 && (size_t)n < size;
}

bool tokens_expand(const struct vm_config *vm, const struct token_net *net, struct strings *out)
{
	char expanded[ARGV_SIZE];
	const char *arg = NULL;

	out->count = out->size = 0;
	while ((arg = strings_next(&vm->argv, arg)) != NULL)
		if (!arg_expand(vm, net, arg, expanded, sizeof(expanded)) ||
		    strings_add(out, expanded) < 0)
			return false;
	return true;
}

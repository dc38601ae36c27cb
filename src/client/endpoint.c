/*
 * Parsing of HOST:PORT. Resolves nothing.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool port_parse(const char *text, char out[6])
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	unsigned long port = strtoul(text, NULL, 10);
	if (port < 1 || port > 65535)
		return false;
	snprintf(out, 6, "%lu", port);
	return true;
}

/* Whether HOST is an IPv6 address, with or without a zone ("fe80::1%eth0"). */
static bool is_ipv6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t len = strcspn(host, "%");
	if (len >= sizeof(address))
		return false;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &in6) == 1;
}

static bool is_ipv4(const char *host)
{
	struct in_addr in;
	return inet_pton(AF_INET, host, &in) == 1;
}

/* A name goes into a header and to the resolver: letters, digits and what names are made of. */
static bool is_name(const char *host)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	return host[0] != '\0' && host[strspn(host, allowed)] == '\0';
}

/* Splits at the last colon, brackets taken off; false when there is none or no room. */
static bool split(const char *text, struct endpoint *out, const char **port, bool *bracketed)
{
	const char *colon = strrchr(text, ':');
	if (!colon)
		return false;
	size_t len = (size_t)(colon - text);
	*bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (*bracketed) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(out->host))
		return false;
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	*port = colon + 1;
	return true;
}

bool endpoint_parse(const char *text, struct endpoint *out, struct refusal *why)
{
	static const char wanted[] = "HOST:PORT or [IPV6]:PORT is wanted";
	const char *port;
	bool bracketed;

	*out = (struct endpoint){0};
	if (!split(text, out, &port, &bracketed))
		return refusal_say(why, "%s: no port: %s", text, wanted);
	if (!bracketed && strchr(out->host, ':'))
		return refusal_say(why, "%s: an IPv6 address goes between brackets: %s", text,
				   wanted);
	if (bracketed ? !is_ipv6(out->host) : !is_name(out->host))
		return refusal_say(why, "%s: '%s' is no host: %s", text, out->host, wanted);
	if (!port_parse(port, out->port))
		return refusal_say(why, "%s: '%s' is no port: a number from 1 to 65535 is wanted",
				   text, port);
	out->address = bracketed || is_ipv4(out->host);
	return true;
}

void endpoint_format(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE])
{
	bool six = strchr(endpoint->host, ':');
	int len = (int)strcspn(endpoint->host, "%"); /* a zone means something here alone */
	snprintf(out, ENDPOINT_TEXT_SIZE, six ? "[%.*s]:%s" : "%.*s:%s", len, endpoint->host,
		 endpoint->port);
}

/*
 * The table of what the HTTP interface has. Dispatch, `vmm_gate --routes` and the tests that are
 * made from it all read this one.
 */
#ifndef VMM_GATE_ROUTES_H
#define VMM_GATE_ROUTES_H

#include "channel.h"
#include "query.h"

struct exchange;

struct route {
	const char *method;
	/* Literal components, and PATH, which stands for one or more of a VM's or volume's. */
	const char *pattern;
	/* Or the shape of the leaf that it takes, "vm", or "any". For people: vmmd is who checks.
	 */
	const char *permission;
	const char *parameters; /* the query's, separated by spaces */
	/* Asks vmmd, or answers. */
	void (*start)(struct exchange *exchange);
	/* One reply of vmmd's, never REPLY_ERROR. */
	void (*reply)(struct exchange *exchange, struct incoming *in);
	/* Set: the request has a body, and starts with its head. A part of it; NULL: that was all.
	 */
	void (*body)(struct exchange *exchange, const uint8_t *bytes, size_t size);
};

#define ROUTES 17
extern const struct route routes[ROUTES];

enum route_match { ROUTE_FOUND, ROUTE_METHOD, ROUTE_NONE };

/*
 * The route of METHOD and TARGET into OUT, the components that PATH stood for, joined with '/',
 * into PATH (PATH_TEXT_SIZE bytes). ROUTE_METHOD: the path is known, not with this method; OUT is
 * the first route of the path then.
 */
enum route_match route_find(const char *method, const struct target *target,
			    const struct route **out, char *path);
/* Of a TARGET without a route: the name that no volume can have; NULL: that is not why. */
const char *route_misnamed(const struct target *target);
/* The first parameter of TARGET that ROUTE has not; NULL: none. */
const char *route_stray_parameter(const struct route *route, const struct target *target);
/* The methods that ROUTE's path has, "GET, POST". */
void route_methods(const struct route *route, char *out, size_t size);

#endif

/*
 * What a delegation grants and whether a request lies within it. Pure: no clock, no file, no log.
 * The same code refuses in vmm_ca, in vmm_auth and in vmmd. doc/policy.md has the rules.
 */
#ifndef VMM_POLICY_H
#define VMM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"

#define CPUS_MAX	  1024
#define BRIDGES_MAX	  32 /* a delegation; more are refused */
#define BRIDGE_NAME_SIZE  16 /* an interface's name and a NUL */
#define VM_MEMORY_MAX_MB  4095
#define POLICY_NUMBER_MAX 0x7fffffffu
#define REFUSAL_SIZE	  512

struct cpuset {
	uint8_t bits[CPUS_MAX / 8]; /* cpu N is bit N % 8 of byte N / 8 */
};

/* Addresses are four octets in network order. */
struct bridge {
	char name[BRIDGE_NAME_SIZE];
	uint32_t external; /* 0: internal, the rest is zero */
	uint8_t first[4], last[4], router[4];
	uint32_t prefix; /* netmask, 1..32 */
};

struct policy {
	uint32_t vms;
	uint32_t memory_mb;
	uint32_t block_mb; /* 0 when the certificate says nothing */
	struct cpuset cpus;
	uint32_t nbridges;
	struct bridge bridge[BRIDGES_MAX]; /* sorted by name, no name twice */
};

/* Resources in use below a delegation, or asked for by one start. */
struct usage {
	uint32_t vms;
	uint64_t memory_mb;
	uint64_t block_mb;
};

/* Why something was refused: one line, no newline, for people. */
struct refusal {
	char text[REFUSAL_SIZE];
};

/* Fills WHY, cut where it does not fit, UTF-8 without control characters whatever the arguments
 * hold; false, so that it can be returned. */
bool refusal_say(struct refusal *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool cpuset_has(const struct cpuset *set, unsigned cpu);
void cpuset_add(struct cpuset *set, unsigned cpu); /* CPU below CPUS_MAX */
/* "0-3, 7" into OUT; "none" when empty. Cut with "..." when it does not fit. */
void cpuset_format(const struct cpuset *set, char *out, size_t size);
/* NAME, NAME/FIRST/LAST/ROUTER/BITS: as vmm_ca takes it; false with WHY. */
bool bridge_parse(const char *text, struct bridge *out, struct refusal *why);
/* The inverse, into OUT (at least 96 bytes). */
void bridge_format(const struct bridge *bridge, char *out, size_t size);
/* Whether the fields make sense: name is an interface's, first <= last, all in the router's
 * network. */
bool bridge_check(const struct bridge *bridge, struct refusal *why);
/* Keeps POLICY's bridges sorted; false with WHY when there is no room or the name is there already.
 */
bool policy_add_bridge(struct policy *policy, const struct bridge *bridge, struct refusal *why);
const struct bridge *policy_bridge(const struct policy *policy, const char *name);

/*
 * Whether CHILD asks for no more than PARENT grants, field by field. WHY names the field and both
 * values: "memory: asked for 2048 MB, dev grants 1024 MB".
 */
bool policy_within(const struct policy *child, const struct policy *parent, const char *parent_name,
		   struct refusal *why);

/* The static part of a VM's check: cpuid, memory and bridges lie within PARENT. */
struct vm_config;
bool policy_allows_vm(const struct vm_config *vm, const struct policy *parent,
		      const char *parent_name, struct refusal *why);

/*
 * The dynamic part, for one ancestor: whether USED and WANTED together stay within GRANTED. WHY
 * says who has no room and for what, never how much others use: "alice has no room for 512 MB".
 */
bool quota_admits(const struct policy *granted, const struct usage *used,
		  const struct usage *wanted, const char *name, struct refusal *why);

#endif

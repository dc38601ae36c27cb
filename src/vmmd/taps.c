/* Taps: what they are called, what they may, when they come and go (taps.h). */
#include "taps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "bridges.h"
#include "interfaces.h"
#include "log.h"
#include "quota.h"
#include "tap_rules.h"

static const uint8_t no_address[4], no_mac[MAC_SIZE];

void taps_open(struct daemon *d)
{
	int error;

	if (!d->root) {
		refusal_say(&d->no_taps, "network devices are root's, and this vmmd was started by "
					 "an ordinary user");
		return;
	}
	if (access("/dev/net/tun", R_OK | W_OK) < 0) {
		refusal_say(&d->no_taps,
			    "no network devices: /dev/net/tun: %s; the kernel's module tun makes "
			    "it, a container is given it",
			    strerror(errno));
	} else if ((error = tap_rules_possible()) < 0) {
		refusal_say(&d->no_taps,
			    "no network devices: nftables, family netdev: %s; the kernel's modules "
			    "nf_tables and nft_counter have it",
			    strerror(-error));
	}
	if (d->no_taps.text[0])
		log_notice("%s", d->no_taps.text);
}

static void name_tap(uint32_t uid, unsigned k, char name[BRIDGE_NAME_SIZE])
{
	snprintf(name, BRIDGE_NAME_SIZE, "vmm%u-%u", uid % UIDS_FOR_VMS, k % DEVICES_MAX);
}

bool taps_named(uint32_t uid)
{
	char name[BRIDGE_NAME_SIZE];
	struct interface found;

	for (unsigned k = 0; k < DEVICES_MAX; k++) {
		name_tap(uid, k, name);
		if (interface_find(name, &found) == 0)
			return true;
	}
	return false;
}

/* Who else may have an address on a bridge of this name; OLD's are its successor's. */
struct others {
	const struct daemon *d;
	const struct vm *old, *self;
	const char *bridge;
};

static bool has_address(const struct vm *vm, const char *bridge, const uint8_t address[4])
{
	for (uint32_t k = 0; k < vm->record.ntaps; k++) {
		const struct tap_info *tap = &vm->record.tap[k];

		if (strcmp(tap->bridge, bridge) == 0 && memcmp(tap->address, address, 4) == 0)
			return true;
	}
	return false;
}

static bool taken(const void *arg, const uint8_t address[4])
{
	const struct others *o = arg;

	for (const struct vm *vm = o->d->vms; vm; vm = vm->next)
		if (vm != o->old && vm != o->self && vm_is_live(vm) &&
		    has_address(vm, o->bridge, address))
			return true;
	return false;
}

/* The address for a device on BRIDGE: OLD's, if it still may have that, else the lowest free. */
static bool find_address(const struct others *others, const struct bridge *bridge, uint8_t out[4])
{
	const struct vm *old = others->old;

	for (uint32_t k = 0; old && k < old->record.ntaps; k++) {
		const struct tap_info *tap = &old->record.tap[k];

		if (strcmp(tap->bridge, bridge->name) == 0 &&
		    address_usable(bridge, tap->address) && !taken(others, tap->address)) {
			memcpy(out, tap->address, 4);
			return true;
		}
	}
	return address_lowest(bridge, taken, others, out);
}

static bool refuse_address(const struct bridge *bridge, struct start_error *error)
{
	char text[96];

	bridge_format(bridge, text, sizeof(text));
	return start_refuse(error, 409, "quota", "bridge %s: no address of %s is free",
			    bridge->name, text + strlen(bridge->name) + 1);
}

static bool check_device(struct daemon *d, const struct others *others, const struct bridge *bridge,
			 bool wants_address, struct start_error *error)
{
	struct interface found;
	uint8_t address[4];

	if (!bridges_use(d, bridge, &found, error))
		return false;
	return !wants_address || find_address(others, bridge, address) ||
	       refuse_address(bridge, error);
}

bool taps_check(struct daemon *d, const struct request *r, const struct vm *old,
		struct start_error *error)
{
	const struct policy *policy = quota_policy(d, r);
	uint32_t wanted = 0;

	if (r->vm.nnets > 0 && d->no_taps.text[0])
		return start_refuse(error, 503, "unavailable", "%s", d->no_taps.text);
	error->status = 422;
	error->word = "image";
	if (!tokens_check(&r->vm, policy, &wanted, &error->why))
		return false;
	for (uint32_t k = 0; k < r->vm.nnets; k++) {
		const struct others others = {.d = d, .old = old, .bridge = r->vm.net[k].bridge};

		if (!check_device(d, &others, policy_bridge(policy, r->vm.net[k].bridge),
				  wanted & 1u << k, error))
			return false;
	}
	return true;
}

void taps_plan(struct vm *vm, const struct vm *old)
{
	const struct request *r = &vm->record.request;
	const struct policy *policy = quota_policy(vm->daemon, r);
	struct refusal why;
	uint32_t wanted = 0;

	tokens_check(&r->vm, policy, &wanted, &why);
	for (uint32_t k = 0; k < r->vm.nnets; k++) {
		const struct net_spec *net = &r->vm.net[k];
		const struct others others = {
		    .d = vm->daemon, .old = old, .self = vm, .bridge = net->bridge};
		struct tap_info *tap = &vm->record.tap[k];

		name_tap(vm->record.uid - vm->daemon->options->uid_base - UIDS_FOR_ROLES, k,
			 tap->name);
		memcpy(tap->bridge, net->bridge, sizeof(tap->bridge));
		memcpy(tap->device, net->device, sizeof(tap->device));
		if (tap->device[0])
			mac_make(&vm->path, tap->device, tap->mac);
		if (wanted & 1u << k)
			find_address(&others, policy_bridge(policy, net->bridge), tap->address);
	}
	vm->record.ntaps = r->vm.nnets;
}

bool taps_tokens(const struct vm *vm, struct token_net *net)
{
	const struct policy *policy = quota_policy(vm->daemon, &vm->record.request);

	for (uint32_t k = 0; k < vm->record.ntaps; k++) {
		const struct tap_info *tap = &vm->record.tap[k];

		net[k].bridge = policy_bridge(policy, tap->bridge);
		if (net[k].bridge == NULL)
			return false;
		memcpy(net[k].address, tap->address, sizeof(net[k].address));
		memcpy(net[k].mac, tap->mac, sizeof(net[k].mac));
	}
	return true;
}

static int make_tap(const struct tap_info *tap, int *fd)
{
	struct interface bridge;
	int error = interface_find(tap->bridge, &bridge);

	if (error == 0 && bridge.kind != INTERFACE_BRIDGE)
		error = -ENODEV;
	return error < 0 ? error : tap_make(tap->name, &bridge, fd);
}

int taps_make(const struct vm *vm, int *fds)
{
	for (uint32_t k = 0; k < vm->record.ntaps; k++) {
		int error = make_tap(&vm->record.tap[k], &fds[k]);

		if (error == 0)
			continue;
		/* With its descriptor a tap goes. */
		while (k-- > 0) {
			close(fds[k]);
			fds[k] = -1;
		}
		return error;
	}
	return 0;
}

/* What TAP may send: its one address, else its delegation's, else any. DROPPED so far. */
static int install_rules(const struct tap_info *tap, const struct bridge *bridge, uint64_t dropped)
{
	bool one = memcmp(tap->address, no_address, sizeof(no_address)) != 0;
	struct tap_rules rules = {.tap = tap->name, .ranged = bridge->external, .dropped = dropped};

	memcpy(rules.mac, tap->mac, sizeof(rules.mac));
	memcpy(rules.first, one ? tap->address : bridge->first, sizeof(rules.first));
	memcpy(rules.last, one ? tap->address : bridge->last, sizeof(rules.last));
	return tap_rules_install(&rules);
}

int taps_lock(struct vm *vm, uint32_t k, uint32_t *mtu)
{
	struct tap_info *tap = &vm->record.tap[k];
	const struct bridge *bridge = policy_bridge(quota_policy(vm->daemon, &vm->record.request),
						    tap->bridge);
	struct interface found;
	int error;

	if (bridge == NULL)
		return -EACCES;
	mac_make(&vm->path, tap->device, tap->mac);
	error = interface_find(tap->name, &found);
	if (error == 0) {
		*mtu = found.mtu;
		error = install_rules(tap, bridge, 0);
	}
	return error;
}

int taps_up(const struct vm *vm)
{
	int error = 0;

	for (uint32_t k = 0; error == 0 && k < vm->record.ntaps; k++)
		error = tap_up(vm->record.tap[k].name);
	return error;
}

/* A tap's MAC is known when it is locked, if not before. */
static bool is_lost(const struct tap_info *tap)
{
	return memcmp(tap->mac, no_mac, sizeof(no_mac)) != 0 && tap_rules_there(tap->name) == 0;
}

bool taps_lost(const struct daemon *d, const char *table)
{
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		for (uint32_t k = 0; vm_is_live(vm) && k < vm->record.ntaps; k++)
			if (strcmp(vm->record.tap[k].name, table) == 0)
				return is_lost(&vm->record.tap[k]);
	return false;
}

/* What a VM that runs has on the bridge of TAP, although it may be granted no more. */
static const struct bridge *bridge_of(const struct vm *vm, const struct tap_info *tap)
{
	const struct request *r = &vm->record.request;
	const struct bridge *bridge = policy_bridge(quota_policy(vm->daemon, r), tap->bridge);

	return bridge ? bridge : policy_bridge(&r->level[r->depth - 1].policy, tap->bridge);
}

/*
 * Whether the rules of VM's tap K are back, counting on. One whose monitor has just ended is gone,
 * and needs none.
 */
static bool relock(const struct vm *vm, uint32_t k)
{
	const struct tap_info *tap = &vm->record.tap[k];
	const struct bridge *bridge = bridge_of(vm, tap);
	int error = bridge ? install_rules(tap, bridge, vm->dropped[k]) : -EACCES;
	struct interface found;

	if (error == 0 || interface_find(tap->name, &found) == -ENODEV)
		return error == 0;
	log_error("%s: the rules of its tap %s are gone and could not be put back: %s; so it has "
		  "no network there from now on",
		  vm->name, tap->name, strerror(-error));
	tap_remove(tap->name);
	return false;
}

void taps_relock(const struct daemon *d)
{
	const char *first = NULL;
	unsigned n = 0;

	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		for (uint32_t k = 0; vm_is_live(vm) && k < vm->record.ntaps; k++)
			if (is_lost(&vm->record.tap[k]) && relock(vm, k) && n++ == 0)
				first = vm->record.tap[k].name;
	if (n > 0)
		log_warning("somebody removed the rules of %u tap%s of VMs that run (netdev "
			    "%s%s); they are back",
			    n, n > 1 ? "s" : "", first, n > 1 ? ", ..." : "");
}

static void warn(const char *tap, const char *what, int error)
{
	if (error < 0)
		log_warning("the %s of the tap %s could not be removed: %s", what, tap,
			    strerror(-error));
}

void taps_remove(const struct vm_record *record, const struct daemon *d)
{
	if (!d->root)
		return;
	for (uint32_t k = 0; k < record->ntaps; k++) {
		const char *tap = record->tap[k].name;

		warn(tap, "interface", tap_remove(tap));
		warn(tap, "rules", tap_rules_remove(tap));
	}
}

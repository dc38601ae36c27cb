/* Verification of well-formed chains: dates, revocation, policy, and the request that comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "verify_world.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void expired_leaf(void)
{
	mint_dates(leaf()->cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - 1);
}

static void expired_dev(void)
{
	mint_dates(dev()->cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - 1);
}

static void expires_now(void)
{
	mint_dates(dev()->cert, MINT_NOW, MINT_NOW);
}

static void early_leaf(void)
{
	mint_dates(leaf()->cert, MINT_NOW + 1, MINT_NOW + MINT_DAY);
}

static void expired_root(void)
{
	mint_dates(w.root.cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - 1);
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
}

static void expired_and_greedy(void)
{
	struct cert_content grants = mint_policy(3, 1024);
	insert(1, new_delegation("sub", &grants));
	expired_leaf();
}

static void sub_with(struct cert_content content)
{
	insert(1, new_delegation("sub", &content));
}

static void sub_of_equal_grants(void)
{
	sub_with(mint_policy(2, 1024));
}

static void sub_of_more_vms(void)
{
	sub_with(mint_policy(3, 1024));
}

static void sub_of_more_memory(void)
{
	sub_with(mint_policy(2, 2048));
}

static void sub_of_block(void)
{
	struct cert_content content = mint_policy(2, 1024);
	content.present |= UINT64_C(1) << ARC_BLOCK;
	content.policy.block_mb = 1;
	sub_with(content);
}

static void sub_of_more_cpus(void)
{
	struct cert_content content = mint_policy(2, 1024);
	cpuset_add(&content.policy.cpus, 2);
	sub_with(content);
}

static void sub_of_a_bridge(void)
{
	struct cert_content content = mint_policy(2, 1024);
	content.present |= UINT64_C(1) << ARC_BRIDGES;
	content.policy.nbridges = 1;
	snprintf(content.policy.bridge[0].name, BRIDGE_NAME_SIZE, "lan");
	sub_with(content);
}

static void greedy_at_depth(void)
{
	sub_with(mint_policy(1, 512));
	struct cert_content content = mint_policy(2, 512);
	insert(2, new_delegation("deep", &content));
}

static void length_zero(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
}

static void length_zero_exceeded(void)
{
	length_zero();
	sub_with(mint_policy(2, 1024));
}

static void length_one_kept(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
	sub_with(mint_policy(2, 1024));
}

static void length_of_root_exceeded(void)
{
	mint_extension(w.root.cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
}

static void key_of_root(void)
{
	struct cert_content grants = mint_policy(2, 1024);
	EVP_PKEY_up_ref(w.root.key);
	replace(0, mint_new("dev", w.root.key, true, &grants));
}

static void key_of_dev(void)
{
	struct cert_content grants = mint_policy(1, 1024);
	EVP_PKEY_up_ref(dev()->key);
	insert(1, mint_new("sub", dev()->key, true, &grants));
}

static void vm(void)
{
	leaf_with(mint_vm(image, 4));
}

static void vm_under_root(void)
{
	leaf_under_root();
	vm();
}

static void vm_of_more_memory(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.vm.memory_mb = 2048;
	leaf_with(content);
}

static void vm_on_another_cpu(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.vm.cpuid = 2;
	leaf_with(content);
}

static void vm_on_a_bridge(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.present |= UINT64_C(1) << ARC_NETWORK;
	content.vm.nnets = 1;
	snprintf(content.vm.net[0].bridge, BRIDGE_NAME_SIZE, "ext");
	leaf_with(content);
}

static const struct row granted[] = {
    {sub_of_equal_grants, ACCEPT}, {length_zero, ACCEPT}, {length_one_kept, ACCEPT},
    {expires_now, ACCEPT},	   {vm, ACCEPT},
};

static const struct row refused[] = {
    {expired_leaf, REFUSE("expired"), "admin expired at 2017-07-14T02:39:59Z"},
    {expired_dev, REFUSE("expired"), "dev expired at 2017-07-14T02:39:59Z"},
    {expired_root, REFUSE("expired"), "the CA expired at 2017-07-14T02:39:59Z"},
    {early_leaf, REFUSE("not-yet-valid"), "admin is not valid before 2017-07-14T02:40:01Z"},
    {expired_and_greedy, REFUSE("expired"), "admin expired at 2017-07-14T02:39:59Z"},
    {sub_of_more_vms, POLICY, "vms: asked for 3, dev grants 2"},
    {sub_of_more_memory, POLICY, "memory: asked for 2048 MB, dev grants 1024 MB"},
    {sub_of_block, POLICY, "block: asked for 1 MB, dev grants 0 MB"},
    {sub_of_more_cpus, POLICY, "cpuids: asked for 0-2, dev grants 0-1"},
    {sub_of_a_bridge, POLICY, "bridge lan: asked for, dev grants none"},
    {greedy_at_depth, POLICY, "vms: asked for 2, sub grants 1"},
    {length_zero_exceeded, POLICY, "path length: dev allows 0 below it, the chain has 1"},
    {length_of_root_exceeded, POLICY, "path length: the CA allows 0 below it, the chain has 1"},
    {key_of_root, POLICY, "dev has the key of the CA"},
    {key_of_dev, POLICY, "sub has the key of dev"},
    {vm_under_root, POLICY,
     "hello is signed by the CA itself: a VM needs a delegation that it is accounted to"},
    {vm_of_more_memory, POLICY, "memory: asked for 2048 MB, dev grants 1024 MB"},
    {vm_on_another_cpu, POLICY, "cpuid: asked for 2, dev grants 0-1"},
    {vm_on_a_bridge, POLICY, "bridge ext: asked for, dev grants none"},
};

static void what_is_granted_is_accepted(void **state)
{
	(void)state;
	judge_rows(granted, COUNT(granted));
}

static void what_is_not_is_refused(void **state)
{
	(void)state;
	judge_rows(refused, COUNT(refused));
}

static void chain_of(unsigned delegations)
{
	struct cert_content grants = mint_policy(2, 1024);
	world_make();
	for (unsigned n = 1; n < delegations; n++) {
		char name[16];
		snprintf(name, sizeof(name), "sub%u", n);
		insert(n, new_delegation(name, &grants));
	}
	world_sign();
}

static void every_depth(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= 15; depth++) {
		struct label label;
		struct refusal why;
		struct path path;
		uint8_t labels[16 * LABEL_SIZE], digest[DIGEST_SIZE];
		chain_of(depth);
		judge(NULL);
		assert_int_equal(result.verdict.verdict, VERDICT_ACCEPT);
		const struct request *request = &result.request;
		assert_int_equal(request->depth, depth);
		assert_int_equal(request->kind, LEAF_COMMAND);
		assert_int_equal(request->permissions, PERMIT_ALL);
		assert_int_equal(request->not_before, MINT_NOW - MINT_DAY);
		assert_int_equal(request->expires, MINT_NOW + MINT_DAY);
		assert_string_equal(request->leaf.name, "admin");
		assert_string_equal(result.name, "admin");
		request_path(request, &path);
		for (unsigned n = 0; n < path.depth; n++) {
			cert_label(X509_get0_serialNumber(w.node[n].cert), &label, &why);
			assert_true(label_equal(&label, &path.node[n].label));
			memcpy(labels + (size_t)n * LABEL_SIZE, label.byte, LABEL_SIZE);
		}
		SHA256(labels, (size_t)path.depth * LABEL_SIZE, digest);
		assert_memory_equal(request->path_id, digest, DIGEST_SIZE);
		for (unsigned n = 0; n < depth; n++) {
			assert_int_equal(request->level[n].policy.memory_mb, 1024);
			assert_int_equal(request->level[n].not_before, MINT_NOW - MINT_DAY);
		}
		assert_string_equal(request->level[0].node.name, "dev");
		world_free();
	}
}

static void a_session_ends_with_the_first_expiry(void **state)
{
	(void)state;
	world_make();
	mint_dates(dev()->cert, MINT_NOW - 1, MINT_NOW + 100);
	world_sign();
	judge(NULL);
	assert_int_equal(result.request.expires, MINT_NOW + 100);
	world_free();

	world_make();
	mint_dates(w.root.cert, MINT_NOW - 1, MINT_NOW + 50);
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
	world_sign();
	judge(NULL);
	assert_int_equal(result.request.expires, MINT_NOW + 50);
	world_free();
}

/* Asked for each certificate with its issuer's path and key, from the top; takes back TARGET. */
struct taken_back {
	unsigned asked, target;
};

static bool revoked(void *arg, const struct path *scope, const EVP_PKEY *key,
		    const ASN1_INTEGER *serial)
{
	struct taken_back *back = arg;
	unsigned n = back->asked++;
	const struct minted *issuer = n == 0 ? &w.root : &w.node[n - 1];
	assert_int_equal(scope->depth, n);
	if (n > 0)
		assert_string_equal(scope->node[0].name, "dev");
	assert_int_equal(EVP_PKEY_eq(key, issuer->key), 1);
	assert_int_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(w.node[n].cert)), 0);
	return n == back->target;
}

static void revocation_is_asked_for_each(void **state)
{
	static const char *const details[] = {
	    "dev was revoked by the CA", "sub1 was revoked by dev", "admin was revoked by sub1"};
	(void)state;
	for (unsigned target = 0; target <= 3; target++) {
		struct taken_back back = {.target = target};
		chain_of(2);
		judge(&(struct revocation){.revoked = revoked, .arg = &back});
		assert_int_equal(back.asked, target < 3 ? target + 1 : 3);
		if (target < 3) {
			assert_int_equal(result.verdict.verdict, VERDICT_REFUSE);
			assert_string_equal(result.verdict.word, "revoked");
			assert_string_equal(result.verdict.detail, details[target]);
			assert_string_equal(result.name, "admin");
		} else {
			assert_int_equal(result.verdict.verdict, VERDICT_ACCEPT);
		}
		world_free();
	}
}

/* What expired is said to be that, whatever else it is. */
static void dates_come_before_revocation(void **state)
{
	struct taken_back back = {.target = 0};
	(void)state;
	world_make();
	expired_leaf();
	world_sign();
	judge(&(struct revocation){.revoked = revoked, .arg = &back});
	assert_string_equal(result.verdict.word, "expired");
	assert_int_equal(back.asked, 0);
	world_free();
}

/* A stranger's chain never gets as far as the callback. */
static bool not_asked(void *arg, const struct path *scope, const EVP_PKEY *key,
		      const ASN1_INTEGER *serial)
{
	(void)arg, (void)scope, (void)key, (void)serial;
	fail();
	return false;
}

static void strangers_are_not_looked_up(void **state)
{
	(void)state;
	world_make();
	w.other = mint_root("other", NULL);
	w.signer[0] = &w.other;
	world_sign();
	judge(&(struct revocation){.revoked = not_asked});
	assert_int_equal(result.verdict.verdict, VERDICT_ALERT);
	assert_string_equal(result.name, "");
	world_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_granted_is_accepted),
	    cmocka_unit_test(what_is_not_is_refused),
	    cmocka_unit_test(every_depth),
	    cmocka_unit_test(a_session_ends_with_the_first_expiry),
	    cmocka_unit_test(revocation_is_asked_for_each),
	    cmocka_unit_test(dates_come_before_revocation),
	    cmocka_unit_test(strangers_are_not_looked_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Chains for the tests of verification; see verify_world.h. */
#include "verify_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

struct world w;
struct verify_result result;
const uint8_t image[] = "\177ELF";

struct minted *dev(void)
{
	return &w.node[0];
}

struct minted *leaf(void)
{
	return &w.node[w.count - 1];
}

void replace(unsigned n, struct minted by)
{
	mint_free(&w.node[n]);
	w.node[n] = by;
}

void insert(unsigned n, struct minted what)
{
	memmove(&w.node[n + 1], &w.node[n], (w.count - n) * sizeof(w.node[0]));
	w.node[n] = what;
	w.count++;
}

struct minted new_delegation(const char *name, const struct cert_content *content)
{
	return mint_new(name, NULL, true, content);
}

void world_make(void)
{
	struct cert_content grants = mint_policy(2, 1024), all = mint_command(PERMIT_ALL);
	w = (struct world){.now = MINT_NOW, .count = 2};
	w.root = mint_root("ca", NULL);
	w.node[0] = new_delegation("dev", &grants);
	w.node[1] = mint_new("admin", NULL, false, &all);
}

void world_sign(void)
{
	for (unsigned n = 0; n < w.count; n++) {
		const struct minted *above = n == 0 ? &w.root : &w.node[n - 1];
		mint_sign(&w.node[n], w.signer[n] ? w.signer[n] : above);
		w.shown[w.count - 1 - n] = w.node[n].cert;
	}
	w.nshown = w.count;
}

void world_free(void)
{
	for (unsigned n = 0; n < w.count; n++)
		mint_free(&w.node[n]);
	mint_free(&w.root);
	if (w.other.cert)
		mint_free(&w.other);
}

void judge(const struct revocation *revocation)
{
	size_t len;
	uint8_t *message = mint_message(w.shown, w.nshown, &len);
	verify_message(message, len, w.root.cert, w.now, revocation, &result);
	free(message);
	assert_int_equal(ERR_peek_error(), 0);
}

void leaf_with(struct cert_content content)
{
	replace(w.count - 1, mint_new("hello", NULL, false, &content));
}

void leaf_under_root(void)
{
	mint_free(&w.node[0]);
	w.node[0] = w.node[1];
	w.count = 1;
}

void unchanged(void)
{
}

void judge_rows(const struct row *rows, size_t count)
{
	static const struct request none;
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		world_make();
		row->prepare();
		world_sign();
		if (row->present)
			row->present();
		judge(NULL);
		if (result.verdict.verdict != row->verdict)
			fail_msg("row %zu: verdict %u: %s (expected: %s)", i,
				 result.verdict.verdict, result.verdict.detail, row->detail);
		assert_string_equal(result.verdict.detail, row->detail);
		assert_string_equal(result.verdict.word, row->word);
		assert_int_equal(result.verdict.alert, row->alert);
		if (row->verdict != VERDICT_ACCEPT)
			assert_memory_equal(&result.request, &none, sizeof(none));
		world_free();
	}
}

/*
 * A chain in the making, and a table of what may be wrong with one: each row changes a good chain
 * of root, "dev" and "admin" before it is signed or after.
 */
#ifndef VMM_VERIFY_WORLD_H
#define VMM_VERIFY_WORLD_H

#include "mint.h"
#include "verify.h"

#define WORLD_NODES 17

/* Alerts of TLS. */
enum { BAD = 42, UNSUPPORTED = 43, UNKNOWN_CA = 48, DECODE = 50, REQUIRED = 116 };

struct world {
	struct minted root, other;
	struct minted node[WORLD_NODES]; /* from the top down */
	unsigned count;
	const struct minted *signer[WORLD_NODES]; /* NULL: the one above */
	X509 *shown[WORLD_NODES + 3];		  /* leaf first */
	unsigned nshown;
	time_t now;
};

extern struct world w;
extern struct verify_result result;
/* The bytes of every VM's image here: 4 of them. */
extern const uint8_t image[];

struct minted *dev(void);
struct minted *leaf(void);
/* The certificate at N from the top becomes BY; WHAT comes in there. */
void replace(unsigned n, struct minted by);
void insert(unsigned n, struct minted what);
struct minted new_delegation(const char *name, const struct cert_content *content);
/* The leaf, named "hello" then, says CONTENT. */
void leaf_with(struct cert_content content);
void leaf_under_root(void);
void unchanged(void);

void world_make(void);
void world_sign(void);
void world_free(void);
/* Verifies what is shown; the outcome is in RESULT. */
void judge(const struct revocation *revocation);

struct row {
	void (*prepare)(void); /* before anything is signed */
	void (*present)(void); /* after it; NULL: nothing */
	enum verdict verdict;
	uint32_t alert;
	const char *word, *detail;
};

#define ALERT(number) NULL, VERDICT_ALERT, number, ""
#define SHOWN(how)    unchanged, how, VERDICT_ALERT
#define REFUSE(word)  NULL, VERDICT_REFUSE, 0, word
#define ACCEPT	      NULL, VERDICT_ACCEPT, 0, "", ""
#define MALFORMED     REFUSE("malformed")
#define POLICY	      REFUSE("policy")

void judge_rows(const struct row *rows, size_t count);

#endif

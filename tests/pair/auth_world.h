/*
 * vmm_auth as a process, sandbox and all, with the test in the place of vmmd, of the gate and of
 * its workers. Anything that fails ends the test.
 */
#ifndef VMM_AUTH_WORLD_H
#define VMM_AUTH_WORLD_H

#include <fcntl.h>
#include <sys/types.h>

#include "channel.h"
#include "mint.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define PEER  "[::1]:4711"

/* vmm_auth and what the test holds of it. */
extern struct auth_process {
	pid_t pid;
	struct channel up;   /* we are vmmd */
	struct channel gate; /* we are the gate */
} auth;

/* One connection: we are its worker. */
struct visitor {
	struct channel chain, session;
	int passed, memfd;
};

extern struct incoming in; /* what was received last */
extern struct minted root;
extern char state_folder[64]; /* its revocation lists */

/* PROGRAM is vmm_auth's. */
void auth_world_init(const char *path);

/* cmocka's: a fresh folder; with a vmm_auth in service on it, and its CA. */
int make_folder(void **state);
int remove_folder(void **state);
int set_up(void **state);
int tear_down(void **state);

void start(void);
/* The PEM text of COUNT certificates as a file, with the folder, for MSG_AUTH_CA. */
void send_ca(X509 *const *certs, unsigned count, const char *tail);
/* It has said when its CA ends, and is in service; a gate comes. */
void expect_ready(void);
void new_gate(void);
/* Closes the channel; the exit status, as waitpid has it. */
int finish(void);

void expect(struct channel *from, uint32_t type);
void expect_eof(struct channel *from);

/* Announces a worker to vmm_auth. */
struct visitor announce(void);
/* Its chain, MEMFD. */
void show_memfd(struct visitor *visitor, int memfd);
int memfd_of(const uint8_t *bytes, size_t size, int seals);
void expect_verdict(struct visitor *visitor, enum verdict verdict);
void leave(struct visitor *visitor);

#endif

/*
 * Whether a session's chain still has authority: no newer certificate of one of its labels is
 * known, nobody above has taken one of them back.
 */
#ifndef VMM_AUTHORITY_H
#define VMM_AUTHORITY_H

#include "session.h"

/* The tree of labels, from its file and from the records of the VMs that were adopted. */
void authority_open(struct daemon *d);
/* SESSION begins, its chain held against what is known now. */
void authority_begin(struct session *session);
/*
 * Its handshake is complete: what its chain says counts from now on, and it is logged in; or it is
 * logged as refused.
 */
void authority_login(struct session *session);
/* Before every command: true, or false and SESSION->refused says why not. */
bool authority_lasts(struct session *session);
/* From now on SESSION has no authority. */
void authority_refuse(struct session *session, uint32_t status, const char *word,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

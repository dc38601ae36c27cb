/*
 * Transactions of nftables through libnftnl, for what comes in from one interface: a table of the
 * netdev family with one chain on the interface's ingress. Frames are seen there before a bridge
 * sees them. What the kernel cannot load (the frame is too short, the header not sound, a later
 * fragment has no ports) makes the rule not match: so rules accept, and the policy drops.
 *
 * A batch is filled step by step and then sent; its first error is what batch_send returns.
 */
#ifndef VMM_NFTABLES_H
#define VMM_NFTABLES_H

#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct batch {
	_Alignas(struct nlmsghdr) char buf[16384];
	size_t used;
	const char *table;
	struct nlmsghdr *last;
	struct nftnl_rule *rule; /* being filled */
	int error;
};

/* TABLE is borrowed until the batch is sent. */
void batch_begin(struct batch *b, const char *table);
/* The table is made if it is not there; or removed, -ENOENT where it is not there. */
void batch_add_table(struct batch *b);
void batch_delete_table(struct batch *b);
/* The chain, on DEVICE; POLICY is NF_ACCEPT or NF_DROP, for what no rule decides. */
void batch_add_chain(struct batch *b, const char *device, uint32_t policy);
/* The table's counter, which begins at FRAMES; before the rules that count. */
void batch_add_counter(struct batch *b, uint64_t frames);

/* A rule: its conditions one after the other, then the verdict, which ends it. */
void rule_begin(struct batch *b);
/* The next comparisons are about these bytes; BASE is NFT_PAYLOAD_*. At most 16. */
void rule_load(struct batch *b, uint32_t base, uint32_t offset, uint32_t size);
/* Or about what the kernel knows of the packet; KEY is NFT_META_*. */
void rule_load_meta(struct batch *b, uint32_t key);
/* What was loaded, and this. */
void rule_mask(struct batch *b, const void *mask, uint32_t size);
/* OP is NFT_CMP_*. */
void rule_compare(struct batch *b, uint32_t op, const void *value, uint32_t size);
/* OP is NFT_RANGE_EQ for in the range from FIRST to LAST, NFT_RANGE_NEQ for outside. */
void rule_range(struct batch *b, uint32_t op, const void *first, const void *last, uint32_t size);
/* Counts the frame on the table's counter. */
void rule_count(struct batch *b);
/* NF_ACCEPT or NF_DROP. */
void rule_verdict(struct batch *b, uint32_t verdict);

/* All of it or nothing. 0 or -errno. */
int batch_send(struct batch *b);
/* Whether the kernel would do it, which then undoes it. */
int batch_try(struct batch *b);

/* Nothing comes in from DEVICE any more: TABLE has a chain that drops. */
int nftables_shut(const char *table, const char *device);
/* Whether there is a TABLE: 1 or 0, or -errno. */
int nftables_has(const char *table);
/* Removes TABLE; 0 also where there is none. */
int nftables_forget(const char *table);
/* Whether TABLE has rules: 1 or 0, or -errno. */
int nftables_has_rules(const char *table);
/* Tells the counter of each table of the netdev family that has one, some perhaps twice. 0 or
 * -errno. */
typedef void counted_fn(void *arg, const char *table, uint64_t frames);
int nftables_counted(counted_fn *tell, void *arg);

#endif

#include "nftables.h"

#include <endian.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <stdbool.h>
#include <string.h>

#include "netlink_talk.h"

#define CHAIN	     "ingress"
#define COUNTER	     "dropped"
#define MESSAGE_SIZE 2048 /* more than any message here */
#define DUMPS	     16	  /* tries, of what changes while it is dumped */

/* Room for one more message, of this type; NULL: there is none, or an earlier error. */
static struct nlmsghdr *add(struct batch *b, uint16_t type, uint16_t flags)
{
	if (b->error == 0 && b->used > sizeof(b->buf) - MESSAGE_SIZE)
		b->error = -EMSGSIZE;
	if (b->error < 0)
		return NULL;
	b->last = nftnl_nlmsg_build_hdr(b->buf + b->used, type, NFPROTO_NETDEV, flags, 0);
	return b->last;
}

void batch_begin(struct batch *b, const char *table)
{
	b->table = table;
	b->rule = NULL;
	b->error = 0;
	b->used = nftnl_batch_begin(b->buf, 0)->nlmsg_len;
}

static void put_table(struct batch *b, uint16_t type, uint16_t flags)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *message = add(b, type, flags);

	if (table == NULL || nftnl_table_set_str(table, NFTNL_TABLE_NAME, b->table) < 0) {
		b->error = -ENOMEM;
	} else if (message) {
		nftnl_table_nlmsg_build_payload(message, table);
		b->used += message->nlmsg_len;
	}
	if (table)
		nftnl_table_free(table);
}

void batch_add_table(struct batch *b)
{
	put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
}

void batch_delete_table(struct batch *b)
{
	put_table(b, NFT_MSG_DELTABLE, 0);
}

void batch_add_chain(struct batch *b, const char *device, uint32_t policy)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *message = add(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	if (chain == NULL || nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, b->table) < 0 ||
	    nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, CHAIN) < 0 ||
	    nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter") < 0 ||
	    nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, device) < 0) {
		b->error = -ENOMEM;
	} else if (message) {
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_NETDEV_INGRESS);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, 0);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, policy);
		nftnl_chain_nlmsg_build_payload(message, chain);
		b->used += message->nlmsg_len;
	}
	if (chain)
		nftnl_chain_free(chain);
}

void batch_add_counter(struct batch *b, uint64_t frames)
{
	struct nftnl_obj *counter = nftnl_obj_alloc();
	struct nlmsghdr *message = add(b, NFT_MSG_NEWOBJ, NLM_F_CREATE);

	if (counter == NULL) {
		b->error = -ENOMEM;
	} else if (message) {
		nftnl_obj_set_u32(counter, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nftnl_obj_set_str(counter, NFTNL_OBJ_TABLE, b->table);
		nftnl_obj_set_str(counter, NFTNL_OBJ_NAME, COUNTER);
		nftnl_obj_set_u64(counter, NFTNL_OBJ_CTR_PKTS, frames);
		nftnl_obj_set_u64(counter, NFTNL_OBJ_CTR_BYTES, 0);
		nftnl_obj_nlmsg_build_payload(message, counter);
		b->used += message->nlmsg_len;
	}
	if (counter)
		nftnl_obj_free(counter);
}

void rule_begin(struct batch *b)
{
	b->rule = nftnl_rule_alloc();
	if (b->rule == NULL || nftnl_rule_set_str(b->rule, NFTNL_RULE_TABLE, b->table) < 0 ||
	    nftnl_rule_set_str(b->rule, NFTNL_RULE_CHAIN, CHAIN) < 0)
		b->error = -ENOMEM;
}

/* A further condition or deed; NULL after an error. */
static struct nftnl_expr *step(struct batch *b, const char *kind)
{
	struct nftnl_expr *expr = b->error == 0 ? nftnl_expr_alloc(kind) : NULL;

	if (expr)
		nftnl_rule_add_expr(b->rule, expr);
	else if (b->error == 0)
		b->error = -ENOMEM;
	return expr;
}

void rule_load(struct batch *b, uint32_t base, uint32_t offset, uint32_t size)
{
	struct nftnl_expr *expr = step(b, "payload");

	if (expr == NULL)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, size);
}

void rule_load_meta(struct batch *b, uint32_t key)
{
	struct nftnl_expr *expr = step(b, "meta");

	if (expr == NULL)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void rule_mask(struct batch *b, const void *mask, uint32_t size)
{
	static const uint8_t none[16];
	struct nftnl_expr *expr = step(b, "bitwise");

	if (expr == NULL)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, size);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, size);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, none, size);
}

void rule_compare(struct batch *b, uint32_t op, const void *value, uint32_t size)
{
	struct nftnl_expr *expr = step(b, "cmp");

	if (expr == NULL)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, value, size);
}

void rule_range(struct batch *b, uint32_t op, const void *first, const void *last, uint32_t size)
{
	struct nftnl_expr *expr = step(b, "range");

	if (expr == NULL)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RANGE_OP, op);
	nftnl_expr_set(expr, NFTNL_EXPR_RANGE_FROM_DATA, first, size);
	nftnl_expr_set(expr, NFTNL_EXPR_RANGE_TO_DATA, last, size);
}

void rule_count(struct batch *b)
{
	struct nftnl_expr *expr = step(b, "objref");

	if (expr == NULL)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(expr, NFTNL_EXPR_OBJREF_IMM_NAME, COUNTER);
}

void rule_verdict(struct batch *b, uint32_t verdict)
{
	struct nftnl_expr *expr = step(b, "immediate");
	struct nlmsghdr *message = add(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	if (expr && message) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, verdict);
		nftnl_rule_nlmsg_build_payload(message, b->rule);
		b->used += message->nlmsg_len;
	}
	if (b->rule)
		nftnl_rule_free(b->rule);
	b->rule = NULL;
}

/* Closing a socket waits, for milliseconds, until what was removed is freed: so one is kept. */
static int talk(const void *request, size_t size, mnl_cb_t row, void *data)
{
	static struct mnl_socket *kept;
	int error;

	if (kept == NULL)
		kept = netlink_open(NETLINK_NETFILTER);
	if (kept == NULL)
		return -errno;
	error = netlink_talk(kept, request, size, row, data);
	if (error < 0) {
		mnl_socket_close(kept);
		kept = NULL;
	}
	return error;
}

/* Errors are answered whatever the flags are, and before the last message's acknowledgement. */
static int ask(struct batch *b)
{
	if (b->error < 0)
		return b->error;
	b->last->nlmsg_flags |= NLM_F_ACK;
	return talk(b->buf, b->used, NULL, NULL);
}

int batch_send(struct batch *b)
{
	if (b->error == 0)
		b->used += nftnl_batch_end(b->buf + b->used, 0)->nlmsg_len;
	return ask(b);
}

/* A batch without an end is checked and answered, then undone. */
int batch_try(struct batch *b)
{
	return ask(b);
}

int nftables_shut(const char *table, const char *device)
{
	struct batch b;

	batch_begin(&b, table);
	batch_add_table(&b);
	batch_delete_table(&b);
	batch_add_table(&b);
	batch_add_chain(&b, device, NF_DROP);
	return batch_send(&b);
}

int nftables_forget(const char *table)
{
	struct batch b;
	int error;

	batch_begin(&b, table);
	batch_delete_table(&b);
	error = batch_send(&b);
	return error == -ENOENT ? 0 : error;
}

static int found(const struct nlmsghdr *message, void *data)
{
	(void)message;
	(void)data;
	return MNL_CB_STOP;
}

int nftables_has(const char *table)
{
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE, NFPROTO_NETDEV, 0,
							 0);
	int error;

	mnl_attr_put_strz(request, NFTA_TABLE_NAME, table);
	error = talk(request, request->nlmsg_len, found, NULL);
	return error == -ENOENT ? 0 : error < 0 ? error : 1;
}

static int found_rule(const struct nlmsghdr *message, void *data)
{
	(void)message;
	*(bool *)data = true;
	return MNL_CB_OK;
}

/* What changes while it is dumped is dumped again. */
static int dump(const struct nlmsghdr *request, mnl_cb_t row, void *data)
{
	int error = -EINTR;

	for (int i = 0; i < DUMPS && error == -EINTR; i++)
		error = talk(request, request->nlmsg_len, row, data);
	return error;
}

int nftables_has_rules(const char *table)
{
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETRULE, NFPROTO_NETDEV,
							 NLM_F_DUMP, 0);
	bool any = false;
	int error;

	mnl_attr_put_strz(request, NFTA_RULE_TABLE, table);
	error = dump(request, found_rule, &any);
	return error < 0 && error != -ENOENT ? error : any;
}

struct teller {
	counted_fn *tell;
	void *arg;
};

static int tell_counter(const struct nlmsghdr *message, void *data)
{
	const struct teller *teller = data;
	struct nftnl_obj *counter = nftnl_obj_alloc();

	if (counter && nftnl_obj_nlmsg_parse(message, counter) == 0 &&
	    strcmp(nftnl_obj_get_str(counter, NFTNL_OBJ_NAME), COUNTER) == 0)
		teller->tell(teller->arg, nftnl_obj_get_str(counter, NFTNL_OBJ_TABLE),
			     nftnl_obj_get_u64(counter, NFTNL_OBJ_CTR_PKTS));
	if (counter)
		nftnl_obj_free(counter);
	return MNL_CB_OK;
}

int nftables_counted(counted_fn *tell, void *arg)
{
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETOBJ, NFPROTO_NETDEV,
							 NLM_F_DUMP, 0);
	struct teller teller = {tell, arg};

	mnl_attr_put_u32(request, NFTA_OBJ_TYPE, htobe32(NFT_OBJECT_COUNTER));
	return dump(request, tell_counter, &teller);
}

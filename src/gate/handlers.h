/* What each route does: ask vmmd, then answer with what it says. */
#ifndef VMM_GATE_HANDLERS_H
#define VMM_GATE_HANDLERS_H

#include "exchange.h"

void whoami_start(struct exchange *exchange);
void whoami_reply(struct exchange *exchange, struct incoming *in);
void list_start(struct exchange *exchange);
void list_reply(struct exchange *exchange, struct incoming *in);
void start_start(struct exchange *exchange);
void start_reply(struct exchange *exchange, struct incoming *in);
void destroy_start(struct exchange *exchange);
void destroy_reply(struct exchange *exchange, struct incoming *in);
void revoke_start(struct exchange *exchange);
void revoke_reply(struct exchange *exchange, struct incoming *in);
void console_start(struct exchange *exchange);
void console_reply(struct exchange *exchange, struct incoming *in);
void log_start(struct exchange *exchange);
void log_reply(struct exchange *exchange, struct incoming *in);

#endif

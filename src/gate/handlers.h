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
void volumes_start(struct exchange *exchange);
void volumes_reply(struct exchange *exchange, struct incoming *in);
void volume_create_start(struct exchange *exchange);
void volume_create_reply(struct exchange *exchange, struct incoming *in);
void volume_destroy_start(struct exchange *exchange);
void volume_read_start(struct exchange *exchange);
void volume_read_reply(struct exchange *exchange, struct incoming *in);
void volume_write_start(struct exchange *exchange);
void volume_write_reply(struct exchange *exchange, struct incoming *in);
void volume_write_body(struct exchange *exchange, const uint8_t *bytes, size_t size);
/* The socket of an upload takes more. */
void volume_write_ready(struct exchange *exchange);
void statistics_start(struct exchange *exchange);
void statistics_reply(struct exchange *exchange, struct incoming *in);
void metrics_start(struct exchange *exchange);
void metrics_reply(struct exchange *exchange, struct incoming *in);
void log_start(struct exchange *exchange);
void log_reply(struct exchange *exchange, struct incoming *in);

#endif

/* What vmmd tells the gate: its certificate, its sockets, vmm_auth, when to end. */
#ifndef VMM_GATE_CONTROL_H
#define VMM_GATE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct listener;

/* Handles what has come; false: vmmd has gone. Ends the process when its certificate is no use. */
bool control_receive(struct listener *listener);
/* Whether vmmd has to be told of connections yet; tells it, once a second at most, or not now. */
bool control_owes_counts(const struct listener *listener);
void control_say_counts(struct listener *listener, int64_t now_ms);

#endif

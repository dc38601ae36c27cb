/* What vmmd tells the gate: its certificate, its sockets, vmm_auth, when to end. */
#ifndef VMM_GATE_CONTROL_H
#define VMM_GATE_CONTROL_H

#include <stdbool.h>

struct listener;

/* Handles what has come; false: vmmd has gone. Ends the process when its certificate is no use. */
bool control_receive(struct listener *listener);

#endif

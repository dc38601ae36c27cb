/*
 * What only vmmd knows of a guest's network, asked for on the status descriptor, which is then a
 * socket of datagrams: doc/monitor.md has the lines.
 */
#ifndef VMM_MONITOR_ASK_H
#define VMM_MONITOR_ASK_H

#include "attach.h"

/*
 * Says which device each option turned out to be. Where net devices have no MAC, waits until vmmd
 * has said it and their MTU, and whatever arguments of the guest become in OPTIONS. Nothing when
 * there is no status descriptor. Exits with one line when an answer is wrong or none comes.
 */
void ask_about_devices(struct devices *devices, struct options *options);

#endif

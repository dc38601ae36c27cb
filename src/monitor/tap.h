/* Taps on Linux. Exits with one line when there is something wrong with one. */
#ifndef VMM_MONITOR_TAP_H
#define VMM_MONITOR_TAP_H

#include "attach.h"

/*
 * DEVICE's descriptor, which will not block, and its MTU: of an interface that is there and up, or
 * of what is open already. 1500 where the interface is in no network namespace that we could ask.
 */
void tap_attach(struct device *device, const struct given *given);

#endif

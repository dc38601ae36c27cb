#ifndef VMM_RING_H
#define VMM_RING_H
#endif

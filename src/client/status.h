/*
 * What vmm_client exits with; scripts rely on it, vmm_client(1) lists it.
 */
#ifndef VMM_STATUS_H
#define VMM_STATUS_H

enum status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1, /* the server said no, or a command could not be done */
	STATUS_USAGE = 2,
	STATUS_CONNECT = 3, /* the server is not reached, or the connection was lost */
	STATUS_TLS = 4,	    /* a certificate or a key is not right, on either side */
};

#endif

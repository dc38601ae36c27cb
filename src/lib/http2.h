#ifndef VMM_HTTP2_H
#define VMM_HTTP2_H
#endif

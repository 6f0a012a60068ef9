#ifndef TS_PKCS11_ERRORS_H
#define TS_PKCS11_ERRORS_H

#include <stddef.h>

#define TS_HOST_ERRORS_MAX 16 /* more are not in a queue of OpenSSL's */

/** Errors that the host has in this thread's queue of OpenSSL's. libssl clears the queue in a handshake, whoever's it is, and takes
 *  what it finds there for its own: so they are put aside while a call is at the peer. Only for that: the host's marks in the queue
 *  are lost with it, and everywhere else a mark of ours is enough (pkcs11/call.h). Zeroed at first. */
struct ts_host_errors {
    size_t count;
    struct ts_host_error *items[TS_HOST_ERRORS_MAX];
};

/** Empty the queue. What there is no memory for is lost. */
void ts_host_errors_put_aside(struct ts_host_errors *errors);
/** Take our own out and put the host's back, with a mark after them in place of the one that ts_call_begin has set. */
void ts_host_errors_put_back(struct ts_host_errors *errors);

#endif

#ifndef TS_BASE_DESCRIPTOR_H
#define TS_BASE_DESCRIPTOR_H

/** Move a fresh descriptor above the three standard ones: a host that has closed those may still write to them, and that
 *  must not go into our files and connections.
 *  In:   fd  close-on-exec; or -1 with errno set
 *  Returns: the descriptor, the given one or another; -1 with errno set (the given one is then closed). */
int ts_descriptor_raise(int fd);

#endif

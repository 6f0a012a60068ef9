#ifndef TS_SERVER_NOTIFY_H
#define TS_SERVER_NOTIFY_H

/** Tell the service manager, when there is one (NOTIFY_SOCKET): "READY=1", "RELOADING=1", "STOPPING=1",
 *  "STATUS=...". Source: sd_notify(3). A failure is of no consequence. */
void ts_notify(const char *state);

#endif

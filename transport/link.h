#ifndef TS_TRANSPORT_LINK_H
#define TS_TRANSPORT_LINK_H

#include "base/buffer.h"
#include "base/env.h"
#include "transport/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What joins two devices, shared by many sessions and many threads: a TLS 1.3 channel with WebSocket frames, each
 *  carrying one Envelope of transport/tallystick.proto. With `resume_ms` a link outlives its connection: the side that
 *  dialled dials again, both go on with the same sessions, and every message still arrives once. */
struct ts_link;

/** The links that a listening side has accepted, so that a caller whose connection broke finds its sessions again. */
struct ts_links;

/** One conversation on a link (pairing, keygen, presign, sign, refresh). */
struct ts_session;

#define TS_SESSION_ID_BYTES 16
#define TS_MESSAGE_MAX_BYTES ((size_t)4 << 20) /**< absolute bound; each type has a smaller one (message.c) */

/** One message as the layer above sees it. Types are the MessageType values of tallystick.proto. */
struct ts_message {
    int type;
    struct ts_buf payload; /**< owned; released with ts_message_clear */
};

void ts_message_clear(struct ts_message *message);

/** Deadlines in milliseconds of the environment's monotonic clock, as offsets from the call. */
struct ts_link_options {
    const struct ts_env *env;
    const struct ts_identity *identity; /**< own certificate and key; must outlive the link */
    uint32_t connect_ms;                /**< for TCP, TLS and WebSocket handshakes together */
    uint32_t idle_ms;                   /**< accepting side: a link without any byte for so long is closed; 0 = never */
    uint32_t max_sessions;              /**< sessions that the other side may hold open at once */
    const char *name;                   /**< the other side's name in log lines, or NULL */
    uint32_t resume_ms;    /**< how long sessions outlive their connection; 0: the link ends with its connection */
    uint32_t heartbeat_ms; /**< while something is waited for: silence after which the other side is asked whether it
                              lives; after three times as long the connection is given up; 0: never */
    const struct ts_stop *stop; /**< accepting side: ends the handshake early; NULL: nothing does */
    struct ts_links *links;     /**< accepting side: where links are found again; NULL: none is */
    struct ts_lookups
        *lookups; /**< dialling side: who asks the resolver (lookup.h), must outlive the link; NULL: the caller */
};

/** Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_links_new(struct ts_links **out);

/** Every link in it must have been closed. NULL is allowed. */
void ts_links_free(struct ts_links *links);

/** Dial the other side.
 *  In:   address   "host:port" or "[v6]:port"; each address of the host is tried in order until the deadline
 *        pin       hash of the public key that its certificate must have
 *  Returns: TS_OK; TS_IO when it cannot be reached, closes, speaks another TLS version, or shows another certificate
 *  (the log line says which); TS_USAGE on a malformed address. */
enum ts_error ts_link_dial(struct ts_link **out, const struct ts_link_options *options, const char *address,
    const uint8_t pin[TS_KEY_HASH_BYTES]);

/** Decide about a caller's certificate during the handshake; called on the accepting thread.
 *  Returns: true to go on. */
typedef bool (*ts_link_admit)(void *ctx, const uint8_t key_hash[TS_KEY_HASH_BYTES]);

/** Take the server's part on an accepted TCP socket. The socket is owned from here on, also on failure.
 *  A caller who goes on with a link of `options->links` (same key, same link, not yet over) is attached to it: those
 *  who wait on that link go on, and there is nothing left to do with this call. It is not asked for admission again.
 *  Returns: TS_OK; TS_EXISTS and no link when the socket belongs to an earlier link now; TS_IO; TS_FORMAT on a bad
 *  handshake; TS_REFUSED when `admit` said no. */
enum ts_error ts_link_accept(
    struct ts_link **out, const struct ts_link_options *options, int socket, ts_link_admit admit, void *ctx);

/** Close with a WebSocket close frame (best effort, bounded wait) and free; open sessions must have been closed. */
void ts_link_close(struct ts_link *link);

/** Free without a byte on the wire: for a forked child. Closes the descriptor only. */
void ts_link_abandon(struct ts_link *link);

/** Make every wait on the link fail now with TS_IO; for C_Finalize and for stopping the peer. Async-thread-safe. */
void ts_link_shutdown(struct ts_link *link);

/** False after the link ended: shut down, closed by the other side, a violation was seen, or the connection was lost
 *  (with resume_ms: for longer than that, or the other side does not know it any more). */
bool ts_link_alive(struct ts_link *link);

/** The same, and has it a connection, as far as can be seen without waiting? */
bool ts_link_connected(struct ts_link *link);

/** Make sure that the link has a connection. Where it is lost and may be resumed, the side that dialled dials now and
 *  the side that listens waits. Whoever receives, sends or accepts does the same by itself: this is for learning,
 *  before something new begins, that the other side was started anew.
 *  Returns: TS_OK; TS_IO when the link is over; TS_TIMEOUT. */
enum ts_error ts_link_resume(struct ts_link *link, uint32_t timeout_ms);

/** The public key hash that the other side proved. */
void ts_link_peer(const struct ts_link *link, uint8_t key_hash[TS_KEY_HASH_BYTES]);

/** RFC 9266 style exporter of the TLS channel, the same on both sides. A value stays the same when the link is resumed
 *  on another channel; one that was not asked for before cannot be had afterwards.
 *  Returns: TS_OK; TS_IO when the channel of that time is gone; TS_INTERNAL. */
enum ts_error ts_link_exporter(struct ts_link *link, const char *label, uint8_t out32[32]);

/** Start a session from this side, with a random id. Returns: TS_OK; TS_IO when the link is dead; TS_INTERNAL. */
enum ts_error ts_session_open(struct ts_session **out, struct ts_link *link);

/** Wait for the next session that the other side starts (its first message is then ready to be received).
 *  timeout_ms 0 polls; UINT32_MAX waits until the link dies.
 *  Returns: TS_OK; TS_TIMEOUT; TS_IO when the link is dead. */
enum ts_error ts_session_accept(struct ts_session **out, struct ts_link *link, uint32_t timeout_ms);

/** Send one message. Any thread; does not wait for an answer, but for room in the socket until the deadline.
 *  Returns: TS_OK; TS_IO; TS_FORMAT when larger than its type allows; TS_TIMEOUT. */
enum ts_error ts_session_send(
    struct ts_session *session, int type, const uint8_t *payload, size_t len, uint32_t timeout_ms);

/** Receive the next message of this session. While one thread waits it also reads for the others: there is no reader
 *  thread, and no lock is held across the wait.
 *  A Failure message from the other side is turned into its error (TS_REFUSED, TS_TIMEOUT, TS_CHEATED, TS_LOCKED,
 *  TS_FORMAT, TS_NOT_FOUND, TS_IO, TS_INTERNAL, TS_USAGE) and its words are kept for ts_session_reason.
 *  Returns: TS_OK and a message to clear; TS_TIMEOUT; TS_IO when the link died; the other side's error. */
enum ts_error ts_session_receive(struct ts_session *session, struct ts_message *out, uint32_t timeout_ms);

/** The same, and refuse every type but `type` with TS_FORMAT (the reason names both). */
enum ts_error ts_session_expect(struct ts_session *session, int type, struct ts_message *out, uint32_t timeout_ms);

/** The same, for the message that is due after the session's last one, or to begin it (transport/message.h). Another
 *  ends this session alone: the other side is told, the log and the reason name the message and the state.
 *  Returns: as ts_session_receive; TS_FORMAT. */
enum ts_error ts_session_next(struct ts_session *session, struct ts_message *out, uint32_t timeout_ms);

/** Type of the last message that was sent or received here; TS_MESSAGE_NONE before the first. The owner's thread only. */
int ts_session_state(const struct ts_session *session);

/** End the waits of ts_session_receive on this session, the one that goes on and every later one, with TS_TIMEOUT. Any
 *  thread, while the session is open. */
void ts_session_interrupt(struct ts_session *session);

/** Tell the other side that the session ends with an error. `reason` is short English without secrets, may be NULL.
 *  Returns: as send. */
enum ts_error ts_session_fail(struct ts_session *session, enum ts_error error, const char *reason);

/** Did the other side end the session with a Failure that was received, and not we? */
bool ts_session_told(const struct ts_session *session);

/** Did a message that was not due (ts_session_next), or that contradicts one before, end it here? */
bool ts_session_broken(const struct ts_session *session);

/** Words of the last failure on this session ("" when none). Valid until the session closes. */
const char *ts_session_reason(const struct ts_session *session);

/** True when the other side sent a Failure on this session (a cancel, a lock) or left it, without consuming anything: lets a
 *  long wait for a person end early. Reads what has arrived, does not wait. */
bool ts_session_cancelled(struct ts_session *session);

/** Something of the owner's that travels with the session; NULL at first. Used by the owner's thread only. */
void ts_session_set_context(struct ts_session *session, void *context);
void *ts_session_context(const struct ts_session *session);

struct ts_link *ts_session_link(const struct ts_session *session);
void ts_session_id(const struct ts_session *session, uint8_t id[TS_SESSION_ID_BYTES]);

/** Forget the session. What was sent last is kept until the other side has it, for a while; whoever speaks of the
 *  session after that is told that it is over. NULL is allowed. */
void ts_session_close(struct ts_session *session);

#endif

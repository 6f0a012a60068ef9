#ifndef TS_TRANSPORT_TLS_H
#define TS_TRANSPORT_TLS_H

#include "base/buffer.h"
#include "transport/identity.h"
#include "transport/link.h"

/** TLS 1.3 as a transformation of bytes, without a socket: whoever owns the socket feeds what it received and sends
 *  what `ts_tls_take` gives. So no library but ours writes to a socket, and SIGPIPE cannot reach the host.
 *  Source: RFC 8446. TLS 1.3 alone, one ECDSA P-256 certificate on both sides, no tickets, resumption or early data.
 *  Not thread-safe. */
struct ts_tls;

/** How the other side's key is judged: by `pin`, or by `admit` when pin is NULL. */
struct ts_tls_trust {
    const uint8_t *pin; /**< TS_KEY_HASH_BYTES, copied */
    ts_link_admit admit;
    void *ctx;
};

/** What a failed step says. Set with every TS_IO or TS_REFUSED. */
#define TS_TLS_WORDS_BYTES 256

/** identity must outlive it. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_tls_new(
    struct ts_tls **out, const struct ts_identity *identity, bool server, const struct ts_tls_trust *trust);
void ts_tls_free(struct ts_tls *tls);

/** Give it bytes that came from the other side. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_tls_feed(struct ts_tls *tls, const uint8_t *bytes, size_t len);

/** Append to `out` what must go to the other side. Returns: as ts_buf_error. */
enum ts_error ts_tls_take(struct ts_buf *out, struct ts_tls *tls);

/** Go on with the handshake.
 *  Returns: TS_OK when done; TS_NOT_FOUND when more bytes are needed; TS_REFUSED when `admit` said no; TS_IO with
 *  words. After an error there may be an alert to take. */
enum ts_error ts_tls_handshake(struct ts_tls *tls);

/** Append up to `max` bytes of plaintext to `out`.
 *  Returns: TS_OK when some were appended; TS_NOT_FOUND when more bytes are needed; TS_IO with words, also when the
 *  other side closed (`ts_tls_closed` tells). */
enum ts_error ts_tls_read(struct ts_buf *out, struct ts_tls *tls, size_t max);

/** Encrypt all of it. Returns: TS_OK; TS_IO with words. */
enum ts_error ts_tls_write(struct ts_tls *tls, const uint8_t *bytes, size_t len);

/** Say goodbye (close_notify). */
void ts_tls_close(struct ts_tls *tls);

/** Did the other side say goodbye? */
bool ts_tls_closed(const struct ts_tls *tls);

/** What went wrong, and what to do. */
const char *ts_tls_words(const struct ts_tls *tls);

/** Hash of the other side's key; all zero before the handshake is done. */
void ts_tls_peer(const struct ts_tls *tls, uint8_t key_hash[TS_KEY_HASH_BYTES]);

/** RFC 8446 7.5 with an empty context. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_tls_exporter(struct ts_tls *tls, const char *label, uint8_t out32[32]);

#endif

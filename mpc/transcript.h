#ifndef TS_MPC_TRANSCRIPT_H
#define TS_MPC_TRANSCRIPT_H

#include "base/buffer.h"
#include "mpc/num_table.h"
#include "mpc/point.h"

/** Encodings, items and hashes. Source: protocol-equations.md 1 and 2 (docs/protocol-equations.md). */

#define TS_ROLE_NONE 0
#define TS_ROLE_P1 1
#define TS_ROLE_P2 2
#define TS_SID_BYTES 32
#define TS_NONCE_BYTES 32
#define TS_HASH_BYTES 32

/** What all of mpc/ shares: the environment, SHAKE256, the four groups, the hedge's counter. Read-only but for the
 * counter, which is atomic; shared by threads. */
struct ts_mpc;
enum ts_error ts_mpc_new(struct ts_mpc **out, const struct ts_env *env);
void ts_mpc_free(struct ts_mpc *mpc);
const struct ts_env *ts_mpc_env(const struct ts_mpc *mpc);
const struct ts_group *ts_mpc_group(const struct ts_mpc *mpc, enum ts_curve curve); /**< NULL for TS_CURVE_NONE */
/** A scope for one piece of work, from a few that are kept ready, because making locked memory takes longer than a
 * small computation. Give it back, erased, with ts_scope_return; from then on the caller must not touch it. Threads may
 * borrow at the same time. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_scope_borrow(struct ts_scope **out, const struct ts_mpc *mpc);
void ts_scope_return(const struct ts_mpc *mpc, struct ts_scope *scope); /**< NULL scope is allowed */
uint64_t ts_mpc_count(const struct ts_mpc *mpc);                        /**< next value of the hedge's counter */

/** Where a transcript belongs. */
struct ts_place {
    const struct ts_mpc *mpc;
    enum ts_curve curve; /**< TS_CURVE_NONE at pairing */
    uint8_t sid[TS_SID_BYTES];
    size_t sid_len; /**< 32, or 0 */
    uint8_t role;   /**< of the prover, committer or sender */
    uint32_t index; /**< presignature's index in its batch, else 0 */
};

/** I(z) of a public integer. decode: magnitude of at most max_bytes, canonical; fails the scope with TS_FORMAT. */
enum ts_error ts_int_encode(struct ts_buf *out, const struct ts_num *z);
const struct ts_num *ts_int_decode(struct ts_scope *scope, const uint8_t *bytes, size_t len, size_t max_bytes);

/** Append item(label, value). Errors stick to the buffer. */
void ts_item_put(struct ts_buf *out, const char *label, const void *value, size_t len);
void ts_item_put_int(struct ts_buf *out, const char *label, const struct ts_num *z);
void ts_item_put_point(struct ts_buf *out, const char *label, const struct ts_group *group, const struct ts_point *p);
void ts_item_put_u32(struct ts_buf *out, const char *label, uint32_t value);
void ts_item_put_u64(struct ts_buf *out, const char *label, uint64_t value);

/** Read the next item, whose label must be `label`; the value stays in place. Errors stick to the reader.
 *  Returns: the value (never NULL on success, also when empty) and its length; NULL on failure. */
const uint8_t *ts_item_take(size_t *len, struct ts_reader *in, const char *label);
/** Exactly `len` bytes. */
const uint8_t *ts_item_take_exact(struct ts_reader *in, const char *label, size_t len);
const struct ts_num *ts_item_take_int(
    struct ts_scope *scope, struct ts_reader *in, const char *label, size_t max_bytes);
const struct ts_point *ts_item_take_point(
    struct ts_scope *scope, struct ts_reader *in, const char *label, const struct ts_group *group);
uint32_t ts_item_take_u32(struct ts_reader *in, const char *label);

/** Append HDR(name), the six items that every hash starts with; for buffers of the caller's own kind. */
void ts_header_put(struct ts_buf *out, const struct ts_place *place, const char *name);
/** Start a transcript: HDR(name) of a place. `out` is initialised here (bound 1 MiB) and cleared by the caller. */
void ts_transcript_init(struct ts_buf *out, const struct ts_place *place, const char *name);

/** SHAKE256. Returns: TS_OK; TS_INTERNAL. */
enum ts_error ts_shake256(uint8_t *out, size_t out_len, const struct ts_mpc *mpc, const uint8_t *in, size_t len);

/** H_32, H_e, H_q of a finished transcript; a transcript with a sticky error fails. */
enum ts_error ts_hash_32(uint8_t out[TS_HASH_BYTES], const struct ts_mpc *mpc, const struct ts_buf *transcript);
const struct ts_num *ts_hash_e(struct ts_scope *scope, const struct ts_mpc *mpc, const struct ts_buf *transcript);
const struct ts_num *ts_hash_q(
    struct ts_scope *scope, const struct ts_mpc *mpc, enum ts_curve curve, const struct ts_buf *transcript);

/* --- identifiers and commitments, section 2 (mpc/ids.c) --- */

/** Ring-Pedersen parameters of one party as the other sees them. */
struct ts_pedersen {
    const struct ts_modulus *N;
    const struct ts_num *s, *t;
    struct ts_table_slot *s_table, *t_table; /**< for the side that often commits under them; NULL elsewhere */
};

enum ts_error ts_aux_hash(
    uint8_t out[TS_HASH_BYTES], const struct ts_mpc *mpc, const struct ts_pedersen *p1, const struct ts_pedersen *p2);

struct ts_sid_fields {
    enum ts_curve curve;
    const uint8_t *pairing;
    size_t pairing_len;
    const uint8_t *key;
    size_t key_len;
    uint32_t generation;
    const char *purpose; /**< pair, keygen, presign, refresh */
    const uint8_t *aux;
    size_t aux_len;
    const uint8_t *public_key;
    size_t public_key_len;  /**< Pt(X) or empty */
    const uint8_t *n1, *n2; /**< TS_NONCE_BYTES each */
    uint64_t batch;
};
enum ts_error ts_sid(uint8_t out[TS_SID_BYTES], const struct ts_mpc *mpc, const struct ts_sid_fields *fields);

enum ts_error ts_commitment(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const uint8_t *value, size_t len, const uint8_t u[32]);
/** Commitment to P1's half of the refresh coin, item("d", I(d1)); d1 is opened later and published by the caller. */
enum ts_error ts_coin_commitment(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const struct ts_num *d1, const uint8_t u[32]);
enum ts_error ts_nonce_commitment(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const uint8_t nonce[32]); /**< role P2 */
enum ts_error ts_request_hash(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const uint8_t *request, size_t len); /**< role P1 */
/** m1, m2, ...: payloads of a run, in order. */
struct ts_bytes {
    const uint8_t *data;
    size_t len;
};
enum ts_error ts_confirmation(
    uint8_t out[TS_HASH_BYTES], const struct ts_place *place, const struct ts_bytes *payloads, size_t count);
/** h; fails with TS_FORMAT when it is 0 or the digest is empty. */
const struct ts_num *ts_digest_to_num(
    struct ts_scope *scope, const struct ts_group *group, const uint8_t *digest, size_t len);
/** delta, role P2; fails the scope with TS_CHEATED on 0. */
const struct ts_num *ts_delta(struct ts_scope *scope, const struct ts_place *place, const struct ts_point *X,
    const struct ts_point *R, const struct ts_num *h, const uint8_t request_hash[32], const uint8_t nonce[32]);

#endif

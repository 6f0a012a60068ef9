#ifndef TS_MPC_MACHINE_H
#define TS_MPC_MACHINE_H

#include "mpc/half.h"

/** One role of one protocol run as a state machine: bytes in, bytes out, no I/O. Each role is a table of states
 *  (state, handler, next) in its own file; this file is the driver that all share.
 *
 *  The initiator's first step takes no input (NULL, 0); each later step takes one payload of the other side and gives
 *  the next payload, empty when there is nothing to send. A step in a state that does not expect it, or after an
 *  error, answers TS_USAGE and changes nothing. Any failure of a step ends the machine: its secrets are erased at
 *  once and it stays failed.
 *  A confirmation and a commit are payloads of exactly the 32 bytes of the hash.
 *  Errors of a step: TS_FORMAT (does not decode, length or range), TS_CHEATED (a proof, opening or confirmation is
 *  wrong), TS_INTERNAL. */
struct ts_machine;

enum ts_error ts_machine_step(struct ts_machine *machine, struct ts_buf *out, const uint8_t *in, size_t len);

/** Name of the current state, by the protocol's steps: PRE_PARAMS, KEYGEN_P1, KEYGEN_P2, SIGN_ROUND_1, SIGN_ROUND_2,
 *  SIGN_ROUND_3, REFRESH, COMPLETED, FAILED. */
const char *ts_machine_state(const struct ts_machine *machine);

/** True when the run has its result (and, at P2, before P1's Commit arrives, which is the session's business). */
bool ts_machine_done(const struct ts_machine *machine);

/** Erase and free. NULL is allowed. */
void ts_machine_free(struct ts_machine *machine);

/* --- pairing (protocol.md 4), messages: PairInit, PreParamsP2, PreParamsP1, confirmation of P2, commit of P1 ---
 *  In: bits, own primes (ts_primes_search), own device's hedge key hk (32 bytes); P1 chooses the random pairing id. */
enum ts_error ts_pair_p1_new(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES]);
/** P2 reads the bits from PairInit and refuses (TS_FORMAT) others than those of its primes. */
enum ts_error ts_pair_p2_new(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES]);
/** The same for a pairing that is to get new parameters (protocol.md 8): with its id. P2 refuses another (TS_FORMAT).
 */
enum ts_error ts_pair_p1_renew(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES], const uint8_t id[TS_PAIRING_ID_BYTES]);
enum ts_error ts_pair_p2_renew(struct ts_machine **out, const struct ts_mpc *mpc, uint32_t bits, const uint8_t *primes,
    size_t primes_len, const uint8_t hk[TS_HEDGE_KEY_BYTES], const uint8_t id[TS_PAIRING_ID_BYTES]);
/** After done: the pairing (owned by the caller from here on) and P1's confirmation hash.
 *  Returns: TS_OK; TS_USAGE when not done or taken already. */
enum ts_error ts_pair_take(struct ts_pairing **out, uint8_t confirmation[TS_HASH_BYTES], struct ts_machine *machine);

/* --- keygen (protocol.md 5): init, n2, commitment, X2, opening with C, confirmation of P2, commit of P1 --- */
enum ts_error ts_keygen_p1_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *pairing,
    enum ts_curve curve, const uint8_t key[TS_KEY_ID_BYTES]);
enum ts_error ts_keygen_p2_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *pairing);
/** P2, after the first step: what P1 asked for. */
enum ts_error ts_keygen_p2_asked(enum ts_curve *curve, uint8_t key[TS_KEY_ID_BYTES], const struct ts_machine *machine);
/** P1, once its opening is made: the confirmation that the run will have, for telling P2 that it is given up.
 *  Returns: TS_OK; TS_USAGE before that; TS_INTERNAL. */
enum ts_error ts_keygen_p1_confirmation(uint8_t out[TS_HASH_BYTES], struct ts_machine *machine);
/** After done: the half and P1's confirmation hash. P1 is done with its last step (whose output is that hash). */
enum ts_error ts_keygen_take(struct ts_half **out, uint8_t confirmation[TS_HASH_BYTES], struct ts_machine *machine);

/* --- presignatures (protocol.md 6): a batch of 1 to TS_BATCH_MAX. Steps: round 1 (P1), reply, round 2 (P1), reply ---
 */
#define TS_BATCH_MAX 64
struct ts_presign_place {
    const struct ts_mpc *mpc;
    const struct ts_pairing *pairing;
    const struct ts_half *half;
    const uint8_t *n1, *n2; /**< nonces of this connection's SessionHello */
    uint64_t batch;
};
enum ts_error ts_presign_p1_new(struct ts_machine **out, const struct ts_presign_place *place, uint32_t count);
enum ts_error ts_presign_p2_new(struct ts_machine **out, const struct ts_presign_place *place);
uint32_t ts_presign_count(const struct ts_machine *machine);
/** P2, when it has nothing else to do: compute ahead what does not depend on P1's messages, which is all but P1's
 *  point: nonce, D and its proof. The machine can be made and prepared as soon as the connection's nonces are known,
 *  before P1 asks for the batch, for `place` says which batch it will be; what is prepared belongs to that sid and
 *  index, is used once, and is erased with the machine. One presignature per call, some ten milliseconds.
 *  In:   count  how many to prepare in all, before P1 has said how many it wants
 *  Out:  more   whether another call would find something to do
 *  Returns: TS_OK; TS_USAGE (not P2's, done or failed); TS_INTERNAL, and the machine has failed. */
enum ts_error ts_presign_p2_idle(bool *more, struct ts_machine *machine, uint32_t count);

/** One presignature: in secret memory only, no serialiser, erased on use, refusal or free; zero in a forked child. */
struct ts_presig_p1;
struct ts_presig_p2;
/** After done; each index once. Returns: TS_OK; TS_USAGE (not done, no such index, taken). The presignature copies what
 * it needs and outlives machine, pairing and half. */
enum ts_error ts_presign_p1_take(struct ts_presig_p1 **out, struct ts_machine *machine, uint32_t index);
enum ts_error ts_presign_p2_take(struct ts_presig_p2 **out, struct ts_machine *machine, uint32_t index);
/** Whether it belongs to this key in this generation: others must not be used (protocol.md 6). */
bool ts_presig_p1_belongs(const struct ts_presig_p1 *presig, const struct ts_half *half);
bool ts_presig_p2_belongs(const struct ts_presig_p2 *presig, const struct ts_half *half);
void ts_presig_p1_free(struct ts_presig_p1 *presig);
void ts_presig_p2_free(struct ts_presig_p2 *presig);

/* --- signature (protocol.md 7) --- */

/** P2, on receipt of a request: READY -> PENDING, bound to the hash of the request bytes. The same bytes again are
 * fine. Returns: TS_OK; TS_CHEATED when bound to other bytes, also after a refusal (two answers would reveal the key);
 * TS_REFUSED after a refusal, or when erased before any request came; TS_INTERNAL. */
enum ts_error ts_presig_p2_bind(struct ts_presig_p2 *presig, const uint8_t *request, size_t len);
/** P2: whether a presignature that is bound, is bound to these bytes. Reads nothing that changes after that: another
 * thread may be at its answer. Returns: TS_OK; TS_CHEATED; TS_REFUSED when not bound; TS_INTERNAL. */
enum ts_error ts_presig_p2_check_bound(const struct ts_presig_p2 *presig, const uint8_t *request, size_t len);
/** P2, approved: PENDING -> ANSWERED. Erases the presignature before the answer leaves and keeps the answer bytes; in
 * ANSWERED gives those again. digest: as recomputed by P2. Returns: TS_OK; TS_USAGE when not bound; TS_FORMAT (h = 0);
 * TS_REFUSED; TS_INTERNAL. */
enum ts_error ts_presig_p2_answer(struct ts_buf *out, struct ts_presig_p2 *presig, const uint8_t *digest, size_t len);
/** P2: is the answer there already, from before? */
bool ts_presig_p2_answered(const struct ts_presig_p2 *presig);
/** P2, refused or timed out: the record is erased and the index answers no request any more. */
void ts_presig_p2_refuse(struct ts_presig_p2 *presig);

/** P1: combine the answer to a signature r || s, s low, verified under X. The presignature is erased whatever happens.
 *  In:   request  the bytes as sent; digest as in them
 *  Out:  signature  2 * ts_group_scalar_bytes
 *  Returns: TS_OK; TS_FORMAT; TS_CHEATED (opening, sigma or the final verification); TS_USAGE (used already);
 * TS_INTERNAL. */
enum ts_error ts_presig_p1_finish(uint8_t *signature, struct ts_presig_p1 *presig, const uint8_t *request,
    size_t request_len, const uint8_t *digest, size_t digest_len, const uint8_t *answer, size_t answer_len);

/* --- refresh (protocol.md 8) of one key: new parameters must have been agreed before by a pairing run (same pairing
 * id) --- Messages: init (n1), n2, coin commitment, d2, opening with C' and its proof, confirmation of P2, commit of
 * P1. fresh: the new parameters; half: the active generation. Both are borrowed until the machine is freed. Returns:
 * TS_OK; TS_USAGE (roles differ, or the half has these parameters already); TS_INTERNAL. */
enum ts_error ts_refresh_p1_new(
    struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *fresh, const struct ts_half *half);
enum ts_error ts_refresh_p2_new(
    struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *fresh, const struct ts_half *half);
/** After done: the half of generation + 1. Same X. */
enum ts_error ts_refresh_take(struct ts_half **out, uint8_t confirmation[TS_HASH_BYTES], struct ts_machine *machine);

#endif

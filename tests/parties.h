#ifndef TS_TESTS_PARTIES_H
#define TS_TESTS_PARTIES_H

#include "mpc/machine.h"

/** Both parties of a run in one process, their messages pumped in memory. Every helper fails the running Check test
 *  when something that must work does not. Index 0 is P1, 1 is P2. */

/** Changes a payload on its way; number counts the run's payloads from 1. May be NULL. */
typedef void parties_tamper(void *ctx, unsigned number, struct ts_buf *payload);

/** Pump until both are done or one fails.
 *  Out:  failed  who failed: 0, 1; -1 when nobody did
 *  Returns: TS_OK, or the error of the failing step. */
enum ts_error parties_pump(
    int *failed, struct ts_machine *first, struct ts_machine *second, parties_tamper *tamper, void *ctx);

/** All payloads of an honest run, in order. */
#define PARTIES_PAYLOADS 8
struct parties_record {
    struct ts_buf payloads[PARTIES_PAYLOADS];
    unsigned count;
};
void parties_record(void *ctx, unsigned number, struct ts_buf *payload); /**< a tamper that only looks */
void parties_record_clear(struct parties_record *record);

/** Secret memory is empty in the forked child in which Check runs a test; so what takes long is made once, before, and
 *  kept as ordinary bytes. */
struct parties_saved {
    struct ts_buf pairing[2], half[2];
};
/** A pairing with test primes `pair` (P1) and `pair` + 1 (P2), and a key. */
void parties_save(struct parties_saved *saved, enum ts_curve curve, uint32_t bits, unsigned pair);
void parties_saved_clear(struct parties_saved *saved);

struct parties {
    struct ts_env env;
    struct ts_mpc *mpc;
    struct ts_pairing *pairing[2];
    struct ts_half *half[2];
    uint8_t n1[TS_NONCE_BYTES], n2[TS_NONCE_BYTES]; /**< of the connection */
};
void parties_open(struct parties *parties, const struct parties_saved *saved);
/** Without pairing or key. */
void parties_open_bare(struct parties *parties);
void parties_close(struct parties *parties);

/** New machines of a pairing run with test primes. */
void parties_pair_machines(
    struct ts_machine *machines[2], struct parties *parties, uint32_t bits, unsigned p1_primes, unsigned p2_primes);
/** Run it; gives both copies. */
void parties_pair(
    struct ts_pairing *out[2], struct parties *parties, uint32_t bits, unsigned p1_primes, unsigned p2_primes);
/** Run a key generation under the parties' pairing; replaces their halves. */
void parties_keygen(struct parties *parties, enum ts_curve curve);
/** New machines of a batch of the parties' key. */
void parties_presign_machines(struct ts_machine *machines[2], struct parties *parties, uint32_t count, uint64_t batch);
/** Run a batch; the caller frees the presignatures. */
void parties_presign(
    struct ts_presig_p1 *p1[], struct ts_presig_p2 *p2[], struct parties *parties, uint32_t count, uint64_t batch);
/** Bind, answer, finish. Returns: P1's error. */
enum ts_error parties_sign(uint8_t *signature, struct ts_presig_p1 *p1, struct ts_presig_p2 *p2, const uint8_t *digest,
    size_t len, const char *request);
/** Whether OpenSSL, which knows nothing of this project, accepts r || s, and s is at most half the order. */
bool parties_openssl_accepts(
    const struct parties *parties, const uint8_t *digest, size_t len, const uint8_t *signature);

/** A tamper that changes one item of one payload by cheat_item. */
struct parties_cheat {
    unsigned number;   /**< payload, from 1 */
    const char *label; /**< NULL: flip the last bit of a payload that has no items */
    unsigned nth;
    enum ts_error error; /**< what must come of it */
    int failed;          /**< and at whom */
};
void parties_cheat(void *ctx, unsigned number, struct ts_buf *payload);

/** A tamper that replaces one payload by that of another run. */
struct parties_replay {
    unsigned number;
    const struct parties_record *record;
};
void parties_replay(void *ctx, unsigned number, struct ts_buf *payload);

/** A tamper that flips one bit. */
struct parties_flip {
    unsigned number;
    uint32_t random; /**< says which: of the payload's bits, this one modulo their number */
};
void parties_flip(void *ctx, unsigned number, struct ts_buf *payload);

/** The seed of a test, from TS_TEST_SEED or the clock; printed. */
unsigned parties_seed(const char *test);

/** One failed-run check: pump fresh machines with a tamper, expect this error at this party, and that both machines
 *  are useless afterwards. Frees the machines. */
void parties_expect(struct ts_machine *machines[2], parties_tamper *tamper, void *ctx, enum ts_error error, int failed);

#endif

#ifndef TS_MPC_PRESIGN_RUN_H
#define TS_MPC_PRESIGN_RUN_H

#include "mpc/machine_table.h"
#include "mpc/presig.h"
#include "mpc/presign_message.h"

/** What both roles keep between the steps of a batch. Private to mpc/. */

/** Of one index; numbers live in the machine's scope. */
struct ts_presign_entry {
    const struct ts_num *k;         /**< k1 or k2, secret */
    struct ts_presign_opening own;  /**< P1: what opens its commitment */
    const struct ts_point *R2;      /**< P1 */
    uint8_t cn[TS_HASH_BYTES];      /**< P1 */
    uint8_t c[TS_HASH_BYTES];       /**< P2: P1's commitment */
    uint8_t nonce[TS_NONCE_BYTES];  /**< P2; secret until the answer */
    struct ts_presign_reply reply;  /**< P2, once k is drawn */
    const struct ts_num *a, *beta;  /**< P2, once D is made; secret */
    struct ts_buf affine;           /**< P2: D and its proof as they will be sent */
    struct ts_presig_p1 *presig_p1; /**< the results */
    struct ts_presig_p2 *presig_p2;
};

struct ts_presign_run {
    const struct ts_pairing *pairing;
    const struct ts_half *half;
    struct ts_place place; /**< own role, index 0 */
    uint32_t count;
    struct ts_presign_entry entries[TS_BATCH_MAX];
};

enum ts_error ts_presign_new(struct ts_machine **out, const struct ts_machine_kind *kind, uint8_t role,
    const struct ts_presign_place *where, uint32_t count);

/** Call `handle` for each index in a scope of its own, and take the end of `in` when there is one. */
typedef enum ts_error ts_presign_handler(
    struct ts_machine *machine, struct ts_scope *scope, uint32_t index, struct ts_buf *out, struct ts_reader *in);
enum ts_error ts_presign_each(
    struct ts_machine *machine, ts_presign_handler *handle, struct ts_buf *out, struct ts_reader *in);

const struct ts_group *ts_presign_group(const struct ts_machine *machine);

/** Draw k of an index and prove its point; k and the point stay in the machine's scope. */
enum ts_error ts_presign_nonce(
    struct ts_known_point *out, struct ts_machine *machine, struct ts_scope *scope, uint32_t index, const char *use);

/** What a presignature of this run belongs to. */
enum ts_error ts_presign_owner(struct ts_presig_owner *out, const struct ts_presign_run *run, uint32_t index);

void ts_presign_clear(void *run);

extern const struct ts_machine_kind ts_presign_p1_kind, ts_presign_p2_kind;

#endif

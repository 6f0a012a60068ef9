#include "base/secret.h"
#include "mpc/keygen_message.h"
#include "mpc/refresh_message.h"
#include "mpc/refresh_run.h"

#include <string.h>

/** Refresh, P2's side. Source: protocol.md 8. */

enum { INIT, COMMITMENT, OPENING };

/* Only the next generation of this very key, under the parameters that were just agreed. */
static enum ts_error
check_init(const struct ts_refresh_run *run, const struct ts_refresh_start *init)
{
    const struct ts_half *half = run->half;

    if (memcmp(init->key, half->key, sizeof half->key) != 0 || init->generation != half->generation)
        return TS_FORMAT;
    return memcmp(init->pairing, run->fresh->id, sizeof init->pairing) == 0 ? TS_OK : TS_FORMAT;
}

static enum ts_error
answer_init(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_start init = {0};
    uint8_t n2[TS_NONCE_BYTES];

    (void)scope;
    enum ts_error error = ts_refresh_start_decode(&init, in, len);
    if (error == TS_OK)
        error = check_init(machine->run, &init);
    if (error == TS_OK)
        error = ts_random(ts_mpc_env(machine->mpc), n2, sizeof n2);
    if (error == TS_OK)
        error = ts_refresh_begin(machine, init.n1, n2, "d2");
    if (error == TS_OK)
        ts_nonce_encode(out, n2);
    return error;
}

static enum ts_error
answer_commitment(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_run *run = machine->run;

    (void)scope;
    enum ts_error error = ts_committed_decode(run->c, in, len);
    if (error != TS_OK)
        return error;
    run->d = ts_num_publish(run->d, "P2's half of the coin is sent once P1 is committed");
    ts_coin_encode(out, run->d);
    return TS_OK;
}

/* The new X1 is P2's own sum, so P1 cannot choose it. */
static enum ts_error
verify(struct ts_machine *machine, const struct ts_refresh_opening *opening)
{
    struct ts_refresh_run *run = machine->run;
    const struct ts_place from1 = ts_place_by(&run->place, TS_ROLE_P1, 0);
    uint8_t c[TS_HASH_BYTES];

    enum ts_error error = ts_coin_commitment(c, &from1, opening->d1, opening->u);
    if (error == TS_OK && !ts_equal(c, run->c, sizeof c))
        error = TS_CHEATED;
    if (error == TS_OK)
        error = ts_refresh_move(machine, opening->d1, run->d);
    return error == TS_OK ? ts_share_verify(&from1, run->fresh, run->half->X1, &opening->share) : error;
}

static enum ts_error
take_opening(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    struct ts_refresh_opening opening = {0};

    enum ts_error error = ts_refresh_opening_decode(&opening, scope, group, run->fresh->bits, in, len);
    if (error == TS_OK)
        error = verify(machine, &opening);
    if (error != TS_OK)
        return error;
    half->C = ts_num_copy(half->scope, opening.share.C);
    error = ts_scope_error(half->scope);
    return error == TS_OK ? ts_machine_confirm(machine, out, &run->place, TS_ROLE_P2) : error;
}

static const struct ts_state states[] = {
    [INIT] = {"REFRESH", true, answer_init, COMMITMENT},
    [COMMITMENT] = {"REFRESH", true, answer_commitment, OPENING},
    [OPENING] = {"REFRESH", true, take_opening, TS_STATE_DONE},
};

const struct ts_machine_kind ts_refresh_p2_kind = {states, sizeof(struct ts_refresh_run), 5, ts_refresh_clear};

enum ts_error
ts_refresh_p2_new(
    struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *fresh, const struct ts_half *half)
{
    return ts_refresh_new(out, mpc, &ts_refresh_p2_kind, TS_ROLE_P2, fresh, half);
}

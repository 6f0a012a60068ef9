#include "mpc/keygen_message.h"
#include "mpc/refresh_message.h"
#include "mpc/refresh_run.h"

#include <string.h>

/** Refresh, P1's side. Source: protocol.md 8. */

enum { INIT, COMMIT, OPEN, CONFIRM };

static enum ts_error
send_init(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_run *run = machine->run;
    struct ts_refresh_start message = {.generation = run->half->generation};

    (void)scope, (void)in, (void)len;
    enum ts_error error = ts_random(ts_mpc_env(machine->mpc), run->n1, sizeof run->n1);
    if (error != TS_OK)
        return error;
    memcpy(message.key, run->half->key, sizeof message.key);
    memcpy(message.pairing, run->fresh->id, sizeof message.pairing);
    memcpy(message.n1, run->n1, sizeof message.n1);
    ts_refresh_start_encode(out, &message);
    return TS_OK;
}

static enum ts_error
commit(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_run *run = machine->run;
    uint8_t n2[TS_NONCE_BYTES];
    uint8_t c[TS_HASH_BYTES];

    (void)scope;
    enum ts_error error = ts_nonce_decode(n2, in, len);
    if (error == TS_OK)
        error = ts_refresh_begin(machine, run->n1, n2, "d1");
    if (error == TS_OK)
        error = ts_random(ts_mpc_env(machine->mpc), run->u, sizeof run->u);
    run->d = ts_num_publish(run->d, "P1's half of the coin is opened before the run ends");
    if (error == TS_OK)
        error = ts_coin_commitment(c, &run->place, run->d, run->u);
    if (error == TS_OK)
        ts_committed_encode(out, c);
    return error;
}

static enum ts_error
open_commitment(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    const struct ts_hedge hedge = {.hk = half->hk};
    struct ts_refresh_opening message = {.d1 = run->d};
    const struct ts_num *d2 = NULL;

    enum ts_error error = ts_coin_decode(&d2, scope, group, in, len);
    if (error == TS_OK)
        error = ts_refresh_move(machine, run->d, d2);
    if (error == TS_OK)
        error = ts_share_make(&message.share, scope, &run->place, &hedge, run->fresh, half->x, half->X1);
    if (error != TS_OK)
        return error;
    half->C = ts_num_copy(half->scope, message.share.C);
    memcpy(message.u, run->u, sizeof message.u);
    ts_refresh_opening_encode(out, group, &message);
    return ts_scope_error(half->scope);
}

static enum ts_error
take_confirmation(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_refresh_run *run = machine->run;
    enum ts_error error = ts_machine_confirmed(machine, &run->place, TS_ROLE_P2, in, len);

    (void)scope;
    return error == TS_OK ? ts_machine_confirm(machine, out, &run->place, TS_ROLE_P1) : error;
}

static const struct ts_state states[] = {
    [INIT] = {"REFRESH", false, send_init, COMMIT},
    [COMMIT] = {"REFRESH", true, commit, OPEN},
    [OPEN] = {"REFRESH", true, open_commitment, CONFIRM},
    [CONFIRM] = {"REFRESH", true, take_confirmation, TS_STATE_DONE},
};

const struct ts_machine_kind ts_refresh_p1_kind = {states, sizeof(struct ts_refresh_run), 5, ts_refresh_clear};

enum ts_error
ts_refresh_p1_new(
    struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *fresh, const struct ts_half *half)
{
    return ts_refresh_new(out, mpc, &ts_refresh_p1_kind, TS_ROLE_P1, fresh, half);
}

#include "mpc/keygen_message.h"
#include "mpc/keygen_run.h"

#include <string.h>

/** Key generation, P1's side. Source: protocol.md 5. */

enum { INIT, COMMIT, OPEN, CONFIRM };

static enum ts_error
send_init(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_keygen_start message = {.curve = run->half->curve};

    (void)scope, (void)in, (void)len;
    enum ts_error error = ts_random(ts_mpc_env(machine->mpc), run->n1, sizeof run->n1);
    if (error != TS_OK)
        return error;
    memcpy(message.key, run->half->key, sizeof message.key);
    memcpy(message.pairing, run->pairing->id, sizeof message.pairing);
    memcpy(message.n1, run->n1, sizeof message.n1);
    ts_keygen_start_encode(out, &message);
    return TS_OK;
}

static enum ts_error
commit(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    uint8_t n2[TS_NONCE_BYTES];
    uint8_t c[TS_HASH_BYTES];

    (void)scope;
    enum ts_error error = ts_nonce_decode(n2, in, len);
    if (error == TS_OK)
        error = ts_keygen_begin(machine, run->n1, n2);
    if (error == TS_OK)
        error = ts_keygen_share(&run->X1, machine, "x1");
    if (error == TS_OK)
        error = ts_known_point_commit(c, run->u, &run->place, &run->X1);
    if (error == TS_OK)
        ts_committed_encode(out, c);
    return error;
}

/* P2's point and the sum of both. */
static enum ts_error
accept_point(struct ts_machine *machine, const struct ts_known_point *X2)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_place from2 = ts_place_by(&run->place, TS_ROLE_P2, 0);

    enum ts_error error = ts_known_point_verify(&from2, X2);
    if (error != TS_OK)
        return error;
    half->X2 = ts_point_copy(half->scope, ts_mpc_group(machine->mpc, half->curve), X2->W);
    return half->X2 ? ts_half_join(half, machine->mpc) : ts_scope_error(half->scope);
}

static enum ts_error
open_commitment(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    const struct ts_hedge hedge = {.hk = half->hk};
    struct ts_keygen_opening message = {.X1 = run->X1};
    struct ts_known_point X2 = {0};

    enum ts_error error = ts_keygen_point_decode(&X2, scope, group, in, len);
    if (error == TS_OK)
        error = accept_point(machine, &X2);
    if (error == TS_OK)
        error = ts_share_make(&message.share, scope, &run->place, &hedge, run->pairing, half->x, half->X1);
    if (error != TS_OK)
        return error;
    half->C = ts_num_copy(half->scope, message.share.C);
    memcpy(message.u, run->u, sizeof message.u);
    ts_keygen_opening_encode(out, group, &message);
    return ts_scope_error(half->scope);
}

static enum ts_error
take_confirmation(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    enum ts_error error = ts_machine_confirmed(machine, &run->place, TS_ROLE_P2, in, len);

    (void)scope;
    return error == TS_OK ? ts_machine_confirm(machine, out, &run->place, TS_ROLE_P1) : error;
}

static const struct ts_state states[] = {
    [INIT] = {"KEYGEN_P1", false, send_init, COMMIT},
    [COMMIT] = {"KEYGEN_P1", true, commit, OPEN},
    [OPEN] = {"KEYGEN_P2", true, open_commitment, CONFIRM},
    [CONFIRM] = {"KEYGEN_P2", true, take_confirmation, TS_STATE_DONE},
};

const struct ts_machine_kind ts_keygen_p1_kind = {states, sizeof(struct ts_keygen_run), 5, ts_keygen_clear};

enum ts_error
ts_keygen_p1_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *pairing,
    enum ts_curve curve, const uint8_t key[TS_KEY_ID_BYTES])
{
    *out = NULL;
    if (!pairing || !key || curve == TS_CURVE_NONE || !ts_parameters_allowed(curve, pairing->bits))
        return TS_USAGE;
    enum ts_error error = ts_keygen_new(out, mpc, &ts_keygen_p1_kind, TS_ROLE_P1, pairing);
    if (error != TS_OK)
        return error;
    struct ts_keygen_run *run = (*out)->run;
    run->half->curve = curve;
    memcpy(run->half->key, key, TS_KEY_ID_BYTES);
    return TS_OK;
}

enum ts_error
ts_keygen_p1_confirmation(uint8_t out[TS_HASH_BYTES], struct ts_machine *machine)
{
    struct ts_buf hash;

    if (!machine || machine->kind != &ts_keygen_p1_kind || machine->payload_count != machine->kind->confirmed)
        return TS_USAGE;
    const struct ts_keygen_run *run = machine->run;
    ts_buf_init(&hash, TS_HASH_BYTES);
    enum ts_error error = ts_machine_confirm(machine, &hash, &run->place, TS_ROLE_P1);
    if (error == TS_OK)
        memcpy(out, hash.data, TS_HASH_BYTES);
    ts_buf_clear(&hash);
    return error;
}

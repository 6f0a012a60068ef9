#include "mpc/keygen_message.h"
#include "mpc/keygen_run.h"

#include <string.h>

/** Key generation, P2's side. Source: protocol.md 5. */

enum { INIT, COMMITMENT, OPENING };

static enum ts_error
check_init(struct ts_keygen_run *run, const struct ts_keygen_start *init)
{
    if (init->curve == TS_CURVE_NONE || !ts_parameters_allowed(init->curve, run->pairing->bits))
        return TS_FORMAT;
    if (memcmp(init->pairing, run->pairing->id, sizeof init->pairing) != 0)
        return TS_FORMAT;
    run->half->curve = init->curve;
    memcpy(run->half->key, init->key, sizeof init->key);
    return TS_OK;
}

static enum ts_error
answer_init(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_keygen_start init = {0};
    uint8_t n2[TS_NONCE_BYTES];

    (void)scope;
    enum ts_error error = ts_keygen_start_decode(&init, in, len);
    if (error == TS_OK)
        error = check_init(run, &init);
    if (error == TS_OK)
        error = ts_random(ts_mpc_env(machine->mpc), n2, sizeof n2);
    if (error == TS_OK)
        error = ts_keygen_begin(machine, init.n1, n2);
    if (error == TS_OK)
        ts_nonce_encode(out, n2);
    return error;
}

static enum ts_error
answer_commitment(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_known_point X2 = {0};

    (void)scope;
    enum ts_error error = ts_committed_decode(run->c, in, len);
    if (error == TS_OK)
        error = ts_keygen_share(&X2, machine, "x2");
    if (error == TS_OK)
        ts_keygen_point_encode(out, ts_mpc_group(machine->mpc, run->half->curve), &X2);
    return error;
}

/* Everything is checked against P2's own state: its pairing, its sid, the commitment that it holds. */
static enum ts_error
verify(const struct ts_keygen_run *run, const struct ts_keygen_opening *opening)
{
    const struct ts_place from1 = ts_place_by(&run->place, TS_ROLE_P1, 0);

    enum ts_error error = ts_known_point_open(&from1, &opening->X1, opening->u, run->c);
    return error == TS_OK ? ts_share_verify(&from1, run->pairing, opening->X1.W, &opening->share) : error;
}

static enum ts_error
take_opening(struct ts_machine *machine, struct ts_scope *scope, struct ts_buf *out, const uint8_t *in, size_t len)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    struct ts_keygen_opening opening = {0};

    enum ts_error error = ts_keygen_opening_decode(&opening, scope, group, run->pairing->bits, in, len);
    if (error == TS_OK)
        error = verify(run, &opening);
    if (error != TS_OK)
        return error;
    half->X1 = ts_point_copy(half->scope, group, opening.X1.W);
    half->C = ts_num_copy(half->scope, opening.share.C);
    error = ts_scope_error(half->scope);
    if (error == TS_OK)
        error = ts_half_join(half, machine->mpc);
    return error == TS_OK ? ts_machine_confirm(machine, out, &run->place, TS_ROLE_P2) : error;
}

static const struct ts_state states[] = {
    [INIT] = {"KEYGEN_P1", true, answer_init, COMMITMENT},
    [COMMITMENT] = {"KEYGEN_P1", true, answer_commitment, OPENING},
    [OPENING] = {"KEYGEN_P2", true, take_opening, TS_STATE_DONE},
};

const struct ts_machine_kind ts_keygen_p2_kind = {states, sizeof(struct ts_keygen_run), 5, ts_keygen_clear};

enum ts_error
ts_keygen_p2_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_pairing *pairing)
{
    return ts_keygen_new(out, mpc, &ts_keygen_p2_kind, TS_ROLE_P2, pairing);
}

enum ts_error
ts_keygen_p2_asked(enum ts_curve *curve, uint8_t key[TS_KEY_ID_BYTES], const struct ts_machine *machine)
{
    if (!machine || machine->kind != &ts_keygen_p2_kind || machine->state == INIT || !machine->run)
        return TS_USAGE;
    const struct ts_keygen_run *run = machine->run;
    if (!run->half)
        return TS_USAGE;
    *curve = run->half->curve;
    memcpy(key, run->half->key, TS_KEY_ID_BYTES);
    return TS_OK;
}

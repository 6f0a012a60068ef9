#include "mpc/keygen_run.h"

#include <string.h>

void
ts_keygen_clear(void *run)
{
    struct ts_keygen_run *keygen = run;

    ts_half_free(keygen->half);
    keygen->half = NULL;
}

enum ts_error
ts_keygen_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind, uint8_t role,
    const struct ts_pairing *pairing)
{
    *out = NULL;
    if (!mpc || !pairing || pairing->role != role)
        return TS_USAGE;
    enum ts_error error = ts_machine_new(out, mpc, kind);
    if (error != TS_OK)
        return error;
    struct ts_keygen_run *run = (*out)->run;
    run->pairing = pairing;
    error = ts_half_new(&run->half);
    if (error != TS_OK) {
        ts_machine_free(*out);
        *out = NULL;
        return error;
    }
    run->half->role = role;
    memcpy(run->half->aux, pairing->aux, sizeof run->half->aux);
    return TS_OK;
}

enum ts_error
ts_keygen_begin(struct ts_machine *machine, const uint8_t n1[TS_NONCE_BYTES], const uint8_t n2[TS_NONCE_BYTES])
{
    struct ts_keygen_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_sid_fields fields = {.curve = half->curve,
        .pairing = run->pairing->id,
        .pairing_len = sizeof run->pairing->id,
        .key = half->key,
        .key_len = sizeof half->key,
        .purpose = "keygen",
        .aux = run->pairing->aux,
        .aux_len = sizeof run->pairing->aux,
        .n1 = n1,
        .n2 = n2};

    run->place =
        (struct ts_place){.mpc = machine->mpc, .curve = half->curve, .sid_len = TS_SID_BYTES, .role = half->role};
    enum ts_error error = ts_sid(run->place.sid, machine->mpc, &fields);
    return error == TS_OK ? ts_random(ts_mpc_env(machine->mpc), half->hk, sizeof half->hk) : error;
}

enum ts_error
ts_keygen_share(struct ts_known_point *out, struct ts_machine *machine, const char *use)
{
    struct ts_keygen_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_hedge hedge = {.hk = half->hk};
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    const struct ts_num *x = ts_hedge_scalar(machine->scope, &run->place, &hedge, use, NULL, 0, false);

    half->x = ts_num_copy(half->scope, x);
    enum ts_error error = ts_known_point_make(out, machine->scope, &run->place, &hedge, half->x);
    if (error != TS_OK)
        return error;
    const struct ts_point **point = half->role == TS_ROLE_P1 ? &half->X1 : &half->X2;
    *point = ts_point_copy(half->scope, group, out->W);
    return ts_scope_error(half->scope);
}

enum ts_error
ts_keygen_take(struct ts_half **out, uint8_t confirmation[TS_HASH_BYTES], struct ts_machine *machine)
{
    *out = NULL;
    if (!ts_machine_has(machine, &ts_keygen_p1_kind) && !ts_machine_has(machine, &ts_keygen_p2_kind))
        return TS_USAGE;
    struct ts_keygen_run *run = machine->run;
    if (!run->half)
        return TS_USAGE;
    memcpy(confirmation, machine->confirmation, TS_HASH_BYTES);
    *out = run->half;
    run->half = NULL;
    return TS_OK;
}

#include "mpc/presign_run.h"

#include "mpc/message.h"

#include <string.h>

void
ts_presign_clear(void *run)
{
    struct ts_presign_run *presign = run;

    for (uint32_t i = 0; i < TS_BATCH_MAX; i++) {
        ts_presig_p1_free(presign->entries[i].presig_p1);
        ts_presig_p2_free(presign->entries[i].presig_p2);
        ts_buf_clear(&presign->entries[i].affine);
        presign->entries[i].presig_p1 = NULL;
        presign->entries[i].presig_p2 = NULL;
    }
}

/* Both sides must hold the same generation of the same key under the same parameters, or the sids differ. */
static enum ts_error
place_of(struct ts_place *out, const struct ts_presign_place *where)
{
    const struct ts_half *half = where->half;
    const struct ts_group *group = ts_mpc_group(where->mpc, half->curve);
    uint8_t X[TS_POINT_MAX_BYTES];
    const struct ts_sid_fields fields = {.curve = half->curve,
        .pairing = where->pairing->id,
        .pairing_len = sizeof where->pairing->id,
        .key = half->key,
        .key_len = sizeof half->key,
        .generation = half->generation,
        .purpose = "presign",
        .aux = half->aux,
        .aux_len = sizeof half->aux,
        .public_key = X,
        .public_key_len = ts_group_point_bytes(group),
        .n1 = where->n1,
        .n2 = where->n2,
        .batch = where->batch};

    *out = (struct ts_place){.mpc = where->mpc, .curve = half->curve, .sid_len = TS_SID_BYTES, .role = half->role};
    enum ts_error error = ts_point_encode(X, group, half->X);
    return error == TS_OK ? ts_sid(out->sid, where->mpc, &fields) : error;
}

static bool
fits(const struct ts_presign_place *where, uint8_t role)
{
    if (!where || !where->mpc || !where->pairing || !where->half || !where->n1 || !where->n2)
        return false;
    const struct ts_pairing *pairing = where->pairing;
    const struct ts_half *half = where->half;
    return pairing->role == role && half->role == role && memcmp(half->aux, pairing->aux, sizeof half->aux) == 0 &&
           half->curve != TS_CURVE_NONE && ts_parameters_allowed(half->curve, pairing->bits);
}

enum ts_error
ts_presign_new(struct ts_machine **out, const struct ts_machine_kind *kind, uint8_t role,
    const struct ts_presign_place *where, uint32_t count)
{
    *out = NULL;
    if (!fits(where, role))
        return TS_USAGE;
    enum ts_error error = ts_machine_new(out, where->mpc, kind);
    if (error != TS_OK)
        return error;
    struct ts_presign_run *run = (*out)->run;
    run->pairing = where->pairing;
    run->half = where->half;
    run->count = count;
    error = place_of(&run->place, where);
    if (error != TS_OK) {
        ts_machine_free(*out);
        *out = NULL;
    }
    return error;
}

enum ts_error
ts_presign_each(struct ts_machine *machine, ts_presign_handler *handle, struct ts_buf *out, struct ts_reader *in)
{
    const struct ts_presign_run *run = machine->run;
    enum ts_error error = TS_OK;

    for (uint32_t i = 0; i < run->count && error == TS_OK; i++) {
        struct ts_scope *scope = NULL;
        error = ts_scope_borrow(&scope, machine->mpc);
        if (error == TS_OK)
            error = handle(machine, scope, i, out, in);
        if (error == TS_OK)
            error = ts_scope_error(scope);
        ts_scope_return(machine->mpc, scope);
    }
    return error == TS_OK && in ? ts_reader_end(in) : error;
}

const struct ts_group *
ts_presign_group(const struct ts_machine *machine)
{
    const struct ts_presign_run *run = machine->run;

    return ts_mpc_group(machine->mpc, run->place.curve);
}

enum ts_error
ts_presign_nonce(
    struct ts_known_point *out, struct ts_machine *machine, struct ts_scope *scope, uint32_t index, const char *use)
{
    struct ts_presign_run *run = machine->run;
    const struct ts_place place = ts_place_by(&run->place, run->place.role, index);
    const struct ts_hedge hedge = {.hk = run->half->hk};
    const struct ts_group *group = ts_presign_group(machine);
    const struct ts_num *k = ts_hedge_scalar(scope, &place, &hedge, use, NULL, 0, false);
    struct ts_known_point point = {0};

    enum ts_error error = k ? ts_known_point_make(&point, scope, &place, &hedge, k) : ts_scope_error(scope);
    if (error != TS_OK)
        return error;
    run->entries[index].k = ts_num_copy(machine->scope, k);
    out->W = ts_point_copy(machine->scope, group, point.W);
    out->proof.K = ts_point_copy(machine->scope, group, point.proof.K);
    out->proof.z = ts_num_copy(machine->scope, point.proof.z);
    return ts_scope_error(machine->scope);
}

enum ts_error
ts_presign_owner(struct ts_presig_owner *out, const struct ts_presign_run *run, uint32_t index)
{
    const struct ts_half *half = run->half;

    *out = (struct ts_presig_owner){
        .place = ts_place_by(&run->place, run->place.role, index), .generation = half->generation};
    memcpy(out->key, half->key, sizeof out->key);
    return ts_point_encode(out->X, ts_mpc_group(run->place.mpc, half->curve), half->X);
}

uint32_t
ts_presign_count(const struct ts_machine *machine)
{
    if (!machine || !machine->run || (machine->kind != &ts_presign_p1_kind && machine->kind != &ts_presign_p2_kind))
        return 0;
    const struct ts_presign_run *run = machine->run;
    return run->count;
}

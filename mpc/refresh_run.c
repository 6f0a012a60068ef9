#include "mpc/refresh_run.h"

#include <string.h>

void
ts_refresh_clear(void *run)
{
    struct ts_refresh_run *refresh = run;

    ts_half_free(refresh->half);
    refresh->half = NULL;
}

static bool
fits(const struct ts_pairing *fresh, const struct ts_half *old, uint8_t role)
{
    return fresh && old && fresh->role == role && old->role == role && old->generation < UINT32_MAX &&
           old->curve != TS_CURVE_NONE && ts_parameters_allowed(old->curve, fresh->bits) &&
           memcmp(fresh->aux, old->aux, sizeof old->aux) != 0;
}

/* All but what the coin decides. */
static enum ts_error
fill(struct ts_refresh_run *run, const struct ts_mpc *mpc)
{
    const struct ts_half *old = run->old;

    enum ts_error error = ts_half_new(&run->half);
    if (error != TS_OK)
        return error;
    struct ts_half *half = run->half;
    half->role = old->role;
    half->curve = old->curve;
    half->generation = old->generation + 1;
    memcpy(half->key, old->key, sizeof half->key);
    memcpy(half->aux, run->fresh->aux, sizeof half->aux);
    half->X = ts_point_copy(half->scope, ts_mpc_group(mpc, old->curve), old->X);
    return ts_scope_error(half->scope);
}

enum ts_error
ts_refresh_new(struct ts_machine **out, const struct ts_mpc *mpc, const struct ts_machine_kind *kind, uint8_t role,
    const struct ts_pairing *fresh, const struct ts_half *old)
{
    *out = NULL;
    if (!mpc || !fits(fresh, old, role))
        return TS_USAGE;
    enum ts_error error = ts_machine_new(out, mpc, kind);
    if (error != TS_OK)
        return error;
    struct ts_refresh_run *run = (*out)->run;
    run->fresh = fresh;
    run->old = old;
    error = fill(run, mpc);
    if (error != TS_OK) {
        ts_machine_free(*out);
        *out = NULL;
    }
    return error;
}

enum ts_error
ts_refresh_begin(
    struct ts_machine *machine, const uint8_t n1[TS_NONCE_BYTES], const uint8_t n2[TS_NONCE_BYTES], const char *use)
{
    struct ts_refresh_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    const struct ts_hedge hedge = {.hk = half->hk};
    uint8_t X[TS_POINT_MAX_BYTES];
    const struct ts_sid_fields fields = {.curve = half->curve,
        .pairing = run->fresh->id,
        .pairing_len = sizeof run->fresh->id,
        .key = half->key,
        .key_len = sizeof half->key,
        .generation = half->generation,
        .purpose = "refresh",
        .aux = half->aux,
        .aux_len = sizeof half->aux,
        .public_key = X,
        .public_key_len = ts_group_point_bytes(group),
        .n1 = n1,
        .n2 = n2};

    run->place =
        (struct ts_place){.mpc = machine->mpc, .curve = half->curve, .sid_len = TS_SID_BYTES, .role = half->role};
    enum ts_error error = ts_point_encode(X, group, half->X);
    if (error == TS_OK)
        error = ts_sid(run->place.sid, machine->mpc, &fields);
    if (error == TS_OK)
        error = ts_random(ts_mpc_env(machine->mpc), half->hk, sizeof half->hk);
    if (error == TS_OK)
        run->d = ts_hedge_scalar(machine->scope, &run->place, &hedge, use, NULL, 0, true);
    return error == TS_OK ? ts_scope_error(machine->scope) : error;
}

enum ts_error
ts_refresh_move(struct ts_machine *machine, const struct ts_num *d1, const struct ts_num *d2)
{
    struct ts_refresh_run *run = machine->run;
    struct ts_half *half = run->half;
    const struct ts_half *old = run->old;
    struct ts_scope *scope = half->scope;
    const struct ts_group *group = ts_mpc_group(machine->mpc, half->curve);
    const struct ts_modulus *q = ts_group_order(group);

    const struct ts_num *d = ts_mod_add(scope, d1, d2, q);
    const struct ts_num *minus_d = ts_mod_sub(scope, ts_num_from_u64(scope, 0), d, q);
    const struct ts_num *own = half->role == TS_ROLE_P1 ? d : minus_d;
    half->x = ts_mod_add(scope, old->x, own, q);
    half->X1 = ts_point_add(scope, group, old->X1, ts_point_mul_base(scope, group, d));
    half->X2 = ts_point_add(scope, group, old->X2, ts_point_mul_base(scope, group, minus_d));
    enum ts_error error = ts_scope_error(scope);
    if (error != TS_OK)
        return error;
    if (ts_point_is_infinity(group, half->X1) || ts_point_is_infinity(group, half->X2))
        return TS_CHEATED;
    return TS_OK;
}

enum ts_error
ts_refresh_take(struct ts_half **out, uint8_t confirmation[TS_HASH_BYTES], struct ts_machine *machine)
{
    *out = NULL;
    if (!ts_machine_has(machine, &ts_refresh_p1_kind) && !ts_machine_has(machine, &ts_refresh_p2_kind))
        return TS_USAGE;
    struct ts_refresh_run *run = machine->run;
    if (!run->half)
        return TS_USAGE;
    memcpy(confirmation, machine->confirmation, TS_HASH_BYTES);
    *out = run->half;
    run->half = NULL;
    return TS_OK;
}
